//! Who may do what: every operation of the `OpenAPI` document, called by everybody who may not and by the one who may.

use actix_web::test::TestRequest;
use meaningful_connections::http::openapi::document;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    openapi::{Operation, all, undeclared},
    world::{SYSTEM, World},
};

/// What anybody may call.
const PUBLIC: [&str; 10] = [
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
];

/// An id of nothing.
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// An answer, without what differs from one request to the next.
fn said(answer: &Answer) -> (u16, Vec<String>, String) {
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
    if let Some(problem) = body.as_object_mut() {
        problem.remove("instance");
    }
    (answer.status, headers, body.to_string())
}

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

/// What may not be seen must answer as what never was.
async fn same(what: &str, client: &Client, hidden: TestRequest, missing: TestRequest) {
    let (hidden, missing) = (client.send(hidden).await, client.send(missing).await);
    assert_eq!(said(&hidden), said(&missing), "{what}");
}

#[actix_web::test]
async fn another_organisations_thing_answers_as_a_thing_that_never_was() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let rival = app.organisation("rival");
    let before = world.seen().await;
    let document = document();
    let mut faults: Vec<String> = Vec::new();
    let addressing: Vec<Operation> = all(&document)
        .into_iter()
        .filter(|operation| operation.scope().is_some() && operation.path.contains('{'))
        .collect();
    assert!(addressing.len() >= 35, "{}", addressing.len());
    for operation in &addressing {
        let slugs = operation.path.contains("{model}") || operation.path.contains("{perspective}");
        let missing_slug = |name: &str| (name != "version").then(|| "never-was".to_owned());
        let missing_id = |name: &str| (name != "version").then(|| NOTHING.to_owned());
        let by_id = |name: &str| match name {
            "model" => Some(world.model_id.clone()),
            "perspective" => Some(world.perspective_id.clone()),
            _ => None,
        };
        let uri = |other: &dyn Fn(&str) -> Option<String>| {
            format!("{}{}", world.path_with(operation, other), world.query(operation))
        };
        let ids = (uri(&by_id), uri(&missing_id));
        let pairs = if slugs {
            vec![ids, (uri(&|_| None), uri(&missing_slug))]
        } else {
            vec![ids]
        };
        for (hidden, missing) in pairs {
            let what = format!("{} {hidden}", operation.id());
            let bodies = [
                operation.example(),
                operation
                    .example()
                    .map(|(media_type, _)| (media_type, json!({"colour": "red"}))),
            ];
            for (body, etag) in [
                (&bodies[0], "\"1\""),
                (&bodies[0], ""),
                (&bodies[0], "*"),
                (&bodies[1], "\"1\""),
            ] {
                let to = |uri: &str| world.to(operation, uri, etag, body.clone());
                let answer = rival.send(to(&hidden)).await;
                assert_eq!(answer.status, 404, "{what} {}", answer.text());
                faults.extend(undeclared(&document, operation, &answer));
                same(&what, &rival, to(&hidden), to(&missing)).await;
                let with_key = |uri: &str| to(uri).insert_header(("Idempotency-Key", "one-and-the-same"));
                same(&what, &rival, with_key(&hidden), with_key(&missing)).await;
            }
            let with_tag = |uri: &str| {
                world
                    .to(operation, uri, "", bodies[0].clone())
                    .insert_header(("If-None-Match", "*"))
            };
            same(&what, &rival, with_tag(&hidden), with_tag(&missing)).await;
        }
    }
    faults.dedup();
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(world.seen().await, before);
}

