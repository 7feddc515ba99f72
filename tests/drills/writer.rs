//! A client that writes: every request has an idempotency key, and is repeated until it is answered.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    http::{Answer, Connection, Request, Unanswered},
    ledger::{Kind, Thing, same},
    server::Credentials,
};

/// How long a request is repeated before it counts as never answered.
const ENDURANCE: Duration = Duration::from_secs(90);

/// Who calls, and their newest token.
pub struct Caller {
    pub address: SocketAddr,
    pub credentials: Credentials,
    token: Mutex<String>,
}

impl Caller {
    pub fn new(address: SocketAddr, credentials: Credentials) -> Self {
        Self {
            address,
            credentials,
            token: Mutex::default(),
        }
    }

    pub fn token(&self) -> String {
        self.token.lock().expect("no panic").clone()
    }

    /// Asks for a token. None comes while the service cannot give any.
    pub fn renew(&self) {
        let Credentials { client, secret, .. } = &self.credentials;
        let basic = BASE64_STANDARD.encode(format!("{client}:{secret}"));
        let request = Request::new("POST", "/v1/oauth/token", None)
            .with("Authorization", format!("Basic {basic}"))
            .with("Content-Type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        if let Ok(answer) = Connection::new(self.address).ask(&request)
            && let Some(token) = answer.json()["access_token"].as_str()
        {
            token.clone_into(&mut self.token.lock().expect("no panic"));
        }
    }
}

/// What a writer saw.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Requests that were answered for good.
    pub answered: usize,
    pub acknowledged: usize,
    pub replayed: usize,
    pub unavailable: usize,
    pub cut: usize,
    /// Connections that nobody accepted.
    pub refused: usize,
    /// The longest that one request took to be answered, with all its repetitions.
    pub outage: Duration,
    /// What must not be: answers that nobody should get.
    pub complaints: Vec<String>,
}

/// A client that writes.
pub struct Writer {
    name: String,
    caller: Arc<Caller>,
    conn: Connection,
    sequence: usize,
    pub things: Vec<Thing>,
    /// The keys of all writes that were acknowledged, and with what.
    pub keys: Vec<(String, u16)>,
    pub tally: Tally,
}

