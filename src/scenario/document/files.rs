//! Files that start from other files: `extends = "base.toml"` at the top.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::layer;
use super::opener::Opener;
use super::origin::{Origin, Texts};
use super::parse::parse_document;
use super::tree::Table;
use crate::scenario::diagnostic::Diagnostic;

/// Where the texts of files come from: a directory, or a map in a test.
pub trait Source {
    /// The text of the file at `path`.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// A way to read the file at `path` again and again, bit by bit: for files that are read while they are played. Whoever
    /// does not write it reads the whole text, and keeps it.
    ///
    /// # Errors
    /// Whatever keeps the file from being read.
    fn opener(&self, path: &Path) -> io::Result<Opener> {
        self.read(path).map(|text| Opener::of_text(&text))
    }
}

/// Files by path, in memory.
impl Source for BTreeMap<PathBuf, String> {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.get(path).cloned().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }
}

/// Reads files with all they extend.
pub(super) struct Files<'a> {
    pub source: &'a dyn Source,
    pub texts: &'a mut Texts,
    pub mistakes: &'a mut Vec<Diagnostic>,
    /// The files being read, outermost first: who extends whom.
    open: Vec<PathBuf>,
}

impl<'a> Files<'a> {
    pub fn new(source: &'a dyn Source, texts: &'a mut Texts, mistakes: &'a mut Vec<Diagnostic>) -> Self {
        Self { source, texts, mistakes, open: Vec::new() }
    }

    /// The file at `path`, laid over the files it extends, left to right. `named_at` is the place that names it.
    ///
    /// Returns nothing if any of them could not be read; the mistakes say why.
    pub fn read(&mut self, path: &Path, named_at: Option<Origin>) -> Option<Table> {
        if self.open.iter().any(|open| open == path) {
            self.refuse_cycle(path, named_at);
            return None;
        }
        let content = match self.source.read(path) {
            Ok(content) => content,
            Err(error) => {
                let mistake = Diagnostic::unreadable(format!("cannot read `{}`: {error}", path.display()));
                self.mistakes
                    .push(named_at.into_iter().fold(mistake, |mistake, place| mistake.at(place, "named here")));
                return None;
            }
        };
        let text = self.texts.add_file(path.display().to_string(), content.clone());
        let mut own = match parse_document(text, &content) {
            Ok(table) => table,
            Err(mistakes) => {
                self.mistakes.extend(mistakes);
                return None;
            }
        };
        let Some((_, parents)) = own.remove("extends") else {
            let mut alone = Table::default();
            layer::lay(&mut alone, own, self.texts, self.mistakes);
            return Some(alone);
        };
        self.open.push(path.to_owned());
        let mut base = Some(Table::default());
        let parents: Vec<_> = layer::strings("extends", &parents, self.mistakes).collect();
        for (name, value) in parents {
            let parent = self.read(&beside(path, name), Some(value.origin));
            base = base.zip(parent).map(|(mut base, parent)| {
                layer::merge(&mut base, parent);
                base
            });
        }
        self.open.pop();
        let mut base = base?;
        layer::lay(&mut base, own, self.texts, self.mistakes);
        Some(base)
    }

    fn refuse_cycle(&mut self, path: &Path, named_at: Option<Origin>) {
        let start = self.open.iter().position(|open| open == path).unwrap_or(0);
        let circle: Vec<_> = self.open[start..].iter().map(|open| open.display().to_string()).collect();
        let mistake = Diagnostic::error("these files extend each other in a circle").help(format!(
            "{} -> {}",
            circle.join(" -> "),
            path.display()
        ));
        self.mistakes.push(named_at.into_iter().fold(mistake, |mistake, place| mistake.at(place, "closes the circle")));
    }
}

/// The path `name` as seen from the directory of `file`, with `.` and `..` resolved by name alone.
pub(super) fn beside(file: &Path, name: &str) -> PathBuf {
    let joined = file.parent().unwrap_or(Path::new("")).join(name);
    let mut plain = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some_and(|name| name != "..") => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_the_file_that_names_it() {
        assert_eq!(beside(Path::new("a/b.toml"), "c.toml"), Path::new("a/c.toml"));
        assert_eq!(beside(Path::new("a/b.toml"), "../c.toml"), Path::new("c.toml"));
        assert_eq!(beside(Path::new("b.toml"), "../c.toml"), Path::new("../c.toml"));
        assert_eq!(beside(Path::new("../b.toml"), "../c.toml"), Path::new("../../c.toml"));
        assert_eq!(beside(Path::new("a/b.toml"), "/c.toml"), Path::new("/c.toml"));
    }
}
