//! What an operator reads in the log: one line a request, and nothing personal.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use serde_json::Value;

use crate::{
    app::{Database, assessment},
    faults::{administer, kill_connections},
    server::Server,
};

fn members(line: &Value) -> BTreeSet<&str> {
    line.as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

const OF_EVERY_LINE: [&str; 9] = [
    "timestamp",
    "level",
    "target",
    "message",
    "request_id",
    "operation",
    "method",
    "status",
    "duration_ms",
];

#[test]
fn a_request_is_one_line_of_json_that_says_who_asked_for_what_and_how_it_went() {
    let server = Server::start(&[]);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let body = assessment("team", "forming", "maturing");
    let made = server.post(
        "/v1/assessments",
        &[("X-Request-Id", "first"), ("traceparent", parent)],
        &body,
    );
    assert_eq!(made.status, 201);
    let nowhere = server.send("GET", "/nowhere", &[("X-Request-Id", "last")], "");
    assert_eq!(nowhere.status, 404);
    let lines = server.requests("last");
    let of = |id: &str| {
        let mut found = lines.iter().filter(|line| line["request_id"] == id);
        (found.next().expect("a line").clone(), found.count())
    };
    let (first, more) = of("first");
    assert_eq!(more, 0, "one line a request");
    let with_caller = OF_EVERY_LINE.iter().chain(&["trace_id", "organisation", "client"]);
    assert_eq!(members(&first), with_caller.copied().collect());
    assert_eq!(first["level"], "INFO");
    assert_eq!(first["message"], "answered");
    assert_eq!(first["operation"], "create_assessment");
    assert_eq!(first["method"], "POST");
    assert_eq!(first["status"], 201);
    assert_eq!(first["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert!(first["duration_ms"].as_f64().expect("a number") > 0.0);
    for id in ["organisation", "client"] {
        assert_eq!(first[id].as_str().expect("an id").len(), 36);
    }
    let (last, more) = of("last");
    assert_eq!(more, 0, "one line a request");
    assert_eq!(members(&last), OF_EVERY_LINE.into_iter().collect());
    assert_eq!((&last["operation"], &last["status"]), (&"none".into(), &404.into()));
}

#[test]
fn nothing_that_a_caller_sends_is_in_the_log_but_the_ids_of_request_and_trace() {
    let mut server = Server::start(&[("LOG", "debug")]);
    let secret = "canary-7f3a";
    let mut body = assessment("team", "forming", "maturing");
    body["respondent_ref"] = secret.into();
    body["external_ids"] = serde_json::json!([{"system": "crm", "value": secret}]);
    body["ratings"]["feelings.heard"]["note"] = secret.into();
    let headers = [
        ("User-Agent", secret),
        ("Idempotency-Key", secret),
        ("X-Other", secret),
        ("X-Forwarded-For", secret),
    ];
    let made = server.post("/v1/assessments", &headers, &body);
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        server
            .get(&format!("/v1/assessments?external_id=crm%7C{secret}"))
            .status,
        200
    );
    assert_eq!(server.get(&format!("/v1/models/{secret}")).status, 404);
    assert_eq!(server.get(&format!("/{secret}?{secret}={secret}")).status, 404);
    assert_eq!(server.send(secret, "/v1/models", &[], "").status, 405);
    assert_eq!(
        server
            .post("/v1/assessments", &[], &serde_json::json!({secret: secret}))
            .status,
        422
    );
    assert_eq!(
        server
            .send(
                "GET",
                "/v1/models",
                &[("Authorization", &format!("Bearer {secret}"))],
                ""
            )
            .status,
        401
    );
    let as_form = [("Content-Type", "application/x-www-form-urlencoded")];
    let form = format!("grant_type=client_credentials&client_id={secret}&client_secret={secret}");
    assert_eq!(server.send("POST", "/v1/oauth/token", &as_form, &form).status, 400);
    let id = made.location.rsplit('/').next().expect("an id").to_owned();
    assert_eq!(server.get(&made.location).status, 200);
    let log = server.stop();
    assert!(!log.contains(secret), "{log}");
    assert!(!log.contains(&id), "{log}");
}

#[test]
fn text_for_people_has_colours_only_where_a_terminal_shows_them() {
    let mut server = Server::start(&[("LOG_FORMAT", "text")]);
    let log = server.stop();
    assert!(log.contains(" answered ") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn what_fails_here_is_a_warning_that_says_why_and_what_is_slow_is_a_warning_too() {
    let server = Server::start(&[("LOG", "warn,meaningful_connections::store=debug")]);
    // The head of the request comes at once, its body only after more than a second.
    let mut slow = TcpStream::connect(server.listens()).expect("a connection");
    write!(
        slow,
        "POST /v1/oauth/token HTTP/1.1\r\nHost: here\r\nConnection: close\r\nX-Request-Id: slow\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n"
    )
    .expect("a head");
    std::thread::sleep(Duration::from_millis(1200));
    slow.write_all(b"a=b").expect("a body");
    slow.read_to_end(&mut Vec::new()).expect("an answer");
    let mut writer = None;
    match &server.database {
        Database::Postgres(name) => {
            administer(
                &server.database,
                &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false"),
            );
            kill_connections(&server.database);
        }
        Database::Sqlite(_) => {
            // Somebody else writes, for longer than anybody waits.
            let path = server.database.url().trim_start_matches("sqlite:").to_owned();
            let mut other = SqliteConnection::establish(&path).expect("the database");
            other.batch_execute("BEGIN EXCLUSIVE").expect("the lock");
            writer = Some(other);
        }
    }
    let body = assessment("team", "forming", "maturing");
    let refused = server.post("/v1/assessments", &[("X-Request-Id", "refused")], &body);
    assert_eq!(refused.status, 503, "{}", refused.body);
    drop(writer);
    let lines = server.requests("refused");
    let levels: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| {
            (
                line["request_id"].as_str().expect("an id"),
                line["level"].as_str().expect("a level"),
            )
        })
        .collect();
    assert_eq!(levels, [("slow", "WARN"), ("refused", "WARN")]);
    assert!(lines[0].get("cause").is_none());
    let cause = lines[1]["cause"].as_str().expect("a cause");
    assert!(cause.starts_with("unavailable: "), "{cause}");
    if let Database::Postgres(_) = server.database {
        // What a thread at the database says belongs to the request, too.
        let log = server.log();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        assert!(
            lines.any(|line| line["span"]["request_id"] == "refused" && line["message"] == "no connection"),
            "{log}"
        );
    }
}
