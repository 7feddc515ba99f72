//! What a gap analysis says, checked against figures worked out by hand.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp},
    making::{id_of, model, published, ratings, submitted},
};

const URI: &str = "/v1/gap-analyses";
/// The elements of the model `ours`.
pub const OURS: &[(&str, &str)] = &[("care.safe", "safe"), ("care.heard", "heard")];

/// An assessment of the model `ours`, by what is rated of Safety and of being heard.
pub fn ours(perspective: &str, safe: (usize, usize), heard: (usize, usize)) -> Value {
    let ratings = ratings(&[("care.safe", safe.0, safe.1), ("care.heard", heard.0, heard.1)]);
    json!({"model": "ours", "perspective": perspective, "ratings": ratings})
}

/// A new gap analysis.
pub async fn analysed(client: &Client, body: Value) -> Value {
    let made = client.post(URI, body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

/// Three service users and two of the team, of whom one says that safety does not apply.
pub async fn worked_example(client: &Client) -> Value {
    published(client, model("ours", OURS)).await;
    for (safe, heard) in [((1, 3), (1, 3)), ((2, 3), (1, 4)), ((2, 4), (2, 3))] {
        submitted(client, ours("service_user", safe, heard)).await;
    }
    submitted(client, ours("team", (3, 3), (3, 4))).await;
    let mut other = ours("team", (1, 1), (4, 4));
    other["ratings"]["care.safe"] = json!({"not_applicable": true, "reason": "Not here."});
    submitted(client, other).await;
    analysed(client, json!({"title": "Worked", "select": {"model": "ours"}})).await
}

fn side(counts: [u32; 4], median: f64, mean: f64, agreement: f64) -> Value {
    let [early_stages, forming, maturing, embedded] = counts;
    let counts = json!({"early_stages": early_stages, "forming": forming, "maturing": maturing, "embedded": embedded});
    json!({"counts": counts, "median": median, "mean": mean, "agreement": agreement})
}

fn gap(median: f64, counts: [u32; 7]) -> Value {
    let counts: serde_json::Map<_, _> = (-3..=3)
        .zip(counts)
        .map(|(gap, n)| (gap.to_string(), json!(n)))
        .collect();
    json!({"median": median, "counts": counts})
}

#[actix_web::test]
async fn an_elements_readings_are_what_the_ratings_say() {
    let app = TestApp::new().await;
    let shown = worked_example(&app.organisation("acme")).await;
    // Currents 1 1 2 | 3 4, desired 3 4 3 | 4 4, gaps 2 3 1 | 1 0. Agreement of [2,1,0,0] is 7/9, of [0,0,1,1] 2/3,
    // of [2,1,1,1] 1/5, of [0,0,2,3] 11/15.
    let all = json!({
        "n": 5, "not_applicable": 0,
        "current": side([2, 1, 1, 1], 2.0, 2.2, 0.2),
        "desired": side([0, 0, 2, 3], 4.0, 3.6, 0.73),
        "gap": gap(1.0, [0, 0, 0, 1, 2, 1, 1]),
        "transitions": [[0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]],
    });
    let users = json!({
        "n": 3, "not_applicable": 0,
        "current": side([2, 1, 0, 0], 1.0, 1.33, 0.78),
        "desired": side([0, 0, 2, 1], 3.0, 3.33, 0.78),
        "gap": gap(2.0, [0, 0, 0, 0, 1, 1, 1]),
        "transitions": [[0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    });
    let team = json!({
        "n": 2, "not_applicable": 0,
        "current": side([0, 0, 1, 1], 3.5, 3.5, 0.67),
        "desired": side([0, 0, 0, 2], 4.0, 4.0, 1.0),
        "gap": gap(0.5, [0, 0, 0, 1, 1, 0, 0]),
        "transitions": [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]],
    });
    assert_eq!(
        shown["elements"][1],
        json!({"element": "care.heard", "theme": "care", "all": all, "by_perspective": {"service_user": users, "team": team}})
    );
    // The team's one rating of Safety agrees with nobody; the other does not apply, which is neither a zero nor a gap.
    let safe = &shown["elements"][0];
    assert_eq!(
        (&safe["element"], &safe["strand"]),
        (&json!("care.safe"), &json!("safety"))
    );
    let mut one = side([0, 0, 1, 0], 3.0, 3.0, 0.0);
    one.as_object_mut().expect("a side").remove("agreement");
    assert_eq!(
        safe["by_perspective"]["team"],
        json!({
            "n": 1, "not_applicable": 1, "current": one, "desired": one, "gap": gap(0.0, [0, 0, 0, 1, 0, 0, 0]),
            "transitions": [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]],
        })
    );
    assert_eq!(
        (&safe["all"]["n"], &safe["all"]["not_applicable"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(safe["all"]["gap"], gap(1.5, [0, 0, 0, 1, 1, 2, 0]));
}

#[actix_web::test]
async fn a_theme_and_safety_pool_the_ratings_of_their_elements() {
    let app = TestApp::new().await;
    let shown = worked_example(&app.organisation("acme")).await;
    let theme = &shown["themes"][0];
    assert_eq!(shown["themes"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&theme["theme"], &theme["weakest"]),
        (&json!("care"), &json!(["care.safe", "care.heard"]))
    );
    assert_eq!(
        (&theme["all"]["n"], &theme["all"]["not_applicable"]),
        (&json!(9), &json!(1))
    );
    // 1 1 1 2 2 2 3 3 4: the median 2, the mean 19/9.
    let current = &theme["all"]["current"];
    assert_eq!((&current["median"], &current["mean"]), (&json!(2.0), &json!(2.11)));
    assert_eq!(theme["by_perspective"]["service_user"]["n"], 6);
    // One of the three users is at Early stages, though their median is Forming: no alarm, but it is said.
    assert_eq!(theme["safety"]["status"], "clear");
    let reasons = theme["safety"]["reasons"].as_array().expect("reasons");
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0]["code"], "early_stages_within");
    assert_eq!(
        (&reasons[0]["element"], &reasons[0]["perspective"]),
        (&json!("care.safe"), &json!("service_user"))
    );
    assert_eq!(shown["safety"]["all"], shown["elements"][0]["all"]);
    assert_eq!(
        shown["safety"]["by_perspective"],
        shown["elements"][0]["by_perspective"]
    );
    assert_eq!(shown["safety"]["weakest"], json!(["care.safe"]));
}

#[actix_web::test]
async fn findings_rank_what_to_work_on_and_name_what_perspectives_do_not_share() {
    let app = TestApp::new().await;
    let shown = worked_example(&app.organisation("acme")).await;
    let without_detail = |findings: &Value| {
        let mut findings = findings.as_array().expect("findings").clone();
        for finding in &mut findings {
            let detail = finding.as_object_mut().and_then(|members| members.remove("detail"));
            assert!(detail.is_some_and(|detail| detail.as_str().is_some_and(|text| !text.is_empty())));
        }
        Value::from(findings)
    };
    assert_eq!(
        without_detail(&shown["perception_gaps"]),
        json!([
            {"element": "care.heard", "higher": "team", "lower": "service_user", "difference": 2.5, "overlap": 0.0, "blind_spot": true},
            {"element": "care.safe", "higher": "team", "lower": "service_user", "difference": 1.0, "overlap": 0.0, "blind_spot": true},
        ])
    );
    let priorities = shown["priorities"].as_array().expect("priorities");
    let line = |priority: &Value| {
        let codes: Vec<_> = without_detail(&priority["reasons"])
            .as_array()
            .expect("reasons")
            .iter()
            .map(|r| r["code"].clone())
            .collect();
        json!([
            priority["rank"],
            priority["element"],
            priority["current_median"],
            priority["desired_median"],
            priority["median_gap"],
            priority["next_level"],
            priority["desired_level"],
            codes
        ])
    };
    let codes = json!(["median_gap", "perception_difference", "current_median"]);
    assert_eq!(
        priorities.iter().map(line).collect::<Vec<_>>(),
        [
            json!([1, "care.safe", 2.0, 3.0, 1.5, "maturing", "maturing", codes]),
            json!([2, "care.heard", 2.0, 4.0, 1.0, "maturing", "embedded", codes]),
        ]
    );
    assert_eq!(shown["strengths"], json!([]));
    assert_eq!(shown["comparability"]["comparable"], false);
    assert_eq!(
        without_detail(&shown["comparability"]["reasons"]),
        json!([{"code": "small_n", "perspective": "team"}])
    );
}

#[actix_web::test]
async fn an_analysis_has_the_members_that_front_ends_draw_from() {
    let app = TestApp::new().await;
    let shown = worked_example(&app.organisation("acme")).await;
    let names = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut members = names(&shown);
    members.sort();
    assert_eq!(
        members,
        [
            "comparability",
            "digest",
            "elements",
            "formula_version",
            "id",
            "inputs",
            "model",
            "perception_gaps",
            "priorities",
            "safety",
            "sealed_at",
            "sealed_by",
            "status",
            "strengths",
            "themes",
            "title",
            "version",
        ]
    );
    assert_eq!(shown["formula_version"], "1");
    let mut input = names(&shown["inputs"][0]);
    input.sort();
    assert_eq!(input, ["assessment", "digest", "perspective", "version"]);
    let perspectives: Vec<&str> = shown["inputs"]
        .as_array()
        .expect("inputs")
        .iter()
        .filter_map(|i| i["perspective"].as_str())
        .collect();
    assert_eq!(
        perspectives,
        ["service_user", "service_user", "service_user", "team", "team"]
    );
}

#[actix_web::test]
async fn the_seed_models_elements_stand_in_model_order_with_every_theme() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let uri = acme.submitted("team", "maturing", "maturing").await;
    let shown = analysed(&acme, json!({"assessments": [id_of(&uri)]})).await;
    let elements = shown["elements"].as_array().expect("elements");
    let keys: Vec<String> = elements
        .iter()
        .map(|element| element["element"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(keys, crate::app::keys_of_the_model());
    let safety: Vec<&str> = elements
        .iter()
        .filter(|e| e["strand"] == "safety")
        .filter_map(|e| e["element"].as_str())
        .collect();
    assert_eq!(safety.len(), 14);
    assert!(
        elements
            .iter()
            .skip(25)
            .all(|e| e["theme"] == "safety" && e["strand"] == "safety")
    );
    let themes: Vec<&str> = shown["themes"]
        .as_array()
        .expect("themes")
        .iter()
        .filter_map(|t| t["theme"].as_str())
        .collect();
    assert_eq!(themes, ["feelings", "space", "tools", "skills", "relationship"]);
    assert_eq!(shown["safety"]["all"]["n"], 14);
    assert_eq!(
        (shown["strengths"].as_array().map(Vec::len), &shown["priorities"]),
        (Some(34), &json!([]))
    );
    assert_eq!(shown["comparability"], json!({"comparable": true, "reasons": []}));
}

#[actix_web::test]
async fn a_safety_alarm_outranks_everything_and_makes_its_theme_provisional() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    published(&acme, model("ours", OURS)).await;
    // Nobody desires more Safety, and the team stands high enough to average the users away.
    for _ in 0..3 {
        submitted(&acme, ours("team", (4, 4), (1, 4))).await;
    }
    submitted(&acme, ours("service_user", (1, 1), (1, 4))).await;
    let shown = analysed(&acme, json!({"select": {"model": "ours"}})).await;
    let first = &shown["priorities"][0];
    assert_eq!(
        (&first["element"], &first["reasons"][0]["code"]),
        (&json!("care.safe"), &json!("safety_alarm"))
    );
    assert_eq!(
        (&first["current_median"], &first["median_gap"]),
        (&json!(4.0), &json!(0.0))
    );
    assert!(first.get("next_level").is_none(), "nothing lies above Embedded");
    assert_eq!(shown["priorities"][1]["element"], "care.heard");
    let gate = &shown["themes"][0]["safety"];
    assert_eq!(gate["status"], "provisional");
    assert_eq!(
        (&gate["reasons"][0]["code"], &gate["reasons"][0]["perspective"]),
        (&json!("own_safety_element"), &json!("service_user"))
    );
}
