use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use secrecy::SecretString;

use super::{Authenticated, Gate};
use crate::{
    auth::{
        Error, keys,
        scope::{Scope, ScopeSet},
        secret::{NewSecret, new_client},
    },
    domain::{
        access::Actor,
        id::{ClientId, OrganisationId},
        moment::Moment,
    },
    store::{clients, db::Db, error::Error as StoreError, fork::Place, keys::NewKey, organisations, page::Page},
};

const URL: &str = "https://mc.example";

/// A database of its own, an organisation, a key, and a clock that the test moves.
struct House {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    db: Arc<Db>,
    organisation: OrganisationId,
    first_key: NewKey,
}

fn open(folder: &tempfile::TempDir, clock: &Arc<AtomicI64>) -> Arc<Db> {
    let path = folder.path().join("test.sqlite");
    let place = Place::parse(&format!("sqlite:{}", path.display())).expect("a place");
    let clock = Arc::clone(clock);
    let time = move || Moment::from_micros(clock.load(Ordering::SeqCst)).expect("a moment");
    Arc::new(Db::open(&place, Arc::new(time)).expect("threads"))
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(AtomicI64::new(1_700_000_000_000_000));
        let db = open(&folder, &clock);
        db.migrate().expect("migrated");
        let organisation = OrganisationId::from_uuid(uuid::Uuid::now_v7());
        let found = move |tx: &mut super::Tx<'_>| organisations::create(tx, "Acme").map(drop);
        db.write_now(Actor::service_for(organisation), found)
            .expect("an organisation");
        let first_key = keys::generate().expect("a key");
        let house = Self {
            folder,
            clock,
            db,
            organisation,
            first_key: first_key.clone(),
        };
        house.rotate(first_key);
        house
    }

    /// The same file, as another process has it.
    fn other_process(&self) -> Arc<Db> {
        open(&self.folder, &self.clock)
    }

    fn gate(&self) -> Gate {
        Gate::start(Arc::clone(&self.db), URL).expect("a gate")
    }

    fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    fn now(&self) -> Moment {
        self.db.now()
    }

    fn rotate(&self, key: NewKey) {
        let rotate = move |tx: &mut super::Tx<'_>| keys::rotate(tx, &key).map(drop);
        self.db.write_now(Actor::SERVICE, rotate).expect("rotated");
    }

    fn own<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut super::Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.db
            .write_now(Actor::service_for(self.organisation), work)
            .expect("done")
    }

    fn client(&self, scopes: &str) -> (ClientId, SecretString) {
        let (new, secret) = new_client("A client".to_owned(), ScopeSet::known(scopes)).expect("a client");
        let id = new.id;
        self.own(move |tx| clients::insert(tx, &new).map(drop));
        (id, secret)
    }
}

fn refresh(gate: &Gate) {
    let (sender, receiver) = mpsc::channel();
    gate.refresh(move |result| sender.send(result).expect("a listener"));
    receiver.recv().expect("an answer").expect("refreshed");
}

fn authenticate(gate: &Gate, id: &str, secret: &SecretString) -> Result<Authenticated, Error> {
    let (sender, receiver) = mpsc::channel();
    let done = move |outcome| sender.send(outcome).expect("a listener");
    gate.authenticate(id, secret.clone(), [127, 0, 0, 1].into(), done);
    receiver.recv().expect("an answer")
}

#[test]
fn a_client_that_proves_itself_gets_a_token_that_counts_until_it_ends() {
    let house = House::new();
    let gate = house.gate();
    let (id, secret) = house.client("models:read models:write");
    let authenticated = authenticate(&gate, &id.to_string(), &secret).expect("authenticated");
    let scopes = authenticated.narrow(Some("models:read")).expect("its own scope");
    let token = gate
        .issue(id, house.organisation, scopes, house.now())
        .expect("a token");
    for _ in 0..2 {
        let claims = gate
            .verify(&token, house.now())
            .expect("it counts, verified or remembered");
        assert_eq!((claims.organisation, claims.client), (house.organisation, id));
        assert!(claims.scopes.contains(Scope::ReadModels) && !claims.scopes.contains(Scope::WriteModels));
    }
    house.wait(929);
    gate.verify(&token, house.now()).expect("clocks may differ");
    house.wait(1);
    assert!(matches!(gate.verify(&token, house.now()), Err(Error::InvalidToken(_))));
}

