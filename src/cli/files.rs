//! Scenarios from the disk and the standard input.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rehearsal::scenario::{Opener, Source};

use super::store::fingerprint;

/// No text is longer: what is, is a device or a mistake.
const BYTES_MAX: u64 = 256 << 20;

/// What the standard input is called in messages.
const STDIN: &str = "<stdin>";

/// Files on the disk; the standard input is read once and kept. Or else files that were kept with results.
#[derive(Default)]
pub struct Files {
    stdin: OnceCell<String>,
    kept: Option<BTreeMap<PathBuf, Arc<[u8]>>>,
    read: RefCell<Seen>,
}

/// What was read.
#[derive(Default)]
struct Seen {
    /// Ever.
    ever: BTreeSet<PathBuf>,
    /// Since that was asked last, without scenarios: files of data.
    lately: BTreeSet<PathBuf>,
    /// The hashes of files of data, as far as they were asked for.
    hashes: BTreeMap<PathBuf, u64>,
}

impl Files {
    /// The path by which a file named on the command line is read: `-` is the standard input.
    pub fn path(named: &Path) -> PathBuf {
        if named == Path::new("-") { STDIN.into() } else { named.into() }
    }

    /// What the results of a scenario are called: its file's name without the end.
    pub fn stem(named: &Path) -> String {
        match named.file_stem() {
            Some(stem) if named != Path::new("-") => stem.to_string_lossy().into_owned(),
            _ => "stdin".into(),
        }
    }
}

impl Files {
    /// Files that were kept with results, and no others.
    pub fn of_kept(files: BTreeMap<PathBuf, Arc<[u8]>>) -> Self {
        Self { kept: Some(files), ..Self::default() }
    }

    /// The files of data that were read since this was called last.
    pub fn take_data(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut self.read.borrow_mut().lately)
    }

    /// Every file that was read.
    pub fn all(&self) -> Vec<PathBuf> {
        self.read.borrow().ever.iter().cloned().collect()
    }

    /// A hash of what stands in a file of data.
    pub fn hash(&self, path: &Path) -> io::Result<u64> {
        if let Some(&known) = self.read.borrow().hashes.get(path) {
            return Ok(known);
        }
        let mut reader = io::BufReader::new(self.open(path)?);
        let mut hash = fingerprint::START;
        loop {
            let bytes = reader.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            hash = bytes.iter().fold(hash, |hash, &byte| fingerprint::hash(hash, byte));
            let length = bytes.len();
            reader.consume(length);
        }
        self.read.borrow_mut().hashes.insert(path.to_owned(), hash);
        Ok(hash)
    }

    /// A file, from its beginning.
    pub fn open(&self, path: &Path) -> io::Result<Box<dyn io::Read + Send>> {
        if let Some(kept) = &self.kept {
            let bytes = kept.get(path).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it was not kept"))?;
            return Ok(Box::new(Cursor::new(Arc::clone(bytes))));
        }
        if path != Path::new(STDIN) {
            return Ok(Box::new(File::open(path)?));
        }
        let text = match self.stdin.get() {
            Some(known) => known.clone(),
            None => {
                let content = text(io::stdin().lock())?;
                self.stdin.get_or_init(|| content).clone()
            }
        };
        Ok(Box::new(Cursor::new(text.into_bytes())))
    }

    fn note(&self, path: &Path) {
        let read = &mut *self.read.borrow_mut();
        read.ever.insert(path.to_owned());
        if path != Path::new(STDIN) && path.extension().is_none_or(|end| end != "toml") {
            read.lately.insert(path.to_owned());
        }
    }
}

impl Source for Files {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.note(path);
        text(self.open(path)?)
    }

    /// A file on the disk is opened anew each time, and never held as a whole.
    fn opener(&self, path: &Path) -> io::Result<Opener> {
        self.note(path);
        if path == Path::new(STDIN) {
            return self.read(path).map(|text| Opener::of_text(&text));
        }
        if let Some(bytes) = self.kept.as_ref().and_then(|kept| kept.get(path)).cloned() {
            return Ok(Opener::new(move || Ok(Box::new(Cursor::new(Arc::clone(&bytes))))));
        }
        self.open(path)?;
        let path = path.to_owned();
        Ok(Opener::new(move || Ok(Box::new(File::open(&path)?))))
    }
}

fn text(reader: impl io::Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("longer than {} MiB", BYTES_MAX >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count() + 1;
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_utf_8_is_refused_with_its_line() {
        let error = text(&b"a = 1\nb = \"\xff\"\n"[..]).unwrap_err();
        assert_eq!(error.to_string(), "line 2 is not UTF-8");
        assert_eq!(text(&b"a = \"\xc3\xa4\"\n"[..]).unwrap(), "a = \"ä\"\n");
    }

    #[test]
    fn results_are_called_after_their_file() {
        assert_eq!(Files::stem(Path::new("a/b.c.toml")), "b.c");
        assert_eq!(Files::stem(Path::new("-")), "stdin");
    }
}
