//! Erasing an assessment: everywhere, at once and for good.

use actix_web::test::TestRequest;
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use futures_util::future::{join, join_all};
use meaningful_connections::jobs;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, Database, TestApp, assessment, connect},
    gap_analyses::{inputs, made},
    making::{column, drafted, id_of, renewed, submit, withdraw},
};

async fn erase(client: &Client, uri: &str) {
    let erased = client.act(&format!("{uri}/erase")).await;
    assert_eq!((erased.status, erased.text()), (204, String::new()));
}

async fn post_once(client: &Client, uri: &str, key: &str, body: &Value) -> Answer {
    let request = TestRequest::post()
        .uri(uri)
        .insert_header(("Idempotency-Key", key))
        .set_json(body);
    client.send(request).await
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The tables in which a text stands, in whatever column, as text or as bytes.
fn tables_with(database: &Database, text: &str) -> Vec<String> {
    let hex = text
        .bytes()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let url = database.url();
    match database {
        Database::Sqlite(_) => {
            let mut conn = SqliteConnection::establish(url.trim_start_matches("sqlite:")).expect("the database");
            let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
            let tables: Vec<Name> = sql_query(tables).load(&mut conn).expect("tables");
            let mut found = Vec::new();
            for Name { name: table } in tables {
                let columns = format!("SELECT name FROM pragma_table_info('{table}')");
                let columns: Vec<Name> = sql_query(columns).load(&mut conn).expect("columns");
                let terms: Vec<String> = columns
                    .iter()
                    .map(|Name { name }| format!("instr(hex(\"{name}\"), upper('{hex}')) > 0"))
                    .collect();
                let count = format!("SELECT count(*) AS count FROM \"{table}\" WHERE {}", terms.join(" OR "));
                let Count { count } = sql_query(count).get_result(&mut conn).expect("a count");
                found.extend((count > 0).then_some(table));
            }
            found
        }
        Database::Postgres(_) => {
            let mut conn = connect(&url);
            let tables = "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
            let tables: Vec<Name> = sql_query(tables).load(&mut conn).expect("tables");
            let mut found = Vec::new();
            for Name { name: table } in tables {
                let count = format!(
                    "SELECT count(*) AS count FROM \"{table}\" t WHERE t::text LIKE '%{text}%' OR t::text LIKE '%{hex}%'"
                );
                let Count { count } = sql_query(count).get_result(&mut conn).expect("a count");
                found.extend((count > 0).then_some(table));
            }
            found
        }
    }
}

#[actix_web::test]
async fn an_erased_assessment_is_nowhere() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "forming", "maturing").await;
    let other = acme.submitted("team", "forming", "maturing").await;
    acme.act(&format!("{uri}/amend")).await;
    erase(&acme, &uri).await;
    for path in ["", "/draft", "/versions", "/versions/1", "/versions/1/diff?from=1"] {
        assert_eq!(acme.get(&format!("{uri}{path}")).await.status, 404, "{path}");
    }
    for action in ["submit", "amend", "restore", "erase"] {
        assert_eq!(acme.act(&format!("{uri}/{action}")).await.status, 404, "{action}");
    }
    for query in ["", "?status=submitted", "?status=draft", "?updated_since=2020-01-01"] {
        let list = acme.get(&format!("/v1/assessments{query}")).await;
        assert!(!column(&list, "id").contains(&id_of(&uri)), "{query}");
    }
    assert_eq!(
        column(&acme.get("/v1/assessments?status=withdrawn").await, "id"),
        [""; 0]
    );
    let analysis = acme
        .post("/v1/gap-analyses", json!({"assessments": [id_of(&uri)]}))
        .await;
    assert_eq!(analysis.faults(), ["/assessments/0 unknown_reference"]);
    assert_eq!(acme.get(&other).await.status, 200);
}

