//! The `OpenAPI` document: what the routes say of themselves, and the habits that all of them share.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;

use super::{
    problem::{self, KINDS, Kind, Problem},
    routes,
};
use crate::auth::scope::Scope;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Meaningful Connections API",
        description = "A headless service for the Meaningful Connections Model (CoCreate, CAST, 2021): model definitions, \
            perspectives, assessments and gap analyses as versioned resources.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Meaningful Connections API", url = "https://github.com/meaningful-connections/meaningful-connections"),
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
    components(&mut document);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, methods) in paths {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                Habits {
                    path,
                    method,
                    operation,
                }
                .apply();
            }
        }
    }
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
fn components(document: &mut Value) {
    let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) else {
        return;
    };
    let text = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    components.insert("headers".to_owned(), json!({
        "ETag": text("The revision of the resource, or the digest of the version; with a suffix, that of a representation.", "\"3\""),
        "Location": text("Where the new resource is.", "/v1/assessments/01890a5d-ac96-774b-bcce-b302099a8057"),
        "X-Request-Id": text("The id of the request: the caller's own, or a new one.", "01890a5d-ac96-774b-bcce-b302099a8057"),
        "Cache-Control": text("Who may keep the answer, and for how long.", "private, no-cache"),
        "Link": text("The next page, where there is one (RFC 8288).", "</v1/assessments?cursor=eyJ>; rel=\"next\""),
        "Content-Language": text("The language of the texts.", "en"),
        "Idempotent-Replayed": text("`true` where the request was done before, and this is its answer again.", "true"),
        "WWW-Authenticate": text("How to authenticate (RFC 6750).", "Bearer error=\"invalid_token\""),
        "Retry-After": {"description": "After how many seconds to try again.", "schema": {"type": "integer", "minimum": 0}, "example": 2}
    }));
    components.insert("parameters".to_owned(), json!({
        "If-Match": header_parameter("If-Match", "The ETag of the resource as it was loaded; a stale one is refused with 412.", true, "\"3\""),
        "If-Match-Optional": header_parameter("If-Match", "The ETag of the resource as it was loaded; a stale one is refused with 412.", false, "\"3\""),
        "If-None-Match": header_parameter("If-None-Match", "An ETag that the caller knows; where it still stands, the answer is 304.", false, "\"3\""),
        "If-None-Match-Any": header_parameter("If-None-Match", "`*`: only where the resource does not exist yet.", false, "*"),
        "Idempotency-Key": header_parameter("Idempotency-Key", "1 to 255 visible ASCII characters: a request with the same key is done once, and answered the same for 24 hours.", false, "9b2d6c1e"),
        "X-Request-Id": header_parameter("X-Request-Id", "1 to 128 visible ASCII characters, by which the request is found in the logs.", false, "my-request-1"),
    }));
    components.insert("responses".to_owned(), Value::Object(problem_responses()));
    let scopes: Map<String, Value> = Scope::ALL
        .iter()
        .map(|scope| (scope.as_str().to_owned(), json!(scope.explanation())))
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
    json!({"name": name, "in": "header", "description": description, "required": required, "schema": {"type": "string"}, "example": example})
}

/// The name of the shared answer for a status.
fn response_name(status: u16) -> String {
    format!("Problem{status}")
}

/// One answer a status, with the kinds of problems that have it.
fn problem_responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for status in KINDS.iter().map(|kind| kind.status) {
        let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.status == status).collect();
        let description: Vec<String> = kinds
            .iter()
            .map(|kind| format!("`{}`: {}.", kind.code, kind.title))
            .collect();
        let examples: Map<String, Value> = kinds
            .iter()
            .map(|kind| {
                let example = json!({
                    "type": format!("/problems/{}", kind.code), "title": kind.title, "status": kind.status,
                    "detail": kind.explanation, "instance": "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", "code": kind.code
                });
                (kind.code.to_owned(), json!({"value": example}))
            })
            .collect();
        let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
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

/// What follows for an operation from its path, its method and what it says of itself.
struct Habits<'a> {
    path: &'a str,
    method: &'a str,
    operation: &'a mut Value,
}

