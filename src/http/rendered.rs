//! Published versions and forms, rendered once and served from memory: they never change, so they are never stale.

use std::sync::Arc;

use actix_web::web::Bytes;
use quick_cache::{Weighter, sync::Cache};

use super::reply::{Caching, JSON, Reply};
use crate::domain::{id::OrganisationId, life_cycle::Version, slug::Slug};

/// The most bytes that are kept: 16 MiB.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// How many renderings that is, roughly.
const USUALLY: usize = 2048;

/// What was asked for: a published model's name stays its own for ever, so the name will do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// The model, by slug or id, as the URL has it.
    pub model: String,
    /// Its version.
    pub version: Version,
    /// As what.
    pub shape: Shape,
}

/// The shapes of a model version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The version itself.
    Whole,
    /// A form, asked from this perspective. Only of built-in ones: an organisation's own may change.
    Form(Slug),
}

#[derive(Clone)]
struct Rendering {
    body: Bytes,
    etag: String,
    language: Option<&'static str>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<(OrganisationId, Asked), Rendering> for Weight {
    fn weight(&self, _: &(OrganisationId, Asked), rendering: &Rendering) -> u64 {
        u64::try_from(rendering.body.len())
            .unwrap_or(u64::MAX)
            .saturating_add(256)
    }
}

/// What has been rendered, by the owner of the model: its own organisation finds it, and everybody what is public.
#[derive(Clone)]
pub struct Rendered(Arc<Cache<(OrganisationId, Asked), Rendering, Weight>>);

impl Default for Rendered {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(USUALLY, MOST_BYTES, Weight)))
    }
}

impl Rendered {
    /// What was rendered before, for a caller of this organisation.
    pub fn find(&self, caller: OrganisationId, asked: &Asked) -> Option<Reply> {
        [OrganisationId::NIL, caller].into_iter().find_map(|owner| {
            let rendering = self.0.get(&(owner, asked.clone()))?;
            Some(reply(owner, rendering))
        })
    }

    /// Keeps a rendering of a model that was found visible.
    pub fn keep(
        &self,
        owner: OrganisationId,
        asked: Asked,
        body: Bytes,
        etag: String,
        language: Option<&'static str>,
    ) -> Reply {
        let rendering = Rendering { body, etag, language };
        self.0.insert((owner, asked), rendering.clone());
        reply(owner, rendering)
    }
}

fn reply(owner: OrganisationId, Rendering { body, etag, language }: Rendering) -> Reply {
    let caching = if owner.is_nil() {
        Caching::ForEveryone
    } else {
        Caching::ForCaller
    };
    let reply = Reply::bytes(JSON, body).tagged(etag).cached(caching);
    match language {
        Some(language) => reply.with("Content-Language", language),
        None => reply,
    }
}
