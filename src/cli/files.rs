//! Scenarios from the disk and the standard input.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use rehearsal::scenario::{Opener, Source};

/// No text is longer: what is, is a device or a mistake.
const BYTES_MAX: u64 = 256 << 20;

/// What the standard input is called in messages.
const STDIN: &str = "<stdin>";

/// Files on the disk; the standard input is read once and kept.
#[derive(Default)]
pub struct Files {
    stdin: OnceCell<String>,
    /// What was read that is no scenario.
    data: RefCell<BTreeSet<PathBuf>>,
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
    /// Everything that stands in the files of data that scenarios have named so far.
    pub fn each_byte_of_data(&self, mut take: impl FnMut(u8)) -> io::Result<()> {
        for path in self.data.borrow().iter() {
            let mut reader = io::BufReader::new(File::open(path)?);
            loop {
                let bytes = reader.fill_buf()?;
                if bytes.is_empty() {
                    break;
                }
                bytes.iter().for_each(|&byte| take(byte));
                let length = bytes.len();
                reader.consume(length);
            }
        }
        Ok(())
    }

    fn note(&self, path: &Path) {
        if path.extension().is_none_or(|end| end != "toml") {
            self.data.borrow_mut().insert(path.to_owned());
        }
    }
}

impl Source for Files {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path != Path::new(STDIN) {
            self.note(path);
        }
        if path != Path::new(STDIN) {
            return text(File::open(path)?);
        }
        if let Some(known) = self.stdin.get() {
            return Ok(known.clone());
        }
        let content = text(io::stdin().lock())?;
        Ok(self.stdin.get_or_init(|| content).clone())
    }

    /// A file on the disk is opened anew each time, and never held as a whole.
    fn opener(&self, path: &Path) -> io::Result<Opener> {
        if path == Path::new(STDIN) {
            return self.read(path).map(|text| Opener::of_text(&text));
        }
        File::open(path)?;
        self.note(path);
        let path = path.to_owned();
        Ok(Opener::new(move || Ok(Box::new(File::open(&path)?))))
    }
}

fn text(reader: impl Read) -> io::Result<String> {
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
