//! What is wrong with what is stored.

use std::fmt;

/// Why no pictures can be made of some tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredError {
    file: &'static str,
    what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum What {
    Missing,
    Schema { found: u32, read: u32 },
    Damaged { line: Option<u64>, why: String },
}

impl StoredError {
    /// There is no such file.
    pub(super) fn missing(file: &'static str) -> Self {
        Self { file, what: What::Missing }
    }

    /// It means something else than what is read.
    pub(super) fn schema(file: &'static str, found: u32, read: u32) -> Self {
        Self { file, what: What::Schema { found, read } }
    }

    /// It is not what it has to be, in this line; texts that come from the file are shortened and made harmless where they are shown.
    pub(super) fn damaged(file: &'static str, line: Option<u64>, why: impl fmt::Display) -> Self {
        Self { file, what: What::Damaged { line, why: why.to_string() } }
    }
}

impl fmt::Display for StoredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file;
        match &self.what {
            What::Missing => write!(f, "there is no `{file}`"),
            What::Schema { found, read } => {
                write!(f, "`{file}` is of schema {found}, and this version reads schema {read}")
            }
            What::Damaged { line: Some(line), why } => write!(f, "`{file}`, line {line}: {why}"),
            What::Damaged { line: None, why } => write!(f, "`{file}`: {why}"),
        }
    }
}

impl std::error::Error for StoredError {}
