//! Assessments on a later version of their model: what kept its meaning is kept, and no level is guessed.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    making::{drafted, model, published, ratings, republished, submit, submitted},
};

const FIRST: &[(&str, &str)] = &[
    ("care.safe", "safe"),
    ("care.heard", "heard"),
    ("care.fast", "fast"),
    ("care.kind", "kind"),
    ("care.warm", "warm"),
    ("care.near", "near"),
];

/// Version 2: `safe` the same, `heard` reworded, `fast` split, `kind` and `warm` merged, `near` retired, `open` added.
async fn second_version(client: &Client) {
    let elements = [
        json!({"key": "care.safe", "label": "safe", "strand": "safety"}),
        json!({"key": "care.heard", "label": "really heard"}),
        json!({"key": "care.prompt", "label": "prompt", "replaces": ["care.fast"]}),
        json!({"key": "care.unhurried", "label": "unhurried", "replaces": ["care.fast"]}),
        json!({"key": "care.gentle", "label": "gentle", "replaces": ["care.kind", "care.warm"]}),
        json!({"key": "care.open", "label": "open"}),
    ];
    republished(client, "ours", &elements).await;
}

fn rated() -> Value {
    let mut ratings = ratings(&[
        ("care.safe", 1, 4),
        ("care.heard", 2, 3),
        ("care.fast", 2, 3),
        ("care.kind", 3, 3),
        ("care.warm", 3, 3),
        ("care.near", 4, 4),
    ]);
    ratings["care.heard"]["note"] = json!("Mostly.");
    json!({"model": "ours", "perspective": "team", "ratings": ratings, "respondent_ref": "r-1",
        "external_ids": [{"system": "crm", "value": "1"}]})
}

fn effects(migration: &Value) -> Vec<String> {
    let effects = migration["effects"].as_array().expect("effects");
    let line = |effect: &Value| {
        let word = |name: &str| effect[name].as_str().unwrap_or("?").to_owned();
        format!("{} {} {}", word("element"), word("change"), word("effect"))
    };
    effects.iter().map(line).collect()
}

const EFFECTS: &[&str] = &[
    "care.safe same kept",
    "care.heard reworded kept",
    "care.prompt split needs_review",
    "care.unhurried split needs_review",
    "care.gentle merged needs_review",
    "care.open added needs_review",
    "care.fast split retired",
    "care.kind merged retired",
    "care.warm merged retired",
    "care.near retired retired",
];

#[actix_web::test]
async fn a_dry_run_tells_the_effect_key_by_key_and_changes_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", FIRST)).await;
    let uri = submitted(&acme, rated()).await;
    second_version(&acme).await;
    let before = acme.get(&uri).await;
    let dry = acme
        .post(&format!("{uri}/migrate"), json!({"to_version": 2, "dry_run": true}))
        .await;
    assert_eq!(dry.status, 200, "{}", dry.text());
    let told = dry.json();
    assert_eq!(
        (&told["from_version"], &told["to_version"], &told["dry_run"]),
        (&json!(1), &json!(2), &json!(true))
    );
    assert!(told.get("draft").is_none());
    assert_eq!(effects(&told), EFFECTS);
    let after = acme.get(&uri).await;
    assert_eq!((after.json(), after.etag()), (before.json(), before.etag()));
}

#[actix_web::test]
async fn migrating_opens_a_draft_with_what_kept_its_meaning_and_no_guess() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", FIRST)).await;
    let uri = submitted(&acme, rated()).await;
    let sealed = acme.get(&format!("{uri}/versions/1")).await;
    second_version(&acme).await;
    let migrated = acme.post(&format!("{uri}/migrate"), json!({"to_version": 2})).await;
    assert_eq!(migrated.status, 200, "{}", migrated.text());
    assert_eq!(effects(&migrated.json()), EFFECTS);
    let draft = acme.get(&format!("{uri}/draft")).await;
    assert_eq!(
        (&draft.json(), draft.etag()),
        (&migrated.json()["draft"], migrated.etag())
    );
    let draft = draft.json();
    let mut kept = ratings(&[("care.safe", 1, 4), ("care.heard", 2, 3)]);
    kept["care.heard"]["note"] = json!("Mostly.");
    assert_eq!(draft["ratings"], kept);
    assert_eq!((&draft["model_version"], &draft["based_on"]), (&json!(2), &json!(1)));
    assert_eq!(draft["external_ids"], rated()["external_ids"]);
    // The earlier version still says all it said, on the earlier version of the model.
    let again = acme.get(&format!("{uri}/versions/1")).await;
    assert_eq!((&again.body, again.etag()), (&sealed.body, sealed.etag()));
    assert_eq!(acme.get(&uri).await.json()["model_version"], 1);

    let missing = acme.act(&format!("{uri}/submit")).await;
    assert_eq!((missing.status, missing.code().as_str()), (422, "incomplete"));
    let needs: Vec<String> = ["prompt", "unhurried", "gentle", "open"]
        .iter()
        .map(|name| format!("/ratings/care.{name} required"))
        .collect();
    assert_eq!(missing.faults(), needs);
    let rest = ratings(&[
        ("care.prompt", 1, 2),
        ("care.unhurried", 1, 2),
        ("care.gentle", 1, 2),
        ("care.open", 1, 2),
    ]);
    acme.patch(&uri, json!({"ratings": rest})).await;
    let second = submit(&acme, &uri).await.json();
    assert_eq!((&second["version"], &second["model_version"]), (&json!(2), &json!(2)));
}

#[actix_web::test]
async fn an_open_draft_is_migrated_as_it_stands() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", FIRST)).await;
    let uri = drafted(&acme, rated()).await.uri();
    second_version(&acme).await;
    let migrated = acme.post(&format!("{uri}/migrate"), json!({"to_version": 2})).await;
    let draft = &migrated.json()["draft"];
    assert_eq!(
        (&draft["status"], &draft["model_version"]),
        (&json!("draft"), &json!(2))
    );
    assert!(draft.get("based_on").is_none());
    let shown = acme.get(&uri).await.json();
    assert_eq!(&shown, draft);
}

#[actix_web::test]
async fn an_assessment_migrates_only_to_a_later_version_that_is_there() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", FIRST)).await;
    let uri = submitted(&acme, rated()).await;
    let migrate = format!("{uri}/migrate");
    for to in [1, 2] {
        let refused = acme.post(&migrate, json!({"to_version": to})).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (422, "unknown_reference"),
            "{to}"
        );
        assert_eq!(refused.faults(), ["/to_version unknown_reference"], "{to}");
    }
    let odd = acme.post(&migrate, json!({"to_version": 0, "dry": true})).await;
    let mut faults = odd.faults();
    faults.sort();
    assert_eq!(faults, ["/dry unknown_field", "/to_version minimum"]);
    assert_eq!(acme.get(&uri).await.json()["has_draft"], false);
}
