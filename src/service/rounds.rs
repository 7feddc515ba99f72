//! Rounds: prepared, opened, closed, revealed, called off.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Checked, Error, Expected, Result, Revised, merged, models::referred, perspectives, round_analysis};
use crate::{
    domain::{
        event::{Event, Kind},
        fault::{Broken, Fault},
        id::{ConstellationId, OrganisationId, RelationshipId, RoundId},
        life_cycle::Version,
        model::ModelStatus,
        moment::{DateOrTime, Moment},
        round::{self, Consent, Content, Life, Privacy, Round, RoundStatus},
        slug::Slug,
    },
    store::{
        self,
        db::Tx,
        page::{Page, Position},
        perspectives::Name,
        rounds::Filter,
    },
};

/// What to change of a round (JSON merge patch, RFC 7396): anything of a draft; of an open round its title, its baseline, how many are
/// `expected`, and a later end; of a closed one its title and its baseline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchRound {
    /// What people call it.
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Spring 2026")]
    title: Option<String>,
    /// The model that is rated.
    #[schema(nullable = false)]
    model: Option<Slug>,
    /// The version of that model; `null` for the newest when the round opens.
    #[schema(value_type = Option<i32>, minimum = 1)]
    model_version: Option<Version>,
    /// The constellation it is about.
    constellation: Option<ConstellationId>,
    /// The relationship it is about; `null` for the service as a whole.
    relationship: Option<RelationshipId>,
    /// Who is asked, all of them; of an open round the same in the same order, with how many are `expected` now.
    #[schema(nullable = false, min_items = 1, max_items = 20)]
    perspectives: Option<Vec<round::Expected>>,
    /// When it opens by itself, within a minute of that; `null` for never.
    #[schema(value_type = Option<DateOrTime>)]
    opens_at: Option<Moment>,
    /// When it closes by itself: from then on nobody answers, and within a minute it is `closed`. Never in the past; `null` for never.
    #[schema(value_type = Option<DateOrTime>)]
    closes_at: Option<Moment>,
    /// What its organisers may learn about who said what.
    #[schema(nullable = false)]
    privacy: Option<Privacy>,
    /// How many must have answered from a perspective before anything is shown of it; `null` for 3 in an anonymous round, and for
    /// everything that there is in any other.
    #[schema(minimum = 2, maximum = 100)]
    minimum_group: Option<i32>,
    /// What respondents agree to.
    #[schema(nullable = false)]
    consent: Option<Consent>,
    /// The round to compare with; `null` for none.
    baseline: Option<RoundId>,
}

/// One of the organisation's rounds, or that there is none.
pub fn find(tx: &mut Tx<'_>, id: RoundId) -> Result<Life> {
    store::rounds::find(tx, id)?.ok_or(Error::NotFound("round"))
}

fn shown(tx: &mut Tx<'_>, life: &Life) -> Result<Revised<Round>> {
    let progress = store::rounds::progress(tx, life)?;
    let mut shown = Round::of(life, Some(progress));
    if life.is_due(tx.now()) {
        shown.cannot_open = obstacles(tx, life)?;
    }
    Ok(Revised {
        shown,
        revision: life.revision,
    })
}

fn emit(tx: &mut Tx<'_>, life: &Life, what: &'static str) -> Result<()> {
    Ok(store::events::emit(
        tx,
        &Event::new(Kind::Round, life.id.uuid(), what, None),
    )?)
}

/// A round, and how far it has come.
pub fn get(tx: &mut Tx<'_>, id: RoundId) -> Result<Revised<Round>> {
    let life = find(tx, id)?;
    shown(tx, &life)
}

/// A page of the organisation's rounds, without their progress.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<Round>, Option<Position>)> {
    let (lives, next) = store::rounds::list(tx, filter, page)?;
    Ok((lives.iter().map(|life| Round::of(life, None)).collect(), next))
}

