//! Assessments through their life: submitted, amended, withdrawn, restored; their versions never change.

use serde_json::{Value, json};

use crate::{
    app::{TestApp, assessment, keys_of_the_model},
    making::{digest_of, drafted, submit, submitted, withdraw},
};

#[actix_web::test]
async fn submitting_lists_everything_that_is_missing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = assessment("team", "forming", "maturing");
    let ratings = body["ratings"].as_object_mut().expect("ratings");
    ratings.remove("feelings.heard");
    ratings["feelings.safe"] = json!({"desired": "maturing"});
    ratings["space.safe"] = json!({"current": "forming"});
    ratings["tools.time"] = json!({"not_applicable": true});
    ratings["safety.diversity"] = json!({"note": "We shall see."});
    let uri = drafted(&acme, body).await.uri();
    let answer = acme.act(&format!("{uri}/submit")).await;
    assert_eq!((answer.status, answer.code().as_str()), (422, "incomplete"));
    assert_eq!(
        answer.faults(),
        [
            "/ratings/feelings.heard required",
            "/ratings/feelings.safe/current required",
            "/ratings/space.safe/desired required",
            "/ratings/safety.diversity required",
        ]
    );
    assert_eq!(acme.get(&uri).await.json()["status"], "draft");
}

#[actix_web::test]
async fn an_empty_assessment_lacks_every_element() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({"model": "meaningful-connections", "perspective": "team"});
    let uri = drafted(&acme, body).await.uri();
    let answer = acme.act(&format!("{uri}/submit")).await;
    let all: Vec<String> = keys_of_the_model()
        .iter()
        .map(|key| format!("/ratings/{key} required"))
        .collect();
    assert_eq!((answer.code().as_str(), answer.faults()), ("incomplete", all));
}

#[actix_web::test]
async fn submitting_seals_version_1_and_its_digest_can_be_recomputed() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = assessment("service_user", "forming", "maturing");
    body["respondent_ref"] = json!("r-€-1");
    body["external_ids"] = json!([{"system": "crm", "value": "1"}]);
    body["ratings"]["feelings.heard"]["note"] = json!("Ünïcödé \"quoted\"\n\u{1F5E3}");
    let made = drafted(&acme, body).await;
    let sealed = submit(&acme, &made.uri()).await;
    let shown = sealed.json();
    assert_eq!((&shown["status"], &shown["version"]), (&json!("submitted"), &json!(1)));
    assert_eq!(
        (&shown["has_draft"], &shown["sealed_by"]),
        (&json!(false), &json!(acme.id.to_string()))
    );
    assert_eq!(shown["ratings"], made.json()["ratings"]);
    assert_eq!(shown["digest"], digest_of(&shown));
    let found = acme.get(&made.uri()).await;
    assert_eq!((found.json(), found.etag()), (shown.clone(), sealed.etag()));
    let version = acme.get(&format!("{}/versions/1", made.uri())).await;
    assert_eq!(
        version.etag(),
        format!("\"{}\"", shown["digest"].as_str().unwrap_or_default())
    );
    assert_eq!(digest_of(&version.json()), digest_of(&shown));
    assert_eq!(version.header("cache-control"), "private, no-cache");
    assert_eq!(acme.get(&format!("{}/draft", made.uri())).await.status, 404);
}

#[actix_web::test]
async fn what_is_submitted_already_is_not_submitted_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let again = acme.act(&format!("{uri}/submit")).await;
    assert_eq!((again.status, again.code().as_str()), (409, "invalid_transition"));
    let list = acme.get(&format!("{uri}/versions")).await.json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn amending_opens_the_next_draft_while_the_sealed_version_is_still_shown() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let first = acme.get(&uri).await.json();
    let amended = acme.act(&format!("{uri}/amend")).await;
    assert_eq!(amended.status, 200);
    let draft = amended.json();
    assert_eq!((&draft["status"], &draft["based_on"]), (&json!("draft"), &json!(1)));
    assert!(draft.get("version").is_none() && draft.get("digest").is_none());
    let patch = json!({"ratings": {"feelings.heard": {"current": "embedded"}}});
    let patched = acme.patch(&uri, patch).await;
    assert_eq!(patched.json()["ratings"]["feelings.heard"]["current"], "embedded");
    let shown = acme.get(&uri).await;
    assert_eq!(shown.json()["has_draft"], true);
    assert_eq!(
        (&shown.json()["version"], &shown.json()["ratings"]),
        (&json!(1), &first["ratings"])
    );
    let draft = acme.get(&format!("{uri}/draft")).await;
    assert_eq!((draft.json(), draft.etag()), (patched.json(), shown.etag()));
    let twice = acme.act(&format!("{uri}/amend")).await;
    assert_eq!((twice.status, twice.code().as_str()), (409, "invalid_transition"));
}

