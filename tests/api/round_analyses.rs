//! What a round found: what is withheld, what its team agreed on, and how it compares with the round before.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    inviting::{Respondent, acted, opened, round, tokens},
    making::{digest_of, id_of},
    problems::assert_problem,
    world::{constellation, done},
};

/// So many answer from a perspective, all alike: their receipts.
async fn answers(app: &TestApp, acme: &Client, uri: &str, perspective: &str, levels: &[(&str, &str)]) -> Vec<String> {
    let mut receipts = Vec::new();
    if levels.is_empty() {
        return receipts;
    }
    for (token, (current, desired)) in tokens(acme, uri, perspective, levels.len()).await.iter().zip(levels) {
        receipts.push(Respondent::invited(app, token).await.answer(current, desired).await);
    }
    receipts
}

/// Closes and reveals a round: the URI of what it found.
async fn revealed(acme: &Client, uri: &str) -> String {
    acted(acme, uri, "close").await;
    let revealed = acted(acme, uri, "reveal").await;
    format!("/v1/gap-analyses/{}", revealed["gap_analysis"].as_str().expect("an id"))
}

const LOW: (&str, &str) = ("forming", "maturing");
const HIGH: (&str, &str) = ("embedded", "embedded");
const LOWEST: (&str, &str) = ("early_stages", "early_stages");

/// An anonymous round in which three service users answer, and two of the team: what it found.
async fn with_a_team_of(app: &TestApp, acme: &Client, team: &[(&str, &str)]) -> String {
    let uri = opened(acme, round("anonymous")).await;
    answers(app, acme, &uri, "service_user", &[LOW, LOW, HIGH]).await;
    answers(app, acme, &uri, "team", team).await;
    revealed(acme, &uri).await
}

#[actix_web::test]
async fn what_too_few_said_is_withheld_in_every_form() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let found = with_a_team_of(&app, &acme, &[LOWEST, LOWEST]).await;
    let analysis = acme.get(&found).await.json();
    assert_eq!(analysis["minimum_group"], 3);
    assert_eq!(analysis["inputs"], json!([{"perspective": "service_user", "count": 3}]));
    let withheld = json!({"withheld": {"reason": "below_minimum_group"}});
    let parts = [&analysis["elements"], &analysis["themes"]];
    let parts = parts.iter().flat_map(|part| part.as_array().expect("a list"));
    for part in parts.chain([&analysis["safety"]]) {
        assert_eq!(part["by_perspective"]["team"], withheld);
        assert_eq!(part["all"], part["by_perspective"]["service_user"]);
    }
    assert_eq!(analysis["perception_gaps"], json!([]));
    assert!(
        !analysis["priorities"].to_string().contains("safety_alarm"),
        "two of the team are in alarm"
    );
    assert_eq!(analysis["comparability"]["reasons"][0]["code"], "withheld");
    assert_eq!(analysis["digest"], digest_of(&analysis));
    let csv = acme.get(&format!("{found}?format=csv")).await.text();
    let rows: Vec<&str> = csv.lines().filter(|row| row.contains(",team,")).collect();
    assert!(
        rows.len() == 34 && rows.iter().all(|row| row.ends_with(",,true,,")),
        "{rows:?}"
    );
    assert!(
        csv.lines()
            .next()
            .is_some_and(|head| head.ends_with(",withheld,agreed_current,agreed_desired"))
    );
    let report = acme.get(&format!("{found}?format=markdown")).await.text();
    assert!(
        report.contains("What fewer than 3 of a perspective say is withheld"),
        "{report}"
    );
    assert!(report.contains("from 3 assessments:"));
    // Two who see an alarm are neither an alarm nor none.
    for theme in analysis["themes"].as_array().expect("themes") {
        assert_eq!(theme["safety"]["status"], "provisional");
        let silent = &theme["safety"]["reasons"][0];
        assert_eq!(
            (&silent["code"], &silent["perspective"]),
            (&json!("withheld"), &json!("team"))
        );
    }
    assert!(
        report.contains("\n- team: everything\n") && !report.contains("Clear:"),
        "{report}"
    );
    let radar = acme.get(&format!("{found}/charts/radar")).await.text();
    assert!(radar.contains("medians of everybody who is shown"), "{radar}");
    for chart in ["radar", "dumbbell", "heat_map", "distribution"] {
        let query = if chart == "heat_map" { "" } else { "?perspective=team" };
        let drawn = acme.get(&format!("{found}/charts/{chart}{query}")).await;
        assert_eq!(drawn.status, 200, "{chart} {}", drawn.text());
        assert!(drawn.text().contains("withheld"), "{chart}");
    }
}

