//! Constellations: made, changed, and what is kept because assessments name it.

use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    making::{column, digest_of, drafted, id_of},
    problems::assert_problem,
    world::constellation,
};

async fn made(client: &Client) -> Answer {
    let made = client.post("/v1/constellations", constellation()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made
}

/// Whether each relationship is retired, by its ends.
fn relationships(shown: &Value) -> Vec<(String, bool)> {
    let all = shown["relationships"].as_array().expect("relationships");
    all.iter()
        .map(|one| {
            let ends = format!(
                "{}-{}",
                one["from"].as_str().unwrap_or("?"),
                one["to"].as_str().unwrap_or("?")
            );
            (ends, one["retired"] == true)
        })
        .collect()
}

fn keys(shown: &Value) -> Vec<(&str, bool)> {
    let all = shown["parties"].as_array().expect("parties");
    all.iter()
        .map(|party| (party["key"].as_str().unwrap_or("?"), party["retired"] == true))
        .collect()
}

/// An assessment of this relationship: its URI.
async fn about(client: &Client, relationship: &Value) -> String {
    let mut body = assessment("team", "forming", "maturing");
    body["relationship"] = relationship.clone();
    drafted(client, body).await.uri()
}

#[actix_web::test]
async fn a_new_constellation_is_version_1_and_its_relationships_have_ids() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = made(&acme).await;
    let shown = made.json();
    assert_eq!(
        (&shown["version"], &shown["status"]),
        (&json!(1), &json!("sealed")),
        "{shown}"
    );
    assert_eq!(shown["digest"], json!(digest_of(&shown)));
    let ids: Vec<&Value> = (0..2).map(|place| &shown["relationships"][place]["id"]).collect();
    assert!(ids[0].is_string() && ids[0] != ids[1], "{shown}");
    assert_eq!(shown["relationships"][1].get("retired"), None);
    let got = acme.get(&made.uri()).await;
    assert_eq!((got.json(), got.etag()), (shown.clone(), made.etag()));
    assert_eq!(acme.get(&format!("{}/versions/1", made.uri())).await.json(), shown);
}

#[actix_web::test]
async fn everything_wrong_with_a_constellation_is_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let cardinality = json!({"from": "one", "to": "one"});
    let body = json!({
        "title": "x",
        "external_ids": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919"}],
        "parties": [
            {"key": "team", "kind": "team", "label": "Team"},
            {"key": "team", "kind": "team", "label": "Team", "external_ids": [{"system": "NHS No", "value": "1"}]},
            {"key": "gone", "kind": "other", "label": "Gone", "retired": true}
        ],
        "relationships": [
            {"from": "team", "to": "nobody", "cardinality": cardinality},
            {"id": "01890a5d-ac96-774b-bcce-b302099a8057", "from": "gone", "to": "team", "cardinality": cardinality},
            {"from": "team", "to": "team", "cardinality": cardinality, "retired": true}
        ]
    });
    let refused = acme.post("/v1/constellations", body).await;
    assert_problem(&refused, 422, "invalid");
    let expected = [
        "/external_ids/0/system identifies_a_patient",
        "/parties/1/external_ids/0/system identifies_a_patient",
        "/parties/1/key duplicate",
        "/parties/2/retired contradiction",
        "/relationships/0/to unknown_reference",
        "/relationships/1/from unknown_reference",
        "/relationships/1/id unknown_reference",
        "/relationships/2/retired contradiction",
    ];
    let mut told = refused.faults();
    told.sort();
    assert_eq!(told, expected);
    assert_eq!(acme.get("/v1/constellations").await.json()["data"], json!([]));
}

#[actix_web::test]
async fn the_schema_of_a_constellation_is_told_with_pointers() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = json!({
        "parties": [{"key": "No Key", "kind": "alien", "label": ""}],
        "relationships": [{"from": "a", "cardinality": {"from": "few", "to": "one", "via": "x"}, "setting": "letter"}]
    });
    let refused = acme.post("/v1/constellations", body).await;
    assert_problem(&refused, 422, "invalid");
    let expected = [
        "/parties/0/key pattern",
        "/parties/0/kind unknown_value",
        "/parties/0/label min_length",
        "/relationships/0/cardinality/from unknown_value",
        "/relationships/0/cardinality/via unknown_field",
        "/relationships/0/setting unknown_value",
        "/relationships/0/to required",
        "/title required",
    ];
    assert_eq!(refused.faults(), expected);
}

