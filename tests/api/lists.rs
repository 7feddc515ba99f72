//! Lists: pages that neither lose nor repeat, and queries that are taken at their word.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    problems::assert_problem,
};

async fn perspective(client: &Client, slug: &str) -> String {
    let made = client
        .post(
            "/v1/perspectives",
            json!({"slug": slug, "label": slug, "voice": "collective"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().unwrap_or_default().to_owned()
}

fn items(page: &Answer) -> Vec<Value> {
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["data"].as_array().cloned().unwrap_or_default()
}

fn ids(page: &Answer) -> Vec<String> {
    let id = |item: &Value| item["id"].as_str().unwrap_or_default().to_owned();
    items(page).iter().map(id).collect()
}

/// Where the `Link` header leads.
fn next(page: &Answer) -> Option<String> {
    let link = page.header("link");
    let uri = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(uri.to_owned())
}

#[actix_web::test]
async fn paging_through_seven_by_two_loses_and_repeats_nothing_while_new_ones_arrive() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(acme.draft("team", "forming", "maturing").await.json()["id"].clone());
    }
    let (mut seen, mut uri, mut pages) = (Vec::new(), Some("/v1/assessments?limit=2".to_owned()), 0);
    while let Some(asked) = uri {
        let page = acme.get(&asked).await;
        seen.extend(ids(&page));
        pages += 1;
        uri = next(&page);
        assert_eq!(uri.is_some(), page.json()["next_cursor"].is_string());
        acme.draft("team", "forming", "maturing").await;
    }
    made.reverse();
    assert_eq!(json!(seen), json!(made), "newest first, each once");
    assert_eq!(pages, 4);
}

#[actix_web::test]
async fn the_cursor_and_the_link_lead_to_the_same_page() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for slug in ["one", "two", "three"] {
        perspective(&acme, slug).await;
    }
    let first = acme.get("/v1/perspectives?limit=3").await;
    let cursor = first.json()["next_cursor"].as_str().unwrap_or_default().to_owned();
    let by_cursor = acme.get(&format!("/v1/perspectives?cursor={cursor}&limit=3")).await;
    let by_link = acme.get(&next(&first).unwrap_or_default()).await;
    assert_eq!(ids(&by_cursor), ids(&by_link));
    assert_eq!(ids(&by_cursor).len(), 3);
    // Another page length goes with the same cursor.
    let rest = acme.get(&format!("/v1/perspectives?cursor={cursor}&limit=200")).await;
    assert_eq!(ids(&rest).len(), 4);
    assert_eq!(
        (rest.json()["next_cursor"].clone(), rest.header("link")),
        (Value::Null, String::new())
    );
}

#[actix_web::test]
async fn a_list_that_ends_with_a_full_page_says_so() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let page = acme.get("/v1/perspectives?limit=4").await;
    assert_eq!(items(&page).len(), 4);
    assert_eq!((page.json()["next_cursor"].clone(), next(&page)), (Value::Null, None));
    assert_eq!(
        acme.get("/v1/assessments").await.json(),
        json!({"data": [], "next_cursor": null})
    );
}

#[actix_web::test]
async fn a_page_holds_50_unless_told_otherwise_and_200_at_most() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for number in 0..52 {
        perspective(&acme, &format!("p{number}")).await;
    }
    assert_eq!(items(&acme.get("/v1/perspectives").await).len(), 50);
    assert_eq!(items(&acme.get("/v1/perspectives?limit=200").await).len(), 56);
    assert_eq!(items(&acme.get("/v1/perspectives?limit=1").await).len(), 1);
    for limit in ["0", "201", "abc", "-1", "", "1.5", "+", "1e1", "99999999999", "%00"] {
        let refused = acme.get(&format!("/v1/perspectives?limit={limit}")).await;
        assert_problem(&refused, 400, "invalid_parameter");
        assert!(
            refused.faults().iter().all(|fault| fault.starts_with("/limit ")),
            "{:?}",
            refused.faults()
        );
    }
}

#[actix_web::test]
async fn versions_are_listed_newest_first_and_paged_like_everything_else() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    perspective(&acme, "partner").await;
    for label in ["two", "three", "four", "five"] {
        acme.patch("/v1/perspectives/partner", json!({"label": label})).await;
    }
    let (mut seen, mut uri) = (Vec::new(), Some("/v1/perspectives/partner/versions?limit=2".to_owned()));
    while let Some(asked) = uri {
        let page = acme.get(&asked).await;
        seen.extend(items(&page).iter().map(|item| item["version"].clone()));
        uri = next(&page);
    }
    assert_eq!(json!(seen), json!([5, 4, 3, 2, 1]));
}

