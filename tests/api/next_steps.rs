//! Next steps: from a gap analysis to whether the element moved.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    gap_analysis_findings::{OURS, analysed, ours},
    making::{column, digest_of, id_of, model, published, submitted},
    problems::assert_problem,
    world::done,
};

const URI: &str = "/v1/next-steps";

/// Two assessments on a model of our own, from current to desired: `care.safe` as it is wanted, `care.heard` a level short.
async fn assessments(acme: &Client, heard: (usize, usize)) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(id_of(&submitted(acme, ours("team", (3, 3), heard)).await));
    }
    ids
}

async fn analysis(acme: &Client) -> Value {
    published(acme, model("ours", OURS)).await;
    let ids = assessments(acme, (2, 4)).await;
    analysed(acme, json!({"assessments": ids})).await
}

async fn made(acme: &Client, body: Value) -> (String, Value) {
    let answer = acme.post(URI, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    (answer.uri(), answer.json())
}

fn ring_back(analysis: &Value) -> Value {
    json!({"gap_analysis": analysis["id"], "element": "care.heard", "what": "Ring back within a day."})
}

#[actix_web::test]
async fn a_next_step_takes_its_levels_from_the_priority() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let analysis = analysis(&acme).await;
    let (uri, step) = made(&acme, ring_back(&analysis)).await;
    let expected = json!({
        "id": step["id"], "version": 1, "gap_analysis": analysis["id"], "gap_analysis_version": 1,
        "element": "care.heard", "from_level": "forming", "next_level": "maturing",
        "what": "Ring back within a day.", "status": "proposed",
        "digest": digest_of(&step), "sealed_at": step["sealed_at"], "sealed_by": step["sealed_by"],
    });
    assert_eq!(step, expected);
    assert_eq!(acme.get(&uri).await.json(), expected);
    // What is said goes before what is suggested.
    let mut bold = ring_back(&analysis);
    bold["next_level"] = json!("embedded");
    assert_eq!(made(&acme, bold).await.1["next_level"], "embedded");
}

#[actix_web::test]
async fn an_element_that_is_no_priority_needs_its_levels_said() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let analysis = analysis(&acme).await;
    let mut body = json!({"gap_analysis": analysis["id"], "element": "care.safe", "what": "Lock the door."});
    let refused = acme.post(URI, body.clone()).await;
    assert_problem(&refused, 422, "invalid");
    assert_eq!(refused.faults(), ["/element not_a_priority"]);
    body["from_level"] = json!("maturing");
    body["next_level"] = json!("embedded");
    assert_eq!(made(&acme, body.clone()).await.1["from_level"], "maturing");
    body["next_level"] = json!("maturing");
    assert_eq!(acme.post(URI, body).await.faults(), ["/next_level not_above"]);
}

#[actix_web::test]
async fn all_that_is_wrong_with_a_next_step_is_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let analysis = analysis(&acme).await;
    let refused = acme
        .post(
            URI,
            json!({
                "gap_analysis": analysis["id"], "element": "care.held", "what": "", "due": "2026-02-30",
                "by_whom": {"external_id": {"system": "NHS number", "value": "1"}}, "status": "later",
                "evidence": [{"label": "x", "url": "javascript:alert(1)"}, {"label": "x", "url": "https://bank@evil.example/"}],
            }),
        )
        .await;
    assert_eq!(refused.status, 422);
    let mut faults = refused.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/due format",
            "/evidence/0/url pattern",
            "/status unknown_value",
            "/what min_length",
        ]
    );
    let mut body = ring_back(&analysis);
    body["element"] = json!("care.held");
    body["by_whom"] = json!({"external_id": {"system": "NHS number", "value": "1"}});
    body["evidence"] = json!([{"label": "x", "url": "https://bank@evil.example/"}]);
    assert_eq!(
        acme.post(URI, body.clone()).await.faults(),
        [
            "/element unknown_element",
            "/by_whom/external_id/system identifies_a_patient",
            "/evidence/0/url pattern",
        ]
    );
    body["gap_analysis"] = json!("01890a5d-ac96-774b-bcce-b302099a8057");
    assert_eq!(acme.post(URI, body).await.faults(), ["/gap_analysis unknown_reference"]);
}

