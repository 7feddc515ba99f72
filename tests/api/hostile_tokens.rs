//! Tokens that nobody should believe: each is a 401 on every operation that needs one, and nothing is changed by it.

use std::collections::BTreeSet;

use actix_web::{http::header::HeaderValue, test::TestRequest};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use meaningful_connections::{
    auth::keys,
    domain::access::Actor,
    http::openapi::document,
    store::{self, clients, keys::Key},
};
use serde_json::{Value, json};

use crate::{
    app::{Answer, Client, PUBLIC_URL, TestApp},
    forger::{Forger, encoded},
    openapi::{Operation, all},
    problems::assert_problem,
    rows,
    wire::{Listening, bytes_of, exchange, first_answer},
    world::World,
};

/// What kind of hostility, and the `Authorization` header that shows it.
type Kind = (String, Vec<u8>);

fn bearer(what: impl Into<String>, token: impl AsRef<str>) -> Kind {
    (what.into(), format!("Bearer {}", token.as_ref()).into_bytes())
}

/// The wrong algorithm, or the wrong key.
fn of_algorithms(forger: &Forger) -> Vec<Kind> {
    let hs256 = |secret: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        forger.by("HS256", |message| hmac::sign(&key, message).as_ref().to_vec())
    };
    let der = [
        &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..],
        &forger.public[..],
    ]
    .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("an EC key");
    let random = SystemRandom::new();
    let rs256 = |message: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .expect("signed");
        signature
    };
    let mut kinds = vec![
        bearer("HS256 with the public key's bytes", hs256(&forger.public)),
        bearer(
            "HS256 with the public key in base64url",
            hs256(encoded(&forger.public).as_bytes()),
        ),
        bearer("HS256 with the public key in DER", hs256(&der)),
        bearer("HS256 with the public key in PEM", hs256(pem.as_bytes())),
        bearer("HS256 with an empty secret", hs256(b"\0")),
        bearer("RS256 by a key of theirs", forger.by("RS256", rs256)),
        bearer(
            "ES256 by a key of theirs",
            forger.by("ES256", |message| {
                ec.sign(&random, message).expect("signed").as_ref().to_vec()
            }),
        ),
        bearer("EdDSA by a key of theirs under our kid", forger.stranger().good()),
        bearer(
            "our signature under alg HS256",
            forger.with_header("alg", json!("HS256")),
        ),
        bearer(
            "our signature under alg eddsa",
            forger.with_header("alg", json!("eddsa")),
        ),
        bearer(
            "our signature under a list of algs",
            forger.with_header("alg", json!(["EdDSA"])),
        ),
        bearer("our signature under alg null", forger.with_header("alg", Value::Null)),
        bearer(
            "no alg",
            forger.token(&Forger::without(forger.header(), "alg"), &forger.claims()),
        ),
        bearer("an all-zero signature", forger.by("EdDSA", |_| vec![0; 64])),
    ];
    for alg in ["none", "None", "nOnE", ""] {
        kinds.push(bearer(
            format!("alg {alg:?}, no signature"),
            forger.by(alg, |_| Vec::new()),
        ));
        kinds.push(bearer(
            format!("alg {alg:?}, our signature"),
            forger.with_header("alg", json!(alg)),
        ));
    }
    kinds
}

