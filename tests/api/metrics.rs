//! What an operator's Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::{app::assessment, server::Server};

/// A metric: its type, and the names of its labels.
type Described = BTreeMap<String, (String, BTreeSet<String>)>;

/// The names of the labels of a series, but for that of a histogram's bounds.
fn labels(series: &str) -> BTreeSet<String> {
    let labels = series.split_once('{').map_or("", |(_, labels)| labels);
    let names = labels.split(',').filter_map(|label| label.split_once("=\""));
    let names = names.map(|(name, _)| name.to_owned());
    names.filter(|name| name != "le").collect()
}

/// What a page says of its metrics.
fn described(page: &str) -> Described {
    let mut described = Described::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let help = format!("# HELP {name} ");
            assert!(page.contains(&help), "{name} explains itself");
            described.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') && !line.is_empty() {
            let name = line.split(['{', ' ']).next().expect("a name");
            let of_histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .filter_map(|end| name.strip_suffix(end))
                .find(|base| described.contains_key(*base));
            let metric = described.get_mut(of_histogram.unwrap_or(name));
            metric.expect("a type before its series").1.extend(labels(line));
        }
    }
    described
}

/// What the operator's table says: `| name | type | labels | meaning |`.
fn documented() -> Described {
    let lines = include_str!("../../k8s/README.md").lines();
    let rows = lines.filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| {
        row.split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect::<Vec<_>>()
    });
    cells
        .filter(|cells| ["counter", "gauge", "histogram"].contains(&cells[1].as_str()))
        .map(|cells| {
            let labels = cells[2].split(", ").filter(|label| !label.is_empty());
            (
                cells[0].clone(),
                (cells[1].clone(), labels.map(str::to_owned).collect()),
            )
        })
        .collect()
}

/// The value of a series; zero where there is none.
fn value(page: &str, series: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

#[track_caller]
fn assert_value(page: &str, series: &str, expected: f64) {
    let found = value(page, series);
    assert!(
        (found - expected).abs() < f64::EPSILON,
        "{series} is {found}, not {expected}"
    );
}

#[test]
fn the_operators_table_has_every_metric_with_its_type_and_its_labels() {
    let server = Server::start(&[]);
    assert_eq!(
        server
            .send("GET", "/v1/models", &[("Authorization", "Bearer no")], "")
            .status,
        401
    );
    let refused = server.send("POST", "/v1/oauth/token", &[("Content-Type", "text/plain")], "");
    assert_eq!(refused.status, 400);
    server.wait_until("the first run of retention is over", |server| {
        server.metrics().contains("\nretention_last_success_timestamp_seconds ")
    });
    assert_eq!(described(&server.metrics()), documented());
}

#[test]
fn what_happened_is_counted_by_operation_and_only_where_it_stands() {
    let server = Server::start(&[]);
    let key = [("Idempotency-Key", "once")];
    let body = assessment("team", "forming", "maturing");
    let made = server.post("/v1/assessments", &key, &body);
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(server.post("/v1/assessments", &key, &body).status, 201);
    let submit = format!("{}/submit", made.location);
    assert_eq!(server.send("POST", &submit, &[], "").status, 200);
    assert_eq!(server.send("POST", &submit, &[], "").status, 409);
    assert_eq!(
        server.send("POST", &format!("{}/erase", made.location), &[], "").status,
        204
    );
    assert_eq!(server.get(&made.location).status, 404);
    let page = server.metrics();
    for (series, expected) in [
        (
            "http_requests_total{operation=\"create_assessment\",status=\"201\"}",
            2.0,
        ),
        (
            "http_requests_total{operation=\"submit_assessment\",status=\"200\"}",
            1.0,
        ),
        (
            "http_requests_total{operation=\"submit_assessment\",status=\"409\"}",
            1.0,
        ),
        ("http_requests_total{operation=\"get_assessment\",status=\"404\"}", 1.0),
        (
            "http_request_duration_seconds_count{operation=\"submit_assessment\"}",
            2.0,
        ),
        (
            "http_request_duration_seconds_count{operation=\"amend_assessment\"}",
            0.0,
        ),
        ("sealed_versions_total{kind=\"assessment\"}", 1.0),
        ("sealed_versions_total{kind=\"model\"}", 0.0),
        ("erased_assessments_total", 1.0),
        ("idempotent_replays_total", 1.0),
        ("auth_tokens_issued_total", 1.0),
        ("http_requests_in_flight", 0.0),
        ("database_up", 1.0),
    ] {
        assert_value(&page, series, expected);
    }
    assert!(value(&page, "process_resident_memory_bytes") > 1_000_000.0);
    assert!(value(&page, "process_open_fds") > 3.0);
}

#[test]
fn every_operation_is_counted_under_its_own_id() {
    let server = Server::start(&[]);
    let answered = |page: &str, id: &str| -> f64 {
        let series = format!("http_requests_total{{operation=\"{id}\",");
        let lines = page.lines().filter(|line| line.starts_with(&series));
        lines
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
            .sum()
    };
    let before = server.metrics();
    let operations = include_str!("../../openapi/operations.txt").lines().map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        [words.next(), words.next(), words.next()].map(|word| word.expect("id, method, path"))
    });
    let operations: Vec<[String; 3]> = operations.collect();
    for [_, method, path] in &operations {
        let parts = path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part });
        server.send(method, &parts.collect::<Vec<_>>().join("/"), &[], "");
    }
    let after = server.metrics();
    let wrong: Vec<&String> = operations
        .iter()
        .map(|[id, ..]| id)
        .filter(|id| (answered(&after, id) - answered(&before, id) - 1.0).abs() > f64::EPSILON)
        .collect();
    assert!(operations.len() > 50 && wrong.is_empty(), "{wrong:?}");
    assert_value(&after, "http_request_duration_seconds_count{operation=\"none\"}", 0.0);
}

#[test]
fn no_caller_can_make_up_a_label() {
    let server = Server::start(&[]);
    let series = |server: &Server| -> BTreeSet<String> {
        let page = server.metrics();
        page.lines()
            .filter(|line| line.starts_with("http_"))
            .filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series.to_owned()))
            .collect()
    };
    assert_eq!(server.get("/nowhere").status, 404);
    assert_eq!(server.send("DELETE", "/v1/models", &[], "").status, 405);
    assert_eq!(server.get("/v1/models/nothing").status, 404);
    let before = series(&server);
    for number in 0..20 {
        assert_eq!(server.get(&format!("/nowhere/{number}?x={number}")).status, 404);
        assert_eq!(server.get(&format!("/v1/models/nothing-{number}")).status, 404);
        assert_eq!(
            server.send(&format!("METHOD{number}"), "/v1/models", &[], "").status,
            405
        );
    }
    assert_eq!(series(&server), before);
    assert_value(
        &server.metrics(),
        "http_requests_total{operation=\"none\",status=\"405\"}",
        21.0,
    );
}
