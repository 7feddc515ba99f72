//! The caller's own organisation.

use actix_web::{get, patch, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::scope::WriteOrganisation,
    http::{body::Body, caller::Caller, problem::Problem, reply::Reply},
    service::organisations::{self, Organisation, PatchOrganisation},
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(get_organisation).service(patch_organisation);
}

/// Get the organisation.
///
/// The caller's own.
#[utoipa::path(
    tag = "Access",
    responses((status = 200, description = "The organisation", body = Organisation), Problem),
    security(("bearer" = ["organisation:write"])),
)]
#[get("/v1/organisation")]
async fn get_organisation(caller: Caller<WriteOrganisation>, db: Data<Db>) -> Result<Reply, Problem> {
    Ok(Reply::found(&caller.read(&db, organisations::get).await?))
}

/// Change the organisation.
///
/// A JSON merge patch (RFC 7396) of the caller's own organisation.
#[utoipa::path(
    tag = "Access",
    request_body(content = PatchOrganisation, content_type = "application/merge-patch+json", example = json!({
        "name": "Acme Care"
    })),
    responses((status = 200, description = "The organisation", body = Organisation), Problem),
    security(("bearer" = ["organisation:write"])),
)]
#[patch("/v1/organisation")]
async fn patch_organisation(
    caller: Caller<WriteOrganisation>,
    body: Body<PatchOrganisation>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (expected, body) = (caller.expected()?, body.0);
    let work = move |tx: &mut Tx<'_>| Ok(Reply::found(&organisations::patch(tx, &expected, body.clone())?));
    caller.write(&db, work).await
}
