//! What differs between two versions of a resource.

use serde::Serialize;
use utoipa::ToSchema;

use super::Result;
use crate::{domain::life_cycle::Version, store::error::Error};

/// What differs between two versions of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Diff {
    /// The version compared from.
    #[schema(value_type = i32, minimum = 1)]
    pub from: Version,
    /// The version compared to.
    #[schema(value_type = i32, minimum = 1)]
    pub to: Version,
    /// A JSON Patch (RFC 6902) that turns the one into the other, but for `version` and the seal.
    #[schema(value_type = Vec<Object>, max_items = 2_147_483_647)]
    pub changes: json_patch::Patch,
}

impl Diff {
    /// The difference between two documents.
    pub fn between(from: (Version, &impl Serialize), to: (Version, &impl Serialize)) -> Result<Self> {
        let json = |document| {
            let mut json = document?;
            if let serde_json::Value::Object(members) = &mut json {
                for name in ["version", "digest", "sealed_at", "sealed_by", "languages"] {
                    members.remove(name);
                }
            }
            Ok::<_, serde_json::Error>(json)
        };
        let damaged = |_| Error::Corrupt("a document cannot be written as JSON");
        let before = json(serde_json::to_value(from.1)).map_err(damaged)?;
        let after = json(serde_json::to_value(to.1)).map_err(damaged)?;
        Ok(Self {
            from: from.0,
            to: to.0,
            changes: json_patch::diff(&before, &after),
        })
    }
}
