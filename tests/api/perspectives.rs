//! Perspectives: the four built in, and an organisation's own.

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    making::digest_of,
    problems::assert_problem,
};

const PARTNER: &str = "/v1/perspectives/partner";

async fn partner(client: &Client) -> Answer {
    let body = json!({"slug": "partner", "label": "Partner", "voice": "collective", "description": "Those beside us."});
    let made = client.post("/v1/perspectives", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

#[actix_web::test]
async fn four_perspectives_are_built_in_two_in_either_voice() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for (slug, label, voice) in [
        ("service_user", "Service user", "individual"),
        ("team_member", "Team member", "individual"),
        ("team", "Team", "collective"),
        ("organisation", "Organisation", "collective"),
    ] {
        let perspective = acme.get(&format!("/v1/perspectives/{slug}")).await.json();
        assert_eq!(
            [&perspective["slug"], &perspective["label"], &perspective["voice"]],
            [slug, label, voice]
        );
        assert_eq!(
            (&perspective["version"], &perspective["status"]),
            (&json!(1), &json!("sealed"))
        );
        let by_id = acme
            .get(&format!(
                "/v1/perspectives/{}",
                perspective["id"].as_str().unwrap_or_default()
            ))
            .await;
        assert_eq!(by_id.json(), perspective);
    }
}

#[actix_web::test]
async fn the_built_in_ones_do_not_change() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let before = acme.get("/v1/perspectives/team").await;
    assert_problem(
        &acme.patch("/v1/perspectives/team", json!({"label": "Squad"})).await,
        403,
        "read_only",
    );
    assert_eq!(acme.get("/v1/perspectives/team").await.body, before.body);
}

#[actix_web::test]
async fn making_one_seals_its_first_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = partner(&acme).await;
    assert_eq!(made.uri(), PARTNER);
    let perspective = made.json();
    assert_eq!(
        [&perspective["status"], &perspective["sealed_by"]],
        ["sealed", acme.id.to_string().as_str()]
    );
    assert_eq!(
        (&perspective["version"], &perspective["digest"]),
        (&json!(1), &json!(digest_of(&perspective)))
    );
    assert_eq!(acme.get(PARTNER).await.body, made.body);
    assert_eq!(acme.get(&format!("{PARTNER}/versions/1")).await.json(), perspective);
}

#[actix_web::test]
async fn every_change_seals_the_next_version_and_leaves_the_ones_before() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let first = partner(&acme).await;
    let second = acme
        .patch(PARTNER, json!({"label": "Partners", "description": null}))
        .await;
    assert_eq!(second.status, 200, "{}", second.text());
    let shown = second.json();
    assert_eq!(
        (&shown["version"], &shown["label"], &shown["voice"]),
        (&json!(2), &json!("Partners"), &json!("collective"))
    );
    assert!(shown.get("description").is_none());
    assert_eq!(shown["digest"], json!(digest_of(&shown)));
    assert_ne!(second.etag(), first.etag());
    assert_eq!(acme.get(&format!("{PARTNER}/versions/1")).await.json(), first.json());
    assert_eq!(acme.get(&format!("{PARTNER}/versions/2")).await.json(), shown);
    let list = acme.get(&format!("{PARTNER}/versions")).await.json();
    let listed: Vec<[&Value; 2]> = list["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|line| [&line["version"], &line["digest"]])
        .collect();
    assert_eq!(
        listed,
        [[&json!(2), &shown["digest"]], [&json!(1), &first.json()["digest"]]]
    );
}

#[actix_web::test]
async fn every_patch_seals_the_next_version_even_one_that_changes_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let first = partner(&acme).await;
    let same = acme.patch(PARTNER, json!({"label": "Partner"})).await;
    assert_eq!((same.status, &same.json()["version"]), (200, &json!(2)));
    assert_ne!(same.etag(), first.etag());
    let kept = acme.get(&format!("{PARTNER}/versions/1")).await.json();
    assert_eq!(
        (&kept["version"], &kept["digest"]),
        (&json!(1), &first.json()["digest"])
    );
}

