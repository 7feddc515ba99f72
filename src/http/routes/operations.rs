//! Whether the service lives, and whether it is ready.

use actix_web::{get, http::header, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::gate::Gate,
    domain::access::Actor,
    http::{
        Draining,
        caller::{Anyone, read},
        problem::{self, Problem},
        reply::{Caching, Reply},
    },
    service,
    store::db::Db,
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(get_livez).service(get_readyz);
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Health {
    /// `ok`
    #[schema(example = "ok", pattern = "^ok$")]
    status: &'static str,
}

pub(in crate::http) const OK: Health = Health { status: "ok" };

/// Whether the service lives.
///
/// It answers; nothing else is asked.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "It lives", body = Health), Problem),
)]
#[get("/livez")]
async fn get_livez(_: Anyone) -> Reply {
    Reply::json(&OK).cached(Caching::Never)
}

/// Whether the service is ready.
///
/// The database answers, its schema is up to date, clients and keys have been read lately, and it was not told to end.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "It is ready", body = Health), Problem),
)]
#[get("/readyz")]
async fn get_readyz(_: Anyone, db: Data<Db>, gate: Data<Gate>, draining: Data<Draining>) -> Result<Reply, Problem> {
    if draining.has_begun() {
        return Err(Problem::new(&problem::DRAINING, "Ask another copy.").with_header(header::RETRY_AFTER, "5"));
    }
    let migrated = read(&db, Actor::SERVICE, |tx| Ok::<_, service::Error>(tx.is_migrated()?)).await?;
    gate.jwks(db.now())?;
    if migrated {
        Ok(Reply::json(&OK).cached(Caching::Never))
    } else {
        Err(
            Problem::new(&problem::UNAVAILABLE, "The database's schema is not up to date.")
                .with_header(header::RETRY_AFTER, "2"),
        )
    }
}
