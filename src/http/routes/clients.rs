//! Clients: the programs that call in an organisation's name.

use actix_web::{
    delete, get, post,
    web::{self, Data, Path},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{PageQuery, id};
use crate::{
    auth::{
        gate::Gate,
        scope::{Scope, ScopeSet, WriteClients},
        secret::{NewSecret, new_client},
    },
    domain::{
        fault::{Broken, Fault},
        id::ClientId,
        moment::Moment,
    },
    http::{
        body::Body,
        caller::{Caller, handed_over},
        paging::Paging,
        problem::Problem,
        query::Query,
        reply::{Caching, List, Reply, etag},
    },
    service::{self, Checked, Revised},
    store::{
        self,
        db::{Db, Tx},
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_clients)
        .service(create_client)
        .service(get_client)
        .service(rotate_client_secret)
        .service(revoke_client);
}

/// A client. Its schema is not called so: generated code has a `Client` of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ApiClient)]
#[expect(clippy::struct_field_names, reason = "OAuth 2.0 calls them so (RFC 6749)")]
pub struct Client {
    /// Its id.
    client_id: ClientId,
    /// Its secret: given once, when it is made, and never again (not in a replay either).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[A-Za-z0-9_-]{43}$")]
    client_secret: Option<String>,
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "Case management")]
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<Scope>, max_items = 32, example = json!(["models:read", "assessments:write"]))]
    scopes: Vec<String>,
    /// When it was created.
    created_at: Moment,
    /// When it last changed.
    updated_at: Moment,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revoked_at: Option<Moment>,
}

/// A new client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateClient {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "Case management")]
    name: String,
    /// What it may do: nothing that the caller may not do itself.
    #[schema(min_items = 1, max_items = 32)]
    scopes: Vec<Scope>,
}

/// How to replace a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// For how many seconds the secret before still counts, at most 7 days.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 604_800, default = 0, example = 3600)]
    grace_seconds: u32,
}

/// Names a client.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ClientPath {
    /// The client's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    client: String,
}

impl ClientPath {
    fn id(&self) -> Result<ClientId, Problem> {
        id(&self.client, CLIENT)
    }
}

const CLIENT: &str = "client";

impl Client {
    /// The same with its secret.
    pub(in crate::http) fn with_secret(self, secret: &SecretString) -> Self {
        Self {
            client_secret: Some(secret.expose_secret().to_owned()),
            ..self
        }
    }
}

impl From<store::clients::Client> for Client {
    fn from(client: store::clients::Client) -> Self {
        Self {
            client_id: client.id,
            client_secret: None,
            name: client.name,
            scopes: client.scopes.split(' ').map(ToOwned::to_owned).collect(),
            created_at: client.created_at,
            updated_at: client.updated_at,
            revoked_at: client.revoked_at,
        }
    }
}

fn find(tx: &mut Tx<'_>, id: ClientId) -> service::Result<store::clients::Client> {
    store::clients::find(tx, id)?.ok_or(service::Error::NotFound(CLIENT))
}

/// The client after it was written, if nobody else wrote it meanwhile; else the work is done anew.
fn written(tx: &mut Tx<'_>, before: &store::clients::Client) -> service::Result<store::clients::Client> {
    let after = find(tx, before.id)?;
    if after.revision == before.revision + 1 {
        Ok(after)
    } else {
        Err(store::error::Error::Contended.into())
    }
}

/// The client with its secret; what is remembered for a retry has none.
fn with_secret(found: store::clients::Client, secret: &SecretString) -> Reply {
    let revision = found.revision;
    let without = Client::from(found);
    Reply::json(&without.clone().with_secret(secret))
        .remembered_as(&without)
        .tagged(etag(revision, ""))
        .cached(Caching::Never)
}

/// Lets this process know at once what it changed.
async fn refresh(gate: &Gate) {
    let (sender, receiver) = oneshot::channel();
    gate.refresh(move |result| drop(sender.send(result)));
    // Where that fails, the next reading comes within seconds, or nobody is let in.
    if let Some(Err(error)) = handed_over(receiver).await {
        tracing::warn!(%error, "clients and keys could not be read");
    }
}

/// List clients.
///
/// The organisation's own, newest first.
#[utoipa::path(
    tag = "Access",
    params(PageQuery),
    responses((status = 200, description = "A page of clients", body = List<Client>), Problem),
    security(("bearer" = ["clients:write"])),
)]
#[get("/v1/clients")]
async fn list_clients(
    caller: Caller<WriteClients>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (clients, next) = caller.read(&db, move |tx| Ok(store::clients::list(tx, &page)?)).await?;
    Ok(paging.reply(clients.into_iter().map(Client::from).collect(), next))
}

