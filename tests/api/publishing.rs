//! What keeps a model from being published, and how two versions differ.

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    problems::assert_problem,
};

const OURS: &str = "/v1/models/ours";

async fn derived(client: &Client) -> Value {
    let origin = json!({"model": "meaningful-connections", "version": 1});
    let made = client
        .post(
            "/v1/models",
            json!({"slug": "ours", "derived_from": origin, "title": "Ours"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

async fn publish(client: &Client) -> Answer {
    client.act(&format!("{OURS}/publish")).await
}

/// The faults of a draft, as publishing and validating it both tell them.
async fn faults(client: &Client, patch: Value) -> Vec<String> {
    let patched = client.patch(OURS, patch).await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    let refused = publish(client).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let checked = client.act(&format!("{OURS}/validate")).await;
    assert_eq!(checked.status, 200, "{}", checked.text());
    assert_eq!(
        checked.json(),
        json!({"valid": false, "errors": refused.json()["errors"]})
    );
    refused.faults()
}

#[actix_web::test]
async fn all_that_keeps_a_model_from_being_published_is_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut themes = derived(&acme).await["themes"].clone();
    themes[0]["need"] = json!(" ");
    themes[1]["elements"][4]["strand"].take();
    themes[1]["elements"][4]
        .as_object_mut()
        .expect("an element")
        .remove("strand");
    themes[2]["elements"][0]["key"] = json!("tools.right_tools");
    themes[3]["key"] = json!("safety");
    themes[4]["stem"]["collective"] = json!("");
    let levels = json!([
        {"key": "forming", "value": 2, "label": "Forming"},
        {"key": "early_stages", "value": 1, "label": "Early stages"},
    ]);
    let mut told = faults(&acme, json!({"title": "", "themes": themes, "levels": levels})).await;
    told.sort();
    told.dedup();
    let expected = [
        "/levels levels",
        "/themes/0/need required",
        "/themes/1/elements safety_element_missing",
        "/themes/2/elements/3/key duplicate",
        "/themes/3/elements/0/key pattern",
        "/themes/3/elements/1/key pattern",
        "/themes/3/elements/2/key pattern",
        "/themes/3/elements/3/key pattern",
        "/themes/3/elements/4/key pattern",
        "/themes/3/key reserved",
        "/themes/4/stem/collective required",
        "/title required",
    ];
    assert_eq!(told, expected);
    assert_eq!(acme.get(OURS).await.json()["status"], "draft");
}

#[actix_web::test]
async fn a_model_from_nothing_lacks_a_theme() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    acme.post("/v1/models", json!({"slug": "ours"})).await;
    assert_eq!(faults(&acme, json!({})).await, ["/title required", "/themes required"]);
}

#[actix_web::test]
async fn levels_keep_their_order_and_values_and_only_their_labels_change() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let draft = derived(&acme).await;
    let mut levels = draft["levels"].clone();
    levels[0]["value"] = json!(2);
    assert_eq!(faults(&acme, json!({"levels": levels})).await, ["/levels levels"]);
    assert_eq!(faults(&acme, json!({"levels": []})).await, ["/levels levels"]);
    let mut levels = draft["levels"].clone();
    levels[0]["label"] = json!("Seedling");
    acme.patch(OURS, json!({"levels": levels})).await;
    let published = publish(&acme).await;
    assert_eq!(
        (published.status, &published.json()["levels"][0]["label"]),
        (200, &json!("Seedling"))
    );
    let wrong = acme
        .patch(OURS, json!({"levels": [{"key": "perfect", "value": 5, "label": "x"}]}))
        .await;
    let mut told = wrong.faults();
    told.sort();
    assert_eq!(told, ["/levels/0/key unknown_value", "/levels/0/value maximum"]);
}

#[actix_web::test]
async fn a_model_has_at_most_200_keys() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    derived(&acme).await;
    let considerations = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| json!({"key": format!("safety.k{n}"), "label": "x"}))
            .collect()
    };
    // The themes have 25.
    assert_eq!(
        faults(&acme, json!({"safety": {"considerations": considerations(176)}})).await,
        ["/themes too_many"]
    );
    acme.patch(OURS, json!({"safety": {"considerations": considerations(175)}}))
        .await;
    assert_eq!(publish(&acme).await.status, 200);
    let many = acme
        .patch(OURS, json!({"safety": {"considerations": considerations(201)}}))
        .await;
    assert_eq!(many.faults(), ["/safety/considerations too_many"]);
}

