//! Who calls, with which scope, and what they may read and write.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap, HeaderName},
    web::Data,
};
use metrics::counter;
use sha2::{Digest, Sha256};
use tokio::{sync::oneshot, time::timeout};

use super::{
    bearer::bearer,
    body::Fingerprint,
    problem::{self, Problem},
    query,
    reply::Reply,
    trace,
};
use crate::{
    auth::{
        self,
        gate::Gate,
        scope::{Requires, ScopeSet},
        token::Claims,
    },
    domain::access::Actor,
    service::{self, Expected},
    store::{
        self,
        db::{Db, Tx},
        fork::Position,
        idempotency::{self, Claim, Key},
    },
};

/// How long the database may take over one request: longer than anybody there waits for a lock.
const PATIENCE: Duration = Duration::from_secs(15);
/// How far the database has to be for a caller to read what it wrote.
const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("consistency-token");

/// A caller whose token has the scope `S`. A handler without one sees no data.
pub struct Caller<S> {
    claims: Claims,
    request: HttpRequest,
    scope: PhantomData<S>,
}

impl<S: Requires> FromRequest for Caller<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::let_in(request, |claims| claims.scopes.contains(S::SCOPE)))
    }
}

impl<S: Requires> Caller<S> {
    /// Whoever has a token that counts, if it allows this.
    pub(super) fn let_in(request: &HttpRequest, allows: impl Fn(&Claims) -> bool) -> Result<Self, Problem> {
        Ok(Self {
            claims: authorized(request, S::SCOPE.as_str(), allows)?,
            request: request.clone(),
            scope: PhantomData,
        })
    }
}

/// Whoever calls an operation that is for everybody. They, too, name no parameters that it does not take.
pub struct Anyone;

impl FromRequest for Anyone {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(check_query(request).map(|()| Self))
    }
}

fn authorized(request: &HttpRequest, scope: &str, has_scope: impl Fn(&Claims) -> bool) -> Result<Claims, Problem> {
    let (Some(gate), Some(db)) = (request.app_data::<Data<Gate>>(), request.app_data::<Data<Db>>()) else {
        return Err(Problem::unavailable());
    };
    let token = bearer(request.headers()).inspect_err(|_| refused("no_token"))?;
    let claims = gate.verify(token, db.now()).inspect_err(|error| {
        refused(match error {
            auth::Error::InvalidToken(_) => "invalid_token",
            _ => "unavailable",
        });
    })?;
    trace::record_caller(request, &claims);
    if !has_scope(&claims) {
        refused("insufficient_scope");
        return Err(Problem::insufficient_scope(scope));
    }
    check_query(request)?;
    Ok(claims)
}

/// Counts a caller who was not let in.
fn refused(reason: &'static str) {
    counter!("auth_requests_refused_total", "reason" => reason).increment(1);
}

/// Refuses parameters of an operation that takes none.
fn check_query(request: &HttpRequest) -> Result<(), Problem> {
    let takes_query = || trace::operation(request).is_some_and(|operation| operation.takes_query);
    if request.query_string().is_empty() || takes_query() {
        return Ok(());
    }
    query::none(request.query_string())
}

impl<S> Caller<S> {
    /// On whose behalf the work is done.
    pub fn actor(&self) -> Actor {
        Actor {
            organisation: self.claims.organisation,
            client: self.claims.client,
            respondent: self.claims.respondent,
        }
    }

    /// What the caller's token allows.
    pub fn scopes(&self) -> ScopeSet {
        self.claims.scopes
    }

    /// The request.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Which revision the request is for: `If-Match`, a leading `W/` and the suffix of a representation aside.
    pub fn expected(&self) -> Result<Expected, Problem> {
        let Some(tags) = list(self.request.headers(), &header::IF_MATCH)? else {
            return Ok(Expected::Unsaid);
        };
        if tags.trim() == "*" {
            return Ok(Expected::Any);
        }
        // A tag that none of ours looks like is the tag of no revision.
        Ok(Expected::OneOf(tags.split(',').filter_map(revision).collect()))
    }

    /// [`expected`](Self::expected), or that there must be nothing yet: `If-None-Match: *`.
    pub fn expected_or_absent(&self) -> Result<Expected, Problem> {
        match list(self.request.headers(), &header::IF_NONE_MATCH)? {
            Some(tags) if tags.trim() == "*" => Ok(Expected::Absent),
            _ => self.expected(),
        }
    }

