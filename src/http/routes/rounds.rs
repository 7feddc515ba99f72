//! Rounds: prepared, opened, closed, revealed, called off.

use actix_web::{
    delete, get, patch, post,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::id;
use crate::{
    auth::scope::{ReadRounds, WriteRounds},
    domain::{
        id::{ConstellationId, RelationshipId, RoundId},
        moment::{DateOrTime, Moment},
        round::{Content, Round, RoundStatus},
    },
    http::{
        body::Body,
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{Limit, Query},
        reply::{List, Reply, etag},
    },
    service::{
        self, Expected, Revised,
        rounds::{self, PatchRound},
    },
    store::{
        db::{Db, Tx},
        rounds::Filter,
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_rounds)
        .service(create_round)
        .service(get_round)
        .service(patch_round)
        .service(delete_round)
        .service(open_round)
        .service(close_round)
        .service(reveal_round)
        .service(cancel_round);
}

/// Names a round.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct RoundPath {
    /// The round's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    round: String,
}

impl RoundPath {
    /// The id that the path names.
    pub(super) fn id(&self) -> Result<RoundId, Problem> {
        id(&self.round, "round")
    }
}

/// Which rounds to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RoundsQuery {
    /// Where they stand.
    #[param(nullable = false, inline)]
    status: Option<RoundStatus>,
    /// About this relationship.
    #[param(nullable = false, value_type = Option<RelationshipId>)]
    relationship: Option<RelationshipId>,
    /// About this constellation, or one of its relationships.
    #[param(nullable = false, value_type = Option<ConstellationId>)]
    constellation: Option<ConstellationId>,
    /// Changed at or after (RFC 3339, or a date); orders by the last change, oldest first. How far a round has come is no change of it.
    #[param(nullable = false, value_type = Option<DateOrTime>, example = "2026-01-01")]
    updated_since: Option<Moment>,
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// A round as it stands. How far it has come, and what keeps it from opening, is no part of its revision, but of what a cache may keep.
fn shown(round: &Revised<Round>) -> Reply {
    let counts = round.shown.progress.iter().flatten();
    let counts = counts.map(|one| format!("{}.{}.{}", one.invited, one.started, one.submitted));
    let faults = round.shown.cannot_open.iter();
    let faults = faults.map(|one| format!("{}.{}", one.pointer, one.code));
    let more: Vec<String> = counts.chain(faults).collect();
    Reply::found(round).tagged(etag(round.revision, &more.join(".")))
}

/// List rounds.
///
/// The organisation's own, without how far they have come: newest first or, with `updated_since`, the longest unchanged first.
#[utoipa::path(
    tag = "Rounds",
    params(RoundsQuery),
    responses((status = 200, description = "A page of rounds", body = List<Round>), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds")]
async fn list_rounds(
    caller: Caller<ReadRounds>,
    Query(query): Query<RoundsQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let filter = Filter {
        status: query.status,
        relationship: query.relationship,
        constellation: query.constellation,
        updated_since: query.updated_since,
    };
    let (items, next) = caller.read(&db, move |tx| rounds::list(tx, &filter, &page)).await?;
    Ok(paging.reply(items, next))
}

/// Create a round.
///
/// Prepares it, as a draft. Its privacy, its minimum group and the words of consent are fixed when it opens. Of an anonymous round,
/// respondents are also told what anonymity covers and what it does not: the words are in `anonymity`.
#[utoipa::path(
    tag = "Rounds",
    request_body(content = Content, example = json!({
        "title": "Spring 2026",
        "model": "meaningful-connections",
        "perspectives": [{"perspective": "service_user", "expected": 8}, {"perspective": "team", "expected": 3}],
        "privacy": "anonymous",
        "minimum_group": 3,
        "consent": {"text": "We use your answers to improve our service.", "version": "2026-03", "language": "en"}
    })),
    responses((status = 201, description = "The round", body = Round), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[post("/v1/rounds")]
async fn create_round(caller: Caller<WriteRounds>, body: Body<Content>, db: Data<Db>) -> Result<Reply, Problem> {
    let body = body.0;
    let work = move |tx: &mut Tx<'_>| {
        let created = rounds::create(tx, body.clone())?;
        Ok(shown(&created).created(format!("/v1/rounds/{}", created.shown.id)))
    };
    caller.write(&db, work).await
}

/// Get a round.
///
/// With how far it has come: how many were invited, have saved something and have submitted, and nobody's ratings. The counts are
/// exact in anonymous rounds, too, so that organisers can remind people: they say that one more has answered, not who, nor what.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    responses((status = 200, description = "The round", body = Round), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds/{round}")]
async fn get_round(caller: Caller<ReadRounds>, path: Path<RoundPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let id = path.id()?;
    Ok(shown(&caller.read(&db, move |tx| rounds::get(tx, id)).await?))
}

/// Change a round.
///
/// A JSON merge patch (RFC 7396): anything of a draft; of an open round its title, its baseline, how many are `expected` from its
/// perspectives, and a later end; of a closed one its title and its baseline, which only its reveal uses. Where a draft has invitations
/// already, its privacy stays, and so do the perspectives that they are for, until they are revoked.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    request_body(content = PatchRound, content_type = "application/merge-patch+json", example = json!({
        "title": "Spring 2026, extended"
    })),
    responses((status = 200, description = "The round", body = Round), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[patch("/v1/rounds/{round}")]
async fn patch_round(
    caller: Caller<WriteRounds>,
    path: Path<RoundPath>,
    body: Body<Value>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected, body) = (path.id()?, caller.expected()?, body.0);
    caller
        .write(&db, move |tx| {
            Ok(shown(&rounds::patch(tx, id, &expected, body.clone())?))
        })
        .await
}

