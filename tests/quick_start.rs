//! The quick start as a stranger runs it: the binary, its first words, and `curl`.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod ports;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use self::ports::free_port;

/// The server, which ends with the test.
struct Server {
    child: Child,
    printed: String,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed by then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// Starts it with nothing configured but where it listens and keeps its data; reads what it prints on the first start.
    fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_meaningful-connections"))
            .args(["--listen", &format!("127.0.0.1:{}", free_port())])
            .args(["--metrics-listen", &format!("127.0.0.1:{}", free_port())])
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let stdout = child.stdout.take().expect("its words");
        let mut printed = String::new();
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let last = line.starts_with("The whole API is at");
            printed += &line;
            printed += "\n";
            if last {
                break;
            }
        }
        Self {
            child,
            printed,
            _folder: folder,
        }
    }

    /// The lines of the quick start, with the credentials filled in.
    fn script(&self) -> &str {
        let begin = self.printed.find("API='").expect("the address");
        let end = self.printed.find("The whole API is at").expect("the end");
        self.printed.get(begin..end).expect("a script")
    }
}

#[test]
fn a_stranger_who_pastes_what_the_first_start_prints_reads_a_gap_analysis_with_a_blind_spot() {
    let server = Server::start();
    let wait = "for _ in $(seq 100); do curl -sf \"$API/readyz\" >/dev/null && break; sleep 0.1; done\n";
    let (variables, rest) = server.script().split_once("\n\n").expect("two parts");
    let ran = Command::new("bash")
        .args(["-euc", &format!("{variables}\n{wait}{rest}")])
        .output()
        .expect("bash runs");
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    for expected in [
        "\"element\":\"feelings.heard\",\"higher\":\"team\",\"lower\":\"service_user\"",
        "\"blind_spot\":true",
        "# Our first look",
        "### Blind spots",
    ] {
        assert!(printed.contains(expected), "no {expected} in:\n{printed}");
    }
}

#[test]
fn the_readme_has_the_quick_start_that_the_first_start_prints() {
    let readme = include_str!("../README.md");
    assert!(readme.contains(include_str!("../src/quick_start.sh")));
}
