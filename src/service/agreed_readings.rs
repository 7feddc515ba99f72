//! What a team agreed on after its round was revealed.

use super::{Checked, Error, Expected, Result, Revised, diff::Diff, gap_analyses, round_analysis, seal};
use crate::{
    domain::{
        agreed_reading::{AgreedReading, Content, Life},
        event::{Event, Kind},
        fault::Broken,
        id::RoundId,
        life_cycle::{Sealed, Version},
    },
    store::{
        self,
        db::Tx,
        journal,
        page::{Page, Position},
    },
};

const AGREED_READING: &str = "agreed reading";

/// The agreed reading of one of the organisation's rounds, or that there is none.
fn find(tx: &mut Tx<'_>, round: RoundId) -> Result<Life> {
    store::agreed_readings::find(tx, round)?.ok_or(Error::NotFound(AGREED_READING))
}

fn revised(life: Life) -> Revised<AgreedReading> {
    Revised {
        revision: life.revision,
        shown: AgreedReading::of_sealed(life.round, life.newest),
    }
}

/// An agreed reading's newest version.
pub fn get(tx: &mut Tx<'_>, round: RoundId) -> Result<Revised<AgreedReading>> {
    Ok(revised(find(tx, round)?))
}

/// Seals the next version of a round's agreed reading, and the next version of its gap analysis, which shows it; without a word of the
/// answers being counted anew. Says whether it is the first.
pub fn put(
    tx: &mut Tx<'_>,
    round: RoundId,
    expected: &Expected,
    body: Checked<Content>,
) -> Result<(Revised<AgreedReading>, bool)> {
    let Some(gap_analysis) = round_analysis::gap_analysis(tx, round)? else {
        let detail = "A team agrees on a reading once it has seen the answers: reveal the round first.";
        return Err(Broken::InvalidTransition(detail).into());
    };
    let found = store::agreed_readings::find(tx, round)?;
    match &found {
        None => expected.met_by_nothing()?,
        Some(life) => {
            expected.required()?;
            expected.met_by(life.revision)?;
        }
    }
    let analysed = gap_analyses::find(tx, gap_analysis)?;
    let model = gap_analyses::definition(tx, &analysed.newest.content)?;
    let content = body.check(|content| {
        Broken::unless_empty(content.faults(&model.content))?;
        Ok(content)
    })?;
    let version = found.as_ref().map_or(1, |life| life.newest.version.saturating_add(1));
    let newest = Sealed {
        version,
        seal: seal(tx, &AgreedReading::of_version(round, version, content.clone()))?,
        content,
    };
    let is_new = found.is_none();
    let mut life = Life {
        round,
        revision: found.map_or(1, |life| life.revision),
        newest,
    };
    if is_new {
        store::agreed_readings::insert(tx, &life)?;
    } else {
        store::agreed_readings::save(tx, &mut life)?;
    }
    let event = Event::new(Kind::AgreedReading, round.uuid(), "sealed", Some(version));
    store::events::emit(tx, &event)?;
    gap_analyses::agree(tx, analysed, &life.newest)?;
    Ok((revised(life), is_new))
}

/// A page of an agreed reading's versions.
pub fn versions(tx: &mut Tx<'_>, round: RoundId, page: &Page) -> Result<(Vec<journal::Line>, Option<Position>)> {
    find(tx, round)?;
    Ok(journal::list(tx, round, page)?)
}

/// A version of an agreed reading.
pub fn version(tx: &mut Tx<'_>, round: RoundId, version: Version) -> Result<AgreedReading> {
    find(tx, round)?;
    let sealed = store::agreed_readings::version(tx, round, version)?.ok_or(Error::NotFound("version"))?;
    Ok(AgreedReading::of_sealed(round, sealed))
}

/// What differs between two versions.
pub fn diff(tx: &mut Tx<'_>, round: RoundId, from: Version, to: Version) -> Result<Diff> {
    let (before, after) = (version(tx, round, from)?, version(tx, round, to)?);
    Diff::between((from, &before), (to, &after))
}