    /// The request's idempotency key, and what it belongs to. Of a respondent's requests nothing is kept by which a repeated one
    /// would be known: what they do can be done again without harm.
    fn key(&self) -> Result<Option<Key>, Problem> {
        let bare = self.idempotency_key()?.filter(|_| self.claims.respondent.is_none());
        let Some(key) = bare else { return Ok(None) };
        let mut asked = Sha256::new();
        asked.update(self.request.query_string());
        asked.update([0]);
        if let Some(Fingerprint(body)) = self.request.extensions().get() {
            asked.update(body);
        }
        Ok(Some(Key {
            key,
            method: self.request.method().to_string(),
            path: self.request.path().to_owned(),
            fingerprint: asked.finalize().to_vec(),
        }))
    }

    /// The request's idempotency key, without its quotes.
    pub fn idempotency_key(&self) -> Result<Option<String>, Problem> {
        let name = HeaderName::from_static("idempotency-key");
        let Some(given) = self.request.headers().get(&name) else {
            return Ok(None);
        };
        let unfit = || {
            Problem::new(
                &problem::INVALID_HEADER,
                "Idempotency-Key: 1 to 255 visible ASCII characters.",
            )
        };
        let key = given.to_str().map_err(|_| unfit())?.trim();
        let bare = key
            .strip_prefix('"')
            .and_then(|key| key.strip_suffix('"'))
            .unwrap_or(key);
        if bare.is_empty() || bare.len() > 255 || !bare.chars().all(|c| c.is_ascii_graphic()) {
            return Err(unfit());
        }
        Ok(Some(bare.to_owned()))
    }

