//! What people write, and what proves who they are, is in no log, no metric and no problem document; and what was erased is
//! in no answer, no table and no file.
//!
//! By design a request id is echoed and logged, a trace id is logged where it is one, and a pointer names the key at which
//! a fault stands: it goes to nobody but who sent that key.

use std::{fs, path::PathBuf};

use actix_web::{http::Method, test::TestRequest};
use meaningful_connections::{http::openapi::document, jobs};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, Database, TestApp, assessment, method},
    making::{id_of, submit, withdraw},
    openapi::{Operation, all, resolved},
    rows::Second,
    wire::{Server, call, exchange},
    world::World,
};

/// In every value that is sent, and nowhere else.
const VALUE: &str = "kanarienvogel";
/// In every name of a field that is sent, and nowhere else.
const KEY: &str = "zeisig";
/// The id that is meant to be seen.
const REQUEST_ID: &str = "seen-by-design";

/// The body with a canary in every text that may be any text, and in every name that is free.
fn sung(document: &Value, schema: &Value, body: &Value, number: &mut usize) -> Value {
    let schema = resolved(document, schema.clone());
    let branches = || {
        ["oneOf", "anyOf"]
            .iter()
            .flat_map(|word| schema[*word].as_array().cloned().unwrap_or_default())
    };
    match body {
        Value::Object(members) => {
            let of = |name: &str| {
                let mut properties = branches()
                    .map(|branch| resolved(document, branch))
                    .chain([schema.clone()]);
                properties
                    .find_map(|schema| {
                        schema["properties"]
                            .get(name)
                            .or(schema.get("additionalProperties"))
                            .cloned()
                    })
                    .unwrap_or_default()
            };
            let sung = members
                .iter()
                .map(|(name, member)| (name.clone(), sung(document, &of(name), member, number)));
            sung.collect::<serde_json::Map<_, _>>().into()
        }
        Value::Array(items) => items
            .iter()
            .map(|item| sung(document, &schema["items"], item, number))
            .collect(),
        Value::String(_)
            if branches()
                .chain([schema.clone()])
                .all(|branch| is_free(document, branch)) =>
        {
            *number += 1;
            json!(format!("{VALUE}-{number}"))
        }
        other => other.clone(),
    }
}

/// Whether a text may be any text, as far as this schema goes.
fn is_free(document: &Value, schema: Value) -> bool {
    let schema = resolved(document, schema);
    ["enum", "format", "pattern"].iter().all(|word| schema[*word].is_null())
}

/// The same with a canary for every value, fit or not, and with fields that there are not.
fn out_of_tune(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let mut sung: serde_json::Map<String, Value> = members
                .iter()
                .map(|(name, member)| (name.clone(), out_of_tune(member)))
                .collect();
            sung.insert(KEY.to_owned(), json!(VALUE));
            sung.into()
        }
        Value::Array(items) => items.iter().map(out_of_tune).collect(),
        _ => json!(format!("{VALUE}|\u{7}")),
    }
}

/// A body in which every free text of the schema has something to say.
fn talkative(operation: &Operation, world: &World) -> Option<(String, Value)> {
    let (media_type, example) = world.example(operation)?;
    let rating = json!({"current": "forming", "desired": "maturing", "note": "x"});
    let names = json!([{"system": "x", "value": "x"}]);
    let mut body = match operation.id() {
        "create_assessment" | "upsert_assessment" | "validate_assessment" => assessment("team", "forming", "maturing"),
        _ => example,
    };
    match operation.id() {
        "create_assessment" | "upsert_assessment" | "validate_assessment" | "patch_assessment" => {
            body["ratings"]["feelings.heard"] = rating;
            body["ratings"]["tools.time"] =
                json!({"not_applicable": true, "reason": "x", "current": null, "desired": null});
            if operation.id() != "patch_assessment" {
                body["ratings"]["tools.time"] = json!({"not_applicable": true, "reason": "x"});
            }
            body["respondent_ref"] = json!("x");
            body["external_ids"] = names;
        }
        "create_gap_analysis" | "preview_gap_analysis" => body["title"] = json!("x"),
        "put_agreed_reading" => body["ratings"]["feelings.heard"] = rating,
        "create_next_step" | "patch_next_step" => {
            body["what"] = json!("x");
            body["by_whom"] = json!({"label": "x", "external_id": {"system": "x", "value": "x"}});
            body["evidence"] = json!([{"label": "x", "url": "https://example.org/x"}]);
        }
        "create_model" | "patch_model" => {
            body["attribution"] = json!("x");
            body["copyright"] = json!("x");
            body["guide"] = json!([{"key": "one", "title": "x", "text": "x"}]);
        }
        "create_perspective" | "patch_perspective" => body["description"] = json!("x"),
        "create_constellation" | "patch_constellation" => {
            body["title"] = json!("x");
            body["description"] = json!("x");
            body["external_ids"] = names.clone();
            body["parties"] = json!([{"key": "team", "kind": "team", "label": "x", "external_ids": names}]);
            let cardinality = json!({"from": "some", "to": "some"});
            body["relationships"] = json!([
                {"from": "team", "to": "team", "cardinality": cardinality, "label": "x", "circumstances": "x"}
            ]);
        }
        _ => {}
    }
    Some((media_type, body))
}

