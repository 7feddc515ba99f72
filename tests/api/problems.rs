//! Whatever goes wrong, the answer is a problem document; of several faults, the first in the contract's order is told.

use actix_web::test::TestRequest;
use serde_json::json;
use uuid::Uuid;

use crate::app::{Answer, Client, TestApp, assessment};

/// A problem document with every member that the contract promises.
#[track_caller]
pub fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["type"], format!("/problems/{code}"));
    assert_eq!(problem["status"], status);
    for member in ["title", "detail"] {
        assert_ne!(problem[member].as_str().unwrap_or_default(), "", "{member}: {problem}");
    }
    let instance = problem["instance"].as_str().unwrap_or_default();
    let uuid = instance.strip_prefix("urn:uuid:").unwrap_or_default();
    assert!(Uuid::try_parse(uuid).is_ok(), "{problem}");
}

/// Everything of an answer but what belongs to the one request: its instance and its id.
fn without_ids(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let instance = answer.json()["instance"].as_str().unwrap_or_default().to_owned();
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.as_str() != "x-request-id")
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    headers.sort();
    (answer.status, answer.text().replace(&instance, "…"), headers)
}

fn patch(uri: &str) -> TestRequest {
    let request = TestRequest::patch().uri(uri);
    request.insert_header(("Content-Type", "application/merge-patch+json"))
}

#[actix_web::test]
async fn every_kind_of_problem_is_explained_where_its_type_leads() {
    let app = TestApp::new().await;
    let nobody = app.nobody();
    let kinds = nobody.get("/problems").await.json()["data"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(kinds.len() > 30, "{kinds:?}");
    for kind in kinds {
        let page = nobody
            .get(&format!("/problems/{}", kind["code"].as_str().unwrap_or_default()))
            .await;
        assert_eq!(page.status, 200);
        assert_eq!(page.json(), kind);
    }
    let refused = nobody.get("/v1/models").await;
    let explained = nobody.get(refused.json()["type"].as_str().unwrap_or_default()).await;
    assert_eq!(explained.json()["code"], refused.code());
    assert_eq!(explained.json()["title"], refused.json()["title"]);
    assert_problem(&nobody.get("/problems/bad_weather").await, 404, "not_found");
}

#[actix_web::test]
async fn a_path_that_leads_nowhere_is_a_404_whoever_asks() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for path in [
        "/v2/models",
        "/v1",
        "/v1/models/",
        "/v1/league-table",
        "/v1/models/x/versions/1/score",
    ] {
        assert_problem(&app.nobody().get(path).await, 404, "not_found");
        assert_problem(&acme.act(path).await, 404, "not_found");
    }
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_have_is_a_405_that_lists_those_it_has() {
    let app = TestApp::new().await;
    let nobody = app.nobody();
    for (method, path, allowed) in [
        ("DELETE", "/v1/models", vec!["GET", "HEAD", "POST"]),
        ("PUT", "/v1/models/meaningful-connections", vec!["GET", "HEAD", "PATCH"]),
        (
            "DELETE",
            "/v1/models/meaningful-connections/versions/1",
            vec!["GET", "HEAD"],
        ),
        ("GET", "/v1/models/meaningful-connections/publish", vec!["POST"]),
        ("HEAD", "/v1/oauth/token", vec!["POST"]),
        ("POST", "/openapi.json", vec!["GET", "HEAD"]),
    ] {
        let answer = nobody
            .send(TestRequest::with_uri(path).method(crate::app::method(method)))
            .await;
        assert_problem(&answer, 405, "method_not_allowed");
        let allow = answer.header("allow");
        let mut allow: Vec<&str> = allow.split(", ").collect();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{method} {path}");
    }
}

#[actix_web::test]
async fn of_several_faults_the_first_in_order_is_told() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let reader = app.client(acme.organisation, acme.id, "assessments:read");
    let submitted = acme.submitted("team", "forming", "maturing").await;
    let draft = acme.draft("team", "forming", "maturing").await;
    let (uri, missing) = (draft.uri(), format!("/v1/assessments/{}", Uuid::now_v7()));
    let (wrong, right) = (
        json!({"colour": 1}).to_string(),
        json!({"respondent_ref": "r-1"}).to_string(),
    );
    let large = "x".repeat(1024 * 1024 + 1);
    let stale = ("If-Match", "\"99\"");
    let plain = |uri: &str| {
        TestRequest::patch()
            .uri(uri)
            .insert_header(("Content-Type", "text/plain"))
    };

    assert_problem(
        &app.nobody().send(plain("/v1/nowhere").set_payload("{")).await,
        404,
        "not_found",
    );
    let put = TestRequest::put().uri(&missing).set_payload("{");
    assert_problem(&app.nobody().send(put).await, 405, "method_not_allowed");
    assert_problem(
        &app.nobody().send(plain(&missing).set_payload("{")).await,
        401,
        "invalid_token",
    );
    assert_problem(
        &reader.send(plain(&missing).set_payload("{")).await,
        403,
        "insufficient_scope",
    );
    assert_problem(
        &acme.send(plain(&missing).set_payload("{")).await,
        415,
        "unsupported_media_type",
    );
    assert_problem(
        &acme.send(patch(&missing).set_payload(large)).await,
        413,
        "payload_too_large",
    );
    assert_problem(
        &acme.send(patch(&missing).set_payload("{")).await,
        400,
        "malformed_json",
    );
    assert_problem(
        &acme.send(patch(&missing).set_payload(wrong.clone())).await,
        404,
        "not_found",
    );
    assert_problem(
        &acme.send(patch(&submitted).set_payload(wrong.clone())).await,
        428,
        "precondition_required",
    );
    let sealed = patch(&submitted).insert_header(stale).set_payload(wrong.clone());
    assert_problem(&acme.send(sealed).await, 409, "not_a_draft");
    let old = patch(&uri).insert_header(stale).set_payload(wrong.clone());
    assert_problem(&acme.send(old).await, 412, "precondition_failed");
    let current = |body: String| patch(&uri).insert_header(("If-Match", draft.etag())).set_payload(body);
    assert_problem(&acme.send(current(wrong)).await, 422, "invalid");
    assert_eq!(acme.send(current(right)).await.status, 200);
}

