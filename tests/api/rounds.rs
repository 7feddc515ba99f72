//! Rounds: prepared, opened, closed, revealed, called off; and whom they invite.

use meaningful_connections::{domain::moment::Moment, jobs};
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    inviting::{Respondent, acted, opened, redeem, round, tokens},
    making::{id_of, renewed},
    problems::assert_problem,
    rows::{self, Second},
    world::constellation,
};

async fn made(client: &Client, body: Value) -> String {
    let made = client.post("/v1/rounds", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.uri()
}

#[actix_web::test]
async fn everything_that_is_wrong_with_a_round_is_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let nothing = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut body = round("anonymous");
    body["minimum_group"] = json!(2);
    body["model"] = json!("never-was");
    body["perspectives"] = json!([{"perspective": "team", "expected": 1}, {"perspective": "team", "expected": 1},
        {"perspective": "nobody", "expected": 1}]);
    body["opens_at"] = json!("2026-02-01");
    body["closes_at"] = json!("2026-01-01");
    body["relationship"] = json!(nothing);
    body["baseline"] = json!(nothing);
    let told = acme.post("/v1/rounds", body).await;
    assert_eq!(told.status, 422, "{}", told.text());
    let mut faults = told.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/baseline unknown_reference",
            "/closes_at minimum",
            "/minimum_group minimum",
            "/model unknown_reference",
            "/perspectives/1/perspective duplicate",
            "/perspectives/2/perspective unknown_reference",
            "/relationship unknown_reference",
        ]
    );
    let mut body = round("named");
    body["title"] = json!(" ");
    body["consent"] = json!({"text": "\n", "version": "\t", "language": "zz-zz-zz-zz-"});
    let told = acme.post("/v1/rounds", body).await.faults();
    assert_eq!(
        told,
        [
            "/title required",
            "/consent/text required",
            "/consent/version required",
            "/consent/language pattern"
        ]
    );
    let mut body = round("named");
    body["consent"] = json!({"text": "", "version": "1"});
    body["perspectives"] = json!([]);
    body["minimum_group"] = json!(1);
    let told = acme.post("/v1/rounds", body).await.faults();
    assert_eq!(
        told,
        [
            "/consent/text min_length",
            "/minimum_group minimum",
            "/perspectives invalid"
        ]
    );
}

#[actix_web::test]
async fn a_round_about_a_relationship_names_its_constellation_and_keeps_it_from_vanishing() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let map = acme.post("/v1/constellations", constellation()).await;
    let (id, relationship) = (map.json()["id"].clone(), map.json()["relationships"][0]["id"].clone());
    let other = acme.post("/v1/constellations", constellation()).await.json()["id"].clone();
    let mut body = round("named");
    body["relationship"] = relationship.clone();
    body["constellation"] = other;
    let told = acme.post("/v1/rounds", body.clone()).await.faults();
    assert_eq!(told, ["/constellation contradiction"]);
    body.as_object_mut().expect("an object").remove("constellation");
    let uri = made(&acme, body).await;
    assert_eq!(acme.get(&uri).await.json()["constellation"], id);
    let changed = acme
        .patch(&map.uri(), json!({"relationships": [], "parties": []}))
        .await;
    assert_eq!(
        changed.json()["relationships"][0]["retired"],
        true,
        "{}",
        changed.text()
    );
    let told = acme.act(&format!("{uri}/open")).await;
    assert_eq!(told.faults(), ["/relationship unknown_reference"]);
    let back = json!({"parties": constellation()["parties"], "relationships": [{"id": relationship, "from": "team",
        "to": "residents", "cardinality": {"from": "one", "to": "many"}}]});
    assert_eq!(acme.patch(&map.uri(), back).await.status, 200);
    let open = acted(&acme, &uri, "open").await;
    assert_eq!(
        (&open["constellation_version"], &open["model_version"]),
        (&json!(3), &json!(1))
    );
    let listed = acme
        .get(&format!(
            "/v1/rounds?relationship={}",
            relationship.as_str().expect("an id")
        ))
        .await;
    assert_eq!(listed.json()["data"].as_array().map(Vec::len), Some(1));
    let whole = made(&acme, round("named")).await;
    assert_eq!(acme.patch(&uri, json!({"title": "Later"})).await.status, 200);
    let ids = async |query: &str| {
        let page = acme.get(&format!("/v1/rounds?{query}")).await.json();
        let data = page["data"].as_array().expect("a page").clone();
        data.iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    let (about_it, whole) = (json!(id_of(&uri)), json!(id_of(&whole)));
    assert_eq!(ids("limit=9").await, [whole.clone(), about_it.clone()]);
    assert_eq!(ids("updated_since=2020-01-01").await, [whole.clone(), about_it.clone()]);
    assert_eq!(ids("updated_since=2999-01-01").await, Vec::<Value>::new());
    let constellation = id.as_str().expect("an id");
    assert_eq!(ids(&format!("constellation={constellation}")).await, [about_it]);
    let first = acme.get("/v1/rounds?updated_since=2020-01-01&limit=1").await;
    let next = first.json()["next_cursor"].as_str().expect("a cursor").to_owned();
    let second = acme
        .get(&format!("/v1/rounds?updated_since=2020-01-01&limit=1&cursor={next}"))
        .await;
    assert_eq!(second.json()["data"][0]["title"], "Later");
}

