//! The one number that moves whenever a client or a signing key changes, so that every process can ask cheaply.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl};

use super::{error::Result, fork::either, schema::auth_revisions::dsl, tx::Tx};
use crate::domain::id::OrganisationId;

/// Clients and keys are read by every process as one, so their revision is the service's own.
const OWNER: OrganisationId = OrganisationId::NIL;

/// The revision of clients and keys; 0 before anything was kept.
pub fn current(tx: &mut Tx<'_>) -> Result<i64> {
    let revision = dsl::auth_revisions
        .filter(dsl::organisation_id.eq(OWNER))
        .select(dsl::revision)
        .get_result(tx.conn)
        .optional()?;
    Ok(revision.unwrap_or(0))
}

#[derive(Insertable)]
#[diesel(table_name = super::schema::auth_revisions, treat_none_as_default_value = false)]
struct NewRow {
    organisation_id: OrganisationId,
    revision: i64,
}

/// Raises the revision, in the transaction that changes a client or a key.
pub(super) fn raise(tx: &mut Tx<'_>) -> Result<()> {
    let raise = diesel::insert_into(dsl::auth_revisions)
        .values(NewRow {
            organisation_id: OWNER,
            revision: 1,
        })
        .on_conflict(dsl::organisation_id)
        .do_update()
        .set(dsl::revision.eq(dsl::revision + 1));
    either!(tx.conn, conn => raise.execute(conn))?;
    Ok(())
}
