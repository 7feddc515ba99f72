//! Translations of models: put into a draft, sealed with a version, listed with what they lack. What readers get of them is in
//! `languages.rs`. The words are the tests' own: there is no official translation.

use actix_web::test::TestRequest;
use meaningful_connections::domain::model::{Definition, meaningful_connections};
use serde_json::{Map, Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    making::digest_of,
    problems::assert_problem,
};

pub const DRAFT: &str = "/v1/models/ours/draft";
pub const CY: &str = "/v1/models/ours/draft/translations/cy";

/// Every text of the seed model, marked as being in that language.
pub fn translated(mark: &str) -> Value {
    let seed: Definition = meaningful_connections().expect("the seed");
    let said = |text: &str| json!(format!("{mark} {text}"));
    let themes: Map<String, Value> = seed
        .themes
        .iter()
        .map(|theme| {
            let stem = json!({"individual": said(&theme.stem.individual), "collective": said(&theme.stem.collective)});
            let theme_said = json!({"label": said(&theme.label), "need": said(&theme.need), "stem": stem});
            (theme.key.clone(), theme_said)
        })
        .collect();
    let elements: Map<String, Value> = seed
        .ratables()
        .map(|one| (one.key.to_string(), said(one.label)))
        .collect();
    let levels: Map<String, Value> = seed
        .levels
        .iter()
        .map(|level| (level.key.key().to_owned(), said(&level.label)))
        .collect();
    let guide: Map<String, Value> = seed
        .guide
        .iter()
        .map(|step| {
            (
                step.key.clone(),
                json!({"title": said(&step.title), "text": said(&step.text)}),
            )
        })
        .collect();
    json!({
        "title": said(&seed.title), "levels": levels, "themes": themes, "elements": elements,
        "safety": {"label": said(&seed.safety.label)}, "guide": guide
    })
}

/// A draft of the organisation's own, derived from the seed.
pub async fn draft(client: &Client) {
    let origin = json!({"model": "meaningful-connections", "version": 1});
    let made = client
        .post("/v1/models", json!({"slug": "ours", "derived_from": origin}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
}

/// Puts a translation into what stands: the model's ETag is fetched first.
pub async fn put(client: &Client, language: &str, words: &Value) -> Answer {
    let etag = client.get("/v1/models/ours").await.etag();
    let request = TestRequest::put().uri(&format!("{DRAFT}/translations/{language}"));
    client
        .send(request.insert_header(("If-Match", etag)).set_json(words))
        .await
}

pub async fn publish(client: &Client) {
    let published = client.act("/v1/models/ours/publish").await;
    assert_eq!(published.status, 200, "{}", published.text());
}

#[actix_web::test]
async fn a_complete_translation_is_put_read_replaced_and_deleted() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    let made = put(&acme, "CY", &translated("cy")).await;
    assert_eq!((made.status, made.uri()), (201, CY.to_owned()), "{}", made.text());
    let mut expected = translated("cy");
    expected["language"] = json!("cy");
    expected["complete"] = json!(true);
    assert_eq!(made.json(), expected);
    let got = acme.get(CY).await;
    assert_eq!((got.status, got.json(), got.etag()), (200, expected, made.etag()));
    assert_eq!(acme.get(&format!("{DRAFT}/translations/cY")).await.json(), got.json());
    assert_eq!(acme.get(DRAFT).await.etag(), got.etag(), "the ETag is the model's");

    let replaced = put(&acme, "cy", &json!({"title": "cy only the title"})).await;
    assert_eq!(replaced.status, 200);
    assert_ne!(replaced.etag(), made.etag());
    let shown = replaced.json();
    assert_eq!(
        (&shown["complete"], &shown["title"], &shown["elements"]),
        (&json!(false), &json!("cy only the title"), &Value::Null)
    );
    let missing = shown["missing"].as_array().cloned().unwrap_or_default();
    // 4 levels, 5 themes with label, need and two stems, 34 elements, Safety, 7 steps with title and text.
    assert_eq!(missing.len(), 4 + 5 * 4 + 34 + 1 + 7 * 2);
    assert_eq!(missing[..2], [json!("/levels/early_stages"), json!("/levels/forming")]);
    assert!(missing.contains(&json!("/themes/feelings/stem/collective")));
    assert!(missing.contains(&json!("/elements/safety.risk_of_harm")));

    assert_eq!(acme.delete(CY).await.status, 204);
    assert_problem(&acme.get(CY).await, 404, "not_found");
    assert_eq!(acme.get(DRAFT).await.json()["translations"], Value::Null);
}

#[actix_web::test]
async fn translations_are_listed_by_language_with_what_they_lack() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    let list = format!("{DRAFT}/translations");
    assert_eq!(acme.get(&list).await.json(), json!({"data": [], "next_cursor": null}));
    let mut almost = translated("easy");
    almost["elements"]
        .as_object_mut()
        .expect("elements")
        .remove("tools.time");
    put(&acme, "en-gb-x-EASYREAD", &almost).await;
    put(&acme, "cy", &translated("cy")).await;
    let languages = json!([
        {"language": "cy", "complete": true},
        {"language": "en-GB-x-easyread", "complete": false, "missing": ["/elements/tools.time"]}
    ]);
    let listed = acme.get(&list).await;
    assert_eq!(listed.json(), json!({"data": languages, "next_cursor": null}));
    let model = acme.get(DRAFT).await;
    assert_eq!((&model.json()["languages"], model.etag()), (&languages, listed.etag()));
    assert_eq!(model.json()["translations"]["cy"], translated("cy"));
    // Lists of models leave all of it out.
    let item = acme.get("/v1/models").await.json()["data"][0].clone();
    assert_eq!(
        (&item["slug"], &item["translations"], &item["languages"]),
        (&json!("ours"), &Value::Null, &Value::Null)
    );
}

