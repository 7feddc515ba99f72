//! What holds of every analysis, whatever the ratings.

use proptest::prelude::*;

use super::*;

/// Any inputs: bytes that mean something, bytes that do not, too few, too many.
fn voices() -> impl Strategy<Value = Vec<Voice>> {
    let perspective = prop::sample::select(vec!["service_user", "team", "organisation"]);
    let byte = prop_oneof![4 => (1_u8..=4, 1_u8..=4).prop_map(|(c, d)| c | (d << 4)), 1 => Just(255), 1 => any::<u8>()];
    let levels = prop_oneof![
        6 => prop::collection::vec(byte, 34),
        1 => prop::collection::vec(any::<u8>(), 0..40)
    ];
    prop::collection::vec((perspective, levels), 0..12).prop_map(|voices| {
        (1..)
            .zip(voices)
            .map(|(id, (perspective, bytes))| Voice {
                levels: Levels::from_bytes(bytes),
                ..voice(perspective, id, "")
            })
            .collect()
    })
}

fn of(voices: Vec<Voice>) -> Analysis {
    analyse(&definition(), model(), voices, Options::default())
}

fn readings(analysis: &Analysis) -> impl Iterator<Item = &Reading> {
    let elements = analysis.elements.iter().map(|e| (&e.all, &e.by_perspective));
    let themes = analysis.themes.iter().map(|t| (&t.all, &t.by_perspective));
    let safety = (&analysis.safety.all, &analysis.safety.by_perspective);
    elements
        .chain(themes)
        .chain([safety])
        .flat_map(|(all, by_perspective)| by_perspective.values().chain([all]))
        .map(|reading| reading.reading().expect("nothing is withheld"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_order_of_inputs_does_not_matter((voices, shuffled) in voices().prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle()))) {
        let [one, other] = [voices, shuffled].map(|voices| serde_json::to_string(&of(voices)).expect("JSON"));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn what_does_not_apply_changes_no_figure_but_its_count(voices in voices(), perspective in prop::sample::select(vec!["service_user", "team"])) {
        let mut more = voices.clone();
        // The perspective has an input on both sides, so that the same perspectives appear.
        let mut voices = voices;
        voices.push(voice(perspective, 98, ""));
        more.push(Voice { levels: Levels::from_bytes(vec![255; 34]), ..voice(perspective, 98, "") });
        let (before, after) = (of(voices), of(more));
        for (before, after) in readings(&before).zip(readings(&after)) {
            prop_assert!(after.not_applicable >= before.not_applicable);
            let uncounted = Reading { not_applicable: before.not_applicable, ..after.clone() };
            prop_assert_eq!(before, &uncounted);
        }
        prop_assert_eq!(
            (before.priorities, before.perception_gaps, before.strengths),
            (after.priorities, after.perception_gaps, after.strengths)
        );
    }

    #[test]
    fn counts_and_transitions_agree_with_n(voices in voices()) {
        for reading in readings(&of(voices)) {
            let rows = reading.transitions.map(|row| row.iter().sum::<u32>());
            let columns = [0, 1, 2, 3].map(|level| reading.transitions.iter().map(|row| row[level]).sum::<u32>());
            prop_assert_eq!(rows, reading.current.counts.in_order());
            prop_assert_eq!(columns, reading.desired.counts.in_order());
            prop_assert_eq!(rows.iter().sum::<u32>(), reading.n);
            let gaps = reading.gap.as_ref().map_or(0, |gap| gap.counts.in_order().iter().sum());
            prop_assert_eq!(gaps, reading.n);
            prop_assert_eq!(reading.gap.is_some(), reading.n > 0);
            for side in [&reading.current, &reading.desired] {
                prop_assert_eq!((side.median.is_some(), side.mean.is_some()), (reading.n > 0, reading.n > 0));
                prop_assert!(side.median.is_none_or(|median| (1.0..=4.0).contains(&median)));
                prop_assert!(side.agreement.is_none_or(|a| (-1.0..=1.0).contains(&a) && reading.n > 1));
            }
        }
    }

    #[test]
    fn an_analysis_and_its_resource_are_read_back_as_they_were_written(now in voices(), then in voices()) {
        let (definition, then) = (definition(), of(then));
        let baseline = Baseline {
            gap_analysis: GapAnalysisId::NIL,
            version: 1,
            digest: Digest::kept("sha256:01".to_owned()),
            analysis: &then,
            definition: &definition,
            done: &[],
        };
        let options = Options { title: Some("t".to_owned()), baseline: Some(&baseline), withholding: None };
        let analysis = analyse(&definition, model(), now, options);
        for resource in [GapAnalysis::preview(analysis.clone()), GapAnalysis::of_version(GapAnalysisId::NIL, 3, analysis)] {
            let json = serde_json::to_string(&resource).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<GapAnalysis>(&json).expect("a gap analysis"), &resource);
        }
    }

    #[test]
    fn findings_keep_their_promises(voices in voices()) {
        let analysis = of(voices);
        for gap in &analysis.perception_gaps {
            prop_assert!(gap.difference > 0.0 && (0.0..=1.0).contains(&gap.overlap));
        }
        let ranked: Vec<_> = analysis.priorities.iter().map(|p| (&p.element, p.rank)).collect();
        prop_assert!(ranked.iter().zip(1..).all(|((_, rank), place)| *rank == place));
        for strength in &analysis.strengths {
            prop_assert!(strength.current_median >= 3.0);
            prop_assert!(!ranked.iter().any(|(element, _)| **element == strength.element), "an alarm is a blind spot here");
        }
    }
}
