//! Identifiers: UUIDs that know what they identify.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};
use uuid::Uuid;

/// An identifier of a `K`. `UUIDv7` (RFC 9562), so ids sort by the time they were made.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// Marks ids of organisations.
pub enum Organisation {}
/// Marks ids of clients.
pub enum Client {}
/// Marks ids of models.
pub enum Model {}
/// Marks ids of perspectives.
pub enum Perspective {}
/// Marks ids of constellations.
pub enum Constellation {}
/// Marks ids of relationships.
pub enum Relationship {}
/// Marks ids of rounds.
pub enum Round {}
/// Marks ids of invitations.
pub enum Invitation {}
/// Marks ids of assessments.
pub enum Assessment {}
/// Marks ids of gap analyses.
pub enum GapAnalysis {}
/// Marks ids of next steps.
pub enum NextStep {}
/// Marks ids of events.
pub enum Event {}
/// Marks ids of signing keys.
pub enum SigningKey {}

/// Identifies an organisation.
pub type OrganisationId = Id<Organisation>;
/// Identifies a client.
pub type ClientId = Id<Client>;
/// Identifies a model.
pub type ModelId = Id<Model>;
/// Identifies a perspective.
pub type PerspectiveId = Id<Perspective>;
/// Identifies a constellation.
pub type ConstellationId = Id<Constellation>;
/// Identifies a relationship of a constellation, through all its versions.
pub type RelationshipId = Id<Relationship>;
/// Identifies a round.
pub type RoundId = Id<Round>;
/// Identifies an invitation.
pub type InvitationId = Id<Invitation>;
/// Identifies an assessment.
pub type AssessmentId = Id<Assessment>;
/// Identifies a gap analysis.
pub type GapAnalysisId = Id<GapAnalysis>;
/// Identifies a next step.
pub type NextStepId = Id<NextStep>;
/// Identifies an event.
pub type EventId = Id<Event>;
/// Identifies a signing key: the `kid` of a token.
pub type KeyId = Id<SigningKey>;

/// The text is not an identifier in its one spelling: lower case, hyphenated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct NotAnId;

impl<K> Id<K> {
    /// The nil UUID: the organisation that owns what is public, the client that sealed what is built in.
    pub const NIL: Self = Self(Uuid::nil(), PhantomData);

    /// This UUID, as an identifier of a `K`.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The UUID itself.
    pub const fn uuid(&self) -> Uuid {
        self.0
    }

    /// Whether this is the nil UUID.
    pub const fn is_nil(&self) -> bool {
        self.0.is_nil()
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl<K> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Only the hyphenated form: an id has one spelling, so a URL has one spelling.
        match Uuid::try_parse(text) {
            Ok(uuid) if uuid.hyphenated().to_string() == text => Ok(Self::from_uuid(uuid)),
            _ => Err(NotAnId),
        }
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}
impl<K> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .description(Some("A UUID, version 7 where this service made it."))
            .examples(["01890a5d-ac96-774b-bcce-b302099a8057"])
            .into()
    }
}
impl<K> ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}
