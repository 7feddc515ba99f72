//! What the three regimes of privacy promise, beyond what one look at a table shows.

use meaningful_connections::jobs;
use serde_json::json;

use crate::{
    app::TestApp,
    inviting::{Respondent, acted, opened, redeem, round, tokens},
    problems::assert_problem,
    rows::Second,
};

#[actix_web::test]
async fn a_perspective_that_changes_while_people_answer_tells_nobody_when_each_of_them_did() {
    for privacy in ["named", "anonymous"] {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let carer = json!({"slug": "carer", "label": "Carer", "voice": "individual"});
        let carer = acme.post("/v1/perspectives", carer).await;
        assert_eq!(carer.status, 201, "{}", carer.text());
        let mut body = round(privacy);
        body["perspectives"] = json!([{"perspective": "carer", "expected": 3}]);
        let uri = opened(&acme, body).await;
        assert_eq!(acme.get(&uri).await.json()["perspectives"][0]["perspective_version"], 1);
        let mut seen = Vec::new();
        for token in tokens(&acme, &uri, "carer", 3).await {
            let own = Respondent::invited(&app, &token).await;
            let form = own.client.get(own.access["form"].as_str().expect("a form")).await;
            let receipt = own.answer("forming", "maturing").await;
            let own = Respondent::with_receipt(&app, &receipt).await;
            let kept = own.client.get(&own.uri).await.json();
            seen.push((form.header("etag"), kept["perspective_version"].clone()));
            let other = json!({"label": format!("Carer {}", seen.len())});
            let changed = acme.patch("/v1/perspectives/carer", other).await;
            assert_eq!(changed.status, 200, "{}", changed.text());
        }
        assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    }
}

#[actix_web::test]
async fn a_version_of_a_perspective_that_is_not_there_is_asked_by_no_round() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = round("named");
    body["perspectives"][1]["perspective_version"] = json!(7);
    let refused = acme.post("/v1/rounds", body).await;
    assert_problem(&refused, 422, "unknown_reference");
    assert_eq!(
        refused.json()["errors"][0]["pointer"],
        "/perspectives/1/perspective_version"
    );
}

#[actix_web::test]
async fn a_pseudonym_leads_to_the_receipt_and_not_to_the_token_and_its_answers_have_no_hour() {
    let app = TestApp::new().await;
    app.advance(9 * 60 * 60 + 17);
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("pseudonymous")).await;
    let token = tokens(&acme, &uri, "team", 1).await.remove(0);
    let own = Respondent::invited(&app, &token).await;
    own.rate("forming", "maturing").await;
    // Whoever has the token sees what its owner sees.
    assert_eq!(own.client.get(&own.uri).await.json()["respondent_ref"], json!(null));
    assert_eq!(own.submit().await.status, 200);
    acted(&acme, &uri, "close").await;
    let before = acme.get("/v1/assessments").await.json();
    assert_eq!(before["data"], json!([]));
    let cursor = app.db.now().to_string();
    app.advance(60);
    acted(&acme, &uri, "reveal").await;
    jobs::step(&app.db, &mut jobs::Stuck::new());
    // Whoever asks for what changed since then finds it, though it was submitted before.
    let told = acme
        .get(&format!("/v1/assessments?updated_since={cursor}"))
        .await
        .json();
    let told = &told["data"][0];
    assert!(
        told["respondent_ref"]
            .as_str()
            .is_some_and(|name| name.starts_with("P-")),
        "{told}"
    );
    for time in ["created_at", "sealed_at"] {
        let time = told[time].as_str().expect("a time");
        assert!(time.ends_with("T00:00:00.000000Z"), "{told}");
    }
    let mut second = Second::open(&app.database);
    let id = own.uri.rsplit('/').next().expect("an id").replace('-', "");
    for table in second.tables() {
        let rows = second.dump(&table);
        assert!(
            !rows.iter().flatten().any(|value| *value == id),
            "{table} has the token's id"
        );
    }
}

#[actix_web::test]
async fn what_somebody_answered_in_a_round_is_withdrawn_by_them_alone_and_whoever_follows_it_learns_when() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("pseudonymous")).await;
    let mut receipts = Vec::new();
    for token in tokens(&acme, &uri, "team", 2).await {
        receipts.push(
            Respondent::invited(&app, &token)
                .await
                .answer("forming", "maturing")
                .await,
        );
    }
    acted(&acme, &uri, "close").await;
    acted(&acme, &uri, "reveal").await;
    let own = Respondent::with_receipt(&app, &receipts[0]).await;
    assert_problem(&acme.delete(&own.uri).await, 403, "read_only");
    app.advance(60);
    let cursor = app.db.now().to_string();
    assert_eq!(own.client.delete(&own.uri).await.status, 204);
    let told = acme
        .get(&format!("/v1/assessments?status=withdrawn&updated_since={cursor}"))
        .await;
    assert_eq!(told.json()["data"].as_array().map(Vec::len), Some(1), "{}", told.text());
}

#[actix_web::test]
async fn who_erases_an_anonymous_answer_changes_an_analysis_that_its_readers_hear_of() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let mut receipts = Vec::new();
    for token in tokens(&acme, &uri, "team", 4).await {
        receipts.push(
            Respondent::invited(&app, &token)
                .await
                .answer("forming", "maturing")
                .await,
        );
    }
    acted(&acme, &uri, "close").await;
    acted(&acme, &uri, "reveal").await;
    app.advance(60);
    let cursor = app.db.now().to_string();
    let own = Respondent::with_receipt(&app, &receipts[0]).await;
    assert_eq!(own.client.act(&format!("{}/erase", own.uri)).await.status, 204);
    let changed = acme
        .get(&format!("/v1/gap-analyses?updated_since={cursor}"))
        .await
        .json();
    assert_eq!(changed["data"][0]["version"], 2, "{changed}");
}

#[actix_web::test]
async fn a_draft_that_is_thrown_away_leaves_nothing_that_its_token_leads_to() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let token = tokens(&acme, &uri, "team", 1).await.remove(0);
    let own = Respondent::invited(&app, &token).await;
    own.rate("forming", "maturing").await;
    assert_eq!(own.client.delete(&own.uri).await.status, 204);
    let id = own.uri.rsplit('/').next().expect("an id").replace('-', "");
    let mut second = Second::open(&app.database);
    for table in second.tables() {
        let rows = second.dump(&table);
        assert!(
            !rows.iter().flatten().any(|value| *value == id),
            "{table} has the token's id"
        );
    }
    assert_eq!(redeem(&app, &token).await.status, 200);
}

#[actix_web::test]
async fn a_key_of_which_a_receipt_would_be_guessed_is_refused_before_anything_is_submitted() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let token = tokens(&acme, &uri, "team", 1).await.remove(0);
    let own = Respondent::invited(&app, &token).await;
    own.rate("forming", "maturing").await;
    let guessable = own.uri.replace("/v1/assessments/", "submit-");
    for key in ["abc", &guessable, "01890a5d-ac96-774b-bcce-b302099a8057"] {
        assert_problem(&own.submit_with_key(key).await, 400, "invalid_header");
    }
    assert_eq!(own.client.get(&own.uri).await.json()["status"], "draft");
}
