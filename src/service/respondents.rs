//! Respondents: what an assessment is to whoever was invited to give it, and may only they do.

use uuid::{Builder, Uuid};

use super::{
    Error, Expected, Result, Revised,
    assessments::{emit, shown},
    erasure,
    transitions::submit_as,
};
use crate::{
    domain::{
        access::Respondent,
        assessment::{Answers, Assessment, Life},
        capability::{Receipt, pseudonym},
        fault::{Broken, Fault},
        id::{AssessmentId, GapAnalysisId, RoundId},
        life_cycle::{Draft, Version, Versioned},
        perspective::Life as Perspective,
        ratings::Ratings,
        round::{self, Privacy, RoundStatus},
        slug::Slug,
        tombstone::Gone,
    },
    store::{self, assessments::Found, db::Tx},
};

const ASSESSMENT: Error = Error::NotFound("assessment");

fn round(tx: &mut Tx<'_>, id: RoundId) -> Result<round::Life> {
    store::rounds::find(tx, id)?.ok_or(Error::NotFound("round"))
}

/// What a respondent saved or submitted: until it is submitted, and in an anonymous round for ever, it is kept apart.
fn kept(tx: &mut Tx<'_>, respondent: &Respondent, id: AssessmentId) -> Result<Option<Found>> {
    if let Some(found) = store::responses::find(tx, respondent, id)? {
        return Ok(Some(found));
    }
    if respondent.is_anonymous() {
        return Ok(None);
    }
    let found = store::assessments::find(tx, id)?;
    Ok(found.filter(|found| found.life.round() == Some(respondent.round)))
}

/// A respondent's own assessment; an empty draft where they saved nothing yet and still can.
pub(super) fn find(tx: &mut Tx<'_>, respondent: &Respondent, id: AssessmentId) -> Result<Found> {
    if id != respondent.assessment {
        return Err(ASSESSMENT);
    }
    let round = round(tx, respondent.round)?;
    match kept(tx, respondent, id)? {
        // What was submitted to a round that was called off can still be looked at, and erased.
        Some(found) if round.status != RoundStatus::Cancelled || found.life.versioned.newest.is_some() => Ok(found),
        Some(_) => Err(ASSESSMENT),
        None => {
            let can_begin = !respondent.by_receipt && round.takes_answers(tx.time());
            if can_begin && !store::responses::is_used(tx, id)? {
                return unsaved(tx, respondent, &round);
            }
            Err(ASSESSMENT)
        }
    }
}

/// The perspective from which they answer, in the version that the round fixed when it opened.
fn spoken(tx: &mut Tx<'_>, respondent: &Respondent, round: &round::Life) -> Result<Perspective> {
    let by_id = store::perspectives::Name::Id(respondent.perspective);
    let named = super::perspectives::find(tx, &by_id)?;
    let asked = round.content.asks(&named.slug).ok_or(ASSESSMENT)?;
    super::perspectives::spoken(tx, asked)
}

/// What a respondent has before they save anything.
fn unsaved(tx: &mut Tx<'_>, respondent: &Respondent, round: &round::Life) -> Result<Found> {
    let content = &round.content;
    let model = store::models::head(tx, &store::models::Name::Slug(content.model.clone()))?;
    let (Some(model), Some(model_version)) = (model, content.model_version) else {
        return Err(ASSESSMENT);
    };
    let perspective = spoken(tx, respondent, round)?;
    let respondent_ref = match content.privacy {
        Privacy::Named => store::invitations::of_response(tx, respondent.assessment)?.and_then(|invitation| {
            let name = invitation.external_id.map(|name| name.to_string());
            name.or(invitation.label)
        }),
        // Who answers under a pseudonym gets it with the receipt: of the invitation's token others can derive as much as they.
        Privacy::Pseudonymous | Privacy::Anonymous => None,
    };
    let answers = Answers {
        model: content.model.clone(),
        model_version,
        perspective: perspective.slug,
        perspective_version: perspective.newest.version,
        relationship: content.relationship,
        round: Some(round.id),
        respondent_ref,
        external_ids: Vec::new(),
        research_consent: None,
        ratings: Ratings::new(),
    };
    let life = Life {
        id: respondent.assessment,
        created_at: respondent.since,
        updated_at: respondent.since,
        withdrawn_at: None,
        versioned: Versioned {
            revision: 0,
            draft: Some(Draft {
                based_on: None,
                content: answers,
            }),
            newest: None,
        },
    };
    Ok(Found { model: model.id, life })
}

/// The rule that an assessment of a round is changed by its respondent alone, while the round takes answers.
pub(super) fn may_change(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let Some(of) = life.round() else { return Ok(()) };
    if tx.actor().respondent.is_none() {
        let only = "An assessment of a round is changed by nobody but its respondent.";
        return Err(Broken::ReadOnly(only).into());
    }
    if round(tx, of)?.takes_answers(tx.time()) {
        Ok(())
    } else {
        Err(Broken::InvalidTransition("The round takes no answers any more.").into())
    }
}

/// What a respondent would say that is not theirs to say.
pub(super) fn beyond(stands: &Answers, answers: &Answers) -> Vec<Fault> {
    let same = [
        ("/respondent_ref", stands.respondent_ref == answers.respondent_ref),
        ("/external_ids", stands.external_ids == answers.external_ids),
    ];
    let detail = "A respondent says nothing of who they are.";
    let changed = same.into_iter().filter(|(_, same)| !same);
    changed.map(|(at, _)| Fault::new(at, "immutable", detail)).collect()
}

