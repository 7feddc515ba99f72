//! The gate: what every request asks.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use metrics::gauge;
use quick_cache::sync::Cache;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::{
    Error,
    failures::{Failures, Source},
    keys::{Jwks, KeyRing},
    scope::ScopeSet,
    secret::Verifiers,
    token::{Bearer, Issuer},
};
use crate::{
    domain::{
        access::{Actor, Respondent},
        id::{ClientId, OrganisationId},
        moment::Moment,
    },
    store::{
        auth_revisions, clients,
        clients::Credentials,
        db::{Db, Tx},
        error::Error as StoreError,
        fork::Position,
        keys,
    },
};

pub use super::token::Claims;

/// How often the revision of clients and keys is read.
const EVERY: Duration = Duration::from_secs(2);
/// How soon it is read again when that failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// What was read longer ago lets nobody in.
const OLDEST: Duration = Duration::from_secs(5);
/// How many verified tokens are kept.
const VERIFIED: usize = 16 * 1024;

/// Who may pass, as the database had it a moment ago.
#[derive(Clone)]
struct Snapshot {
    /// When reading it began, by a clock that nobody sets.
    read_at: Instant,
    revision: i64,
    known: Arc<Known>,
}

struct Known {
    keys: KeyRing,
    revoked: HashSet<ClientId>,
}

/// What was read: `known` only where the revision had moved.
struct Reading {
    read_at: Instant,
    revision: i64,
    known: Option<Arc<Known>>,
}

/// A client that proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authenticated {
    /// Whose client it is.
    pub organisation: OrganisationId,
    /// The client.
    pub client: ClientId,
    /// All it may do.
    pub scopes: ScopeSet,
}

impl Authenticated {
    /// The scopes asked for, or all where none are. What is unknown, or beyond the client's, is [`Error::InvalidScope`].
    pub fn narrow(&self, asked: Option<&str>) -> Result<ScopeSet, Error> {
        // RFC 6749, section 3.2: a parameter without a value counts as omitted.
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
            return Ok(self.scopes);
        };
        let asked: ScopeSet = asked.parse().map_err(|_| Error::InvalidScope)?;
        if asked.is_within(self.scopes) {
            Ok(asked)
        } else {
            Err(Error::InvalidScope)
        }
    }
}

/// Lets clients in: verifies tokens without asking the database, issues them, and authenticates those who ask for one.
pub struct Gate {
    inner: Arc<Inner>,
    /// Dropped with the gate, which ends its thread.
    _running: Sender<()>,
}

struct Inner {
    db: Arc<Db>,
    issuer: Issuer,
    snapshot: RwLock<Snapshot>,
    /// Claims and the revision at which they were verified, by the token's SHA-256.
    ///
    /// The revision is kept with each, rather than the cache cleared when it moves: a token that was being verified
    /// meanwhile would come in after the clearing.
    verified: Cache<[u8; 32], (i64, Claims)>,
    secrets: Verifiers,
    failures: Failures,
    /// Tokens of invitations and receipts that led nowhere.
    guesses: Failures,
}

