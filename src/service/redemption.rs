//! What tokens of invitations and receipts are good for.

use super::{Error, Result};
use crate::{
    domain::{
        access::Respondent,
        capability::{Receipt, Token},
        id::{AssessmentId, InvitationId, OrganisationId, RoundId},
        round::{Life, RoundStatus},
        slug::Slug,
    },
    store::{
        self,
        db::Tx,
        invitations::{Invitation as Kept, NewInvitation},
        perspectives::Name,
    },
};

/// What somebody gets for a token or a receipt.
#[derive(Debug, Clone, PartialEq)]
pub struct Redeemed {
    /// What their access token is bound to.
    pub respondent: Respondent,
    /// The round.
    pub round: Life,
    /// From which perspective they answer.
    pub perspective: Slug,
    /// The token of their own that they got for a shared one.
    pub token: Option<Token>,
}

/// What was found for a token.
#[derive(Debug, Clone, PartialEq)]
pub enum Redemption {
    /// Nothing has to be written.
    Personal(Box<Redeemed>),
    /// A use has to be taken.
    Shared,
}

/// The same for everything that leads nowhere, be it unknown, used, revoked or over.
const NOWHERE: Error = Error::NotFound("invitation, or it cannot be used any more");

fn redeemed(tx: &mut Tx<'_>, round: Life, perspective: &Slug, id: AssessmentId) -> Result<Redeemed> {
    let perspective = store::perspectives::find(tx, &Name::Slug(perspective.clone()))?.ok_or(NOWHERE)?;
    Ok(Redeemed {
        respondent: Respondent {
            round: round.id,
            assessment: id,
            perspective: perspective.id,
            since: round.since(),
            privacy: round.content.privacy,
            by_receipt: false,
        },
        perspective: perspective.slug,
        round,
        token: None,
    })
}

/// Whose an invitation is.
pub fn owner(tx: &mut Tx<'_>, token: &Token) -> Result<OrganisationId> {
    store::invitations::owner(tx, &token.invitation())?.ok_or(NOWHERE)
}

fn of_token(tx: &mut Tx<'_>, token: &Token) -> Result<(Kept, Slug, Life)> {
    let kept = store::invitations::of_token(tx, &token.invitation())?.ok_or(NOWHERE)?;
    let round = store::rounds::find(tx, kept.round)?.ok_or(NOWHERE)?;
    let perspective = kept.perspective.parse().map_err(|_| NOWHERE)?;
    Ok((kept, perspective, round))
}

/// Redeems an invitation: until it was submitted, and once its round is revealed. Nothing is written.
pub fn redeem(tx: &mut Tx<'_>, token: &Token) -> Result<Redemption> {
    let (kept, perspective, round) = of_token(tx, token)?;
    let takes_answers = round.takes_answers(tx.now());
    if kept.uses > 1 {
        return if takes_answers && kept.used < kept.uses {
            Ok(Redemption::Shared)
        } else {
            Err(NOWHERE)
        };
    }
    let can_answer = takes_answers && !store::responses::is_used(tx, token.assessment())?;
    if can_answer || round.status == RoundStatus::Revealed {
        let redeemed = redeemed(tx, round, &perspective, token.assessment())?;
        return Ok(Redemption::Personal(Box::new(redeemed)));
    }
    Err(NOWHERE)
}

/// Takes one use of a shared invitation, and makes one of its own for whoever took it. That one has no time in it.
pub fn take(tx: &mut Tx<'_>, token: &Token, own: &Token, id: InvitationId) -> Result<Redeemed> {
    let (kept, perspective, round) = of_token(tx, token)?;
    if !round.takes_answers(tx.now()) || !store::invitations::take(tx, kept.id)? {
        return Err(NOWHERE);
    }
    let personal = NewInvitation {
        id,
        token_hash: own.invitation(),
        perspective: kept.perspective,
        uses: 1,
        is_personal: true,
        label: None,
        external_id: None,
        response: None,
    };
    store::invitations::insert(tx, round.id, vec![personal])?;
    let redeemed = redeemed(tx, round, &perspective, own.assessment())?;
    Ok(Redeemed {
        token: Some(own.clone()),
        ..redeemed
    })
}

/// Whose, of which round and from which perspective what a receipt leads to is.
pub fn of_receipt(tx: &mut Tx<'_>, receipt: Receipt) -> Result<(OrganisationId, RoundId, Slug)> {
    store::responses::of_receipt(tx, receipt.assessment())?.ok_or(NOWHERE)
}

/// Redeems a receipt.
pub fn redeem_receipt(tx: &mut Tx<'_>, receipt: Receipt, round: RoundId, perspective: &Slug) -> Result<Redeemed> {
    let round = store::rounds::find(tx, round)?.ok_or(NOWHERE)?;
    let mut redeemed = redeemed(tx, round, perspective, receipt.assessment())?;
    redeemed.respondent.by_receipt = true;
    Ok(redeemed)
}
