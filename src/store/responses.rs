//! What respondents answer, as it is kept: until they submit it, and of anonymous rounds for ever. No times, no order, no journal.

use diesel::{
    ExpressionMethods, Insertable, NullableExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl,
    dsl::{count, count_star},
};

use super::{
    assessments::{self, Found, Words},
    error::{Error, Result},
    fork::{Changes, Json, either},
    invitations,
    meters::Counted,
    schema::responses::{self, dsl},
    tx::Tx,
};
use crate::domain::{
    access::Respondent,
    assessment::Life,
    digest::Digest,
    event::Kind,
    id::{AssessmentId, ClientId, ModelId, OrganisationId, RoundId},
    life_cycle::{Draft, Seal, Sealed, Version, Versioned},
    ratings::Levels,
    slug::Slug,
};

type Row = (
    ModelId,
    i64,
    (Option<Version>, Option<Json<Words>>, Option<Vec<u8>>, Option<String>),
    (Option<Json<Words>>, Option<Vec<u8>>, Option<Version>),
);

macro_rules! own {
    ($tx:expr, $id:expr) => {
        dsl::responses
            .filter(dsl::organisation_id.eq($tx.own()))
            .filter(dsl::id.eq($id))
    };
}

/// Whether the acting respondent's assessment is kept here: until it is submitted and, of an anonymous round, afterwards.
pub fn has(tx: &Tx<'_>, life: &Life) -> bool {
    let is_here = |respondent: Respondent| respondent.is_anonymous() || life.versioned.newest.is_none();
    tx.actor.respondent.is_some_and(is_here)
}

/// A respondent's assessment, where it is kept here.
pub fn find(tx: &mut Tx<'_>, respondent: &Respondent, id: AssessmentId) -> Result<Option<Found>> {
    let query = own!(tx, id).filter(dsl::round_id.eq(respondent.round)).select((
        dsl::model_id,
        dsl::revision,
        (dsl::version, dsl::document, dsl::levels, dsl::digest),
        (dsl::draft, dsl::draft_levels, dsl::draft_based_on),
    ));
    let row: Option<Row> = either!(tx.conn, conn => query.get_result(conn)).optional()?;
    let Some((model, revision, newest, (draft, draft_levels, based_on))) = row else {
        return Ok(None);
    };
    let draft = match draft {
        Some(Json(words)) => Some(Draft {
            based_on,
            content: words.answers(tx, model, draft_levels)?,
        }),
        None => None,
    };
    let newest = match newest {
        (Some(version), Some(Json(words)), levels, Some(digest)) => Some(Sealed {
            version,
            content: words.answers(tx, model, levels)?,
            seal: Seal {
                digest: Digest::kept(digest),
                sealed_at: respondent.since,
                sealed_by: ClientId::NIL,
            },
        }),
        _ => None,
    };
    if draft.is_none() && newest.is_none() {
        return Ok(None);
    }
    let versioned = Versioned {
        revision,
        draft,
        newest,
    };
    let life = Life {
        id,
        created_at: respondent.since,
        updated_at: respondent.since,
        withdrawn_at: None,
        versioned,
    };
    Ok(Some(Found { model, life }))
}

/// Whether something was submitted with the token that leads to this id.
pub fn is_used(tx: &mut Tx<'_>, id: AssessmentId) -> Result<bool> {
    let row: Option<(Option<Version>, bool)> = own!(tx, id)
        .select((dsl::version, dsl::draft.is_not_null()))
        .get_result(tx.conn)
        .optional()?;
    Ok(row == Some((None, false)))
}

#[derive(Insertable)]
#[diesel(table_name = responses, treat_none_as_default_value = false)]
struct NewRow {
    organisation_id: OrganisationId,
    id: AssessmentId,
    round_id: RoundId,
    model_id: ModelId,
    perspective: String,
    revision: i64,
    version: Option<Version>,
    document: Option<Json<Words>>,
    levels: Option<Vec<u8>>,
    digest: Option<String>,
    draft: Option<Json<Words>>,
    draft_levels: Option<Vec<u8>>,
}

fn apart(parts: Option<(Words, Levels)>) -> (Option<Json<Words>>, Option<Vec<u8>>) {
    match parts {
        Some((words, levels)) => (Some(Json(words)), Some(levels.as_bytes().to_vec())),
        None => (None, None),
    }
}

