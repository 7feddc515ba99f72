//! People without accounts: what a token lets them do, and nothing else.

use actix_web::test::TestRequest;
use meaningful_connections::{http::openapi::document, jobs};
use serde_json::json;

use crate::{
    app::{Answer, TestApp, method},
    inviting::{Respondent, acted, opened, redeem, redeem_receipt, round, tokens},
    making::renewed,
    openapi::all,
    problems::assert_problem,
    rows,
    world::World,
};

const REGIMES: [&str; 3] = ["named", "pseudonymous", "anonymous"];

#[actix_web::test]
async fn somebody_without_an_account_reads_the_form_saves_comes_back_submits_and_reads_what_the_round_found() {
    for privacy in REGIMES {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let round_uri = opened(&acme, round(privacy)).await;
        let tokens = tokens(&acme, &round_uri, "service_user", 3).await;
        for token in &tokens {
            let first = Respondent::invited(&app, token).await;
            assert_eq!(first.access["expires_in"], 900);
            assert_eq!(first.access["round"]["perspective"], "service_user");
            assert_eq!(first.access["round"]["anonymity"].is_object(), privacy == "anonymous");
            let form = first.client.get(first.access["form"].as_str().expect("a form")).await;
            assert_eq!(form.status, 200, "{}", form.text());
            assert_eq!(form.json()["perspective"], "service_user");
            let empty = first.client.get(&first.uri).await;
            assert_eq!((empty.status, empty.json()["status"].clone()), (200, json!("draft")));
            assert_eq!(empty.json()["ratings"], json!({}));
            let one = json!({"ratings": {"feelings.heard": {"current": "forming", "note": "Sometimes."}}});
            let saved = first.client.patch(&first.uri, one).await;
            assert_eq!(saved.status, 200, "{}", saved.text());
            // The next day, with the same link.
            let again = Respondent::invited(&app, token).await;
            assert_eq!(again.uri, first.uri);
            let kept = again.client.get(&again.uri).await.json();
            assert_eq!(kept["ratings"]["feelings.heard"]["note"], "Sometimes.");
            let receipt = again.answer("forming", "maturing").await;
            assert_problem(&redeem(&app, token).await, 404, "not_found");
            let back = Respondent::with_receipt(&app, &receipt.to_lowercase().replace('-', " ")).await;
            assert_eq!(back.client.get(&back.uri).await.json()["status"], "submitted");
        }
        acted(&acme, &round_uri, "close").await;
        assert_problem(&redeem(&app, &tokens[0]).await, 404, "not_found");
        let revealed = acted(&acme, &round_uri, "reveal").await;
        let found = format!("/v1/gap-analyses/{}", revealed["gap_analysis"].as_str().expect("an id"));
        let reader = Respondent::invited(&app, &tokens[0]).await;
        assert_eq!(reader.access["round"]["gap_analysis"], revealed["gap_analysis"]);
        let read = reader.client.get(&found).await;
        assert_eq!(read.status, 200, "{}", read.text());
        assert_eq!(read.json()["elements"][0]["by_perspective"]["service_user"]["n"], 3);
        for chart in ["radar", "dumbbell", "heat_map", "distribution"] {
            let drawn = reader.client.get(&format!("{found}/charts/{chart}")).await;
            assert_eq!(drawn.status, 200, "{chart} {}", drawn.text());
        }
        assert_problem(&reader.client.get(&reader.uri).await, 404, "not_found");
    }
}

