//! Models: the seed as the slides have it, and an organisation's own from the first draft to retirement.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    making::digest_of,
    problems::assert_problem,
};

const SEED: &str = "/v1/models/meaningful-connections";
const OURS: &str = "/v1/models/ours";

/// A draft derived from the seed.
async fn derived(client: &Client) -> Answer {
    let origin = json!({"model": "meaningful-connections", "version": 1});
    let made = client
        .post(
            "/v1/models",
            json!({"slug": "ours", "derived_from": origin, "title": "Ours"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

async fn published(client: &Client) -> Answer {
    derived(client).await;
    publish(client).await
}

async fn publish(client: &Client) -> Answer {
    let published = client.act(&format!("{OURS}/publish")).await;
    assert_eq!(published.status, 200, "{}", published.text());
    published
}

/// A theme: its key, label and need, its stem in both voices, its elements as `key: label`.
type OnTheSlides = (
    &'static str,
    &'static str,
    &'static str,
    [&'static str; 2],
    [&'static str; 5],
);

#[actix_web::test]
async fn the_seed_says_what_the_slides_say() {
    let app = TestApp::new().await;
    let model = app.organisation("acme").get(SEED).await.json();
    let labels = ["Early stages", "Forming", "Maturing", "Embedded"];
    let levels = ["early_stages", "forming", "maturing", "embedded"];
    let expected: Vec<Value> = (1..)
        .zip(levels.iter().zip(labels))
        .map(|(value, (key, label))| json!({"key": key, "value": value, "label": label}))
        .collect();
    assert_eq!(model["levels"], json!(expected));
    let themes: [OnTheSlides; 5] = [
        (
            "feelings",
            "Feelings",
            "To have a sense of belonging",
            ["I need to", "We need to"],
            [
                "heard: feel heard",
                "listened_to: feel listened to",
                "supported: feel supported",
                "understood: feel understood",
                "safe: safe",
            ],
        ),
        (
            "space",
            "Space",
            "To know I am in the right place",
            ["The space needs to be", "The space needs to be"],
            [
                "accessible: accessible",
                "reassuring: reassuring",
                "comfortable: comfortable",
                "caring: caring",
                "safe: safe",
            ],
        ),
        (
            "tools",
            "Tools",
            "To be comfortable with digital tools",
            ["I need to invest in", "We need to invest in"],
            [
                "time: time",
                "training_and_practice: training and practice",
                "building_confidence: building confidence",
                "right_tools: the right tools",
                "safety: safety",
            ],
        ),
        (
            "skills",
            "Skills",
            "To cultivate trust in communications",
            ["I need to respect", "We need to respect"],
            [
                "diverse_learning_styles: diverse learning styles",
                "professional_boundaries: professional boundaries",
                "being_adaptable: being adaptable",
                "being_fully_present: being fully present",
                "safety: safety",
            ],
        ),
        (
            "relationship",
            "Relationship",
            "To offer hope and to surface choices",
            ["Our connection needs to be", "Our connection needs to be"],
            [
                "motivating: motivating",
                "genuine: genuine",
                "focused: focused",
                "realistic: realistic",
                "safe: safe",
            ],
        ),
    ];
    assert_eq!(model["themes"].as_array().map(Vec::len), Some(5));
    for (theme, (key, label, need, [individual, collective], elements)) in
        model["themes"].as_array().into_iter().flatten().zip(themes)
    {
        assert_eq!([&theme["key"], &theme["label"], &theme["need"]], [key, label, need]);
        assert_eq!(
            theme["stem"],
            json!({"individual": individual, "collective": collective})
        );
        let expected: Vec<Value> = elements
            .iter()
            .map(|element| {
                let (name, label) = element.split_once(": ").unwrap_or_default();
                let mut element = json!({"key": format!("{key}.{name}"), "label": label});
                if ["safe", "safety"].contains(&name) {
                    element["strand"] = json!("safety");
                }
                element
            })
            .collect();
        assert_eq!(theme["elements"], json!(expected));
    }
}

#[actix_web::test]
async fn the_seed_has_nine_considerations_of_safety_a_guide_an_attribution_and_no_licence() {
    let app = TestApp::new().await;
    let model = app.organisation("acme").get(SEED).await.json();
    let considerations: Vec<&str> = model["safety"]["considerations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| c["key"].as_str())
        .collect();
    assert_eq!(
        considerations,
        [
            "safety.risk_of_harm",
            "safety.security_measures",
            "safety.operations",
            "safety.therapeutic_risk",
            "safety.equal_access",
            "safety.diversity",
            "safety.safeguarding",
            "safety.confidentiality",
            "safety.environment",
        ]
    );
    assert_eq!(model["safety"]["label"], "Safety");
    let attribution = model["attribution"].as_str().unwrap_or_default();
    for name in ["Nel Mathams", "Jane Salazar", "March 2021", "CoCreate", "CAST"] {
        assert!(attribution.contains(name), "{attribution}");
    }
    assert!(model["copyright"].as_str().unwrap_or_default().contains("no licence"));
    let everything = model.to_string();
    for invented in ["Creative Commons", "CC BY", "CC-BY", "MIT", "Apache"] {
        assert!(!everything.contains(invented), "{invented}");
    }
    assert_eq!(model["guide"].as_array().map(Vec::len), Some(7));
    assert_eq!(
        [&model["status"], &model["slug"]],
        ["published", "meaningful-connections"]
    );
    assert_eq!((&model["version"], &model["has_draft"]), (&json!(1), &json!(false)));
}

#[actix_web::test]
async fn the_digest_is_what_anybody_works_out_from_the_json() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let own = published(&acme).await;
    assert_eq!(own.json()["digest"], digest_of(&own.json()));
    for uri in [SEED, OURS] {
        let (newest, version) = (acme.get(uri).await.json(), acme.get(&format!("{uri}/versions/1")).await);
        assert_eq!(newest["digest"], digest_of(&newest), "{uri}");
        assert_eq!(version.json()["digest"], digest_of(&version.json()), "{uri}/versions/1");
        assert_eq!(newest["digest"], version.json()["digest"]);
        assert_eq!(
            version.etag(),
            format!("\"{}\"", version.json()["digest"].as_str().unwrap_or_default())
        );
        let listed = acme.get(&format!("{uri}/versions")).await.json();
        assert_eq!(listed["data"][0]["digest"], newest["digest"]);
    }
    let by_id = format!(
        "/v1/models/{}",
        acme.get(SEED).await.json()["id"].as_str().unwrap_or_default()
    );
    assert_eq!(acme.get(&by_id).await.body, acme.get(SEED).await.body);
    assert_ne!(acme.get(SEED).await.json()["digest"], own.json()["digest"]);
}

#[actix_web::test]
async fn a_newest_version_keeps_its_digest_while_a_draft_is_open_or_the_model_is_retired() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let sealed = published(&acme).await.json()["digest"].clone();
    acme.patch(OURS, json!({"title": "Draft"})).await;
    let amended = acme.get(OURS).await.json();
    assert_eq!(
        (&amended["digest"], &amended["has_draft"], digest_of(&amended)),
        (&sealed, &json!(true), digest_of(&amended))
    );
    assert_eq!(json!(digest_of(&amended)), sealed);
    acme.act(&format!("{OURS}/retire")).await;
    let versioned = acme.get(&format!("{OURS}/versions/1")).await.json();
    assert_eq!(json!(digest_of(&versioned)), sealed);
    assert_eq!(versioned["digest"], sealed);
}

#[actix_web::test]
async fn a_model_is_made_from_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.post("/v1/models", json!({"slug": "ours", "title": "Ours"})).await;
    assert_eq!((made.status, made.uri().as_str()), (201, OURS));
    let draft = made.json();
    assert_eq!((&draft["status"], &draft["themes"]), (&json!("draft"), &json!([])));
    assert_eq!(draft["levels"].as_array().map(Vec::len), Some(4));
    for absent in [
        "version",
        "based_on",
        "lineage",
        "digest",
        "sealed_at",
        "sealed_by",
        "copyright",
    ] {
        assert!(draft.get(absent).is_none(), "{absent}");
    }
    let theme = json!({
        "key": "trust", "label": "Trust", "need": "To rely on each other",
        "stem": {"individual": "I can", "collective": "We can"},
        "elements": [{"key": "trust.ask", "label": "ask"}, {"key": "trust.safe", "label": "feel safe", "strand": "safety"}]
    });
    let patched = acme
        .patch(OURS, json!({"themes": [theme], "attribution": "Acme"}))
        .await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    let sealed = publish(&acme).await.json();
    assert_eq!((&sealed["version"], &sealed["themes"][0]), (&json!(1), &theme));
    assert_eq!(
        [&sealed["status"], &sealed["sealed_by"]],
        ["published", acme.id.to_string().as_str()]
    );
    let ratings = json!({"trust.ask": {"current": "forming", "desired": "maturing"}});
    let draft = acme
        .post(
            "/v1/assessments",
            json!({"model": "ours", "perspective": "team", "ratings": ratings}),
        )
        .await;
    assert_eq!(draft.status, 201, "{}", draft.text());
}

#[actix_web::test]
async fn a_derived_model_says_what_its_origin_says_and_keeps_its_lineage() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (seed, draft) = (acme.get(SEED).await.json(), derived(&acme).await.json());
    for member in ["levels", "themes", "safety", "guide", "attribution", "copyright"] {
        assert_eq!(draft[member], seed[member], "{member}");
    }
    assert_eq!(draft["title"], "Ours");
    let lineage = json!({"model": "meaningful-connections", "version": 1});
    assert_eq!(draft["lineage"], lineage);
    acme.patch(OURS, json!({"title": "Reworded"})).await;
    assert_eq!(publish(&acme).await.json()["lineage"], lineage);
    let forged = acme
        .patch(OURS, json!({"lineage": {"model": "other", "version": 1}}))
        .await;
    assert_eq!(forged.faults(), ["/lineage unknown_field"]);
}

#[actix_web::test]
async fn a_model_is_derived_only_from_what_its_author_can_see() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    published(&rival).await;
    for (model, version, pointer) in [
        ("ours", 1, "/derived_from/model"),
        ("nothing", 1, "/derived_from/model"),
        ("meaningful-connections", 2, "/derived_from/version"),
    ] {
        let origin = json!({"model": model, "version": version});
        let refused = acme
            .post("/v1/models", json!({"slug": "new", "derived_from": origin}))
            .await;
        assert_problem(&refused, 422, "unknown_reference");
        assert_eq!(refused.faults(), [format!("{pointer} unknown_reference")]);
    }
    let fruitless = json!({"slug": "new", "derived_from": {"model": "meaningful-connections", "version": 0}});
    assert_eq!(
        acme.post("/v1/models", fruitless).await.faults(),
        ["/derived_from/version minimum"]
    );
}

#[actix_web::test]
async fn a_patch_replaces_lists_and_merges_objects() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let before = derived(&acme).await.json();
    let patched = acme
        .patch(OURS, json!({"safety": {"label": "Safeguards"}, "copyright": null}))
        .await
        .json();
    assert_eq!(patched["safety"]["label"], "Safeguards");
    assert_eq!(patched["safety"]["considerations"], before["safety"]["considerations"]);
    assert!(patched.get("copyright").is_none());
    let patched = acme.patch(OURS, json!({"guide": []})).await.json();
    assert_eq!((&patched["guide"], &patched["themes"]), (&json!([]), &before["themes"]));
    let refused = acme
        .patch(
            OURS,
            json!({"title": null, "slug": "other", "safety": {"considerations": null}}),
        )
        .await;
    assert_problem(&refused, 422, "invalid");
    let mut faults = refused.faults();
    faults.sort();
    assert_eq!(
        faults,
        ["/safety/considerations type", "/slug unknown_field", "/title type"]
    );
    assert_eq!(acme.get(OURS).await.json()["title"], "Ours");
}

#[actix_web::test]
async fn editing_a_published_model_opens_the_next_draft_and_leaves_the_version_alone() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme).await;
    let first = acme.get(&format!("{OURS}/versions/1")).await;
    let draft = acme.patch(OURS, json!({"title": "Second"})).await;
    assert_eq!(
        (draft.status, &draft.json()["status"], &draft.json()["based_on"]),
        (200, &json!("draft"), &json!(1))
    );
    assert!(draft.json().get("version").is_none());
    let newest = acme.get(OURS).await.json();
    assert_eq!(
        [&newest["version"], &newest["has_draft"], &newest["title"]],
        [&json!(1), &json!(true), &json!("Ours")]
    );
    let open = acme.get(&format!("{OURS}/draft")).await;
    assert_eq!((&open.body, open.etag()), (&draft.body, draft.etag()));
    let second = publish(&acme).await.json();
    assert_eq!(
        [&second["version"], &second["has_draft"], &second["title"]],
        [&json!(2), &json!(false), &json!("Second")]
    );
    assert_eq!(acme.get(&format!("{OURS}/versions/1")).await.body, first.body);
    assert_problem(&acme.get(&format!("{OURS}/draft")).await, 404, "not_found");
}

