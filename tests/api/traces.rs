//! What an operator's collector of traces is sent.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::mpsc::{Receiver, channel},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;

use crate::{
    app::assessment,
    ports::free_port,
    server::{PROGRAM, Server},
};

/// A collector: what is posted to it.
fn collector() -> (String, Receiver<ExportTraceServiceRequest>) {
    let (listener, (sender, receiver)) = (TcpListener::bind("127.0.0.1:0").expect("a port"), channel());
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut connection = BufReader::new(connection);
                while let Some(body) = posted(&mut connection) {
                    drop(sender.send(ExportTraceServiceRequest::decode(body.as_slice()).expect("OTLP")));
                }
            });
        }
    });
    (url, receiver)
}

/// Reads a request for `/v1/traces` and answers it.
fn posted(connection: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if connection.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    let (_, length) = head.split_once("content-length: ").expect("a length");
    let length = length.lines().next().and_then(|length| length.parse().ok());
    let mut body = vec![0; length.expect("a number")];
    connection.read_exact(&mut body).ok()?;
    let answered = connection
        .get_mut()
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    answered.ok().map(|()| body)
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> &'a str {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key} is {other:?} in {attributes:?}"),
    }
}

fn spans(posted: &[ExportTraceServiceRequest]) -> Vec<&Span> {
    let scopes = posted
        .iter()
        .flat_map(|posted| &posted.resource_spans)
        .flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).collect()
}

fn hex(id: &[u8]) -> String {
    id.iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn a_request_and_its_work_for_the_database_are_spans_of_the_callers_trace() {
    let (url, received) = collector();
    let mut server = Server::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let body = assessment("team", "forming", "maturing");
    let made = server.post(
        "/v1/assessments",
        &[("traceparent", parent), ("X-Request-Id", "traced")],
        &body,
    );
    assert_eq!(made.status, 201);
    let unsampled = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    assert_eq!(
        server
            .send("GET", &made.location, &[("traceparent", unsampled)], "")
            .status,
        200
    );
    let log = server.stop();
    // It has ended: whatever it had to send is sent.
    let posted: Vec<ExportTraceServiceRequest> = received.try_iter().collect();
    let resource = &posted[0].resource_spans[0]
        .resource
        .as_ref()
        .expect("a resource")
        .attributes;
    assert_eq!(text(resource, "service.name"), "meaningful-connections");
    assert_eq!(text(resource, "service.version"), env!("CARGO_PKG_VERSION"));
    let all = spans(&posted);
    let of_trace = |id: &str| {
        all.iter()
            .filter(move |span| hex(&span.trace_id) == id)
            .collect::<Vec<_>>()
    };
    let traced = of_trace("0af7651916cd43dd8448eb211c80319c");
    let request = traced
        .iter()
        .find(|span| hex(&span.parent_span_id) == "b7ad6b7169203331")
        .expect("a child");
    assert_eq!(request.name, "POST /v1/assessments");
    assert_eq!(text(&request.attributes, "operation"), "create_assessment");
    assert_eq!(text(&request.attributes, "http.route"), "/v1/assessments");
    assert_eq!(text(&request.attributes, "request_id"), "traced");
    let work: Vec<&str> = traced
        .iter()
        .filter(|span| span.parent_span_id == request.span_id)
        .map(|span| span.name.as_str())
        .collect();
    assert_eq!(work, ["database write"]);
    assert_eq!(
        of_trace("1af7651916cd43dd8448eb211c80319c").len(),
        0,
        "who does not sample is not sampled"
    );
    assert!(
        log.contains("\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\""),
        "{log}"
    );
    // A request without a parent has a trace of its own, which its line names.
    let token = all
        .iter()
        .find(|span| span.name == "POST /v1/oauth/token")
        .expect("a span");
    assert!(
        log.contains(&format!("\"trace_id\":\"{}\"", hex(&token.trace_id))),
        "{log}"
    );
}

#[test]
fn a_collector_that_is_not_there_or_never_answers_keeps_nobody_waiting() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    let nobody = format!("http://127.0.0.1:{}", free_port());
    for url in [silent, nobody] {
        let mut server = Server::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
            ("OTEL_BSP_SCHEDULE_DELAY", "10"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "16"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
        ]);
        for _ in 0..100 {
            assert_eq!(server.get("/v1/models").status, 200);
        }
        server.stop();
    }
}

#[test]
fn what_cannot_be_heeded_of_opentelemetrys_variables_is_refused_before_anything_starts() {
    let refused = |variables: &[(&str, &str)]| {
        let ran = Command::new(PROGRAM)
            .env("DATABASE_URL", "sqlite:/nowhere/at/all.sqlite")
            .env("LISTEN", format!("127.0.0.1:{}", free_port()))
            .env("METRICS_LISTEN", format!("127.0.0.1:{}", free_port()))
            .envs(variables.iter().copied())
            .output()
            .expect("the program runs");
        assert!(!ran.status.success());
        String::from_utf8_lossy(&ran.stderr).into_owned()
    };
    let here = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for (variables, named) in [
        (
            &[here, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")][..],
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ),
        (&[here, ("OTEL_TRACES_EXPORTER", "zipkin")], "OTEL_TRACES_EXPORTER"),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://example.org")],
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "127.0.0.1:4318")],
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
    ] {
        let said = refused(variables);
        assert!(said.contains(&format!("error: {named}: ")), "{said}");
    }
    // Where nobody wants traces, the rest does not matter: it is the database that is missed.
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let said = refused(&[off, ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://example.org")]);
        assert!(said.contains("error: ") && !said.contains("OTEL_"), "{said}");
    }
}
