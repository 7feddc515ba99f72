//! Pages of lists, and the cursors that lead from one to the next.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    caller::Caller,
    problem::{self, Problem},
    query::Limit,
    reply::{List, Reply},
};
use crate::store::page::{Page, Position};

/// What a cursor carries: where the next page begins, and what it belongs to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    position: Position,
    of: String,
}

/// A page of a caller's list.
pub struct Paging {
    page: Page,
    of: String,
    url: String,
}

impl Paging {
    /// The page that a request asks for.
    pub fn of<S>(caller: &Caller<S>, limit: Option<Limit>, cursor: Option<&str>) -> Result<Self, Problem> {
        let request = caller.request();
        let mut filters: Vec<&str> = request
            .query_string()
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=") && !pair.starts_with("limit="))
            .collect();
        filters.sort_unstable();
        let mut hash = Sha256::new();
        hash.update(caller.actor().organisation.uuid());
        hash.update(request.path());
        hash.update([0]);
        hash.update(filters.join("&"));
        let of: String = URL_SAFE_NO_PAD.encode(hash.finalize()).chars().take(16).collect();
        let after = cursor.map(|cursor| position(cursor, &of)).transpose()?;
        let limit = limit.unwrap_or_default().items();
        if let Some(pair) = request
            .query_string()
            .split('&')
            .find(|pair| pair.starts_with("limit="))
        {
            filters.push(pair);
        }
        filters.push("cursor=");
        let url = format!("{}?{}", request.path(), filters.join("&"));
        Ok(Self {
            page: Page { limit, after },
            of,
            url,
        })
    }

    /// What the store is asked for.
    pub fn page(&self) -> Page {
        self.page
    }

    /// The answer, with a link to the next page where there is one (RFC 8288).
    pub fn reply<T: Serialize>(&self, data: Vec<T>, next: Option<Position>) -> Reply {
        let next_cursor = next.and_then(|position| {
            let cursor = Cursor {
                position,
                of: self.of.clone(),
            };
            serde_json::to_vec(&cursor)
                .ok()
                .map(|json| URL_SAFE_NO_PAD.encode(json))
        });
        let link = next_cursor
            .as_ref()
            .map(|cursor| format!("<{}{cursor}>; rel=\"next\"", self.url));
        let reply = Reply::json(&List { data, next_cursor });
        match link {
            Some(link) => reply.with("Link", link),
            None => reply,
        }
    }
}

fn position(cursor: &str, of: &str) -> Result<Position, Problem> {
    let unfit = || Problem::new(&problem::INVALID_CURSOR, "The cursor does not belong to this list.");
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| unfit())?;
    let cursor: Cursor = serde_json::from_slice(&json).map_err(|_| unfit())?;
    if cursor.of == of {
        Ok(cursor.position)
    } else {
        Err(unfit())
    }
}
