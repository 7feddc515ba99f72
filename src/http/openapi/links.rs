//! Links: what a resource's own words lead to.

use serde_json::{Map, Value, json};

/// What is created at `/v1/things` answers with the id by which `/v1/things/{thing}…` finds it.
pub(super) fn add(document: &mut Value) {
    let mut described = Map::new();
    let targets: Vec<(String, String)> = operations(document)
        .filter_map(|(path, _, operation)| {
            let id = operation.get("operationId")?.as_str()?;
            Some((path.clone(), id.to_owned()))
        })
        .collect();
    let creations: Vec<(String, String, String)> = operations(document)
        .filter(|(path, method, operation)| {
            method.as_str() == "post" && !path.contains('{') && operation.pointer("/responses/201").is_some()
        })
        .map(|(path, method, operation)| (path.clone(), method.clone(), id_of(operation)))
        .collect();
    for (path, method, id) in creations {
        let mut links = Map::new();
        for (target, name) in &targets {
            let Some(parameter) = target
                .strip_prefix(&format!("{path}/{{"))
                .and_then(|rest| rest.split_once('}'))
                .map(|(parameter, _)| parameter)
            else {
                continue;
            };
            let mut parameters = json!({parameter: format!("$response.body#/{id}")});
            if target.contains("/{version}")
                && let Some(parameters) = parameters.as_object_mut()
            {
                // Whatever has versions begins with this one.
                parameters.insert("version".to_owned(), json!("1"));
            }
            described.insert(
                name.clone(),
                json!({"operationId": name, "parameters": parameters, "description": "What was created is found by its id."}),
            );
            links.insert(name.clone(), json!({"$ref": format!("#/components/links/{name}")}));
        }
        let response = document.get_mut("paths").and_then(|paths| {
            paths
                .get_mut(&path)?
                .get_mut(&method)?
                .pointer_mut("/responses/201")?
                .as_object_mut()
        });
        if let Some(response) = response {
            response.insert("links".to_owned(), Value::Object(links));
        }
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("links".to_owned(), Value::Object(described));
    }
}

/// The member by which what was created is found again.
fn id_of(operation: &Value) -> String {
    let is_client = operation.get("operationId") == Some(&json!("create_client"));
    if is_client { "client_id" } else { "id" }.to_owned()
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document.get("paths").and_then(Value::as_object);
    paths.into_iter().flatten().flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path, method, operation))
    })
}
