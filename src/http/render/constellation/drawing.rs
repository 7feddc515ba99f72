//! A constellation as a picture (SVG): parties as boxes, relationships as numbered lines, and a list of them in words.
//!
//! How a line is dashed says the setting, words at its ends say how many there are, and the weakest relationships are marked
//! by ties across their lines and in words: colour only repeats it.

use super::{
    described, label_of, of_today,
    plan::{INSET, LABEL, NUMBER, PlacedLine, PlacedParty, Plan, WORDS},
};
use crate::{
    domain::{
        constellation::{Constellation, Content, Relationship, Setting},
        gap_analysis::{RelationshipReading, wording::Wording},
    },
    http::render::svg::{Anchor, Area, Canvas, Fill, Font, Ink, MARGIN, Point, Role, Stroke, Theme, WIDTH},
    service::constellations::Weighed,
};

/// With more relationships than this, what they are called is said in the list alone.
const MOST_LABELS: usize = 20;
/// The widest a text runs.
const MEASURE: f64 = 560.0;
const SETTINGS: [Option<Setting>; 5] = [
    Some(Setting::InPerson),
    Some(Setting::Digital),
    Some(Setting::Hybrid),
    Some(Setting::Phone),
    None,
];

/// The picture; with how its relationships stand, where that is known.
pub fn svg(constellation: &Constellation, theme: Theme, weighed: Option<&Weighed>) -> String {
    let content = &constellation.content;
    let (parties, relationships) = of_today(content);
    let is_labelled = relationships.len() <= MOST_LABELS;
    let marked: Vec<(&Relationship, Vec<String>)> = relationships
        .iter()
        .map(|one| (*one, words_under(one, is_labelled, weighed)))
        .collect();
    let plan = Plan::of(&parties, &marked);
    let width = f64::max(WIDTH, plan.size.0 + 2.0 * MARGIN);
    let mut canvas = Canvas::new(format!("constellation-{}", constellation.id), "en", theme, width);
    let measure = f64::min(width - 2.0 * MARGIN, MEASURE);
    let mut y = canvas.paragraph((MARGIN, 8.0), measure, Font::TITLE, &content.title) + 4.0;
    if let Some(weighed) = weighed {
        y = canvas.paragraph((MARGIN, y), measure, Font::BODY, &subject(weighed)) + 4.0;
    }
    y = legend(&mut canvas, &relationships, weighed, y, width);
    canvas.group(Role::Hidden, |canvas| {
        draw(canvas, &plan, &marked, weighed, (MARGIN, y));
    });
    y += plan.size.1 + 20.0;
    y = list(&mut canvas, content, weighed, (MARGIN, y), measure);
    let described = description(content, weighed);
    canvas.finish(&format!("{}: constellation", content.title), &described, y + MARGIN)
}

/// What the picture shows of a gap analysis.
fn subject(weighed: &Weighed) -> String {
    let title = weighed.title.as_deref().unwrap_or("a gap analysis");
    format!(
        "How the relationships stand in {title}: medians of the current levels, 1 to 4, from at least three assessments each."
    )
}

/// The words under a relationship's number: what it is called, and how it stands.
fn words_under(one: &Relationship, is_labelled: bool, weighed: Option<&Weighed>) -> Vec<String> {
    let label = one.label.as_deref().filter(|_| is_labelled);
    let mut words = label.map_or_else(Vec::new, |label| shortened(Font::SMALL.bold().lines(label, WORDS)));
    if let Some(weighed) = weighed {
        if weighed.weakest.contains(&one.id) {
            words.push("weakest".to_owned());
        }
        words.extend(match weighed.readings.get(&one.id) {
            Some(RelationshipReading::Stands { current, .. }) => Some(format!("median {current}")),
            Some(RelationshipReading::Withheld) => Some("withheld".to_owned()),
            Some(RelationshipReading::Unrated) | None => None,
        });
    }
    words
}

/// At most two lines.
fn shortened(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > 2 {
        lines.truncate(2);
        if let Some(last) = lines.last_mut() {
            // Room for the dots: the list has the whole.
            while Font::SMALL.bold().width(&format!("{last}…")) > WORDS {
                last.pop();
            }
            last.push('…');
        }
    }
    lines
}

/// How a line is dashed, by the setting; a thin one where nobody says.
fn stroke(setting: Option<Setting>) -> Stroke {
    let (width, dashes): (f64, &'static [f64]) = match setting {
        Some(Setting::InPerson) => (2.25, &[]),
        Some(Setting::Digital) => (2.25, &[8.0, 5.0]),
        Some(Setting::Hybrid) => (2.25, &[11.0, 4.0, 2.5, 4.0]),
        Some(Setting::Phone) => (2.25, &[2.5, 4.0]),
        None => (1.0, &[]),
    };
    Stroke {
        ink: Ink::Text,
        width,
        dashes,
    }
}

