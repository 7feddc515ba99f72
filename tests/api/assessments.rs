//! Lists of assessments: filters, order, pages, and who sees what.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, assessment},
    making::{column, drafted, id_of, model, published, renewed, submit, submitted, withdraw},
};

async fn ids(client: &Client, query: &str) -> Vec<String> {
    column(&client.get(&format!("/v1/assessments{query}")).await, "id")
}

#[actix_web::test]
async fn a_list_has_the_organisations_own_newest_first_and_without_their_ratings() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let draft = acme.draft("team", "forming", "maturing").await;
    let sealed = acme.submitted("service_user", "forming", "maturing").await;
    rival.draft("team", "forming", "maturing").await;
    let list = acme.get("/v1/assessments").await;
    assert_eq!(column(&list, "id"), [id_of(&sealed), id_of(&draft.uri())]);
    let (list, whole) = (list.json(), acme.get(&sealed).await.json());
    for (item, mut whole) in [(&list["data"][0], whole), (&list["data"][1], draft.json())] {
        assert!(
            item["updated_at"].as_str().is_some_and(|at| at.ends_with('Z')),
            "{item}"
        );
        whole["updated_at"] = item["updated_at"].clone();
        whole.as_object_mut().expect("an object").remove("ratings");
        assert_eq!(item, &whole);
    }
    assert_eq!(list["next_cursor"], Value::Null);
}

#[actix_web::test]
async fn a_list_is_filtered_by_status_and_shows_the_withdrawn_only_when_asked() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let draft = acme.draft("team", "forming", "maturing").await.uri();
    let sealed = acme.submitted("team", "forming", "maturing").await;
    let amended = acme.submitted("team", "forming", "maturing").await;
    acme.act(&format!("{amended}/amend")).await;
    let withdrawn = acme.submitted("team", "forming", "maturing").await;
    withdraw(&acme, &withdrawn).await;
    let expected = |uris: &[&String]| uris.iter().map(|uri| id_of(uri)).collect::<Vec<_>>();
    assert_eq!(ids(&acme, "").await, expected(&[&amended, &sealed, &draft]));
    assert_eq!(ids(&acme, "?status=draft").await, expected(&[&draft]));
    assert_eq!(ids(&acme, "?status=submitted").await, expected(&[&amended, &sealed]));
    assert_eq!(ids(&acme, "?status=withdrawn").await, expected(&[&withdrawn]));
    let list = acme.get("/v1/assessments?status=withdrawn").await.json();
    assert_eq!(list["data"][0]["status"], "withdrawn");
    let odd = acme.get("/v1/assessments?status=lost&colour=red&limit=201").await;
    assert_eq!((odd.status, odd.code().as_str()), (400, "invalid_parameter"));
    assert_eq!(
        odd.faults(),
        ["/status invalid", "/colour unknown_parameter", "/limit invalid"]
    );
}

#[actix_web::test]
async fn a_list_is_filtered_by_perspective_model_and_external_id() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    published(&acme, model("ours", &[("care.safe", "safe")])).await;
    let team = acme.draft("team", "forming", "maturing").await.uri();
    let user = acme.draft("service_user", "forming", "maturing").await.uri();
    let named = json!([{"system": "https://crm.example.org/a b", "value": "4711|x"}]);
    let ours = drafted(
        &acme,
        json!({"model": "ours", "perspective": "team", "external_ids": named}),
    )
    .await
    .uri();
    assert_eq!(ids(&acme, "?perspective=team").await, [id_of(&ours), id_of(&team)]);
    assert_eq!(
        ids(&acme, "?model=meaningful-connections").await,
        [id_of(&user), id_of(&team)]
    );
    assert_eq!(
        ids(&acme, "?model=meaningful-connections&perspective=team").await,
        [id_of(&team)]
    );
    let by_name = "?external_id=https%3A%2F%2Fcrm.example.org%2Fa%20b%7C4711%7Cx";
    assert_eq!(ids(&acme, by_name).await, [id_of(&ours)]);
    assert_eq!(
        ids(&acme, &format!("{by_name}&perspective=service_user")).await,
        [""; 0]
    );
    assert_eq!(ids(&rival, by_name).await, [""; 0]);
    assert_eq!(ids(&acme, "?external_id=crm|nobody").await, [""; 0]);
    assert_eq!(
        acme.get("/v1/assessments?external_id=crm").await.faults(),
        ["/external_id invalid"]
    );
}

#[actix_web::test]
async fn a_list_is_filtered_by_when_the_newest_version_was_submitted() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let early = acme.submitted("team", "forming", "maturing").await;
    app.advance(3600);
    let acme = renewed(&app, &acme);
    let late = acme.submitted("team", "forming", "maturing").await;
    acme.draft("team", "forming", "maturing").await;
    let at = acme.get(&late).await.json()["sealed_at"]
        .as_str()
        .expect("a time")
        .to_owned();
    assert_eq!(ids(&acme, &format!("?submitted_from={at}")).await, [id_of(&late)]);
    assert_eq!(ids(&acme, &format!("?submitted_to={at}")).await, [id_of(&early)]);
    // The same moment, elsewhere on earth.
    let plus_two = chrono::DateTime::parse_from_rfc3339(&at).expect("a time");
    let plus_two = plus_two.with_timezone(&chrono::FixedOffset::east_opt(7200).expect("a zone"));
    let encoded = plus_two
        .to_rfc3339_opts(chrono::SecondsFormat::Micros, false)
        .replace('+', "%2B");
    assert_eq!(ids(&acme, &format!("?submitted_from={encoded}")).await, [id_of(&late)]);
    // A bare date is its midnight in UTC.
    let today = app.db.now().to_string();
    let (day, _) = today.split_once('T').expect("a date");
    let midnight = format!("{day}T00:00:00Z");
    assert_eq!(
        ids(&acme, &format!("?submitted_from={day}")).await,
        ids(&acme, &format!("?submitted_from={midnight}")).await
    );
    assert_eq!(
        ids(&acme, "?submitted_from=2020-01-01&submitted_to=2020-01-02").await,
        [""; 0]
    );
    let odd = acme
        .get("/v1/assessments?submitted_from=yesterday&submitted_to=2026-13-01")
        .await;
    assert_eq!(odd.faults(), ["/submitted_from invalid", "/submitted_to invalid"]);
    // An amendment moves it: the newest version counts.
    app.advance(3600);
    let acme = renewed(&app, &acme);
    acme.act(&format!("{early}/amend")).await;
    assert_eq!(ids(&acme, &format!("?submitted_to={at}")).await, [id_of(&early)]);
    submit(&acme, &early).await;
    assert_eq!(ids(&acme, &format!("?submitted_to={at}")).await, [""; 0]);
}

