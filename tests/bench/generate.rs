//! Fills a database with submitted assessments: complete ratings, sealed with their digests, with their events; by the store's
//! own functions, in the order in which creating and submitting call them. Many assessments share a transaction, and what
//! needs no database is done outside it.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on ends")]

use std::{
    error::Error,
    fs::OpenOptions,
    io::{BufWriter, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use chrono::Utc;
use clap::Parser;
use meaningful_connections::{
    domain::{
        access::Actor,
        assessment::{Answers, Assessment, Life},
        digest::{Digest, NotCanonical},
        event::{Event, Kind},
        id::{AssessmentId, ClientId},
        level::Level,
        life_cycle::{Seal, Sealed, Versioned},
        model,
        moment::Moment,
        ratings::Rating,
        slug::ElementKey,
    },
    store::{
        self,
        assessments::{self, Found},
        db::{Clock, Db, Tx},
        events,
        fork::Place,
    },
};
use rand::{Rng, RngExt, seq::IndexedRandom};
use uuid::Uuid;

/// How many assessments share a transaction.
const BATCH: usize = 500;
/// One assessment in so many belongs to one of the smaller organisations.
const ELSEWHERE: usize = 5;
const PERSPECTIVES: [&str; 4] = ["service_user", "team_member", "team", "organisation"];
const NOTE: &str = "Said at the spring review: we are getting there, slowly.";

/// Fills a database with submitted assessments.
#[derive(Parser)]
struct Options {
    /// The database; its schema is up to date.
    #[arg(long)]
    database_url: String,
    /// An organisation and its client, `ID:ID`. The first gets four of five assessments; the others share the rest.
    #[arg(long = "owner", required = true, value_parser = actor)]
    owners: Vec<Actor>,
    /// How many assessments.
    #[arg(long)]
    assessments: usize,
    /// Where to add the ids of the first organisation's, a line each.
    #[arg(long)]
    ids: String,
}

fn actor(text: &str) -> Result<Actor, String> {
    let (organisation, client) = text.split_once(':').ok_or("ID:ID")?;
    Ok(Actor {
        organisation: organisation.parse().map_err(|_| "an organisation's id")?,
        client: client.parse().map_err(|_| "a client's id")?,
        respondent: None,
    })
}

/// A complete rating: mostly two levels, now and then with a note, now and then not applicable.
fn rating(random: &mut impl Rng) -> Rating {
    if random.random_ratio(1, 50) {
        return Rating {
            not_applicable: true,
            reason: Some("We have no such channel.".to_owned()),
            ..Rating::default()
        };
    }
    Rating {
        current: Level::ALL.choose(random).copied(),
        desired: Level::ALL.choose(random).copied(),
        note: random.random_ratio(1, 12).then(|| NOTE.to_owned()),
        ..Rating::default()
    }
}

/// A submitted assessment as the use cases leave it: what it was before, and what it is.
fn submitted(keys: &[ElementKey], client: ClientId) -> Result<(Found, Found), NotCanonical> {
    let mut random = rand::rng();
    let now = Moment::from(Utc::now());
    let answers = Answers {
        model: model::MEANINGFUL_CONNECTIONS.parse().expect("a slug"),
        model_version: 1,
        perspective: PERSPECTIVES.choose(&mut random).expect("one").parse().expect("a slug"),
        perspective_version: 1,
        relationship: None,
        round: None,
        respondent_ref: Some(format!("respondent-{}", random.random_range(0..1_000_000))),
        external_ids: Vec::new(),
        research_consent: Some(random.random()),
        ratings: keys.iter().map(|key| (key.clone(), rating(&mut random))).collect(),
    };
    let before = Found {
        model: model::MEANINGFUL_CONNECTIONS_ID,
        life: Life {
            id: AssessmentId::from_uuid(Uuid::now_v7()),
            created_at: now,
            updated_at: now,
            withdrawn_at: None,
            versioned: Versioned::drafted(answers.clone()),
        },
    };
    let version = before.life.versioned.next_version();
    let document = Assessment::of_version(before.life.id, now, version, &answers);
    let seal = Seal {
        digest: Digest::of(&document)?,
        sealed_at: now,
        sealed_by: client,
    };
    let mut after = before.clone();
    after.life.versioned.seal(Sealed {
        version,
        content: answers,
        seal,
    });
    Ok((before, after))
}

/// Writes the rows that creating and submitting write, in that order.
fn store(tx: &mut Tx<'_>, before: &Found, mut after: Found) -> store::error::Result<()> {
    let event = |what, version| Event::new(Kind::Assessment, before.life.id.uuid(), what, version);
    assessments::insert(tx, before)?;
    events::emit(tx, &event("created", None))?;
    assessments::save(tx, &before.life, &mut after)?;
    assessments::seal(tx, &after)?;
    events::emit(tx, &event("submitted", Some(1)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let clock: Clock = Arc::new(|| Moment::from(Utc::now()));
    let db = Db::open(&Place::parse(&options.database_url)?, clock)?;
    let definition = model::meaningful_connections()?;
    let keys: Vec<ElementKey> = definition.keys().cloned().collect();
    let file = OpenOptions::new().create(true).append(true).open(&options.ids)?;
    let ids = Mutex::new(BufWriter::new(file));
    let begun = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = begun.fetch_add(1, Ordering::Relaxed);
                    let count = options.assessments.saturating_sub(number * BATCH).min(BATCH);
                    if count == 0 {
                        return;
                    }
                    let others = options.owners.len() - 1;
                    let owner = if others > 0 && number % ELSEWHERE == ELSEWHERE - 1 {
                        1 + number / ELSEWHERE % others
                    } else {
                        0
                    };
                    let actor = *options.owners.get(owner).expect("an owner");
                    let made = (0..count).map(|_| submitted(&keys, actor.client));
                    let made: Vec<_> = made.collect::<Result<_, _>>().expect("canonical JSON");
                    if owner == 0 {
                        let mut ids = ids.lock().expect("the file");
                        for (made, _) in &made {
                            writeln!(ids, "{}", made.life.id).expect("a line");
                        }
                    }
                    let keep = move |tx: &mut Tx<'_>| -> store::error::Result<()> {
                        made.iter()
                            .try_for_each(|(before, after)| store(tx, before, after.clone()))
                    };
                    db.write_now(actor, keep).expect("a transaction");
                }
            });
        }
    });
    ids.into_inner().expect("the file").flush()?;
    Ok(())
}
