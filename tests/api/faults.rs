//! What callers notice when the database goes away, comes back, or is wanted by many at once.

use std::{collections::BTreeSet, time::Duration};

use actix_web::rt::time::sleep;
use diesel::{Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    app::{Answer, Database, TestApp, assessment, connect},
    making::{column, id_of},
};

/// Asks a PostgreSQL server for something, from another database of it.
pub fn administer(database: &Database, sql: &str) {
    let Database::Postgres(name) = database else {
        panic!("SQLite has no server");
    };
    let url = database.url().replace(&format!("/{name}?"), "/postgres?");
    let mut conn = connect(&url);
    sql_query(sql).execute(&mut conn).expect("PostgreSQL does");
}

pub fn kill_connections(database: &Database) {
    if let Database::Postgres(name) = database {
        administer(
            database,
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
        );
    }
}

fn unavailable(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "unavailable"),
        "{}",
        answer.text()
    );
    let seconds: u32 = answer.header("retry-after").parse().expect("Retry-After in seconds");
    assert!((1..=60).contains(&seconds));
}

#[actix_web::test]
async fn while_the_database_is_gone_callers_are_told_to_come_back_and_then_all_is_well() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let kept = acme.submitted("team", "forming", "maturing").await;
    let before = acme.get(&kept).await.json();
    match &app.database {
        Database::Postgres(name) => {
            administer(
                &app.database,
                &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false"),
            );
            kill_connections(&app.database);
            for _ in 0..3 {
                unavailable(
                    &acme
                        .post("/v1/assessments", assessment("team", "forming", "maturing"))
                        .await,
                );
                unavailable(&acme.get(&kept).await);
            }
            administer(
                &app.database,
                &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true"),
            );
        }
        Database::Sqlite(_) => {
            // Somebody else writes, for longer than anybody waits.
            let path = app.database.url().trim_start_matches("sqlite:").to_owned();
            let mut other = SqliteConnection::establish(&path).expect("the database");
            other.batch_execute("BEGIN EXCLUSIVE").expect("the lock");
            unavailable(
                &acme
                    .post("/v1/assessments", assessment("team", "forming", "maturing"))
                    .await,
            );
            assert_eq!(acme.get(&kept).await.json(), before, "who only reads waits for nobody");
            other.batch_execute("ROLLBACK").expect("no lock");
        }
    }
    // Tokens are believed only while their keys are read: that takes up again within seconds.
    for _ in 0..40 {
        if acme.get(&kept).await.status == 200 {
            break;
        }
        sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(acme.get(&kept).await.json(), before);
    let made = acme.draft("team", "forming", "maturing").await;
    assert_eq!(
        column(&acme.get("/v1/assessments").await, "id"),
        [id_of(&made.uri()), id_of(&kept)]
    );
}

#[actix_web::test]
async fn while_the_file_is_away_no_empty_one_takes_its_place() {
    let app = TestApp::new().await;
    let Database::Sqlite(folder) = &app.database else {
        return;
    };
    let (file, away) = (folder.path().join("test.sqlite"), folder.path().join("away"));
    let acme = app.organisation("acme");
    let kept = acme.submitted("team", "forming", "maturing").await;
    std::fs::rename(&file, &away).expect("it moves");
    // So many at once that threads are asked that have no connection yet.
    for answer in join_all((0..64).map(|_| acme.get(&kept))).await {
        if answer.status != 200 {
            unavailable(&answer);
        }
    }
    assert!(!file.exists(), "nobody makes another one");
    std::fs::rename(&away, &file).expect("it moves back");
    let found = join_all((0..64).map(|_| acme.get(&kept))).await;
    assert!(found.iter().all(|answer| answer.status == 200), "{found:?}");
}

#[actix_web::test]
async fn a_connection_that_died_unnoticed_is_noticed_by_nobody() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for _ in 0..3 {
        // Every thread has a connection by now.
        let made = join_all((0..16).map(|_| acme.draft("team", "forming", "maturing"))).await;
        kill_connections(&app.database);
        let found: Vec<String> = made.iter().map(Answer::uri).collect();
        let found = join_all(found.iter().map(|uri| acme.get(uri))).await;
        assert!(found.iter().all(|answer| answer.status == 200), "{found:?}");
        kill_connections(&app.database);
        let written =
            join_all((0..16).map(|_| acme.post("/v1/assessments", assessment("team", "forming", "maturing")))).await;
        assert!(written.iter().all(|answer| answer.status == 201), "{written:?}");
    }
    let list = acme.get("/v1/assessments?limit=200").await;
    assert_eq!(column(&list, "id").len(), 96);
}