#[actix_web::test]
async fn an_organisation_lists_its_own_things_and_the_public_ones() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    perspective(&rival, "rivals").await;
    rival.draft("team", "forming", "maturing").await;
    rival
        .post("/v1/models", json!({"slug": "rivals", "title": "Rivals"}))
        .await;
    let slugs = |page: &Answer| -> BTreeSet<String> {
        items(page)
            .iter()
            .map(|item| item["slug"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let built_in = ["organisation", "service_user", "team", "team_member"].map(ToOwned::to_owned);
    assert_eq!(slugs(&acme.get("/v1/perspectives").await), BTreeSet::from(built_in));
    assert_eq!(
        slugs(&acme.get("/v1/models").await),
        BTreeSet::from(["meaningful-connections".to_owned()])
    );
    assert_eq!(items(&acme.get("/v1/assessments").await), Vec::<Value>::new());
    assert_eq!(items(&acme.get("/v1/clients").await).len(), 1);
}

#[actix_web::test]
async fn a_cursor_works_only_for_its_list_its_filters_and_its_organisation() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let cursor = |page: Answer| page.json()["next_cursor"].as_str().unwrap_or_default().to_owned();
    let public = cursor(acme.get("/v1/perspectives?limit=2").await);
    for _ in 0..2 {
        acme.draft("team", "forming", "maturing").await;
    }
    let drafts = cursor(acme.get("/v1/assessments?limit=1&status=draft&perspective=team").await);
    let fine = format!("/v1/assessments?perspective=team&status=draft&cursor={drafts}");
    assert_eq!(
        items(&acme.get(&fine).await).len(),
        1,
        "the order of filters does not matter"
    );
    assert_problem(
        &rival.get(&format!("/v1/perspectives?limit=2&cursor={public}")).await,
        400,
        "invalid_cursor",
    );
    for uri in [
        format!("/v1/models?cursor={public}"),
        format!("/v1/perspectives/team/versions?cursor={public}"),
        format!("/v1/assessments?cursor={drafts}"),
        format!("/v1/assessments?status=submitted&perspective=team&cursor={drafts}"),
        "/v1/perspectives?cursor=".to_owned(),
        "/v1/perspectives?cursor=garbage".to_owned(),
        "/v1/perspectives?cursor=e30".to_owned(),
        format!("/v1/perspectives?cursor={public}A"),
        format!("/v1/perspectives?cursor={}", public.get(1..).unwrap_or_default()),
        format!("/v1/perspectives?cursor={}", "A".repeat(5000)),
    ] {
        assert_problem(&acme.get(&uri).await, 400, "invalid_cursor");
    }
}

#[actix_web::test]
async fn a_parameter_that_the_operation_does_not_name_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for uri in [
        "/v1/models?colour=red",
        "/v1/perspectives?status=sealed",
        "/v1/models/meaningful-connections?version=1",
        "/v1/models/meaningful-connections/versions/1?limit=1",
        "/v1/organisation?x",
        "/v1/perspectives/team?=",
    ] {
        let refused = acme.get(uri).await;
        assert_problem(&refused, 400, "invalid_parameter");
        assert_eq!(refused.json()["errors"][0]["code"], "unknown_parameter", "{uri}");
    }
    assert_problem(
        &acme.post("/v1/models?dry_run=true", json!({})).await,
        400,
        "invalid_parameter",
    );
    assert_problem(
        &acme.patch_if("/v1/organisation?x=1", "*", json!({})).await,
        400,
        "invalid_parameter",
    );
}

#[actix_web::test]
async fn all_faults_of_a_query_are_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let query = "limit=0&colour=red&status=happy&model=A&perspective=team&perspective=team&updated_since=soon";
    let refused = acme.get(&format!("/v1/assessments?{query}")).await;
    assert_problem(&refused, 400, "invalid_parameter");
    let mut faults = refused.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/colour unknown_parameter",
            "/limit invalid",
            "/model invalid",
            "/perspective duplicate",
            "/status invalid",
            "/updated_since invalid",
        ]
    );
}

#[actix_web::test]
async fn a_parameter_that_stands_twice_is_refused_however_it_is_spelled() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for query in ["limit=2&limit=2", "limit=2&limit=3", "limit=2&%6cimit=2"] {
        let refused = acme.get(&format!("/v1/models?{query}")).await;
        assert_problem(&refused, 400, "invalid_parameter");
        assert_eq!(refused.faults(), ["/limit duplicate"], "{query}");
    }
}

#[actix_web::test]
async fn what_a_query_cannot_hold_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for query in [
        "external_id=crm%7Ca%00b",
        "external_id=crm%7C%FF",
        "external_id=crm",
        "external_id=%7C7",
        "model=%0A",
    ] {
        let refused = acme.get(&format!("/v1/assessments?{query}")).await;
        assert_problem(&refused, 400, "invalid_parameter");
    }
}
