//! The drafts and the sealed versions of assessments.

use actix_web::{
    delete, get,
    web::{Data, Path},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{DiffQuery, PageQuery, VersionItem, assessments::AssessmentPath, id, version};
use crate::{
    auth::scope::{ReadAssessments, WriteAssessments},
    domain::assessment::Assessment,
    http::{
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{Query, required},
        reply::{List, Reply},
        voice::Voice,
    },
    service::{assessments, diff::Diff, transitions},
    store::db::Db,
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(get_assessment_draft)
        .service(discard_assessment_draft)
        .service(list_assessment_versions)
        .service(get_assessment_version)
        .service(diff_assessment_versions);
}

/// Names a version of an assessment.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct AssessmentVersionPath {
    /// The assessment's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    assessment: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
}

/// Get an assessment's draft.
///
/// What submitting would seal. Where no draft is open, 404.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 200, description = "The draft", body = Assessment), Problem),
    security(("bearer" = ["assessments:read"]), ("respondent" = [])),
)]
#[get("/v1/assessments/{assessment}/draft")]
async fn get_assessment_draft(
    caller: Voice<ReadAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    Ok(Reply::found(
        &caller.read(&db, move |tx| assessments::get_draft(tx, id)).await?,
    ))
}

/// Discard an amendment.
///
/// What has been submitted stays. A draft that was never submitted is withdrawn instead.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 204, description = "The draft is gone"), Problem),
    security(("bearer" = ["assessments:write"]), ("respondent" = [])),
)]
#[delete("/v1/assessments/{assessment}/draft")]
async fn discard_assessment_draft(
    caller: Voice<WriteAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    caller
        .write(&db, move |tx| {
            transitions::discard_draft(tx, id, &expected).map(|()| Reply::no_content())
        })
        .await
}

/// List an assessment's versions.
///
/// Newest first, without what they say.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["assessments:read"])),
)]
#[get("/v1/assessments/{assessment}/versions")]
async fn list_assessment_versions(
    caller: Caller<ReadAssessments>,
    path: Path<AssessmentPath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller.read(&db, move |tx| assessments::versions(tx, id, &page)).await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of an assessment.
///
/// It never changes; it can be erased.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentVersionPath),
    responses((status = 200, description = "The version", body = Assessment), Problem),
    security(("bearer" = ["assessments:read"])),
)]
#[get("/v1/assessments/{assessment}/versions/{version}")]
async fn get_assessment_version(
    caller: Caller<ReadAssessments>,
    path: Path<AssessmentVersionPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, version) = (id(&path.assessment, "assessment")?, version(&path.version)?);
    let shown = caller
        .read(&db, move |tx| assessments::version(tx, id, version))
        .await?;
    Ok(Reply::version(shown.seal.as_ref().map(|seal| &seal.digest), &shown))
}

/// Compare two versions of an assessment.
///
/// All that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = Diff), Problem),
    security(("bearer" = ["assessments:read"])),
)]
#[get("/v1/assessments/{assessment}/versions/{version}/diff")]
async fn diff_assessment_versions(
    caller: Caller<ReadAssessments>,
    path: Path<AssessmentVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, to) = (id(&path.assessment, "assessment")?, version(&path.version)?);
    let from = required(query.from, "from")?;
    Ok(Reply::json(
        &caller.read(&db, move |tx| assessments::diff(tx, id, from, to)).await?,
    ))
}