/// Keeps what was not there before. Where it is there by now, the work is done anew.
pub(super) fn insert(tx: &mut Tx<'_>, found: &Found) -> Result<()> {
    let Found { model, life } = found;
    let (Some(round_id), Some(shown)) = (life.round(), life.versioned.shown()) else {
        return Err(Error::Corrupt("a response without a round"));
    };
    let newest = life.versioned.newest.as_ref();
    let sealed = newest
        .map(|sealed| Words::of(tx, *model, &sealed.content))
        .transpose()?;
    let draft = life.versioned.draft.as_ref();
    let draft = draft.map(|draft| Words::of(tx, *model, &draft.content)).transpose()?;
    let ((document, levels), (draft, draft_levels)) = (apart(sealed), apart(draft));
    let row = NewRow {
        organisation_id: tx.own(),
        id: life.id,
        round_id,
        model_id: *model,
        perspective: shown.perspective.to_string(),
        revision: life.versioned.revision,
        version: newest.map(|sealed| sealed.version),
        document,
        levels,
        digest: newest.map(|sealed| sealed.seal.digest.as_str().to_owned()),
        draft,
        draft_levels,
    };
    let statement = diesel::insert_into(dsl::responses).values(row).on_conflict_do_nothing();
    if either!(tx.conn, conn => statement.execute(conn))? == 1 {
        Ok(())
    } else {
        Err(Error::Contended)
    }
}

