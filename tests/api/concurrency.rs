//! Revisions: who writes says which one it is for, and of two who write at once, one is told.

use actix_web::test::TestRequest;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, method},
    problems::assert_problem,
};

fn with(method_name: &str, uri: &str, header: Option<(&str, &str)>) -> TestRequest {
    let request = TestRequest::with_uri(uri).method(method(method_name));
    match header {
        Some(header) => request.insert_header(header),
        None => request,
    }
}

fn patch(uri: &str, if_match: Option<&str>, body: &Value) -> TestRequest {
    let request = with("PATCH", uri, if_match.map(|tags| ("If-Match", tags)));
    let request = request.insert_header(("Content-Type", "application/merge-patch+json"));
    request.set_payload(body.to_string())
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

async fn model(client: &Client) -> Answer {
    let made = client
        .post("/v1/models", json!({"slug": "ours", "title": "Ours"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

async fn perspective(client: &Client) -> Answer {
    let body = json!({"slug": "partner", "label": "Partner", "voice": "collective"});
    client.post("/v1/perspectives", body).await
}

#[actix_web::test]
async fn a_write_that_does_not_say_which_revision_it_is_for_is_a_428() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (draft, client) = (
        acme.draft("team", "forming", "maturing").await.uri(),
        format!("/v1/clients/{}", acme.id),
    );
    let (model, perspective) = (model(&acme).await.uri(), perspective(&acme).await.uri());
    for uri in [&draft, &model, &perspective, &"/v1/organisation".to_owned()] {
        assert_problem(
            &acme.send(patch(uri, None, &json!({}))).await,
            428,
            "precondition_required",
        );
    }
    for uri in [draft, format!("{model}/draft"), client] {
        assert_problem(
            &acme.send(with("DELETE", &uri, None)).await,
            428,
            "precondition_required",
        );
    }
}

#[actix_web::test]
async fn a_write_for_another_revision_is_a_412_and_changes_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let first = model(&acme).await;
    let uri = first.uri();
    assert_eq!(
        acme.patch_if(&uri, &first.etag(), json!({"title": "Second"}))
            .await
            .status,
        200
    );
    for tags in [
        first.etag().as_str(),
        "\"3\"",
        "\"0\"",
        "\"\"",
        "2",
        "W/2",
        "\"x\"",
        "\"2",
        "\"1\", \"3\"",
        "\"sha256:2\"",
    ] {
        assert_problem(
            &acme.send(patch(&uri, Some(tags), &json!({"title": "Third"}))).await,
            412,
            "precondition_failed",
        );
    }
    assert_eq!(acme.get(&uri).await.json()["title"], "Second");
}

#[actix_web::test]
async fn a_weak_tag_a_representations_tag_a_list_and_a_star_all_name_the_revision() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = model(&acme).await.uri();
    for form in [
        "{}",
        "W/{}",
        "{-csv}",
        "W/{-markdown}",
        "\"99\", {}",
        "{} , \"99\"",
        "*",
        " * ",
    ] {
        let etag = acme.get(&uri).await.etag();
        let bare = etag.trim_matches('"');
        let tags = form.replace("{}", &etag).replace("{-csv}", &format!("\"{bare}-csv\""));
        let tags = tags.replace("{-markdown}", &format!("\"{bare}-markdown\""));
        let answer = acme.send(patch(&uri, Some(&tags), &json!({"title": tags}))).await;
        assert_eq!(answer.status, 200, "{tags}: {}", answer.text());
        assert_ne!(answer.etag(), etag, "every write raises the revision");
    }
}

#[actix_web::test]
async fn the_etag_of_a_resource_and_of_its_draft_are_one_and_the_answer_to_a_write_has_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let (uri, draft) = (made.uri(), format!("{}/draft", made.uri()));
    assert_eq!(acme.get(&uri).await.etag(), made.etag());
    assert_eq!(acme.get(&draft).await.etag(), made.etag());
    let patched = acme.patch(&uri, json!({"respondent_ref": "r-1"})).await;
    assert_ne!(patched.etag(), made.etag());
    assert_eq!(acme.get(&uri).await.etag(), patched.etag());
    let submitted = acme.act(&format!("{uri}/submit")).await;
    assert_eq!(acme.get(&uri).await.etag(), submitted.etag());
    let amended = acme.act(&format!("{uri}/amend")).await;
    assert_eq!(acme.get(&uri).await.etag(), amended.etag());
    assert_eq!(acme.get(&draft).await.etag(), amended.etag());
}

#[actix_web::test]
async fn an_action_needs_no_revision_but_heeds_one() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let (uri, submit) = (made.uri(), format!("{}/submit", made.uri()));
    let stale = acme.send(with("POST", &submit, Some(("If-Match", "\"99\"")))).await;
    assert_problem(&stale, 412, "precondition_failed");
    assert_eq!(acme.get(&uri).await.json()["status"], "draft");
    let etag = made.etag();
    assert_eq!(
        acme.send(with("POST", &submit, Some(("If-Match", &etag)))).await.status,
        200
    );
    let again = acme.send(with("POST", &submit, Some(("If-Match", &etag)))).await;
    assert_problem(&again, 409, "invalid_transition");
    assert_eq!(acme.act(&format!("{uri}/amend")).await.status, 200);
}