/// A header that leads astray.
fn of_headers(forger: &Forger) -> Vec<Kind> {
    let stranger = forger.stranger();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(&stranger.public), "kid": forger.kid});
    let mut kinds = vec![
        bearer(
            "a kid of nobody's",
            forger.with_header("kid", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
        ),
        bearer(
            "no kid",
            forger.token(&Forger::without(forger.header(), "kid"), &forger.claims()),
        ),
        bearer("a key of theirs in jwk", stranger.with_header("jwk", jwk.clone())),
        bearer(
            "a set of theirs at jku",
            stranger.with_header("jku", json!("https://evil.example/jwks.json")),
        ),
        bearer(
            "a certificate of theirs at x5u",
            stranger.with_header("x5u", json!("https://evil.example/x.pem")),
        ),
        bearer(
            "a certificate of theirs in x5c",
            stranger.with_header("x5c", json!(["MIIB"])),
        ),
        bearer("a jwk of theirs and no kid", {
            let mut header = Forger::without(stranger.header(), "kid");
            header["jwk"] = jwk;
            stranger.token(&header, &stranger.claims())
        }),
        bearer(
            "typ left out",
            forger.token(&Forger::without(forger.header(), "typ"), &forger.claims()),
        ),
        bearer(
            "a header that is no object",
            forger.raw("[]", &forger.claims().to_string()),
        ),
        bearer(
            "a header that is not JSON",
            forger.raw("{", &forger.claims().to_string()),
        ),
        bearer("an empty header", forger.raw("", &forger.claims().to_string())),
        bearer("a header that is not UTF-8", {
            let message = format!(
                "{}.{}",
                encoded(b"{\"typ\":\"\xff\"}"),
                encoded(forger.claims().to_string().as_bytes())
            );
            forger.signed(&message)
        }),
        bearer("a header with alg twice", {
            let header = format!(
                r#"{{"typ":"at+jwt","alg":"none","alg":"EdDSA","kid":"{}"}}"#,
                forger.kid
            );
            forger.raw(&header, &forger.claims().to_string())
        }),
    ];
    let names = [
        json!("../../../../dev/null"),
        json!("/proc/self/environ"),
        json!("' OR 1=1 --"),
        json!("x' UNION SELECT 'AA' --"),
        json!("$(id)"),
        json!(""),
        json!(0),
        json!([forger.kid]),
        json!({"$ne": null}),
        json!("\u{0}"),
        Value::Null,
        json!(format!("{}\u{0}", forger.kid)),
        json!(format!("{{{}}}", forger.kid)),
        json!("k".repeat(3000)),
    ];
    kinds.extend(names.into_iter().map(|kid| {
        let short: String = kid.to_string().chars().take(40).collect();
        bearer(format!("kid {short}"), forger.with_header("kid", kid))
    }));
    for crit in [
        json!(["exp"]),
        json!([]),
        json!(["b64"]),
        json!(["x-unheard-of"]),
        json!("exp"),
    ] {
        kinds.push(bearer(format!("crit {crit}"), forger.with_header("crit", crit)));
    }
    for typ in ["JWT", "jwt", "id+jwt", "logout+jwt", "dpop+jwt", "at+jwt ", "", "JOSE"] {
        kinds.push(bearer(format!("typ {typ:?}"), forger.with_header("typ", json!(typ))));
    }
    kinds
}

