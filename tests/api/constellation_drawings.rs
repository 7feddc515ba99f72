//! Constellations in forms other than JSON, and how their relationships stand by a gap analysis.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    making::{id_of, submitted, withdraw},
    problems::assert_problem,
    world::constellation,
};

async fn accepting(client: &Client, uri: &str, accept: &str) -> Answer {
    client
        .send(TestRequest::get().uri(uri).insert_header(("Accept", accept)))
        .await
}

/// The URI of a new constellation, and the ids of its relationships: the team's with its residents, and theirs with each other.
async fn two(client: &Client) -> (String, [Value; 2]) {
    let made = client.post("/v1/constellations", constellation()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let all = &made.json()["relationships"];
    (made.uri(), [all[0]["id"].clone(), all[1]["id"].clone()])
}

async fn about(client: &Client, relationship: &Value, current: &str) -> String {
    let mut body = assessment("team", current, "embedded");
    body["relationship"] = relationship.clone();
    submitted(client, body).await
}

#[actix_web::test]
async fn a_constellation_is_sent_as_whoever_asks_wants_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (uri, _) = two(&acme).await;
    let forms = [
        ("svg", "image/svg+xml", "<svg "),
        ("mermaid", "text/vnd.mermaid; charset=utf-8", "flowchart LR\n"),
        ("graphml", "application/graphml+xml", "<?xml "),
        ("json", "application/json", "{"),
    ];
    for path in [uri.clone(), format!("{uri}/versions/1")] {
        let mut tags = Vec::new();
        for (format, media_type, begins) in forms {
            let by_query = acme.get(&format!("{path}?format={format}")).await;
            assert_eq!(by_query.header("content-type"), media_type, "{}", by_query.text());
            assert!(by_query.text().starts_with(begins), "{}", by_query.text());
            let by_header = accepting(&acme, &path, media_type).await;
            assert_eq!((by_header.text(), by_header.etag()), (by_query.text(), by_query.etag()));
            // `?format=` beats `Accept`.
            let both = accepting(&acme, &format!("{path}?format={format}"), "text/csv").await;
            assert_eq!(both.text(), by_query.text());
            let policy = by_query.header("content-security-policy");
            assert_eq!(policy.contains("sandbox"), format == "svg", "{policy}");
            tags.push(by_query.etag());
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), forms.len(), "{tags:?}");
        assert_problem(&accepting(&acme, &path, "text/csv").await, 406, "not_acceptable");
        assert_problem(
            &acme.get(&format!("{path}?theme=sepia")).await,
            400,
            "invalid_parameter",
        );
        let light = acme.get(&format!("{path}?format=svg&theme=light")).await;
        let dark = acme.get(&format!("{path}?format=svg&theme=dark")).await;
        assert_ne!(light.text(), dark.text());
    }
}

#[actix_web::test]
async fn a_picture_shows_what_stands_today_and_a_tag_of_it_is_known_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (uri, [visits, _]) = two(&acme).await;
    about(&acme, &visits, "forming").await;
    let drawing = format!("{uri}?format=svg");
    let before = acme.get(&drawing).await;
    assert!(before.text().contains("The team and Residents"), "{}", before.text());
    let known = TestRequest::get()
        .uri(&drawing)
        .insert_header(("If-None-Match", before.etag()));
    assert_eq!(acme.send(known).await.status, 304);
    assert_eq!(acme.patch(&uri, json!({"relationships": []})).await.status, 200);
    let after = acme.get(&drawing).await;
    assert_ne!(after.etag(), before.etag());
    assert!(!after.text().contains("The team and Residents"), "{}", after.text());
    assert!(after.text().contains("1 more, retired, not drawn"), "{}", after.text());
    // A picture's tag names the revision that it shows.
    let patched = acme
        .patch_if(&uri, &after.etag(), json!({"title": "Drawn and changed"}))
        .await;
    assert_eq!(patched.status, 200, "{}", patched.text());
}

