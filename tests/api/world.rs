//! One organisation with something of every kind in every state, and how each operation is asked about it.

use actix_web::test::TestRequest;
use meaningful_connections::auth::scope::Scope;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment, method},
    openapi::Operation,
};

/// The system by whose names the world's assessments are known.
pub const SYSTEM: &str = "https://crm.example.org";

/// One organisation's things.
pub struct World {
    pub owner: Client,
    /// A model that was never published, and its id.
    pub drafted_model: String,
    /// A model with two published versions, and its id.
    pub model: String,
    pub model_id: String,
    /// A perspective with two versions.
    pub perspective: String,
    pub perspective_id: String,
    /// A constellation with two versions, and the relationship of it that the first submitted assessment names.
    pub constellation: String,
    pub relationship: String,
    /// A complete draft.
    pub draft: String,
    /// Submitted twice.
    pub submitted: String,
    /// Submitted, with the next draft open.
    pub amended: String,
    pub withdrawn: String,
    /// A draft on the first version of the organisation's own model.
    pub outdated: String,
    /// Two versions.
    pub gap_analysis: String,
    pub client: String,
    pub client_secret: String,
}

/// The id of what was made.
pub fn made(answer: &Answer) -> String {
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

/// Fails unless it was done.
pub async fn done(answer: impl Future<Output = Answer>) {
    let answer = answer.await;
    assert!([200, 201, 204].contains(&answer.status), "{}", answer.text());
}

/// A complete assessment of the seed model with a name in another system.
fn named(perspective: &str, name: &str) -> Value {
    let mut body = assessment(perspective, "forming", "maturing");
    body["external_ids"] = json!([{"system": SYSTEM, "value": name}]);
    body
}

/// A team, whom it works with, and how.
pub fn constellation() -> Value {
    let cardinality = json!({"from": "one", "to": "many"});
    json!({
        "title": "Supported housing",
        "parties": [
            {"key": "team", "kind": "team", "label": "The team"},
            {"key": "residents", "kind": "service_user", "label": "Residents"}
        ],
        "relationships": [
            {"from": "team", "to": "residents", "cardinality": cardinality, "setting": "in_person"},
            {"from": "residents", "to": "residents", "cardinality": cardinality, "label": "Peer support"}
        ]
    })
}

/// The language into which the world's models are translated: one text of them.
pub const LANGUAGE: &str = "en-GB-x-easyread";

async fn translate(owner: &Client, model: &str) {
    let etag = owner.get(&format!("/v1/models/{model}")).await.etag();
    let request = TestRequest::put().uri(&format!("/v1/models/{model}/draft/translations/{LANGUAGE}"));
    done(
        owner.send(
            request
                .insert_header(("If-Match", etag))
                .set_json(json!({"title": "Ours"})),
        ),
    )
    .await;
}

impl World {
    /// Makes everything through the API.
    pub async fn new(owner: Client) -> Self {
        let origin = json!({"model": "meaningful-connections", "version": 1});
        let drafted_model = owner.post("/v1/models", json!({"slug": "drafted", "derived_from": origin}));
        let drafted_model = made(&drafted_model.await);
        let model = owner.post("/v1/models", json!({"slug": "our-own", "derived_from": origin}));
        let model_id = made(&model.await);
        translate(&owner, "our-own").await;
        done(owner.act("/v1/models/our-own/publish")).await;
        translate(&owner, "drafted").await;
        let outdated = json!({"model": "our-own", "perspective": "team", "ratings": {}});
        let outdated = made(&owner.post("/v1/assessments", outdated).await);
        done(owner.patch("/v1/models/our-own", json!({"title": "Our own, reworded"}))).await;
        done(owner.act("/v1/models/our-own/publish")).await;
        let perspective = json!({"slug": "funder", "label": "Funder", "voice": "collective"});
        let perspective_id = made(&owner.post("/v1/perspectives", perspective).await);
        done(owner.patch("/v1/perspectives/funder", json!({"label": "Those who fund us"}))).await;
        let constellation = owner.post("/v1/constellations", constellation()).await;
        let relationship = constellation.json()["relationships"][0]["id"].clone();
        let constellation = made(&constellation);
        let uri = format!("/v1/constellations/{constellation}");
        done(owner.patch(&uri, json!({"description": "Four houses."}))).await;
        let draft = made(&owner.post("/v1/assessments", named("team", "case-1")).await);
        let (mut ids, perspectives) = (Vec::new(), ["service_user", "team", "funder"]);
        for (perspective, name) in perspectives.into_iter().zip(["case-2", "case-3", "case-4"]) {
            let mut body = named(perspective, name);
            if name == "case-2" {
                body["relationship"] = relationship.clone();
            }
            let id = made(&owner.post("/v1/assessments", body).await);
            done(owner.act(&format!("/v1/assessments/{id}/submit"))).await;
            ids.push(id);
        }
        let [submitted, amended, withdrawn] = ids.try_into().expect("three");
        let analysis = json!({"title": "First", "assessments": [submitted, amended]});
        let gap_analysis = made(&owner.post("/v1/gap-analyses", analysis).await);
        for action in ["amend", "submit"] {
            done(owner.act(&format!("/v1/assessments/{submitted}/{action}"))).await;
        }
        done(owner.act(&format!("/v1/gap-analyses/{gap_analysis}/recompute"))).await;
        done(owner.act(&format!("/v1/assessments/{amended}/amend"))).await;
        done(owner.delete(&format!("/v1/assessments/{withdrawn}"))).await;
        let client = owner.post(
            "/v1/clients",
            json!({"name": "Another", "scopes": ["models:read", "assessments:write"]}),
        );
        let client = client.await.json();
        Self {
            owner,
            drafted_model,
            model: "our-own".to_owned(),
            model_id,
            perspective: "funder".to_owned(),
            perspective_id,
            constellation,
            relationship: relationship.as_str().expect("an id").to_owned(),
            draft,
            submitted,
            amended,
            withdrawn,
            outdated,
            gap_analysis,
            client: client["client_id"].as_str().expect("an id").to_owned(),
            client_secret: client["client_secret"].as_str().expect("a secret").to_owned(),
        }
    }

    /// Everything that the owner can see, as they see it.
    pub async fn seen(&self) -> Vec<String> {
        let mut seen = Vec::new();
        let mut paths: Vec<String> = [
            "/v1/organisation",
            "/v1/models?limit=200",
            "/v1/perspectives?limit=200",
            "/v1/clients?limit=200",
            "/v1/constellations?limit=200",
        ]
        .map(ToOwned::to_owned)
        .to_vec();
        paths.extend(
            [
                "/v1/assessments?limit=200",
                "/v1/assessments?status=withdrawn",
                "/v1/gap-analyses?limit=200",
            ]
            .map(ToOwned::to_owned),
        );
        let resources = [
            ("models", &self.drafted_model),
            ("models", &self.model_id),
            ("perspectives", &self.perspective_id),
            ("constellations", &self.constellation),
            ("gap-analyses", &self.gap_analysis),
            ("assessments", &self.draft),
            ("assessments", &self.submitted),
            ("assessments", &self.amended),
            ("assessments", &self.withdrawn),
            ("assessments", &self.outdated),
        ];
        for (kind, id) in resources {
            paths.extend(["", "/draft", "/versions"].map(|part| format!("/v1/{kind}/{id}{part}")));
        }
        for path in paths {
            let answer = self.owner.get(&path).await;
            let shown = if answer.status == 200 {
                answer.text()
            } else {
                answer.status.to_string()
            };
            seen.push(format!("{path} {} {shown}", answer.etag()));
        }
        seen
    }

    /// What stands in the operation's path, in the state in which the operation succeeds.
    pub fn parameter(&self, operation: &str, name: &str) -> String {
        let value = match (name, operation) {
            (
                "model",
                "patch_model" | "get_model_draft" | "discard_model_draft" | "validate_model" | "publish_model",
            ) => &self.drafted_model,
            ("model", operation) if operation.contains("_model_draft_translation") => &self.drafted_model,
            ("language", _) => return LANGUAGE.to_owned(),
            ("model", _) => &self.model,
            ("perspective", _) => &self.perspective,
            ("assessment", "patch_assessment" | "submit_assessment" | "withdraw_assessment") => &self.draft,
            ("assessment", "get_assessment_draft" | "discard_assessment_draft") => &self.amended,
            ("assessment", "restore_assessment") => &self.withdrawn,
            ("assessment", "migrate_assessment") => &self.outdated,
            ("assessment", _) => &self.submitted,
            ("constellation", _) => &self.constellation,
            ("gap_analysis", _) => &self.gap_analysis,
            ("client", _) => &self.client,
            ("version", _) => return if operation.starts_with("diff_") { "2" } else { "1" }.to_owned(),
            ("code", _) => return "not_found".to_owned(),
            ("chart", _) => return "radar".to_owned(),
            (other, _) => panic!("the world has no {other}"),
        };
        value.clone()
    }

    /// The path of the operation, with what the world has.
    pub fn path(&self, operation: &Operation) -> String {
        self.path_with(operation, &|_| None)
    }

    /// The same, with something else for some of its parts.
    pub fn path_with(&self, operation: &Operation, other: &dyn Fn(&str) -> Option<String>) -> String {
        let parts = operation.path.split('/').map(|part| {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                return part.to_owned();
            };
            other(name).unwrap_or_else(|| self.parameter(operation.id(), name))
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// The query that the operation cannot do without.
    pub fn query(&self, operation: &Operation) -> String {
        match operation.id() {
            "get_form" => format!("?perspective={}", self.perspective),
            "upsert_assessment" => format!("?system={SYSTEM}&value=case-1"),
            id if id.starts_with("diff_") => "?from=1".to_owned(),
            _ => String::new(),
        }
    }

    /// The operation's own example, as a request: with `If-Match` where it must be.
    pub async fn request(&self, operation: &Operation) -> TestRequest {
        let path = self.path(operation);
        let mut etag = String::new();
        if ["PUT", "PATCH", "DELETE"].contains(&operation.method.as_str()) {
            etag = self.owner.get(&path).await.etag();
        }
        self.to(
            operation,
            &format!("{path}{}", self.query(operation)),
            &etag,
            operation.example(),
        )
    }

    /// The operation with this URI, `ETag` and body.
    pub fn to(&self, operation: &Operation, uri: &str, etag: &str, body: Option<(String, Value)>) -> TestRequest {
        let mut request = TestRequest::with_uri(uri).method(method(&operation.method));
        if !etag.is_empty() {
            request = request.insert_header(("If-Match", etag));
        }
        match body {
            Some((media_type, body)) if media_type.ends_with("urlencoded") => {
                let credentials = format!("client_id={}&client_secret={}", self.client, self.client_secret);
                let fields = body.as_object().into_iter().flatten();
                let form = fields.fold(credentials, |form, (name, value)| {
                    format!("{form}&{name}={}", value.as_str().unwrap_or_default())
                });
                request.insert_header(("Content-Type", media_type)).set_payload(form)
            }
            Some((media_type, body)) => request
                .insert_header(("Content-Type", media_type))
                .set_payload(body.to_string()),
            None => request,
        }
    }

    /// The owner with only these scopes.
    pub fn with_scopes(&self, app: &TestApp, scopes: &[&str]) -> Client {
        app.client(self.owner.organisation, self.owner.id, &scopes.join(" "))
    }

    /// The owner with every scope but this one.
    pub fn without(&self, app: &TestApp, scope: &str) -> Client {
        let others: Vec<&str> = Scope::ALL
            .iter()
            .map(|other| other.as_str())
            .filter(|other| *other != scope)
            .collect();
        self.with_scopes(app, &others)
    }
}
