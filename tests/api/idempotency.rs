//! A request that comes twice with one key is done once.

use actix_web::test::TestRequest;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    problems::assert_problem,
};

const DAY: i64 = 24 * 60 * 60;

fn keyed(key: &str, uri: &str, body: Value) -> TestRequest {
    let request = TestRequest::post().uri(uri).insert_header(("Idempotency-Key", key));
    request.set_json(body)
}

fn partner(slug: &str) -> Value {
    json!({"slug": slug, "label": "Partner", "voice": "collective"})
}

#[track_caller]
fn assert_replayed(replay: &Answer, first: &Answer) {
    assert_eq!(replay.header("idempotent-replayed"), "true", "{}", replay.text());
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(replay.status, first.status);
    assert_eq!(replay.body, first.body);
    for name in ["location", "etag", "content-type"] {
        assert_eq!(replay.header(name), first.header(name), "{name}");
    }
}

async fn assessments_of(client: &Client) -> usize {
    let list = client.get("/v1/assessments").await.json();
    list["data"].as_array().map_or(0, Vec::len)
}

#[actix_web::test]
async fn a_request_that_comes_twice_is_done_once_and_answered_alike() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = assessment("team", "forming", "maturing");
    let first = acme.send(keyed("k-1", "/v1/assessments", body.clone())).await;
    assert_eq!(first.status, 201, "{}", first.text());
    assert_replayed(&acme.send(keyed("k-1", "/v1/assessments", body.clone())).await, &first);
    assert_replayed(
        &acme.send(keyed("\"k-1\"", "/v1/assessments", body.clone())).await,
        &first,
    );
    assert_eq!(assessments_of(&acme).await, 1);
    assert_eq!(acme.send(keyed("k-2", "/v1/assessments", body)).await.status, 201);
    assert_eq!(assessments_of(&acme).await, 2);
}

#[actix_web::test]
async fn a_replay_is_what_was_answered_then_whatever_happened_since() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let first = acme.send(keyed("k-1", "/v1/perspectives", partner("partner"))).await;
    acme.patch(&first.uri(), json!({"label": "Another"})).await;
    assert_replayed(
        &acme.send(keyed("k-1", "/v1/perspectives", partner("partner"))).await,
        &first,
    );
    assert_eq!(acme.get(&first.uri()).await.json()["label"], "Another");
}

#[actix_web::test]
async fn actions_patches_puts_and_analyses_are_replayed_too() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let uri = made.uri();
    let patch = || {
        let request = TestRequest::patch()
            .uri(&uri)
            .set_payload(json!({"respondent_ref": "r"}).to_string());
        let request = request.insert_header(("Content-Type", "application/merge-patch+json"));
        let request = request.insert_header(("Idempotency-Key", "same"));
        acme.send(request.insert_header(("If-Match", made.etag())))
    };
    let patched = patch().await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    // The ETag is stale by now: the key is looked up before it.
    assert_replayed(&patch().await, &patched);

    let act = || {
        acme.send(
            TestRequest::post()
                .uri(&format!("{uri}/submit"))
                .insert_header(("Idempotency-Key", "same")),
        )
    };
    let (submitted, again) = (act().await, act().await);
    assert_eq!(submitted.status, 200);
    assert_replayed(&again, &submitted);

    let id = uri.rsplit('/').next().unwrap_or_default();
    let analyse = || acme.send(keyed("same", "/v1/gap-analyses", json!({"assessments": [id]})));
    let (analysed, again) = (analyse().await, analyse().await);
    assert_eq!(analysed.status, 201, "{}", analysed.text());
    assert_replayed(&again, &analysed);

    let mut body = assessment("team", "forming", "maturing");
    body["external_ids"] = json!([{"system": "crm", "value": "7"}]);
    let put = || {
        let request = TestRequest::put().uri("/v1/assessments/by-external-id?system=crm&value=7");
        acme.send(request.insert_header(("Idempotency-Key", "same")).set_json(&body))
    };
    let (put_first, again) = (put().await, put().await);
    assert_eq!(put_first.status, 201, "{}", put_first.text());
    assert_replayed(&again, &put_first);
}

