//! Assessments while they are drafts: created, saved as people type, validated.

use serde_json::{Value, json};

use crate::{
    app::{TestApp, assessment, keys_of_the_model},
    making::{drafted, model, published, republished, submit, withdraw},
};

const MODEL: &str = "meaningful-connections";

#[actix_web::test]
async fn an_assessment_may_be_created_with_as_little_as_a_model_and_a_perspective() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = drafted(&acme, json!({"model": MODEL, "perspective": "team"})).await;
    let shown = made.json();
    assert_eq!(shown["status"], "draft");
    assert_eq!(
        (&shown["model"], &shown["perspective"]),
        (&json!(MODEL), &json!("team"))
    );
    assert_eq!(shown["ratings"], json!({}));
    assert_eq!(shown["has_draft"], true);
    for absent in [
        "version",
        "based_on",
        "digest",
        "sealed_at",
        "respondent_ref",
        "withdrawn_at",
    ] {
        assert!(shown.get(absent).is_none(), "{absent}");
    }
    let found = acme.get(&made.uri()).await;
    assert_eq!((found.json(), found.etag()), (shown.clone(), made.etag()));
    let draft = acme.get(&format!("{}/draft", made.uri())).await;
    assert_eq!((draft.json(), draft.etag()), (shown, made.etag()));
}

#[actix_web::test]
async fn everything_said_at_creation_is_kept_as_it_was_said() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = json!({
        "model": MODEL, "model_version": 1, "perspective": "service_user", "respondent_ref": "respondent-17",
        "research_consent": false,
        "external_ids": [{"system": "https://crm.example.org", "value": "case-4711"}],
        "ratings": {
            "feelings.heard": {"current": "early_stages", "desired": "maturing", "note": "I had to say it twice. 🗣\nTwice!"},
            "feelings.safe": {"current": "forming"},
            "space.safe": {"desired": "embedded"},
            "space.caring": {"note": "Later."},
            "tools.time": {"not_applicable": true, "reason": "We meet in person.", "note": "Still."},
        },
    });
    let found = acme.get(&drafted(&acme, body.clone()).await.uri()).await.json();
    for (name, said) in body.as_object_mut().expect("an object") {
        assert_eq!(&found[name], said, "{name}");
    }
}

#[actix_web::test]
async fn the_newest_published_version_of_the_model_is_the_default() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", &[("care.safe", "safe")])).await;
    let body = json!({"model": "ours", "perspective": "team"});
    assert_eq!(drafted(&acme, body.clone()).await.json()["model_version"], 1);
    let elements = [json!({"key": "care.safe", "label": "safe and sound", "strand": "safety"})];
    republished(&acme, "ours", &elements).await;
    assert_eq!(drafted(&acme, body.clone()).await.json()["model_version"], 2);
    let older = json!({"model": "ours", "model_version": 1, "perspective": "team"});
    assert_eq!(drafted(&acme, older).await.json()["model_version"], 1);
}

#[actix_web::test]
async fn what_a_new_assessment_refers_to_must_be_there() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    published(&rival, model("theirs", &[("care.safe", "safe")])).await;
    let unknown = |body: Value| acme.post("/v1/assessments", body);
    for (body, expected) in [
        (
            json!({"model": "nobodys", "perspective": "nobody"}),
            vec!["/model unknown_reference", "/perspective unknown_reference"],
        ),
        (
            json!({"model": "theirs", "perspective": "team"}),
            vec!["/model unknown_reference"],
        ),
        (
            json!({"model": MODEL, "model_version": 9, "perspective": "nobody"}),
            vec!["/model_version unknown_reference", "/perspective unknown_reference"],
        ),
    ] {
        let answer = unknown(body).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "unknown_reference"));
        let mut faults = answer.faults();
        faults.sort();
        assert_eq!(faults, expected);
    }
    // Neither are another organisation's perspectives.
    let partner = json!({"slug": "partner", "label": "Partner", "voice": "collective"});
    assert_eq!(rival.post("/v1/perspectives", partner.clone()).await.status, 201);
    let from_partner = json!({"model": MODEL, "perspective": "partner"});
    assert_eq!(
        unknown(from_partner.clone()).await.faults(),
        ["/perspective unknown_reference"]
    );
    assert_eq!(acme.post("/v1/perspectives", partner).await.status, 201);
    assert_eq!(unknown(from_partner).await.json()["perspective_version"], 1);
    // A model that was never published is not there to be rated.
    let draft = acme
        .post("/v1/models", model("unpublished", &[("care.safe", "safe")]))
        .await;
    assert_eq!(draft.status, 201, "{}", draft.text());
    let answer = unknown(json!({"model": "unpublished", "perspective": "team"})).await;
    assert_eq!(
        (answer.status, answer.faults()),
        (422, vec!["/model unknown_reference".to_owned()])
    );
}