#[actix_web::test]
async fn drafts_and_withdrawn_assessments_are_erased_as_well() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let draft = acme.draft("team", "forming", "maturing").await.uri();
    let withdrawn = acme.submitted("team", "forming", "maturing").await;
    withdraw(&acme, &withdrawn).await;
    for uri in [draft, withdrawn] {
        erase(&acme, &uri).await;
        assert_eq!(acme.get(&uri).await.status, 404);
    }
}

#[actix_web::test]
async fn nothing_that_was_written_is_left_in_any_table() {
    const CANARY: &str = "Canary4711Canary";
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = assessment("team", "forming", "maturing");
    body["respondent_ref"] = json!(CANARY);
    body["external_ids"] = json!([{"system": "crm", "value": CANARY}]);
    body["ratings"]["feelings.heard"]["note"] = json!(CANARY);
    body["ratings"]["tools.time"] = json!({"not_applicable": true, "reason": CANARY});
    let made = post_once(&acme, "/v1/assessments", "k-1", &body).await;
    let uri = made.uri();
    submit(&acme, &uri).await;
    acme.act(&format!("{uri}/amend")).await;
    acme.patch(&uri, json!({"ratings": {"space.safe": {"note": CANARY}}}))
        .await;
    submit(&acme, &uri).await;
    acme.act(&format!("{uri}/amend")).await;
    let mut kept = assessment("team", "forming", "maturing");
    kept["respondent_ref"] = json!("Kept4711Kept");
    post_once(&acme, "/v1/assessments", "k-2", &kept).await;
    let tables = ["assessments", "external_ids", "idempotency_keys", "sealed_versions"];
    let mut found = tables_with(&app.database, CANARY);
    found.sort();
    assert_eq!(found, tables, "what is to be looked for can be found");
    erase(&acme, &uri).await;
    assert_eq!(tables_with(&app.database, CANARY), [""; 0]);
    let mut kept = tables_with(&app.database, "Kept4711Kept");
    kept.sort();
    assert_eq!(kept, ["assessments", "idempotency_keys"]);
}

#[actix_web::test]
async fn a_request_that_is_repeated_after_an_erasure_learns_of_it() {
    let app = TestApp::new().await;
    let (acme, body) = (app.organisation("acme"), assessment("team", "forming", "maturing"));
    let made = post_once(&acme, "/v1/assessments", "k-1", &body).await;
    let (uri, submitting) = (made.uri(), format!("{}/submit", made.uri()));
    assert_eq!(post_once(&acme, &submitting, "k-2", &Value::Null).await.status, 200);
    let analysing = json!({"assessments": [id_of(&uri)]});
    assert_eq!(
        post_once(&acme, "/v1/gap-analyses", "k-3", &analysing).await.status,
        201
    );
    let erasing = format!("{uri}/erase");
    assert_eq!(post_once(&acme, &erasing, "k-4", &Value::Null).await.status, 204);
    for (uri, key, body) in [
        ("/v1/assessments", "k-1", &body),
        (&submitting, "k-2", &Value::Null),
        ("/v1/gap-analyses", "k-3", &analysing),
        // Not even whether the retry is the same can be told any more.
        (
            "/v1/assessments",
            "k-1",
            &json!({"model": "meaningful-connections", "perspective": "team"}),
        ),
    ] {
        let again = post_once(&acme, uri, key, body).await;
        assert_eq!((again.status, again.code().as_str()), (410, "erased"), "{key}");
    }
    let again = post_once(&acme, &erasing, "k-4", &Value::Null).await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed").as_str()),
        (204, "true")
    );
    assert_eq!(acme.get("/v1/assessments").await.json()["data"], json!([]));
}

