//! What clients find without being told: the public keys, and who issues which tokens.

use actix_web::{get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::oauth::TOKEN_ENDPOINT;
use crate::{
    auth::{gate::Gate, keys::Jwks, scope::Scope},
    http::{PublicUrl, caller::Anyone, problem::Problem, reply::Reply},
    store::db::Db,
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(get_jwks)
        .service(get_authorization_server)
        .service(get_protected_resource);
}

/// A word of OAuth: for the schema only.
#[derive(ToSchema)]
#[schema(max_length = 60, pattern = "^[a-z_]+$", example = "client_credentials")]
#[expect(dead_code, reason = "what is listed is a constant, and this its schema")]
struct Word(String);

/// A URL: for the schema only.
#[derive(ToSchema)]
#[schema(format = "uri", max_length = 2048, example = "https://connections.example.org")]
#[expect(dead_code, reason = "what is listed is a `String`, and this its schema")]
struct Address(String);

/// Get the public keys.
///
/// The JSON Web Key Set (RFC 7517) that access tokens are verified with.
#[utoipa::path(
    tag = "Access",
    responses((status = 200, description = "The keys", body = Jwks), Problem),
)]
#[get("/.well-known/jwks.json")]
async fn get_jwks(_: Anyone, db: Data<Db>, gate: Data<Gate>) -> Result<Reply, Problem> {
    Ok(Reply::json(&gate.jwks(db.now())?))
}

/// Where tokens come from (RFC 8414).
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AuthorizationServer {
    /// The issuer of tokens.
    #[schema(format = "uri", max_length = 2048)]
    issuer: String,
    /// Where clients get their tokens.
    #[schema(format = "uri", max_length = 2048)]
    token_endpoint: String,
    /// The public keys.
    #[schema(format = "uri", max_length = 2048)]
    jwks_uri: String,
    /// Every scope.
    #[schema(value_type = Vec<Scope>, max_items = 32)]
    scopes_supported: Vec<&'static str>,
    /// None: there is no authorization endpoint.
    #[schema(value_type = Vec<Word>, max_items = 8)]
    response_types_supported: Vec<&'static str>,
    /// Client credentials.
    #[schema(value_type = Vec<Word>, max_items = 8)]
    grant_types_supported: Vec<&'static str>,
    /// HTTP Basic, or in the form.
    #[schema(value_type = Vec<Word>, max_items = 8)]
    token_endpoint_auth_methods_supported: Vec<&'static str>,
}

fn scopes() -> Vec<&'static str> {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect()
}

/// Get the authorization server's metadata.
///
/// Where tokens come from, and how clients ask for them (RFC 8414).
#[utoipa::path(
    tag = "Access",
    responses((status = 200, description = "The metadata (RFC 8414)", body = AuthorizationServer), Problem),
)]
#[get("/.well-known/oauth-authorization-server")]
async fn get_authorization_server(_: Anyone, url: Data<PublicUrl>) -> Reply {
    Reply::json(&AuthorizationServer::at(url.get_ref()))
}

impl AuthorizationServer {
    /// The metadata of the service at this URL.
    pub(in crate::http) fn at(PublicUrl(issuer): &PublicUrl) -> Self {
        Self {
            issuer: issuer.clone(),
            token_endpoint: format!("{issuer}{TOKEN_ENDPOINT}"),
            jwks_uri: format!("{issuer}/.well-known/jwks.json"),
            scopes_supported: scopes(),
            response_types_supported: Vec::new(),
            grant_types_supported: vec!["client_credentials"],
            token_endpoint_auth_methods_supported: vec!["client_secret_basic", "client_secret_post"],
        }
    }
}

/// What tokens are for (RFC 9728).
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ProtectedResource {
    /// The resource: the audience of tokens.
    #[schema(format = "uri", max_length = 2048)]
    resource: String,
    /// Who issues tokens for it.
    #[schema(value_type = Vec<Address>, max_items = 8)]
    authorization_servers: Vec<String>,
    /// Every scope.
    #[schema(value_type = Vec<Scope>, max_items = 32)]
    scopes_supported: Vec<&'static str>,
    /// How tokens are sent.
    #[schema(value_type = Vec<Word>, max_items = 8)]
    bearer_methods_supported: Vec<&'static str>,
    /// The documentation.
    #[schema(format = "uri", max_length = 2048)]
    resource_documentation: String,
}

/// Get the protected resource's metadata.
///
/// Which tokens this service takes, and who issues them (RFC 9728).
#[utoipa::path(
    tag = "Access",
    responses((status = 200, description = "The metadata (RFC 9728)", body = ProtectedResource), Problem),
)]
#[get("/.well-known/oauth-protected-resource")]
async fn get_protected_resource(_: Anyone, url: Data<PublicUrl>) -> Reply {
    Reply::json(&ProtectedResource::at(url.get_ref()))
}

impl ProtectedResource {
    /// The metadata of the service at this URL.
    pub(in crate::http) fn at(PublicUrl(resource): &PublicUrl) -> Self {
        Self {
            resource: resource.clone(),
            authorization_servers: vec![resource.clone()],
            scopes_supported: scopes(),
            bearer_methods_supported: vec!["header"],
            resource_documentation: format!("{resource}/docs/"),
        }
    }
}
