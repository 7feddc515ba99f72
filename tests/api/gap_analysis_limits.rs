//! How much one gap analysis takes.

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    making::{id_of, model, published, submitted},
};

/// As many perspectives of the organisation's own.
async fn perspectives(client: &Client, number: usize) -> Vec<String> {
    let mut slugs = Vec::new();
    for place in 0..number {
        let slug = format!("voice-{place}");
        let body = json!({"slug": slug, "label": "A voice", "voice": "individual"});
        let made = client.post("/v1/perspectives", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        slugs.push(slug);
    }
    slugs
}

fn assert_too_many(answer: &Answer, pointer: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (422, "too_many_perspectives"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.faults(), [format!("{pointer} too_many_perspectives")]);
}

#[actix_web::test]
async fn an_analysis_compares_at_most_20_perspectives() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("short", &[("care.safe", "safe")])).await;
    let (slugs, mut ids) = (perspectives(&acme, 21).await, Vec::new());
    let rated = json!({"care.safe": {"current": "forming", "desired": "maturing"}});
    for slug in &slugs {
        let body = json!({"model": "short", "perspective": slug, "ratings": rated});
        ids.push(id_of(&submitted(&acme, body).await));
    }
    let previewed = |slugs: &[String]| {
        let ratings: Vec<Value> = slugs
            .iter()
            .map(|slug| json!({"perspective": slug, "ratings": rated}))
            .collect();
        json!({"model": "short", "ratings": ratings})
    };
    let all = json!({"select": {"model": "short"}});
    for (pointer, paths, body) in [
        ("/assessments", &["", "/preview"][..], json!({"assessments": ids})),
        ("/select", &["", "/preview"], all.clone()),
        ("/ratings", &["/preview"], previewed(&slugs)),
    ] {
        for path in paths {
            assert_too_many(
                &acme.post(&format!("/v1/gap-analyses{path}"), body.clone()).await,
                pointer,
            );
        }
    }
    assert_eq!(acme.get("/v1/gap-analyses").await.json()["data"], json!([]));
    // Twenty are compared, however many speak from each.
    let twenty = acme.post("/v1/gap-analyses", json!({"assessments": ids[..20]})).await;
    assert_eq!(twenty.status, 201, "{}", twenty.text());
    assert_eq!(
        twenty.json()["elements"][0]["by_perspective"]
            .as_object()
            .map(serde_json::Map::len),
        Some(20)
    );
    let mut twice = slugs[..20].to_vec();
    twice.extend_from_slice(&slugs[..20]);
    assert_eq!(
        acme.post("/v1/gap-analyses/preview", previewed(&twice)).await.status,
        200
    );
    let selected = json!({"select": {"model": "short", "perspectives": slugs[..20]}});
    assert_eq!(acme.post("/v1/gap-analyses", selected).await.status, 201);
}

#[actix_web::test]
async fn an_analysis_to_which_too_many_perspectives_came_later_stays_as_it_was() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("short", &[("care.safe", "safe")])).await;
    let slugs = perspectives(&acme, 21).await;
    let rated = json!({"care.safe": {"current": "forming", "desired": "maturing"}});
    let said = |slug: &String| json!({"model": "short", "perspective": slug, "ratings": rated});
    for slug in &slugs[..20] {
        submitted(&acme, said(slug)).await;
    }
    let made = acme
        .post("/v1/gap-analyses", json!({"select": {"model": "short"}}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    submitted(&acme, said(&slugs[20])).await;
    assert_too_many(&acme.act(&format!("{}/recompute", made.uri())).await, "/select");
    assert_eq!(acme.get(&made.uri()).await.body, made.body);
}
