//! Rounds: an occasion on which people are asked for their answers, and the states through which it goes.

mod content;
mod inviting;
mod shown;
#[cfg(test)]
mod tests;

pub use content::{Consent, Content, Expected};
pub use shown::{Anonymity, Progress, Round};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    fault::{Broken, Fault},
    id::{GapAnalysisId, RoundId},
    life_cycle::Version,
    moment::Moment,
};

/// What is always said of an anonymous round beside its organiser's own words: what anonymity covers, and what it does not.
pub const ANONYMITY: &str = include_str!("anonymity.txt");
/// The version of these words. Raised whenever they change.
pub const ANONYMITY_VERSION: &str = "2";

/// Where a round stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundStatus {
    /// It is being prepared, and everything of it can change.
    Draft,
    /// Respondents are invited, and answer.
    Open,
    /// Nobody answers any more. What was not submitted has been erased.
    Closed,
    /// Everybody may see what it found.
    Revealed,
    /// It was called off.
    Cancelled,
}

impl RoundStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Open, Self::Closed, Self::Revealed, Self::Cancelled];

    /// The word under which it is kept.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Revealed => "revealed",
            Self::Cancelled => "cancelled",
        }
    }

    /// What this word stands for.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.key() == key)
    }
}

/// What those who run a round may learn about who said what. Fixed when it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// After the reveal, who said what: by the external id of their invitation or, where it has none, its label.
    Named,
    /// After the reveal, what each said, under a name that says nothing.
    Pseudonymous,
    /// Only results of groups that are large enough, ever.
    Anonymous,
}

/// A round through its life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// Its id.
    pub id: RoundId,
    /// Raised by every write of its organisers.
    pub revision: i64,
    /// Where it stands.
    pub status: RoundStatus,
    /// What its organisers wrote.
    pub content: Content,
    /// The version of the constellation when it opened.
    pub constellation_version: Option<Version>,
    /// What it found, once it is revealed.
    pub gap_analysis: Option<GapAnalysisId>,
    /// When it opened.
    pub opened_at: Option<Moment>,
    /// When it closed.
    pub closed_at: Option<Moment>,
    /// When it was revealed.
    pub revealed_at: Option<Moment>,
    /// When it was called off.
    pub cancelled_at: Option<Moment>,
    /// When it was made.
    pub created_at: Moment,
    /// When its organisers last changed it.
    pub updated_at: Moment,
}

impl Life {
    /// What a patch may make of it: anything of a draft; of an open round, another title, other numbers expected, another baseline and a
    /// later end; of a closed one, what only its reveal uses, which is its title and its baseline.
    pub fn edit(&mut self, mut to: Content, now: Moment) -> Result<(), Broken> {
        self.can_be_edited()?;
        if self.status != RoundStatus::Draft {
            to.keep_versions(&self.content);
            Broken::unless_empty(self.fixed(&to))?;
        }
        // The end of a closed one is past.
        let now = if self.status == RoundStatus::Closed {
            self.created_at
        } else {
            now
        };
        Broken::unless_empty(to.faults(now))?;
        self.content = to;
        Ok(())
    }

    /// The rule that anything of it can be changed at all.
    pub fn can_be_edited(&self) -> Result<(), Broken> {
        match self.status {
            RoundStatus::Draft | RoundStatus::Open | RoundStatus::Closed => Ok(()),
            RoundStatus::Revealed | RoundStatus::Cancelled => Err(Broken::InvalidTransition(
                "Only a round that is not over can be changed.",
            )),
        }
    }

    /// What of these words would change what is fixed since it opened.
    fn fixed(&self, to: &Content) -> Vec<Fault> {
        let (stands, is_open) = (&self.content, self.status == RoundStatus::Open);
        let is_later = match (stands.closes_at, to.closes_at) {
            (Some(stands), Some(to)) if is_open => to >= stands,
            (stands, to) => stands == to,
        };
        let asked = |content: &Content| {
            let perspectives = content.perspectives.iter();
            let number = |one: &Expected| if is_open { 0 } else { one.expected };
            perspectives
                .map(|one| (one.perspective.clone(), one.perspective_version, number(one)))
                .collect::<Vec<_>>()
        };
        let same = [
            ("/model", stands.model == to.model),
            ("/model_version", stands.model_version == to.model_version),
            ("/constellation", stands.constellation == to.constellation),
            ("/relationship", stands.relationship == to.relationship),
            ("/perspectives", asked(stands) == asked(to)),
            ("/opens_at", stands.opens_at == to.opens_at),
            ("/closes_at", is_later),
            ("/privacy", stands.privacy == to.privacy),
            ("/minimum_group", stands.least_shown() == to.least_shown()),
            ("/consent", stands.consent == to.consent),
        ];
        let detail = "This is fixed since the round opened: only its title, its baseline and, until it closes, how many are expected and a \
                      later end can be set.";
        let changed = same.into_iter().filter(|(_, same)| !same);
        changed.map(|(at, _)| Fault::new(at, "immutable", detail)).collect()
    }

