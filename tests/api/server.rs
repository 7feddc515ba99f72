//! The program itself, as an operator runs it: a process with its ports, its log and its end.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::Value;
use ureq::{Agent, http::Response};

use crate::{app::Database, ports::free_port};

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_meaningful-connections");

/// A running server, which ends with its test.
pub struct Server {
    child: Child,
    listens: String,
    metrics: String,
    token: String,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    pub database: Database,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed by then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An agent for which a failure is an answer like any other.
fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into()
}

/// An answer, read to its end.
pub struct Answered {
    pub status: u16,
    pub body: String,
    pub location: String,
}

impl From<Response<ureq::Body>> for Answered {
    fn from(mut answer: Response<ureq::Body>) -> Self {
        let location = answer.headers().get("location");
        Self {
            status: answer.status().as_u16(),
            location: location
                .and_then(|uri| uri.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            body: answer.body_mut().read_to_string().expect("text"),
        }
    }
}

impl Server {
    /// Starts it with these variables, and waits until it is ready.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let database = Database::new();
        let [listens, metrics] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
        let mut child = Command::new(PROGRAM)
            .env("DATABASE_URL", database.url())
            .env("LISTEN", &listens)
            .env("METRICS_LISTEN", &metrics)
            .env("NO_BOOTSTRAP", "true")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (log, kept) = (child.stderr.take().expect("its log"), Arc::clone(&lines));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                kept.lock().expect("the lines").push(line);
            }
        });
        let mut server = Self {
            child,
            listens,
            metrics,
            token: String::new(),
            lines,
            reader: Some(reader),
            database,
        };
        server.wait_until("it is ready", |server| {
            let asked = agent().get(server.url("/readyz")).call();
            asked.is_ok_and(|answer| answer.status() == 200)
        });
        let credentials = server.organisation();
        server.token = server.token(&credentials);
        server
    }

    /// Waits until something is so; a test that waits for too long fails.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if is_so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("it never happened that {what}: {}", self.log());
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listens)
    }

    pub fn listens(&self) -> &str {
        &self.listens
    }

    /// A new organisation's first client: its id and secret.
    fn organisation(&self) -> (String, String) {
        let made = Command::new(PROGRAM)
            .args(["organisation", "create", "Acme", "--json"])
            .env("DATABASE_URL", self.database.url())
            .stderr(Stdio::null())
            .output()
            .expect("the program runs");
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        let text = |member: &str| made["client"][member].as_str().expect("text").to_owned();
        (text("client_id"), text("client_secret"))
    }

    fn token(&self, (id, secret): &(String, String)) -> String {
        let asked = agent().post(self.url("/v1/oauth/token")).send_form([
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
        ]);
        let answer = Answered::from(asked.expect("an answer"));
        let token: Value = serde_json::from_str(&answer.body).expect("JSON");
        token["access_token"].as_str().expect("a token").to_owned()
    }

    /// Sends a request, with the token unless it has an `Authorization` of its own.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        if !headers.iter().any(|(name, _)| *name == "Authorization") {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).expect("a request");
        let agent = agent();
        let request = agent
            .configure_request(request)
            .allow_non_standard_methods(true)
            .build();
        agent.run(request).expect("an answer").into()
    }

    pub fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answered {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        self.send("POST", path, &all, &body.to_string())
    }

    /// The metrics as they stand.
    pub fn metrics(&self) -> String {
        let asked = agent().get(format!("http://{}/metrics", self.metrics)).call();
        let answer = asked.expect("an answer");
        assert_eq!(
            answer.headers().get("content-type").expect("a type"),
            "text/plain; version=0.0.4; charset=utf-8"
        );
        Answered::from(answer).body
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.lines.lock().expect("the lines").join("\n")
    }

    /// Tells it to end, and waits until it has: what it logged until then.
    pub fn stop(&mut self) -> String {
        let told = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
        let ended = self.child.wait().expect("its end");
        assert!(ended.success(), "{ended}: {}", self.log());
        self.reader.take().expect("a reader").join().expect("all lines");
        self.log()
    }

    /// What it logged of requests, once there is a line of the request with this id.
    pub fn requests(&self, last: &str) -> Vec<Value> {
        let read = |server: &Self| -> Vec<Value> {
            let lines = server.lines.lock().expect("the lines").clone();
            let read = lines
                .iter()
                .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
            read.filter(|line: &Value| line["target"] == "meaningful_connections::request")
                .collect()
        };
        self.wait_until("the request is logged", |server| {
            read(server).iter().any(|line| line["request_id"] == last)
        });
        read(self)
    }
}
