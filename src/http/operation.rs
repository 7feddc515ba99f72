//! Which operation of the `OpenAPI` document a request asks for, what it takes, and what is counted of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use actix_web::http::{Method, StatusCode};
use jsonschema::Validator;
use metrics::{Counter, Histogram, counter, histogram};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// The id under which everything is counted that is no operation.
const NONE: &str = "none";

/// How many large bodies are checked at once.
const LARGE_AT_ONCE: usize = 2;

/// The schema of a body cannot be compiled.
#[derive(Debug, thiserror::Error)]
#[error("the schema of {0} cannot be compiled: {1}")]
pub struct BadSchema(String, String);

/// The JSON body that an operation takes.
pub(super) struct Expected {
    pub(super) media_types: Vec<String>,
    pub(super) schema: Arc<Validator>,
    /// How many large bodies may still be checked at once: one becomes many times as long in memory. For all operations.
    pub(super) large: Arc<Semaphore>,
}

/// An operation, and what is counted of it: every handle is looked up once.
pub(super) struct Operation {
    /// Its id in the document.
    pub(super) id: String,
    /// Its path in the document.
    pub(super) route: String,
    /// The name of its spans: method and path.
    pub(super) span: String,
    /// Whether it takes parameters in its query.
    pub(super) takes_query: bool,
    /// The body that it takes, if it is JSON.
    pub(super) body: Option<Expected>,
    answered: RwLock<BTreeMap<u16, Counter>>,
    took: Histogram,
}

impl Operation {
    fn new(id: &str, route: &str, span: String) -> Self {
        Self {
            id: id.to_owned(),
            route: route.to_owned(),
            span,
            takes_query: false,
            body: None,
            answered: RwLock::default(),
            took: histogram!("http_request_duration_seconds", "operation" => id.to_owned()),
        }
    }

    /// Counts an answer.
    pub(super) fn answered(&self, status: StatusCode, took: Duration) {
        self.took.record(took);
        let status = status.as_u16();
        let known = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(&status) {
            return counter.increment(1);
        }
        drop(known);
        let counter = counter!("http_requests_total", "operation" => self.id.clone(), "status" => status.to_string());
        counter.increment(1);
        self.answered
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(status, counter);
    }
}

/// All operations by path and method, with their schemas compiled once. Asking the router for the pattern that it matched
/// would match every route anew.
pub(super) struct Operations {
    root: Segment,
    none: Arc<Operation>,
}

/// What can stand at one place between slashes.
#[derive(Default)]
struct Segment {
    fixed: HashMap<String, Segment>,
    any: Option<Box<Segment>>,
    operations: Vec<(Method, Arc<Operation>)>,
}

impl Operations {
    /// Reads the document.
    pub(super) fn of(document: &Value) -> Result<Self, BadSchema> {
        let mut root = Segment::default();
        let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
        let components = document.get("components").cloned().unwrap_or_default();
        let paths = document.get("paths").and_then(Value::as_object);
        for (path, methods) in paths.into_iter().flatten() {
            for (method, described) in methods.as_object().into_iter().flatten() {
                let name = format!("{} {path}", method.to_uppercase());
                let bad = |error: String| BadSchema(name.clone(), error);
                let id = described.get("operationId").and_then(Value::as_str).unwrap_or(NONE);
                let method =
                    Method::from_bytes(method.to_uppercase().as_bytes()).map_err(|error| bad(error.to_string()))?;
                let operation = Operation {
                    takes_query: takes_query(described),
                    body: body(described, &components, &large).map_err(bad)?,
                    ..Operation::new(id, path, name)
                };
                root.at(path).operations.push((method, Arc::new(operation)));
            }
        }
        let none = Arc::new(Operation::new(NONE, "", "HTTP".to_owned()));
        Ok(Self { root, none })
    }

    /// The operation with this path and method; HEAD asks for what GET does.
    pub(super) fn find(&self, path: &str, method: &Method) -> &Arc<Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.root
            .find(Some(path.strip_prefix('/').unwrap_or(path)), &|place| {
                place
                    .operations
                    .iter()
                    .find(|(own, _)| own == method)
                    .map(|(_, found)| found)
            })
            .unwrap_or(&self.none)
    }

    /// The methods that a path has, if it is one of ours.
    pub(super) fn methods(&self, path: &str) -> Option<Vec<&Method>> {
        self.root.find(Some(path.strip_prefix('/').unwrap_or(path)), &|place| {
            let methods: Vec<&Method> = place.operations.iter().map(|(method, _)| method).collect();
            (!methods.is_empty()).then_some(methods)
        })
    }
}

fn takes_query(operation: &Value) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters
        .into_iter()
        .flatten()
        .any(|parameter| parameter.get("in") == Some(&json!("query")))
}

fn body(operation: &Value, components: &Value, large: &Arc<Semaphore>) -> Result<Option<Expected>, String> {
    let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
    let json: Vec<(&String, &Value)> = content
        .into_iter()
        .flatten()
        .filter(|(media_type, _)| media_type.ends_with("json"))
        .collect();
    let Some((_, first)) = json.first() else {
        return Ok(None);
    };
    let schema = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&json!({"allOf": [first.get("schema")], "components": components}))
        .map_err(|error| error.to_string())?;
    let media_types = json.iter().map(|(media_type, _)| (*media_type).clone()).collect();
    Ok(Some(Expected {
        media_types,
        schema: Arc::new(schema),
        large: Arc::clone(large),
    }))
}

impl Segment {
    /// The place of a path, made where it is not there yet.
    fn at(&mut self, path: &str) -> &mut Self {
        path.trim_start_matches('/').split('/').fold(self, |place, segment| {
            if segment.starts_with('{') {
                place.any.get_or_insert_default()
            } else {
                place.fixed.entry(segment.to_owned()).or_default()
            }
        })
    }

    /// What is wanted of the places where this path leads, the most specific first.
    fn find<'a, T>(&'a self, rest: Option<&str>, wanted: &impl Fn(&'a Self) -> Option<T>) -> Option<T> {
        let Some(rest) = rest else {
            return wanted(self);
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        let fixed = self.fixed.get(segment).and_then(|next| next.find(rest, wanted));
        let any = || self.any.as_ref().filter(|_| !segment.is_empty())?.find(rest, wanted);
        fixed.or_else(any)
    }
}