fn with_headers(request: TestRequest) -> TestRequest {
    let headers = [
        "User-Agent",
        "Referer",
        "Cookie",
        "From",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Real-IP",
        "Origin",
        "Traceparent",
        "Tracestate",
        "Baggage",
        "X-Api-Key",
        "Accept-Language",
    ];
    let request = headers.iter().fold(request, |request, name| {
        request.insert_header((*name, format!("{VALUE}-{name}")))
    });
    request
        .insert_header(("X-Request-Id", REQUEST_ID))
        .insert_header((KEY, VALUE))
}

/// What is wrong with an answer that tells what nobody should repeat.
fn told(answer: &Answer, what: &str, secrets: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if answer.status >= 400 && (value.contains(VALUE) || value.contains(KEY)) {
            faults.push(format!("{what}: {name}: {value}"));
        }
    }
    if answer.status >= 400 {
        let mut problem: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
        if let Some(errors) = problem["errors"].as_array_mut() {
            // That a pointer names a key is what it is for.
            for error in errors {
                error["pointer"] = json!(error["pointer"].as_str().unwrap_or("").replace(KEY, ""));
            }
        }
        let text = problem.to_string();
        let is_told = text.contains(VALUE) || text.contains(KEY) || secrets.iter().any(|secret| text.contains(secret));
        faults.extend(is_told.then(|| format!("{what}: {text}")));
    }
    faults
}

