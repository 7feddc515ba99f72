//! Previews: analyses that are not kept, of stored assessments or of ratings that never were.

use serde_json::{Value, json};

use crate::{
    app::{TestApp, assessment},
    making::{id_of, model, published, submitted},
};

const PREVIEW: &str = "/v1/gap-analyses/preview";
const MODEL: &str = "meaningful-connections";

#[actix_web::test]
async fn a_preview_says_what_the_analysis_would_and_keeps_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let user = acme.submitted("service_user", "early_stages", "maturing").await;
    acme.submitted("team", "maturing", "embedded").await;
    let baseline = acme
        .post("/v1/gap-analyses", json!({"assessments": [id_of(&user)]}))
        .await
        .json();
    let body = json!({"title": "Spring", "select": {"model": MODEL}, "baseline": baseline["id"]});
    let preview = acme.post(PREVIEW, body.clone()).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    assert_eq!((preview.uri(), preview.etag()), (String::new(), String::new()));
    let mut kept = acme.post("/v1/gap-analyses", body).await.json();
    for name in ["id", "version", "status", "digest", "sealed_at", "sealed_by"] {
        assert!(preview.json().get(name).is_none(), "{name}");
        assert!(
            kept.as_object_mut()
                .is_some_and(|members| members.remove(name).is_some()),
            "{name}"
        );
    }
    assert_eq!(preview.json(), kept);
    assert_eq!(
        acme.get("/v1/gap-analyses").await.json()["data"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[actix_web::test]
async fn ratings_that_were_never_saved_are_analysed_like_those_that_were() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let bodies = [
        assessment("service_user", "early_stages", "maturing"),
        assessment("team", "maturing", "embedded"),
    ];
    let unsaved: Vec<Value> = bodies
        .iter()
        .map(|body| json!({"perspective": body["perspective"], "ratings": body["ratings"]}))
        .collect();
    let mut preview = acme
        .post(PREVIEW, json!({"model": MODEL, "ratings": unsaved}))
        .await
        .json();
    assert_eq!(
        preview["inputs"],
        json!([{"perspective": "service_user"}, {"perspective": "team"}])
    );
    assert_eq!(acme.get("/v1/assessments").await.json()["data"], json!([]));
    for body in bodies {
        submitted(&acme, body).await;
    }
    let mut stored = acme.post(PREVIEW, json!({"select": {"model": MODEL}})).await.json();
    for shown in [&mut preview, &mut stored] {
        shown.as_object_mut().expect("an analysis").remove("inputs");
    }
    assert_eq!(preview, stored);
}

#[actix_web::test]
async fn what_is_not_rated_counts_in_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let unsaved = json!([
        {"perspective": "team", "ratings": {"feelings.heard": {"current": "forming"}, "feelings.safe": {"not_applicable": true}}},
        {"perspective": "team", "ratings": {"feelings.heard": {"current": "forming", "desired": "maturing"}}},
    ]);
    let preview = acme
        .post(PREVIEW, json!({"model": MODEL, "model_version": 1, "ratings": unsaved}))
        .await
        .json();
    let reading = |key: &str| {
        let elements = preview["elements"].as_array().expect("elements");
        elements
            .iter()
            .find(|element| element["element"] == key)
            .expect("an element")["all"]
            .clone()
    };
    assert_eq!(
        (
            &reading("feelings.heard")["n"],
            &reading("feelings.safe")["not_applicable"]
        ),
        (&json!(1), &json!(1))
    );
    let none = json!({"early_stages": 0, "forming": 0, "maturing": 0, "embedded": 0});
    let zeros = json!([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]);
    assert_eq!(
        reading("space.safe"),
        json!({"n": 0, "not_applicable": 0, "current": {"counts": none}, "desired": {"counts": none}, "transitions": zeros})
    );
}

#[actix_web::test]
async fn a_preview_names_every_fault_of_unsaved_ratings() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    published(&rival, model("theirs", &[("care.safe", "safe")])).await;
    let faults = |body: Value| async {
        let answer = acme.post(PREVIEW, body).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        let mut faults = answer.faults();
        faults.sort();
        (answer.code(), faults)
    };
    let rated = json!({"feelings.heard": {"current": "forming", "desired": "maturing"}});
    let unknown = json!([
        {"perspective": "nobody", "ratings": rated},
        {"perspective": "team", "ratings": {"feelings.nowhere": {"current": "forming"}, "feelings.safe": {"not_applicable": true, "current": "forming"}}},
    ]);
    assert_eq!(
        faults(json!({"model": MODEL, "ratings": unknown})).await.1,
        [
            "/ratings/0/perspective unknown_reference",
            "/ratings/1/ratings/feelings.nowhere unknown_element",
            "/ratings/1/ratings/feelings.safe/not_applicable not_applicable_with_level",
        ]
    );
    let (code, missing) = faults(json!({"model": MODEL, "ratings": [{}]})).await;
    assert_eq!(
        (code.as_str(), missing),
        (
            "invalid",
            vec![
                "/ratings/0/perspective required".to_owned(),
                "/ratings/0/ratings required".to_owned()
            ]
        )
    );
    let one = json!([{"perspective": "team", "ratings": rated}]);
    let (code, none) = faults(json!({"model": MODEL, "ratings": []})).await;
    assert_eq!(
        (code.as_str(), none),
        ("no_inputs", vec!["/ratings no_inputs".to_owned()])
    );
    for (body, expected) in [
        (json!({"model": "theirs", "ratings": one}), "/model unknown_reference"),
        (
            json!({"model": MODEL, "model_version": 2, "ratings": one}),
            "/model_version unknown_reference",
        ),
        (json!({"ratings": one}), " assessments_or_select"),
        (json!({"model": MODEL}), " assessments_or_select"),
        (
            json!({"model": MODEL, "ratings": one, "select": {"model": MODEL}}),
            " assessments_or_select",
        ),
        (
            json!({"model": MODEL, "ratings": one, "baseline": uuid::Uuid::now_v7()}),
            "/baseline unknown_reference",
        ),
        (json!({}), " assessments_or_select"),
    ] {
        assert_eq!(faults(body.clone()).await.1, [expected], "{body}");
    }
}
