//! The one life cycle of every versioned resource: a draft that changes, and sealed versions that never do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{digest::Digest, fault::Broken, id::ClientId, moment::Moment};

/// The number of a sealed version: 1, 2, 3 …
pub type Version = i32;

/// When, by whom and as what a version was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seal {
    /// The digest of the version.
    pub digest: Digest,
    /// When it was sealed.
    pub sealed_at: Moment,
    /// The client that sealed it; the nil UUID for the service itself.
    pub sealed_by: ClientId,
}

/// A mutable draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<C> {
    /// The sealed version it amends; none for the first draft.
    pub based_on: Option<Version>,
    /// What it says.
    pub content: C,
}

/// An immutable version.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed<C> {
    /// Its number, 1 or more.
    pub version: Version,
    /// What it says.
    pub content: C,
    /// Its seal.
    pub seal: Seal,
}

/// A resource's content through its life: at most one draft, and the newest sealed version.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<C> {
    /// Raised by every write; the `ETag`.
    pub revision: i64,
    /// The open draft.
    pub draft: Option<Draft<C>>,
    /// The newest sealed version.
    pub newest: Option<Sealed<C>>,
}

impl<C> Versioned<C> {
    /// A resource that begins with a draft.
    pub fn drafted(content: C) -> Self {
        Self {
            revision: 1,
            draft: Some(Draft {
                based_on: None,
                content,
            }),
            newest: None,
        }
    }

    /// The number that the next sealed version will have.
    pub fn next_version(&self) -> Version {
        self.newest
            .as_ref()
            .map_or(1, |sealed| sealed.version.saturating_add(1))
    }

    /// The content that `GET /{id}` answers with: the newest sealed version's or, where none is, the draft's.
    pub fn shown(&self) -> Option<&C> {
        self.newest
            .as_ref()
            .map(|sealed| &sealed.content)
            .or_else(|| self.draft.as_ref().map(|draft| &draft.content))
    }

    /// The draft, or the rule that there is none to edit.
    pub fn draft_mut(&mut self) -> Result<&mut Draft<C>, Broken> {
        self.draft
            .as_mut()
            .ok_or(Broken::NotADraft("There is no open draft; amend first."))
    }

    /// Turns the draft into the next sealed version.
    pub fn seal(&mut self, sealed: Sealed<C>) {
        self.draft = None;
        self.newest = Some(sealed);
    }

    /// Discards an amendment; a first draft cannot be discarded so.
    pub fn discard_draft(&mut self) -> Result<(), Broken> {
        match (&self.draft, &self.newest) {
            (None, _) => Err(Broken::NotADraft("There is no open draft to discard.")),
            (Some(_), None) => Err(Broken::InvalidTransition(
                "Nothing has been sealed yet, so there is no amendment to discard.",
            )),
            (Some(_), Some(_)) => {
                self.draft = None;
                Ok(())
            }
        }
    }
}

impl<C: Clone> Versioned<C> {
    /// Opens a draft from the newest sealed version.
    pub fn open_draft(&mut self) -> Result<(), Broken> {
        match (&self.draft, &self.newest) {
            (Some(_), _) => Err(Broken::InvalidTransition("A draft is open already.")),
            (None, None) => Err(Broken::InvalidTransition("Nothing has been sealed yet.")),
            (None, Some(newest)) => {
                self.draft = Some(Draft {
                    based_on: Some(newest.version),
                    content: newest.content.clone(),
                });
                Ok(())
            }
        }
    }
}
