//! How many a round asks, and how many one analysis takes.

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    inviting::{Respondent, acted, opened, round, tokens},
    problems::assert_problem,
    rows::Second,
};

async fn invite(client: &Client, uri: &str, body: Value) -> Answer {
    client.post(&format!("{uri}/invitations"), body).await
}

#[actix_web::test]
async fn a_round_invites_at_most_10_000_whoever_has_answered() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for privacy in ["named", "anonymous"] {
        let uri = opened(&acme, round(privacy)).await;
        let early = tokens(&acme, &uri, "team", 1).await.remove(0);
        let poster = json!({"perspective": "service_user", "uses": 9_998});
        assert_eq!(invite(&acme, &uri, poster).await.status, 201);
        let two = json!({"invitations": [{"perspective": "team"}, {"perspective": "stranger"}]});
        let refused = invite(&acme, &uri, two).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        let faults = refused.faults();
        assert!(
            faults.contains(&"/invitations too_many_inputs".to_owned()),
            "{faults:?}"
        );
        assert!(
            faults.contains(&"/invitations/1/perspective unknown_reference".to_owned()),
            "{faults:?}"
        );
        Respondent::invited(&app, &early)
            .await
            .answer("forming", "maturing")
            .await;
        let last = invite(&acme, &uri, json!({"perspective": "team"})).await;
        assert_eq!(last.status, 201, "{}", last.text());
        let beyond = invite(&acme, &uri, json!({"perspective": "team"})).await;
        assert_problem(&beyond, 422, "too_many_inputs");
        assert_eq!(beyond.faults(), ["/uses too_many_inputs"]);
        // What is taken back is free again.
        let id = last.json()["invitations"][0]["id"].clone();
        let gone = acme
            .delete(&format!("{uri}/invitations/{}", id.as_str().expect("an id")))
            .await;
        assert_eq!(gone.status, 204, "{}", gone.text());
        assert_eq!(invite(&acme, &uri, json!({"perspective": "team"})).await.status, 201);
    }
}

/// Stores as many copies of the one submission of a round as nobody could give.
fn copied(app: &TestApp, anonymous: bool, copies: usize) {
    let mut second = Second::open(&app.database);
    let id = match second {
        Second::Sqlite(_) => "randomblob(16)",
        Second::Postgres(_) => "gen_random_uuid()",
    };
    second.run(&format!(
        "CREATE TEMP TABLE ids AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies}) SELECT {id} AS copy FROM n"
    ));
    let tables = [
        ("responses", "id", "version IS NOT NULL", anonymous),
        ("assessments", "id", "round_id IS NOT NULL", !anonymous),
        ("sealed_versions", "resource_id", "kind = 'assessment'", !anonymous),
    ];
    for (table, key, which, _) in tables.into_iter().filter(|(.., is_there)| *is_there) {
        second.run(&format!(
            "CREATE TEMP TABLE copies AS SELECT t.*, ids.copy FROM {table} t, ids WHERE {which};
             UPDATE copies SET {key} = copy; ALTER TABLE copies DROP COLUMN copy;
             INSERT INTO {table} SELECT * FROM copies; DROP TABLE copies;"
        ));
    }
}

#[actix_web::test]
async fn a_round_to_which_more_than_10_000_were_submitted_is_told_so_and_stays_closed() {
    for privacy in ["named", "anonymous"] {
        for (copies, status) in [(9_999, 200), (10_000, 422)] {
            let app = TestApp::new().await;
            let acme = app.organisation("acme");
            let uri = opened(&acme, round(privacy)).await;
            let token = tokens(&acme, &uri, "team", 1).await.remove(0);
            Respondent::invited(&app, &token)
                .await
                .answer("forming", "maturing")
                .await;
            acted(&acme, &uri, "close").await;
            copied(&app, privacy == "anonymous", copies);
            let revealed = acme.act(&format!("{uri}/reveal")).await;
            assert_eq!(revealed.status, status, "{privacy}: {}", revealed.text());
            if status == 422 {
                assert_problem(&revealed, 422, "too_many_inputs");
                assert_eq!(acme.get(&uri).await.json()["status"], "closed");
            }
        }
    }
}

/// `SQLite` knows nothing of how many rows there are: what it takes for few, it searches one by one.
#[actix_web::test]
async fn nothing_of_a_round_is_found_by_searching_all_that_its_organisation_has() {
    let app = TestApp::new().await;
    let mut second = Second::open(&app.database);
    let Second::Sqlite(conn) = &mut second else { return };
    for (query, index) in [
        (
            "UPDATE invitations SET used = 1 WHERE organisation_id = ? AND response_id = ?",
            "invitations_by_response",
        ),
        (
            "SELECT label FROM invitations WHERE organisation_id = ? AND round_id = ? ORDER BY id DESC",
            "invitations_by_round",
        ),
        (
            "SELECT uses FROM invitations WHERE token_hash = ? AND organisation_id = ?",
            "invitations_by_token",
        ),
        (
            "SELECT levels FROM responses WHERE organisation_id = ? AND round_id = ? ORDER BY id",
            "responses_by_round",
        ),
        (
            "DELETE FROM responses WHERE organisation_id = ? AND round_id = ? AND version IS NULL",
            "responses_by_round",
        ),
    ] {
        let plan: Vec<Plan> = sql_query(format!("EXPLAIN QUERY PLAN {query}"))
            .load(conn)
            .expect("a plan");
        assert!(plan[0].detail.contains(index), "{query}: {}", plan[0].detail);
    }
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text)]
    detail: String,
}
