//! Requests that are too large, too deep, too wide, too slow, or no HTTP: the real binary refuses each within its time, keeps
//! its memory, and goes on to serve everybody else. How fast it does meanwhile is measured by `tests/drills/hostile`.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    problems::assert_problem,
    wire::{Server, call, exchange, first_answer, read_all},
};

/// Whoever makes the service take more memory than this on top of what it had could fill it.
const MOST_GROWTH_KIB: u64 = 192 * 1024;
/// The slowest that anything may take that the service ends by itself: bodies have 20 s.
const SLOWEST: Duration = Duration::from_secs(45);

struct Target {
    server: Server,
    client: Client,
    before: u64,
}

impl Target {
    async fn new(app: &TestApp) -> Self {
        let server = Server::start(app, "info").await;
        let client = app.organisation("acme").by(&call(server.api));
        // What a first request brings into memory is no growth.
        for _ in 0..20 {
            assert_eq!(client.get("/v1/models").await.status, 200);
            assert_eq!(client.draft("team", "forming", "maturing").await.status, 201);
        }
        let before = server.resident_kib().unwrap_or_default();
        Self { server, client, before }
    }

    fn head(&self, line: &str) -> String {
        let token = self.client.token.as_deref().expect("a token");
        format!("{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n")
    }

    fn json(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let head = self.head(&format!("POST {path}"));
        let head = format!(
            "{head}Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    async fn ask(&self, request: Vec<u8>) -> Option<Answer> {
        let address = self.server.api;
        let answer = actix_web::web::block(move || exchange(address, &request)).await;
        first_answer(&answer.expect("a thread").expect("an exchange"))
    }

    /// Whoever behaves is served, and memory has not grown beyond bounds.
    async fn is_well(&self, after: &str) {
        assert_eq!(self.client.get("/v1/models").await.status, 200, "after {after}");
        let now = self.server.resident_kib().unwrap_or_default();
        println!(
            "hostile requests: {after}: {} KiB resident, {} before",
            now, self.before
        );
        assert!(
            now < self.before + MOST_GROWTH_KIB,
            "after {after}: {now} KiB, {} before",
            self.before
        );
    }
}

/// What it is called, where it is sent, what is sent, and how it may be answered.
type Refused<'a> = (&'a str, &'a str, Vec<u8>, &'a [(u16, &'a str)]);

fn deep(opening: &str, closing: &str, depth: usize) -> Vec<u8> {
    format!("{}{}", opening.repeat(depth), closing.repeat(depth)).into_bytes()
}

fn wide(number: usize, item: impl Fn(usize) -> String) -> String {
    (0..number).map(item).collect::<Vec<_>>().join(",")
}

#[actix_web::test]
async fn what_is_too_large_too_deep_or_too_wide_is_refused() {
    let app = TestApp::new().await;
    let target = Target::new(&app).await;
    let uuid = |place: usize| format!("\"01890a5d-ac96-774b-bcce-{place:012x}\"");
    let bodies: Vec<Refused<'_>> = vec![
        ("2 MiB", "/v1/models", vec![b' '; 2 << 20], &[(413, "payload_too_large")]),
        ("one byte too much", "/v1/models", vec![b' '; (1 << 20) + 1], &[(413, "payload_too_large")]),
        ("spaces", "/v1/models", vec![b' '; 1 << 20], &[(400, "malformed_json")]),
        ("arrays in arrays", "/v1/models", deep("[", "]", 100_000), &[(400, "malformed_json")]),
        ("objects in objects", "/v1/models", deep("{\"a\":", "}", 100_000), &[(400, "malformed_json")]),
        ("arrays that never end", "/v1/models", "[".repeat(1 << 20).into_bytes(), &[(400, "malformed_json")]),
        ("100,000 keys", "/v1/models", format!("{{{}}}", wide(100_000, |n| format!("\"{n}\":0"))).into_bytes(), &[(422, "invalid")]),
        ("one key 100,000 times", "/v1/models", format!("{{{}}}", wide(100_000, |_| "\"a\":0".to_owned())).into_bytes(), &[(422, "invalid")]),
        ("100,000 items", "/v1/gap-analyses", format!("{{\"assessments\":[{}]}}", wide(100_000, |n| n.to_string())).into_bytes(), &[(422, "invalid")]),
        ("26,000 ids", "/v1/gap-analyses", format!("{{\"assessments\":[{}]}}", wide(26_000, uuid)).into_bytes(), &[(422, "too_many_inputs")]),
        ("100,000 names", "/v1/assessments", format!("{{\"model\":\"x\",\"perspective\":\"x\",\"external_ids\":[{}]}}", wide(100_000, |_| "{}".to_owned())).into_bytes(), &[(422, "invalid")]),
        ("50,000 ratings", "/v1/assessments", format!("{{\"model\":\"meaningful-connections\",\"perspective\":\"team\",\"ratings\":{{{}}}}}", wide(50_000, |n| format!("\"a.e{n}\":{{}}"))).into_bytes(), &[(422, "invalid")]),
        ("a note of a mebibyte", "/v1/assessments", format!("{{\"model\":\"meaningful-connections\",\"perspective\":\"team\",\"ratings\":{{\"feelings.heard\":{{\"note\":\"{}\"}}}}}}", "x".repeat((1 << 20) - 200)).into_bytes(), &[(422, "invalid")]),
        ("a number of a mebibyte", "/v1/models", format!("{{\"slug\":{}}}", "9".repeat((1 << 20) - 20)).into_bytes(), &[(400, "malformed_json"), (422, "invalid")]),
        ("an exponent", "/v1/assessments", b"{\"model_version\":1e999999999}".to_vec(), &[(400, "malformed_json"), (422, "invalid")]),
        ("500 previews", "/v1/gap-analyses/preview", {
            let ratings = wide(500, |n| format!("{{\"perspective\":\"p-{n}\",\"ratings\":{{}}}}"));
            format!("{{\"model\":\"meaningful-connections\",\"ratings\":[{ratings}]}}").into_bytes()
        }, &[(422, "unknown_reference")]),
    ];
    for (what, path, body, expected) in bodies {
        let answer = target.ask(target.json(path, &body)).await.expect("an answer");
        let met = expected.iter().find(|(status, _)| *status == answer.status);
        let Some((status, code)) = met else {
            panic!("{what}: {} {}", answer.status, answer.text())
        };
        assert_problem(&answer, *status, code);
        assert!(
            answer.body.len() < 512 * 1024,
            "{what}: an answer of {} bytes",
            answer.body.len()
        );
    }
    target.is_well("bodies").await;
}

#[actix_web::test]
async fn what_is_no_http_or_too_much_of_it_is_refused() {
    let app = TestApp::new().await;
    let target = Target::new(&app).await;
    let get = target.head("GET /v1/models");
    let flood = |number: usize| (0..number).fold(String::new(), |all, n| all + &format!("X-{n}: {n}\r\n"));
    let post = |more: &str| target.head("POST /v1/models") + "Content-Type: application/json\r\n" + more + "\r\n";
    let heads = [
        ("200 headers", format!("{get}{}\r\n", flood(200)), 431),
        ("100,000 headers", format!("{get}{}\r\n", flood(100_000)), 431),
        (
            "a header of 1 MiB",
            format!("{get}X: {}\r\n\r\n", "x".repeat(1 << 20)),
            431,
        ),
        (
            "a header that never ends",
            format!("{get}X: {}", "x".repeat(1 << 20)),
            431,
        ),
        (
            "a URL of 100 KB",
            target.head(&format!("GET /v1/models?cursor={}", "x".repeat(100_000))) + "\r\n",
            400,
        ),
        (
            "10,000 parameters",
            target.head(&format!(
                "GET /v1/models?{}",
                wide(10_000, |n| format!("a{n}=b")).replace(',', "&")
            )) + "\r\n",
            400,
        ),
        ("no length that is one", post("Content-Length: x\r\n"), 400),
        ("a length below nothing", post("Content-Length: -1\r\n"), 400),
        (
            "a length beyond everything",
            post("Content-Length: 99999999999999999999999\r\n"),
            400,
        ),
        ("two lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (
            "a length and chunks",
            post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
            400,
        ),
        (
            "a coding that is none",
            post("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
            400,
        ),
        (
            "a chunk beyond everything",
            post("Transfer-Encoding: chunked\r\n") + "fffffffffffffffff\r\n",
            400,
        ),
        (
            "a chunk of no size",
            post("Transfer-Encoding: chunked\r\n") + "x\r\n",
            400,
        ),
        ("a folded header", format!("{get}X: a\r\n b\r\n\r\n"), 400),
        ("a header without a colon", format!("{get}X\r\n\r\n"), 400),
        ("a space before the colon", format!("{get}X : y\r\n\r\n"), 400),
        ("another protocol", "GET / HTTP/3.0\r\n\r\n".to_owned(), 400),
        ("bytes", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), 400),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\r\n\r\n".to_owned(), 400),
        (
            "a longer body than is read",
            post("Content-Length: 9999999999\r\n") + "{",
            413,
        ),
    ];
    for (what, request, status) in heads {
        let answer = target
            .ask(request.into_bytes())
            .await
            .unwrap_or_else(|| panic!("{what}: no answer"));
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    }
    target.is_well("heads").await;
}

/// Sends parts of something for ever, until the server has had enough: what it answered, and after how long.
fn drip(address: SocketAddr, begin: &[u8], part: &[u8], pause: Duration) -> (Vec<u8>, Duration) {
    let since = Instant::now();
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nonblocking(true).expect("not blocking");
    let (mut answer, mut some, mut left) = (Vec::new(), vec![0; 65536], begin.to_vec());
    while since.elapsed() < SLOWEST {
        match stream.read(&mut some) {
            Ok(0) => return (answer, since.elapsed()),
            Ok(read) => answer.extend_from_slice(&some[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(pause),
            Err(_) => return (answer, since.elapsed()),
        }
        if left.is_empty() {
            left.extend_from_slice(part);
        }
        match stream.write(&left) {
            Ok(written) => drop(left.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // It has closed: what it said before can still be read.
            Err(_) => left.clear(),
        }
    }
    (answer, since.elapsed())
}

/// Many that drip at once.
async fn dripping(
    address: SocketAddr,
    many: usize,
    begin: Vec<u8>,
    part: Vec<u8>,
    pause: Duration,
) -> Vec<(Option<Answer>, Duration)> {
    let dripping = move || {
        let threads: Vec<_> = (0..many)
            .map(|_| {
                let (begin, part) = (begin.clone(), part.clone());
                thread::Builder::new()
                    .stack_size(256 * 1024)
                    .spawn(move || drip(address, &begin, &part, pause))
                    .expect("a thread")
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect::<Vec<_>>()
    };
    let dripped = actix_web::web::block(dripping).await.expect("a thread");
    dripped
        .into_iter()
        .map(|(bytes, took)| (first_answer(&bytes), took))
        .collect()
}

#[actix_web::test]
async fn who_sends_too_slowly_is_told_so_and_others_are_served_meanwhile() {
    let app = TestApp::new().await;
    let target = Target::new(&app).await;
    let (address, second) = (target.server.api, Duration::from_secs(1));
    let head = dripping(
        address,
        150,
        target.head("GET /v1/models").into_bytes(),
        b"X: y\r\n".to_vec(),
        second,
    );
    let body = target.head("POST /v1/models") + "Content-Type: application/json\r\n";
    let measured = dripping(
        address,
        150,
        (body.clone() + "Content-Length: 100000\r\n\r\n{").into_bytes(),
        b" ".to_vec(),
        second,
    );
    let chunked = dripping(
        address,
        50,
        (body + "Transfer-Encoding: chunked\r\n\r\n").into_bytes(),
        b"1\r\n \r\n".to_vec(),
        second,
    );
    let form = "POST /v1/oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n";
    let form = dripping(address, 50, form.as_bytes().to_vec(), b"a".to_vec(), second);
    let healthy = async {
        let mut served = 0;
        for _ in 0..60 {
            assert_eq!(target.client.get("/v1/models").await.status, 200);
            assert_eq!(target.client.draft("team", "forming", "maturing").await.status, 201);
            served += 1;
            actix_web::rt::time::sleep(Duration::from_millis(250)).await;
        }
        served
    };
    let slow = futures_util::future::join4(head, measured, chunked, form);
    let ((head, measured, chunked, form), served) = futures_util::future::join(slow, healthy).await;
    assert_eq!(served, 60);
    for (kind, answers, status) in [
        ("head", head, 408),
        ("body", measured, 408),
        ("chunks", chunked, 408),
        ("form", form, 400),
    ] {
        for (answer, took) in answers {
            let answer = answer.unwrap_or_else(|| panic!("{kind}: no answer in {took:?}"));
            assert_eq!(answer.status, status, "{kind}: {}", answer.text());
            assert!(took < SLOWEST, "{kind}: {took:?}");
        }
    }
    target.is_well("slow requests").await;
}

#[actix_web::test]
async fn a_body_without_end_is_cut_off() {
    let app = TestApp::new().await;
    let target = Target::new(&app).await;
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 65536], b"\r\n"].concat();
    let none = Duration::from_millis(1);
    for (coding, status) in [
        ("", 413),
        ("Content-Encoding: gzip\r\n", 415),
        ("Content-Encoding: br\r\n", 415),
        ("Content-Encoding: deflate\r\n", 415),
        ("Content-Encoding: zstd\r\n", 415),
    ] {
        let head = target.head("POST /v1/models")
            + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            + coding
            + "\r\n";
        let answers = dripping(target.server.api, 8, head.into_bytes(), chunk.clone(), none).await;
        for (answer, took) in answers {
            let answer = answer.unwrap_or_else(|| panic!("{coding}: no answer in {took:?}"));
            assert_eq!(answer.status, status, "{coding}: {}", answer.text());
            assert!(took < SLOWEST, "{coding}: still read after {took:?}");
        }
    }
    // A bomb in one piece: it is not so much as unpacked.
    for coding in ["gzip", "br", "deflate", "gzip, gzip", "x-gzip"] {
        let body = vec![0x1f; 100_000];
        let head = target.head("POST /v1/models") + "Connection: close\r\nContent-Type: application/json\r\n";
        let head = format!(
            "{head}Content-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = target.ask([head.as_bytes(), &body].concat()).await.expect("an answer");
        assert_problem(&answer, 415, "unsupported_media_type");
    }
    target.is_well("bodies without end").await;
}

/// The framework gives no time to the head of a second request on a connection (actix-http 3.20): it holds a connection, and
/// must hold nothing else.
#[actix_web::test]
async fn second_requests_that_never_end_keep_nobody_waiting() {
    let app = TestApp::new().await;
    let target = Target::new(&app).await;
    let begin = target.head("GET /v1/models") + "\r\n" + &target.head("GET /v1/models");
    let mut halves: Vec<TcpStream> = (0..500)
        .map(|_| TcpStream::connect(target.server.api).expect("a connection"))
        .collect();
    for half in &mut halves {
        half.write_all(begin.as_bytes()).expect("sent");
    }
    for _ in 0..20 {
        for half in &mut halves {
            half.write_all(b"X: y\r\n").expect("sent");
        }
        assert_eq!(target.client.get("/v1/models").await.status, 200);
        assert_eq!(target.client.draft("team", "forming", "maturing").await.status, 201);
    }
    target.is_well("slow second requests").await;
}

#[actix_web::test]
async fn many_who_say_nothing_and_many_who_ask_at_once_are_served_like_everybody() {
    let app = TestApp::new().await;
    let target = Target::new(&app).await;
    let idle: Vec<TcpStream> = (0..500)
        .map(|_| TcpStream::connect(target.server.api).expect("a connection"))
        .collect();
    assert_eq!(target.client.get("/v1/models").await.status, 200);
    let one = target.head("GET /v1/perspectives/team") + "\r\n";
    let last = target.head("GET /v1/perspectives/team") + "Connection: close\r\n\r\n";
    let address = target.server.api;
    let pipelined = one.repeat(999) + &last;
    let answers = actix_web::web::block(move || exchange(address, pipelined.as_bytes()))
        .await
        .expect("a thread")
        .expect("answers");
    let text = String::from_utf8_lossy(&answers).into_owned();
    assert_eq!(
        text.matches("HTTP/1.1 200 OK").count(),
        1000,
        "every request has its answer"
    );
    assert_eq!(text.matches("\"slug\":\"team\"").count(), 1000);
    // A request that is refused with its body unread does not make one of that body.
    let smuggled = "GET /v1/models HTTP/1.1\r\nHost: smuggled\r\n\r\n";
    let refused =
        target.head("POST /v1/nowhere") + &format!("Content-Length: {}\r\n\r\n{smuggled}", smuggled.len()) + &last;
    let answers = exchange(address, refused.as_bytes()).expect("answers");
    let text = String::from_utf8_lossy(&answers).into_owned();
    assert_eq!(
        text.matches("HTTP/1.1 ").count(),
        1 + text.matches("\"slug\":\"team\"").count(),
        "{text}"
    );
    assert!(!text.contains("HTTP/1.1 401"), "{text}");
    drop(idle);
    target.is_well("idle connections and pipelines").await;
}

#[actix_web::test]
async fn who_does_not_read_answers_costs_little() {
    let app = TestApp::new().await;
    let target = Target::new(&app).await;
    let request = target.head("GET /openapi.json") + "\r\n";
    let asked = request.repeat(200);
    let mut deaf = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(target.server.api).expect("a connection");
        stream.set_nonblocking(true).expect("not blocking");
        // As much as the server takes of it.
        drop(stream.write(asked.as_bytes()));
        deaf.push(stream);
    }
    for _ in 0..20 {
        assert_eq!(target.client.get("/v1/models").await.status, 200);
        assert_eq!(target.client.draft("team", "forming", "maturing").await.status, 201);
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
    }
    target.is_well("answers that nobody reads").await;
    let mut last = deaf.pop().expect("a connection");
    drop(deaf);
    last.set_nonblocking(false).expect("blocking");
    last.set_read_timeout(Some(Duration::from_secs(3))).expect("a timeout");
    let mut some = vec![0; 1 << 20];
    assert!(
        last.read(&mut some).expect("an answer") > 0,
        "it is answered once it listens"
    );
    drop(read_all(&mut last));
    let shown: Value = json!(target.client.get("/v1/models").await.status);
    assert_eq!(shown, 200);
}
