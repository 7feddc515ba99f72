//! The `OpenAPI` document: as a stranger reads it who makes a client from it.

use std::collections::{BTreeMap, BTreeSet};

use meaningful_connections::http::openapi::{document, operations, scope};
use serde_json::{Value, json};

use crate::app::Answer;

/// An operation, and where it is.
pub struct Operation {
    pub path: String,
    pub method: String,
    pub described: Value,
}

impl Operation {
    pub fn id(&self) -> &str {
        self.described["operationId"].as_str().unwrap_or("?")
    }

    pub fn scope(&self) -> Option<&str> {
        scope(&self.described)
    }

    /// The example of its body, and the media type in which it is sent.
    pub fn example(&self) -> Option<(String, Value)> {
        let content = self.described["requestBody"]["content"].as_object()?;
        // A merge patch comes first: that is what the operation asks for.
        let (media_type, content) = content
            .iter()
            .max_by_key(|(media_type, _)| media_type.contains("merge-patch"))?;
        Some((media_type.clone(), content["example"].clone()))
    }

    /// The parameters, with those that are shared.
    pub fn parameters(&self, document: &Value) -> Vec<Value> {
        let parameters = self.described["parameters"].as_array().cloned().unwrap_or_default();
        parameters
            .into_iter()
            .map(|parameter| resolved(document, parameter))
            .collect()
    }

    /// The content of every body and answer: where, media type, and what is said of it.
    fn contents(&self, document: &Value) -> Vec<(String, String, Value)> {
        let mut contents = Vec::new();
        let mut of = |place: String, holder: &Value| {
            for (media_type, content) in holder["content"].as_object().into_iter().flatten() {
                contents.push((format!("{} {place}", self.id()), media_type.clone(), content.clone()));
            }
        };
        of("request".to_owned(), &self.described["requestBody"]);
        for (status, response) in self.described["responses"].as_object().expect("responses") {
            of(status.clone(), &resolved(document, response.clone()));
        }
        contents
    }
}

/// Every operation of the document.
pub fn all(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, described) in methods.as_object().expect("methods") {
            all.push(Operation {
                path: path.clone(),
                method: method.to_uppercase(),
                described: described.clone(),
            });
        }
    }
    all
}

/// The same, or what it refers to.
pub fn resolved(document: &Value, value: Value) -> Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(&reference[1..])
            .cloned()
            .expect("a reference leads somewhere"),
        None => value,
    }
}

/// Every part of the document, with its pointer.
fn walk<'a>(at: &str, part: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(at, part);
    match part {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            walk(
                &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                member,
                visit,
            );
        }),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                walk(&format!("{at}/{place}"), item, visit);
            }
        }
        _ => {}
    }
}

/// A validator for a schema of the document, whose references stay where they are.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let root = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&root)
        .expect("a schema")
}

/// Headers that no document describes.
const OF_THE_TRANSFER: [&str; 2] = ["content-type", "content-length"];

/// What the document does not say of such an answer of the operation: its status, media type, schema and headers.
pub fn undeclared(document: &Value, operation: &Operation, answer: &Answer) -> Vec<String> {
    let what = format!("{} {}", operation.id(), answer.status);
    let response = resolved(
        document,
        operation.described["responses"][answer.status.to_string()].clone(),
    );
    if !response.is_object() {
        return vec![format!("{what}: not declared: {}", answer.text())];
    }
    let mut faults = Vec::new();
    let declared = response["headers"].as_object().cloned().unwrap_or_default();
    for name in answer.headers.keys().map(AsRef::<str>::as_ref) {
        let is_declared = declared.keys().any(|known| known.eq_ignore_ascii_case(name));
        if !is_declared && !OF_THE_TRANSFER.contains(&name) {
            faults.push(format!("{what}: {name} is not declared"));
        }
    }
    for (name, header) in declared {
        if resolved(document, header)["required"] == true && answer.header(&name).is_empty() {
            faults.push(format!("{what}: {name} is declared and missing"));
        }
    }
    if answer.body.is_empty() {
        faults.extend((!response["content"].is_null()).then(|| format!("{what}: no body")));
        return faults;
    }
    let media_type = answer.header("content-type");
    let media_type = media_type.split(';').next().unwrap_or_default();
    let content = &response["content"][media_type];
    if content.is_null() {
        faults.push(format!("{what}: {media_type} is not declared"));
    } else if media_type.ends_with("json") {
        let json = answer.json();
        let validator = validator(document, &content["schema"]);
        faults.extend(
            validator
                .iter_errors(&json)
                .map(|error| format!("{what}: {} {error}", error.instance_path())),
        );
    }
    faults
}

