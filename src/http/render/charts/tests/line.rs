//! What people see and hear of a line chart.

use super::{looked_at, worlds::long_winded};
use crate::{
    domain::gap_analysis::tests,
    http::render::{
        charts::{
            Labels, Value,
            figures::letter,
            line::{Series, Timeline, draw as draw_timeline},
        },
        svg::{Ink, Theme},
    },
};

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
        for theme in [Theme::Light, Theme::Dark] {
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
                    geometry.seen().contains(&format!("{} {}", letter(place), series.name)),
                    "{}",
                    geometry.seen()
                );
            }
            // A plot has four lines at most, and a table with what each says at each time.
            let spoken = series.chunks(4).flat_map(|plot| {
                let heads = ["Medians", "Time"].map(str::to_owned).into_iter();
                let heads = heads.chain(plot.iter().map(|series| series.name.clone()));
                let cells = (0..times.len()).flat_map(|time| plot.iter().map(move |series| series.values[time]));
                let cells = cells.map(|value| value.said(&labels));
                heads.chain(cells).collect::<Vec<_>>()
            });
            assert_eq!(geometry.spoken, spoken.collect::<Vec<_>>());
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
        let colour = Ink::Series(0).colour(Theme::Light);
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
