//! A `SQLite` database as a file: copied while it is in use, checked, and made fit to be moved.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    migration::MigrationSource,
    sql_query,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use serde::Serialize;

use super::SQLITE_MIGRATIONS;

/// Every such file begins so.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The tables of which it is told how much they hold.
const COUNTED: [&str; 11] = [
    "organisations",
    "clients",
    "models",
    "perspectives",
    "constellations",
    "rounds",
    "responses",
    "assessments",
    "gap_analyses",
    "sealed_versions",
    "tombstones",
];
/// How often, and how long apart, a database is asked whether it is free. Our own connections close in their own time.
const ATTEMPTS: u32 = 50;
const APART: Duration = Duration::from_millis(100);

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// It is something else.
    #[error("{0} is not a SQLite database")]
    NotADatabase(PathBuf),
    /// It is somebody else's.
    #[error("{0} is a SQLite database, but not one of this service")]
    NotOurs(PathBuf),
    /// It was copied without the log that belongs to it.
    #[error(
        "{0} has a log beside it ({0}-wal): it is a database in use, or a copy of one, and not a backup; \
         make one with `backup`"
    )]
    HasLog(PathBuf),
    /// A later version of the program wrote it.
    #[error("{0} has a newer schema ({1}) than this program knows: use the version that wrote it")]
    Newer(PathBuf, String),
    /// It is not whole.
    #[error("{0} is damaged: {1}")]
    Damaged(PathBuf, String),
    /// Somebody has it open.
    #[error("{0} is in use: stop the server first")]
    InUse(PathBuf),
    /// `SQLite` refuses.
    #[error("{0}: {1}")]
    Refused(PathBuf, String),
}

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// How many rows each table has.
    pub counts: BTreeMap<&'static str, i64>,
    /// How many migrations it lacks.
    pub migrations_pending: usize,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A database that nobody else is supposed to write, opened without changing anything.
struct Opened<'a> {
    path: &'a Path,
    conn: SqliteConnection,
}

impl<'a> Opened<'a> {
    fn open(path: &'a Path) -> Result<Self, FileError> {
        let refused = |message| FileError::Refused(path.to_owned(), message);
        // Absolute: `SQLite` takes what begins with `file:` for something else.
        let absolute = std::path::absolute(path).map_err(|error| FileError::Io(path.to_owned(), error))?;
        let name = absolute
            .to_str()
            .ok_or_else(|| refused("its path is not UTF-8".into()))?;
        let mut conn = SqliteConnection::establish(name).map_err(|error| refused(error.to_string()))?;
        conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL;")
            .map_err(|error| refused(error.to_string()))?;
        Ok(Self { path, conn })
    }

    fn failed(&self, error: &diesel::result::Error) -> FileError {
        let (path, message) = (self.path.to_owned(), error.to_string());
        if message.contains("malformed") || message.contains("not a database") {
            FileError::Damaged(path, message)
        } else if message.contains("locked") {
            FileError::InUse(path)
        } else {
            FileError::Refused(path, message)
        }
    }

    fn lines(&mut self, sql: &str) -> Result<Vec<String>, FileError> {
        let lines: Vec<Line> = sql_query(sql)
            .load(&mut self.conn)
            .map_err(|error| self.failed(&error))?;
        Ok(lines.into_iter().map(|line| line.line).collect())
    }

    fn count(&mut self, what: &str) -> Result<i64, FileError> {
        let sql = format!("SELECT count(*) AS count FROM {what}");
        let count: Count = sql_query(sql)
            .get_result(&mut self.conn)
            .map_err(|error| self.failed(&error))?;
        Ok(count.count)
    }

    fn tables(&mut self) -> Result<BTreeSet<String>, FileError> {
        let tables = self.lines("SELECT name AS line FROM sqlite_master WHERE type = 'table'")?;
        Ok(tables.into_iter().collect())
    }

