//! The program as an operator runs it, and a caller of it.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::ports::free_port;

/// The same wherever the service is restored: it stands in what is answered.
const PUBLIC_URL: &str = "http://meaningful-connections.test";

/// Where a service keeps what it keeps.
#[derive(Debug, Clone)]
pub enum Place {
    /// A data directory.
    Folder(PathBuf),
    /// A database of PostgreSQL.
    Url(String),
}

/// How a command ended.
#[derive(Debug)]
pub struct Said {
    pub succeeded: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// Runs a command of the program.
    pub fn run(&self, arguments: &[&str]) -> Said {
        let Output { status, stdout, stderr } = self.program().args(arguments).output().expect("the binary runs");
        Said {
            succeeded: status.success(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Runs a command that succeeds; what it prints.
    pub fn tell(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert!(said.succeeded, "{arguments:?}: {}\n{}", said.stdout, said.stderr);
        said.stdout
    }

    /// The same, read as JSON.
    pub fn tell_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.tell(arguments)).expect("JSON")
    }

    /// Runs a command that fails; what it complains of.
    pub fn refuse(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert!(!said.succeeded, "{arguments:?}: {}", said.stdout);
        assert_eq!(said.stdout, "", "{arguments:?}");
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        said.stderr
    }

    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_meaningful-connections"));
        for variable in [
            "DATABASE_URL",
            "DATA_DIR",
            "ERASURE_LEDGER",
            "LISTEN",
            "METRICS_LISTEN",
            "PUBLIC_URL",
        ] {
            program.env_remove(variable);
        }
        program.args(["--public-url", PUBLIC_URL, "--log", "warn"]);
        match self {
            Self::Folder(folder) => program.arg("--data-dir").arg(folder),
            Self::Url(url) => program.args(["--database-url", url]),
        };
        program
    }

    /// The database's file.
    pub fn file(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join("meaningful-connections.sqlite"),
            Self::Url(_) => panic!("not a file"),
        }
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        PathBuf::from(format!("{}.erasures.jsonl", self.file().display()))
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A server, which ends with its test.
pub struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// Starts it, and waits until it is ready.
    pub fn start(place: &Place) -> Self {
        let (port, metrics) = (free_port(), free_port());
        let child = place
            .program()
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--metrics-listen", &format!("127.0.0.1:{metrics}")])
            .args(["--no-bootstrap", "serve"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut server = Self { child, port };
        for _ in 0..600 {
            if let Some(status) = server.child.try_wait().expect("a child") {
                panic!("the server ended: {status}");
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() && server.nobody().get("/readyz").status == 200 {
                return server;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server is not ready");
    }

    /// Ends it at once, without a word.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    /// Somebody without a token.
    pub fn nobody(&self) -> Caller {
        Caller {
            port: self.port,
            token: None,
        }
    }

    /// Asks for a token.
    pub fn ask(&self, credentials: &Credentials) -> Answer {
        let Credentials { id, secret } = credentials;
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let form_type = ("Content-Type", "application/x-www-form-urlencoded");
        self.nobody().send("POST", "/v1/oauth/token", &[form_type], &form)
    }

    /// A client with a token.
    pub fn caller(&self, credentials: &Credentials) -> Caller {
        let answer = self.ask(credentials);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        Caller {
            port: self.port,
            token: Some(token),
        }
    }
}

/// What a client proves itself with.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub id: String,
    pub secret: String,
}

impl Credentials {
    /// Those that a command printed.
    pub fn of(printed: &Value) -> Self {
        let word = |name: &str| printed["client"][name].as_str().expect("credentials").to_owned();
        Self {
            id: word("client_id"),
            secret: word("client_secret"),
        }
    }
}

/// Somebody who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    port: u16,
    token: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Caller {
    /// The same with another token.
    pub fn holding(&self, other: &Self) -> Self {
        Self {
            port: self.port,
            token: other.token.clone(),
        }
    }

    /// A request, and the answer to it. A server that is not there, or goes away meanwhile, fails the test.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a timeout");
        let length = body.len().to_string();
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let own = [("Host", "test"), ("Connection", "close"), ("Content-Length", &*length)];
        let own = own
            .into_iter()
            .chain(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let head = own
            .chain(headers.iter().copied())
            .fold(format!("{method} {path} HTTP/1.1\r\n"), |head, (name, value)| {
                format!("{head}{name}: {value}\r\n")
            });
        stream.write_all((head + "\r\n" + body).as_bytes()).expect("it reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("it answers");
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status: status.parse().expect("a status"),
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], &body.to_string())
    }

    /// A POST that is done once, however often it is sent.
    pub fn post_once(&self, key: &str, path: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        self.send("POST", path, &headers, &body.to_string())
    }

    /// An action: a POST without a body.
    pub fn act(&self, path: &str) -> Answer {
        self.send("POST", path, &[], "")
    }

    /// A merge patch of what stands.
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        let etag = self.get(path).header("etag").to_owned();
        let headers = [("Content-Type", "application/merge-patch+json"), ("If-Match", &*etag)];
        self.send("PATCH", path, &headers, &body.to_string())
    }

    /// Deletes what stands.
    pub fn delete(&self, path: &str) -> Answer {
        let etag = self.get(path).header("etag").to_owned();
        self.send("DELETE", path, &[("If-Match", &*etag)], "")
    }
}