/// Every way to sing to an operation.
async fn songs(
    document: &Value,
    operation: &Operation,
    world: &World,
    number: &mut usize,
) -> Vec<(Option<u16>, TestRequest)> {
    let mut songs = Vec::new();
    let path = world.path(operation);
    let uri = format!("{path}{}", world.query(operation));
    let etag = if ["PUT", "PATCH", "DELETE"].contains(&operation.method.as_str()) {
        world.owner.get(&path).await.etag()
    } else {
        String::new()
    };
    if let Some((media_type, body)) = talkative(operation, world) {
        let schema = &operation.described["requestBody"]["content"][&media_type]["schema"];
        let is_form = media_type.ends_with("urlencoded");
        let valid = if is_form {
            body.clone()
        } else {
            sung(document, schema, &body, number)
        };
        let to = |body: Value| world.to(operation, &uri, &etag, Some((media_type.clone(), body)));
        let raw = |content_type: &str, text: String| {
            let request = TestRequest::with_uri(&uri)
                .method(method(&operation.method))
                .insert_header(("If-Match", "*"));
            request
                .insert_header(("Content-Type", content_type.to_owned()))
                .set_payload(text)
        };
        let keyed = to(valid.clone()).insert_header(("Idempotency-Key", format!("{VALUE}-{number}")));
        songs.extend([
            (Some(200), keyed),
            (None, to(out_of_tune(&body))),
            (None, to(json!([VALUE]))),
            (None, to(json!(VALUE))),
            (None, raw(&media_type, format!("{{\"{VALUE}\": {VALUE}"))),
            (None, raw(VALUE, format!("\"{VALUE}\""))),
            (
                None,
                raw(&format!("{media_type}; charset={VALUE}"), format!("\"{VALUE}\u{0}\"")),
            ),
            (None, raw(&media_type, VALUE.repeat(100_000))),
            (None, to(valid.clone()).insert_header(("Content-Encoding", VALUE))),
            (
                None,
                to(valid.clone()).insert_header(("If-Match", format!("\"{VALUE}\""))),
            ),
            (
                None,
                to(valid.clone()).insert_header(("Idempotency-Key", format!("{VALUE} {VALUE}"))),
            ),
            (
                None,
                to(valid.clone()).insert_header(("Authorization", format!("Bearer {VALUE}"))),
            ),
            (
                None,
                to(valid.clone()).insert_header(("Authorization", format!("Basic {VALUE}"))),
            ),
        ]);
    } else {
        songs.push((Some(200), world.to(operation, &uri, &etag, None)));
    }
    let elsewhere = world.path_with(operation, &|_| Some(VALUE.to_owned()));
    let plain = |uri: String| {
        TestRequest::with_uri(&uri)
            .method(method(&operation.method))
            .insert_header(("If-Match", "*"))
    };
    songs.extend([
        (None, plain(elsewhere.clone())),
        (None, plain(format!("{elsewhere}/{VALUE}"))),
        (
            None,
            plain(format!(
                "{path}?{KEY}={VALUE}&cursor={VALUE}&limit={VALUE}&format={VALUE}&system={VALUE}&value={VALUE}"
            )),
        ),
        (
            None,
            plain(format!(
                "{path}?perspective={VALUE}&from={VALUE}&model={VALUE}&external_id={VALUE}&status={VALUE}"
            )),
        ),
        (
            None,
            plain(path.clone()).insert_header(("Accept", format!("{VALUE}/{VALUE}"))),
        ),
        (None, plain(path.clone()).insert_header(("If-None-Match", VALUE))),
        (
            None,
            plain(path.clone()).insert_header(("Authorization", format!("{VALUE} {VALUE}"))),
        ),
        (
            None,
            TestRequest::with_uri(&path).method(Method::from_bytes(VALUE.to_uppercase().as_bytes()).expect("a method")),
        ),
    ]);
    songs
}

