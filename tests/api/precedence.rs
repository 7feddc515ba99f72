//! Of several reasons to refuse a request, the first in order is told: 404, 428, 409, 412, 422.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, assessment},
    making::published,
};

async fn retired(client: &Client) -> Value {
    published(client, crate::making::model("short", &[("care.safe", "safe")])).await;
    assert_eq!(client.act("/v1/models/short/retire").await.status, 200);
    json!({"model": "short", "perspective": "team", "ratings": {}})
}

#[actix_web::test]
async fn that_a_model_is_retired_is_told_before_what_is_wrong_with_the_body() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = retired(&acme).await;
    let faulty = |name: &str, value: Value| {
        let mut faulty = body.clone();
        faulty[name] = value;
        faulty
    };
    for body in [
        body.clone(),
        faulty("ratings", json!({"care.nowhere": {"current": "forming"}})),
        faulty("ratings", json!({"care.safe": {"current": "splendid"}})),
        faulty(
            "ratings",
            json!({"care.safe": {"current": "forming", "not_applicable": true}}),
        ),
        faulty("perspective", json!("nobody")),
        faulty("external_ids", json!([{"system": "a|b", "value": "1"}])),
        faulty("colour", json!("red")),
        faulty("respondent_ref", json!("x".repeat(201))),
    ] {
        let created = acme.post("/v1/assessments", body.clone()).await;
        assert_eq!(
            (created.status, created.code().as_str()),
            (409, "model_retired"),
            "{}",
            created.text()
        );
        let put = acme
            .put("/v1/assessments/by-external-id?system=crm&value=1", body)
            .await;
        assert_eq!(
            (put.status, put.code().as_str()),
            (409, "model_retired"),
            "{}",
            put.text()
        );
    }
    assert_eq!(acme.get("/v1/assessments").await.json()["data"], json!([]));
    // A version that there is not is no model, retired or not.
    let unknown = acme.post("/v1/assessments", faulty("model_version", json!(9))).await;
    assert_eq!(unknown.faults(), ["/model_version unknown_reference"]);
}

#[actix_web::test]
async fn what_is_wrong_with_the_body_is_told_where_nothing_else_stands_in_the_way() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = assessment("team", "forming", "maturing");
    body["colour"] = json!("red");
    body["model"] = json!("never-was");
    let refused = acme.post("/v1/assessments", body).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults(), ["/colour unknown_field", "/model unknown_reference"]);
}