#[actix_web::test]
async fn a_next_step_keeps_its_history() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let analysis = analysis(&acme).await;
    let mut body = ring_back(&analysis);
    body["by_whom"] = json!({"label": "The duty team", "external_id": {"system": "rota", "value": "7"}});
    body["due"] = json!("2026-06-30");
    let (uri, _) = made(&acme, body).await;
    let stale = acme.patch_if(&uri, "\"7\"", json!({"status": "doing"})).await;
    assert_problem(&stale, 412, "precondition_failed");
    let evidence = json!([{"label": "The rota", "url": "https://wiki.example.org/rota"}]);
    let patched = acme
        .patch_if(
            &uri,
            "\"1\"",
            json!({"status": "done", "due": null, "by_whom": {"label": null}, "evidence": evidence}),
        )
        .await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    let now = patched.json();
    assert_eq!(
        (&now["version"], &now["status"], &now["evidence"]),
        (&json!(2), &json!("done"), &evidence)
    );
    assert_eq!((now.get("due"), now["by_whom"].get("label")), (None, None));
    let versions = acme.get(&format!("{uri}/versions")).await.json();
    assert_eq!(versions["data"].as_array().map(Vec::len), Some(2));
    let first = acme.get(&format!("{uri}/versions/1")).await.json();
    assert_eq!(
        (&first["status"], &first["due"]),
        (&json!("proposed"), &json!("2026-06-30"))
    );
    let diff = acme.get(&format!("{uri}/versions/2/diff?from=1")).await.json();
    assert!(diff["changes"].to_string().contains("/status"), "{diff}");
    // Where it comes from does not change.
    let refused = acme
        .patch(&uri, json!({"element": "care.safe", "from_level": "forming"}))
        .await;
    assert_eq!(
        refused.faults(),
        ["/element unknown_field", "/from_level unknown_field"]
    );
    assert_eq!(
        acme.patch(&uri, json!({"by_whom": {"external_id": null}}))
            .await
            .faults(),
        ["/by_whom required"]
    );
}

#[actix_web::test]
async fn next_steps_are_listed_by_what_they_are_about_and_by_when_they_are_due() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let analysis = analysis(&acme).await;
    let mut ids = Vec::new();
    for due in [None, Some("2026-06-30"), Some("2026-07-01")] {
        let mut body = ring_back(&analysis);
        if let Some(due) = due {
            body["due"] = json!(due);
            body["status"] = json!("doing");
        }
        ids.push(made(&acme, body).await.1["id"].as_str().expect("an id").to_owned());
    }
    let [undated, june, july] = <[String; 3]>::try_from(ids).expect("three");
    let other = analysed(&acme, json!({"assessments": assessments(&acme, (1, 4)).await})).await;
    let other = made(&acme, ring_back(&other)).await.1;
    let listed = async |query: &str| column(&acme.get(&format!("{URI}{query}")).await, "id");
    assert_eq!(listed("?due_before=2026-07-01").await, [&*june]);
    assert_eq!(
        listed("?due_before=2026-07-01T00:00:01Z").await,
        [july.clone(), june.clone()]
    );
    assert_eq!(
        listed("?status=proposed").await,
        [other["id"].as_str().expect("an id"), &*undated]
    );
    let of_first = format!("?gap_analysis={}", analysis["id"].as_str().expect("an id"));
    assert_eq!(listed(&of_first).await, [july.clone(), june.clone(), undated.clone()]);
    assert_eq!(
        listed(&format!(
            "{of_first}&status=doing&element=care.heard&due_before=2026-07-01"
        ))
        .await,
        [june]
    );
    assert_eq!(listed("?element=care.safe").await, [""; 0]);
    assert_eq!(listed("?round=01890a5d-ac96-774b-bcce-b302099a8057").await, [""; 0]);
    assert_eq!(
        acme.get(&format!("{URI}?status=later")).await.faults(),
        ["/status invalid"]
    );
}

