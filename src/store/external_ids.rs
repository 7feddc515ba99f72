//! Which resource a name in another system belongs to.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl};

use super::{
    error::Result,
    fork::either,
    schema::external_ids::{self, dsl},
    tx::Tx,
};
use crate::domain::{
    event::Kind,
    external_id::ExternalId,
    id::{Id, OrganisationId},
};

#[derive(Insertable)]
#[diesel(table_name = external_ids, treat_none_as_default_value = false)]
struct NewRow<'a, K: 'static> {
    organisation_id: OrganisationId,
    kind: &'static str,
    system: &'a str,
    value: &'a str,
    resource_id: Id<K>,
}

/// Makes these the names of a resource, in place of those it had. A name that another resource has is
/// [`Taken::ExternalId`](super::error::Taken::ExternalId).
pub(super) fn replace<'a, K: 'static>(
    tx: &mut Tx<'_>,
    kind: Kind,
    id: Id<K>,
    names: impl Iterator<Item = &'a ExternalId>,
) -> Result<()> {
    release(tx, id)?;
    let organisation_id = tx.own();
    let rows: Vec<_> = names
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(|name| NewRow {
            organisation_id,
            kind: kind.key(),
            system: &name.system,
            value: &name.value,
            resource_id: id,
        })
        .collect();
    if !rows.is_empty() {
        either!(tx.conn, conn => diesel::insert_into(dsl::external_ids).values(&rows).execute(conn))?;
    }
    Ok(())
}

/// Frees every name of a resource.
pub(super) fn release<K: 'static>(tx: &mut Tx<'_>, id: Id<K>) -> Result<()> {
    diesel::delete(
        dsl::external_ids
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::resource_id.eq(id)),
    )
    .execute(tx.conn)?;
    Ok(())
}

/// The resource of this kind that has this name.
pub(super) fn find<K: 'static>(tx: &mut Tx<'_>, kind: Kind, name: &ExternalId) -> Result<Option<Id<K>>> {
    Ok(dsl::external_ids
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::kind.eq(kind.key()))
        .filter(dsl::system.eq(&name.system))
        .filter(dsl::value.eq(&name.value))
        .select(dsl::resource_id)
        .get_result(tx.conn)
        .optional()?)
}
