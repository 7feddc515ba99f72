//! Where the database is, and how a connection to it is opened.

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

    /// Opens a connection that may write.
    pub fn connect(&self) -> Result<Conn, Error> {
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
                let mut conn = PgConnection::establish(&with_timeout(url)).map_err(|error| {
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

/// A server that does not answer must not hold a request for libpq's default of for ever.
fn with_timeout(url: &str) -> String {
    if url.contains("connect_timeout=") {
        return url.to_owned();
    }
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}connect_timeout=3")
}
