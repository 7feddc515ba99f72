//! The `OpenAPI` document: what the routes say of themselves, and the habits that all of them share.

mod examples;
mod habits;
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
            perspectives, assessments and gap analyses as versioned resources.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    components(schemas(Problem)),
    tags(
        (name = "Service", description = "What this is, whether it is well, and what can go wrong."),
        (name = "Access", description = "Organisations, clients, tokens and keys."),
        (name = "Models", description = "Model definitions: drafted, published for ever, retired; forms and guides."),
        (name = "Perspectives", description = "From whose perspective a reflection is made."),
        (name = "Assessments", description = "Ratings of a model version, from a perspective."),
        (name = "Gap analyses", description = "Where are we now, where do we want to be, and what stands between."),
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
    let text = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    components.insert("headers".to_owned(), json!({
        "ETag": text("The revision of the resource, or the digest of the version; with a suffix, that of a representation.", "\"3\""),
        "Location": text("Where the new resource is.", "/v1/assessments/01890a5d-ac96-774b-bcce-b302099a8057"),
        "X-Request-Id": text("The id of the request: the caller's own, or a new one.", "01890a5d-ac96-774b-bcce-b302099a8057"),
        "Cache-Control": text("Who may keep the answer, and for how long.", "private, no-cache"),
        "Link": text("The next page, where there is one (RFC 8288).", "</v1/assessments?cursor=eyJ>; rel=\"next\""),
        "Content-Language": text("The language of the texts.", "en"),
        "Idempotent-Replayed": text("`true` where the request was done before, and this is its answer again.", "true"),
        "Consistency-Token": text("Where the service has replicas: sent with a later read, it lets a replica answer that has followed as far as this write.", "AAAAAQAAAAADAWhI"),
        "WWW-Authenticate": text("How to authenticate (RFC 6750).", "Bearer error=\"invalid_token\""),
        "Retry-After": {"description": "After how many seconds to try again.", "schema": {"type": "integer", "minimum": 0}, "example": 2}
    }));
    components.insert("parameters".to_owned(), json!({
        "If-Match": header_parameter("If-Match", "The ETag of the resource as it was loaded; a stale one is refused with 412.", true, "\"3\""),
        "If-Match-Optional": header_parameter("If-Match", "The ETag of the resource as it was loaded; a stale one is refused with 412.", false, "\"3\""),
        "If-None-Match": header_parameter("If-None-Match", "An ETag that the caller knows; where it still stands, the answer is 304.", false, "\"3\""),
        "If-None-Match-Any": header_parameter("If-None-Match", "`*`: only where the resource does not exist yet.", false, "*"),
        "Idempotency-Key": header_parameter("Idempotency-Key", "1 to 255 visible ASCII characters: a request with the same key is done once, and answered the same for 24 hours.", false, "9b2d6c1e"),
        "Consistency-Token": header_parameter("Consistency-Token", "The token of the caller's newest write, or those of several, separated by commas: a replica that has followed so far may answer. Where that write's answer had no token, none must be sent. `any`: what is at most some five seconds old will do. Without a token, or with one that is not the service's (any more), the primary answers.", false, "any"),
        "X-Request-Id": header_parameter("X-Request-Id", "1 to 128 visible ASCII characters, by which the request is found in the logs.", false, "my-request-1"),
    }));
    let key = components
        .get_mut("parameters")
        .and_then(|parameters| parameters.pointer_mut("/Idempotency-Key/schema")?.as_object_mut());
    if let Some(schema) = key {
        // 255 characters, quoted or bare.
        schema.insert("pattern".to_owned(), json!("^[!-~]{1,257}$"));
    }
    components.insert("responses".to_owned(), Value::Object(problem_responses()));
    let scopes: Map<String, Value> = Scope::ALL
        .iter()
        .map(|scope| (scope.as_str().to_owned(), json!(scope.explanation().trim())))
        .collect();
    components.insert("securitySchemes".to_owned(), json!({
        "bearer": {
            "type": "oauth2",
            "description": "Access tokens (RFC 9068) by client credentials.",
            "flows": {"clientCredentials": {"tokenUrl": "/v1/oauth/token", "scopes": scopes}}
        },
        "basic": {"type": "http", "scheme": "basic", "description": "A client's id and secret, at the token endpoint only."}
    }));
}

fn header_parameter(name: &str, description: &str, required: bool, example: &str) -> Value {
    let mut parameter = json!({
        "name": name, "in": "header", "description": description, "required": required, "schema": {"type": "string"},
        "example": example
    });
    suggest(&mut parameter);
    parameter
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

/// What is answered before any operation is found, or by the token endpoint in its own form: no operation refers to it.
const OF_THE_EDGE: [u16; 3] = [405, 429, 431];

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
        let mut headers = json!({
            "X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"},
            "Cache-Control": {"$ref": "#/components/headers/Cache-Control"},
        });
        let more = match status {
            401 | 403 => Some("WWW-Authenticate"),
            429 | 503 => Some("Retry-After"),
            _ => None,
        };
        if let (Some(name), Some(headers)) = (more, headers.as_object_mut()) {
            headers.insert(name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
        }
        responses.insert(response_name(status), json!({
            "description": description.join(" "),
            "headers": headers,
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
