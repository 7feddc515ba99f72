//! Model definitions: themes, needs, elements, Safety, and how a team works with them.

mod diff;
mod form;
mod in_language;
mod life;
mod rules;
mod seed;
mod translation;

pub use diff::{Change, ElementChange, LanguageChange, element_changes, language_changes};
pub use form::{Form, FormTheme};
pub use in_language::InLanguage;
pub use life::{Head, Life, Model, ModelStatus};
pub use rules::faults;
pub use seed::{MEANINGFUL_CONNECTIONS, MEANINGFUL_CONNECTIONS_ID, meaningful_connections};
pub use translation::{KeptTranslation, ModelTranslation, TextPointer, Translation, TranslationItem};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    language::LanguageTag,
    level::Level,
    life_cycle::Version,
    perspective::Voice,
    slug::{ElementKey, Slug},
};

/// The key of Safety, which no theme may take.
pub const SAFETY: &str = "safety";

/// The most keys a model may have.
pub const MOST_KEYS: usize = 200;

/// What a level is called in this model. Every model has the four levels; only their labels differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelLabel {
    /// The level.
    pub key: Level,
    /// Its place in the order, 1 to 4.
    #[schema(minimum = 1, maximum = 4)]
    pub value: u8,
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "Early stages")]
    pub label: String,
}

/// How the sentence begins that an element ends, in both voices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stem {
    /// As one: "I need to".
    #[schema(max_length = 200, example = "I need to")]
    pub individual: String,
    /// As many: "We need to".
    #[schema(max_length = 200, example = "We need to")]
    pub collective: String,
}

impl Stem {
    /// The stem in this voice.
    pub fn voiced(&self, voice: Voice) -> &str {
        match voice {
            Voice::Individual => &self.individual,
            Voice::Collective => &self.collective,
        }
    }
}

/// What runs through every theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strand {
    /// The element is its theme's part of Safety.
    Safety,
}

/// A need that can be rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// Stable for ever, and never used for another meaning.
    pub key: ElementKey,
    /// What it says.
    #[schema(min_length = 1, max_length = 200, example = "feel heard")]
    pub label: String,
    /// Set where the element belongs to Safety as well as to its theme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub strand: Option<Strand>,
    /// The elements of earlier versions that this one splits or merges, as its author declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub replaces: Vec<ElementKey>,
}

/// A theme: one need, and the elements in which it can be rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Its key, the first part of its elements' keys.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,59}$", example = "feelings")]
    pub key: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Feelings")]
    pub label: String,
    /// The one overarching need, and why it matters: a sentence.
    #[schema(max_length = 4000, example = "To have a sense of belonging")]
    pub need: String,
    /// How its elements' sentences begin.
    pub stem: Stem,
    /// Its elements, in order.
    #[schema(max_items = 200)]
    pub elements: Vec<Element>,
}

/// A consideration of Safety.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consideration {
    /// Its key, beginning with `safety.`.
    pub key: ElementKey,
    /// What it says.
    #[schema(min_length = 1, max_length = 200, example = "Risk of harm")]
    pub label: String,
    /// The elements of earlier versions that this one splits or merges, as its author declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub replaces: Vec<ElementKey>,
}

/// Safety: the heart of the model, which underpins every theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Safety {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Safety")]
    pub label: String,
    /// Its considerations, in order.
    #[schema(max_items = 200)]
    pub considerations: Vec<Consideration>,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            label: "Safety".to_owned(),
            considerations: Vec::new(),
        }
    }
}

/// A step by which a team works with the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuideStep {
    /// Its key.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,59}$", example = "choose_the_perspective")]
    pub key: String,
    /// What to do.
    #[schema(min_length = 1, max_length = 200, example = "Choose the perspective")]
    pub title: String,
    /// How to do it.
    #[schema(max_length = 4000)]
    pub text: String,
}

/// The version of a model that another one was derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The model.
    pub model: Slug,
    /// Its version.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
}

/// What a model says: the content of a draft or of a sealed version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its title.
    #[schema(max_length = 200, example = "The Meaningful Connections Model")]
    pub title: String,
    /// Who made it.
    #[serde(default)]
    #[schema(required = true, max_length = 4000)]
    pub attribution: String,
    /// Under what terms it may be used, as far as its authors say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub copyright: Option<String>,
    /// The four levels, lowest first.
    #[serde(default = "levels")]
    #[schema(required = true, max_items = 4)]
    pub levels: Vec<LevelLabel>,
    /// The themes, in order.
    #[serde(default)]
    #[schema(required = true, max_items = 200)]
    pub themes: Vec<Theme>,
    /// What underpins them.
    #[serde(default)]
    #[schema(required = true)]
    pub safety: Safety,
    /// How a team works with the model.
    #[serde(default)]
    #[schema(required = true, max_items = 200)]
    pub guide: Vec<GuideStep>,
    /// What it was derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lineage: Option<Origin>,
    /// The same in other languages, by language; the text above is English.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<LanguageTag, KeptTranslation>,
}

/// The four levels with the labels of the slides (page 8).
pub fn levels() -> Vec<LevelLabel> {
    ["Early stages", "Forming", "Maturing", "Embedded"]
        .into_iter()
        .zip(Level::ALL)
        .map(|(label, key)| LevelLabel {
            key,
            value: key.value(),
            label: label.to_owned(),
        })
        .collect()
}

/// Something that can be rated, and where it stands in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratable<'a> {
    /// Its key.
    pub key: &'a ElementKey,
    /// What it says.
    pub label: &'a str,
    /// The key of its theme; `safety` for a consideration.
    pub theme: &'a str,
    /// Whether it belongs to Safety: a theme's safety element, or a consideration.
    pub strand: Option<Strand>,
    /// The keys that it splits or merges.
    pub replaces: &'a [ElementKey],
    /// How its sentence begins; none for a consideration.
    pub stem: Option<&'a Stem>,
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            title: String::new(),
            attribution: String::new(),
            copyright: None,
            levels: levels(),
            themes: Vec::new(),
            safety: Safety::default(),
            guide: Vec::new(),
            lineage: None,
            translations: BTreeMap::new(),
        }
    }
}

impl Definition {
    /// Everything that can be rated in **model order**: the themes' elements, then the considerations of Safety.
    pub fn ratables(&self) -> impl Iterator<Item = Ratable<'_>> {
        let elements = self.themes.iter().flat_map(|theme| {
            theme.elements.iter().map(|element| Ratable {
                key: &element.key,
                label: &element.label,
                theme: &theme.key,
                strand: element.strand,
                replaces: &element.replaces,
                stem: Some(&theme.stem),
            })
        });
        let considerations = self.safety.considerations.iter().map(|consideration| Ratable {
            key: &consideration.key,
            label: &consideration.label,
            theme: SAFETY,
            strand: Some(Strand::Safety),
            replaces: &consideration.replaces,
            stem: None,
        });
        elements.chain(considerations)
    }

    /// The keys of everything that can be rated, in model order.
    pub fn keys(&self) -> impl Iterator<Item = &ElementKey> {
        self.ratables().map(|ratable| ratable.key)
    }

    /// What a level is called in this model.
    pub fn level_label(&self, level: Level) -> &str {
        self.levels
            .iter()
            .find(|labelled| labelled.key == level)
            .map_or(level.key(), |labelled| &labelled.label)
    }
}
