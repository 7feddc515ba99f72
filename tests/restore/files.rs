//! What is no backup is refused, with a reason, and nothing is harmed.

use std::{fs, path::Path};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use tempfile::TempDir;

use crate::server::{Place, text};

/// A service that holds an organisation, and a backup of it.
fn backed_up(folder: &Path) -> (Place, std::path::PathBuf) {
    let place = Place::Folder(folder.join("data"));
    place.tell(&["organisation", "create", "Acme"]);
    let file = folder.join("backup.sqlite");
    place.tell(&["backup", "--to", text(&file)]);
    (place, file)
}

fn execute(file: &Path, sql: &str) {
    let mut conn = SqliteConnection::establish(text(file)).expect("a database");
    conn.batch_execute(sql).expect("executed");
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_backup_never_overwrites_and_leaves_nothing_behind_where_it_fails() {
    let folder = TempDir::new().expect("a folder");
    let (place, file) = backed_up(folder.path());
    let before = fs::read(&file).expect("a backup");
    assert!(place.refuse(&["backup", "--to", text(&file)]).contains("File exists"));
    assert_eq!(fs::read(&file).expect("a backup"), before);
    let nowhere = folder.path().join("nowhere/backup.sqlite");
    assert!(
        place
            .refuse(&["backup", "--to", text(&nowhere)])
            .contains("No such file")
    );
    let empty = Place::Folder(folder.path().join("empty"));
    let to = folder.path().join("second.sqlite");
    assert!(
        empty
            .refuse(&["backup", "--to", text(&to)])
            .contains("there is no database here")
    );
    assert_eq!(names(folder.path()), ["backup.sqlite", "data"]);
}

#[test]
fn a_backup_without_space_says_so() {
    let folder = TempDir::new().expect("a folder");
    let (place, _) = backed_up(folder.path());
    // Files may not grow beyond 100 KiB here; the database is larger.
    let to = folder.path().join("second.sqlite");
    let limited = std::process::Command::new("bash")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 100; exec \"$0\" --data-dir \"$1\" backup --to \"$2\"",
        ])
        .arg(env!("CARGO_BIN_EXE_meaningful-connections"))
        .args([&folder.path().join("data"), &to])
        .output()
        .expect("bash runs");
    let complaint = String::from_utf8_lossy(&limited.stderr).into_owned();
    assert!(!limited.status.success());
    assert!(complaint.contains("second.sqlite"), "{complaint}");
    assert_eq!(names(folder.path()), ["backup.sqlite", "data"]);
    place.tell(&["backup", "--to", text(&to)]);
}

#[test]
fn what_is_no_backup_of_ours_is_refused_and_the_database_stays() {
    let folder = TempDir::new().expect("a folder");
    let (place, file) = backed_up(folder.path());
    let damaged = folder.path().join("damaged.sqlite");
    let mut bytes = fs::read(&file).expect("a backup");
    for byte in bytes.iter_mut().skip(8192).take(20_000) {
        *byte = 0x5a;
    }
    fs::write(&damaged, bytes).expect("written");
    let (words, foreign) = (folder.path().join("words.txt"), folder.path().join("foreign.sqlite"));
    fs::write(&words, "This is no database, however long it may be.").expect("written");
    execute(&foreign, "CREATE TABLE recipes (name TEXT)");
    let (newer, orphaned) = (
        folder.path().join("newer.sqlite"),
        folder.path().join("orphaned.sqlite"),
    );
    fs::copy(&file, &newer).expect("a copy");
    execute(
        &newer,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')",
    );
    fs::copy(&file, &orphaned).expect("a copy");
    execute(
        &orphaned,
        "PRAGMA foreign_keys = OFF; DELETE FROM organisations WHERE name = 'Acme'",
    );
    let logged = folder.path().join("logged.sqlite");
    fs::copy(&file, &logged).expect("a copy");
    fs::write(folder.path().join("logged.sqlite-wal"), "log").expect("written");
    let missing = folder.path().join("missing.sqlite");
    let organisations = place.tell(&["organisation", "list"]);
    // SQLite's log aside: it stays now and then where a command ends before its last connection, until the next one.
    let names_but_log = || {
        let mut names = names(&folder.path().join("data"));
        names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        names
    };
    let left = names_but_log();
    for (file, complaint) in [
        (&damaged, "is damaged"),
        (&words, "is not a SQLite database"),
        (&foreign, "not one of this service"),
        (&newer, "newer schema"),
        (&orphaned, "is damaged"),
        (&logged, "not a backup"),
        (&missing, "No such file"),
    ] {
        let refused = place.refuse(&["restore", "--from", text(file), "--force"]);
        assert!(refused.contains(complaint), "{}: {refused}", file.display());
        assert_eq!(place.tell(&["organisation", "list"]), organisations);
        assert_eq!(names_but_log(), left);
    }
    let bad = folder.path().join("bad-ledger");
    fs::write(&bad, "{\"at\":\"now\"}\n").expect("written");
    let refused = place.refuse(&["restore", "--from", text(&file), "--force", "--erasures", text(&bad)]);
    assert!(refused.contains("line 1 cannot be read"), "{refused}");
    assert_eq!(place.tell(&["organisation", "list"]), organisations);
}

#[test]
fn a_backup_of_an_older_version_is_brought_up_to_date() {
    let folder = TempDir::new().expect("a folder");
    let (place, file) = backed_up(folder.path());
    // As it was before there were tombstones.
    let version = "SELECT max(version) FROM __diesel_schema_migrations WHERE version LIKE '%200000'";
    execute(
        &file,
        &format!("DROP TABLE tombstones; DELETE FROM __diesel_schema_migrations WHERE version = ({version})"),
    );
    let restored = place.tell_json(&["restore", "--from", text(&file), "--force", "--json"]);
    assert_eq!(
        (restored["migrated"].as_u64(), restored["migrations_pending"].as_u64()),
        (Some(1), Some(0))
    );
    place.tell(&["check"]);
}

#[test]
fn a_restored_backup_that_nothing_is_known_of_warns() {
    let folder = TempDir::new().expect("a folder");
    let (_, file) = backed_up(folder.path());
    let elsewhere = Place::Folder(folder.path().join("elsewhere"));
    // A database of its own, and with it a ledger of its own, tell nothing of the one that was backed up.
    elsewhere.tell(&["organisation", "create", "Another"]);
    let restored = elsewhere.tell_json(&["restore", "--from", text(&file), "--force", "--json"]);
    assert_eq!(restored["before"], "unrelated");
    assert_eq!(restored["erasures_known"], false);
}

#[test]
fn postgresql_has_tools_of_its_own_and_the_program_says_which() {
    let place = Place::Url("postgres://nobody@127.0.0.1:1/nothing".into());
    let refused = place.refuse(&["backup", "--to", "/tmp/never"]);
    assert!(refused.contains("pg_dump"), "{refused}");
    let refused = place.refuse(&["restore", "--from", "/tmp/never"]);
    assert!(refused.contains("erasures apply"), "{refused}");
}
