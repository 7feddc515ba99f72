//! Signing keys and their rotation.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Error, consistency};
use crate::{
    domain::{id::KeyId, moment::Moment},
    store::{
        self,
        db::Tx,
        keys::{Key, NewKey, PUBLISHED_AFTER_SECONDS},
    },
};

/// A new key is published for so many seconds before it signs, so that everybody who verifies has read it by then.
const PUBLISHED_BEFORE_SECONDS: i64 = 60;

/// Makes a key pair for Ed25519 (RFC 8032).
pub fn generate() -> Result<NewKey, Error> {
    let pair = Ed25519KeyPair::generate().map_err(|_| Error::Unavailable)?;
    let private_key = pair.to_pkcs8().map_err(|_| Error::Unavailable)?;
    Ok(NewKey {
        id: KeyId::from_uuid(Uuid::now_v7()),
        private_key: private_key.as_ref().to_vec().into(),
        public_key: pair.public_key().as_ref().to_vec(),
    })
}

/// Publishes a key that will replace all others; the very first one signs at once. Returns from when it signs.
pub fn rotate(tx: &mut Tx<'_>, key: &NewKey) -> store::error::Result<Moment> {
    let first = store::keys::live(tx)?.is_empty();
    let active_from = if first {
        tx.now()
    } else {
        tx.now().plus_seconds(PUBLISHED_BEFORE_SECONDS)
    };
    store::keys::insert(tx, key, active_from)?;
    store::keys::retire_others(tx, key.id, active_from)?;
    Ok(active_from)
}

/// Puts a key in the place of all others, which are gone at once, and with them every token that they signed: for a key
/// that leaked, and after a backup was restored. The processes that serve follow within seconds.
pub fn replace(tx: &mut Tx<'_>, key: &NewKey) -> store::error::Result<()> {
    let now = tx.now();
    store::keys::insert(tx, key, now)?;
    store::keys::delete_others(tx, key.id)
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jwks {
    /// Every key that signs, did lately, or will soon.
    #[schema(max_items = 10_000)]
    pub keys: Vec<Jwk>,
}

/// A public key for Ed25519 (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jwk {
    /// The key type.
    #[schema(value_type = String, pattern = "^OKP$", example = "OKP")]
    pub kty: &'static str,
    /// The curve.
    #[schema(value_type = String, pattern = "^Ed25519$", example = "Ed25519")]
    pub crv: &'static str,
    /// What the key is for: signatures.
    #[serde(rename = "use")]
    #[schema(value_type = String, pattern = "^sig$", example = "sig")]
    pub usage: &'static str,
    /// The algorithm.
    #[schema(value_type = String, pattern = "^EdDSA$", example = "EdDSA")]
    pub alg: &'static str,
    /// The key's id, as in the header of tokens.
    pub kid: KeyId,
    /// The public key in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    pub x: String,
}

/// A key, ready for use.
pub(super) struct RingKey {
    pub(super) id: KeyId,
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
    pub(super) consistency: consistency::Key,
    public_key: Vec<u8>,
    active_from: Moment,
    retired_at: Option<Moment>,
}

impl RingKey {
    fn is_published(&self, now: Moment) -> bool {
        self.retired_at
            .is_none_or(|retired_at| now < retired_at.plus_seconds(PUBLISHED_AFTER_SECONDS))
    }
}

/// The keys that a process knows.
pub(super) struct KeyRing(Vec<RingKey>);

impl KeyRing {
    /// The key that signs now: of those already active, the newest. Its predecessors are retired, or about to be.
    pub(super) fn signer(&self, now: Moment) -> Option<&RingKey> {
        let active = self.0.iter().filter(|key| key.active_from <= now);
        active.max_by_key(|key| (key.active_from, key.id))
    }

    /// The published key with this id.
    pub(super) fn verifier(&self, kid: &str, now: Moment) -> Option<&RingKey> {
        let id: KeyId = kid.parse().ok()?;
        self.0.iter().find(|key| key.id == id && key.is_published(now))
    }

    /// All published keys.
    pub(super) fn published(&self, now: Moment) -> impl Iterator<Item = &RingKey> {
        self.0.iter().filter(move |key| key.is_published(now))
    }

    /// The published keys.
    pub(super) fn jwks(&self, now: Moment) -> Jwks {
        Jwks {
            keys: self
                .published(now)
                .map(|key| Jwk {
                    kty: "OKP",
                    crv: "Ed25519",
                    usage: "sig",
                    alg: "EdDSA",
                    kid: key.id,
                    x: URL_SAFE_NO_PAD.encode(&key.public_key),
                })
                .collect(),
        }
    }
}

impl From<Vec<Key>> for KeyRing {
    fn from(keys: Vec<Key>) -> Self {
        let ready = keys.into_iter().map(|key| RingKey {
            id: key.pair.id,
            signing: EncodingKey::from_ed_der(key.pair.private_key.expose_secret()),
            // jsonwebtoken takes the bare 32 bytes, whatever the name says.
            verifying: DecodingKey::from_ed_der(&key.pair.public_key),
            consistency: consistency::Key::from(&key.pair.private_key),
            public_key: key.pair.public_key,
            active_from: key.active_from,
            retired_at: key.retired_at,
        });
        Self(ready.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyRing, generate};
    use crate::{domain::moment::Moment, store::keys::Key};

    #[test]
    fn a_successor_is_published_before_it_signs_and_its_predecessor_after() {
        let start = Moment::from_micros(1_700_000_000_000_000).expect("a moment");
        let handover = start.plus_seconds(60);
        let (old, new) = (generate().expect("a key"), generate().expect("a key"));
        let ring = KeyRing::from(vec![
            Key {
                pair: old.clone(),
                active_from: start.plus_seconds(-1000),
                retired_at: Some(handover),
            },
            Key {
                pair: new.clone(),
                active_from: handover,
                retired_at: None,
            },
        ]);
        let signer = |at| ring.signer(at).map(|key| key.id);
        assert_eq!(signer(start), Some(old.id));
        assert_eq!(signer(handover.plus_seconds(-1)), Some(old.id));
        assert_eq!(signer(handover), Some(new.id));
        assert_eq!(ring.jwks(start).keys.len(), 2);
        assert_eq!(ring.jwks(handover.plus_seconds(20 * 60 - 1)).keys.len(), 2);
        let late = ring.jwks(handover.plus_seconds(20 * 60)).keys;
        assert_eq!(late.iter().map(|key| key.kid).collect::<Vec<_>>(), [new.id]);
        assert!(
            ring.verifier(&old.id.to_string(), handover.plus_seconds(20 * 60))
                .is_none()
        );
    }
}
