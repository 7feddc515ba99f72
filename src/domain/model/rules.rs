//! What a model must be before it can be published.

use std::collections::BTreeSet;

use super::{Definition, Level, MOST_KEYS, SAFETY, Strand, Theme};
use crate::domain::{
    fault::Fault,
    slug::{ElementKey, is_key},
};

/// Everything that keeps `definition` from being published after `earlier`, its model's versions from the oldest to the newest.
pub fn faults(definition: &Definition, earlier: &[&Definition]) -> Vec<Fault> {
    let mut faults = Vec::new();
    require(&mut faults, "/title", &definition.title);
    levels(&mut faults, definition);
    if definition.themes.is_empty() {
        faults.push(Fault::new("/themes", "required", "A model has at least one theme."));
    }
    for (place, theme) in definition.themes.iter().enumerate() {
        self::theme(&mut faults, &format!("/themes/{place}"), theme);
        if definition.themes.iter().take(place).any(|other| other.key == theme.key) {
            faults.push(Fault::new(
                format!("/themes/{place}/key"),
                "duplicate",
                "Another theme has this key.",
            ));
        }
    }
    require(&mut faults, "/safety/label", &definition.safety.label);
    guide(&mut faults, definition);
    keys(&mut faults, definition, earlier);
    faults
}

fn require(faults: &mut Vec<Fault>, pointer: &str, text: &str) {
    if text.trim().is_empty() {
        faults.push(Fault::new(pointer, "required", "This text is missing."));
    }
}

fn levels(faults: &mut Vec<Fault>, definition: &Definition) {
    let in_order = definition
        .levels
        .iter()
        .map(|level| (level.key, level.value))
        .eq(Level::ALL.map(|level| (level, level.value())));
    if !in_order {
        faults.push(Fault::new(
            "/levels",
            "levels",
            "Every model has the four levels in their order, valued 1 to 4; only their labels change.",
        ));
    }
    for (place, level) in definition.levels.iter().enumerate() {
        require(faults, &format!("/levels/{place}/label"), &level.label);
    }
}

fn theme(faults: &mut Vec<Fault>, at: &str, theme: &Theme) {
    if theme.key == SAFETY {
        faults.push(Fault::new(
            format!("{at}/key"),
            "reserved",
            "`safety` is not a theme's key.",
        ));
    } else if !is_key(&theme.key) {
        faults.push(Fault::new(format!("{at}/key"), "pattern", "1 to 60 of a-z, 0-9 and _."));
    }
    require(faults, &format!("{at}/label"), &theme.label);
    require(faults, &format!("{at}/need"), &theme.need);
    require(faults, &format!("{at}/stem/individual"), &theme.stem.individual);
    require(faults, &format!("{at}/stem/collective"), &theme.stem.collective);
    if !theme
        .elements
        .iter()
        .any(|element| element.strand == Some(Strand::Safety))
    {
        faults.push(Fault::new(
            format!("{at}/elements"),
            "safety_element_missing",
            "Safety underpins every theme: one element has `strand: \"safety\"`.",
        ));
    }
}

fn guide(faults: &mut Vec<Fault>, definition: &Definition) {
    for (place, step) in definition.guide.iter().enumerate() {
        require(faults, &format!("/guide/{place}/title"), &step.title);
        if !is_key(&step.key) {
            faults.push(Fault::new(
                format!("/guide/{place}/key"),
                "pattern",
                "1 to 60 of a-z, 0-9 and _.",
            ));
        }
        if definition.guide.iter().take(place).any(|other| other.key == step.key) {
            faults.push(Fault::new(
                format!("/guide/{place}/key"),
                "duplicate",
                "Another step has this key.",
            ));
        }
    }
}

/// A key, where it stands, the theme it stands in, and what it replaces.
fn placed(definition: &Definition) -> impl Iterator<Item = (String, &str, &ElementKey, &str, &[ElementKey])> {
    let elements = definition.themes.iter().enumerate().flat_map(|(t, theme)| {
        theme.elements.iter().enumerate().map(move |(e, element)| {
            (
                format!("/themes/{t}/elements/{e}"),
                theme.key.as_str(),
                &element.key,
                element.label.as_str(),
                element.replaces.as_slice(),
            )
        })
    });
    let considerations = definition
        .safety
        .considerations
        .iter()
        .enumerate()
        .map(|(c, consideration)| {
            (
                format!("/safety/considerations/{c}"),
                SAFETY,
                &consideration.key,
                consideration.label.as_str(),
                consideration.replaces.as_slice(),
            )
        });
    elements.chain(considerations)
}

fn keys(faults: &mut Vec<Fault>, definition: &Definition, earlier: &[&Definition]) {
    let ever: BTreeSet<&ElementKey> = earlier.iter().flat_map(|version| version.keys()).collect();
    let newest: BTreeSet<&ElementKey> = earlier
        .last()
        .map(|version| version.keys().collect())
        .unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (at, theme, key, label, replaces) in placed(definition) {
        require(faults, &format!("{at}/label"), label);
        if key.theme() != theme {
            faults.push(Fault::new(
                format!("{at}/key"),
                "pattern",
                "A key begins with its theme's key and a dot.",
            ));
        }
        if !seen.insert(key) {
            faults.push(Fault::new(
                format!("{at}/key"),
                "duplicate",
                "Another element has this key.",
            ));
        }
        if ever.contains(key) && !newest.contains(key) {
            faults.push(Fault::new(
                format!("{at}/key"),
                "retired_key",
                "An earlier version retired this key; a key is never used again.",
            ));
        }
        for (place, replaced) in replaces.iter().enumerate() {
            if !ever.contains(replaced) || replaced == key {
                faults.push(Fault::new(
                    format!("{at}/replaces/{place}"),
                    "unknown_reference",
                    "Only an element of an earlier version can be split or merged.",
                ));
            }
        }
    }
    if seen.len() > MOST_KEYS {
        faults.push(Fault::new("/themes", "too_many", "A model has at most 200 keys."));
    }
}
