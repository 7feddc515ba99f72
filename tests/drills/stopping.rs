//! The server is told to end while clients with connections that they keep are at work.

use std::{thread::sleep, time::Duration};

use tempfile::TempDir;

use crate::{
    cluster::Cluster,
    count,
    evidence::Evidence,
    http::{Connection, Request},
    load::Load,
    pause,
    server::{Server, sqlite_url},
};

#[test]
#[ignore = "a drill"]
fn a_server_that_is_told_to_end_answers_all_that_it_accepted_on_sqlite() {
    let folder = TempDir::new().expect("a folder");
    drill(&sqlite_url(folder.path()));
}

#[test]
#[ignore = "a drill"]
fn a_server_that_is_told_to_end_answers_all_that_it_accepted_on_postgresql() {
    let cluster = Cluster::new();
    drill(&cluster.url("postgres"));
}

fn drill(url: &str) {
    let stops = count("DRILLS_STOPS", 3);
    let mut server = Server::new(url).with("--drain-seconds=2");
    server.start();
    let mut load = Load::new(&server);
    for _ in 0..stops {
        load.run(|| {
            pause(500..1500);
            server.signal("TERM");
            assert!(says_that_it_drains(&server), "/readyz says that it drains");
            let ended = server.wait();
            assert!(ended.success(), "it ends with {ended}");
            server.start();
        });
        load.compare(&mut Evidence::of(url));
    }
    load.look(None);
    assert_eq!(load.sum(|tally| tally.cut), 0, "what was accepted was answered");
    assert_eq!(load.sum(|tally| tally.unavailable), 0, "and not by a 503");
    load.conclude("SIGTERM under load", Evidence::of(url).name(), stops);
}

fn says_that_it_drains(server: &Server) -> bool {
    (0..100).any(|_| {
        let asked = Connection::new(server.address).ask(&Request::get("/readyz"));
        sleep(Duration::from_millis(10));
        asked.is_ok_and(|answer| {
            answer.status == 503 && answer.code() == "draining" && answer.header("connection") == "close"
        })
    })
}

#[test]
#[ignore = "a drill"]
fn a_server_that_is_told_twice_ends_at_once() {
    let folder = TempDir::new().expect("a folder");
    let mut server = Server::new(&sqlite_url(folder.path())).with("--drain-seconds=600");
    server.start();
    server.signal("TERM");
    assert!(says_that_it_drains(&server));
    server.signal("TERM");
    assert!(!server.wait().success(), "what had begun may have been cut off");
    // Told by Ctrl-C, nobody waits for a balancer.
    server.start();
    server.signal("INT");
    assert!(server.wait().success());
}
