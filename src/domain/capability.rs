//! What leads to an assessment without an account: the token of an invitation, and the receipt of a submission. Neither is kept: only
//! hashes of them are, each for one purpose, so that no hash leads to another.

use std::{fmt, iter};

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid, Version};

use super::id::{AssessmentId, Id};

/// The token of an invitation: 256 random bits, as text in base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// How many characters a token has.
pub const TOKEN_LENGTH: usize = 43;

impl Token {
    /// This text, whatever it is: what is no token of ours leads nowhere.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// By what the invitation is found: SHA-256("i" ‖ token).
    pub fn invitation(&self) -> [u8; 32] {
        hash(b"i", self.0.as_bytes())
    }

    /// The id of the assessment until it is submitted: a UUID of SHA-256("a" ‖ token).
    pub fn assessment(&self) -> AssessmentId {
        id(hash(b"a", self.0.as_bytes()))
    }
}

/// The receipt of a submission: 128 bits, which people can copy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Receipt(u128);

/// The digits of Crockford's base 32: none is easily taken for another.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many digits a receipt has.
const LENGTH: usize = 26;
impl Receipt {
    /// A receipt of these random bits.
    pub fn of_random(bits: u128) -> Self {
        Self(bits)
    }

    /// The receipt that submitting this assessment gives with this idempotency key: whoever repeats the request, because its
    /// answer was lost, gets the same again, though nothing was kept. None where the key is no random UUID (version 4): who has the
    /// token could guess it.
    pub fn of_key(assessment: AssessmentId, key: Uuid) -> Option<Self> {
        if key.get_version() != Some(Version::Random) {
            return None;
        }
        let hash = hash(assessment.uuid().as_bytes(), key.as_bytes());
        hash.first_chunk().map(|bits| Self(u128::from_be_bytes(*bits)))
    }

    /// Reads what somebody typed: however it is grouped, in capitals or not, O for 0 and I or L for 1.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bits: u128 = 0;
        let mut length = 0;
        for character in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let digit = match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let value = DIGITS.iter().position(|known| char::from(*known) == digit)?;
            bits = bits.checked_mul(32)?.checked_add(u128::try_from(value).ok()?)?;
            length += 1;
        }
        (length == LENGTH).then_some(Self(bits))
    }

    /// The id of the assessment from its submission on: a UUID of SHA-256("r" ‖ receipt).
    pub fn assessment(self) -> AssessmentId {
        id(hash(b"r", &self.0.to_be_bytes()))
    }

    fn digits(self) -> impl Iterator<Item = char> {
        (0..LENGTH).rev().map(move |place| {
            let value = (self.0 >> (place * 5)) & 31;
            let digit = usize::try_from(value).ok().and_then(|value| DIGITS.get(value));
            digit.map_or('0', |digit| char::from(*digit))
        })
    }
}

/// In groups of five, the last of six.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, digit) in self.digits().enumerate() {
            if place > 0 && place % 5 == 0 && place < LENGTH - 1 {
                f.write_str("-")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Neither is ever shown by accident.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}
impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// A short name for whoever answers under this id: no more than the id says, but easier to say.
pub fn pseudonym(assessment: AssessmentId) -> String {
    let hash = hash(b"p", assessment.uuid().as_bytes());
    let digits = hash.iter().take(8).map(|byte| DIGITS.get(usize::from(byte & 31)));
    iter::once('P')
        .chain(iter::once('-'))
        .chain(digits.flatten().map(|digit| char::from(*digit)))
        .collect()
}

fn hash(purpose: &[u8], of: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update(of).finalize().into()
}

/// A UUID that looks like any random one (version 4): 122 of the hash's bits.
fn id<K>(hash: [u8; 32]) -> Id<K> {
    let bytes = hash.first_chunk().copied().unwrap_or_default();
    Id::from_uuid(Builder::from_random_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use uuid::Uuid;

    use super::{Receipt, Token, pseudonym};

    #[test]
    fn a_token_leads_to_its_invitation_and_to_its_assessment_by_different_hashes() {
        let token = Token::new("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned());
        let (invitation, assessment) = (token.invitation(), token.assessment());
        assert_eq!(assessment.uuid().get_version_num(), 4);
        assert_ne!(&invitation[..16], assessment.uuid().as_bytes());
        assert_eq!(format!("{token:?}"), "Token");
    }

    #[test]
    fn a_receipt_is_derived_only_of_a_key_that_nobody_guesses() {
        let assessment = Token::new("x".to_owned()).assessment();
        assert_eq!(Receipt::of_key(assessment, Uuid::from_u128(1)), None);
        let key = Uuid::from_u128(0x7d4c_b3ae_16a4_4b0e_9a5f_0d7b_5c9c_1f4e);
        let receipt = Receipt::of_key(assessment, key).expect("a receipt");
        assert_eq!(Receipt::of_key(assessment, key), Some(receipt));
        let other = Token::new("y".to_owned()).assessment();
        assert_ne!(Receipt::of_key(other, key), Some(receipt));
        assert_ne!(receipt.assessment(), assessment);
        assert_eq!(pseudonym(assessment).len(), 10);
    }

    #[test]
    fn what_is_no_receipt_is_none() {
        for text in [
            "",
            "0",
            "U0000-00000-00000-00000-000000",
            "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZZ",
        ] {
            assert_eq!(Receipt::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_receipt_is_read_however_it_was_copied(bits: u128) {
            let receipt = Receipt::of_random(bits);
            let text = receipt.to_string();
            prop_assert_eq!(text.len(), 30);
            let sloppy = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(Receipt::parse(&text), Some(receipt));
            prop_assert_eq!(Receipt::parse(&sloppy), Some(receipt));
        }
    }
}
