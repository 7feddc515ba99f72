//! The linking attack: somebody has every column of every table, every list of the API, the log and the metrics, knows when and how
//! often each invited person did what, has kept all their tokens, and wants to know who gave which answers.

use std::collections::{BTreeMap, BTreeSet};

use meaningful_connections::domain::capability::Token;
use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, keys_of_the_model},
    inviting::{Respondent, acted, opened, redeem, round, tokens},
    making::renewed,
    rows::Second,
    wire::{Server, call},
};

/// How many are asked.
const ASKED: usize = 16;
/// Who guesses hits one on average; more than so many, once in a million times.
const LUCK: usize = 8;

/// What the attacker knows of one person, and what they do not know: which answer is that person's.
struct Known {
    /// Whatever names the person or leads to them.
    names: Vec<String>,
    /// From when to when they were at it, in microseconds since 1970.
    window: (i64, i64),
    saves: usize,
    /// The id under which what they submitted is kept, which the attacker wants to know.
    answer: String,
    /// What must be in no log.
    secrets: Vec<String>,
}

type Row = Vec<String>;

/// Levels at random.
fn ratings() -> Value {
    const LEVELS: [&str; 4] = ["early_stages", "forming", "maturing", "embedded"];
    let mut given = serde_json::Map::new();
    for key in keys_of_the_model() {
        let random: [u8; 2] = rand::random();
        let (current, desired) = (random[0] % 4, random[1] % 4);
        let level = |level: u8| LEVELS[usize::from(level)];
        given.insert(key, json!({"current": level(current), "desired": level(desired)}));
    }
    Value::Object(given)
}

/// Everybody answers, one after the other, each in an hour of their own and with a number of saves of their own.
async fn answered(app: &TestApp, acme: &Client, uri: &str, server: Option<&Server>) -> Vec<Known> {
    let mut all = Vec::new();
    let shared = json!({"perspective": "service_user", "uses": ASKED});
    let poster = acme.post(&format!("{uri}/invitations"), shared).await.json();
    let poster = poster["invitations"][0]["token"].as_str().expect("a token").to_owned();
    let personal = tokens(acme, uri, "service_user", ASKED / 2).await;
    for number in 0..ASKED {
        let from = app.db.now().micros();
        let own = personal.get(number);
        let redeemed = redeem(app, own.unwrap_or(&poster)).await;
        let token = own.map_or_else(
            || redeemed.json()["token"].as_str().expect("their own").to_owned(),
            Clone::clone,
        );
        let mut own = Respondent::of(app, &redeemed);
        if let Some(server) = server {
            own.client = own.client.by(&call(server.api));
        }
        let given = ratings();
        for save in 0..=number {
            let note = json!({"feelings.heard": {"note": if save % 2 == 0 { "One." } else { "Other." }}});
            let saved = own.client.patch(&own.uri, json!({"ratings": note})).await;
            assert_eq!(saved.status, 200, "{}", saved.text());
        }
        let whole = json!({"ratings": given});
        let cleared = json!({"ratings": {"feelings.heard": null}});
        assert_eq!(own.client.patch(&own.uri, cleared).await.status, 200);
        assert_eq!(own.client.patch(&own.uri, whole).await.status, 200);
        let submitted = own.submit().await.json();
        let hashes = Token::new(token.clone());
        let invitation = hashes
            .invitation()
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        all.push(Known {
            names: vec![invitation, hashes.assessment().to_string().replace('-', "")],
            window: (from, app.db.now().micros()),
            saves: number + 3,
            answer: text(&submitted["id"]).replace('-', ""),
            secrets: vec![
                token,
                text(&submitted["receipt"]),
                text(&submitted["id"]),
                own.uri[16..].to_owned(),
            ],
        });
    }
    all
}

/// Everything there is, table by table.
fn dump(second: &mut Second) -> BTreeMap<String, Vec<Row>> {
    let tables = second.tables();
    tables
        .into_iter()
        .map(|table| (table.clone(), second.dump(&table)))
        .collect()
}

