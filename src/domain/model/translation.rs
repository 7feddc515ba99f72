//! What a model says in another language, as it is put, kept and shown.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use crate::domain::language::LanguageTag;

/// How the sentence begins that an element ends, translated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StemTranslation {
    /// As one: "I need to".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub individual: Option<String>,
    /// As many: "We need to".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub collective: Option<String>,
}

/// A theme, translated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThemeTranslation {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub label: Option<String>,
    /// The one overarching need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 4000)]
    pub need: Option<String>,
    /// How its elements' sentences begin.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stem: StemTranslation,
}

/// Safety, translated; its considerations stand among the elements.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SafetyTranslation {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub label: Option<String>,
}

/// A step of the guide, translated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepTranslation {
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// How to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 4000)]
    pub text: Option<String>,
}

/// What a model says in words, in another language, by the keys of the model. Any of it may be left out. Who made the model,
/// and under what terms it may be used, is not translated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    /// The model's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// What the levels are called, by level.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<TextKey, TranslatedLabel>)]
    pub levels: BTreeMap<String, String>,
    /// The themes, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<TextKey, ThemeTranslation>)]
    pub themes: BTreeMap<String, ThemeTranslation>,
    /// What the elements say, and the considerations of Safety, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<TextKey, TranslatedLabel>)]
    pub elements: BTreeMap<String, String>,
    /// Safety.
    #[serde(default, skip_serializing_if = "is_default")]
    pub safety: SafetyTranslation,
    /// The steps of the guide, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<TextKey, StepTranslation>)]
    pub guide: BTreeMap<String, StepTranslation>,
}

/// Schemas of what stands in lists and maps, which have no attributes of their own.
macro_rules! text {
    ($name:ident, $shortest:literal to $longest:literal, $description:literal, $example:literal) => {
        #[doc = $description]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some($shortest))
                    .max_length(Some($longest))
                    .description(Some($description))
                    .examples([$example])
                    .into()
            }
        }
        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}
text!(TranslatedLabel, 1 to 200, "A label in another language.", "Just starting");
text!(TextKey, 1 to 200, "A key of the model.", "feelings.heard");
text!(TextPointer, 0 to 200, "A JSON Pointer (RFC 6901) into a translation.", "/elements/feelings.heard");

/// A translation as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptTranslation {
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub words: Translation,
    /// What may be out of date, as pointers into the translation: the model's own text was reworded after it was put.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<TextPointer>, required = false, max_items = 2000)]
    pub outdated: BTreeSet<String>,
}

/// A translation in a list: without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TranslationItem {
    /// Its language.
    pub language: LanguageTag,
    /// Whether it says everything that the model says.
    pub complete: bool,
    /// What it does not say, as pointers into the translation, in the order of the model: there, the model's own text is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<TextPointer>, required = false, max_items = 2000)]
    pub missing: Vec<String>,
    /// What may be out of date, as pointers into the translation: the model's own text was reworded after it was put.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<TextPointer>, required = false, max_items = 2000)]
    pub outdated: BTreeSet<String>,
}

/// A translation of a model's draft or of a sealed version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelTranslation {
    /// Its language, and what it lacks.
    #[serde(flatten)]
    #[schema(inline)]
    pub item: TranslationItem,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub words: Translation,
}

fn is_default<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}
