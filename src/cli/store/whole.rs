//! A kept study, read without the command that played it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::merge::{connect, files_of};
use super::{FILE, FORM, Refusal, Store, VERSION, differs, has_shards};
use crate::cli::ask::Ask;
use crate::cli::files::Files;

/// The study of one machine.
pub struct Whole {
    path: PathBuf,
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
        let about = connect(&path).and_then(|connection| Store::about(&connection));
        let mut about: BTreeMap<String, String> = about.map_err(|error| unreadable(&error))?;
        for (key, own) in [("form", FORM.to_string()), ("version", VERSION.to_owned())] {
            if let Some(known) = about.get(key).filter(|known| **known != own) {
                return Err(Refusal::wrong(format!("`{}` holds {}", path.display(), differs(key, known))));
            }
        }
        let (ask, points) =
            about.remove("ask").zip(about.remove("points")).ok_or_else(|| unreadable(&"it is no study"))?;
        let ask = serde_json::from_str(&ask).map_err(|error| unreadable(&error))?;
        Ok(Self { path, ask, points })
    }

    /// The files that its scenario was read from.
    pub fn files(&self) -> Result<Files, Refusal> {
        files_of(&self.path)
    }
}
