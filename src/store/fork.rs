//! The only file (with those below it) that knows which database it talks to.
//!
//! Everything that differs between `SQLite` and `PostgreSQL` stands here: connections, transactions, SQL types, migrations,
//! and how errors are told apart.

#![expect(missing_docs, reason = "what Diesel derives for the enum over both has none")]

pub mod file;
mod place;
mod position;
mod prepared;
mod types;

use place::BUSY_TIMEOUT;
pub(super) use place::Begins;
pub use place::Place;
pub use position::Position;
pub(super) use prepared::Changes;
pub use types::{Document, Instant, Uid};
pub(super) use types::{Json, Kept};

use diesel::{
    Connection, MultiConnection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError},
    sql_query,
    sql_types::Integer,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::{Error, Taken};

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The lock under which one of many starting copies migrates; any number nobody else uses.
const MIGRATION_LOCK: i64 = 0x4d43_4d6d_6967_7261;

/// A connection to either database.
#[derive(MultiConnection)]
pub enum Conn {
    /// `PostgreSQL`.
    Postgres(PgConnection),
    /// `SQLite`.
    Sqlite(SqliteConnection),
}

impl Conn {
    /// Begins a transaction with one of the place's [`Begins`].
    pub(super) fn begin(&mut self, begin: &str) -> QueryResult<()> {
        match self {
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, begin),
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, begin),
        }
    }

    /// Commits the transaction.
    pub(super) fn commit(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    /// Rolls the transaction back.
    pub(super) fn roll_back(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::rollback_transaction(self)
    }

    /// Holds something until the transaction ends: alone, or together with all others who do not want it alone.
    /// Where there is one writer, nobody else can hold anything.
    pub(super) fn hold(&mut self, what: i64, alone: bool) -> QueryResult<()> {
        match self {
            Self::Postgres(conn) => {
                let shared = if alone { "" } else { "_shared" };
                conn.batch_execute(&format!("SELECT pg_advisory_xact_lock{shared}({what})"))
            }
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Wipes what is left in files of what was deleted; says whether nobody stood in the way.
    ///
    /// `SQLite`'s log holds what pages were before, until it is copied into the main file and cut off. Whoever reads or writes
    /// in another process keeps it from that, and must not keep us for long. `PostgreSQL` vacuums by itself.
    pub(super) fn wipe(&mut self) -> bool {
        let Self::Sqlite(conn) = self else { return true };
        let wiped = conn
            .batch_execute("PRAGMA busy_timeout = 1000")
            .and_then(|()| sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(conn));
        let restored = conn.batch_execute(BUSY_TIMEOUT);
        restored.is_ok() && wiped.is_ok_and(|Checkpoint { busy }| busy == 0)
    }

    /// Brings the schema up to date. Of several copies starting at once, one migrates and the others wait for it.
    pub(super) fn migrate(&mut self) -> Result<usize, Error> {
        match self {
            Self::Postgres(conn) => {
                // All in one transaction, as the lock is: a pooler lends no connection for longer.
                let begin = "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0";
                let lock = format!("{begin}; SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
                AnsiTransactionManager::begin_transaction_sql(conn, &lock)?;
                let done = run(conn, POSTGRES_MIGRATIONS)?;
                AnsiTransactionManager::commit_transaction(conn)?;
                Ok(done)
            }
            Self::Sqlite(conn) => {
                // Two processes may start on one file: whoever comes second finds the work done.
                run(conn, SQLITE_MIGRATIONS).or_else(|error| match conn.has_pending_migration(SQLITE_MIGRATIONS) {
                    Ok(false) => Ok(0),
                    _ => Err(error),
                })
            }
        }
    }

    /// Whether every migration has been applied.
    pub(super) fn is_migrated(&mut self) -> Result<bool, Error> {
        let pending = match self {
            Self::Postgres(conn) => conn.has_pending_migration(POSTGRES_MIGRATIONS),
            Self::Sqlite(conn) => conn.has_pending_migration(SQLITE_MIGRATIONS),
        };
        pending.map(|pending| !pending).map_err(|error| {
            tracing::warn!(%error, "the schema cannot be read");
            Error::Unavailable
        })
    }
}

/// What `SQLite` says of a checkpoint.
#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

fn run<C, DB>(conn: &mut C, migrations: EmbeddedMigrations) -> Result<usize, Error>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    conn.run_pending_migrations(migrations)
        .map(|applied| applied.len())
        .map_err(|error| Error::Migration(error.to_string()))
}

/// What a database error means to us.
impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        classify(error)
    }
}

fn classify(error: DieselError) -> Error {
    match error {
        DieselError::NotFound => Error::Corrupt("a row is missing"),
        DieselError::DatabaseError(kind, information) => classify_database_error(kind, information.as_ref()),
        DieselError::SerializationError(_) | DieselError::DeserializationError(_) => {
            tracing::error!(%error, "a stored value cannot be read");
            Error::Corrupt("a stored value cannot be read")
        }
        other => {
            tracing::warn!(error = %other, "database error");
            Error::Unavailable
        }
    }
}

fn classify_database_error(kind: DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> Error {
    let message = information.message();
    match kind {
        DatabaseErrorKind::UniqueViolation => {
            // SQLite names no constraint: its message names the columns.
            Error::Taken(Taken::by(information.constraint_name().unwrap_or(message)))
        }
        DatabaseErrorKind::SerializationFailure => Error::Contended,
        _ if message.contains("deadlock detected") => Error::Contended,
        _ if message.contains("lock timeout") || message.contains("database is locked") => Error::LockTimeout,
        DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation => {
            tracing::error!(message, "a constraint that no request should break");
            Error::Corrupt("a constraint was broken")
        }
        _ if message.contains("prepared statement") => {
            tracing::error!(
                message,
                "a pooler in between? then the database URL needs pgbouncer=true"
            );
            Error::Unavailable
        }
        _ => {
            tracing::warn!(?kind, message, "database error");
            Error::Unavailable
        }
    }
}

/// Runs an expression on whichever connection there is: what Diesel cannot say of both at once (several rows in one insert), and
/// what is asked often. For the enum over both, Diesel writes the SQL anew each time, to look the prepared statement up by it.
macro_rules! either {
    ($on:expr, $conn:ident => $run:expr) => {
        match &mut *$on {
            $crate::store::fork::Conn::Postgres($conn) => $run,
            $crate::store::fork::Conn::Sqlite($conn) => $run,
        }
    };
}
pub(super) use either;

/// Reads a row that nobody may delete until the transaction ends. `SQLite` has one writer, and so needs no lock.
macro_rules! held {
    ($on:expr, $query:expr) => {
        match &mut *$on {
            $crate::store::fork::Conn::Postgres(conn) => $query.for_key_share().get_result(conn),
            $crate::store::fork::Conn::Sqlite(conn) => $query.get_result(conn),
        }
    };
}
pub(super) use held;

/// Inserts a few rows, or none: by one statement, where asking costs more than doing.
macro_rules! insert_few {
    ($on:expr, $table:expr, $rows:expr) => {
        match &mut *$on {
            // An insert of no rows would be one of a row of defaults.
            $crate::store::fork::Conn::Postgres(_) if $rows.is_empty() => Ok(0),
            $crate::store::fork::Conn::Postgres(conn) => {
                $crate::store::fork::Changes::change(conn, diesel::insert_into($table).values($rows))
            }
            $crate::store::fork::Conn::Sqlite(conn) => $rows
                .iter()
                .try_for_each(|row| diesel::insert_into($table).values(row).execute(conn).map(drop))
                .map(|()| $rows.len()),
        }
    };
}
pub(super) use insert_few;
