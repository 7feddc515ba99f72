//! Every way in which a request can name a thing of another organisation: path, body, query, cursor, idempotency key, ETag.
//! The answer is that to a name of nothing, byte for byte, and nothing of the other's changes.
//!
//! The ways are read off the `OpenAPI` document: a new operation, parameter or field fails here until it is covered.

use actix_web::test::TestRequest;
use chrono::DateTime;
use meaningful_connections::{http::openapi::document, store::fork::Position};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Answer, Client, TestApp, assessment},
    openapi::{Operation, all, resolved, undeclared},
    rows,
    world::{SYSTEM, World, constellation, done, made},
};

/// An id of nothing.
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// A slug of nothing.
const NEVER: &str = "never-was";

/// What only the other organisation has, beside a world like everybody's.
struct Theirs {
    world: World,
    /// The `ETag` of a sealed version.
    tag: String,
    consistency: String,
}

const MODEL: &str = "their-model";
const PERSPECTIVE: &str = "their-voice";
const CASE: &str = "their-case";
const THEIR_SYSTEM: &str = "https://their.example";
/// A version of the model `our-own` that they have, and one that nobody has.
const VERSION: (i32, i32) = (3, 9);

impl Theirs {
    async fn new(app: &TestApp, owner: Client) -> Self {
        let world = World::new(owner).await;
        let owner = &world.owner;
        let origin = json!({"model": "meaningful-connections", "version": 1});
        done(owner.post("/v1/models", json!({"slug": MODEL, "derived_from": origin}))).await;
        done(owner.act("/v1/models/their-model/publish")).await;
        done(owner.patch("/v1/models/our-own", json!({"title": "Our own, a third time"}))).await;
        done(owner.act("/v1/models/our-own/publish")).await;
        let perspective = json!({"slug": PERSPECTIVE, "label": "Theirs", "voice": "collective"});
        done(owner.post("/v1/perspectives", perspective)).await;
        let mut map = constellation();
        map["external_ids"] = json!([{"system": SYSTEM, "value": CASE}, {"system": THEIR_SYSTEM, "value": CASE}]);
        done(owner.post("/v1/constellations", map)).await;
        let mut body = assessment(PERSPECTIVE, "forming", "maturing");
        body["external_ids"] = json!([{"system": SYSTEM, "value": CASE}, {"system": THEIR_SYSTEM, "value": CASE}]);
        let id = made(&owner.post("/v1/assessments", body).await);
        done(owner.act(&format!("/v1/assessments/{id}/submit"))).await;
        done(owner.post("/v1/gap-analyses", json!({"assessments": [id]}))).await;
        let version = owner.get(&format!("/v1/assessments/{id}/versions/1")).await;
        let tag = version.etag();
        assert!(tag.starts_with("\"sha256:"), "{tag}");
        let organisation = world.owner.organisation;
        let consistency = app
            .gate
            .consistency_token(organisation, Position::default(), app.db.now());
        Self {
            world,
            tag,
            consistency: consistency.expect("a token"),
        }
    }
}

/// A request that names something, for an organisation with this world.
type Naming<'a> = Box<dyn Fn(&World, &str) -> TestRequest + 'a>;

/// One way to name a thing: what of theirs, and what of nobody's, can stand there.
struct Way<'a> {
    what: String,
    hidden: Vec<String>,
    missing: String,
    naming: Naming<'a>,
}

impl<'a> Way<'a> {
    fn new(
        what: impl Into<String>,
        hidden: &[&str],
        missing: impl Into<String>,
        naming: impl Fn(&World, &str) -> TestRequest + 'a,
    ) -> Self {
        Self {
            what: what.into(),
            hidden: hidden.iter().map(|&value| value.to_owned()).collect(),
            missing: missing.into(),
            naming: Box::new(naming),
        }
    }
}