impl Gate {
    /// Reads clients and keys, and starts the thread that reads them again and again. `public_url` is issuer and
    /// audience of every token.
    pub fn start(db: Arc<Db>, public_url: &str) -> Result<Self, Error> {
        let first = db.read_now(Actor::SERVICE, |tx| read(tx, None))?;
        let inner = Arc::new(Inner {
            db,
            issuer: Issuer::new(public_url),
            snapshot: RwLock::new(Snapshot {
                read_at: first.read_at,
                revision: first.revision,
                known: first.known.ok_or(Error::Unavailable)?,
            }),
            verified: Cache::new(VERIFIED),
            secrets: Verifiers::start()?,
            failures: Failures::default(),
            guesses: Failures::default(),
        });
        let (running, stopped) = bounded(0);
        let watched = Arc::clone(&inner);
        let watch = move || {
            let mut pause = EVERY;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = match watched.refresh() {
                    Ok(()) => EVERY,
                    Err(error) => {
                        tracing::warn!(%error, "clients and keys could not be read");
                        AFTER_FAILURE
                    }
                };
            }
        };
        thread::Builder::new()
            .name("gate".to_owned())
            .spawn(watch)
            .map_err(|_| Error::Overloaded)?;
        Ok(Self {
            inner,
            _running: running,
        })
    }

    /// What a token says, if it counts.
    pub fn verify(&self, token: &str, now: Moment) -> Result<Claims, Error> {
        let snapshot = self.inner.snapshot()?;
        let digest = Sha256::digest(token).into();
        let claims = match self.inner.verified.get(&digest) {
            Some((revision, claims)) if revision == snapshot.revision && now < claims.expires_at => claims,
            _ => {
                let claims = self.inner.issuer.verify(token, &snapshot.known.keys, now)?;
                self.inner.verified.insert(digest, (snapshot.revision, claims));
                claims
            }
        };
        if snapshot.known.revoked.contains(&claims.client) {
            return Err(Error::InvalidToken("The client was revoked."));
        }
        Ok(claims)
    }

    /// A token for a client, good for [`LIFETIME_SECONDS`](super::token::LIFETIME_SECONDS).
    pub fn issue(
        &self,
        client: ClientId,
        organisation: OrganisationId,
        scopes: ScopeSet,
        now: Moment,
    ) -> Result<String, Error> {
        let snapshot = self.inner.snapshot()?;
        let key = snapshot.known.keys.signer(now).ok_or(Error::Unavailable)?;
        let bearer = Bearer::Client(client, scopes);
        self.inner.issuer.issue(key, organisation, bearer, now)
    }

    /// A token for somebody who was invited, good for as long.
    pub fn issue_to_respondent(
        &self,
        organisation: OrganisationId,
        respondent: Respondent,
        now: Moment,
    ) -> Result<String, Error> {
        let snapshot = self.inner.snapshot()?;
        let key = snapshot.known.keys.signer(now).ok_or(Error::Unavailable)?;
        let bearer = Bearer::Respondent(respondent);
        self.inner.issuer.issue(key, organisation, bearer, now)
    }

    /// Notes that the token of an invitation or a receipt, presented from there, led nowhere; too many have to wait.
    pub fn guessed(&self, peer: IpAddr) -> Result<(), Error> {
        let (source, now) = (Source::guessing(peer), self.inner.db.now());
        self.inner.guesses.admit_guess(source, now)?;
        self.inner.guesses.note(source, now);
        Ok(())
    }

    /// What a client of this organisation may show later, so as to read what stands at this position.
    pub fn consistency_token(
        &self,
        organisation: OrganisationId,
        position: Position,
        now: Moment,
    ) -> Result<String, Error> {
        let snapshot = self.inner.snapshot()?;
        let key = snapshot.known.keys.signer(now).ok_or(Error::Unavailable)?;
        Ok(key.consistency.token(organisation, position))
    }

    /// The position that a consistency token of this organisation's is for; none where no key of ours signed it.
    pub fn position(&self, organisation: OrganisationId, token: &str, now: Moment) -> Option<Position> {
        let snapshot = self.inner.snapshot().ok()?;
        snapshot
            .known
            .keys
            .published(now)
            .find_map(|key| key.consistency.position(organisation, token))
    }

    /// The published keys.
    pub fn jwks(&self, now: Moment) -> Result<Jwks, Error> {
        Ok(self.inner.snapshot()?.known.keys.jwks(now))
    }

    /// Brings the metrics up to date that tell how things stand.
    pub fn observe(&self) {
        let snapshot = &self.inner.snapshot;
        let age = snapshot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .read_at
            .elapsed();
        gauge!("auth_snapshot_age_seconds").set(age);
        // What was read lately came from a database that answers.
        gauge!("database_up").set(u8::from(age <= OLDEST));
    }

    /// Reads clients and keys now, because this process has just changed them, and hands over when that is done.
    pub fn refresh(&self, done: impl FnOnce(Result<(), Error>) + Send + 'static) {
        self.inner.refresh_then(done);
    }

    /// Hands over who the client is that presents this id and secret from this address.
    pub fn authenticate(
        &self,
        id: &str,
        secret: SecretString,
        peer: IpAddr,
        done: impl FnOnce(Result<Authenticated, Error>) + Send + 'static,
    ) {
        let inner = Arc::clone(&self.inner);
        let source = Source::new(id, peer);
        if let Err(error) = inner.failures.admit(source, inner.db.now()) {
            return done(Err(error));
        }
        match id.parse::<ClientId>() {
            Ok(client) => self.inner.db.read(
                Actor::SERVICE,
                move |tx| clients::credentials(tx, client),
                move |found| match found {
                    Ok(found) => inner.check(source, secret, found.map(|found| (client, found)), done),
                    Err(error) => done(Err(error.into())),
                },
            ),
            Err(_) => inner.check(source, secret, None, done),
        }
    }
}

