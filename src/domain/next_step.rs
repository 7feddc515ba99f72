//! Next steps: what a team decided to do about an element, and what became of it.
//!
//! A next step holds nobody's answers: its two levels are what the team decided to move from and to, even where a priority of the
//! gap analysis suggested them. So it outlives that analysis, and a version that was erased since.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    date::Date,
    external_id::ExternalId,
    fault::{Fault, pointer},
    id::{GapAnalysisId, NextStepId, RoundId},
    level::Level,
    life_cycle::{Seal, Sealed, Version},
    slug::ElementKey,
};

/// The most next steps that one gap analysis has.
pub const MOST_OF_ONE_ANALYSIS: i64 = 1000;
/// The most links that show what was done.
const MOST_EVIDENCE: usize = 20;

/// How far a next step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextStepStatus {
    /// Somebody suggested it.
    Proposed,
    /// Somebody is at it.
    Doing,
    /// It is done: the next analysis says whether the element moved.
    Done,
    /// It is not going to be done.
    Dropped,
}

impl NextStepStatus {
    /// The word under which it is kept.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }
}

/// Who does it: in words, by their name in another system, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1)]
pub struct ByWhom {
    /// In words. No name of a person is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "The duty team")]
    pub label: Option<String>,
    /// In another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub external_id: Option<ExternalId>,
}

/// What shows that something was done. Nothing is ever fetched from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    #[schema(min_length = 1, max_length = 200, example = "The new duty rota")]
    pub label: String,
    /// Where it is: an address that begins with `http://` or `https://`.
    #[schema(
        min_length = 8,
        max_length = 2000,
        pattern = r"^https?://[^\s\x00-\x1f\x7f]+$",
        example = "https://wiki.example.org/rota"
    )]
    pub url: String,
}

/// What a next step says: the content of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Content {
    /// The gap analysis that it was made from. It may be erased since.
    pub gap_analysis: GapAnalysisId,
    /// The version of it that was the newest then. It may be erased since.
    #[schema(value_type = i32, minimum = 1)]
    pub gap_analysis_version: Version,
    /// The round that the analysis is of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub round: Option<RoundId>,
    /// The element that it is to move.
    pub element: ElementKey,
    /// The level from which.
    pub from_level: Level,
    /// The level to which, above that.
    pub next_level: Level,
    /// What will be done.
    #[schema(min_length = 1, max_length = 4000, example = "Ring back within a day.")]
    pub what: String,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub by_whom: Option<ByWhom>,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due: Option<Date>,
    /// How far it is.
    pub status: NextStepStatus,
    /// What shows that it was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub evidence: Vec<Evidence>,
}

impl Content {
    /// What is wrong with it, whatever its schema says.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.next_level <= self.from_level {
            let detail = "The next level lies above the one that it starts from.";
            faults.push(Fault::new("/next_level", "not_above", detail));
        }
        if let Some(by_whom) = &self.by_whom {
            if by_whom.label.is_none() && by_whom.external_id.is_none() {
                faults.push(Fault::new("/by_whom", "required", "A label, an external id, or both."));
            }
            let external_id = by_whom.external_id.as_ref();
            faults.extend(
                external_id
                    .into_iter()
                    .flat_map(|id| id.own_faults("/by_whom/external_id")),
            );
        }
        if self.evidence.len() > MOST_EVIDENCE {
            faults.push(Fault::new("/evidence", "too_many", "At most 20 links."));
        }
        for (place, evidence) in self.evidence.iter().enumerate() {
            if !is_web_address(&evidence.url) {
                let detail = "An address that begins with http:// or https:// and names a host, without spaces.";
                let at = pointer(["evidence", &place.to_string(), "url"]);
                faults.push(Fault::new(at, "pattern", detail));
            }
        }
        faults
    }
}

/// Whether this leads into the web and nowhere else, whoever reads it.
fn is_web_address(url: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    // What stands before an `@` is a user's name and password, and often meant to look like the host.
    host.is_some_and(|host| !host.is_empty() && !host.contains(['@', '\\']))
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A next step: a sealed version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextStep {
    /// Its id.
    pub id: NextStepId,
    /// The version, 1 or more.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// What it says.
    #[serde(flatten)]
    #[schema(inline)]
    pub content: Content,
    /// Its seal, which every version has that is shown.
    #[serde(flatten)]
    #[schema(inline, value_type = Seal)]
    pub seal: Option<Seal>,
}

impl NextStep {
    /// What a version says, for ever: the document of its digest.
    pub fn of_version(id: NextStepId, version: Version, content: Content) -> Self {
        Self {
            id,
            version,
            content,
            seal: None,
        }
    }

    /// A sealed version with its seal.
    pub fn of_sealed(id: NextStepId, sealed: Sealed<Content>) -> Self {
        Self {
            seal: Some(sealed.seal),
            ..Self::of_version(id, sealed.version, sealed.content)
        }
    }
}

/// A next step through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its id.
    pub id: NextStepId,
    /// Raised by every write.
    pub revision: i64,
    /// The newest version.
    pub newest: Sealed<Content>,
}

#[cfg(test)]
mod tests {
    use super::is_web_address;

    #[test]
    fn evidence_leads_into_the_web_and_nowhere_else() {
        for good in [
            "https://wiki.example.org/rota",
            "http://10.0.0.1:8080/a?b#c",
            "https://[::1]/",
            "https://bücher.example/",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "HTTPS://example.org",
            "https://",
            "https:///path",
            "https://bank.example@evil.example/",
            "https://a b",
            "https://a\u{2028}b",
            "//example.org",
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