#[actix_web::test]
async fn a_bare_date_begins_at_midnight_in_utc() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let day = 24 * 60 * 60;
    // To two seconds before the next midnight.
    app.advance(day - 2 - app.db.now().seconds().rem_euclid(day));
    let acme = renewed(&app, &acme);
    let before = acme.submitted("team", "forming", "maturing").await;
    app.advance(60);
    let after = acme.submitted("team", "forming", "maturing").await;
    let now = app.db.now().to_string();
    let (date, _) = now.split_once('T').expect("a date");
    assert_eq!(ids(&acme, &format!("?submitted_from={date}")).await, [id_of(&after)]);
    assert_eq!(ids(&acme, &format!("?submitted_to={date}")).await, [id_of(&before)]);
}

#[actix_web::test]
async fn a_sync_client_follows_changes_oldest_first_page_by_page() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut uris = Vec::new();
    for _ in 0..5 {
        uris.push(acme.draft("team", "forming", "maturing").await.uri());
        app.advance(10);
    }
    let since = acme.get(&uris[1]).await.json()["updated_at"]
        .as_str()
        .expect("a time")
        .to_owned();
    app.advance(10);
    acme.patch(&uris[2], json!({"respondent_ref": "r-1"})).await;
    let expected: Vec<String> = [1, 3, 4, 2].iter().map(|place: &usize| id_of(&uris[*place])).collect();
    assert_eq!(ids(&acme, &format!("?updated_since={since}")).await, expected);
    let (mut seen, mut uri) = (Vec::new(), format!("/v1/assessments?limit=2&updated_since={since}"));
    loop {
        let page = acme.get(&uri).await;
        seen.extend(column(&page, "id"));
        let link = page.header("link");
        match link
            .strip_prefix('<')
            .and_then(|link| link.strip_suffix(">; rel=\"next\""))
        {
            Some(next) => uri = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

#[actix_web::test]
async fn pages_follow_one_another_whatever_is_written_meanwhile() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, id_of(&acme.draft("team", "forming", "maturing").await.uri()));
    }
    let first = acme.get("/v1/assessments?limit=2&perspective=team").await;
    let mut seen = column(&first, "id");
    let newer = acme.draft("team", "forming", "maturing").await.uri();
    let mut cursor = first.json()["next_cursor"].clone();
    while let Some(text) = cursor.as_str().map(ToOwned::to_owned) {
        let page = acme
            .get(&format!("/v1/assessments?perspective=team&limit=2&cursor={text}"))
            .await;
        seen.extend(column(&page, "id"));
        cursor = page.json()["next_cursor"].clone();
    }
    assert_eq!(seen, expected);
    assert!(!seen.contains(&id_of(&newer)));
}

#[actix_web::test]
async fn a_cursor_works_only_with_its_own_filters_and_organisation() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    for _ in 0..2 {
        acme.draft("team", "forming", "maturing").await;
    }
    let page = acme.get("/v1/assessments?limit=1&perspective=team").await.json();
    let cursor = page["next_cursor"].as_str().expect("a second page");
    for (caller, query) in [
        (&acme, format!("?cursor={cursor}")),
        (&acme, format!("?perspective=organisation&cursor={cursor}")),
        (&rival, format!("?perspective=team&cursor={cursor}")),
        (&acme, format!("?perspective=team&cursor={cursor}x")),
        (&acme, "?perspective=team&cursor=nonsense".to_owned()),
    ] {
        let refused = caller.get(&format!("/v1/assessments{query}")).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "invalid_cursor"),
            "{query}"
        );
    }
}

#[actix_web::test]
async fn another_organisation_finds_nothing_to_read_change_or_erase() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    let uri = submitted(&acme, assessment("team", "forming", "maturing")).await;
    let before = acme.get(&uri).await.json();
    for path in ["", "/draft", "/versions", "/versions/1", "/versions/1/diff?from=1"] {
        assert_eq!(rival.get(&format!("{uri}{path}")).await.status, 404, "{path}");
    }
    for action in ["submit", "amend", "restore", "erase"] {
        assert_eq!(rival.act(&format!("{uri}/{action}")).await.status, 404, "{action}");
    }
    assert_eq!(
        rival
            .patch_if(&uri, "*", json!({"respondent_ref": "mine"}))
            .await
            .status,
        404
    );
    assert_eq!(
        rival
            .post(&format!("{uri}/migrate"), json!({"to_version": 2}))
            .await
            .status,
        404
    );
    let delete = actix_web::test::TestRequest::delete()
        .uri(&uri)
        .insert_header(("If-Match", "*"));
    assert_eq!(rival.send(delete).await.status, 404);
    assert_eq!(acme.get(&uri).await.json(), before);
}
