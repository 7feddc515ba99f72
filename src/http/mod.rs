//! The JSON API over HTTP: the same application for the server and for the tests.

mod bearer;
pub mod body;
pub mod caller;
mod draining;
mod edge;
mod health;
pub mod negotiate;
pub mod openapi;
mod operation;
pub mod paging;
pub mod problem;
pub mod query;
pub mod render;
pub mod rendered;
pub mod reply;
pub mod routes;
mod scrape;
mod serve;
mod trace;
mod unread;
pub mod voice;

pub use draining::Draining;
pub use health::health;
pub use operation::BadSchema;
pub use serve::{Listen, serve};

use std::sync::Arc;

use actix_cors::Cors;
use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::from_fn,
    web::{self, Bytes, Data},
};
use opentelemetry_sdk::trace::SdkTracer;
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

use self::{operation::Operations, rendered::Rendered, trace::Watch};
use crate::{auth::gate::Gate, store::db::Db};

/// Where callers reach the service, without a slash at the end: issuer and audience of tokens.
#[derive(Debug, Clone)]
pub struct PublicUrl(pub String);

/// The `OpenAPI` document, as it is served.
#[derive(Debug, Clone)]
pub struct Document(pub Bytes);

/// What all workers share.
#[derive(Clone)]
pub struct House {
    db: Data<Db>,
    gate: Data<Gate>,
    watch: Data<Watch>,
    document: Data<Document>,
    public_url: Data<PublicUrl>,
    rendered: Data<Rendered>,
    draining: Data<Draining>,
    cors_origins: Vec<String>,
}

impl House {
    /// Puts together what all workers share. Browsers may call from `cors_origins`.
    pub fn new(db: Arc<Db>, gate: Arc<Gate>, public_url: String, cors_origins: Vec<String>) -> Result<Self, BadSchema> {
        let document = openapi::document();
        Ok(Self {
            db: Data::from(db),
            gate: Data::from(gate),
            watch: Data::new(Watch::new(Operations::of(&document)?)),
            document: Data::new(Document(document.to_string().into())),
            public_url: Data::new(PublicUrl(public_url)),
            rendered: Data::new(Rendered::default()),
            draining: Data::new(Draining::default()),
            cors_origins,
        })
    }

    /// From now on, traces every request.
    pub fn trace(&self, tracer: SdkTracer) {
        self.watch.trace(tracer);
    }

    /// Whether the service drains.
    pub fn draining(&self) -> Draining {
        Draining::clone(&self.draining)
    }

    fn cors(&self) -> Cors {
        let cors = Cors::default()
            .allowed_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_any_header()
            .expose_headers([
                "ETag",
                "Location",
                "Link",
                "X-Request-Id",
                "Idempotent-Replayed",
                "Retry-After",
                "Consistency-Token",
            ])
            .max_age(3600);
        self.cors_origins
            .iter()
            .fold(cors, |cors, origin| cors.allowed_origin(origin))
    }
}

/// The application.
pub fn app(
    house: &House,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let docs = SwaggerUi::new("/docs/{_:.*}")
        .config(Config::from("/openapi.json"))
        .oauth(oauth::Config::new().app_name("Meaningful Connections API"));
    App::new()
        .app_data(house.db.clone())
        .app_data(house.gate.clone())
        .app_data(house.watch.clone())
        .app_data(house.document.clone())
        .app_data(house.public_url.clone())
        .app_data(house.rendered.clone())
        .app_data(house.draining.clone())
        .into_utoipa_app()
        .configure(routes::configure)
        .into_app()
        .service(web::redirect("/docs", "/docs/"))
        .service(docs)
        .default_service(web::to(edge::nothing_here))
        .wrap(house.cors())
        .wrap(from_fn(edge::problems))
        .wrap(from_fn(unread::hang_up))
        .wrap(TracingLogger::<trace::Spans>::new())
        .wrap(from_fn(trace::watched))
}

/// How resources are patched (RFC 5789, section 3.1).
const ACCEPT_PATCH: (&str, &str) = ("Accept-Patch", "application/merge-patch+json");
