//! Tokens: how clients get them, what they are, and when they no longer count.

use actix_web::test::TestRequest;
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Answer, Client, PUBLIC_URL, TestApp},
    problems::assert_problem,
};

const TOKEN: &str = "/v1/oauth/token";

/// A client's id and secret.
struct Credentials {
    id: String,
    secret: String,
}

async fn credentials(client: &Client, scopes: &[&str]) -> Credentials {
    let made = client
        .post("/v1/clients", json!({"name": "crm", "scopes": scopes}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let text = |member: &str| made.json()[member].as_str().unwrap_or_default().to_owned();
    Credentials {
        id: text("client_id"),
        secret: text("client_secret"),
    }
}

fn form(fields: &[(&str, &str)]) -> TestRequest {
    TestRequest::post().uri(TOKEN).set_form(fields)
}

fn basic(id: &str, secret: &str, fields: &[(&str, &str)]) -> TestRequest {
    let encoded = STANDARD.encode(format!("{id}:{secret}"));
    form(fields).insert_header(("Authorization", format!("Basic {encoded}")))
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn ask(app: &TestApp, id: &str, secret: &str) -> Answer {
    app.nobody().send(basic(id, secret, &[GRANT])).await
}

/// A refusal in the form of RFC 6749, section 5.2.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (status, Some(error)),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let members: Vec<String> = answer
        .json()
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(members, ["error", "error_description"]);
    assert_eq!(answer.header("www-authenticate").starts_with("Basic "), status == 401);
}

#[actix_web::test]
async fn a_client_gets_a_token_by_basic_or_in_the_form() {
    let app = TestApp::new().await;
    let crm = credentials(&app.organisation("acme"), &["models:read", "perspectives:read"]).await;
    let in_the_form = form(&[GRANT, ("client_id", &crm.id), ("client_secret", &crm.secret)]);
    for request in [basic(&crm.id, &crm.secret, &[GRANT]), in_the_form] {
        let answer = app.nobody().send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store");
        let token = answer.json();
        assert_eq!(
            [&token["token_type"], &token["scope"]],
            ["Bearer", "models:read perspectives:read"]
        );
        assert_eq!(token["expires_in"], 900);
        let bearer = format!("bearer {}", token["access_token"].as_str().unwrap_or_default());
        let models = TestRequest::get()
            .uri("/v1/models")
            .insert_header(("Authorization", bearer));
        assert_eq!(app.nobody().send(models).await.status, 200);
    }
}

#[actix_web::test]
async fn an_unknown_client_and_a_wrong_secret_are_refused_alike() {
    let app = TestApp::new().await;
    let crm = credentials(&app.organisation("acme"), &["models:read"]).await;
    let stranger = Uuid::now_v7().to_string();
    let (wrong, unknown) = (
        ask(&app, &crm.id, "wrong").await,
        ask(&app, &stranger, &crm.secret).await,
    );
    assert_refused(&wrong, 401, "invalid_client");
    assert_refused(&unknown, 401, "invalid_client");
    assert_eq!(wrong.body, unknown.body);
    for (id, secret) in [
        ("", ""),
        ("crm", "x"),
        (crm.id.as_str(), ""),
        (&crm.id.to_uppercase(), &crm.secret),
    ] {
        assert_refused(&ask(&app, id, secret).await, 401, "invalid_client");
    }
    let nothing = [
        form(&[GRANT]),
        form(&[GRANT, ("client_id", &crm.id)]),
        form(&[GRANT, ("client_secret", &crm.secret)]),
    ];
    for request in nothing {
        assert_refused(&app.nobody().send(request).await, 401, "invalid_client");
    }
    for header in ["Basic", "Basic ", "Basic !!!", "Basic eA==", "Digest x", "Bearer x"] {
        let request = form(&[GRANT]).insert_header(("Authorization", header));
        assert_refused(&app.nobody().send(request).await, 401, "invalid_client");
    }
}

#[actix_web::test]
async fn a_token_request_that_is_wrong_is_told_as_rfc_6749_says() {
    let app = TestApp::new().await;
    let crm = credentials(&app.organisation("acme"), &["models:read"]).await;
    let both = basic(
        &crm.id,
        &crm.secret,
        &[GRANT, ("client_id", &crm.id), ("client_secret", &crm.secret)],
    );
    let none = basic(&crm.id, &crm.secret, &[("scope", "models:read")]);
    let twice = basic(&crm.id, &crm.secret, &[GRANT, GRANT]);
    let json = TestRequest::post()
        .uri(TOKEN)
        .set_json(json!({"grant_type": "client_credentials"}));
    let large = form(&[GRANT, ("scope", &"x".repeat(1024 * 1024))]);
    let empty = TestRequest::post().uri(TOKEN);
    for request in [both, none, twice, json, large, empty] {
        assert_refused(&app.nobody().send(request).await, 400, "invalid_request");
    }
    for grant in ["password", "authorization_code", "Client_Credentials", "refresh_token"] {
        let request = basic(&crm.id, &crm.secret, &[("grant_type", grant)]);
        assert_refused(&app.nobody().send(request).await, 400, "unsupported_grant_type");
    }
}

#[actix_web::test]
async fn scopes_are_narrowed_and_never_widened() {
    let app = TestApp::new().await;
    let crm = credentials(&app.organisation("acme"), &["models:read", "assessments:read"]).await;
    let narrow = async |scope: &'static str| {
        let nobody = app.nobody();
        nobody
            .send(basic(&crm.id, &crm.secret, &[GRANT, ("scope", scope)]))
            .await
    };
    for (scope, granted) in [
        ("models:read", "models:read"),
        ("assessments:read models:read", "models:read assessments:read"),
        ("", "models:read assessments:read"),
    ] {
        assert_eq!(narrow(scope).await.json()["scope"], granted);
    }
    for scope in [
        "models:write",
        "models:read models:write",
        "everything",
        "models:read,assessments:read",
        " ",
    ] {
        assert_refused(&narrow(scope).await, 400, "invalid_scope");
    }
    let token = narrow("models:read").await.json()["access_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let with = |uri: &str| {
        TestRequest::get()
            .uri(uri)
            .insert_header(("Authorization", format!("Bearer {token}")))
    };
    assert_eq!(app.nobody().send(with("/v1/models")).await.status, 200);
    assert_problem(
        &app.nobody().send(with("/v1/assessments")).await,
        403,
        "insufficient_scope",
    );
}

#[actix_web::test]
async fn after_ten_failures_a_client_waits() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (crm, other) = (
        credentials(&acme, &["models:read"]).await,
        credentials(&acme, &["models:read"]).await,
    );
    for _ in 0..10 {
        assert_refused(&ask(&app, &crm.id, "wrong").await, 401, "invalid_client");
    }
    let waiting = ask(&app, &crm.id, &crm.secret).await;
    assert_eq!(waiting.status, 429, "{}", waiting.text());
    let seconds: i64 = waiting.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(
        ask(&app, &other.id, &other.secret).await.status,
        200,
        "others need not wait"
    );
    app.advance(seconds);
    assert_eq!(ask(&app, &crm.id, &crm.secret).await.status, 200);
}

