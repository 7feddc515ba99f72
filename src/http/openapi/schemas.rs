//! Schemas, made sound: what the derived ones leave to be said.

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
