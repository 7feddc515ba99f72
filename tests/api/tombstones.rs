//! What ended for good is remembered, and ends again where it came back.

use actix_web::test::TestRequest;
use meaningful_connections::{
    domain::{
        access::Actor,
        id::OrganisationId,
        tombstone::{Gone, Tombstone},
    },
    jobs,
    service::tombstones::{Applied, apply_all},
    store::{self, error::Error},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::{Client, TestApp},
    inviting::{Respondent, opened, round, tokens},
    making::{id_of, renewed, withdraw},
    rows::Second,
};

/// What has ended, as what and of whom.
fn ended(app: &TestApp) -> Vec<Tombstone> {
    let list = app.db.read_now(Actor::SERVICE, |tx| store::tombstones::list(tx, None));
    list.unwrap_or_else(|error: Error| panic!("{error}"))
}

fn words(app: &TestApp) -> Vec<(Gone, String)> {
    let words = ended(app).into_iter();
    words.map(|one| (one.what, one.resource.to_string())).collect()
}

async fn erase(client: &Client, uri: &str) {
    assert_eq!(client.act(&format!("{uri}/erase")).await.status, 204);
}

async fn another(client: &Client) -> String {
    let made = client
        .post("/v1/clients", json!({"name": "Another", "scopes": ["models:read"]}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.uri()
}

#[actix_web::test]
async fn every_end_leaves_a_tombstone_and_no_attempt_does() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (asked, due) = (
        acme.submitted("team", "forming", "maturing").await,
        acme.draft("team", "forming", "maturing").await.uri(),
    );
    let stale = TestRequest::post()
        .uri(&format!("{asked}/erase"))
        .insert_header(("If-Match", "\"7\""));
    assert_eq!(acme.send(stale).await.status, 412);
    let rival = app.organisation("rival");
    assert_eq!(rival.act(&format!("{asked}/erase")).await.status, 404);
    assert_eq!(words(&app), []);

    erase(&acme, &asked).await;
    let (revoked, rotated) = (another(&acme).await, another(&acme).await);
    assert_eq!(acme.delete(&revoked).await.status, 204);
    assert_eq!(
        acme.post(&format!("{rotated}/rotate-secret"), json!({})).await.status,
        200
    );
    withdraw(&acme, &due).await;
    app.advance(31 * 24 * 60 * 60);
    assert_eq!(jobs::retain(&app.db).expect("retention"), 1);
    assert_eq!(
        words(&app),
        [
            (Gone::AssessmentErased, id_of(&asked)),
            (Gone::ClientRevoked, id_of(&revoked)),
            (Gone::SecretReplaced, id_of(&rotated)),
            (Gone::AssessmentWithdrawn, id_of(&due)),
            (Gone::AssessmentErased, id_of(&due)),
        ]
    );
    assert!(ended(&app).iter().all(|one| one.organisation == acme.organisation));
}

/// A tombstone of something that has not ended here: as if it had, after a backup was taken.
fn later(app: &TestApp, client: &Client, what: Gone, uri: &str) -> Tombstone {
    app.advance(1);
    Tombstone {
        at: app.db.now(),
        organisation: client.organisation,
        what,
        resource: id_of(uri).parse().expect("an id"),
    }
}

#[actix_web::test]
async fn what_ended_elsewhere_ends_here_once() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let (erased, withdrawn, kept) = (
        acme.submitted("team", "forming", "maturing").await,
        acme.submitted("team", "forming", "maturing").await,
        acme.submitted("team", "forming", "maturing").await,
    );
    let analysis = acme
        .post(
            "/v1/gap-analyses",
            json!({"assessments": [id_of(&erased), id_of(&kept)]}),
        )
        .await
        .uri();
    let (revoked, rotated) = (another(&acme).await, another(&acme).await);
    let stranger = Tombstone {
        organisation: OrganisationId::from_uuid(Uuid::now_v7()),
        ..later(&app, &acme, Gone::AssessmentErased, &kept)
    };
    let tombstones = [
        later(&app, &acme, Gone::AssessmentErased, &erased),
        later(&app, &acme, Gone::AssessmentWithdrawn, &withdrawn),
        later(&app, &acme, Gone::WithdrawalTakenBack, &withdrawn),
        later(&app, &acme, Gone::AssessmentWithdrawn, &withdrawn),
        later(&app, &acme, Gone::AssessmentWithdrawn, &kept),
        later(&app, &acme, Gone::WithdrawalTakenBack, &kept),
        later(&app, &acme, Gone::ClientRevoked, &revoked),
        later(&app, &acme, Gone::SecretReplaced, &rotated),
        // The names of things do not reach into another organisation.
        later(&app, &rival, Gone::AssessmentErased, &kept),
        stranger,
    ]
    .into();
    app.advance(1);
    let applied = apply_all(&app.db, &tombstones).expect("applied");
    let expected = Applied {
        assessments_erased: 1,
        assessments_withdrawn: 1,
        withdrawals_taken_back: 0,
        clients_revoked: 1,
        clients_without_secret: vec![id_of(&rotated).parse().expect("an id")],
        absent: 3,
        known: 0,
    };
    assert_eq!(applied, expected);
    let acme = renewed(&app, &acme);
    assert_eq!(acme.get(&erased).await.status, 404);
    assert_eq!(acme.get(&withdrawn).await.json()["status"], "withdrawn");
    let etag = acme.get(&kept).await.etag();
    assert_eq!(
        (acme.get(&kept).await.json()["status"].clone(), &*etag),
        (json!("submitted"), "\"2\"")
    );
    assert_eq!(acme.get(&analysis).await.json()["version"], 2);
    assert!(acme.get(&revoked).await.json()["revoked_at"].is_string());
    let again = apply_all(&app.db, &tombstones).expect("applied");
    assert_eq!((again.known, again.assessments_erased), (7, 0));
    // A secret that is given afterwards is not taken by the tombstone of one before.
    assert_eq!(
        acme.post(&format!("{rotated}/rotate-secret"), json!({})).await.status,
        200
    );
    let again = apply_all(&app.db, &tombstones).expect("applied");
    assert!(again.clients_without_secret.is_empty());
}

