//! What people see and hear of a chart.

mod line;
mod radar;
mod worlds;

use crate::{
    domain::{
        gap_analysis::{GapAnalysis, tests},
        level::Level,
        model::Definition,
        slug::Slug,
    },
    http::render::{
        sample,
        svg::{Geometry, Theme},
        tests::hostile,
    },
};

use self::worlds::{eight, long_winded, right_to_left};
use super::{
    Chart, Labels, Whose,
    figures::{Figures, Shown, Side},
    whose,
};

const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

/// A picture that holds together. Where `CHART_PICTURES` names a folder, it is kept there to be looked at.
fn looked_at(name: &str, svg: &str) -> Geometry {
    if let Ok(folder) = std::env::var("CHART_PICTURES") {
        std::fs::write(format!("{folder}/{name}.svg"), svg).expect("a folder");
    }
    let geometry = Geometry::of(svg);
    geometry.check();
    geometry
}

fn slug(text: &str) -> Slug {
    text.to_owned().try_into().expect("a slug")
}

fn of(text: &str) -> Whose {
    Whose::Of(slug(text))
}

fn named_ones(chart: Chart, gap_analysis: &GapAnalysis) -> Vec<Whose> {
    whose(chart, &gap_analysis.analysis, None, None).expect("whose")
}

/// Every label and every letter that a chart of elements has to have.
fn has_every_label(geometry: &Geometry, definition: &Definition, of_elements: bool) {
    // Lines of one label are texts of their own, and a word may be broken.
    let seen: String = geometry.seen().split_whitespace().collect();
    let has = |label: &str| {
        let label: String = label.split_whitespace().collect();
        assert!(seen.contains(&label), "{label} is not in {seen}");
    };
    definition.themes.iter().for_each(|theme| has(&theme.label));
    has(&definition.safety.label);
    for level in Level::ALL {
        has(definition.level_label(level));
    }
    if of_elements {
        definition.ratables().for_each(|ratable| has(ratable.label));
    }
}

#[test]
fn every_chart_is_legible_in_both_themes_whatever_the_words() {
    let mut worlds = vec![("plain", "en", sample::gap_analysis()), ("eight", "en", eight())];
    let (gap_analysis, mut definition) = eight();
    long_winded(&mut definition);
    worlds.push(("long", "de", (gap_analysis, definition)));
    let (gap_analysis, mut definition) = eight();
    right_to_left(&mut definition);
    worlds.push(("rtl", "ar", (gap_analysis, definition)));
    for (world, language, (gap_analysis, definition)) in &worlds {
        for chart in Chart::ALL {
            for theme in THEMES {
                let svg = chart.draw(
                    gap_analysis,
                    Labels::of(definition, language),
                    &named_ones(chart, gap_analysis),
                    theme,
                );
                let geometry = looked_at(&format!("{world}-{}-{theme:?}", chart.name()).to_lowercase(), &svg);
                has_every_label(&geometry, definition, chart != Chart::Radar);
                assert!(svg.contains(&format!(" lang=\"{language}\"")));
            }
        }
    }
}

#[test]
fn two_voices_are_laid_over_each_other_and_named() {
    let (gap_analysis, definition) = sample::gap_analysis();
    for chart in Chart::ALL {
        let both = [of("service_user"), of("team")];
        let svg = chart.draw(&gap_analysis, Labels::of(&definition, "en"), &both, Theme::Light);
        let geometry = looked_at(&format!("two-{}", chart.name()), &svg);
        let seen = geometry.seen();
        assert!(seen.contains("service user") && seen.contains("team"), "{seen}");
        assert!(
            geometry.description.contains("service user and team"),
            "{}",
            geometry.description
        );
    }
    let radar = Chart::Radar.draw(
        &gap_analysis,
        Labels::of(&definition, "en"),
        &[of("service_user"), of("team")],
        Theme::Light,
    );
    // One is a circle, the other a diamond; current lines are solid, desired ones dashed.
    assert!(
        radar.contains("<circle") && radar.matches("stroke-dasharray").count() >= 2,
        "{radar}"
    );
}

