//! Organisations, as they are kept.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, RunQueryDsl};

use super::{
    error::{Error, Result},
    fork::either,
    schema::organisations::dsl,
    tx::Tx,
};
use crate::domain::{id::OrganisationId, moment::Moment};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// What people call it.
    pub name: String,
    /// Raised by every write.
    pub revision: i64,
    /// When it was created.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
}

#[derive(Insertable)]
#[diesel(table_name = super::schema::organisations, treat_none_as_default_value = false)]
struct NewRow<'a> {
    id: OrganisationId,
    name: &'a str,
    revision: i64,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps the actor's own organisation, which is new.
pub fn create(tx: &mut Tx<'_>, name: &str) -> Result<Organisation> {
    let created = Organisation {
        id: tx.own(),
        name: name.to_owned(),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(dsl::organisations)
        .values(NewRow {
            id: created.id,
            name,
            revision: created.revision,
            created_at: created.created_at,
            updated_at: created.updated_at,
        })
        .execute(tx.conn)?;
    Ok(created)
}

/// Keeps the organisation that owns what is public, unless it is there already. Whether it was this call that did: of
/// several processes on an empty database, exactly one is told so. Whoever comes later waits for the one before.
pub fn create_public(tx: &mut Tx<'_>) -> Result<bool> {
    let create = diesel::insert_into(dsl::organisations)
        .values(NewRow {
            id: OrganisationId::NIL,
            name: "public",
            revision: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
        })
        .on_conflict_do_nothing();
    let created = either!(tx.conn, conn => create.execute(conn))? == 1;
    if !created {
        // Holds the row, and with it everybody else who starts, until the transaction ends.
        diesel::update(dsl::organisations.filter(dsl::id.eq(OrganisationId::NIL)))
            .set(dsl::updated_at.eq(tx.now()))
            .execute(tx.conn)?;
    }
    Ok(created)
}

/// When this database was first started: tells it from all others, and is the same in every backup of it.
pub fn first_start(tx: &mut Tx<'_>) -> Result<Moment> {
    Ok(dsl::organisations
        .filter(dsl::id.eq(OrganisationId::NIL))
        .select(dsl::created_at)
        .first(tx.conn)?)
}

/// The actor's own organisation.
pub fn find(tx: &mut Tx<'_>) -> Result<Option<Organisation>> {
    Ok(dsl::organisations
        .filter(dsl::id.eq(tx.own()))
        .get_result(tx.conn)
        .optional()?)
}

/// Every organisation but the one that owns what is public, oldest first. For the operator alone.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Organisation>> {
    Ok(dsl::organisations
        .filter(dsl::id.ne(OrganisationId::NIL))
        .order(dsl::id.asc())
        .load(tx.conn)?)
}

/// Gives the actor's own organisation another name, if nobody else changed it meanwhile.
pub fn rename(tx: &mut Tx<'_>, organisation: &mut Organisation, name: &str) -> Result<()> {
    let changed = diesel::update(
        dsl::organisations
            .filter(dsl::id.eq(tx.own()))
            .filter(dsl::revision.eq(organisation.revision)),
    )
    .set((
        dsl::name.eq(name),
        dsl::revision.eq(organisation.revision + 1),
        dsl::updated_at.eq(tx.now()),
    ))
    .execute(tx.conn)?;
    if changed != 1 {
        return Err(Error::Contended);
    }
    name.clone_into(&mut organisation.name);
    organisation.revision += 1;
    organisation.updated_at = tx.now();
    Ok(())
}