#[actix_web::test]
async fn all_that_is_wrong_with_a_body_is_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({
        "model": MODEL, "perspective": "team", "colour": "red", "respondent_ref": "x".repeat(201),
        "ratings": {
            "feelings.heard": {"current": "superb", "mood": 1},
            "feelings.nowhere": {"current": "forming"},
            "Not a key": {"current": "forming"},
            "tools.time": {"not_applicable": true, "current": "forming"},
            "space.safe": {"note": "n".repeat(4001)},
            "skills.safety": {"current": 3},
        },
        "external_ids": [{"system": "a|b", "value": ""}],
    });
    let answer = acme.post("/v1/assessments", body).await;
    assert_eq!((answer.status, answer.code().as_str()), (422, "invalid"));
    let mut faults = answer.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/colour unknown_field",
            "/external_ids/0/system pattern",
            "/external_ids/0/value min_length",
            "/ratings/Not a key unknown_element",
            "/ratings/feelings.heard/current unknown_value",
            "/ratings/feelings.heard/mood unknown_field",
            "/ratings/feelings.nowhere unknown_element",
            "/ratings/skills.safety/current type",
            "/ratings/space.safe/note max_length",
            "/ratings/tools.time/not_applicable not_applicable_with_level",
            "/respondent_ref max_length",
        ]
    );
    assert!(!answer.text().contains("superb"), "a fault never repeats what was sent");
}

#[actix_web::test]
async fn a_note_has_at_most_4000_characters_of_any_script() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let with_note =
        |note: String| json!({"model": MODEL, "perspective": "team", "ratings": {"feelings.heard": {"note": note}}});
    let made = drafted(&acme, with_note("ж".repeat(4000))).await;
    let too_long = json!({"ratings": {"feelings.heard": {"note": "ж".repeat(4001)}}});
    let patched = acme.patch(&made.uri(), too_long).await;
    assert_eq!(
        (patched.status, patched.faults()),
        (422, vec!["/ratings/feelings.heard/note max_length".to_owned()])
    );
    let control = acme.post("/v1/assessments", with_note("a\u{0}b".to_owned())).await;
    assert_eq!(control.faults(), ["/ratings/feelings.heard/note control_character"]);
}

#[actix_web::test]
async fn an_element_is_rated_or_does_not_apply_and_a_patch_toggles_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let rated = json!({"model": MODEL, "perspective": "team", "ratings": {"tools.time": {"current": "forming", "desired": "embedded"}}});
    let uri = drafted(&acme, rated).await.uri();
    let half = acme
        .patch(&uri, json!({"ratings": {"tools.time": {"not_applicable": true}}}))
        .await;
    assert_eq!(
        (half.status, half.faults()),
        (
            422,
            vec!["/ratings/tools.time/not_applicable not_applicable_with_level".to_owned()]
        )
    );
    let whole = json!({"ratings": {"tools.time": {"not_applicable": true, "current": null, "desired": null, "reason": "No tools."}}});
    let toggled = acme.patch(&uri, whole).await;
    assert_eq!(
        toggled.json()["ratings"]["tools.time"],
        json!({"not_applicable": true, "reason": "No tools."})
    );
    let back = json!({"ratings": {"tools.time": {"not_applicable": false, "current": "forming"}}});
    let refused = acme.patch(&uri, back).await;
    assert_eq!(
        refused.faults(),
        ["/ratings/tools.time/reason reason_without_not_applicable"]
    );
    let back = json!({"ratings": {"tools.time": {"not_applicable": null, "reason": null, "current": "forming"}}});
    let rated = acme.patch(&uri, back).await;
    assert_eq!(rated.json()["ratings"], json!({"tools.time": {"current": "forming"}}));
}

