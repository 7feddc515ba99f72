//! What callers notice while another process holds the database, and that all is well once it lets go.

use std::{sync::mpsc, thread, time::Duration};

use actix_web::{rt::time::sleep, test::TestRequest};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    app::{Answer, TestApp, assessment, on_postgres},
    problems::assert_problem,
    rows::Second,
};

#[track_caller]
fn unavailable(answer: &Answer) {
    assert_problem(answer, 503, "unavailable");
    let seconds: u32 = answer.header("retry-after").parse().expect("Retry-After in seconds");
    assert!((1..=60).contains(&seconds));
}

#[actix_web::test]
async fn readiness_ends_with_the_schema_or_the_database_and_comes_back_with_it() {
    let app = TestApp::new().await;
    let nobody = app.nobody();
    assert_eq!(nobody.get("/readyz").await.status, 200);
    let mut second = Second::open(&app.database);
    let newest = second
        .lines("SELECT max(version) AS line FROM __diesel_schema_migrations")
        .remove(0);
    second.run(&format!(
        "DELETE FROM __diesel_schema_migrations WHERE version = '{newest}'"
    ));
    unavailable(&nobody.get("/readyz").await);
    assert_eq!(nobody.get("/livez").await.status, 200);
    second.run(&format!(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('{newest}')"
    ));
    assert_eq!(nobody.get("/readyz").await.status, 200);
    if let crate::app::Database::Postgres(name) = &app.database {
        drop(second);
        let admin = crate::app::Database::url(&app.database).replace(&format!("/{name}?"), "/postgres?");
        let mut admin = Second::at(&admin);
        admin.run(&format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false"));
        admin.run(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
        for _ in 0..3 {
            unavailable(&nobody.get("/readyz").await);
            assert_eq!(nobody.get("/livez").await.status, 200);
        }
        admin.run(&format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true"));
        // Clients and keys are read again within seconds.
        for _ in 0..40 {
            if nobody.get("/readyz").await.status == 200 {
                break;
            }
            sleep(Duration::from_millis(250)).await;
        }
        assert_eq!(nobody.get("/readyz").await.status, 200);
    }
}

/// Somebody in another process who holds what `sql` takes, until told to let go or after as many seconds.
struct Holder {
    release: mpsc::Sender<()>,
    thread: thread::JoinHandle<bool>,
}

impl Holder {
    fn hold(app: &TestApp, sql: &str, seconds: u64) -> Self {
        let (mut second, sql) = (Second::open(&app.database), sql.to_owned());
        let (release, released) = mpsc::channel();
        let (holding, held) = mpsc::channel();
        let thread = thread::spawn(move || {
            second.run(&sql);
            holding.send(()).expect("somebody waits");
            let was_told = released.recv_timeout(Duration::from_secs(seconds)).is_ok();
            second.run("ROLLBACK");
            was_told
        });
        held.recv().expect("held");
        Self { release, thread }
    }

    /// Whether they held on until now.
    fn release(self) -> bool {
        _ = self.release.send(());
        self.thread.join().expect("no panic")
    }
}

/// What takes the lock that a write of this assessment needs.
fn lock(id: &str) -> String {
    if on_postgres() {
        format!("BEGIN; SELECT 1 FROM assessments WHERE id = '{id}' FOR UPDATE")
    } else {
        "BEGIN IMMEDIATE".to_owned()
    }
}

#[actix_web::test]
async fn a_write_waits_for_another_process_once_and_is_refused_then() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    // Who waited twice as long would get it.
    let holder = Holder::hold(&app, &lock(&id), 8);
    let (uri, body) = (made.uri(), json!({"respondent_ref": "r-1"}));
    // PostgreSQL gives whoever queues behind a waiting writer a time of their own.
    let writers = if on_postgres() { 1 } else { 3 };
    let refused = join_all((0..writers).map(|_| acme.patch_if(&uri, "*", body.clone()))).await;
    refused.iter().for_each(unavailable);
    assert!(holder.release(), "they held it all the time");
    let done = acme.patch_if(&uri, "*", body).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["respondent_ref"], "r-1");
}

#[actix_web::test]
async fn a_request_whose_key_is_in_use_for_too_long_is_told_so_and_done_later() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (organisation, client, made_at) = if on_postgres() {
        (
            format!("'{}'", acme.organisation),
            format!("'{}'", acme.id),
            "now()".to_owned(),
        )
    } else {
        let blob = |id: String| format!("x'{}'", id.replace('-', ""));
        (
            blob(acme.organisation.to_string()),
            blob(acme.id.to_string()),
            app.db.now().micros().to_string(),
        )
    };
    let begin = if on_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" };
    let empty = if on_postgres() { "''" } else { "x''" };
    // The first request with the key, as another copy of the service runs it.
    let claim = format!(
        "{begin}; INSERT INTO idempotency_keys (organisation_id, client_id, key, method, path, fingerprint, created_at) \
         VALUES ({organisation}, {client}, 'k-1', 'POST', '/v1/assessments', {empty}, {made_at})"
    );
    let holder = Holder::hold(&app, &claim, 30);
    let keyed = || {
        TestRequest::post()
            .uri("/v1/assessments")
            .insert_header(("Idempotency-Key", "k-1"))
            .set_json(assessment("team", "forming", "maturing"))
    };
    let meanwhile = acme.send(keyed()).await;
    if on_postgres() {
        assert_problem(&meanwhile, 409, "idempotency_key_in_use");
    } else {
        // There a writer has the whole file to itself, whatever it writes.
        unavailable(&meanwhile);
    }
    assert!(holder.release(), "they held it all the time");
    let done = acme.send(keyed()).await;
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(acme.send(keyed()).await.header("idempotent-replayed"), "true");
    assert_eq!(
        acme.get("/v1/assessments").await.json()["data"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}
