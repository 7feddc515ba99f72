//! Schemas, made sound: what the derived ones leave to be said.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Finishes the schemas of the document, by name.
pub(super) fn finish(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas {
        if let Some(flat) = flattened(schema) {
            *schema = flat;
        }
        // A page names what it is a page of.
        if let (Some(item), Some(items)) = (name.strip_prefix("List_"), schema.pointer_mut("/properties/data/items")) {
            *items = json!({"$ref": format!("#/components/schemas/{item}")});
        }
        tidy(schema);
    }
}

/// What serde flattens comes as `allOf`, in which what may be absent reads as `null`: one object says what is sent.
fn flattened(schema: &Value) -> Option<Value> {
    let mut members = Members::default();
    schema.get("allOf")?;
    members.add(schema, false);
    Some(json!({
        "type": "object",
        "description": schema.get("description"),
        "properties": members.properties,
        "required": members.required,
    }))
}

#[derive(Default)]
struct Members {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Members {
    /// Adds an object's members; where it may be absent, none of them is required.
    fn add(&mut self, schema: &Value, may_be_absent: bool) {
        let parts = |word| schema.get(word).and_then(Value::as_array).into_iter().flatten();
        for part in parts("allOf") {
            self.add(part, may_be_absent);
        }
        for part in parts("oneOf") {
            self.add(part, true);
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            self.properties.insert(name.clone(), property.clone());
        }
        if !may_be_absent {
            self.required.extend(parts("required").cloned());
        }
    }
}

/// JSON Schema has `examples`, where `OpenAPI` had `example` before 3.1; and what is said of something that may be `null`
/// is said of both.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(words) => {
            // A property may be called so, too: only beside these is it a keyword.
            let is_schema = words.contains_key("type") || words.contains_key("$ref");
            if is_schema && let Some(example) = words.remove("example") {
                words.insert("examples".to_owned(), json!([example]));
            }
            let branches = words.get_mut("oneOf").and_then(Value::as_array_mut);
            let of_branch = |branch: &mut Value| branch.as_object_mut()?.remove("description");
            if let Some(description) = branches.and_then(|branches| branches.iter_mut().find_map(of_branch)) {
                words.entry("description").or_insert(description);
            }
            words.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

const PREFIX: &str = "#/components/schemas/";

/// What requests and answers share is closed in requests, so that a misspelt field is told, and open in answers, so that a
/// field can be added: those schemas get a closed sibling, `…Input`, that requests refer to.
pub(super) fn open_answers(document: &mut Value) {
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    let (mut asked, mut answered) = (BTreeSet::new(), BTreeSet::new());
    reach(document.pointer("/components/responses"), &schemas, &mut answered);
    for operation in operations(document) {
        reach(operation.get("requestBody"), &schemas, &mut asked);
        reach(operation.get("responses"), &schemas, &mut answered);
    }
    let is_closed = |name: &&String| schemas.pointer(&format!("/{name}/additionalProperties")) == Some(&json!(false));
    let shared: BTreeSet<String> = asked.intersection(&answered).filter(is_closed).cloned().collect();
    if let Some(named) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    {
        for name in asked.difference(&answered) {
            named
                .get_mut(name)
                .into_iter()
                .for_each(|schema| refer_to_inputs(schema, &shared));
        }
        for name in &shared {
            let Some(schema) = named.get_mut(name).and_then(Value::as_object_mut) else {
                continue;
            };
            let mut input = Value::Object(schema.clone());
            schema.remove("additionalProperties");
            refer_to_inputs(&mut input, &shared);
            named.insert(format!("{name}Input"), input);
        }
    }
    for operation in operations(document) {
        operation
            .get_mut("requestBody")
            .into_iter()
            .for_each(|body| refer_to_inputs(body, &shared));
    }
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let methods = paths
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut);
    methods.flat_map(Map::values_mut)
}

/// Notes the schemas that something refers to, however indirectly.
fn reach(from: Option<&Value>, schemas: &Value, names: &mut BTreeSet<String>) {
    match from {
        Some(Value::Object(words)) => {
            for (word, value) in words {
                match value.as_str().and_then(|target| target.strip_prefix(PREFIX)) {
                    Some(name) if word == "$ref" && names.insert(name.to_owned()) => {
                        reach(schemas.get(name), schemas, names);
                    }
                    _ => reach(Some(value), schemas, names),
                }
            }
        }
        Some(Value::Array(items)) => items.iter().for_each(|item| reach(Some(item), schemas, names)),
        _ => {}
    }
}

/// Lets what refers to one of these refer to its closed sibling.
fn refer_to_inputs(schema: &mut Value, shared: &BTreeSet<String>) {
    match schema {
        Value::Object(words) => {
            for (word, value) in words {
                match value.as_str().and_then(|target| target.strip_prefix(PREFIX)) {
                    Some(name) if word == "$ref" && shared.contains(name) => {
                        *value = json!(format!("{PREFIX}{name}Input"));
                    }
                    _ => refer_to_inputs(value, shared),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer_to_inputs(item, shared)),
        _ => {}
    }
}