/// The scopes that a caller may give, or every one that they may not.
fn given(scopes: &[Scope], own: ScopeSet) -> Result<ScopeSet, Vec<Fault>> {
    let beyond = scopes.iter().enumerate().filter(|(_, scope)| !own.contains(**scope));
    let faults: Vec<Fault> = beyond
        .map(|(place, _)| {
            Fault::new(
                format!("/scopes/{place}"),
                "unknown_value",
                "You may not give this scope.",
            )
        })
        .collect();
    if faults.is_empty() {
        Ok(scopes.iter().copied().collect())
    } else {
        Err(faults)
    }
}

/// Create a client.
///
/// Its secret is given this once.
#[utoipa::path(
    tag = "Access",
    request_body(content = CreateClient, example = json!({
        "name": "Case management", "scopes": ["models:read", "assessments:read", "assessments:write"]
    })),
    responses((status = 201, description = "The client, with its secret", body = Client), Problem),
    security(("bearer" = ["clients:write"])),
)]
#[post("/v1/clients")]
async fn create_client(
    caller: Caller<WriteClients>,
    body: Body<CreateClient>,
    db: Data<Db>,
    gate: Data<Gate>,
) -> Result<Reply, Problem> {
    let (name, scopes) = body.0.check(|CreateClient { name, scopes }| {
        let scopes = given(&scopes, caller.scopes()).map_err(Broken::Invalid)?;
        Ok((name, scopes))
    })?;
    let (client, secret) = web::block(move || new_client(name, scopes))
        .await
        .map_err(|_| Problem::unavailable())??;
    let work = move |tx: &mut Tx<'_>| {
        let created = store::clients::insert(tx, &client)?;
        let location = format!("/v1/clients/{}", created.id);
        Ok(with_secret(created, &secret).created(location))
    };
    let reply = caller.write(&db, work).await?;
    refresh(&gate).await;
    Ok(reply)
}

/// Get a client.
///
/// Without its secret, which nobody can read again. A revoked client is shown as such.
#[utoipa::path(
    tag = "Access",
    params(ClientPath),
    responses((status = 200, description = "The client", body = Client), Problem),
    security(("bearer" = ["clients:write"])),
)]
#[get("/v1/clients/{client}")]
async fn get_client(caller: Caller<WriteClients>, path: Path<ClientPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let id = path.id()?;
    let found = caller.read(&db, move |tx| find(tx, id)).await?;
    let revision = found.revision;
    Ok(Reply::found(&Revised {
        shown: Client::from(found),
        revision,
    }))
}

/// Replace a client's secret.
///
/// The new one is given this once; the one before counts for as long as the grace lasts.
#[utoipa::path(
    tag = "Access",
    params(ClientPath),
    request_body(content = RotateSecret, example = json!({"grace_seconds": 3600})),
    responses((status = 200, description = "The client, with its new secret", body = Client), Problem),
    security(("bearer" = ["clients:write"])),
)]
#[post("/v1/clients/{client}/rotate-secret")]
async fn rotate_client_secret(
    caller: Caller<WriteClients>,
    path: Path<ClientPath>,
    body: Body<RotateSecret>,
    db: Data<Db>,
    gate: Data<Gate>,
) -> Result<Reply, Problem> {
    let (id, expected, body): (_, _, Checked<RotateSecret>) = (path.id()?, caller.expected()?, body.0);
    let NewSecret { secret, hash } = web::block(NewSecret::generate)
        .await
        .map_err(|_| Problem::unavailable())??;
    let work = move |tx: &mut Tx<'_>| {
        let found = find(tx, id)?;
        if found.revoked_at.is_some() {
            return Err(Broken::InvalidTransition("The client is revoked, for good.").into());
        }
        expected.met_by(found.revision)?;
        let RotateSecret { grace_seconds } = body.clone().valid()?;
        store::clients::replace_secret(tx, id, &hash, grace_seconds)?;
        Ok(with_secret(written(tx, &found)?, &secret))
    };
    let reply = caller.write(&db, work).await?;
    refresh(&gate).await;
    Ok(reply)
}

/// Revoke a client.
///
/// For good: its tokens stop counting within 5 seconds, everywhere.
#[utoipa::path(
    tag = "Access",
    params(ClientPath),
    responses((status = 204, description = "It is revoked"), Problem),
    security(("bearer" = ["clients:write"])),
)]
#[delete("/v1/clients/{client}")]
async fn revoke_client(
    caller: Caller<WriteClients>,
    path: Path<ClientPath>,
    db: Data<Db>,
    gate: Data<Gate>,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    let work = move |tx: &mut Tx<'_>| {
        let found = find(tx, id)?;
        expected.required()?;
        if found.revoked_at.is_some() {
            return Err(Broken::InvalidTransition("The client is revoked already.").into());
        }
        expected.met_by(found.revision)?;
        store::clients::revoke(tx, id)?;
        written(tx, &found)?;
        Ok(Reply::no_content())
    };
    let reply = caller.write(&db, work).await?;
    refresh(&gate).await;
    Ok(reply)
}
