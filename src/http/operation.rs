//! Which operation of the `OpenAPI` document a request asks for, and what is counted of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use serde_json::Value;

/// The id under which everything is counted that is no operation.
const NONE: &str = "none";

/// An operation, and what is counted of it: every handle is looked up once.
pub(super) struct Operation {
    /// Its id in the document.
    pub(super) id: String,
    /// Its path in the document.
    pub(super) route: String,
    /// The name of its spans: method and path.
    pub(super) span: String,
    answered: RwLock<BTreeMap<u16, Counter>>,
    took: Histogram,
}

impl Operation {
    fn new(id: &str, route: &str, span: String) -> Self {
        Self {
            id: id.to_owned(),
            route: route.to_owned(),
            span,
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

/// All operations by path and method. Asking the router for the pattern that it matched would match every route anew.
pub(super) struct Catalogue {
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

impl Catalogue {
    /// Reads the document.
    pub(super) fn of(document: &Value) -> Self {
        let mut root = Segment::default();
        let paths = document.get("paths").and_then(Value::as_object);
        for (path, methods) in paths.into_iter().flatten() {
            for (method, described) in methods.as_object().into_iter().flatten() {
                let name = method.to_uppercase();
                let id = described.get("operationId").and_then(Value::as_str);
                if let (Some(id), Ok(method)) = (id, Method::from_bytes(name.as_bytes())) {
                    let operation = Arc::new(Operation::new(id, path, format!("{name} {path}")));
                    root.at(path).operations.push((method, operation));
                }
            }
        }
        Self {
            root,
            none: Arc::new(Operation::new(NONE, "", "HTTP".to_owned())),
        }
    }

    /// The operation with this path and method; HEAD asks for what GET does.
    pub(super) fn find(&self, path: &str, method: &Method) -> &Arc<Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let path = path.strip_prefix('/').unwrap_or(path);
        self.root.find(Some(path), method).unwrap_or(&self.none)
    }
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

    fn find(&self, rest: Option<&str>, method: &Method) -> Option<&Arc<Operation>> {
        let Some(rest) = rest else {
            return self
                .operations
                .iter()
                .find(|(own, _)| own == method)
                .map(|(_, operation)| operation);
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        let fixed = self.fixed.get(segment).and_then(|next| next.find(rest, method));
        let any = || self.any.as_ref().filter(|_| !segment.is_empty())?.find(rest, method);
        fixed.or_else(any)
    }
}