#[actix_web::test]
async fn a_key_that_was_used_for_another_request_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    assert_eq!(
        acme.send(keyed("k", "/v1/perspectives", partner("one"))).await.status,
        201
    );
    let other = acme.send(keyed("k", "/v1/perspectives", partner("two"))).await;
    assert_problem(&other, 422, "idempotency_key_reused");
    assert_eq!(acme.get("/v1/perspectives/two").await.status, 404);
    let put = |value: &str| {
        let uri = format!("/v1/assessments/by-external-id?system=crm&value={value}");
        let mut body = assessment("team", "forming", "maturing");
        body["respondent_ref"] = json!("r");
        acme.send(
            TestRequest::put()
                .uri(&uri)
                .insert_header(("Idempotency-Key", "k"))
                .set_json(body),
        )
    };
    let answer = put("1").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_problem(&put("2").await, 422, "idempotency_key_reused");
}

#[actix_web::test]
async fn a_key_belongs_to_its_client_method_and_path() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let made = acme
        .post(
            "/v1/clients",
            json!({"name": "second", "scopes": ["perspectives:write"]}),
        )
        .await;
    let second = made.json()["client_id"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .expect("an id");
    let second = app.client(acme.organisation, second, "perspectives:write");
    let first = acme.send(keyed("k", "/v1/perspectives", partner("one"))).await;
    assert_eq!(first.status, 201);
    // Another organisation, another client, another path, another method: each has its own `k`.
    assert_eq!(
        rival.send(keyed("k", "/v1/perspectives", partner("one"))).await.status,
        201
    );
    assert_eq!(
        second.send(keyed("k", "/v1/perspectives", partner("two"))).await.status,
        201
    );
    let model = acme
        .send(keyed("k", "/v1/models", json!({"slug": "ours", "title": "Ours"})))
        .await;
    assert_eq!(model.status, 201);
    let patch = TestRequest::patch()
        .uri("/v1/perspectives/one")
        .set_payload("{\"label\": \"New\"}");
    let patch = patch.insert_header(("Content-Type", "application/merge-patch+json"));
    let patch = patch
        .insert_header(("Idempotency-Key", "k"))
        .insert_header(("If-Match", "*"));
    assert_eq!(acme.send(patch).await.header("idempotent-replayed"), "");
    assert_eq!(acme.get("/v1/perspectives/one").await.json()["label"], "New");
}

#[actix_web::test]
async fn a_request_that_failed_is_not_remembered() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let wrong = acme.send(keyed("k", "/v1/perspectives", json!({"slug": "one"}))).await;
    assert_problem(&wrong, 422, "invalid");
    let again = acme.send(keyed("k", "/v1/perspectives", json!({"slug": "one"}))).await;
    assert_eq!(again.header("idempotent-replayed"), "");
    acme.post("/v1/perspectives", partner("taken")).await;
    assert_problem(
        &acme.send(keyed("k", "/v1/perspectives", partner("taken"))).await,
        409,
        "slug_taken",
    );
    let right = acme.send(keyed("k", "/v1/perspectives", partner("one"))).await;
    assert_eq!(right.status, 201, "{}", right.text());
    assert_replayed(&acme.send(keyed("k", "/v1/perspectives", partner("one"))).await, &right);
}

#[actix_web::test]
async fn a_replay_is_for_those_who_may_ask() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    assert_eq!(
        acme.send(keyed("k", "/v1/perspectives", partner("one"))).await.status,
        201
    );
    let reader = app.client(acme.organisation, acme.id, "perspectives:read");
    let refused = reader.send(keyed("k", "/v1/perspectives", partner("one"))).await;
    assert_problem(&refused, 403, "insufficient_scope");
    let nobody = app.nobody().send(keyed("k", "/v1/perspectives", partner("one"))).await;
    assert_problem(&nobody, 401, "invalid_token");
}

#[actix_web::test]
async fn a_key_is_forgotten_after_a_day() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = assessment("team", "forming", "maturing");
    let first = acme.send(keyed("k", "/v1/assessments", body.clone())).await;
    let again = |seconds: i64| {
        app.advance(seconds);
        let acme = app.client(acme.organisation, acme.id, "assessments:write assessments:read");
        let request = keyed("k", "/v1/assessments", body.clone());
        async move { acme.send(request).await }
    };
    assert_replayed(&again(DAY - 60).await, &first);
    let anew = again(61).await;
    assert_eq!((anew.status, anew.header("idempotent-replayed").as_str()), (201, ""));
    assert_ne!(anew.uri(), first.uri());
    assert_replayed(&again(60).await, &anew);
    app.advance(DAY);
    meaningful_connections::jobs::retain(&app.db).expect("retention");
    let third = again(0).await;
    assert_eq!((third.status, third.header("idempotent-replayed").as_str()), (201, ""));
}

