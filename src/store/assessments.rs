//! Assessments, as they are kept: levels as one byte an element, words beside them.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, IntoSql, NullableExpressionMethods, OptionalExtension,
    QueryDsl, RunQueryDsl, sql_types::Bool,
};
use serde::{Deserialize, Serialize};

use super::{
    constellations,
    disclosure::disclosed,
    error::{Error, Result},
    external_ids,
    fork::{Changes, Json, either},
    journal,
    meters::Counted,
    models, responses,
    schema::assessments::{self, dsl},
    tx::Tx,
};
use crate::domain::{
    assessment::{Answers, Life},
    event::Kind,
    external_id::ExternalId,
    id::{AssessmentId, ModelId, OrganisationId, RelationshipId, RoundId},
    life_cycle::{Draft, Sealed, Version, Versioned},
    moment::Moment,
    ratings::{self, Levels, Remarks},
    slug::Slug,
};

/// Answers without their levels: what is kept as a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Words {
    model: Slug,
    model_version: Version,
    perspective: Slug,
    perspective_version: Version,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relationship: Option<RelationshipId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    round: Option<RoundId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    respondent_ref: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    external_ids: Vec<ExternalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    research_consent: Option<bool>,
    #[serde(default, skip_serializing_if = "Remarks::is_empty")]
    remarks: Remarks,
}

impl Words {
    /// Takes answers apart; the levels go in the order of the model version's elements.
    pub(super) fn of(tx: &mut Tx<'_>, model: ModelId, answers: &Answers) -> Result<(Self, Levels)> {
        let definition = models::sealed_for_sure(tx, model, answers.model_version)?;
        let (levels, remarks) = ratings::pack(&answers.ratings, definition.content.keys());
        let words = Self {
            model: answers.model.clone(),
            model_version: answers.model_version,
            perspective: answers.perspective.clone(),
            perspective_version: answers.perspective_version,
            relationship: answers.relationship,
            round: answers.round,
            respondent_ref: answers.respondent_ref.clone(),
            external_ids: answers.external_ids.clone(),
            research_consent: answers.research_consent,
            remarks,
        };
        Ok((words, levels))
    }

    /// Puts answers together again.
    pub(super) fn answers(self, tx: &mut Tx<'_>, model: ModelId, levels: Option<Vec<u8>>) -> Result<Answers> {
        let ratings = match levels {
            Some(levels) => {
                let definition = models::sealed_for_sure(tx, model, self.model_version)?;
                ratings::unpack(&Levels::from_bytes(levels), self.remarks, definition.content.keys())
            }
            None => ratings::Ratings::new(),
        };
        Ok(Answers {
            model: self.model,
            model_version: self.model_version,
            perspective: self.perspective,
            perspective_version: self.perspective_version,
            relationship: self.relationship,
            round: self.round,
            respondent_ref: self.respondent_ref,
            external_ids: self.external_ids,
            research_consent: self.research_consent,
            ratings,
        })
    }
}

/// An assessment's own row: everything but its newest sealed version.
pub(super) type Head = (
    AssessmentId,
    ModelId,
    i64,
    Option<Moment>,
    Moment,
    Moment,
    Option<Json<Words>>,
    Option<Vec<u8>>,
    Option<Version>,
);
pub(super) type Newest = Option<(
    Version,
    Json<Words>,
    Option<Vec<u8>>,
    String,
    Moment,
    crate::domain::id::ClientId,
)>;

pub(super) fn life(tx: &mut Tx<'_>, head: Head, newest: Newest) -> Result<(ModelId, Life)> {
    let (id, model, revision, withdrawn_at, created_at, updated_at, draft, draft_levels, based_on) = head;
    let draft = match draft {
        Some(Json(words)) => Some(Draft {
            based_on,
            content: words.answers(tx, model, draft_levels)?,
        }),
        None => None,
    };
    let newest = match newest.map(journal::sealed) {
        Some(Sealed {
            version,
            content: (words, levels),
            seal,
        }) => Some(Sealed {
            version,
            content: words.answers(tx, model, levels)?,
            seal,
        }),
        None => None,
    };
    let versioned = Versioned {
        revision,
        draft,
        newest,
    };
    Ok((
        model,
        Life {
            id,
            created_at,
            updated_at,
            withdrawn_at,
            versioned,
        },
    ))
}