#[actix_web::test]
async fn a_draft_can_change_an_open_round_only_its_title_its_numbers_and_to_a_later_end_and_one_that_is_over_not_at_all()
 {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme, round("named")).await;
    let anonymous = acme
        .patch(&uri, json!({"privacy": "anonymous", "closes_at": "2100-01-01"}))
        .await;
    assert_eq!(anonymous.status, 200, "{}", anonymous.text());
    assert!(
        anonymous.json()["anonymity"]["text"]
            .as_str()
            .is_some_and(|words| words.contains("write-ahead log"))
    );
    let request = actix_web::test::TestRequest::patch()
        .uri(&uri)
        .set_json(json!({"title": "x"}));
    assert_problem(&acme.send(request).await, 428, "precondition_required");
    acted(&acme, &uri, "open").await;
    let expected = |expected| json!([{"perspective": "service_user", "expected": 5}, {"perspective": "team", "expected": expected}]);
    let later = json!({"title": "Longer", "closes_at": "2101-01-01", "perspectives": expected(9)});
    let later = acme.patch(&uri, later).await.json();
    assert_eq!(
        (&later["title"], &later["progress"][1]["expected"]),
        (&json!("Longer"), &json!(9))
    );
    let mut fewer = expected(9);
    fewer.as_array_mut().expect("a list").pop();
    let told = acme.patch(&uri, json!({"perspectives": fewer})).await;
    assert_eq!(told.faults(), ["/perspectives immutable"]);
    let told = acme
        .patch(
            &uri,
            json!({"privacy": "named", "minimum_group": 2, "closes_at": "2100-01-01"}),
        )
        .await;
    assert_eq!(
        told.faults(),
        ["/closes_at immutable", "/privacy immutable", "/minimum_group immutable"]
    );
    assert_problem(&acme.act(&format!("{uri}/open")).await, 409, "invalid_transition");
    assert_problem(&acme.act(&format!("{uri}/reveal")).await, 409, "invalid_transition");
    acted(&acme, &uri, "close").await;
    let told = acme.patch(&uri, json!({"closes_at": "2102-01-01"})).await;
    assert_eq!(told.faults(), ["/closes_at immutable"]);
    assert_eq!(acme.patch(&uri, json!({"title": "x"})).await.json()["title"], "x");
    acted(&acme, &uri, "cancel").await;
    assert_problem(
        &acme.patch(&uri, json!({"title": "y"})).await,
        409,
        "invalid_transition",
    );
    for action in ["open", "close", "reveal", "cancel"] {
        assert_problem(&acme.act(&format!("{uri}/{action}")).await, 409, "invalid_transition");
    }
}

