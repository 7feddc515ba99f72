//! The `OpenAPI` document: what the routes say of themselves, and the habits that all of them share.

mod examples;
mod habits;
mod headers;
mod limits;
mod links;
mod schemas;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;

use self::{examples::Examples, habits::Habits};
use super::{
    problem::{self, KINDS, Kind, Problem},
    routes,
};
use crate::{auth::scope::Scope, domain::fault::Fault};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Meaningful Connections API",
        description = "A headless service for the Meaningful Connections Model (CoCreate, CAST, 2021): model definitions, \
            perspectives, constellations, assessments and gap analyses as versioned resources.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This server, be it on a local machine, for staging or in production")),
    components(schemas(Problem)),
    tags(
        (name = "Service", description = "What this is, whether it is well, and what can go wrong."),
        (name = "Access", description = "Organisations, clients, tokens and keys."),
        (name = "Models", description = "Model definitions: drafted, published for ever, retired; forms and guides."),
        (name = "Perspectives", description = "From whose perspective a reflection is made."),
        (name = "Constellations", description = "Who takes part in a service, and the relationships between them."),
        (name = "Rounds", description = "Occasions on which people are asked, from draft to reveal."),
        (name = "Invitations", description = "Who is asked, without an account: tokens, QR codes and receipts."),
        (name = "Assessments", description = "Ratings of a model version, from a perspective."),
        (name = "Gap analyses", description = "Where are we now, where do we want to be, and what stands between."),
        (name = "Next steps", description = "What a team decided to do about it, and what became of that."),
    ),
)]
struct Described;

/// The document, complete.
pub fn document() -> Value {
    let (_, described) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Described::openapi())
        .configure(routes::configure)
        .split_for_parts();
    let mut document = serde_json::to_value(&described).unwrap_or_default();
    if let Some(server) = document.pointer_mut("/servers/0").and_then(Value::as_object_mut) {
        server.insert("x-internal".to_owned(), json!(false));
    }
    // A document without examples would be seen at once: its tests ask every operation for its own.
    let mut examples = Examples::all().unwrap_or_default();
    examples.add_document(&document);
    components(&mut document, &examples);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, methods) in paths {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                Habits {
                    path,
                    method,
                    operation,
                    examples: &examples,
                }
                .apply();
            }
        }
    }
    links::add(&mut document);
    limits::say(&mut document);
    schemas::open_answers(&mut document);
    document
}

/// One line an operation: its id, method, path and scope.
pub fn operations(document: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let id = operation.get("operationId").and_then(Value::as_str).unwrap_or("-");
            lines.push(format!(
                "{id} {} {path} {}\n",
                method.to_uppercase(),
                scope(operation).unwrap_or("-")
            ));
        }
    }
    lines.sort();
    lines.concat()
}

/// The scope that an operation needs.
pub fn scope(operation: &Value) -> Option<&str> {
    operation.pointer("/security/0/bearer/0").and_then(Value::as_str)
}

/// What operations refer to: headers, parameters, problem answers and security schemes.
fn components(document: &mut Value, examples: &Examples) {
    let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(described) = components.get_mut("schemas").and_then(Value::as_object_mut) {
        schemas::finish(described);
    }
    components.insert("examples".to_owned(), examples.components());
    components.insert("headers".to_owned(), headers::of_answers());
    components.insert("parameters".to_owned(), headers::of_requests());
    components.insert("responses".to_owned(), Value::Object(problem_responses()));
    let scopes: Map<String, Value> = Scope::ALL
        .iter()
        .map(|scope| (scope.as_str().to_owned(), json!(scope.explanation().trim())))
        .collect();
    components.insert("securitySchemes".to_owned(), json!({
        "bearer": {
            "type": "oauth2",
            "description": "Access tokens (JWTs of RFC 9068, verified as RFC8725 advises) by client credentials; they last 15 minutes.",
            "flows": {"clientCredentials": {"tokenUrl": "/v1/oauth/token", "scopes": scopes}}
        },
        "respondent": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "An access token (a JWT, verified as RFC8725 advises) that an invitation or a receipt was redeemed for: good for one assessment of one round, its form and, after the reveal, what the round found. Everything else refuses it."
        },
        "basic": {"type": "http", "scheme": "basic", "description": "A client's id and secret, at the token endpoint only."}
    }));
}

/// The example of a parameter that can be left out stands in its schema: elsewhere, Swagger UI would send it unasked.
fn suggest(parameter: &mut Value) {
    let is_optional = parameter.get("required") == Some(&json!(false));
    if let Some(parameter) = parameter.as_object_mut()
        && is_optional
        && let Some(example) = parameter.remove("example")
        && let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut)
    {
        schema.insert("examples".to_owned(), json!([example]));
    }
}

/// The name of the shared answer for a status.
fn response_name(status: u16) -> String {
    format!("Problem{status}")
}

/// What is answered before any operation is found: no operation refers to it.
const OF_THE_EDGE: [u16; 1] = [405];

/// One answer a status, with the kinds of problems that have it.
fn problem_responses() -> Map<String, Value> {
    let mut responses = Map::new();
    let of_operations = KINDS
        .iter()
        .map(|kind| kind.status)
        .filter(|status| !OF_THE_EDGE.contains(status));
    for status in of_operations {
        let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.status == status).collect();
        let description: Vec<String> = kinds
            .iter()
            .map(|kind| format!("`{}`: {}.", kind.code, kind.title))
            .collect();
        let examples: Map<String, Value> = kinds
            .iter()
            .map(|kind| {
                let mut example = json!({
                    "type": format!("/problems/{}", kind.code), "title": kind.title, "status": kind.status,
                    "detail": kind.explanation, "instance": "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", "code": kind.code
                });
                if let (Some(fault), Some(example)) = (fault_of(kind), example.as_object_mut()) {
                    example.insert("errors".to_owned(), json!([fault]));
                }
                (kind.code.to_owned(), json!({"value": example}))
            })
            .collect();
        let more: &[&str] = match status {
            401 | 403 => &["WWW-Authenticate"],
            415 => &["Accept", "Accept-Patch"],
            429 | 503 => &["Retry-After"],
            _ => &[],
        };
        responses.insert(response_name(status), json!({
            "description": description.join(" "),
            "headers": headers::named(headers::ALWAYS.iter().chain(more)),
            "content": {problem::MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}}
        }));
    }
    responses
}

/// A fault, such as problems of this kind list.
fn fault_of(kind: &Kind) -> Option<Fault> {
    match kind.code {
        "invalid_parameter" => Some(Fault::new("/limit", "invalid", "This value does not fit.")),
        "invalid" => Some(Fault::new("/colour", "unknown_field", "There is no such field here.")),
        "incomplete" => Some(Fault::new(
            "/ratings/feelings.heard/desired",
            "required",
            "This level is missing.",
        )),
        _ => None,
    }
}
