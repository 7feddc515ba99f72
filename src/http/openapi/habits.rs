//! What follows for an operation from its path, its method and what it says of itself.

use serde_json::{Map, Value, json};

use super::{examples::Examples, headers, response_name, scope, suggest};
use crate::http::{negotiate::Format, routes::oauth::TOKEN_ENDPOINT};

/// What follows for an operation from its path, its method and what it says of itself.
pub(super) struct Habits<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) operation: &'a mut Value,
    pub(super) examples: &'a Examples,
}

impl Habits<'_> {
    /// Adds it all.
    pub(super) fn apply(&mut self) {
        self.add_parameters();
        self.accept_plain_json();
        self.name_offered_formats();
        self.trim_summary();
        self.open_to_all();
        let statuses = self.statuses();
        let headers = self.success_headers();
        let may_be_known = self.has_etag() && self.method == "get";
        let Some(responses) = self.operation.get_mut("responses").and_then(Value::as_object_mut) else {
            return;
        };
        responses.remove("default");
        for (status, response) in responses.iter_mut() {
            let names = match status.as_str() {
                "401" => vec!["WWW-Authenticate"],
                "429" | "503" => vec!["Retry-After"],
                "204" => headers.iter().copied().filter(|name| *name != "ETag").collect(),
                "201" => headers.iter().copied().chain(["Location"]).collect(),
                _ => headers.clone(),
            };
            describe(response, &names);
            self.examples.show(status, response);
        }
        for status in statuses {
            let shared = json!({"$ref": format!("#/components/responses/{}", response_name(status))});
            responses.entry(status.to_string()).or_insert(shared);
        }
        if may_be_known {
            let mut known = json!({"description": "The caller knows it already."});
            let more = headers.iter().copied().filter(|name| *name != "Idempotent-Replayed");
            describe(&mut known, &more.collect::<Vec<_>>());
            responses.insert("304".to_owned(), known);
        }
    }

    fn is_token(&self) -> bool {
        self.path == TOKEN_ENDPOINT
    }

    fn stores_nothing(&self) -> bool {
        self.path.ends_with("/validate")
            || self.path.ends_with("/preview")
            || self.draws()
            || self.is_token()
            || self.redeems()
    }

    /// What makes a picture of its body.
    fn draws(&self) -> bool {
        self.path.ends_with("/qr-code")
    }

    /// What takes a token in its body, and counts what leads nowhere.
    fn redeems(&self) -> bool {
        self.path.ends_with("/redeem")
    }

    /// What makes several at once, and so has no one revision.
    fn makes_several(&self) -> bool {
        self.method == "post" && self.path.ends_with("/invitations")
    }

    fn writes(&self) -> bool {
        self.method != "get" && !self.stores_nothing()
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

    /// Makes what is not there yet, as well as it replaces what is.
    fn is_upsert(&self) -> bool {
        self.is_put_again() || self.method == "put" && self.path.ends_with("/by-external-id")
    }

    /// Changes what stands: it must say which revision it is for.
    fn needs_revision(&self) -> bool {
        matches!(self.method, "put" | "patch" | "delete") && !self.is_upsert()
    }

    /// Answers in the reader's language, as far as there are translations: what is told or drawn in a model's words.
    fn is_translated(&self) -> bool {
        let is_of_a_model = ["{model}", "{gap_analysis}", "{relationship}"]
            .iter()
            .any(|name| self.path.contains(name));
        let is_told_or_drawn = |media_type: &str| matches!(media_type, "image/svg+xml" | "text/markdown");
        self.path.ends_with("/form") || is_of_a_model && self.media_types().any(is_told_or_drawn)
    }

    /// Is made by whoever comes first, and replaced only by who knows what stands.
    fn is_put_again(&self) -> bool {
        self.method == "put" && self.path.ends_with("/agreed-reading")
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
            && !self.makes_several()
            && self.method != "delete"
    }

    fn add_parameters(&mut self) {
        let mut names = vec!["X-Request-Id"];
        if self.has_etag() && self.method == "get" {
            names.push("If-None-Match");
        }
        if self.is_secured() && !self.writes() {
            names.push("Consistency-Token");
        }
        if self.is_translated() {
            names.push("Accept-Language");
        }
        match self.method {
            _ if self.needs_revision() => names.push("If-Match"),
            "put" => names.extend(["If-Match-Optional", "If-None-Match-Any"]),
            "post" if self.is_of_one() && !self.stores_nothing() && !self.makes_several() => {
                names.push("If-Match-Optional");
            }
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
                parameters.iter_mut().for_each(suggest);
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

    /// `?format=` names the representations that the operation has.
    fn name_offered_formats(&mut self) {
        let offered: Vec<Value> = self
            .media_types()
            .filter_map(Format::of_media_type)
            .map(|format| json!(format))
            .collect();
        let parameters = self.operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if parameter.get("name") == Some(&json!("format"))
                && let Some(names) = parameter.pointer_mut("/schema/enum")
            {
                *names = json!(offered);
            }
        }
    }

    /// The media types of the answer.
    fn media_types(&self) -> impl Iterator<Item = &str> {
        let content = self
            .operation
            .pointer("/responses/200/content")
            .and_then(Value::as_object);
        content.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// What names no scope is for everybody, and says so.
    fn open_to_all(&mut self) {
        if let Some(operation) = self.operation.as_object_mut() {
            operation.entry("security").or_insert_with(|| json!([]));
        }
    }

    /// A summary is a title, not a sentence.
    fn trim_summary(&mut self) {
        if let Some(summary) = self.operation.get_mut("summary")
            && let Some(trimmed) = summary.as_str().map(|text| text.trim_end_matches('.').to_owned())
        {
            *summary = Value::String(trimmed);
        }
    }

    fn success_headers(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        if self.has_etag()
            || (self.method == "post" && self.is_secured() && !self.stores_nothing() && !self.makes_several())
        {
            names.push("ETag");
        }
        if self.is_list() {
            names.push("Link");
        }
        if self.media_types().any(|media_type| media_type == "image/svg+xml") {
            names.push("Content-Security-Policy");
        }
        if self.is_translated() {
            names.push("Content-Language");
        }
        if matches!(self.method, "post" | "patch" | "put") && !self.stores_nothing() {
            names.push("Idempotent-Replayed");
        }
        if self.writes() {
            names.push("Consistency-Token");
        }
        names
    }

    /// Which problems the operation can meet.
    fn statuses(&self) -> Vec<u16> {
        if self.is_token() {
            return vec![431, 500];
        }
        let writes = self.writes();
        let several_formats = self.media_types().count() > 1;
        let conditions: [(u16, bool); 14] = [
            (400, true),
            (401, self.is_secured()),
            (403, self.is_secured()),
            (
                404,
                self.path.contains('{') || self.path == "/v1/organisation" || self.redeems(),
            ),
            (406, several_formats),
            (408, self.has_body()),
            (409, writes || self.path == "/v1/models/{model}/validate"),
            (410, writes && self.method != "delete"),
            (412, writes && self.is_of_one() && !self.makes_several()),
            (413, self.has_body()),
            (415, self.has_body()),
            (422, self.has_body() || writes && self.method != "delete"),
            (428, self.needs_revision() || self.is_put_again()),
            (429, self.redeems()),
        ];
        let met = conditions.into_iter().filter(|(_, met)| *met).map(|(status, _)| status);
        met.chain([431, 500, 503]).collect()
    }
}

/// Says which headers an answer has, beside those that every answer has.
fn describe(response: &mut Value, names: &[&str]) {
    if let Some(response) = response.as_object_mut() {
        let all = headers::ALWAYS.iter().chain(names);
        response.insert("headers".to_owned(), headers::named(all));
    }
}