/// The same content with the constellation that its relationship belongs to, or everything that it refers to and is not there.
fn referring(tx: &mut Tx<'_>, mut content: Content, stands: Option<&Life>) -> Result<Content> {
    let unknown = |at: String, detail: &str| Fault::new(at, "unknown_reference", detail);
    let mut faults = content.faults(tx.now());
    if let Some(stands) = stands
        && stands.content != content
    {
        store::invitations::hold(tx, stands.id)?;
        let invited = store::invitations::perspectives(tx, stands.id)?;
        faults.extend(stands.bound(&content, &invited));
    }
    match referred(tx, &content.model, content.model_version) {
        Err(Error::Broken(Broken::Invalid(more))) => faults.extend(more),
        outcome => drop(outcome?),
    }
    for (place, one) in content.perspectives.iter().enumerate() {
        let at = format!("/perspectives/{place}/perspective");
        match store::perspectives::find(tx, &Name::Slug(one.perspective.clone()))? {
            None => faults.push(unknown(at, "There is no perspective of this name.")),
            Some(life) => {
                if let Some(version) = one.perspective_version
                    && store::perspectives::version(tx, life.id, version)?.is_none()
                {
                    faults.push(unknown(format!("{at}_version"), "There is no such version of it."));
                }
            }
        }
    }
    if let Some(id) = content.relationship {
        let at = "/relationship".to_owned();
        match store::constellations::standing(tx, id)? {
            None => faults.push(unknown(at, "There is no such relationship.")),
            Some(standing) if standing.is_retired => faults.push(unknown(at, "The relationship is retired.")),
            Some(standing) => match content.constellation {
                Some(named) if named != standing.constellation => {
                    let detail = "The relationship belongs to another constellation.";
                    faults.push(Fault::new("/constellation", "contradiction", detail));
                }
                _ => content.constellation = Some(standing.constellation),
            },
        }
    } else if let Some(id) = content.constellation
        && store::constellations::find(tx, id)?.is_none()
    {
        faults.push(unknown("/constellation".to_owned(), "There is no such constellation."));
    }
    faults.extend(no_baseline(tx, &content, stands.map(|own| own.id))?);
    Broken::unless_empty(faults)?;
    Ok(content)
}

/// Why the baseline that is named is none, if so: there is no such other round, or it will never find anything.
fn no_baseline(tx: &mut Tx<'_>, content: &Content, own: Option<RoundId>) -> Result<Option<Fault>> {
    let Some(id) = content.baseline else { return Ok(None) };
    let detail = match store::rounds::find(tx, id)? {
        Some(life) if life.status == RoundStatus::Cancelled => "That round was called off.",
        Some(_) if own != Some(id) => return Ok(None),
        _ => "There is no such other round.",
    };
    Ok(Some(Fault::new("/baseline", "unknown_reference", detail)))
}

