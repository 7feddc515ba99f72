//! Who may do what: every operation of the `OpenAPI` document, called by everybody who may not and by the one who may. What
//! names a thing of another organisation is in `access_references.rs`.

use actix_web::test::TestRequest;
use meaningful_connections::http::openapi::document;
use serde_json::json;

use crate::{
    app::{TestApp, assessment},
    openapi::{all, undeclared},
    world::{SYSTEM, World},
};

/// What anybody may call.
const PUBLIC: [&str; 12] = [
    "create_token",
    "get_authorization_server",
    "get_jwks",
    "get_livez",
    "get_openapi",
    "get_problem",
    "get_protected_resource",
    "get_readyz",
    "get_root",
    "list_problems",
    "redeem_invitation",
    "redeem_receipt",
];

#[actix_web::test]
async fn the_public_operations_are_these_and_no_others() {
    let mut public: Vec<String> = all(&document())
        .iter()
        .filter(|o| o.scope().is_none())
        .map(|o| o.id().to_owned())
        .collect();
    public.sort();
    assert_eq!(public, PUBLIC);
}

#[actix_web::test]
async fn nobody_is_turned_away_from_every_operation_but_the_public_ones() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let before = world.seen().await;
    let (document, mut called) = (document(), 0);
    let mut faults: Vec<String> = Vec::new();
    for operation in all(&document) {
        called += 1;
        let answer = app.nobody().send(world.request(&operation).await).await;
        faults.extend(undeclared(&document, &operation, &answer));
        if PUBLIC.contains(&operation.id()) {
            assert_eq!(answer.status, 200, "{} {}", operation.id(), answer.text());
        } else {
            assert_eq!(
                (answer.status, answer.code()),
                (401, "invalid_token".to_owned()),
                "{}",
                operation.id()
            );
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", operation.id());
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(called, all(&document).len());
    assert_eq!(world.seen().await, before);
}

#[actix_web::test]
async fn every_operation_names_the_scope_that_the_caller_lacks() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let before = world.seen().await;
    let (document, mut refused) = (document(), 0);
    let mut faults: Vec<String> = Vec::new();
    for operation in all(&document) {
        let Some(scope) = operation.scope() else { continue };
        refused += 1;
        let answer = world.without(&app, scope).send(world.request(&operation).await).await;
        faults.extend(undeclared(&document, &operation, &answer));
        assert_eq!(
            (answer.status, answer.code()),
            (403, "insufficient_scope".to_owned()),
            "{}",
            operation.id()
        );
        assert!(
            answer.json()["detail"].as_str().expect("a detail").contains(scope),
            "{}",
            answer.text()
        );
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(refused, all(&document).len() - PUBLIC.len());
    assert_eq!(world.seen().await, before);
}

const CREATES_CLIENTS: [&str; 4] = ["clients:write", "models:read", "assessments:read", "assessments:write"];

#[actix_web::test]
async fn every_operation_does_its_own_example_for_who_has_its_scope_alone() {
    let app = TestApp::new().await;
    let (document, mut done) = (document(), 0);
    let mut faults: Vec<String> = Vec::new();
    let mut world = World::new(app.organisation("acme")).await;
    for operation in all(&document) {
        let client = match operation.scope() {
            // Nobody gives away what they do not have: who creates a client has its scopes, too.
            Some(_) if operation.id() == "create_client" => world.with_scopes(&app, &CREATES_CLIENTS),
            Some(scope) => world.with_scopes(&app, &[scope]),
            None => app.nobody(),
        };
        let answer = client.send(world.request(&operation).await).await;
        if !(200..300).contains(&answer.status) {
            faults.push(format!("{} {} {}", operation.id(), answer.status, answer.text()));
        }
        faults.extend(undeclared(&document, &operation, &answer));
        done += 1;
        if operation.method != "GET" {
            world = World::new(app.organisation("acme")).await;
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(done, all(&document).len());
}

#[actix_web::test]
async fn names_and_idempotency_keys_belong_to_their_organisation() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let rival = app.organisation("rival");
    let before = world.seen().await;
    let body = json!({"model": "meaningful-connections", "perspective": "team", "external_ids": [{"system": SYSTEM, "value": "case-2"}]});
    let uri = format!("/v1/assessments/by-external-id?system={SYSTEM}&value=case-1");
    assert_eq!(
        rival.put(&uri, assessment("team", "forming", "maturing")).await.status,
        201
    );
    assert_eq!(rival.post("/v1/assessments", body.clone()).await.status, 201);
    assert_eq!(rival.post("/v1/models", json!({"slug": world.model})).await.status, 201);
    let perspective = json!({"slug": world.perspective, "label": "Funder", "voice": "individual"});
    assert_eq!(rival.post("/v1/perspectives", perspective).await.status, 201);
    assert_eq!(world.seen().await, before);
    let keyed = || {
        TestRequest::post()
            .uri("/v1/models")
            .insert_header(("Idempotency-Key", "one"))
            .set_json(json!({"slug": "same"}))
    };
    let (ours, theirs) = (world.owner.send(keyed()).await, rival.send(keyed()).await);
    assert_eq!((ours.status, theirs.status), (201, 201));
    assert_ne!(ours.json()["id"], theirs.json()["id"]);
    assert_eq!(theirs.header("idempotent-replayed"), "");
}
