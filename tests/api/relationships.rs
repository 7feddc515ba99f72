//! What assessments are about: a relationship of a constellation, or the service as a whole.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, assessment},
    making::{column, digest_of, drafted, id_of, submitted},
    problems::assert_problem,
    world::constellation,
};

const UPSERT: &str = "/v1/assessments/by-external-id?system=crm&value=1";

/// The ids of a new constellation's two relationships, and its URI.
async fn two(client: &Client) -> (Value, Value, String) {
    let made = client.post("/v1/constellations", constellation()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let all = &made.json()["relationships"];
    (all[0]["id"].clone(), all[1]["id"].clone(), made.uri())
}

fn about(perspective: &str, relationship: &Value) -> Value {
    let mut body = assessment(perspective, "forming", "maturing");
    body["relationship"] = relationship.clone();
    body
}

#[actix_web::test]
async fn an_assessment_shows_what_it_is_about_in_every_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (visits, _, _) = two(&acme).await;
    let uri = submitted(&acme, about("team", &visits)).await;
    let shown = acme.get(&uri).await.json();
    assert_eq!(shown["relationship"], visits);
    assert_eq!(shown["digest"], json!(digest_of(&shown)));
    assert_eq!(
        acme.get(&format!("{uri}/versions/1")).await.json()["relationship"],
        visits
    );
    assert_eq!(acme.act(&format!("{uri}/amend")).await.json()["relationship"], visits);
    let whole = drafted(&acme, assessment("team", "forming", "maturing")).await;
    assert_eq!(whole.json().get("relationship"), None);
}

#[actix_web::test]
async fn a_relationship_that_is_not_there_is_told_by_every_operation_that_takes_one() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let (theirs, _, _) = two(&rival).await;
    for nothing in [json!("01890a5d-ac96-774b-bcce-b302099a8057"), theirs] {
        let body = about("team", &nothing);
        let expected = ["/relationship unknown_reference"];
        for refused in [
            acme.post("/v1/assessments", body.clone()).await,
            acme.put(UPSERT, body.clone()).await,
        ] {
            assert_problem(&refused, 422, "unknown_reference");
            assert_eq!(refused.faults(), expected);
        }
        let validated = acme.post("/v1/assessments/validate", body).await;
        assert_eq!(validated.faults(), expected);
        let select = json!({"select": {"model": "meaningful-connections", "relationship": nothing}});
        let refused = acme.post("/v1/gap-analyses", select).await;
        assert_problem(&refused, 422, "unknown_reference");
        assert_eq!(refused.faults(), ["/select/relationship unknown_reference"]);
        let listed = acme
            .get(&format!(
                "/v1/assessments?relationship={}",
                nothing.as_str().unwrap_or_default()
            ))
            .await;
        assert_eq!(column(&listed, "id"), [""; 0]);
    }
    assert_eq!(
        acme.post("/v1/assessments", about("team", &json!("visits")))
            .await
            .faults(),
        ["/relationship format"]
    );
    assert_problem(
        &acme.get("/v1/assessments?relationship=visits").await,
        400,
        "invalid_parameter",
    );
}

#[actix_web::test]
async fn what_an_assessment_is_about_does_not_change() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (visits, peers, uri) = two(&acme).await;
    let made = acme.put(UPSERT, about("team", &visits)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let refused = acme.patch(&made.uri(), json!({"relationship": peers})).await;
    assert_eq!(refused.faults(), ["/relationship unknown_field"]);
    let refused = acme.put(UPSERT, about("team", &peers)).await;
    assert_eq!(refused.faults(), ["/relationship immutable"]);
    // That it was retired since keeps nobody from finishing what they began.
    assert_eq!(acme.patch(&uri, json!({"relationships": []})).await.status, 200);
    for body in [about("team", &visits), assessment("team", "maturing", "embedded")] {
        let put = acme.put(UPSERT, body).await;
        assert_eq!(
            (put.status, &put.json()["relationship"]),
            (200, &visits),
            "{}",
            put.text()
        );
    }
}