#[actix_web::test]
async fn a_server_that_may_only_read_is_left_as_soon_as_there_is_one_that_writes() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let kept = acme.draft("team", "forming", "maturing").await;
    let Database::Postgres(name) = &app.database else {
        return;
    };
    let only_reads = format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on");
    administer(&app.database, &only_reads);
    kill_connections(&app.database);
    for _ in 0..3 {
        let body = assessment("team", "forming", "maturing");
        unavailable(&acme.post("/v1/assessments", body).await);
    }
    // Every thread has a connection by now that cannot write.
    let found = join_all((0..32).map(|_| acme.get("/v1/assessments"))).await;
    assert!(
        found.iter().all(|answer| column(answer, "id") == [id_of(&kept.uri())]),
        "{found:?}"
    );
    let writes = format!("ALTER DATABASE \"{name}\" RESET default_transaction_read_only");
    administer(&app.database, &writes);
    if app.database.url().contains("pgbouncer=true") {
        // The pooler's connections outlive ours.
        kill_connections(&app.database);
    }
    let made = join_all((0..16).map(|_| acme.post("/v1/assessments", assessment("team", "forming", "maturing")))).await;
    assert!(made.iter().all(|answer| answer.status == 201), "{made:?}");
}

#[actix_web::test]
async fn what_is_repeated_with_its_key_is_done_once_though_connections_die_meanwhile() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let database = match &app.database {
        Database::Postgres(name) => Some((
            app.database.url().replace(&format!("/{name}?"), "/postgres?"),
            name.clone(),
        )),
        Database::Sqlite(_) => None,
    };
    let killer = std::thread::spawn(move || {
        let Some((url, name)) = database else { return };
        let mut conn = connect(&url);
        for _ in 0..20 {
            let kill = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            sql_query(kill).execute(&mut conn).expect("PostgreSQL does");
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let once = |number: usize| {
        let acme = acme.clone();
        async move {
            let body = assessment("team", "forming", "maturing");
            for _ in 0..200 {
                let request = actix_web::test::TestRequest::post()
                    .uri("/v1/assessments")
                    .insert_header(("Idempotency-Key", format!("k-{number}")))
                    .set_json(&body);
                let answer = acme.send(request).await;
                if answer.status == 201 {
                    return answer.uri();
                }
                unavailable(&answer);
                sleep(Duration::from_millis(20)).await;
            }
            panic!("it was never done");
        }
    };
    let mut done: Vec<String> = join_all((0..60).map(once)).await.iter().map(|uri| id_of(uri)).collect();
    killer.join().expect("no panic");
    let mut listed = column(&acme.get("/v1/assessments?limit=200").await, "id");
    done.sort();
    listed.sort();
    assert_eq!(listed, done);
}

#[actix_web::test]
async fn of_two_who_write_to_one_draft_at_once_one_is_told_to_look_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for _ in 0..10 {
        let made = acme.draft("team", "forming", "maturing").await;
        let (uri, etag) = (made.uri(), made.etag());
        let write =
            |note: &'static str| acme.patch_if(&uri, &etag, json!({"ratings": {"feelings.heard": {"note": note}}}));
        let (one, other) = futures_util::future::join(write("one"), write("other")).await;
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{} {}", one.text(), other.text());
        let winner = if one.status == 200 { one } else { other };
        let found = acme.get(&uri).await;
        assert_eq!((found.json(), found.etag()), (winner.json(), winner.etag()));
    }
}

#[actix_web::test]
async fn of_many_who_submit_at_once_one_seals_the_one_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.draft("team", "forming", "maturing").await.uri();
    let submit = format!("{uri}/submit");
    let answers = join_all((0..8).map(|_| acme.act(&submit))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    let refused = answers.iter().filter(|answer| answer.status == 409);
    assert_eq!(
        refused.map(Answer::code).collect::<BTreeSet<_>>(),
        BTreeSet::from(["invalid_transition".to_owned()])
    );
    let versions = acme.get(&format!("{uri}/versions")).await.json();
    assert_eq!(versions["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn of_many_writes_at_once_exactly_those_stand_that_succeeded() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let write = |number: usize| {
        let acme = acme.clone();
        async move {
            let mut body = assessment("team", "forming", "maturing");
            body["respondent_ref"] = json!(format!("r-{number}"));
            match number % 4 {
                0 => body["external_ids"] = json!([{"system": "crm", "value": "the same"}]),
                1 => body["ratings"]["feelings.nowhere"] = json!({"current": "forming"}),
                _ => {}
            }
            acme.post("/v1/assessments", body).await
        }
    };
    let answers = join_all((0..40).map(write)).await;
    let of = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(201), of(409), of(422)), (21, 9, 10));
    let mut done: Vec<String> = answers
        .iter()
        .filter(|a| a.status == 201)
        .map(|a| id_of(&a.uri()))
        .collect();
    let mut listed = column(&acme.get("/v1/assessments?limit=200").await, "id");
    done.sort();
    listed.sort();
    assert_eq!(listed, done);
    let references: BTreeSet<String> = column(&acme.get("/v1/assessments?limit=200").await, "respondent_ref")
        .into_iter()
        .collect();
    let told: BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.json()["respondent_ref"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(references, told);
}
