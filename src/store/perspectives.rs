//! Perspectives, as they are kept.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl, dsl::exists, select,
};

use super::{
    error::{Error, Result, Taken},
    fork::either,
    journal,
    page::{Page, Position},
    schema::perspectives::{self, dsl},
    tx::{Tx, visible},
};
use crate::domain::{
    event::Kind,
    id::{OrganisationId, PerspectiveId},
    life_cycle::{Sealed, Version},
    moment::Moment,
    perspective::{Description, Life},
    slug::Slug,
};

/// By which name a perspective is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Its id.
    Id(PerspectiveId),
    /// Its slug.
    Slug(Slug),
}

type Row = (
    OrganisationId,
    PerspectiveId,
    String,
    i64,
    journal::Columns<Description>,
);

fn life((owner, id, slug, revision, columns): Row) -> Result<Life> {
    let slug = slug.parse().map_err(|_| Error::Corrupt("a slug"))?;
    Ok(Life {
        id,
        owner,
        slug,
        revision,
        newest: journal::without_levels(journal::sealed(columns)),
    })
}

macro_rules! with_newest {
    ($tx:expr) => {
        dsl::perspectives
            .inner_join(journal::newest!(dsl))
            .filter(visible(dsl::organisation_id, $tx.own()))
            .select((
                dsl::organisation_id,
                dsl::id,
                dsl::slug,
                dsl::revision,
                journal::columns!(),
            ))
    };
}

/// A visible perspective.
pub fn find(tx: &mut Tx<'_>, name: &Name) -> Result<Option<Life>> {
    let read = |row: Option<Row>| row.map(life).transpose();
    match name {
        Name::Id(id) => {
            let query = with_newest!(tx).filter(dsl::id.eq(*id));
            read(either!(tx.conn, conn => query.get_result(conn)).optional()?)
        }
        Name::Slug(slug) => tx.by_name(
            |swift| &mut swift.perspectives,
            slug,
            |tx| {
                let query = with_newest!(tx).filter(dsl::slug.eq(slug.as_str()));
                read(either!(tx.conn, conn => query.get_result(conn)).optional()?)
            },
        ),
    }
}

/// A page of visible perspectives, newest first.
pub fn list(tx: &mut Tx<'_>, page: &Page) -> Result<(Vec<Life>, Option<Position>)> {
    let mut query = with_newest!(tx).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(PerspectiveId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.order(dsl::id.desc()).limit(page.rows()).load(tx.conn)?;
    let (rows, next) = page.cut(rows, |row| Position {
        at: None,
        id: row.1.uuid(),
    });
    Ok((rows.into_iter().map(life).collect::<Result<_>>()?, next))
}

/// A version of a visible perspective.
pub fn version(tx: &mut Tx<'_>, id: PerspectiveId, version: Version) -> Result<Option<Sealed<Description>>> {
    Ok(journal::find::<_, Description>(tx, id, version)?.map(journal::without_levels))
}

#[derive(Insertable)]
#[diesel(table_name = perspectives, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    id: PerspectiveId,
    slug: &'a str,
    revision: i64,
    version: Version,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps a new perspective and its first version. A slug that the organisation, or the service itself, uses already is
/// [`Taken::Slug`].
pub fn insert(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    tx.by_itself()?;
    let public = dsl::perspectives
        .filter(dsl::organisation_id.eq(OrganisationId::NIL))
        .filter(dsl::slug.eq(life.slug.as_str()));
    if !tx.own().is_nil() && select(exists(public)).get_result(tx.conn)? {
        return Err(Error::Taken(Taken::Slug));
    }
    diesel::insert_into(dsl::perspectives)
        .values(NewRow {
            organisation_id: tx.own(),
            id: life.id,
            slug: life.slug.as_str(),
            revision: life.revision,
            version: life.newest.version,
            created_at: tx.now(),
            updated_at: tx.now(),
        })
        .execute(tx.conn)?;
    seal(tx, life)
}

/// Keeps the next version, if nobody else changed the perspective meanwhile, and raises the revision.
pub fn save(tx: &mut Tx<'_>, life: &mut Life) -> Result<()> {
    tx.by_itself()?;
    let changed = diesel::update(
        dsl::perspectives
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(life.id))
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
    journal::append(tx, Kind::Perspective, life.id, *version, content.clone(), None, seal)
}
