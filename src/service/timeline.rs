//! The rounds about a relationship, one after the other.

use std::sync::Arc;

use super::{Error, Result, gap_analyses, round_analysis};
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
    for revealed in round_analysis::revealed(tx, id, MOST_ROUNDS)? {
        // One that was erased since has nothing to tell.
        let Some(life) = store::gap_analyses::find(tx, revealed.gap_analysis)? else {
            continue;
        };
        let round = TimelineRound {
            id: revealed.id,
            title: revealed.title,
            revealed_at: revealed.at,
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
