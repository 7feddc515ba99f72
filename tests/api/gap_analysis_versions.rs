//! Gap analyses through their life: recomputed, versioned, listed.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    gap_analyses::{URI, inputs, made},
    making::{column, digest_of, id_of, withdraw},
};

#[actix_web::test]
async fn recomputing_seals_the_next_version_only_where_something_changed() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let first = acme.submitted("team", "forming", "maturing").await;
    let second = acme.submitted("team", "maturing", "maturing").await;
    let analysis = made(&acme, json!({"select": {"model": "meaningful-connections"}})).await;
    let recompute = format!("{}/recompute", analysis.uri());
    let same = acme.act(&recompute).await;
    assert_eq!(
        (same.status, same.body.clone(), same.etag()),
        (200, analysis.body.clone(), analysis.etag())
    );
    let third = acme.submitted("team", "forming", "maturing").await;
    let next = acme.act(&recompute).await;
    assert_eq!((next.status, next.uri()), (201, analysis.uri()));
    assert_eq!(next.json()["version"], 2);
    let id = |uri: &str| format!("{} 1", id_of(uri));
    assert_eq!(inputs(&next.json()), [id(&first), id(&second), id(&third)]);
    withdraw(&acme, &second).await;
    let without = acme.act(&recompute).await;
    assert_eq!(
        (without.status, inputs(&without.json())),
        (201, vec![id(&first), id(&third)])
    );
    assert_eq!(acme.get(&analysis.uri()).await.body, without.body);
    // What was sealed before still says what it said.
    let old = acme.get(&format!("{}/versions/1", analysis.uri())).await;
    assert_eq!(old.body, analysis.body);
    let versions = acme.get(&format!("{}/versions", analysis.uri())).await.json();
    let numbers: Vec<&Value> = versions["data"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|line| &line["version"])
        .collect();
    assert_eq!(numbers, [&json!(3), &json!(2), &json!(1)]);
    let stale = TestRequest::post()
        .uri(&recompute)
        .insert_header(("If-Match", analysis.etag()));
    assert_eq!(acme.send(stale).await.status, 412);
    for uri in [&first, &third] {
        withdraw(&acme, uri).await;
    }
    let nothing = acme.act(&recompute).await;
    assert_eq!((nothing.status, nothing.code().as_str()), (422, "no_inputs"));
    assert_eq!(acme.get(&analysis.uri()).await.body, without.body);
}

#[actix_web::test]
async fn recomputing_named_assessments_drops_the_withdrawn_and_takes_them_back() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let first = acme.submitted("team", "forming", "maturing").await;
    let second = acme.submitted("team", "maturing", "maturing").await;
    let analysis = made(&acme, json!({"assessments": [id_of(&first), id_of(&second)]})).await;
    let recompute = format!("{}/recompute", analysis.uri());
    withdraw(&acme, &second).await;
    assert_eq!(
        inputs(&acme.act(&recompute).await.json()),
        [format!("{} 1", id_of(&first))]
    );
    acme.act(&format!("{second}/restore")).await;
    let back = acme.act(&recompute).await;
    assert_eq!((back.status, back.json()["version"].clone()), (201, json!(3)));
    assert_eq!(inputs(&back.json()).len(), 2);
}

#[actix_web::test]
async fn the_digest_of_an_analysis_can_be_recomputed_and_versions_are_compared() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    acme.submitted("team", "forming", "maturing").await;
    let analysis = made(
        &acme,
        json!({"title": "Ünïcödé", "select": {"model": "meaningful-connections"}}),
    )
    .await;
    let shown = analysis.json();
    assert_eq!(shown["digest"], digest_of(&shown));
    assert_eq!(shown["sealed_by"], acme.id.to_string());
    let version = acme.get(&format!("{}/versions/1", analysis.uri())).await;
    assert_eq!(
        version.etag(),
        format!("\"{}\"", shown["digest"].as_str().unwrap_or_default())
    );
    assert_eq!(
        (version.json(), version.header("cache-control").as_str()),
        (shown, "private, no-cache")
    );
    let model = acme.get("/v1/models/meaningful-connections/versions/1").await.json();
    assert_eq!(
        analysis.json()["model"],
        json!({"slug": "meaningful-connections", "version": 1, "digest": model["digest"]})
    );
    acme.submitted("team", "maturing", "maturing").await;
    acme.act(&format!("{}/recompute", analysis.uri())).await;
    let diff = acme
        .get(&format!("{}/versions/2/diff?from=1", analysis.uri()))
        .await
        .json();
    assert_eq!((&diff["from"], &diff["to"]), (&json!(1), &json!(2)));
    let paths: Vec<&str> = diff["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter_map(|c| c["path"].as_str())
        .collect();
    assert!(paths.contains(&"/elements/0/all/n"), "{paths:?}");
    assert!(
        !paths
            .iter()
            .any(|path| ["/version", "/digest", "/sealed_at"].contains(path)),
        "{paths:?}"
    );
    assert_eq!(acme.get(&format!("{}/versions/3", analysis.uri())).await.status, 404);
}

#[actix_web::test]
async fn a_list_has_analyses_without_their_longest_parts_and_follows_changes() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    acme.submitted("team", "forming", "maturing").await;
    let select = json!({"model": "meaningful-connections"});
    let mut uris = Vec::new();
    for title in ["one", "two", "three"] {
        uris.push(made(&acme, json!({"title": title, "select": select})).await.uri());
        app.advance(10);
    }
    let list = acme.get(URI).await;
    assert_eq!(column(&list, "title"), ["three", "two", "one"]);
    let item = list.json()["data"][2].clone();
    let whole = acme.get(&uris[0]).await.json();
    for name in [
        "id",
        "version",
        "status",
        "title",
        "formula_version",
        "model",
        "digest",
        "sealed_at",
        "sealed_by",
    ] {
        assert_eq!(item[name], whole[name], "{name}");
    }
    for name in [
        "inputs",
        "elements",
        "themes",
        "safety",
        "perception_gaps",
        "priorities",
        "strengths",
    ] {
        assert!(item.get(name).is_none(), "{name}");
    }
    let since = list.json()["data"][1]["updated_at"]
        .as_str()
        .expect("a time")
        .to_owned();
    acme.submitted("team", "forming", "maturing").await;
    acme.act(&format!("{}/recompute", uris[0])).await;
    let later = acme.get(&format!("{URI}?updated_since={since}")).await;
    assert_eq!(column(&later, "title"), ["two", "three", "one"]);
    let page = acme.get(&format!("{URI}?updated_since={since}&limit=2")).await;
    let cursor = page.json()["next_cursor"].as_str().expect("a next page").to_owned();
    let rest = acme
        .get(&format!("{URI}?updated_since={since}&limit=2&cursor={cursor}"))
        .await;
    assert_eq!(
        (column(&page, "title"), column(&rest, "title")),
        (vec!["two".to_owned(), "three".to_owned()], vec!["one".to_owned()])
    );
    assert_eq!(rival.get(URI).await.json()["data"], json!([]));
    for path in ["", "/versions", "/versions/1", "/versions/1/diff?from=1"] {
        assert_eq!(rival.get(&format!("{}{path}", uris[0])).await.status, 404, "{path}");
    }
    assert_eq!(rival.act(&format!("{}/recompute", uris[0])).await.status, 404);
}
