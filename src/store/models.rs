//! Models, as they are kept.

use std::sync::Arc;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, NullableExpressionMethods, OptionalExtension, QueryDsl,
    Queryable, RunQueryDsl, dsl::exists, select,
};

use super::{
    error::{Error, Result, Taken},
    fork::{Json, either},
    journal,
    page::{Page, Position},
    schema::models::dsl,
    tx::{Tx, visible},
};
use crate::domain::{
    event::Kind,
    id::{ModelId, OrganisationId},
    life_cycle::{Draft, Sealed, Version, Versioned},
    model::{Definition, Head, Life},
    moment::Moment,
    slug::Slug,
};

/// A sealed version of a model. It never changes, so it is read from the database once.
pub type SealedModel = Sealed<Definition>;

#[derive(Queryable)]
struct HeadRow {
    organisation_id: OrganisationId,
    id: ModelId,
    slug: String,
    revision: i64,
    version: Option<Version>,
    has_draft: bool,
    retired_at: Option<Moment>,
}

impl TryFrom<HeadRow> for Head {
    type Error = Error;

    fn try_from(row: HeadRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            owner: row.organisation_id,
            slug: row.slug.parse().map_err(|_| Error::Corrupt("a slug"))?,
            revision: row.revision,
            version: row.version,
            has_draft: row.has_draft,
            retired_at: row.retired_at,
        })
    }
}

macro_rules! head_columns {
    () => {
        (
            dsl::organisation_id,
            dsl::id,
            dsl::slug,
            dsl::revision,
            dsl::version,
            dsl::draft.is_not_null(),
            dsl::retired_at,
        )
    };
}

/// By which name a model is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Its id.
    Id(ModelId),
    /// Its slug.
    Slug(Slug),
}

/// The state of a visible model, without what it says.
pub fn head(tx: &mut Tx<'_>, name: &Name) -> Result<Option<Head>> {
    let visible = dsl::models
        .filter(visible(dsl::organisation_id, tx.own()))
        .select(head_columns!());
    let read = |row: Option<HeadRow>| row.map(Head::try_from).transpose();
    match name {
        Name::Id(id) => read(either!(tx.conn, conn => visible.filter(dsl::id.eq(*id)).get_result(conn)).optional()?),
        Name::Slug(slug) => tx.by_name(
            |swift| &mut swift.models,
            slug,
            |tx| {
                read(
                    either!(tx.conn, conn => visible.filter(dsl::slug.eq(slug.as_str())).get_result(conn))
                        .optional()?,
                )
            },
        ),
    }
}

