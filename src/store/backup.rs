//! Copies of a database that is one file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use chrono::Utc;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::fork::file;
pub use super::fork::file::{Contents, FileError};
use crate::domain::{digest::hex, moment::Moment};

/// What may stand beside a database and belongs to it, by the end of its name.
pub const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// A copy that was made and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Where it is.
    pub file: PathBuf,
    /// What was committed before this moment is in it.
    pub taken_at: Moment,
    /// Its length in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: String,
    /// What it holds.
    #[serde(flatten)]
    pub contents: Contents,
}

/// Makes a copy of a database that may be in use, and checks it. Under its name there is the whole copy, or none.
pub fn take(database: &Path, to: &Path) -> Result<Backup, FileError> {
    if !database.exists() {
        let missing = io::Error::new(io::ErrorKind::NotFound, "there is no database here");
        return Err(FileError::Io(database.to_owned(), missing));
    }
    // The name is taken before the work begins, so that no other file can come under it meanwhile.
    let name = Unfinished::create(to)?;
    let part = Unfinished::create(&beside(to, ".part"))?;
    let taken_at = Moment::from(Utc::now());
    file::copy(database, part.path())?;
    let contents = file::check(part.path())?;
    let (bytes, sha256) = digest(part.path())?;
    part.finish_as(to)?;
    name.keep();
    Ok(Backup {
        file: to.to_owned(),
        taken_at,
        bytes,
        sha256,
        contents,
    })
}

/// A new file, for its owner alone, that is deleted unless it is finished.
pub struct Unfinished {
    path: PathBuf,
    kept: bool,
}

impl Unfinished {
    /// Creates it, where there is none of that name.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(path)
            .map_err(|error| FileError::Io(path.to_owned(), error))?;
        Ok(Self {
            path: path.to_owned(),
            kept: false,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name for good, in the place of whatever has it.
    pub fn finish_as(self, name: &Path) -> Result<(), FileError> {
        let failed = |error| FileError::Io(name.to_owned(), error);
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        fs::rename(&self.path, name).map_err(failed)?;
        self.keep();
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.kept {
            for part in [""].into_iter().chain(BESIDE) {
                _ = fs::remove_file(beside(&self.path, part));
            }
        }
    }
}

/// The path of a file beside this one: its name with something at the end.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn digest(path: &Path) -> Result<(u64, String), FileError> {
    let failed = |error| FileError::Io(path.to_owned(), error);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut chunk).map_err(failed)?;
        let Some(some) = chunk.get(..read).filter(|some| !some.is_empty()) else {
            break;
        };
        hash.update(some);
        bytes += u64::try_from(read).unwrap_or_default();
    }
    Ok((bytes, hex(&hash.finalize())))
}
