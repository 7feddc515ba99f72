//! Analyses that are hard to draw.

use crate::domain::{
    gap_analysis::{GapAnalysis, Options, analyse, tests},
    model::Definition,
};

/// Eight perspectives on all 34 elements, of which the last did not see everything.
pub(super) fn eight() -> (GapAnalysis, Definition) {
    let definition = tests::definition();
    let names = [
        "service_user",
        "team",
        "team_member",
        "organisation",
        "commissioner",
        "family-carers",
        "partner",
        "stakeholder",
    ];
    let voices = names
        .iter()
        .zip(0_usize..)
        .flat_map(|(name, place)| (0..3_usize).map(move |nth| (*name, place, nth)));
    let voices = voices.map(|(name, place, nth)| {
        let rated = definition.keys().zip(0_usize..).map(|(key, element)| {
            let current = 1 + (element * 7 + place * 3 + nth * (element % 3)) % 4;
            let desired = (current + 1 + element % 2).min(4);
            if name == "stakeholder" && element % 5 == 0 {
                format!("{key}=na")
            } else {
                format!("{key}={current}{desired}")
            }
        });
        let rated: Vec<String> = rated.collect();
        tests::voice(name, u128::try_from(place * 10 + nth).expect("an id"), &rated.join(" "))
    });
    let title = Some("Eight voices about one relationship".to_owned());
    let options = Options {
        title,
        ..Options::default()
    };
    let analysis = analyse(&definition, tests::model(), voices.collect(), options);
    (GapAnalysis::preview(analysis), definition)
}

/// The same words as long as German and Welsh have them.
pub(super) fn long_winded(definition: &mut Definition) {
    let words = [
        "Vertrauensvolle Zusammenarbeit",
        "Barrierefreiheit",
        "Datenschutzgrundverordnungskonformität",
        "gehört werden",
        "Ymddiriedaeth a chyfathrebu",
        "hyder wrth ddefnyddio offer digidol",
        "Verantwortungsbewusstsein",
        "ffiniau proffesiynol a pharch at ein gilydd bob amser",
        "Sicherheitsmaßnahmen",
    ];
    let mut words = words.iter().cycle();
    let mut next = || (*words.next().expect("a word")).to_owned();
    for theme in &mut definition.themes {
        theme.label = next();
        theme.elements.iter_mut().for_each(|element| element.label = next());
    }
    definition
        .safety
        .considerations
        .iter_mut()
        .for_each(|consideration| consideration.label = next());
    for (level, word) in
        definition
            .levels
            .iter_mut()
            .zip(["Anfangsphase", "In Entwicklung", "Fortgeschritten", "Wedi'i ymgorffori"])
    {
        level.label = word.to_owned();
    }
}

pub(super) fn right_to_left(definition: &mut Definition) {
    for (theme, word) in definition
        .themes
        .iter_mut()
        .zip(["المشاعر", "المكان", "الأدوات", "المهارات", "العلاقة"])
    {
        theme.label = word.to_owned();
        let words = [
            "أن أشعر بأن صوتي مسموع",
            "أن يُصغى إليّ",
            "الدعم",
            "أن أكون مفهومًا",
            "الأمان",
        ];
        for (element, word) in theme.elements.iter_mut().zip(words) {
            element.label = word.to_owned();
        }
    }
    definition.safety.label = "السلامة".to_owned();
    for (level, word) in definition
        .levels
        .iter_mut()
        .zip(["مراحل مبكرة", "قيد التشكل", "ناضج", "راسخ"])
    {
        level.label = word.to_owned();
    }
}
