//! What holds for every picture.

use super::{
    Anchor, Area, Canvas, Cell, Fill, Font, Geometry, Ink, MARGIN, Pattern, Point, Role, Seen, Shape, Stroke, Table,
    Theme, WIDTH,
    shapes::{LETTER, LETTER_FOOT, LETTERED},
};

fn figure(seen: &str, said: &str) -> Cell {
    Cell {
        seen: Seen::Figure(seen.to_owned()),
        said: said.to_owned(),
    }
}

fn table() -> Table {
    let withheld = Cell {
        seen: Seen::Withheld,
        said: "withheld".to_owned(),
    };
    Table {
        name: "Medians & more".to_owned(),
        columns: ["Theme", "now", "wanted"]
            .map(|head| (head.to_owned(), format!("{head} said")))
            .to_vec(),
        rows: vec![
            (
                "Feelings <of all kinds> that people may have about a service".to_owned(),
                vec![figure("1", "Early stages"), figure("2.5", "between")],
            ),
            ("Space".to_owned(), vec![withheld, figure("–", "no ratings")]),
        ],
    }
}

fn picture(theme: Theme, language: &str) -> String {
    let mut canvas = Canvas::new("test-1", language, theme, WIDTH);
    canvas.group(Role::Hidden, |canvas| {
        canvas.lettered(0, (40.0, 60.0), "A");
        canvas.marker(
            Shape::Triangle,
            (80.0, 60.0),
            5.0,
            Fill::None,
            Some(Stroke::of_series(1)),
        );
        canvas.rect(
            Area {
                x: 100.0,
                y: 50.0,
                width: 20.0,
                height: 20.0,
            },
            Fill::Pattern(Pattern::Stripes, Ink::Series(1)),
            Some(Stroke::RULE),
        );
        canvas.ring(
            &[Some((10.0, 90.0)), None, Some((30.0, 110.0)), Some((20.0, 120.0))],
            Stroke::of_series(2),
        );
    });
    canvas.text((WIDTH - MARGIN, 20.0), Anchor::End, Font::BODY, "\u{1}end");
    let bottom = canvas.table(&table(), (MARGIN, 130.0), WIDTH - MARGIN);
    canvas.finish("A <title>", "What is \"seen\"", bottom + MARGIN)
}

#[test]
fn a_picture_is_well_formed_and_says_what_it_shows() {
    for theme in [Theme::Light, Theme::Dark] {
        let geometry = Geometry::of(&picture(theme, "en"));
        geometry.check();
        assert_eq!(
            (geometry.title.as_str(), geometry.description.as_str()),
            ("A <title>", "What is \"seen\"")
        );
        assert_eq!(
            geometry.spoken,
            [
                "Medians & more",
                "Theme said",
                "now said",
                "wanted said",
                "Early stages",
                "between",
                "withheld",
                "no ratings"
            ]
        );
        assert!(geometry.seen().contains("Feelings <of all") && geometry.seen().contains(" end "));
        assert_eq!(
            geometry.patterns.into_iter().collect::<Vec<_>>(),
            ["test-1-hatch-rule", "test-1-stripes-series-1"]
        );
        for forbidden in ["script", "foreignObject", "image", "a", "use", "iframe"] {
            assert!(!geometry.elements.contains(forbidden));
        }
    }
}

#[test]
fn a_dark_picture_is_printed_with_the_ink_of_the_light_one() {
    let (light, dark) = (picture(Theme::Light, "en"), picture(Theme::Dark, "en"));
    assert!(!light.contains("<style") && !light.contains("#14181d"));
    let (_, style) = dark.split_once("@media print{").expect("a style");
    let (style, _) = style.split_once("</style>").expect("its end");
    // Every class that something is painted with has its rule, and a line has one class attribute at most.
    for line in dark
        .lines()
        .filter(|line| line.contains("fill=\"#") || line.contains("stroke=\"#"))
    {
        let (_, classes) = line.split_once(" class=\"").expect("a class");
        let classes = classes.split('"').next().expect("classes");
        for class in classes.split(' ') {
            assert!(style.contains(&format!(".mc-dark .{class}{{")), "{class}");
        }
    }
    let ground = format!(".fill-ground{{fill:{}}}", Ink::Ground.colour(Theme::Light));
    assert!(style.contains(&ground), "{style}");
}

#[test]
fn from_right_to_left_a_picture_is_the_same_in_a_mirror() {
    let (plain, mirrored) = (
        Geometry::of(&picture(Theme::Light, "en")),
        Geometry::of(&picture(Theme::Light, "he")),
    );
    mirrored.check();
    for (one, other) in plain.words.iter().zip(&mirrored.words) {
        let reflected = WIDTH - other.area.x - other.area.width;
        assert!((one.area.x - reflected).abs() < 0.11, "{one:?} {other:?}");
    }
    assert!(
        picture(Theme::Light, "he").contains(" direction=\"rtl\"")
            && !picture(Theme::Light, "en").contains("direction")
    );
}

/// Whether a place lies within these corners, which go round once.
fn is_within(corners: &[Point], (x, y): Point) -> bool {
    let ends = corners.iter().cycle().skip(1);
    let sides = corners.iter().zip(ends).map(|((ax, ay), (bx, by))| {
        // On which side of the edge it lies.
        (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    });
    sides.into_iter().all(|side| side >= 0.0)
}

#[test]
fn the_letter_of_a_series_stands_within_its_marker() {
    // As many perspectives as a round can have; a figure after the alphabet is no wider.
    for (place, letter) in ('A'..='T').enumerate() {
        let wide = LETTER.width(&letter.to_string()) / 2.0;
        // Capitals of the widest font are 0.73 of its size high.
        let (top, foot) = (LETTER_FOOT - LETTER.size * 0.73, LETTER_FOOT);
        let shape = Shape::of_series(place);
        for at in [(-wide, top), (wide, top), (wide, foot), (-wide, foot)] {
            let is_held = match shape.corners((0.0, 0.0), LETTERED).as_slice() {
                [] => at.0.hypot(at.1) <= LETTERED,
                corners => is_within(corners, at),
            };
            assert!(is_held, "{letter} sticks out of {shape:?} at {at:?}");
        }
    }
}
