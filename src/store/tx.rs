//! What the store is asked through: one transaction, on behalf of an actor.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use diesel::{BoolExpressionMethods, ExpressionMethods};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    error::{Error, Result},
    fork::{Conn, Uid},
    ledger::Ledger,
    meters::Counted,
    swift::{ByName, Swift},
};
use crate::domain::{
    access::Actor,
    id::{Id, ModelId, OrganisationId},
    life_cycle::{Sealed, Version},
    model::Definition,
    moment::Moment,
    slug::Slug,
    tombstone::Tombstone,
};

/// Tells the time. Tests bring their own.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// How many parsed model versions are kept in memory.
const MODELS: usize = 256;

/// Sealed versions of models: they never change, so each is read from the database once.
type Models = Cache<(ModelId, Version), Arc<Sealed<Definition>>>;

/// What all connections share.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) ledger: Ledger,
    models: Models,
    /// Whether something was deleted of which no trace may be left.
    has_traces: AtomicBool,
}

impl Shared {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            ledger: Ledger::default(),
            models: Cache::new(MODELS),
            has_traces: AtomicBool::new(false),
        }
    }

    /// After a commit: wipes what is left of what was deleted, where that is asked for and nobody stands in the way; else
    /// the next commit does.
    pub(super) fn leave_no_trace(&self, conn: &mut Conn) {
        if self.has_traces.swap(false, Ordering::Relaxed) && !conn.wipe() {
            self.has_traces.store(true, Ordering::Relaxed);
        }
    }
}

/// One transaction (or, for work that only reads, one connection) on behalf of an actor.
///
/// Its fields are private to the store: no query is written past the organisation in it.
pub struct Tx<'a> {
    pub(super) conn: &'a mut Conn,
    pub(super) actor: Actor,
    pub(super) models: &'a Models,
    has_traces: &'a AtomicBool,
    pub(super) ledger: &'a Ledger,
    /// What has ended in this transaction, to be written down once it is committed.
    pub(super) buried: Vec<Tombstone>,
    /// In a swift transaction: what it has for all who share it.
    pub(super) swift: Option<&'a mut Swift>,
    now: Moment,
    time: Moment,
    counted: Vec<Counted>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a mut Conn, actor: Actor, shared: &'a Shared, swift: Option<&'a mut Swift>) -> Self {
        let time = (shared.clock)();
        Self {
            conn,
            actor,
            models: &shared.models,
            has_traces: &shared.has_traces,
            ledger: &shared.ledger,
            buried: Vec::new(),
            swift,
            now: match actor.untimed() {
                Some(anonymous) if anonymous.is_anonymous() => anonymous.since,
                Some(_) => time.midnight(),
                None => time,
            },
            time,
            counted: Vec::new(),
        }
    }

    /// Counts something, once it stands.
    pub(super) fn count(&mut self, what: Counted) {
        self.counted.push(what);
    }

    /// What is to be counted once it stands.
    pub(super) fn counted(self) -> Vec<Counted> {
        self.counted
    }

    /// Whether others share this transaction, on the assumption that nothing fails: where anything does, all is rolled back and
    /// each done by itself. So nothing need be claimed or held before.
    pub fn is_swift(&self) -> bool {
        self.swift.is_some()
    }

    /// Fails where the transaction is swift, so that this is done by itself, and sees all that was done before.
    pub(super) fn by_itself(&self) -> Result<()> {
        if self.is_swift() { Err(Error::Contended) } else { Ok(()) }
    }

    /// What is found by a name: in a swift transaction, looked up once for all who share it, each of whom had asked before it began.
    pub(super) fn by_name<T: Clone>(
        &mut self,
        known: fn(&mut Swift) -> &mut ByName<T>,
        slug: &Slug,
        look_up: impl FnOnce(&mut Self) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let key = self.swift.is_some().then(|| (self.own(), slug.clone()));
        if let (Some(swift), Some(key)) = (&mut self.swift, &key)
            && let Some(found) = known(swift).get(key)
        {
            return Ok(found.clone());
        }
        let found = look_up(self)?;
        if let (Some(swift), Some(key)) = (&mut self.swift, key) {
            known(swift).insert(key, found.clone());
        }
        Ok(found)
    }

    /// When this transaction began, as far as anything may say so. For a respondent under a pseudonym that is the day; for an anonymous one
    /// time stands still.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// What time it is, for rules that depend on it. Never to be kept, nor shown.
    pub fn time(&self) -> Moment {
        self.time
    }

    /// Does what is the organisation's own doing and told with its time, whoever set it off.
    pub fn openly<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let (actor, now) = (self.actor, self.now);
        (self.actor, self.now) = (Actor::service_for(actor.organisation), self.time);
        let done = work(self);
        (self.actor, self.now) = (actor, now);
        done
    }

    /// When something ends now, as a tombstone says it: for a respondent without a name, at the end of the day.
    pub(super) fn ends_at(&self) -> Moment {
        match self.actor.untimed() {
            Some(_) => self.time.midnight().plus_seconds(24 * 60 * 60),
            None => self.now,
        }
    }

    /// Whether what is concealed until its round is revealed is seen: by its own respondent, and by the service's own work.
    pub(super) fn sees_concealed(&self) -> bool {
        self.actor.client.is_nil()
    }

    /// Whether every migration has been applied.
    pub fn is_migrated(&mut self) -> Result<bool> {
        self.conn.is_migrated()
    }

    /// On whose behalf it runs.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The organisation whose things are written.
    pub(super) fn own(&self) -> OrganisationId {
        self.actor.organisation
    }

    /// Holds something of the organisation's until the transaction ends: alone, so that everybody else waits for it, or
    /// together with all who do not want it alone. What is read afterwards is what those left behind who held it before.
    pub(super) fn hold(&mut self, kind: &str, name: &[&str], alone: bool) -> Result<()> {
        self.by_itself()?;
        let mut hash = Sha256::new();
        hash.update(self.own().uuid());
        for part in [kind].iter().chain(name) {
            hash.update(part);
            hash.update([0]);
        }
        // Where two things have the same number, one waits for the other without need.
        let number = hash.finalize().first_chunk().copied().map_or(0, i64::from_be_bytes);
        Ok(self.conn.hold(number, alone)?)
    }

    /// What this transaction deletes leaves no trace in any file once it is committed.
    pub(super) fn leave_no_trace(&self) {
        self.has_traces.store(true, Ordering::Relaxed);
    }

    /// A new id: a `UUIDv7`.
    pub fn new_id<K>(&self) -> Id<K> {
        Id::from_uuid(Uuid::now_v7())
    }
}

/// The rows an actor may see: their organisation's own, and the public ones of the nil organisation.
pub(super) fn visible<C>(
    column: C,
    own: OrganisationId,
) -> diesel::dsl::Or<diesel::dsl::Eq<C, OrganisationId>, diesel::dsl::Eq<C, OrganisationId>>
where
    C: diesel::Expression<SqlType = Uid> + ExpressionMethods + Copy,
{
    column.eq(own).or(column.eq(OrganisationId::NIL))
}