impl Habits<'_> {
    fn apply(&mut self) {
        self.add_parameters();
        self.accept_plain_json();
        let statuses = self.statuses();
        let headers = self.success_headers();
        let may_be_known = self.has_etag() && self.method == "get";
        let Some(responses) = self.operation.get_mut("responses").and_then(Value::as_object_mut) else {
            return;
        };
        responses.remove("default");
        for (status, response) in responses.iter_mut() {
            let names = headers.iter().filter(|name| **name != "Location" || status == "201");
            let of_success: Map<String, Value> = names
                .map(|name| {
                    (
                        (*name).to_owned(),
                        json!({"$ref": format!("#/components/headers/{name}")}),
                    )
                })
                .collect();
            if status.starts_with('2') {
                response["headers"] = Value::Object(of_success);
            }
        }
        for status in statuses {
            let shared = json!({"$ref": format!("#/components/responses/{}", response_name(status))});
            responses.entry(status.to_string()).or_insert(shared);
        }
        if may_be_known {
            let headers = json!({"ETag": {"$ref": "#/components/headers/ETag"}});
            responses.insert(
                "304".to_owned(),
                json!({"description": "The caller knows it already.", "headers": headers}),
            );
        }
    }

    fn is_token(&self) -> bool {
        self.path == "/v1/oauth/token"
    }

    fn stores_nothing(&self) -> bool {
        self.path.ends_with("/validate") || self.path.ends_with("/preview") || self.is_token()
    }

    fn is_secured(&self) -> bool {
        scope(self.operation).is_some()
    }

    fn has_body(&self) -> bool {
        self.operation.get("requestBody").is_some()
    }

    /// A single resource, as opposed to a list, a health check or a document of the service.
    fn is_of_one(&self) -> bool {
        self.is_secured() && (self.path.contains('{') || self.path == "/v1/organisation" || self.is_upsert())
    }

    fn is_upsert(&self) -> bool {
        self.method == "put"
    }

    fn is_list(&self) -> bool {
        self.operation
            .get("parameters")
            .and_then(Value::as_array)
            .is_some_and(|parameters| {
                parameters
                    .iter()
                    .any(|parameter| parameter.get("name") == Some(&json!("cursor")))
            })
    }

    fn has_etag(&self) -> bool {
        self.is_of_one()
            && !self.is_list()
            && !self.path.ends_with("/diff")
            && !self.stores_nothing()
            && self.method != "delete"
    }

    fn add_parameters(&mut self) {
        let mut names = vec!["X-Request-Id"];
        if self.has_etag() && self.method == "get" {
            names.push("If-None-Match");
        }
        match self.method {
            "patch" | "delete" => names.push("If-Match"),
            "put" => names.extend(["If-Match-Optional", "If-None-Match-Any"]),
            "post" if self.is_of_one() && !self.stores_nothing() => names.push("If-Match-Optional"),
            _ => {}
        }
        if matches!(self.method, "post" | "patch" | "put") && !self.stores_nothing() {
            names.push("Idempotency-Key");
        }
        let shared = names
            .into_iter()
            .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
        if let Some(operation) = self.operation.as_object_mut() {
            let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
            if let Some(parameters) = parameters.as_array_mut() {
                parameters.extend(shared);
            }
        }
    }

    /// A merge patch may also come as plain JSON, as most clients send it.
    fn accept_plain_json(&mut self) {
        if let Some(content) = self
            .operation
            .pointer_mut("/requestBody/content")
            .and_then(Value::as_object_mut)
            && let Some(patch) = content.get("application/merge-patch+json").cloned()
        {
            content.insert("application/json".to_owned(), patch);
        }
    }

    fn success_headers(&self) -> Vec<&'static str> {
        let mut names = vec!["X-Request-Id", "Cache-Control", "Location"];
        if self.has_etag() || (self.method == "post" && self.is_secured() && !self.stores_nothing()) {
            names.push("ETag");
        }
        if self.is_list() {
            names.push("Link");
        }
        if self.path.ends_with("/form") || self.path.ends_with("/guide") {
            names.push("Content-Language");
        }
        if matches!(self.method, "post" | "patch" | "put") && !self.stores_nothing() {
            names.push("Idempotent-Replayed");
        }
        names
    }

    /// Which problems the operation can meet.
    fn statuses(&self) -> Vec<u16> {
        if self.is_token() {
            return vec![500];
        }
        let writes = self.method != "get" && !self.stores_nothing();
        let one_format = self
            .operation
            .pointer("/responses/200/content")
            .and_then(Value::as_object)
            .is_none_or(|c| c.len() < 2);
        let conditions: [(u16, bool); 13] = [
            (400, true),
            (401, self.is_secured()),
            (403, self.is_secured()),
            (404, self.path.contains('{') || self.path == "/v1/organisation"),
            (406, !one_format),
            (408, self.has_body()),
            (409, writes || self.path.ends_with("/validate")),
            (410, writes && self.method != "delete"),
            (412, writes && self.is_of_one()),
            (413, self.has_body()),
            (415, self.has_body()),
            (422, self.has_body() || writes && self.method != "delete"),
            (428, matches!(self.method, "patch" | "delete")),
        ];
        let met = conditions.into_iter().filter(|(_, met)| *met).map(|(status, _)| status);
        met.chain([500, 503]).collect()
    }
}
