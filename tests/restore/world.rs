//! One organisation with something of every kind, what can be seen of it, and what a restored service must still show.

use std::collections::BTreeMap;

use meaningful_connections::domain::digest::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::{Answer, Caller, Credentials, Place, Server};

/// What can be seen: the answer at each path.
pub type View = BTreeMap<String, (u16, String, String)>;

/// A complete assessment of the seed model.
pub fn assessment(perspective: &str, current: &str) -> Value {
    let definition = meaningful_connections::domain::model::meaningful_connections().expect("the seed");
    let ratings: serde_json::Map<String, Value> = definition
        .keys()
        .map(|key| (key.to_string(), json!({"current": current, "desired": "embedded"})))
        .collect();
    json!({"model": "meaningful-connections", "perspective": perspective, "ratings": ratings})
}

fn made(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.header("location").to_owned()
}

pub fn done(answer: &Answer) {
    assert!([200, 201, 204].contains(&answer.status), "{}", answer.text());
}

fn id_of(uri: &str) -> String {
    uri.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A submitted assessment: its path.
pub fn submitted(caller: &Caller, perspective: &str, current: &str) -> String {
    let uri = made(&caller.post("/v1/assessments", &assessment(perspective, current)));
    done(&caller.act(&format!("{uri}/submit")));
    uri
}

/// The organisation's things, by what will become of them.
pub struct World {
    pub credentials: Credentials,
    /// A second client, which will be revoked.
    revoked: Credentials,
    /// A third, whose secret will be replaced.
    renewed: Credentials,
    /// A submitted assessment that will be erased, counted by two analyses.
    erased: String,
    /// A draft that was made with an idempotency key, and will be erased.
    erased_draft: String,
    /// A submitted one that will be withdrawn, and a withdrawn one that will be taken back.
    withdrawn: String,
    taken_back: String,
    /// A submitted one that stays, and a draft that will be changed.
    stays: String,
    changed: String,
    /// Counts `erased` and `stays`.
    analysis: String,
    /// Counts `stays`, compared with `analysis`.
    compared: String,
    /// Counts `stays` alone.
    untouched: String,
    /// The answers to two requests with idempotency keys: about what stays, and about what will be erased.
    kept_answer: Answer,
    /// All of it, as it was when it was made.
    pub view: View,
    /// What was made after the backup.
    later: Vec<String>,
}

const KEPT_KEY: &str = "restored-1";
const ERASED_KEY: &str = "restored-2";

fn kept_body() -> Value {
    let mut body = assessment("service_user", "maturing");
    body["external_ids"] = json!([{"system": "https://crm.example.org", "value": "4711"}]);
    body["ratings"]["feelings.heard"]["note"] = json!("They asked twice. ÄÖ \u{1F600}");
    body
}

impl World {
    /// Fills a service, over HTTP.
    pub fn fill(place: &Place, server: &Server) -> Self {
        let founded = place.tell_json(&["organisation", "create", "Acme Care", "--json"]);
        let organisation = founded["organisation"]["id"].as_str().expect("an id");
        let credentials = Credentials::of(&founded);
        let another =
            || Credentials::of(&place.tell_json(&["client", "create", "--organisation", organisation, "--json"]));
        let (revoked, renewed) = (another(), another());
        let acme = server.caller(&credentials);
        models_and_perspectives(&acme);
        let erased = submitted(&acme, "team", "forming");
        let kept_answer = acme.post_once(KEPT_KEY, "/v1/assessments", &kept_body());
        let stays = made(&kept_answer);
        done(&acme.act(&format!("{stays}/submit")));
        done(&acme.act(&format!("{stays}/amend")));
        done(&acme.patch(&stays, &json!({"ratings": {"tools.time": {"current": "forming"}}})));
        done(&acme.act(&format!("{stays}/submit")));
        done(&acme.act(&format!("{stays}/amend")));
        let changed = made(&acme.post("/v1/assessments", &assessment("organisation", "forming")));
        let erased_draft = made(&acme.post_once(ERASED_KEY, "/v1/assessments", &assessment("team", "embedded")));
        let analyse = |body: Value| made(&acme.post("/v1/gap-analyses", &body));
        let analysis = analyse(json!({"title": "Both", "assessments": [id_of(&erased), id_of(&stays)]}));
        let compared = analyse(json!({"assessments": [id_of(&stays)], "baseline": id_of(&analysis)}));
        let untouched = analyse(json!({"title": "One", "assessments": [id_of(&stays)]}));
        let (withdrawn, taken_back) = (
            submitted(&acme, "team", "maturing"),
            submitted(&acme, "team", "maturing"),
        );
        for uri in [&taken_back, &submitted(&acme, "team", "maturing")] {
            done(&acme.delete(uri));
        }
        let view = view(&acme);
        assert!(view.len() > 40, "{}", view.len());
        Self {
            credentials,
            revoked,
            renewed,
            erased,
            erased_draft,
            withdrawn,
            taken_back,
            stays,
            changed,
            analysis,
            compared,
            untouched,
            kept_answer,
            view,
            later: Vec::new(),
        }
    }

    /// What happens after the backup: writes that will be lost, and ends that must not be.
    pub fn go_on(&mut self, server: &Server) {
        let acme = server.caller(&self.credentials);
        self.later.push(submitted(&acme, "team", "embedded"));
        self.later.push(made(&acme.post(
            "/v1/gap-analyses",
            &json!({"select": {"model": "meaningful-connections"}}),
        )));
        done(&acme.patch(
            &self.changed,
            &json!({"ratings": {"tools.time": {"current": "embedded"}}}),
        ));
        done(&acme.act(&format!("{}/submit", self.stays)));
        for erased in [&self.erased, &self.erased_draft] {
            done(&acme.act(&format!("{erased}/erase")));
        }
        for action in ["delete", "restore", "delete"] {
            match action {
                "delete" => done(&acme.delete(&self.withdrawn)),
                other => done(&acme.act(&format!("{}/{other}", self.withdrawn))),
            }
        }
        done(&acme.act(&format!("{}/restore", self.taken_back)));
        done(&acme.delete(&format!("/v1/clients/{}", self.revoked.id)));
        let rotate = format!("/v1/clients/{}/rotate-secret", self.renewed.id);
        done(&acme.post(&rotate, &json!({})));
    }

    /// Asserts that a restored service shows what was there at the backup's moment, but for what was erased since.
    pub fn assert_restored(&self, place: &Place, server: &Server) {
        let acme = server.caller(&self.credentials);
        let now = view(&acme);
        let gone = [&self.erased, &self.erased_draft];
        let anew = [&self.analysis, &self.compared];
        let mut same = 0;
        for (path, before) in &self.view {
            let of = |resources: &[&String]| resources.iter().any(|uri| path.starts_with(uri.as_str()));
            let lists_them = path.starts_with("/v1/assessments?")
                || path.starts_with("/v1/gap-analyses?")
                || path.starts_with("/v1/clients");
            if of(&gone) {
                assert_eq!(acme.get(path).status, 404, "{path}");
            } else if of(&[&self.withdrawn, &self.taken_back]) {
                let answer = acme.get(path);
                assert_eq!(answer.status, before.0, "{path}");
            } else if of(&anew) || lists_them {
                assert!(!acme.get(path).text().contains(&id_of(&self.erased)), "{path}");
            } else {
                assert_eq!(now.get(path), Some(before), "{path}");
                same += 1;
            }
        }
        assert!(same > 25, "only {same} answers could be compared");
        for uri in anew {
            assert_eq!(acme.get(&format!("{uri}/versions/1")).status, 404, "{uri}");
            let shown = acme.get(uri).json();
            assert_eq!(shown["version"], 2, "{uri}");
            let counted: Vec<&Value> = shown["inputs"].as_array().expect("inputs").iter().collect();
            assert_eq!(counted.len(), 1, "{uri}");
            assert_eq!(counted[0]["assessment"], id_of(&self.stays), "{uri}");
            assert_eq!(counted[0]["version"], 2, "{uri}");
        }
        assert_eq!(acme.get(&self.withdrawn).json()["status"], "withdrawn");
        assert_eq!(acme.get(&self.taken_back).json()["status"], "submitted");
        assert_eq!(acme.get(&self.untouched).json()["version"], 1);
        for later in &self.later {
            assert_eq!(acme.get(later).status, 404, "{later}");
        }
        assert_sealed(&now);
        self.assert_answers_are_repeated(&acme);
        self.assert_access_is_taken(place, server);
    }

    fn assert_answers_are_repeated(&self, acme: &Caller) {
        let again = acme.post_once(KEPT_KEY, "/v1/assessments", &kept_body());
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!((again.status, again.body), (201, self.kept_answer.body.clone()));
        let again = acme.post_once(ERASED_KEY, "/v1/assessments", &assessment("team", "embedded"));
        assert_eq!((again.status, again.json()["code"].clone()), (410, json!("erased")));
    }

    fn assert_access_is_taken(&self, place: &Place, server: &Server) {
        for credentials in [&self.revoked, &self.renewed] {
            assert_eq!(server.ask(credentials).status, 401);
        }
        let given = Credentials::of(&place.tell_json(&["client", "rotate-secret", &self.renewed.id, "--json"]));
        assert_eq!(server.ask(&given).status, 200);
    }
}

fn models_and_perspectives(acme: &Caller) {
    let derived = json!({"slug": "acme-model", "derived_from": {"model": "meaningful-connections", "version": 1}});
    let model = made(&acme.post("/v1/models", &derived));
    done(&acme.act(&format!("{model}/publish")));
    done(&acme.patch(&model, &json!({"title": "Ours, second edition"})));
    done(&acme.act(&format!("{model}/publish")));
    done(&acme.patch(&model, &json!({"title": "Ours, third edition"})));
    let perspective = json!({"slug": "carer", "label": "Carer", "voice": "individual"});
    let perspective = made(&acme.post("/v1/perspectives", &perspective));
    done(&acme.patch(&perspective, &json!({"label": "Unpaid carer"})));
}

/// The items of a list, page after page.
fn all(caller: &Caller, list: &str, view: &mut View) -> Vec<Value> {
    let (mut items, mut path) = (Vec::new(), format!("{list}limit=200"));
    loop {
        let answer = look(caller, &path, view);
        items.extend(answer["data"].as_array().cloned().unwrap_or_default());
        match answer["next_cursor"].as_str() {
            Some(cursor) => path = format!("{list}limit=200&cursor={cursor}"),
            None => return items,
        }
    }
}

fn look(caller: &Caller, path: &str, view: &mut View) -> Value {
    let answer = caller.get(path);
    assert!([200, 404].contains(&answer.status), "{path}: {}", answer.text());
    let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    // Problems name their own request.
    let text = if answer.status == 404 {
        String::new()
    } else {
        answer.text()
    };
    view.insert(path.to_owned(), (answer.status, answer.header("etag").to_owned(), text));
    json
}

/// All that a caller can see.
pub fn view(caller: &Caller) -> View {
    let mut view = View::new();
    look(caller, "/v1/organisation", &mut view);
    all(caller, "/v1/clients?", &mut view);
    for (noun, lists) in [
        ("models", vec!["?"]),
        ("perspectives", vec!["?"]),
        (
            "assessments",
            vec!["?", "?status=withdrawn&", "?updated_since=2020-01-01&"],
        ),
        ("gap-analyses", vec!["?"]),
    ] {
        let mut items = Vec::new();
        for list in lists {
            items.extend(all(caller, &format!("/v1/{noun}{list}"), &mut view));
        }
        for item in items {
            let uri = format!("/v1/{noun}/{}", item["id"].as_str().expect("an id"));
            look(caller, &uri, &mut view);
            if noun == "models" || noun == "assessments" {
                look(caller, &format!("{uri}/draft"), &mut view);
            }
            if noun == "gap-analyses" {
                for format in ["csv", "svg", "markdown"] {
                    look(caller, &format!("{uri}?format={format}"), &mut view);
                }
            }
            for version in all(caller, &format!("{uri}/versions?"), &mut view) {
                look(caller, &format!("{uri}/versions/{}", version["version"]), &mut view);
            }
        }
    }
    view
}

/// Asserts that every sealed version has the digest of what it says: nothing is half, and nothing was changed.
pub fn assert_sealed(view: &View) {
    let mut sealed = 0;
    for (path, (status, _, text)) in view {
        let Ok(mut json) = serde_json::from_str::<Value>(text) else {
            continue;
        };
        let is_version = path.rsplit_once("/versions/").is_some();
        if *status != 200 || !is_version {
            continue;
        }
        let members = json.as_object_mut().expect("an object");
        let said = members.remove("digest").expect("a digest");
        for name in ["sealed_at", "sealed_by", "has_draft"] {
            members.remove(name);
        }
        let digest = Sha256::digest(serde_json_canonicalizer::to_vec(&json).expect("canonical JSON"));
        assert_eq!(said, format!("sha256:{}", hex(&digest)), "{path}");
        sealed += 1;
    }
    assert!(sealed > 5, "only {sealed} sealed versions");
}
