use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto::sign};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bearer, Claims, Issuer};
use crate::{
    auth::{
        Error,
        keys::{KeyRing, generate},
        scope::ScopeSet,
    },
    domain::{
        access::Respondent,
        id::{AssessmentId, ClientId, OrganisationId, PerspectiveId, RoundId},
        moment::Moment,
        round,
    },
    store::keys::{Key, NewKey},
};

const URL: &str = "https://mc.example";
const NOW: i64 = 1_700_000_000;

/// An issuer, its key, and a forger who may sign with it.
struct Forge {
    issuer: Issuer,
    pair: NewKey,
    ring: KeyRing,
}

fn now() -> Moment {
    Moment::from_micros(NOW * 1_000_000).expect("a moment")
}

fn client() -> ClientId {
    "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id")
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

impl Forge {
    fn new() -> Self {
        let pair = generate().expect("a key");
        let key = Key {
            pair: pair.clone(),
            active_from: now(),
            retired_at: None,
        };
        Self {
            issuer: Issuer::new(URL),
            pair,
            ring: KeyRing::from(vec![key]),
        }
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.pair.id})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let key = EncodingKey::from_ed_der(self.pair.private_key.expose_secret());
        let signature = sign(message.as_bytes(), &key, Algorithm::EdDSA).expect("signed");
        format!("{message}.{signature}")
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.sign(&header, &claims())
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = claims();
        claims[name] = value;
        self.sign(&self.header(), &claims)
    }

    fn without_claim(&self, name: &str) -> String {
        let mut claims = claims();
        claims.as_object_mut().expect("an object").remove(name);
        self.sign(&self.header(), &claims)
    }

    fn verify(&self, token: &str) -> Result<Claims, Error> {
        self.issuer.verify(token, &self.ring, now())
    }
}

fn claims() -> Value {
    json!({
        "iss": URL, "aud": URL, "sub": client(), "client_id": client(), "org": OrganisationId::NIL, "scope": "models:read",
        "iat": NOW, "nbf": NOW, "exp": NOW + 900, "jti": "j",
    })
}

#[test]
fn a_token_says_what_it_was_issued_for() {
    let forge = Forge::new();
    let key = forge.ring.signer(now()).expect("a signer");
    let scopes = ScopeSet::known("assessments:write models:read");
    let issued = forge
        .issuer
        .issue(key, OrganisationId::NIL, Bearer::Client(client(), scopes), now())
        .expect("a token");
    let expected = Claims {
        organisation: OrganisationId::NIL,
        client: client(),
        scopes,
        respondent: None,
        expires_at: now().plus_seconds(900),
    };
    assert_eq!(forge.verify(&issued).expect("it counts"), expected);
    let Header { typ, alg, kid, .. } = jsonwebtoken::decode_header(&issued).expect("a header");
    assert_eq!((typ.as_deref(), alg), (Some("at+jwt"), Algorithm::EdDSA));
    assert_eq!(kid, Some(forge.pair.id.to_string()));
    let said: Value = jsonwebtoken::dangerous::insecure_decode(&issued)
        .expect("claims")
        .claims;
    let names: Vec<_> = said
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    for name in [
        "iss",
        "aud",
        "sub",
        "exp",
        "iat",
        "nbf",
        "jti",
        "client_id",
        "org",
        "scope",
    ] {
        assert!(names.contains(&name), "{name} is missing");
    }
    assert_eq!(said["scope"], "models:read assessments:write");
}