#[actix_web::test]
async fn every_fault_of_a_translation_is_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    let long = "x".repeat(201);
    let refused = put(
        &acme,
        "cy",
        &json!({
            "title": " ",
            "levels": {"early_stages": "cy", "perfect": "cy"},
            "themes": {"feelings": {"label": "", "colour": "red"}, "envy": {}},
            "elements": {"feelings.heard": "cy\u{7}", "feelings.envied": "cy", "space.safe": long, "safety.nothing": "cy"},
            "guide": {"go_home": {"title": "cy"}},
            "outdated": []
        }),
    )
    .await;
    assert_problem(&refused, 422, "invalid");
    let mut faults = refused.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/elements/feelings.envied unknown_key",
            "/elements/feelings.heard control_character",
            "/elements/safety.nothing unknown_key",
            "/elements/space.safe max_length",
            "/guide/go_home unknown_key",
            "/levels/perfect unknown_key",
            "/outdated unknown_field",
            "/themes/envy unknown_key",
            "/themes/feelings/colour unknown_field",
            "/themes/feelings/label min_length",
            "/title required",
        ]
    );
    assert_problem(&acme.get(CY).await, 404, "not_found");
}

#[actix_web::test]
async fn a_translation_is_put_only_by_who_knows_the_text_that_stands() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    assert_problem(&acme.put(CY, translated("cy")).await, 428, "precondition_required");
    let stale = acme.get(DRAFT).await.etag();
    acme.patch("/v1/models/ours", json!({"title": "Reworded meanwhile"}))
        .await;
    let request = || TestRequest::put().uri(CY).set_json(translated("cy"));
    let refused = acme.send(request().insert_header(("If-Match", stale))).await;
    assert_problem(&refused, 412, "precondition_failed");
    let etag = acme.get(DRAFT).await.etag();
    let keyed = || {
        request()
            .insert_header(("If-Match", etag.clone()))
            .insert_header(("Idempotency-Key", "cy-1"))
    };
    let (first, again) = (acme.send(keyed()).await, acme.send(keyed()).await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(
        (first.text(), first.etag(), first.uri()),
        (again.text(), again.etag(), again.uri())
    );
    let unsaid = acme.send(TestRequest::delete().uri(CY)).await;
    assert_problem(&unsaid, 428, "precondition_required");
    let stale = TestRequest::delete().uri(CY).insert_header(("If-Match", etag));
    assert_problem(&acme.send(stale).await, 412, "precondition_failed");
}