impl Writer {
    pub fn new(name: String, caller: &Arc<Caller>) -> Self {
        Self {
            name,
            caller: Arc::clone(caller),
            conn: Connection::new(caller.address),
            sequence: 0,
            things: Vec::new(),
            keys: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Does one thing that clients do: looks at something, then writes.
    pub fn step(&mut self) {
        self.sequence += 1;
        if let Some(place) = self.any(|_| true) {
            let expected = self.things[place].expected();
            let missed = self.missed_of(place, below(expected.len()));
            self.tally.complaints.extend(missed);
        }
        match below(100) {
            0..20 => self.create(),
            20..50 => self.rate(),
            50..70 => self.submit(),
            70..78 => self.amend(),
            78..85 => self.put(),
            85..90 => self.model(),
            90..96 => self.analyse(),
            96..98 => self.recompute(),
            _ => self.erase(),
        }
    }

    /// Sends a write with a key of its own, again and again until it is answered; notes the acknowledgement.
    fn write(&mut self, request: Request) -> Option<Answer> {
        let key = format!("{}-{}", self.name, self.sequence);
        let line = format!("{} {}", request.method, request.path);
        let answer = self.insist(&request.with("Idempotency-Key", key.clone()))?;
        if (200..300).contains(&answer.status) {
            self.tally.acknowledged += 1;
            self.tally.replayed += usize::from(answer.header("idempotent-replayed") == "true");
            self.keys.push((key, answer.status));
            Some(answer)
        } else {
            self.complain(format!("{line}: {} {}", answer.status, answer.text()));
            None
        }
    }

    fn complain(&mut self, complaint: String) {
        eprintln!("{}: {complaint}", self.name);
        self.tally.complaints.push(complaint);
    }

    /// Repeats a request until it is answered for good.
    fn insist(&mut self, request: &Request) -> Option<Answer> {
        let began = Instant::now();
        while began.elapsed() < ENDURANCE {
            let authorized = request
                .clone()
                .with("Authorization", format!("Bearer {}", self.caller.token()));
            let pause = match self.conn.ask(&authorized) {
                Ok(answer) if answer.status == 503 => {
                    self.tally.unavailable += 1;
                    self.check_unavailable(&answer);
                    50
                }
                Ok(answer) if answer.status == 401 => {
                    self.caller.renew();
                    50
                }
                Ok(answer) if ["conflict", "idempotency_key_in_use"].contains(&answer.code().as_str()) => 20,
                Ok(answer) => {
                    self.tally.answered += 1;
                    self.tally.outage = self.tally.outage.max(began.elapsed());
                    return Some(answer);
                }
                Err(Unanswered::NotAccepted) => {
                    self.tally.refused += 1;
                    10
                }
                Err(Unanswered::Cut { .. } | Unanswered::Silent) => {
                    self.tally.cut += 1;
                    10
                }
            };
            sleep(Duration::from_millis(pause));
        }
        self.complain(format!("never answered: {} {}", request.method, request.path));
        None
    }

    /// A 503 is a problem that says when to come back.
    fn check_unavailable(&mut self, answer: &Answer) {
        let seconds: Option<u32> = answer.header("retry-after").parse().ok();
        let is_problem = answer.header("content-type") == "application/problem+json" && answer.code() == "unavailable";
        if !is_problem || !seconds.is_some_and(|seconds| (1..=60).contains(&seconds)) {
            self.complain(format!("a poor 503: {:?} {}", seconds, answer.text()));
        }
    }

    fn create(&mut self) {
        let mut body = assessment();
        body["respondent_ref"] = json!(format!("{}-{}", self.name, self.sequence));
        if let Some(answer) = self.write(Request::new("POST", "/v1/assessments", Some(&body))) {
            self.things.push(Thing::created(Kind::Assessment, &answer));
        }
    }

    /// One of the writer's things, by chance.
    fn any(&self, fits: impl Fn(&Thing) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.things.len())
            .filter(|place| !self.things[*place].gone && fits(&self.things[*place]))
            .collect();
        fitting.get(below(fitting.len().max(1))).copied()
    }

    /// Any assessment that fits; makes one where there is none.
    fn assessment(&mut self, fits: impl Fn(&Thing) -> bool) -> Option<usize> {
        let found = self.any(|thing| thing.kind == Kind::Assessment && fits(thing));
        if found.is_none() {
            self.create();
        }
        found
    }

    /// An action on a thing, and what it shows then.
    fn act(&mut self, place: usize, action: &str) -> Option<Answer> {
        let path = format!("{}/{action}", self.things[place].uri);
        self.write(Request::new("POST", path, None))
    }

    fn rate(&mut self) {
        let Some(place) = self.assessment(|thing| thing.draft.is_some()) else {
            return;
        };
        let rating = json!({"current": level(), "note": format!("{} {}", self.name, self.sequence)});
        let (uri, etag) = (self.things[place].uri.clone(), self.things[place].etag.clone());
        let patch = Request::new("PATCH", uri, Some(&json!({"ratings": {"feelings.heard": rating}})));
        let patch = patch.with("If-Match", etag);
        if let Some(answer) = self.write(patch) {
            self.things[place].take(&answer);
        }
    }

    fn submit(&mut self) {
        let Some(place) = self.assessment(|thing| thing.draft.is_some()) else {
            return;
        };
        if let Some(answer) = self.act(place, "submit") {
            self.things[place].take(&answer);
        }
    }

    fn amend(&mut self) {
        let Some(place) = self.assessment(|thing| thing.draft.is_none()) else {
            return;
        };
        if let Some(answer) = self.act(place, "amend") {
            let thing = &mut self.things[place];
            thing.take(&answer);
            thing.events.push(("amended", thing.newest()));
        }
    }

    /// What a CRM does: puts an assessment under a name of its own, mostly one that it put before.
    fn put(&mut self) {
        let value = format!("{}-{}", self.name, below(4) + self.sequence / 60 * 4);
        let path = format!("/v1/assessments/by-external-id?system=crm&value={value}");
        let mut body = assessment();
        // This stays what it was when the name was first used.
        body["perspective"] = json!("team");
        body["respondent_ref"] = json!(format!("{}-{}", self.name, self.sequence));
        let Some(answer) = self.write(Request::new("PUT", path, Some(&body))) else {
            return;
        };
        let id = answer.json()["id"].as_str().unwrap_or_default().replace('-', "");
        match self.things.iter_mut().find(|thing| thing.id == id) {
            None if answer.status == 201 => self.things.push(Thing::created(Kind::Assessment, &answer)),
            None => self.complain(format!("replaced what was never made: {}", answer.text())),
            Some(thing) => {
                if thing.draft.is_none() {
                    thing.events.push(("amended", thing.newest()));
                }
                thing.take(&answer);
            }
        }
    }

    /// Makes a model, publishes it, changes it, and publishes it again, a step at a time.
    fn model(&mut self) {
        let place = self.any(|thing| thing.kind == Kind::Model && thing.newest() < Some(3));
        let Some(place) = place else {
            let slug = format!("m-{}-{}", self.name, self.sequence);
            let origin = json!({"model": "meaningful-connections", "version": 1});
            let body = json!({"slug": slug, "derived_from": origin});
            if let Some(answer) = self.write(Request::new("POST", "/v1/models", Some(&body))) {
                self.things.push(Thing::created(Kind::Model, &answer));
            }
            return;
        };
        let answer = if self.things[place].draft.is_some() {
            self.act(place, "publish")
        } else {
            let (uri, etag) = (self.things[place].uri.clone(), self.things[place].etag.clone());
            let title = json!({"title": format!("Model {}", self.sequence)});
            self.write(Request::new("PATCH", uri, Some(&title)).with("If-Match", etag))
        };
        if let Some(answer) = answer {
            self.things[place].take(&answer);
        }
    }

    fn analyse(&mut self) {
        let submitted = self.things.iter().rev();
        let submitted =
            submitted.filter(|thing| thing.kind == Kind::Assessment && !thing.gone && thing.newest().is_some());
        let ids: Vec<&str> = submitted
            .filter_map(|thing| thing.uri.rsplit('/').next())
            .take(3)
            .collect();
        if ids.is_empty() {
            return self.submit();
        }
        let body = json!({"title": "Drill", "assessments": ids});
        if let Some(answer) = self.write(Request::new("POST", "/v1/gap-analyses", Some(&body))) {
            self.things.push(Thing::created(Kind::GapAnalysis, &answer));
        }
    }

    fn recompute(&mut self) {
        let Some(place) = self.any(|thing| thing.kind == Kind::GapAnalysis) else {
            return self.analyse();
        };
        if let Some(answer) = self.act(place, "recompute") {
            self.things[place].take(&answer);
        }
    }

    /// Erases an assessment, and looks what is left of the analyses that counted it.
    fn erase(&mut self) {
        let Some(place) = self.assessment(|_| true) else {
            return;
        };
        if self.act(place, "erase").is_none() {
            return;
        }
        let erased = &mut self.things[place];
        erased.gone = true;
        erased.events.push(("erased", None));
        let id = erased.id.clone();
        for place in 0..self.things.len() {
            let thing = &self.things[place];
            if thing.kind == Kind::GapAnalysis && !thing.gone && thing.counted().contains(&id) {
                self.look_again(place, &id);
            }
        }
    }

    fn look_again(&mut self, place: usize, erased: &str) {
        let uri = self.things[place].uri.clone();
        let Some(answer) = self.insist(&Request::get(uri)) else {
            return;
        };
        let thing = &mut self.things[place];
        thing
            .sealed
            .retain(|_, shown| !shown["inputs"].to_string().replace('-', "").contains(erased));
        if answer.status == 404 {
            thing.gone = true;
        } else {
            thing.take(&answer);
        }
    }

    /// What the service does not say although it was acknowledged, of what is at these places.
    pub fn missed(&mut self, places: std::ops::Range<usize>) -> Vec<String> {
        let mut missed = Vec::new();
        for place in places {
            for number in 0..self.things[place].expected().len() {
                missed.extend(self.missed_of(place, number));
            }
        }
        missed
    }

    /// The same, of one of the expectations of a thing.
    fn missed_of(&mut self, place: usize, number: usize) -> Option<String> {
        let thing = self.things[place].clone();
        let (path, expected, etag) = thing.expected().swap_remove(number);
        let Some(found) = self.insist(&Request::get(path.clone())) else {
            return Some(path);
        };
        let right = match expected {
            None => found.status == 404,
            Some(expected) => {
                found.status == 200
                    && same(&found.json(), expected)
                    && etag.is_none_or(|etag| found.header("etag") == etag)
            }
        };
        (!right).then(|| {
            let (status, tag) = (found.status, found.header("etag"));
            format!(
                "{path}: {status} {tag} {}\n  expected {etag:?} {expected:?}",
                found.text()
            )
        })
    }
}

/// A random number below this one.
fn below(end: usize) -> usize {
    usize::try_from(rand::random::<u32>()).expect("32 bits") % end
}

fn level() -> &'static str {
    ["early_stages", "forming", "maturing", "embedded"][below(4)]
}

/// A complete assessment of the seed model.
fn assessment() -> Value {
    let definition = meaningful_connections::domain::model::meaningful_connections().expect("the seed");
    let rate = |key: String| (key, json!({"current": level(), "desired": level()}));
    let ratings: Map<String, Value> = definition.keys().map(ToString::to_string).map(rate).collect();
    let perspective = ["service_user", "team_member", "team"][below(3)];
    json!({"model": "meaningful-connections", "perspective": perspective, "ratings": ratings})
}