#[test]
fn a_respondents_token_is_bound_to_their_assessment_and_has_no_scope_of_a_client() {
    let forge = Forge::new();
    let key = forge.ring.signer(now()).expect("a signer");
    let respondent = Respondent {
        round: RoundId::from_uuid(Uuid::from_u128(1)),
        assessment: AssessmentId::from_uuid(Uuid::from_u128(2)),
        perspective: PerspectiveId::from_uuid(Uuid::from_u128(3)),
        since: now(),
        privacy: round::Privacy::Anonymous,
        by_receipt: false,
    };
    let issued = forge
        .issuer
        .issue(key, OrganisationId::NIL, Bearer::Respondent(respondent), now())
        .expect("a token");
    let claims = forge.verify(&issued).expect("it counts");
    assert_eq!(claims.respondent, Some(respondent));
    assert!(claims.scopes.is_empty() && claims.client.is_nil());
}

#[test]
fn a_token_that_is_a_clients_and_a_respondents_is_refused() {
    let forge = Forge::new();
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let bound = json!({"round": id, "perspective": id, "since": NOW, "privacy": "named", "receipt": true});
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims();
        claims["respondent"] = bound.clone();
        claims["client_id"] = json!(ClientId::NIL);
        claims["scope"] = json!("respond");
        change(&mut claims);
        forge.verify(&forge.sign(&forge.header(), &claims)).is_err()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|claims| claims["client_id"] = json!(client())));
    assert!(refused(&|claims| claims["scope"] = json!("models:read")));
    assert!(refused(&|claims| claims["scope"] = json!("respond assessments:read")));
    assert!(refused(&|claims| claims["respondent"]["round"] = json!("any")));
    assert!(refused(&|claims| claims["respondent"]["since"] = json!(i64::MAX)));
    assert!(refused(&|claims| claims["respondent"] = Value::Null));
}

#[test]
fn what_rfc_9068_allows_counts() {
    let forge = Forge::new();
    for token in [
        forge.sign(&forge.header(), &claims()),
        forge.with_header("typ", json!("application/at+jwt")),
        forge.with_claim("aud", json!(["https://elsewhere.example", URL])),
        forge.with_claim("exp", json!(NOW - 29)),
        forge.with_claim("nbf", json!(NOW + 30)),
        forge.without_claim("nbf"),
        forge.with_claim("anything", json!({"else": true})),
    ] {
        forge.verify(&token).expect("it counts");
    }
}

#[test]
fn a_token_with_the_wrong_header_is_refused() {
    let forge = Forge::new();
    let unsigned = |alg: &str| {
        format!(
            "{}.{}.",
            part(&json!({"typ": "at+jwt", "alg": alg, "kid": forge.pair.id})),
            part(&claims())
        )
    };
    for (why, token) in [
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("no signature", unsigned("EdDSA")),
        (
            "an algorithm that is not ours",
            forge.with_header("alg", json!("ES256")),
        ),
        ("no algorithm", forge.with_header("alg", Value::Null)),
        ("an ordinary JWT", forge.with_header("typ", json!("JWT"))),
        ("an ID token", forge.with_header("typ", json!("id+jwt"))),
        ("no type", forge.with_header("typ", Value::Null)),
        ("no kid", forge.with_header("kid", Value::Null)),
        ("an unknown kid", forge.with_header("kid", json!(client()))),
        (
            "a kid that is a path",
            forge.with_header("kid", json!("../../dev/null")),
        ),
        ("a critical header", forge.with_header("crit", json!(["exp"]))),
        ("an empty critical header", forge.with_header("crit", json!([]))),
        (
            "a critical b64",
            forge.sign(
                &json!({"typ": "at+jwt", "alg": "EdDSA", "kid": forge.pair.id, "crit": ["b64"], "b64": false}),
                &claims(),
            ),
        ),
    ] {
        assert!(matches!(forge.verify(&token), Err(Error::InvalidToken(_))), "{why}");
    }
}