/// A page of visible models, newest first: one query.
pub fn list(tx: &mut Tx<'_>, page: &Page) -> Result<(Vec<Life>, Option<Position>)> {
    type Row = (
        HeadRow,
        Option<Json<Definition>>,
        Option<Version>,
        Option<journal::Columns<Definition>>,
    );
    let mut query = dsl::models
        .left_join(journal::newest!(dsl, nullable))
        .filter(visible(dsl::organisation_id, tx.own()))
        .select((
            head_columns!(),
            dsl::draft,
            dsl::draft_based_on,
            journal::columns!().nullable(),
        ))
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(ModelId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.order(dsl::id.desc()).limit(page.rows()).load(tx.conn)?;
    let (rows, next) = page.cut(rows, |row| Position {
        at: None,
        id: row.0.id.uuid(),
    });
    let lives = rows.into_iter().map(|(head, draft, based_on, newest)| {
        let head = Head::try_from(head)?;
        let draft = draft.map(|Json(content)| Draft { based_on, content });
        let newest = newest.map(journal::sealed).map(journal::without_levels);
        Ok(Life {
            id: head.id,
            owner: head.owner,
            slug: head.slug,
            retired_at: head.retired_at,
            versioned: Versioned {
                revision: head.revision,
                draft,
                newest,
            },
        })
    });
    Ok((lives.collect::<Result<_>>()?, next))
}

/// A sealed version of a model that was found visible.
pub fn sealed(tx: &mut Tx<'_>, id: ModelId, version: Version) -> Result<Option<Arc<SealedModel>>> {
    if let Some(model) = tx.models.get(&(id, version)) {
        return Ok(Some(model));
    }
    let found = journal::find::<_, Definition>(tx, id, version)?;
    Ok(found.map(|found| {
        let model = Arc::new(journal::without_levels(found));
        tx.models.insert((id, version), Arc::clone(&model));
        model
    }))
}

/// A sealed version that something else refers to, so that it must be there.
pub fn sealed_for_sure(tx: &mut Tx<'_>, id: ModelId, version: Version) -> Result<Arc<SealedModel>> {
    sealed(tx, id, version)?.ok_or(Error::Corrupt("a model version is missing"))
}

/// A visible model's whole life: its draft and its newest version.
pub fn life(tx: &mut Tx<'_>, head: &Head) -> Result<Life> {
    let draft: Option<(Option<Json<Definition>>, Option<Version>)> = if head.has_draft {
        dsl::models
            .filter(dsl::organisation_id.eq(head.owner))
            .filter(dsl::id.eq(head.id))
            .select((dsl::draft, dsl::draft_based_on))
            .get_result(tx.conn)
            .optional()?
    } else {
        None
    };
    let draft = draft.and_then(|(document, based_on)| document.map(|Json(content)| Draft { based_on, content }));
    let newest = match head.version {
        Some(version) => Some(SealedModel::clone(&*sealed_for_sure(tx, head.id, version)?)),
        None => None,
    };
    Ok(Life {
        id: head.id,
        owner: head.owner,
        slug: head.slug.clone(),
        retired_at: head.retired_at,
        versioned: Versioned {
            revision: head.revision,
            draft,
            newest,
        },
    })
}

/// Every sealed version, oldest first.
pub fn history(tx: &mut Tx<'_>, head: &Head) -> Result<Vec<Arc<SealedModel>>> {
    (1..=head.version.unwrap_or(0))
        .map(|version| sealed_for_sure(tx, head.id, version))
        .collect()
}

#[derive(Insertable)]
#[diesel(table_name = super::schema::models, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    id: ModelId,
    slug: &'a str,
    revision: i64,
    version: Option<Version>,
    draft: Option<Json<Definition>>,
    draft_based_on: Option<Version>,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps a new model. A slug that the organisation, or the service itself, uses already is [`Taken::Slug`].
pub fn insert(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    tx.by_itself()?;
    let public = dsl::models
        .filter(dsl::organisation_id.eq(OrganisationId::NIL))
        .filter(dsl::slug.eq(life.slug.as_str()));
    if !tx.own().is_nil() && select(exists(public)).get_result(tx.conn)? {
        return Err(Error::Taken(Taken::Slug));
    }
    let draft = life.versioned.draft.clone();
    diesel::insert_into(dsl::models)
        .values(NewRow {
            organisation_id: tx.own(),
            id: life.id,
            slug: life.slug.as_str(),
            revision: life.versioned.revision,
            version: life.versioned.newest.as_ref().map(|sealed| sealed.version),
            draft_based_on: draft.as_ref().and_then(|draft| draft.based_on),
            draft: draft.map(|draft| Json(draft.content)),
            created_at: tx.now(),
            updated_at: tx.now(),
        })
        .execute(tx.conn)?;
    Ok(())
}

/// Keeps what changed, if nobody else changed it meanwhile, and raises the revision.
pub fn save(tx: &mut Tx<'_>, life: &mut Life) -> Result<()> {
    tx.by_itself()?;
    let draft = life.versioned.draft.clone();
    let changed = diesel::update(
        dsl::models
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(life.id))
            .filter(dsl::revision.eq(life.versioned.revision)),
    )
    .set((
        dsl::revision.eq(life.versioned.revision + 1),
        dsl::version.eq(life.versioned.newest.as_ref().map(|sealed| sealed.version)),
        dsl::draft_based_on.eq(draft.as_ref().and_then(|draft| draft.based_on)),
        dsl::draft.eq(draft.map(|draft| Json(draft.content))),
        dsl::retired_at.eq(life.retired_at),
        dsl::updated_at.eq(tx.now()),
    ))
    .execute(tx.conn)?;
    life.versioned.revision += 1;
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// Appends the newest version to the journal.
pub fn seal(tx: &mut Tx<'_>, id: ModelId, sealed: &SealedModel) -> Result<()> {
    journal::append(
        tx,
        Kind::Model,
        id,
        sealed.version,
        sealed.content.clone(),
        None,
        &sealed.seal,
    )
}

/// Deletes a model that was never published.
pub fn delete(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    tx.by_itself()?;
    let deleted = diesel::delete(
        dsl::models
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(life.id))
            .filter(dsl::revision.eq(life.versioned.revision)),
    )
    .execute(tx.conn)?;
    if deleted == 1 { Ok(()) } else { Err(Error::Contended) }
}