#[actix_web::test]
async fn one_rating_is_saved_alone_and_the_others_stay() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let patch = json!({"ratings": {"feelings.heard": {"current": "embedded"}}});
    let patched = acme.patch_if(&made.uri(), &made.etag(), patch).await;
    assert_eq!(patched.status, 200);
    assert_ne!(patched.etag(), made.etag());
    let mut expected = made.json()["ratings"].clone();
    expected["feelings.heard"]["current"] = json!("embedded");
    let found = acme.get(&made.uri()).await;
    assert_eq!(
        (found.json()["ratings"].clone(), found.etag()),
        (expected, patched.etag())
    );
}

#[actix_web::test]
async fn null_takes_a_note_or_a_whole_rating_away() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let rated = json!({
        "model": MODEL, "perspective": "team", "respondent_ref": "r-1", "research_consent": true,
        "ratings": {"tools.time": {"current": "forming", "note": "Hm."}, "feelings.heard": {"desired": "maturing"}},
    });
    let uri = drafted(&acme, rated).await.uri();
    let patch = json!({"respondent_ref": null, "research_consent": null, "ratings": {"tools.time": {"note": null}, "feelings.heard": null}});
    assert_eq!(acme.patch(&uri, patch).await.status, 200);
    let found = acme.get(&uri).await.json();
    assert_eq!(found["ratings"], json!({"tools.time": {"current": "forming"}}));
    assert!(found.get("respondent_ref").is_none() && found.get("research_consent").is_none());
}

#[actix_web::test]
async fn a_rating_that_says_nothing_is_no_rating_whoever_is_asked() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({"model": MODEL, "perspective": "team", "ratings": {"feelings.heard": {}, "tools.time": {"note": "Hm."}}});
    let made = drafted(&acme, body).await;
    assert_eq!(made.json()["ratings"], json!({"tools.time": {"note": "Hm."}}));
    assert_eq!(acme.get(&made.uri()).await.json(), made.json());
    let patch = json!({"ratings": {"space.safe": {}, "tools.time": {"note": null}}});
    let patched = acme.patch(&made.uri(), patch).await;
    assert_eq!(patched.json()["ratings"], json!({}));
    assert_eq!(acme.get(&made.uri()).await.json(), patched.json());
}

#[actix_web::test]
async fn what_an_assessment_rates_and_from_where_never_changes() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let patch = json!({"model": "ours", "model_version": 2, "perspective": "organisation", "status": "submitted", "ratings": {"feelings.heard": {"mood": 1}}});
    let answer = acme.patch(&made.uri(), patch).await;
    assert_eq!(answer.status, 422);
    let mut faults = answer.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/model unknown_field",
            "/model_version unknown_field",
            "/perspective unknown_field",
            "/ratings/feelings.heard/mood unknown_field",
            "/status unknown_field",
        ]
    );
    assert_eq!(acme.get(&made.uri()).await.json(), made.json());
}

