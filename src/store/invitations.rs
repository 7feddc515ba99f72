//! Invitations, as they are kept: never their tokens.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, RunQueryDsl};

use super::{
    error::{Error, Result},
    fork::{Changes, Json, either},
    page::{Page, Position},
    schema::{
        assessments::dsl as assessments,
        invitations::{self, dsl},
        responses::dsl as responses,
    },
    tx::Tx,
};
use crate::domain::{
    external_id::ExternalId,
    id::{AssessmentId, InvitationId, OrganisationId, RoundId},
    slug::Slug,
};

/// An invitation, without its token.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The round.
    pub round: RoundId,
    /// From which perspective it is answered: a slug.
    pub perspective: String,
    /// How many can redeem it.
    pub uses: i32,
    /// How many of these have.
    pub used: i32,
    /// Whether it was made for somebody who redeemed a shared one.
    pub is_personal: bool,
    /// Who is invited, in a named round.
    pub label: Option<String>,
    /// The same, by their name in another system.
    pub external_id: Option<ExternalId>,
    /// Under which id they answer, in a named round.
    pub response: Option<AssessmentId>,
}

#[derive(Queryable)]
struct Row {
    id: InvitationId,
    round: RoundId,
    perspective: String,
    uses: i32,
    used: i32,
    is_personal: bool,
    label: Option<String>,
    external_id: Option<Json<ExternalId>>,
    response: Option<AssessmentId>,
}

impl From<Row> for Invitation {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            round: row.round,
            perspective: row.perspective,
            uses: row.uses,
            used: row.used,
            is_personal: row.is_personal,
            label: row.label,
            external_id: row.external_id.map(|Json(external_id)| external_id),
            response: row.response,
        }
    }
}

macro_rules! columns {
    () => {
        (
            dsl::id,
            dsl::round_id,
            dsl::perspective,
            dsl::uses,
            dsl::used,
            dsl::is_personal,
            dsl::label,
            dsl::external_id,
            dsl::response_id,
        )
    };
}

/// A new invitation.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInvitation {
    /// Its id.
    pub id: InvitationId,
    /// SHA-256("i" ‖ token).
    pub token_hash: [u8; 32],
    /// From which perspective it is answered: a slug.
    pub perspective: String,
    /// How many can redeem it.
    pub uses: i32,
    /// Whether it is made for somebody who redeems a shared one.
    pub is_personal: bool,
    /// Who is invited, in a named round.
    pub label: Option<String>,
    /// The same, by their name in another system.
    pub external_id: Option<ExternalId>,
    /// Under which id they answer, in a named round.
    pub response: Option<AssessmentId>,
}

#[derive(Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
struct NewRow {
    organisation_id: OrganisationId,
    id: InvitationId,
    round_id: RoundId,
    token_hash: Vec<u8>,
    perspective: String,
    uses: i32,
    used: i32,
    is_personal: bool,
    label: Option<String>,
    external_id: Option<Json<ExternalId>>,
    response_id: Option<AssessmentId>,
}

/// Lets nobody else invite to a round until this transaction ends, so that together they do not invite more than may be, and nobody to
/// what is being changed.
pub fn hold(tx: &mut Tx<'_>, round: RoundId) -> Result<()> {
    tx.hold("invitations", &[&round.to_string()], true)
}

/// Keeps new invitations to a round.
pub fn insert(tx: &mut Tx<'_>, round_id: RoundId, new: Vec<NewInvitation>) -> Result<()> {
    let organisation_id = tx.own();
    let rows: Vec<NewRow> = new
        .into_iter()
        .map(|new| NewRow {
            organisation_id,
            id: new.id,
            round_id,
            token_hash: new.token_hash.to_vec(),
            perspective: new.perspective,
            uses: new.uses,
            used: 0,
            is_personal: new.is_personal,
            label: new.label,
            external_id: new.external_id.map(Json),
            response_id: new.response,
        })
        .collect();
    either!(tx.conn, conn => diesel::insert_into(invitations::table).values(&rows).execute(conn))?;
    Ok(())
}

