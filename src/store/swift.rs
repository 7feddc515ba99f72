//! What several writes have in common that share a transaction: what each of them would read, and what can wait until its end,
//! because nobody reads it before, and all of it takes a few statements.

use std::collections::HashMap;

use diesel::{Insertable, RunQueryDsl};

use super::{
    error::Result,
    fork::{Conn, insert_few},
    schema::{events, idempotency_keys},
};
use crate::domain::{
    id::{ClientId, EventId, Id, OrganisationId},
    life_cycle::Version,
    model,
    moment::Moment,
    perspective,
    slug::Slug,
};

/// An event.
#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(super) struct Happened {
    pub(super) organisation_id: OrganisationId,
    pub(super) id: EventId,
    pub(super) kind: &'static str,
    pub(super) resource_id: Id<()>,
    pub(super) what: &'static str,
    pub(super) version: Option<Version>,
    pub(super) client_id: ClientId,
    pub(super) at: Moment,
}

/// A key that was never claimed, with its answer.
#[derive(Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub(super) struct Answered {
    pub(super) organisation_id: OrganisationId,
    pub(super) client_id: ClientId,
    pub(super) key: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) fingerprint: Vec<u8>,
    pub(super) status: Option<i32>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) content_type: Option<String>,
    pub(super) location: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) resource_id: Option<Id<()>>,
    pub(super) created_at: Moment,
}

/// What was found by a name, for callers of an organisation.
pub(super) type ByName<T> = HashMap<(OrganisationId, Slug), Option<T>>;

/// What a swift transaction has for all who share it.
#[derive(Default)]
pub(super) struct Swift {
    /// Models and perspectives that were looked up: a swift transaction changes none.
    pub(super) models: ByName<model::Head>,
    pub(super) perspectives: ByName<perspective::Life>,
    pub(super) events: Vec<Happened>,
    pub(super) answers: Vec<Answered>,
}

impl Swift {
    /// Writes what waited until the end. A key that is there already is an error.
    pub(super) fn write(&self, conn: &mut Conn) -> Result<()> {
        insert_few!(conn, events::table, &self.events)?;
        insert_few!(conn, idempotency_keys::table, &self.answers)?;
        Ok(())
    }
}