#[actix_web::test]
async fn of_eight_who_write_one_revision_at_once_one_wins_and_the_others_are_told() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let resources = [
        (acme.draft("team", "forming", "maturing").await.uri(), "respondent_ref"),
        (model(&acme).await.uri(), "title"),
        (perspective(&acme).await.uri(), "label"),
        ("/v1/organisation".to_owned(), "name"),
    ];
    for (uri, field) in &resources {
        let etag = acme.get(uri).await.etag();
        let writers = (0..8).map(|number| acme.patch_if(uri, &etag, json!({*field: format!("writer {number}")})));
        let answers = join_all(writers).await;
        assert_eq!(statuses(&answers), [200, 412, 412, 412, 412, 412, 412, 412], "{uri}");
        let winner = answers.iter().find(|answer| answer.status == 200).expect("a winner");
        let stands = acme.get(uri).await;
        assert_eq!(stands.json()[*field], winner.json()[*field]);
        assert_eq!(stands.etag(), winner.etag());
    }
}

#[actix_web::test]
async fn who_submits_and_who_edits_at_once_never_both_win_with_one_revision() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for _ in 0..4 {
        let made = acme.draft("team", "forming", "maturing").await;
        let (uri, etag) = (made.uri(), made.etag());
        let submit = format!("{uri}/submit");
        let submit = acme.send(with("POST", &submit, Some(("If-Match", &etag))));
        let edit = acme.patch_if(&uri, &etag, json!({"respondent_ref": "late"}));
        let (submitted, edited) = futures_util::future::join(submit, edit).await;
        match (submitted.status, edited.status) {
            (200, 409 | 412) => assert_eq!(acme.get(&uri).await.json()["respondent_ref"], Value::Null),
            (412, 200) => assert_eq!(acme.get(&uri).await.json()["status"], "draft"),
            other => panic!("{other:?}"),
        }
    }
}

#[actix_web::test]
async fn of_eight_who_submit_at_once_one_seals_the_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.draft("team", "forming", "maturing").await.uri();
    let submit = format!("{uri}/submit");
    let answers = join_all((0..8).map(|_| acme.act(&submit))).await;
    assert_eq!(statuses(&answers), [200, 409, 409, 409, 409, 409, 409, 409]);
    let versions = acme.get(&format!("{uri}/versions")).await.json();
    assert_eq!(versions["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn of_two_who_replace_a_clients_secret_for_one_revision_one_is_told() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme
        .post("/v1/clients", json!({"name": "crm", "scopes": ["models:read"]}))
        .await;
    let (uri, etag) = (format!("{}/rotate-secret", made.uri()), made.etag());
    let rotate = || {
        let request = with("POST", &uri, Some(("If-Match", &etag)));
        acme.send(request.set_json(json!({"grace_seconds": 60})))
    };
    let answers = join_all((0..4).map(|_| rotate())).await;
    assert_eq!(statuses(&answers), [200, 412, 412, 412]);
}

#[actix_web::test]
async fn what_the_caller_has_already_is_not_sent_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let draft = acme.draft("team", "forming", "maturing").await.uri();
    let model = "/v1/models/meaningful-connections";
    for uri in [
        draft.clone(),
        format!("{draft}/draft"),
        model.to_owned(),
        format!("{model}/versions/1"),
        format!("{model}/versions/1/form?perspective=team"),
        format!("{model}/versions/1/guide"),
        "/v1/perspectives/team".to_owned(),
        "/v1/perspectives/team/versions/1".to_owned(),
        "/v1/organisation".to_owned(),
        format!("/v1/clients/{}", acme.id),
    ] {
        let whole = acme.get(&uri).await;
        let etag = whole.etag();
        assert!(
            etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2,
            "{uri}: {etag}"
        );
        for known in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"x\", {etag}"),
            "*".to_owned(),
        ] {
            let answer = acme.send(with("GET", &uri, Some(("If-None-Match", &known)))).await;
            assert_eq!(answer.status, 304, "{uri} {known}");
            assert!(answer.body.is_empty());
            assert_eq!(answer.etag(), etag);
            assert_eq!(answer.header("cache-control"), whole.header("cache-control"));
            assert_eq!(answer.header("vary"), whole.header("vary"));
        }
        let other = acme.send(with("GET", &uri, Some(("If-None-Match", "\"x\"")))).await;
        assert_eq!((other.status, &other.body), (200, &whole.body), "{uri}");
    }
}

#[actix_web::test]
async fn what_changed_since_is_sent_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    acme.patch(&made.uri(), json!({"respondent_ref": "r-1"})).await;
    let asked = with("GET", &made.uri(), Some(("If-None-Match", &made.etag())));
    let answer = acme.send(asked).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["respondent_ref"], "r-1");
}
