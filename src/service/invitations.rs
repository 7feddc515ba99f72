//! Invitations: made, revoked, and redeemed; and receipts, which are redeemed likewise.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Checked, Error, Expected, Result, Revised, rounds};
use crate::{
    domain::{
        assessment::LONGEST_REFERENCE,
        capability::Token,
        event::{Event, Kind},
        external_id::ExternalId,
        fault::{Broken, Fault},
        gap_analysis::MOST_INPUTS,
        id::{AssessmentId, InvitationId, RoundId},
        round::{Life, Privacy},
        slug::Slug,
    },
    store::{
        self,
        db::Tx,
        invitations::{Invitation as Kept, NewInvitation},
        page::{Page, Position},
    },
};

/// The most invitations that one request makes.
pub const MOST: usize = 500;

/// Whom to invite.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationInput {
    /// From which of the round's perspectives they answer.
    #[schema(example = "service_user")]
    pub perspective: Slug,
    /// How many can redeem it: one person, who can come back; or more, for a poster, each of whom gets a token of their own.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 10_000, default = 1)]
    pub uses: i32,
    /// Who is invited. In named rounds alone.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub label: Option<String>,
    /// Who is invited, by their name in another system. In named rounds alone: their assessment has it as its `respondent_ref`,
    /// `system|value`, in place of the label. At most 199 characters together.
    #[serde(default)]
    #[schema(nullable = false)]
    pub external_id: Option<ExternalId>,
}

const fn one() -> i32 {
    1
}

/// Whom to invite: one, or several at once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitations {
    /// Several at once.
    #[serde(default)]
    #[schema(nullable = false, min_items = 1, max_items = 500)]
    pub invitations: Option<Vec<InvitationInput>>,
    /// Of one: from which of the round's perspectives they answer.
    #[serde(default)]
    #[schema(nullable = false)]
    pub perspective: Option<Slug>,
    /// Of one: how many can redeem it.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 10_000)]
    pub uses: Option<i32>,
    /// Of one: who is invited. In named rounds alone.
    #[serde(default)]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub label: Option<String>,
    /// Of one: who is invited, by their name in another system. In named rounds alone: their assessment has it as its
    /// `respondent_ref`, `system|value`, in place of the label. At most 199 characters together.
    #[serde(default)]
    #[schema(nullable = false)]
    pub external_id: Option<ExternalId>,
    /// Where a front end lets people answer: each invitation's `url` is this with its token at the end. A link that ends with
    /// `#` keeps tokens out of the logs of the servers on the way.
    #[serde(default)]
    #[schema(
        nullable = false,
        max_length = 500,
        pattern = r"^https?://[!-~]+$",
        example = "https://answer.example.org/#"
    )]
    pub link: Option<String>,
}

impl CreateInvitations {
    /// Whom to invite, each with the place where the body says so.
    fn all(self) -> Result<Vec<(String, InvitationInput)>> {
        let is_single = self.perspective.is_some() || self.uses.is_some() || self.label.is_some();
        match (self.invitations, self.perspective) {
            (Some(several), None) if !is_single && self.external_id.is_none() => {
                let place = |(place, one)| (format!("/invitations/{place}"), one);
                Ok(several.into_iter().enumerate().map(place).collect())
            }
            (None, Some(perspective)) => {
                let single = InvitationInput {
                    perspective,
                    uses: self.uses.unwrap_or(one()),
                    label: self.label,
                    external_id: self.external_id,
                };
                Ok(vec![(String::new(), single)])
            }
            (None, None) => Err(Broken::fault("/perspective", "required", "This field is missing.").into()),
            _ => {
                let detail = "Either one invitation or `invitations`, one of the two.";
                Err(Broken::fault("", "one_or_several", detail).into())
            }
        }
    }
}

/// How far somebody has come who was invited by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// They saved nothing yet.
    NotStarted,
    /// They saved something.
    Started,
    /// They submitted.
    Submitted,
}

