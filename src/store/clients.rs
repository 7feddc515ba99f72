//! Clients, as they are kept: their secrets only as hashes.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, NullableExpressionMethods, OptionalExtension, QueryDsl,
    Queryable, RunQueryDsl,
};

use super::{
    auth_revisions,
    error::Result,
    page::{Page, Position},
    schema::clients::dsl,
    tombstones,
    tx::Tx,
};
use crate::domain::{
    id::{ClientId, OrganisationId},
    moment::Moment,
    tombstone::Gone,
};

/// A client, without what it proves itself with.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Client {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Its id.
    pub id: ClientId,
    /// What people call it.
    pub name: String,
    /// What it may do, as a space-separated set.
    pub scopes: String,
    /// Raised by every write.
    pub revision: i64,
    /// When it was created.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
    /// When it was revoked, if it was: for good.
    pub revoked_at: Option<Moment>,
}

macro_rules! columns {
    () => {
        (
            dsl::organisation_id,
            dsl::id,
            dsl::name,
            dsl::scopes,
            dsl::revision,
            dsl::created_at,
            dsl::updated_at,
            dsl::revoked_at,
        )
    };
}

/// What a client proves itself with. Hashes are PHC strings.
#[derive(Clone, Queryable)]
pub struct Credentials {
    /// Whose client it is.
    pub organisation: OrganisationId,
    /// What it may do, as a space-separated set.
    pub scopes: String,
    /// The hash of its secret; empty once it was revoked.
    pub secret_hash: String,
    /// The hash of the secret it had before.
    pub previous_secret_hash: Option<String>,
    /// Until when that one counts.
    pub previous_secret_until: Option<Moment>,
}

/// A client to be kept.
#[derive(Clone)]
pub struct NewClient {
    /// Its id, made by the caller: a secret is shown together with it.
    pub id: ClientId,
    /// What people call it.
    pub name: String,
    /// What it may do, as a space-separated set.
    pub scopes: String,
    /// The hash of its secret, a PHC string.
    pub secret_hash: String,
}

#[derive(Insertable)]
#[diesel(table_name = super::schema::clients, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    id: ClientId,
    name: &'a str,
    scopes: &'a str,
    secret_hash: &'a str,
    revision: i64,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps a new client of the actor's organisation.
pub fn insert(tx: &mut Tx<'_>, new: &NewClient) -> Result<Client> {
    let client = Client {
        organisation: tx.own(),
        id: new.id,
        name: new.name.clone(),
        scopes: new.scopes.clone(),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        revoked_at: None,
    };
    diesel::insert_into(dsl::clients)
        .values(NewRow {
            organisation_id: client.organisation,
            id: client.id,
            name: &client.name,
            scopes: &client.scopes,
            secret_hash: &new.secret_hash,
            revision: client.revision,
            created_at: client.created_at,
            updated_at: client.updated_at,
        })
        .execute(tx.conn)?;
    auth_revisions::raise(tx)?;
    Ok(client)
}

/// A client of the actor's organisation, revoked or not.
pub fn find(tx: &mut Tx<'_>, id: ClientId) -> Result<Option<Client>> {
    Ok(dsl::clients
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::id.eq(id))
        .select(columns!())
        .get_result(tx.conn)
        .optional()?)
}

/// A page of the clients of the actor's organisation, newest first, revoked ones among them.
pub fn list(tx: &mut Tx<'_>, page: &Page) -> Result<(Vec<Client>, Option<Position>)> {
    let mut query = dsl::clients
        .filter(dsl::organisation_id.eq(tx.own()))
        .select(columns!())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(ClientId::from_uuid(after.id)));
    }
    let rows: Vec<Client> = query.order(dsl::id.desc()).limit(page.rows()).load(tx.conn)?;
    Ok(page.cut(rows, |client| Position {
        at: None,
        id: client.id.uuid(),
    }))
}

