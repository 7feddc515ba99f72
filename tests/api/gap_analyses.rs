//! Gap analyses: what they are made from, and how they are kept.

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    making::{id_of, model, published, ratings, republished, submit, submitted, withdraw},
};

/// Where gap analyses are.
pub const URI: &str = "/v1/gap-analyses";

/// An assessment of the model `ours`, which has the elements `care.safe` and `care.heard`.
fn ours(perspective: &str, current: usize, desired: usize) -> Value {
    let ratings = ratings(&[("care.safe", current, desired), ("care.heard", current, desired)]);
    json!({"model": "ours", "perspective": perspective, "ratings": ratings})
}

const OURS: &[(&str, &str)] = &[("care.safe", "safe"), ("care.heard", "heard")];

/// A new gap analysis.
pub async fn made(client: &Client, body: Value) -> Answer {
    let made = client.post(URI, body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

/// What an analysis was made from, each as `id version`.
pub fn inputs(analysis: &Value) -> Vec<String> {
    let inputs = analysis["inputs"].as_array().expect("inputs");
    inputs
        .iter()
        .map(|input| format!("{} {}", input["assessment"].as_str().unwrap_or("-"), input["version"]))
        .collect()
}

#[actix_web::test]
async fn the_named_assessments_are_analysed_in_whatever_order_they_are_named() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let user = id_of(&acme.submitted("service_user", "forming", "maturing").await);
    let team = id_of(&acme.submitted("team", "forming", "maturing").await);
    let first = made(&acme, json!({"title": "Spring", "assessments": [team, user]})).await;
    let shown = first.json();
    assert_eq!(
        (&shown["version"], &shown["status"], &shown["title"]),
        (&json!(1), &json!("sealed"), &json!("Spring"))
    );
    assert_eq!(inputs(&shown), [format!("{user} 1"), format!("{team} 1")]);
    let found = acme.get(&first.uri()).await;
    assert_eq!((found.body.clone(), found.etag()), (first.body.clone(), first.etag()));
    let second = made(&acme, json!({"title": "Spring", "assessments": [user, team]})).await;
    let analysis = |answer: &Answer| {
        let text = answer.text();
        let (from, to) = (
            text.find("\"title\"").expect("a title"),
            text.find("\"digest\":\"sha256:").expect("a digest"),
        );
        let seal = text.rfind(",\"digest\"").expect("a seal");
        assert!(from < to && to < seal);
        text[from..seal].to_owned()
    };
    assert_eq!(
        analysis(&first),
        analysis(&second),
        "the same inputs give the same bytes"
    );
}

#[actix_web::test]
async fn assessments_are_selected_by_perspective_time_and_model_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", OURS)).await;
    let early = id_of(&submitted(&acme, ours("team", 1, 2)).await);
    app.advance(600);
    let user = id_of(&submitted(&acme, ours("service_user", 1, 2)).await);
    let team = id_of(&submitted(&acme, ours("team", 1, 2)).await);
    acme.post("/v1/assessments", ours("team", 1, 2)).await;
    let gone = submitted(&acme, ours("team", 1, 2)).await;
    withdraw(&acme, &gone).await;
    acme.submitted("team", "forming", "maturing").await;
    let at = acme.get(&format!("/v1/assessments/{user}")).await.json()["sealed_at"].clone();
    for (select, expected) in [
        (json!({}), vec![&user, &early, &team]),
        (json!({"perspectives": ["team"]}), vec![&early, &team]),
        (
            json!({"perspectives": ["team", "service_user", "nobody"]}),
            vec![&user, &early, &team],
        ),
        (json!({"submitted_from": at}), vec![&user, &team]),
        (json!({"submitted_to": at}), vec![&early]),
        (
            json!({"submitted_from": "2020-01-01", "submitted_to": at, "model_version": 1}),
            vec![&early],
        ),
    ] {
        let mut whole = select.clone();
        whole["model"] = json!("ours");
        let shown = made(&acme, json!({"select": whole})).await.json();
        let expected: Vec<String> = expected.iter().map(|id| format!("{id} 1")).collect();
        assert_eq!(inputs(&shown), expected, "{select}");
    }
}

#[actix_web::test]
async fn every_input_at_fault_is_named_with_its_code() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let good = id_of(&acme.submitted("team", "forming", "maturing").await);
    let draft = id_of(&acme.draft("team", "forming", "maturing").await.uri());
    let withdrawn = acme.submitted("team", "forming", "maturing").await;
    withdraw(&acme, &withdrawn).await;
    let foreign = id_of(&rival.submitted("team", "forming", "maturing").await);
    let nobody = uuid::Uuid::now_v7().to_string();
    let refused = |body: Value| async {
        let answer = acme.post(URI, body).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        (answer.code(), answer.faults())
    };
    let one = |code: &str, fault: &str| (code.to_owned(), vec![fault.to_owned()]);
    assert_eq!(
        refused(json!({"assessments": [good, nobody]})).await,
        one("unknown_reference", "/assessments/1 unknown_reference")
    );
    assert_eq!(
        refused(json!({"assessments": [foreign]})).await,
        one("unknown_reference", "/assessments/0 unknown_reference")
    );
    assert_eq!(
        refused(json!({"assessments": [good, draft]})).await,
        one("not_submitted", "/assessments/1 not_submitted")
    );
    assert_eq!(
        refused(json!({"assessments": [id_of(&withdrawn)]})).await,
        one("not_submitted", "/assessments/0 not_submitted")
    );
    assert_eq!(
        refused(json!({"assessments": [good, good]})).await,
        one("duplicate", "/assessments/1 duplicate")
    );
    assert_eq!(
        refused(json!({"assessments": []})).await,
        one("no_inputs", "/assessments no_inputs")
    );
    assert_eq!(
        refused(json!({"select": {"model": "meaningful-connections", "perspectives": ["organisation"]}})).await,
        one("no_inputs", "/select no_inputs")
    );
    assert_eq!(
        refused(json!({"select": {"model": "nobodys"}})).await,
        one("unknown_reference", "/select/model unknown_reference")
    );
    let odd = refused(json!({"assessments": [nobody, "not an id"]})).await;
    assert_eq!(odd, one("invalid", "/assessments/1 format"));
    let all = refused(json!({"assessments": [nobody, good, draft, good], "baseline": nobody})).await;
    assert_eq!(all.0, "invalid");
    assert_eq!(
        all.1,
        [
            "/assessments/0 unknown_reference",
            "/assessments/2 not_submitted",
            "/assessments/3 duplicate",
            "/baseline unknown_reference",
        ]
    );
    assert_eq!(acme.get(URI).await.json()["data"], json!([]));
}