#[actix_web::test]
async fn an_analysis_is_sealed_anew_from_what_remains_and_old_numbers_are_gone_for_good() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let erased = acme.submitted("team", "forming", "maturing").await;
    let kept = acme.submitted("service_user", "forming", "maturing").await;
    let named = made(
        &acme,
        json!({"title": "N", "assessments": [id_of(&erased), id_of(&kept)]}),
    )
    .await
    .uri();
    let selected = made(
        &acme,
        json!({"title": "S", "select": {"model": "meaningful-connections"}}),
    )
    .await
    .uri();
    let untouched = made(&acme, json!({"title": "U", "assessments": [id_of(&kept)]})).await;
    erase(&acme, &erased).await;
    for uri in [&named, &selected] {
        let shown = acme.get(uri).await.json();
        assert_eq!(
            (&shown["version"], inputs(&shown)),
            (&json!(2), vec![format!("{} 1", id_of(&kept))])
        );
        assert_eq!(acme.get(&format!("{uri}/versions/1")).await.status, 404);
        assert_eq!(acme.get(&format!("{uri}/versions/2/diff?from=1")).await.status, 404);
        let versions = acme.get(&format!("{uri}/versions")).await.json();
        assert_eq!(versions["data"].as_array().map(Vec::len), Some(1));
        let same = acme.act(&format!("{uri}/recompute")).await;
        assert_eq!((same.status, same.json()["version"].clone()), (200, json!(2)));
    }
    let after = acme.get(&untouched.uri()).await;
    assert_eq!((&after.body, after.etag()), (&untouched.body, untouched.etag()));
    acme.submitted("team", "forming", "maturing").await;
    let next = acme.act(&format!("{selected}/recompute")).await;
    assert_eq!((next.status, next.json()["version"].clone()), (201, json!(3)));
}

#[actix_web::test]
async fn an_analysis_of_which_nothing_is_left_goes_too() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let only = acme.submitted("team", "forming", "maturing").await;
    let other = acme.submitted("team", "forming", "maturing").await;
    let gone = made(&acme, json!({"assessments": [id_of(&only)]})).await;
    let compared = made(
        &acme,
        json!({"assessments": [id_of(&other)], "baseline": gone.json()["id"]}),
    )
    .await
    .uri();
    erase(&acme, &only).await;
    for path in ["", "/versions", "/versions/1"] {
        assert_eq!(acme.get(&format!("{}{path}", gone.uri())).await.status, 404, "{path}");
    }
    assert_eq!(acme.act(&format!("{}/recompute", gone.uri())).await.status, 404);
    assert_eq!(column(&acme.get("/v1/gap-analyses").await, "id"), [id_of(&compared)]);
    // What was compared with it is sealed anew, compared with nothing.
    assert_eq!(acme.get(&format!("{compared}/versions/1")).await.status, 404);
    let shown = acme.get(&compared).await.json();
    assert_eq!(shown["version"], 2);
    assert!(shown.get("distance_travelled").is_none());
}

#[actix_web::test]
async fn an_analysis_compared_with_a_tainted_one_loses_that_version_too() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let erased = acme.submitted("team", "forming", "maturing").await;
    let kept = acme.submitted("team", "forming", "maturing").await;
    let later = acme.submitted("team", "maturing", "maturing").await;
    let analysis = |ids: Vec<&String>, baseline: Option<Value>| {
        let mut body = json!({"assessments": ids.into_iter().map(|uri| id_of(uri)).collect::<Vec<_>>()});
        if let Some(baseline) = baseline {
            body["baseline"] = baseline;
        }
        let acme = acme.clone();
        async move { made(&acme, body).await }
    };
    let first = analysis(vec![&erased, &kept], None).await;
    let second = analysis(vec![&later], Some(first.json()["id"].clone())).await;
    let third = analysis(vec![&later, &kept], Some(second.json()["id"].clone())).await;
    let clean = analysis(vec![&kept], None).await;
    let apart = analysis(vec![&later], Some(clean.json()["id"].clone())).await;
    erase(&acme, &erased).await;
    for (analysis, baseline) in [(&second, &first), (&third, &second)] {
        assert_eq!(acme.get(&format!("{}/versions/1", analysis.uri())).await.status, 404);
        let (shown, baseline) = (
            acme.get(&analysis.uri()).await.json(),
            acme.get(&baseline.uri()).await.json(),
        );
        assert_eq!((&shown["version"], &baseline["version"]), (&json!(2), &json!(2)));
        let compared_with = json!({"gap_analysis": baseline["id"], "version": 2, "digest": baseline["digest"]});
        assert_eq!(shown["distance_travelled"]["baseline"], compared_with);
    }
    for untouched in [clean, apart] {
        assert_eq!(acme.get(&untouched.uri()).await.body, untouched.body);
    }
}

