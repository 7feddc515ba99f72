//! Agreed readings, as they are kept: one a round, whose id it has.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl};

use super::{
    error::{Error, Result},
    fork::either,
    journal,
    schema::agreed_readings::{self, dsl},
    tx::Tx,
};
use crate::domain::{
    agreed_reading::{Content, Life},
    event::Kind,
    id::{OrganisationId, RoundId},
    life_cycle::{Sealed, Version},
    moment::Moment,
};

fn without_levels(sealed: Sealed<journal::Kept1<Content>>) -> Sealed<Content> {
    let Sealed {
        version,
        content: (content, _),
        seal,
    } = sealed;
    Sealed { version, content, seal }
}

/// The agreed reading of one of the organisation's rounds.
pub fn find(tx: &mut Tx<'_>, round: RoundId) -> Result<Option<Life>> {
    let query = dsl::agreed_readings
        .inner_join(journal::newest!(dsl))
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(round))
        .select((dsl::revision, journal::columns!()));
    let row: Option<(i64, journal::Columns<Content>)> = either!(tx.conn, conn => query.get_result(conn)).optional()?;
    Ok(row.map(|(revision, columns)| Life {
        round,
        revision,
        newest: without_levels(journal::sealed(columns)),
    }))
}

/// A version of the agreed reading of one of the organisation's rounds.
pub fn version(tx: &mut Tx<'_>, round: RoundId, version: Version) -> Result<Option<Sealed<Content>>> {
    Ok(journal::find::<_, Content>(tx, round, version)?.map(without_levels))
}

#[derive(Insertable)]
#[diesel(table_name = agreed_readings, treat_none_as_default_value = false)]
struct NewRow {
    organisation_id: OrganisationId,
    id: RoundId,
    revision: i64,
    version: Version,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps the first version. Where another came between, the work is done anew.
pub fn insert(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let row = NewRow {
        organisation_id: tx.own(),
        id: life.round,
        revision: life.revision,
        version: life.newest.version,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(dsl::agreed_readings).values(row).execute(tx.conn)?;
    seal(tx, life)
}

/// Keeps the next version, if nobody else changed the reading meanwhile, and raises the revision.
pub fn save(tx: &mut Tx<'_>, life: &mut Life) -> Result<()> {
    let changed = diesel::update(
        dsl::agreed_readings
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(life.round))
            .filter(dsl::revision.eq(life.revision)),
    )
    .set((
        dsl::revision.eq(life.revision + 1),
        dsl::version.eq(life.newest.version),
        dsl::updated_at.eq(tx.now()),
    ))
    .execute(tx.conn)?;
    life.revision += 1;
    if changed == 1 {
        seal(tx, life)
    } else {
        Err(Error::Contended)
    }
}

fn seal(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let Sealed { version, content, seal } = &life.newest;
    journal::append(
        tx,
        Kind::AgreedReading,
        life.round,
        *version,
        content.clone(),
        None,
        seal,
    )
}