/// An assessment and the id of its model.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its model.
    pub model: ModelId,
    /// The assessment.
    pub life: Life,
}

/// One of the organisation's assessments: one query, by primary key.
pub fn find(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Option<Found>> {
    let query = dsl::assessments
        .left_join(journal::newest!(dsl, nullable))
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .filter(disclosed!().or(tx.sees_concealed().into_sql::<Bool>()))
        .select((
            (
                dsl::id,
                dsl::model_id,
                dsl::revision,
                dsl::withdrawn_at,
                dsl::created_at,
                dsl::updated_at,
                dsl::draft,
                dsl::draft_levels,
                dsl::draft_based_on,
            ),
            journal::columns!().nullable(),
        ));
    let row: Option<(Head, Newest)> = either!(tx.conn, conn => query.get_result(conn)).optional()?;
    row.map(|(head, newest)| life(tx, head, newest).map(|(model, life)| Found { model, life }))
        .transpose()
}

/// Lets nobody else put an assessment under this name until the transaction ends.
pub fn hold_name(tx: &mut Tx<'_>, name: &ExternalId) -> Result<()> {
    tx.hold("assessment by external id", &[&name.system, &name.value], true)
}

/// The assessment with this name in another system.
pub fn find_by_external_id(tx: &mut Tx<'_>, name: &ExternalId) -> Result<Option<Found>> {
    match external_ids::find(tx, Kind::Assessment, name)? {
        Some(id) => find(tx, id),
        None => Ok(None),
    }
}

/// A sealed version of one of the organisation's assessments, and when the assessment was made.
pub fn version(tx: &mut Tx<'_>, id: AssessmentId, version: Version) -> Result<Option<(Moment, Sealed<Answers>)>> {
    let head: Option<(ModelId, Moment)> = dsl::assessments
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .filter(disclosed!().or(tx.sees_concealed().into_sql::<Bool>()))
        .select((dsl::model_id, dsl::created_at))
        .get_result(tx.conn)
        .optional()?;
    let Some((model, created_at)) = head else {
        return Ok(None);
    };
    let Some(Sealed {
        version,
        content: (words, levels),
        seal,
    }) = journal::find::<_, Words>(tx, id, version)?
    else {
        return Ok(None);
    };
    Ok(Some((
        created_at,
        Sealed {
            version,
            content: words.answers(tx, model, levels)?,
            seal,
        },
    )))
}

#[derive(Insertable)]
#[diesel(table_name = assessments, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    id: AssessmentId,
    model_id: ModelId,
    model: &'a str,
    model_version: Version,
    perspective: &'a str,
    revision: i64,
    draft: Json<Words>,
    draft_levels: &'a [u8],
    created_at: Moment,
    updated_at: Moment,
    relationship_id: Option<RelationshipId>,
    round_id: Option<RoundId>,
}

/// Keeps a new assessment, which is a draft.
pub fn insert(tx: &mut Tx<'_>, found: &Found) -> Result<()> {
    if responses::has(tx, &found.life) {
        return responses::insert(tx, found);
    }
    insert_submitted(tx, found)
}

/// [`insert`], past the place where what respondents save is kept until they submit it.
pub(super) fn insert_submitted(tx: &mut Tx<'_>, found: &Found) -> Result<()> {
    let Found { model, life } = found;
    let Some(Draft { content, .. }) = &life.versioned.draft else {
        return Err(Error::Corrupt("a new assessment without a draft"));
    };
    if let Some(relationship) = content.relationship {
        constellations::hold(tx, relationship)?;
    }
    let (words, levels) = Words::of(tx, *model, content)?;
    let row = NewRow {
        organisation_id: tx.own(),
        id: life.id,
        model_id: *model,
        model: content.model.as_str(),
        model_version: content.model_version,
        perspective: content.perspective.as_str(),
        revision: life.versioned.revision,
        draft: Json(words),
        draft_levels: levels.as_bytes(),
        created_at: life.created_at,
        updated_at: life.updated_at,
        relationship_id: content.relationship,
        round_id: content.round,
    };
    either!(tx.conn, conn => diesel::insert_into(dsl::assessments).values(row).execute(conn))?;
    if content.external_ids.is_empty() {
        return Ok(());
    }
    external_ids::replace(tx, Kind::Assessment, life.id, content.external_ids.iter())
}

