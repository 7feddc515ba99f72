//! What this is, and where its parts are.

use actix_web::{
    get,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::{
    Document,
    problem::{KINDS, Kind, Problem},
    reply::{JSON, List, Reply},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(get_root)
        .service(get_openapi)
        .service(list_problems)
        .service(get_problem);
}

/// What this is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Root {
    /// Its name.
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// Where its parts are, by name.
    links: Links,
}

/// Where the parts of the API are.
#[derive(Debug, Serialize, ToSchema)]
struct Links {
    /// The `OpenAPI` document.
    openapi: &'static str,
    /// The documentation.
    docs: &'static str,
    /// Where clients get their tokens.
    token: &'static str,
    /// The models.
    models: &'static str,
    /// The perspectives.
    perspectives: &'static str,
    /// The assessments.
    assessments: &'static str,
    /// The gap analyses.
    gap_analyses: &'static str,
    /// What can go wrong.
    problems: &'static str,
}

pub(in crate::http) const ROOT: Root = Root {
    name: "Meaningful Connections API",
    version: env!("CARGO_PKG_VERSION"),
    links: Links {
        openapi: "/openapi.json",
        docs: "/docs/",
        token: "/v1/oauth/token",
        models: "/v1/models",
        perspectives: "/v1/perspectives",
        assessments: "/v1/assessments",
        gap_analyses: "/v1/gap-analyses",
        problems: "/problems",
    },
};

/// Get the root.
///
/// What this is, its version, and where its parts are.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "What this is", body = Root), Problem),
)]
#[get("/")]
async fn get_root() -> Reply {
    Reply::json(&ROOT)
}

/// Get the OpenAPI document.
///
/// This document: every operation, with its scope, its schemas and its examples.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "The document (OpenAPI 3.1)", body = Object), Problem),
)]
#[get("/openapi.json")]
async fn get_openapi(document: Data<Document>) -> Reply {
    Reply::bytes(JSON, document.0.clone())
}

/// A kind of problem, explained.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ProblemKind {
    /// Stable, in `snake_case`.
    #[schema(example = "not_found")]
    code: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// The same for every problem of the kind.
    title: &'static str,
    /// What it means, and what to do.
    explanation: &'static str,
}

impl From<&Kind> for ProblemKind {
    fn from(kind: &Kind) -> Self {
        let Kind {
            code,
            status,
            title,
            explanation,
        } = *kind;
        Self {
            code,
            status,
            title,
            explanation,
        }
    }
}

/// List the kinds of problems.
///
/// Every code that a problem document can have, with its status and what to do about it.
#[utoipa::path(
    tag = "Service",
    responses((status = 200, description = "All kinds, on one page", body = List<ProblemKind>), Problem),
)]
#[get("/problems")]
async fn list_problems() -> Reply {
    Reply::json(&List {
        data: KINDS.iter().map(ProblemKind::from).collect(),
        next_cursor: None,
    })
}

/// Names a kind of problem.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ProblemPath {
    /// The problem's code.
    #[param(example = "not_found")]
    code: String,
}

/// Explain a kind of problem.
///
/// The `type` of every problem document leads here.
#[utoipa::path(
    tag = "Service",
    params(ProblemPath),
    responses((status = 200, description = "The explanation", body = ProblemKind), Problem),
)]
#[get("/problems/{code}")]
async fn get_problem(path: Path<ProblemPath>) -> Result<Reply, Problem> {
    let kind = KINDS.iter().find(|kind| kind.code == path.code);
    kind.map(|kind| Reply::json(&ProblemKind::from(kind)))
        .ok_or_else(|| Problem::not_found("kind of problem"))
}
