//! The disk is full, and later there is room again. Small file systems are mounted for this: root only.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    cluster::{Cluster, other_user},
    count,
    evidence::Evidence,
    http::{Connection, Request},
    load::Load,
    pause,
    server::{Server, sqlite_url},
};

/// A file system of its own, in memory.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// One of so many MiB, unless this user may not mount any.
    fn new(size: usize) -> Option<Self> {
        let folder = TempDir::new().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("no disk was filled: this user may not mount a file system");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(self.ballast())
            .expect("a file");
        for size in [64 * 1024, 1] {
            let some = vec![0; size];
            while file.write_all(&some).is_ok() {}
        }
    }

    /// Makes room again.
    fn empty(&self) {
        fs::remove_file(self.ballast()).expect("it can be deleted");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // At once for everybody, in the end when nobody uses it any more.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

#[test]
#[ignore = "a drill"]
fn on_a_full_disk_sqlite_writes_nothing_by_half_reads_on_and_recovers() {
    let Some(disk) = Disk::new(64) else { return };
    drill(&sqlite_url(disk.path()), &disk);
}

#[test]
#[ignore = "a drill"]
fn on_a_full_disk_postgresql_writes_nothing_by_half_reads_on_and_recovers() {
    let Some(disk) = Disk::new(96) else { return };
    let cluster = Cluster::new();
    let tables = disk.path().join("tables");
    fs::create_dir(&tables).expect("a folder");
    if let Some((user, group)) = other_user() {
        for path in [disk.path(), &tables] {
            chown(path, Some(user), Some(group)).expect("the folder can be given away");
        }
    }
    // Its log of writes stands elsewhere: without room for that, PostgreSQL itself ends.
    cluster.administer(&format!("CREATE TABLESPACE small LOCATION '{}'", tables.display()));
    cluster.administer("CREATE DATABASE drill TABLESPACE small");
    drill(&cluster.url("drill"), &disk);
}

fn drill(url: &str, disk: &Disk) {
    let times = count("DRILLS_FULL_DISKS", 2);
    let mut server = Server::new(url);
    server.start();
    let mut load = Load::new(&server);
    load.run(|| pause(500..600));
    for _ in 0..times {
        let before = load.sum(|tally| tally.unavailable);
        let kept = load.writers[0]
            .things
            .iter()
            .find(|thing| !thing.gone)
            .expect("a thing")
            .uri
            .clone();
        let caller = std::sync::Arc::clone(&load.caller);
        load.run(|| {
            pause(500..1000);
            disk.fill();
            let mut reader = Connection::new(server.address);
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(4) {
                let read = Request::get(kept.clone()).with("Authorization", format!("Bearer {}", caller.token()));
                let read = reader.ask(&read).expect("an answer");
                // It may be erased meanwhile.
                assert!([200, 404].contains(&read.status), "reads go on: {}", read.text());
                sleep(Duration::from_millis(50));
            }
            disk.empty();
            server.ready();
        });
        assert!(load.sum(|tally| tally.unavailable) > before, "the disk was full");
        load.compare(&mut Evidence::of(url));
    }
    load.look(None);
    assert_eq!(
        load.sum(|tally| tally.cut),
        0,
        "the server answers whatever happens to the disk"
    );
    load.conclude("disk full", Evidence::of(url).name(), times);
}
