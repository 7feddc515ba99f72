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
    /// Two versions; another one has the same gap analysis.
    pub next_step: String,
    pub client: String,
    pub client_secret: String,
    /// A round that was never opened.
    pub prepared: String,
    /// An open round, with two invitations.
    pub open: String,
    pub invitation: String,
    /// The token of the first of these.
    pub token: String,
    /// A revealed round, with two versions of what its team agreed on.
    pub revealed: String,
    /// A closed round, and the receipt of what was submitted to it.
    pub closed: String,
    pub receipt: String,
}

/// The token and the receipt of the document's examples: the world's own stand in their place.
const TOKEN: &str = "q2mJk4n0dYw0s2Cq3vTjKQ8m1Yb7xZfLr6HhP5uEoNA";
const RECEIPT: &str = "3F8KQ-7MZ0T-V2N6C-9XHWA-R5D1PE";

/// What somebody submits to a round who was invited: the receipt.
async fn answered(owner: &Client, round: &str) -> String {
    let uri = format!("/v1/rounds/{round}/invitations");
    let made = owner.post(&uri, json!({"perspective": "team"})).await;
    let token = made.json()["invitations"][0]["token"].clone();
    let mut caller = owner.clone();
    caller.token = None;
    let access = caller
        .post("/v1/invitations/redeem", json!({"token": token}))
        .await
        .json();
    caller.token = access["access_token"].as_str().map(ToOwned::to_owned);
    let uri = format!("/v1/assessments/{}", access["assessment"].as_str().expect("an id"));
    let ratings = assessment("team", "forming", "maturing")["ratings"].clone();
    done(caller.patch_if(&uri, "*", json!({"ratings": ratings}))).await;
    let submitted = caller.act(&format!("{uri}/submit")).await.json();
    submitted["receipt"].as_str().expect("a receipt").to_owned()
}

/// A round whose team agreed on a reading, and on another one.
async fn revealed(owner: &Client, relationship: &Value) -> String {
    let mut body = crate::inviting::round("anonymous");
    body["relationship"] = relationship.clone();
    let round = made(&owner.post("/v1/rounds", body).await);
    let uri = format!("/v1/rounds/{round}");
    done(owner.act(&format!("{uri}/open"))).await;
    for _ in 0..3 {
        answered(owner, &round).await;
    }
    for action in ["close", "reveal"] {
        done(owner.act(&format!("{uri}/{action}"))).await;
    }
    for current in ["early_stages", "forming"] {
        let body = json!({"ratings": {"feelings.heard": {"current": current, "desired": "maturing"}}});
        let uri = format!("{uri}/agreed-reading");
        let put = TestRequest::put().uri(&uri).set_json(body);
        let etag = owner.get(&uri).await.etag();
        let put = if etag.is_empty() {
            put
        } else {
            put.insert_header(("If-Match", etag))
        };
        done(owner.send(put)).await;
    }
    round
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
        let step = json!({"gap_analysis": gap_analysis, "element": "feelings.heard", "what": "Ring back."});
        made(&owner.post("/v1/next-steps", step.clone()).await);
        let next_step = made(&owner.post("/v1/next-steps", step).await);
        let uri = format!("/v1/next-steps/{next_step}");
        done(owner.patch(&uri, json!({"status": "doing"}))).await;
        done(owner.act(&format!("/v1/assessments/{amended}/amend"))).await;
        done(owner.delete(&format!("/v1/assessments/{withdrawn}"))).await;
        let client = owner.post(
            "/v1/clients",
            json!({"name": "Another", "scopes": ["models:read", "assessments:write"]}),
        );
        let client = client.await.json();
        let mut rounds = Vec::new();
        for privacy in ["anonymous", "pseudonymous", "named"] {
            let mut body = crate::inviting::round(privacy);
            body["relationship"] = relationship.clone();
            rounds.push(made(&owner.post("/v1/rounds", body).await));
        }
        let (closed, open, prepared) = (rounds.remove(0), rounds.remove(0), rounds.remove(0));
        for round in [&closed, &open] {
            done(owner.act(&format!("/v1/rounds/{round}/open"))).await;
        }
        let mut receipt = String::new();
        for _ in 0..3 {
            receipt = answered(&owner, &closed).await;
        }
        done(owner.act(&format!("/v1/rounds/{closed}/close"))).await;
        let invitations = json!({"invitations": [{"perspective": "team"}, {"perspective": "service_user"}]});
        let uri = format!("/v1/rounds/{open}/invitations");
        let invitations = owner.post(&uri, invitations).await.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let revealed = revealed(&owner, &relationship).await;
        Self {
            prepared,
            revealed,
            open,
            invitation: text(&invitations["invitations"][0]["id"]),
            token: text(&invitations["invitations"][0]["token"]),
            closed,
            receipt,
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
            next_step,
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
            "/v1/rounds?limit=200",
        ]
        .map(ToOwned::to_owned)
        .to_vec();
        paths.extend(
            [
                "/v1/assessments?limit=200",
                "/v1/assessments?status=withdrawn",
                "/v1/gap-analyses?limit=200",
                "/v1/next-steps?limit=200",
            ]
            .map(ToOwned::to_owned),
        );
        let resources = [
            ("models", &self.drafted_model),
            ("models", &self.model_id),
            ("perspectives", &self.perspective_id),
            ("constellations", &self.constellation),
            ("gap-analyses", &self.gap_analysis),
            ("next-steps", &self.next_step),
            ("rounds", &self.prepared),
            ("rounds", &self.open),
            ("rounds", &self.closed),
            ("rounds", &self.revealed),
            ("assessments", &self.draft),
            ("assessments", &self.submitted),
            ("assessments", &self.amended),
            ("assessments", &self.withdrawn),
            ("assessments", &self.outdated),
        ];
        for (kind, id) in resources {
            paths.extend(["", "/draft", "/versions"].map(|part| format!("/v1/{kind}/{id}{part}")));
        }
        paths.push(format!("/v1/rounds/{}/invitations", self.open));
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
            ("relationship", _) => &self.relationship,
            ("gap_analysis", _) => &self.gap_analysis,
            ("next_step", _) => &self.next_step,
            ("round", "patch_round" | "open_round" | "delete_round") => &self.prepared,
            ("round", "reveal_round") => &self.closed,
            ("round", id) if id.contains("agreed_reading") => &self.revealed,
            ("round", _) => &self.open,
            ("invitation", _) => &self.invitation,
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
            self.example(operation),
        )
    }

    /// The operation's own example, about what the world has.
    pub fn example(&self, operation: &Operation) -> Option<(String, Value)> {
        let (media_type, mut body) = operation.example()?;
        if operation.id() == "create_next_step" {
            body["gap_analysis"] = json!(self.gap_analysis);
        }
        Some((media_type, body))
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
            Some((media_type, body)) => {
                let mut body = body.to_string();
                if operation.id().starts_with("redeem_") {
                    body = body.replace(TOKEN, &self.token).replace(RECEIPT, &self.receipt);
                }
                request.insert_header(("Content-Type", media_type)).set_payload(body)
            }
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