#[actix_web::test]
async fn a_token_is_an_rfc_9068_one_that_anybody_verifies_with_the_published_keys() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let crm = credentials(&acme, &["models:read"]).await;
    let token = ask(&app, &crm.id, &crm.secret).await.json()["access_token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let header = decode_header(&token).expect("a JWT");
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), Algorithm::EdDSA));
    let published = app.nobody().get("/.well-known/jwks.json").await;
    assert!(
        published.json()["keys"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|key| key.get("d").is_none())
    );
    let keys: JwkSet = serde_json::from_slice(&published.body).expect("a JWK set");
    let key = keys
        .find(header.kid.as_deref().unwrap_or_default())
        .expect("the token's key is published");
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[PUBLIC_URL]);
    validation.set_issuer(&[PUBLIC_URL]);
    let claims: Value = decode(&token, &DecodingKey::from_jwk(key).expect("a key"), &validation)
        .expect("verified")
        .claims;
    assert_eq!([&claims["sub"], &claims["client_id"]], [&json!(crm.id), &json!(crm.id)]);
    assert_eq!(
        [&claims["org"], &claims["scope"]],
        [&json!(acme.organisation.to_string()), &json!("models:read")]
    );
    let seconds = |claim: &str| claims[claim].as_i64().unwrap_or_default();
    assert_eq!((seconds("exp") - seconds("iat"), seconds("nbf")), (900, seconds("iat")));
    assert!(claims["jti"].is_string());
}