/// An invitation, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The round.
    pub round: RoundId,
    /// From which perspective it is answered.
    #[schema(value_type = Slug)]
    pub perspective: String,
    /// What its `ETag` is made of, so that who lists invitations can revoke one: revision 1 is `If-Match: "1"`.
    #[schema(minimum = 1)]
    pub revision: i64,
    /// How many can redeem it.
    #[schema(minimum = 1, maximum = 10_000)]
    pub uses: i32,
    /// How many of these have, where it is a shared one. Of a personal one nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 10_000)]
    pub used: Option<i32>,
    /// Who is invited, in a named round.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub label: Option<String>,
    /// Who is invited, in a named round, by their name in another system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub external_id: Option<ExternalId>,
    /// How far they have come, in a named round.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub answered: Option<Answered>,
    /// Its token, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[A-Za-z0-9_-]{43}$")]
    pub token: Option<String>,
    /// The link with the token, shown this once, where the request says how links begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 543)]
    pub url: Option<String>,
}

/// What inviting answers with, one or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MadeInvitations)]
pub struct Invitations {
    /// The invitations, in the order of the request; one, where the request makes one.
    #[schema(max_items = 500)]
    pub invitations: Vec<Invitation>,
}

impl Invitations {
    /// The same without their secrets.
    #[must_use]
    pub fn without_tokens(&self) -> Self {
        let without = |one: &Invitation| Invitation {
            token: None,
            url: None,
            ..one.clone()
        };
        Self {
            invitations: self.invitations.iter().map(without).collect(),
        }
    }
}

/// What is wrong with an invitation to this round.
fn faults(round: &Life, at: &str, invitation: &InvitationInput) -> Vec<Fault> {
    let mut faults = Vec::new();
    if round.content.asks(&invitation.perspective).is_none() {
        let detail = "The round does not ask this perspective.";
        faults.push(Fault::new(format!("{at}/perspective"), "unknown_reference", detail));
    }
    if round.content.privacy != Privacy::Named {
        let detail = "Only a named round knows who is invited.";
        let named = [
            ("label", invitation.label.is_some()),
            ("external_id", invitation.external_id.is_some()),
        ];
        let given = named.into_iter().filter(|(_, is_given)| *is_given);
        faults.extend(given.map(|(name, _)| Fault::new(format!("{at}/{name}"), "not_named", detail)));
    }
    if let Some(name) = &invitation.external_id {
        let at = format!("{at}/external_id");
        faults.extend(name.own_faults(&at));
        if name.to_string().chars().count() > LONGEST_REFERENCE {
            let detail = "System and value have at most 199 characters together: `system|value` says who answered.";
            faults.push(Fault::new(at, "max_length", detail));
        }
    }
    faults
}

/// How many more a round can invite, so that one analysis takes whatever they answer.
fn left(tx: &mut Tx<'_>, round: &Life) -> Result<i64> {
    let progress = store::rounds::progress(tx, round)?;
    // Who has answered stays, whatever became of their invitation.
    let asked: i64 = progress.iter().map(|one| one.invited.max(one.started)).sum();
    Ok(i64::try_from(MOST_INPUTS)
        .unwrap_or(i64::MAX)
        .saturating_sub(asked)
        .max(0))
}

/// What is wrong with inviting these, where so many are left.
fn beyond(all: &[(String, InvitationInput)], left: i64, at: &str) -> Option<Fault> {
    let uses: i64 = all.iter().map(|(_, one)| i64::from(one.uses)).sum();
    let detail = format!("A round invites at most 10,000, as many as one analysis takes: {left} are left.");
    (uses > left).then(|| Fault::new(at, "too_many_inputs", detail))
}

/// An invitation as it is kept, and as it is shown this once.
fn made(
    id: InvitationId,
    round: &Life,
    input: InvitationInput,
    token: &Token,
    link: Option<&str>,
) -> (NewInvitation, Invitation) {
    let is_named = round.content.privacy == Privacy::Named && input.uses == 1;
    let kept = NewInvitation {
        id,
        token_hash: token.invitation(),
        perspective: input.perspective.to_string(),
        uses: input.uses,
        is_personal: false,
        label: input.label,
        external_id: input.external_id,
        response: is_named.then(|| token.assessment()),
    };
    let shown = Invitation {
        id,
        round: round.id,
        perspective: kept.perspective.clone(),
        revision: revision(0),
        uses: kept.uses,
        used: (kept.uses > 1).then_some(0),
        label: kept.label.clone(),
        external_id: kept.external_id.clone(),
        answered: is_named.then_some(Answered::NotStarted),
        url: link.map(|link| format!("{link}{}", token.expose())),
        token: Some(token.expose().to_owned()),
    };
    (kept, shown)
}

