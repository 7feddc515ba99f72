//! Published versions and forms, rendered once and served from memory: they never change, so they are never stale.

use std::sync::Arc;

use actix_web::web::Bytes;
use quick_cache::{Weighter, sync::Cache};

use crate::domain::{
    id::{ModelId, PerspectiveId},
    life_cycle::Version,
};

/// The most bytes that are kept: 16 MiB.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// What was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Of {
    /// The model.
    pub model: ModelId,
    /// Its version.
    pub version: Version,
    /// As what.
    pub shape: Shape,
}

/// The shapes of a model version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The version itself.
    Whole,
    /// A form, asked from this version of a perspective.
    Form(PerspectiveId, Version),
}

#[derive(Clone)]
struct Weight;

impl Weighter<Of, Bytes> for Weight {
    fn weight(&self, _: &Of, bytes: &Bytes) -> u64 {
        u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_add(128)
    }
}

/// What has been rendered, and may be shown to whoever was found to see the model.
#[derive(Clone)]
pub struct Rendered(Arc<Cache<Of, Bytes, Weight>>);

impl Default for Rendered {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(1024, MOST_BYTES, Weight)))
    }
}

impl Rendered {
    /// What was rendered before, or what is rendered now.
    pub fn or_render<E>(&self, of: Of, render: impl FnOnce() -> Result<Bytes, E>) -> Result<Bytes, E> {
        if let Some(bytes) = self.0.get(&of) {
            return Ok(bytes);
        }
        let bytes = render()?;
        self.0.insert(of, bytes.clone());
        Ok(bytes)
    }
}