#[actix_web::test]
async fn what_is_no_language_is_not_found_and_english_is_the_models_own() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    for none in ["e", "en_GB", "cymraeg-cymraegxx", "en-x", "1", "en-GB-x-"] {
        assert_problem(&put(&acme, none, &translated("cy")).await, 404, "not_found");
        assert_problem(
            &acme.get(&format!("{DRAFT}/translations/{none}")).await,
            404,
            "not_found",
        );
    }
    assert_problem(&put(&acme, "EN", &translated("cy")).await, 403, "read_only");
    assert_eq!(put(&acme, "en-GB", &translated("gb")).await.status, 201);
    let seed = "/v1/models/meaningful-connections/draft/translations/cy";
    let request = TestRequest::put().uri(seed).insert_header(("If-Match", "*"));
    assert_problem(&acme.send(request.set_json(translated("cy"))).await, 403, "read_only");
    assert_problem(&acme.get(seed).await, 404, "not_found");
}

#[actix_web::test]
async fn a_model_has_at_most_fifty_languages_and_a_mebibyte_of_them() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    let words = json!({"title": "x"});
    for number in 1..=50 {
        assert_eq!(put(&acme, &format!("en-x-l{number}"), &words).await.status, 201);
    }
    let refused = put(&acme, "cy", &words).await;
    assert_eq!((refused.status, refused.faults()), (422, vec![" too_many".to_owned()]));
    assert_eq!(
        put(&acme, "en-x-l50", &words).await.status,
        200,
        "one that is there can be replaced"
    );
    // One fills the 1 MiB up to some bytes; the next does not fit. 275 texts of 4,000 characters are as long.
    let guide: Vec<Value> = (0..200)
        .map(|n| json!({"key": format!("step_{n}"), "title": "x", "text": "x"}))
        .collect();
    assert_eq!(acme.patch("/v1/models/ours", json!({"guide": guide})).await.status, 200);
    let long: Map<String, Value> = (0..200)
        .map(|n| (format!("step_{n}"), json!({"text": "x".repeat(4000)})))
        .collect();
    let long = json!({"guide": long});
    assert_eq!(put(&acme, "en-x-l1", &long).await.status, 200);
    let refused = put(&acme, "en-x-l2", &long).await;
    assert_eq!((refused.status, refused.faults()), (422, vec![" too_large".to_owned()]));
}

#[actix_web::test]
async fn a_published_versions_translations_never_change_and_another_language_is_another_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    put(&acme, "cy", &translated("cy")).await;
    publish(&acme).await;
    let first = "/v1/models/ours/versions/1";
    let before = acme.get(first).await;
    assert_eq!(before.json()["translations"]["cy"], translated("cy"));
    assert_eq!(
        before.json()["languages"],
        json!([{"language": "cy", "complete": true}])
    );
    assert_eq!(
        before.json()["digest"],
        digest_of(&before.json()),
        "translations are sealed, what they lack is derived"
    );
    // Where no draft is open, there is nothing to read or to delete, and putting opens one.
    let drafted = format!("{DRAFT}/translations");
    assert_problem(&acme.get(&drafted).await, 404, "not_found");
    let delete = TestRequest::delete().uri(CY).insert_header(("If-Match", "*"));
    assert_problem(&acme.send(delete).await, 404, "not_found");
    assert_eq!(put(&acme, "fr", &translated("fr")).await.status, 201);
    assert_eq!(acme.get(DRAFT).await.json()["based_on"], 1);
    assert_eq!(put(&acme, "cy", &translated("cymraeg")).await.status, 200);
    publish(&acme).await;

    let after = acme.get(first).await;
    assert_eq!((before.text(), before.etag()), (after.text(), after.etag()));
    let languages = |version: i32| {
        let acme = acme.clone();
        async move {
            let uri = format!("/v1/models/ours/versions/{version}/translations");
            acme.get(&uri).await.json()["data"].clone()
        }
    };
    let complete = |language: &str| json!({"language": language, "complete": true});
    assert_eq!(languages(1).await, json!([complete("cy")]));
    assert_eq!(languages(2).await, json!([complete("cy"), complete("fr")]));
    let one = acme.get(&format!("{first}/translations/CY")).await;
    assert_eq!((one.status, &one.json()["title"]), (200, &translated("cy")["title"]));
    assert_eq!(one.header("cache-control"), "private, max-age=31536000, immutable");
    assert_problem(&acme.get(&format!("{first}/translations/fr")).await, 404, "not_found");
    assert_problem(
        &acme.get("/v1/models/ours/versions/3/translations").await,
        404,
        "not_found",
    );

    let diff = acme.get("/v1/models/ours/versions/2/diff?from=1").await.json();
    assert_eq!(
        diff["translations"],
        json!([{"language": "cy", "change": "reworded"}, {"language": "fr", "change": "added"}])
    );
    let paths: Vec<&str> = diff["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|one| one["path"].as_str())
        .collect();
    assert!(
        paths.contains(&"/translations/fr") && paths.contains(&"/translations/cy/title"),
        "{paths:?}"
    );
    assert!(paths.iter().all(|path| path.starts_with("/translations/")), "{paths:?}");
}