#[actix_web::test]
async fn a_minimum_group_holds_wherever_it_is_given() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let withheld = json!({"withheld": {"reason": "below_minimum_group"}});
    for (privacy, given, holds) in [
        ("named", Some(2), Some(2)),
        ("pseudonymous", Some(2), Some(2)),
        ("pseudonymous", None, None),
        ("anonymous", None, Some(3)),
    ] {
        let mut body = round(privacy);
        if let Some(given) = given {
            body["minimum_group"] = json!(given);
        }
        let uri = opened(&acme, body).await;
        assert_eq!(
            acme.get(&uri).await.json().get("minimum_group"),
            holds.map(|n| json!(n)).as_ref()
        );
        answers(&app, &acme, &uri, "service_user", &[LOW, LOW, LOW]).await;
        let token = tokens(&acme, &uri, "team", 1).await.remove(0);
        let one = Respondent::invited(&app, &token).await;
        assert_eq!(
            one.access["round"].get("minimum_group"),
            holds.map(|n| json!(n)).as_ref(),
            "what respondents are told"
        );
        one.answer("early_stages", "embedded").await;
        let analysis = acme.get(&revealed(&acme, &uri).await).await.json();
        assert_eq!(
            analysis.get("minimum_group"),
            holds.map(|n| json!(n)).as_ref(),
            "{privacy}"
        );
        let team = &analysis["elements"][0]["by_perspective"]["team"];
        assert_eq!(*team == withheld, holds.is_some(), "{privacy} {team}");
        let named = analysis["inputs"].to_string().contains("assessment");
        assert_eq!(named, holds.is_none(), "{privacy} {}", analysis["inputs"]);
    }
}

/// A document without what differs between any two: ids, and what follows from them.
fn unstamped(mut document: Value) -> Value {
    for name in ["id", "round", "digest", "sealed_at"] {
        document.as_object_mut().expect("an object").remove(name);
    }
    document
}

#[actix_web::test]
async fn nobody_can_tell_from_what_is_shown_what_was_withheld() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut seen = Vec::new();
    for team in [&[][..], &[HIGH], &[LOWEST, HIGH], &[LOW, LOW]] {
        let found = with_a_team_of(&app, &acme, team).await;
        let mut forms = vec![unstamped(acme.get(&found).await.json()).to_string()];
        for format in ["csv", "markdown"] {
            forms.push(acme.get(&format!("{found}?format={format}")).await.text());
        }
        seen.push(forms);
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}