/// An answer without what differs from one request to the next. What was made has ids and times of its own; a refusal has
/// none that it may show.
fn said(answer: &Answer, named: &str) -> (u16, Vec<String>, Value) {
    let is_made = answer.status < 300;
    let mask = |text: &str| {
        let masked = if text == named {
            "<it>"
        } else if Uuid::parse_str(text).is_ok() {
            "<id>"
        } else if DateTime::parse_from_rfc3339(text).is_ok() {
            "<time>"
        } else if text.starts_with("sha256:") {
            "<digest>"
        } else {
            text
        };
        masked.to_owned()
    };
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    let mut headers: Vec<String> = headers
        .map(|(name, value)| {
            let value = value.to_str().expect("text");
            let value = if is_made {
                value
                    .trim_matches('"')
                    .split('/')
                    .map(mask)
                    .collect::<Vec<_>>()
                    .join("/")
            } else {
                value.to_owned()
            };
            format!("{name}: {value}")
        })
        .collect();
    headers.sort();
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(without_ids(&answer.text())));
    if is_made {
        masked(&mut body, &mask);
    } else if let Some(problem) = body.as_object_mut() {
        problem.remove("instance");
    }
    (answer.status, headers, body)
}

/// A text without the ids that stand in it: a picture has those of what it shows.
fn without_ids(text: &str) -> String {
    let mut text = text.to_owned();
    let is_id = |id: &str| Uuid::parse_str(id).is_ok();
    while let Some(at) = (0..text.len()).find(|at| text.get(*at..at + 36).is_some_and(is_id)) {
        text.replace_range(at..at + 36, "<id>");
    }
    text
}

fn masked(json: &mut Value, mask: &impl Fn(&str) -> String) {
    match json {
        Value::String(text) => *text = mask(text),
        Value::Array(items) => items.iter_mut().for_each(|item| masked(item, mask)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "client_secret" => "<secret>".clone_into(text),
                    member => masked(member, mask),
                }
            }
        }
        _ => {}
    }
}

/// Where a body can say something: every leaf of its schema, by pointer; `0` for the items of a list, `*` for any member.
fn leaves(document: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    let schema = resolved(document, schema.clone());
    for word in ["oneOf", "anyOf"] {
        for branch in schema[word].as_array().into_iter().flatten() {
            leaves(document, branch, at, found);
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            leaves(document, property, &format!("{at}/{name}"), found);
        }
    } else if schema["additionalProperties"].is_object() {
        leaves(document, &schema["additionalProperties"], &format!("{at}/*"), found);
    } else if schema["items"].is_object() {
        leaves(document, &schema["items"], &format!("{at}/0"), found);
    } else if schema["type"] != "null" && schema["oneOf"].is_null() && schema["anyOf"].is_null() {
        found.push(at.to_owned());
    }
}