#[actix_web::test]
async fn before_the_reveal_nobody_but_the_respondent_sees_an_assessment_and_an_anonymous_one_nobody_ever() {
    for privacy in REGIMES {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round(privacy)).await;
        let mut submitted = Vec::new();
        for token in tokens(&acme, &uri, "team", 3).await {
            let receipt = Respondent::invited(&app, &token)
                .await
                .answer("forming", "maturing")
                .await;
            submitted.push(Respondent::with_receipt(&app, &receipt).await);
        }
        let id = uri.rsplit('/').next().expect("an id");
        for state in ["open", "closed", "revealed"] {
            match state {
                "closed" => drop(acted(&acme, &uri, "close").await),
                "revealed" => drop(acted(&acme, &uri, "reveal").await),
                _ => {}
            }
            let is_seen = state == "revealed" && privacy != "anonymous";
            for list in ["/v1/assessments".to_owned(), format!("/v1/assessments?round={id}")] {
                let listed = acme.get(&list).await.json()["data"].as_array().map(Vec::len);
                assert_eq!(listed, Some(if is_seen { 3 } else { 0 }), "{privacy} {state}");
            }
            for respondent in &submitted {
                for part in ["", "/versions", "/versions/1"] {
                    let status = acme.get(&format!("{}{part}", respondent.uri)).await.status;
                    assert_eq!(status, if is_seen { 200 } else { 404 }, "{privacy} {state} {part}");
                }
                let id = respondent.uri.rsplit('/').next().expect("an id");
                let by_name = acme
                    .post("/v1/gap-analyses/preview", json!({"assessments": [id]}))
                    .await;
                assert_eq!(by_name.status, if is_seen { 200 } else { 422 }, "{privacy} {state}");
            }
            let selected = json!({"select": {"model": "meaningful-connections"}});
            let by_select = acme.post("/v1/gap-analyses/preview", selected).await.status;
            assert_eq!(by_select, if is_seen { 200 } else { 422 }, "{privacy} {state}");
        }
    }
}

#[actix_web::test]
async fn after_the_reveal_organisers_see_who_said_what_only_in_a_named_round_and_change_nothing_of_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let crm = json!({"system": "https://crm.example.org", "value": "person-1"});
    // The name in another system is the one by which that finds them again.
    let invited = [
        ("named", json!({"label": "Mary"}), "Mary"),
        (
            "named",
            json!({"label": "Mary", "external_id": crm}),
            "https://crm.example.org|person-1",
        ),
        ("pseudonymous", json!({}), "P-"),
    ];
    for (privacy, mut invitation, expected) in invited {
        let uri = opened(&acme, round(privacy)).await;
        invitation["perspective"] = json!("team");
        let made = acme.post(&format!("{uri}/invitations"), invitation).await.json();
        let token = made["invitations"][0]["token"].as_str().expect("a token").to_owned();
        let mary = Respondent::invited(&app, &token).await;
        let told = mary
            .client
            .patch(&mary.uri, json!({"respondent_ref": "Somebody else"}))
            .await;
        assert_eq!(told.faults(), ["/respondent_ref immutable"]);
        let receipt = mary.answer("forming", "maturing").await;
        acted(&acme, &uri, "close").await;
        acted(&acme, &uri, "reveal").await;
        let own = Respondent::with_receipt(&app, &receipt).await.uri;
        let shown = acme.get(&own).await.json();
        let named = shown["respondent_ref"].as_str().expect("a name");
        assert!(
            named == expected || privacy != "named" && named.starts_with(expected),
            "{named}"
        );
        assert_problem(&acme.act(&format!("{own}/amend")).await, 403, "read_only");
        let migrated = acme.post(&format!("{own}/migrate"), json!({"to_version": 2})).await;
        assert_problem(&migrated, 403, "read_only");
        assert_problem(&acme.delete(&own).await, 403, "read_only");
        assert_eq!(acme.act(&format!("{own}/erase")).await.status, 204);
    }
}

