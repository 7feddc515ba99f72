//! Distance travelled since an earlier analysis.

use serde_json::json;

use crate::{
    app::TestApp,
    gap_analyses::URI,
    gap_analysis_findings::{OURS, analysed, ours},
    making::{id_of, model, published, ratings, republished, submitted},
};

#[actix_web::test]
async fn distance_travelled_tells_what_moved_and_whether_it_was_meant_to() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", OURS)).await;
    let mut sets: Vec<Vec<String>> = Vec::new();
    for (safe, heard) in [((2, 2), (1, 3)), ((1, 3), (2, 3))] {
        let mut set = Vec::new();
        for _ in 0..3 {
            set.push(id_of(&submitted(&acme, ours("team", safe, heard)).await));
        }
        sets.push(set);
    }
    let before = analysed(&acme, json!({"assessments": sets[0]})).await;
    assert!(before.get("distance_travelled").is_none());
    let after = analysed(&acme, json!({"assessments": sets[1], "baseline": before["id"]})).await;
    assert_eq!(
        after["distance_travelled"],
        json!({
            "baseline": {"gap_analysis": before["id"], "version": 1, "digest": before["digest"]},
            "comparable": true, "reasons": [],
            "elements": [
                {"element": "care.safe", "levels_moved": -1.0, "gap_closed": -2.0, "intended": false, "moved": "away"},
                {"element": "care.heard", "levels_moved": 1.0, "gap_closed": 1.0, "intended": true, "moved": "toward"},
            ],
        })
    );
    let still = analysed(&acme, json!({"assessments": sets[0], "baseline": before["id"]})).await;
    assert_eq!(
        still["distance_travelled"]["elements"][1],
        json!({"element": "care.heard", "levels_moved": 0.0, "gap_closed": 0.0, "intended": true, "moved": "none"})
    );
}

#[actix_web::test]
async fn distance_says_what_speaks_against_comparing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", OURS)).await;
    let old = id_of(&submitted(&acme, ours("team", (2, 2), (1, 3))).await);
    let before = analysed(&acme, json!({"assessments": [old]})).await;
    let elements = [
        json!({"key": "care.safe", "label": "safe and sound", "strand": "safety"}),
        json!({"key": "care.listened_to", "label": "listened to", "replaces": ["care.heard"]}),
        json!({"key": "care.understood", "label": "understood", "replaces": ["care.heard"]}),
    ];
    republished(&acme, "ours", &elements).await;
    let now = ratings(&[
        ("care.safe", 3, 3),
        ("care.listened_to", 2, 3),
        ("care.understood", 2, 3),
    ]);
    let body = json!({"model": "ours", "perspective": "service_user", "ratings": now});
    let new = id_of(&submitted(&acme, body).await);
    let after = analysed(&acme, json!({"assessments": [new], "baseline": before["id"]})).await;
    let distance = &after["distance_travelled"];
    assert_eq!(distance["comparable"], false);
    let codes: Vec<&str> = distance["reasons"]
        .as_array()
        .expect("reasons")
        .iter()
        .filter_map(|r| r["code"].as_str())
        .collect();
    assert_eq!(codes, ["model_version", "perspectives", "small_n", "small_n"]);
    // What was split has no distance; what was reworded has.
    assert_eq!(
        distance["elements"],
        json!([{"element": "care.safe", "levels_moved": 1.0, "gap_closed": 0.0, "intended": false, "moved": "away"}])
    );
}

#[actix_web::test]
async fn recomputing_compares_with_the_newest_version_of_the_baseline() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", OURS)).await;
    submitted(&acme, ours("team", (2, 2), (1, 3))).await;
    let user = id_of(&submitted(&acme, ours("service_user", (2, 2), (1, 3))).await);
    let team = json!({"model": "ours", "perspectives": ["team"]});
    let before = analysed(&acme, json!({"select": team})).await;
    let after = analysed(&acme, json!({"assessments": [user], "baseline": before["id"]})).await;
    let recompute =
        |analysis: &serde_json::Value| format!("{URI}/{}/recompute", analysis["id"].as_str().unwrap_or_default());
    assert_eq!(acme.act(&recompute(&after)).await.status, 200);
    submitted(&acme, ours("team", (2, 2), (1, 3))).await;
    assert_eq!(acme.act(&recompute(&before)).await.status, 201);
    let next = acme.act(&recompute(&after)).await;
    assert_eq!(
        (next.status, &next.json()["distance_travelled"]["baseline"]["version"]),
        (201, &json!(2))
    );
    assert_eq!(acme.act(&recompute(&after)).await.status, 200);
}
