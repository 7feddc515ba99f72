//! The document and the service say the same: no route without an operation, no header that is not declared, no parameter, number
//! or text that is taken otherwise than its schema says.

use std::{collections::BTreeSet, fs, path::Path};

use actix_web::test::TestRequest;
use base64::{Engine, engine::general_purpose::STANDARD};
use meaningful_connections::http::openapi::document;
use serde_json::json;

use crate::{
    app::{TestApp, assessment, method},
    openapi::{Operation, all, undeclared},
    problems::assert_problem,
    world::World,
};

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// The routes that the sources register, as `METHOD path`.
fn registered() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/routes");
    let mut routes = BTreeSet::new();
    for file in fs::read_dir(folder).expect("the routes") {
        let source = fs::read_to_string(file.expect("a file").path()).expect("a source");
        for line in source.lines() {
            if let Some((verb, rest)) = line.strip_prefix("#[").and_then(|line| line.split_once("(\""))
                && let Some((path, _)) = rest.split_once('"')
                && METHODS.contains(&verb.to_uppercase().as_str())
            {
                routes.insert(format!("{} {path}", verb.to_uppercase()));
            }
            // What is registered in another way answers nothing, or it would be missing here.
            assert!(
                !line.contains(".route(") || line.contains("web::to(nothing_here)"),
                "{line}"
            );
        }
    }
    routes
}

#[test]
fn every_route_is_in_the_document_and_the_other_way_round() {
    let described: BTreeSet<String> = all(&document())
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    assert!(described.len() > 60, "{}", described.len());
    assert_eq!(registered(), described);
}

#[actix_web::test]
async fn every_path_has_the_methods_of_the_document_and_no_others() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let operations = all(&document());
    let paths: BTreeSet<&str> = operations.iter().map(|operation| operation.path.as_str()).collect();
    for path in paths {
        let own: Vec<&Operation> = operations.iter().filter(|operation| operation.path == path).collect();
        let mut allowed: BTreeSet<&str> = own.iter().map(|operation| operation.method.as_str()).collect();
        if allowed.contains("GET") {
            allowed.insert("HEAD");
        }
        let uri = world.path(own.first().expect("an operation"));
        for verb in METHODS {
            // Without a token, so that nothing is done: what is there says 401, or answers.
            let answer = app
                .nobody()
                .send(TestRequest::with_uri(&uri).method(method(verb)))
                .await;
            let told: BTreeSet<String> = answer
                .header("allow")
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect();
            let what = format!("{verb} {path}: {} {told:?}", answer.status);
            if allowed.contains(verb) {
                assert!(![404, 405].contains(&answer.status), "{what}");
            } else {
                assert_eq!(answer.status, if verb == "OPTIONS" { 204 } else { 405 }, "{what}");
                let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
                assert_eq!(told, allowed, "{what}");
            }
        }
    }
}

#[actix_web::test]
async fn beside_the_operations_there_is_the_documentation_and_nothing_else() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let redirected = app.nobody().get("/docs").await;
    assert_eq!((redirected.status, redirected.uri().as_str()), (307, "/docs/"));
    let shown = app.nobody().get("/docs/").await;
    assert_eq!(
        (shown.status, shown.header("content-type").as_str()),
        (200, "text/html")
    );
    for uri in [
        "/metrics",
        "/v1",
        "/v1/",
        "/v1/models/",
        "/docs/nothing",
        "/livez/",
        "//livez",
        "/v2/models",
        "/.well-known",
    ] {
        assert_problem(&acme.get(uri).await, 404, "not_found");
    }
}