#[actix_web::test]
async fn the_second_submission_is_version_2_and_version_1_stays_as_it_was() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let first = acme.get(&format!("{uri}/versions/1")).await;
    acme.act(&format!("{uri}/amend")).await;
    acme.patch(
        &uri,
        json!({"ratings": {"feelings.heard": {"current": "embedded", "note": "Now."}}}),
    )
    .await;
    let second = submit(&acme, &uri).await.json();
    assert_eq!((&second["version"], &second["has_draft"]), (&json!(2), &json!(false)));
    assert!(second.get("based_on").is_none());
    let again = acme.get(&format!("{uri}/versions/1")).await;
    assert_eq!((again.body.clone(), again.etag()), (first.body.clone(), first.etag()));
    assert_ne!(second["digest"], first.json()["digest"]);

    let versions = acme.get(&format!("{uri}/versions")).await.json();
    let lines = versions["data"].as_array().expect("versions");
    let line = |version: &Value| json!({"version": version["version"], "digest": version["digest"], "sealed_at": version["sealed_at"], "sealed_by": version["sealed_by"]});
    assert_eq!(lines, &[line(&second), line(&first.json())]);
    let page = acme.get(&format!("{uri}/versions?limit=1")).await.json();
    let cursor = page["next_cursor"].as_str().expect("a second page");
    let rest = acme
        .get(&format!("{uri}/versions?limit=1&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (&page["data"][0], &rest["data"][0]),
        (&line(&second), &line(&first.json()))
    );
    assert_eq!(rest["next_cursor"], Value::Null);
    for gone in ["0", "3", "-1", "+1", "one", "99999999999"] {
        assert_eq!(acme.get(&format!("{uri}/versions/{gone}")).await.status, 404, "{gone}");
    }
}

#[actix_web::test]
async fn two_versions_are_compared_by_what_was_said() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    acme.act(&format!("{uri}/amend")).await;
    acme.patch(&uri, json!({"ratings": {"feelings.heard": {"current": "embedded"}}}))
        .await;
    submit(&acme, &uri).await;
    let diff = acme.get(&format!("{uri}/versions/2/diff?from=1")).await.json();
    let change = json!({"op": "replace", "path": "/ratings/feelings.heard/current", "value": "embedded"});
    assert_eq!(diff, json!({"from": 1, "to": 2, "changes": [change]}));
    let back = acme.get(&format!("{uri}/versions/1/diff?from=2")).await.json();
    assert_eq!(back["changes"][0]["value"], "forming");
    assert_eq!(acme.get(&format!("{uri}/versions/2/diff")).await.status, 400);
    assert_eq!(acme.get(&format!("{uri}/versions/2/diff?from=3")).await.status, 404);
}

#[actix_web::test]
async fn an_amendment_is_discarded_and_a_first_draft_is_not() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let before = acme.get(&uri).await.json();
    acme.act(&format!("{uri}/amend")).await;
    acme.patch(&uri, json!({"ratings": {"feelings.heard": null}})).await;
    let discarded = acme.delete(&format!("{uri}/draft")).await;
    assert_eq!((discarded.status, discarded.text()), (204, String::new()));
    assert_eq!(acme.get(&format!("{uri}/draft")).await.status, 404);
    assert_eq!(acme.get(&uri).await.json(), before);
    let none = acme
        .send(
            actix_web::test::TestRequest::delete()
                .uri(&format!("{uri}/draft"))
                .insert_header(("If-Match", "*")),
        )
        .await;
    assert_eq!((none.status, none.code().as_str()), (409, "not_a_draft"));

    let first = acme.draft("team", "forming", "maturing").await.uri();
    let refused = acme.delete(&format!("{first}/draft")).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "invalid_transition"));
    let unsaid = actix_web::test::TestRequest::delete().uri(&format!("{first}/draft"));
    assert_eq!(acme.send(unsaid).await.status, 428);
}

