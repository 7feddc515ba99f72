//! PostgreSQL: the two drills of README.md, as they stand there.

use std::{fs, thread, time::Duration};

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use crate::{
    cluster::{Cluster, Ground},
    server::{Place, Server, text},
    world::World,
};

#[test]
fn a_dump_is_restored_byte_for_byte_but_for_what_was_erased_since() {
    let ground = Ground::new();
    let cluster = ground.cluster("dumped", &[]);
    cluster.execute("postgres", "CREATE DATABASE live");
    let live = Place::Url(cluster.url("live"));
    let server = Server::start(&live);
    let mut world = World::fill(&live, &server);
    let dump = ground.path("live.dump");
    ground.run("pg_dump", &["-Fc", "-f", text(&dump), &cluster.url("live")]);
    world.go_on(&server);
    server.kill();
    let ledger = ground.path("erasures.jsonl");
    fs::write(&ledger, live.tell(&["erasures", "list"])).expect("written");

    cluster.execute("postgres", "CREATE DATABASE restored");
    ground.run(
        "pg_restore",
        &["--exit-on-error", "-d", &cluster.url("restored"), text(&dump)],
    );
    let restored = Place::Url(cluster.url("restored"));
    take_back(&restored, &ledger);
    let server = Server::start(&restored);
    world.assert_restored(&restored, &server);
    drop(server);
    drop(cluster);
}

/// What is done to every restored database before a server is started on it.
fn take_back(restored: &Place, ledger: &std::path::Path) {
    restored.tell(&["migrate"]);
    let applied = restored.tell_json(&["erasures", "apply", text(ledger), "--json"]);
    assert_eq!(applied["assessments_erased"], 2);
    assert_eq!(applied["clients_revoked"], 1);
    assert_eq!(applied["clients_without_secret"].as_array().map(Vec::len), Some(1));
    restored.tell(&["keys", "rotate", "--now"]);
    let again = restored.tell_json(&["erasures", "apply", text(ledger), "--json"]);
    assert_eq!((&again["assessments_erased"], &again["known"]), (&0.into(), &7.into()));
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

/// What PostgreSQL says.
fn ask(cluster: &Cluster<'_>, what: &str) -> String {
    let mut conn = PgConnection::establish(&cluster.url("postgres")).expect("PostgreSQL answers");
    let sql = format!("SELECT ({what})::text AS word");
    let Word { word } = sql_query(sql).get_result(&mut conn).expect(what);
    word
}

fn wait_until(cluster: &Cluster<'_>, what: &str) {
    for _ in 0..600 {
        if ask(cluster, what) == "true" {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("never: {what}");
}

/// Begins the next file of the log, and waits until all before it are in the archive.
fn archive_all(cluster: &Cluster<'_>) {
    let last = ask(cluster, "pg_walfile_name(pg_switch_wal())");
    wait_until(
        cluster,
        &format!("SELECT coalesce(last_archived_wal, '') >= '{last}' FROM pg_stat_archiver"),
    );
}

#[test]
fn the_database_is_brought_back_to_a_moment_without_what_was_erased_after_it() {
    let ground = Ground::new();
    let archive = ground.create_folder("archive");
    let keep = format!("test ! -f {0}/%f && cp %p {0}/%f", archive.display());
    let primary = ground.cluster("primary", &[("archive_mode", "on"), ("archive_command", &keep)]);
    primary.execute("postgres", "CREATE DATABASE live");
    let live = Place::Url(primary.url("live"));
    let server = Server::start(&live);
    for copy in ["base", "scratch"] {
        let to = ground.path(copy);
        ground.run(
            "pg_basebackup",
            &[
                "-D",
                text(&to),
                "-X",
                "none",
                "-c",
                "fast",
                "-d",
                &primary.url("postgres"),
            ],
        );
    }
    let mut world = World::fill(&live, &server);
    thread::sleep(Duration::from_millis(50));
    let moment = ask(&primary, "clock_timestamp()");
    thread::sleep(Duration::from_millis(50));
    world.go_on(&server);
    server.kill();
    // Something went wrong, and the database is lost. Its log is in the archive.
    primary.execute("live", "TRUNCATE sealed_versions");
    archive_all(&primary);
    drop(primary);
    let fetch = format!("cp {}/%f %p", archive.display());
    for copy in ["base", "scratch"] {
        ground.create_file(&format!("{copy}/recovery.signal"));
    }
    // All the way, only to read what was erased.
    let settings = [
        ("restore_command", fetch.as_str()),
        ("recovery_target_action", "promote"),
    ];
    let scratch = ground.start("scratch", &settings);
    let ledger = ground.path("erasures.jsonl");
    wait_until(&scratch, "NOT pg_is_in_recovery()");
    fs::write(&ledger, Place::Url(scratch.url("live")).tell(&["erasures", "list"])).expect("written");
    drop(scratch);
    // To the moment.
    let target = [settings[0], settings[1], ("recovery_target_time", &moment)];
    let restored = ground.start("base", &target);
    wait_until(&restored, "NOT pg_is_in_recovery()");
    let place = Place::Url(restored.url("live"));
    take_back(&place, &ledger);
    let server = Server::start(&place);
    world.assert_restored(&place, &server);
    drop(server);
    drop(restored);
}