#[actix_web::test]
async fn a_malformed_id_a_missing_one_and_another_organisations_are_the_same_404() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let assessment = rival.submitted("team", "forming", "maturing").await;
    let id = assessment.rsplit('/').next().unwrap_or_default();
    let analysis = rival.post("/v1/gap-analyses", json!({"assessments": [id]})).await.uri();
    let model = rival
        .post("/v1/models", json!({"slug": "ours", "title": "Ours"}))
        .await
        .uri();
    let voice = json!({"slug": "partner", "label": "Partner", "voice": "collective"});
    let perspective = rival.post("/v1/perspectives", voice).await.uri();
    let client = format!("/v1/clients/{}", rival.id);
    for foreign in [assessment, analysis, model, perspective, client] {
        assert_eq!(rival.get(&foreign).await.status, 200, "{foreign}");
        let (list, _) = foreign.rsplit_once('/').expect("a list");
        let malformed = without_ids(&acme.get(&format!("{list}/NOT-an-id")).await);
        assert_eq!(malformed.0, 404);
        for other in [
            foreign.clone(),
            format!("{list}/{}", Uuid::now_v7()),
            format!("{list}/{}", Uuid::nil()),
            format!("{list}/%00"),
            format!("{list}/%FF%FE"),
            format!("{list}/{}", "9".repeat(300)),
        ] {
            assert_eq!(without_ids(&acme.get(&other).await), malformed, "{other}");
        }
    }
}

#[actix_web::test]
async fn an_escaped_letter_of_a_path_is_that_letter() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for path in ["/v1/%6dodels", "/v1/perspectives/service%5fuser", "/v1/assessment%73"] {
        assert_eq!(acme.get(path).await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn a_version_that_is_no_number_is_the_same_404_as_one_that_is_not_there() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let versions = "/v1/models/meaningful-connections/versions";
    let missing = without_ids(&acme.get(&format!("{versions}/2")).await);
    assert_eq!(missing.0, 404);
    for number in ["0", "-1", "+1", "one", "1.0", "99999999999999999999", "%201"] {
        assert_eq!(
            without_ids(&acme.get(&format!("{versions}/{number}")).await),
            missing,
            "{number}"
        );
    }
}

#[actix_web::test]
async fn all_faults_of_a_body_are_told_at_once_each_with_its_pointer() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = assessment("team", "forming", "maturing");
    body["ratings"]["feelings.heard"] = json!({"current": "perfect", "desired": "forming"});
    body["ratings"]["space.safe"] = json!({"current": 3, "desired": "forming", "colour": "red"});
    body["mood"] = json!("good");
    body["perspective"] = json!(7);
    let refused = acme.post("/v1/assessments", body).await;
    assert_problem(&refused, 422, "invalid");
    let faults = refused.faults();
    for fault in [
        "/mood unknown_field",
        "/perspective type",
        "/ratings/feelings.heard/current unknown_value",
        "/ratings/space.safe/colour unknown_field",
        "/ratings/space.safe/current type",
    ] {
        assert!(faults.contains(&fault.to_owned()), "{fault} is not in {faults:#?}");
    }
    assert_eq!(faults.len(), 5, "{faults:#?}");
}

