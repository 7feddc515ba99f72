//! Digests of sealed versions.

use std::fmt::Write;

use serde::{Deserialize, Serialize, ser::Error as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// `sha256:` and 64 hexadecimal digits: the SHA-256 of a version's JSON in the canonical form of RFC 8785,
/// without its members `digest`, `sealed_at`, `sealed_by`, `has_draft` and `languages`.
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
    pub const LEFT_OUT: [&'static str; 5] = ["digest", "sealed_at", "sealed_by", "has_draft", "languages"];

    /// The digest of a resource's JSON.
    pub fn of(resource: &impl Serialize) -> Result<Self, NotCanonical> {
        let mut json = serde_json::to_value(resource)?;
        if let Some(members) = json.as_object_mut() {
            members.retain(|name, _| !Self::LEFT_OUT.contains(&name.as_str()));
        }
        let mut canonical = Vec::new();
        write_canonical(&json, &mut canonical)?;
        Ok(Self(format!("sha256:{}", hex(&Sha256::digest(canonical)))))
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

/// Writes canonical JSON (RFC 8785, section 3.2): members by the UTF-16 of their names, numbers as ECMAScript has them.
///
/// The crate for it, with which a test compares this, takes twenty times as long: half of what it takes to seal a large analysis.
fn write_canonical(json: &Value, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match json {
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| number.is_finite());
            let number = number.ok_or_else(|| serde_json::Error::custom("a number that is no double"))?;
            out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
        }
        Value::Array(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write_canonical(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, name)?;
                out.push(b':');
                write_canonical(value, out)?;
            }
            out.push(b'}');
        }
        Value::Null | Value::Bool(_) | Value::String(_) => serde_json::to_writer(out, json)?,
    }
    Ok(())
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
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{Digest, write_canonical};

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_json_is_what_others_make_of_it(json in any_json()) {
            let mut ours = Vec::new();
            write_canonical(&json, &mut ours).expect("canonical");
            prop_assert_eq!(ours, serde_json_canonicalizer::to_vec(&json).expect("canonical"));
        }
    }

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
