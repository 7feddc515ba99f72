//! Consistency tokens: how far a database must have followed to show a client what it wrote.
//!
//! A token is a position in the write-ahead log, signed (HMAC-SHA-256) for one organisation. Every copy of the service
//! reads the same signing keys, and so knows what the others signed. That a token is lost or no longer known harms nobody:
//! without one, the primary answers.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretSlice};

use crate::{domain::id::OrganisationId, store::fork::Position};

/// What the key is made for: a private key signs nothing else with what is derived from it.
const PURPOSE: &[u8] = b"consistency tokens, version 1";
/// Timeline and log sequence number.
const POSITION: usize = 4 + 8;

/// What signs consistency tokens, derived from a private key that signs access tokens.
pub(super) struct Key(hmac::Key);

impl From<&SecretSlice<u8>> for Key {
    fn from(private_key: &SecretSlice<u8>) -> Self {
        let root = hmac::Key::new(HMAC_SHA256, private_key.expose_secret());
        Self(hmac::Key::new(HMAC_SHA256, hmac::sign(&root, PURPOSE).as_ref()))
    }
}

impl Key {
    pub(super) fn token(&self, organisation: OrganisationId, position: Position) -> String {
        let mut token = Vec::from(position.timeline.to_be_bytes());
        token.extend(position.lsn.to_be_bytes());
        let tag = hmac::sign(&self.0, &signed(organisation, &token));
        token.extend(tag.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    pub(super) fn position(&self, organisation: OrganisationId, token: &str) -> Option<Position> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (position, tag) = token.split_at_checked(POSITION)?;
        hmac::verify(&self.0, &signed(organisation, position), tag).ok()?;
        let (timeline, lsn) = position.split_first_chunk()?;
        Some(Position {
            timeline: u32::from_be_bytes(*timeline),
            lsn: u64::from_be_bytes(*lsn.first_chunk()?),
        })
    }
}

fn signed(organisation: OrganisationId, position: &[u8]) -> Vec<u8> {
    [organisation.uuid().as_bytes().as_slice(), position].concat()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::Key;
    use crate::{auth::keys, domain::id::OrganisationId, store::fork::Position};

    fn key() -> Key {
        Key::from(&keys::generate().expect("a key").private_key)
    }

    #[test]
    fn a_token_counts_for_its_organisation_and_its_key_alone_and_only_as_it_was_signed() {
        let (key, other) = (key(), key());
        let [ours, theirs] = [(); 2].map(|()| OrganisationId::from_uuid(Uuid::now_v7()));
        let position = Position {
            timeline: 2,
            lsn: 0x1_2345_6789,
        };
        let token = key.token(ours, position);
        assert_eq!(key.position(ours, &token), Some(position));
        assert_eq!(key.position(theirs, &token), None);
        assert_eq!(other.position(ours, &token), None);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(key.position(ours, &changed), None, "{at}");
        }
        for nonsense in ["", "AAAA", "any", "not base64!", &token[1..], &format!("{token}A")] {
            assert_eq!(key.position(ours, nonsense), None, "{nonsense}");
        }
    }
}