/// Keeps what changed since `before`, if nobody else changed it meanwhile, and raises the revision.
pub fn save(tx: &mut Tx<'_>, before: &Life, found: &mut Found) -> Result<()> {
    if responses::has(tx, before) {
        return responses::save(tx, before, found);
    }
    save_submitted(tx, before, found)
}

/// [`save`], likewise.
pub(super) fn save_submitted(tx: &mut Tx<'_>, before: &Life, found: &mut Found) -> Result<()> {
    let Found { model, life } = found;
    let draft = match &life.versioned.draft {
        Some(Draft { based_on, content }) => Some((Words::of(tx, *model, content)?, *based_on)),
        None => None,
    };
    let (words, levels, based_on) = match draft {
        Some(((words, levels), based_on)) => (Some(Json(words)), Some(levels), based_on),
        None => (None, None, None),
    };
    let newest = life.versioned.newest.as_ref();
    let Some(shown) = life.versioned.shown() else {
        return Err(Error::Corrupt("an assessment without content"));
    };
    let own = dsl::assessments
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(life.id));
    let update = diesel::update(own.filter(dsl::revision.eq(before.versioned.revision))).set((
        dsl::revision.eq(before.versioned.revision + 1),
        dsl::model_version.eq(shown.model_version),
        dsl::version.eq(newest.map(|sealed| sealed.version)),
        dsl::draft.eq(words),
        dsl::draft_levels.eq(levels.as_ref().map(Levels::as_bytes)),
        dsl::draft_based_on.eq(based_on),
        dsl::submitted_at.eq(newest.map(|sealed| sealed.seal.sealed_at)),
        dsl::withdrawn_at.eq(life.withdrawn_at),
        dsl::updated_at.eq(tx.now()),
    ));
    let changed = either!(tx.conn, conn => conn.change(update))?;
    life.versioned.revision = before.versioned.revision + 1;
    life.updated_at = tx.now();
    if changed != 1 {
        return Err(Error::Contended);
    }
    let mut names: Vec<_> = names(life).collect();
    let mut names_before: Vec<_> = self::names(before).collect();
    names.sort();
    names_before.sort();
    if names == names_before {
        return Ok(());
    }
    external_ids::replace(tx, Kind::Assessment, life.id, names.into_iter())
}

/// An assessment is found by the names in its draft and in its newest sealed version.
fn names(life: &Life) -> impl Iterator<Item = &ExternalId> {
    let draft = life
        .versioned
        .draft
        .iter()
        .flat_map(|draft| &draft.content.external_ids);
    let newest = life
        .versioned
        .newest
        .iter()
        .flat_map(|sealed| &sealed.content.external_ids);
    draft.chain(newest)
}

/// Appends the newest sealed version to the journal.
pub fn seal(tx: &mut Tx<'_>, found: &Found) -> Result<()> {
    if responses::has(tx, &found.life) {
        // Its newest version is all that is kept of it.
        return Ok(());
    }
    let Some(Sealed { version, content, seal }) = &found.life.versioned.newest else {
        return Err(Error::Corrupt("nothing to seal"));
    };
    let (words, levels) = Words::of(tx, found.model, content)?;
    journal::append(
        tx,
        Kind::Assessment,
        found.life.id,
        *version,
        words,
        Some(levels.as_bytes()),
        seal,
    )
}

/// Erases an assessment: its row, every version of it, and its names in other systems.
pub fn erase(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    tx.leave_no_trace();
    if responses::has(tx, life) {
        return responses::erase(tx, life);
    }
    let own = dsl::assessments
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(life.id));
    let erased = diesel::delete(own.filter(dsl::revision.eq(life.versioned.revision))).execute(tx.conn)?;
    if erased != 1 {
        return Err(Error::Contended);
    }
    journal::delete(tx, life.id, None)?;
    tx.count(Counted::Erased);
    external_ids::release(tx, life.id)
}
