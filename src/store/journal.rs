//! The journal of sealed versions, of every kind of resource.

use diesel::{ExpressionMethods, Insertable, QueryDsl, Queryable, RunQueryDsl};

use super::{
    error::Result,
    fork::{Json, Kept, either},
    meters::Counted,
    page::{Page, Position, position_version, version_position},
    schema::sealed_versions::dsl,
    tx::{Tx, visible},
};
use crate::domain::{
    digest::Digest,
    event::Kind,
    id::{ClientId, Id, OrganisationId},
    life_cycle::{Seal, Sealed, Version},
    moment::Moment,
};

#[derive(Insertable)]
#[diesel(table_name = super::schema::sealed_versions, treat_none_as_default_value = false)]
struct NewRow<'a, K: 'static, D: Kept> {
    organisation_id: OrganisationId,
    resource_id: Id<K>,
    version: Version,
    kind: &'static str,
    document: Json<D>,
    levels: Option<Vec<u8>>,
    digest: &'a str,
    sealed_at: Moment,
    sealed_by: ClientId,
}

/// What is kept of a sealed version: its document, and an assessment's levels beside it.
pub(super) type Kept1<D> = (D, Option<Vec<u8>>);

/// The columns of a sealed version, in the order in which they are selected.
pub(super) type Columns<D> = (Version, Json<D>, Option<Vec<u8>>, String, Moment, ClientId);

/// The columns of a sealed version, to be selected as [`Columns`].
macro_rules! columns {
    () => {
        (
            $crate::store::schema::sealed_versions::version,
            $crate::store::schema::sealed_versions::document,
            $crate::store::schema::sealed_versions::levels,
            $crate::store::schema::sealed_versions::digest,
            $crate::store::schema::sealed_versions::sealed_at,
            $crate::store::schema::sealed_versions::sealed_by,
        )
    };
}
pub(super) use columns;

/// The journal, joined by the number that a resource's own row has of its newest version.
macro_rules! newest {
    ($dsl:ident) => {
        $crate::store::journal::newest!($dsl, $crate::store::schema::sealed_versions::version)
    };
    ($dsl:ident, nullable) => {
        $crate::store::journal::newest!(
            $dsl,
            diesel::NullableExpressionMethods::nullable($crate::store::schema::sealed_versions::version)
        )
    };
    ($dsl:ident, $number:expr) => {
        diesel::JoinOnDsl::on(
            $crate::store::schema::sealed_versions::table,
            $crate::store::schema::sealed_versions::organisation_id
                .eq($dsl::organisation_id)
                .and($crate::store::schema::sealed_versions::resource_id.eq($dsl::id))
                .and($number.eq($dsl::version)),
        )
    };
}
pub(super) use newest;

/// Reads a row of [`Columns`].
pub(super) fn sealed<D>(
    (version, Json(document), levels, digest, sealed_at, sealed_by): Columns<D>,
) -> Sealed<Kept1<D>> {
    let seal = Seal {
        digest: Digest::kept(digest),
        sealed_at,
        sealed_by,
    };
    Sealed {
        version,
        content: (document, levels),
        seal,
    }
}

/// A sealed version of what is all in its document.
pub(super) fn without_levels<D>(
    Sealed {
        version,
        content: (content, _),
        seal,
    }: Sealed<Kept1<D>>,
) -> Sealed<D> {
    Sealed { version, content, seal }
}

/// Appends a version. A number that stands already is [`Taken::Version`](super::error::Taken::Version).
pub(super) fn append<K: 'static, D: Kept>(
    tx: &mut Tx<'_>,
    kind: Kind,
    id: Id<K>,
    version: Version,
    document: D,
    levels: Option<&[u8]>,
    seal: &Seal,
) -> Result<()> {
    let row = NewRow {
        organisation_id: tx.own(),
        resource_id: id,
        version,
        kind: kind.key(),
        document: Json(document),
        levels: levels.map(<[u8]>::to_vec),
        digest: seal.digest.as_str(),
        sealed_at: seal.sealed_at,
        sealed_by: seal.sealed_by,
    };
    either!(tx.conn, conn => diesel::insert_into(dsl::sealed_versions).values(row).execute(conn))?;
    tx.count(Counted::Sealed(kind));
    Ok(())
}

/// A visible version of a resource.
pub(super) fn find<K: 'static, D: Kept>(
    tx: &mut Tx<'_>,
    id: Id<K>,
    version: Version,
) -> Result<Option<Sealed<Kept1<D>>>> {
    use diesel::OptionalExtension;
    let row: Option<Columns<D>> = dsl::sealed_versions
        .filter(visible(dsl::organisation_id, tx.own()))
        .filter(dsl::resource_id.eq(id))
        .filter(dsl::version.eq(version))
        .select((
            dsl::version,
            dsl::document,
            dsl::levels,
            dsl::digest,
            dsl::sealed_at,
            dsl::sealed_by,
        ))
        .get_result(tx.conn)
        .optional()?;
    Ok(row.map(sealed))
}

/// A line in the list of a resource's versions.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Line {
    /// The number.
    pub version: Version,
    digest: String,
    sealed_at: Moment,
    sealed_by: ClientId,
}

impl Line {
    /// Its seal.
    pub fn seal(self) -> Seal {
        Seal {
            digest: Digest::kept(self.digest),
            sealed_at: self.sealed_at,
            sealed_by: self.sealed_by,
        }
    }
}

/// A page of the versions of a visible resource, newest first.
pub fn list<K: 'static>(tx: &mut Tx<'_>, id: Id<K>, page: &Page) -> Result<(Vec<Line>, Option<Position>)> {
    let before = page.after.map_or(i32::MAX, position_version);
    let rows: Vec<Line> = dsl::sealed_versions
        .filter(visible(dsl::organisation_id, tx.own()))
        .filter(dsl::resource_id.eq(id))
        .filter(dsl::version.lt(before))
        .order(dsl::version.desc())
        .limit(page.rows())
        .select((dsl::version, dsl::digest, dsl::sealed_at, dsl::sealed_by))
        .load(tx.conn)?;
    Ok(page.cut(rows, |line| version_position(line.version)))
}

/// Deletes one version of a resource, or all of them. Only erasing does this.
pub(super) fn delete<K: 'static>(tx: &mut Tx<'_>, id: Id<K>, version: Option<Version>) -> Result<()> {
    let own = dsl::sealed_versions
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::resource_id.eq(id));
    match version {
        Some(version) => diesel::delete(own.filter(dsl::version.eq(version))).execute(tx.conn)?,
        None => diesel::delete(own).execute(tx.conn)?,
    };
    Ok(())
}