/// What says something by itself, and names nothing.
const PLAIN: [&str; 94] = [
    "/attribution",
    "/by_whom/external_id/system",
    "/by_whom/external_id/value",
    "/by_whom/label",
    "/closes_at",
    "/consent/language",
    "/consent/text",
    "/consent/version",
    "/copyright",
    "/description",
    "/dry_run",
    "/due",
    "/element",
    "/elements/*",
    "/evidence/0/label",
    "/evidence/0/url",
    "/external_id/system",
    "/external_id/value",
    "/from_level",
    "/grace_seconds",
    "/guide/*/text",
    "/guide/*/title",
    "/guide/0/key",
    "/guide/0/text",
    "/guide/0/title",
    "/invitations/0/external_id/system",
    "/invitations/0/external_id/value",
    "/invitations/0/label",
    "/invitations/0/uses",
    "/label",
    "/levels/*",
    "/levels/0/key",
    "/levels/0/label",
    "/levels/0/value",
    "/link",
    "/minimum_group",
    "/name",
    "/next_level",
    "/opens_at",
    "/parties/0/external_ids/0/system",
    "/parties/0/external_ids/0/value",
    "/parties/0/key",
    "/parties/0/kind",
    "/parties/0/label",
    "/parties/0/retired",
    "/perspectives/0/expected",
    // Counts versions of the perspective before it.
    "/perspectives/0/perspective_version",
    "/privacy",
    "/ratings/*/current",
    "/ratings/*/desired",
    "/ratings/*/not_applicable",
    "/ratings/*/note",
    "/ratings/*/reason",
    "/ratings/0/ratings/*/current",
    "/ratings/0/ratings/*/desired",
    "/ratings/0/ratings/*/not_applicable",
    "/ratings/0/ratings/*/note",
    "/ratings/0/ratings/*/reason",
    "/relationships/0/cardinality/from",
    "/relationships/0/cardinality/to",
    "/relationships/0/circumstances",
    "/relationships/0/from",
    "/relationships/0/label",
    "/relationships/0/retired",
    "/relationships/0/setting",
    "/relationships/0/to",
    "/research_consent",
    "/respondent_ref",
    "/safety/considerations/0/key",
    "/safety/considerations/0/label",
    "/safety/considerations/0/replaces/0",
    "/safety/label",
    "/scopes/0",
    "/select/submitted_from",
    "/select/submitted_to",
    "/status",
    "/themes/*/label",
    "/themes/*/need",
    "/themes/*/stem/collective",
    "/themes/*/stem/individual",
    "/themes/0/elements/0/key",
    "/themes/0/elements/0/label",
    "/themes/0/elements/0/replaces/0",
    "/themes/0/elements/0/strand",
    "/themes/0/key",
    "/themes/0/label",
    "/themes/0/need",
    "/themes/0/stem/collective",
    "/themes/0/stem/individual",
    "/title",
    "/url",
    "/uses",
    "/voice",
    "/what",
];

fn json_to(operation: &Operation, uri: &str, etag: &str, body: &Value) -> TestRequest {
    let (media_type, _) = operation.example().expect("a body");
    let request = TestRequest::with_uri(uri).method(crate::app::method(&operation.method));
    let request = if etag.is_empty() {
        request
    } else {
        request.insert_header(("If-Match", etag))
    };
    request
        .insert_header(("Content-Type", media_type))
        .set_payload(body.to_string())
}

fn put_in(mut body: Value, pointer: &str, value: &str) -> Value {
    let number: Result<i32, _> = value.parse();
    *body.pointer_mut(pointer).expect("a place for it") = number.map_or_else(|_| json!(value), |number| json!(number));
    body
}

/// The body in which a reference can stand, around one that is good.
fn around(operation: &str, pointer: &str, own: &World) -> Value {
    let named = json!([{"system": SYSTEM, "value": "?"}]);
    match (operation, pointer) {
        ("create_assessment" | "upsert_assessment" | "validate_assessment", _) => {
            let mut body = assessment("team", "forming", "maturing");
            match pointer {
                "/model_version" => body["model"] = json!("our-own"),
                "/relationship" => body["relationship"] = json!("?"),
                "/external_ids/0/value" => body["external_ids"] = named,
                "/external_ids/0/system" => body["external_ids"] = json!([{"system": "?", "value": CASE}]),
                _ => {}
            }
            body["model_version"] = json!(1);
            body
        }
        ("patch_assessment" | "patch_constellation", "/external_ids/0/value") => json!({"external_ids": named}),
        ("patch_assessment" | "patch_constellation", "/external_ids/0/system") => {
            json!({"external_ids": [{"system": "?", "value": CASE}]})
        }
        ("create_constellation" | "patch_constellation", _) => {
            let mut body = constellation();
            match pointer {
                "/external_ids/0/value" => body["external_ids"] = named,
                "/external_ids/0/system" => body["external_ids"] = json!([{"system": "?", "value": CASE}]),
                _ => body["relationships"][0]["id"] = json!("?"),
            }
            body
        }
        ("create_round" | "patch_round", _) => {
            let mut body = crate::inviting::round("anonymous");
            match pointer {
                "/model" | "/model_version" => body["model"] = json!("our-own"),
                "/perspectives/0/perspective" => {}
                _ => body[&pointer[1..]] = json!("?"),
            }
            body["model_version"] = json!(1);
            body
        }
        ("create_invitations", "/perspective") => json!({"perspective": "?"}),
        ("create_invitations", _) => json!({"invitations": [{"perspective": "?"}]}),
        (_, "/select/relationship") => json!({"select": {"model": "meaningful-connections", "relationship": "?"}}),
        ("migrate_assessment", "/to_version") => json!({"to_version": 2}),
        ("create_model", "/slug") => json!({"slug": "?"}),
        ("create_perspective", "/slug") => json!({"slug": "?", "label": "Mine", "voice": "individual"}),
        ("create_model", "/derived_from/model" | "/derived_from/version") => {
            json!({"slug": "mine", "derived_from": {"model": "our-own", "version": 1}})
        }
        ("create_next_step", _) => json!({"gap_analysis": "?", "element": "feelings.heard", "what": "Ring back."}),
        (_, "/assessments/0") => json!({"assessments": ["?", own.submitted]}),
        (_, "/baseline") => json!({"assessments": [own.submitted], "baseline": "?"}),
        (_, "/select/model" | "/select/model_version") => json!({"select": {"model": "our-own", "model_version": 1}}),
        (_, "/select/perspectives/0") => json!({"select": {"model": "meaningful-connections", "perspectives": ["?"]}}),
        ("preview_gap_analysis", _) => {
            json!({"model": "our-own", "model_version": 1, "ratings": [{"perspective": "team", "ratings": {}}]})
        }
        _ => panic!("{operation} {pointer} can name a thing, and no test covers it"),
    }
}

