//! Putting a backup in the place of a database that is one file.
//!
//! The backup is copied beside the database, checked, brought up to date, and rid of what has ended since it was taken;
//! only then does it take the database's name. What was there before is moved aside, never deleted.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::Utc;
use serde::Serialize;

use super::tombstones::{self, Applied};
use crate::{
    domain::{access::Actor, moment::Moment, tombstone::Tombstone},
    store::{
        self,
        backup::{BESIDE, FileError, Unfinished, beside},
        db::{Db, Tx},
        error::Error as StoreError,
        fork::{
            Place,
            file::{self, Contents},
        },
        ledger::{self, LedgerError},
    },
};

/// What is to be restored, and where.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The backup.
    pub from: PathBuf,
    /// The database's file.
    pub database: PathBuf,
    /// Ledgers of what has ended.
    pub ledgers: Vec<PathBuf>,
    /// Whether a database that holds something may be moved aside.
    pub force: bool,
}

/// Why a backup was not restored. The database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database.
    #[error(transparent)]
    Service(#[from] super::Error),
    /// There is a database that holds something.
    #[error("{0} holds data: with --force it is moved aside, not deleted, and the backup takes its place")]
    HoldsData(PathBuf),
}

impl From<StoreError> for RestoreError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// What could be learnt of the database that was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// There was none.
    Absent,
    /// It is the one that the backup was made of.
    Read,
    /// It is another one.
    Unrelated,
    /// It could not be read.
    Unreadable(String),
}

/// A backup that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The database's file.
    pub database: PathBuf,
    /// Where the database is now that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<PathBuf>,
    /// How many migrations the backup lacked.
    pub migrated: usize,
    /// What the database that was there before could tell of erasures.
    pub before: Before,
    /// The ledgers of this database that told of erasures.
    pub ledgers: Vec<PathBuf>,
    /// Whether anything could tell what has ended since the backup was taken.
    pub erasures_known: bool,
    /// What ended once more.
    pub applied: Applied,
    /// What the database holds now.
    #[serde(flatten)]
    pub contents: Contents,
}

/// What a database knows of itself.
struct Known {
    first_start: Moment,
    tombstones: BTreeSet<Tombstone>,
    is_empty: bool,
}

fn known(tx: &mut Tx<'_>) -> Result<Known, StoreError> {
    Ok(Known {
        first_start: store::organisations::first_start(tx)?,
        tombstones: store::tombstones::list(tx, None)?.into_iter().collect(),
        is_empty: store::organisations::list(tx)?.is_empty(),
    })
}

fn open(path: &Path) -> Result<Db, StoreError> {
    let place = Place::Sqlite(path.display().to_string());
    Db::open(&place, Arc::new(|| Moment::from(Utc::now())))
}

/// What the database knows that is there, or why it cannot be read. Nobody may be using it.
fn ask(path: &Path) -> Result<Result<Known, String>, FileError> {
    match file::settle(path).and_then(|()| file::recognise(path)) {
        // A later version of the program has tombstones as well: this is how one goes back to an earlier one.
        Ok(0) | Err(FileError::Newer(..)) => Ok(open(path)
            .and_then(|db| db.read_now(Actor::SERVICE, known))
            .map_err(|error| error.to_string())),
        Ok(_) => Ok(Err(
            "its schema is older than this program's: `migrate` it first, or use the version that wrote it".into(),
        )),
        Err(FileError::InUse(path)) => Err(FileError::InUse(path)),
        Err(other) => Ok(Err(other.to_string())),
    }
}

