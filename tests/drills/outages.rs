//! The database goes away and comes back, and connections to it are cut, while the server stays up.

use std::{
    fs::rename,
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    cluster::Cluster,
    count,
    evidence::Evidence,
    http::{Connection, Request},
    load::Load,
    pause,
    relay::Relay,
    server::{Server, sqlite_url},
};

/// Checks everything, and that the server has answered everything, and tells.
fn conclude(mut load: Load, url: &str, drill: &'static str, count: usize) {
    load.compare(&mut Evidence::of(url));
    load.look(None);
    assert_eq!(
        load.sum(|tally| tally.cut),
        0,
        "the server answers whatever happens to the database"
    );
    load.conclude(drill, Evidence::of(url).name(), count);
}

#[test]
#[ignore = "a drill"]
fn while_postgresql_is_stopped_callers_are_told_to_come_back() {
    let times = count("DRILLS_OUTAGES", 2);
    let mut cluster = Cluster::new();
    let url = cluster.url("postgres");
    let mut server = Server::new(&url);
    server.start();
    let mut load = Load::new(&server);
    for _ in 0..times {
        load.run(|| {
            pause(500..1000);
            cluster.stop();
            // Longer than tokens are believed without the database.
            sleep(Duration::from_secs(6));
            let ready = Connection::new(server.address).ask(&Request::get("/readyz"));
            let ready = ready.expect("an answer");
            assert_eq!(
                (ready.status, ready.header("retry-after")),
                (503, "2"),
                "{}",
                ready.text()
            );
            cluster.start();
            server.ready();
        });
    }
    assert!(load.sum(|tally| tally.unavailable) > 0);
    conclude(load, &url, "PostgreSQL gone and back", times);
}

#[test]
#[ignore = "a drill"]
fn while_the_folder_of_sqlite_is_gone_nothing_is_lost() {
    let times = count("DRILLS_OUTAGES", 2);
    let parent = TempDir::new().expect("a folder");
    let (folder, away) = (parent.path().join("data"), parent.path().join("away"));
    std::fs::create_dir(&folder).expect("a folder");
    let url = sqlite_url(&folder);
    let mut server = Server::new(&url);
    server.start();
    let mut load = Load::new(&server);
    for _ in 0..times {
        load.run(|| {
            pause(500..1000);
            rename(&folder, &away).expect("it moves");
            sleep(Duration::from_secs(3));
            rename(&away, &folder).expect("it moves back");
            server.ready();
        });
    }
    conclude(load, &url, "folder gone and back", times);
}

#[test]
#[ignore = "a drill"]
fn cut_connections_lose_nothing() {
    let times = count("DRILLS_CUTS", 30);
    let cluster = Cluster::new();
    let relay = Relay::new(&cluster.socket());
    let mut server = Server::new(&relay.url("postgres"));
    server.start();
    let mut load = Load::new(&server);
    load.run(|| {
        for number in 0..times {
            pause(20..200);
            if number % 2 == 0 {
                relay.cut();
            } else {
                cluster.administer(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.5",
                );
            }
        }
    });
    conclude(load, &cluster.url("postgres"), "connections cut", times);
}

#[test]
#[ignore = "a drill"]
fn a_commit_whose_fate_nobody_knows_is_done_once() {
    let times = count("DRILLS_COMMITS", 50);
    let cluster = Cluster::new();
    let relay = Relay::new(&cluster.socket());
    let mut server = Server::new(&relay.url("postgres"));
    server.start();
    let mut load = Load::new(&server);
    relay.cut_commits(5);
    load.run(|| {
        let began = Instant::now();
        while relay.commits_cut() < times && began.elapsed() < Duration::from_secs(120) {
            sleep(Duration::from_millis(20));
        }
        relay.cut_commits(0);
    });
    let cut = relay.commits_cut();
    assert!(cut >= times, "COMMIT was seen {cut} times");
    // Half of them were done: their answers come again from memory.
    assert!(load.sum(|tally| tally.replayed) > 0);
    assert!(load.sum(|tally| tally.unavailable) > 0);
    conclude(load, &cluster.url("postgres"), "cut at COMMIT", cut);
}

#[test]
#[ignore = "a drill"]
fn a_database_that_falls_silent_keeps_nobody_waiting_for_ever() {
    let times = count("DRILLS_SILENCES", 1);
    let cluster = Cluster::new();
    let relay = Relay::new(&cluster.socket());
    let mut server = Server::new(&relay.url("postgres"));
    server.start();
    let mut load = Load::new(&server);
    for _ in 0..times {
        load.run(|| {
            pause(500..1000);
            relay.silent(true);
            // Longer than the clients wait: they must have been told.
            sleep(Duration::from_secs(25));
            // As a network does that has lost its memory of these connections.
            relay.cut();
            relay.silent(false);
            server.ready();
        });
    }
    assert!(load.sum(|tally| tally.unavailable) > 0);
    conclude(load, &cluster.url("postgres"), "PostgreSQL silent", times);
}
