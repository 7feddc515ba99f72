//! A gap analysis to render: three service users and three team members, half a year after an earlier one.

use crate::domain::{
    digest::Digest,
    gap_analysis::{
        Baseline, GapAnalysis, Options, analyse,
        tests::{definition, model, voice},
    },
    id::GapAnalysisId,
    model::Definition,
};

fn rated(perspective: &str, id: u128, default: &str, but: &str) -> crate::domain::gap_analysis::Voice {
    let all: Vec<String> = definition().keys().map(|key| format!("{key}={default}")).collect();
    voice(perspective, id, &format!("{} {but}", all.join(" ")))
}

/// The analysis and the model version it was made with.
pub(super) fn gap_analysis() -> (GapAnalysis, Definition) {
    let definition = definition();
    let user = "feelings.supported=34 feelings.safe=13 space.accessible=12 tools.safety=12 safety.environment=na relationship.genuine=44";
    let team = "feelings.heard=34 space.accessible=34 relationship.realistic=43 safety.environment=na relationship.genuine=44 skills.safety=44";
    let voices = vec![
        rated("service_user", 1, "23", &format!("{user} feelings.heard=13")),
        rated(
            "service_user",
            2,
            "23",
            &format!("{user} feelings.heard=14 safety.diversity=12"),
        ),
        rated(
            "service_user",
            3,
            "23",
            &format!("{user} feelings.heard=23 space.comfortable=33"),
        ),
        rated("team", 4, "33", team),
        rated("team", 5, "34", team),
        rated("team", 6, "33", team),
    ];
    let earlier = vec![
        rated("service_user", 1, "13", ""),
        rated("team", 4, "33", "tools.time=44"),
    ];
    let earlier = analyse(&definition, model(), earlier, Options::default());
    let baseline = Baseline {
        gap_analysis: GapAnalysisId::from_uuid(uuid::Uuid::from_u128(7)),
        version: 1,
        digest: Digest::kept("sha256:01".to_owned()),
        analysis: &earlier,
        definition: &definition,
        done: &[],
    };
    let options = Options {
        title: Some("Chat counselling, autumn <2026> & *half a year after*".to_owned()),
        baseline: Some(&baseline),
        withholding: None,
    };
    let analysis = analyse(&definition, model(), voices, options);
    let id = GapAnalysisId::from_uuid(uuid::Uuid::from_u128(8));
    (GapAnalysis::of_version(id, 1, analysis), definition)
}