#[actix_web::test]
async fn what_a_respondent_erased_stays_erased_after_a_restore_whatever_of_it_the_backup_has() {
    for backed_up in ["before it was submitted", "after it was submitted"] {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round("anonymous")).await;
        let token = tokens(&acme, &uri, "team", 1).await.remove(0);
        let own = Respondent::invited(&app, &token).await;
        own.rate("forming", "maturing").await;
        let mut second = Second::open(&app.database);
        let back_up = "CREATE TABLE backup AS SELECT * FROM responses";
        if backed_up.starts_with("before") {
            second.run(back_up);
        }
        let receipt = own.submit().await.json()["receipt"]
            .as_str()
            .expect("a receipt")
            .to_owned();
        if backed_up.starts_with("after") {
            second.run(back_up);
        }
        let own = Respondent::with_receipt(&app, &receipt).await;
        assert_eq!(own.client.act(&format!("{}/erase", own.uri)).await.status, 204);
        let ended = ended(&app);
        let [one] = ended.as_slice() else { panic!("{ended:?}") };
        assert_eq!(
            (one.what, one.resource.to_string()),
            (Gone::ResponseErased, id_of(&own.uri))
        );
        assert_eq!(one.at, one.at.midnight(), "it says no more than the day");
        second.run("DELETE FROM tombstones; DELETE FROM responses; INSERT INTO responses SELECT * FROM backup");
        let applied = apply_all(&app.db, &ended.into_iter().collect()).expect("applied");
        assert_eq!(applied.assessments_erased, usize::from(backed_up.starts_with("after")));
        let left = second.lines("SELECT 'x' AS line FROM responses WHERE draft IS NOT NULL OR version IS NOT NULL");
        assert_eq!(left, Vec::<String>::new(), "{backed_up}");
    }
}