#[test]
fn the_golden_files_are_up_to_date() {
    let document = document();
    let golden = |name: &str| {
        std::fs::read_to_string(format!("{}/openapi/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap_or_default()
    };
    let renew = "renew it: `cargo run -- openapi > openapi/openapi.json; cargo run -- openapi --operations > openapi/operations.txt`";
    let pretty = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
    assert!(
        golden("openapi.json") == pretty,
        "openapi/openapi.json is not what the code says; {renew}"
    );
    assert!(
        golden("operations.txt") == operations(&document),
        "openapi/operations.txt is not what the code says; {renew}"
    );
}

#[test]
fn every_operation_has_an_id_a_summary_a_description_and_a_tag_of_its_own() {
    let document = document();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    let (mut ids, mut faults) = (BTreeSet::new(), Vec::new());
    let operations = all(&document);
    for operation in &operations {
        let described = &operation.described;
        let text = |name: &str| described[name].as_str().is_some_and(|text| !text.trim().is_empty());
        let is_id = operation.id().contains('_') && operation.id().chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let is_tagged = described["tags"]
            .as_array()
            .is_some_and(|own| own.len() == 1 && own[0].as_str().is_some_and(|tag| tags.contains(tag)));
        let is_secured = described["security"].is_array();
        if !(ids.insert(operation.id()) && is_id && is_tagged && is_secured && text("summary") && text("description")) {
            faults.push(operation.id());
        }
    }
    assert_eq!(faults, Vec::<&str>::new());
    assert!(operations.len() > 50, "{}", operations.len());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut dangling = Vec::new();
    walk("", &document, &mut |at, part| {
        if let Some(reference) = part["$ref"].as_str()
            && reference
                .strip_prefix('#')
                .is_none_or(|pointer| document.pointer(pointer).is_none())
        {
            dangling.push(format!("{at} → {reference}"));
        }
    });
    assert_eq!(dangling, Vec::<String>::new());
}

#[test]
fn every_component_is_used() {
    let document = document();
    let text = document.to_string();
    let mut unused = Vec::new();
    for kind in ["schemas", "headers", "parameters", "responses", "examples"] {
        for name in document["components"][kind].as_object().expect("components").keys() {
            if !text.contains(&format!("\"#/components/{kind}/{name}\"")) {
                unused.push(format!("{kind}/{name}"));
            }
        }
    }
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn every_parameter_is_declared_described_and_shown() {
    let document = document();
    let mut faults = Vec::new();
    for operation in all(&document) {
        let parameters = operation.parameters(&document);
        let mut seen = BTreeSet::new();
        for parameter in &parameters {
            let name = (parameter["in"].to_string(), parameter["name"].to_string());
            if parameter["description"].as_str().is_none() || !parameter["schema"].is_object() || !seen.insert(name) {
                faults.push(format!("{} {}", operation.id(), parameter["name"]));
            }
        }
        let in_path: BTreeSet<&str> = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let declared: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| {
                parameter["in"] == "path" && parameter["required"] == true && !parameter["example"].is_null()
            })
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        if in_path != declared {
            faults.push(format!("{}: {in_path:?}", operation.id()));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_operation_says_what_can_go_wrong() {
    let document = document();
    let mut faults = Vec::new();
    for operation in all(&document) {
        let responses = operation.described["responses"].as_object().expect("responses");
        let mut needed = vec!["500"];
        if operation.scope().is_some() {
            needed.extend(["400", "401", "403", "503"]);
        }
        if operation.path.contains('{') {
            needed.push("404");
        }
        if operation.described["requestBody"].is_object() && operation.scope().is_some() {
            needed.extend(["413", "415", "422"]);
        }
        let changes = ["PUT", "PATCH", "DELETE"].contains(&operation.method.as_str());
        if changes && operation.id() != "upsert_assessment" {
            needed.extend(["412", "428"]);
        }
        for status in needed {
            if !responses.contains_key(status) {
                faults.push(format!("{} has no {status}", operation.id()));
            }
        }
        for (status, response) in responses {
            let response = resolved(&document, response.clone());
            let token_error = operation.id() == "create_token" && response["content"]["application/json"].is_object();
            let is_problem = response["content"]["application/problem+json"].is_object();
            let has_headers = response["headers"]["X-Request-Id"].is_object();
            if !has_headers || !(status.starts_with(['2', '3']) || is_problem || token_error) {
                faults.push(format!("{} {status}", operation.id()));
            }
        }
        if !responses.keys().any(|status| status.starts_with('2')) {
            faults.push(format!("{} never succeeds", operation.id()));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_client_made_from_the_document_can_put_the_first_agreed_reading_and_replace_it() {
    let document = document();
    let put = all(&document)
        .into_iter()
        .find(|operation| operation.id() == "put_agreed_reading")
        .expect("the operation");
    let headers: BTreeMap<String, bool> = put
        .parameters(&document)
        .iter()
        .filter(|parameter| parameter["in"] == "header")
        .map(|parameter| {
            let name = parameter["name"].as_str().expect("a name").to_owned();
            (name, parameter["required"] == true)
        })
        .collect();
    assert_eq!(headers.get("If-Match"), Some(&false));
    assert_eq!(headers.get("If-None-Match"), Some(&false));
    let responses = &put.described["responses"];
    assert!(responses["412"].is_object() && responses["428"].is_object());
}

#[test]
fn every_json_body_and_answer_has_an_example_that_meets_its_schema() {
    let document = document();
    let (mut faults, mut shown) = (Vec::new(), 0);
    for operation in all(&document) {
        for (place, media_type, content) in operation.contents(&document) {
            let is_json = media_type.ends_with("json") || media_type.ends_with("urlencoded");
            let several = content["examples"].as_object().cloned().unwrap_or_default();
            let mut examples: Vec<Value> = several
                .into_iter()
                .map(|(_, example)| resolved(&document, example)["value"].clone())
                .collect();
            examples.extend((!content["example"].is_null()).then(|| content["example"].clone()));
            if is_json && examples.is_empty() {
                faults.push(format!("{place} {media_type}: no example"));
            }
            let validator = validator(&document, &content["schema"]);
            for example in examples {
                shown += 1;
                let errors = validator.iter_errors(&example);
                faults.extend(errors.map(|error| format!("{place} {media_type}: {} {error}", error.instance_path())));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(shown > 500, "{shown}");
}

#[test]
fn schemas_are_sound_and_say_what_they_mean() {
    let document = document();
    let mut faults = Vec::new();
    walk("", &document["components"]["schemas"], &mut |at, part| {
        let Some(words) = part.as_object() else { return };
        if at.ends_with("/properties") {
            for (name, property) in words {
                if property["description"].as_str().is_none_or(|text| text.len() < 3) {
                    faults.push(format!("{at}/{name}: no description"));
                }
            }
            return;
        }
        // What refuses unknown fields refuses those of its siblings, too.
        if words.contains_key("allOf") {
            faults.push(format!("{at}: allOf"));
        }
        if words.get("type") == Some(&json!("array")) && !words.contains_key("items") {
            faults.push(format!("{at}: of what?"));
        }
        let properties = words.get("properties").and_then(Value::as_object);
        for name in words.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !properties.is_some_and(|properties| properties.contains_key(name.as_str().unwrap_or_default())) {
                faults.push(format!("{at}: {name} is required and not described"));
            }
        }
        let is_integer = words.get("type") == Some(&json!("integer"));
        if is_integer && !words.contains_key("minimum") && !at.ends_with("expires_in") {
            faults.push(format!("{at}: no minimum"));
        }
    });
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn bodies_refuse_unknown_fields_and_limit_their_texts() {
    let document = document();
    let mut faults = Vec::new();
    for operation in all(&document) {
        for (place, media_type, content) in operation.contents(&document) {
            if !place.ends_with("request") || !media_type.ends_with("json") {
                continue;
            }
            let schema = resolved(&document, content["schema"].clone());
            if schema["additionalProperties"] != json!(false) {
                faults.push(format!("{place}: open"));
            }
            for (name, property) in schema["properties"].as_object().expect("properties") {
                let property = resolved(&document, property.clone());
                let is_text = property["type"] == "string" || property["type"] == json!(["string", "null"]);
                let is_limited = ["maxLength", "pattern", "format", "enum"]
                    .iter()
                    .any(|word| property.get(*word).is_some());
                if is_text && !is_limited {
                    faults.push(format!("{place}: {name} is as long as you like"));
                }
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn only_what_may_be_null_is_nullable() {
    let document = document();
    let mut nullable = Vec::new();
    walk("", &document["components"]["schemas"], &mut |at, part| {
        let by_type = part["type"]
            .as_array()
            .is_some_and(|types| types.contains(&json!("null")));
        let by_branch = ["oneOf", "anyOf"].iter().any(|word| {
            part[*word]
                .as_array()
                .is_some_and(|b| b.contains(&json!({"type": "null"})))
        });
        if by_type || by_branch {
            nullable.push(at.to_owned());
        }
    });
    let unexpected: Vec<&String> = nullable
        .iter()
        .filter(|at| {
            !(at.starts_with("/Patch")
                || at.starts_with("/List_") && at.ends_with("/next_cursor")
                // A series has a place for every round, be there a point or not.
                || at.starts_with("/TimelineSeries/")
                || *at == "/RatingOrNull")
        })
        .collect();
    assert_eq!(unexpected, Vec::<&String>::new());
    let of_patches: Vec<&str> = nullable
        .iter()
        .map(String::as_str)
        .filter(|at| at.starts_with("/Patch"))
        .collect();
    assert_eq!(
        of_patches,
        [
            "/PatchAssessment/properties/external_ids",
            "/PatchAssessment/properties/ratings",
            "/PatchAssessment/properties/research_consent",
            "/PatchAssessment/properties/respondent_ref",
            "/PatchByWhom/properties/external_id",
            "/PatchByWhom/properties/label",
            "/PatchConstellation/properties/description",
            "/PatchConstellation/properties/external_ids",
            "/PatchModel/properties/copyright",
            "/PatchNextStep/properties/by_whom",
            "/PatchNextStep/properties/due",
            "/PatchNextStep/properties/evidence",
            "/PatchPerspective/properties/description",
            "/PatchRating/properties/current",
            "/PatchRating/properties/desired",
            "/PatchRating/properties/not_applicable",
            "/PatchRating/properties/note",
            "/PatchRating/properties/reason",
            "/PatchRound/properties/baseline",
            "/PatchRound/properties/closes_at",
            "/PatchRound/properties/constellation",
            "/PatchRound/properties/minimum_group",
            "/PatchRound/properties/model_version",
            "/PatchRound/properties/opens_at",
            "/PatchRound/properties/relationship",
        ]
    );
}
