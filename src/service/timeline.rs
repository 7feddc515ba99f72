//! The rounds about a relationship, one after the other.

use std::sync::Arc;

use super::{Error, Result, gap_analyses, models::referred};
use crate::{
    domain::{
        fault::Fault,
        gap_analysis::{
            Analysis,
            timeline::{self, Filter, Timeline, TimelineRound, Told},
        },
        id::RelationshipId,
        slug::Slug,
    },
    store::{self, db::Tx, models::SealedModel},
};

/// The most rounds that one timeline tells of.
const MOST_ROUNDS: i64 = 100;

/// A timeline, and the model version of its newest round, for the labels; none where no round was revealed.
type Labelled = (Timeline, Option<Arc<SealedModel>>);

/// The timeline of a relationship, or all that the filter names and no round knows.
pub fn of_relationship(
    tx: &mut Tx<'_>,
    id: RelationshipId,
    filter: &Filter,
) -> Result<std::result::Result<Labelled, Vec<Fault>>> {
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
        let analysis = life.newest.content;
        rounds.push(Told {
            family: family(tx, &analysis)?,
            round: TimelineRound {
                id: round.id,
                title: round.content.title,
                model: analysis.model.slug.clone(),
                model_version: analysis.model.version,
                revealed_at,
                gap_analysis: life.id,
                gap_analysis_version: life.newest.version,
            },
            analysis,
        });
    }
    let faults = filter.faults(&rounds);
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let newest = rounds.last().map(|told| gap_analyses::definition(tx, &told.analysis));
    Ok(Ok((timeline::timeline(id, &rounds, filter), newest.transpose()?)))
}

/// The model at the beginning of the lineage of an analysis's model.
fn family(tx: &mut Tx<'_>, analysis: &Analysis) -> Result<Slug> {
    let mut family = analysis.model.slug.clone();
    let mut model = gap_analyses::definition(tx, analysis)?;
    while let Some(origin) = model.content.lineage.clone() {
        model = referred(tx, &origin.model, Some(origin.version))?.1;
        family = origin.model;
    }
    Ok(family)
}