#[actix_web::test]
async fn a_round_opens_and_closes_by_itself() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = round("pseudonymous");
    let day = |text| Moment::parse_date_or_time(text).expect("a day").seconds() - app.db.now().seconds();
    body["opens_at"] = json!("2100-01-01");
    body["closes_at"] = json!("2100-01-02");
    let uri = made(&acme, body).await;
    let mut states = Vec::new();
    for until in [-60, 60] {
        for date in ["2100-01-01", "2100-01-02"] {
            if until < 0 && date == "2100-01-02" {
                continue;
            }
            app.advance(day(date) + until);
            jobs::step(&app.db, &mut jobs::Stuck::new());
            let shown = renewed(&app, &acme).get(&uri).await.json();
            states.push(shown["status"].as_str().unwrap_or("?").to_owned());
        }
    }
    assert_eq!(states, ["draft", "open", "closed"]);
}

#[actix_web::test]
async fn what_would_close_in_the_past_is_refused_and_what_cannot_open_says_why() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut body = round("named");
    body["closes_at"] = json!("2020-01-01");
    let told = acme.post("/v1/rounds", body.clone()).await;
    assert_eq!(told.faults(), ["/closes_at minimum"]);
    let map = acme.post("/v1/constellations", constellation()).await;
    body["relationship"] = map.json()["relationships"][0]["id"].clone();
    let opens = Moment::parse_date_or_time("2100-01-01").expect("a day");
    (body["opens_at"], body["closes_at"]) = (json!("2100-01-01"), json!("2100-01-02"));
    let uri = made(&acme, body).await;
    let past = acme.patch(&uri, json!({"closes_at": "2020-01-01"})).await;
    assert_eq!(past.faults(), ["/closes_at minimum"]);
    // A relationship that a round names is retired where it would be deleted.
    let retired = acme
        .patch(&map.uri(), json!({"relationships": [], "parties": []}))
        .await;
    assert_eq!(retired.status, 200, "{}", retired.text());
    assert_eq!(acme.get(&uri).await.json()["cannot_open"], Value::Null);
    app.advance(opens.seconds() - app.db.now().seconds() + 60);
    let acme = renewed(&app, &acme);
    let mut stuck = jobs::Stuck::new();
    jobs::step(&app.db, &mut stuck);
    let why: Vec<&str> = stuck.values().map(String::as_str).collect();
    assert_eq!(why, ["/relationship unknown_reference"]);
    let shown = acme.get(&uri).await;
    assert_eq!(shown.json()["status"], "draft");
    assert_eq!(shown.json()["cannot_open"][0]["pointer"], "/relationship");
    assert_eq!(shown.json()["cannot_open"][0]["code"], "unknown_reference");
    let mended = acme.patch(&uri, json!({"relationship": null})).await;
    assert_eq!((mended.status, &mended.json()["cannot_open"]), (200, &Value::Null));
    assert_ne!(mended.etag(), shown.etag());
    jobs::step(&app.db, &mut stuck);
    assert_eq!(stuck, jobs::Stuck::new());
    assert_eq!(acme.get(&uri).await.json()["status"], "open");
    // Its end can come before anybody has mended it: a later one can still be set.
    let mut late = round("named");
    (late["opens_at"], late["closes_at"]) = (json!("2100-02-01"), json!("2100-02-02"));
    let late = made(&acme, late).await;
    app.advance(60 * 24 * 60 * 60);
    let acme = renewed(&app, &acme);
    assert_eq!(acme.get(&late).await.json()["cannot_open"][0]["pointer"], "/closes_at");
    assert_eq!(acme.patch(&late, json!({"closes_at": "2101-01-01"})).await.status, 200);
}

