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
    caller::Anyone,
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
    #[schema(max_length = 200)]
    name: &'static str,
    /// Its version.
    #[schema(max_length = 60, pattern = r"^\d+\.\d+\.\d+")]
    version: &'static str,
    /// Where its parts are, by name.
    links: Links,
}

/// Where the parts of the API are.
#[derive(Debug, Serialize, ToSchema)]
struct Links {
    /// The `OpenAPI` document.
    #[schema(format = "uri-reference", max_length = 200)]
    openapi: &'static str,
    /// The documentation.
    #[schema(format = "uri-reference", max_length = 200)]
    docs: &'static str,
    /// Where clients get their tokens.
    #[schema(format = "uri-reference", max_length = 200)]
    token: &'static str,
    /// The models.
    #[schema(format = "uri-reference", max_length = 200)]
    models: &'static str,
    /// The perspectives.
    #[schema(format = "uri-reference", max_length = 200)]
    perspectives: &'static str,
    /// The constellations.
    #[schema(format = "uri-reference", max_length = 200)]
    constellations: &'static str,
    /// The rounds.
    #[schema(format = "uri-reference", max_length = 200)]
    rounds: &'static str,
    /// The assessments.
    #[schema(format = "uri-reference", max_length = 200)]
    assessments: &'static str,
    /// The gap analyses.
    #[schema(format = "uri-reference", max_length = 200)]
    gap_analyses: &'static str,
    /// What can go wrong.
    #[schema(format = "uri-reference", max_length = 200)]
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
        constellations: "/v1/constellations",
        rounds: "/v1/rounds",
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
async fn get_root(_: Anyone) -> Reply {
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
async fn get_openapi(_: Anyone, document: Data<Document>) -> Reply {
    Reply::bytes(JSON, document.0.clone())
}

/// A kind of problem, explained.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ProblemKind {
    /// Stable, in `snake_case`.
    #[schema(example = "not_found", max_length = 60, pattern = "^[a-z][a-z0-9_]*$")]
    code: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// The same for every problem of the kind.
    #[schema(max_length = 200)]
    title: &'static str,
    /// What it means, and what to do.
    #[schema(max_length = 4000)]
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
async fn list_problems(_: Anyone) -> Reply {
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
    #[param(example = "not_found", max_length = 60, pattern = "^[a-z][a-z0-9_]*$")]
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
async fn get_problem(_: Anyone, path: Path<ProblemPath>) -> Result<Reply, Problem> {
    let kind = KINDS.iter().find(|kind| kind.code == path.code);
    kind.map(|kind| Reply::json(&ProblemKind::from(kind)))
        .ok_or_else(|| Problem::not_found("kind of problem"))
}
