//! The names that other systems give to assessments, and the upsert by such a name.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp, assessment},
    making::{column, drafted, id_of, submit, withdraw},
};

const PUT: &str = "/v1/assessments/by-external-id?system=crm&value=1";

fn named(names: &[(&str, &str)]) -> Value {
    let mut body = assessment("team", "forming", "maturing");
    let names = names
        .iter()
        .map(|(system, value)| json!({"system": system, "value": value}));
    body["external_ids"] = names.collect();
    body
}

async fn put_with(client: &Client, header: (&str, &str), body: Value) -> Answer {
    client
        .send(TestRequest::put().uri(PUT).insert_header(header).set_json(body))
        .await
}

#[actix_web::test]
async fn a_name_belongs_to_one_assessment_of_an_organisation() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    drafted(&acme, named(&[("crm", "1")])).await;
    let taken = acme.post("/v1/assessments", named(&[("crm", "1"), ("crm", "2")])).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "external_id_taken"));
    let other = drafted(&acme, named(&[("crm", "2")])).await;
    let patch = json!({"external_ids": [{"system": "crm", "value": "1"}]});
    let patched = acme.patch(&other.uri(), patch).await;
    assert_eq!((patched.status, patched.code().as_str()), (409, "external_id_taken"));
    assert_eq!(acme.get(&other.uri()).await.json(), other.json());
    drafted(&rival, named(&[("crm", "1")])).await;
    assert_eq!(
        acme.get("/v1/assessments").await.json()["data"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[actix_web::test]
async fn a_name_is_no_patients_and_fits_a_filter() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for system in [
        "https://fhir.nhs.uk/Id/nhs-number",
        "NHS Number",
        "urn:oid:2.16.840.1.113883.2.1.4.1",
    ] {
        let refused = acme.post("/v1/assessments", named(&[(system, "9434765919")])).await;
        assert_eq!(refused.status, 422, "{system}");
        assert_eq!(
            refused.faults(),
            ["/external_ids/0/system identifies_a_patient"],
            "{system}"
        );
        assert!(!refused.text().contains("9434765919"));
        let name = system.replace(' ', "%20");
        let uri = format!("/v1/assessments/by-external-id?system={name}&value=9434765919");
        assert_eq!(
            acme.put(&uri, assessment("team", "forming", "maturing")).await.status,
            422,
            "{system}"
        );
    }
    let piped = acme.post("/v1/assessments", named(&[("a|b", "1")])).await;
    assert_eq!(
        (piped.status, piped.faults()),
        (422, vec!["/external_ids/0/system pattern".to_owned()])
    );
    let uri = "/v1/assessments/by-external-id?system=a%7Cb&value=1";
    assert_eq!(
        acme.put(uri, assessment("team", "forming", "maturing")).await.status,
        422
    );
    let twice = acme.post("/v1/assessments", named(&[("crm", "1"), ("crm", "1")])).await;
    assert_eq!(
        (twice.status, twice.faults()),
        (422, vec!["/external_ids/1 duplicate".to_owned()])
    );
}

#[actix_web::test]
async fn putting_a_new_name_creates_and_putting_it_again_replaces_the_draft() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let created = acme.put(PUT, named(&[("billing", "b-1")])).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(
        created.json()["external_ids"],
        json!([{"system": "billing", "value": "b-1"}, {"system": "crm", "value": "1"}])
    );
    let mut body = json!({"model": "meaningful-connections", "perspective": "team", "respondent_ref": "r-9"});
    body["ratings"] = json!({"feelings.heard": {"current": "forming"}});
    let replaced = acme.put(PUT, body.clone()).await;
    assert_eq!((replaced.status, replaced.uri()), (200, String::new()));
    let found = acme.get(&created.uri()).await;
    assert_eq!((found.json(), found.etag()), (replaced.json(), replaced.etag()));
    assert_eq!(found.json()["ratings"], body["ratings"]);
    assert_eq!(found.json()["external_ids"], json!([{"system": "crm", "value": "1"}]));
    // A name that is left out is free again.
    drafted(&acme, named(&[("billing", "b-1")])).await;
}

#[actix_web::test]
async fn putting_a_submitted_assessment_opens_the_next_draft() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.put(PUT, named(&[])).await.uri();
    submit(&acme, &uri).await;
    let put = acme.put(PUT, assessment("team", "maturing", "embedded")).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(
        (&put.json()["status"], &put.json()["based_on"]),
        (&json!("draft"), &json!(1))
    );
    let shown = acme.get(&uri).await.json();
    assert_eq!((&shown["version"], &shown["has_draft"]), (&json!(1), &json!(true)));
    assert_eq!(shown["ratings"]["feelings.heard"]["current"], "forming");
    let second = submit(&acme, &uri).await.json();
    assert_eq!(
        (&second["version"], &second["ratings"]["feelings.heard"]["current"]),
        (&json!(2), &json!("maturing"))
    );
}

#[actix_web::test]
async fn putting_a_withdrawn_assessment_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.put(PUT, named(&[])).await.uri();
    withdraw(&acme, &uri).await;
    let refused = acme.put(PUT, named(&[])).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "invalid_transition"));
    assert_eq!(acme.act(&format!("{uri}/restore")).await.status, 200);
    assert_eq!(acme.put(PUT, named(&[])).await.status, 200);
}

