//! SQLite: a backup under load, and a machine that is lost.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use meaningful_connections::domain::digest::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    server::{Caller, Credentials, Place, Server, text},
    world::{World, assert_sealed, assessment, done, submitted, view},
};

/// A submitted assessment, what it looked like, and when that had been read.
type Written = (String, Vec<u8>, Instant);

/// Writes until told to stop.
fn write(caller: &Caller, stop: &AtomicBool) -> Vec<Written> {
    let mut written = Vec::new();
    while !stop.load(Ordering::Relaxed) && written.len() < 2000 {
        let uri = submitted(caller, "team", "forming");
        let shown = caller.get(&uri).body;
        written.push((uri, shown, Instant::now()));
    }
    written
}

#[test]
fn a_backup_under_load_is_restored_elsewhere_byte_for_byte_but_for_what_was_erased_since() {
    let (old, new) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let place = Place::Folder(old.path().join("data"));
    let server = Server::start(&place);
    let mut world = World::fill(&place, &server);
    let busy = Credentials::of(&place.tell_json(&["organisation", "create", "Busy", "--json"]));
    let file = old.path().join("backup.sqlite");
    let (stop, callers) = (AtomicBool::new(false), [(); 4].map(|()| server.caller(&busy)));
    let (began, ended, report, written) = thread::scope(|scope| {
        let writers: Vec<_> = callers
            .iter()
            .map(|caller| scope.spawn(|| write(caller, &stop)))
            .collect();
        thread::sleep(std::time::Duration::from_millis(1500));
        let began = Instant::now();
        let report = place.tell_json(&["backup", "--to", text(&file), "--json"]);
        let ended = Instant::now();
        thread::sleep(std::time::Duration::from_millis(500));
        stop.store(true, Ordering::Relaxed);
        let written: Vec<Written> = writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("no panic"))
            .collect();
        (began, ended, report, written)
    });
    assert_report(&report, &fs::read(&file).expect("the backup"));
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    world.go_on(&server);
    server.kill();
    // The machine is lost; the backup and the ledger are not.
    let ledger = old.path().join("ledger");
    fs::rename(place.ledger(), &ledger).expect("the ledger");
    fs::remove_dir_all(old.path().join("data")).expect("lost");

    let place = Place::Folder(new.path().join("data"));
    let restored = place.tell_json(&["restore", "--from", text(&file), "--erasures", text(&ledger), "--json"]);
    assert_eq!(restored["before"], "absent");
    assert_eq!(restored["erasures_known"], true);
    assert_eq!(restored["applied"]["assessments_erased"], 2);
    assert_eq!(restored["applied"]["clients_revoked"], 1);
    assert_eq!(
        restored["counts"]["assessments"].as_i64(),
        report["counts"]["assessments"].as_i64().map(|n| n - 2)
    );
    let server = Server::start(&place);
    world.assert_restored(&place, &server);

    let caller = server.caller(&busy);
    let seen = view(&caller);
    assert_sealed(&seen);
    let (mut before, mut after) = (0, 0);
    for (uri, shown, at) in &written {
        let answer = caller.get(uri);
        if *at < began {
            before += 1;
            assert_eq!((answer.status, &answer.body), (200, shown), "{uri}");
        } else if answer.status == 200 {
            // The backup caught it halfway at most as a draft.
            assert!(
                *at >= began && (&answer.body == shown || answer.json()["status"] == "draft"),
                "{uri}"
            );
        } else {
            assert_eq!(answer.status, 404, "{uri}");
            after += 1;
        }
    }
    assert!(
        before > 0 && after > 0,
        "{before} before, {after} after, of {}",
        written.len()
    );
    assert!(ended > began);
}

fn assert_report(report: &Value, bytes: &[u8]) {
    let digest = Sha256::digest(bytes);
    assert_eq!(report["sha256"], hex(&digest));
    assert_eq!(report["bytes"].as_u64(), u64::try_from(bytes.len()).ok());
    assert_eq!(report["migrations_pending"], 0);
    assert_eq!(report["counts"]["organisations"], 3);
    assert!(report["taken_at"].as_str().is_some_and(|at| at.ends_with('Z')));
}

#[test]
fn after_a_bad_deploy_the_old_database_tells_what_was_erased_and_is_kept_aside() {
    let folder = TempDir::new().expect("a folder");
    let place = Place::Folder(folder.path().join("data"));
    let server = Server::start(&place);
    let mut world = World::fill(&place, &server);
    let file = folder.path().join("backup.sqlite");
    place.tell(&["backup", "--to", text(&file)]);
    world.go_on(&server);
    let restore = ["restore", "--from", text(&file), "--force", "--json"];
    assert!(place.refuse(&restore).contains("in use: stop the server first"));
    server.kill();
    fs::remove_file(place.ledger()).expect("the ledger is lost");
    let refused = place.refuse(&["restore", "--from", text(&file)]);
    assert!(
        refused.contains("holds data") && refused.contains("--force"),
        "{refused}"
    );
    let restored = place.tell_json(&restore);
    assert_eq!(restored["before"], "read");
    assert_eq!(restored["erasures_known"], true);
    assert_eq!(restored["applied"]["assessments_erased"], 2);
    let server = Server::start(&place);
    world.assert_restored(&place, &server);
    server.kill();
    // What was moved aside is whole, and can be put back in its turn.
    let aside = restored["moved_to"].as_str().expect("a path");
    let back = place.tell_json(&["restore", "--from", aside, "--force", "--json"]);
    assert_eq!(back["applied"]["assessments_erased"], 0);
    let server = Server::start(&place);
    let acme = server.caller(&world.credentials);
    assert_sealed(&view(&acme));
}