#[actix_web::test]
async fn a_named_round_tells_how_far_each_has_come_and_no_other_does() {
    for privacy in REGIMES {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round(privacy)).await;
        let tokens = tokens(&acme, &uri, "team", 3).await;
        Respondent::invited(&app, &tokens[0])
            .await
            .answer("forming", "maturing")
            .await;
        Respondent::invited(&app, &tokens[1])
            .await
            .rate("forming", "maturing")
            .await;
        redeem(&app, &tokens[2]).await;
        let listed = acme.get(&format!("{uri}/invitations")).await.json();
        let mut answered: Vec<String> = listed["data"]
            .as_array()
            .expect("invitations")
            .iter()
            .map(|one| one["answered"].as_str().unwrap_or("-").to_owned())
            .collect();
        answered.sort();
        let expected = if privacy == "named" {
            ["not_started", "started", "submitted"]
        } else {
            ["-", "-", "-"]
        };
        assert_eq!(answered, expected, "{privacy}");
        let progress = acme.get(&uri).await.json()["progress"][1].clone();
        let expected = json!({"perspective": "team", "expected": 3, "invited": 3, "started": 2, "submitted": 1});
        assert_eq!(progress, expected, "{privacy}");
    }
}

#[actix_web::test]
async fn with_a_receipt_an_answer_is_read_amended_until_the_round_closes_withdrawn_and_erased() {
    for privacy in REGIMES {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round(privacy)).await;
        let (mut receipts, tokens) = (Vec::new(), tokens(&acme, &uri, "team", 5).await);
        for token in &tokens {
            receipts.push(
                Respondent::invited(&app, token)
                    .await
                    .answer("forming", "maturing")
                    .await,
            );
        }
        let own = Respondent::with_receipt(&app, &receipts[0]).await;
        assert_eq!(own.client.act(&format!("{}/amend", own.uri)).await.status, 200);
        own.rate("embedded", "embedded").await;
        let amended = own.submit().await.json();
        assert_eq!((&amended["version"], &amended["receipt"]), (&json!(2), &json!(null)));
        let withdrawn = Respondent::with_receipt(&app, &receipts[1]).await;
        assert_eq!(withdrawn.client.delete(&withdrawn.uri).await.status, 204);
        let gone = withdrawn.client.get(&withdrawn.uri).await;
        if privacy == "anonymous" {
            assert_problem(&gone, 404, "not_found");
            assert_problem(&redeem_receipt(&app, &receipts[1]).await, 404, "not_found");
        } else {
            assert_eq!(gone.json()["status"], "withdrawn");
            // Nobody but they can take it back, and they can.
            let restored = withdrawn.client.act(&format!("{}/restore", withdrawn.uri)).await;
            assert_eq!(
                (restored.status, &restored.json()["status"]),
                (200, &json!("submitted"))
            );
            assert_eq!(acme.get(&uri).await.json()["progress"][1]["submitted"], 5);
            assert_eq!(withdrawn.client.delete(&withdrawn.uri).await.status, 204);
        }
        assert_eq!(acme.get(&uri).await.json()["progress"][1]["submitted"], 4);
        acted(&acme, &uri, "close").await;
        let late = own.client.act(&format!("{}/amend", own.uri)).await;
        assert_problem(&late, 409, "invalid_transition");
        if privacy != "anonymous" {
            let late = withdrawn.client.act(&format!("{}/restore", withdrawn.uri)).await;
            assert_problem(&late, 409, "invalid_transition");
        }
        let found = acted(&acme, &uri, "reveal").await["gap_analysis"].clone();
        let found = format!("/v1/gap-analyses/{}", found.as_str().expect("an id"));
        let n = |analysis: Answer| analysis.json()["elements"][0]["all"]["n"].clone();
        assert_eq!(n(acme.get(&found).await), 4);
        let erased = own.client.act(&format!("{}/erase", own.uri)).await;
        assert_eq!(erased.status, 204, "{}", erased.text());
        assert_problem(&redeem_receipt(&app, &receipts[0]).await, 404, "not_found");
        let anew = acme.get(&found).await;
        assert_eq!(anew.json()["version"], 2, "{privacy} {}", anew.text());
        assert_eq!(n(anew), 3);
        assert_problem(&acme.get(&format!("{found}/versions/1")).await, 404, "not_found");
    }
}

