//! Why results cannot be kept.

use std::fmt;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why results cannot be kept.
#[derive(Debug)]
pub enum StoreError {
    /// The directory cannot be made, or the file not opened or written.
    System(PathBuf, String),
    /// It holds something else.
    Foreign(PathBuf, String),
    /// It holds parts of a study, and this is no part.
    Shards(PathBuf),
}

/// What SQLite says, in words that say who is to blame.
pub(super) fn told(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process is playing it".into(),
        _ => error.to_string(),
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(path, error) => write!(f, "cannot keep results in `{}`: {error}", path.display()),
            Self::Foreign(path, found) => write!(f, "`{}` holds {found}: name another directory", path.display()),
            Self::Shards(path) => write!(
                f,
                "`{0}` holds shards of a study: `rehearsal merge {0} --study DIR` puts them together into one that can go on here",
                path.display()
            ),
        }
    }
}
