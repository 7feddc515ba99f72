//! Fills a database with submitted assessments, through the same use cases that the API calls: every rule is checked, every
//! version sealed with its digest, every event written. Only HTTP is left out, and many assessments share a transaction.

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
        id::AssessmentId,
        level::Level,
        model,
        moment::Moment,
        ratings::{Rating, Ratings},
        slug::ElementKey,
    },
    service::{
        self, Checked, Expected,
        assessments::{self, CreateAssessment},
        transitions,
    },
    store::{
        db::{Clock, Db, Tx},
        fork::Place,
    },
};
use rand::{Rng, RngExt, seq::IndexedRandom};

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

fn assessment(keys: &[ElementKey], random: &mut impl Rng) -> CreateAssessment {
    let ratings: Ratings = keys.iter().map(|key| (key.clone(), rating(random))).collect();
    CreateAssessment {
        model: model::MEANINGFUL_CONNECTIONS.parse().expect("a slug"),
        model_version: None,
        perspective: PERSPECTIVES.choose(random).expect("one").parse().expect("a slug"),
        respondent_ref: Some(format!("respondent-{}", random.random_range(0..1_000_000))),
        ratings,
        external_ids: Vec::new(),
        research_consent: Some(random.random()),
    }
}

/// Creates and submits so many assessments.
fn submit(tx: &mut Tx<'_>, keys: &[ElementKey], count: usize) -> service::Result<Vec<AssessmentId>> {
    let mut random = rand::rng();
    (0..count)
        .map(|_| {
            let body = Checked {
                said: Some(assessment(keys, &mut random)),
                faults: Vec::new(),
            };
            let id = assessments::create(tx, body)?.shown.id;
            transitions::submit(tx, id, &Expected::Unsaid)?;
            Ok(id)
        })
        .collect()
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
                    let keys = keys.clone();
                    let made = db
                        .write_now(actor, move |tx| submit(tx, &keys, count))
                        .expect("a transaction");
                    if owner == 0 {
                        let mut ids = ids.lock().expect("the file");
                        for id in made {
                            writeln!(ids, "{id}").expect("a line");
                        }
                    }
                }
            });
        }
    });
    ids.into_inner().expect("the file").flush()?;
    Ok(())
}