#[actix_web::test]
async fn where_the_answer_to_a_submission_was_lost_the_same_key_gets_the_same_receipt() {
    const KEY: &str = "0f8e7c36-91f2-4d39-9d1c-6a3f8e2b7d10";
    for privacy in REGIMES {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round(privacy)).await;
        let token = tokens(&acme, &uri, "team", 1).await.remove(0);
        let own = Respondent::invited(&app, &token).await;
        own.rate("forming", "maturing").await;
        let (first, again) = (own.submit_with_key(KEY).await, own.submit_with_key(KEY).await);
        assert_eq!((first.status, again.status), (200, 200), "{}", again.text());
        assert_eq!(first.json(), again.json());
        // And with the link alone, when the access token is over.
        let key = json!({"token": token, "submitted_with": KEY});
        let back = app.nobody().post("/v1/invitations/redeem", key).await;
        assert_eq!(back.json()["receipt"], first.json()["receipt"]);
        let back = Respondent::of(&app, &back);
        assert_eq!(back.client.get(&back.uri).await.json()["status"], "submitted");
        assert_problem(&own.submit_with_key(&KEY.replace('0', "1")).await, 404, "not_found");
        assert_problem(&own.submit().await, 404, "not_found");
        assert_eq!(acme.get(&uri).await.json()["progress"][1]["submitted"], 1);
    }
}

#[actix_web::test]
async fn a_saved_rating_whose_answer_was_lost_is_saved_once_more_without_harm_and_a_stale_one_is_told() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let token = tokens(&acme, &uri, "team", 1).await.remove(0);
    let own = Respondent::invited(&app, &token).await;
    let etag = own.client.get(&own.uri).await.etag();
    let one = |level: &str| json!({"ratings": {"feelings.heard": {"current": level}}});
    let first = own.client.patch_if(&own.uri, &etag, one("forming")).await;
    let again = own.client.patch_if(&own.uri, &etag, one("forming")).await;
    assert_eq!((first.status, again.status), (200, 200), "{}", again.text());
    assert_eq!((first.etag(), first.json()), (again.etag(), again.json()));
    let stale = own.client.patch_if(&own.uri, &etag, one("embedded")).await;
    assert_problem(&stale, 412, "precondition_failed");
}

#[actix_web::test]
async fn a_shared_invitation_gives_each_a_token_of_their_own_until_its_uses_are_taken() {
    for privacy in REGIMES {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round(privacy)).await;
        let poster = json!({"perspective": "team", "uses": 2, "link": "https://answer.example.org/#"});
        let made = acme.post(&format!("{uri}/invitations"), poster).await.json()["invitations"][0].clone();
        let shared = made["token"].as_str().expect("a token");
        assert_eq!(made["url"], json!(format!("https://answer.example.org/#{shared}")));
        let (one, other) = (redeem(&app, shared).await, redeem(&app, shared).await);
        assert_problem(&redeem(&app, shared).await, 404, "not_found");
        let (one, other) = (Respondent::of(&app, &one), Respondent::of(&app, &other));
        assert_ne!(one.uri, other.uri);
        one.answer("forming", "maturing").await;
        let own = other.access["token"].as_str().expect("a token of one's own");
        other.rate("forming", "maturing").await;
        let back = Respondent::invited(&app, own).await;
        assert_eq!(
            (back.uri.clone(), back.access["token"].clone()),
            (other.uri, json!(null))
        );
        let listed = acme.get(&format!("{uri}/invitations")).await.json();
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(
            (&listed["data"][0]["uses"], &listed["data"][0]["used"]),
            (&json!(2), &json!(2))
        );
        let progress = acme.get(&uri).await.json()["progress"][1].clone();
        assert_eq!(
            (&progress["invited"], &progress["started"]),
            (&json!(2), &json!(2)),
            "{progress}"
        );
        // Taken back, it lets nobody else in; who came before goes on.
        let gone = acme
            .delete(&format!("{uri}/invitations/{}", made["id"].as_str().expect("an id")))
            .await;
        assert_eq!(gone.status, 204, "{}", gone.text());
        assert_eq!(redeem(&app, own).await.status, 200);
    }
}

