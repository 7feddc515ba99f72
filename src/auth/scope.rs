//! Scopes, as one table.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// An operation that needs a scope: the type parameter of a handler's caller.
pub trait Requires {
    /// The scope it needs.
    const SCOPE: Scope;
}

/// Makes, of one table, the enum, its wire names, and a marker type for each scope.
macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $name:ident = $wire:literal,)+) => {
        /// What a client may do. Deny by default: every operation names the one it needs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Scope {
            $($(#[doc = $doc])+ #[serde(rename = $wire)] $name,)+
        }

        impl Scope {
            /// Every scope, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What it allows, in words.
            pub const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+),)+
                }
            }

            /// Its name in tokens, requests and the contract.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $wire),+ }
            }
        }

        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Requires for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )+
    };
}

scopes! {
    /// Read models, forms and guides.
    ReadModels = "models:read",
    /// Create, edit, publish and retire models.
    WriteModels = "models:write",
    /// Read perspectives.
    ReadPerspectives = "perspectives:read",
    /// Create and edit perspectives.
    WritePerspectives = "perspectives:write",
    /// Read constellations.
    ReadConstellations = "constellations:read",
    /// Create and edit constellations.
    WriteConstellations = "constellations:write",
    /// Read rounds, how far they have come, and whom they invite.
    ReadRounds = "rounds:read",
    /// Prepare, open, close, reveal and cancel rounds, and invite to them.
    WriteRounds = "rounds:write",
    /// Read assessments, and check them.
    ReadAssessments = "assessments:read",
    /// Create, edit, submit, withdraw and erase assessments.
    WriteAssessments = "assessments:write",
    /// Read gap analyses, and preview them.
    ReadGapAnalyses = "gap_analyses:read",
    /// Create and recompute gap analyses.
    WriteGapAnalyses = "gap_analyses:write",
    /// Read next steps.
    ReadNextSteps = "next_steps:read",
    /// Make next steps, and follow them up.
    WriteNextSteps = "next_steps:write",
    /// Register webhooks.
    WriteWebhooks = "webhooks:write",
    /// Create and revoke clients.
    WriteClients = "clients:write",
    /// Change the organisation itself.
    WriteOrganisation = "organisation:write",
    /// Read what was released for research.
    ReadResearch = "research:read",
    /// Release data for research.
    ReleaseResearch = "research:release",
}

// By hand: the derived schema does not read the wire names out of the table.
impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::ALL.iter().map(|scope| scope.as_str())))
            .description(Some("What a client may do. More may come."))
            .examples(["assessments:read"])
            .into()
    }
}

impl ToSchema for Scope {}

impl Scope {
    #[expect(
        clippy::as_conversions,
        reason = "the discriminant of a fieldless enum, of which there are 19"
    )]
    const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// The text is not the name of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope")]
pub struct NotAScope;

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
            .ok_or(NotAScope)
    }
}

/// A set of scopes; as text, separated by spaces (RFC 6749, section 3.3).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeSet(u32);

impl ScopeSet {
    /// What an organisation's own clients may do unless told otherwise: everything but releasing data for research.
    pub fn of_organisation() -> Self {
        let everything: Self = Scope::ALL.iter().copied().collect();
        Self(everything.0 & !Scope::ReleaseResearch.bit())
    }

    /// The scopes in a text written by this service, perhaps by a later version of it: what is unknown grants nothing.
    pub fn known(text: &str) -> Self {
        text.split(' ').filter_map(|name| name.parse::<Scope>().ok()).collect()
    }

    /// Whether the scope is in the set.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether every scope of this set is in the other one.
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

impl FromStr for ScopeSet {
    type Err = NotAScope;

    /// At least one scope, separated by single spaces.
    fn from_str(text: &str) -> Result<Self, NotAScope> {
        text.split(' ').map(Scope::from_str).collect()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}", scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopeSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAScope, Requires, Scope, ScopeSet, WriteAssessments};

    #[test]
    fn a_set_is_written_in_the_order_of_the_table_however_it_was_read() {
        let set: ScopeSet = "research:read models:read research:read".parse().expect("known scopes");
        assert_eq!(set.to_string(), "models:read research:read");
        assert_eq!(set.iter().collect::<Vec<_>>(), [Scope::ReadModels, Scope::ReadResearch]);
    }

    #[test]
    fn unknown_scopes_and_stray_spaces_are_refused() {
        for text in [
            "",
            " ",
            "models:read ",
            "models:read  models:write",
            "models",
            "MODELS:READ",
            "models:read\tx",
        ] {
            assert_eq!(text.parse::<ScopeSet>(), Err(NotAScope), "{text:?}");
        }
    }

    #[test]
    fn a_scope_of_a_later_version_grants_nothing() {
        assert_eq!(
            ScopeSet::known("models:read moon:land"),
            [Scope::ReadModels].into_iter().collect()
        );
        assert!(ScopeSet::known("").is_empty());
    }

    #[test]
    fn an_organisation_may_do_everything_but_release_data_for_research() {
        let own = ScopeSet::of_organisation();
        let missing: Vec<_> = Scope::ALL.iter().filter(|scope| !own.contains(**scope)).collect();
        assert_eq!(missing, [&Scope::ReleaseResearch]);
        assert!(own.contains(WriteAssessments::SCOPE));
        assert!(ScopeSet::known("models:read").is_within(own));
        assert!(!ScopeSet::known("research:release").is_within(own));
    }
}