#[test]
fn an_erasure_is_in_the_ledger_before_anybody_is_told_and_none_is_made_while_it_cannot_be() {
    let folder = TempDir::new().expect("a folder");
    let place = Place::Folder(folder.path().join("data"));
    let server = Server::start(&place);
    let credentials = Credentials::of(&place.tell_json(&["organisation", "create", "Acme", "--json"]));
    let acme = server.caller(&credentials);
    let listed = || fs::read_to_string(place.ledger()).expect("a ledger");
    let id = |uri: &str| uri.rsplit('/').next().expect("an id").to_owned();
    let first = submitted(&acme, "team", "forming");
    done(&acme.act(&format!("{first}/erase")));
    assert!(listed().contains(&id(&first)), "{}", listed());
    assert_eq!(
        fs::metadata(place.ledger()).expect("a file").permissions().mode() & 0o777,
        0o600
    );

    // Its place is taken by something that cannot be written.
    fs::remove_file(place.ledger()).expect("a ledger");
    fs::create_dir(place.ledger()).expect("a folder");
    let (second, third) = (submitted(&acme, "team", "forming"), submitted(&acme, "team", "forming"));
    for uri in [&second, &second, &third] {
        let refused = acme.act(&format!("{uri}/erase"));
        assert_eq!(refused.status, 503, "{}", refused.text());
    }
    assert_eq!(
        acme.get(&third).status,
        200,
        "nothing more is erased while the ledger is behind"
    );
    fs::remove_dir(place.ledger()).expect("a folder");
    done(&acme.act(&format!("{third}/erase")));
    assert!(
        listed().contains(&id(&second)) && listed().contains(&id(&third)),
        "{}",
        listed()
    );

    // A process that died between the commit and the ledger: at the next start it is made whole, torn line and all.
    server.kill();
    let torn = listed()
        .lines()
        .next()
        .map(|line| format!("{line}\n{{\"at\":\"20"))
        .expect("a line");
    fs::write(place.ledger(), torn).expect("written");
    let server = Server::start(&place);
    for uri in [first, second, third] {
        assert!(listed().contains(&id(&uri)), "{}", listed());
    }
    drop(server);
    assert_eq!(
        listed()
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .count(),
        4
    );
}

#[test]
fn erasures_are_listed_since_a_moment_and_applied_as_often_as_one_likes() {
    let folder = TempDir::new().expect("a folder");
    let place = Place::Folder(folder.path().join("data"));
    let server = Server::start(&place);
    let credentials = Credentials::of(&place.tell_json(&["organisation", "create", "Acme", "--json"]));
    let acme = server.caller(&credentials);
    let (first, second) = (submitted(&acme, "team", "forming"), submitted(&acme, "team", "forming"));
    let file = folder.path().join("backup.sqlite");
    place.tell(&["backup", "--to", text(&file)]);
    done(&acme.act(&format!("{first}/erase")));
    let list = |since: &[&str]| -> Vec<Value> {
        let text = place.tell(&[&["erasures", "list"], since].concat());
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.filter(|line: &Value| line.get("what").is_some()).collect()
    };
    let at = list(&[])[0]["at"].as_str().expect("a moment").to_owned();
    thread::sleep(std::time::Duration::from_millis(5));
    done(&acme.act(&format!("{second}/erase")));
    assert_eq!(list(&[]).len(), 2);
    assert_eq!(list(&["--since", &at]).len(), 2);
    let later = list(&[])[1]["at"].as_str().expect("a moment").to_owned();
    let latest: Vec<Value> = list(&["--since", &later]);
    let keys: Vec<&String> = latest[0].as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["at", "organisation", "resource", "what"],
        "nothing but ids and a moment"
    );
    assert_eq!((latest.len(), &latest[0]["what"]), (1, &json!("assessment_erased")));
    assert!(second.ends_with(latest[0]["resource"].as_str().expect("an id")));
    assert!(!place.run(&["erasures", "list", "--since", "yesterday"]).succeeded);

    let ledger = folder.path().join("ledger");
    fs::write(&ledger, place.tell(&["erasures", "list"])).expect("written");
    server.kill();
    let elsewhere = Place::Folder(folder.path().join("elsewhere"));
    let restored = elsewhere.run(&["restore", "--from", text(&file)]);
    assert!(
        restored.succeeded && restored.stdout.contains("cannot be known"),
        "{}",
        restored.stdout
    );
    let server = Server::start(&elsewhere);
    let acme = server.caller(&credentials);
    assert_eq!(acme.get(&first).status, 200);
    let applied: BTreeMap<String, Value> =
        serde_json::from_str(&elsewhere.tell(&["erasures", "apply", text(&ledger), "--json"])).expect("JSON");
    assert_eq!(
        (&applied["assessments_erased"], &applied["known"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(acme.get(&first).status, 404);
    let again = elsewhere.tell_json(&["erasures", "apply", text(&ledger), "--json"]);
    assert_eq!((&again["assessments_erased"], &again["known"]), (&json!(0), &json!(2)));
    done(&acme.post("/v1/assessments", &assessment("team", "forming")));
}