#[actix_web::test]
async fn an_erasure_counts_anew_at_once_and_takes_the_versions_before_with_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let users = answers(&app, &acme, &uri, "service_user", &[LOW, LOW, LOW, HIGH]).await;
    let team = answers(&app, &acme, &uri, "team", &[LOWEST, LOWEST]).await;
    let found = revealed(&acme, &uri).await;
    let shown = async || acme.get(&found).await.json();
    let heard = |analysis: &Value| analysis["elements"][0]["by_perspective"]["service_user"].clone();
    assert_eq!(
        (&shown().await["version"], &heard(&shown().await)["n"]),
        (&json!(1), &json!(4))
    );
    let erase = async |receipt: &String| {
        let own = Respondent::with_receipt(&app, receipt).await;
        done(own.client.act(&format!("{}/erase", own.uri))).await;
    };
    // Nothing of one who is withheld is in the analysis, and nothing of it changes.
    erase(&team[0]).await;
    assert_eq!(shown().await["version"], 1);
    assert_eq!(acme.act(&format!("{found}/recompute")).await.status, 200);
    erase(&users[3]).await;
    assert_eq!(
        (&shown().await["version"], &heard(&shown().await)["n"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(
        shown().await["inputs"],
        json!([{"perspective": "service_user", "count": 3}])
    );
    assert_problem(&acme.get(&format!("{found}/versions/1")).await, 404, "not_found");
    erase(&users[0]).await;
    let last = shown().await;
    assert_eq!(heard(&last), json!({"withheld": {"reason": "below_minimum_group"}}));
    assert_eq!((&last["inputs"], &last["priorities"]), (&json!([]), &json!([])));
    for receipt in [&users[1], &users[2], &team[1]] {
        erase(receipt).await;
    }
    // Nobody who counted is left who could be erased: what says nothing stays.
    assert_eq!(shown().await["version"], 3);
}

fn agreed(current: &str, desired: &str) -> Value {
    json!({"ratings": {"feelings.heard": {"current": current, "desired": desired, "note": "Two of us see it lower."}}})
}

#[actix_web::test]
async fn a_team_agrees_on_a_reading_beside_the_spread_that_it_came_from() {
    for privacy in ["named", "anonymous"] {
        let app = TestApp::new().await;
        let acme = app.organisation("acme");
        let uri = opened(&acme, round(privacy)).await;
        let receipts = answers(&app, &acme, &uri, "team", &[LOWEST, LOW, HIGH, HIGH]).await;
        let reading = format!("{uri}/agreed-reading");
        let early = acme.put(&reading, agreed("forming", "maturing")).await;
        assert_problem(&early, 409, "invalid_transition");
        let found = revealed(&acme, &uri).await;
        let before = acme.get(&found).await.json();
        assert_problem(&acme.get(&reading).await, 404, "not_found");
        let first = acme.put(&reading, agreed("forming", "maturing")).await;
        assert_eq!((first.status, first.uri()), (201, reading.clone()), "{}", first.text());
        let shown = first.json();
        assert_eq!(
            shown,
            json!({
                "round": id_of(&uri), "version": 1, "status": "sealed", "perspective": "team", "agreed": true,
                "ratings": agreed("forming", "maturing")["ratings"],
                "digest": digest_of(&shown), "sealed_at": shown["sealed_at"], "sealed_by": shown["sealed_by"],
            })
        );
        let after = acme.get(&found).await.json();
        assert_eq!(after["version"], 2);
        assert_eq!(
            after["agreed_reading"],
            json!({"version": 1, "digest": shown["digest"]})
        );
        let heard = &after["elements"][0];
        assert_eq!(heard["agreed"], json!({"current": "forming", "desired": "maturing"}));
        // The dissent stays, and nothing is counted anew.
        let counts = json!({"early_stages": 1, "forming": 1, "maturing": 0, "embedded": 2});
        assert_eq!(heard["all"]["current"]["counts"], counts);
        for part in ["all", "by_perspective"] {
            assert_eq!(heard[part], before["elements"][0][part]);
        }
        assert_eq!(
            (&after["priorities"], &after["inputs"]),
            (&before["priorities"], &before["inputs"])
        );
        assert!(!after.to_string().contains("lower"));
        let report = acme.get(&format!("{found}?format=markdown")).await.text();
        assert!(
            report.contains("| Feelings: feel heard | Forming | Maturing | 1 · 1 · 0 · 2 |"),
            "{report}"
        );
        let csv = acme.get(&format!("{found}?format=csv")).await.text();
        let rows: Vec<&str> = csv.lines().filter(|row| row.ends_with(",forming,maturing")).collect();
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row.starts_with("feelings.heard,")),
            "{csv}"
        );
        // It stays where an answer goes, which takes both versions with it.
        let own = Respondent::with_receipt(&app, &receipts[3]).await;
        done(own.client.act(&format!("{}/erase", own.uri))).await;
        let left = acme.get(&found).await.json();
        assert_eq!(
            (&left["version"], &left["elements"][0]["agreed"]),
            (&json!(3), &heard["agreed"])
        );
        assert_problem(&acme.get(&format!("{found}/versions/2")).await, 404, "not_found");
    }
}