#[actix_web::test]
async fn only_a_draft_is_patched_and_only_by_who_has_seen_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let patch = json!({"respondent_ref": "r-2"});
    let unsaid = actix_web::test::TestRequest::patch()
        .uri(&made.uri())
        .insert_header(("Content-Type", "application/merge-patch+json"))
        .set_payload(patch.to_string());
    assert_eq!(acme.send(unsaid).await.status, 428);
    assert_eq!(acme.patch_if(&made.uri(), "\"99\"", patch.clone()).await.status, 412);
    assert_eq!(acme.patch_if(&made.uri(), "W/\"1\"", patch.clone()).await.status, 200);
    submit(&acme, &made.uri()).await;
    let sealed = acme.patch(&made.uri(), patch.clone()).await;
    assert_eq!((sealed.status, sealed.code().as_str()), (409, "not_a_draft"));
    withdraw(&acme, &made.uri()).await;
    let withdrawn = acme.patch(&made.uri(), patch).await;
    assert_eq!(
        (withdrawn.status, withdrawn.code().as_str()),
        (409, "invalid_transition")
    );
}

#[actix_web::test]
async fn a_patch_names_every_fault_of_the_result() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let patch = json!({"ratings": {"feelings.nowhere": {"current": "forming"}, "feelings.heard": {"not_applicable": true}, "space.safe": {"current": "superb"}}});
    let answer = acme.patch(&made.uri(), patch).await;
    let mut faults = answer.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/ratings/feelings.heard/not_applicable not_applicable_with_level",
            "/ratings/feelings.nowhere unknown_element",
            "/ratings/space.safe/current unknown_value",
        ]
    );
}

#[actix_web::test]
async fn validating_says_what_is_missing_and_what_is_wrong_and_stores_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let validate = |body: Value| acme.post("/v1/assessments/validate", body);
    let complete = validate(assessment("team", "forming", "maturing")).await;
    assert_eq!(
        (complete.status, complete.json()),
        (200, json!({"valid": true, "errors": []}))
    );
    let partial = json!({"model": MODEL, "perspective": "team", "ratings": {
        "feelings.heard": {"current": "forming"}, "tools.time": {"not_applicable": true}, "space.nowhere": {"current": "forming"},
    }});
    let answer = validate(partial).await;
    assert_eq!((answer.status, &answer.json()["valid"]), (200, &json!(false)));
    let mut expected: Vec<String> = keys_of_the_model()
        .into_iter()
        .filter(|key| key != "tools.time")
        .map(|key| match key.as_str() {
            "feelings.heard" => "/ratings/feelings.heard/desired required".to_owned(),
            key => format!("/ratings/{key} required"),
        })
        .chain(["/ratings/space.nowhere unknown_element".to_owned()])
        .collect();
    expected.sort();
    let mut faults = answer.faults();
    faults.sort();
    assert_eq!(faults, expected);
    let wrong = validate(json!({"model": "nobodys", "perspective": 5})).await;
    assert_eq!(wrong.status, 200);
    assert!(
        wrong.faults().contains(&"/perspective type".to_owned()),
        "{}",
        wrong.text()
    );
    assert_eq!(acme.get("/v1/assessments").await.json()["data"], json!([]));
}

#[actix_web::test]
async fn a_retired_model_takes_no_new_assessments_but_open_drafts_are_submitted() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", &[("care.safe", "safe")])).await;
    let body = json!({"model": "ours", "perspective": "team", "ratings": {"care.safe": {"current": "forming", "desired": "maturing"}}});
    let open = drafted(&acme, body.clone()).await.uri();
    assert_eq!(acme.act("/v1/models/ours/retire").await.status, 200);
    let refused = acme.post("/v1/assessments", body.clone()).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "model_retired"));
    let upsert = acme
        .put("/v1/assessments/by-external-id?system=crm&value=1", body)
        .await;
    assert_eq!((upsert.status, upsert.code().as_str()), (409, "model_retired"));
    assert_eq!(submit(&acme, &open).await.json()["version"], 1);
    assert_eq!(acme.act(&format!("{open}/amend")).await.status, 200);
    assert_eq!(submit(&acme, &open).await.json()["version"], 2);
}
