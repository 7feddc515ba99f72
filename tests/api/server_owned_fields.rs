//! What the service says of a thing is not for callers to say: every field that answers have and requests have not is refused
//! by its name, on every operation that takes a body, at every level of it.

use std::collections::{BTreeMap, BTreeSet};

use meaningful_connections::http::openapi::document;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    openapi::{Operation, all, resolved},
    rows,
    world::World,
};

/// What no answer has, and somebody may still try.
const TRIED: [&str; 13] = [
    "organisation_id",
    "organisation",
    "org",
    "owner",
    "tenant",
    "etag",
    "deleted_at",
    "withdrawn_at",
    "retired_at",
    "submitted_at",
    "secret_hash",
    "__proto__",
    "constructor",
];

/// The members of a schema, by name; of a list's items, where it is one.
fn members(document: &Value, schema: &Value, found: &mut BTreeMap<String, Value>) {
    let schema = resolved(document, schema.clone());
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if name == "data" {
            members(document, &resolved(document, property.clone())["items"], found);
        }
        found.insert(name.clone(), property.clone());
    }
    for branch in ["oneOf", "anyOf"]
        .iter()
        .flat_map(|word| schema[*word].as_array().into_iter().flatten())
    {
        members(document, branch, found);
    }
}

/// Every field at the top of any answer that is a success.
fn answered(document: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for operation in all(document) {
        for (status, response) in operation.described["responses"].as_object().expect("responses") {
            if status.starts_with('2') {
                let response = resolved(document, response.clone());
                members(document, &response["content"]["application/json"]["schema"], &mut found);
            }
        }
    }
    found
}

/// Something that could stand in a field.
fn plausible(document: &Value, schema: &Value) -> Value {
    let schema = resolved(document, schema.clone());
    let first = |word: &str| schema[word].as_array().and_then(|all| all.first()).cloned();
    match schema["type"].as_str() {
        _ if !schema["example"].is_null() => schema["example"].clone(),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => first("enum").unwrap_or_else(|| json!("x")),
    }
}

/// Every object in a body: where it is.
fn objects(body: &Value, at: &str, found: &mut Vec<String>) {
    match body {
        Value::Object(members) => {
            found.push(at.to_owned());
            members
                .iter()
                .for_each(|(name, member)| objects(member, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, item)| objects(item, &format!("{at}/{place}"), found));
        }
        _ => {}
    }
}

fn writes(document: &Value) -> Vec<Operation> {
    let takes_json = |operation: &Operation| {
        operation
            .example()
            .is_some_and(|(media_type, _)| media_type.ends_with("json"))
    };
    all(document).into_iter().filter(takes_json).collect()
}

/// What a body can say at its top.
fn sayable(document: &Value, operation: &Operation) -> BTreeSet<String> {
    let mut found = BTreeMap::new();
    let (media_type, _) = operation.example().expect("a body");
    let schema = &operation.described["requestBody"]["content"][media_type]["schema"];
    members(document, schema, &mut found);
    found.into_keys().collect()
}

#[actix_web::test]
async fn what_only_the_service_says_is_refused_wherever_a_caller_says_it() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let before = rows::of(&app, world.owner.organisation);
    let document = document();
    let mut fields = answered(&document);
    for expected in [
        "id",
        "version",
        "status",
        "digest",
        "sealed_at",
        "sealed_by",
        "created_at",
        "updated_at",
        "has_draft",
        "lineage",
        "formula_version",
        "based_on",
        "client_id",
        "client_secret",
        "revoked_at",
    ] {
        assert!(fields.contains_key(expected), "no answer has {expected}");
    }
    fields.extend(TRIED.map(|name| (name.to_owned(), json!({"type": "string"}))));
    let (mut refused, operations) = (0, writes(&document));
    for operation in &operations {
        let own = sayable(&document, operation);
        let (media_type, example) = world.example(operation).expect("a body");
        let (path, mut at) = (world.path(operation), Vec::new());
        objects(&example, "", &mut at);
        let etag = if ["PUT", "PATCH"].contains(&operation.method.as_str()) {
            world.owner.get(&path).await.etag()
        } else {
            String::new()
        };
        let uri = format!("{path}{}", world.query(operation));
        for (name, schema) in fields.iter().filter(|(name, _)| !own.contains(*name)) {
            // Deeper down an answer's field may well be a request's: there the names that are nowhere a request's will do.
            let nowhere =
                TRIED.contains(&name.as_str()) || ["digest", "sealed_at", "created_at"].contains(&name.as_str());
            for at in at.iter().filter(|at| at.is_empty() || nowhere) {
                let mut body = example.clone();
                body.pointer_mut(at).expect("an object")[name] = plausible(&document, schema);
                let request = world.to(operation, &uri, &etag, Some((media_type.clone(), body)));
                let answer = world.owner.send(request).await;
                let what = format!("{} {at}/{name}: {} {}", operation.id(), answer.status, answer.text());
                let is_told = ["unknown_field", "unknown_element", "unknown_key", "type"]
                    .iter()
                    .any(|code| answer.faults().contains(&format!("{at}/{name} {code}")));
                let status = if operation.id() == "validate_assessment" {
                    200
                } else {
                    422
                };
                assert!(is_told && answer.status == status, "{what}");
                refused += 1;
            }
        }
        let mut all_at_once = example.clone();
        let names: Vec<&String> = fields.keys().filter(|name| !own.contains(*name)).collect();
        for name in &names {
            all_at_once[name.as_str()] = json!(null);
        }
        let request = world.to(operation, &uri, &etag, Some((media_type, all_at_once)));
        let mut told = world.owner.send(request).await.faults();
        told.retain(|fault| fault.ends_with("unknown_field"));
        assert_eq!(told.len(), names.len(), "{} {told:?}", operation.id());
    }
    assert_eq!(rows::of(&app, world.owner.organisation), before);
    println!(
        "server-owned fields: {refused} refused, of {} fields, on {} operations",
        fields.len(),
        operations.len()
    );
    assert!(
        operations.len() >= 12 && fields.len() >= 50,
        "{} {}",
        operations.len(),
        fields.len()
    );
}

#[actix_web::test]
async fn what_is_said_to_an_action_that_takes_nothing_changes_nothing() {
    let app = TestApp::new().await;
    let document = document();
    let said: Value = answered(&document)
        .keys()
        .map(|name| (name.clone(), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let actions: Vec<Operation> = all(&document)
        .into_iter()
        .filter(|operation| operation.method == "POST" && operation.described["requestBody"].is_null())
        .collect();
    assert!(actions.len() >= 8, "{}", actions.len());
    for operation in &actions {
        let mut answers = Vec::new();
        for body in [None, Some(("application/json".to_owned(), said.clone()))] {
            let world = World::new(app.organisation("acme")).await;
            let answer = world
                .owner
                .send(world.to(operation, &world.path(operation), "", body))
                .await;
            assert!(answer.status < 300, "{} {}", operation.id(), answer.text());
            let shown: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            answers.push(
                [
                    "status",
                    "version",
                    "has_draft",
                    "title",
                    "slug",
                    "based_on",
                    "perspective",
                ]
                .map(|name| shown[name].clone()),
            );
        }
        assert_eq!(answers[0], answers[1], "{}", operation.id());
    }
}