#[actix_web::test]
async fn no_operation_takes_a_parameter_that_it_does_not_name() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let before = world.seen().await;
    let (document, mut faults) = (document(), Vec::new());
    for operation in all(&document) {
        let query = world.query(&operation);
        let separator = if query.is_empty() { "?" } else { "&" };
        let uri = format!("{}{query}{separator}colour=red", world.path(&operation));
        let answer = world
            .owner
            .send(world.to(&operation, &uri, "\"1\"", world.example(&operation)))
            .await;
        faults.extend(undeclared(&document, &operation, &answer));
        assert_eq!(answer.status, 400, "{} {}", operation.id(), answer.text());
        if operation.id() == "create_token" {
            assert_eq!(answer.json()["error"], "invalid_request");
        } else {
            assert_eq!(answer.faults(), ["/colour unknown_parameter"], "{}", operation.id());
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(world.seen().await, before);
}

#[actix_web::test]
async fn what_is_known_already_and_what_is_answered_again_has_the_headers_of_the_document() {
    let app = TestApp::new().await;
    let mut world = World::new(app.organisation("acme")).await;
    let (document, mut faults) = (document(), Vec::new());
    let (mut known, mut again) = (0, 0);
    for operation in all(&document) {
        let described = &operation.described;
        if described["responses"]["304"].is_object() {
            let etag = world.owner.send(world.request(&operation).await).await.etag();
            let request = world.request(&operation).await.insert_header(("If-None-Match", etag));
            let answer = world.owner.send(request).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{}", operation.id());
            faults.extend(undeclared(&document, &operation, &answer));
            known += 1;
        }
        let key = json!({"$ref": "#/components/parameters/Idempotency-Key"});
        if described["parameters"].as_array().is_some_and(|all| all.contains(&key)) {
            // The revision before it was done: who asks again does not know a later one.
            let keyed = || async {
                world
                    .request(&operation)
                    .await
                    .insert_header(("Idempotency-Key", "again"))
            };
            let (first, second) = (keyed().await, keyed().await);
            let first = world.owner.send(first).await;
            let answer = world.owner.send(second).await;
            assert!(
                (200..300).contains(&first.status),
                "{} {}",
                operation.id(),
                first.text()
            );
            assert_eq!(answer.status, first.status, "{} {}", operation.id(), answer.text());
            assert_eq!(answer.header("idempotent-replayed"), "true", "{}", operation.id());
            faults.extend(undeclared(&document, &operation, &first));
            faults.extend(undeclared(&document, &operation, &answer));
            again += 1;
            world = World::new(app.organisation("acme")).await;
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(known > 10 && again > 15, "{known} {again}");
}

#[actix_web::test]
async fn a_whole_number_is_an_integer_however_it_is_written() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = assessment("team", "forming", "maturing");
    body["model_version"] = json!(1.0);
    let made = acme.post("/v1/assessments", body.clone()).await;
    assert_eq!(
        (made.status, &made.json()["model_version"]),
        (201, &json!(1)),
        "{}",
        made.text()
    );
    body["model_version"] = json!(1.5);
    let refused = acme.post("/v1/assessments", body).await;
    assert_eq!(
        (refused.status, refused.faults()),
        (422, vec!["/model_version type".to_owned()])
    );
    let derived = json!({"slug": "ours", "derived_from": {"model": "meaningful-connections", "version": 1.0}});
    assert_eq!(acme.post("/v1/models", derived).await.status, 201);
    let levels = json!({"slug": "levels", "levels": [{"key": "early_stages", "value": 1.0, "label": "First"}]});
    assert_eq!(acme.post("/v1/models", levels).await.json()["levels"][0]["value"], 1);
}

#[actix_web::test]
async fn a_header_of_more_than_8192_bytes_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let with = |length: usize| {
        TestRequest::get()
            .uri("/v1/organisation")
            .insert_header(("If-None-Match", "x".repeat(length)))
    };
    assert_eq!(acme.send(with(8192)).await.status, 200);
    assert_problem(&acme.send(with(8193)).await, 431, "headers_too_large");
}

#[actix_web::test]
async fn a_control_character_is_one_fault() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({"slug": "partner", "label": "a\u{0}b", "voice": "collective"});
    let refused = acme.post("/v1/perspectives", body).await;
    assert_eq!(
        (refused.status, refused.faults()),
        (422, vec!["/label control_character".to_owned()])
    );
}

#[actix_web::test]
async fn a_form_names_no_other_client_than_http_basic() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let basic = STANDARD.encode(format!("{}:{}", world.client, world.client_secret));
    for (client, status) in [(world.client.as_str(), 200), (world.submitted.as_str(), 400), ("", 200)] {
        let request = TestRequest::post()
            .uri("/v1/oauth/token")
            .insert_header(("Authorization", format!("Basic {basic}")))
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
            .set_payload(format!("grant_type=client_credentials&client_id={client}"));
        let answer = app.nobody().send(request).await;
        assert_eq!(answer.status, status, "{client} {}", answer.text());
        if status == 400 {
            assert_eq!(answer.json()["error"], "invalid_request");
        }
    }
}