/// A page of a round's invitations, newest first, without those that were made for who redeemed a shared one.
pub fn list(
    tx: &mut Tx<'_>,
    round: RoundId,
    perspective: Option<&Slug>,
    page: &Page,
) -> Result<(Vec<Invitation>, Option<Position>)> {
    let mut query = dsl::invitations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::round_id.eq(round))
        .filter(dsl::is_personal.eq(false))
        .select(columns!())
        .into_boxed();
    if let Some(perspective) = perspective {
        query = query.filter(dsl::perspective.eq(perspective.as_str()));
    }
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(InvitationId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.order(dsl::id.desc()).limit(page.rows()).load(tx.conn)?;
    let found = rows.into_iter().map(Invitation::from).collect();
    Ok(page.cut(found, |invitation: &Invitation| Position {
        at: None,
        id: invitation.id.uuid(),
    }))
}

/// From which perspectives anybody is invited to a round: slugs.
pub fn perspectives(tx: &mut Tx<'_>, round: RoundId) -> Result<Vec<String>> {
    Ok(dsl::invitations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::round_id.eq(round))
        .select(dsl::perspective)
        .distinct()
        .load(tx.conn)?)
}

/// One of a round's invitations, unless it was made for who redeemed a shared one.
pub fn find(tx: &mut Tx<'_>, round: RoundId, id: InvitationId) -> Result<Option<Invitation>> {
    let row: Option<Row> = dsl::invitations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::round_id.eq(round))
        .filter(dsl::id.eq(id))
        .filter(dsl::is_personal.eq(false))
        .select(columns!())
        .get_result(tx.conn)
        .optional()?;
    Ok(row.map(Invitation::from))
}

/// Whose invitation a token is for. Whoever redeems it does not say.
pub fn owner(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<OrganisationId>> {
    let query = dsl::invitations
        .filter(dsl::token_hash.eq(token_hash.as_slice()))
        .select(dsl::organisation_id);
    Ok(either!(tx.conn, conn => query.get_result(conn)).optional()?)
}

/// The organisation's invitation that a token is for.
pub fn of_token(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<Invitation>> {
    let query = dsl::invitations
        .filter(dsl::token_hash.eq(token_hash.as_slice()))
        .filter(dsl::organisation_id.eq(tx.own()))
        .select(columns!());
    let row: Option<Row> = either!(tx.conn, conn => query.get_result(conn)).optional()?;
    Ok(row.map(Invitation::from))
}

/// The invitation in a named round to answer under this id.
pub fn of_response(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Option<Invitation>> {
    let row: Option<Row> = dsl::invitations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::response_id.eq(id))
        .select(columns!())
        .get_result(tx.conn)
        .optional()?;
    Ok(row.map(Invitation::from))
}

/// Takes one use of a shared invitation, if any is left.
pub fn take(tx: &mut Tx<'_>, id: InvitationId) -> Result<bool> {
    let left = dsl::invitations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .filter(dsl::used.lt(dsl::uses));
    Ok(diesel::update(left).set(dsl::used.eq(dsl::used + 1)).execute(tx.conn)? == 1)
}

/// Ends an invitation.
pub fn delete(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<()> {
    let own = dsl::invitations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(invitation.id))
        .filter(dsl::used.eq(invitation.used));
    if diesel::delete(own).execute(tx.conn)? == 1 {
        Ok(())
    } else {
        Err(Error::Contended)
    }
}

/// In a named round, whoever answered under one id is from now on found by the other.
pub(super) fn submitted(tx: &mut Tx<'_>, from: AssessmentId, to: AssessmentId) -> Result<()> {
    let own = dsl::invitations
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::response_id.eq(from));
    let update = diesel::update(own).set(dsl::response_id.eq(to));
    either!(tx.conn, conn => conn.change(update))?;
    Ok(())
}

/// Of the ids under which people answer in a named round: which have saved something, and whether it was submitted.
pub fn answered(tx: &mut Tx<'_>, ids: &[AssessmentId]) -> Result<BTreeMap<AssessmentId, bool>> {
    let saved: Vec<AssessmentId> = responses::responses
        .filter(responses::organisation_id.eq(tx.own()))
        .filter(responses::id.eq_any(ids))
        .select(responses::id)
        .load(tx.conn)?;
    let submitted: Vec<AssessmentId> = assessments::assessments
        .filter(assessments::organisation_id.eq(tx.own()))
        .filter(assessments::id.eq_any(ids))
        .filter(assessments::withdrawn_at.is_null())
        .select(assessments::id)
        .load(tx.conn)?;
    let saved = saved.into_iter().map(|id| (id, false));
    Ok(saved.chain(submitted.into_iter().map(|id| (id, true))).collect())
}