#[actix_web::test]
async fn a_body_that_contradicts_its_name_is_refused() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let body = named(&[("billing", "b-1"), ("crm", "2")]);
    let refused = acme.put(PUT, body.clone()).await;
    assert_eq!(
        (refused.status, refused.faults()),
        (422, vec!["/external_ids/1 contradiction".to_owned()])
    );
    assert_eq!(acme.put(PUT, named(&[("crm", "1")])).await.status, 201);
    let refused = acme.put(PUT, body).await;
    assert_eq!(
        (refused.status, refused.faults()),
        (422, vec!["/external_ids/1 contradiction".to_owned()])
    );
    for incomplete in ["?system=crm", "?value=1", ""] {
        let uri = format!("/v1/assessments/by-external-id{incomplete}");
        assert_eq!(acme.put(&uri, named(&[])).await.status, 400, "{incomplete}");
    }
}

#[actix_web::test]
async fn a_name_in_the_body_that_another_assessment_has_is_taken() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    drafted(&acme, named(&[("billing", "b-1")])).await;
    let refused = acme.put(PUT, named(&[("billing", "b-1")])).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "external_id_taken"));
    assert_eq!(
        column(&acme.get("/v1/assessments?external_id=crm|1").await, "id"),
        [""; 0]
    );
    assert_eq!(acme.put(PUT, named(&[])).await.status, 201);
    let refused = acme.put(PUT, named(&[("billing", "b-1")])).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "external_id_taken"));
}

#[actix_web::test]
async fn an_upsert_honours_the_preconditions_it_is_sent() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let early = put_with(&acme, ("If-Match", "\"1\""), named(&[])).await;
    assert_eq!((early.status, early.code().as_str()), (412, "precondition_failed"));
    assert_eq!(put_with(&acme, ("If-Match", "*"), named(&[])).await.status, 412);
    let created = put_with(&acme, ("If-None-Match", "*"), named(&[])).await;
    assert_eq!(created.status, 201);
    let exists = put_with(&acme, ("If-None-Match", "*"), named(&[])).await;
    assert_eq!((exists.status, exists.code().as_str()), (412, "precondition_failed"));
    let replaced = put_with(&acme, ("If-Match", &created.etag()), named(&[])).await;
    assert_eq!(replaced.status, 200);
    assert_eq!(
        put_with(&acme, ("If-Match", &created.etag()), named(&[])).await.status,
        412
    );
    assert_eq!(put_with(&acme, ("If-Match", "*"), named(&[])).await.status, 200);
}

#[actix_web::test]
async fn an_upsert_does_not_change_what_is_rated_and_from_where() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let created = acme.put(PUT, named(&[])).await;
    let other = json!({"model": "ours", "model_version": 2, "perspective": "organisation"});
    let refused = acme.put(PUT, other).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.faults(),
        ["/model immutable", "/model_version immutable", "/perspective immutable"]
    );
    assert_eq!(acme.get(&created.uri()).await.json(), created.json());
    let wrong = json!({"model": "meaningful-connections", "perspective": "team", "ratings": {"feelings.nowhere": {}}});
    assert_eq!(
        acme.put(PUT, wrong).await.faults(),
        ["/ratings/feelings.nowhere unknown_element"]
    );
}

#[actix_web::test]
async fn many_at_once_make_one_assessment_and_all_succeed() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    for many in [8, 40] {
        let uri = format!("/v1/assessments/by-external-id?system=crm&value={many}");
        let answers = join_all((0..many).map(|_| acme.put(&uri, named(&[])))).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        let of = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!((of(201), of(200)), (1, many - 1), "{statuses:?}");
        let ids: BTreeSet<String> = answers.iter().map(|answer| answer.json()["id"].to_string()).collect();
        assert_eq!(ids.len(), 1);
        let etags: BTreeSet<String> = answers.iter().map(Answer::etag).collect();
        assert_eq!(etags.len(), many, "each writes a revision of its own");
    }
}

#[actix_web::test]
async fn an_erased_assessment_frees_its_names() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.put(PUT, named(&[("billing", "b-1")])).await.uri();
    submit(&acme, &uri).await;
    assert_eq!(acme.act(&format!("{uri}/erase")).await.status, 204);
    let anew = acme.put(PUT, named(&[("billing", "b-1")])).await;
    assert_eq!(anew.status, 201);
    assert_ne!(anew.uri(), uri);
}

#[actix_web::test]
async fn an_assessment_is_found_by_the_names_of_its_draft_and_of_its_newest_version() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = drafted(&acme, named(&[("crm", "1")])).await.uri();
    submit(&acme, &uri).await;
    acme.act(&format!("{uri}/amend")).await;
    acme.patch(&uri, json!({"external_ids": [{"system": "crm", "value": "2"}]}))
        .await;
    let by = |value: &str| {
        let uri = format!("/v1/assessments?external_id=crm|{value}");
        let acme = acme.clone();
        async move { column(&acme.get(&uri).await, "id") }
    };
    assert_eq!((by("1").await, by("2").await), (vec![id_of(&uri)], vec![id_of(&uri)]));
    submit(&acme, &uri).await;
    assert_eq!((by("1").await, by("2").await), (vec![], vec![id_of(&uri)]));
    drafted(&acme, named(&[("crm", "1")])).await;
}
