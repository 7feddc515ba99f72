//! What people see and hear of a radar.

use super::looked_at;
use crate::http::render::{
    charts::{Chart, Labels, Whose, figures::Side},
    sample,
    svg::Theme,
};

#[test]
fn a_radar_says_every_figure_of_the_analysis() {
    let (gap_analysis, definition) = sample::gap_analysis();
    let svg = Chart::Radar.draw(
        &gap_analysis,
        Labels::of(&definition, "en"),
        &[Whose::All],
        Theme::Light,
    );
    let geometry = looked_at("one-radar", &svg);
    // Tools, 30 ratings: service users 2 but for tools.safety at 1, 3 × 5; team 3, 3 × 5. So 15 below 3 and 15 at 3: 2.5.
    for said in [
        "between Forming and Maturing (median 2.5), from 30 ratings",
        "Maturing (median 3), from 30 ratings",
    ] {
        assert!(
            geometry.spoken.iter().any(|spoken| spoken == said),
            "{said}: {:?}",
            geometry.spoken
        );
    }
    // The table's own name, its heads, and two sides of five themes and Safety.
    assert_eq!(
        geometry.spoken[..4],
        ["Medians", "Theme", "everybody, current", "everybody, desired"]
    );
    assert_eq!(geometry.spoken.len(), 4 + 2 * 6);
    assert!(
        geometry.description.contains("From 6 assessments")
            && geometry.description.contains("1 Early stages, 2 Forming")
    );
    assert!(geometry.title.starts_with("Chat counselling, autumn <2026>"));
    let figures: Vec<String> = gap_analysis
        .analysis
        .themes
        .iter()
        .map(|theme| &theme.all)
        .chain([&gap_analysis.analysis.safety.all])
        .flat_map(|reading| {
            Side::BOTH.map(|side| {
                side.of(reading.reading().expect("shown"))
                    .median
                    .expect("a median")
                    .to_string()
            })
        })
        .collect();
    let seen: Vec<String> = geometry
        .words
        .iter()
        .rev()
        .take_while(|words| words.content != "desired")
        .map(|words| words.content.clone())
        .filter(|content| content.parse::<f64>().is_ok())
        .collect();
    assert_eq!(seen.into_iter().rev().collect::<Vec<_>>(), figures);
}

#[test]
fn a_radar_of_few_or_of_many_themes_is_drawn_otherwise() {
    let (mut gap_analysis, definition) = sample::gap_analysis();
    let themes = gap_analysis.analysis.themes.clone();
    let mut draw = |count: usize| {
        gap_analysis.analysis.themes = themes.iter().cycle().take(count).cloned().collect();
        Chart::Radar.draw(
            &gap_analysis,
            Labels::of(&definition, "en"),
            &[Whose::All],
            Theme::Light,
        )
    };
    for few in [0, 1] {
        let geometry = looked_at(&format!("themes-{few}-radar"), &draw(few));
        assert_eq!(
            geometry.words.iter().filter(|words| words.content == "Safety").count(),
            2
        );
    }
    let many = looked_at("themes-12-radar", &draw(12)).seen();
    assert!(many.contains("13 Safety") && many.contains(" 13 "), "{many}");
    looked_at("themes-200-radar", &draw(200));
}
