use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use roxmltree::Document;
use uuid::Uuid;

use super::{
    graphml, mermaid, of_today,
    plan::{INSET, LABEL, Plan},
    svg,
};
use crate::{
    domain::{
        constellation::{Cardinality, Constellation, Content, Ends, Party, PartyKind, Relationship, Setting},
        digest::Digest,
        gap_analysis::{RelationshipReading, tests::definition},
        id::{ClientId, ConstellationId, RelationshipId},
        life_cycle::{Seal, Sealed},
        moment::Moment,
        slug::Slug,
    },
    http::render::svg::{Area, Font, Geometry, Theme},
    service::constellations::Weighed,
};

/// What tries to break out of whatever it is written into.
const HOSTILE: &str =
    "\"]; click p1 \"javascript:alert(1)\" %%{init: {}}%% <script>alert('x')</script> ]]> &amp; `*x*` #35;";

fn id(number: usize) -> RelationshipId {
    RelationshipId::from_uuid(Uuid::from_u128(u128::try_from(number).expect("small")))
}

fn party(number: usize, label: &str) -> Party {
    Party {
        key: format!("p{number}").parse().expect("a slug"),
        kind: PartyKind::Stakeholder,
        label: label.to_owned(),
        external_ids: Vec::new(),
        retired: false,
    }
}

fn relationship(number: usize, from: usize, to: usize) -> Relationship {
    let settings = [Setting::InPerson, Setting::Digital, Setting::Hybrid, Setting::Phone];
    Relationship {
        id: id(number),
        from: format!("p{from}").parse().expect("a slug"),
        to: format!("p{to}").parse().expect("a slug"),
        cardinality: Ends {
            from: Cardinality::Some,
            to: Cardinality::Many,
        },
        setting: settings.get(number % 5).copied(),
        circumstances: None,
        label: number
            .is_multiple_of(2)
            .then(|| "Weekly visits and calls in between, as agreed".to_owned()),
        retired: false,
    }
}

fn constellation(content: Content) -> Constellation {
    let seal = Seal {
        digest: Digest::kept("sha256:00".to_owned()),
        sealed_at: Moment::from_micros(0).expect("a moment"),
        sealed_by: ClientId::NIL,
    };
    Constellation::of_sealed(
        ConstellationId::NIL,
        Sealed {
            version: 1,
            content,
            seal,
        },
    )
}

/// Parties with labels of all lengths, related so.
fn related(parties: usize, ends: &[(usize, usize)]) -> Content {
    let labels = [
        "Team",
        "Key worker",
        "Community mental health nurses of the neighbourhood and their deputies",
        "Wohnungslosenhilfekoordinierungsstelle",
    ];
    Content {
        title: "A service".to_owned(),
        description: None,
        external_ids: Vec::new(),
        parties: (0..parties)
            .map(|number| party(number, labels[number % labels.len()]))
            .collect(),
        relationships: ends
            .iter()
            .enumerate()
            .map(|(number, (from, to))| relationship(number, from % parties, to % parties))
            .collect(),
    }
}

fn planned(content: &Content) -> Plan {
    let (parties, relationships) = of_today(content);
    let words = |one: &Relationship| match one.label {
        Some(_) => vec!["Weekly visits".to_owned(), "weakest".to_owned()],
        None => Vec::new(),
    };
    let marked: Vec<_> = relationships.into_iter().map(|one| (one, words(one))).collect();
    Plan::of(&parties, &marked)
}

fn meet(a: Area, b: Area) -> bool {
    let overlap = |a: f64, length: f64, b: f64, other: f64| f64::min(a + length, b + other) - f64::max(a, b) > 0.1;
    overlap(a.x, a.width, b.x, b.width) && overlap(a.y, a.height, b.y, b.height)
}

/// Whether a line between these points goes through the inside of an area.
fn crosses(points: &[(f64, f64)], area: Area) -> bool {
    let within = |(x, y): (f64, f64)| {
        x > area.x + 0.5 && x < area.x + area.width - 0.5 && y > area.y + 0.5 && y < area.y + area.height - 0.5
    };
    points.windows(2).any(|pair| {
        let [(x, y), (to_x, to_y)] = [pair[0], pair[1]];
        (0..=20).any(|step| {
            let share = f64::from(step) / 20.0;
            within((x + (to_x - x) * share, y + (to_y - y) * share))
        })
    })
}