/// Properly signed, but saying something else than our tokens say.
fn of_claims(forger: &Forger) -> Vec<Kind> {
    let now = forger.now;
    let mut kinds = Vec::new();
    for name in ["iss", "aud", "sub", "exp", "iat", "jti", "client_id", "org", "scope"] {
        let claims = Forger::without(forger.claims(), name);
        kinds.push(bearer(
            format!("without {name}"),
            forger.token(&forger.header(), &claims),
        ));
        kinds.push(bearer(format!("{name} null"), forger.with_claim(name, Value::Null)));
        kinds.push(bearer(format!("{name} an object"), forger.with_claim(name, json!({}))));
        let twice = forger
            .claims()
            .to_string()
            .replacen('{', &format!(r#"{{"{name}":0,"#), 1);
        kinds.push(bearer(
            format!("{name} twice"),
            forger.raw(&forger.header().to_string(), &twice),
        ));
    }
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{PUBLIC_URL}/"))),
        ("iss", json!(PUBLIC_URL.to_uppercase())),
        ("iss", json!("")),
        ("aud", json!("https://elsewhere.example")),
        ("aud", json!([])),
        ("aud", json!(["https://elsewhere.example"])),
        ("aud", json!([[PUBLIC_URL]])),
        ("aud", json!("")),
        ("exp", json!(now - 30)),
        ("exp", json!(now - 86_400)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(i64::MIN)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(1e300)),
        ("exp", json!(253_402_300_799_i64)),
        ("exp", json!(now + 901)),
        ("exp", json!((now + 900).to_string())),
        ("exp", json!([now + 900])),
        ("exp", json!(true)),
        ("nbf", json!(now + 3600)),
        ("nbf", json!(i64::MAX)),
        ("nbf", json!("soon")),
        ("iat", json!(now + 3600)),
        ("iat", json!(now - 100_000)),
        ("iat", json!("now")),
        ("sub", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
        ("client_id", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
        ("sub", json!("admin")),
        ("org", json!("*")),
        ("org", json!([forger.organisation])),
        ("scope", json!(["models:read"])),
    ] {
        kinds.push(bearer(format!("{name} {value}"), forger.with_claim(name, value)));
    }
    for claims in ["null", "[]", "\"\"", "{}", "", "{", "0", "{\"exp\":"] {
        kinds.push(bearer(
            format!("claims {claims}"),
            forger.raw(&forger.header().to_string(), claims),
        ));
    }
    kinds
}

/// The order of the group in which Ed25519 signs (RFC 8032, section 5.1), little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The same signature with S + L for S, which a lax verifier takes for another proof of the same.
fn malleated(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(32);
    let mut carry = 0;
    let sum = s.iter().zip(ORDER).map(|(a, b)| {
        let sum = u16::from(*a) + u16::from(b) + carry;
        carry = sum >> 8;
        u8::try_from(sum & 0xff).expect("a byte")
    });
    [r.to_vec(), sum.collect()].concat()
}

/// A good token, tampered with on its way.
fn of_tampering(forger: &Forger) -> Vec<Kind> {
    let good = forger.good();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let other = forger.with_claim("org", json!("01890a5d-ac96-774b-bcce-b302099a8057"));
    let swapped = other.split('.').nth(1).expect("claims");
    let flipped = |at: usize, bit: u8| {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        encoded(&flipped)
    };
    let flipped_part = |part: &str, at: usize| {
        let mut bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        bytes[at] ^= 1;
        encoded(&bytes)
    };
    // 64 bytes end in a character of which two bits count: the other four should be nought.
    let last = signature.chars().last().expect("a character");
    let loose = char::from(u8::try_from(u32::from(last)).expect("ASCII") + 1);
    let with_signature = |signature: &str| format!("{header}.{claims}.{signature}");
    let nested = forger.raw(
        &json!({"typ": "at+jwt", "alg": "EdDSA", "kid": forger.kid, "cty": "JWT"}).to_string(),
        &good,
    );
    vec![
        bearer("the signature stripped", with_signature("")),
        bearer("the signature and its dot stripped", format!("{header}.{claims}")),
        bearer("the signature truncated", with_signature(&signature[..60])),
        bearer(
            "the signature by one byte short",
            with_signature(&encoded(&bytes[..63])),
        ),
        bearer(
            "the signature by one byte long",
            with_signature(&encoded(&[&bytes[..], &[0]].concat())),
        ),
        bearer("a bit of R flipped", with_signature(&flipped(0, 0))),
        bearer("the last bit of R flipped", with_signature(&flipped(31, 7))),
        bearer("a bit of S flipped", with_signature(&flipped(32, 0))),
        bearer("the top bit of S flipped", with_signature(&flipped(63, 7))),
        bearer("S + L for S", with_signature(&encoded(&malleated(&bytes)))),
        bearer(
            "loose bits after the signature",
            with_signature(&format!("{}{loose}", &signature[..signature.len() - 1])),
        ),
        bearer("the claims of another token", format!("{header}.{swapped}.{signature}")),
        bearer(
            "a bit of the claims flipped",
            format!("{header}.{}.{signature}", flipped_part(claims, 20)),
        ),
        bearer(
            "a bit of the header flipped",
            format!("{}.{claims}.{signature}", flipped_part(header, 9)),
        ),
        bearer("padding after the signature", format!("{good}==")),
        bearer("padded parts", {
            let padded = |part: &str| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(part).expect("base64url"));
            format!("{}.{}.{}", padded(header), padded(claims), padded(signature))
        }),
        bearer(
            "the padding of ordinary base64",
            with_signature(&STANDARD.encode(&bytes)),
        ),
        bearer("a space within", format!("{header}. {claims}.{signature}")),
        bearer("a space before", format!(" {good}")),
        bearer("a tab within", format!("{header}.{claims}\t.{signature}")),
        bearer("four parts", format!("{good}.{signature}")),
        bearer("a dot before", format!(".{good}")),
        bearer("a dot after", format!("{good}.")),
        bearer("only dots", ".."),
        bearer("one word", "x"),
        bearer(
            "five parts, as a JWE has",
            format!("{header}.{claims}.{signature}.{claims}.{signature}"),
        ),
        bearer("a JWE's header", {
            let jwe = json!({"alg": "dir", "enc": "A256GCM", "typ": "at+jwt", "kid": forger.kid});
            format!(
                "{}..{}.{}.{}",
                encoded(jwe.to_string().as_bytes()),
                encoded(b"123456789012"),
                claims,
                signature
            )
        }),
        bearer("a JWT within a JWT", nested),
        bearer(
            "JSON serialization",
            json!({"protected": header, "payload": claims, "signature": signature}).to_string(),
        ),
        bearer("percent-encoded", good.replace('.', "%2E")),
        bearer("a NUL, percent-encoded", format!("{good}%00")),
    ]
}

/// A token of a size or in a script that no token has.
fn of_sizes(forger: &Forger) -> Vec<Kind> {
    let good = forger.good();
    vec![
        bearer("10 KB", "A".repeat(10 * 1024)),
        bearer(
            "genuine, and 10 KB",
            forger.with_claim("pad", json!("x".repeat(10 * 1024))),
        ),
        bearer("1 MB", "A".repeat(1024 * 1024)),
        bearer(
            "genuine, and 1 MB",
            forger.with_claim("pad", json!("x".repeat(1024 * 1024))),
        ),
        bearer("full-width dots", good.replace('.', "\u{ff0e}")),
        bearer("a zero-width space", format!("{good}\u{200b}")),
    ]
}

/// A good token, shown in a way that does not count.
fn of_presentation(forger: &Forger) -> Vec<Kind> {
    let good = forger.good();
    let kind = |what: &str, header: String| (what.to_owned(), header.into_bytes());
    vec![
        kind("nothing", String::new()),
        kind("the scheme alone", "Bearer".to_owned()),
        kind("the scheme and a space", "Bearer ".to_owned()),
        kind("no scheme", good.clone()),
        kind("no space", format!("Bearer{good}")),
        kind("a tab for the space", format!("Bearer\t{good}")),
        kind("a colon", format!("Bearer: {good}")),
        kind("Basic", format!("Basic {good}")),
        kind(
            "Basic, encoded",
            format!("Basic {}", STANDARD.encode(format!("{}:{good}", forger.client))),
        ),
        kind("Token", format!("Token {good}")),
        kind("DPoP", format!("DPoP {good}")),
        kind("JWT", format!("JWT {good}")),
        kind("two tokens", format!("Bearer {good} {good}")),
        kind("two tokens and a comma", format!("Bearer {good},{good}")),
        kind("two credentials", format!("Bearer {good}, Bearer {good}")),
        kind("quoted", format!("Bearer \"{good}\"")),
        kind("as a parameter", format!("Bearer token={good}")),
        kind("full-width scheme", format!("\u{ff22}earer {good}")),
        (
            "bytes that are no text".to_owned(),
            [b"Bearer \xff\xfe".as_slice(), good.as_bytes()].concat(),
        ),
    ]
}

fn signer(app: &TestApp) -> Key {
    let live = app.db.read_now(Actor::SERVICE, store::keys::live).expect("keys");
    live.into_iter().next().expect("a key")
}

/// A client's token that counted until the client was revoked.
async fn of_a_revoked_client(app: &TestApp, owner: &Client) -> Kind {
    let made = owner
        .post("/v1/clients", json!({"name": "gone", "scopes": ["models:read"]}))
        .await
        .json();
    let id = made["client_id"].as_str().expect("an id").to_owned();
    let client = app.client(owner.organisation, id.parse().expect("an id"), &Forger::scopes());
    assert_eq!(client.get("/v1/models").await.status, 200);
    assert_eq!(owner.delete(&format!("/v1/clients/{id}")).await.status, 204);
    bearer("of a revoked client", client.token.expect("a token"))
}

/// The same organisation, client and names, from another instance with a key of its own.
fn of_another_instance(forger: &Forger) -> Vec<Kind> {
    let stranger = Forger {
        kid: "01890a5d-ac96-774b-bcce-b302099a8058".to_owned(),
        ..forger.stranger()
    };
    let mut claims = stranger.claims();
    claims["iss"] = json!("https://other.example");
    claims["aud"] = json!("https://other.example");
    vec![
        bearer("of another instance", stranger.token(&stranger.header(), &claims)),
        bearer("of another instance, for ours", stranger.good()),
        bearer(
            "of another instance that shares our key",
            forger.token(&forger.header(), &claims),
        ),
    ]
}

async fn hostile(app: &TestApp, owner: &Client) -> (Forger, Vec<Kind>) {
    let revoked = of_a_revoked_client(app, owner).await;
    let forger = Forger::of(&signer(app), owner, app.db.now());
    let mut kinds = vec![revoked];
    kinds.extend(of_another_instance(&forger));
    kinds.extend(of_algorithms(&forger));
    kinds.extend(of_headers(&forger));
    kinds.extend(of_claims(&forger));
    kinds.extend(of_tampering(&forger));
    kinds.extend(of_sizes(&forger));
    kinds.extend(of_presentation(&forger));
    let mut names = BTreeSet::new();
    for (what, _) in &kinds {
        assert!(names.insert(what), "two kinds are called {what}");
    }
    (forger, kinds)
}

#[track_caller]
fn assert_turned_away(what: &str, answer: &Answer, header: &[u8]) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.text());
    assert_problem(answer, 401, "invalid_token");
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer error=\"invalid_token\""),
        "{what}: {challenge}"
    );
    if header.len() > 40 {
        let shown = String::from_utf8_lossy(&header[header.len() - 20..]).into_owned();
        assert!(
            !answer.text().contains(&shown) && !challenge.contains(&shown),
            "{what}: {}",
            answer.text()
        );
    }
}

