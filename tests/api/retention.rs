//! What is withdrawn is kept for 30 days, and then it is gone.

use meaningful_connections::jobs::retain;
use serde_json::json;

use crate::{
    app::{Answer, Client, TestApp},
    problems::assert_problem,
};

const DAY: i64 = 24 * 60 * 60;

fn again(app: &TestApp, client: &Client) -> Client {
    let scopes = "assessments:read assessments:write gap_analyses:read gap_analyses:write";
    app.client(client.organisation, client.id, scopes)
}

async fn withdraw(client: &Client, uri: &str) -> Answer {
    let answer = client.delete(uri).await;
    assert!([200, 204].contains(&answer.status), "{}", answer.text());
    answer
}

#[actix_web::test]
async fn what_is_withdrawn_is_erased_after_thirty_days_and_not_before() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let stays = acme.submitted("team", "forming", "maturing").await;
    withdraw(&acme, &uri).await;
    assert_eq!(acme.get(&uri).await.json()["status"], "withdrawn");
    app.advance(30 * DAY - 60);
    assert_eq!(retain(&app.db).expect("retention"), 0);
    let acme = again(&app, &acme);
    assert_eq!(acme.get(&uri).await.json()["status"], "withdrawn");
    app.advance(120);
    assert_eq!(retain(&app.db).expect("retention"), 1);
    assert_problem(&acme.get(&uri).await, 404, "not_found");
    assert_problem(&acme.get(&format!("{uri}/versions/1")).await, 404, "not_found");
    assert_problem(&acme.act(&format!("{uri}/restore")).await, 404, "not_found");
    assert_eq!(
        acme.get("/v1/assessments?status=withdrawn").await.json()["data"],
        json!([])
    );
    assert_eq!(acme.get(&stays).await.status, 200);
    assert_eq!(retain(&app.db).expect("retention"), 0);
}

#[actix_web::test]
async fn what_is_restored_in_time_stays() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    withdraw(&acme, &uri).await;
    app.advance(29 * DAY);
    let acme = again(&app, &acme);
    assert_eq!(acme.act(&format!("{uri}/restore")).await.status, 200);
    app.advance(60 * DAY);
    assert_eq!(retain(&app.db).expect("retention"), 0);
    assert_eq!(again(&app, &acme).get(&uri).await.json()["status"], "submitted");
}

#[actix_web::test]
async fn withdrawing_anew_begins_the_thirty_days_anew() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    withdraw(&acme, &uri).await;
    app.advance(20 * DAY);
    let acme = again(&app, &acme);
    acme.act(&format!("{uri}/restore")).await;
    withdraw(&acme, &uri).await;
    app.advance(20 * DAY);
    assert_eq!(retain(&app.db).expect("retention"), 0);
    app.advance(11 * DAY);
    assert_eq!(retain(&app.db).expect("retention"), 1);
}

#[actix_web::test]
async fn a_withdrawn_draft_is_erased_like_everything_else() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.draft("team", "forming", "maturing").await.uri();
    withdraw(&acme, &uri).await;
    app.advance(31 * DAY);
    assert_eq!(retain(&app.db).expect("retention"), 1);
    assert_problem(&again(&app, &acme).get(&uri).await, 404, "not_found");
}

#[actix_web::test]
async fn retention_takes_its_analyses_along_and_is_done_for_every_organisation() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let (one, two) = (
        acme.submitted("team", "forming", "maturing").await,
        acme.submitted("service_user", "forming", "maturing").await,
    );
    let id = |uri: &str| uri.rsplit('/').next().unwrap_or_default().to_owned();
    let both = acme
        .post("/v1/gap-analyses", json!({"assessments": [id(&one), id(&two)]}))
        .await
        .uri();
    let alone = acme
        .post("/v1/gap-analyses", json!({"assessments": [id(&one)]}))
        .await
        .uri();
    let theirs = rival.submitted("team", "forming", "maturing").await;
    withdraw(&acme, &one).await;
    withdraw(&rival, &theirs).await;
    app.advance(31 * DAY);
    assert_eq!(retain(&app.db).expect("retention"), 2);
    let (acme, rival) = (again(&app, &acme), again(&app, &rival));
    assert_problem(&rival.get(&theirs).await, 404, "not_found");
    assert_problem(&acme.get(&alone).await, 404, "not_found");
    assert_problem(&acme.get(&format!("{both}/versions/1")).await, 404, "not_found");
    let remains = acme.get(&both).await;
    assert_eq!(remains.json()["version"], 2);
    assert!(!remains.text().contains(&id(&one)), "{}", remains.text());
}

#[actix_web::test]
async fn more_than_one_batch_is_erased_in_the_end() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for _ in 0..103 {
        let uri = acme.draft("team", "forming", "maturing").await.uri();
        withdraw(&acme, &uri).await;
    }
    app.advance(31 * DAY);
    let erased: usize = (0..2).map(|_| retain(&app.db).expect("retention")).sum();
    assert_eq!(erased, 103);
}
