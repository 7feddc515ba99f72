//! Who signs tokens that nobody should believe.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use meaningful_connections::{domain::moment::Moment, store::keys::Key};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::app::{Client, PUBLIC_URL};

/// Somebody who got hold of the service's own key, or of another, and signs what they like.
pub struct Forger {
    pub pair: Ed25519KeyPair,
    pub public: Vec<u8>,
    pub kid: String,
    pub client: String,
    pub organisation: String,
    pub now: i64,
}

pub fn encoded(text: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

impl Forger {
    pub fn of(key: &Key, client: &Client, now: Moment) -> Self {
        let pair = Ed25519KeyPair::from_pkcs8(key.pair.private_key.expose_secret()).expect("a key pair");
        Self {
            pair,
            public: key.pair.public_key.clone(),
            kid: key.pair.id.to_string(),
            client: client.id.to_string(),
            organisation: client.organisation.to_string(),
            now: now.seconds(),
        }
    }

    /// The same claims, and the same name for the key, but another key.
    pub fn stranger(&self) -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key pair");
        Self {
            public: pair.public_key().as_ref().to_vec(),
            pair,
            kid: self.kid.clone(),
            client: self.client.clone(),
            organisation: self.organisation.clone(),
            now: self.now,
        }
    }

    pub fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.kid})
    }

    pub fn claims(&self) -> Value {
        json!({
            "iss": PUBLIC_URL, "aud": PUBLIC_URL, "sub": self.client, "client_id": self.client, "org": self.organisation,
            "scope": Self::scopes(), "iat": self.now, "nbf": self.now, "exp": self.now + 900, "jti": "j",
        })
    }

    pub fn scopes() -> String {
        meaningful_connections::auth::scope::ScopeSet::of_organisation().to_string()
    }

    pub fn signed(&self, message: &str) -> String {
        format!("{message}.{}", encoded(self.pair.sign(message.as_bytes()).as_ref()))
    }

    pub fn raw(&self, header: &str, claims: &str) -> String {
        self.signed(&format!(
            "{}.{}",
            encoded(header.as_bytes()),
            encoded(claims.as_bytes())
        ))
    }

    pub fn token(&self, header: &Value, claims: &Value) -> String {
        self.raw(&header.to_string(), &claims.to_string())
    }

    pub fn good(&self) -> String {
        self.token(&self.header(), &self.claims())
    }

    pub fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.token(&header, &self.claims())
    }

    pub fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.token(&self.header(), &claims)
    }

    pub fn without(mut of: Value, name: &str) -> Value {
        of.as_object_mut().expect("an object").remove(name);
        of
    }

    /// Signed by other means, under an `alg` that says so.
    pub fn by(&self, alg: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let mut header = self.header();
        header["alg"] = json!(alg);
        let (header, claims) = (header.to_string(), self.claims().to_string());
        let message = format!("{}.{}", encoded(header.as_bytes()), encoded(claims.as_bytes()));
        let signature = sign(message.as_bytes());
        format!("{message}.{}", encoded(&signature))
    }
}