fn guarded() -> Vec<Operation> {
    all(&document())
        .into_iter()
        .filter(|operation| operation.scope().is_some())
        .collect()
}

#[actix_web::test]
async fn no_hostile_token_opens_any_operation() {
    let app = TestApp::new().await;
    let world = World::new(app.organisation("acme")).await;
    let (forger, kinds) = hostile(&app, &world.owner).await;
    let before = rows::of(&app, world.owner.organisation);
    let nobody = app.nobody();
    let operations = guarded();
    for operation in &operations {
        for (what, header) in &kinds {
            let what = format!("{what}, on {}", operation.id());
            let header = HeaderValue::from_bytes(header).expect("a header");
            let request = world
                .request(operation)
                .await
                .insert_header(("Authorization", header.clone()));
            assert_turned_away(&what, &nobody.send(request).await, header.as_bytes());
        }
    }
    assert_eq!(rows::of(&app, world.owner.organisation), before);
    // The forger's hand is good: what is not hostile counts.
    for good in [
        forger.good(),
        forger.with_header("typ", json!("application/at+jwt")),
        forger.token(&forger.header(), &Forger::without(forger.claims(), "nbf")),
    ] {
        let request = TestRequest::get()
            .uri("/v1/models")
            .insert_header(("Authorization", format!("bearer {good}")));
        assert_eq!(nobody.send(request).await.status, 200);
    }
    println!(
        "hostile tokens: {} kinds on {} operations",
        kinds.len(),
        operations.len()
    );
    assert!(kinds.len() >= 40, "{}", kinds.len());
}