#[actix_web::test]
async fn another_organisations_analysis_is_no_baseline() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let own = id_of(&acme.submitted("team", "forming", "maturing").await);
    let theirs = id_of(&rival.submitted("team", "forming", "maturing").await);
    let baseline = made(&rival, json!({"assessments": [theirs]})).await.json()["id"].clone();
    let body = json!({"assessments": [own], "baseline": baseline});
    for uri in [URI.to_owned(), format!("{URI}/preview")] {
        let refused = acme.post(&uri, body.clone()).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "unknown_reference"));
        assert_eq!(refused.faults(), ["/baseline unknown_reference"]);
    }
}

#[actix_web::test]
async fn an_analysis_takes_at_most_10000_assessments() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let many: Vec<String> = (0..10_001).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let refused = acme.post(URI, json!({"assessments": many})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (422, "too_many_inputs"),
        "{}",
        refused.faults().len()
    );
    assert_eq!(refused.faults(), ["/assessments too_many_inputs"]);
}

#[actix_web::test]
async fn either_assessments_or_a_selection_is_asked_for() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let good = id_of(&acme.submitted("team", "forming", "maturing").await);
    let select = json!({"model": "meaningful-connections"});
    for body in [
        json!({}),
        json!({"assessments": [good], "select": select}),
        json!({"title": "Spring"}),
    ] {
        let answer = acme.post(URI, body).await;
        assert_eq!(
            (answer.status, answer.faults()),
            (422, vec![" assessments_or_select".to_owned()])
        );
    }
    let odd = json!({"title": "", "select": {"model": "Not A Slug", "colour": 1}, "tags": []});
    let mut faults = acme.post(URI, odd).await.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/select/colour unknown_field",
            "/select/model pattern",
            "/tags unknown_field",
            "/title min_length"
        ]
    );
    let when = json!({"select": {"model": "meaningful-connections", "submitted_from": "yesterday"}});
    assert_eq!(acme.post(URI, when).await.faults(), ["/select/submitted_from format"]);
}

#[actix_web::test]
async fn all_inputs_share_one_model_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", OURS)).await;
    let old = submitted(&acme, ours("team", 1, 2)).await;
    let theirs = id_of(&acme.submitted("team", "forming", "maturing").await);
    let elements = [
        json!({"key": "care.safe", "label": "safe", "strand": "safety"}),
        json!({"key": "care.heard", "label": "listened to"}),
    ];
    republished(&acme, "ours", &elements).await;
    let new = submitted(&acme, ours("team", 1, 2)).await;
    for (body, at) in [
        (json!({"assessments": [id_of(&old), id_of(&new)]}), "/assessments"),
        (json!({"assessments": [id_of(&old), theirs]}), "/assessments"),
        (json!({"select": {"model": "ours"}}), "/select"),
    ] {
        let answer = acme.post(URI, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "mixed_model_versions"));
        assert_eq!(answer.faults(), [format!("{at} mixed_model_versions")]);
    }
    let one = made(&acme, json!({"select": {"model": "ours", "model_version": 1}}))
        .await
        .json();
    assert_eq!(
        (inputs(&one), &one["model"]["version"]),
        (vec![format!("{} 1", id_of(&old))], &json!(1))
    );
    // A migration in progress changes nothing; one that is submitted does.
    acme.post(&format!("{old}/migrate"), json!({"to_version": 2})).await;
    assert_eq!(
        acme.post(URI, json!({"select": {"model": "ours"}})).await.code(),
        "mixed_model_versions"
    );
    submit(&acme, &old).await;
    let both = made(&acme, json!({"select": {"model": "ours"}})).await.json();
    assert_eq!(
        inputs(&both),
        [format!("{} 2", id_of(&old)), format!("{} 1", id_of(&new))]
    );
}

#[actix_web::test]
async fn the_newest_sealed_version_is_analysed_whatever_draft_is_open() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    acme.act(&format!("{uri}/amend")).await;
    acme.patch(&uri, json!({"ratings": {"feelings.heard": {"current": "embedded"}}}))
        .await;
    let body = json!({"assessments": [id_of(&uri)]});
    let counts = |analysis: &Value| analysis["elements"][0]["all"]["current"]["counts"].clone();
    let open = made(&acme, body.clone()).await.json();
    assert_eq!(
        (inputs(&open), counts(&open)["forming"].clone()),
        (vec![format!("{} 1", id_of(&uri))], json!(1))
    );
    let sealed = submit(&acme, &uri).await.json();
    let now = made(&acme, body).await.json();
    assert_eq!(
        (inputs(&now), counts(&now)["embedded"].clone()),
        (vec![format!("{} 2", id_of(&uri))], json!(1))
    );
    assert_eq!(now["inputs"][0]["digest"], sealed["digest"]);
}
