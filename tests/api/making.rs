//! What tests of assessments and gap analyses begin with.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::{Answer, Client, TestApp};

/// The same client with a new token, since tokens last 15 minutes.
pub fn renewed(app: &TestApp, client: &Client) -> Client {
    let scopes = meaningful_connections::auth::scope::ScopeSet::of_organisation();
    app.client(client.organisation, client.id, &scopes.to_string())
}

/// The id at the end of a resource's URI.
pub fn id_of(uri: &str) -> String {
    uri.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The digest of a resource as a caller recomputes it: SHA-256 of RFC 8785 JSON without what the seal adds.
pub fn digest_of(resource: &Value) -> String {
    let mut resource = resource.clone();
    let members = resource.as_object_mut().expect("an object");
    for name in ["digest", "sealed_at", "sealed_by", "has_draft", "languages"] {
        members.remove(name);
    }
    let canonical = serde_json_canonicalizer::to_vec(&resource).expect("canonical JSON");
    let digest = Sha256::digest(canonical);
    digest
        .iter()
        .fold("sha256:".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A model of one theme, `care`, and no considerations; its first element is the theme's part of Safety.
pub fn model(slug: &str, elements: &[(&str, &str)]) -> Value {
    let elements: Vec<Value> = elements
        .iter()
        .enumerate()
        .map(|(place, (key, label))| match place {
            0 => json!({"key": key, "label": label, "strand": "safety"}),
            _ => json!({"key": key, "label": label}),
        })
        .collect();
    json!({"slug": slug, "title": "Care, in short", "themes": themes(&elements)})
}

/// The one theme of [`model`], with these elements.
pub fn themes(elements: &[Value]) -> Value {
    json!([{
        "key": "care", "label": "Care", "need": "To be cared for",
        "stem": {"individual": "I need to be", "collective": "We need to be"}, "elements": elements,
    }])
}

/// Publishes a model.
pub async fn published(client: &Client, model: Value) {
    let slug = model["slug"].as_str().expect("a slug").to_owned();
    let made = client.post("/v1/models", model).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let published = client.act(&format!("/v1/models/{slug}/publish")).await;
    assert_eq!(published.status, 200, "{}", published.text());
}

/// Publishes the next version of a model of [`model`]'s kind, with these elements.
pub async fn republished(client: &Client, slug: &str, elements: &[Value]) {
    let uri = format!("/v1/models/{slug}");
    let patched = client.patch(&uri, json!({"themes": themes(elements)})).await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    let published = client.act(&format!("{uri}/publish")).await;
    assert_eq!(published.status, 200, "{}", published.text());
}

/// Ratings as `(element, current, desired)`, levels by their numbers.
pub fn ratings(rated: &[(&str, usize, usize)]) -> Value {
    let level = |number: usize| ["early_stages", "forming", "maturing", "embedded"][number - 1];
    rated
        .iter()
        .map(|(key, current, desired)| {
            (
                (*key).to_owned(),
                json!({"current": level(*current), "desired": level(*desired)}),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A new draft.
pub async fn drafted(client: &Client, body: Value) -> Answer {
    let made = client.post("/v1/assessments", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

/// A submitted assessment: its URI.
pub async fn submitted(client: &Client, body: Value) -> String {
    let uri = drafted(client, body).await.uri();
    submit(client, &uri).await;
    uri
}

/// Submits the draft of an assessment.
pub async fn submit(client: &Client, uri: &str) -> Answer {
    let submitted = client.act(&format!("{uri}/submit")).await;
    assert_eq!(submitted.status, 200, "{}", submitted.text());
    submitted
}

/// Withdraws an assessment.
pub async fn withdraw(client: &Client, uri: &str) {
    let withdrawn = client.delete(uri).await;
    assert_eq!(withdrawn.status, 204, "{}", withdrawn.text());
}

/// The members of a list's items under this name.
pub fn column(list: &Answer, name: &str) -> Vec<String> {
    assert_eq!(list.status, 200, "{}", list.text());
    let data = list.json()["data"].as_array().cloned().unwrap_or_default();
    data.iter()
        .map(|item| item[name].as_str().unwrap_or_default().to_owned())
        .collect()
}