#[actix_web::test]
async fn no_hostile_token_comes_through_over_the_wire_either() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let (forger, mut kinds) = hostile(&app, &acme).await;
    // What no header can say in this process.
    let good = forger.good();
    kinds.push(("a NUL".to_owned(), format!("Bearer {good}\0").into_bytes()));
    kinds.push((
        "a line break".to_owned(),
        format!("Bearer {good}\r\n {good}").into_bytes(),
    ));
    let listening = Listening::start(&app);
    let mut unreadable = Vec::new();
    for (method, path) in [
        ("GET", "/v1/models"),
        ("POST", "/v1/clients"),
        ("DELETE", "/v1/models/x/draft"),
    ] {
        for (what, header) in &kinds {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ");
            let request = [head.as_bytes(), header, b"\r\n\r\n"].concat();
            let address = listening.address;
            let answer = actix_web::web::block(move || exchange(address, &request)).await;
            let answer = answer.expect("a thread").expect("an exchange");
            let answer = first_answer(&answer).expect("an answer");
            if answer.status == 401 {
                // Spaces around a header's value are none of its value (RFC 9110, section 5.5).
                assert_turned_away(what, &answer, header);
            } else {
                assert!(
                    [400, 431].contains(&answer.status),
                    "{what}: {} {}",
                    answer.status,
                    answer.text()
                );
                unreadable.push(format!("{what} {}", answer.status));
            }
        }
    }
    unreadable.sort();
    unreadable.dedup();
    assert_eq!(
        unreadable,
        ["1 MB 431", "a NUL 400", "a line break 400", "genuine, and 1 MB 431"],
        "what is no HTTP gets no further than HTTP"
    );
    let request = TestRequest::get()
        .uri("/v1/models")
        .insert_header(("Authorization", format!("Bearer {good}")));
    let request = bytes_of(request).await;
    let address = listening.address;
    let answer = actix_web::web::block(move || exchange(address, &request))
        .await
        .expect("a thread")
        .expect("an exchange");
    assert_eq!(first_answer(&answer).expect("an answer").status, 200);
    listening.stop().await;
}