#[test]
fn a_token_signed_by_somebody_else_is_refused() {
    let forge = Forge::new();
    let message = |alg: &str| {
        format!(
            "{}.{}",
            part(&json!({"typ": "at+jwt", "alg": alg, "kid": forge.pair.id})),
            part(&claims())
        )
    };
    // The classic: the public key, which everybody has, as the secret of an HMAC.
    let hmac = |secret: &[u8]| {
        let message = message("HS256");
        let signature = sign(message.as_bytes(), &EncodingKey::from_secret(secret), Algorithm::HS256).expect("signed");
        format!("{message}.{signature}")
    };
    let x = URL_SAFE_NO_PAD.encode(&forge.pair.public_key);
    let other = Forge::new();
    let stranger = other.sign(&forge.header(), &claims());
    let mut bring_your_own = forge.header();
    bring_your_own["jwk"] =
        json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&other.pair.public_key)});
    for (why, token) in [
        ("HS256 with the public key", hmac(&forge.pair.public_key)),
        ("HS256 with the public key in base64url", hmac(x.as_bytes())),
        ("another key under our kid", stranger),
        ("a key that came with the token", other.sign(&bring_your_own, &claims())),
    ] {
        assert!(matches!(forge.verify(&token), Err(Error::InvalidToken(_))), "{why}");
    }
}

#[test]
fn a_token_that_was_tampered_with_is_refused() {
    let forge = Forge::new();
    let good = forge.sign(&forge.header(), &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, signature) = (parts[0], parts[2]);
    let richer = part(&{
        let mut claims = claims();
        claims["scope"] = json!("clients:write");
        claims
    });
    let first = if signature.starts_with('A') { "B" } else { "A" };
    for (why, token) in [
        ("another payload", format!("{header}.{richer}.{signature}")),
        (
            "another signature",
            format!("{header}.{}.{first}{}", parts[1], &signature[1..]),
        ),
        (
            "half a signature",
            format!("{header}.{}.{}", parts[1], &signature[..43]),
        ),
        ("trailing garbage", format!("{good}x")),
        ("a trailing dot", format!("{good}.")),
        ("a fourth part", format!("{good}.{signature}")),
        ("trailing space", format!("{good} ")),
        ("padding", format!("{good}==")),
        ("two parts", format!("{header}.{}", parts[1])),
        ("nothing", String::new()),
        ("only dots", "..".to_owned()),
        ("not base64", "ä.ö.ü".to_owned()),
        ("a giant", format!("{header}.{}.{signature}", "A".repeat(1 << 20))),
        (
            "a large but genuine one",
            forge.with_claim("pad", json!("x".repeat(4096))),
        ),
    ] {
        assert!(matches!(forge.verify(&token), Err(Error::InvalidToken(_))), "{why}");
    }
}

#[test]
fn a_token_with_wrong_claims_is_refused() {
    let forge = Forge::new();
    for name in ["iss", "aud", "sub", "exp", "iat", "jti", "client_id", "org", "scope"] {
        assert!(
            matches!(forge.verify(&forge.without_claim(name)), Err(Error::InvalidToken(_))),
            "without {name}"
        );
        assert!(
            matches!(
                forge.verify(&forge.with_claim(name, Value::Null)),
                Err(Error::InvalidToken(_))
            ),
            "null {name}"
        );
    }
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{URL}/"))),
        ("aud", json!("https://elsewhere.example")),
        ("aud", json!([])),
        ("exp", json!(NOW - 30)),
        ("exp", json!(NOW - 86400)),
        ("exp", json!(-1)),
        ("exp", json!(i64::MAX)),
        ("exp", json!("1900000000")),
        ("exp", json!(NOW + 901)),
        ("iat", json!(NOW - 1)),
        ("iat", json!(NOW + 31)),
        ("iat", json!(i64::MIN)),
        ("nbf", json!(NOW + 31)),
        ("nbf", json!(i64::MAX)),
        ("nbf", json!("soon")),
        ("sub", json!(OrganisationId::NIL)),
        ("org", json!("acme")),
        ("scope", json!(["models:read"])),
    ] {
        let token = forge.with_claim(name, value.clone());
        assert!(
            matches!(forge.verify(&token), Err(Error::InvalidToken(_))),
            "{name}: {value}"
        );
    }
}
