//! Constellations: every change seals the next version; what assessments name stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Checked, Error, Expected, Result, Revised, diff::Diff, gap_analyses, merged, seal};
use crate::{
    domain::{
        constellation::{Authored, Constellation, ConstellationItem, Content, Life, Party, RelationshipInput},
        event::{Event, Kind},
        external_id::ExternalId,
        gap_analysis::{
            Analysis, RelationshipReading, Voice, by_relationship, by_shown_relationship, weakest_relationships,
        },
        id::{AssessmentId, ConstellationId, GapAnalysisId, RelationshipId},
        life_cycle::{Sealed, Version},
    },
    store::{
        self,
        db::Tx,
        journal,
        models::SealedModel,
        page::{Page, Position},
    },
};

const CONSTELLATION: &str = "constellation";

/// What to change of a constellation (JSON merge patch, RFC 7396): lists are replaced as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchConstellation {
    /// What people call it.
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Supported housing")]
    title: Option<String>,
    /// What it is about; `null` takes that away.
    #[schema(max_length = 4000)]
    description: Option<String>,
    /// Its names in other systems, all of them; `null` takes them away.
    #[schema(max_items = 20)]
    external_ids: Option<Vec<ExternalId>>,
    /// Who takes part, all of them. Who is left out stays, retired, where a retired relationship refers to them.
    #[schema(nullable = false, max_items = 50)]
    parties: Option<Vec<Party>>,
    /// How they relate, all of it: with its `id`, a relationship is the one that it was; without, it is new. One that is
    /// left out stays, retired, where an assessment names it.
    #[schema(nullable = false, max_items = 200)]
    relationships: Option<Vec<RelationshipInput>>,
}

/// One of the organisation's constellations, or that there is none.
pub fn find(tx: &mut Tx<'_>, id: ConstellationId) -> Result<Life> {
    store::constellations::find(tx, id)?.ok_or(Error::NotFound(CONSTELLATION))
}

fn revised(life: &Life) -> Revised<Constellation> {
    Revised {
        shown: life.shown(),
        revision: life.revision,
    }
}

/// A constellation's newest version.
pub fn get(tx: &mut Tx<'_>, id: ConstellationId) -> Result<Revised<Constellation>> {
    Ok(revised(&find(tx, id)?))
}

/// A page of the organisation's constellations, without their parties and relationships.
pub fn list(
    tx: &mut Tx<'_>,
    external_id: Option<&ExternalId>,
    page: &Page,
) -> Result<(Vec<ConstellationItem>, Option<Position>)> {
    Ok(store::constellations::list(tx, external_id, page)?)
}

/// Seals version 1 of a new constellation.
pub fn create(tx: &mut Tx<'_>, body: Checked<Authored>) -> Result<Revised<Constellation>> {
    let content = body.check(|body| Ok(body.sealed_after(None, &BTreeSet::new(), || tx.new_id())?))?;
    let id = tx.new_id();
    let life = Life {
        id,
        revision: 1,
        newest: sealed(tx, id, 1, content)?,
    };
    store::constellations::insert(tx, &life)?;
    emit(tx, &life)?;
    Ok(revised(&life))
}

/// Seals the next version.
pub fn patch(
    tx: &mut Tx<'_>,
    id: ConstellationId,
    expected: &Expected,
    body: Checked<Value>,
) -> Result<Revised<Constellation>> {
    let mut life = find(tx, id)?;
    expected.required()?;
    expected.met_by(life.revision)?;
    let before = life.newest.content.clone();
    let used = store::constellations::used(tx, id)?;
    let content = body.check(|patch| {
        let authored: Authored = merged(&Authored::from(before.clone()), &patch)?;
        Ok(authored.sealed_after(Some(&before), &used, || tx.new_id())?)
    })?;
    life.newest = sealed(tx, id, life.newest.version.saturating_add(1), content)?;
    store::constellations::save(tx, &before, &mut life)?;
    emit(tx, &life)?;
    Ok(revised(&life))
}

fn sealed(tx: &Tx<'_>, id: ConstellationId, version: Version, content: Content) -> Result<Sealed<Content>> {
    let seal = seal(tx, &Constellation::of_version(id, version, content.clone()))?;
    Ok(Sealed { version, content, seal })
}

fn emit(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let event = Event::new(Kind::Constellation, life.id.uuid(), "sealed", Some(life.newest.version));
    Ok(store::events::emit(tx, &event)?)
}

/// A page of a constellation's versions.
pub fn versions(tx: &mut Tx<'_>, id: ConstellationId, page: &Page) -> Result<(Vec<journal::Line>, Option<Position>)> {
    find(tx, id)?;
    Ok(journal::list(tx, id, page)?)
}

/// A version of a constellation.
pub fn version(tx: &mut Tx<'_>, id: ConstellationId, version: Version) -> Result<Constellation> {
    find(tx, id)?;
    let sealed = store::constellations::version(tx, id, version)?.ok_or(Error::NotFound("version"))?;
    Ok(Constellation::of_sealed(id, sealed))
}

/// What differs between two versions.
pub fn diff(tx: &mut Tx<'_>, id: ConstellationId, from: Version, to: Version) -> Result<Diff> {
    let (before, after) = (version(tx, id, from)?, version(tx, id, to)?);
    Diff::between((from, &before), (to, &after))
}

/// How a constellation's relationships stand, as a gap analysis has counted it.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// What the analysis is called.
    pub title: Option<String>,
    /// Its version.
    pub version: Version,
    /// The model version it was made with, for its labels.
    pub model: Arc<SealedModel>,
    /// How each relationship stands that it has assessments of.
    pub readings: BTreeMap<RelationshipId, RelationshipReading>,
    /// Those that stand lowest, where others stand higher.
    pub weakest: BTreeSet<RelationshipId>,
}

/// How the relationships of a constellation stand today, as the newest version of a gap analysis has counted it.
pub fn weighed(tx: &mut Tx<'_>, constellation: &Constellation, id: GapAnalysisId) -> Result<Weighed> {
    let sealed = gap_analyses::find(tx, id)?.newest;
    let analysis = &sealed.content;
    let model = gap_analyses::definition(tx, analysis)?;
    let is_of_today = |id: &RelationshipId| {
        let relationship = constellation.content.relationship(*id);
        relationship.is_some_and(|relationship| !relationship.retired)
    };
    let mut readings = match analysis.minimum_group {
        Some(_) => by_shown_relationship(analysis),
        None => by_relationship(voices(tx, analysis)?, model.content.keys().count()),
    };
    readings.retain(|id, _| is_of_today(id));
    Ok(Weighed {
        title: analysis.title.clone(),
        version: sealed.version,
        weakest: weakest_relationships(&readings),
        model,
        readings,
    })
}

/// What an analysis has counted about relationships.
fn voices(tx: &mut Tx<'_>, analysis: &Analysis) -> Result<Vec<Voice>> {
    let inputs = analysis.inputs.iter().filter(|input| input.relationship.is_some());
    let counted: BTreeMap<AssessmentId, Version> = inputs
        .clone()
        .filter_map(|input| Some((input.assessment?, input.version?)))
        .collect();
    let mut levels = store::assessment_lists::levels(tx, &counted)?;
    let voices = inputs.filter_map(|input| {
        Some(Voice {
            assessment: input.assessment,
            version: input.version,
            digest: input.digest.clone(),
            perspective: input.perspective.clone(),
            relationship: input.relationship,
            levels: levels.remove(&input.assessment?)?,
        })
    });
    Ok(voices.collect())
}
