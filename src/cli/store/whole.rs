//! A kept study, read without the command that played it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::merge::{connect, files_of};
use super::{FILE, FORM, Point, Refusal, Store, VERSION, differs, has_shards};
use crate::cli::ask::Ask;
use crate::cli::files::Files;

/// The study of one machine.
pub struct Whole {
    path: PathBuf,
    connection: Connection,
    /// What was asked.
    pub ask: Ask,
    /// The fingerprint of its points.
    pub points: String,
}

impl Whole {
    /// Reads what the study in a directory says about itself.
    pub fn read(directory: &Path) -> Result<Self, Refusal> {
        let path = directory.join(FILE);
        if !path.exists() && has_shards(directory) {
            let directory = directory.display();
            let message =
                format!("`{directory}` holds shards: put them together with `rehearsal merge {directory} --study DIR`");
            return Err(Refusal::wrong(message));
        }
        let unreadable = |error: &dyn fmt::Display| Refusal::unreadable(&path, error);
        let connection = open(&path).map_err(|error| unreadable(&error))?;
        let about = Store::about(&connection);
        let mut about: BTreeMap<String, String> = about.map_err(|error| unreadable(&error))?;
        for (key, own) in [("form", FORM.to_string()), ("version", VERSION.to_owned())] {
            if let Some(known) = about.get(key).filter(|known| **known != own) {
                return Err(Refusal::wrong(format!("`{}` holds {}", path.display(), differs(key, known))));
            }
        }
        let (ask, points) =
            about.remove("ask").zip(about.remove("points")).ok_or_else(|| unreadable(&"it is no study"))?;
        let ask = serde_json::from_str(&ask).map_err(|error| unreadable(&error))?;
        Ok(Self { path, connection, ask, points })
    }

    /// The files that its scenario was read from.
    pub fn files(&self) -> Result<Files, Refusal> {
        files_of(&self.connection).map_err(|error| Refusal::unreadable(&self.path, &error))
    }

    /// Its runs, of these points.
    pub fn store(self, points: &[Point]) -> Result<Store, Refusal> {
        let find = "SELECT id FROM points WHERE fingerprint = ?1";
        let row = |point: &Point| self.connection.query_row(find, [&point.runs_print.to_string()], |row| row.get(0));
        let rows = points.iter().map(row).collect::<rusqlite::Result<_>>();
        let points = rows.map_err(|error| Refusal::unreadable(&self.path, &error))?;
        let Self { path, connection, .. } = self;
        Ok(Store { connection, path, points, is_together: false, safe: None, kept: 0 })
    }
}

/// Opens a study to be read: as others may be writing it, or, where nothing can be written, as it lies there.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let read = |connection: Connection| -> rusqlite::Result<Connection> {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(path).and_then(read).or_else(|error| {
        // A log that was not written back would be missed.
        let log = path.with_extension("db-wal");
        if log.metadata().is_ok_and(|log| log.len() > 0) || !path.exists() {
            return Err(error);
        }
        let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{escaped}?immutable=1");
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).and_then(read)
    })
}