/// Keeps what changed since `before`, if nobody else changed it meanwhile, and raises the revision. What got another id by being
/// submitted moves there.
pub(super) fn save(tx: &mut Tx<'_>, before: &Life, found: &mut Found) -> Result<()> {
    if found.life.id != before.id {
        return submit(tx, before, found);
    }
    let Found { model, life } = found;
    let newest = life.versioned.newest.as_ref();
    let sealed = newest
        .map(|sealed| Words::of(tx, *model, &sealed.content))
        .transpose()?;
    let based_on = life.versioned.draft.as_ref().and_then(|draft| draft.based_on);
    let draft = life.versioned.draft.as_ref();
    let draft = draft.map(|draft| Words::of(tx, *model, &draft.content)).transpose()?;
    let ((document, levels), (draft, draft_levels)) = (apart(sealed), apart(draft));
    let update = diesel::update(own!(tx, life.id).filter(dsl::revision.eq(before.versioned.revision))).set((
        dsl::revision.eq(before.versioned.revision + 1),
        dsl::version.eq(newest.map(|sealed| sealed.version)),
        dsl::document.eq(document),
        dsl::levels.eq(levels),
        dsl::digest.eq(newest.map(|sealed| sealed.seal.digest.as_str().to_owned())),
        dsl::draft.eq(draft),
        dsl::draft_levels.eq(draft_levels),
        dsl::draft_based_on.eq(based_on),
    ));
    let changed = either!(tx.conn, conn => conn.change(update))?;
    life.versioned.revision = before.versioned.revision + 1;
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// Moves what was submitted to the id of its receipt: what stays behind only says that the token was used.
fn submit(tx: &mut Tx<'_>, before: &Life, found: &mut Found) -> Result<()> {
    let blank = diesel::update(own!(tx, before.id).filter(dsl::revision.eq(before.versioned.revision))).set((
        dsl::revision.eq(0),
        dsl::draft.eq(None::<Json<Words>>),
        dsl::draft_levels.eq(None::<Vec<u8>>),
    ));
    if either!(tx.conn, conn => conn.change(blank))? != 1 {
        return Err(Error::Contended);
    }
    found.life.versioned.revision = 1;
    if has(tx, &found.life) {
        tx.count(Counted::Sealed(Kind::Assessment));
        return insert(tx, found);
    }
    // From now on it is an assessment like any other, but for who may see it.
    invitations::submitted(tx, before.id, found.life.id)?;
    let submitted = found.life.clone();
    let Some(Sealed { content, .. }) = &submitted.versioned.newest else {
        return Err(Error::Corrupt("nothing to submit"));
    };
    let drafted = Life {
        created_at: tx.now(),
        versioned: Versioned::drafted(content.clone()),
        ..submitted.clone()
    };
    found.life = drafted.clone();
    assessments::insert_submitted(tx, found)?;
    found.life = Life {
        created_at: drafted.created_at,
        ..submitted
    };
    assessments::save_submitted(tx, &drafted, found)
}

/// Erases it.
pub(super) fn erase(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let erased =
        diesel::delete(own!(tx, life.id).filter(dsl::revision.eq(life.versioned.revision))).execute(tx.conn)?;
    tx.count(Counted::Erased);
    if erased == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// Erases what a tombstone names, if it is there. Where it is not, what was saved before it was submitted may be, under another
/// id: then everything goes that was saved and not submitted to any of the organisation's rounds.
pub fn erase_again(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Option<RoundId>> {
    tx.by_itself()?;
    tx.leave_no_trace();
    let round: Option<RoundId> = own!(tx, id).select(dsl::round_id).get_result(tx.conn).optional()?;
    if round.is_some() {
        diesel::delete(own!(tx, id)).execute(tx.conn)?;
    } else {
        let saved = dsl::responses.filter(dsl::organisation_id.eq(tx.own()));
        diesel::delete(saved.filter(dsl::version.is_null())).execute(tx.conn)?;
    }
    Ok(round)
}

/// Erases what was not submitted to a round, with all that says which tokens were used.
pub fn close(tx: &mut Tx<'_>, round: RoundId) -> Result<()> {
    tx.by_itself()?;
    let of_round = || {
        dsl::responses
            .filter(dsl::organisation_id.eq(tx.actor.organisation))
            .filter(dsl::round_id.eq(round))
    };
    let mut erased = diesel::delete(of_round().filter(dsl::version.is_null())).execute(tx.conn)?;
    erased += diesel::update(of_round().filter(dsl::draft.is_not_null()))
        .set((
            dsl::draft.eq(None::<Json<Words>>),
            dsl::draft_levels.eq(None::<Vec<u8>>),
            dsl::draft_based_on.eq(None::<Version>),
        ))
        .execute(tx.conn)?;
    if erased > 0 {
        tx.leave_no_trace();
    }
    Ok(())
}

/// How many of a round are saved, and how many submitted, by perspective.
pub(super) fn progress(tx: &mut Tx<'_>, round: RoundId) -> Result<Vec<(String, i64, i64)>> {
    let query = dsl::responses
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::round_id.eq(round))
        // One that only says that its token was used is neither.
        .filter(dsl::revision.ne(0))
        .group_by(dsl::perspective)
        .select((dsl::perspective, count_star(), count(dsl::version)));
    Ok(either!(tx.conn, conn => query.load(conn))?)
}

/// What somebody submitted to an anonymous round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Under which id. Not for anybody to see.
    pub id: AssessmentId,
    /// Its newest version.
    pub version: Version,
    /// From which perspective.
    pub perspective: Slug,
    /// The levels.
    pub levels: Levels,
}

type SubmittedRow = (AssessmentId, Option<Version>, String, Option<Vec<u8>>);

/// What was submitted to an anonymous round, in the order of ids that say nothing.
pub fn submitted(tx: &mut Tx<'_>, round: RoundId) -> Result<Vec<Submitted>> {
    let query = dsl::responses
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::round_id.eq(round))
        .filter(dsl::version.is_not_null())
        .order(dsl::id)
        .select((dsl::id, dsl::version, dsl::perspective, dsl::levels));
    let rows: Vec<SubmittedRow> = either!(tx.conn, conn => query.load(conn))?;
    let submitted = |(id, version, perspective, levels): SubmittedRow| {
        Ok(Submitted {
            id,
            version: version.unwrap_or_default(),
            perspective: perspective.parse().map_err(|_| Error::Corrupt("a slug"))?,
            levels: Levels::from_bytes(levels.unwrap_or_default()),
        })
    };
    rows.into_iter().map(submitted).collect()
}

/// Whose, of which round and from which perspective what a receipt leads to is. Without an organisation: whoever redeems a
/// receipt names none.
pub fn of_receipt(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Option<(OrganisationId, RoundId, Slug)>> {
    use super::schema::assessments::dsl as submitted;
    let here = dsl::responses
        .filter(dsl::id.eq(id))
        .filter(dsl::version.is_not_null())
        .select((dsl::organisation_id, dsl::round_id.nullable(), dsl::perspective));
    let there = submitted::assessments
        .filter(submitted::id.eq(id))
        .filter(submitted::round_id.is_not_null())
        .select((submitted::organisation_id, submitted::round_id, submitted::perspective));
    // Both are asked whatever the first finds, so that an answer takes as long.
    let here: Option<(OrganisationId, Option<RoundId>, String)> = here.get_result(tx.conn).optional()?;
    let there: Option<(OrganisationId, Option<RoundId>, String)> = there.get_result(tx.conn).optional()?;
    here.or(there)
        .and_then(|(organisation, round, perspective)| Some((organisation, round?, perspective)))
        .map(|(organisation, round, perspective)| {
            let perspective = perspective.parse().map_err(|_| Error::Corrupt("a slug"))?;
            Ok((organisation, round, perspective))
        })
        .transpose()
}