#[actix_web::test]
async fn what_a_perspective_cannot_be_is_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({"slug": "No Slug", "label": "", "voice": "chorus", "description": 7, "weight": 1});
    let refused = acme.post("/v1/perspectives", body).await;
    assert_problem(&refused, 422, "invalid");
    let expected = [
        "/description type",
        "/label min_length",
        "/slug pattern",
        "/voice unknown_value",
        "/weight unknown_field",
    ];
    assert_eq!(refused.faults(), expected);
    let everybody = json!({"slug": "all", "label": "Everybody", "voice": "collective"});
    let refused = acme.post("/v1/perspectives", everybody).await;
    assert_problem(&refused, 422, "invalid");
    assert_eq!(refused.faults(), ["/slug reserved"]);
    partner(&acme).await;
    let refused = acme
        .patch(PARTNER, json!({"slug": "other", "label": null, "voice": null}))
        .await;
    assert_eq!(refused.faults(), ["/label type", "/slug unknown_field", "/voice type"]);
    assert_eq!(acme.get(PARTNER).await.json()["version"], 1);
}

#[actix_web::test]
async fn a_slug_is_taken_once_in_an_organisation_and_never_from_a_built_in_one() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    partner(&acme).await;
    for slug in ["partner", "team"] {
        let refused = acme
            .post(
                "/v1/perspectives",
                json!({"slug": slug, "label": "x", "voice": "individual"}),
            )
            .await;
        assert_problem(&refused, 409, "slug_taken");
    }
    partner(&rival).await;
}

#[actix_web::test]
async fn another_organisation_finds_nothing_of_it() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let id = partner(&acme).await.json()["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for uri in [PARTNER.to_owned(), format!("/v1/perspectives/{id}")] {
        for part in ["", "/versions", "/versions/1", "/versions/1/diff?from=1"] {
            assert_eq!(acme.get(&format!("{uri}{part}")).await.status, 200, "{part}");
            assert_problem(&rival.get(&format!("{uri}{part}")).await, 404, "not_found");
        }
        assert_problem(
            &rival.patch_if(&uri, "*", json!({"label": "Mine"})).await,
            404,
            "not_found",
        );
    }
    let refused = rival
        .post("/v1/assessments", assessment("partner", "forming", "maturing"))
        .await;
    assert_problem(&refused, 422, "unknown_reference");
    assert_eq!(refused.faults(), ["/perspective unknown_reference"]);
    assert_eq!(acme.draft("partner", "forming", "maturing").await.status, 201);
}

#[actix_web::test]
async fn a_diff_names_what_changed() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    partner(&acme).await;
    acme.patch(PARTNER, json!({"label": "Funder"})).await;
    let diff = acme.get(&format!("{PARTNER}/versions/2/diff?from=1")).await.json();
    let change = json!([{"op": "replace", "path": "/label", "value": "Funder"}]);
    assert_eq!(diff, json!({"from": 1, "to": 2, "changes": change}));
    let back = acme.get(&format!("{PARTNER}/versions/1/diff?from=2")).await.json();
    assert_eq!(back["changes"][0]["value"], "Partner");
    assert_problem(
        &acme.get(&format!("{PARTNER}/versions/2/diff?from=3")).await,
        404,
        "not_found",
    );
    assert_problem(
        &acme.get(&format!("{PARTNER}/versions/2/diff")).await,
        400,
        "invalid_parameter",
    );
}

#[actix_web::test]
async fn an_assessment_remembers_the_version_of_its_perspective() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    partner(&acme).await;
    let before = acme.submitted("partner", "forming", "maturing").await;
    acme.patch(PARTNER, json!({"voice": "individual"})).await;
    let after = acme.submitted("partner", "forming", "maturing").await;
    assert_eq!(acme.get(&before).await.json()["perspective_version"], 1);
    assert_eq!(acme.get(&after).await.json()["perspective_version"], 2);
}
