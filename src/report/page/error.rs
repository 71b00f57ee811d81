//! Why there is no page.

use std::fmt;

/// Why a page cannot be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PageError {
    /// There is no report.
    NoReport,
    /// This file of it is not what it should be.
    Damaged(String, String),
    /// This file of it is of another version's kind.
    OtherSchema(String, String),
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReport => f.write_str(
                "there is no report: no `summary.json` of `run -o`, and no `sweep.json`, `compare.json` or `tune.json` of a study",
            ),
            Self::Damaged(file, why) => write!(f, "`{file}` is damaged: {why}"),
            Self::OtherSchema(file, found) => {
                write!(f, "`{file}` has schema {found}; this version reads schema 1")
            }
        }
    }
}

impl std::error::Error for PageError {}