/// Whether there is a way by this part of the body, and which.
fn by_body<'a>(operation: &'a Operation, pointer: &'a str, theirs: &'a Theirs) -> Option<Way<'a>> {
    if PLAIN.contains(&pointer) {
        return None;
    }
    let (their, nobodys) = VERSION;
    let (their, nobodys) = (their.to_string(), nobodys.to_string());
    let world = &theirs.world;
    let ids = [
        &*world.submitted,
        &world.draft,
        &world.amended,
        &world.withdrawn,
        &world.outdated,
        &world.gap_analysis,
    ];
    let (hidden, missing): (Vec<&str>, &str) = match pointer.rsplit_once('/').map_or("", |(_, name)| name) {
        "0" if pointer == "/assessments/0" => (ids.to_vec(), NOTHING),
        "relationship" => (vec![&world.relationship], NOTHING),
        "id" if pointer == "/relationships/0/id" => (vec![&world.relationship], NOTHING),
        "baseline" if operation.id().ends_with("_round") => (vec![&world.open, &world.closed], NOTHING),
        "constellation" => (vec![&world.constellation], NOTHING),
        "gap_analysis" | "baseline" => (vec![&world.gap_analysis, &world.submitted], NOTHING),
        "model" | "slug" if operation.id() != "create_perspective" => (vec![MODEL], NEVER),
        "slug" | "perspective" => (vec![PERSPECTIVE], NEVER),
        "0" if pointer == "/select/perspectives/0" => (vec![PERSPECTIVE], NEVER),
        "model_version" | "version" | "to_version" => (vec![&their], &nobodys),
        "value" => (vec![CASE], "case-0"),
        "system" => (vec![THEIR_SYSTEM], "https://never.example"),
        _ => panic!("{} {pointer} can name a thing, and no test covers it", operation.id()),
    };
    let naming = move |own: &World, value: &str| {
        let body = put_in(around(operation.id(), pointer, own), pointer, value);
        let etag = if operation.method == "PATCH" { "*" } else { "" };
        json_to(
            operation,
            &format!("{}{}", own.path(operation), own.query(operation)),
            etag,
            &body,
        )
    };
    Some(Way::new(format!("body {pointer}"), &hidden, missing, naming))
}

