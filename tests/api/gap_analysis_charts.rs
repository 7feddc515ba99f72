//! A gap analysis as charts.

use actix_web::test::TestRequest;
use roxmltree::{Document, Node};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    gap_analysis_findings::{analysed, worked_example},
    making::submitted,
};

const CHARTS: [&str; 4] = ["radar", "dumbbell", "heat_map", "distribution"];

fn uri(analysis: &Value, chart: &str) -> String {
    format!(
        "/v1/gap-analyses/{}/charts/{chart}",
        analysis["id"].as_str().expect("an id")
    )
}

/// What is seen, and what is said in its place.
fn words(picture: &str) -> (Vec<String>, Vec<String>) {
    let document = Document::parse(picture).unwrap_or_else(|error| panic!("{error}: {picture}"));
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    let seen = texts.filter_map(|node| node.text().map(ToOwned::to_owned)).collect();
    let said = document
        .descendants()
        .filter(Node::is_element)
        .filter_map(|node| node.attribute("aria-label").map(ToOwned::to_owned))
        .collect();
    (seen, said)
}

async fn drawn(client: &Client, uri: &str) -> Answer {
    let answer = client.get(uri).await;
    assert_eq!(
        (answer.status, answer.header("content-type").as_str()),
        (200, "image/svg+xml"),
        "{uri} {}",
        answer.text()
    );
    answer
}

#[actix_web::test]
async fn every_chart_is_a_picture_that_runs_nothing_and_is_known_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    let mut etags = std::collections::BTreeSet::new();
    for chart in CHARTS {
        let answer = drawn(&acme, &uri(&shown, chart)).await;
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        assert_eq!(answer.header("content-language"), "en");
        let known = TestRequest::get()
            .uri(&uri(&shown, chart))
            .insert_header(("If-None-Match", answer.etag()));
        assert_eq!(acme.send(known).await.status, 304, "{chart}");
        etags.insert(answer.etag());
        let (seen, _) = words(&answer.text());
        assert!(
            seen.contains(&"Worked".to_owned()) && seen.contains(&"Care".to_owned()),
            "{seen:?}"
        );
    }
    assert_eq!(etags.len(), CHARTS.len());
}

#[actix_web::test]
async fn a_chart_follows_the_newest_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    submitted(&acme, assessment("team", "forming", "maturing")).await;
    let shown = analysed(&acme, json!({"select": {"model": "meaningful-connections"}})).await;
    let before = drawn(&acme, &uri(&shown, "heat_map")).await;
    submitted(&acme, assessment("service_user", "early_stages", "maturing")).await;
    let id = shown["id"].as_str().expect("an id");
    assert_eq!(acme.act(&format!("/v1/gap-analyses/{id}/recompute")).await.status, 201);
    let known = TestRequest::get()
        .uri(&uri(&shown, "heat_map"))
        .insert_header(("If-None-Match", before.etag()));
    let after = acme.send(known).await;
    assert_eq!(after.status, 200);
    let said = |answer: &Answer, cell: &str| words(&answer.text()).1.iter().filter(|said| *said == cell).count();
    let (team, user) = ("Forming (median 2)", "Early stages (median 1)");
    assert_eq!((said(&before, team), said(&before, user)), (34, 0));
    assert_eq!((said(&after, team), said(&after, user)), (34, 34));
}

#[actix_web::test]
async fn a_chart_shows_the_figures_of_the_perspective_that_is_asked_for() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    // Being heard: three service users at 1, 1 and 2 wish for 3, 4 and 3; two of the team at 3 and 4 wish for 4 and 4.
    let everybody = words(&drawn(&acme, &uri(&shown, "distribution")).await.text()).0;
    assert!(
        everybody.join(" ").contains("heard current 2 1 1 1 desired 0 0 2 3"),
        "{everybody:?}"
    );
    let team = words(
        &drawn(&acme, &format!("{}?perspective=team", uri(&shown, "distribution")))
            .await
            .text(),
    )
    .0;
    assert!(
        team.join(" ").contains("heard current 0 0 1 1 desired 0 0 0 2"),
        "{team:?}"
    );
    let both = "perspective=service_user&compare=team";
    let apart = words(
        &drawn(&acme, &format!("{}?{both}", uri(&shown, "dumbbell")))
            .await
            .text(),
    )
    .1;
    let said = "heard: service user Early stages (median 1), team between Maturing and Embedded (median 3.5): 2.5 levels apart, a blind spot";
    assert!(apart.iter().any(|words| words == said), "{apart:?}");
    // Care, of the team: 3, and 3 and 4; wished for 3, and 4 and 4.
    let over = words(&drawn(&acme, &format!("{}?{both}", uri(&shown, "radar"))).await.text()).1;
    assert!(
        over.contains(&"Maturing (median 3), from 3 ratings".to_owned()),
        "{over:?}"
    );
    let dark = drawn(&acme, &format!("{}?theme=dark&perspective=all", uri(&shown, "radar")))
        .await
        .text();
    assert!(dark.contains("class=\"mc-dark\"") && dark.contains("@media print"));
}

#[actix_web::test]
async fn the_picture_of_an_analysis_is_its_radar() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    let id = shown["id"].as_str().expect("an id");
    let picture = drawn(&acme, &format!("/v1/gap-analyses/{id}?format=svg")).await;
    assert_eq!(picture.body, drawn(&acme, &uri(&shown, "radar")).await.body);
}

#[actix_web::test]
async fn a_query_that_makes_no_sense_is_refused_with_all_its_faults() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let shown = worked_example(&acme).await;
    for (query, faults) in [
        (
            "perspective=nobody&compare=never",
            &["/perspective unknown_reference", "/compare unknown_reference"][..],
        ),
        ("perspective=team&compare=team", &["/compare duplicate"]),
        ("compare=all", &["/compare duplicate"]),
        (
            "theme=grey&compare=A%20b&colour=red",
            &["/theme invalid", "/compare invalid", "/colour unknown_parameter"],
        ),
    ] {
        for chart in CHARTS {
            let refused = acme.get(&format!("{}?{query}", uri(&shown, chart))).await;
            assert_eq!(
                (refused.status, refused.code().as_str()),
                (400, "invalid_parameter"),
                "{query}"
            );
            assert_eq!(refused.faults(), faults, "{query}");
        }
    }
    for missing in ["pie", "Radar", "radar.svg"] {
        let missing = acme.get(&uri(&shown, missing)).await;
        assert_eq!((missing.status, missing.code().as_str()), (404, "not_found"));
    }
}