#[actix_web::test]
async fn a_key_that_was_retired_is_never_used_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let with = derived(&acme).await["themes"].clone();
    assert_eq!(publish(&acme).await.status, 200);
    let mut without = with.clone();
    without[0]["elements"].as_array_mut().expect("elements").remove(1);
    acme.patch(OURS, json!({"themes": without})).await;
    assert_eq!(publish(&acme).await.status, 200);
    assert_eq!(
        faults(&acme, json!({"themes": with})).await,
        ["/themes/0/elements/1/key retired_key"]
    );
    // Nor in any version after.
    acme.patch(OURS, json!({"themes": without, "title": "Third"})).await;
    assert_eq!(publish(&acme).await.status, 200);
    assert_eq!(
        faults(&acme, json!({"themes": with})).await,
        ["/themes/0/elements/1/key retired_key"]
    );
}

#[actix_web::test]
async fn only_elements_of_earlier_versions_are_split_or_merged() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut themes = derived(&acme).await["themes"].clone();
    themes[0]["elements"][0]["replaces"] = json!(["feelings.never_was", "feelings.heard"]);
    let pointer = "/themes/0/elements/0/replaces";
    let expected = [
        format!("{pointer}/0 unknown_reference"),
        format!("{pointer}/1 unknown_reference"),
    ];
    assert_eq!(faults(&acme, json!({"themes": themes})).await, expected);
}

#[actix_web::test]
async fn what_the_schema_forbids_is_refused_before_there_is_a_draft_to_publish() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut themes = derived(&acme).await["themes"].clone();
    themes[0]["elements"][0]["key"] = json!("Feelings Heard");
    themes[0]["elements"][1]["strand"] = json!("weakness");
    themes[0]["elements"][2]["label"] = json!("");
    themes[0]["stem"].as_object_mut().expect("a stem").remove("individual");
    themes[1]["weight"] = json!(2);
    let refused = acme.patch(OURS, json!({"themes": themes})).await;
    assert_problem(&refused, 422, "invalid");
    let mut told = refused.faults();
    told.sort();
    assert_eq!(
        told,
        [
            "/themes/0/elements/0/key pattern",
            "/themes/0/elements/1/strand unknown_value",
            "/themes/0/elements/2/label min_length",
            "/themes/0/stem/individual required",
            "/themes/1/weight unknown_field",
        ]
    );
}