#[test]
fn a_client_cannot_widen_its_scopes() {
    let authenticated = Authenticated {
        organisation: OrganisationId::NIL,
        client: ClientId::NIL,
        scopes: ScopeSet::known("models:read models:write"),
    };
    assert_eq!(authenticated.narrow(None).expect("all"), authenticated.scopes);
    assert_eq!(authenticated.narrow(Some("")).expect("all"), authenticated.scopes);
    for wider in ["clients:write", "models:read clients:write", "moon:land", " "] {
        assert!(
            matches!(authenticated.narrow(Some(wider)), Err(Error::InvalidScope)),
            "{wider:?}"
        );
    }
}

#[test]
fn unknown_clients_and_wrong_secrets_are_told_the_same() {
    let house = House::new();
    let gate = house.gate();
    let (id, _) = house.client("models:read");
    let wrong = NewSecret::generate().expect("a secret").secret;
    let nobody = OrganisationId::from_uuid(uuid::Uuid::now_v7()).to_string();
    for name in [id.to_string(), nobody, "root".to_owned(), String::new()] {
        assert!(
            matches!(authenticate(&gate, &name, &wrong), Err(Error::InvalidClient)),
            "{name:?}"
        );
    }
}

#[test]
fn after_ten_failures_even_the_right_secret_has_to_wait() {
    let house = House::new();
    let gate = house.gate();
    let (id, secret) = house.client("models:read");
    for _ in 0..10 {
        assert!(matches!(
            authenticate(&gate, &id.to_string(), &"guess".into()),
            Err(Error::InvalidClient)
        ));
    }
    assert!(matches!(
        authenticate(&gate, &id.to_string(), &secret),
        Err(Error::TooManyFailures { .. })
    ));
    house.wait(6);
    authenticate(&gate, &id.to_string(), &secret).expect("authenticated");
}

#[test]
fn a_replaced_secret_counts_while_grace_lasts() {
    let house = House::new();
    let gate = house.gate();
    let (id, old) = house.client("models:read");
    let name = id.to_string();
    let NewSecret { secret: new, hash } = NewSecret::generate().expect("a secret");
    authenticate(&gate, &name, &old).expect("the only one");
    assert!(house.own(move |tx| clients::replace_secret(tx, id, &hash, 60)));
    authenticate(&gate, &name, &new).expect("the new one");
    authenticate(&gate, &name, &old).expect("in grace");
    house.wait(60);
    authenticate(&gate, &name, &new).expect("the new one");
    assert!(matches!(authenticate(&gate, &name, &old), Err(Error::InvalidClient)));
}

#[test]
fn a_secret_replaced_without_grace_counts_no_more() {
    let house = House::new();
    let gate = house.gate();
    let (id, old) = house.client("models:read");
    let hash = NewSecret::generate().expect("a secret").hash;
    authenticate(&gate, &id.to_string(), &old).expect("and now it is remembered");
    assert!(house.own(move |tx| clients::replace_secret(tx, id, &hash, 0)));
    assert!(matches!(
        authenticate(&gate, &id.to_string(), &old),
        Err(Error::InvalidClient)
    ));
}

#[test]
fn what_another_process_revokes_stops_within_five_seconds() {
    let house = House::new();
    let gate = house.gate();
    let (id, secret) = house.client("models:read");
    let token = gate
        .issue(id, house.organisation, ScopeSet::known("models:read"), house.now())
        .expect("a token");
    gate.verify(&token, house.now()).expect("it counts");
    let other = house.other_process();
    let revoke = move |tx: &mut super::Tx<'_>| clients::revoke(tx, id);
    let actor = Actor::service_for(house.organisation);
    assert!(other.write_now(actor, revoke).expect("revoked"));
    assert!(!other.write_now(actor, revoke).expect("once is enough"));
    let revoked = Instant::now();
    while gate.verify(&token, house.now()).is_ok() {
        assert!(
            revoked.elapsed() < Duration::from_secs(5),
            "a revoked client is still let in"
        );
        thread::sleep(Duration::from_millis(50));
    }
    assert!(matches!(
        authenticate(&gate, &id.to_string(), &secret),
        Err(Error::InvalidClient)
    ));
    let hash = NewSecret::generate().expect("a secret").hash;
    assert!(
        !house.own(move |tx| clients::replace_secret(tx, id, &hash, 60)),
        "for good"
    );
}

#[test]
fn a_process_that_revokes_refuses_at_once() {
    let house = House::new();
    let gate = house.gate();
    let (id, _) = house.client("models:read");
    let token = gate
        .issue(id, house.organisation, ScopeSet::known("models:read"), house.now())
        .expect("a token");
    gate.verify(&token, house.now()).expect("it counts");
    assert!(house.own(move |tx| clients::revoke(tx, id)));
    refresh(&gate);
    assert!(matches!(
        gate.verify(&token, house.now()),
        Err(Error::InvalidToken("The client was revoked."))
    ));
}