#[actix_web::test]
async fn what_is_reworded_marks_its_translations_until_they_are_put_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    put(&acme, "cy", &translated("cy")).await;
    publish(&acme).await;
    let mut themes = acme.get("/v1/models/ours").await.json()["themes"].clone();
    themes[0]["elements"][0]["label"] = json!("feel heard by everybody");
    let added = json!({"key": "feelings.seen", "label": "feel seen"});
    themes[0]["elements"].as_array_mut().expect("elements").push(added);
    assert_eq!(
        acme.patch("/v1/models/ours", json!({"themes": themes})).await.status,
        200
    );
    let state = json!({
        "language": "cy", "complete": false, "missing": ["/elements/feelings.seen"], "outdated": ["/elements/feelings.heard"]
    });
    assert_eq!(acme.get(DRAFT).await.json()["languages"], json!([state]));
    publish(&acme).await;
    let version = acme.get("/v1/models/ours/versions/2").await.json();
    assert_eq!(version["languages"], json!([state]), "the mark is sealed, too");
    // Derived models bring it along; what they reword themselves is marked besides.
    let derived = acme
        .post(
            "/v1/models",
            json!({"slug": "derived", "derived_from": {"model": "ours", "version": 2}, "title": "Derived"}),
        )
        .await;
    assert_eq!(
        derived.json()["languages"][0]["outdated"],
        json!(["/elements/feelings.heard", "/title"])
    );
    let mut words = translated("cy");
    words["elements"]["feelings.seen"] = json!("cy feel seen");
    let again = put(&acme, "cy", &words).await;
    assert_eq!((again.status, &again.json()["complete"]), (200, &json!(true)));
    assert_eq!(again.json()["outdated"], Value::Null);
}

#[actix_web::test]
async fn what_is_said_of_a_retired_element_stays_in_the_draft_and_is_not_published() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    put(&acme, "cy", &translated("cy")).await;
    let themes = acme.get(DRAFT).await.json()["themes"].clone();
    let mut fewer = themes.clone();
    fewer[0]["elements"].as_array_mut().expect("elements").remove(0);
    let heard = |shown: &Value| shown["translations"]["cy"]["elements"]["feelings.heard"].clone();
    acme.patch("/v1/models/ours", json!({"themes": fewer})).await;
    let shown = acme.get(DRAFT).await.json();
    assert_eq!(
        (heard(&shown), &shown["languages"][0]["complete"]),
        (json!("cy feel heard"), &json!(true))
    );
    let taken = put(&acme, "cy", &translated("cy")).await;
    assert_eq!(taken.faults(), ["/elements/feelings.heard unknown_key"]);
    // It may come back, and then its translation may be of other words.
    acme.patch("/v1/models/ours", json!({"themes": themes})).await;
    let shown = acme.get(DRAFT).await.json();
    assert_eq!(shown["languages"][0]["outdated"], json!(["/elements/feelings.heard"]));
    acme.patch("/v1/models/ours", json!({"themes": fewer})).await;
    publish(&acme).await;
    let shown = acme.get("/v1/models/ours/versions/1").await.json();
    assert_eq!(
        (heard(&shown), &shown["languages"]),
        (Value::Null, &json!([{"language": "cy", "complete": true}]))
    );
}

#[actix_web::test]
async fn a_retired_model_is_not_translated() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    draft(&acme).await;
    publish(&acme).await;
    assert_eq!(acme.act("/v1/models/ours/retire").await.status, 200);
    assert_problem(&put(&acme, "cy", &translated("cy")).await, 409, "invalid_transition");
}