/// What any organisation's client proves itself with: whoever asks for a token is not known yet.
pub fn credentials(tx: &mut Tx<'_>, id: ClientId) -> Result<Option<Credentials>> {
    Ok(dsl::clients
        .filter(dsl::id.eq(id))
        .select((
            dsl::organisation_id,
            dsl::scopes,
            dsl::secret_hash,
            dsl::previous_secret_hash,
            dsl::previous_secret_until,
        ))
        .get_result(tx.conn)
        .optional()?)
}

/// Replaces the secret of one of the organisation's clients; the one before counts for `grace_seconds` more. `false`
/// where there is no such client, or it was revoked.
pub fn replace_secret(tx: &mut Tx<'_>, id: ClientId, hash: &str, grace_seconds: u32) -> Result<bool> {
    // The row as it was is read by the same statement: of two rotations at once, the second keeps the first one's secret.
    let replaced = diesel::update(
        dsl::clients
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(id))
            .filter(dsl::revoked_at.is_null()),
    )
    .set((
        dsl::previous_secret_hash.eq(dsl::secret_hash.nullable()),
        dsl::previous_secret_until.eq(tx.now().plus_seconds(grace_seconds.into())),
        dsl::secret_hash.eq(hash),
        dsl::revision.eq(dsl::revision + 1),
        dsl::updated_at.eq(tx.now()),
    ))
    .execute(tx.conn)?;
    if replaced == 1 {
        tombstones::bury(tx, Gone::SecretReplaced, id.uuid())?;
        auth_revisions::raise(tx)?;
    }
    Ok(replaced == 1)
}

/// Revokes one of the organisation's clients, for good: its hashes are blanked. `false` where there is no such client,
/// or it was revoked before.
pub fn revoke(tx: &mut Tx<'_>, id: ClientId) -> Result<bool> {
    let revoked = diesel::update(
        dsl::clients
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(id))
            .filter(dsl::revoked_at.is_null()),
    )
    .set((
        dsl::secret_hash.eq(""),
        dsl::previous_secret_hash.eq(None::<String>),
        dsl::previous_secret_until.eq(None::<Moment>),
        dsl::revoked_at.eq(tx.now()),
        dsl::revision.eq(dsl::revision + 1),
        dsl::updated_at.eq(tx.now()),
    ))
    .execute(tx.conn)?;
    if revoked == 1 {
        tombstones::bury(tx, Gone::ClientRevoked, id.uuid())?;
        auth_revisions::raise(tx)?;
    }
    Ok(revoked == 1)
}

/// Takes away every secret of one of the organisation's clients that has not changed since `at`: a secret that is known
/// to have been replaced then. `false` where nothing was taken.
pub fn lock(tx: &mut Tx<'_>, id: ClientId, at: Moment) -> Result<bool> {
    let locked = diesel::update(
        dsl::clients
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(id))
            .filter(dsl::revoked_at.is_null())
            .filter(dsl::updated_at.lt(at)),
    )
    .set((
        dsl::secret_hash.eq(""),
        dsl::previous_secret_hash.eq(None::<String>),
        dsl::previous_secret_until.eq(None::<Moment>),
        dsl::revision.eq(dsl::revision + 1),
        dsl::updated_at.eq(tx.now()),
    ))
    .execute(tx.conn)?;
    if locked == 1 {
        auth_revisions::raise(tx)?;
    }
    Ok(locked == 1)
}

/// How long a revoked client is remembered, in seconds: longer than any token of it can live.
const REMEMBERED_SECONDS: i64 = 20 * 60;

/// The clients of all organisations that were revoked so recently that a token of theirs may still be about.
pub fn recently_revoked(tx: &mut Tx<'_>) -> Result<Vec<ClientId>> {
    let since = tx.now().plus_seconds(-REMEMBERED_SECONDS);
    Ok(dsl::clients
        .filter(dsl::revoked_at.is_not_null().and(dsl::revoked_at.gt(since)))
        .select(dsl::id)
        .load(tx.conn)?)
}
