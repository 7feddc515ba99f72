//! Perspectives.

use actix_web::{
    get, patch, post,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{DiffQuery, PageQuery, VersionItem, version};
use crate::{
    auth::scope::{ReadPerspectives, WritePerspectives},
    domain::perspective::Perspective,
    http::{
        body::Body,
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{Query, required},
        reply::{Caching, List, Reply},
    },
    service::{
        diff::Diff,
        perspectives::{self, CreatePerspective, PatchPerspective},
    },
    store::{
        db::{Db, Tx},
        perspectives::Name,
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_perspectives)
        .service(create_perspective)
        .service(get_perspective)
        .service(patch_perspective)
        .service(list_perspective_versions)
        .service(get_perspective_version)
        .service(diff_perspective_versions);
}

/// Names a perspective.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PerspectivePath {
    /// The perspective's slug or id.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "service_user")]
    perspective: String,
}

/// Names a version of a perspective.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct PerspectiveVersionPath {
    /// The perspective's slug or id.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "service_user")]
    perspective: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
}

fn name(text: &str) -> Result<Name, Problem> {
    let by_id = text.parse().map(Name::Id);
    by_id
        .or_else(|_| text.parse().map(Name::Slug))
        .map_err(|_| Problem::not_found("perspective"))
}

/// List perspectives.
///
/// The built-in ones and the organisation's own, newest first.
#[utoipa::path(
    tag = "Perspectives",
    params(PageQuery),
    responses((status = 200, description = "A page of perspectives", body = List<Perspective>), Problem),
    security(("bearer" = ["perspectives:read"])),
)]
#[get("/v1/perspectives")]
async fn list_perspectives(
    caller: Caller<ReadPerspectives>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (items, next) = caller.read(&db, move |tx| perspectives::list(tx, &page)).await?;
    Ok(paging.reply(items, next))
}

/// Create a perspective.
///
/// Seals its version 1 at once: perspectives have no draft.
#[utoipa::path(
    tag = "Perspectives",
    request_body(content = CreatePerspective, example = json!({
        "slug": "commissioner", "label": "Commissioner", "voice": "collective", "description": "Those who fund the service."
    })),
    responses((status = 201, description = "The perspective", body = Perspective), Problem),
    security(("bearer" = ["perspectives:write"])),
)]
#[post("/v1/perspectives")]
async fn create_perspective(
    caller: Caller<WritePerspectives>,
    body: Body<CreatePerspective>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    let work = move |tx: &mut Tx<'_>| {
        let created = perspectives::create(tx, body.clone())?;
        let location = format!("/v1/perspectives/{}", created.shown.slug);
        Ok(Reply::found(&created).created(location).about(created.shown.id.uuid()))
    };
    caller.write(&db, work).await
}

/// Get a perspective.
///
/// Its newest version.
#[utoipa::path(
    tag = "Perspectives",
    params(PerspectivePath),
    responses((status = 200, description = "The perspective", body = Perspective), Problem),
    security(("bearer" = ["perspectives:read"])),
)]
#[get("/v1/perspectives/{perspective}")]
async fn get_perspective(
    caller: Caller<ReadPerspectives>,
    path: Path<PerspectivePath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let name = name(&path.perspective)?;
    Ok(Reply::found(
        &caller.read(&db, move |tx| perspectives::get(tx, &name)).await?,
    ))
}

/// Change a perspective.
///
/// A JSON merge patch (RFC 7396). Seals the next version at once. The built-in perspectives do not change.
#[utoipa::path(
    tag = "Perspectives",
    params(PerspectivePath),
    request_body(content = PatchPerspective, content_type = "application/merge-patch+json", example = json!({
        "label": "Funder"
    })),
    responses((status = 200, description = "The next version", body = Perspective), Problem),
    security(("bearer" = ["perspectives:write"])),
)]
#[patch("/v1/perspectives/{perspective}")]
async fn patch_perspective(
    caller: Caller<WritePerspectives>,
    path: Path<PerspectivePath>,
    body: Body<Value>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, expected, body) = (name(&path.perspective)?, caller.expected()?, body.0);
    caller
        .write(&db, move |tx| {
            Ok(Reply::found(&perspectives::patch(tx, &name, &expected, body.clone())?))
        })
        .await
}

/// List a perspective's versions.
///
/// Newest first, without what they say.
#[utoipa::path(
    tag = "Perspectives",
    params(PerspectivePath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["perspectives:read"])),
)]
#[get("/v1/perspectives/{perspective}/versions")]
async fn list_perspective_versions(
    caller: Caller<ReadPerspectives>,
    path: Path<PerspectivePath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let name = name(&path.perspective)?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller
        .read(&db, move |tx| perspectives::versions(tx, &name, &page))
        .await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of a perspective.
///
/// It never changes.
#[utoipa::path(
    tag = "Perspectives",
    params(PerspectiveVersionPath),
    responses((status = 200, description = "The version", body = Perspective), Problem),
    security(("bearer" = ["perspectives:read"])),
)]
#[get("/v1/perspectives/{perspective}/versions/{version}")]
async fn get_perspective_version(
    caller: Caller<ReadPerspectives>,
    path: Path<PerspectiveVersionPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, version) = (name(&path.perspective)?, version(&path.version)?);
    let (shown, public) = caller
        .read(&db, move |tx| perspectives::version(tx, &name, version))
        .await?;
    let caching = if public {
        Caching::ForEveryone
    } else {
        Caching::ForCaller
    };
    Ok(Reply::version(shown.seal.as_ref().map(|seal| &seal.digest), &shown).cached(caching))
}

/// Compare two versions of a perspective.
///
/// All that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Perspectives",
    params(PerspectiveVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = Diff), Problem),
    security(("bearer" = ["perspectives:read"])),
)]
#[get("/v1/perspectives/{perspective}/versions/{version}/diff")]
async fn diff_perspective_versions(
    caller: Caller<ReadPerspectives>,
    path: Path<PerspectiveVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, to) = (name(&path.perspective)?, version(&path.version)?);
    let from = required(query.from, "from")?;
    Ok(Reply::json(
        &caller
            .read(&db, move |tx| perspectives::diff(tx, &name, from, to))
            .await?,
    ))
}