#[actix_web::test]
async fn a_good_token_counts_nowhere_but_in_its_header() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let token = acme.token.clone().expect("a token");
    let nobody = app.nobody();
    for request in [
        TestRequest::get().uri(&format!("/v1/models?access_token={token}")),
        TestRequest::get()
            .uri("/v1/models")
            .insert_header(("Cookie", format!("access_token={token}; Authorization={token}"))),
        TestRequest::get()
            .uri("/v1/models")
            .insert_header(("Proxy-Authorization", format!("Bearer {token}"))),
        TestRequest::get()
            .uri("/v1/models")
            .insert_header(("X-Authorization", format!("Bearer {token}"))),
        TestRequest::post()
            .uri("/v1/models")
            .set_form([("access_token", &token)]),
        TestRequest::post()
            .uri("/v1/models")
            .set_json(json!({"access_token": token})),
    ] {
        let answer = nobody.send(request).await;
        assert_problem(&answer, 401, "invalid_token");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let twice = ["", "x"].map(|more| {
        let header = |token: &str| ("Authorization", format!("Bearer {token}"));
        let request = TestRequest::get().uri("/v1/models").insert_header(header(&token));
        request.append_header(header(&format!("{token}{more}")))
    });
    for request in twice {
        assert_problem(&nobody.send(request).await, 401, "invalid_token");
    }
}

#[actix_web::test]
async fn a_token_ends_with_its_time_its_client_and_the_overlap_of_its_key() {
    let app = TestApp::new().await;
    let acme = app.organisation("acme");
    let old = signer(&app);
    let key = keys::generate().expect("a key");
    app.db
        .write_now(Actor::SERVICE, move |tx| keys::rotate(tx, &key))
        .expect("rotated");
    let refreshed = || async {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        app.gate.refresh(move |result| drop(sender.send(result)));
        receiver.await.expect("refreshed").expect("read");
    };
    let counts = |token: String| {
        let nobody = app.nobody();
        async move {
            let request = TestRequest::get()
                .uri("/v1/models")
                .insert_header(("Authorization", format!("Bearer {token}")));
            nobody.send(request).await.status
        }
    };
    refreshed().await;
    // Within the overlap the old key is believed, past it nothing that it signs is, however fresh.
    app.advance(60 + 20 * 60 - 10);
    assert_eq!(counts(Forger::of(&old, &acme, app.db.now()).good()).await, 200);
    app.advance(20);
    refreshed().await;
    let late = Forger::of(&old, &acme, app.db.now()).good();
    assert_eq!(counts(late).await, 401);
    let fresh = app.client(acme.organisation, acme.id, &Forger::scopes());
    assert_eq!(counts(fresh.token.clone().expect("a token")).await, 200);
    assert_eq!(
        counts(acme.token.clone().expect("a token")).await,
        401,
        "it has expired"
    );
    app.db
        .write_now(Actor::service_for(acme.organisation), move |tx| {
            clients::revoke(tx, acme.id)
        })
        .expect("revoked");
    refreshed().await;
    assert_eq!(counts(fresh.token.expect("a token")).await, 401);
}
