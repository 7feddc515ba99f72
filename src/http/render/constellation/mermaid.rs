//! A constellation as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>).

use std::fmt::Write;

use super::{described, of_today};
use crate::domain::{
    constellation::{Constellation, Setting},
    slug::Slug,
};

/// The flowchart. Parties are named by their places: a key may be one of Mermaid's own words.
pub fn mermaid(constellation: &Constellation) -> String {
    let content = &constellation.content;
    let (parties, relationships) = of_today(content);
    let mut chart = format!("flowchart LR\n    accTitle: {}\n", plain(&content.title));
    let name = |key: &Slug| {
        let place = parties.iter().position(|party| party.key == *key);
        format!("p{}", place.map_or(0, |place| place + 1))
    };
    for party in &parties {
        _ = writeln!(
            chart,
            "    {}[\"{}<br>{}\"]",
            name(&party.key),
            escaped(&party.label),
            party.kind.label()
        );
    }
    for relationship in relationships {
        let line = match relationship.setting {
            Some(Setting::Digital | Setting::Phone) => "-.-",
            _ => "---",
        };
        _ = writeln!(
            chart,
            "    {} {line}|\"{}\"| {}",
            name(&relationship.from),
            escaped(&described(relationship)),
            name(&relationship.to)
        );
    }
    chart
}

/// A title, of which Mermaid decodes no numbers: letters, digits and what cannot be syntax.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || ",.()'’–-".contains(c);
    let plain: String = text.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters, digits and spaces as they are; everything else by its number, so that it cannot be read as syntax or markup.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            c if c.is_whitespace() || c.is_control() => escaped.push(' '),
            c if c.is_alphanumeric() => escaped.push(c),
            c => _ = write!(escaped, "#{};", u32::from(c)),
        }
        escaped
    })
}
