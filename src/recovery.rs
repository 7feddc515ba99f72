//! Backups, restoring them, and keeping erased what was erased.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::Utc;
use meaningful_connections::{
    auth::keys,
    config::Config,
    domain::{access::Actor, moment::Moment},
    service::{
        restore::{self, Before, Plan, Restored},
        tombstones::{self, Applied},
    },
    store::{
        self,
        backup::{self, Contents},
        db::Db,
        fork::Place,
        ledger,
    },
};
use serde_json::json;

use super::{Format, Outcome, say};

/// The file of the database, where it is one.
fn file(config: &Config, otherwise: &str) -> Outcome<PathBuf> {
    match config.place()? {
        Place::Sqlite(path) => Ok(path.into()),
        Place::Postgres(_) => Err(otherwise.into()),
    }
}

/// Makes a copy of the database, and checks it.
pub fn backup(config: &Config, to: &Path, format: Format) -> Outcome {
    let database = file(
        config,
        "PostgreSQL is backed up by its own tools, pg_dump or pg_basebackup: see \"Backups\" in README.md",
    )?;
    let made = backup::take(&database, to)?;
    if format.json {
        return say(&json!(made).to_string());
    }
    say(&format!("{}: checked, {} bytes", made.file.display(), made.bytes))?;
    say(&format!("sha256    {}", made.sha256))?;
    say(&format!("taken at  {}", made.taken_at))?;
    if made.contents.migrations_pending > 0 {
        say("It is of an older version; `restore` brings it up to date.")?;
    }
    show_contents(&made.contents)
}

fn show_contents(contents: &Contents) -> Outcome {
    let counts = &contents.counts;
    counts
        .iter()
        .try_for_each(|(table, count)| say(&format!("{count:>9}  {table}")))
}

/// Puts a backup in the database's place.
pub fn restore(config: &Config, from: PathBuf, mut ledgers: Vec<PathBuf>, force: bool, format: Format) -> Outcome {
    let database = file(
        config,
        "PostgreSQL is restored by its own tools, and what was erased since by `erasures apply`: see \"Backups\" in README.md",
    )?;
    config
        .create_data_dir()
        .map_err(|error| format!("the data directory {}: {error}", config.data_dir.display()))?;
    ledgers.extend(config.ledger()?.filter(|ledger| ledger.exists()));
    let plan = Plan {
        from,
        database,
        ledgers,
        force,
    };
    let key = keys::generate()?;
    // Of the keys in a backup nobody knows whether one has leaked since.
    let restored = restore::restore(&plan, move |tx| keys::replace(tx, &key))?;
    if format.json {
        return say(&json!(restored).to_string());
    }
    show_restored(&restored)
}

fn show_restored(restored: &Restored) -> Outcome {
    say(&format!("{}: restored and checked", restored.database.display()))?;
    if let Some(moved_to) = &restored.moved_to {
        say(&format!("What was there before is now {}.", moved_to.display()))?;
    }
    if restored.migrated > 0 {
        say(&format!(
            "The backup was brought up to date ({} steps).",
            restored.migrated
        ))?;
    }
    show_contents(&restored.contents)?;
    show_applied(&restored.applied)?;
    match &restored.before {
        Before::Read => say("Told by the database that was there before.")?,
        Before::Unrelated => say("The database that was there before is not the one that was backed up.")?,
        Before::Unreadable(why) => say(&format!("The database that was there before could not be read: {why}."))?,
        Before::Absent => {}
    }
    for ledger in &restored.ledgers {
        say(&format!("Told by the ledger {}.", ledger.display()))?;
    }
    if !restored.erasures_known {
        say(
            "WARNING: neither the database before nor a ledger of it could be read. What was erased or revoked after the \
             backup was taken cannot be known, and is back: find its ledger and run `erasures apply FILE`.",
        )?;
    }
    say("All signing keys are new: tokens from before are refused, and clients ask for new ones.")
}

fn show_applied(applied: &Applied) -> Outcome {
    say(&format!("{:>9}  assessments erased again", applied.assessments_erased))?;
    say(&format!(
        "{:>9}  assessments withdrawn again, {} withdrawals taken back again",
        applied.assessments_withdrawn, applied.withdrawals_taken_back
    ))?;
    say(&format!("{:>9}  clients revoked again", applied.clients_revoked))?;
    say(&format!("{:>9}  gone already", applied.absent + applied.known))?;
    for client in &applied.clients_without_secret {
        say(&format!(
            "The secret of client {client} was replaced meanwhile; it has none now: `client rotate-secret {client}`."
        ))?;
    }
    Ok(())
}

/// Writes what has ended, as a ledger. It only reads, so that a standby, or what is left of a database, can be asked.
pub fn list_erasures(config: &Config, since: Option<Moment>) -> Outcome {
    let place = config.place()?;
    if let Place::Sqlite(path) = &place
        && !Path::new(path).exists()
    {
        return Err(format!("there is no database at {path}").into());
    }
    let db = Db::open(&place, Arc::new(|| Moment::from(Utc::now())))?;
    let (database, ended) = db.read_now(Actor::SERVICE, move |tx| {
        Ok::<_, store::error::Error>((
            store::organisations::first_start(tx)?,
            store::tombstones::list(tx, since)?,
        ))
    })?;
    say(&json!({"database": database}).to_string())?;
    ended.iter().try_for_each(|one| say(&json!(one).to_string()))
}

/// Ends once more what ledgers list.
pub fn apply_erasures(db: &Db, ledgers: &[PathBuf], format: Format) -> Outcome {
    let mut ended = BTreeSet::new();
    for path in ledgers {
        ended.extend(ledger::read(path)?.tombstones);
    }
    let applied = tombstones::apply_all(db, &ended)?;
    if format.json {
        return say(&json!(applied).to_string());
    }
    show_applied(&applied)
}