#[actix_web::test]
async fn nothing_that_is_written_or_that_proves_who_calls_is_logged_counted_or_told() {
    let app = TestApp::new().await;
    let server = Server::start(&app, "info,meaningful_connections=trace").await;
    let owner = app.organisation("acme").by(&call(server.api));
    let document = document();
    let (mut number, mut asked, mut done, mut faults) = (0, 0, 0, Vec::new());
    let mut secrets = Vec::new();
    for operation in all(&document) {
        let world = World::new(app.organisation("acme").by(&call(server.api))).await;
        secrets.push(world.client_secret.clone());
        secrets.push(world.owner.token.clone().expect("a token"));
        let own = [
            world.client_secret.as_str(),
            world.owner.token.as_deref().expect("a token"),
        ];
        for (expected, song) in songs(&document, &operation, &world, &mut number).await {
            asked += 1;
            let is_own = expected.is_some();
            let song = if is_own { song } else { with_headers(song) };
            let answer = if operation.scope().is_some() {
                world.owner.send(song).await
            } else {
                app.nobody().by(&call(server.api)).send(song).await
            };
            let what = format!("{} {}", operation.id(), answer.status);
            if is_own && answer.status >= 300 {
                faults.push(format!("{what} is no success: {}", answer.text()));
            }
            done += usize::from(is_own);
            faults.extend(told(&answer, &what, &own));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(done, all(&document).len());
    // And where the database fails, or has what it should not have.
    let mut second = Second::open(&app.database);
    let damaged = owner.draft("team", "forming", "maturing").await;
    second.run(&format!(
        "UPDATE assessments SET draft = '\"{VALUE}\"' WHERE draft IS NOT NULL"
    ));
    second.run("ALTER TABLE gap_analyses RENAME TO elsewhere");
    let mut body = assessment("team", "forming", "maturing");
    body["respondent_ref"] = json!(VALUE);
    for answer in [
        owner.get(&damaged.uri()).await,
        owner.get(&format!("{}/draft", damaged.uri())).await,
        owner.get("/v1/gap-analyses").await,
    ] {
        assert!(answer.status >= 500, "{}", answer.text());
        assert_eq!(told(&answer, "broken", &[]), Vec::<String>::new());
    }
    second.run("ALTER TABLE elsewhere RENAME TO gap_analyses");
    let (log, metrics) = (server.log(), server.page_of_metrics());
    let lines = log.lines().count();
    println!(
        "canaries: {asked} requests to {} operations, {} texts, {lines} lines of log",
        all(&document).len(),
        number
    );
    assert!(
        log.contains(REQUEST_ID) && log.contains("a stored value cannot be read"),
        "the log is read"
    );
    assert!(metrics.contains("http_request_duration_seconds"), "{metrics}");
    for text in log.lines().chain(metrics.lines()) {
        let lower = text.to_lowercase();
        assert!(!lower.contains(VALUE) && !lower.contains(KEY), "{text}");
        for secret in &secrets {
            let proof = secret.rsplit('.').next().expect("a part");
            assert!(!text.contains(secret) && !text.contains(proof), "a secret: {text}");
        }
    }
}

#[actix_web::test]
async fn what_is_no_request_at_all_is_not_logged_either() {
    let app = TestApp::new().await;
    let server = Server::start(&app, "info,meaningful_connections=trace").await;
    for request in [
        format!("{VALUE}\r\n\r\n"),
        format!("GET /{VALUE} HTTP/9.9\r\n\r\n"),
        format!("GET /v1/models HTTP/1.1\r\n{VALUE}\r\n\r\n"),
        format!("GET /v1/models HTTP/1.1\r\nHost: {VALUE}\r\nContent-Length: {VALUE}\r\n\r\n"),
        format!("POST /v1/models HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{VALUE}\r\n"),
        format!("GET http://{VALUE}/{VALUE} HTTP/1.1\r\nHost: {VALUE}\r\nConnection: close\r\n\r\n"),
        format!("CONNECT {VALUE}:80 HTTP/1.1\r\nHost: {VALUE}\r\nConnection: close\r\n\r\n"),
        format!("GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VALUE}\0\r\n\r\n"),
    ] {
        let address = server.api;
        let answer = actix_web::web::block(move || {
            let mut request = request.into_bytes();
            // Whoever waits for more of it learns that there is none.
            request.extend_from_slice(b"\r\n\r\n");
            exchange(address, &request)
        });
        let answer = answer.await.expect("a thread").expect("an exchange");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(!answer.contains(VALUE), "{answer}");
    }
    let (log, metrics) = (server.log().to_lowercase(), server.page_of_metrics());
    assert!(!log.contains(VALUE) && !metrics.contains(VALUE), "{log}");
}

/// Every file in which the database keeps its tables: of `PostgreSQL` without its log, which ages out.
fn files(database: &Database, second: &mut Second) -> Vec<PathBuf> {
    let folder = match database {
        Database::Sqlite(folder) => folder.path().to_owned(),
        Database::Postgres(_) => {
            let base = "SELECT current_setting('data_directory') || '/base/' || oid AS line FROM pg_database \
                        WHERE datname = current_database()";
            PathBuf::from(second.lines(base).remove(0))
        }
    };
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .collect()
}

/// The files in which a text stands.
fn files_with(app: &TestApp, text: &str) -> Vec<PathBuf> {
    let mut second = Second::open(&app.database);
    if let Second::Postgres(_) = second {
        // What autovacuum does in its time, and what nothing but a rewrite does to the holes in pages; statistics hold values.
        for sql in ["ANALYZE", "VACUUM FULL", "CHECKPOINT"] {
            second.run(sql);
        }
    }
    let has = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    files(&app.database, &mut second).into_iter().filter(has).collect()
}

const ERASED: &str = "Rotkehlchen4711";
const KEPT: &str = "Nachtigall4711";

fn written(text: &str) -> Value {
    let mut body = assessment("team", "forming", "maturing");
    body["respondent_ref"] = json!(text);
    body["external_ids"] = json!([{"system": format!("{text}-system"), "value": text}]);
    body["ratings"]["feelings.heard"]["note"] = json!(text);
    body["ratings"]["tools.time"] = json!({"not_applicable": true, "reason": text});
    body
}

/// An assessment with this text in all that can be written: replayed, submitted twice, amended, analysed.
async fn said_everywhere(client: &Client, text: &str) -> String {
    let keyed = TestRequest::post()
        .uri("/v1/assessments")
        .insert_header(("Idempotency-Key", "k-1"))
        .set_json(written(text));
    let uri = client.send(keyed).await.uri();
    submit(client, &uri).await;
    client.act(&format!("{uri}/amend")).await;
    let patched = client
        .patch(
            &uri,
            json!({"ratings": {"space.safe": {"note": format!("{text} again")}}}),
        )
        .await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    submit(client, &uri).await;
    client.act(&format!("{uri}/amend")).await;
    let made = client
        .post("/v1/gap-analyses", json!({"assessments": [id_of(&uri)]}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    uri
}

/// Everything that a client can be answered.
async fn answers(client: &Client, uri: &str) -> String {
    let mut texts = Vec::new();
    for path in [
        "",
        "/draft",
        "/versions",
        "/versions/1",
        "/versions/2",
        "/versions/2/diff?from=1",
    ] {
        texts.push(client.get(&format!("{uri}{path}")).await.text());
    }
    let found = format!("/v1/assessments?external_id={ERASED}-system|{ERASED}");
    for path in [
        "/v1/assessments",
        "/v1/assessments?status=withdrawn",
        "/v1/gap-analyses",
        &*found,
    ] {
        texts.push(client.get(path).await.text());
    }
    let again = TestRequest::post()
        .uri("/v1/assessments")
        .insert_header(("Idempotency-Key", "k-1"))
        .set_json(written(ERASED));
    let again = client.send(again).await;
    assert_eq!(again.status, 410, "{}", again.text());
    texts.push(again.text());
    texts.concat()
}

#[actix_web::test]
async fn what_was_erased_is_in_no_answer_no_table_and_no_file() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    said_everywhere(&app.organisation("rival"), KEPT).await;
    let uri = said_everywhere(&acme, ERASED).await;
    assert_ne!(
        files_with(&app, ERASED),
        Vec::<PathBuf>::new(),
        "what is to be looked for can be found"
    );
    let erased = acme.act(&format!("{uri}/erase")).await;
    assert_eq!(erased.status, 204, "{}", erased.text());
    assert_eq!(files_with(&app, ERASED), Vec::<PathBuf>::new());
    assert_eq!(Second::open(&app.database).tables_with(ERASED), [""; 0]);
    assert!(!answers(&acme, &uri).await.contains(ERASED));
    assert_ne!(files_with(&app, KEPT), Vec::<PathBuf>::new(), "what stays stays");
}

#[actix_web::test]
async fn what_retention_erased_is_in_no_file_and_neither_are_answers_after_a_day() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = said_everywhere(&acme, ERASED).await;
    let request = TestRequest::post()
        .uri("/v1/models")
        .insert_header(("Idempotency-Key", "k-2"));
    let made = acme
        .send(request.set_json(json!({"slug": "short-lived", "title": "Zaunkoenig4711"})))
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(acme.delete("/v1/models/short-lived/draft").await.status, 204);
    withdraw(&acme, &uri).await;
    app.advance(24 * 60 * 60 + 1);
    assert_eq!(jobs::retain(&app.db).expect("retention"), 0);
    assert_eq!(files_with(&app, "Zaunkoenig4711"), Vec::<PathBuf>::new());
    assert_ne!(
        files_with(&app, ERASED),
        Vec::<PathBuf>::new(),
        "it can still be restored"
    );
    app.advance(30 * 24 * 60 * 60);
    assert_eq!(jobs::retain(&app.db).expect("retention"), 1);
    assert_eq!(files_with(&app, ERASED), Vec::<PathBuf>::new());
}

#[actix_web::test]
async fn where_a_reader_in_another_process_stands_in_the_way_what_was_erased_goes_once_it_leaves() {
    let app = TestApp::new().await;
    let Database::Sqlite(_) = app.database else { return };
    let acme = app.organisation("acme");
    let uri = said_everywhere(&acme, ERASED).await;
    let mut reader = Second::open(&app.database);
    reader.run("BEGIN; SELECT count(*) FROM assessments");
    let erased = acme.act(&format!("{uri}/erase")).await;
    assert_eq!(erased.status, 204, "{}", erased.text());
    assert_eq!(acme.get(&uri).await.status, 404);
    assert_ne!(
        files_with(&app, ERASED),
        Vec::<PathBuf>::new(),
        "the reader still sees it"
    );
    reader.run("COMMIT");
    jobs::retain(&app.db).expect("retention");
    assert_eq!(files_with(&app, ERASED), Vec::<PathBuf>::new());
}