#[actix_web::test]
async fn another_organisations_things_are_not_found_by_any_parameter() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let rival = app.organisation("rival");
    let get = |uri: String| TestRequest::with_uri(&uri);
    for (hidden, missing) in [
        (
            format!("external_id={SYSTEM}|case-1"),
            format!("external_id={SYSTEM}|case-0"),
        ),
        ("model=our-own".to_owned(), "model=never-was".to_owned()),
        ("perspective=funder".to_owned(), "perspective=never-was".to_owned()),
        (
            "status=withdrawn".to_owned(),
            "status=withdrawn&model=never-was".to_owned(),
        ),
    ] {
        let uri = |query: &str| get(format!("/v1/assessments?{query}"));
        same(&hidden, &rival, uri(&hidden), uri(&missing)).await;
    }
    let form = |perspective: &str| {
        get(format!(
            "/v1/models/meaningful-connections/versions/1/form?perspective={perspective}"
        ))
    };
    same("form", &rival, form("funder"), form("never-was")).await;
    let mut lists = 0;
    for operation in all(&document()) {
        let parameters = operation.described["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if !parameters.iter().any(|parameter| parameter["name"] == "cursor") {
            continue;
        }
        lists += 1;
        let path = world.path(&operation);
        let page = world.owner.get(&format!("{path}?limit=1")).await.json();
        let Some(cursor) = page["next_cursor"].as_str() else {
            continue;
        };
        let uri = |cursor: &str| get(format!("{path}?limit=1&cursor={cursor}"));
        same(&path, &rival, uri(cursor), uri("e30")).await;
        if !operation.path.contains('{') {
            assert_eq!(rival.send(uri(cursor)).await.code(), "invalid_cursor");
        }
    }
    assert_eq!(lists, 9);
}

#[actix_web::test]
async fn another_organisations_things_cannot_be_referred_to() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let rival = app.organisation("rival");
    let own = rival.submitted("team", "forming", "maturing").await;
    let own = own.rsplit('/').next().expect("an id").to_owned();
    let before = world.seen().await;
    let with = |body: &Value, pointer: &str, value: &str| {
        let mut body = body.clone();
        *body.pointer_mut(pointer).expect("a place for it") = json!(value);
        body
    };
    let analysis = json!({"assessments": [own, "?"], "baseline": "?"});
    let select = json!({"select": {"model": "meaningful-connections", "perspectives": ["team"]}});
    let rated = json!({"model": "meaningful-connections", "ratings": [{"perspective": "team", "ratings": {}}]});
    let model = json!({"slug": "mine", "derived_from": {"model": "?", "version": 1}});
    let complete = assessment("team", "forming", "maturing");
    let without_baseline = json!({"assessments": [own, "?"]});
    let compared = json!({"assessments": [own], "baseline": "?"});
    let mut cases = Vec::new();
    for path in ["/v1/gap-analyses", "/v1/gap-analyses/preview"] {
        for id in [&world.submitted, &world.draft, &world.withdrawn, &world.gap_analysis] {
            cases.push((path, &without_baseline, "/assessments/1", id, NOTHING));
        }
        cases.push((path, &compared, "/baseline", &world.gap_analysis, NOTHING));
        cases.push((path, &analysis, "/assessments/1", &world.submitted, NOTHING));
        cases.push((path, &select, "/select/model", &world.model, "never-was"));
        cases.push((path, &select, "/select/perspectives/0", &world.perspective, "never-was"));
    }
    cases.push(("/v1/gap-analyses/preview", &rated, "/model", &world.model, "never-was"));
    cases.push((
        "/v1/gap-analyses/preview",
        &rated,
        "/ratings/0/perspective",
        &world.perspective,
        "never-was",
    ));
    cases.push(("/v1/models", &model, "/derived_from/model", &world.model, "never-was"));
    for path in ["/v1/assessments", "/v1/assessments/validate"] {
        cases.push((path, &complete, "/model", &world.model, "never-was"));
        cases.push((path, &complete, "/perspective", &world.perspective, "never-was"));
    }
    for (path, body, pointer, hidden, missing) in cases {
        let to = |value: &str| TestRequest::post().uri(path).set_json(with(body, pointer, value));
        same(&format!("{path} {pointer} {hidden}"), &rival, to(hidden), to(missing)).await;
        let answer = rival.send(to(hidden)).await;
        assert!(
            answer.status == 422 || path.ends_with("/validate"),
            "{path} {pointer} {}",
            answer.text()
        );
    }
    let put = |member: &str, value: &str| {
        let uri = format!("/v1/assessments/by-external-id?system={SYSTEM}&value=new");
        TestRequest::put()
            .uri(&uri)
            .set_json(with(&complete, &format!("/{member}"), value))
    };
    same("upsert", &rival, put("model", &world.model), put("model", "never-was")).await;
    same(
        "upsert",
        &rival,
        put("perspective", &world.perspective),
        put("perspective", "never-was"),
    )
    .await;
    assert_eq!(world.seen().await, before);
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
