//! What happened, for those who follow along.

use serde::Serialize;
use uuid::Uuid;

use super::life_cycle::Version;

/// The kinds of versioned resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A model.
    Model,
    /// A perspective.
    Perspective,
    /// A constellation.
    Constellation,
    /// A round.
    Round,
    /// An assessment.
    Assessment,
    /// A gap analysis.
    GapAnalysis,
    /// The agreed reading of a round, which has the round's id.
    AgreedReading,
    /// A next step.
    NextStep,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Model,
        Self::Perspective,
        Self::Constellation,
        Self::Round,
        Self::Assessment,
        Self::GapAnalysis,
        Self::AgreedReading,
        Self::NextStep,
    ];

    /// The word under which it is kept.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Perspective => "perspective",
            Self::Constellation => "constellation",
            Self::Round => "round",
            Self::Assessment => "assessment",
            Self::GapAnalysis => "gap_analysis",
            Self::AgreedReading => "agreed_reading",
            Self::NextStep => "next_step",
        }
    }
}

/// Something that happened to a resource, written in the transaction in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What kind of thing it happened to.
    pub kind: Kind,
    /// Which one.
    pub resource: Uuid,
    /// What happened, in the past tense: `submitted`, `published` …
    pub what: &'static str,
    /// The sealed version it is about.
    pub version: Option<Version>,
}

impl Event {
    /// An event of this kind.
    pub fn new(kind: Kind, resource: Uuid, what: &'static str, version: Option<Version>) -> Self {
        Self {
            kind,
            resource,
            what,
            version,
        }
    }
}
