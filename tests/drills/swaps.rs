//! Two copies behind haproxy, each in its turn told to end and started again.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    cluster::Cluster,
    count,
    evidence::Evidence,
    load::Load,
    pause,
    server::{Server, free_address, signal},
    writer::Caller,
};

/// A haproxy that ends with the drill.
struct Proxy {
    child: Child,
    _folder: TempDir,
}

impl Proxy {
    fn start(front: &str, copies: [&Server; 2]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("haproxy.cfg");
        let config = include_str!("haproxy.cfg").replace("bind FRONT", &format!("bind {front}"));
        let config = config.replace("one ONE", &format!("one {}", copies[0].address));
        let config = config.replace("two TWO", &format!("two {}", copies[1].address));
        fs::write(&file, config).expect("a file");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let program = ["/usr/sbin/haproxy", "haproxy"]
            .into_iter()
            .find(|path| fs::exists(path).unwrap_or(false));
        let child = Command::new(program.unwrap_or("haproxy"))
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("haproxy runs (Debian: apt-get install haproxy)");
        Self { child, _folder: folder }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        signal("TERM", &[self.child.id()]);
        drop(self.child.wait());
    }
}

#[test]
#[ignore = "a drill"]
fn copies_behind_a_proxy_are_swapped_without_a_failed_request() {
    let swaps = count("DRILLS_SWAPS", 4);
    let cluster = Cluster::new();
    let url = cluster.url("postgres");
    let front = free_address();
    let copy = || {
        Server::new(&url)
            .behind(&format!("http://{front}"))
            .with("--drain-seconds=2")
    };
    let mut copies = [copy(), copy()];
    for copy in &mut copies {
        copy.start();
    }
    let _proxy = Proxy::start(&front.to_string(), [&copies[0], &copies[1]]);
    sleep(Duration::from_secs(1));
    let mut load = Load::through(Caller::new(front, copies[0].organisation()));
    for number in 0..swaps {
        let copy = &mut copies[number % 2];
        load.run(|| {
            pause(300..1000);
            copy.signal("TERM");
            assert!(copy.wait().success());
            copy.start();
            // Until the proxy has noticed, and sends it requests.
            pause(600..1000);
        });
        load.compare(&mut Evidence::of(&url));
    }
    load.look(None);
    assert_eq!(load.sum(|tally| tally.cut), 0, "every request is answered");
    assert_eq!(load.sum(|tally| tally.unavailable), 0, "and not by a 503");
    assert_eq!(load.sum(|tally| tally.refused), 0, "and every connection accepted");
    load.conclude("swaps behind haproxy", "PostgreSQL", swaps);
}