#[actix_web::test]
async fn discarding_a_draft_leaves_what_was_published() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme).await;
    let draft = format!("{OURS}/draft");
    let without = acme
        .send(TestRequest::delete().uri(&draft).insert_header(("If-Match", "*")))
        .await;
    assert_problem(&without, 409, "not_a_draft");
    acme.patch(OURS, json!({"title": "Never"})).await;
    assert_eq!(acme.delete(&draft).await.status, 204);
    let left = acme.get(OURS).await.json();
    assert_eq!(
        [&left["version"], &left["has_draft"], &left["title"]],
        [&json!(1), &json!(false), &json!("Ours")]
    );
}

#[actix_web::test]
async fn a_model_that_was_never_published_goes_with_its_draft_and_its_slug_is_free_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    derived(&acme).await;
    assert_eq!(acme.delete(&format!("{OURS}/draft")).await.status, 204);
    assert_problem(&acme.get(OURS).await, 404, "not_found");
    derived(&acme).await;
}

#[actix_web::test]
async fn publishing_twice_needs_a_draft_in_between() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme).await;
    assert_problem(&acme.act(&format!("{OURS}/publish")).await, 409, "invalid_transition");
}

#[actix_web::test]
async fn a_retired_model_takes_no_new_assessments_but_open_drafts_are_submitted() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme).await;
    let mut body = assessment("team", "forming", "maturing");
    body["model"] = json!("ours");
    let open = acme.post("/v1/assessments", body.clone()).await;
    let retired = acme.act(&format!("{OURS}/retire")).await;
    assert_eq!((retired.status, &retired.json()["status"]), (200, &json!("retired")));
    assert_eq!(acme.get(OURS).await.json()["status"], "retired");
    assert_problem(&acme.post("/v1/assessments", body).await, 409, "model_retired");
    let submitted = acme.act(&format!("{}/submit", open.uri())).await;
    assert_eq!(submitted.status, 200, "{}", submitted.text());
    assert_problem(&acme.act(&format!("{OURS}/retire")).await, 409, "invalid_transition");
    assert_eq!(acme.get(&format!("{OURS}/versions/1")).await.status, 200);
}