#[actix_web::test]
async fn a_constellation_has_at_most_50_parties_and_200_relationships() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let with = |parties: usize, relationships: usize| {
        let parties = (0..parties).map(|n| json!({"key": format!("p{n}"), "kind": "other", "label": "Somebody"}));
        let cardinality = json!({"from": "some", "to": "many"});
        let relationships = (0..relationships)
            .map(|n| json!({"from": format!("p{}", n % 50), "to": format!("p{}", n % 7), "cardinality": cardinality}));
        json!({"title": "All of them", "parties": parties.collect::<Value>(), "relationships": relationships.collect::<Value>()})
    };
    let largest = acme.post("/v1/constellations", with(50, 200)).await;
    assert_eq!(largest.status, 201, "{}", largest.text());
    let refused = acme.post("/v1/constellations", with(51, 201)).await;
    assert_eq!(refused.faults(), ["/parties too_many", "/relationships too_many"]);
    // What stays because an assessment names it counts as well.
    about(&acme, &largest.json()["relationships"][0]["id"]).await;
    let refused = acme
        .patch(&largest.uri(), json!({"relationships": with(50, 200)["relationships"]}))
        .await;
    assert_problem(&refused, 422, "invalid");
    assert_eq!(refused.faults(), ["/relationships too_many"]);
}

#[actix_web::test]
async fn what_was_got_can_be_changed_and_patched_back() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme).await.uri();
    let first = acme.get(&uri).await.json();
    let mut all = first["relationships"].clone();
    all[0]["circumstances"] = json!("While living with Covid-19");
    let new = json!({"from": "residents", "to": "team", "cardinality": {"from": "many", "to": "many"}});
    all.as_array_mut().expect("a list").insert(0, new);
    let second = acme.patch(&uri, json!({"relationships": all})).await;
    assert_eq!(second.status, 200, "{}", second.text());
    let shown = second.json();
    assert_eq!(shown["version"], 2);
    for place in [0, 1] {
        assert_eq!(
            shown["relationships"][place + 1]["id"],
            first["relationships"][place]["id"]
        );
    }
    assert_eq!(shown["relationships"][1]["circumstances"], "While living with Covid-19");
    let ids: Vec<&Value> = (0..3).map(|place| &shown["relationships"][place]["id"]).collect();
    assert!(ids[0] != ids[1] && ids[0] != ids[2], "{shown}");
    let diff = acme.get(&format!("{uri}/versions/2/diff?from=1")).await.json();
    assert_ne!(diff["changes"], json!([]));
    assert_eq!(acme.get(&format!("{uri}/versions/1")).await.json(), first);
    assert_eq!(column(&acme.get(&format!("{uri}/versions")).await, "digest").len(), 2);
    let twice = json!([all[1], all[1]]);
    let refused = acme.patch(&uri, json!({"relationships": twice})).await;
    assert_problem(&refused, 422, "duplicate");
    assert_eq!(refused.faults(), ["/relationships/1/id duplicate"]);
}

#[actix_web::test]
async fn a_relationship_that_nobody_names_just_goes() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme).await.uri();
    let id = acme.get(&uri).await.json()["relationships"][0].clone();
    let next = acme
        .patch(&uri, json!({"relationships": [], "parties": []}))
        .await
        .json();
    assert_eq!((&next["relationships"], &next["parties"]), (&json!([]), &json!([])));
    let mut body = assessment("team", "forming", "maturing");
    body["relationship"] = id["id"].clone();
    let refused = acme.post("/v1/assessments", body).await;
    assert_problem(&refused, 422, "unknown_reference");
    let back = acme.patch(&uri, json!({"relationships": [id]})).await;
    let expected = ["/relationships/0/id", "/relationships/0/from", "/relationships/0/to"];
    assert_eq!(back.faults(), expected.map(|at| format!("{at} unknown_reference")));
}

