//! A gap analysis as CSV, SVG and Markdown, and what never enters any of them.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    gap_analysis_findings::worked_example,
    making::{id_of, model, published, ratings, submitted},
};

const FORMATS: &[(&str, &str)] = &[
    ("json", "application/json"),
    ("csv", "text/csv; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("markdown", "text/markdown; charset=utf-8"),
];

fn uri(analysis: &Value) -> String {
    format!("/v1/gap-analyses/{}", analysis["id"].as_str().unwrap_or_default())
}

async fn accepting(client: &Client, uri: &str, accept: &str) -> Answer {
    client
        .send(TestRequest::get().uri(uri).insert_header(("Accept", accept)))
        .await
}

/// A model whose every word tries to become something else: a formula, a tag, emphasis.
async fn hostile_analysis(client: &Client) -> Value {
    let labels = [
        ("care.safe", "=HYPERLINK(\"http://x\")"),
        ("care.heard", "<script>alert('&')</script>"),
        ("care.kind", "**bold** [link](http://x) | `code`"),
    ];
    let mut hostile = model("ours", &labels);
    hostile["themes"][0]["label"] = json!("+Care & <Co>");
    published(client, hostile).await;
    let rated = ratings(&[("care.safe", 1, 3), ("care.heard", 2, 3), ("care.kind", 2, 3)]);
    for perspective in ["team", "service_user"] {
        submitted(
            client,
            json!({"model": "ours", "perspective": perspective, "ratings": rated}),
        )
        .await;
    }
    let body = json!({"title": "=1+1 <b>\"Spring\"</b> # & co", "select": {"model": "ours"}});
    let made = client.post("/v1/gap-analyses", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

#[actix_web::test]
async fn every_format_is_had_by_name_and_by_media_type() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    for place in [uri(&shown), format!("{}/versions/1", uri(&shown))] {
        for (name, media_type) in FORMATS {
            let by_name = accepting(&acme, &format!("{place}?format={name}"), "text/html").await;
            assert_eq!(
                (by_name.status, by_name.header("content-type").as_str()),
                (200, *media_type)
            );
            let bare = media_type.split(';').next().unwrap_or_default();
            let by_type = accepting(&acme, &place, &format!("text/html, {bare};q=0.9, */*;q=0.1")).await;
            assert_eq!(
                (&by_type.body, by_type.etag()),
                (&by_name.body, by_name.etag()),
                "{name}"
            );
            assert_eq!(by_name.header("cache-control"), "private, no-cache");
        }
        assert_eq!(acme.get(&place).await.header("content-type"), "application/json");
        assert_eq!(
            accepting(&acme, &place, "*/*").await.header("content-type"),
            "application/json"
        );
        let refused = accepting(&acme, &place, "text/html").await;
        assert_eq!((refused.status, refused.code().as_str()), (406, "not_acceptable"));
        assert_eq!(acme.get(&format!("{place}?format=xlsx")).await.status, 400);
    }
}

#[actix_web::test]
async fn each_format_has_an_etag_of_its_own_by_which_it_is_known() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    for place in [uri(&shown), format!("{}/versions/1", uri(&shown))] {
        let mut etags = std::collections::BTreeSet::new();
        for (name, _) in FORMATS {
            let uri = format!("{place}?format={name}");
            let etag = acme.get(&uri).await.etag();
            let known = TestRequest::get()
                .uri(&uri)
                .insert_header(("If-None-Match", etag.clone()));
            let known = acme.send(known).await;
            assert_eq!(
                (known.status, known.text(), known.etag()),
                (304, String::new(), etag.clone()),
                "{name}"
            );
            for other in &etags {
                let other = TestRequest::get()
                    .uri(&uri)
                    .insert_header(("If-None-Match", String::clone(other)));
                assert_eq!(acme.send(other).await.status, 200, "{name}");
            }
            etags.insert(etag);
        }
        assert_eq!(etags.len(), FORMATS.len());
    }
    // Any of them names the revision that a recomputation is for.
    let csv = acme.get(&format!("{}?format=csv", uri(&shown))).await.etag();
    let recompute = TestRequest::post()
        .uri(&format!("{}/recompute", uri(&shown)))
        .insert_header(("If-Match", csv));
    assert_eq!(acme.send(recompute).await.status, 200);
}

#[actix_web::test]
async fn a_table_has_a_row_an_element_and_perspective() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    let table = acme.get(&format!("{}?format=csv", uri(&shown))).await.text();
    let lines: Vec<&str> = table.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 2 * 2 + 1, "{table}");
    let header: Vec<&str> = lines[0].split(',').collect();
    assert_eq!(
        header.get(..7),
        Some(
            &[
                "element",
                "label",
                "theme",
                "strand",
                "perspective",
                "n",
                "not_applicable"
            ][..]
        )
    );
    assert!(
        lines[1].starts_with("care.safe,safe,care,safety,service_user,3,0,1,2,0,0,2,1.67,"),
        "{}",
        lines[1]
    );
    assert_eq!(
        lines[2],
        "care.safe,safe,care,safety,team,1,1,0,0,1,0,3,3,,0,0,1,0,3,3,,0,0,0,0,1,0,0,0,,"
    );
    assert_eq!(
        lines[3],
        "care.heard,heard,care,,service_user,3,0,2,1,0,0,1,1.33,0.78,0,0,2,1,3,3.33,0.78,2,0,0,0,0,1,1,1,,"
    );
    assert_eq!(lines[5], "");
    assert!(lines.iter().take(5).all(|line| line.split(',').count() == header.len()));
}

