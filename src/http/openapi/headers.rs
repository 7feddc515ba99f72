//! The headers of requests and answers.

use serde_json::{Map, Value, json};

use super::{limits::TEXT, suggest};
use crate::http::edge::LONGEST_HEADER;

/// What every answer has.
pub(super) const ALWAYS: &[&str] = &[
    "X-Request-Id",
    "Cache-Control",
    "Vary",
    "X-Content-Type-Options",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
];

/// The headers of these names, as an answer declares them.
pub(super) fn named<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> Value {
    let headers: Map<String, Value> = names
        .into_iter()
        .map(|name| {
            (
                (*name).to_owned(),
                json!({"$ref": format!("#/components/headers/{name}")}),
            )
        })
        .collect();
    Value::Object(headers)
}

/// How long a header of ours can be, where nothing in it grows with what was asked.
const SHORT: usize = 500;
/// What the value of a header that we read is made of.
const VISIBLE: &str = r"^[ -~\t]*$";
/// What the value of a header may be made of that we pass over where it makes no sense.
const ANYTHING: &str = r"^[^\x00-\x08\x0a-\x1f\x7f]*$";

/// The headers of answers: those that an answer always has where it declares them, and those that it may have.
pub(super) fn of_answers() -> Value {
    let header = |required: bool, longest: usize, description: &str, example: &str| {
        json!({
            "description": description, "required": required, "example": example,
            "schema": {"type": "string", "maxLength": longest, "pattern": VISIBLE}
        })
    };
    let always = |description, example| header(true, SHORT, description, example);
    let maybe = |description, example| header(false, SHORT, description, example);
    json!({
        "ETag": always("The revision of the resource, or the digest of the version; with a suffix, that of a representation.", "\"3\""),
        "Location": always("Where the new resource is.", "/v1/assessments/01890a5d-ac96-774b-bcce-b302099a8057"),
        "X-Request-Id": always("The id of the request: the caller's own, or a new one.", "01890a5d-ac96-774b-bcce-b302099a8057"),
        "Cache-Control": always("Who may keep the answer, and for how long.", "private, no-cache"),
        "Vary": always("Which headers of the request decide what is answered.", "Accept, Accept-Language, Authorization"),
        "X-Content-Type-Options": always("The answer is of the type that it says.", "nosniff"),
        "Content-Language": always("The language of the texts; `en` beside it where some are in the model's own words or in ours.", "en"),
        "Link": header(false, 131_072, "The next page, where there is one (RFC 8288).", "</v1/assessments?cursor=eyJ>; rel=\"next\""),
        "Idempotent-Replayed": maybe("`true` where the request was done before, and this is its answer again.", "true"),
        "Consistency-Token": maybe("Where the service has replicas: sent with a later read, it lets a replica answer that has followed as far as this write.", "AAAAAQAAAAADAWhI"),
        "Content-Security-Policy": maybe("With an SVG: nothing in it runs or loads.", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        "Access-Control-Allow-Origin": maybe("The caller's own origin, where the operator lets browsers call from there.", "https://front.example.org"),
        "Access-Control-Expose-Headers": maybe("Which headers of the answer a script there may read.", "etag, location"),
        "WWW-Authenticate": maybe("How to authenticate (RFC 6750), where it is the token that will not do.", "Bearer error=\"invalid_token\""),
        "Accept": maybe("The media types that the operation takes, where a body had another.", "application/json"),
        "Accept-Patch": maybe("The media types of patches that the operation takes, where one had another (RFC 5789).", "application/merge-patch+json"),
        "Retry-After": {
            "description": "After how many seconds to try again.", "required": true, "example": 2,
            "schema": {"type": "integer", "format": "int32", "minimum": 0}
        }
    })
}

/// The headers of requests that several operations read, by the name under which they refer to them.
pub(super) fn of_requests() -> Value {
    let parameter = |name: &str, is_required: bool, pattern: &str, description: &str, example: &str| {
        let mut parameter = json!({
            "name": name, "in": "header", "description": description, "required": is_required, "example": example,
            "schema": {"type": "string", "maxLength": LONGEST_HEADER, "pattern": pattern}
        });
        suggest(&mut parameter);
        parameter
    };
    // 255 characters, quoted or bare; quotes are those of the header only where there are two.
    let key = r#"^([!-~]{0,254}[!#-~]|[!#-~][!-~]{0,254}|"[!-~]{1,255}"|")$"#;
    let stale = "The ETag of the resource as it was loaded; a stale one is refused with 412.";
    let known = "An ETag that the caller knows; where it still stands, the answer is 304.";
    let once = "1 to 255 visible ASCII characters, quoted or bare: a request with the same key is done once, and answered the same for 24 hours.";
    let consistent = "The token of the caller's newest write, or those of several, separated by commas: a replica that has followed so far may answer. Where that write's answer had no token, none must be sent. `any`: what is at most some five seconds old will do. Without a token, or with one that is not the service's (any more), the primary answers.";
    let id = "1 to 128 visible ASCII characters, by which the request is found in the logs; anything else is replaced.";
    let languages = "The reader's languages (RFC 4647, lookup). Where the model version has no such translation, its own text is sent, which is English.";
    json!({
        "Accept-Language": parameter("Accept-Language", false, TEXT, languages, "cy, en-GB;q=0.8"),
        "If-Match": parameter("If-Match", true, VISIBLE, stale, "\"3\""),
        "If-Match-Optional": parameter("If-Match", false, VISIBLE, stale, "\"3\""),
        "If-None-Match": parameter("If-None-Match", false, ANYTHING, known, "\"3\""),
        "If-None-Match-Any": parameter("If-None-Match", false, VISIBLE, "`*`: only where the resource does not exist yet.", "*"),
        "Idempotency-Key": parameter("Idempotency-Key", false, key, once, "9b2d6c1e-5a0f-4c1d-8e3b-7f2a4d6c8b90"),
        "Consistency-Token": parameter("Consistency-Token", false, ANYTHING, consistent, "any"),
        "X-Request-Id": parameter("X-Request-Id", false, ANYTHING, id, "my-request-1"),
    })
}
