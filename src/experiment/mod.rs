//! From a plan to results: runs, replicates, and whether expectations hold.

mod verdict;

use crate::metrics::RunResult;

pub use verdict::{Basis, Judgement, Measured, Unit, Verdict};

/// What a scenario's runs gave.
#[derive(Clone, Debug)]
pub struct Results {
    /// The scenario's title.
    pub title: String,
    /// The variant that was played.
    pub variant: Option<String>,
    /// The scenario's seed: replicate 0 has it, the others derive theirs from it.
    pub seed: u64,
    /// The resolved scenario: one TOML text without references to other files.
    pub resolved: String,
    /// The runs, by index.
    pub runs: Vec<RunResult>,
    /// The expectations, in the order they are written.
    pub judgements: Vec<Judgement>,
    /// Things the user should know, such as a warning about messages that can be lost without a timeout.
    pub warnings: Vec<String>,
}