#[actix_web::test]
async fn what_an_assessment_names_stays_retired_and_comes_back_when_it_is_named_again() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme).await.uri();
    let first = acme.get(&uri).await.json();
    let visits = &first["relationships"][0];
    let named = about(&acme, &visits["id"]).await;
    let residents = json!([first["parties"][1]]);
    let left_out = json!({"parties": residents, "relationships": []});
    let second = acme.patch(&uri, left_out.clone()).await;
    assert_eq!(second.status, 200, "{}", second.text());
    let shown = second.json();
    assert_eq!(relationships(&shown), [("team-residents".to_owned(), true)]);
    assert_eq!(keys(&shown), [("residents", false), ("team", true)]);
    assert_eq!(shown["relationships"][0]["id"], visits["id"]);
    // It takes no new assessments; the one that named it goes on.
    let mut body = assessment("team", "forming", "maturing");
    body["relationship"] = visits["id"].clone();
    let refused = acme.post("/v1/assessments", body.clone()).await;
    assert_problem(&refused, 422, "unknown_reference");
    assert_eq!(refused.faults(), ["/relationship unknown_reference"]);
    assert_eq!(acme.act(&format!("{named}/submit")).await.status, 200);
    // What was got can be sent back: nothing changes.
    let lists = json!({"parties": shown["parties"], "relationships": shown["relationships"]});
    let third = acme.patch(&uri, lists).await.json();
    assert_eq!(
        (&third["parties"], &third["relationships"]),
        (&shown["parties"], &shown["relationships"])
    );
    // Named without `retired`, it is back, and so must its parties be.
    let refused = acme.patch(&uri, json!({"relationships": [visits]})).await;
    assert_problem(&refused, 422, "unknown_reference");
    assert_eq!(refused.faults(), ["/relationships/0/from unknown_reference"]);
    let back = acme
        .patch(&uri, json!({"parties": first["parties"], "relationships": [visits]}))
        .await
        .json();
    assert_eq!(relationships(&back), [("team-residents".to_owned(), false)]);
    assert_eq!(keys(&back), [("team", false), ("residents", false)]);
    assert_eq!(acme.post("/v1/assessments", body).await.status, 201);
    // Once nothing names it any more, leaving it out lets it go.
    for assessment in column(&acme.get("/v1/assessments").await, "id") {
        let erased = acme.act(&format!("/v1/assessments/{assessment}/erase")).await;
        assert_eq!(erased.status, 204, "{}", erased.text());
    }
    let last = acme.patch(&uri, left_out).await.json();
    assert_eq!(relationships(&last), []);
    assert_eq!(keys(&last), [("residents", false)]);
}

#[actix_web::test]
async fn a_relationship_that_an_assessment_names_stays_between_its_parties() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme).await.uri();
    let mut all = acme.get(&uri).await.json()["relationships"].clone();
    about(&acme, &all[0]["id"]).await;
    for one in all.as_array_mut().expect("a list") {
        one["from"] = json!("residents");
        one["to"] = json!("team");
    }
    let refused = acme.patch(&uri, json!({"relationships": all})).await;
    assert_problem(&refused, 422, "invalid");
    assert_eq!(
        refused.faults(),
        ["/relationships/0/from immutable", "/relationships/0/to immutable"]
    );
}

#[actix_web::test]
async fn a_party_that_a_standing_relationship_needs_cannot_be_left_out() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme).await.uri();
    let team = json!([acme.get(&uri).await.json()["parties"][0]]);
    let refused = acme.patch(&uri, json!({"parties": team})).await;
    assert_problem(&refused, 422, "unknown_reference");
    let expected = ["/relationships/0/to", "/relationships/1/from", "/relationships/1/to"];
    assert_eq!(refused.faults(), expected.map(|at| format!("{at} unknown_reference")));
}

#[actix_web::test]
async fn a_constellation_is_found_by_its_name_in_another_system_which_no_other_has() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let mut body = constellation();
    body["external_ids"] = json!([{"system": "crm", "value": "service-12"}]);
    // A party's names are its own business: the same team may stand in several constellations.
    body["parties"][0]["external_ids"] = json!([{"system": "crm", "value": "team-3"}]);
    let named = acme.post("/v1/constellations", body.clone()).await;
    assert_eq!(named.status, 201, "{}", named.text());
    assert_problem(
        &acme.post("/v1/constellations", body.clone()).await,
        409,
        "external_id_taken",
    );
    assert_eq!(rival.post("/v1/constellations", body.clone()).await.status, 201);
    let other = made(&acme).await;
    let found = acme.get("/v1/constellations?external_id=crm|service-12").await;
    assert_eq!(column(&found, "id"), [id_of(&named.uri())]);
    assert_eq!(found.json()["data"][0].get("relationships"), None);
    let all = acme.get("/v1/constellations").await;
    assert_eq!(column(&all, "id"), [id_of(&other.uri()), id_of(&named.uri())]);
    // A name that is given up is free.
    assert_eq!(
        acme.patch(&named.uri(), json!({"external_ids": null})).await.status,
        200
    );
    body["parties"][0]["label"] = json!("The same team");
    assert_eq!(acme.post("/v1/constellations", body).await.status, 201);
}

#[actix_web::test]
async fn a_patch_of_a_constellation_says_which_revision_it_is_for() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let first = made(&acme).await;
    let uri = first.uri();
    assert_eq!(acme.patch(&uri, json!({"title": "Two"})).await.status, 200);
    let stale = acme.patch_if(&uri, &first.etag(), json!({"title": "Three"})).await;
    assert_problem(&stale, 412, "precondition_failed");
    assert_problem(
        &rival.patch_if(&uri, "*", json!({"title": "Mine"})).await,
        404,
        "not_found",
    );
    let shown = acme.get(&uri).await.json();
    assert_eq!((&shown["version"], &shown["title"]), (&json!(2), &json!("Two")));
}
