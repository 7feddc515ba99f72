//! What an organiser writes of a round.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Privacy;
use crate::domain::{
    fault::Fault,
    gap_analysis::MOST_PERSPECTIVES,
    id::{ConstellationId, RelationshipId, RoundId},
    language::LanguageTag,
    life_cycle::Version,
    moment::{DateOrTime, Moment},
    slug::Slug,
};

/// The words that a respondent sees before they answer, and agrees to by answering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The words. An anonymous round adds what anonymity does and does not cover.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "We use your answers to improve our service."
    )]
    pub text: String,
    /// Their version, as the organisation counts it.
    #[schema(min_length = 1, max_length = 60, example = "2026-03")]
    pub version: String,
    /// Their language (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LanguageTag>, nullable = false, example = "en")]
    pub language: Option<String>,
}

/// A perspective that is asked, and how many are expected to answer from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The perspective.
    #[schema(example = "service_user")]
    pub perspective: Slug,
    /// The version of it whose words respondents see. Where none is named, the newest when the round opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub perspective_version: Option<Version>,
    /// How many answers are expected.
    #[schema(minimum = 1, maximum = 10_000, example = 8)]
    pub expected: i32,
}

/// What an organiser writes of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateRound)]
pub struct Content {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "Spring 2026")]
    pub title: String,
    /// The model that is rated.
    #[schema(example = "meaningful-connections")]
    pub model: Slug,
    /// The version of that model. Where none is named, the newest when the round opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub model_version: Option<Version>,
    /// The constellation it is about; that of the relationship where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub constellation: Option<ConstellationId>,
    /// The relationship it is about; the service as a whole where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub relationship: Option<RelationshipId>,
    /// Who is asked.
    #[schema(min_items = 1, max_items = 20)]
    pub perspectives: Vec<Expected>,
    /// When it opens by itself: within a minute of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<DateOrTime>)]
    pub opens_at: Option<Moment>,
    /// When it closes by itself: from then on nobody answers, and within a minute it is `closed`. Never in the past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<DateOrTime>)]
    pub closes_at: Option<Moment>,
    /// What its organisers may learn about who said what.
    pub privacy: Privacy,
    /// How many must have answered from a perspective before anything is shown of it in the round's analysis, whatever the privacy.
    /// Where it is left out, an anonymous round has 3, the least that it can have; in any other round everything is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 2, maximum = 100, example = 3)]
    pub minimum_group: Option<i32>,
    /// What respondents agree to.
    pub consent: Consent,
    /// The round to compare with, which is revealed before this one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub baseline: Option<RoundId>,
}

/// The smallest group of which an anonymous round shows anything: among two, each knows what the other said.
const LEAST_ANONYMOUS: i32 = 3;

impl Content {
    /// What is wrong with it now, references to other things aside.
    pub fn faults(&self, now: Moment) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        for (place, one) in self.perspectives.iter().enumerate() {
            if !seen.insert(&one.perspective) {
                let at = format!("/perspectives/{place}/perspective");
                faults.push(Fault::new(at, "duplicate", "This perspective is named twice."));
            }
        }
        if self.perspectives.is_empty() || self.perspectives.len() > MOST_PERSPECTIVES {
            faults.push(Fault::new("/perspectives", "length", "1 to 20 perspectives."));
        }
        faults.extend(self.words());
        if self.privacy == Privacy::Anonymous && self.minimum_group.is_some_and(|least| least < LEAST_ANONYMOUS) {
            let detail = "In an anonymous round at least 3: among two, each knows what the other said.";
            faults.push(Fault::new("/minimum_group", "minimum", detail));
        }
        let opens = self.opens_at.map_or(now, |opens| opens.max(now));
        if self.closes_at.is_some_and(|closes| closes <= opens) {
            let detail = "It closes after it opens, and not in the past.";
            faults.push(Fault::new("/closes_at", "minimum", detail));
        }
        faults
    }

    /// What is wrong with its words: what is blank, and what names no language.
    fn words(&self) -> impl Iterator<Item = Fault> {
        let said = [
            ("/title", &self.title),
            ("/consent/text", &self.consent.text),
            ("/consent/version", &self.consent.version),
        ];
        let blank = said.into_iter().filter(|(_, text)| text.trim().is_empty());
        let blank = blank.map(|(at, _)| Fault::new(at, "required", "This text is missing."));
        let language = self.consent.language.as_ref();
        let unknown = language.filter(|tag| tag.parse::<LanguageTag>().is_err());
        blank.chain(unknown.map(|_| {
            Fault::new(
                "/consent/language",
                "pattern",
                "This is not the tag of a language (BCP 47).",
            )
        }))
    }

    /// Of how few nothing is shown, where there is such a number: the one that was given, or an anonymous round's own.
    pub fn least_shown(&self) -> Option<i32> {
        let usual = (self.privacy == Privacy::Anonymous).then_some(LEAST_ANONYMOUS);
        self.minimum_group.or(usual)
    }

    /// Where a version of a perspective is not named, it is the one that stands.
    pub(super) fn keep_versions(&mut self, stands: &Self) {
        for (one, stands) in self.perspectives.iter_mut().zip(&stands.perspectives) {
            one.perspective_version = one.perspective_version.or(stands.perspective_version);
        }
    }

    /// What is asked of the perspective of this name, if anything.
    pub fn asks(&self, perspective: &Slug) -> Option<&Expected> {
        self.perspectives.iter().find(|one| one.perspective == *perspective)
    }
}
