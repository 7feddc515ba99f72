//! What readers of another language get: forms, guides, reports and charts, by `Accept-Language`.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, TestApp},
    translations::{draft, publish, put, translated},
};

const FORM: &str = "/v1/models/ours/versions/1/form?perspective=team_member";
const GUIDE: &str = "/v1/models/ours/versions/1/guide";

async fn read(client: &Client, uri: &str, accept_language: &str) -> Answer {
    let request = TestRequest::get().uri(uri);
    let answer = client
        .send(request.insert_header(("Accept-Language", accept_language)))
        .await;
    assert_eq!(answer.status, 200, "{uri} {accept_language} {}", answer.text());
    let vary: Vec<&str> = answer
        .headers
        .get_all("vary")
        .filter_map(|value| value.to_str().ok())
        .collect();
    assert!(vary.join(",").to_lowercase().contains("accept-language"), "{vary:?}");
    answer
}

/// A published model in Welsh, as far as the tests speak it, and with all but one element in easy words.
async fn bilingual(client: &Client) {
    draft(client).await;
    put(client, "cy", &translated("cy")).await;
    let mut easy = translated("easy");
    easy["elements"].as_object_mut().expect("elements").remove("tools.time");
    easy["themes"]["tools"]["stem"]
        .as_object_mut()
        .expect("a stem")
        .remove("collective");
    easy["guide"]
        .as_object_mut()
        .expect("a guide")
        .remove("choose_the_perspective");
    put(client, "en-GB-x-easyread", &easy).await;
    publish(client).await;
}

/// Every text in a form that people read.
fn shown(form: &Value) -> Vec<String> {
    let mut texts = vec![form["title"].clone(), form["safety"]["label"].clone()];
    texts.extend(
        form["levels"]
            .as_array()
            .expect("levels")
            .iter()
            .map(|one| one["label"].clone()),
    );
    texts.extend(
        form["safety"]["considerations"]
            .as_array()
            .expect("considerations")
            .iter()
            .map(|one| one["label"].clone()),
    );
    for theme in form["themes"].as_array().expect("themes") {
        texts.extend(["label", "need", "stem"].map(|name| theme[name].clone()));
        texts.extend(
            theme["elements"]
                .as_array()
                .expect("elements")
                .iter()
                .map(|one| one["label"].clone()),
        );
    }
    for step in form["guide"].as_array().expect("a guide") {
        texts.extend(["title", "text"].map(|name| step[name].clone()));
    }
    texts
        .iter()
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

#[actix_web::test]
async fn a_form_is_in_the_readers_language_by_lookup() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    bilingual(&acme).await;
    // Twice: the second answers come from memory.
    for _ in 0..2 {
        for (accepted, language, mark) in [
            ("cy", "cy", "cy "),
            ("CY-GB, en;q=0.5", "cy", "cy "),
            ("fr;q=0.9, cy;q=0.2", "cy", "cy "),
            ("en-GB-x-easyread", "en-GB-x-easyread, en", ""),
            ("en-GB, cy;q=0.9", "en", ""),
            ("cy;q=0, *", "en", ""),
            ("fr", "en", ""),
            ("", "en", ""),
        ] {
            let form = read(&acme, FORM, accepted).await;
            assert_eq!(form.header("content-language"), language, "{accepted}");
            let json = form.json();
            assert_eq!(
                json["language"],
                language.split(',').next().unwrap_or_default(),
                "{accepted}"
            );
            let texts = shown(&json);
            assert_eq!(texts.len(), 1 + 1 + 4 + 9 + 5 * 3 + 25 + 7 * 2);
            assert!(texts.iter().all(|text| text.starts_with(mark)), "{accepted} {texts:?}");
        }
    }
    let (own, cy) = (acme.get(FORM).await, read(&acme, FORM, "cy").await);
    assert_ne!(own.etag(), cy.etag());
    for member in ["answer_schema", "digest", "attribution", "perspective", "voice"] {
        assert_eq!(own.json()[member], cy.json()[member], "{member}");
    }
    let known = TestRequest::get()
        .uri(FORM)
        .insert_header(("If-None-Match", own.etag()));
    let again = acme.send(known.insert_header(("Accept-Language", "cy"))).await;
    assert_eq!(
        (again.status, again.text()),
        (200, cy.text()),
        "the English form is not the Welsh one"
    );
}