/// Ties across a line, on both sides of it.
const TIES: Stroke = Stroke {
    ink: Ink::Alarm,
    width: 11.0,
    dashes: &[2.0, 4.0],
};

/// A sample of every line that there is; and where it ends.
fn legend(
    canvas: &mut Canvas,
    relationships: &[&Relationship],
    weighed: Option<&Weighed>,
    top: f64,
    width: f64,
) -> f64 {
    let mut samples: Vec<(&str, Stroke, bool)> = SETTINGS
        .into_iter()
        .filter(|setting| relationships.iter().any(|one| one.setting == *setting))
        .map(|setting| {
            (
                setting.map_or("setting not said", Setting::label),
                stroke(setting),
                false,
            )
        })
        .collect();
    if weighed.is_some_and(|weighed| relationships.iter().any(|one| weighed.weakest.contains(&one.id))) {
        samples.push(("weakest", stroke(None), true));
    }
    let (mut x, mut y) = (MARGIN, top + 10.0);
    canvas.group(Role::Hidden, |canvas| {
        for (words, stroke, is_weak) in &samples {
            let wide = 44.0 + Font::SMALL.width(words);
            if x + wide > width - MARGIN && x > MARGIN {
                (x, y) = (MARGIN, y + 18.0);
            }
            let sample = [(x, y), (x + 38.0, y)];
            if *is_weak {
                draw_ties(canvas, &sample);
            }
            canvas.line(&sample, *stroke);
            canvas.text((x + 44.0, y + 4.0), Anchor::Start, Font::SMALL, words);
            x += wide + 16.0;
        }
    });
    if samples.is_empty() { top + 8.0 } else { y + 22.0 }
}

fn draw_ties(canvas: &mut Canvas, points: &[Point]) {
    canvas.line(points, TIES);
    canvas.line(points, Stroke::solid(Ink::Ground, 4.5));
}

fn draw(
    canvas: &mut Canvas,
    plan: &Plan,
    marked: &[(&Relationship, Vec<String>)],
    weighed: Option<&Weighed>,
    origin: Point,
) {
    let one = |line: &PlacedLine| marked.get(line.place).map(|(one, _)| *one);
    let is_weak = |one: &Relationship| weighed.is_some_and(|weighed| weighed.weakest.contains(&one.id));
    for line in &plan.lines {
        let Some(one) = one(line) else { continue };
        let points: Vec<Point> = line.points.iter().map(|point| moved(*point, origin)).collect();
        if is_weak(one) {
            // The ends are left to their words.
            draw_ties(
                canvas,
                points.get(1..points.len().saturating_sub(1)).unwrap_or_default(),
            );
        }
        canvas.line(&points, stroke(one.setting));
    }
    for line in &plan.lines {
        for (at, anchor, cardinality) in line.ends {
            canvas.text(
                moved(at, origin),
                anchor,
                Font::SMALL.in_ink(Ink::Text),
                cardinality.key(),
            );
        }
        draw_mark(canvas, line, one(line).is_some_and(is_weak), origin);
    }
    for party in &plan.parties {
        draw_party(canvas, party, origin);
    }
}

fn moved((x, y): Point, (left, top): Point) -> Point {
    (x + left, y + top)
}

/// A relationship's number, and the words under it.
fn draw_mark(canvas: &mut Canvas, line: &PlacedLine, is_weak: bool, (left, top): Point) {
    let area = Area {
        x: line.mark.x + left,
        y: line.mark.y + top,
        ..line.mark
    };
    let font = Font::SMALL.bold().in_ink(if is_weak { Ink::Alarm } else { Ink::Text });
    let (middle, number) = (area.x + area.width / 2.0, format!("{}", line.place + 1));
    let wide = font.width(&number) + 8.0;
    let frame = Area {
        x: middle - wide / 2.0,
        y: area.y,
        width: wide,
        height: NUMBER - 1.0,
    };
    let thick = if is_weak { 2.0 } else { 1.0 };
    canvas.rect(frame, Fill::Solid(Ink::Ground), Some(Stroke::solid(font.ink, thick)));
    canvas.text((middle, area.y + NUMBER - 5.0), Anchor::Middle, font, &number);
    let mut y = area.y + NUMBER;
    for words in &line.words {
        let says_weak = is_weak && words == "weakest";
        let font = if says_weak { font } else { Font::SMALL.in_ink(Ink::Text) };
        canvas.text((middle, y + font.size), Anchor::Middle, font, words);
        y += Font::SMALL.line_height();
    }
}

