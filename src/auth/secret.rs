//! Clients' secrets: made, hashed, verified.

use std::{sync::Arc, thread};

use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher, PasswordVerifier},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, scope::ScopeSet};
use crate::{domain::id::ClientId, store::clients::NewClient};

/// Argon2id's memory, in KiB. Secrets are random, not chosen: this only has to make a stolen hash worthless.
const MEMORY_KIB: u32 = 8 * 1024;
/// Argon2id's passes.
const PASSES: u32 = 2;
/// How many secrets are verified at a time.
const VERIFIERS: usize = 2;
/// How many may wait.
const QUEUE: usize = 64;
/// How many verified secrets are remembered.
const REMEMBERED: usize = 4096;

/// A secret that was just made; it is shown once, and only its hash kept.
pub struct NewSecret {
    /// 256 random bits in base64url.
    pub secret: SecretString,
    /// Its Argon2id hash, a PHC string.
    pub hash: String,
}

impl NewSecret {
    /// Makes a secret and hashes it, which takes some milliseconds: not inside a transaction.
    pub fn generate() -> Result<Self, Error> {
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| Error::Unavailable)?;
        let hash = Argon2::from(params)
            .hash_password_with_salt(secret.as_bytes(), &rand::random::<[u8; 16]>())
            .map_err(|_| Error::Unavailable)?
            .to_string();
        Ok(Self {
            secret: secret.into(),
            hash,
        })
    }
}

/// Makes a client, ready to be kept, and its secret. Like [`NewSecret::generate`], not inside a transaction.
pub fn new_client(name: String, scopes: ScopeSet) -> Result<(NewClient, SecretString), Error> {
    let NewSecret { secret, hash } = NewSecret::generate()?;
    let client = NewClient {
        id: ClientId::from_uuid(Uuid::now_v7()),
        name,
        scopes: scopes.to_string(),
        secret_hash: hash,
    };
    Ok((client, secret))
}

/// Whether the secret has this hash, whose parameters are those it was made with.
fn matches(secret: &SecretString, hash: &str) -> bool {
    Argon2::default()
        .verify_password(secret.expose_secret().as_bytes(), hash)
        .is_ok()
}

/// Hands over whether a secret was the right one.
type Done = Box<dyn FnOnce(Result<bool, Error>) + Send>;

struct Job {
    secret: SecretString,
    hashes: Vec<String>,
    done: Done,
}

/// Secrets that were verified before, by a hash under a key that only this process knows.
///
/// The stored hash is part of it: a secret that is replaced or revoked is forgotten by that alone.
struct Remembered {
    key: [u8; 32],
    seen: Cache<[u8; 32], ()>,
}

impl Remembered {
    fn fingerprint(&self, secret: &SecretString, hash: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.key)
            .chain_update(Sha256::digest(hash))
            .chain_update(secret.expose_secret())
            .finalize()
            .into()
    }
}

/// Verifies secrets, a few at a time.
pub(super) struct Verifiers {
    queue: Sender<Job>,
    remembered: Arc<Remembered>,
}

impl Verifiers {
    /// Starts the threads; they end when this is dropped.
    pub(super) fn start() -> Result<Self, Error> {
        let (queue, jobs) = bounded(QUEUE);
        let remembered = Arc::new(Remembered {
            key: rand::random(),
            seen: Cache::new(REMEMBERED),
        });
        let dummy: Arc<str> = NewSecret::generate()?.hash.into();
        for number in 0..VERIFIERS {
            let (jobs, dummy, remembered) = (jobs.clone(), Arc::clone(&dummy), Arc::clone(&remembered));
            thread::Builder::new()
                .name(format!("secrets-{number}"))
                .spawn(move || serve(&jobs, &dummy, &remembered))
                .map_err(|_| Error::Overloaded)?;
        }
        Ok(Self { queue, remembered })
    }

    /// Hands over whether the secret has one of these hashes; where there is none, that takes as long as if there were.
    pub(super) fn verify(&self, secret: SecretString, hashes: Vec<String>, done: Done) {
        let known = |hash: &String| {
            let fingerprint = self.remembered.fingerprint(&secret, hash);
            self.remembered.seen.get(&fingerprint).is_some()
        };
        if hashes.iter().any(known) {
            return done(Ok(true));
        }
        match self.queue.try_send(Job { secret, hashes, done }) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => (job.done)(Err(Error::Overloaded)),
        }
    }
}

fn serve(jobs: &Receiver<Job>, dummy: &str, remembered: &Remembered) {
    for Job { secret, hashes, done } in jobs {
        let matching = hashes.iter().find(|hash| matches(&secret, hash));
        if let Some(hash) = matching {
            remembered.seen.insert(remembered.fingerprint(&secret, hash), ());
        } else if hashes.is_empty() {
            matches(&secret, dummy);
        }
        done(Ok(matching.is_some()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use secrecy::{ExposeSecret, SecretString};

    use super::{NewSecret, QUEUE, VERIFIERS, Verifiers, matches};
    use crate::auth::Error;

    fn verify(verifiers: &Verifiers, secret: &SecretString, hashes: &[&str]) -> bool {
        let (sender, receiver) = mpsc::channel();
        let hashes = hashes.iter().map(|hash| (*hash).to_owned()).collect();
        verifiers.verify(
            secret.clone(),
            hashes,
            Box::new(move |outcome| sender.send(outcome).expect("a listener")),
        );
        receiver.recv().expect("an answer").expect("verified")
    }

    #[test]
    fn a_secret_is_256_bits_and_kept_as_the_contract_says() {
        let NewSecret { secret, hash } = NewSecret::generate().expect("a secret");
        assert_eq!(secret.expose_secret().len(), 43);
        assert!(hash.starts_with("$argon2id$v=19$m=8192,t=2,p=1$"), "{hash}");
        assert!(matches(&secret, &hash));
        assert!(!matches(&secret, ""));
    }

    #[test]
    fn any_of_the_hashes_will_do_and_none_will_not() {
        let verifiers = Verifiers::start().expect("threads");
        let (old, new) = (
            NewSecret::generate().expect("a secret"),
            NewSecret::generate().expect("a secret"),
        );
        assert!(verify(&verifiers, &old.secret, &[&new.hash, &old.hash]));
        assert!(verify(&verifiers, &old.secret, &[&old.hash]), "remembered");
        assert!(
            !verify(&verifiers, &old.secret, &[&new.hash]),
            "remembered only with its own hash"
        );
        assert!(!verify(&verifiers, &old.secret, &[]));
    }

    #[test]
    fn beyond_the_queue_a_secret_is_refused_rather_than_kept_waiting() {
        let verifiers = Verifiers::start().expect("threads");
        let (sender, receiver) = mpsc::channel();
        let many = 10 * (QUEUE + VERIFIERS);
        for _ in 0..many {
            let sender = sender.clone();
            let done = Box::new(move |outcome| sender.send(outcome).expect("a listener"));
            verifiers.verify("guess".into(), Vec::new(), done);
        }
        let answers: Vec<_> = receiver.iter().take(many).collect();
        assert!(answers.iter().any(|answer| matches!(answer, Err(Error::Overloaded))));
        assert!(answers.iter().filter(|answer| matches!(answer, Ok(false))).count() >= QUEUE);
    }
}