/// Whether there is a way by this parameter of the query, and which.
async fn by_query<'a>(operation: &'a Operation, name: &'a str, theirs: &Theirs) -> Option<Way<'a>> {
    let plain = [
        "status",
        "limit",
        "format",
        "theme",
        "from",
        "updated_since",
        "submitted_from",
        "submitted_to",
        "due_before",
        "element",
        "theme_key",
    ];
    if plain.contains(&name) {
        return None;
    }
    let world = &theirs.world;
    let (hidden, missing) = match name {
        "model" => (MODEL.to_owned(), NEVER.to_owned()),
        "perspective" | "compare" => (PERSPECTIVE.to_owned(), NEVER.to_owned()),
        "relationship" => (world.relationship.clone(), NOTHING.to_owned()),
        "gap_analysis" => (world.gap_analysis.clone(), NOTHING.to_owned()),
        "constellation" => (world.constellation.clone(), NOTHING.to_owned()),
        "round" => (world.closed.clone(), NOTHING.to_owned()),
        "external_id" => (format!("{SYSTEM}|{CASE}"), format!("{SYSTEM}|case-0")),
        "system" => (THEIR_SYSTEM.to_owned(), "https://never.example".to_owned()),
        "value" => (CASE.to_owned(), "case-0".to_owned()),
        "cursor" => {
            let page = world
                .owner
                .get(&format!("{}?limit=1", world.path(operation)))
                .await
                .json();
            let cursor = page["next_cursor"]
                .as_str()
                .unwrap_or_else(|| panic!("{}: one page", operation.id()));
            (cursor.to_owned(), "e30".to_owned())
        }
        _ => panic!("{} ?{name}= can name a thing, and no test covers it", operation.id()),
    };
    let naming = move |own: &World, value: &str| {
        let query = match (operation.id(), name) {
            ("upsert_assessment", "system") => format!("system={value}&value={CASE}"),
            ("upsert_assessment", _) => format!("system={SYSTEM}&value={value}"),
            (_, "cursor") => format!("limit=1&cursor={value}"),
            ("get_constellation", "gap_analysis") => format!("format=svg&gap_analysis={value}"),
            _ => format!("{name}={value}"),
        };
        let path = match operation.id() {
            "get_form" => "/v1/models/meaningful-connections/versions/1/form".to_owned(),
            _ => own.path(operation),
        };
        own.to(operation, &format!("{path}?{query}"), "", own.example(operation))
    };
    Some(Way::new(format!("query {name}"), &[&hidden], missing, naming))
}

/// What a number counts, what is in a language and what a chart shows stands in the path before it.
const OF_A_THING: [&str; 3] = ["version", "language", "chart"];

/// The path of the operation on what is theirs, by this name or by that; and on nothing.
fn paths(operation: &Operation, theirs: &World, query: &str) -> (Vec<String>, String) {
    let by = |other: &dyn Fn(&str) -> Option<String>| format!("{}{query}", theirs.path_with(operation, other));
    let missing = by(&|name| (!OF_A_THING.contains(&name)).then(|| NOTHING.to_owned()));
    let hidden = match operation.path.split('/').find(|part| part.starts_with('{')) {
        Some("{model}") => vec![by(&|name| (name == "model").then(|| MODEL.to_owned()))],
        Some("{perspective}") => vec![by(&|name| (name == "perspective").then(|| PERSPECTIVE.to_owned()))],
        _ => Vec::new(),
    };
    let by_id = by(&|name| match name {
        "model"
            if [
                "patch_model",
                "publish_model",
                "get_model_draft",
                "discard_model_draft",
                "validate_model",
            ]
            .contains(&operation.id())
                || operation.id().contains("_model_draft_translation") =>
        {
            None
        }
        "model" => Some(theirs.model_id.clone()),
        "perspective" => Some(theirs.perspective_id.clone()),
        _ => None,
    });
    ([hidden, vec![by_id]].concat(), missing)
}

/// An `If-Match`, a body, and another header.
type Variant<'a> = (&'a str, Option<(String, Value)>, Option<(&'static str, &'a str)>);

