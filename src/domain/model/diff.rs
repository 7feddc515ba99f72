//! What became of each element from one version of a model to another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::{Definition, Ratable};
use crate::domain::{language::LanguageTag, slug::ElementKey};

/// What became of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It says the same.
    Same,
    /// The same key, in other words.
    Reworded,
    /// It is new.
    Added,
    /// It is gone, and nothing replaces it.
    Retired,
    /// One element became several.
    Split,
    /// Several elements became one.
    Merged,
}

/// What became of one element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ElementChange {
    /// The element's key.
    pub element: ElementKey,
    /// What became of it.
    pub change: Change,
    /// What it says in the version compared from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub label_from: Option<String>,
    /// What it says in the version compared to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200)]
    pub label_to: Option<String>,
    /// The earlier elements that it splits or merges.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub replaces: Vec<ElementKey>,
    /// The later elements that it was split or merged into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub replaced_by: Vec<ElementKey>,
}

/// Every element of either version, in the order of `to`, then those that are gone in the order of `from`.
pub fn element_changes(from: &Definition, to: &Definition) -> Vec<ElementChange> {
    let before: BTreeMap<&ElementKey, Ratable<'_>> = from.ratables().map(|r| (r.key, r)).collect();
    let after: BTreeMap<&ElementKey, Ratable<'_>> = to.ratables().map(|r| (r.key, r)).collect();
    // Which elements of `to` replace an element of `from`, in the order of `to`.
    let mut heirs: BTreeMap<&ElementKey, Vec<&ElementKey>> = BTreeMap::new();
    for heir in to.ratables() {
        for replaced in heir.replaces.iter().filter(|key| before.contains_key(key)) {
            heirs.entry(replaced).or_default().push(heir.key);
        }
    }
    let kept_or_new = to.ratables().map(|now| {
        let replaces: Vec<ElementKey> = now
            .replaces
            .iter()
            .filter(|key| before.contains_key(key))
            .cloned()
            .collect();
        let was = before.get(now.key);
        let change = match was {
            Some(was) if was.label == now.label && was.stem == now.stem && was.strand == now.strand => Change::Same,
            Some(_) => Change::Reworded,
            None if replaces.len() > 1 => Change::Merged,
            None if replaces.is_empty() => Change::Added,
            None => Change::Split,
        };
        ElementChange {
            element: now.key.clone(),
            change,
            label_from: was.map(|was| was.label.to_owned()),
            label_to: Some(now.label.to_owned()),
            replaces,
            replaced_by: Vec::new(),
        }
    });
    let gone = from.ratables().filter(|was| !after.contains_key(was.key)).map(|was| {
        let replaced_by: Vec<ElementKey> = heirs.get(was.key).into_iter().flatten().copied().cloned().collect();
        let change = match replaced_by.as_slice() {
            [] => Change::Retired,
            [heir] if after.get(heir).is_some_and(|heir| heir.replaces.len() > 1) => Change::Merged,
            _ => Change::Split,
        };
        ElementChange {
            element: was.key.clone(),
            change,
            label_from: Some(was.label.to_owned()),
            label_to: None,
            replaces: Vec::new(),
            replaced_by,
        }
    });
    kept_or_new.chain(gone).collect()
}

/// What became of the translation into one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LanguageChange {
    /// The language.
    pub language: LanguageTag,
    /// What became of it: `same`, `reworded`, `added` or `retired`.
    pub change: Change,
}

/// Every language of either version.
pub fn language_changes(from: &Definition, to: &Definition) -> Vec<LanguageChange> {
    let either: BTreeSet<&LanguageTag> = from.translations.keys().chain(to.translations.keys()).collect();
    let change = |language: &LanguageTag| {
        let words = |definition: &Definition| Some(definition.translations.get(language)?.words.clone());
        match (words(from), words(to)) {
            (Some(was), Some(now)) if was != now => Change::Reworded,
            (None, _) => Change::Added,
            (_, None) => Change::Retired,
            _ => Change::Same,
        }
    };
    let change = |language: &LanguageTag| LanguageChange {
        language: language.clone(),
        change: change(language),
    };
    either.into_iter().map(change).collect()
}