/// Invites people to a round that is open, or being prepared. `random` makes a new token each time.
pub fn create(
    tx: &mut Tx<'_>,
    round: RoundId,
    body: Checked<CreateInvitations>,
    mut random: impl FnMut() -> Token,
) -> Result<Invitations> {
    // Nobody else invites meanwhile, nor changes what invitations rest on.
    store::invitations::hold(tx, round)?;
    let round = rounds::find(tx, round)?;
    round.can_invite(tx.now())?;
    let neither = |said: &CreateInvitations| said.invitations.is_none() && said.perspective.is_none();
    if !body.faults.is_empty() && body.said.as_ref().is_some_and(neither) {
        // What is at fault was left out; that nothing else is there says nothing more.
        return Err(Broken::Invalid(body.faults).into());
    }
    let left = left(tx, &round)?;
    let (link, all) = body.check(|body| {
        let link = body.link.clone();
        let at = if body.invitations.is_some() {
            "/invitations"
        } else {
            "/uses"
        };
        let all = body.all()?;
        let own = all.iter().flat_map(|(at, one)| faults(&round, at, one));
        Broken::unless_empty(own.chain(beyond(&all, left, at)).collect())?;
        Ok((link, all))
    })?;
    let (mut new, mut shown) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    for (_, input) in all {
        let (kept, told) = made(tx.new_id(), &round, input, &random(), link.as_deref());
        new.push(kept);
        shown.push(told);
    }
    store::invitations::insert(tx, round.id, new)?;
    store::events::emit(tx, &Event::new(Kind::Round, round.id.uuid(), "invited", None))?;
    Ok(Invitations { invitations: shown })
}

/// What of an invitation changes is how many have redeemed it.
fn revision(used: i32) -> i64 {
    i64::from(used) + 1
}

/// Invitations as their organisers see them.
fn shown(tx: &mut Tx<'_>, kept: Vec<Kept>) -> Result<Vec<Invitation>> {
    let ids: Vec<AssessmentId> = kept.iter().filter_map(|invitation| invitation.response).collect();
    let answered = store::invitations::answered(tx, &ids)?;
    let shown = kept.into_iter().map(|kept| Invitation {
        id: kept.id,
        round: kept.round,
        revision: revision(kept.used),
        uses: kept.uses,
        used: (kept.uses > 1).then_some(kept.used),
        external_id: kept.external_id,
        answered: kept.response.map(|id| match answered.get(&id) {
            None => Answered::NotStarted,
            Some(false) => Answered::Started,
            Some(true) => Answered::Submitted,
        }),
        perspective: kept.perspective,
        label: kept.label,
        token: None,
        url: None,
    });
    Ok(shown.collect())
}

/// A page of a round's invitations; of those from one perspective, where it is named.
pub fn list(
    tx: &mut Tx<'_>,
    round: RoundId,
    perspective: Option<&Slug>,
    page: &Page,
) -> Result<(Vec<Invitation>, Option<Position>)> {
    rounds::find(tx, round)?;
    let (kept, next) = store::invitations::list(tx, round, perspective, page)?;
    Ok((shown(tx, kept)?, next))
}

fn kept(tx: &mut Tx<'_>, round: RoundId, id: InvitationId) -> Result<Kept> {
    store::invitations::find(tx, round, id)?.ok_or(Error::NotFound("invitation"))
}

/// One of a round's invitations.
pub fn get(tx: &mut Tx<'_>, round: RoundId, id: InvitationId) -> Result<Revised<Invitation>> {
    let kept = kept(tx, round, id)?;
    let shown = shown(tx, vec![kept])?.pop().ok_or(Error::NotFound("invitation"))?;
    Ok(Revised {
        revision: shown.revision,
        shown,
    })
}

/// Ends an invitation: nobody redeems it any more. Who has taken a use of a shared one goes on with the token they got for it.
pub fn revoke(tx: &mut Tx<'_>, round: RoundId, id: InvitationId, expected: &Expected) -> Result<()> {
    let kept = kept(tx, round, id)?;
    expected.required()?;
    expected.met_by(revision(kept.used))?;
    Ok(store::invitations::delete(tx, &kept)?)
}