#[actix_web::test]
async fn whatever_leads_nowhere_gets_one_and_the_same_answer_and_who_tries_many_has_to_wait() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let mut body = round("anonymous");
    body["closes_at"] = json!("2100-01-01");
    let ending = opened(&acme, body).await;
    let revoked = acme
        .post(&format!("{uri}/invitations"), json!({"perspective": "team"}))
        .await
        .json();
    let revoked = revoked["invitations"][0].clone();
    let used = tokens(&acme, &uri, "team", 1).await.remove(0);
    Respondent::invited(&app, &used)
        .await
        .answer("forming", "maturing")
        .await;
    let (late, cancelled) = (
        tokens(&acme, &ending, "team", 1).await,
        opened(&acme, round("named")).await,
    );
    let of_cancelled = tokens(&acme, &cancelled, "team", 1).await;
    acted(&acme, &cancelled, "cancel").await;
    let path = format!("{uri}/invitations/{}", revoked["id"].as_str().expect("an id"));
    assert_eq!(acme.delete(&path).await.status, 204);
    app.advance(75 * 365 * 24 * 60 * 60);
    let mut answers = Vec::new();
    for token in [
        revoked["token"].as_str().expect("a token"),
        &used,
        &late[0],
        &of_cancelled[0],
        &"A".repeat(43),
    ] {
        answers.push(redeem(&app, token).await);
    }
    answers.push(redeem_receipt(&app, "00000-00000-00000-00000-000000").await);
    answers.push(redeem_receipt(&app, &"U".repeat(26)).await);
    for answer in &answers {
        assert_problem(answer, 404, "not_found");
        assert_eq!(answer.json()["detail"], answers[0].json()["detail"]);
    }
    // Four of these were of nobody's.
    let acme = renewed(&app, &acme);
    let fresh = opened(&acme, round("named")).await;
    let fresh = tokens(&acme, &fresh, "team", 1).await.remove(0);
    for _ in 0..6 {
        assert_eq!(redeem(&app, &"B".repeat(43)).await.status, 404);
    }
    let waits = redeem(&app, &"C".repeat(43)).await;
    assert_problem(&waits, 429, "too_many_requests");
    assert!(
        waits
            .header("retry-after")
            .parse::<u32>()
            .is_ok_and(|seconds| seconds > 0)
    );
    // Whose token leads somewhere does not wait for those who guess behind the same address.
    assert_eq!(redeem(&app, &fresh).await.status, 200);
}

#[actix_web::test]
async fn whoever_comes_back_to_a_token_that_is_used_up_keeps_nobody_out_who_shares_their_address() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let poster = json!({"perspective": "team", "uses": 2});
    let made = acme.post(&format!("{uri}/invitations"), poster).await.json();
    let poster = made["invitations"][0]["token"].as_str().expect("a token");
    let tokens = tokens(&acme, &uri, "service_user", 2).await;
    Respondent::invited(&app, &tokens[0])
        .await
        .answer("forming", "maturing")
        .await;
    for _ in 0..2 {
        assert_eq!(redeem(&app, poster).await.status, 200);
    }
    for _ in 0..10 {
        assert_problem(&redeem(&app, &tokens[0]).await, 404, "not_found");
        assert_problem(&redeem(&app, poster).await, 404, "not_found");
    }
    Respondent::invited(&app, &tokens[1]).await;
}