/// What the attacker finds by each way of looking: how many of the answers are given to whoever gave them.
fn attack(dump: &BTreeMap<String, Vec<Row>>, known: &[Known]) -> BTreeMap<String, usize> {
    let mut hits: BTreeMap<String, usize> = BTreeMap::new();
    for (table, rows) in dump {
        let answers: Vec<&Row> = known
            .iter()
            .filter_map(|one| rows.iter().find(|row| row.contains(&one.answer)))
            .collect();
        if answers.len() < known.len() {
            continue;
        }
        let mut hit = |way: String, count: usize| {
            hits.insert(format!("{table} by {way}"), count);
        };
        let around: Vec<Vec<&String>> = answers.iter().map(|row| around(dump, row, &answers)).collect();
        hit(
            "name".to_owned(),
            guessed(known, &around, |one, value| one.names.contains(value)),
        );
        hit(
            "time".to_owned(),
            guessed(known, &around, |one, value| {
                value
                    .parse::<i64>()
                    .is_ok_and(|at| (one.window.0..=one.window.1).contains(&at))
            }),
        );
        hit(
            "count".to_owned(),
            guessed(known, &around, |one, value| *value == one.saves.to_string()),
        );
        for column in 0..answers[0].len() {
            let distinct: BTreeSet<&String> = answers.iter().map(|row| &row[column]).collect();
            if distinct.len() < answers.len() {
                continue;
            }
            let number = |row: &&Row| (row[column].len(), row[column].clone());
            let mut order: Vec<usize> = (0..answers.len()).collect();
            order.sort_by_key(|place| number(&answers[*place]));
            let forth = order.iter().enumerate().filter(|(place, of)| place == *of).count();
            let back = order
                .iter()
                .rev()
                .enumerate()
                .filter(|(place, of)| place == *of)
                .count();
            hit(format!("order of column {column}"), forth.max(back));
        }
    }
    assert!(!hits.is_empty(), "the answers are somewhere");
    hits
}

/// What stands in a row, and in every row of any table that something of this row leads to and of no other answer's.
fn around<'a>(dump: &'a BTreeMap<String, Vec<Row>>, row: &'a Row, answers: &[&Row]) -> Vec<&'a String> {
    let own: Vec<&String> = row
        .iter()
        .filter(|value| value.len() >= 32 && answers.iter().filter(|other| other.contains(value)).count() == 1)
        .collect();
    let led_to = dump
        .values()
        .flatten()
        .filter(|other| own.iter().any(|value| other.contains(value)));
    row.iter().chain(led_to.flatten()).collect()
}

/// How many answers have something around them that fits their giver and nobody else.
fn guessed(known: &[Known], around: &[Vec<&String>], fits: impl Fn(&Known, &String) -> bool) -> usize {
    let is_hit = |(place, values): (usize, &Vec<&String>)| {
        let fitting: BTreeSet<usize> = (0..known.len())
            .filter(|other| values.iter().any(|value| fits(&known[*other], value)))
            .collect();
        fitting == BTreeSet::from([place])
    };
    around.iter().enumerate().filter(|one| is_hit(*one)).count()
}

fn best(hits: &BTreeMap<String, usize>) -> usize {
    hits.values().copied().max().unwrap_or_default()
}