#[test]
fn a_heat_map_has_the_median_of_every_element_and_perspective() {
    let (gap_analysis, definition) = eight();
    let svg = Chart::HeatMap.draw(
        &gap_analysis,
        Labels::of(&definition, "en"),
        &named_ones(Chart::HeatMap, &gap_analysis),
        Theme::Light,
    );
    let geometry = Geometry::of(&svg);
    let medians = gap_analysis.analysis.elements.iter().flat_map(|element| {
        element.by_perspective.values().map(|reading| {
            reading
                .current_median()
                .map_or_else(|| "–".to_owned(), |median| median.to_string())
        })
    });
    let medians: Vec<String> = medians.collect();
    let is_figure = |content: &String| content == "–" || content.parse::<f64>().is_ok();
    let seen: Vec<String> = geometry
        .words
        .iter()
        .map(|words| words.content.clone())
        .filter(is_figure)
        .collect();
    assert_eq!((seen.len(), &seen), (34 * 8, &medians));
    assert!(medians.contains(&"–".to_owned()) && geometry.spoken.contains(&"no ratings".to_owned()));
    // Twenty perspectives do not fit beside each other: the map goes on below.
    let twenty: Vec<Whose> = named_ones(Chart::HeatMap, &gap_analysis)
        .into_iter()
        .cycle()
        .take(20)
        .collect();
    let svg = Chart::HeatMap.draw(&gap_analysis, Labels::of(&definition, "en"), &twenty, Theme::Light);
    let seen = looked_at("twenty-heat_map", &svg)
        .words
        .iter()
        .filter(|words| is_figure(&words.content))
        .count();
    assert_eq!(seen, 34 * 20);
}

#[test]
fn a_distribution_counts_every_rating_at_each_level() {
    let (gap_analysis, definition) = sample::gap_analysis();
    let svg = Chart::Distribution.draw(
        &gap_analysis,
        Labels::of(&definition, "en"),
        &[Whose::All],
        Theme::Light,
    );
    let geometry = Geometry::of(&svg);
    let counts = gap_analysis.analysis.elements.iter().flat_map(|element| {
        let sides = Side::BOTH.map(|side| {
            side.of(element.all.reading().expect("shown"))
                .counts
                .in_order()
                .map(|count| count.to_string())
        });
        // Nobody rated the environment.
        if element.all.current_median().is_some() {
            sides.concat()
        } else {
            vec!["–".to_owned(); 8]
        }
    });
    let seen = geometry
        .words
        .iter()
        .filter(|words| words.size > 11.0)
        .map(|words| words.content.clone());
    let seen: Vec<String> = seen
        .filter(|content| content == "–" || content.parse::<u32>().is_ok())
        .collect();
    assert_eq!(seen, counts.collect::<Vec<_>>());
    assert!(geometry.spoken.contains(&"feel heard, desired".to_owned()));
    // In grey, the sides are told by their stripes.
    assert!(geometry.patterns.iter().any(|pattern| pattern.contains("stripes")));
}

#[test]
fn a_dumbbell_says_who_sees_what_and_how_far_apart_that_is() {
    let (gap_analysis, definition) = sample::gap_analysis();
    let both = [of("service_user"), of("team")];
    let svg = Chart::Dumbbell.draw(&gap_analysis, Labels::of(&definition, "en"), &both, Theme::Light);
    let geometry = Geometry::of(&svg);
    let said =
        "feel heard: service user Early stages (median 1), team Maturing (median 3): 2 levels apart, a blind spot";
    assert!(
        geometry.spoken.iter().any(|spoken| spoken == said),
        "{:?}",
        geometry.spoken
    );
    assert!(
        geometry.seen().contains("A\u{a0}1, B\u{a0}3: 2 levels apart"),
        "{}",
        geometry.seen()
    );
    let spots = gap_analysis
        .analysis
        .perception_gaps
        .iter()
        .filter(|gap| gap.blind_spot)
        .count();
    assert_eq!(
        geometry
            .words
            .iter()
            .filter(|words| words.content == "blind spot")
            .count(),
        spots
    );
    assert!(spots > 0 && geometry.description.contains(&format!("{spots} of 34 elements")));
    // Nobody rated the environment: no marker, and no distance.
    assert!(
        geometry
            .spoken
            .iter()
            .any(|spoken| spoken == "Environment: service user no ratings, team no ratings")
    );
}