#[actix_web::test]
async fn a_form_says_what_is_not_translated_and_never_more_than_it_shows() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    bilingual(&acme).await;
    let form = read(&acme, FORM, "en-GB-x-easyread").await.json();
    let step = [
        "/guide/choose_the_perspective/title",
        "/guide/choose_the_perspective/text",
    ];
    assert_eq!(form["untranslated"], json!(["/elements/tools.time", step[0], step[1]]));
    assert_eq!(form["themes"][2]["elements"][0]["label"], "time");
    assert_eq!(form["themes"][2]["stem"], "easy I need to invest in");
    let plain: Vec<String> = shown(&form)
        .into_iter()
        .filter(|text| !text.starts_with("easy "))
        .collect();
    assert_eq!(plain.len(), 3, "{plain:?}");
    // Many speak otherwise: their stem is not translated.
    let many = read(&acme, &FORM.replace("team_member", "team"), "en-GB-x-easyread")
        .await
        .json();
    assert_eq!(
        many["untranslated"],
        json!([
            "/themes/tools/stem/collective",
            "/elements/tools.time",
            step[0],
            step[1]
        ])
    );
    assert_eq!(many["themes"][2]["stem"], "We need to invest in");
    assert_eq!(read(&acme, FORM, "cy").await.json()["untranslated"], Value::Null);
}

#[actix_web::test]
async fn readers_of_one_language_find_their_form_whoever_asked_before() {
    let app = TestApp::new().await;
    let (acme, rival) = (app.organisation("acme"), app.organisation("rival"));
    bilingual(&acme).await;
    draft(&rival).await;
    put(&rival, "cy", &translated("rival")).await;
    publish(&rival).await;
    let title = |answer: &Answer| answer.json()["title"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        title(&read(&rival, FORM, "cy").await),
        "rival The Meaningful Connections Model"
    );
    assert_eq!(
        title(&read(&acme, FORM, "cy").await),
        "cy The Meaningful Connections Model"
    );
    assert_eq!(
        title(&read(&acme, FORM, "en-GB-x-easyread").await),
        "easy The Meaningful Connections Model"
    );
    assert_eq!(title(&acme.get(FORM).await), "The Meaningful Connections Model");
    assert_eq!(
        title(&read(&rival, FORM, "cy").await),
        "rival The Meaningful Connections Model"
    );
    assert_eq!(
        title(&read(&rival, FORM, "en-GB-x-easyread").await),
        "The Meaningful Connections Model"
    );
    // From an organisation's own perspective, too.
    let partner = json!({"slug": "partner", "label": "Partner", "voice": "collective"});
    assert_eq!(acme.post("/v1/perspectives", partner).await.status, 201);
    let asked = FORM.replace("team_member", "partner");
    assert_eq!(
        title(&read(&acme, &asked, "cy").await),
        "cy The Meaningful Connections Model"
    );
    assert_eq!(
        title(&read(&acme, &asked, "fr").await),
        "The Meaningful Connections Model"
    );
}

#[actix_web::test]
async fn a_guide_is_in_the_readers_language_as_json_and_as_markdown() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    bilingual(&acme).await;
    let (cy, easy) = (
        read(&acme, GUIDE, "cy").await,
        read(&acme, GUIDE, "en-GB-x-easyread").await,
    );
    assert_eq!(
        (cy.header("content-language"), &cy.json()["language"]),
        ("cy".to_owned(), &json!("cy"))
    );
    assert_eq!(cy.json()["steps"][0]["title"], "cy Choose the relationship");
    assert_eq!(cy.json()["untranslated"], Value::Null);
    assert_eq!(easy.header("content-language"), "en-GB-x-easyread, en");
    assert_eq!(easy.json()["steps"][1]["title"], "Choose the perspective");
    assert_eq!(
        easy.json()["untranslated"],
        json!([
            "/guide/choose_the_perspective/title",
            "/guide/choose_the_perspective/text"
        ])
    );
    let markdown = read(&acme, &format!("{GUIDE}?format=markdown"), "cy").await;
    assert!(
        markdown
            .text()
            .starts_with("# cy The Meaningful Connections Model\n\n## 1. cy Choose the relationship\n")
    );
    let own = acme.get(GUIDE).await;
    let tags = [cy.etag(), easy.etag(), markdown.etag(), own.etag()];
    assert_eq!(
        tags.iter().collect::<std::collections::BTreeSet<_>>().len(),
        4,
        "{tags:?}"
    );
}

