//! What a team agreed on after its round was revealed.

use actix_web::{
    get, put,
    web::{Data, Path},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{DiffQuery, PageQuery, VersionItem, id, rounds::RoundPath, version};
use crate::{
    auth::scope::{ReadRounds, WriteRounds},
    domain::agreed_reading::{AgreedReading, Content},
    http::{
        body::Body,
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{Query, required},
        reply::{Caching, List, Reply},
    },
    service::{agreed_readings, diff::Diff},
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(get_agreed_reading)
        .service(put_agreed_reading)
        .service(list_agreed_reading_versions)
        .service(get_agreed_reading_version)
        .service(diff_agreed_reading_versions);
}

/// Names a version of the agreed reading of a round.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct AgreedReadingVersionPath {
    /// The round's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    round: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
}

/// Get an agreed reading.
///
/// Its newest version.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    responses((status = 200, description = "The agreed reading", body = AgreedReading), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds/{round}/agreed-reading")]
async fn get_agreed_reading(caller: Caller<ReadRounds>, path: Path<RoundPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let round = path.id()?;
    let work = move |tx: &mut Tx<'_>| agreed_readings::get(tx, round);
    Ok(Reply::found(&caller.read(&db, work).await?))
}

/// Put an agreed reading.
///
/// What the team agreed on, once the round is revealed: for as many elements as it talked about, where we are and where we want to
/// be. Seals the next version at once, and the next version of the round's gap analysis, which shows the agreed levels beside the
/// spread that they came from. They count in no reading, and no dissent is lost. The first is put without `If-Match`,
/// or with `If-None-Match: *`, by which it replaces none; every later one says which it follows by `If-Match`, or is refused with 428.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    request_body(content = Content, example = json!({
        "ratings": {"feelings.heard": {"current": "forming", "desired": "maturing", "note": "Two of us see it lower."}}
    })),
    responses(
        (status = 200, description = "The next version", body = AgreedReading),
        (status = 201, description = "The first version", body = AgreedReading),
        Problem,
    ),
    security(("bearer" = ["rounds:write"])),
)]
#[put("/v1/rounds/{round}/agreed-reading")]
async fn put_agreed_reading(
    caller: Caller<WriteRounds>,
    path: Path<RoundPath>,
    body: Body<Content>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (round, expected, body) = (path.id()?, caller.expected_or_absent()?, body.0);
    let work = move |tx: &mut Tx<'_>| {
        let (put, is_new) = agreed_readings::put(tx, round, &expected, body.clone())?;
        let reply = Reply::found(&put);
        Ok(if is_new {
            reply.created(format!("/v1/rounds/{round}/agreed-reading"))
        } else {
            reply
        })
    };
    caller.write(&db, work).await
}

/// List an agreed reading's versions.
///
/// Newest first, without what they say.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds/{round}/agreed-reading/versions")]
async fn list_agreed_reading_versions(
    caller: Caller<ReadRounds>,
    path: Path<RoundPath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let round = path.id()?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller
        .read(&db, move |tx| agreed_readings::versions(tx, round, &page))
        .await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of an agreed reading.
///
/// It never changes.
#[utoipa::path(
    tag = "Rounds",
    params(AgreedReadingVersionPath),
    responses((status = 200, description = "The version", body = AgreedReading), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds/{round}/agreed-reading/versions/{version}")]
async fn get_agreed_reading_version(
    caller: Caller<ReadRounds>,
    path: Path<AgreedReadingVersionPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (round, version) = (id(&path.round, "round")?, version(&path.version)?);
    let work = move |tx: &mut Tx<'_>| agreed_readings::version(tx, round, version);
    let shown = caller.read(&db, work).await?;
    Ok(Reply::version(shown.seal.as_ref().map(|seal| &seal.digest), &shown).cached(Caching::ForCaller))
}

/// Compare two versions of an agreed reading.
///
/// All that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Rounds",
    params(AgreedReadingVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = Diff), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds/{round}/agreed-reading/versions/{version}/diff")]
async fn diff_agreed_reading_versions(
    caller: Caller<ReadRounds>,
    path: Path<AgreedReadingVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (round, to) = (id(&path.round, "round")?, version(&path.version)?);
    let from = required(query.from, "from")?;
    let work = move |tx: &mut Tx<'_>| agreed_readings::diff(tx, round, from, to);
    Ok(Reply::json(&caller.read(&db, work).await?))
}
