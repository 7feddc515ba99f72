//! What is refused of a body before anybody looks at what it says.

use actix_web::test::TestRequest;
use serde_json::json;

use crate::{
    app::{Answer, Client, TestApp, assessment},
    problems::assert_problem,
};

const LONGEST: usize = 1024 * 1024;

async fn post(client: &Client, content_type: &str, body: impl Into<actix_web::web::Bytes>) -> Answer {
    let request = TestRequest::post().uri("/v1/perspectives");
    client
        .send(request.insert_header(("Content-Type", content_type)).set_payload(body))
        .await
}

fn partner(label: &str) -> String {
    json!({"slug": "partner", "label": label, "voice": "collective"}).to_string()
}

#[actix_web::test]
async fn what_is_not_json_is_a_400() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let in_a_label = format!("{{\"slug\":\"partner\",\"label\":{nested},\"voice\":\"collective\"}}");
    for body in [
        "",
        " ",
        "{",
        "{}{}",
        "{\"slug\": 'partner'}",
        "{\"label\": \"\\ud800\"}",
        "{\"\\udc00\": 1}",
        "{\"label\": \"a\nb\"}",
        "{\"label\": 1e999}",
        "NaN",
        "{\"label\": \"x\",}",
        &nested,
        &in_a_label,
    ] {
        assert_problem(
            &post(&acme, "application/json", body.to_owned()).await,
            400,
            "malformed_json",
        );
    }
    let latin = b"{\"label\": \"caf\xe9\"}".to_vec();
    assert_problem(&post(&acme, "application/json", latin).await, 400, "malformed_json");
    let overlong = b"{\"label\": \"\xc0\x80\"}".to_vec();
    assert_problem(&post(&acme, "application/json", overlong).await, 400, "malformed_json");
}

#[actix_web::test]
async fn json_of_another_shape_is_a_422() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for body in ["null", "[]", "7", "\"partner\"", "true"] {
        let refused = post(&acme, "application/json", body.to_owned()).await;
        assert_problem(&refused, 422, "invalid");
        assert_eq!(refused.faults(), [" type"], "{body}");
    }
    let lacking = post(&acme, "application/json", "{}").await;
    assert_eq!(
        lacking.faults(),
        ["/label required", "/slug required", "/voice required"]
    );
}

#[actix_web::test]
async fn control_characters_are_refused_where_they_stand_and_tab_and_line_ends_are_not() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for character in ['\u{0}', '\u{1}', '\u{8}', '\u{b}', '\u{c}', '\u{1b}', '\u{1f}'] {
        let refused = post(&acme, "application/json", partner(&format!("a{character}b"))).await;
        assert_problem(&refused, 422, "invalid");
        assert_eq!(refused.faults(), ["/label control_character"]);
    }
    let mut noted = assessment("team", "forming", "maturing");
    noted["ratings"]["space.safe"]["note"] = json!("nothing\u{0}here");
    let refused = acme.post("/v1/assessments", noted).await;
    assert_eq!(refused.faults(), ["/ratings/space.safe/note control_character"]);
    let named = post(&acme, "application/json", "{\"sl\\u0000ug\": 1}").await;
    assert_eq!(named.status, 422);
    assert!(
        named.faults().contains(&" control_character".to_owned()),
        "{:?}",
        named.faults()
    );
    let fine = "tab\tline\r\nend \u{7f} \u{1F600} e\u{301}";
    let made = post(&acme, "application/json", partner(fine)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(acme.get(&made.uri()).await.json()["label"], fine);
}

#[actix_web::test]
async fn lengths_are_counted_in_characters() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let long = post(&acme, "application/json", partner(&"é".repeat(201))).await;
    assert_problem(&long, 422, "invalid");
    assert_eq!(long.faults(), ["/label max_length"]);
    assert_eq!(
        post(&acme, "application/json", partner("")).await.faults(),
        ["/label min_length"]
    );
    assert_eq!(
        post(&acme, "application/json", partner(&"é".repeat(200))).await.status,
        201
    );
}

#[actix_web::test]
async fn a_body_has_at_most_a_mebibyte() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let padded = |length: usize| {
        let body = partner("Partner");
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_problem(
        &post(&acme, "application/json", padded(LONGEST + 1)).await,
        413,
        "payload_too_large",
    );
    let announced = TestRequest::post()
        .uri("/v1/perspectives")
        .set_payload(padded(LONGEST + 1));
    let announced = announced.insert_header(("Content-Type", "application/json"));
    let announced = announced.insert_header(("Content-Length", (LONGEST + 1).to_string()));
    assert_problem(&acme.send(announced).await, 413, "payload_too_large");
    assert_eq!(acme.get("/v1/perspectives/partner").await.status, 404);
    assert_eq!(post(&acme, "application/json", padded(LONGEST)).await.status, 201);
}

#[actix_web::test]
async fn a_body_says_that_it_is_json() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for content_type in [
        "text/plain",
        "application/xml",
        "application/merge-patch+json",
        "json",
        "text/json",
        ";",
    ] {
        assert_problem(
            &post(&acme, content_type, partner("Partner")).await,
            415,
            "unsupported_media_type",
        );
    }
    let unsaid = TestRequest::post()
        .uri("/v1/perspectives")
        .set_payload(partner("Partner"));
    assert_problem(&acme.send(unsaid).await, 415, "unsupported_media_type");
    let said = post(&acme, "Application/JSON; charset=utf-8", partner("Partner")).await;
    assert_eq!(said.status, 201);
}

#[actix_web::test]
async fn a_patch_says_that_it_is_a_merge_patch_and_is_told_so_where_it_does_not() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.draft("team", "forming", "maturing").await.uri();
    for content_type in ["text/plain", "application/json-patch+json"] {
        let request = TestRequest::patch()
            .uri(&uri)
            .insert_header(("Content-Type", content_type));
        let refused = acme
            .send(request.insert_header(("If-Match", "*")).set_payload("{}"))
            .await;
        assert_problem(&refused, 415, "unsupported_media_type");
        assert_eq!(refused.header("accept-patch"), "application/merge-patch+json");
    }
    for content_type in ["application/json", "application/merge-patch+json"] {
        let request = TestRequest::patch()
            .uri(&uri)
            .insert_header(("Content-Type", content_type));
        let taken = acme
            .send(request.insert_header(("If-Match", "*")).set_payload("{}"))
            .await;
        assert_eq!(taken.status, 200, "{}", taken.text());
    }
}

#[actix_web::test]
async fn a_body_comes_without_content_coding() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let coded = |coding: &str| {
        let request = TestRequest::post()
            .uri("/v1/perspectives")
            .set_payload(partner("Partner"));
        let request = request.insert_header(("Content-Type", "application/json"));
        request.insert_header(("Content-Encoding", coding))
    };
    for coding in ["gzip", "br", "deflate", "identity, gzip"] {
        assert_problem(&acme.send(coded(coding)).await, 415, "unsupported_media_type");
    }
    assert_eq!(acme.send(coded("identity")).await.status, 201);
}