#[actix_web::test]
async fn a_model_that_was_never_published_is_not_retired_and_takes_no_assessments() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    derived(&acme).await;
    assert_problem(&acme.act(&format!("{OURS}/retire")).await, 409, "invalid_transition");
    let mut body = assessment("team", "forming", "maturing");
    body["model"] = json!("ours");
    let refused = acme.post("/v1/assessments", body).await;
    assert_problem(&refused, 422, "unknown_reference");
    assert_eq!(refused.faults(), ["/model unknown_reference"]);
    assert_problem(&acme.get(&format!("{OURS}/versions/1")).await, 404, "not_found");
}

#[actix_web::test]
async fn a_slug_is_taken_once_in_an_organisation_and_never_from_a_public_model() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    derived(&acme).await;
    for slug in ["ours", "meaningful-connections"] {
        let refused = acme.post("/v1/models", json!({"slug": slug, "title": "Again"})).await;
        assert_problem(&refused, 409, "slug_taken");
    }
    derived(&rival).await;
    for slug in ["", "Ours", "9lives", "a b", "ä", &"a".repeat(64), "../x"] {
        let refused = acme.post("/v1/models", json!({"slug": slug, "title": "Odd"})).await;
        assert_eq!(refused.status, 422, "{slug}");
        assert!(refused.faults().contains(&"/slug pattern".to_owned()), "{slug}");
    }
}