#[actix_web::test]
async fn a_withdrawn_assessment_is_shown_as_such_and_changes_no_more() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let before = acme.get(&uri).await.json();
    let unsaid = actix_web::test::TestRequest::delete().uri(&uri);
    assert_eq!(acme.send(unsaid).await.status, 428);
    withdraw(&acme, &uri).await;
    let shown = acme.get(&uri).await.json();
    assert_eq!(shown["status"], "withdrawn");
    assert!(shown["withdrawn_at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(shown["ratings"], before["ratings"]);
    for action in ["submit", "amend"] {
        let refused = acme.act(&format!("{uri}/{action}")).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (409, "invalid_transition"),
            "{action}"
        );
    }
    let migrate = acme.post(&format!("{uri}/migrate"), json!({"to_version": 2})).await;
    assert_eq!((migrate.status, migrate.code().as_str()), (409, "invalid_transition"));
    let twice = acme.delete(&uri).await;
    assert_eq!((twice.status, twice.code().as_str()), (409, "invalid_transition"));
}

#[actix_web::test]
async fn a_withdrawn_assessment_is_restored_with_all_it_was() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let (before, version) = (
        acme.get(&uri).await.json(),
        acme.get(&format!("{uri}/versions/1")).await,
    );
    withdraw(&acme, &uri).await;
    let withdrawn = acme.get(&format!("{uri}/versions/1")).await;
    assert_eq!((&withdrawn.body, withdrawn.etag()), (&version.body, version.etag()));
    let restored = acme.act(&format!("{uri}/restore")).await;
    assert_eq!((restored.status, restored.json()), (200, before));
    let after = acme.get(&format!("{uri}/versions/1")).await;
    assert_eq!((&after.body, after.etag()), (&version.body, version.etag()));
    let twice = acme.act(&format!("{uri}/restore")).await;
    assert_eq!((twice.status, twice.code().as_str()), (409, "invalid_transition"));
    // A draft that was withdrawn is a draft again.
    let draft = acme.draft("team", "forming", "maturing").await;
    withdraw(&acme, &draft.uri()).await;
    assert_eq!(acme.get(&draft.uri()).await.json()["status"], "withdrawn");
    assert_eq!(
        acme.act(&format!("{}/restore", draft.uri())).await.json()["status"],
        "draft"
    );
    assert_eq!(submit(&acme, &draft.uri()).await.json()["version"], 1);
}

#[actix_web::test]
async fn an_action_with_a_stale_etag_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let uri = made.uri();
    acme.patch(&uri, json!({"respondent_ref": "r-1"})).await;
    let act = |uri: &str, etag: &str| {
        acme.send(
            actix_web::test::TestRequest::post()
                .uri(uri)
                .insert_header(("If-Match", etag.to_owned())),
        )
    };
    let stale = act(&format!("{uri}/submit"), &made.etag()).await;
    assert_eq!((stale.status, stale.code().as_str()), (412, "precondition_failed"));
    let etag = acme.get(&uri).await.etag();
    assert_eq!(act(&format!("{uri}/submit"), &etag).await.status, 200);
    assert_eq!(act(&format!("{uri}/amend"), &etag).await.status, 412);
    assert_eq!(act(&format!("{uri}/erase"), &etag).await.status, 412);
    assert_eq!(acme.get(&uri).await.json()["has_draft"], false);
}

#[actix_web::test]
async fn what_is_known_already_is_not_sent_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = submitted(&acme, assessment("team", "forming", "maturing")).await;
    for uri in [uri.clone(), format!("{uri}/versions/1")] {
        let etag = acme.get(&uri).await.etag();
        let known = |etag: String| {
            let request = actix_web::test::TestRequest::get().uri(&uri);
            acme.send(request.insert_header(("If-None-Match", etag)))
        };
        let same = known(format!("\"other\", W/{etag}")).await;
        assert_eq!((same.status, same.text(), same.etag()), (304, String::new(), etag));
        assert_eq!(known("\"other\"".to_owned()).await.status, 200);
    }
}
