//! Bodies, checked against the operation's own schema in the `OpenAPI` document.

mod faults;

use std::{borrow::Cow, collections::HashSet, future::Future, pin::Pin, sync::Arc, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{
        Method,
        header::{self, HeaderName},
    },
    rt::time::timeout,
    web::{self, BytesMut},
};
use futures_util::StreamExt;
use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use serde_path_to_error::Segment;
use sha2::{Digest, Sha256};

use self::faults::schema_faults;
use super::{
    ACCEPT_PATCH,
    problem::{self, Problem},
    trace,
};
use crate::{
    domain::fault::{Fault, MOST_FAULTS, pointer},
    service::Checked,
};

/// The most bytes of a body: 1 MiB.
pub const LONGEST: usize = 1024 * 1024;
/// A body of more bytes than this is checked beside the thread that others wait for as well: 32 KiB.
const LARGE: usize = 32 * 1024;
/// How long a body may take to arrive.
const SLOWEST: Duration = Duration::from_secs(20);

/// The SHA-256 of a request's body, by which a retry is known.
pub(super) struct Fingerprint(pub(super) [u8; 32]);

/// A JSON body. What cannot be parsed is refused at once; what is parsed and wrong waits for its turn in [`Checked`].
pub struct Body<T>(pub Checked<T>);

impl<T: DeserializeOwned + Send + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let operation = trace::operation(&request);
            let expected = operation.as_ref().and_then(|operation| operation.body.as_ref());
            let expected = expected.ok_or_else(|| {
                tracing::error!("an operation whose body is not in the OpenAPI document");
                Problem::new(&problem::INTERNAL, "Something went wrong here.")
            })?;
            media_type(&request, &expected.media_types)?;
            let bytes = collect(&request, payload).await?;
            request
                .extensions_mut()
                .insert(Fingerprint(Sha256::digest(&bytes).into()));
            if bytes.len() <= LARGE {
                return said(&expected.schema, &bytes);
            }
            let _turn = expected.large.acquire().await;
            let schema = Arc::clone(&expected.schema);
            let beside = web::block(move || said(&schema, &bytes)).await;
            beside.map_err(|_| Problem::unavailable())?
        })
    }
}

/// What a body says.
fn said<T: DeserializeOwned>(schema: &Validator, bytes: &[u8]) -> Result<Body<T>, Problem> {
    let json: Value = serde_json::from_slice(bytes).map_err(|error| {
        let detail = format!(
            "The body is not JSON: line {}, column {}.",
            error.line(),
            error.column()
        );
        Problem::new(&problem::MALFORMED_JSON, detail)
    })?;
    Ok(Body(checked(schema, json)))
}

/// Refuses what the operation does not take.
pub(super) fn media_type(request: &HttpRequest, taken: &[String]) -> Result<(), Problem> {
    let refused = |detail: String| {
        let problem = Problem::new(&problem::UNSUPPORTED_MEDIA_TYPE, detail);
        Err(if request.method() == Method::PATCH {
            problem.with_header(HeaderName::from_static("accept-patch"), ACCEPT_PATCH.1)
        } else {
            problem.with_header(header::ACCEPT, &taken.join(", "))
        })
    };
    let coding = request
        .headers()
        .get(header::CONTENT_ENCODING)
        .map(actix_web::http::header::HeaderValue::as_bytes);
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return refused("Bodies are sent without content coding.".to_owned());
    }
    let sent = request.content_type().trim();
    if taken.iter().any(|media_type| media_type.eq_ignore_ascii_case(sent)) {
        return Ok(());
    }
    refused(format!("The operation takes {}.", taken.join(" or ")))
}

/// The whole body, if it is neither too long nor too slow.
pub(super) async fn collect(request: &HttpRequest, payload: Payload) -> Result<BytesMut, Problem> {
    let slow = |_| Problem::new(&problem::REQUEST_TIMEOUT, "The body took longer than 20 seconds.");
    timeout(SLOWEST, read(request, payload)).await.map_err(slow)?
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<BytesMut, Problem> {
    let too_large = || Problem::new(&problem::PAYLOAD_TOO_LARGE, "A body has at most 1,048,576 bytes.");
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LONGEST) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(&problem::MALFORMED_JSON, "The body broke off."))?;
        if bytes.len().saturating_add(chunk.len()) > LONGEST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Every fault of a body, of its characters and against its schema; and what it says apart from them.