#[actix_web::test]
async fn a_diff_says_element_by_element_what_became_of_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut themes = derived(&acme).await["themes"].clone();
    publish(&acme).await;
    let element = |key: &str, replaces: Value| json!({"key": key, "label": key, "replaces": replaces});
    // Feelings: one reworded, one retired, one added. Space: two merged. Tools: one split in two.
    themes[0]["elements"][0]["label"] = json!("be heard");
    themes[0]["elements"][1] = json!({"key": "feelings.welcome", "label": "feel welcome"});
    let both = json!(["space.accessible", "space.reassuring"]);
    themes[1]["elements"][0] = element("space.open", both.clone());
    themes[1]["elements"].as_array_mut().expect("elements").remove(1);
    themes[2]["elements"][1] = element("tools.training", json!(["tools.training_and_practice"]));
    themes[2]["elements"][2] = element("tools.practice", json!(["tools.training_and_practice"]));
    assert_eq!(acme.patch(OURS, json!({"themes": themes})).await.status, 200);
    let second = publish(&acme).await;
    assert_eq!(second.status, 200, "{}", second.text());

    let diff = acme.get(&format!("{OURS}/versions/2/diff?from=1")).await.json();
    assert_eq!((&diff["from"], &diff["to"]), (&json!(1), &json!(2)));
    let elements = diff["elements"].as_array().cloned().unwrap_or_default();
    let of = |key: &str| {
        elements
            .iter()
            .find(|element| element["element"] == key)
            .cloned()
            .unwrap_or_default()
    };
    for (key, change) in [
        ("feelings.heard", "reworded"),
        ("feelings.supported", "same"),
        ("feelings.listened_to", "retired"),
        ("feelings.welcome", "added"),
        ("space.open", "merged"),
        ("space.accessible", "merged"),
        ("space.reassuring", "merged"),
        ("tools.training", "split"),
        ("tools.practice", "split"),
        ("tools.training_and_practice", "split"),
        ("tools.building_confidence", "retired"),
        ("safety.diversity", "same"),
    ] {
        assert_eq!(of(key)["change"], change, "{key}");
    }
    assert_eq!(
        [&of("feelings.heard")["label_from"], &of("feelings.heard")["label_to"]],
        ["feel heard", "be heard"]
    );
    assert_eq!(of("space.open")["replaces"], both);
    assert_eq!(of("space.accessible")["replaced_by"], json!(["space.open"]));
    assert_eq!(
        of("tools.training_and_practice")["replaced_by"],
        json!(["tools.training", "tools.practice"])
    );
    // 34 before, and three new keys beside two merged ones: each once.
    assert_eq!(elements.len(), 34 + 4);
    let order: Vec<&Value> = elements.iter().map(|element| &element["element"]).take(2).collect();
    assert_eq!(
        order,
        ["feelings.heard", "feelings.welcome"],
        "in the order of the later version"
    );
}

#[actix_web::test]
async fn a_diff_is_a_json_patch_from_one_version_to_the_other() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    derived(&acme).await;
    publish(&acme).await;
    acme.patch(OURS, json!({"title": "Second", "guide": []})).await;
    publish(&acme).await;
    let version = |number: u8| {
        let (acme, uri) = (acme.clone(), format!("{OURS}/versions/{number}"));
        async move {
            let mut document = acme.get(&uri).await.json();
            for member in ["version", "digest", "sealed_at", "sealed_by"] {
                document.as_object_mut().expect("an object").remove(member);
            }
            document
        }
    };
    let (mut first, second) = (version(1).await, version(2).await);
    let diff = acme.get(&format!("{OURS}/versions/2/diff?from=1")).await.json();
    let changes: json_patch::Patch = serde_json::from_value(diff["changes"].clone()).expect("a patch");
    json_patch::patch(&mut first, &changes).expect("it applies");
    assert_eq!(first, second);
    let back = acme.get(&format!("{OURS}/versions/1/diff?from=2")).await.json();
    assert_eq!((&back["from"], &back["to"]), (&json!(2), &json!(1)));
    let none = acme.get(&format!("{OURS}/versions/2/diff?from=2")).await.json();
    assert_eq!(none["changes"], json!([]));
}

#[actix_web::test]
async fn a_diff_needs_two_versions_that_are_there() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let diff = "/v1/models/meaningful-connections/versions/1/diff";
    assert_eq!(acme.get(diff).await.faults(), ["/from required"]);
    assert_eq!(acme.get(&format!("{diff}?from=one")).await.faults(), ["/from invalid"]);
    assert_problem(&acme.get(&format!("{diff}?from=2")).await, 404, "not_found");
    assert_problem(
        &acme
            .get(&diff.replace("/1/", "/2/").replace("diff", "diff?from=1"))
            .await,
        404,
        "not_found",
    );
}
