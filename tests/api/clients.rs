//! An organisation and its clients.

use actix_web::test::TestRequest;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    problems::assert_problem,
};

async fn crm(client: &Client) -> Answer {
    let made = client
        .post(
            "/v1/clients",
            json!({"name": "crm", "scopes": ["models:read", "assessments:write"]}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

fn text(answer: &Answer, member: &str) -> String {
    answer.json()[member].as_str().unwrap_or_default().to_owned()
}

/// The status with which the token endpoint answers, and the token.
async fn token(app: &TestApp, id: &str, secret: &str) -> (u16, String) {
    let encoded = STANDARD.encode(format!("{id}:{secret}"));
    let request = TestRequest::post()
        .uri("/v1/oauth/token")
        .set_form([("grant_type", "client_credentials")]);
    let answer = app
        .nobody()
        .send(request.insert_header(("Authorization", format!("Basic {encoded}"))))
        .await;
    (answer.status, text(&answer, "access_token"))
}

async fn models(app: &TestApp, token: &str) -> Answer {
    let request = TestRequest::get().uri("/v1/models");
    app.nobody()
        .send(request.insert_header(("Authorization", format!("Bearer {token}"))))
        .await
}

#[actix_web::test]
async fn a_clients_secret_is_told_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = crm(&acme).await;
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    assert_eq!(made.uri(), format!("/v1/clients/{id}"));
    assert_eq!(made.header("cache-control"), "no-store");
    let client = made.json();
    assert_eq!(
        (&client["name"], &client["scopes"]),
        (&json!("crm"), &json!(["models:read", "assessments:write"]))
    );
    let got = acme.get(&made.uri()).await;
    assert_eq!((text(&got, "client_id"), got.etag()), (id.clone(), made.etag()));
    let list = acme.get("/v1/clients").await;
    assert_eq!(list.json()["data"][0]["client_id"], json!(id), "newest first");
    for answer in [got, list] {
        assert!(!answer.text().contains(&secret));
        assert!(!answer.text().contains("client_secret"), "{}", answer.text());
        assert!(!answer.text().contains("argon2"));
    }
    assert_eq!(token(&app, &id, &secret).await.0, 200);
}

#[actix_web::test]
async fn a_client_is_given_no_scope_that_is_not_there_or_beyond_its_giver() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({"name": "", "scopes": ["models:read", "everything", "research:release", "models:read models:write", ""]});
    let refused = acme.post("/v1/clients", body).await;
    assert_problem(&refused, 422, "invalid");
    let expected = [
        "/name min_length",
        "/scopes/1 unknown_value",
        "/scopes/3 unknown_value",
        "/scopes/4 unknown_value",
    ];
    assert_eq!(refused.faults(), expected);
    let beyond = json!({"name": "x", "scopes": ["models:read", "research:release"]});
    assert_eq!(
        acme.post("/v1/clients", beyond).await.faults(),
        ["/scopes/1 unknown_value"]
    );
    assert_eq!(
        acme.post("/v1/clients", json!({"name": "x", "scopes": []}))
            .await
            .status,
        422
    );
    assert_eq!(
        acme.get("/v1/clients").await.json()["data"].as_array().map(Vec::len),
        Some(1)
    );
    let clerk = app.client(acme.organisation, acme.id, "clients:write");
    let wider = clerk
        .post(
            "/v1/clients",
            json!({"name": "x", "scopes": ["clients:write", "models:read"]}),
        )
        .await;
    assert_eq!(
        (wider.status, wider.faults()),
        (422, vec!["/scopes/1 unknown_value".to_owned()])
    );
    let releaser = app.client(acme.organisation, acme.id, "clients:write research:release");
    let made = releaser
        .post("/v1/clients", json!({"name": "x", "scopes": ["research:release"]}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
}

#[actix_web::test]
async fn an_organisation_sees_only_its_own_clients() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let uri = crm(&acme).await.uri();
    assert_problem(&rival.get(&uri).await, 404, "not_found");
    assert_problem(
        &rival.post(&format!("{uri}/rotate-secret"), json!({})).await,
        404,
        "not_found",
    );
    let delete = TestRequest::delete().uri(&uri).insert_header(("If-Match", "*"));
    assert_problem(&rival.send(delete).await, 404, "not_found");
    assert_eq!(
        rival.get("/v1/clients").await.json()["data"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(acme.get(&uri).await.status, 200);
}

#[actix_web::test]
async fn a_replaced_secret_counts_for_its_grace_and_no_longer() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = crm(&acme).await;
    let (id, old) = (text(&made, "client_id"), text(&made, "client_secret"));
    let rotate = format!("{}/rotate-secret", made.uri());
    let rotated = acme.post(&rotate, json!({"grace_seconds": 60})).await;
    let new = text(&rotated, "client_secret");
    assert_eq!(
        (rotated.status, rotated.header("cache-control").as_str()),
        (200, "no-store")
    );
    assert_ne!(rotated.etag(), made.etag());
    assert_eq!(
        (token(&app, &id, &old).await.0, token(&app, &id, &new).await.0),
        (200, 200)
    );
    app.advance(59);
    assert_eq!(token(&app, &id, &old).await.0, 200);
    app.advance(2);
    assert_eq!(
        (token(&app, &id, &old).await.0, token(&app, &id, &new).await.0),
        (401, 200)
    );
    // Without grace, the one before ends at once; and never are there three.
    let third = text(&acme.post(&rotate, json!({})).await, "client_secret");
    assert_eq!(
        (token(&app, &id, &new).await.0, token(&app, &id, &third).await.0),
        (401, 200)
    );
    let fourth = text(&acme.post(&rotate, json!({"grace_seconds": 60})).await, "client_secret");
    let fifth = text(&acme.post(&rotate, json!({"grace_seconds": 60})).await, "client_secret");
    assert_eq!(token(&app, &id, &third).await.0, 401);
    assert_eq!(
        (token(&app, &id, &fourth).await.0, token(&app, &id, &fifth).await.0),
        (200, 200)
    );
}

#[actix_web::test]
async fn a_grace_is_a_week_at_most() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let rotate = format!("{}/rotate-secret", crm(&acme).await.uri());
    for (grace, fault) in [
        (json!(604_801), "/grace_seconds maximum"),
        (json!(-1), "/grace_seconds minimum"),
        (json!("60"), "/grace_seconds type"),
        (json!(1.5), "/grace_seconds type"),
    ] {
        let refused = acme.post(&rotate, json!({"grace_seconds": grace})).await;
        assert_problem(&refused, 422, "invalid");
        assert_eq!(refused.faults(), [fault], "{grace}");
    }
    assert_eq!(acme.post(&rotate, json!({"grace_seconds": 604_800})).await.status, 200);
}

#[actix_web::test]
async fn a_revoked_clients_tokens_and_secret_stop_counting_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = crm(&acme).await;
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let (_, access) = token(&app, &id, &secret).await;
    assert_eq!(models(&app, &access).await.status, 200);
    assert_eq!(acme.delete(&made.uri()).await.status, 204);
    assert_problem(&models(&app, &access).await, 401, "invalid_token");
    assert_eq!(token(&app, &id, &secret).await.0, 401);
    let shown = acme.get(&made.uri()).await;
    assert!(shown.json()["revoked_at"].is_string(), "{}", shown.text());
    assert_problem(&acme.delete(&made.uri()).await, 409, "invalid_transition");
    let rotate = acme.post(&format!("{}/rotate-secret", made.uri()), json!({})).await;
    assert_problem(&rotate, 409, "invalid_transition");
}

#[actix_web::test]
async fn an_organisation_is_shown_and_renamed() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let shown = acme.get("/v1/organisation").await.json();
    assert_eq!(
        (&shown["id"], &shown["name"]),
        (&json!(acme.organisation.to_string()), &json!("acme"))
    );
    app.advance(1);
    let renamed = acme.patch("/v1/organisation", json!({"name": "Acme Care"})).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Acme Care")));
    assert_eq!(renamed.json()["created_at"], shown["created_at"]);
    assert!(renamed.json()["updated_at"].as_str() > shown["updated_at"].as_str());
    assert_eq!(acme.get("/v1/organisation").await.body, renamed.body);
    assert_eq!(rival.get("/v1/organisation").await.json()["name"], "rival");
    for (patch, fault) in [
        (json!({"name": ""}), "/name min_length"),
        (json!({"name": "x".repeat(201)}), "/name max_length"),
        (json!({"name": null}), "/name type"),
        (json!({"id": "other"}), "/id unknown_field"),
    ] {
        let refused = acme.patch("/v1/organisation", patch).await;
        assert_problem(&refused, 422, "invalid");
        assert_eq!(refused.faults(), [fault]);
    }
}

#[actix_web::test]
async fn times_are_utc_with_microseconds_at_most() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = crm(&acme).await.json();
    for time in [&shown["created_at"], &shown["updated_at"]] {
        let time = time.as_str().unwrap_or_default();
        assert!(
            time.ends_with('Z') && time.len() <= "2026-01-01T00:00:00.000000Z".len(),
            "{time}"
        );
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok());
    }
    assert_eq!(shown["revoked_at"], Value::Null, "what has no value is left out");
    assert!(shown.get("revoked_at").is_none());
}