impl Inner {
    fn snapshot(&self) -> Result<Snapshot, Error> {
        let snapshot = self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone();
        if snapshot.read_at.elapsed() > OLDEST {
            return Err(Error::Unavailable);
        }
        Ok(snapshot)
    }

    /// [`refresh_then`](Self::refresh_then), waiting until it is done.
    fn refresh(self: &Arc<Self>) -> Result<(), Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.refresh_then(move |result| drop(sender.send(result)));
        receiver.recv().unwrap_or(Err(Error::Unavailable))
    }

    fn refresh_then(self: &Arc<Self>, done: impl FnOnce(Result<(), Error>) + Send + 'static) {
        let inner = Arc::clone(self);
        let revision = self.snapshot.read().unwrap_or_else(PoisonError::into_inner).revision;
        self.db.read(
            Actor::SERVICE,
            move |tx| read(tx, Some(revision)),
            move |reading| done(reading.map(|reading| inner.take(reading)).map_err(Error::from)),
        );
    }

    /// Puts what was read in the snapshot's place, unless that was read later.
    fn take(&self, reading: Reading) {
        let mut snapshot = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if reading.read_at < snapshot.read_at {
            return;
        }
        match reading.known {
            Some(known) => {
                *snapshot = Snapshot {
                    read_at: reading.read_at,
                    revision: reading.revision,
                    known,
                }
            }
            None if reading.revision == snapshot.revision => snapshot.read_at = reading.read_at,
            // Unchanged since a revision that is no longer ours.
            None => {}
        }
    }

    /// Verifies the secret, and notes a failure.
    fn check(
        self: Arc<Self>,
        source: Source,
        secret: SecretString,
        found: Option<(ClientId, Credentials)>,
        done: impl FnOnce(Result<Authenticated, Error>) + Send + 'static,
    ) {
        let now = self.db.now();
        let hashes = found
            .as_ref()
            .map(|(_, found)| counting(found, now))
            .unwrap_or_default();
        let inner = Arc::clone(&self);
        let answer = move |verified: Result<bool, Error>| {
            done(match (verified, found) {
                (Ok(true), Some((client, found))) => Ok(Authenticated {
                    organisation: found.organisation,
                    client,
                    scopes: ScopeSet::known(&found.scopes),
                }),
                (Ok(_), _) => {
                    inner.failures.note(source, now);
                    Err(Error::InvalidClient)
                }
                (Err(error), _) => Err(error),
            });
        };
        self.secrets.verify(secret, hashes, Box::new(answer));
    }
}

/// The hashes that count now: none of a revoked client, two of one whose secret was just replaced.
fn counting(found: &Credentials, now: Moment) -> Vec<String> {
    let in_grace = found.previous_secret_until.is_some_and(|until| now < until);
    let previous = found.previous_secret_hash.clone().filter(|_| in_grace);
    let hashes = [Some(found.secret_hash.clone()), previous];
    hashes.into_iter().flatten().filter(|hash| !hash.is_empty()).collect()
}

/// Reads clients and keys, the revision first: what changes meanwhile is then read again, never missed.
fn read(tx: &mut Tx<'_>, known_at: Option<i64>) -> Result<Reading, StoreError> {
    let read_at = Instant::now();
    let revision = auth_revisions::current(tx)?;
    let known = if known_at == Some(revision) {
        None
    } else {
        Some(Arc::new(Known {
            keys: KeyRing::from(keys::live(tx)?),
            revoked: clients::recently_revoked(tx)?.into_iter().collect(),
        }))
    };
    Ok(Reading {
        read_at,
        revision,
        known,
    })
}

#[cfg(test)]
mod tests;
