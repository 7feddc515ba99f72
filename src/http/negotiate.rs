//! Which representation a caller wants, and in which language: `?format=` beats `Accept` (RFC 9110, section 12.5).

use std::{borrow::Cow, cmp::Reverse};

use actix_web::{
    HttpRequest,
    http::header::{self, Accept, Header, Quality},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::{self, Problem};
use crate::domain::{
    language::{OWN, Wanted},
    model::{Definition, InLanguage},
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
    /// `text/vnd.mermaid`
    Mermaid,
    /// `application/graphml+xml`
    #[serde(rename = "graphml")]
    GraphMl,
}

/// Which representation to send.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FormatQuery {
    /// The representation to send, whatever `Accept` says.
    #[param(nullable = false, inline)]
    pub format: Option<Format>,
}

impl Format {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Svg => "image/svg+xml",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Mermaid => "text/vnd.mermaid; charset=utf-8",
            Self::GraphMl => "application/graphml+xml",
        }
    }

    /// What tells its `ETag` from that of the JSON.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Json => "",
            Self::Csv => "-csv",
            Self::Svg => "-svg",
            Self::Markdown => "-markdown",
            Self::Mermaid => "-mermaid",
            Self::GraphMl => "-graphml",
        }
    }

    /// The representation that has this media type.
    pub fn of_media_type(name: &str) -> Option<Self> {
        let all = [
            Self::Json,
            Self::Csv,
            Self::Svg,
            Self::Markdown,
            Self::Mermaid,
            Self::GraphMl,
        ];
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

/// `Accept-Language` as it was sent; where that is in several lines, as one (RFC 9110, section 5.3).
pub fn accepted_languages(request: &HttpRequest) -> Cow<'_, str> {
    let lines = request.headers().get_all(header::ACCEPT_LANGUAGE);
    let mut lines = lines.filter_map(|line| line.to_str().ok());
    let first = lines.next().unwrap_or_default();
    lines.fold(Cow::Borrowed(first), |all, line| Cow::Owned(format!("{all},{line}")))
}

/// The languages that a caller accepts.
#[derive(Debug, Clone)]
pub struct Languages(String);

impl Languages {
    /// Those of `Accept-Language`.
    pub fn of(request: &HttpRequest) -> Self {
        Self(accepted_languages(request).into_owned())
    }

    /// A model in the first of them into which it is translated; else in its own words.
    pub fn choose<'a>(&self, definition: &'a Definition) -> InLanguage<'a> {
        definition.in_language(Wanted::of(&self.0).lookup(&definition.translations.keys()))
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
