//! What people see and hear of a chart.

use crate::{
    domain::{
        gap_analysis::{GapAnalysis, analyse, tests},
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

use super::{
    Chart, Labels, Series, Timeline, Value, Whose, draw_timeline,
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

/// Eight perspectives on all 34 elements, of which the last did not see everything.
fn eight() -> (GapAnalysis, Definition) {
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
    let analysis = analyse(&definition, tests::model(), title, voices.collect(), None);
    (GapAnalysis::preview(analysis), definition)
}

/// The same words as long as German and Welsh have them.
fn long_winded(definition: &mut Definition) {
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

fn right_to_left(definition: &mut Definition) {
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
    Level::ALL
        .into_iter()
        .for_each(|level| has(definition.level_label(level)));
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
    // Two sides of five themes and Safety, and the table's own name.
    assert_eq!(geometry.spoken.len(), 2 * 6 + 1);
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
        .flat_map(|reading| Side::BOTH.map(|side| side.of(reading).median.expect("a median").to_string()))
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
                .current
                .median
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
        let sides = Side::BOTH.map(|side| side.of(&element.all).counts.in_order().map(|count| count.to_string()));
        // Nobody rated the environment.
        if element.all.n > 0 {
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

fn series(count: usize, times: usize) -> Vec<Series> {
    let value = |place: usize, time: usize| match (place * 5 + time * 3) % 11 {
        8 if place > 0 => Value::Unrated,
        9 if place > 1 => Value::Withheld,
        rest => Value::Median([1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0][(rest + place) % 7]),
    };
    (0..count)
        .map(|place| Series {
            name: format!("perspective {place}"),
            values: (0..times).map(|time| value(place, time)).collect(),
        })
        .collect()
}

#[test]
fn a_line_chart_has_every_value_a_gap_where_there_is_none_and_a_letter_for_each_line() {
    let (definition, mut long) = (tests::definition(), tests::definition());
    long_winded(&mut long);
    for (count, times, definition) in [
        (1, 1, &definition),
        (2, 4, &definition),
        (3, 6, &long),
        (8, 12, &definition),
        (20, 40, &definition),
        (0, 0, &definition),
    ] {
        let labels = Labels::of(definition, "en");
        let (series, times): (_, Vec<String>) = (
            series(count, times),
            (1..=times).map(|time| format!("{time} March 2026")).collect(),
        );
        for theme in THEMES {
            let timeline = Timeline {
                id: "timeline-1",
                title: "How it went",
                shows: "The current median of feel heard, by perspective.",
                labels: &labels,
                times: &times,
                series: &series,
            };
            let svg = draw_timeline(&timeline, theme);
            let geometry = looked_at(&format!("line-{count}-{}-{theme:?}", times.len()).to_lowercase(), &svg);
            for (series, place) in series.iter().zip(0..) {
                assert!(
                    geometry
                        .seen()
                        .contains(&format!("{} {}", super::figures::letter(place), series.name)),
                    "{}",
                    geometry.seen()
                );
                for value in &series.values {
                    let said = format!("{}: {}", series.name, value.said(&labels));
                    assert!(geometry.spoken.contains(&said), "{said}");
                }
            }
            assert_eq!(
                geometry.patterns.iter().any(|pattern| pattern.contains("hatch")),
                series.iter().any(|series| series.values.contains(&Value::Withheld))
            );
        }
    }
}

#[test]
fn a_line_breaks_where_there_is_no_value() {
    let definition = tests::definition();
    let labels = Labels::of(&definition, "en");
    let times: Vec<String> = ["1", "2", "3", "4", "5"].map(str::to_owned).to_vec();
    let lines = |values: [Value; 5]| {
        let series = [Series {
            name: "team".to_owned(),
            values: values.to_vec(),
        }];
        let timeline = Timeline {
            id: "t",
            title: "T",
            shows: "",
            labels: &labels,
            times: &times,
            series: &series,
        };
        let svg = draw_timeline(&timeline, Theme::Light);
        let colour = crate::http::render::svg::Ink::Series(0).colour(Theme::Light);
        let circles = svg
            .lines()
            .filter(|line| line.starts_with("<circle") && line.contains("r=\"3.5\""))
            .count();
        // Without the key's.
        let lines = svg
            .lines()
            .filter(|line| line.starts_with("<path") && line.contains(&*colour))
            .count()
            - 1;
        (lines, circles)
    };
    let at = Value::Median;
    assert_eq!(lines([at(1.0), at(2.0), at(2.5), at(3.0), at(4.0)]), (1, 5));
    assert_eq!(lines([at(1.0), at(2.0), Value::Unrated, at(3.0), at(4.0)]), (2, 4));
    assert_eq!(
        lines([at(1.0), Value::Withheld, at(2.5), Value::Unrated, at(4.0)]),
        (0, 3)
    );
}