#[actix_web::test]
async fn what_a_client_has_to_know_is_published() {
    let app = TestApp::new().await;
    let server = app.nobody().get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(
        [&server["issuer"], &server["token_endpoint"]],
        [PUBLIC_URL, &format!("{PUBLIC_URL}{TOKEN}")]
    );
    assert_eq!(server["jwks_uri"], format!("{PUBLIC_URL}/.well-known/jwks.json"));
    assert_eq!(server["grant_types_supported"], json!(["client_credentials"]));
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    assert_eq!(server["token_endpoint_auth_methods_supported"], methods);
    let scopes = server["scopes_supported"].as_array().cloned().unwrap_or_default();
    assert_eq!(scopes.len(), 19);
    let resource = app.nobody().get("/.well-known/oauth-protected-resource").await.json();
    assert_eq!(
        (&resource["resource"], &resource["authorization_servers"]),
        (&json!(PUBLIC_URL), &json!([PUBLIC_URL]))
    );
    assert_eq!(resource["scopes_supported"], json!(scopes));
    assert_eq!(resource["bearer_methods_supported"], json!(["header"]));
}

#[actix_web::test]
async fn a_token_counts_for_fifteen_minutes() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    app.advance(899);
    assert_eq!(acme.get("/v1/models").await.status, 200);
    app.advance(32);
    let expired = acme.get("/v1/models").await;
    assert_problem(&expired, 401, "invalid_token");
    assert!(
        expired
            .header("www-authenticate")
            .starts_with("Bearer error=\"invalid_token\"")
    );
    assert_eq!(expired.json()["detail"], "The token has expired.");
}

#[actix_web::test]
async fn what_is_no_token_of_ours_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let token = acme.token.clone().unwrap_or_default();
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts.as_slice() else {
        panic!("a JWT has three parts")
    };
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    for bearer in [
        "x".to_owned(),
        format!("{head}.{claims}."),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{head}.{claims}.{}", signature.chars().rev().collect::<String>()),
        format!("{token}x"),
        "x".repeat(5000),
    ] {
        let request = TestRequest::get()
            .uri("/v1/models")
            .insert_header(("Authorization", format!("Bearer {bearer}")));
        let refused = app.nobody().send(request).await;
        assert_problem(&refused, 401, "invalid_token");
        assert!(
            refused.header("www-authenticate").starts_with("Bearer error="),
            "{bearer}"
        );
        assert!(!refused.text().contains(&bearer) || bearer == "x");
    }
    let unsaid = app.nobody().get("/v1/models").await;
    assert_eq!(
        unsaid.header("www-authenticate"),
        "Bearer",
        "RFC 6750: no error where there was no token"
    );
    let twice = TestRequest::get()
        .uri("/v1/models")
        .append_header(("Authorization", format!("Bearer {token}")));
    let twice = twice.append_header(("Authorization", format!("Bearer {token}")));
    assert_problem(&app.nobody().send(twice).await, 401, "invalid_token");
    for header in [
        format!("Basic {token}"),
        format!("Bearer{token}"),
        "Bearer ".to_owned(),
        token.clone(),
    ] {
        let request = TestRequest::get()
            .uri("/v1/models")
            .insert_header(("Authorization", header));
        assert_problem(&app.nobody().send(request).await, 401, "invalid_token");
    }
    let in_query = app.nobody().get(&format!("/v1/models?access_token={token}")).await;
    assert_problem(&in_query, 401, "invalid_token");
}

#[actix_web::test]
async fn a_token_without_the_scope_is_told_which() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let reader = app.client(acme.organisation, acme.id, "models:read research:read");
    for (uri, scope) in [
        ("/v1/assessments", "assessments:read"),
        ("/v1/gap-analyses", "gap_analyses:read"),
        ("/v1/perspectives", "perspectives:read"),
        ("/v1/clients", "clients:write"),
        ("/v1/organisation", "organisation:write"),
    ] {
        let refused = reader.get(uri).await;
        assert_problem(&refused, 403, "insufficient_scope");
        assert!(
            refused.json()["detail"].as_str().unwrap_or_default().contains(scope),
            "{}",
            refused.text()
        );
        let challenge = refused.header("www-authenticate");
        assert_eq!(
            challenge,
            format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")
        );
    }
    let refused = reader.post("/v1/models", json!({"slug": "ours"})).await;
    assert!(refused.text().contains("models:write"));
}
