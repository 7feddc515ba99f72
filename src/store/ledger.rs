//! The ledger: a file beside the database in which is written down what ended for good.
//!
//! A backup that is restored brings back what was erased after it was taken, and the database that knew of that may be
//! lost: the ledger is not. A line is written after the commit, so that nothing is listed that did not happen, and forced
//! to the disk before anybody is told. Where the process dies in between, nobody was told; at the next start the ledger is
//! made whole from the database.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use crate::domain::{moment::Moment, tombstone::Tombstone};

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file.
    #[error("the ledger {0}: {1}")]
    File(PathBuf, io::Error),
    /// A line that is none of ours.
    #[error("the ledger {0}: line {1} cannot be read")]
    Line(PathBuf, usize),
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What a ledger says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Lines {
    /// The databases it belongs to: when each of them was first started.
    pub databases: BTreeSet<Moment>,
    /// What ended.
    pub tombstones: BTreeSet<Tombstone>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Tombstone(Tombstone),
    Database { database: Moment },
}

/// Where the tombstones of this process are written down, if anywhere.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Option<Book>>);

struct Book {
    path: PathBuf,
    /// What ended and is not written down yet, because that failed.
    owed: Vec<Line>,
    /// Whether something may have ended without our knowing: its commit broke off.
    in_doubt: bool,
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Option<Book>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, writes to this file; begins with what it lacks. Returns how much that was.
    pub(super) fn open(&self, path: &Path, database: Moment, tombstones: &[Tombstone]) -> Result<usize, LedgerError> {
        let failed = |error| LedgerError::File(path.to_owned(), error);
        // Is made where there is none, and complains now where it cannot be written.
        append(path, &[]).map_err(failed)?;
        let known = read(path)?;
        let lacking: Vec<Line> = (!known.databases.contains(&database))
            .then_some(Line::Database { database })
            .into_iter()
            .chain(
                tombstones
                    .iter()
                    .filter(|tombstone| !known.tombstones.contains(tombstone))
                    .map(|tombstone| Line::Tombstone(*tombstone)),
            )
            .collect();
        append(path, &lacking).map_err(failed)?;
        *self.book() = Some(Book {
            path: path.to_owned(),
            owed: Vec::new(),
            in_doubt: false,
        });
        Ok(lacking.len())
    }

    /// Writes down what ended, and whatever could not be written before.
    pub(super) fn write(&self, tombstones: &[Tombstone]) -> Result<()> {
        let mut book = self.book();
        let Some(Book { path, owed, .. }) = book.as_mut() else {
            return Ok(());
        };
        owed.extend(tombstones.iter().map(|tombstone| Line::Tombstone(*tombstone)));
        if owed.is_empty() {
            return Ok(());
        }
        if let Err(error) = append(path, owed) {
            tracing::error!(%error, ledger = %path.display(), owed = owed.len(), "erasures cannot be written down");
            return Err(Error::Unavailable);
        }
        owed.clear();
        Ok(())
    }

    /// Fails while something may have ended that is not written down.
    pub(super) fn ready(&self) -> Result<()> {
        match self.in_doubt() {
            Some(_) => Err(Error::Unavailable),
            None => self.write(&[]),
        }
    }

    /// Notes that nobody knows whether something has ended: only the database does.
    pub(super) fn doubt(&self) {
        if let Some(book) = self.book().as_mut() {
            book.in_doubt = true;
        }
    }

    /// The file, where it has to be compared with the database again.
    pub(super) fn in_doubt(&self) -> Option<PathBuf> {
        self.book()
            .as_ref()
            .filter(|book| book.in_doubt)
            .map(|book| book.path.clone())
    }
}

/// Appends lines and forces them to the disk. Whoever else appends to the same file waits.
fn append(path: &Path, lines: &[Line]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.lock()?;
    let whole = whole(&mut file)?;
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    file.write_all(&text)?;
    file.sync_all()?;
    if whole == 0 {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// How many bytes of the file are whole lines: a writer that died may have left a torn one, of which nobody was told.
fn whole(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut last = [0];
    while end > 0 {
        file.seek(SeekFrom::Start(end - 1))?;
        file.read_exact(&mut last)?;
        if last == *b"\n" {
            break;
        }
        end -= 1;
    }
    Ok(end)
}

/// Reads a ledger, or several that were put into one file.
pub fn read(path: &Path) -> Result<Lines, LedgerError> {
    let text = std::fs::read_to_string(path).map_err(|error| LedgerError::File(path.to_owned(), error))?;
    let mut lines = Lines::default();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        // One that is being written, or never was to its end.
        let Some(line) = line.strip_suffix('\n') else { break };
        match serde_json::from_str(line) {
            Ok(Line::Tombstone(tombstone)) => drop(lines.tombstones.insert(tombstone)),
            Ok(Line::Database { database }) => drop(lines.databases.insert(database)),
            Err(_) if line.trim().is_empty() => {}
            Err(_) => return Err(LedgerError::Line(path.to_owned(), number)),
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;

    use super::{Ledger, read};
    use crate::domain::{
        id::OrganisationId,
        moment::Moment,
        tombstone::{Gone, Tombstone},
    };

    fn moment(seconds: i64) -> Moment {
        Moment::from_micros(seconds * 1_000_000).expect("a moment")
    }

    fn tombstone(seconds: i64) -> Tombstone {
        Tombstone {
            at: moment(seconds),
            organisation: OrganisationId::from_uuid(Uuid::from_u128(7)),
            what: Gone::AssessmentErased,
            resource: Uuid::from_u128(4711),
        }
    }

    #[test]
    fn what_it_lacks_is_added_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let ledger = Ledger::default();
        let both = [tombstone(1), tombstone(2)];
        assert_eq!(ledger.open(&path, moment(0), &both[..1]).expect("opened"), 2);
        ledger.write(&both[1..]).expect("written");
        assert_eq!(ledger.open(&path, moment(0), &both).expect("opened"), 0);
        let lines = read(&path).expect("read");
        assert_eq!((lines.databases, lines.tombstones), ([moment(0)].into(), both.into()));
    }

    #[test]
    fn a_line_that_was_torn_is_cut_off_and_one_that_is_none_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        fs::write(&path, "{\"database\":\"1970-01-01T00:00:00Z\"}\n{\"at\":\"19").expect("written");
        assert_eq!(read(&path).expect("read").databases, [moment(0)].into());
        let ledger = Ledger::default();
        assert_eq!(ledger.open(&path, moment(0), &[tombstone(1)]).expect("opened"), 1);
        assert_eq!(read(&path).expect("read").tombstones, [tombstone(1)].into());
        fs::write(&path, "{\"database\":\"1970-01-01T00:00:00Z\"}\nnonsense\n").expect("written");
        let error = read(&path).expect_err("nonsense").to_string();
        assert!(error.ends_with("line 2 cannot be read"), "{error}");
    }

    #[test]
    fn after_a_commit_that_broke_off_nothing_ends_until_the_database_was_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        let ledger = Ledger::default();
        ledger.doubt();
        ledger.ready().expect("where there is no ledger, nothing is owed to it");
        ledger.open(&path, moment(0), &[]).expect("opened");
        ledger.ready().expect("ready");
        ledger.doubt();
        assert!(ledger.ready().is_err());
        assert_eq!(ledger.in_doubt(), Some(path.clone()));
        assert_eq!(ledger.open(&path, moment(0), &[tombstone(1)]).expect("opened"), 1);
        ledger.ready().expect("ready");
    }
}