fn draw_party(canvas: &mut Canvas, party: &PlacedParty, (left, top): Point) {
    let area = Area {
        x: party.area.x + left,
        y: party.area.y + top,
        ..party.area
    };
    canvas.rect(area, Fill::Solid(Ink::Band), Some(Stroke::solid(Ink::Text, 1.25)));
    let lines = party.lines.iter().map(|line| (LABEL, line));
    let lines: Vec<(Font, &String)> = lines.chain(party.kind.iter().map(|line| (Font::SMALL, line))).collect();
    let height: f64 = lines.iter().map(|(font, _)| font.line_height()).sum();
    let mut y = area.y + (area.height - height) / 2.0;
    for (font, line) in lines {
        canvas.text((area.x + INSET, y + font.size), Anchor::Start, font, line);
        y += font.line_height();
    }
}

/// Every relationship in words, by its number, then the parties; and where it ends.
fn list(canvas: &mut Canvas, content: &Content, weighed: Option<&Weighed>, (left, top): Point, width: f64) -> f64 {
    let (parties, relationships) = of_today(content);
    let mut y = canvas.paragraph((left, top), width, Font::HEADING, "Relationships") + 2.0;
    canvas.group(Role::List("Relationships"), |canvas| {
        for (number, one) in (1..).zip(&relationships) {
            let words = in_words(content, one, weighed);
            canvas.group(Role::Item, |canvas| {
                canvas.text(
                    (left + 30.0, y + Font::BODY.size),
                    Anchor::End,
                    Font::BODY.bold(),
                    &format!("{number}"),
                );
                y = canvas.paragraph((left + 36.0, y), width - 36.0, Font::BODY, &words) + 3.0;
            });
        }
    });
    if relationships.is_empty() {
        y = canvas.paragraph((left, y), width, Font::BODY, "None.");
    }
    y = canvas.paragraph((left, y + 10.0), width, Font::HEADING, "Parties") + 2.0;
    canvas.group(Role::List("Parties"), |canvas| {
        for party in &parties {
            let words = format!("{} ({})", party.label, party.kind.label().to_lowercase());
            canvas.group(Role::Item, |canvas| {
                y = canvas.paragraph((left, y), width, Font::BODY, &words) + 3.0;
            });
        }
    });
    if parties.is_empty() {
        y = canvas.paragraph((left, y), width, Font::BODY, "None.");
    }
    y
}

/// A relationship in a sentence: "Key worker and Residents: Weekly visits; one to some; in person."
fn in_words(content: &Content, one: &Relationship, weighed: Option<&Weighed>) -> String {
    let whom = if one.from == one.to {
        format!("{} among themselves", label_of(content, &one.from))
    } else {
        format!("{} and {}", label_of(content, &one.from), label_of(content, &one.to))
    };
    let stands = weighed.map(|weighed| {
        let weakest = if weighed.weakest.contains(&one.id) {
            " Among the weakest."
        } else {
            ""
        };
        match weighed.readings.get(&one.id) {
            Some(RelationshipReading::Stands { current, inputs }) => {
                let wording = Wording::of(&weighed.model.content);
                format!(
                    " {}, from {inputs} assessments.{weakest}",
                    capitalised(&wording.median(*current))
                )
            }
            Some(RelationshipReading::Withheld) => " Withheld: fewer than three assessments are about it.".to_owned(),
            Some(RelationshipReading::Unrated) => " Nobody has rated anything of it.".to_owned(),
            None => " No assessment is known to be about it.".to_owned(),
        }
    });
    format!("{whom}: {}.{}", described(one), stands.unwrap_or_default())
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What there is to see, as one who describes it would say.
fn description(content: &Content, weighed: Option<&Weighed>) -> String {
    let (parties, relationships) = of_today(content);
    let retired = content.relationships.len() - relationships.len();
    let counted = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let mut sentences = vec![format!(
        "A map of {} and {}, all of which are listed under it.",
        counted(parties.len(), "party", "parties"),
        counted(relationships.len(), "relationship", "relationships")
    )];
    if retired > 0 {
        sentences.push(format!("{retired} more, retired, not drawn."));
    }
    if let Some(weighed) = weighed {
        sentences.push(subject(weighed));
        let weakest: Vec<String> = relationships
            .iter()
            .filter(|one| weighed.weakest.contains(&one.id))
            .map(|one| in_words(content, one, Some(weighed)))
            .collect();
        sentences.push(if weakest.is_empty() {
            "None stands lower than the others.".to_owned()
        } else {
            format!("The weakest: {}", weakest.join(" "))
        });
    }
    sentences.join(" ")
}