#[actix_web::test]
async fn the_weakest_relationships_are_marked_and_what_few_speak_of_is_withheld() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (uri, [visits, peers]) = two(&acme).await;
    let mut uris = Vec::new();
    for (relationship, current, times) in [(&visits, "maturing", 3), (&peers, "early_stages", 2)] {
        for _ in 0..times {
            uris.push(about(&acme, relationship, current).await);
        }
    }
    let ids: Vec<String> = uris.iter().map(|uri| id_of(uri)).collect();
    let analysis = acme
        .post("/v1/gap-analyses", json!({"title": "Spring", "assessments": ids}))
        .await
        .uri();
    let drawing = format!("{uri}?format=svg&gap_analysis={}", id_of(&analysis));
    // Two are too few to say how it stands; and what is left is not the weakest of anything.
    let withheld = acme.get(&drawing).await;
    assert_eq!(withheld.status, 200, "{}", withheld.text());
    for words in [
        "median 3",
        "Withheld: fewer than three assessments",
        "None stands lower",
    ] {
        assert!(withheld.text().contains(words), "{words}: {}", withheld.text());
    }
    assert!(!withheld.text().contains("median 1"), "{}", withheld.text());
    let third = about(&acme, &peers, "forming").await;
    let all: Vec<String> = ids.into_iter().chain([id_of(&third)]).collect();
    let analysis = acme
        .post("/v1/gap-analyses", json!({"title": "Spring", "assessments": all}))
        .await
        .uri();
    let drawing = format!("{uri}?format=svg&gap_analysis={}", id_of(&analysis));
    let marked = acme.get(&drawing).await;
    assert!(
        marked.text().contains("The weakest: Residents among themselves"),
        "{}",
        marked.text()
    );
    assert!(marked.text().contains(">median 1<"), "{}", marked.text());
    // What the analysis counted is shown, whatever was amended since; a new version of it is shown by a new tag.
    assert_eq!(acme.act(&format!("{third}/amend")).await.status, 200);
    assert_eq!(acme.act(&format!("{third}/submit")).await.status, 200);
    assert_eq!(acme.get(&drawing).await.text(), marked.text());
    withdraw(&acme, &third).await;
    assert_eq!(acme.act(&format!("{analysis}/recompute")).await.status, 201);
    let again = acme.get(&drawing).await;
    assert_ne!(again.etag(), marked.etag());
    assert!(!again.text().contains("The weakest:"), "{}", again.text());
}

#[actix_web::test]
async fn a_gap_analysis_is_shown_to_those_who_may_read_it_and_in_pictures_only() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let (uri, [visits, _]) = two(&acme).await;
    let counted = about(&acme, &visits, "forming").await;
    let analysis = acme
        .post("/v1/gap-analyses", json!({"assessments": [id_of(&counted)]}))
        .await;
    let analysis = id_of(&analysis.uri());
    let drawing = format!("{uri}?format=svg&gap_analysis={analysis}");
    let narrow = app.client(acme.organisation, acme.id, "constellations:read");
    assert_eq!(narrow.get(&format!("{uri}?format=svg")).await.status, 200);
    let refused = narrow.get(&drawing).await;
    assert_problem(&refused, 403, "insufficient_scope");
    assert!(refused.header("www-authenticate").contains("gap_analyses:read"));
    let both = app.client(acme.organisation, acme.id, "constellations:read gap_analyses:read");
    assert_eq!(both.get(&drawing).await.status, 200);
    let refused = acme.get(&format!("{uri}?gap_analysis={analysis}")).await;
    assert_problem(&refused, 400, "invalid_parameter");
    assert_eq!(refused.faults(), ["/gap_analysis invalid"]);
    let (theirs, _) = two(&rival).await;
    let refused = rival.get(&format!("{theirs}?format=svg&gap_analysis={analysis}")).await;
    assert_problem(&refused, 404, "not_found");
}

#[actix_web::test]
async fn the_largest_constellation_is_drawn() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let parties = (0..50).map(|n| json!({"key": format!("p{n}"), "kind": "other", "label": format!("Somebody {n}")}));
    let cardinality = json!({"from": "some", "to": "many"});
    let relationships = (0..200).map(
        |n| json!({"from": format!("p{}", n * 7 % 50), "to": format!("p{}", n * 13 % 49), "cardinality": cardinality}),
    );
    let body = json!({"title": "All", "parties": parties.collect::<Value>(), "relationships": relationships.collect::<Value>()});
    let made = acme.post("/v1/constellations", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let drawn = acme.get(&format!("{}?format=svg", made.uri())).await;
    assert_eq!(drawn.status, 200, "{}", drawn.text());
    assert!(drawn.text().contains("50 parties and 200 relationships"));
    assert!((0..50).all(|n| drawn.text().contains(&format!("Somebody {n} (other)"))));
}
