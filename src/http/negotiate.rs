//! Which representation a caller wants, and in which language: `?format=` beats `Accept` (RFC 9110, section 12.5).

use std::cmp::Reverse;

use actix_web::{
    HttpRequest,
    http::header::{Accept, Header, Quality},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::{self, Problem};
use crate::domain::{
    language::{LanguageTag, OWN, Wanted},
    model::InLanguage,
};

/// A representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/csv`
    Csv,
    /// `image/svg+xml`
    Svg,
    /// `text/markdown`
    Markdown,
}

/// Which representation to send.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FormatQuery {
    /// The representation to send, whatever `Accept` says.
    #[param(nullable = false, inline)]
    format: Option<Format>,
}

impl Format {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }

    /// What tells its `ETag` from that of the JSON.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Json => "",
            Self::Csv => "-csv",
            Self::Svg => "-svg",
            Self::Markdown => "-markdown",
        }
    }

    /// The representation that has this media type.
    pub fn of_media_type(name: &str) -> Option<Self> {
        let all = [Self::Json, Self::Csv, Self::Svg, Self::Markdown];
        all.into_iter()
            .find(|format| format.media_type().split(';').next() == Some(name))
    }

    fn is(self, range: &mime::Mime) -> bool {
        let own = self.media_type().split(';').next().unwrap_or_default();
        match own.split_once('/') {
            Some((kind, _)) if range.subtype() == mime::STAR => range.type_() == mime::STAR || range.type_() == kind,
            _ => range.essence_str() == own,
        }
    }
}

/// The representation to send, of those there are; the first of them where the caller does not say.
pub fn format(request: &HttpRequest, query: FormatQuery, offered: &[Format]) -> Result<Format, Problem> {
    let unacceptable = || {
        let names: Vec<&str> = offered.iter().map(|format| format.media_type()).collect();
        Problem::new(&problem::NOT_ACCEPTABLE, format!("There is {}.", names.join(", ")))
    };
    if let Some(format) = query.format {
        return if offered.contains(&format) {
            Ok(format)
        } else {
            Err(unacceptable())
        };
    }
    if !request.headers().contains_key("accept") {
        return offered.first().copied().ok_or_else(unacceptable);
    }
    let accept =
        Accept::parse(request).map_err(|_| Problem::new(&problem::INVALID_HEADER, "Accept cannot be read."))?;
    // The most specific range that a format is in speaks for it; `q=0` speaks against it.
    let wanted = |format: &Format| {
        let ranges = accept.iter().zip(0_usize..).filter(|(range, _)| format.is(&range.item));
        let (range, place) = ranges.max_by_key(|(range, place)| (specific(&range.item), Reverse(*place)))?;
        (range.quality > Quality::ZERO).then(|| (range.quality, specific(&range.item), Reverse(place)))
    };
    let wished = offered
        .iter()
        .rev()
        .filter_map(|format| Some((wanted(format)?, *format)));
    wished
        .max_by_key(|(wish, _)| *wish)
        .map(|(_, format)| format)
        .ok_or_else(unacceptable)
}

/// How specific a media range is.
fn specific(range: &mime::Mime) -> (bool, bool) {
    (range.type_() != mime::STAR, range.subtype() != mime::STAR)
}

/// The languages that a caller accepts, read only where there is more than one to choose from.
#[derive(Debug, Clone, Default)]
pub struct Languages(Option<String>);

impl Languages {
    /// Those of `Accept-Language`.
    pub fn of(request: &HttpRequest) -> Self {
        let given = request.headers().get_all("accept-language");
        let given: Vec<&str> = given.filter_map(|value| value.to_str().ok()).collect();
        Self((!given.is_empty()).then(|| given.join(",")))
    }

    /// The translation to send; none where that is the model's own text.
    pub fn choose<'t>(
        &self,
        translations: &(impl Iterator<Item = &'t LanguageTag> + Clone),
    ) -> Option<&'t LanguageTag> {
        translations.clone().next()?;
        Wanted::of(self.0.as_deref()?).lookup(translations)
    }
}

/// The languages of what is said in a model's words: `Content-Language` names two where a translation lacks something, or
/// where sentences of ours, which are English, stand around it.
pub fn content_language(words: &InLanguage<'_>, is_mixed: bool) -> String {
    if is_mixed && !words.language.is_own() {
        format!("{}, {OWN}", words.language)
    } else {
        words.language.to_string()
    }
}