#[actix_web::test]
async fn invitations_say_what_is_wrong_with_each_and_only_a_named_round_knows_who_is_invited() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let ended = opened(&acme, round("named")).await;
    acted(&acme, &ended, "close").await;
    let late = acme
        .post(&format!("{ended}/invitations"), json!({"perspective": "team"}))
        .await;
    assert_problem(&late, 409, "invalid_transition");
    let name = json!({"system": "https://crm.example.org", "value": "person-1"});
    for (privacy, expected) in [
        ("named", vec!["/invitations/1/perspective unknown_reference"]),
        (
            "anonymous",
            vec![
                "/invitations/0/label not_named",
                "/invitations/0/external_id not_named",
                "/invitations/1/perspective unknown_reference",
            ],
        ),
    ] {
        let uri = opened(&acme, round(privacy)).await;
        let invitations = json!({"invitations": [
            {"perspective": "team", "label": "Mary", "external_id": name}, {"perspective": "organisation"}
        ]});
        let told = acme.post(&format!("{uri}/invitations"), invitations).await.faults();
        assert_eq!(told, expected, "{privacy}");
        let uri = format!("{uri}/invitations");
        for (body, fault) in [
            (json!({}), "/perspective required"),
            (json!({"perspective": "team", "uses": 0}), "/uses minimum"),
            (json!({"perspective": "team", "uses": 10_001}), "/uses maximum"),
            (
                json!({"perspective": "team", "link": "javascript:alert(1)"}),
                "/link pattern",
            ),
            (
                json!({"perspective": "team", "invitations": [{"perspective": "team"}]}),
                " one_or_several",
            ),
            (json!({"invitations": []}), "/invitations invalid"),
            (
                json!({"invitations": vec![json!({"perspective": "team"}); 501]}),
                "/invitations too_many",
            ),
        ] {
            assert_eq!(acme.post(&uri, body).await.faults(), [fault]);
        }
        assert_eq!(acme.get(&uri).await.json()["data"], json!([]));
    }
}

#[actix_web::test]
async fn a_draft_invites_and_its_tokens_are_good_once_it_has_opened_and_never_where_it_is_called_off() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut kept = Vec::new();
    for last in ["open", "cancel"] {
        let uri = made(&acme, round("named")).await;
        let mut token = tokens(&acme, &uri, "team", 1).await;
        let shared = json!({"perspective": "team", "uses": 2});
        let shared = acme.post(&format!("{uri}/invitations"), shared).await.json();
        token.push(shared["invitations"][0]["token"].as_str().expect("a token").to_owned());
        assert_eq!(acme.get(&uri).await.json()["progress"][1]["invited"], 3);
        let mut unknown = redeem(&app, &"A".repeat(43)).await.json();
        for token in &token {
            let early = redeem(&app, token).await;
            assert_problem(&early, 404, "not_found");
            let mut early = early.json();
            for answer in [&mut early, &mut unknown] {
                answer.as_object_mut().expect("an object").remove("instance");
            }
            assert_eq!(early, unknown);
        }
        acted(&acme, &uri, last).await;
        for token in token {
            kept.push(redeem(&app, &token).await.status);
        }
    }
    assert_eq!(kept, [200, 200, 404, 404]);
}

#[actix_web::test]
async fn what_invitations_to_a_draft_rest_on_stays_until_they_are_revoked() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme, round("named")).await;
    let invited = acme
        .post(
            &format!("{uri}/invitations"),
            json!({"perspective": "team", "label": "Mary"}),
        )
        .await
        .json();
    let other = json!({"privacy": "anonymous", "title": "Summer",
        "perspectives": [{"perspective": "service_user", "expected": 4}]});
    let told = acme.patch(&uri, other.clone()).await;
    assert_eq!(told.faults(), ["/privacy immutable", "/perspectives immutable"]);
    let more = json!({"title": "Summer", "perspectives": [{"perspective": "organisation", "expected": 4},
        {"perspective": "team", "expected": 4}]});
    assert_eq!(acme.patch(&uri, more).await.status, 200);
    let invitation = format!(
        "{uri}/invitations/{}",
        invited["invitations"][0]["id"].as_str().expect("an id")
    );
    assert_eq!(acme.delete(&invitation).await.status, 204);
    assert_eq!(acme.patch(&uri, other).await.json()["privacy"], "anonymous");
}

