//! Forms and guides: a model version, ready to render.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    problems::assert_problem,
};

const FIRST: &str = "/v1/models/meaningful-connections/versions/1";

async fn form(client: &Client, perspective: &str) -> Value {
    let form = client.get(&format!("{FIRST}/form?perspective={perspective}")).await;
    assert_eq!(form.status, 200, "{}", form.text());
    form.json()
}

fn stems(form: &Value) -> Vec<&str> {
    form["themes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|theme| theme["stem"].as_str())
        .collect()
}

#[actix_web::test]
async fn a_form_speaks_in_its_perspectives_voice() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (one, many) = (form(&acme, "service_user").await, form(&acme, "team").await);
    assert_eq!([&one["voice"], &one["perspective"]], ["individual", "service_user"]);
    assert_eq!([&many["voice"], &many["perspective"]], ["collective", "team"]);
    let rest = ["The space needs to be"];
    assert_eq!(
        stems(&one),
        [
            "I need to",
            rest[0],
            "I need to invest in",
            "I need to respect",
            "Our connection needs to be"
        ]
    );
    assert_eq!(
        stems(&many),
        [
            "We need to",
            rest[0],
            "We need to invest in",
            "We need to respect",
            "Our connection needs to be"
        ]
    );
    let model = acme.get(FIRST).await.json();
    for member in [
        "id",
        "slug",
        "version",
        "title",
        "levels",
        "safety",
        "guide",
        "attribution",
        "digest",
    ] {
        assert_eq!(one[member], model[member], "{member}");
    }
    assert_eq!(one["themes"][0]["elements"], model["themes"][0]["elements"]);
}

#[actix_web::test]
async fn a_form_is_in_english_until_there_is_another_language() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = format!("{FIRST}/form?perspective=team");
    for language in ["en", "en-GB", "cy, en;q=0.5", "fr", "*"] {
        let answer = acme
            .send(
                TestRequest::get()
                    .uri(&uri)
                    .insert_header(("Accept-Language", language)),
            )
            .await;
        assert_eq!(
            (answer.status, answer.header("content-language").as_str()),
            (200, "en"),
            "{language}"
        );
        assert_eq!(answer.json()["language"], "en");
    }
}

#[actix_web::test]
async fn a_form_is_asked_from_an_organisations_own_perspective_and_follows_it() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    acme.post(
        "/v1/perspectives",
        json!({"slug": "partner", "label": "Partner", "voice": "collective"}),
    )
    .await;
    let uri = format!("{FIRST}/form?perspective=partner");
    let first = acme.get(&uri).await;
    assert_eq!(first.json()["voice"], "collective");
    assert_problem(&rival.get(&uri).await, 404, "not_found");
    acme.patch("/v1/perspectives/partner", json!({"voice": "individual"}))
        .await;
    let asked = TestRequest::get()
        .uri(&uri)
        .insert_header(("If-None-Match", first.etag()));
    let second = acme.send(asked).await;
    assert_eq!((second.status, &second.json()["voice"]), (200, &json!("individual")));
    assert_eq!(stems(&second.json()).first(), Some(&"I need to"));
    // Two organisations may each have a perspective of that name.
    rival
        .post(
            "/v1/perspectives",
            json!({"slug": "partner", "label": "Partner", "voice": "collective"}),
        )
        .await;
    assert_eq!(rival.get(&uri).await.json()["voice"], "collective");
    assert_eq!(acme.get(&uri).await.json()["voice"], "individual");
}

#[actix_web::test]
async fn a_form_without_a_perspective_that_is_there_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    assert_problem(
        &acme.get(&format!("{FIRST}/form?perspective=nobody")).await,
        404,
        "not_found",
    );
    let unsaid = acme.get(&format!("{FIRST}/form")).await;
    assert_problem(&unsaid, 400, "invalid_parameter");
    assert_eq!(unsaid.faults(), ["/perspective required"]);
    assert_problem(
        &acme.get(&format!("{FIRST}/form?perspective=Team")).await,
        400,
        "invalid_parameter",
    );
    let missing = "/v1/models/meaningful-connections/versions/2/form?perspective=team";
    assert_problem(&acme.get(missing).await, 404, "not_found");
}

