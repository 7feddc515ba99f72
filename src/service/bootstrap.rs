//! What is there from the first start.

use uuid::Uuid;

use super::{Error, Result, models, perspectives};
use crate::{
    domain::{
        id::PerspectiveId,
        model::{MEANINGFUL_CONNECTIONS, MEANINGFUL_CONNECTIONS_ID, meaningful_connections},
        perspective::{BUILT_IN, Description},
    },
    store::{
        self,
        clients::{Client, NewClient},
        db::Tx,
        keys::NewKey,
        models::Name,
        organisations::Organisation,
    },
};

/// The ids of the built-in perspectives begin here: the same everywhere, so that their digests are the same everywhere.
const FIRST_PERSPECTIVE: u128 = 0x0178_0d2e_7400_7000_8000_6d63_7000_0001;

/// Makes sure that everything is there that a service needs; `key` is kept where there is none yet. Whether this was the
/// very first start: of several processes on an empty database, exactly one is told so.
pub fn first_start(tx: &mut Tx<'_>, key: &NewKey) -> Result<bool> {
    let first = store::organisations::create_public(tx)?;
    if first {
        let now = tx.now();
        store::keys::insert(tx, key, now)?;
    }
    seed(tx)?;
    Ok(first)
}

/// Creates the actor's own organisation, which is new, and its first client.
pub fn found(tx: &mut Tx<'_>, name: &str, client: &NewClient) -> Result<(Organisation, Client)> {
    let organisation = store::organisations::create(tx, name)?;
    Ok((organisation, store::clients::insert(tx, client)?))
}

/// Loads the model and the perspectives that belong to the service itself, unless they are there already.
pub fn seed(tx: &mut Tx<'_>) -> Result<()> {
    let damaged = |_| Error::Store(store::error::Error::Corrupt("the seed"));
    if store::models::head(tx, &Name::Id(MEANINGFUL_CONNECTIONS_ID))?.is_none() {
        let definition = meaningful_connections().map_err(|_| store::error::Error::Corrupt("the seed"))?;
        let slug = MEANINGFUL_CONNECTIONS.parse().map_err(damaged)?;
        models::insert_published(tx, MEANINGFUL_CONNECTIONS_ID, slug, definition)?;
    }
    for ((slug, label, voice), number) in BUILT_IN.into_iter().zip(0u128..) {
        let id = PerspectiveId::from_uuid(Uuid::from_u128(FIRST_PERSPECTIVE.saturating_add(number)));
        if store::perspectives::find(tx, &store::perspectives::Name::Id(id))?.is_none() {
            let content = Description {
                label: label.to_owned(),
                voice,
                description: None,
            };
            perspectives::insert(tx, id, slug.parse().map_err(damaged)?, content)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use chrono::Utc;
    use uuid::Uuid;

    use super::first_start;
    use crate::{
        domain::{access::Actor, id::KeyId, moment::Moment},
        store::{self, db::Db, fork::Place, keys::NewKey},
    };

    #[test]
    fn of_several_processes_that_start_at_once_exactly_one_is_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::parse(&format!("sqlite:{}/test.sqlite", folder.path().display())).expect("a place");
        let open = || Db::open(&place, Arc::new(|| Moment::from(Utc::now()))).expect("threads");
        open().migrate().expect("migrated");
        let starting: Vec<_> = (0..4)
            .map(|_| {
                let db = open();
                let key = NewKey {
                    id: KeyId::from_uuid(Uuid::now_v7()),
                    private_key: vec![0].into(),
                    public_key: vec![0],
                };
                thread::spawn(move || {
                    db.write_now(Actor::SERVICE, move |tx| first_start(tx, &key))
                        .expect("started")
                })
            })
            .collect();
        let first = starting.into_iter().map(|start| start.join().expect("no panic"));
        assert_eq!(first.filter(|first| *first).count(), 1);
        let keys = open().read_now(Actor::SERVICE, store::keys::live).expect("read");
        assert_eq!(keys.len(), 1);
    }
}