#[actix_web::test]
async fn the_next_analysis_says_whether_what_was_done_moved_the_element() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let before = analysis(&acme).await;
    let (uri, step) = made(&acme, ring_back(&before)).await;
    made(&acme, ring_back(&before)).await;
    let request = json!({"assessments": assessments(&acme, (3, 4)).await, "baseline": before["id"]});
    let open = analysed(&acme, request.clone()).await;
    assert_eq!(open["distance_travelled"].get("next_steps"), None);
    done(acme.patch(&uri, json!({"status": "done"}))).await;
    let taken = json!([{
        "next_step": step["id"], "element": "care.heard", "from_level": "forming", "moved": "toward", "levels_moved": 1.0
    }]);
    let after = analysed(&acme, request).await;
    assert_eq!(after["distance_travelled"]["next_steps"], taken);
    // An analysis that was sealed before says so once it is recomputed, and then no more.
    let recompute = format!("/v1/gap-analyses/{}/recompute", open["id"].as_str().expect("an id"));
    let recomputed = acme.act(&recompute).await;
    assert_eq!(
        (
            recomputed.status,
            &recomputed.json()["distance_travelled"]["next_steps"]
        ),
        (201, &taken)
    );
    assert_eq!(acme.act(&recompute).await.status, 200);
    let report = acme
        .get(&format!(
            "/v1/gap-analyses/{}?format=markdown",
            after["id"].as_str().expect("an id")
        ))
        .await
        .text();
    assert!(
        report.contains("**Care: heard**, from Forming: it moved 1 level to where people wanted it."),
        "{report}"
    );
}

#[actix_web::test]
async fn the_report_says_what_is_being_done_to_those_who_may_read_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let analysis = analysis(&acme).await;
    let uri = format!(
        "/v1/gap-analyses/{}?format=markdown",
        analysis["id"].as_str().expect("an id")
    );
    let before = acme.get(&uri).await;
    assert!(!before.text().contains("## Next steps"));
    let mut body = ring_back(&analysis);
    body["what"] = json!("Ring <b>back</b> [within](http://evil.example) a day");
    body["by_whom"] = json!({"label": "The duty team"});
    body["due"] = json!("2026-06-30");
    body["evidence"] = json!([{"label": "The rota", "url": "https://wiki.example.org/rota"}]);
    let (step, _) = made(&acme, body).await;
    let with = acme.get(&uri).await;
    let line = "- **Care: heard**, from Forming to Maturing: Ring &lt;b&gt;back&lt;/b&gt; ";
    assert!(with.text().contains(line), "{}", with.text());
    assert!(
        with.text().contains("(proposed, by The duty team, due 2026-06-30)"),
        "{}",
        with.text()
    );
    let linked = "The rota: <https://wiki.example.org/rota>\n";
    assert!(with.text().contains(linked), "{}", with.text());
    let rest = with.text().replace(linked, "");
    assert!(
        !rest.contains("http://") && !rest.contains("https://"),
        "nothing else becomes a link"
    );
    assert_ne!(before.etag(), with.etag());
    done(acme.patch(&step, json!({"status": "done"}))).await;
    let after = acme.get(&uri).await;
    assert!(after.text().contains("(done, by"));
    assert_ne!(with.etag(), after.etag());
    let reader = app.client(acme.organisation, acme.id, "gap_analyses:read");
    assert!(!reader.get(&uri).await.text().contains("## Next steps"));
}

#[actix_web::test]
async fn a_next_step_outlives_the_analysis_that_it_was_made_from() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", OURS)).await;
    let ids = assessments(&acme, (2, 4)).await;
    let analysis = analysed(&acme, json!({"assessments": ids})).await;
    let (uri, step) = made(&acme, ring_back(&analysis)).await;
    for id in &ids {
        done(acme.act(&format!("/v1/assessments/{id}/erase"))).await;
    }
    let gone = acme
        .get(&format!("/v1/gap-analyses/{}", analysis["id"].as_str().expect("an id")))
        .await;
    assert_eq!(gone.status, 404);
    assert_eq!(acme.get(&uri).await.json(), step);
    assert_eq!(acme.patch(&uri, json!({"status": "dropped"})).await.status, 200);
}