#[actix_web::test]
async fn the_answer_schema_accepts_what_can_be_submitted_and_nothing_else() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let schema = form(&acme, "team").await["answer_schema"].clone();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema");
    let rated = |rating: Value| {
        let mut body = assessment("team", "forming", "maturing");
        body["ratings"]["feelings.heard"] = rating;
        body
    };
    let submits = |body: Value| {
        let acme = acme.clone();
        async move {
            let draft = acme.post("/v1/assessments", body).await;
            draft.status == 201 && acme.act(&format!("{}/submit", draft.uri())).await.status == 200
        }
    };
    let long = "x".repeat(4001);
    for (rating, fits) in [
        (json!({"current": "forming", "desired": "maturing"}), true),
        (
            json!({"current": "embedded", "desired": "early_stages", "note": "less is more"}),
            true,
        ),
        (
            json!({"current": "forming", "desired": "maturing", "not_applicable": false}),
            true,
        ),
        (json!({"not_applicable": true}), true),
        (json!({"not_applicable": true, "reason": "no screens here"}), true),
        (json!({"current": "forming"}), false),
        (json!({"desired": "forming"}), false),
        (json!({}), false),
        (json!({"not_applicable": false}), false),
        (
            json!({"not_applicable": true, "current": "forming", "desired": "forming"}),
            false,
        ),
        (
            json!({"current": "forming", "desired": "forming", "reason": "why"}),
            false,
        ),
        (json!({"current": 2, "desired": 3}), false),
        (json!({"current": "perfect", "desired": "forming"}), false),
        (json!({"current": "forming", "desired": "forming", "note": long}), false),
        (
            json!({"current": "forming", "desired": "forming", "colour": "red"}),
            false,
        ),
    ] {
        let body = rated(rating.clone());
        assert_eq!(schema.is_valid(&body["ratings"]), fits, "the schema: {rating}");
        assert_eq!(submits(body).await, fits, "the service: {rating}");
    }
    let mut incomplete = assessment("team", "forming", "maturing");
    incomplete["ratings"]
        .as_object_mut()
        .expect("ratings")
        .remove("safety.diversity");
    assert!(!schema.is_valid(&incomplete["ratings"]));
    let mut beyond = assessment("team", "forming", "maturing");
    beyond["ratings"]["feelings.envied"] = json!({"current": "forming", "desired": "maturing"});
    assert!(!schema.is_valid(&beyond["ratings"]));
}

async fn guide(client: &Client, accept: &str) -> Answer {
    let request = TestRequest::get().uri(&format!("{FIRST}/guide"));
    client.send(request.insert_header(("Accept", accept))).await
}

#[actix_web::test]
async fn a_guide_is_json_or_markdown() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let json = acme.get(&format!("{FIRST}/guide")).await;
    assert_eq!(json.header("content-type"), "application/json");
    let steps = json.json()["steps"].as_array().cloned().unwrap_or_default();
    let titles: Vec<&str> = steps.iter().filter_map(|step| step["title"].as_str()).collect();
    assert_eq!(
        titles,
        [
            "Choose the relationship",
            "Choose the perspective",
            "Rate where you are",
            "Rate where you want to be",
            "Look at Safety first",
            "Talk about the differences",
            "Agree the next steps",
        ]
    );
    let markdown = guide(&acme, "text/markdown").await;
    assert_eq!(markdown.header("content-type"), "text/markdown; charset=utf-8");
    assert!(markdown.text().starts_with("# The Meaningful Connections Model\n"));
    for (number, title) in (1..).zip(titles) {
        assert!(
            markdown.text().contains(&format!("\n## {number}. {title}\n")),
            "{}",
            markdown.text()
        );
    }
    assert_ne!(markdown.etag(), json.etag());
    assert_eq!(markdown.header("content-language"), "en");
}

#[actix_web::test]
async fn the_format_parameter_beats_accept_and_accept_beats_nothing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for (accept, content_type) in [
        ("*/*", "application/json"),
        ("text/*", "text/markdown; charset=utf-8"),
        (
            "text/html, text/markdown;q=0.9, */*;q=0.1",
            "text/markdown; charset=utf-8",
        ),
        (
            "application/json;q=0.1, text/markdown;q=0.2",
            "text/markdown; charset=utf-8",
        ),
        ("application/json;q=0, */*", "text/markdown; charset=utf-8"),
        ("text/markdown;q=0, */*;q=0.5", "application/json"),
    ] {
        let answer = guide(&acme, accept).await;
        assert_eq!(
            (answer.status, answer.header("content-type").as_str()),
            (200, content_type),
            "{accept}"
        );
    }
    for accept in [
        "text/csv",
        "image/svg+xml",
        "text/html",
        "application/json;q=0",
        "*/*;q=0",
    ] {
        assert_problem(&guide(&acme, accept).await, 406, "not_acceptable");
    }
    let request = TestRequest::get().uri(&format!("{FIRST}/guide?format=markdown"));
    let answer = acme.send(request.insert_header(("Accept", "application/json"))).await;
    assert_eq!(answer.header("content-type"), "text/markdown; charset=utf-8");
    assert_problem(
        &acme.get(&format!("{FIRST}/guide?format=csv")).await,
        406,
        "not_acceptable",
    );
    assert_problem(
        &acme.get(&format!("{FIRST}/guide?format=pdf")).await,
        400,
        "invalid_parameter",
    );
}

#[actix_web::test]
async fn markdown_escapes_what_an_organisation_wrote() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let origin = json!({"model": "meaningful-connections", "version": 1});
    let step =
        json!({"key": "one", "title": "[click](javascript:x)", "text": "<script>alert(1)</script>\n# Not a heading"});
    let body = json!({"slug": "ours", "derived_from": origin, "title": "*Ours*\n## Not ours", "guide": [step]});
    assert_eq!(acme.post("/v1/models", body).await.status, 201);
    assert_eq!(acme.act("/v1/models/ours/publish").await.status, 200);
    let text = acme
        .get("/v1/models/ours/versions/1/guide?format=markdown")
        .await
        .text();
    for raw in ["<script>", "[click](", "# *Ours*", "\n## Not ours", "\n# Not a heading"] {
        assert!(!text.contains(raw), "{raw} in {text}");
    }
}
