//! Gap analyses, as they are kept.

use std::collections::BTreeSet;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, NullableExpressionMethods, OptionalExtension, QueryDsl,
    RunQueryDsl,
};
use uuid::Uuid;

use super::{
    error::{Error, Result},
    fork::{Json, either},
    journal,
    schema::{
        analysis_sources::{self, dsl as dsl_of_sources},
        gap_analyses::{self, dsl},
        sealed_versions,
    },
    tx::Tx,
};
use crate::domain::{
    event::Kind,
    gap_analysis::{Analysis, Life, Request, Sources, Summary},
    id::{AssessmentId, GapAnalysisId, OrganisationId},
    life_cycle::{Sealed, Version},
    moment::Moment,
};

type Row = (
    GapAnalysisId,
    i64,
    Version,
    Json<Request>,
    Moment,
    Option<journal::Columns<Analysis>>,
);

fn life((id, revision, last_version, Json(request), updated_at, newest): Row) -> Result<Life> {
    let newest = newest.map(journal::sealed).map(journal::without_levels);
    Ok(Life {
        id,
        revision,
        last_version,
        request,
        updated_at,
        newest: newest.ok_or(Error::Corrupt("a gap analysis without a version"))?,
    })
}

macro_rules! with_newest {
    ($tx:expr) => {
        dsl::gap_analyses
            .left_join(journal::newest!(dsl))
            .filter(dsl::organisation_id.eq($tx.own()))
            .select((
                dsl::id,
                dsl::revision,
                dsl::last_version,
                dsl::request,
                dsl::updated_at,
                NullableExpressionMethods::nullable(journal::columns!()),
            ))
    };
}

/// What sealing and erasing exclude each other by.
const SOURCES: &str = "sources of gap analyses";

/// Lets no assessment be erased until this transaction ends, so that none is counted that an erasure has overlooked.
pub fn hold_off_erasures(tx: &mut Tx<'_>) -> Result<()> {
    tx.hold(SOURCES, &[], false)
}

/// Lets no gap analysis be sealed until this transaction ends, so that an erasure overlooks none.
pub fn hold_off_sealing(tx: &mut Tx<'_>) -> Result<()> {
    tx.hold(SOURCES, &[], true)
}