#[actix_web::test]
async fn with_all_tokens_and_every_column_of_every_table_nobody_links_an_anonymous_answer_to_its_giver() {
    let app = TestApp::new().await;
    let server = Server::start(&app, "info,meaningful_connections=trace").await;
    let acme = app.organisation("acme");
    let uri = opened(&acme, round("anonymous")).await;
    let known = answered(&app, &acme, &uri, Some(&server)).await;
    let mut second = Second::open(&app.database);
    let acme = renewed(&app, &acme);
    let mut told = Vec::new();
    for state in ["open", "closed", "revealed"] {
        match state {
            "closed" => drop(acted(&acme, &uri, "close").await),
            "revealed" => drop(acted(&acme, &uri, "reveal").await),
            _ => {}
        }
        let hits = attack(&dump(&mut second), &known);
        println!("linking, {state}: {hits:?} of {ASKED}");
        assert!(best(&hits) <= LUCK, "{state}: {hits:?}");
        let found = acme.get(&uri).await.json()["gap_analysis"]
            .as_str()
            .unwrap_or("none")
            .to_owned();
        for path in [
            uri.clone(),
            format!("{uri}/invitations?limit=200"),
            "/v1/assessments?limit=200".to_owned(),
            "/v1/assessments?status=withdrawn".to_owned(),
            "/v1/assessments?updated_since=2020-01-01".to_owned(),
            "/v1/gap-analyses?limit=200".to_owned(),
            format!("/v1/gap-analyses/{found}"),
        ] {
            told.push(acme.get(&path).await.text());
        }
    }
    let seen = renewed(&app, &acme).by(&call(server.api)).get(&uri).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let log = server.log();
    assert!(log.contains("get_round"), "the log is read");
    for line in ["patch_assessment", "submit_assessment"] {
        assert!(!log.contains(line), "the log has a line of {line}");
    }
    told.extend([log, server.page_of_metrics()]);
    for (place, one) in known.iter().enumerate() {
        for secret in &one.secrets {
            for text in &told {
                assert!(!text.contains(secret.as_str()), "{place}: {secret} is told");
            }
        }
    }
    // Nothing that a token leads to is left.
    for names in known.iter().map(|one| &one.names[1]) {
        let left: Vec<&String> = Vec::new();
        let found = dump(&mut second);
        let rows = found
            .iter()
            .filter(|(_, rows)| rows.iter().flatten().any(|value| value == names));
        assert_eq!(rows.map(|(table, _)| table).collect::<Vec<_>>(), left);
    }
    let kept = second.tables();
    for table in [
        "events",
        "idempotency_keys",
        "sealed_versions",
        "assessments",
        "tombstones",
    ] {
        assert!(kept.iter().any(|known| known == table));
        let of_answers = second.dump(table);
        let named = known
            .iter()
            .filter(|one| of_answers.iter().flatten().any(|value| *value == one.answer));
        assert_eq!(named.count(), 0, "{table} names an anonymous assessment");
    }
}

/// What is added to the table of answers, of which type, and with what for each person.
type Break = (&'static str, &'static str, fn(usize, &Known) -> String);

#[actix_web::test]
async fn the_same_attack_succeeds_where_nothing_is_promised_and_wherever_the_protection_is_taken_away() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let mut named = round("named");
    named["title"] = json!("Named");
    let uri = opened(&acme, named).await;
    let known = answered(&app, &acme, &uri, None).await;
    let mut second = Second::open(&app.database);
    let hits = attack(&dump(&mut second), &known);
    println!("linking, named: {hits:?} of {ASKED}");
    assert_eq!(best(&hits), ASKED);
    let acme = renewed(&app, &acme);
    let uri = opened(&acme, round("anonymous")).await;
    let known = answered(&app, &acme, &uri, None).await;
    assert!(best(&attack(&dump(&mut second), &known)) <= LUCK);
    let bytes = |hex: &str| {
        if second_is_postgres(&app) {
            format!("'{}'::uuid", uuid::Uuid::parse_str(hex).expect("an id"))
        } else {
            format!("x'{hex}'")
        }
    };
    let breaks: [Break; 4] = [
        ("the time of a save", "bigint", |_, one| one.window.0.to_string()),
        ("the order of submissions", "bigint", |place, _| {
            (1000 + place).to_string()
        }),
        ("the hash of a token", "text", |_, one| format!("'{}'", one.names[0])),
        ("the number of saves", "bigint", |_, one| one.saves.to_string()),
    ];
    for (what, kind, value) in breaks {
        let kind = if second_is_postgres(&app) {
            kind.to_owned()
        } else {
            kind.replace("bigint", "integer")
        };
        second.run(&format!("ALTER TABLE responses ADD COLUMN broken {kind}"));
        for (place, one) in known.iter().enumerate() {
            let (id, value) = (bytes(&one.answer), value(place, one));
            second.run(&format!("UPDATE responses SET broken = {value} WHERE id = {id}"));
        }
        let hits = attack(&dump(&mut second), &known);
        assert_eq!(best(&hits), ASKED, "with {what}: {hits:?}");
        second.run("ALTER TABLE responses DROP COLUMN broken");
    }
}

fn second_is_postgres(app: &TestApp) -> bool {
    app.database.url().starts_with("postgres")
}