    /// The rule that only a draft is opened.
    pub fn can_be_opened(&self) -> Result<(), Broken> {
        self.is(RoundStatus::Draft, "Only a draft can be opened.")
    }

    /// Opens it, with these versions of model, perspectives (in their order) and constellation. What respondents see and what is
    /// kept of them is the same for all: a perspective that changes while they answer would tell when each of them did.
    pub fn open(
        &mut self,
        now: Moment,
        model: Version,
        perspectives: &[Version],
        constellation: Option<Version>,
    ) -> Result<(), Broken> {
        self.can_be_opened()?;
        Broken::unless_empty(self.content.faults(now))?;
        self.content.model_version = Some(model);
        for (one, version) in self.content.perspectives.iter_mut().zip(perspectives) {
            one.perspective_version = Some(*version);
        }
        self.constellation_version = constellation;
        (self.status, self.opened_at) = (RoundStatus::Open, Some(now));
        Ok(())
    }

    /// The rule that only a draft is deleted: of everything else somebody was told.
    pub fn can_be_deleted(&self) -> Result<(), Broken> {
        self.is(
            RoundStatus::Draft,
            "Only a draft can be deleted; an open round is cancelled.",
        )
    }

    /// Whether it is to have opened by itself.
    pub fn is_due(&self, now: Moment) -> bool {
        self.status == RoundStatus::Draft && self.content.opens_at.is_some_and(|opens| opens <= now)
    }

    /// Closes it.
    pub fn close(&mut self, now: Moment) -> Result<(), Broken> {
        self.is(RoundStatus::Open, "Only an open round can be closed.")?;
        (self.status, self.closed_at) = (RoundStatus::Closed, Some(now));
        Ok(())
    }

    /// The rule that only a closed round is revealed.
    pub fn can_be_revealed(&self) -> Result<(), Broken> {
        self.is(RoundStatus::Closed, "Only a closed round can be revealed.")
    }

    /// Reveals what it found.
    pub fn reveal(&mut self, now: Moment, gap_analysis: GapAnalysisId) -> Result<(), Broken> {
        self.can_be_revealed()?;
        (self.status, self.revealed_at) = (RoundStatus::Revealed, Some(now));
        self.gap_analysis = Some(gap_analysis);
        Ok(())
    }

    /// Calls it off.
    pub fn cancel(&mut self, now: Moment) -> Result<(), Broken> {
        match self.status {
            RoundStatus::Draft | RoundStatus::Open | RoundStatus::Closed => {
                (self.status, self.cancelled_at) = (RoundStatus::Cancelled, Some(now));
                Ok(())
            }
            RoundStatus::Revealed => Err(Broken::InvalidTransition("What was revealed cannot be called off.")),
            RoundStatus::Cancelled => Err(Broken::InvalidTransition("The round is called off already.")),
        }
    }

    fn is(&self, status: RoundStatus, otherwise: &'static str) -> Result<(), Broken> {
        if self.status == status {
            Ok(())
        } else {
            Err(Broken::InvalidTransition(otherwise))
        }
    }

    /// Whether respondents may answer: while it is open and its end has not come, be the job that closes it late or not.
    pub fn takes_answers(&self, now: Moment) -> bool {
        self.status == RoundStatus::Open && self.content.closes_at.is_none_or(|closes| now < closes)
    }

    /// The time of everything in it that has none of its own: midnight of the day on which it opened.
    pub fn since(&self) -> Moment {
        self.opened_at.unwrap_or(self.created_at).midnight()
    }

    /// Whether nothing may say who said what.
    pub fn is_anonymous(&self) -> bool {
        self.content.privacy == Privacy::Anonymous
    }
}