    /// Reads on the caller's behalf: from a replica only where the caller says how far that must be.
    pub async fn read<T: Send + 'static>(
        &self,
        db: &Db,
        work: impl FnMut(&mut Tx<'_>) -> service::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let Some(position) = self.position(db) else {
            return read(db, self.actor(), work).await;
        };
        let (sender, receiver) = oneshot::channel();
        db.read_at(position, self.actor(), work, move |result| drop(sender.send(result)));
        Ok(handed_over(receiver).await.ok_or_else(Problem::unavailable)??)
    }

    /// How far a replica must be to answer this caller. None: only the primary will do, as for a token that is not ours.
    fn position(&self, db: &Db) -> Option<Position> {
        if !db.has_replicas() {
            return None;
        }
        let gate = self.request.app_data::<Data<Gate>>()?;
        let tokens = list(self.request.headers(), &CONSISTENCY_TOKEN).ok()??;
        let positions = tokens.split(',').map(|token| match token.trim() {
            "any" => Some(Position::default()),
            token => gate.position(self.claims.organisation, token, db.now()),
        });
        positions.reduce(|one, other| Some(one?.and(other?))).flatten()
    }

    /// The answer to a write, with what the caller may show to read it from a replica.
    fn told(&self, db: &Db, reply: Reply, position: Option<Position>) -> Reply {
        if !db.has_replicas() {
            return reply;
        }
        let gate = self.request.app_data::<Data<Gate>>();
        let token = gate.zip(position).and_then(|(gate, position)| {
            gate.consistency_token(self.claims.organisation, position, db.now())
                .ok()
        });
        // The token of an earlier write would not do: this one sends whoever shows it to the primary.
        reply.with("Consistency-Token", token.unwrap_or_else(|| "none".to_owned()))
    }

    /// Writes on the caller's behalf, once for every idempotency key: the answer is kept in the write's own transaction,
    /// and sent again to whoever asks again.
    pub async fn write(
        &self,
        db: &Db,
        work: impl FnMut(&mut Tx<'_>) -> service::Result<Reply> + Send + 'static,
    ) -> Result<Reply, Problem> {
        let (written, position) = self.written(db, self.key()?, work).await?;
        Ok(self.told(db, answered(written?)?, position))
    }

    /// What became of a write that is done once for its key.
    async fn written(
        &self,
        db: &Db,
        key: Option<Key>,
        work: impl FnMut(&mut Tx<'_>) -> service::Result<Reply> + Send + 'static,
    ) -> Result<(service::Result<Written>, Option<Position>), Problem> {
        let (sender, receiver) = oneshot::channel();
        let done = move |result, position| drop(sender.send((result, position)));
        db.write_and_tell(self.actor(), once(key, work), done);
        handed_over(receiver).await.ok_or_else(Problem::fate_unknown)
    }

    /// Writes what was first computed while reading; computes it anew where its inputs changed meanwhile.
    pub async fn write_computed<T: Send + 'static>(
        &self,
        db: &Db,
        compute: impl FnMut(&mut Tx<'_>) -> service::Result<T> + Clone + Send + 'static,
        seal: impl Fn(&mut Tx<'_>, &T) -> service::Result<Reply> + Clone + Send + 'static,
    ) -> Result<Reply, Problem> {
        const ATTEMPTS: usize = 4;
        let key = self.key()?;
        for attempt in 1.. {
            let (asked, mut compute) = (key.clone(), compute.clone());
            let computed = read(db, self.actor(), move |tx| {
                let known = asked
                    .as_ref()
                    .map(|key| idempotency::known(tx, key))
                    .transpose()?
                    .flatten();
                known.is_none().then(|| compute(tx)).transpose()
            });
            let (computed, seal) = (computed.await?, seal.clone());
            let sealed = self.written(db, key.clone(), move |tx: &mut Tx<'_>| match &computed {
                Some(computed) => seal(tx, computed),
                // The key was known while reading: it is not done again, unless its answer has expired since.
                None => Err(service::Error::InputsChanged),
            });
            match sealed.await? {
                (Err(service::Error::InputsChanged), _) if attempt < ATTEMPTS => {}
                (result, position) => return Ok(self.told(db, answered(result?)?, position)),
            }
        }
        Err(service::Error::InputsChanged.into())
    }
}

/// The work, done once for its key: claimed before, remembered after.
fn once(
    key: Option<Key>,
    mut work: impl FnMut(&mut Tx<'_>) -> service::Result<Reply> + Send + 'static,
) -> impl FnMut(&mut Tx<'_>) -> service::Result<Written> + Send + 'static {
    move |tx| {
        let Some(key) = &key else {
            return work(tx).map(Written::Now);
        };
        match idempotency::claim(tx, key)? {
            Claim::New => {
                let reply = work(tx)?;
                idempotency::remember(tx, key, reply.answer())?;
                Ok(Written::Now(reply))
            }
            known => Ok(Written::Before(known)),
        }
    }
}

/// How a write ended.
enum Written {
    Now(Reply),
    Before(Claim),
}

fn answered(written: Written) -> Result<Reply, Problem> {
    match written {
        Written::Now(reply) => Ok(reply),
        Written::Before(Claim::Answered(answer)) => {
            counter!("idempotent_replays_total").increment(1);
            Ok(Reply::replayed(answer))
        }
        Written::Before(Claim::Erased) => Err(Problem::new(
            &problem::ERASED,
            "The result of this request has been erased.",
        )),
        Written::Before(Claim::Reused) => Err(Problem::new(
            &problem::IDEMPOTENCY_KEY_REUSED,
            "This key was used for another request.",
        )),
        Written::Before(Claim::New) => Err(store::error::Error::Contended.into()),
    }
}

/// All values of a list header, joined.
fn list(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut joined: Option<String> = None;
    for value in headers.get_all(name) {
        let value = value
            .to_str()
            .map_err(|_| Problem::new(&problem::INVALID_HEADER, format!("{name} cannot be read.")))?;
        joined = Some(joined.map_or_else(|| value.to_owned(), |before| format!("{before},{value}")));
    }
    Ok(joined)
}

/// The revision that one of our `ETags` names.
fn revision(tag: &str) -> Option<i64> {
    let opaque = tag
        .trim()
        .trim_start_matches("W/")
        .strip_prefix('"')?
        .strip_suffix('"')?;
    opaque.split('-').next()?.parse().ok()
}

/// Reads without holding a thread.
pub async fn read<T: Send + 'static>(
    db: &Db,
    actor: Actor,
    work: impl FnMut(&mut Tx<'_>) -> service::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let (sender, receiver) = oneshot::channel();
    db.read(actor, work, move |result| drop(sender.send(result)));
    Ok(handed_over(receiver).await.ok_or_else(Problem::unavailable)??)
}

/// What a lane hands over; nothing where that takes too long: a connection can fall silent without breaking.
pub async fn handed_over<T>(receiver: oneshot::Receiver<T>) -> Option<T> {
    timeout(PATIENCE, receiver).await.ok()?.ok()
}
