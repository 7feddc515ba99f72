//! Names that stand in URLs and keys.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::id::Id;

/// The text is not a name of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {0}")]
pub struct NotAName(pub(super) &'static str);

/// The name of a model or a perspective in URLs: 1 to 63 of `a-z`, `0-9`, `-`, `_`, beginning with a letter, and not a UUID,
/// which would be taken for an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Slug(String);

/// The key of something that can be rated, `theme.element`: each part 1 to 60 of `a-z`, `0-9`, `_`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ElementKey(String);

fn is_word(text: &str, longest: usize, also: char) -> bool {
    text.len() <= longest
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == also)
}

impl Slug {
    /// The pattern a slug matches (JSON Schema).
    pub const PATTERN: &'static str = "^[a-z][a-z0-9_-]{0,62}$";

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ElementKey {
    /// The pattern an element key matches (JSON Schema).
    pub const PATTERN: &'static str = r"^[a-z][a-z0-9_]{0,59}\.[a-z][a-z0-9_]{0,59}$";

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the theme: what stands before the dot.
    pub fn theme(&self) -> &str {
        self.0.split_once('.').map_or("", |(theme, _)| theme)
    }
}

/// Whether the text can be the key of a theme, a level or a guide step.
pub fn is_key(text: &str) -> bool {
    is_word(text, 60, '_')
}

impl TryFrom<String> for Slug {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        if is_word(&text, 63, '-') && text.parse::<Id<()>>().is_err() {
            Ok(Self(text))
        } else {
            Err(NotAName("slug"))
        }
    }
}

impl TryFrom<String> for ElementKey {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        match text.split_once('.') {
            Some((theme, element)) if is_key(theme) && is_key(element) => Ok(Self(text)),
            _ => Err(NotAName("element key")),
        }
    }
}

impl std::str::FromStr for Slug {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        text.to_owned().try_into()
    }
}

impl std::str::FromStr for ElementKey {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ElementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for Slug {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(Self::PATTERN))
            .description(Some(
                "A name for URLs: 1 to 63 of `a-z`, `0-9`, `-` and `_`, beginning with a letter, and not a UUID.",
            ))
            .examples(["meaningful-connections"])
            .into()
    }
}
impl ToSchema for Slug {
    fn name() -> std::borrow::Cow<'static, str> {
        "Slug".into()
    }
}

impl PartialSchema for ElementKey {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(Self::PATTERN))
            .description(Some("The key of something that can be rated: `theme.element`."))
            .examples(["feelings.heard"])
            .into()
    }
}
impl ToSchema for ElementKey {
    fn name() -> std::borrow::Cow<'static, str> {
        "ElementKey".into()
    }
}