#[actix_web::test]
async fn assessments_are_listed_and_selected_by_their_relationship() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (visits, peers, uri) = two(&acme).await;
    let of_visits = submitted(&acme, about("team", &visits)).await;
    submitted(&acme, about("team", &peers)).await;
    submitted(&acme, assessment("team", "forming", "maturing")).await;
    let id = visits.as_str().expect("an id");
    let listed = acme.get(&format!("/v1/assessments?relationship={id}")).await;
    assert_eq!(column(&listed, "id"), [id_of(&of_visits)]);
    let select = json!({"select": {"model": "meaningful-connections", "relationship": visits}});
    let analysis = acme.post("/v1/gap-analyses", select).await;
    assert_eq!(analysis.status, 201, "{}", analysis.text());
    let inputs = &analysis.json()["inputs"];
    assert_eq!(inputs.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&inputs[0]["assessment"], &inputs[0]["relationship"]),
        (&json!(id_of(&of_visits)), &visits)
    );
    // A retired relationship can still be looked back on.
    assert_eq!(acme.patch(&uri, json!({"relationships": []})).await.status, 200);
    submitted(&acme, assessment("team", "forming", "maturing")).await;
    assert_eq!(acme.act(&format!("{}/recompute", analysis.uri())).await.status, 200);
}

fn reasons(comparability: &Value) -> Vec<&str> {
    let reasons = comparability["reasons"].as_array().expect("reasons");
    let codes = reasons.iter().filter_map(|reason| reason["code"].as_str());
    codes.filter(|code| *code != "small_n").collect()
}

#[actix_web::test]
async fn an_analysis_says_where_its_sides_are_about_different_relationships() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (visits, peers, _) = two(&acme).await;
    let mut uris = Vec::new();
    for (perspective, relationship) in [("team", &visits), ("service_user", &visits), ("service_user", &peers)] {
        uris.push(id_of(&submitted(&acme, about(perspective, relationship)).await));
    }
    uris.push(id_of(
        &submitted(&acme, assessment("service_user", "forming", "maturing")).await,
    ));
    let of = |places: &[usize], baseline: Option<&str>| {
        let ids: Vec<&String> = places.iter().map(|place| &uris[*place]).collect();
        let mut body = json!({"assessments": ids});
        if let Some(baseline) = baseline {
            body["baseline"] = json!(baseline);
        }
        acme.post("/v1/gap-analyses", body)
    };
    let same = of(&[0, 1], None).await;
    assert_eq!(reasons(&same.json()["comparability"]), [""; 0]);
    let baseline = id_of(&same.uri());
    for other in [2, 3] {
        let mixed = of(&[0, other], Some(&baseline)).await.json();
        assert_eq!(reasons(&mixed["comparability"]), ["relationship"], "{other}");
        assert_eq!(mixed["comparability"]["comparable"], false);
        assert_eq!(reasons(&mixed["distance_travelled"]), ["relationship"], "{other}");
    }
    let again = of(&[0, 1], Some(&baseline)).await.json();
    assert_eq!(reasons(&again["distance_travelled"]), [""; 0]);
    // One perspective is compared with nothing.
    assert_eq!(reasons(&of(&[1, 2, 3], None).await.json()["comparability"]), [""; 0]);
}

#[actix_web::test]
async fn a_relationship_that_is_named_while_it_is_left_out_is_never_lost() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for _ in 0..5 {
        let (visits, _, uri) = two(&acme).await;
        let drafts = (0..4).map(|_| acme.post("/v1/assessments", about("team", &visits)));
        let (drafts, left_out) = futures_util::join!(
            futures_util::future::join_all(drafts),
            acme.patch_if(&uri, "*", json!({"relationships": []}))
        );
        assert_eq!(left_out.status, 200, "{}", left_out.text());
        let made = drafts.iter().filter(|draft| draft.status == 201).count();
        let refused = drafts.iter().filter(|draft| draft.status == 422).count();
        assert_eq!(made + refused, 4);
        let kept = acme.get(&uri).await.json()["relationships"].clone();
        assert_eq!(
            kept.as_array().map(Vec::len),
            Some(usize::from(made > 0)),
            "{made} {kept}"
        );
    }
}
