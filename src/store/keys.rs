//! Signing keys, as they are kept. They are the service's own.

use std::fmt;

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, RunQueryDsl};
use secrecy::{ExposeSecret, SecretSlice};

use super::{auth_revisions, error::Result, schema::signing_keys::dsl, tx::Tx};
use crate::domain::{
    id::{KeyId, OrganisationId},
    moment::Moment,
};

/// How long a key is published after it was retired, in seconds: longer than any token it signed can live.
pub const PUBLISHED_AFTER_SECONDS: i64 = 20 * 60;

/// A key pair that was just made.
#[derive(Clone)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// The private key, in PKCS#8 (RFC 5958).
    pub private_key: SecretSlice<u8>,
    /// The public key, 32 bytes (RFC 8032).
    pub public_key: Vec<u8>,
}

/// A key that signs, did lately, or will soon.
#[derive(Clone)]
pub struct Key {
    /// Its id, the private and the public key.
    pub pair: NewKey,
    /// From when it signs.
    pub active_from: Moment,
    /// From when another one signs in its stead: this may lie ahead.
    pub retired_at: Option<Moment>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.pair.id)
            .field("active_from", &self.active_from)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

#[derive(Queryable)]
struct Row {
    id: KeyId,
    private_key: Vec<u8>,
    public_key: Vec<u8>,
    active_from: Moment,
    retired_at: Option<Moment>,
}

impl From<Row> for Key {
    fn from(row: Row) -> Self {
        Self {
            pair: NewKey {
                id: row.id,
                private_key: row.private_key.into(),
                public_key: row.public_key,
            },
            active_from: row.active_from,
            retired_at: row.retired_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = super::schema::signing_keys, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    id: KeyId,
    private_key: &'a [u8],
    public_key: &'a [u8],
    created_at: Moment,
    active_from: Moment,
}

/// Keeps a key, which signs from `active_from`.
pub fn insert(tx: &mut Tx<'_>, key: &NewKey, active_from: Moment) -> Result<()> {
    diesel::insert_into(dsl::signing_keys)
        .values(NewRow {
            organisation_id: OrganisationId::NIL,
            id: key.id,
            private_key: key.private_key.expose_secret(),
            public_key: &key.public_key,
            created_at: tx.now(),
            active_from,
        })
        .execute(tx.conn)?;
    auth_revisions::raise(tx)
}

/// Deletes every key but one: what the others signed counts no more.
pub fn delete_others(tx: &mut Tx<'_>, kept: KeyId) -> Result<()> {
    diesel::delete(
        dsl::signing_keys
            .filter(dsl::organisation_id.eq(OrganisationId::NIL))
            .filter(dsl::id.ne(kept)),
    )
    .execute(tx.conn)?;
    auth_revisions::raise(tx)
}

/// Every key that is published, oldest first.
pub fn live(tx: &mut Tx<'_>) -> Result<Vec<Key>> {
    let since = tx.now().plus_seconds(-PUBLISHED_AFTER_SECONDS);
    let rows: Vec<Row> = dsl::signing_keys
        .filter(dsl::organisation_id.eq(OrganisationId::NIL))
        .filter(dsl::retired_at.is_null().or(dsl::retired_at.gt(since)))
        .select((
            dsl::id,
            dsl::private_key,
            dsl::public_key,
            dsl::active_from,
            dsl::retired_at,
        ))
        .order((dsl::active_from.asc(), dsl::id.asc()))
        .load(tx.conn)?;
    Ok(rows.into_iter().map(Key::from).collect())
}

/// Retires every key but the one that replaces them, from the moment it signs.
pub fn retire_others(tx: &mut Tx<'_>, replacement: KeyId, from: Moment) -> Result<()> {
    diesel::update(
        dsl::signing_keys
            .filter(dsl::organisation_id.eq(OrganisationId::NIL))
            .filter(dsl::id.ne(replacement))
            .filter(dsl::retired_at.is_null()),
    )
    .set(dsl::retired_at.eq(from))
    .execute(tx.conn)?;
    auth_revisions::raise(tx)
}