#[actix_web::test]
async fn a_slug_that_looks_like_an_id_is_refused_because_nothing_would_be_found_by_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let slug = "a1890a5d-ac96-774b-bcce-b302099a8057";
    for (list, body) in [
        ("/v1/models", json!({"slug": slug, "title": "Odd"})),
        (
            "/v1/perspectives",
            json!({"slug": slug, "label": "Odd", "voice": "collective"}),
        ),
    ] {
        let refused = acme.post(list, body).await;
        assert_problem(&refused, 422, "invalid");
        assert!(
            refused.faults().iter().all(|fault| fault.starts_with("/slug ")),
            "{:?}",
            refused.faults()
        );
    }
}

#[actix_web::test]
async fn a_public_model_is_read_by_everybody_and_changed_by_nobody() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let before = acme.get(SEED).await;
    assert_problem(
        &acme.patch_if(SEED, "*", json!({"title": "Mine"})).await,
        403,
        "read_only",
    );
    assert_problem(&acme.act(&format!("{SEED}/publish")).await, 403, "read_only");
    assert_problem(&acme.act(&format!("{SEED}/retire")).await, 403, "read_only");
    let discard = TestRequest::delete()
        .uri(&format!("{SEED}/draft"))
        .insert_header(("If-Match", "*"));
    assert_problem(&acme.send(discard).await, 403, "read_only");
    assert_problem(&acme.get(&format!("{SEED}/draft")).await, 404, "not_found");
    assert_eq!(acme.get(SEED).await.body, before.body);
}

#[actix_web::test]
async fn another_organisation_finds_nothing_of_a_model_published_or_not() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let id = published(&acme).await.json()["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for uri in [OURS.to_owned(), format!("/v1/models/{id}")] {
        // Asked first by its owner, so that nothing is answered from memory to somebody else.
        for part in [
            "",
            "/versions",
            "/versions/1",
            "/versions/1/form?perspective=team",
            "/versions/1/guide",
            "/draft",
        ] {
            acme.get(&format!("{uri}{part}")).await;
            assert_problem(&rival.get(&format!("{uri}{part}")).await, 404, "not_found");
        }
        assert_problem(
            &rival.get(&format!("{uri}/versions/1/diff?from=1")).await,
            404,
            "not_found",
        );
        assert_problem(
            &rival.patch_if(&uri, "*", json!({"title": "Mine"})).await,
            404,
            "not_found",
        );
        for action in ["publish", "retire", "validate"] {
            assert_problem(&rival.act(&format!("{uri}/{action}")).await, 404, "not_found");
        }
    }
}
