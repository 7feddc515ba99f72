//! What was acknowledged, kept by the client who was told: what the service must say and hold from then on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::http::Answer;

/// Which kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Assessment,
    Model,
    GapAnalysis,
}

impl Kind {
    /// Its table.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Assessment => "assessments",
            Self::Model => "models",
            Self::GapAnalysis => "gap_analyses",
        }
    }

    /// The word under which its versions and events are kept.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Assessment => "assessment",
            Self::Model => "model",
            Self::GapAnalysis => "gap_analysis",
        }
    }

    /// What an event says when a version is sealed.
    const fn sealed(self) -> &'static str {
        match self {
            Self::Assessment => "submitted",
            Self::Model => "published",
            Self::GapAnalysis => "sealed",
        }
    }
}

/// A resource as the last acknowledged write left it.
#[derive(Debug, Clone)]
pub struct Thing {
    pub kind: Kind,
    pub id: String,
    pub uri: String,
    pub etag: String,
    pub draft: Option<Value>,
    pub sealed: BTreeMap<i64, Value>,
    /// All that happened to it, with the version it is about.
    pub events: Vec<(&'static str, Option<i64>)>,
    /// It was erased, or went when what it counted was.
    pub gone: bool,
}

impl Thing {
    /// A resource, as the answer to its creation has it.
    pub fn created(kind: Kind, answer: &Answer) -> Self {
        let mut thing = Self {
            kind,
            id: answer.json()["id"].as_str().unwrap_or_default().replace('-', ""),
            uri: answer.header("location").to_owned(),
            etag: String::new(),
            draft: None,
            sealed: BTreeMap::new(),
            events: Vec::new(),
            gone: false,
        };
        if kind != Kind::GapAnalysis {
            thing.events.push(("created", None));
        }
        thing.take(answer);
        thing
    }

    /// Notes what an answer shows: a draft, or a version that was sealed just now.
    pub fn take(&mut self, answer: &Answer) {
        let shown = answer.json();
        answer.header("etag").clone_into(&mut self.etag);
        match shown["version"].as_i64() {
            None => self.draft = Some(shown),
            Some(version) => {
                self.draft = None;
                if self.sealed.insert(version, shown).is_none() {
                    self.events.push((self.kind.sealed(), Some(version)));
                }
            }
        }
    }

    /// The newest version's number.
    pub fn newest(&self) -> Option<i64> {
        self.sealed.keys().next_back().copied()
    }

    /// The revision that its `ETag` names.
    pub fn revision(&self) -> i64 {
        self.etag.trim_matches('"').parse().unwrap_or_default()
    }

    /// Where to look, and what must be there; nothing where there must be nothing. The `ETag` of what can change.
    pub fn expected(&self) -> Vec<(String, Option<&Value>, Option<&str>)> {
        if self.gone {
            return vec![(self.uri.clone(), None, None)];
        }
        let etag = Some(self.etag.as_str());
        let shown = self.newest().and_then(|newest| self.sealed.get(&newest));
        let mut expected = vec![(self.uri.clone(), shown.or(self.draft.as_ref()), etag)];
        if self.kind != Kind::GapAnalysis {
            let etag = etag.filter(|_| self.draft.is_some());
            expected.push((format!("{}/draft", self.uri), self.draft.as_ref(), etag));
        }
        for (version, shown) in &self.sealed {
            expected.push((format!("{}/versions/{version}", self.uri), Some(shown), None));
        }
        expected
    }

    /// The ids of the assessments that a version of an analysis counted.
    pub fn counted(&self) -> BTreeSet<String> {
        let inputs = self.sealed.values().filter_map(|shown| shown["inputs"].as_array());
        let ids = inputs.flatten().filter_map(|input| input["assessment"].as_str());
        ids.map(|id| id.replace('-', "")).collect()
    }
}

/// Whether two answers show the same, whatever became of the resource since.
pub fn same(one: &Value, other: &Value) -> bool {
    let bare = |shown: &Value| {
        let mut shown = shown.clone();
        if let Some(members) = shown.as_object_mut() {
            for name in ["has_draft", "updated_at"] {
                members.remove(name);
            }
        }
        shown
    };
    bare(one) == bare(other)
}
