//! Jobs: what is done for somebody with a connection that somebody else owns.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    error::{Error, Failure},
    fork::{Conn, Position},
    meters::{Asked, Counted},
    swift::Swift,
    tx::{Shared, Tx},
};
use crate::domain::{access::Actor, tombstone::Tombstone};

/// What became of a job inside its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Undo,
    /// Roll back and run the work again.
    Again,
    /// The connection is of no use any more.
    Broken,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reads,
    Writes,
    /// It writes, and whoever asked is told where in the log that stands.
    WritesAndTells,
}

/// A piece of work on its way through a lane.
pub(super) trait Job: Send {
    /// When and by whom it was asked for.
    fn asked(&mut self) -> &mut Asked;
    /// Whether the work may write.
    fn kind(&self) -> Kind;
    /// Does the work, in a transaction of its own or in a swift one.
    fn run(&mut self, conn: &mut Conn, swift: Option<&mut Swift>) -> Verdict;
    /// Hands the outcome over; `committed` tells whether the transaction stands, and where it stands in the log.
    fn settle(self: Box<Self>, committed: Result<Option<Position>, Error>);
}

/// The one kind of job: a closure, and a callback for what it returns.
pub(super) struct Work<T, E, F, D> {
    asked: Asked,
    shared: Arc<Shared>,
    actor: Actor,
    kind: Kind,
    run: F,
    done: D,
    result: Option<Result<T, E>>,
    counted: Vec<Counted>,
    /// What has ended in the transaction that stands.
    buried: Vec<Tombstone>,
}

impl<T, E, F, D> Work<T, E, F, D> {
    pub(super) fn new(shared: &Arc<Shared>, actor: Actor, kind: Kind, run: F, done: D) -> Self {
        Self {
            asked: Asked::now(kind != Kind::Reads),
            shared: Arc::clone(shared),
            actor,
            kind,
            run,
            done,
            result: None,
            counted: Vec::new(),
            buried: Vec::new(),
        }
    }
}

impl<T, E, F, D> Job for Work<T, E, F, D>
where
    T: Send,
    E: Failure,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    D: FnOnce(Result<T, E>, Option<Position>) + Send,
{
    fn asked(&mut self) -> &mut Asked {
        &mut self.asked
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn run(&mut self, conn: &mut Conn, swift: Option<&mut Swift>) -> Verdict {
        let log = self.asked.log();
        let (run, mut tx) = (&mut self.run, Tx::new(conn, self.actor, &self.shared, swift));
        let result = log
            .in_scope(|| catch_unwind(AssertUnwindSafe(|| run(&mut tx))))
            .unwrap_or_else(|_| Err(E::from(Error::Panicked)));
        let verdict = match result.as_ref().map_err(Failure::store_error) {
            Ok(_) => Verdict::Keep,
            Err(Some(Error::Contended)) => Verdict::Again,
            Err(Some(Error::Unavailable)) => Verdict::Broken,
            Err(_) => Verdict::Undo,
        };
        self.buried = mem::take(&mut tx.buried);
        self.counted = tx.counted();
        self.result = Some(result);
        verdict
    }

    fn settle(self: Box<Self>, committed: Result<Option<Position>, Error>) {
        let Self {
            asked,
            shared,
            done,
            result,
            counted,
            buried,
            ..
        } = *self;
        let position = committed.as_ref().ok().copied().flatten();
        let result = match (committed, result) {
            // Work that failed by itself has the better reason.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => {
                // A commit that broke off may stand all the same.
                if !buried.is_empty() {
                    shared.ledger.doubt();
                }
                Err(error.into())
            }
            (Ok(_), Some(Ok(value))) if !buried.is_empty() => match shared.ledger.write(&buried) {
                Ok(()) => Ok(value),
                Err(error) => Err(error.into()),
            },
            (Ok(_), Some(result)) => result,
            (Ok(_), None) => Err(Error::Unavailable.into()),
        };
        if result.is_ok() {
            counted.into_iter().for_each(Counted::stands);
        }
        asked.ended(result.as_ref().err().and_then(Failure::store_error));
        done(result, position);
    }
}
