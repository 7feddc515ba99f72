//! Published versions and forms, rendered once and served from memory: they never change, so they are never stale.

use std::{borrow::Cow, sync::Arc};

use actix_web::HttpRequest;
use quick_cache::{Equivalent, Weighter, sync::Cache};

use super::{
    negotiate::accepted_languages,
    reply::{Caching, Reply},
};
use crate::domain::id::OrganisationId;

/// The most bytes that are kept: 16 MiB.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// How many renderings that is, roughly.
const USUALLY: usize = 2048;

/// What was asked for, as it was asked: a published model's name stays its own for ever, so the URL will do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    url: Box<str>,
    languages: Box<str>,
}

impl Asked {
    /// What this request asks for.
    pub fn by(request: &HttpRequest) -> Self {
        let (url, languages) = parts(request);
        Self {
            url: url.into(),
            languages: languages.into(),
        }
    }
}

fn parts(request: &HttpRequest) -> (&str, Cow<'_, str>) {
    let url = request.uri().path_and_query().map_or("", |url| url.as_str());
    (url, accepted_languages(request))
}

/// What is found by a request, without copying anything of it.
#[derive(Hash)]
struct Sought<'a>(OrganisationId, &'a str, &'a str);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key(OrganisationId, Asked);

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, Key(owner, asked): &Key) -> bool {
        self.0 == *owner && *self.1 == *asked.url && *self.2 == *asked.languages
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Reply> for Weight {
    fn weight(&self, Key(_, asked): &Key, reply: &Reply) -> u64 {
        let bytes = asked.url.len() + asked.languages.len() + reply.bytes_of_body();
        u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(512)
    }
}

/// What has been rendered, by the owner of the model: its own organisation finds it, and everybody what is public.
#[derive(Clone)]
pub struct Rendered(Arc<Cache<Key, Reply, Weight>>);

impl Default for Rendered {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(USUALLY, MOST_BYTES, Weight)))
    }
}

impl Rendered {
    /// What was rendered before, for a caller of this organisation.
    pub fn find(&self, caller: OrganisationId, request: &HttpRequest) -> Option<Reply> {
        let (url, languages) = parts(request);
        let of = |owner| self.0.get(&Sought(owner, url, &languages));
        of(OrganisationId::NIL).or_else(|| of(caller))
    }

    /// Keeps a rendering of a model that was found visible.
    pub fn keep(&self, owner: OrganisationId, asked: Asked, reply: Reply) -> Reply {
        let reply = reply.cached(Caching::of(owner));
        self.0.insert(Key(owner, asked), reply.clone());
        reply
    }
}