fn checked<T: DeserializeOwned>(schema: &Validator, mut json: Value) -> Checked<T> {
    let mut faults = faults(schema, &json);
    for fault in &faults {
        leave_out(&mut json, &fault.pointer);
    }
    whole_numbers(&mut json);
    // Keeping track of where it fails takes longer than reading: that is for those where it does.
    let said = T::deserialize(&json).or_else(|_| serde_path_to_error::deserialize(json));
    Checked {
        said: said
            .map_err(|error| {
                if faults.is_empty() {
                    let tokens = error.path().iter().filter_map(|segment| match segment {
                        Segment::Seq { index } => Some(index.to_string()),
                        Segment::Map { key } => Some(key.clone()),
                        Segment::Enum { .. } | Segment::Unknown => None,
                    });
                    faults.push(Fault::new(pointer(tokens), "type", "This does not fit."));
                }
            })
            .ok(),
        faults,
    }
}

fn faults(schema: &Validator, json: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    control_characters(json, &mut Vec::new(), &mut faults);
    // Looking for faults takes longer than seeing that there are none.
    let errors = (!schema.is_valid(json)).then(|| schema.iter_errors(json));
    for error in errors.into_iter().flatten() {
        schema_faults(&error, &mut faults);
        if faults.len() > MOST_FAULTS {
            break;
        }
    }
    faults.sort();
    // What has the wrong type breaks other rules as well, which says nothing more.
    let of_type: HashSet<String> = faults
        .iter()
        .filter(|fault| fault.code == "type")
        .map(|fault| fault.pointer.clone())
        .collect();
    faults.retain(|fault| fault.code == "type" || !of_type.contains(&fault.pointer));
    // Patterns refuse control characters as well, and say it less clearly.
    let of_control: HashSet<String> = faults
        .iter()
        .filter(|fault| fault.code == "control_character")
        .map(|fault| fault.pointer.clone())
        .collect();
    faults.retain(|fault| fault.code != "pattern" || !of_control.contains(&fault.pointer));
    faults.dedup();
    faults.truncate(MOST_FAULTS);
    faults
}

/// JSON knows one kind of number: `2.0` is an integer to a schema, and so it is to us.
fn whole_numbers(json: &mut Value) {
    match json {
        Value::Number(number) => {
            let whole = number
                .as_f64()
                .filter(|_| number.is_f64())
                .map(|given| format!("{given:.0}"));
            if let Some(whole) = whole.and_then(|whole| whole.parse::<i64>().ok())
                && number.as_f64() == Number::from(whole).as_f64()
            {
                *number = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(members) => members.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// Takes out of the body the member at this pointer: the whole list where the pointer leads into one, since taking a part
/// of a list would move the others.
fn leave_out(json: &mut Value, pointer: &str) {
    let (mut at, mut tokens) = (json, pointer.split('/').skip(1).peekable());
    while let Some(token) = tokens.next() {
        let name = token.replace("~1", "/").replace("~0", "~");
        let Value::Object(members) = at else { return };
        if tokens.peek().is_none() || members.get(&name).is_some_and(Value::is_array) {
            members.remove(&name);
            return;
        }
        match members.get_mut(&name) {
            Some(member) => at = member,
            None => return,
        }
    }
}

/// U+0000 and the other controls of C0, but for tab, line feed and carriage return.
fn is_refused(character: char) -> bool {
    character < ' ' && !matches!(character, '\t' | '\n' | '\r')
}

fn control_characters<'a>(json: &'a Value, at: &mut Vec<Cow<'a, str>>, faults: &mut Vec<Fault>) {
    let refused = |at: &[Cow<'a, str>]| Fault::new(pointer(at), "control_character", "Control characters are refused.");
    if faults.len() >= MOST_FAULTS {
        return;
    }
    match json {
        Value::String(text) if text.chars().any(is_refused) => faults.push(refused(at)),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                at.push(place.to_string().into());
                control_characters(item, at, faults);
                at.pop();
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if name.chars().any(is_refused) {
                    faults.push(refused(at));
                    continue;
                }
                at.push(name.into());
                control_characters(member, at, faults);
                at.pop();
            }
        }
        _ => {}
    }
}
