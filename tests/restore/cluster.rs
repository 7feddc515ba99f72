//! A PostgreSQL of the test's own, on a socket in a temporary folder.

use std::{fs, os::unix::fs::chown, path::PathBuf, process::Command};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use tempfile::TempDir;

/// Where PostgreSQL's programs are: on the path, or where Debian puts them.
fn programs() -> PathBuf {
    let found = Command::new("sh")
        .args([
            "-c",
            "command -v initdb || ls -1 /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1",
        ])
        .output()
        .expect("sh runs");
    let initdb = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    assert!(
        !initdb.is_empty(),
        "PostgreSQL's programs are missing (Debian: apt-get install postgresql)"
    );
    // Where only some of them are linked to, all of them are where the links lead.
    let initdb = fs::canonicalize(initdb).expect("a program");
    initdb.parent().expect("a folder").to_owned()
}

/// The user as whom PostgreSQL runs, where we are root: it refuses to be.
fn user() -> Option<(u32, u32)> {
    let number = |arguments: &[&str]| {
        let said = Command::new("id").args(arguments).output().expect("id runs");
        String::from_utf8_lossy(&said.stdout).trim().parse::<u32>().ok()
    };
    if number(&["-u"]) != Some(0) {
        return None;
    }
    Some((
        number(&["-u", "postgres"]).expect("a user postgres"),
        number(&["-g", "postgres"]).expect("its group"),
    ))
}

/// A folder for clusters, their archives and their dumps, which goes with its test.
pub struct Ground {
    programs: PathBuf,
    folder: TempDir,
}

impl Ground {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        if let Some((user, group)) = user() {
            chown(folder.path(), Some(user), Some(group)).expect("root may");
        }
        Self {
            programs: programs(),
            folder,
        }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Creates a folder that is PostgreSQL's.
    pub fn create_folder(&self, name: &str) -> PathBuf {
        fs::create_dir(self.path(name)).expect("a folder");
        self.give_away(name)
    }

    /// Creates an empty file that is PostgreSQL's.
    pub fn create_file(&self, name: &str) -> PathBuf {
        fs::write(self.path(name), "").expect("a file");
        self.give_away(name)
    }

    fn give_away(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        if let Some((user, group)) = user() {
            chown(&path, Some(user), Some(group)).expect("root may");
        }
        path
    }

    /// Runs one of PostgreSQL's programs.
    pub fn run(&self, program: &str, arguments: &[&str]) {
        assert!(
            self.succeeds(program, arguments),
            "{program} {arguments:?}: {}",
            self.logs()
        );
    }

    fn succeeds(&self, program: &str, arguments: &[&str]) -> bool {
        let program = self.programs.join(program);
        let mut command = match user() {
            None => Command::new(&program),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={group}")]);
                command.args(["--clear-groups", "--"]).arg(&program);
                command
            }
        };
        let log = fs::File::create(self.path("log")).expect("a log");
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .status();
        status.expect("it runs").success()
    }

    /// What all programs had to say.
    fn logs(&self) -> String {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let logs = paths.filter(|path| path.to_string_lossy().ends_with("log"));
        logs.map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
    }

    /// Makes a cluster, and starts it with these settings.
    pub fn cluster(&self, name: &str, settings: &[(&str, &str)]) -> Cluster<'_> {
        let data = self.path(name).display().to_string();
        self.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
            ],
        );
        self.start(name, settings)
    }

    /// Starts a cluster that is there, with these settings, and waits until it takes connections.
    pub fn start(&self, name: &str, settings: &[(&str, &str)]) -> Cluster<'_> {
        let (data, log) = (self.path(name), self.path(&format!("{name}.log")));
        let socket = self.folder.path().display();
        let mut options = format!("-k {socket} -c listen_addresses= -c fsync=off -c port={}", port(name));
        for (setting, value) in settings {
            options = format!("{options} -c {setting}='{value}'");
        }
        let (data, log) = (data.display().to_string(), log.display().to_string());
        self.run(
            "pg_ctl",
            &["-D", &data, "-w", "-t", "120", "-l", &log, "-o", &options, "start"],
        );
        Cluster {
            ground: self,
            name: name.to_owned(),
        }
    }
}

/// Sockets in one folder are told apart by their ports.
fn port(name: &str) -> usize {
    5500 + name.bytes().map(usize::from).sum::<usize>()
}

/// A cluster that runs, and stops with its test.
pub struct Cluster<'a> {
    ground: &'a Ground,
    name: String,
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        let data = self.ground.path(&self.name).display().to_string();
        // It may have ended by itself, which the test has noticed by then.
        self.ground
            .succeeds("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
    }
}

impl Cluster<'_> {
    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        let host = self.ground.folder.path().display();
        format!("postgres://postgres@/{database}?host={host}&port={}", port(&self.name))
    }

    /// Runs SQL in one of its databases.
    pub fn execute(&self, database: &str, sql: &str) {
        let mut conn = PgConnection::establish(&self.url(database)).expect("PostgreSQL answers");
        conn.batch_execute(sql).expect(sql);
    }
}
