//! A signing key that leaked.

use std::{thread, time::Duration};

use tempfile::TempDir;

use crate::server::{Caller, Credentials, Place, Server};

/// How a server answers the holder of a token, once it no longer says what it said before.
fn after(server: &Server, holder: &Caller, before: u16) -> u16 {
    for _ in 0..600 {
        let status = server.nobody().holding(holder).get("/v1/organisation").status;
        // 503: it has not read for too long, and lets nobody in.
        if status != before && status != 503 {
            return status;
        }
        thread::sleep(Duration::from_millis(100));
    }
    before
}

#[test]
fn a_key_that_leaked_is_gone_from_every_copy_and_a_new_one_signs() {
    let folder = TempDir::new().expect("a folder");
    let place = Place::Folder(folder.path().join("data"));
    let credentials = Credentials::of(&place.tell_json(&["organisation", "create", "Acme", "--json"]));
    let servers = [Server::start(&place), Server::start(&place)];
    let holder = servers[0].caller(&credentials);
    for server in &servers {
        assert_eq!(server.nobody().holding(&holder).get("/v1/organisation").status, 200);
    }
    assert!(place.tell(&["keys", "rotate", "--now"]).contains("signs now"));
    for server in &servers {
        assert_eq!(after(server, &holder, 200), 401);
        let keys = server.nobody().get("/.well-known/jwks.json").json();
        assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1));
    }
    for server in &servers {
        let anew = server.caller(&credentials);
        for other in &servers {
            assert_eq!(other.nobody().holding(&anew).get("/v1/organisation").status, 200);
        }
    }
}