#[actix_web::test]
async fn only_the_versions_that_counted_the_assessment_go() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let erased = acme.submitted("team", "forming", "maturing").await;
    acme.submitted("team", "forming", "maturing").await;
    let analysis = made(&acme, json!({"select": {"model": "meaningful-connections"}}))
        .await
        .uri();
    withdraw(&acme, &erased).await;
    let second = acme.act(&format!("{analysis}/recompute")).await;
    assert_eq!(second.json()["version"], 2);
    erase(&acme, &erased).await;
    assert_eq!(acme.get(&format!("{analysis}/versions/1")).await.status, 404);
    assert_eq!(acme.get(&format!("{analysis}/versions/2")).await.body, second.body);
    assert_eq!(acme.get(&analysis).await.body, second.body);
    assert_eq!(acme.act(&format!("{analysis}/recompute")).await.status, 200);
}

#[actix_web::test]
async fn an_assessment_that_is_erased_while_it_is_analysed_is_in_no_analysis() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let select = json!({"select": {"model": "meaningful-connections"}});
    acme.submitted("team", "forming", "maturing").await;
    let standing = made(&acme, select.clone()).await.json();
    let recompute = format!(
        "/v1/gap-analyses/{}/recompute",
        standing["id"].as_str().unwrap_or_default()
    );
    for _ in 0..12 {
        let erased = acme.submitted("team", "forming", "maturing").await;
        let erasing = format!("{erased}/erase");
        let compared = json!({"select": select["select"], "baseline": standing["id"]});
        let analysing =
            [&select, &compared, &select, &compared].map(|body| acme.post("/v1/gap-analyses", body.clone()));
        let acting = join(acme.act(&recompute), acme.act(&erasing));
        let (answers, (recomputed, gone)) = join(join_all(analysing), acting).await;
        assert_eq!(gone.status, 204, "{}", gone.text());
        assert!(matches!(recomputed.status, 200 | 201), "{}", recomputed.text());
        assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
        let list = acme.get("/v1/gap-analyses?limit=200").await;
        for id in column(&list, "id") {
            let versions = acme.get(&format!("/v1/gap-analyses/{id}/versions")).await.json();
            for line in versions["data"].as_array().expect("versions") {
                let version = acme
                    .get(&format!("/v1/gap-analyses/{id}/versions/{}", line["version"]))
                    .await;
                assert!(!version.text().contains(&id_of(&erased)), "{}", version.text());
            }
        }
    }
}

#[actix_web::test]
async fn a_withdrawn_assessment_is_erased_after_30_days_unless_restored() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let gone = acme.submitted("team", "forming", "maturing").await;
    let restored = acme.submitted("team", "forming", "maturing").await;
    let draft = drafted(&acme, assessment("team", "forming", "maturing")).await.uri();
    let analysis = made(&acme, json!({"assessments": [id_of(&gone)]})).await.uri();
    for uri in [&gone, &restored, &draft] {
        withdraw(&acme, uri).await;
    }
    app.advance(30 * 24 * 60 * 60 - 60);
    assert_eq!(jobs::retain(&app.db).expect("retention"), 0);
    let acme = renewed(&app, &acme);
    assert_eq!(acme.act(&format!("{restored}/restore")).await.status, 200);
    app.advance(120);
    assert_eq!(jobs::retain(&app.db).expect("retention"), 2);
    for uri in [&gone, &draft, &analysis] {
        assert_eq!(acme.get(uri).await.status, 404);
    }
    assert_eq!(acme.get(&restored).await.json()["status"], "submitted");
}
