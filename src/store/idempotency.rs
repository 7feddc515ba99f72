//! Answers to requests that may come twice.

use diesel::{ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, RunQueryDsl};
use uuid::Uuid;

use super::{
    error::{Error, Result},
    fork::{Changes, either},
    schema::idempotency_keys::{self, dsl},
    swift::Answered,
    tx::Tx,
};
use crate::domain::{
    id::{ClientId, Id, OrganisationId},
    moment::Moment,
};

/// How long an answer is kept, in seconds: 24 hours.
pub const KEPT_FOR: i64 = 24 * 60 * 60;

/// A key, and what it belongs to besides its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key as the client chose it.
    pub key: String,
    /// The method of the request.
    pub method: String,
    /// The path of the request.
    pub path: String,
    /// The SHA-256 of what was asked: query and body.
    pub fingerprint: Vec<u8>,
}

/// An answer as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// The body's media type.
    pub content_type: Option<String>,
    /// The `Location` header.
    pub location: Option<String>,
    /// The `ETag` header.
    pub etag: Option<String>,
    /// What the answer is about: erasing that blanks the answer.
    pub resource: Option<Uuid>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: the request is to be done now, and its answer remembered.
    New,
    /// The same request was answered so before.
    Answered(Answer),
    /// It was answered, and what it was about has been erased since.
    Erased,
    /// The key was used for another request.
    Reused,
}

#[derive(Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    client_id: ClientId,
    key: &'a str,
    method: &'a str,
    path: &'a str,
    fingerprint: &'a [u8],
    created_at: Moment,
}

#[derive(Queryable)]
struct Row {
    fingerprint: Vec<u8>,
    status: Option<i32>,
    body: Option<Vec<u8>>,
    content_type: Option<String>,
    location: Option<String>,
    etag: Option<String>,
    erased_at: Option<Moment>,
    created_at: Moment,
}

macro_rules! row {
    ($tx:expr, $key:expr) => {
        dsl::idempotency_keys
            .filter(dsl::organisation_id.eq($tx.own()))
            .filter(dsl::client_id.eq($tx.actor.client))
            .filter(dsl::key.eq(&$key.key))
            .filter(dsl::method.eq(&$key.method))
            .filter(dsl::path.eq(&$key.path))
    };
}

/// Claims a key, or says what is known of it. While the first request with a key runs, the next waits here.
pub fn claim(tx: &mut Tx<'_>, key: &Key) -> Result<Claim> {
    if tx.is_swift() {
        return Ok(Claim::New);
    }
    let claimed = insert(tx, key).map_err(|error| match error {
        Error::LockTimeout => Error::StillRunning,
        other => other,
    });
    if claimed? {
        return Ok(Claim::New);
    }
    if let Some(known) = known(tx, key)? {
        return Ok(known);
    }
    // It had expired: another row takes its place.
    diesel::delete(row!(tx, key)).execute(tx.conn)?;
    if insert(tx, key)? {
        Ok(Claim::New)
    } else {
        Err(Error::Contended)
    }
}

/// What is known of a key, if anything is.
pub fn known(tx: &mut Tx<'_>, key: &Key) -> Result<Option<Claim>> {
    let row: Option<Row> = row!(tx, key)
        .select((
            dsl::fingerprint,
            dsl::status,
            dsl::body,
            dsl::content_type,
            dsl::location,
            dsl::etag,
            dsl::erased_at,
            dsl::created_at,
        ))
        .get_result(tx.conn)
        .optional()?;
    let Some(row) = row.filter(|row| row.created_at.plus_seconds(KEPT_FOR) > tx.now()) else {
        return Ok(None);
    };
    if row.erased_at.is_some() {
        return Ok(Some(Claim::Erased));
    }
    if row.fingerprint != key.fingerprint {
        return Ok(Some(Claim::Reused));
    }
    let status = row
        .status
        .and_then(|status| u16::try_from(status).ok())
        .ok_or(Error::Corrupt("an unanswered key"))?;
    Ok(Some(Claim::Answered(Answer {
        status,
        body: row.body.unwrap_or_default(),
        content_type: row.content_type,
        location: row.location,
        etag: row.etag,
        resource: None,
    })))
}

fn insert(tx: &mut Tx<'_>, key: &Key) -> Result<bool> {
    let row = NewRow {
        organisation_id: tx.own(),
        client_id: tx.actor.client,
        key: &key.key,
        method: &key.method,
        path: &key.path,
        fingerprint: &key.fingerprint,
        created_at: tx.now(),
    };
    let statement = diesel::insert_into(dsl::idempotency_keys)
        .values(row)
        .on_conflict_do_nothing();
    Ok(either!(tx.conn, conn => statement.execute(conn))? == 1)
}

/// Keeps the answer to the request that claimed the key; in a swift transaction, claims it only now.
pub fn remember(tx: &mut Tx<'_>, key: &Key, answer: Answer) -> Result<()> {
    let (organisation_id, client_id, created_at) = (tx.own(), tx.actor.client, tx.now());
    if let Some(swift) = &mut tx.swift {
        swift.answers.push(Answered {
            organisation_id,
            client_id,
            key: key.key.clone(),
            method: key.method.clone(),
            path: key.path.clone(),
            fingerprint: key.fingerprint.clone(),
            status: Some(i32::from(answer.status)),
            body: Some(answer.body),
            content_type: answer.content_type,
            location: answer.location,
            etag: answer.etag,
            resource_id: answer.resource.map(Id::from_uuid),
            created_at,
        });
        return Ok(());
    }
    let update = diesel::update(row!(tx, key)).set((
        dsl::status.eq(i32::from(answer.status)),
        dsl::body.eq(&answer.body),
        dsl::content_type.eq(&answer.content_type),
        dsl::location.eq(&answer.location),
        dsl::etag.eq(&answer.etag),
        dsl::resource_id.eq(answer.resource.map(Id::<()>::from_uuid)),
    ));
    either!(tx.conn, conn => conn.change(update))?;
    Ok(())
}

/// Blanks every answer about a resource; its keys stay, so that a retry learns that it is gone.
pub fn blank<K: 'static>(tx: &mut Tx<'_>, resource: Id<K>) -> Result<()> {
    tx.by_itself()?;
    diesel::update(
        dsl::idempotency_keys
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::resource_id.eq(resource)),
    )
    .set((
        dsl::body.eq(None::<Vec<u8>>),
        dsl::fingerprint.eq(Vec::new()),
        dsl::location.eq(None::<String>),
        dsl::etag.eq(None::<String>),
        dsl::erased_at.eq(Some(tx.now())),
    ))
    .execute(tx.conn)?;
    Ok(())
}

/// Deletes the keys of all organisations that are older than they are kept for.
pub fn delete_expired(tx: &mut Tx<'_>) -> Result<usize> {
    let before = tx.now().plus_seconds(-KEPT_FOR);
    tx.leave_no_trace();
    Ok(diesel::delete(dsl::idempotency_keys.filter(dsl::created_at.lt(before))).execute(tx.conn)?)
}