#[actix_web::test]
async fn an_agreed_reading_is_replaced_only_by_who_knows_it() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    answers(&app, &acme, &uri, "team", &[LOW, LOW, LOW]).await;
    let found = revealed(&acme, &uri).await;
    let reading = format!("{uri}/agreed-reading");
    let put = async |name: &str, value: &str, body: &Value| {
        let request = actix_web::test::TestRequest::put().uri(&reading).set_json(body);
        acme.send(request.insert_header((name, value))).await
    };
    let good = agreed("forming", "maturing");
    assert_problem(&put("If-Match", "\"1\"", &good).await, 412, "precondition_failed");
    assert_eq!(put("If-None-Match", "*", &good).await.status, 201);
    assert_problem(&put("If-None-Match", "*", &good).await, 412, "precondition_failed");
    assert_problem(&acme.put(&reading, good.clone()).await, 428, "precondition_required");
    let next = agreed("forming", "embedded");
    let replaced = put("If-Match", "\"1\"", &next).await;
    assert_eq!(
        (replaced.status, replaced.etag()),
        (200, "\"2\"".to_owned()),
        "{}",
        replaced.text()
    );
    assert_problem(&put("If-Match", "\"1\"", &next).await, 412, "precondition_failed");
    assert_eq!(
        acme.get(&found).await.json()["elements"][0]["agreed"]["desired"],
        "embedded"
    );
    assert_eq!(
        acme.get(&format!("{reading}/versions/1")).await.json()["ratings"],
        good["ratings"]
    );
    let changes = acme.get(&format!("{reading}/versions/2/diff?from=1")).await.json()["changes"].clone();
    assert_eq!(
        changes,
        json!([{"op": "replace", "path": "/ratings/feelings.heard/desired", "value": "embedded"}])
    );
    for (body, fault) in [
        (json!({"ratings": {}}), "/ratings required"),
        (
            json!({"ratings": {"feelings.held": {"current": "forming", "desired": "forming"}}}),
            "/ratings/feelings.held unknown_element",
        ),
        (
            json!({"ratings": {"feelings.heard": {"current": "forming"}}}),
            "/ratings/feelings.heard/desired required",
        ),
        (
            json!({"ratings": {"feelings.heard": {"current": "forming", "desired": "forming", "not_applicable": true}}}),
            "/ratings/feelings.heard/not_applicable unknown_field",
        ),
    ] {
        let refused = put("If-Match", "\"2\"", &body).await;
        assert_eq!((refused.status, refused.faults()), (422, vec![fault.to_owned()]));
    }
    let rival = app.organisation("rival");
    assert_problem(&rival.get(&reading).await, 404, "not_found");
    assert_problem(&rival.put(&reading, good).await, 404, "not_found");
}

/// A round about a relationship, compared with another one where there is one.
fn about(relationship: &Value, title: &str, baseline: Option<&str>) -> Value {
    let mut body = round("anonymous");
    body["title"] = json!(title);
    body["relationship"] = relationship.clone();
    if let Some(baseline) = baseline {
        body["baseline"] = json!(id_of(baseline));
    }
    body
}