#[actix_web::test]
async fn a_draft_is_deleted_with_its_invitations_and_no_other_round_is() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = made(&acme, round("named")).await;
    let token = tokens(&acme, &uri, "team", 1).await.remove(0);
    let unsaid = actix_web::test::TestRequest::delete().uri(&uri);
    assert_problem(&acme.send(unsaid).await, 428, "precondition_required");
    assert_eq!(app.organisation("rival").delete(&uri).await.status, 404);
    assert_eq!(acme.delete(&uri).await.status, 204);
    assert_problem(&acme.get(&uri).await, 404, "not_found");
    assert_problem(&redeem(&app, &token).await, 404, "not_found");
    let open = opened(&acme, round("named")).await;
    assert_problem(&acme.delete(&open).await, 409, "invalid_transition");
    acted(&acme, &open, "cancel").await;
    assert_problem(&acme.delete(&open).await, 409, "invalid_transition");
    assert_eq!(
        acme.get("/v1/rounds").await.json()["data"].as_array().map(Vec::len),
        Some(1)
    );
}

#[actix_web::test]
async fn tokens_are_shown_once_kept_only_as_hashes_and_in_no_replayed_answer() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("named")).await;
    let keyed = || {
        actix_web::test::TestRequest::post()
            .uri(&format!("{uri}/invitations"))
            .insert_header(("Idempotency-Key", "one"))
            .set_json(json!({"perspective": "team", "label": "Mary", "link": "https://answer.example.org/#"}))
    };
    let (first, again) = (acme.send(keyed()).await, acme.send(keyed()).await);
    let token = first.json()["invitations"][0]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(token.len(), 43);
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(
        first.json()["invitations"][0]["id"],
        again.json()["invitations"][0]["id"]
    );
    let path = format!(
        "{uri}/invitations/{}",
        first.json()["invitations"][0]["id"].as_str().expect("an id")
    );
    let shown = acme.get(&path).await;
    assert_eq!(shown.json()["label"], "Mary");
    for text in [
        again.text(),
        shown.text(),
        acme.get(&format!("{uri}/invitations")).await.text(),
    ] {
        assert!(!text.contains(&token), "{text}");
    }
    let one = json!({"perspective": "service_user", "uses": 3});
    let shared = acme.post(&format!("{uri}/invitations"), one).await.json();
    redeem(&app, shared["invitations"][0]["token"].as_str().expect("a token")).await;
    let listed = acme
        .get(&format!("{uri}/invitations?perspective=service_user"))
        .await
        .json();
    let listed = listed["data"].as_array().expect("a page").clone();
    assert_eq!(
        (listed.len(), &listed[0]["used"], &listed[0]["revision"]),
        (1, &json!(1), &json!(2))
    );
    for (revision, expected) in [(1, 412), (2, 204)] {
        let path = format!("{uri}/invitations/{}", listed[0]["id"].as_str().expect("an id"));
        let revoke = actix_web::test::TestRequest::delete().uri(&path);
        let revoke = revoke.insert_header(("If-Match", format!("\"{revision}\"")));
        assert_eq!(acme.send(revoke).await.status, expected);
    }
    let mut second = Second::open(&app.database);
    assert_eq!(second.tables_with(&token), Vec::<String>::new());
    redeem(&app, &token).await;
    assert_eq!(acme.delete(&path).await.status, 204);
    assert_problem(&redeem(&app, &token).await, 404, "not_found");
    assert_problem(&acme.get(&path).await, 404, "not_found");
}

#[actix_web::test]
async fn redeeming_a_personal_invitation_writes_nothing_at_all() {
    for privacy in ["named", "pseudonymous", "anonymous"] {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round(privacy)).await;
        let token = tokens(&acme, &uri, "team", 1).await.remove(0);
        let before = rows::of(&app, acme.organisation);
        for _ in 0..3 {
            let own = Respondent::invited(&app, &token).await;
            assert_eq!(own.client.get(&own.uri).await.status, 200);
            assert_eq!(own.client.get(&format!("{}/draft", own.uri)).await.status, 200);
        }
        assert_eq!(rows::of(&app, acme.organisation), before, "{privacy}");
    }
}