#[actix_web::test]
async fn a_key_is_1_to_255_visible_ascii_characters() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let quoted = format!("\"{}\"", "k".repeat(255));
    for (number, key) in ["k", "~!#$%&'()*", &"k".repeat(255), &quoted].into_iter().enumerate() {
        let slug = format!("fine{number}");
        let answer = acme.send(keyed(key, "/v1/perspectives", partner(&slug))).await;
        // The last one is the third again, quoted, and with another body.
        assert_eq!(answer.status, if number == 3 { 422 } else { 201 }, "{key}");
    }
    for key in ["", "\"\"", " ", "a b", "a\tb", &"k".repeat(256), "\u{e9}"] {
        let answer = acme.send(keyed(key, "/v1/perspectives", partner("never"))).await;
        assert_problem(&answer, 400, "invalid_header");
        assert!(answer.json()["detail"].to_string().contains("Idempotency-Key"));
    }
    assert_eq!(acme.get("/v1/perspectives/never").await.status, 404);
}

#[actix_web::test]
async fn of_eight_that_come_at_once_with_one_key_one_is_done() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = assessment("team", "forming", "maturing");
    let answers = join_all((0..8).map(|_| acme.send(keyed("k", "/v1/assessments", body.clone())))).await;
    let first = answers
        .iter()
        .find(|answer| answer.header("idempotent-replayed").is_empty())
        .expect("one is done");
    assert_eq!(first.status, 201, "{}", first.text());
    let replays: Vec<&Answer> = answers
        .iter()
        .filter(|answer| !answer.header("idempotent-replayed").is_empty())
        .collect();
    assert_eq!(replays.len(), 7);
    for replay in replays {
        assert_replayed(replay, first);
    }
    assert_eq!(assessments_of(&acme).await, 1);
}

#[actix_web::test]
async fn of_eight_analyses_that_come_at_once_with_one_key_one_is_made() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let body = json!({"assessments": [uri.rsplit('/').next().unwrap_or_default()]});
    let answers = join_all((0..8).map(|_| acme.send(keyed("k", "/v1/gap-analyses", body.clone())))).await;
    for answer in &answers {
        assert_eq!(
            (answer.status, answer.uri()),
            (201, answers.first().map(Answer::uri).unwrap_or_default())
        );
    }
    assert_eq!(
        acme.get("/v1/gap-analyses").await.json()["data"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[actix_web::test]
async fn a_replay_never_holds_a_secret() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({"name": "crm", "scopes": ["models:read"]});
    let made = acme.send(keyed("k", "/v1/clients", body.clone())).await;
    let secret = made.json()["client_secret"].as_str().unwrap_or_default().to_owned();
    assert_eq!(secret.len(), 43);
    let again = acme.send(keyed("k", "/v1/clients", body)).await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed").as_str()),
        (201, "true")
    );
    assert_eq!(again.json()["client_id"], made.json()["client_id"]);
    assert!(again.json().get("client_secret").is_none());
    assert!(!again.text().contains(&secret));

    let rotate = format!("{}/rotate-secret", made.uri());
    let rotated = acme.send(keyed("k", &rotate, json!({}))).await;
    assert_eq!(
        rotated.json()["client_secret"].as_str().map(str::len),
        Some(43),
        "{}",
        rotated.text()
    );
    let again = acme.send(keyed("k", &rotate, json!({}))).await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed").as_str()),
        (200, "true")
    );
    assert!(again.json().get("client_secret").is_none());
}

#[actix_web::test]
async fn validating_and_previewing_ignore_a_key() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let complete = assessment("team", "forming", "maturing");
    for (uri, bodies) in [
        (
            "/v1/assessments/validate",
            [
                complete.clone(),
                json!({"model": "meaningful-connections", "perspective": "team", "ratings": {}}),
            ],
        ),
        (
            "/v1/gap-analyses/preview",
            [
                json!({"model": "meaningful-connections", "ratings": [{"perspective": "team", "ratings": complete["ratings"]}]}),
                json!({"model": "meaningful-connections", "ratings": [{"perspective": "team_member", "ratings": complete["ratings"]}]}),
            ],
        ),
    ] {
        for body in bodies {
            let answer = acme.send(keyed("k", uri, body)).await;
            assert_eq!(
                (answer.status, answer.header("idempotent-replayed").as_str()),
                (200, ""),
                "{}",
                answer.text()
            );
        }
    }
}