#[test]
fn what_is_withheld_is_hatched_and_said_never_zero_and_never_missing() {
    let (gap_analysis, definition) = sample::gap_analysis();
    for chart in Chart::ALL {
        let mut figures = Figures::of(
            &gap_analysis,
            Labels::of(&definition, "en"),
            &[of("service_user"), of("team")],
        );
        figures.elements[0].readings[0] = Shown::Withheld;
        figures.themes[1].readings[0] = Shown::Withheld;
        // Of the team nothing is shown.
        figures
            .themes
            .iter_mut()
            .for_each(|theme| theme.readings[1] = Shown::Withheld);
        for theme in THEMES {
            let svg = chart.of_figures(&figures, theme);
            let geometry = looked_at(&format!("withheld-{}-{theme:?}", chart.name()).to_lowercase(), &svg);
            assert!(
                geometry.spoken.iter().any(|spoken| spoken.contains("withheld")),
                "{chart:?}"
            );
            let hatched = geometry.patterns.iter().any(|pattern| pattern.contains("hatch"));
            assert!(
                hatched || chart == Chart::Dumbbell && geometry.seen().contains("A\u{a0}withheld"),
                "{chart:?}"
            );
        }
    }
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let (gap_analysis, definition) = hostile();
    for chart in Chart::ALL {
        let svg = chart.draw(
            &gap_analysis,
            Labels::of(&definition, "en"),
            &named_ones(chart, &gap_analysis),
            Theme::Dark,
        );
        let geometry = looked_at(&format!("hostile-{}", chart.name()), &svg);
        assert!(svg.contains("&lt;script&gt;") && !svg.contains('\u{1}'));
        // Nothing but what it draws with.
        let drawn = [
            "circle", "defs", "desc", "g", "path", "pattern", "rect", "style", "svg", "text", "title",
        ];
        assert!(
            geometry.elements.iter().all(|name| drawn.contains(&name.as_str())),
            "{:?}",
            geometry.elements
        );
    }
}

#[test]
fn an_analysis_of_nothing_is_drawn_too() {
    let definition = tests::definition();
    let empty = GapAnalysis::preview(tests::analysis(&[]));
    for chart in Chart::ALL {
        let svg = chart.draw(
            &empty,
            Labels::of(&definition, "en"),
            &named_ones(chart, &empty),
            Theme::Light,
        );
        let geometry = looked_at(&format!("empty-{}", chart.name()), &svg);
        assert!(
            geometry.description.contains("From 0 assessments") && !svg.contains("NaN"),
            "{svg}"
        );
        assert!(geometry.spoken.iter().any(|spoken| spoken.contains("no ratings")));
    }
}

#[test]
fn a_query_names_whose_readings_a_chart_shows() {
    let (gap_analysis, _) = sample::gap_analysis();
    let (user, team, all) = (slug("service_user"), slug("team"), slug("all"));
    let shown = |chart, perspective: Option<&Slug>, compare: Option<&Slug>| {
        whose(chart, &gap_analysis.analysis, perspective, compare).ok()
    };
    assert_eq!(shown(Chart::Radar, None, None), Some(vec![Whose::All]));
    assert_eq!(
        shown(Chart::Radar, Some(&all), Some(&team)),
        Some(vec![Whose::All, of("team")])
    );
    assert_eq!(
        shown(Chart::HeatMap, None, None),
        Some(vec![of("service_user"), of("team")])
    );
    assert_eq!(shown(Chart::HeatMap, Some(&team), None), Some(vec![of("team")]));
    assert_eq!(
        shown(Chart::Dumbbell, Some(&user), None),
        Some(vec![of("service_user"), Whose::All])
    );
    let faults = whose(
        Chart::Radar,
        &gap_analysis.analysis,
        Some(&slug("nobody")),
        Some(&slug("nobody")),
    )
    .expect_err("faults");
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect();
    assert_eq!(
        faults,
        [
            "/perspective unknown_reference",
            "/compare unknown_reference",
            "/compare duplicate"
        ]
    );
}
