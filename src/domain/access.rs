//! On whose behalf something is done.

use super::{
    id::{AssessmentId, ClientId, OrganisationId, PerspectiveId, RoundId},
    moment::Moment,
    round::Privacy,
};

/// Somebody without an account, who was invited to a round: what their access token is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Respondent {
    /// The round.
    pub round: RoundId,
    /// Their assessment, which need not be there yet.
    pub assessment: AssessmentId,
    /// From whose perspective they answer.
    pub perspective: PerspectiveId,
    /// Midnight (UTC) of the day on which the round opened: the time of everything that has none of its own.
    pub since: Moment,
    /// What may be known of them.
    pub privacy: Privacy,
    /// Whether a receipt let them in: what is no longer there does not begin anew.
    pub by_receipt: bool,
}

/// Who acts: the organisation whose things are touched, and the client or the respondent that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The organisation. Nil for the service itself, which owns what is public.
    pub organisation: OrganisationId,
    /// The client. Nil for the service itself, and for respondents.
    pub client: ClientId,
    /// The respondent, where no client asked.
    pub respondent: Option<Respondent>,
}

impl Respondent {
    /// Whether nothing of theirs is ever the organisation's to see.
    pub fn is_anonymous(&self) -> bool {
        self.privacy == Privacy::Anonymous
    }

    /// Whether nothing may say when they did what: the hour of an answer is as good as a name to whoever saw them answer.
    pub fn is_untimed(&self) -> bool {
        self.privacy != Privacy::Named
    }
}

impl Actor {
    /// The service itself: owner of the public model and the built-in perspectives.
    pub const SERVICE: Self = Self::service_for(OrganisationId::NIL);

    /// The service itself, at work inside an organisation (retention, the command line).
    pub const fn service_for(organisation: OrganisationId) -> Self {
        Self {
            organisation,
            client: ClientId::NIL,
            respondent: None,
        }
    }

    /// A respondent of whom nothing may say when they did what.
    pub fn untimed(&self) -> Option<&Respondent> {
        self.respondent.as_ref().filter(|respondent| respondent.is_untimed())
    }
}
