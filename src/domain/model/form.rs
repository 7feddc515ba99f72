//! A model version as a form, ready to render in one perspective's voice.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Definition, Element, GuideStep, InLanguage, LevelLabel, Model, ModelStatus, Origin, Safety, TextPointer};
use crate::domain::{
    id::ModelId,
    language::LanguageTag,
    level::Level,
    life_cycle::{Seal, Version},
    perspective::{Perspective, Voice},
    ratings::LONGEST_NOTE,
    slug::Slug,
};

/// A theme in one voice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FormTheme {
    /// Its key.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,59}$", example = "feelings")]
    pub key: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Feelings")]
    pub label: String,
    /// The one overarching need.
    #[schema(max_length = 4000, example = "To have a sense of belonging")]
    pub need: String,
    /// How its elements' sentences begin, in the perspective's voice.
    #[schema(max_length = 200, example = "I need to")]
    pub stem: String,
    /// Its elements, in order.
    #[schema(max_items = 200)]
    pub elements: Vec<Element>,
}

/// A model version, ready to render: in the perspective's voice and the reader's language.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Form {
    /// The model's id.
    pub id: ModelId,
    /// The model's name in URLs.
    pub slug: Slug,
    /// The model's version.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Always `published`: forms are made of sealed versions.
    pub status: ModelStatus,
    /// The perspective from which the form asks.
    pub perspective: Slug,
    /// The perspective's voice.
    pub voice: Voice,
    /// The language of its texts.
    pub language: LanguageTag,
    /// What the translation lacks, as pointers into it: that is in the model's own words, which are English.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<TextPointer>, required = false, max_items = 2000)]
    pub untranslated: Vec<String>,
    /// The model's title.
    #[schema(max_length = 200)]
    pub title: String,
    /// Who made the model.
    #[schema(max_length = 4000)]
    pub attribution: String,
    /// Under what terms it may be used, as far as its authors say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 4000)]
    pub copyright: Option<String>,
    /// The four levels, lowest first.
    #[schema(max_items = 4)]
    pub levels: Vec<LevelLabel>,
    /// The themes, in order.
    #[schema(max_items = 200)]
    pub themes: Vec<FormTheme>,
    /// What underpins them.
    pub safety: Safety,
    /// How a team works with the model.
    #[schema(max_items = 200)]
    pub guide: Vec<GuideStep>,
    /// What the model was derived from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lineage: Option<Origin>,
    /// A JSON Schema (2020-12) that a complete `ratings` object meets.
    #[schema(value_type = Object)]
    pub answer_schema: Value,
    /// The version's seal: forms are made of sealed versions.
    #[serde(flatten)]
    #[schema(inline, value_type = Seal)]
    pub seal: Option<Seal>,
}

impl Form {
    /// The form of a sealed model version, asked from a perspective in the words of a language.
    pub fn of(model: &Model, version: Version, perspective: &Perspective, words: &InLanguage<'_>) -> Self {
        let definition = &*words.definition;
        // Of the two stems of a theme a form shows one.
        let unseen = match perspective.content.voice {
            Voice::Individual => "/stem/collective",
            Voice::Collective => "/stem/individual",
        };
        let untranslated = words.untranslated.iter().filter(|at| !at.ends_with(unseen));
        Self {
            id: model.id,
            slug: model.slug.clone(),
            version,
            status: ModelStatus::Published,
            perspective: perspective.slug.clone(),
            voice: perspective.content.voice,
            language: words.language.clone(),
            untranslated: untranslated.cloned().collect(),
            title: definition.title.clone(),
            attribution: definition.attribution.clone(),
            copyright: definition.copyright.clone(),
            levels: definition.levels.clone(),
            themes: definition
                .themes
                .iter()
                .map(|theme| FormTheme {
                    key: theme.key.clone(),
                    label: theme.label.clone(),
                    need: theme.need.clone(),
                    stem: theme.stem.voiced(perspective.content.voice).to_owned(),
                    elements: theme.elements.clone(),
                })
                .collect(),
            safety: definition.safety.clone(),
            guide: definition.guide.clone(),
            lineage: definition.lineage.clone(),
            answer_schema: answer_schema(definition),
            seal: model.seal.clone(),
        }
    }
}

/// The schema of a complete `ratings` object: every key, rated on both sides or not applicable.
fn answer_schema(definition: &Definition) -> Value {
    let keys: Vec<&str> = definition.keys().map(super::ElementKey::as_str).collect();
    let properties: serde_json::Map<String, Value> = keys
        .iter()
        .map(|key| ((*key).to_owned(), json!({"$ref": "#/$defs/rating"})))
        .collect();
    let level = json!({"enum": Level::ALL.map(Level::key)});
    let words = json!({"type": "string", "maxLength": LONGEST_NOTE});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": keys,
        "additionalProperties": false,
        "$defs": {"rating": {"oneOf": [
            {
                "type": "object",
                "properties": {"current": level, "desired": level, "note": words, "not_applicable": {"const": false}},
                "required": ["current", "desired"],
                "additionalProperties": false
            },
            {
                "type": "object",
                "properties": {"not_applicable": {"const": true}, "reason": words, "note": words},
                "required": ["not_applicable"],
                "additionalProperties": false
            }
        ]}}
    })
}
