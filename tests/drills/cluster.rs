//! A private PostgreSQL with everything on that makes it durable.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use tempfile::TempDir;

use crate::server::signal;

/// A cluster that listens on a socket in its own folder.
pub struct Cluster {
    folder: TempDir,
    postmaster: Option<Child>,
}

impl Cluster {
    /// A new cluster, which runs.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("mc-drill.")
            .tempdir()
            .expect("a folder");
        let mut cluster = Self {
            folder,
            postmaster: None,
        };
        if let Some((user, group)) = other_user() {
            chown(cluster.path(), Some(user), Some(group)).expect("the folder can be given away");
        }
        let made = program("initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
            .arg(cluster.data())
            .current_dir(cluster.path())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.start();
        cluster
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.path().display())
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.path().join(".s.PGSQL.5432")
    }

    /// Starts it, and waits until it answers.
    pub fn start(&mut self) {
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(self.path().join("log"))
            .expect("a log");
        let postmaster = program("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.path())
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=on",
                "-c",
                "synchronous_commit=on",
            ])
            .current_dir(self.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres runs");
        self.postmaster = Some(postmaster);
        for _ in 0..600 {
            if PgConnection::establish(&self.url("postgres")).is_ok() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL does not answer: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// Does something as the superuser.
    pub fn administer(&self, sql: &str) {
        let mut conn = PgConnection::establish(&self.url("postgres")).expect("PostgreSQL answers");
        conn.batch_execute(sql).expect("PostgreSQL does");
    }

    /// Kills the postmaster and all its children at once, with SIGKILL.
    pub fn kill(&mut self) {
        let mut postmaster = self.postmaster.take().expect("it runs");
        let mut pids = vec![postmaster.id()];
        pids.extend(children(postmaster.id()));
        signal("KILL", &pids);
        postmaster.wait().expect("it ends");
        // One that was being born meanwhile finds its postmaster dead, and ends by itself: a new one waits for that.
        while pids.iter().any(|pid| is_alive(*pid)) {
            sleep(Duration::from_millis(5));
        }
    }

    /// Stops it as an operator would.
    pub fn stop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            signal("INT", &[postmaster.id()]);
            postmaster.wait().expect("it ends");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            signal("QUIT", &[postmaster.id()]);
            drop(postmaster.wait());
        }
    }
}

/// The processes whose parent is this one.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    pids.filter(|pid| status(*pid).is_some_and(|(_, other)| other == parent))
        .collect()
}

fn is_alive(pid: u32) -> bool {
    status(pid).is_some_and(|(state, _)| state != "Z")
}

/// A process's state and parent.
fn status(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?.to_owned();
    Some((state, fields.next()?.parse().ok()?))
}

/// PostgreSQL refuses to run as root: who runs it then, and their group.
pub fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let said = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8_lossy(&said.stdout).trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let user = if id(&["-u", "postgres"]).is_some() {
        "postgres"
    } else {
        "nobody"
    };
    Some((id(&["-u", user])?, id(&["-g", user])?))
}

/// One of PostgreSQL's programs: on the `PATH`, or where Debian puts them.
fn program(name: &str) -> Command {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut debian: Vec<PathBuf> = debian
        .filter_map(Result::ok)
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    debian.sort();
    let path = debian.pop().unwrap_or_else(|| PathBuf::from(name));
    let Some((user, group)) = other_user() else {
        return Command::new(path);
    };
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid",
            &user.to_string(),
            "--regid",
            &group.to_string(),
            "--clear-groups",
            "--",
        ])
        .arg(path);
    command
}