/// The ways by the path: whatever else the request says, it is about nothing.
fn by_path<'a>(operation: &'a Operation, theirs: &'a Theirs) -> Vec<Way<'a>> {
    let named: Vec<&str> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let things = [
        "model",
        "perspective",
        "constellation",
        "relationship",
        "round",
        "invitation",
        "assessment",
        "gap_analysis",
        "next_step",
        "client",
    ];
    let unknown = named
        .iter()
        .find(|name| !things.contains(name) && !OF_A_THING.contains(name));
    assert!(
        unknown.is_none(),
        "{} can name {unknown:?}, and no test covers it",
        operation.id()
    );
    if named.is_empty() {
        return Vec::new();
    }
    let query = theirs.world.query(operation);
    let query = query.replace(&theirs.world.perspective, "team");
    let (hidden, missing) = paths(operation, &theirs.world, &query);
    let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
    let nonsense = operation
        .example()
        .map(|(media_type, _)| (media_type, json!({"colour": "red"})));
    let variants = [
        ("", operation.example(), None),
        ("\"1\"", operation.example(), None),
        ("*", operation.example(), None),
        ("\"1\"", nonsense, None),
        (&*theirs.tag, operation.example(), None),
        ("", operation.example(), Some(("If-None-Match", "*"))),
        ("", operation.example(), Some(("If-None-Match", &*theirs.tag))),
        (
            "\"1\"",
            operation.example(),
            Some(("Idempotency-Key", "one-and-the-same")),
        ),
    ];
    let way = |(etag, body, header): Variant<'a>| {
        Way::new(
            format!("path, If-Match {etag}, {header:?}"),
            &hidden,
            missing.clone(),
            move |own: &World, uri: &str| {
                let request = own.to(operation, uri, etag, body.clone());
                match header {
                    Some(header) => request.insert_header(header),
                    None => request,
                }
            },
        )
    };
    variants.into_iter().map(way).collect()
}

/// Whether there is a way by this header, and which: their `ETag` on what is one's own, their idempotency key.
async fn by_header<'a>(operation: &'a Operation, name: &'a str, theirs: &'a Theirs) -> Option<Way<'a>> {
    let nobodys_tag = format!("\"sha256:{}\"", "0".repeat(64));
    match name {
        "X-Request-Id" | "Accept-Language" => None,
        "If-Match" | "If-None-Match" => Some(Way::new(
            name,
            &[&theirs.tag],
            nobodys_tag,
            move |own: &World, tag: &str| {
                let uri = format!("{}{}", own.path(operation), own.query(operation));
                own.to(operation, &uri, "", operation.example())
                    .insert_header((name, tag))
            },
        )),
        "Consistency-Token" => Some(Way::new(
            name,
            &[&theirs.consistency],
            "a-token-of-nobodys",
            move |own: &World, token: &str| {
                let uri = format!("{}{}", own.path(operation), own.query(operation));
                own.to(operation, &uri, "", operation.example())
                    .insert_header((name, token))
            },
        )),
        "Idempotency-Key" => {
            let key = format!("key-of-{}", operation.id());
            let request = theirs.world.request(operation).await.insert_header((name, key.clone()));
            let answer = theirs.world.owner.send(request).await;
            assert!(answer.status < 300, "{} {}", operation.id(), answer.text());
            // A key belongs to its path, too: this is the very request that they sent.
            let path = format!("{}{}", theirs.world.path(operation), theirs.world.query(operation));
            Some(Way::new(
                name,
                &[&key],
                "a-key-of-nobodys",
                move |own: &World, key: &str| {
                    let etag = if operation.method == "PATCH" { "*" } else { "" };
                    own.to(operation, &path, etag, theirs.world.example(operation))
                        .insert_header((name, key))
                },
            ))
        }
        _ => panic!("{} {name}: can name a thing, and no test covers it", operation.id()),
    }
}

