//! The only file (with those below it) that knows which database it talks to.
//!
//! Everything that differs between `SQLite` and `PostgreSQL` stands here: connections, transactions, SQL types, migrations,
//! and how errors are told apart.

#![expect(missing_docs, reason = "what Diesel derives for the enum over both has none")]

mod place;

pub use place::Place;

use std::{fmt::Debug, io::Write, time::Duration};

use diesel::{
    Connection, MultiConnection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    backend::Backend,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    deserialize::{self, FromSql, Queryable},
    expression::AsExpression,
    internal::derives::as_expression::Bound,
    pg::{Pg, PgValue},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{BigInt, Binary, HasSqlType, Nullable, SqlType, Text},
    sqlite::{Sqlite, SqliteValue},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::error::{Error, Taken};
use crate::domain::{id::Id, moment::Moment};

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
    /// Begins a transaction that may write.
    pub(super) fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
            // A deferred transaction that turns to writing fails at once where another wrote meanwhile.
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE"),
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

    /// Brings the schema up to date. Of several copies starting at once, one migrates and the others wait for it.
    pub(super) fn migrate(&mut self) -> Result<usize, Error> {
        match self {
            Self::Postgres(conn) => {
                let lock = format!("SELECT pg_advisory_lock({MIGRATION_LOCK})");
                conn.batch_execute(&format!("SET lock_timeout = 0; SET statement_timeout = 0; {lock};"))?;
                let done = run(conn, POSTGRES_MIGRATIONS);
                conn.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})"))?;
                done
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
        _ => {
            tracing::warn!(?kind, message, "database error");
            Error::Unavailable
        }
    }
}

/// Runs an expression on whichever connection there is: what Diesel cannot say of both at once (several rows in one insert), and
/// what is asked often. For the enum over both, Diesel writes the SQL anew each time, to look the prepared statement up by it.
macro_rules! either {
    ($tx:expr, $conn:ident => $run:expr) => {
        match &mut *$tx.conn {
            $crate::store::fork::Conn::Postgres($conn) => $run,
            $crate::store::fork::Conn::Sqlite($conn) => $run,
        }
    };
}
pub(super) use either;

/// A statement whose SQL is always the same, though Diesel takes every UPDATE for one of a kind: it is prepared once, not each time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed<Q>(pub(super) Q);

impl<Q> QueryId for Fixed<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Fixed<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }
    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}
impl<C, Q> RunQueryDsl<C> for Fixed<Q> {}

/// Inserts many rows at once.
macro_rules! insert_all {
    ($tx:expr, $table:expr, $rows:expr) => {
        match &mut *$tx.conn {
            // Thousands of values take longer to parse than to insert.
            $crate::store::fork::Conn::Postgres(conn) => {
                diesel::ExecuteCopyFromDsl::execute(diesel::copy_from($table).from_insertable($rows), conn)
            }
            $crate::store::fork::Conn::Sqlite(conn) => diesel::insert_into($table).values($rows).execute(conn),
        }
    };
}
pub(super) use insert_all;

/// SQL type of ids: `uuid`, or a blob of 16 bytes.
#[derive(Debug, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Uid;

/// SQL type of moments: `timestamptz`, or microseconds since 1970.
#[derive(Debug, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Instant;

/// SQL type of documents: `jsonb`, or JSON as text.
#[derive(Debug, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct Document;

/// A value that is kept as a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Json<T>(pub(super) T);

/// Everything but the two encodings is the same for each of our types.
macro_rules! column {
    ([$($generics:tt)*] $rust:ty => $sql:ty) => {
        impl<$($generics)*> AsExpression<$sql> for $rust {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<'expr, $($generics)*> AsExpression<$sql> for &'expr $rust {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<$($generics)*> AsExpression<Nullable<$sql>> for $rust {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<'expr, $($generics)*> AsExpression<Nullable<$sql>> for &'expr $rust {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<$($generics)*> ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }
        impl<DB: Backend, $($generics)*> ToSql<Nullable<$sql>, DB> for $rust
        where
            Self: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <Self as ToSql<$sql, DB>>::to_sql(self, out)
            }
        }
        impl<$($generics)*> FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(raw: MultiRawValue<'_>) -> deserialize::Result<Self> { raw.from_sql::<Self, $sql>() }
        }
        impl<DB: Backend, $($generics)*> Queryable<$sql, DB> for $rust
        where
            Self: FromSql<$sql, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> { Ok(row) }
        }
    };
}
/// What can be kept as a document.
pub(super) trait Kept: Serialize + DeserializeOwned + Debug + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + Debug + Send + Sync + 'static> Kept for T {}

column!([K: 'static] Id<K> => Uid);
column!([] Moment => Instant);
column!([T: Kept] Json<T> => Document);

macro_rules! multi {
    ($($sql:ident),*) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata { Self::lookup_sql_type::<$sql>(lookup) }
        }
        impl Default for $sql {
            fn default() -> Self { Self }
        }
    )*};
}
multi!(Uid, Instant, Document);

impl<K: 'static> ToSql<Uid, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}
impl<K: 'static> FromSql<Uid, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
    }
}
impl<K: 'static> ToSql<Uid, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}
impl<K: 'static> FromSql<Uid, Sqlite> for Id<K> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from_uuid(Uuid::from_slice(&bytes)?))
    }
}

/// `PostgreSQL` counts from 2000-01-01.
const POSTGRES_EPOCH: Duration = Duration::from_secs(946_684_800);

fn postgres_epoch() -> Result<i64, std::num::TryFromIntError> {
    i64::try_from(POSTGRES_EPOCH.as_micros())
}
fn moment(micros: i64) -> deserialize::Result<Moment> {
    Moment::from_micros(micros).ok_or_else(|| "a timestamp beyond the calendar".into())
}

impl ToSql<Instant, Pg> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.micros().saturating_sub(postgres_epoch()?).to_be_bytes())?;
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, Pg> for Moment {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        moment(<i64 as FromSql<BigInt, Pg>>::from_sql(value)?.saturating_add(postgres_epoch()?))
    }
}
impl ToSql<Instant, Sqlite> for Moment {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}
impl FromSql<Instant, Sqlite> for Moment {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        moment(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
    }
}

impl<T: Kept> ToSql<Document, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version of jsonb's wire format.
        out.write_all(&[1])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}
impl<T: Kept> FromSql<Document, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, json)) => Ok(Self(serde_json::from_slice(json)?)),
            _ => Err("an unknown version of jsonb".into()),
        }
    }
}
impl<T: Kept> ToSql<Document, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
impl<T: Kept> FromSql<Document, Sqlite> for Json<T> {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let json = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&json)?))
    }
}
