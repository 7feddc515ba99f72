//! Constellations.

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
    auth::scope::{ReadConstellations, WriteConstellations},
    domain::{
        constellation::{Authored, Constellation, ConstellationItem},
        id::ConstellationId,
    },
    http::{
        body::Body,
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{ExternalIdParameter, Limit, Query, required},
        reply::{Caching, List, Reply},
    },
    service::{
        constellations::{self, PatchConstellation},
        diff::Diff,
    },
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_constellations)
        .service(create_constellation)
        .service(get_constellation)
        .service(patch_constellation)
        .service(list_constellation_versions)
        .service(get_constellation_version)
        .service(diff_constellation_versions);
}

/// Names a constellation.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ConstellationPath {
    /// The constellation's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    constellation: String,
}

impl ConstellationPath {
    fn id(&self) -> Result<ConstellationId, Problem> {
        id(&self.constellation, "constellation")
    }
}

/// Names a version of a constellation.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ConstellationVersionPath {
    /// The constellation's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    constellation: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
}

impl ConstellationVersionPath {
    fn id(&self) -> Result<ConstellationId, Problem> {
        id(&self.constellation, "constellation")
    }
}

/// Which constellations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConstellationsQuery {
    /// With this name in another system, as `system|value`.
    #[param(nullable = false, value_type = Option<String>, max_length = 401, pattern = r"^[^|\x00-\x1f\x7f-\x9f\ufffd]+\|[^\x00-\x1f\x7f-\x9f\ufffd]+$", example = "https://crm.example.org|service-12")]
    external_id: Option<ExternalIdParameter>,
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// List constellations.
///
/// The organisation's own, newest first, without their parties and relationships.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationsQuery),
    responses((status = 200, description = "A page of constellations", body = List<ConstellationItem>), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations")]
async fn list_constellations(
    caller: Caller<ReadConstellations>,
    Query(query): Query<ConstellationsQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let name = query.external_id.map(|ExternalIdParameter(name)| name);
    let (items, next) = caller
        .read(&db, move |tx| constellations::list(tx, name.as_ref(), &page))
        .await?;
    Ok(paging.reply(items, next))
}

/// Create a constellation.
///
/// Seals its version 1 at once: constellations have no draft. At most 50 parties and 200 relationships. No personal data is
/// needed: a party's label is a role.
#[utoipa::path(
    tag = "Constellations",
    request_body(content = Authored, example = json!({
        "title": "Supported housing",
        "parties": [
            {"key": "residents", "kind": "service_user", "label": "Residents"},
            {"key": "key_worker", "kind": "team_member", "label": "Key worker"}
        ],
        "relationships": [
            {"from": "key_worker", "to": "residents", "cardinality": {"from": "one", "to": "some"}, "setting": "hybrid",
             "label": "Weekly visits"},
            {"from": "residents", "to": "residents", "cardinality": {"from": "many", "to": "many"}, "label": "Peer support"}
        ]
    })),
    responses((status = 201, description = "The constellation", body = Constellation), Problem),
    security(("bearer" = ["constellations:write"])),
)]
#[post("/v1/constellations")]
async fn create_constellation(
    caller: Caller<WriteConstellations>,
    body: Body<Authored>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    let work = move |tx: &mut Tx<'_>| {
        let created = constellations::create(tx, body.clone())?;
        let location = format!("/v1/constellations/{}", created.shown.id);
        Ok(Reply::found(&created).created(location).about(created.shown.id.uuid()))
    };
    caller.write(&db, work).await
}

/// Get a constellation.
///
/// Its newest version.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationPath),
    responses((status = 200, description = "The constellation", body = Constellation), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}")]
async fn get_constellation(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    Ok(Reply::found(
        &caller.read(&db, move |tx| constellations::get(tx, id)).await?,
    ))
}

/// Change a constellation.
///
/// A JSON merge patch (RFC 7396). Seals the next version at once. Lists are replaced as a whole: get them, change them, and
/// send them back. A relationship with its `id` is the one that it was, one without is new. What an assessment names cannot
/// vanish: a relationship that is left out then stays, retired, as do the parties it refers to; whatever is named again
/// without `retired` is back. Between whom it is does not change any more either.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationPath),
    request_body(content = PatchConstellation, content_type = "application/merge-patch+json", example = json!({
        "description": "Four houses, one team."
    })),
    responses((status = 200, description = "The next version", body = Constellation), Problem),
    security(("bearer" = ["constellations:write"])),
)]
#[patch("/v1/constellations/{constellation}")]
async fn patch_constellation(
    caller: Caller<WriteConstellations>,
    path: Path<ConstellationPath>,
    body: Body<Value>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected, body) = (path.id()?, caller.expected()?, body.0);
    caller
        .write(&db, move |tx| {
            Ok(Reply::found(&constellations::patch(tx, id, &expected, body.clone())?))
        })
        .await
}

/// List a constellation's versions.
///
/// Newest first, without what they say.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationPath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}/versions")]
async fn list_constellation_versions(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationPath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller
        .read(&db, move |tx| constellations::versions(tx, id, &page))
        .await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of a constellation.
///
/// It never changes.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationVersionPath),
    responses((status = 200, description = "The version", body = Constellation), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}/versions/{version}")]
async fn get_constellation_version(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationVersionPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, version) = (path.id()?, version(&path.version)?);
    let shown = caller
        .read(&db, move |tx| constellations::version(tx, id, version))
        .await?;
    let reply = Reply::version(shown.seal.as_ref().map(|seal| &seal.digest), &shown);
    Ok(reply.cached(Caching::ForCaller))
}

/// Compare two versions of a constellation.
///
/// All that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = Diff), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}/versions/{version}/diff")]
async fn diff_constellation_versions(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, to) = (path.id()?, version(&path.version)?);
    let from = required(query.from, "from")?;
    Ok(Reply::json(
        &caller
            .read(&db, move |tx| constellations::diff(tx, id, from, to))
            .await?,
    ))
}