#[actix_web::test]
async fn no_problem_repeats_a_value_that_was_sent() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let secret = "zebra4711";
    let mut rated = assessment("team", "forming", "maturing");
    rated["ratings"]["feelings.heard"] = json!({"current": secret, "desired": {"a": secret}, "note": [secret]});
    rated["respondent_ref"] = json!({"name": secret});
    let mut answers: Vec<Answer> = Vec::new();
    for (uri, body) in [
        ("/v1/assessments", rated),
        ("/v1/assessments", assessment(secret, "forming", "maturing")),
        (
            "/v1/assessments",
            json!({"model": secret, "perspective": "team", "ratings": {}}),
        ),
        ("/v1/models", json!({"slug": format!("{secret}!"), "title": [secret]})),
        (
            "/v1/models",
            json!({"slug": "x", "title": format!("{secret}{}", "x".repeat(300))}),
        ),
        (
            "/v1/models",
            json!({"slug": "x", "derived_from": {"model": secret, "version": 1}}),
        ),
        (
            "/v1/perspectives",
            json!({"slug": "x", "label": format!("{secret}\u{0}"), "voice": secret}),
        ),
        ("/v1/clients", json!({"name": "x", "scopes": [secret]})),
        ("/v1/gap-analyses", json!({"assessments": [secret]})),
        (
            "/v1/gap-analyses",
            json!({"select": {"model": "meaningful-connections", "submitted_from": secret}}),
        ),
    ] {
        answers.push(acme.post(uri, body).await);
        assert_eq!(answers.last().map(|answer| answer.status), Some(422), "{uri}");
    }
    let body = format!("{{\"title\": {secret}}}");
    let json = ("Content-Type", "application/json");
    answers.push(
        acme.send(
            TestRequest::post()
                .uri("/v1/models")
                .insert_header(json)
                .set_payload(body),
        )
        .await,
    );
    answers.push(acme.get(&format!("/v1/assessments?status={secret}")).await);
    answers.push(acme.get(&format!("/v1/models?cursor={secret}")).await);
    answers.push(acme.get(&format!("/v1/assessments/{secret}")).await);
    answers.push(acme.get(&format!("/v1/models/{secret}")).await);
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{}", answer.text());
        assert!(!answer.text().contains(secret), "{}", answer.text());
    }
}

/// A few requests, none of which is right, on every kind of path.
async fn refused(client: &Client) -> Vec<Answer> {
    let accept = ("Accept", "image/tiff");
    let guide = "/v1/models/meaningful-connections/versions/1/guide";
    vec![
        client.get("/v1/nowhere").await,
        client.act("/livez").await,
        client.get("/v1/models?limit=0").await,
        client.post("/v1/models", json!([])).await,
        client.act("/v1/models").await,
        client.send(TestRequest::get().uri(guide).insert_header(accept)).await,
        client
            .send(
                TestRequest::get()
                    .uri("/v1/models")
                    .insert_header(("Authorization", "Basic eA==")),
            )
            .await,
    ]
}

#[actix_web::test]
async fn whatever_was_asked_for_a_refusal_is_a_problem_document() {
    let app = TestApp::new().await;
    let expected = [
        (404, "not_found"),
        (405, "method_not_allowed"),
        (400, "invalid_parameter"),
        (422, "invalid"),
    ];
    let expected = expected
        .into_iter()
        .chain([(415, "unsupported_media_type"), (406, "not_acceptable")]);
    for (answer, (status, code)) in refused(&app.organisation("acme")).await.iter().zip(expected) {
        assert_problem(answer, status, code);
    }
    for answer in refused(&app.nobody()).await.iter().skip(2) {
        assert_problem(answer, 401, "invalid_token");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
}

#[actix_web::test]
async fn a_word_that_stands_where_an_id_could_has_only_its_own_methods() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for (path, allowed) in [
        ("/v1/assessments/validate", "POST"),
        ("/v1/assessments/by-external-id", "PUT"),
        ("/v1/gap-analyses/preview", "POST"),
    ] {
        let answer = acme.get(path).await;
        assert_eq!(
            (answer.status, answer.header("allow").as_str()),
            (405, allowed),
            "{path}"
        );
    }
}