#[test]
fn a_gate_that_cannot_read_lets_nobody_in() {
    let house = House::new();
    let gate = house.gate();
    let token = gate
        .issue(ClientId::NIL, house.organisation, ScopeSet::default(), house.now())
        .expect("a token");
    gate.inner.snapshot.write().expect("not poisoned").read_at -= super::OLDEST + Duration::from_millis(1);
    assert!(matches!(gate.verify(&token, house.now()), Err(Error::Unavailable)));
    assert!(matches!(gate.jwks(house.now()), Err(Error::Unavailable)));
    refresh(&gate);
    gate.verify(&token, house.now()).expect("it counts again");
}

#[test]
fn what_was_read_earlier_never_replaces_what_was_read_later() {
    let house = House::new();
    let gate = house.gate();
    let earlier = house
        .db
        .read_now(Actor::SERVICE, |tx| super::read(tx, None))
        .expect("read");
    let (id, _) = house.client("models:read");
    assert!(house.own(move |tx| clients::revoke(tx, id)));
    refresh(&gate);
    gate.inner.take(earlier);
    let snapshot = gate.inner.snapshot().expect("fresh");
    assert!(snapshot.known.revoked.contains(&id));
}

#[test]
fn keys_overlap_when_they_rotate() {
    let house = House::new();
    let gate = house.gate();
    let scopes = ScopeSet::known("models:read");
    let issue = || {
        gate.issue(ClientId::NIL, house.organisation, scopes, house.now())
            .expect("a token")
    };
    let kid = |token: &str| {
        jsonwebtoken::decode_header(token)
            .expect("a header")
            .kid
            .expect("a kid")
    };
    let second = keys::generate().expect("a key");
    let (first_kid, second_kid) = (house.first_key.id.to_string(), second.id.to_string());
    assert_eq!(kid(&issue()), first_kid, "the very first key signs at once");
    house.rotate(second);
    refresh(&gate);
    assert_eq!(gate.jwks(house.now()).expect("keys").keys.len(), 2);
    house.wait(59);
    let last = issue();
    assert_eq!(kid(&last), first_kid);
    house.wait(1);
    let next = issue();
    assert_eq!(kid(&next), second_kid);
    house.wait(880);
    gate.verify(&last, house.now())
        .expect("signed by the retired key, which is still published");
    gate.verify(&next, house.now()).expect("signed by its successor");
    house.wait(20 * 60 - 880);
    let published: Vec<_> = gate
        .jwks(house.now())
        .expect("keys")
        .keys
        .iter()
        .map(|key| key.kid.to_string())
        .collect();
    assert_eq!(published, [second_kid]);
}

#[test]
fn a_gate_that_is_dropped_ends_its_thread() {
    let house = House::new();
    let gate = house.gate();
    let inner = Arc::downgrade(&gate.inner);
    drop(gate);
    let dropped = Instant::now();
    while inner.strong_count() > 0 {
        assert!(dropped.elapsed() < Duration::from_secs(2), "the thread is still there");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn clients_are_listed_newest_first_and_never_another_organisations() {
    let house = House::new();
    let made: Vec<ClientId> = (0..3).map(|_| house.client("models:read").0).collect();
    let page = Page { limit: 2, after: None };
    let (first, next) = house.own(move |tx| clients::list(tx, &page));
    let page = Page { limit: 2, after: next };
    let (second, end) = house.own(move |tx| clients::list(tx, &page));
    let ids: Vec<_> = first.iter().chain(&second).map(|client| client.id).collect();
    assert_eq!(ids, made.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(end, None);
    let id = ids.into_iter().next().expect("one of them");
    let elsewhere =
        move |tx: &mut super::Tx<'_>| Ok::<_, StoreError>((clients::find(tx, id)?, clients::revoke(tx, id)?));
    assert_eq!(
        house.db.write_now(Actor::SERVICE, elsewhere).expect("asked"),
        (None, false)
    );
}

#[test]
fn an_organisation_is_renamed_only_from_the_revision_that_was_read() {
    let house = House::new();
    let (renamed, stale) = house.own(|tx| {
        let mut organisation = organisations::find(tx)?.ok_or(StoreError::Unavailable)?;
        let mut stale = organisation.clone();
        organisations::rename(tx, &mut organisation, "Acme and Sons")?;
        Ok((
            organisation,
            matches!(
                organisations::rename(tx, &mut stale, "Late"),
                Err(StoreError::Contended)
            ),
        ))
    });
    assert!(stale);
    assert_eq!((renamed.name.as_str(), renamed.revision), ("Acme and Sons", 2));
    assert_eq!(house.own(organisations::find), Some(renamed.clone()));
    assert_eq!(house.own(organisations::list), [renamed]);
}