/// One of the organisation's gap analyses.
pub fn find(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<Option<Life>> {
    let row: Option<Row> = with_newest!(tx).filter(dsl::id.eq(id)).get_result(tx.conn).optional()?;
    row.map(life).transpose()
}

/// The number of the newest version of one of the organisation's gap analyses.
pub fn newest_version(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<Option<Version>> {
    Ok(dsl::gap_analyses
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .select(dsl::version)
        .get_result(tx.conn)
        .optional()?)
}

/// A version of one of the organisation's gap analyses.
pub fn version(tx: &mut Tx<'_>, id: GapAnalysisId, version: Version) -> Result<Option<Sealed<Analysis>>> {
    Ok(journal::find::<_, Analysis>(tx, id, version)?.map(journal::without_levels))
}

#[derive(Insertable)]
#[diesel(table_name = gap_analyses, treat_none_as_default_value = false)]
struct NewRow {
    organisation_id: OrganisationId,
    id: GapAnalysisId,
    revision: i64,
    version: Version,
    last_version: Version,
    request: Json<Request>,
    summary: Json<Summary>,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps a new gap analysis and its first version, which was computed from these.
pub fn insert(tx: &mut Tx<'_>, life: &Life, from: &Sources) -> Result<()> {
    diesel::insert_into(dsl::gap_analyses)
        .values(NewRow {
            organisation_id: tx.own(),
            id: life.id,
            revision: life.revision,
            version: life.newest.version,
            last_version: life.last_version,
            request: Json(life.request.clone()),
            summary: Json(life.newest.content.summary()),
            created_at: tx.now(),
            updated_at: life.updated_at,
        })
        .execute(tx.conn)?;
    seal(tx, life, from.all())
}

/// Keeps that another version is the newest, if nobody else changed the analysis meanwhile, and raises the revision.
/// A version that is yet to be appended to the journal was computed from these.
pub fn save(tx: &mut Tx<'_>, life: &mut Life, from: Option<&Sources>) -> Result<()> {
    save_row(tx, life)?;
    from.map_or(Ok(()), |from| seal(tx, life, from.all()))
}

fn save_row(tx: &mut Tx<'_>, life: &mut Life) -> Result<()> {
    let own = dsl::gap_analyses
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(life.id));
    let changed = diesel::update(own.filter(dsl::revision.eq(life.revision)))
        .set((
            dsl::revision.eq(life.revision + 1),
            dsl::version.eq(life.newest.version),
            dsl::last_version.eq(life.last_version),
            dsl::request.eq(Json(life.request.clone())),
            dsl::summary.eq(Json(life.newest.content.summary())),
            dsl::updated_at.eq(tx.now()),
        ))
        .execute(tx.conn)?;
    life.revision += 1;
    life.updated_at = tx.now();
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// The same for a version that was computed from what an earlier one was.
pub fn save_like(tx: &mut Tx<'_>, life: &mut Life, earlier: Version) -> Result<()> {
    let from = sources(tx, life.id, earlier)?;
    save_row(tx, life)?;
    seal(tx, life, from.into_iter())
}

#[derive(Insertable)]
#[diesel(table_name = analysis_sources, treat_none_as_default_value = false)]
struct NewSources {
    organisation_id: OrganisationId,
    gap_analysis_id: GapAnalysisId,
    version: Version,
    sources: Vec<u8>,
}

/// How many bytes a source takes: its id, and its version.
const SOURCE: usize = size_of::<Uuid>() + size_of::<Version>();

fn source(id: Uuid, version: Version) -> impl Iterator<Item = u8> {
    id.into_bytes().into_iter().chain(version.to_be_bytes())
}

fn source_of(bytes: &[u8]) -> Option<(Uuid, Version)> {
    let (id, version) = bytes.split_at_checked(size_of::<Uuid>())?;
    Some((
        Uuid::from_slice(id).ok()?,
        Version::from_be_bytes(version.try_into().ok()?),
    ))
}

fn seal(tx: &mut Tx<'_>, life: &Life, from: impl Iterator<Item = (Uuid, Version)>) -> Result<()> {
    let Sealed { version, content, seal } = &life.newest;
    journal::append(tx, Kind::GapAnalysis, life.id, *version, content.clone(), None, seal)?;
    let row = NewSources {
        organisation_id: tx.own(),
        gap_analysis_id: life.id,
        version: *version,
        sources: from.flat_map(|(id, version)| source(id, version)).collect(),
    };
    either!(tx.conn, conn => diesel::insert_into(dsl_of_sources::analysis_sources).values(row).execute(conn))?;
    Ok(())
}

/// What a version was computed from: an analysis among them is the baseline.
pub fn sources(tx: &mut Tx<'_>, id: GapAnalysisId, version: Version) -> Result<Vec<(Uuid, Version)>> {
    let row: Vec<u8> = dsl_of_sources::analysis_sources
        .filter(dsl_of_sources::organisation_id.eq(tx.own()))
        .filter(dsl_of_sources::gap_analysis_id.eq(id))
        .filter(dsl_of_sources::version.eq(version))
        .select(dsl_of_sources::sources)
        .get_result(tx.conn)?;
    let damaged = Error::Corrupt("what an analysis was computed from is no list of sources");
    let from: Option<Vec<(Uuid, Version)>> = row.chunks(SOURCE).map(source_of).collect();
    from.ok_or(damaged)
}

/// How many versions are searched at a time.
const PAGE: i64 = 100;

/// The versions of the organisation's gap analyses that have a source for which this is so. All of them are searched: erasing, which
/// is what asks, is rare, and sealing is not.
fn computed_from(tx: &mut Tx<'_>, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<(GapAnalysisId, Version)>> {
    use dsl_of_sources::{analysis_sources, gap_analysis_id, organisation_id, sources, version};
    let (mut found, mut after) = (Vec::new(), (GapAnalysisId::from_uuid(Uuid::nil()), 0));
    loop {
        let page: Vec<(GapAnalysisId, Version, Vec<u8>)> = analysis_sources
            .filter(organisation_id.eq(tx.own()))
            .filter(gap_analysis_id.ge(after.0))
            .filter(gap_analysis_id.gt(after.0).or(version.gt(after.1)))
            .order((gap_analysis_id, version))
            .limit(PAGE)
            .select((gap_analysis_id, version, sources))
            .load(tx.conn)?;
        let Some((last, number, _)) = page.last() else {
            return Ok(found);
        };
        after = (*last, *number);
        for (id, number, of) in page {
            if of.chunks_exact(SOURCE).any(&wanted) {
                found.push((id, number));
            }
        }
    }
}

/// The versions of gap analyses that were computed from any version of this assessment.
pub fn counting(tx: &mut Tx<'_>, assessment: AssessmentId) -> Result<Vec<(GapAnalysisId, Version)>> {
    let id = assessment.uuid().into_bytes();
    computed_from(tx, |source| source.starts_with(&id))
}

/// The versions of gap analyses that were compared with any of these.
pub fn compared_with(tx: &mut Tx<'_>, baselines: &[(GapAnalysisId, Version)]) -> Result<Vec<(GapAnalysisId, Version)>> {
    let sources = baselines
        .iter()
        .map(|(id, version)| source(id.uuid(), *version).collect());
    let sources: BTreeSet<Vec<u8>> = sources.collect();
    computed_from(tx, |source| sources.contains(source))
}

/// Deletes a version, and what it was computed from. Only erasing does this.
pub fn delete_version(tx: &mut Tx<'_>, id: GapAnalysisId, version: Version) -> Result<()> {
    use dsl_of_sources::{analysis_sources, gap_analysis_id, organisation_id};
    journal::delete(tx, id, Some(version))?;
    diesel::delete(
        analysis_sources
            .filter(organisation_id.eq(tx.own()))
            .filter(gap_analysis_id.eq(id))
            .filter(dsl_of_sources::version.eq(version)),
    )
    .execute(tx.conn)?;
    Ok(())
}

/// What remains of an analysis after versions of it were deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Remains {
    /// Raised by every write.
    pub revision: i64,
    /// The version that was the newest.
    pub version: Version,
    /// The highest number ever given.
    pub last_version: Version,
    /// What it was asked to analyse.
    pub request: Request,
    /// The versions that are left, oldest first.
    pub left: Vec<Version>,
}

/// What is left of an analysis, whether or not its newest version is.
pub fn remains(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<Option<Remains>> {
    let row: Option<(i64, Version, Version, Json<Request>)> = dsl::gap_analyses
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .select((dsl::revision, dsl::version, dsl::last_version, dsl::request))
        .get_result(tx.conn)
        .optional()?;
    let Some((revision, version, last_version, Json(request))) = row else {
        return Ok(None);
    };
    let left = sealed_versions::table
        .filter(sealed_versions::organisation_id.eq(tx.own()))
        .filter(sealed_versions::resource_id.eq(id))
        .order(sealed_versions::version)
        .select(sealed_versions::version)
        .load(tx.conn)?;
    Ok(Some(Remains {
        revision,
        version,
        last_version,
        request,
        left,
    }))
}

/// Deletes an analysis of which no version is left.
pub fn delete(tx: &mut Tx<'_>, id: GapAnalysisId) -> Result<()> {
    diesel::delete(
        dsl::gap_analyses
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(id)),
    )
    .execute(tx.conn)?;
    Ok(())
}
