//! What stands in the headers of every answer: ids, caching, and what browsers are told.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use actix_web::{HttpServer, test::TestRequest};
use meaningful_connections::http::{House, app};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::{Answer, Client, PUBLIC_URL, TestApp, method},
    problems::assert_problem,
};

const FRONT: &str = "https://front.example";

fn from_origin(verb: &str, uri: &str, origin: &str) -> TestRequest {
    TestRequest::with_uri(uri)
        .method(method(verb))
        .insert_header(("Origin", origin))
}

#[actix_web::test]
async fn a_request_id_is_echoed_or_made() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let asked = |id: Vec<u8>| {
        let id = actix_web::http::header::HeaderValue::from_bytes(&id).expect("a value");
        acme.send(
            TestRequest::get()
                .uri("/v1/organisation")
                .insert_header(("X-Request-Id", id)),
        )
    };
    for id in ["1", "~!@#", &"x".repeat(128), "00-4bf92f3577b34da6-01"] {
        assert_eq!(asked(id.into()).await.header("x-request-id"), id);
    }
    for id in [&b"a b"[..], b"caf\xe9", b"", &[b'x'; 129], b"a\tb"] {
        let answer = asked(id.to_vec()).await;
        assert_eq!(answer.status, 200);
        assert!(
            Uuid::try_parse(&answer.header("x-request-id")).is_ok(),
            "a new one stands for {id:?}"
        );
    }
    let (one, two) = (acme.get("/livez").await, acme.get("/livez").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[actix_web::test]
async fn refusals_have_a_request_id_too() {
    let app = TestApp::new().await;
    for (verb, uri) in [
        ("GET", "/v1/nowhere"),
        ("DELETE", "/v1/models"),
        ("GET", "/v1/models"),
        ("POST", "/v1/oauth/token"),
    ] {
        let request = TestRequest::with_uri(uri)
            .method(method(verb))
            .insert_header(("X-Request-Id", "mine"));
        let answer = app.nobody().send(request).await;
        assert!(answer.status >= 400);
        assert_eq!(answer.header("x-request-id"), "mine", "{verb} {uri}");
    }
}

/// Every value of a list header.
fn list(answer: &Answer, name: &str) -> Vec<String> {
    let values = answer.headers.get_all(name).filter_map(|value| value.to_str().ok());
    let parts = values.flat_map(|value| value.split(',').map(|part| part.trim().to_ascii_lowercase()));
    parts.collect()
}

#[actix_web::test]
async fn caches_are_told_which_headers_decide() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for uri in [
        "/v1/models/meaningful-connections/versions/1",
        "/v1/models/meaningful-connections/versions/1/form?perspective=team",
        "/v1/perspectives",
        "/v1/assessments/nothing",
        "/v1/nowhere",
    ] {
        let vary = list(&acme.get(uri).await, "vary");
        for name in ["accept", "accept-language", "authorization"] {
            assert!(vary.contains(&name.to_owned()), "{uri}: {vary:?}");
        }
    }
}

#[actix_web::test]
async fn what_never_changes_is_kept_for_a_year_and_by_whom_depends_on_whose_it_is() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let ours =
        json!({"slug": "ours", "title": "Ours", "derived_from": {"model": "meaningful-connections", "version": 1}});
    assert_eq!(acme.post("/v1/models", ours).await.status, 201);
    assert_eq!(acme.act("/v1/models/ours/publish").await.status, 200);
    acme.post(
        "/v1/perspectives",
        json!({"slug": "partner", "label": "Partner", "voice": "collective"}),
    )
    .await;
    let assessment = acme.submitted("team", "forming", "maturing").await;
    let (public, own) = (
        "public, max-age=31536000, immutable",
        "private, max-age=31536000, immutable",
    );
    let asked = "private, no-cache";
    for (uri, caching) in [
        ("/v1/models/meaningful-connections/versions/1", public),
        (
            "/v1/models/meaningful-connections/versions/1/form?perspective=team",
            public,
        ),
        ("/v1/models/meaningful-connections/versions/1/guide", public),
        ("/v1/perspectives/team/versions/1", public),
        ("/v1/models/ours/versions/1", own),
        ("/v1/models/ours/versions/1/form?perspective=team", own),
        ("/v1/models/ours/versions/1/guide", own),
        ("/v1/perspectives/partner/versions/1", own),
        // The perspective may change, and with it the form.
        (
            "/v1/models/meaningful-connections/versions/1/form?perspective=partner",
            asked,
        ),
        ("/v1/models/meaningful-connections", asked),
        ("/v1/models", asked),
        (&assessment, asked),
        (&format!("{assessment}/versions/1"), asked),
    ] {
        for _ in 0..2 {
            let answer = acme.get(uri).await;
            assert_eq!(
                (answer.status, answer.header("cache-control").as_str()),
                (200, caching),
                "{uri}"
            );
        }
    }
}

