//! Next steps.

use actix_web::{
    get, patch, post,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{DiffQuery, PageQuery, VersionItem, id, version};
use crate::{
    auth::scope::{ReadNextSteps, WriteNextSteps},
    domain::{
        id::{GapAnalysisId, NextStepId, RoundId},
        moment::{DateOrTime, Moment},
        next_step::{NextStep, NextStepStatus},
        slug::ElementKey,
    },
    http::{
        body::Body,
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{Limit, Query, required},
        reply::{Caching, List, Reply},
    },
    service::{
        diff::Diff,
        next_steps::{self, CreateNextStep, PatchNextStep},
    },
    store::{
        db::{Db, Tx},
        next_steps::Filter,
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_next_steps)
        .service(create_next_step)
        .service(get_next_step)
        .service(patch_next_step)
        .service(list_next_step_versions)
        .service(get_next_step_version)
        .service(diff_next_step_versions);
}

/// Names a next step.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct NextStepPath {
    /// The next step's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    next_step: String,
}

impl NextStepPath {
    fn id(&self) -> Result<NextStepId, Problem> {
        id(&self.next_step, "next step")
    }
}

/// Names a version of a next step.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct NextStepVersionPath {
    /// The next step's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    next_step: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
}

/// Which next steps to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NextStepsQuery {
    /// Due before (RFC 3339, or a date); those without a date are not.
    #[param(nullable = false, value_type = Option<DateOrTime>, example = "2026-07-01")]
    due_before: Option<Moment>,
    /// So far.
    #[param(nullable = false, inline, example = "doing")]
    status: Option<NextStepStatus>,
    /// From the analysis of this round.
    #[param(nullable = false, value_type = Option<RoundId>)]
    round: Option<RoundId>,
    /// From this gap analysis.
    #[param(nullable = false, value_type = Option<GapAnalysisId>)]
    gap_analysis: Option<GapAnalysisId>,
    /// To move this element.
    #[param(nullable = false, value_type = Option<ElementKey>, example = "feelings.heard")]
    element: Option<ElementKey>,
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// List next steps.
///
/// The organisation's own, newest first.
#[utoipa::path(
    tag = "Next steps",
    params(NextStepsQuery),
    responses((status = 200, description = "A page of next steps", body = List<NextStep>), Problem),
    security(("bearer" = ["next_steps:read"])),
)]
#[get("/v1/next-steps")]
async fn list_next_steps(
    caller: Caller<ReadNextSteps>,
    Query(query): Query<NextStepsQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let filter = Filter {
        due_before: query.due_before,
        status: query.status,
        round: query.round,
        gap_analysis: query.gap_analysis,
        element: query.element,
    };
    let (items, next) = caller.read(&db, move |tx| next_steps::list(tx, &filter, &page)).await?;
    Ok(paging.reply(items, next))
}

/// Create a next step.
///
/// From a gap analysis: of one of its priorities the levels are taken from there, of any other element they must be said. Seals
/// version 1 at once. What a next step says is the team's own, and stays where answers that the analysis counted are erased.
#[utoipa::path(
    tag = "Next steps",
    request_body(content = CreateNextStep, example = json!({
        "gap_analysis": "01890a5d-ac96-774b-bcce-b302099a8057",
        "element": "feelings.heard",
        "what": "Ring back within a day.",
        "by_whom": {"label": "The duty team"},
        "due": "2026-06-30"
    })),
    responses((status = 201, description = "The next step", body = NextStep), Problem),
    security(("bearer" = ["next_steps:write"])),
)]
#[post("/v1/next-steps")]
async fn create_next_step(
    caller: Caller<WriteNextSteps>,
    body: Body<CreateNextStep>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    let work = move |tx: &mut Tx<'_>| {
        let created = next_steps::create(tx, body.clone())?;
        let location = format!("/v1/next-steps/{}", created.shown.id);
        Ok(Reply::found(&created).created(location).about(created.shown.id.uuid()))
    };
    caller.write(&db, work).await
}

/// Get a next step.
///
/// Its newest version.
#[utoipa::path(
    tag = "Next steps",
    params(NextStepPath),
    responses((status = 200, description = "The next step", body = NextStep), Problem),
    security(("bearer" = ["next_steps:read"])),
)]
#[get("/v1/next-steps/{next_step}")]
async fn get_next_step(
    caller: Caller<ReadNextSteps>,
    path: Path<NextStepPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    Ok(Reply::found(
        &caller.read(&db, move |tx| next_steps::get(tx, id)).await?,
    ))
}

/// Change a next step.
///
/// A JSON merge patch (RFC 7396). Seals the next version at once, so that what became of it can be followed. Once it is `done`,
/// an analysis that is compared with the one it came from says whether the element moved; one that is there says so from its next
/// recompute on.
#[utoipa::path(
    tag = "Next steps",
    params(NextStepPath),
    request_body(content = PatchNextStep, content_type = "application/merge-patch+json", example = json!({
        "status": "done",
        "evidence": [{"label": "The new duty rota", "url": "https://wiki.example.org/rota"}]
    })),
    responses((status = 200, description = "The next version", body = NextStep), Problem),
    security(("bearer" = ["next_steps:write"])),
)]
#[patch("/v1/next-steps/{next_step}")]
async fn patch_next_step(
    caller: Caller<WriteNextSteps>,
    path: Path<NextStepPath>,
    body: Body<Value>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected, body) = (path.id()?, caller.expected()?, body.0);
    caller
        .write(&db, move |tx| {
            Ok(Reply::found(&next_steps::patch(tx, id, &expected, body.clone())?))
        })
        .await
}

/// List a next step's versions.
///
/// Newest first, without what they say.
#[utoipa::path(
    tag = "Next steps",
    params(NextStepPath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["next_steps:read"])),
)]
#[get("/v1/next-steps/{next_step}/versions")]
async fn list_next_step_versions(
    caller: Caller<ReadNextSteps>,
    path: Path<NextStepPath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller.read(&db, move |tx| next_steps::versions(tx, id, &page)).await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of a next step.
///
/// It never changes.
#[utoipa::path(
    tag = "Next steps",
    params(NextStepVersionPath),
    responses((status = 200, description = "The version", body = NextStep), Problem),
    security(("bearer" = ["next_steps:read"])),
)]
#[get("/v1/next-steps/{next_step}/versions/{version}")]
async fn get_next_step_version(
    caller: Caller<ReadNextSteps>,
    path: Path<NextStepVersionPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, version) = (id(&path.next_step, "next step")?, version(&path.version)?);
    let shown = caller.read(&db, move |tx| next_steps::version(tx, id, version)).await?;
    Ok(Reply::version(shown.seal.as_ref().map(|seal| &seal.digest), &shown).cached(Caching::ForCaller))
}

/// Compare two versions of a next step.
///
/// All that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Next steps",
    params(NextStepVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = Diff), Problem),
    security(("bearer" = ["next_steps:read"])),
)]
#[get("/v1/next-steps/{next_step}/versions/{version}/diff")]
async fn diff_next_step_versions(
    caller: Caller<ReadNextSteps>,
    path: Path<NextStepVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, to) = (id(&path.next_step, "next step")?, version(&path.version)?);
    let from = required(query.from, "from")?;
    Ok(Reply::json(
        &caller.read(&db, move |tx| next_steps::diff(tx, id, from, to)).await?,
    ))
}