#[actix_web::test]
async fn two_rounds_about_a_relationship_tell_how_far_it_has_come() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let made = acme.post("/v1/constellations", constellation()).await.json();
    let relationship = &made["relationships"][0]["id"];
    let timeline = format!("/v1/relationships/{}/timeline", relationship.as_str().expect("an id"));
    let empty = acme.get(&timeline).await;
    assert_eq!(
        empty.json(),
        json!({"relationship": relationship, "rounds": [], "series": []})
    );
    assert_eq!(acme.get(&format!("{timeline}?format=svg")).await.status, 200);
    let spring = opened(&acme, about(relationship, "Spring", None)).await;
    answers(&app, &acme, &spring, "service_user", &[LOW, LOW, LOW]).await;
    answers(&app, &acme, &spring, "team", &[LOW, LOW]).await;
    let first = revealed(&acme, &spring).await;
    let step = json!({"gap_analysis": id_of(&first), "element": "feelings.heard", "what": "Ring back."});
    let step = acme.post("/v1/next-steps", step).await;
    assert_eq!(step.json()["round"], json!(id_of(&spring)), "{}", step.text());
    done(acme.patch(&step.uri(), json!({"status": "done"}))).await;
    let listed = acme
        .get(&format!("/v1/next-steps?round={}", id_of(&spring)))
        .await
        .json();
    assert_eq!(listed["data"][0]["id"], step.json()["id"]);
    app.advance(86_400);
    let acme = crate::making::renewed(&app, &acme);
    let autumn = opened(&acme, about(relationship, "Autumn", Some(&spring))).await;
    answers(&app, &acme, &autumn, "service_user", &[("maturing", "maturing"); 3]).await;
    answers(&app, &acme, &autumn, "team", &[HIGH, HIGH, HIGH]).await;
    let second = revealed(&acme, &autumn).await;
    // From what a round found there is a way back to it, and from a relationship to all that was found about it.
    assert_eq!(acme.get(&second).await.json()["round"], json!(id_of(&autumn)));
    let listed = async |query: String| {
        let page = acme.get(&format!("/v1/gap-analyses?{query}")).await.json();
        let data = page["data"].as_array().expect("a page").clone();
        data.iter().map(|item| item["round"].clone()).collect::<Vec<_>>()
    };
    let about = relationship.as_str().expect("an id");
    assert_eq!(
        listed(format!("round={}", id_of(&spring))).await,
        [json!(id_of(&spring))]
    );
    assert_eq!(
        listed(format!("relationship={about}")).await,
        [json!(id_of(&autumn)), json!(id_of(&spring))]
    );
    let both = format!("relationship={about}&round={}&updated_since=2020-01-01", id_of(&autumn));
    assert_eq!(listed(both).await.len(), 1);
    let travelled = acme.get(&second).await.json()["distance_travelled"].clone();
    assert_eq!(travelled["baseline"]["gap_analysis"], json!(id_of(&first)));
    assert_eq!(
        (&travelled["comparable"], &travelled["reasons"][0]["code"]),
        (&json!(false), &json!("withheld"))
    );
    assert_eq!(
        travelled["next_steps"],
        json!([{"next_step": step.json()["id"], "element": "feelings.heard", "from_level": "forming", "moved": "toward", "levels_moved": 1.0}])
    );
    let told = acme.get(&format!("{timeline}?element=feelings.heard")).await.json();
    let rounds: Vec<&Value> = told["rounds"]
        .as_array()
        .expect("rounds")
        .iter()
        .map(|round| &round["title"])
        .collect();
    assert_eq!(rounds, ["Spring", "Autumn"]);
    assert_eq!(
        (&told["rounds"][0]["model"], &told["rounds"][0]["model_version"]),
        (&json!("meaningful-connections"), &json!(1))
    );
    let unknown = acme
        .get(&format!(
            "{timeline}?perspective=nobody&element=feelings.held&theme_key=hopes"
        ))
        .await;
    assert_problem(&unknown, 400, "invalid_parameter");
    assert_eq!(
        unknown.faults(),
        [
            "/perspective unknown_reference",
            "/element unknown_reference",
            "/theme_key unknown_reference"
        ]
    );
    assert_eq!(
        told["series"],
        json!([
            {"perspective": "all", "element": "feelings.heard", "current": [2.0, 3.5], "desired": [3.0, 3.5], "absent": []},
            {"perspective": "service_user", "element": "feelings.heard", "current": [2.0, 3.0], "desired": [3.0, 3.0], "absent": []},
            {"perspective": "team", "element": "feelings.heard", "current": [null, 4.0], "desired": [null, 4.0],
             "absent": [{"round": id_of(&spring), "reason": "withheld"}]},
        ])
    );
    let of_theme = acme
        .get(&format!("{timeline}?theme_key=feelings&perspective=team"))
        .await
        .json();
    assert_eq!(of_theme["series"].as_array().map(Vec::len), Some(5));
    let picture = acme
        .get(&format!("{timeline}?element=feelings.heard&format=svg&theme=dark"))
        .await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    for word in [
        "everybody",
        "service user",
        "team",
        "withheld",
        "Feelings: feel heard",
        "Spring, ",
        "Autumn, ",
    ] {
        assert!(picture.text().contains(word), "{word} {}", picture.text());
    }
    let again =
        actix_web::test::TestRequest::get().uri(&format!("{timeline}?element=feelings.heard&format=svg&theme=dark"));
    assert_eq!(
        acme.send(again.insert_header(("If-None-Match", picture.etag())))
            .await
            .status,
        304
    );
    assert_problem(
        &acme
            .get("/v1/relationships/01890a5d-ac96-774b-bcce-b302099a8057/timeline")
            .await,
        404,
        "not_found",
    );
    assert_problem(&app.organisation("rival").get(&timeline).await, 404, "not_found");
    let drawn = acme
        .get(&format!(
            "{}?format=svg&gap_analysis={}",
            format_args!("/v1/constellations/{}", made["id"].as_str().expect("an id")),
            id_of(&second)
        ))
        .await;
    assert_eq!(drawn.status, 200, "{}", drawn.text());
}