/// Keeps what changed since `before`; for the first time, where nothing was saved before.
pub(super) fn keep(tx: &mut Tx<'_>, before: &Life, found: &mut Found) -> Result<()> {
    if before.versioned.revision > 0 {
        return Ok(store::assessments::save(tx, before, found)?);
    }
    found.life.versioned.revision = 1;
    store::assessments::insert(tx, found)?;
    emit(tx, &found.life, "created")
}

/// Where what is submitted moves to another id, whoever answers under a pseudonym gets it: of that id, so that it leads to their receipt
/// and not to their token, which others may have.
pub(super) fn rename(tx: &Tx<'_>, answers: &mut Answers, id: AssessmentId) {
    let privacy = tx.actor().respondent.map(|respondent| respondent.privacy);
    if privacy == Some(Privacy::Pseudonymous) {
        answers.respondent_ref = Some(pseudonym(id));
    }
}

/// The rule that what somebody answered in a round is theirs to take back: the organisation can only erase it.
pub(super) fn may_withdraw(tx: &Tx<'_>, life: &Life) -> Result<()> {
    if life.round().is_some() && tx.actor().respondent.is_none() {
        let only = "An assessment of a round is withdrawn by nobody but its respondent; it can be erased.";
        return Err(Broken::ReadOnly(only).into());
    }
    Ok(())
}

/// Does something with an assessment: openly, where the organisation sees it by now and so has to learn what becomes of it.
pub(super) fn told<T>(tx: &mut Tx<'_>, life: &Life, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    match life.round() {
        Some(of) if tx.actor().respondent.is_some() && round(tx, of)?.status == RoundStatus::Revealed => {
            tx.openly(work)
        }
        _ => work(tx),
    }
}

/// Seals a respondent's draft. The first time it gets the id of its receipt, which is shown this once; a request that is repeated
/// with its idempotency key, because the answer was lost, is answered again.
pub fn submit(
    tx: &mut Tx<'_>,
    id: AssessmentId,
    expected: &Expected,
    key: Option<Uuid>,
    random: u128,
) -> Result<Revised<Assessment>> {
    let derived = key.and_then(|key| Receipt::of_key(id, key));
    let receipt = derived.unwrap_or(Receipt::of_random(random));
    if derived.is_some()
        && let Some(respondent) = tx.actor().respondent
        && let Some(submitted) = kept(tx, &respondent, receipt.assessment())?
    {
        return Ok(with_receipt(shown(&submitted.life)?, receipt));
    }
    let found = super::assessments::find(tx, id)?;
    if found.life.versioned.newest.is_some() {
        return submit_as(tx, found, expected, id);
    }
    let submitted = submit_as(tx, found, expected, receipt.assessment())?;
    Ok(with_receipt(submitted, receipt))
}

fn with_receipt(mut revised: Revised<Assessment>, receipt: Receipt) -> Revised<Assessment> {
    revised.shown.receipt = Some(receipt.to_string());
    revised
}

/// Erases what is none of the organisation's; what a revealed analysis counted of it goes, too.
pub(super) fn erase(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    if life.versioned.revision == 0 {
        return Ok(());
    }
    store::assessments::erase(tx, life)?;
    // The id of what was not submitted is a hash of its token, of which nothing is to stay: any other says as well that something went.
    let gone = match life.versioned.newest {
        Some(_) => life.id.uuid(),
        None => Builder::from_random_bytes(rand::random()).into_uuid(),
    };
    store::tombstones::bury(tx, Gone::ResponseErased, gone)?;
    match (life.round(), &life.versioned.newest) {
        (Some(_), Some(_)) => uncount(tx, life.id),
        _ => Ok(()),
    }
}

/// The same, because a tombstone says so. Says whether it was there.
pub(super) fn erase_again(tx: &mut Tx<'_>, id: AssessmentId) -> Result<bool> {
    store::gap_analyses::hold_off_sealing(tx)?;
    match store::responses::erase_again(tx, id)? {
        Some(_) => uncount(tx, id).map(|()| true),
        None => Ok(false),
    }
}

/// Erases every version of an analysis that counted it, and seals anew without it. Where it was withheld, none did.
fn uncount(tx: &mut Tx<'_>, erased: AssessmentId) -> Result<()> {
    let counting = store::gap_analyses::counting(tx, erased)?;
    erasure::erase_counted(tx, erased, counting)
}

/// What a respondent may read beside their assessment: the form of their round, in the perspective's words as the round fixed them.
pub fn reads_form(
    tx: &mut Tx<'_>,
    respondent: &Respondent,
    model: &store::models::Name,
    version: Version,
    perspective: &Slug,
) -> Result<Perspective> {
    let round = round(tx, respondent.round)?;
    let spoken = spoken(tx, respondent, &round)?;
    let is_model = match model {
        store::models::Name::Slug(slug) => *slug == round.content.model,
        store::models::Name::Id(_) => false,
    };
    let is_theirs = is_model
        && round.content.model_version == Some(version)
        && spoken.slug == *perspective
        && round.status != RoundStatus::Cancelled;
    if is_theirs {
        Ok(spoken)
    } else {
        Err(Error::NotFound("form"))
    }
}

/// And, once their round is revealed, what it found.
pub fn reads_gap_analysis(tx: &mut Tx<'_>, respondent: &Respondent, id: GapAnalysisId) -> Result<()> {
    let round = round(tx, respondent.round)?;
    if round.status == RoundStatus::Revealed && round.gap_analysis == Some(id) {
        Ok(())
    } else {
        Err(Error::NotFound("gap analysis"))
    }
}
