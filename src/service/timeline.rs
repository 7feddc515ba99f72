//! The rounds about a relationship, one after the other.

use std::sync::Arc;

use super::{Error, Result, gap_analyses};
use crate::{
    domain::{
        gap_analysis::timeline::{self, Filter, Timeline, TimelineRound},
        id::RelationshipId,
    },
    store::{self, db::Tx, models::SealedModel},
};

/// The most rounds that one timeline tells of.
const MOST_ROUNDS: i64 = 100;

/// The timeline of a relationship, and the model version of the newest round, for its labels; none where no round was revealed.
pub fn of_relationship(
    tx: &mut Tx<'_>,
    id: RelationshipId,
    filter: &Filter,
) -> Result<(Timeline, Option<Arc<SealedModel>>)> {
    if store::constellations::standing(tx, id)?.is_none() {
        return Err(Error::NotFound("relationship"));
    }
    let mut rounds = Vec::new();
    for round in store::rounds::revealed_about(tx, id, MOST_ROUNDS)? {
        let (Some(found), Some(revealed_at)) = (round.gap_analysis, round.revealed_at) else {
            continue;
        };
        // One that was erased since has nothing to tell.
        let Some(life) = store::gap_analyses::find(tx, found)? else {
            continue;
        };
        let round = TimelineRound {
            id: round.id,
            title: round.content.title,
            revealed_at,
            gap_analysis: life.id,
            gap_analysis_version: life.newest.version,
        };
        rounds.push((round, life.newest.content));
    }
    let newest = rounds
        .last()
        .map(|(_, analysis)| gap_analyses::definition(tx, analysis));
    Ok((timeline::timeline(id, &rounds, filter), newest.transpose()?))
}