/// Makes the draft of a round.
pub fn create(tx: &mut Tx<'_>, body: Checked<Content>) -> Result<Revised<Round>> {
    let content = body.check(|content| referring(tx, content, None))?;
    let life = Life {
        id: tx.new_id(),
        revision: 1,
        status: RoundStatus::Draft,
        content,
        constellation_version: None,
        gap_analysis: None,
        opened_at: None,
        closed_at: None,
        revealed_at: None,
        cancelled_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    store::rounds::insert(tx, &life)?;
    emit(tx, &life, "created")?;
    shown(tx, &life)
}

/// Changes a round.
pub fn patch(tx: &mut Tx<'_>, id: RoundId, expected: &Expected, body: Checked<Value>) -> Result<Revised<Round>> {
    let mut life = find(tx, id)?;
    expected.required()?;
    // Whether anything of it can be changed is told before what is wrong with the change.
    life.can_be_edited()?;
    expected.met_by(life.revision)?;
    let (stands, now) = (life.clone(), tx.now());
    life = body.check(|patch| {
        let mut life = stands;
        let content: Content = merged(&life.content, &patch)?;
        if life.status == RoundStatus::Draft {
            life.edit(referring(tx, content, Some(&life))?, now)?;
        } else {
            let other = (content.baseline != life.content.baseline).then(|| no_baseline(tx, &content, Some(id)));
            let faults = other.transpose()?.flatten();
            life.edit(content, now)?;
            Broken::unless_empty(faults.into_iter().collect())?;
        }
        Ok(life)
    })?;
    store::rounds::save(tx, &mut life)?;
    emit(tx, &life, "changed")?;
    shown(tx, &life)
}

/// Loads a round, changes its state, and keeps it.
fn change(
    tx: &mut Tx<'_>,
    id: RoundId,
    expected: &Expected,
    what: &'static str,
    change: impl FnOnce(&mut Life, &mut Tx<'_>) -> Result<()>,
) -> Result<Revised<Round>> {
    let mut life = find(tx, id)?;
    let before = life.revision;
    change(&mut life, tx)?;
    expected.met_by(before)?;
    store::rounds::save(tx, &mut life)?;
    emit(tx, &life, what)?;
    shown(tx, &life)
}

/// Opens a round: its model's version, its privacy and the rest of it are fixed from now on.
pub fn open(tx: &mut Tx<'_>, id: RoundId, expected: &Expected) -> Result<Revised<Round>> {
    change(tx, id, expected, "opened", |life, tx| {
        // Only a draft can be opened: that is told before anything that stands in its way.
        life.can_be_opened()?;
        let (model, perspectives, constellation) = openable(tx, life)?;
        Ok(life.open(tx.now(), model, &perspectives, constellation)?)
    })
}

/// The versions of model, perspectives and constellation with which a draft opens, or what keeps it from opening.
fn openable(tx: &mut Tx<'_>, life: &Life) -> Result<(Version, Vec<Version>, Option<Version>)> {
    let content = referring(tx, life.content.clone(), Some(life))?;
    let (head, model) = referred(tx, &content.model, content.model_version)?;
    if head.status() == ModelStatus::Retired {
        return Err(Broken::ModelRetired.into());
    }
    let constellation = match content.constellation {
        Some(id) => store::constellations::find(tx, id)?.map(|life| life.newest.version),
        None => None,
    };
    let perspectives: Result<Vec<Version>> = content
        .perspectives
        .iter()
        .map(|one| Ok(perspectives::spoken(tx, one)?.newest.version))
        .collect();
    Ok((model.version, perspectives?, constellation))
}

/// All that keeps a draft from opening, each with the place in it.
fn obstacles(tx: &mut Tx<'_>, life: &Life) -> Result<Vec<Fault>> {
    match openable(tx, life) {
        Ok(_) => Ok(Vec::new()),
        Err(Error::Broken(Broken::Invalid(faults))) => Ok(faults),
        Err(Error::Broken(broken)) => Ok(vec![Fault::new("/model", "model_retired", broken.to_string())]),
        Err(other) => Err(other),
    }
}

/// Erases what was saved in a round and not submitted.
fn clear(tx: &mut Tx<'_>, id: RoundId) -> Result<()> {
    store::responses::close(tx, id)?;
    Ok(store::rounds::discard_drafts(tx, id)?)
}

/// Closes a round: nobody answers any more, and what was not submitted is erased.
pub fn close(tx: &mut Tx<'_>, id: RoundId, expected: &Expected) -> Result<Revised<Round>> {
    change(tx, id, expected, "closed", |life, tx| {
        life.close(tx.now())?;
        clear(tx, id)
    })
}

/// Calls a round off: its respondents' tokens end, and what was not submitted is erased.
pub fn cancel(tx: &mut Tx<'_>, id: RoundId, expected: &Expected) -> Result<Revised<Round>> {
    change(tx, id, expected, "cancelled", |life, tx| {
        life.cancel(tx.now())?;
        clear(tx, id)
    })
}

/// Deletes a draft, with its invitations.
pub fn delete(tx: &mut Tx<'_>, id: RoundId, expected: &Expected) -> Result<()> {
    store::invitations::hold(tx, id)?;
    let life = find(tx, id)?;
    expected.required()?;
    life.can_be_deleted()?;
    expected.met_by(life.revision)?;
    store::rounds::delete(tx, &life)?;
    emit(tx, &life, "deleted")
}

/// Reveals what a closed round found.
pub fn reveal(tx: &mut Tx<'_>, id: RoundId, expected: &Expected) -> Result<Revised<Round>> {
    change(tx, id, expected, "revealed", |life, tx| {
        life.can_be_revealed()?;
        clear(tx, id)?;
        let found = round_analysis::reveal(tx, life)?;
        Ok(life.reveal(tx.now(), found)?)
    })
}

/// The rounds of all organisations that open or close by themselves now, at most so many.
pub fn due(tx: &mut Tx<'_>, most: i64) -> Result<Vec<(OrganisationId, RoundId)>> {
    Ok(store::rounds::due(tx, most)?)
}

/// Opens or closes a round whose time has come, or tells what was submitted to one that was revealed; one that was changed meanwhile is left alone.
pub fn step(tx: &mut Tx<'_>, id: RoundId) -> Result<()> {
    let life = find(tx, id)?;
    let is_due = |at: Option<Moment>| at.is_some_and(|at| at <= tx.now());
    match life.status {
        RoundStatus::Draft if life.is_due(tx.now()) => open(tx, id, &Expected::Unsaid).map(drop),
        RoundStatus::Open if is_due(life.content.closes_at) => close(tx, id, &Expected::Unsaid).map(drop),
        RoundStatus::Revealed => Ok(store::rounds::tell(tx, id)?),
        _ => Ok(()),
    }
}

/// The rounds of all organisations that ended lately.
pub fn just_ended(tx: &mut Tx<'_>) -> Result<Vec<(OrganisationId, RoundId)>> {
    Ok(store::rounds::just_ended(tx)?)
}

/// Erases what was being saved at the moment when a round ended, and came late.
pub fn clear_again(tx: &mut Tx<'_>, id: RoundId) -> Result<()> {
    match find(tx, id)?.status {
        RoundStatus::Open => Ok(()),
        _ => clear(tx, id),
    }
}