#[actix_web::test]
async fn words_never_become_formulas_tags_or_emphasis() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = hostile_analysis(&acme).await;
    let table = acme.get(&format!("{}?format=csv", uri(&shown))).await.text();
    assert!(
        table.contains("\r\ncare.safe,\"'=HYPERLINK(\"\"http://x\"\")\",care,"),
        "{table}"
    );
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let cells = reader
        .records()
        .flat_map(|row| row.expect("a row").iter().map(ToOwned::to_owned).collect::<Vec<_>>());
    let formulas: Vec<String> = cells.filter(|cell| cell.starts_with(['=', '+', '@'])).collect();
    assert_eq!(formulas, [""; 0]);
    let drawing = acme.get(&format!("{}?format=svg", uri(&shown))).await.text();
    assert!(!drawing.contains("<script") && !drawing.contains("<b>"), "{drawing}");
    let report = acme.get(&format!("{}?format=markdown", uri(&shown))).await.text();
    assert!(!report.contains("<script") && !report.contains("<b>"), "{report}");
    assert!(
        !report.contains("**bold**") && !report.contains("[link](http") && !report.contains("`code`"),
        "{report}"
    );
}

#[actix_web::test]
async fn a_drawing_is_well_formed_and_runs_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = hostile_analysis(&acme).await;
    for place in [uri(&shown), format!("{}/versions/1", uri(&shown))] {
        let drawing = acme.get(&format!("{place}?format=svg")).await;
        assert_eq!(
            drawing.header("content-security-policy"),
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        );
        assert_eq!(drawing.header("x-content-type-options"), "nosniff");
        let text = drawing.text();
        let elements = well_formed(&text);
        assert_eq!(elements.first().map(String::as_str), Some("svg"), "{text}");
        assert!(elements.len() > 10);
        for forbidden in ["script", "foreignObject", "image", "a", "use", "iframe"] {
            assert!(!elements.iter().any(|element| element == forbidden), "{forbidden}");
        }
        assert!(!text.contains(" on") || !text.contains("=\"javascript"), "{text}");
    }
}

/// The names of the elements of an XML document; panics where it is not well-formed.
fn well_formed(text: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    elements.map(|element| element.tag_name().name().to_owned()).collect()
}

#[actix_web::test]
async fn nothing_that_people_wrote_enters_an_analysis() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", &[("care.safe", "safe"), ("care.heard", "heard")])).await;
    let mut ids = Vec::new();
    for perspective in ["team", "service_user"] {
        let body = json!({
            "model": "ours", "perspective": perspective, "respondent_ref": "CANARY-respondent",
            "external_ids": [{"system": "CANARY-system", "value": format!("CANARY-{perspective}")}],
            "ratings": {
                "care.safe": {"current": "early_stages", "desired": "maturing", "note": "CANARY-note"},
                "care.heard": {"not_applicable": true, "reason": "CANARY-reason", "note": "CANARY-note"},
            },
        });
        ids.push(id_of(&submitted(&acme, body).await));
    }
    let first = acme.post("/v1/gap-analyses", json!({"assessments": ids})).await;
    let body = json!({"assessments": ids, "baseline": first.json()["id"]});
    let second = acme.post("/v1/gap-analyses", body.clone()).await;
    assert_eq!(second.status, 201, "{}", second.text());
    let mut answers = vec![
        acme.post("/v1/gap-analyses/preview", body).await,
        acme.get("/v1/gap-analyses").await,
    ];
    for (format, _) in FORMATS {
        answers.push(acme.get(&format!("{}?format={format}", second.uri())).await);
        answers.push(acme.get(&format!("{}/versions/1?format={format}", second.uri())).await);
    }
    answers.extend([first, second]);
    for answer in answers {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        assert!(!answer.text().contains("CANARY"), "{}", answer.text());
    }
}

#[actix_web::test]
async fn a_report_tells_a_team_what_was_found() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    let report = acme.get(&format!("{}?format=markdown", uri(&shown))).await.text();
    assert!(report.starts_with("# Worked\n"), "{report}");
    for told in [
        "Care: heard",
        "Care: safe",
        "service user",
        "team",
        "Maturing",
        "Embedded",
    ] {
        assert!(report.contains(told), "{told}: {report}");
    }
}
