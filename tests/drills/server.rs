//! The real binary as a child process.

use std::{
    env,
    fs::File,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    http::{Connection, Request},
    ports::free_port,
};

/// The binary that is tried: the one that was built with the drills, or what `SERVICE` names.
fn binary() -> String {
    env::var("SERVICE").unwrap_or_else(|_| env!("CARGO_BIN_EXE_meaningful-connections").to_owned())
}

/// An address on the loopback that is free.
pub fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], free_port()).into()
}

/// Sends a signal to processes.
pub fn signal(name: &str, pids: &[u32]) {
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    // One that has ended already needs no signal.
    Command::new("sh")
        .args(["-c", &format!("kill -{name} {} 2>/dev/null || true", pids.join(" "))])
        .status()
        .expect("a shell");
}

/// A server, which may run or not, and always comes back at the same address.
pub struct Server {
    pub address: SocketAddr,
    pub database_url: String,
    child: Option<Child>,
    metrics: SocketAddr,
    public_url: String,
    arguments: Vec<String>,
    folder: TempDir,
}

impl Server {
    /// A server on this database, which does not run yet.
    pub fn new(database_url: &str) -> Self {
        let address = free_address();
        Self {
            address,
            database_url: database_url.to_owned(),
            child: None,
            metrics: free_address(),
            public_url: format!("http://{address}"),
            arguments: Vec::new(),
            folder: TempDir::new().expect("a folder"),
        }
    }

    /// The same, reached by another URL.
    #[must_use]
    pub fn behind(mut self, public_url: &str) -> Self {
        public_url.clone_into(&mut self.public_url);
        self
    }

    /// The same with another argument.
    #[must_use]
    pub fn with(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    fn command(&self) -> Command {
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.log())
            .expect("a log");
        let mut command = Command::new(binary());
        command
            .env("DATABASE_URL", &self.database_url)
            .env("DATA_DIR", self.folder.path())
            .stdout(Stdio::null())
            .stderr(log);
        command
    }

    /// Where it logs.
    pub fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }

    /// Starts it, and does not wait.
    pub fn launch(&mut self) {
        let mut command = self.command();
        command
            .args(["--listen", &self.address.to_string()])
            .args(["--metrics-listen", &self.metrics.to_string()])
            .args(["--public-url", &self.public_url, "--no-bootstrap"])
            .args(&self.arguments);
        self.child = Some(command.spawn().expect("the binary runs"));
    }

    /// Starts it, and waits until it is ready.
    pub fn start(&mut self) {
        self.launch();
        self.ready();
    }

    /// Waits until it is ready.
    pub fn ready(&mut self) {
        let began = Instant::now();
        let mut conn = Connection::new(self.address);
        while conn.ask(&Request::get("/readyz")).map(|answer| answer.status) != Ok(200) {
            let running = matches!(self.running().try_wait(), Ok(None));
            assert!(
                running && began.elapsed() < Duration::from_secs(60),
                "it is not ready: {}",
                std::fs::read_to_string(self.log()).unwrap_or_default()
            );
            sleep(Duration::from_millis(10));
        }
    }

    fn running(&mut self) -> &mut Child {
        self.child.as_mut().expect("a server that was started")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.running().try_wait(), Ok(None))
    }

    /// Its process id.
    pub fn pid(&mut self) -> u32 {
        self.running().id()
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.running().kill().expect("it can be killed");
        self.wait();
    }

    /// Sends it a signal.
    pub fn signal(&mut self, name: &str) {
        signal(name, &[self.pid()]);
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.running().wait().expect("it ends")
    }

    /// Makes an organisation: the id and the secret of its client.
    pub fn organisation(&self) -> Credentials {
        let made = self
            .command()
            .stdout(Stdio::piped())
            .args(["organisation", "create", "Drill", "--json"])
            .output()
            .expect("the binary runs");
        let made: Value = serde_json::from_slice(&made.stdout).expect("credentials");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Credentials {
            organisation: text(&made["organisation"]["id"]),
            client: text(&made["client"]["client_id"]),
            secret: text(&made["client"]["client_secret"]),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking()
            && let Ok(log) = std::fs::read_to_string(self.log())
        {
            let last: Vec<&str> = log
                .lines()
                .rev()
                .filter(|line| !line.contains("\"INFO\""))
                .take(20)
                .collect();
            eprintln!("the end of its log, last first:\n{}", last.join("\n"));
        }
    }
}

/// An organisation and its client.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub organisation: String,
    pub client: String,
    pub secret: String,
}

/// The URL of a new SQLite file in a folder.
pub fn sqlite_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("drill.sqlite").display())
}
