//! Where the database is, and how a connection to it is opened.

use std::path::Path;

use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};

use super::Conn;
use crate::store::error::Error;

/// How long a connection to `SQLite` waits for another process that writes.
pub(super) const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 5000";

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A `SQLite` file.
    Sqlite(String),
    /// A `PostgreSQL` URL.
    Postgres(String),
}

impl Place {
    /// Reads a database URL: `sqlite:PATH` (also `sqlite://PATH`), `postgres://…` or `postgresql://…`.
    pub fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path == ":memory:" {
                return Err(Error::BadUrl(
                    "SQLite needs the path of a file: in memory there is neither WAL nor a second reader",
                ));
            }
            return Ok(Self::Sqlite(path.to_owned()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(Error::BadUrl(
            "the scheme must be sqlite:, postgres:// or postgresql://",
        ))
    }

    /// Whether there is one writer at a time, whose writes are worth grouping.
    pub fn one_writer(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Opens a connection that may write, to a database that is there: where a `SQLite` file is away for a moment, an empty one
    /// must not take its place.
    pub fn connect(&self) -> Result<Conn, Error> {
        match self {
            Self::Sqlite(path) if !Path::new(path).exists() => Err(Error::Unavailable),
            _ => self.create(),
        }
    }

    /// The same; creates a `SQLite` file where there is none.
    pub fn create(&self) -> Result<Conn, Error> {
        match self {
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(path).map_err(|_| Error::Unavailable)?;
                // The timeout first: switching to WAL already needs the lock.
                conn.batch_execute(BUSY_TIMEOUT).map_err(Error::from)?;
                conn.batch_execute(
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;",
                )
                .map_err(Error::from)?;
                Ok(Conn::Sqlite(conn))
            }
            Self::Postgres(url) => {
                let mut conn = PgConnection::establish(&with_timeouts(url)).map_err(|error| {
                    tracing::debug!(%error, "no connection");
                    Error::Unavailable
                })?;
                conn.batch_execute("SET lock_timeout = '5s'; SET statement_timeout = '60s'; SET TIME ZONE 'UTC';")
                    .map_err(Error::from)?;
                Ok(Conn::Postgres(conn))
            }
        }
    }

    /// Opens a connection that only reads.
    pub fn connect_to_read(&self) -> Result<Conn, Error> {
        let mut conn = self.connect()?;
        if let Conn::Sqlite(sqlite) = &mut conn {
            sqlite.batch_execute("PRAGMA query_only = ON;").map_err(Error::from)?;
        }
        Ok(conn)
    }
}

/// How soon a server counts as gone that does not answer: libpq's and the system's defaults hold a thread for ever, or for
/// a quarter of an hour. Each can be overruled in the URL.
const TIMEOUTS: [(&str, &str); 5] = [
    ("connect_timeout", "3"),
    ("tcp_user_timeout", "10000"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
];

fn with_timeouts(url: &str) -> String {
    let missing = TIMEOUTS.iter().filter(|(name, _)| !url.contains(&format!("{name}=")));
    missing.fold(url.to_owned(), |url, (name, value)| {
        let joint = if url.contains('?') { '&' } else { '?' };
        format!("{url}{joint}{name}={value}")
    })
}