/// Restores a backup; `refresh` is done to the database before it takes its place.
pub fn restore(
    plan: &Plan,
    refresh: impl FnMut(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Result<Restored, RestoreError> {
    let Plan {
        from,
        database,
        ledgers,
        force,
    } = plan;
    let source = source(from)?;
    let before = if database.exists() { Some(ask(database)?) } else { None };
    if !force
        && !before
            .as_ref()
            .is_none_or(|before| matches!(before, Ok(known) if known.is_empty))
    {
        return Err(RestoreError::HoldsData(database.clone()));
    }
    let (part, migrated) = copied(source, database)?;
    let db = open(part.path())?;
    db.migrate()?;
    let own = db.read_now(Actor::SERVICE, known)?;
    let Told { before, ledgers, ended } = told(before, ledgers, &own)?;
    let new: BTreeSet<Tombstone> = ended.difference(&own.tombstones).copied().collect();
    let applied = tombstones::apply_all(&db, &new)?;
    db.write_now(Actor::SERVICE, refresh)?;
    drop(db);
    file::settle(part.path())?;
    let contents = file::check(part.path())?;
    let moved_to = move_aside(database)?;
    part.finish_as(database)?;
    Ok(Restored {
        database: database.clone(),
        moved_to,
        migrated,
        erasures_known: before == Before::Read || !ledgers.is_empty(),
        before,
        ledgers,
        applied,
        contents,
    })
}

/// What has ended, and who told so.
struct Told {
    before: Before,
    ledgers: Vec<PathBuf>,
    ended: BTreeSet<Tombstone>,
}

/// What the database that was there and the ledgers tell. Only those that belong to the same database as the backup can
/// know all of it; from others, nothing that they name is to be found.
fn told(before: Option<Result<Known, String>>, ledgers: &[PathBuf], own: &Known) -> Result<Told, LedgerError> {
    let mut ended = BTreeSet::new();
    let mut telling = Vec::new();
    for path in ledgers {
        let lines = ledger::read(path)?;
        if lines.databases.contains(&own.first_start) {
            telling.push(path.clone());
        }
        ended.extend(lines.tombstones);
    }
    let before = match before {
        None => Before::Absent,
        Some(Err(why)) => Before::Unreadable(why),
        Some(Ok(known)) => {
            ended.extend(known.tombstones);
            if known.first_start == own.first_start {
                Before::Read
            } else {
                Before::Unrelated
            }
        }
    };
    Ok(Told {
        before,
        ledgers: telling,
        ended,
    })
}

/// The backup, to be read. No database is ever opened there: that might change it, or the folder it is in.
fn source(from: &Path) -> Result<File, FileError> {
    if fs::metadata(beside(from, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(FileError::HasLog(from.to_owned()));
    }
    File::open(from).map_err(|error| FileError::Io(from.to_owned(), error))
}

/// A checked copy of the backup, beside the database; and how many migrations it lacks.
fn copied(mut source: File, database: &Path) -> Result<(Unfinished, usize), FileError> {
    let part = Unfinished::create(&beside(database, ".restoring"))?;
    let mut copy = |to: &Path| io::copy(&mut source, &mut File::options().write(true).open(to)?);
    copy(part.path()).map_err(|error| FileError::Io(part.path().to_owned(), error))?;
    let contents = file::check(part.path())?;
    Ok((part, contents.migrations_pending))
}

/// Moves the database aside that is there, with whatever stands beside it.
fn move_aside(database: &Path) -> Result<Option<PathBuf>, FileError> {
    if !database.exists() {
        return Ok(None);
    }
    // Once more: a server may have been started meanwhile.
    if let Err(FileError::InUse(path)) = file::settle(database) {
        return Err(FileError::InUse(path));
    }
    let moment: String = Moment::from(Utc::now())
        .to_string()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let aside = beside(database, &format!(".before-{moment}"));
    let failed = |error| FileError::Io(database.to_owned(), error);
    // With a second name, there is a database under the first all the time: a server that starts now makes no empty one.
    fs::hard_link(database, &aside)
        .or_else(|_| fs::rename(database, &aside))
        .map_err(failed)?;
    for part in BESIDE {
        match fs::rename(beside(database, part), beside(&aside, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(Some(aside))
}