/// Delete a round.
///
/// A draft, with its invitations: nobody has seen it. A round that has opened is cancelled instead, which it survives. A round that
/// names the deleted one as its `baseline` has to name another before it opens.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    responses((status = 204, description = "It is deleted"), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[delete("/v1/rounds/{round}")]
async fn delete_round(caller: Caller<WriteRounds>, path: Path<RoundPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    let work = move |tx: &mut Tx<'_>| rounds::delete(tx, id, &expected).map(|()| Reply::no_content());
    caller.write(&db, work).await
}

/// What is done with a round as a whole.
type Action = fn(&mut Tx<'_>, RoundId, &Expected) -> service::Result<Revised<Round>>;

async fn act(
    caller: Caller<WriteRounds>,
    path: Path<RoundPath>,
    db: Data<Db>,
    action: Action,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    caller
        .write(&db, move |tx| Ok(shown(&action(tx, id, &expected)?)))
        .await
}

/// Open a round.
///
/// From now on it takes answers. The versions of model and constellation, the privacy and the words of consent are fixed.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    responses((status = 200, description = "The open round", body = Round), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[post("/v1/rounds/{round}/open")]
async fn open_round(caller: Caller<WriteRounds>, path: Path<RoundPath>, db: Data<Db>) -> Result<Reply, Problem> {
    act(caller, path, db, rounds::open).await
}

/// Close a round.
///
/// It takes no answers any more, and what was not submitted is erased: with it goes everything by which a token led to an assessment.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    responses((status = 200, description = "The closed round", body = Round), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[post("/v1/rounds/{round}/close")]
async fn close_round(caller: Caller<WriteRounds>, path: Path<RoundPath>, db: Data<Db>) -> Result<Reply, Problem> {
    act(caller, path, db, rounds::close).await
}

/// Reveal a round.
///
/// Seals a gap analysis of what was submitted to the closed round. Respondents may read it from now on; organisers see the single
/// assessments of a named or a pseudonymous round, and of an anonymous one never. Its baseline is revealed first, or taken out of it.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    responses((status = 200, description = "The revealed round", body = Round), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[post("/v1/rounds/{round}/reveal")]
async fn reveal_round(caller: Caller<WriteRounds>, path: Path<RoundPath>, db: Data<Db>) -> Result<Reply, Problem> {
    act(caller, path, db, rounds::reveal).await
}

/// Cancel a round.
///
/// Calls it off: invitations lead nowhere any more, and what was not submitted is erased. What was submitted is concealed for ever; its
/// respondents can still read and erase it by their receipts.
#[utoipa::path(
    tag = "Rounds",
    params(RoundPath),
    responses((status = 200, description = "The cancelled round", body = Round), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[post("/v1/rounds/{round}/cancel")]
async fn cancel_round(caller: Caller<WriteRounds>, path: Path<RoundPath>, db: Data<Db>) -> Result<Reply, Problem> {
    act(caller, path, db, rounds::cancel).await
}
