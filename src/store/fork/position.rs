//! Positions in `PostgreSQL`'s write-ahead log: how far the primary has written, and how far a replica has followed.

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Nullable},
};

use super::Conn;
use crate::store::error::{Error, Result};

/// A position in the write-ahead log.
///
/// The log forks where a standby takes over: a server that stays behind on the old timeline may be further along *its* log
/// than the new primary is, and still lack what that one wrote. So a position has two parts, and both must be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The timeline, raised by every failover.
    pub timeline: u32,
    /// The log sequence number: a byte of the log.
    pub lsn: u64,
}

impl Position {
    /// Whether who is here has all that was written there.
    pub fn reaches(self, other: Self) -> bool {
        self.timeline >= other.timeline && self.lsn >= other.lsn
    }

    /// The first position that reaches both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            timeline: self.timeline.max(other.timeline),
            lsn: self.lsn.max(other.lsn),
        }
    }
}

/// What a server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Whereabouts {
    /// The same for a primary and all that were copied from it, and for nobody else.
    pub(in crate::store) system: i64,
    pub(in crate::store) position: Position,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    system: i64,
    #[diesel(sql_type = BigInt)]
    timeline: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    lsn: Option<i64>,
}

/// Everything that was committed is at or before this. What is flushed will reach the replicas; only where commits do not
/// wait for that, the end of what was inserted counts.
const WRITTEN: &str = "SELECT system_identifier AS system, \
     ('x' || substr(pg_walfile_name(lsn), 1, 8))::bit(32)::bigint AS timeline, (lsn - '0/0')::bigint AS lsn \
     FROM pg_control_system(), (SELECT CASE current_setting('synchronous_commit') \
     WHEN 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END AS lsn) AS log";

/// The timeline is that of the last restart point: after a failover, a replica counts as following the new primary some
/// minutes late, but never early. No position: the server is no replica (any more).
const REPLAYED: &str = "SELECT system_identifier AS system, timeline_id::bigint AS timeline, \
     CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END AS lsn \
     FROM pg_control_system(), pg_control_checkpoint()";

impl Conn {
    /// A position that everything committed before this call is at or before.
    pub(in crate::store) fn written(&mut self) -> Result<Whereabouts> {
        self.whereabouts(WRITTEN)
    }

    /// How far this replica has followed; [`Error::Unavailable`] where it is none.
    pub(in crate::store) fn replayed(&mut self) -> Result<Whereabouts> {
        self.whereabouts(REPLAYED)
    }

    fn whereabouts(&mut self, query: &str) -> Result<Whereabouts> {
        let Self::Postgres(conn) = self else {
            return Err(Error::Unavailable);
        };
        let row: Row = ask(conn, query)?;
        let timeline = u32::try_from(row.timeline).map_err(|_| Error::Unavailable)?;
        let lsn = row.lsn.and_then(|lsn| u64::try_from(lsn).ok());
        Ok(Whereabouts {
            system: row.system,
            position: Position {
                timeline,
                lsn: lsn.ok_or(Error::Unavailable)?,
            },
        })
    }
}

fn ask(conn: &mut PgConnection, query: &str) -> Result<Row> {
    Ok(sql_query(query).get_result(conn)?)
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn a_server_on_an_older_timeline_reaches_nothing_of_a_newer_one() {
        let at = |timeline, lsn| Position { timeline, lsn };
        assert!(at(1, 5).reaches(at(1, 5)));
        assert!(!at(1, 4).reaches(at(1, 5)));
        assert!(!at(1, 9).reaches(at(2, 5)));
        assert!(at(2, 5).reaches(at(1, 5)));
        assert!(!at(2, 4).reaches(at(1, 5)));
        assert_eq!(at(1, 9).and(at(2, 5)), at(2, 9));
        assert!(at(0, 0).reaches(Position::default()));
    }
}
