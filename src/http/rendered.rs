//! Published versions and forms, rendered once and served from memory: they never change, so they are never stale.

use std::sync::Arc;

use actix_web::web::Bytes;
use quick_cache::{Weighter, sync::Cache};

use super::{
    negotiate::Languages,
    reply::{Caching, JSON, Reply},
};
use crate::domain::{id::OrganisationId, language::LanguageTag, life_cycle::Version, slug::Slug};

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
    /// In which translation; none for the model's own text.
    pub language: Option<LanguageTag>,
}

/// The shapes of a model version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The version itself.
    Whole,
    /// A form, asked from this perspective. Only of built-in ones: an organisation's own may change.
    Form(Slug),
}

/// What is sent, rendered.
#[derive(Clone)]
pub struct Rendering {
    /// The JSON.
    pub body: Bytes,
    /// The `ETag`, with its quotes.
    pub etag: String,
    /// The languages of its texts, where it depends on what the caller accepts.
    pub content_language: Option<String>,
    /// What else there is: the languages into which the version is translated.
    pub translations: Arc<[LanguageTag]>,
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
    /// What was rendered before, for a caller of this organisation, in the language that they accept: the rendering of the
    /// model's own text knows which others there are, and mostly there are none.
    pub fn find(&self, caller: OrganisationId, asked: &Asked, languages: &Languages) -> Option<Reply> {
        [OrganisationId::NIL, caller].into_iter().find_map(|owner| {
            let own = self.0.get(&(owner, asked.clone()))?;
            let rendering = match languages.choose(&own.translations.iter()) {
                None => own,
                Some(language) => {
                    let language = Some(language.clone());
                    self.0.get(&(
                        owner,
                        Asked {
                            language,
                            ..asked.clone()
                        },
                    ))?
                }
            };
            Some(reply(owner, rendering))
        })
    }

    /// Keeps a rendering of a model that was found visible.
    pub fn keep(&self, owner: OrganisationId, asked: Asked, rendering: Rendering) {
        self.0.insert((owner, asked), rendering);
    }
}

/// The answer to a caller who may see this owner's models.
pub fn reply(owner: OrganisationId, rendering: Rendering) -> Reply {
    let caching = if owner.is_nil() {
        Caching::ForEveryone
    } else {
        Caching::ForCaller
    };
    let reply = Reply::bytes(JSON, rendering.body)
        .tagged(rendering.etag)
        .cached(caching);
    match rendering.content_language {
        Some(language) => reply.with("Content-Language", language),
        None => reply,
    }
}