fn check(content: &Content) {
    let plan = planned(content);
    let (width, height) = plan.size;
    assert_eq!(plan.parties.len(), content.parties.len());
    assert_eq!(plan.lines.len(), content.relationships.len());
    for (place, party) in plan.parties.iter().enumerate() {
        let area = party.area;
        assert!(
            area.x >= -0.1
                && area.y >= -0.1
                && area.x + area.width <= width + 0.1
                && area.y + area.height <= height + 0.1
        );
        for other in &plan.parties[place + 1..] {
            assert!(!meet(area, other.area), "{area:?} meets {:?}", other.area);
        }
        let fits = |font: Font, lines: &[String]| lines.iter().all(|line| font.width(line) <= area.width - 2.0 * INSET);
        assert!(
            fits(LABEL, &party.lines) && fits(Font::SMALL, &party.kind),
            "{:?}",
            party.lines
        );
        let high = |font: Font, lines: &[String]| lines.iter().map(|_| font.line_height()).sum::<f64>();
        assert!(high(LABEL, &party.lines) + high(Font::SMALL, &party.kind) <= area.height);
        assert!(
            plan.lines.iter().all(|line| !meet(line.mark, area)),
            "a mark on {area:?}"
        );
        assert!(
            plan.lines.iter().all(|line| !crosses(&line.points, area)),
            "a line through {area:?}"
        );
    }
    check_lines(content, &plan);
}