#[actix_web::test]
async fn a_respondents_token_is_refused_by_every_operation_that_is_not_for_them() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let world = World::new(acme.clone()).await;
    let uri = opened(&acme, round("named")).await;
    let token = tokens(&acme, &uri, "team", 1).await.remove(0);
    let own = Respondent::invited(&app, &token).await;
    own.rate("forming", "maturing").await;
    let before = rows::of(&app, acme.organisation);
    let (document, mut reached) = (document(), Vec::new());
    for operation in all(&document) {
        if operation.scope().is_none() {
            continue;
        }
        let is_theirs = operation.described["security"][1]["respondent"].is_array();
        let answer = own.client.send(world.request(&operation).await).await;
        let expected = if is_theirs { 404 } else { 403 };
        assert_eq!(answer.status, expected, "{} {}", operation.id(), answer.text());
        if is_theirs {
            reached.push(operation.id().to_owned());
        }
    }
    reached.sort();
    let expected = [
        "amend_assessment",
        "discard_assessment_draft",
        "erase_assessment",
        "get_assessment",
        "get_assessment_draft",
        "get_form",
        "get_gap_analysis",
        "get_gap_analysis_chart",
        "patch_assessment",
        "restore_assessment",
        "submit_assessment",
        "withdraw_assessment",
    ];
    assert_eq!(reached, expected);
    assert_eq!(rows::of(&app, acme.organisation), before);
}

#[actix_web::test]
async fn a_token_reaches_nothing_of_another_respondent_nor_anything_once_its_round_or_its_time_is_over() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let (mine, theirs) = (
        opened(&acme, round("anonymous")).await,
        opened(&rival, round("anonymous")).await,
    );
    let tokens_of_mine = tokens(&acme, &mine, "team", 2).await;
    let one = Respondent::invited(&app, &tokens_of_mine[0]).await;
    let other = Respondent::invited(&app, &tokens_of_mine[1]).await;
    let foreign = Respondent::invited(&app, &tokens(&rival, &theirs, "team", 1).await[0]).await;
    for respondent in [&one, &other, &foreign] {
        respondent.rate("forming", "maturing").await;
    }
    for uri in [&other.uri, &foreign.uri] {
        for (name, path) in [
            ("GET", uri.clone()),
            ("PATCH", uri.clone()),
            ("DELETE", uri.clone()),
            ("POST", format!("{uri}/submit")),
        ] {
            let request = TestRequest::with_uri(&path)
                .method(method(name))
                .insert_header(("If-Match", "*"))
                .set_json(json!({}));
            assert_problem(&one.client.send(request).await, 404, "not_found");
        }
    }
    let elsewhere = "/v1/models/meaningful-connections/versions/1/form?perspective=service_user";
    assert_problem(&one.client.get(elsewhere).await, 404, "not_found");
    app.advance(16 * 60);
    assert_problem(&one.client.get(&one.uri).await, 401, "invalid_token");
    let one = Respondent::invited(&app, &tokens_of_mine[0]).await;
    acted(&renewed(&app, &acme), &mine, "cancel").await;
    assert_problem(&one.client.get(&one.uri).await, 404, "not_found");
    assert_problem(
        &one.client.get(one.access["form"].as_str().expect("a form")).await,
        404,
        "not_found",
    );
}

#[actix_web::test]
async fn what_was_not_submitted_when_a_round_ends_is_erased_by_the_job_too_and_nothing_is_taken_after_its_end() {
    for privacy in REGIMES {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let mut body = round(privacy);
        body["closes_at"] = json!("2100-01-01");
        let uri = opened(&acme, body).await;
        let token = tokens(&acme, &uri, "team", 1).await.remove(0);
        app.advance(0);
        let now = app.db.now();
        let until = meaningful_connections::domain::moment::Moment::parse_date_or_time("2100-01-01").expect("a day");
        app.advance(until.seconds() - now.seconds() - 60);
        let own = Respondent::invited(&app, &token).await;
        own.rate("forming", "maturing").await;
        app.advance(61);
        assert_problem(&redeem(&app, &token).await, 404, "not_found");
        assert_problem(&own.submit().await, 409, "invalid_transition");
        jobs::step(&app.db, &mut jobs::Stuck::new());
        assert_problem(&own.submit().await, 404, "not_found");
        let acme = renewed(&app, &acme);
        assert_eq!(acme.get(&uri).await.json()["status"], "closed");
        let nothing = acme.act(&format!("{uri}/reveal")).await;
        assert_problem(&nothing, 409, "invalid_transition");
        assert!(
            !rows::of(&app, acme.organisation)
                .iter()
                .any(|row| row.starts_with("responses"))
        );
    }
}