#[actix_web::test]
async fn a_browser_on_an_allowed_origin_reads_answers_and_the_headers_it_needs() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for (uri, status) in [
        ("/v1/perspectives", 200),
        ("/v1/assessments/nothing", 404),
        ("/v1/nowhere", 404),
    ] {
        let answer = acme.send(from_origin("GET", uri, FRONT)).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), FRONT, "{uri}");
        let exposed = list(&answer, "access-control-expose-headers");
        for name in [
            "etag",
            "location",
            "link",
            "x-request-id",
            "idempotent-replayed",
            "retry-after",
            "consistency-token",
        ] {
            assert!(exposed.contains(&name.to_owned()), "{name} {exposed:?}");
        }
        assert!(list(&answer, "vary").contains(&"origin".to_owned()));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    let refused = app.nobody().send(from_origin("GET", "/v1/perspectives", FRONT)).await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin").as_str()),
        (401, FRONT)
    );
}

#[actix_web::test]
async fn a_browser_on_an_allowed_origin_may_ask_first() {
    let app = TestApp::new().await;
    for verb in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let asked = from_origin("OPTIONS", "/v1/assessments/x", FRONT);
        let asked = asked.insert_header(("Access-Control-Request-Method", verb));
        let headers = "authorization, content-type, if-match, idempotency-key, x-request-id";
        let answer = app
            .nobody()
            .send(asked.insert_header(("Access-Control-Request-Headers", headers)))
            .await;
        assert!([200, 204].contains(&answer.status), "{verb}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), FRONT);
        assert!(list(&answer, "access-control-allow-methods").contains(&verb.to_lowercase()));
        let allowed = list(&answer, "access-control-allow-headers");
        for name in headers.split(", ") {
            assert!(allowed.contains(&name.to_owned()), "{name} {allowed:?}");
        }
    }
}

#[actix_web::test]
async fn a_browser_on_another_origin_is_told_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for origin in [
        "https://evil.example",
        "http://front.example",
        "https://front.example.evil.example",
        "null",
    ] {
        let answer = acme.send(from_origin("GET", "/v1/perspectives", origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        let asked = from_origin("OPTIONS", "/v1/perspectives", origin);
        let answer = app
            .nobody()
            .send(asked.insert_header(("Access-Control-Request-Method", "POST")))
            .await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
        assert_eq!(answer.header("access-control-allow-methods"), "", "{origin}");
        assert_problem(&answer, 400, "invalid_header");
    }
}

#[actix_web::test]
async fn options_tells_what_a_resource_can_do() {
    let app = TestApp::new().await;
    let options = |uri: &'static str| {
        let nobody: Client = app.nobody();
        async move { nobody.send(TestRequest::with_uri(uri).method(method("OPTIONS"))).await }
    };
    let model = options("/v1/models/x").await;
    assert_eq!((model.status, model.body.len()), (204, 0));
    let mut allowed = list(&model, "allow");
    allowed.sort();
    assert_eq!(allowed, ["get", "head", "patch"]);
    assert_eq!(model.header("accept-patch"), "application/merge-patch+json");
    assert_eq!(options("/v1/models").await.header("accept-patch"), "");
    assert_problem(&options("/v1/nowhere").await, 404, "not_found");
}

/// The head and the body of an answer, as they come over the wire.
async fn over_the_wire(port: u16, request: String) -> (String, String) {
    let exchange = move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = actix_web::web::block(exchange)
        .await
        .expect("a thread")
        .expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_ascii_lowercase(), body.to_owned())
}

#[actix_web::test]
async fn head_is_get_without_a_body() {
    let test = TestApp::new().await;
    let acme = test.organisation("acme");
    let token = acme.token.clone().unwrap_or_default();
    let house = House::new(
        Arc::clone(&test.db),
        Arc::clone(&test.gate),
        PUBLIC_URL.to_owned(),
        Vec::new(),
    );
    let house = house.expect("a document");
    let server = HttpServer::new(move || app(&house)).workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).expect("a port");
    let port = server.addrs().first().expect("an address").port();
    let server = server.run();
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    for (uri, status) in [
        ("/v1/perspectives/team", "200"),
        ("/v1/perspectives/nobody", "404"),
        ("/livez", "200"),
    ] {
        let rest = format!(
            "{uri} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nX-Request-Id: i\r\nConnection: close\r\n\r\n"
        );
        let (get, body) = over_the_wire(port, format!("GET {rest}")).await;
        let (head, nothing) = over_the_wire(port, format!("HEAD {rest}")).await;
        let without_date = |head: &str| -> Vec<String> {
            let mut lines: Vec<String> = head
                .lines()
                .filter(|line| !line.starts_with("date:"))
                .map(ToOwned::to_owned)
                .collect();
            lines.sort();
            lines
        };
        assert!(get.starts_with(&format!("http/1.1 {status}")), "{get}");
        assert_eq!(without_date(&head), without_date(&get), "{uri}");
        assert!(!body.is_empty());
        assert_eq!(nothing, "", "{uri}");
    }
    handle.stop(false).await;
    serving.await.expect("served").expect("served well");
}

#[actix_web::test]
async fn without_replicas_nobody_gets_a_consistency_token_and_whoever_sends_one_is_answered_all_the_same() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.draft("team", "forming", "maturing").await;
    assert_eq!(made.header("consistency-token"), "");
    for token in ["any", "none", "AAAAAQAAAAADAWhI", "any, any", "\u{e9}"] {
        let request = TestRequest::get()
            .uri(&made.uri())
            .insert_header(("Consistency-Token", token));
        let found = acme.send(request).await;
        assert_eq!((found.status, found.json()), (200, made.json()), "{token}");
    }
}