/// Every way that the document leaves open.
async fn ways<'a>(
    document: &Value,
    operation: &'a Operation,
    leaves: &'a [String],
    parameters: &'a [Value],
    theirs: &'a Theirs,
) -> Vec<Way<'a>> {
    assert!(document.is_object());
    let mut ways = by_path(operation, theirs);
    ways.extend(leaves.iter().filter_map(|pointer| by_body(operation, pointer, theirs)));
    for parameter in parameters {
        let name = parameter["name"].as_str().expect("a name");
        ways.extend(match parameter["in"].as_str() {
            Some("query") => by_query(operation, name, theirs).await,
            Some("header") => by_header(operation, name, theirs).await,
            Some("path") => None,
            other => panic!("{} {name} in {other:?}: no test covers it", operation.id()),
        });
    }
    ways
}

/// What was asked, in so many ways, of how many operations.
#[derive(Default)]
struct Tally {
    operations: usize,
    without: Vec<String>,
    ways: usize,
    pairs: usize,
}

/// Sends every pair of requests, one by each of two organisations that are alike.
async fn compare(
    app: &TestApp,
    document: &Value,
    operation: &Operation,
    trio: &(Theirs, World, World),
    tally: &mut Tally,
) {
    let (theirs, one, other) = trio;
    let parameters = operation.parameters(document);
    let mut found = Vec::new();
    if let Some((media_type, _)) = operation.example() {
        let schema = &operation.described["requestBody"]["content"][media_type]["schema"];
        leaves(document, schema, "", &mut found);
        found.dedup();
    }
    let ways = ways(document, operation, &found, &parameters, theirs).await;
    let before = rows::of(app, theirs.world.owner.organisation);
    tally.operations += 1;
    tally.ways += ways.len();
    if ways.is_empty() {
        tally.without.push(operation.id().to_owned());
    }
    for way in &ways {
        for hidden in &way.hidden {
            tally.pairs += 1;
            let asked = [(one, hidden), (other, &way.missing)];
            let [of_theirs, of_nothing] = asked.map(|(own, value)| own.owner.send((way.naming)(own, value)));
            let (of_theirs, of_nothing) = (of_theirs.await, of_nothing.await);
            let what = format!("{} by {}: {hidden}", operation.id(), way.what);
            assert_eq!(said(&of_theirs, hidden), said(&of_nothing, &way.missing), "{what}");
            assert_eq!(
                undeclared(document, operation, &of_theirs),
                Vec::<String>::new(),
                "{what}"
            );
            let found = of_theirs.status == 304 || of_theirs.header("idempotent-replayed") == "true";
            assert!(!found, "{what}: {}", of_theirs.text());
            if way.what.starts_with("path") {
                assert_eq!(of_theirs.status, 404, "{what} {}", of_theirs.text());
            }
        }
    }
    assert_eq!(
        rows::of(app, theirs.world.owner.organisation),
        before,
        "{}",
        operation.id()
    );
}

async fn trio(app: &TestApp) -> (Theirs, World, World) {
    let theirs = Theirs::new(app, app.organisation("theirs")).await;
    let [one, other] = ["mine", "mine"].map(|name| World::new(app.organisation(name)));
    (theirs, one.await, other.await)
}

#[actix_web::test]
async fn whatever_names_a_thing_of_another_organisation_names_nothing() {
    let app = TestApp::new().await;
    let document = document();
    let mut tally = Tally::default();
    let mut shared = trio(&app).await;
    for operation in all(&document) {
        if operation.scope().is_none() {
            let names: Vec<String> = operation
                .parameters(&document)
                .iter()
                .map(|one| one["name"].to_string())
                .collect();
            assert!(
                names
                    .iter()
                    .all(|name| ["\"X-Request-Id\"", "\"code\""].contains(&&**name)),
                "{names:?}"
            );
            tally.operations += 1;
            tally.without.push(operation.id().to_owned());
            continue;
        }
        compare(&app, &document, &operation, &shared, &mut tally).await;
        // What is written may stand in the way of what is written next.
        if operation.method != "GET" {
            shared = trio(&app).await;
        }
    }
    println!(
        "access: {} operations, {} ways to name a thing, {} pairs of requests; naming nothing: {}",
        tally.operations,
        tally.ways,
        tally.pairs,
        tally.without.join(" ")
    );
    assert_eq!(tally.operations, all(&document).len());
}
