//! Digests of sealed versions.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// `sha256:` and 64 hexadecimal digits: the SHA-256 of a version's JSON in the canonical form of RFC 8785,
/// without its members `digest`, `sealed_at`, `sealed_by` and `has_draft`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[schema(
    pattern = "^sha256:[0-9a-f]{64}$",
    example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)]
pub struct Digest(String);

/// The document cannot be written in canonical JSON.
#[derive(Debug, thiserror::Error)]
#[error("the document cannot be written in canonical JSON")]
pub struct NotCanonical(#[from] serde_json::Error);

impl Digest {
    /// The members that are not part of what is digested.
    pub const LEFT_OUT: [&'static str; 4] = ["digest", "sealed_at", "sealed_by", "has_draft"];

    /// The digest of a resource's JSON.
    pub fn of(resource: &impl Serialize) -> Result<Self, NotCanonical> {
        let mut json = serde_json::to_value(resource)?;
        if let Some(members) = json.as_object_mut() {
            members.retain(|name, _| !Self::LEFT_OUT.contains(&name.as_str()));
        }
        Ok(Self(format!(
            "sha256:{}",
            hex(&Sha256::digest(serde_json_canonicalizer::to_vec(&json)?))
        )))
    }

    /// A digest read back from where it was kept.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    /// `sha256:…`
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a `String` cannot fail.
            _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn a_digest_leaves_out_what_the_seal_adds() {
        // Worked by hand: printf '{"a":1,"b":[2,"x"]}' | sha256sum
        let expected = "sha256:454597f51f0e5988dd7d0864f82e826d91fd43ed815a21bb06cd7181e8547a2f";
        let plain = Digest::of(&serde_json::json!({"b": [2.0, "x"], "a": 1})).expect("canonical");
        let sealed = Digest::of(
            &serde_json::json!({"a": 1, "b": [2, "x"], "digest": "…", "sealed_at": "…", "sealed_by": "…", "has_draft": true}),
        )
        .expect("canonical");
        assert_eq!(plain.as_str(), expected);
        assert_eq!(plain, sealed);
    }
}