fn check_lines(content: &Content, plan: &Plan) {
    for (place, line) in plan.lines.iter().enumerate() {
        assert!(line.mark.x >= -0.1 && line.mark.y >= -0.1, "{:?}", line.mark);
        // What hangs under a party stands on its own line.
        let mut others = plan.lines.iter().filter(|other| other.place != line.place);
        assert!(
            others.all(|other| !crosses(&other.points, line.mark)),
            "a line through {:?}",
            line.mark
        );
        for other in &plan.lines[place + 1..] {
            assert!(!meet(line.mark, other.mark), "{:?} meets {:?}", line.mark, other.mark);
        }
        // Its ends are on its parties.
        let one = &content.relationships[line.place];
        for (end, at) in [line.points.first(), line.points.last()]
            .into_iter()
            .flatten()
            .zip([0, 1])
        {
            let touches = |key: &Slug| {
                let place = content.parties.iter().position(|party| party.key == *key);
                let area = plan.parties[place.expect("a party")].area;
                let (x, y) = *end;
                x >= area.x - 0.1
                    && x <= area.x + area.width + 0.1
                    && y >= area.y - 0.1
                    && y <= area.y + area.height + 0.1
            };
            assert!(touches(&one.from) || touches(&one.to), "{at} of {}", line.place);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_is_drawn_upon_another_and_every_label_fits(
        parties in 1_usize..=50,
        ends in prop::collection::vec((0_usize..50, 0_usize..50), 0..40),
    ) {
        check(&related(parties, &ends));
    }

    #[test]
    fn a_hub_has_room_for_all_its_lines(parties in 2_usize..=50, hub in 0_usize..3, turned in any::<bool>()) {
        let ends: Vec<(usize, usize)> = (0..parties).map(|other| if turned { (other, hub) } else { (hub, other) }).collect();
        let content = related(parties, &ends);
        check(&content);
        let plan = planned(&content);
        let mut ends: Vec<(i64, i64)> = plan.lines.iter().flat_map(|line| line.ends).map(|((x, y), _, _)| {
            #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "coordinates of a picture")]
            (x as i64, y as i64)
        }).collect();
        ends.sort_unstable();
        prop_assert!(ends.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[1].1 - pair[0].1 >= 12), "{ends:?}");
    }
}

#[test]
fn fifty_parties_and_two_hundred_relationships_keep_apart() {
    let ends: Vec<(usize, usize)> = (0..200).map(|number| (number * 7 % 50, number * 13 % 49)).collect();
    check(&related(50, &ends));
    check(&related(1, &[(0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]));
}

fn weighed() -> Weighed {
    let stands = |current| RelationshipReading::Stands { current, inputs: 4 };
    let content = definition();
    Weighed {
        title: Some(HOSTILE.to_owned()),
        version: 1,
        model: std::sync::Arc::new(Sealed {
            version: 1,
            content,
            seal: Seal {
                digest: Digest::kept("sha256:00".to_owned()),
                sealed_at: Moment::from_micros(0).expect("a moment"),
                sealed_by: ClientId::NIL,
            },
        }),
        readings: BTreeMap::from([
            (id(0), stands(1.5)),
            (id(1), stands(3.0)),
            (id(2), RelationshipReading::Withheld),
        ]),
        weakest: BTreeSet::from([id(0)]),
    }
}

/// Four parties; one of them, and one relationship, is retired.
fn small() -> Content {
    let mut content = related(4, &[(0, 1), (1, 2), (2, 2), (3, 0)]);
    content.parties[3].retired = true;
    content.parties[3].label = "Long gone".to_owned();
    content.relationships[3].retired = true;
    content
}

#[test]
fn a_picture_says_in_words_what_it_shows() {
    for theme in [Theme::Light, Theme::Dark] {
        let picture = Geometry::of(&svg(&constellation(small()), theme, Some(&weighed())));
        assert!(picture.title.contains("A service"));
        assert!(
            picture.description.contains("3 parties and 3 relationships"),
            "{}",
            picture.description
        );
        assert!(
            picture.description.contains("The weakest: Team and Key worker"),
            "{}",
            picture.description
        );
        let seen = picture.seen();
        for words in [
            "some",
            "many",
            "weakest",
            "median 1.5",
            "median 3",
            "withheld",
            "in person",
            "digital",
            "hybrid",
        ] {
            assert!(seen.contains(words), "{words}: {seen}");
        }
        let list = "Withheld: fewer than three assessments are about it.";
        assert!(seen.replace('\n', " ").contains(list), "{seen}");
        assert!(!seen.contains("Long gone"), "{seen}");
        assert!(picture.spoken.contains(&"Relationships".to_owned()));
        let (width, height) = picture.size;
        for words in &picture.words {
            let Area {
                x,
                y,
                width: wide,
                height: high,
            } = words.area;
            assert!(
                x >= 0.0 && y >= 0.0 && x + wide <= width + 0.1 && y + high <= height + 0.1,
                "{words:?}"
            );
        }
    }
    let nothing = related(1, &[]);
    let empty = Content {
        parties: Vec::new(),
        ..nothing
    };
    assert!(
        Geometry::of(&svg(&constellation(empty), Theme::Light, None))
            .seen()
            .contains("None.")
    );
}

#[test]
fn what_people_wrote_stays_text_in_every_form() {
    let mut content = related(2, &[(0, 1), (1, 1)]);
    HOSTILE.clone_into(&mut content.title);
    for party in &mut content.parties {
        HOSTILE.clone_into(&mut party.label);
    }
    for one in &mut content.relationships {
        one.label = Some(HOSTILE.to_owned());
        one.circumstances = Some(HOSTILE.to_owned());
    }
    let hostile = constellation(content);
    let picture = svg(&hostile, Theme::Dark, Some(&weighed()));
    let elements = Geometry::of(&picture).elements;
    assert!(
        elements
            .iter()
            .all(|name| !["script", "a", "foreignObject"].contains(&name.as_str())),
        "{elements:?}"
    );
    let xml = graphml(&hostile);
    let graph = Document::parse(&xml).expect("well-formed");
    let said = |name: &str| {
        graph
            .descendants()
            .filter(|node| node.attribute("key") == Some(name))
            .filter_map(|node| node.text())
            .collect::<Vec<_>>()
    };
    assert_eq!(said("label"), [HOSTILE; 2]);
    assert_eq!(said("circumstances"), [HOSTILE; 2]);
    let chart = mermaid(&hostile);
    let lines: Vec<&str> = chart.lines().collect();
    assert_eq!(lines.len(), 2 + 2 + 2, "{chart}");
    for line in &lines[2..] {
        assert_eq!(line.matches('"').count(), 2, "{line}");
        assert!(
            !line.contains("script>") && !line.contains('`') && !line.contains('%'),
            "{line}"
        );
    }
    assert!(!lines[1].contains(['%', '{', '"', '#', ';']), "{}", lines[1]);
}

#[test]
fn graphml_has_what_is_retired_and_mermaid_has_not() {
    let shown = constellation(small());
    let xml = graphml(&shown);
    let graph = Document::parse(&xml).expect("well-formed");
    let count = |name: &str| {
        graph
            .descendants()
            .filter(|node| node.tag_name().name() == name)
            .count()
    };
    assert_eq!((count("node"), count("edge")), (4, 4));
    assert_eq!(xml.matches("<data key=\"retired\">true</data>").count(), 2);
    let expected = "flowchart LR\n    accTitle: A service\n    p1[\"Team<br>Stakeholder\"]\n    p2[\"Key worker<br>Stakeholder\"]\n";
    let chart = mermaid(&shown);
    assert!(chart.starts_with(expected), "{chart}");
    assert!(
        chart.contains("    p2 -.-|\"some to many#59; digital\"| p3\n"),
        "{chart}"
    );
    assert!(!chart.contains("Long gone"), "{chart}");
}