#[actix_web::test]
async fn an_anonymous_round_shows_nothing_of_a_group_that_is_too_small() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    for (perspective, count, level) in [("team", 2, "embedded"), ("service_user", 3, "forming")] {
        for token in tokens(&acme, &uri, perspective, count).await {
            Respondent::invited(&app, &token).await.answer(level, "embedded").await;
        }
    }
    acted(&acme, &uri, "close").await;
    let found = acted(&acme, &uri, "reveal").await["gap_analysis"].clone();
    let found = acme
        .get(&format!("/v1/gap-analyses/{}", found.as_str().expect("an id")))
        .await
        .json();
    assert_eq!(found["elements"][0]["all"]["n"], 3);
    assert_eq!(found["elements"][0]["by_perspective"]["team"]["n"], Value::Null);
    assert_eq!(found["inputs"], json!([{"perspective": "service_user", "count": 3}]));
}

#[actix_web::test]
async fn a_round_that_names_its_baseline_is_compared_with_what_that_found() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut before: Option<String> = None;
    for level in ["early_stages", "maturing"] {
        let mut body = round("anonymous");
        if let Some(before) = &before {
            body["baseline"] = json!(before);
        }
        let uri = opened(&acme, body).await;
        for token in tokens(&acme, &uri, "team", 3).await {
            Respondent::invited(&app, &token).await.answer(level, "embedded").await;
        }
        acted(&acme, &uri, "close").await;
        let revealed = acted(&acme, &uri, "reveal").await;
        let found = revealed["gap_analysis"].as_str().expect("an id");
        let found = acme.get(&format!("/v1/gap-analyses/{found}")).await.json();
        let moved = &found["distance_travelled"]["elements"][0]["levels_moved"];
        assert_eq!(moved.as_f64(), before.as_ref().map(|_| 2.0), "{found}");
        before = uri.rsplit('/').next().map(ToOwned::to_owned);
    }
}

#[actix_web::test]
async fn a_baseline_is_revealed_first_or_taken_out() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let earlier = made(&acme, round("anonymous")).await;
    let id = earlier.rsplit('/').next().expect("an id");
    let mut body = round("anonymous");
    body["baseline"] = json!(id);
    let uri = opened(&acme, body.clone()).await;
    for token in tokens(&acme, &uri, "team", 3).await {
        Respondent::invited(&app, &token)
            .await
            .answer("forming", "embedded")
            .await;
    }
    acted(&acme, &uri, "close").await;
    let refused = acme.act(&format!("{uri}/reveal")).await;
    assert_problem(&refused, 409, "invalid_transition");
    assert!(
        refused.json()["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(id)),
        "{}",
        refused.text()
    );
    // Nobody reveals what was called off, and nobody names it any more; who named it before can take it out.
    acted(&acme, &earlier, "cancel").await;
    assert_eq!(
        acme.post("/v1/rounds", body).await.faults(),
        ["/baseline unknown_reference"]
    );
    assert_problem(&acme.act(&format!("{uri}/reveal")).await, 409, "invalid_transition");
    let itself = uri.rsplit('/').next().expect("an id");
    let told = acme.patch(&uri, json!({"baseline": itself})).await;
    assert_eq!(told.faults(), ["/baseline unknown_reference"]);
    let out = acme.patch(&uri, json!({"baseline": null})).await;
    assert_eq!(out.status, 200, "{}", out.text());
    acted(&acme, &uri, "reveal").await;
}

#[actix_web::test]
async fn a_qr_code_is_drawn_of_what_is_sent_and_nothing_of_it_is_repeated() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let url = format!("https://answer.example.org/#{}", "A".repeat(43));
    let drawn = acme.post("/v1/invitations/qr-code", json!({"url": url})).await;
    assert_eq!(drawn.status, 200, "{}", drawn.text());
    assert_eq!(
        (drawn.header("content-type"), drawn.header("cache-control")),
        ("image/svg+xml".to_owned(), "no-store".to_owned())
    );
    let text = drawn.text();
    let document = roxmltree::Document::parse(&text).expect("XML");
    assert_eq!(document.root_element().attribute("viewBox"), Some("0 0 41 41"));
    assert!(!text.contains("AAAAAAAA"));
    let told = acme.post("/v1/invitations/qr-code", json!({"url": "two words"})).await;
    assert_eq!(told.faults(), ["/url pattern"]);
}
