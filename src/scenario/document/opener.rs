//! Files that are read while a scenario is played.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

/// Opens one file at its beginning.
type Open = dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync;

/// A way to read a file from its beginning, as often as it is wanted.
#[derive(Clone)]
pub struct Opener(Arc<Open>);

impl Opener {
    /// Opens the file with `open`.
    pub fn new(open: impl Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// Reads this text.
    pub fn of_text(text: &str) -> Self {
        let bytes: Arc<[u8]> = text.as_bytes().into();
        Self::new(move || Ok(Box::new(Cursor::new(Arc::clone(&bytes)))))
    }

    /// The file, from its beginning.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        (self.0)()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

/// The files that are read while a scenario is played, by the paths under which it names them.
#[derive(Clone, Debug, Default)]
pub struct Openers(BTreeMap<String, Opener>);

impl Openers {
    /// Adds a file.
    pub fn add(&mut self, path: &str, opener: Opener) {
        self.0.insert(path.into(), opener);
    }

    /// The file at this path.
    pub fn get(&self, path: &str) -> Option<&Opener> {
        self.0.get(path)
    }
}

/// Two sets of files are the same if they name the same ones.
impl PartialEq for Openers {
    fn eq(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_from_its_beginning_each_time() {
        let opener = Opener::of_text("abc");
        for _ in 0..2 {
            let mut text = String::new();
            opener.open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "abc");
        }
    }
}
