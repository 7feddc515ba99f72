//! Where the database is, and how a connection to it is opened.

use std::path::Path;

use diesel::{
    Connection, PgConnection, SqliteConnection,
    connection::{CacheSize, SimpleConnection},
};

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

/// The statements with which work begins its transaction.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Begins {
    /// Nothing, where work that only reads needs no transaction.
    pub(in crate::store) read: Option<&'static str>,
    pub(in crate::store) write: &'static str,
    /// Where several share a transaction, nobody waits long for a lock that another holds: all who share it would wait, too.
    pub(in crate::store) swift: &'static str,
}

const SWIFT: &str = "BEGIN; SET LOCAL lock_timeout = '50ms'";

/// The parameter of a URL that says that a pooler stands in between which lends its connections for one transaction
/// each. Ours, not libpq's; named as Prisma names it.
const POOLED: &str = "pgbouncer=";

/// How a transaction begins whose connection was lent: with the limits that a connection of our own is given once.
const LIMITED: &str = "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '60s'";

const SWIFT_LIMITED: &str = "BEGIN; SET LOCAL lock_timeout = '50ms'; SET LOCAL statement_timeout = '60s'";

/// What a connection is told at once. A server that goes away without a word is noticed within seconds, not after TCP's
/// quarter of an hour.
const DEFAULTS: [(&str, &str); 5] = [
    ("connect_timeout", "3"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "2"),
    ("tcp_user_timeout", "10000"),
];

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
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(Error::BadUrl(
                "the scheme must be sqlite:, postgres:// or postgresql://",
            ));
        }
        if parameters(url).any(|parameter| {
            parameter
                .strip_prefix(POOLED)
                .is_some_and(|value| !matches!(value, "true" | "false"))
        }) {
            return Err(Error::BadUrl("pgbouncer= is true or false"));
        }
        Ok(Self::Postgres(url.to_owned()))
    }

    /// Reads the URLs of replicas, separated by commas: `PostgreSQL` servers that follow this one.
    pub fn parse_replicas(&self, urls: &str) -> Result<Vec<Self>, Error> {
        let mut replicas: Vec<String> = Vec::new();
        for part in urls.split(',').map(str::trim) {
            match replicas.last_mut() {
                // One URL may name several hosts, separated by commas as well.
                Some(url) if !part.contains("://") => *url = format!("{url},{part}"),
                _ => replicas.push(part.to_owned()),
            }
        }
        let places: Vec<Self> = replicas.iter().map(|url| Self::parse(url)).collect::<Result<_, _>>()?;
        if self.one_writer() || places.iter().any(Self::one_writer) {
            return Err(Error::BadUrl("only PostgreSQL has replicas"));
        }
        if places.iter().any(Self::is_pooled) {
            return Err(Error::BadUrl(
                "a replica is asked without a pooler in between: each connection says by itself how far it is",
            ));
        }
        Ok(places)
    }

    /// Whether there is one writer at a time, whose writes are worth grouping.
    pub fn one_writer(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// How many threads write, and how many waiting writes share a transaction.
    ///
    /// Few threads, so that writes that come together are done together: a commit costs more than a write.
    pub(in crate::store) fn writers(&self) -> (usize, usize) {
        match self {
            Self::Sqlite(_) => (1, 64),
            Self::Postgres(_) => (4, 16),
        }
    }

    /// Whether a pooler lends connections for one transaction each: nothing said outside of one is remembered.
    pub(in crate::store) fn is_pooled(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(url) => parameters(url).any(|parameter| parameter.strip_prefix(POOLED) == Some("true")),
        }
    }

    /// How transactions begin.
    pub(in crate::store) fn begins(&self) -> Begins {
        match self {
            // A deferred transaction that turns to writing fails at once where another wrote meanwhile.
            Self::Sqlite(_) => Begins {
                read: None,
                write: "BEGIN IMMEDIATE",
                swift: "BEGIN IMMEDIATE",
            },
            Self::Postgres(_) if self.is_pooled() => Begins {
                read: Some(LIMITED),
                write: LIMITED,
                swift: SWIFT_LIMITED,
            },
            Self::Postgres(_) => Begins {
                read: None,
                write: "BEGIN",
                swift: SWIFT,
            },
        }
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
                let mut conn = PgConnection::establish(&for_libpq(url)).map_err(|error| {
                    tracing::debug!(%error, "no connection");
                    Error::Unavailable
                })?;
                if self.is_pooled() {
                    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
                } else {
                    conn.batch_execute("SET lock_timeout = '5s'; SET statement_timeout = '60s'; SET TIME ZONE 'UTC';")
                        .map_err(Error::from)?;
                }
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

/// The parameters of a URL.
fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter(|parameter| !parameter.is_empty())
}

/// The URL as libpq understands it: without our parameter, and with our defaults.
fn for_libpq(url: &str) -> String {
    let place = url.split_once('?').map_or(url, |(place, _)| place);
    let theirs: Vec<&str> = parameters(url)
        .filter(|parameter| !parameter.starts_with(POOLED))
        .collect();
    let said = |name: &str| theirs.iter().any(|parameter| parameter.split('=').next() == Some(name));
    let defaults = DEFAULTS.iter().filter(|(name, _)| !said(name));
    let ours = defaults.map(|(name, value)| format!("{name}={value}"));
    let all: Vec<String> = theirs.iter().map(ToString::to_string).chain(ours).collect();
    format!("{place}?{}", all.join("&"))
}

#[cfg(test)]
mod tests {
    use super::{Place, for_libpq};

    fn parse(url: &str) -> Place {
        Place::parse(url).expect("a URL")
    }

    #[test]
    fn libpq_is_told_the_defaults_that_the_operator_did_not_choose_and_nothing_of_ours() {
        let plain = "postgres://u:p@db/mc";
        let defaults = "keepalives_idle=5&keepalives_interval=2&keepalives_count=2&tcp_user_timeout=10000";
        assert_eq!(for_libpq(plain), format!("{plain}?connect_timeout=3&{defaults}"));
        assert_eq!(
            for_libpq("postgres://u@h1:1,h2:2/mc?pgbouncer=true&target_session_attrs=read-write&connect_timeout=9"),
            format!("postgres://u@h1:1,h2:2/mc?target_session_attrs=read-write&connect_timeout=9&{defaults}")
        );
    }

    #[test]
    fn a_pooler_is_there_where_the_url_says_so() {
        assert!(parse("postgres://db/mc?a=b&pgbouncer=true").is_pooled());
        assert!(!parse("postgres://db/mc?pgbouncer=false").is_pooled());
        assert!(!parse("postgres://db/mc").is_pooled());
        assert!(Place::parse("postgres://db/mc?pgbouncer=yes").is_err());
    }

    #[test]
    fn replicas_are_told_apart_from_the_hosts_of_one() {
        let primary = parse("postgres://db/mc");
        let two = primary.parse_replicas("postgres://r1:1,r2:2/mc, postgresql://r3/mc");
        let two = two.expect("two replicas");
        assert_eq!(two, [parse("postgres://r1:1,r2:2/mc"), parse("postgresql://r3/mc")]);
        assert!(primary.parse_replicas("r1/mc").is_err());
        assert!(primary.parse_replicas("").is_err());
        assert!(primary.parse_replicas("sqlite:x").is_err());
        assert!(primary.parse_replicas("postgres://r/mc?pgbouncer=true").is_err());
        assert!(parse("sqlite:x").parse_replicas("postgres://r/mc").is_err());
    }
}