#[actix_web::test]
async fn reports_and_charts_name_things_in_the_readers_language() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    bilingual(&acme).await;
    for (perspective, current, desired) in [
        ("service_user", "early_stages", "maturing"),
        ("team", "maturing", "embedded"),
    ] {
        let mut body = crate::app::assessment(perspective, current, desired);
        body["model"] = json!("ours");
        let made = acme.post("/v1/assessments", body).await;
        assert_eq!(acme.act(&format!("{}/submit", made.uri())).await.status, 200);
    }
    let made = acme
        .post(
            "/v1/gap-analyses",
            json!({"title": "Spring", "select": {"model": "ours"}}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    for uri in [made.uri(), format!("{}/versions/1", made.uri())] {
        let report = read(&acme, &format!("{uri}?format=markdown"), "cy").await;
        assert_eq!(report.header("content-language"), "cy, en", "our sentences are English");
        let text = report.text();
        for said in [
            "Made with cy The Meaningful Connections Model, version 1",
            "## cy Safety first",
            // Sentences of the sealed analysis, too.
            "- On “cy Feelings: cy safe”, service user sees cy Early stages (median 1): a Safety alarm.",
            "- On “cy Feelings: cy feel heard”, team sees cy Maturing (median 3) where service user sees cy Early stages (median 1): 2 levels apart.",
            "1. **cy Feelings: cy safe**: now cy Forming (median 2) → next step: cy Maturing → desired: cy Embedded",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        assert!(
            !text.contains("“Feelings") && !text.contains("sees Early stages"),
            "{text}"
        );
        let chart = read(&acme, &format!("{uri}?format=svg"), "cy-GB").await;
        assert_eq!(chart.header("content-language"), "cy, en");
        let said = "between cy Maturing and cy Embedded (median 3.5), from 10 ratings";
        assert!(chart.text().contains(said), "{}", chart.text());
        let own = acme.get(&format!("{uri}?format=markdown")).await;
        assert_eq!(own.header("content-language"), "en");
        assert!(!own.text().contains("cy "));
        assert_ne!(own.etag(), report.etag());
        assert_ne!(report.etag(), chart.etag());
        // What programs read is the same for everybody.
        for format in ["json", "csv"] {
            let uri = format!("{uri}?format={format}");
            let (cy, own) = (read(&acme, &uri, "cy").await, acme.get(&uri).await);
            assert_eq!((cy.text(), cy.etag()), (own.text(), own.etag()));
            assert_eq!(cy.header("content-language"), "en");
        }
    }
    for chart in ["radar", "dumbbell", "heat_map", "distribution"] {
        let uri = format!("{}/charts/{chart}", made.uri());
        let (cy, own) = (read(&acme, &uri, "cy").await, acme.get(&uri).await);
        assert_eq!(cy.header("content-language"), "cy, en");
        assert!(cy.text().contains("lang=\"cy\""), "{}", cy.text());
        assert_eq!(own.header("content-language"), "en");
        assert_ne!(cy.etag(), own.etag(), "{chart}");
        let (cy, own) = (cy.text(), own.text());
        assert!(cy.contains("cy Feelings") && !cy.contains("\"Feelings"), "{cy}");
        assert!(!own.contains("cy "), "{own}");
    }
}

#[actix_web::test]
async fn languages_in_several_lines_are_one_list() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    bilingual(&acme).await;
    let fr = TestRequest::get().uri(FORM).append_header(("Accept-Language", "fr"));
    let both = acme.send(fr.append_header(("Accept-Language", "cy"))).await;
    assert_eq!(both.header("content-language"), "cy");
    // And what they found is not what the first line alone finds.
    assert_eq!(read(&acme, FORM, "fr").await.header("content-language"), "en");
    assert_eq!(read(&acme, FORM, "fr,cy").await.header("content-language"), "cy");
}
