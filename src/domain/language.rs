//! Languages: the tags that name them (BCP 47), and which of several a reader gets (RFC 4647).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::slug::NotAName;

/// The language of a model's own text, and of every sentence that is ours: the tag that stands for "no translation".
pub const OWN: &str = "en";

/// The most characters of a tag: what RFC 5646 (section 4.4.1) asks implementations to take.
const LONGEST: usize = 35;

/// The tag of a language, well-formed by RFC 5646 and in its case: `cy`, `zh-Hant-TW`, `en-GB-x-easyread`.
///
/// Whether somebody has registered its subtags is not asked: the registry grows, and sealed versions are read back for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// A pattern that every tag matches (JSON Schema), and some texts that are none.
    pub const PATTERN: &'static str = "^[A-Za-z0-9-]+$";

    /// The language of a model's own text.
    pub fn own() -> Self {
        Self(OWN.to_owned())
    }

    /// Whether it is that of a model's own text.
    pub fn is_own(&self) -> bool {
        self.0 == OWN
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LanguageTag {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        if text.len() > LONGEST {
            return Err(NotAName("language tag"));
        }
        match language_tags::LanguageTag::parse(text) {
            Ok(tag) => Ok(Self(tag.into_string())),
            Err(_) => Err(NotAName("language tag")),
        }
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for LanguageTag {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(Self::PATTERN))
            .max_length(Some(LONGEST))
            .description(Some(
                "The tag of a language (BCP 47), private use such as `en-GB-x-easyread` included; its case makes no difference.",
            ))
            .examples(["cy"])
            .into()
    }
}
impl ToSchema for LanguageTag {
    fn name() -> std::borrow::Cow<'static, str> {
        "LanguageTag".into()
    }
}

/// The languages that a reader wants, as `Accept-Language` has them (RFC 9110, section 12.5.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Ranges, the most wanted first.
    ranges: Vec<&'a str>,
    /// Ranges with `q=0`.
    refused: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    /// How many ranges are read of a header; whoever writes more hardly means them.
    const MOST: usize = 100;

    /// Reads the header. What is no range is passed over: a reader who cannot be understood gets the model's own text.
    pub fn of(header: &'a str) -> Self {
        let mut ranges: Vec<(f32, &str)> = header.split(',').take(Self::MOST).filter_map(range).collect();
        // The sort is stable, so what is wanted equally stays in the header's order.
        ranges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let (ranges, refused): (Vec<_>, Vec<_>) = ranges.into_iter().partition(|(quality, _)| *quality > 0.0);
        let names = |ranges: Vec<(f32, &'a str)>| ranges.into_iter().map(|(_, range)| range).collect();
        Self {
            ranges: names(ranges),
            refused: names(refused),
        }
    }

    /// The translation that the reader gets, by *lookup* (RFC 4647, section 3.4); none where that is the model's own text.
    pub fn lookup<'t>(
        &self,
        translations: &(impl Iterator<Item = &'t LanguageTag> + Clone),
    ) -> Option<&'t LanguageTag> {
        let is = |tag: &str, range: &str| tag.eq_ignore_ascii_case(range);
        for range in &self.ranges {
            // `*` says nothing here: it stands for the default, which is what is left in the end anyway.
            for range in std::iter::successors(Some(*range), |range| truncated(range)) {
                if self.refused.iter().any(|refused| is(refused, range)) {
                    continue;
                }
                if is(OWN, range) {
                    return None;
                }
                if let Some(found) = translations.clone().find(|tag| is(tag.as_str(), range)) {
                    return Some(found);
                }
            }
        }
        None
    }
}

/// One element of the header: how much the range is wanted, and the range.
fn range(element: &str) -> Option<(f32, &str)> {
    let (range, weight) = element.split_once(';').unwrap_or((element, "q=1"));
    let (range, (name, quality)) = (range.trim(), weight.trim().split_once('=')?);
    let is_range = !range.is_empty()
        && range
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'*'));
    let quality: f32 = quality.trim().parse().ok()?;
    (is_range && name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&quality)).then_some((quality, range))
}

/// The range without its last subtag, and without the singleton that led to it: `en-GB-x-easyread` becomes `en-GB`.
fn truncated(range: &str) -> Option<&str> {
    let (rest, _) = range.rsplit_once('-')?;
    match rest.rsplit_once('-') {
        Some((before, singleton)) if singleton.len() == 1 => Some(before),
        _ => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LanguageTag, Wanted};

    fn tag(text: &str) -> LanguageTag {
        text.parse().expect("a tag")
    }

    #[test]
    fn a_tag_has_the_case_of_rfc_5646_and_is_well_formed() {
        for (given, normal) in [
            ("CY", "cy"),
            ("en-gb-X-EasyRead", "en-GB-x-easyread"),
            ("ZH-HANT-tw", "zh-Hant-TW"),
            ("x-easyread", "x-easyread"),
            ("de-ch-1996", "de-CH-1996"),
            ("i-KLINGON", "i-klingon"),
        ] {
            assert_eq!(tag(given).as_str(), normal);
        }
        let long = format!("en-x-{}", ["abcdefgh"; 4].join("-"));
        for none in [
            "", "e", "en_GB", "en-", "-en", "en--GB", "en-x", "en-a", "cymraeg!", "caffè", &long,
        ] {
            assert!(none.parse::<LanguageTag>().is_err(), "{none}");
        }
    }

    fn found(header: &str, translations: &[&str]) -> String {
        let translations: Vec<LanguageTag> = translations.iter().map(|text| tag(text)).collect();
        let found = Wanted::of(header).lookup(&translations.iter());
        found.map_or_else(|| "own".to_owned(), ToString::to_string)
    }

    #[test]
    fn lookup_truncates_the_range_until_there_is_such_a_translation() {
        let easy = ["cy", "en-GB-x-easyread", "zh-Hant"];
        for (header, expected) in [
            ("cy", "cy"),
            ("CY-gb", "cy"),
            // RFC 4647, section 3.4: zh-Hant-CN-x-private1-private2 becomes zh-Hant-CN-x-private1, then zh-Hant-CN.
            ("zh-Hant-CN-x-private1-private2", "zh-Hant"),
            ("en-GB-x-easyread", "en-GB-x-easyread"),
            ("en-GB-x-easyread-large", "en-GB-x-easyread"),
            ("en-GB", "own"),
            ("en-GB, cy", "own"),
            ("en-GB;q=0.5, cy;q=0.8", "cy"),
            ("fr, de;q=0.9, cy;q=0.1", "cy"),
            ("cy;q=0, fr", "own"),
            ("cy-GB, cy;q=0", "own"),
            ("*", "own"),
            ("*, cy;q=0.5", "cy"),
            ("fr, *;q=0.1", "own"),
            ("zh", "own"),
            ("", "own"),
            ("cy;q=2, cy;level=1, c*y!, ;q=1, cy;q=nan", "own"),
            ("cy ; Q = 1.0 ", "cy"),
        ] {
            assert_eq!(found(header, &easy), expected, "{header}");
        }
        assert_eq!(found("x-easyread", &["x-easyread"]), "x-easyread");
        assert_eq!(found("en-GB-x-easyread", &["en-GB"]), "en-GB");
    }

    proptest! {
        #[test]
        fn any_header_gets_a_translation_that_there_is_or_the_own_text(header in "[a-zA-Z0-9;=,.* -]{0,80}") {
            let all = [tag("cy"), tag("en-GB")];
            let found = Wanted::of(&header).lookup(&all.iter());
            prop_assert!(found.is_none_or(|found| header.to_ascii_lowercase().contains(&found.as_str().to_ascii_lowercase())));
        }
    }
}