    /// How many migrations it lacks; an error where it is not ours, or newer than we are.
    fn migrations_pending(&mut self, tables: &BTreeSet<String>) -> Result<usize, FileError> {
        let migrations = MigrationSource::<Sqlite>::migrations(&SQLITE_MIGRATIONS)
            .map_err(|error| FileError::Refused(self.path.to_owned(), error.to_string()))?;
        let known: BTreeSet<String> = migrations
            .iter()
            .map(|migration| migration.name().version().to_string())
            .collect();
        if !tables.contains("__diesel_schema_migrations") || !tables.contains("sealed_versions") {
            return Err(FileError::NotOurs(self.path.to_owned()));
        }
        let applied = self.lines("SELECT version AS line FROM __diesel_schema_migrations ORDER BY 1")?;
        let applied: BTreeSet<String> = applied.into_iter().collect();
        if let Some(newer) = applied.difference(&known).last() {
            return Err(FileError::Newer(self.path.to_owned(), newer.clone()));
        }
        Ok(known.difference(&applied).count())
    }
}

/// Whether a file is a database of ours that we can read, and how many migrations it lacks.
pub fn recognise(path: &Path) -> Result<usize, FileError> {
    let mut magic = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    match read {
        Ok(()) if magic == *MAGIC => {}
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            return Err(FileError::Io(path.to_owned(), error));
        }
        _ => return Err(FileError::NotADatabase(path.to_owned())),
    }
    let mut opened = Opened::open(path)?;
    let tables = opened.tables()?;
    opened.migrations_pending(&tables)
}

/// Checks a database that nobody writes from its first page to its last, and says what it holds.
pub fn check(path: &Path) -> Result<Contents, FileError> {
    let migrations_pending = recognise(path)?;
    let mut opened = Opened::open(path)?;
    let complaints = opened.lines("SELECT integrity_check AS line FROM pragma_integrity_check")?;
    if let Some(complaint) = complaints.into_iter().find(|line| line != "ok") {
        return Err(FileError::Damaged(path.to_owned(), complaint));
    }
    if opened.count("pragma_foreign_key_check")? > 0 {
        let what = "rows refer to others that are not there";
        return Err(FileError::Damaged(path.to_owned(), what.into()));
    }
    let tables = opened.tables()?;
    let mut counts = BTreeMap::new();
    for table in COUNTED.into_iter().filter(|table| tables.contains(*table)) {
        counts.insert(table, opened.count(table)?);
    }
    Ok(Contents {
        counts,
        migrations_pending,
    })
}

/// Copies a database, as it is at one moment, into a file that is empty. It may be in use: nobody waits for the copy.
pub fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    let refused = |path: &Path, message: &str| FileError::Refused(path.to_owned(), message.to_owned());
    let absolute = std::path::absolute(to).map_err(|error| FileError::Io(to.to_owned(), error))?;
    let name = absolute.to_str().ok_or_else(|| refused(to, "its path is not UTF-8"))?;
    let mut opened = Opened::open(from)?;
    sql_query("VACUUM INTO ?")
        .bind::<Text, _>(name)
        .execute(&mut opened.conn)
        .map_err(|error| match opened.failed(&error) {
            // The source is only read: what is refused is the copy (no space, no permission).
            FileError::Refused(_, message) => FileError::Refused(to.to_owned(), message),
            other => other,
        })?;
    Ok(())
}

/// Puts a database's log back into its one file, which can then be moved. Where somebody has it open: [`FileError::InUse`].
pub fn settle(path: &Path) -> Result<(), FileError> {
    let mut opened = Opened::open(path)?;
    for attempt in 1.. {
        let settled = opened
            .conn
            .batch_execute("PRAGMA journal_mode = DELETE;")
            .map_err(|error| opened.failed(&error));
        match settled {
            Err(FileError::InUse(_)) if attempt < ATTEMPTS => thread::sleep(APART),
            other => return other,
        }
    }
    Ok(())
}
