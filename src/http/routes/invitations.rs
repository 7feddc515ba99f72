//! Invitations: made, listed and revoked.

use actix_web::{
    delete, get, post,
    web::{Data, Path},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{id, rounds::RoundPath};
use crate::{
    auth::scope::{ReadRounds, WriteRounds},
    domain::{capability::Token, id::InvitationId, slug::Slug},
    http::{
        body::Body,
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{Limit, Query},
        reply::{Caching, List, Reply},
    },
    service::invitations::{self, CreateInvitations, Invitation, Invitations},
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_invitations)
        .service(create_invitations)
        .service(get_invitation)
        .service(revoke_invitation);
}

/// Names an invitation.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct InvitationPath {
    /// The round's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    round: String,
    /// The invitation's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    invitation: String,
}

impl InvitationPath {
    fn id(&self) -> Result<InvitationId, Problem> {
        id(&self.invitation, "invitation")
    }
}

/// Which invitations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InvitationsQuery {
    /// From this perspective.
    #[param(nullable = false, value_type = Option<Slug>, example = "service_user")]
    perspective: Option<Slug>,
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// 256 random bits.
pub(super) fn random_token() -> Token {
    Token::new(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// List a round's invitations.
///
/// Newest first, never with their tokens, and with the `revision` by which each is revoked. How far somebody has come is told in named rounds alone; elsewhere nothing of an invitation
/// changes when it is redeemed, but for the count of a shared one.
#[utoipa::path(
    tag = "Invitations",
    params(RoundPath, InvitationsQuery),
    responses((status = 200, description = "A page of invitations", body = List<Invitation>), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds/{round}/invitations")]
async fn list_invitations(
    caller: Caller<ReadRounds>,
    path: Path<RoundPath>,
    Query(query): Query<InvitationsQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let round = path.id()?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let perspective = query.perspective;
    let (items, next) = caller
        .read(&db, move |tx| invitations::list(tx, round, perspective.as_ref(), &page))
        .await?;
    Ok(paging.reply(items, next))
}

/// Invite to a round.
///
/// One invitation, or up to 500 at once, to an open round or to a draft: until that opens, its tokens are answered like unknown ones
/// (404), and are good from then on; where it is cancelled or deleted, they never are. Each answers with its token this once, which leads to one assessment; one
/// with several `uses` (for a poster) gives whoever redeems it a token of their own. A round invites at most 10,000. Invitations end with
/// their round. An answer that is replayed for its idempotency key has no tokens.
#[utoipa::path(
    tag = "Invitations",
    params(RoundPath),
    request_body(content = CreateInvitations, example = json!({
        "invitations": [{"perspective": "service_user"}, {"perspective": "service_user", "uses": 20}],
        "link": "https://answer.example.org/#"
    })),
    responses((status = 201, description = "The invitations, with their secret tokens", body = Invitations), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[post("/v1/rounds/{round}/invitations")]
async fn create_invitations(
    caller: Caller<WriteRounds>,
    path: Path<RoundPath>,
    body: Body<CreateInvitations>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (round, body) = (path.id()?, body.0);
    let work = move |tx: &mut Tx<'_>| {
        let made = invitations::create(tx, round, body.clone(), random_token)?;
        let reply = Reply::json(&made).remembered_as(&made.without_tokens());
        Ok(reply
            .created(format!("/v1/rounds/{round}/invitations"))
            .cached(Caching::Never))
    };
    caller.write(&db, work).await
}

/// Get an invitation.
///
/// Without its token, of which only a hash is kept.
#[utoipa::path(
    tag = "Invitations",
    params(InvitationPath),
    responses((status = 200, description = "The invitation", body = Invitation), Problem),
    security(("bearer" = ["rounds:read"])),
)]
#[get("/v1/rounds/{round}/invitations/{invitation}")]
async fn get_invitation(
    caller: Caller<ReadRounds>,
    path: Path<InvitationPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (round, id) = (id(&path.round, "round")?, path.id()?);
    let found = caller.read(&db, move |tx| invitations::get(tx, round, id)).await?;
    Ok(Reply::found(&found))
}

/// Revoke an invitation.
///
/// Nobody redeems it any more; access tokens that it gave end within 15 minutes. Who has taken a use of a shared one goes on with the
/// token they got for it.
#[utoipa::path(
    tag = "Invitations",
    params(InvitationPath),
    responses((status = 204, description = "It is revoked"), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[delete("/v1/rounds/{round}/invitations/{invitation}")]
async fn revoke_invitation(
    caller: Caller<WriteRounds>,
    path: Path<InvitationPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (round, id, expected) = (id(&path.round, "round")?, path.id()?, caller.expected()?);
    caller
        .write(&db, move |tx| {
            invitations::revoke(tx, round, id, &expected).map(|()| Reply::no_content())
        })
        .await
}
