//! The README's walk-throughs as a stranger runs them: the binary, its first words, and `curl`.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod ports;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use tempfile::TempDir;

use self::ports::free_port;

const README: &str = include_str!("../README.md");

/// An empty database, on the one that `tests/run` says.
enum Database {
    /// The one that the service keeps where nothing is configured.
    Sqlite,
    Postgres {
        server: String,
        name: String,
    },
}

impl Database {
    fn new() -> Self {
        if std::env::var("TEST_DATABASE").is_ok_and(|chosen| chosen == "postgres") {
            let server = std::env::var("TEST_POSTGRES_URL").expect("tests/run starts a PostgreSQL");
            let name = format!("quick_start_{}", std::process::id());
            admin(&server, &format!("CREATE DATABASE {name}"));
            Self::Postgres { server, name }
        } else {
            Self::Sqlite
        }
    }

    /// What the service is told of it.
    fn arguments(&self) -> Vec<String> {
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres { server, name } => {
                let url = server.replace("/postgres?", &format!("/{name}?"));
                vec!["--database-url".to_owned(), url]
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { server, name } = self {
            admin(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn admin(server: &str, sql: &str) {
    let mut conn = PgConnection::establish(server).expect("PostgreSQL answers");
    sql_query(sql).execute(&mut conn).expect("a database comes or goes");
}

/// The server, which ends with the test.
struct Server {
    child: Child,
    printed: String,
    _folder: TempDir,
    _database: Database,
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
        let (folder, database) = (TempDir::new().expect("a folder"), Database::new());
        let mut child = Command::new(env!("CARGO_BIN_EXE_meaningful-connections"))
            .args(["--listen", &format!("127.0.0.1:{}", free_port())])
            .args(["--metrics-listen", &format!("127.0.0.1:{}", free_port())])
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .args(database.arguments())
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
            _database: database,
        }
    }

    /// The lines of the quick start, with the credentials filled in.
    fn script(&self) -> &str {
        let begin = self.printed.find("API='").expect("the address");
        let end = self.printed.find("The whole API is at").expect("the end");
        self.printed.get(begin..end).expect("a script")
    }
}

/// What is to be pasted under a heading of the README.
fn block(heading: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).expect("the section");
    let (_, block) = section.split_once("```sh\n").expect("a block");
    block.split_once("```").expect("its end").0
}

#[test]
fn a_stranger_who_pastes_the_readme_finds_a_blind_spot_and_sees_a_team_come_further() {
    let server = Server::start();
    let wait = "for _ in $(seq 100); do curl -sf \"$API/readyz\" >/dev/null && break; sleep 0.1; done\n";
    let (variables, first) = server.script().split_once("\n\n").expect("two parts");
    let second = block("A team reflects");
    let ran = Command::new("bash")
        .args(["-euc", &format!("{variables}\n{wait}{first}\n{second}")])
        .output()
        .expect("bash runs");
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    // What people read, in this order.
    let expected = [
        "\"element\":\"feelings.heard\",\"higher\":\"team\",\"lower\":\"service_user\"",
        "\"blind_spot\":true",
        "# Our first look",
        "### Blind spots",
        "\"receipt\":\"",
        "## What you see differently",
        "### Blind spots",
        "- On “Feelings: feel heard”, team sees Maturing (median 3) where service user sees Forming (median 2): 1 level apart.",
        "## What the team agreed on",
        "| Feelings: feel heard | Forming | Maturing | 1 · 2 · 2 · 0 |",
        "## Distance travelled",
        "| Feelings: feel heard | 1 | 1 | to where people wanted it |",
        "Of the next steps that were done since:",
        "- **Feelings: feel heard**, from Forming: it moved 1 level to where people wanted it.",
    ];
    expected.iter().fold(&*printed, |rest, expected| {
        let (_, rest) = rest
            .split_once(expected)
            .unwrap_or_else(|| panic!("no {expected} where it should be in:\n{printed}"));
        rest
    });
    // Five answered, twice; each has a receipt of their own.
    let mut receipts: Vec<&str> = printed.lines().filter(|line| line.starts_with("\"receipt\"")).collect();
    receipts.sort_unstable();
    receipts.dedup();
    assert_eq!(receipts.len(), 10, "{printed}");
}

#[test]
fn the_readme_has_the_quick_start_that_the_first_start_prints() {
    let (_, commands) = block("Quick start")
        .split_once("\n\n")
        .expect("the variables before it");
    assert_eq!(commands, include_str!("../src/quick_start.sh"));
}
