//! What a study was asked: the command that plays it, without where its results go.
//!
//! Shards of a study keep it, so that their results can be put together where the command line is not known any more.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rehearsal::experiment::Shard;
use rehearsal::scenario::Overrides;
use serde::{Deserialize, Serialize};

/// Which command plays a study.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `sweep`.
    Sweep,
    /// `compare`.
    Compare,
    /// `tune`.
    Tune,
}

/// What a study was asked, as it was typed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// The command.
    pub kind: Kind,
    /// The scenario files, of which all but the first are compared with it.
    pub files: Vec<PathBuf>,
    /// `--variant`: what is varied instead of the base.
    pub variant: Option<String>,
    /// `--with`: what the base is compared with.
    pub with: Vec<String>,
    /// `--set`.
    pub sets: Vec<String>,
    /// `--seed`.
    pub seed: Option<String>,
    /// `--runs`.
    pub runs: Option<String>,
    /// `--metric`.
    pub metrics: Vec<String>,
    /// `--sweep`.
    pub sweeps: Vec<String>,
    /// `--only`.
    pub only: Vec<String>,
    /// Whether `--baseline` names earlier results to compare with.
    pub has_baseline: bool,
    /// `--minimise`.
    pub minimise: Option<String>,
    /// `--maximise`.
    pub maximise: Option<String>,
}

impl Ask {
    /// What a command is asked of files without any flag.
    pub fn plain(kind: Kind, files: Vec<PathBuf>) -> Self {
        Self {
            kind,
            files,
            variant: None,
            with: Vec::new(),
            sets: Vec::new(),
            seed: None,
            runs: None,
            metrics: Vec::new(),
            sweeps: Vec::new(),
            only: Vec::new(),
            has_baseline: false,
            minimise: None,
            maximise: None,
        }
    }

    /// What it changes in a scenario, in the library's words.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            variant: self.variant.clone(),
            sets: self.sets.clone(),
            seed: self.seed.clone(),
            runs: self.runs.clone(),
            metrics: self.metrics.clone(),
            sweeps: self.sweeps.clone(),
            minimise: self.minimise.clone(),
            maximise: self.maximise.clone(),
            point: None,
            candidate: None,
        }
    }

    /// The command line that plays a shard of it, for a shell.
    pub fn line(&self, directory: &Path, shard: Shard) -> String {
        let mut line = match self.kind {
            Kind::Sweep => "rehearsal sweep".to_owned(),
            Kind::Compare => "rehearsal compare".to_owned(),
            Kind::Tune => "rehearsal tune".to_owned(),
        };
        let mut add = |flag: &str, value: &str| {
            let _ = write!(line, "{flag} {}", quoted(value));
        };
        self.files.iter().for_each(|file| add("", &file.to_string_lossy()));
        self.variant.iter().for_each(|name| add(" --variant", name));
        self.with.iter().for_each(|name| add(" --with", name));
        self.sets.iter().for_each(|set| add(" --set", set));
        self.seed.iter().for_each(|seed| add(" --seed", seed));
        self.runs.iter().for_each(|runs| add(" --runs", runs));
        self.metrics.iter().for_each(|metric| add(" --metric", metric));
        self.sweeps.iter().for_each(|sweep| add(" --sweep", sweep));
        self.only.iter().for_each(|only| add(" --only", only));
        add(" --study", &directory.to_string_lossy());
        add(" --shard", &shard.to_string());
        line
    }
}

/// A word for a shell, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:+@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_can_be_typed_again() {
        let ask = Ask {
            sets: vec!["title=it's".into()],
            seed: Some("7".into()),
            metrics: vec!["app.latency.p99".into()],
            ..Ask::plain(Kind::Sweep, vec!["my study.toml".into()])
        };
        let line = ask.line(Path::new("kept"), Shard::new(2, 3).unwrap());
        let said = "rehearsal sweep 'my study.toml' --set 'title=it'\\''s' --seed 7 --metric app.latency.p99 --study kept \
                    --shard 2/3";
        assert_eq!(line, said);
    }
}
