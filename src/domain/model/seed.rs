//! The Meaningful Connections Model, version 1, as its slides have it (March 2021).

use uuid::Uuid;

use super::Definition;
use crate::domain::id::ModelId;

/// The slug of the model that is there from the first start.
pub const MEANINGFUL_CONNECTIONS: &str = "meaningful-connections";

/// Its id: the same everywhere, so that its digest is the same everywhere.
pub const MEANINGFUL_CONNECTIONS_ID: ModelId =
    ModelId::from_uuid(Uuid::from_u128(0x0178_0d2e_7400_7000_8000_6d63_6d00_0001));

const SLIDES: &str = include_str!("meaningful_connections.json");

/// The model's definition.
pub fn meaningful_connections() -> Result<Definition, serde_json::Error> {
    serde_json::from_str(SLIDES)
}
