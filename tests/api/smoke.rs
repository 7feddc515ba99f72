//! The main job, end to end.

use serde_json::json;

use crate::app::TestApp;

#[actix_web::test]
async fn two_perspectives_are_analysed_and_a_blind_spot_is_found() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let user = acme.submitted("service_user", "early_stages", "maturing").await;
    let team = acme.submitted("team", "maturing", "embedded").await;
    let id = |uri: &str| uri.rsplit('/').next().unwrap_or_default().to_owned();
    let made = acme
        .post("/v1/gap-analyses", json!({"assessments": [id(&user), id(&team)]}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let analysis = acme.get(&made.uri()).await.json();
    assert_eq!(analysis["perception_gaps"][0]["blind_spot"], true);
    assert_eq!(analysis["perception_gaps"][0]["higher"], "team");
    assert_eq!(analysis["priorities"][0]["reasons"][0]["code"], "safety_alarm");
}

#[actix_web::test]
async fn an_assessment_is_seen_only_by_its_own_organisation() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let opened = acme.draft("team", "forming", "maturing").await;
    assert_eq!(acme.get(&opened.uri()).await.status, 200);
    assert_eq!(rival.get(&opened.uri()).await.status, 404);
}
