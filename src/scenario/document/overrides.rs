//! What the command line changes in a scenario.

use super::layer;
use super::origin::Texts;
use super::parse::parse_flag_value;
use super::path::Path;
use super::tree::{Key, Table};
use crate::scenario::diagnostic::Diagnostic;

/// What the command line changes, as it was typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    /// `--variant NAME`: which variant to lay over the base.
    pub variant: Option<String>,
    /// `--set PATH=VALUE`, in order.
    pub sets: Vec<String>,
    /// `--seed N`.
    pub seed: Option<String>,
    /// `--runs N`.
    pub runs: Option<String>,
}

impl Overrides {
    /// Sets in `tree` what the flags say.
    pub(super) fn apply(&self, tree: &mut Table, texts: &mut Texts, mistakes: &mut Vec<Diagnostic>) {
        for set in &self.sets {
            mistakes.extend(apply_set(set, tree, texts).err());
        }
        for (flag, key, value) in [("--seed", "seed", &self.seed), ("--runs", "runs", &self.runs)] {
            if let Some(value) = value {
                mistakes.extend(apply_flag(flag, key, value, tree, texts).err());
            }
        }
    }
}

fn apply_set(set: &str, tree: &mut Table, texts: &mut Texts) -> Result<(), Diagnostic> {
    const FLAG: &str = "--set ";
    let text = texts.add_flag(format!("{FLAG}{set}"));
    let whole = text.at(FLAG.len()..FLAG.len() + set.len());
    let (path, length) = Path::parse_prefix(set).map_err(|error| Diagnostic::error(error).at(whole, ""))?;
    let value = set[length..].strip_prefix('=').ok_or_else(|| {
        let here = text.at(FLAG.len() + length..FLAG.len() + set.len());
        Diagnostic::error("`=` is missing after the path")
            .at(here, "")
            .help("`--set` reads like `--set policies.default.timeout=50ms`; a key with other characters is quoted")
    })?;
    let value = parse_flag_value(text, FLAG.len() + length + 1, value)?;
    let origin = |range: &std::ops::Range<usize>| text.at(FLAG.len() + range.start..FLAG.len() + range.end);
    let keys: Vec<_> =
        path.segments().iter().map(|part| Key { name: part.name.clone(), origin: origin(&part.range) }).collect();
    layer::set_at(tree, &keys, value)
}

/// `--seed 3` is `run.seed = 3`, written on the command line.
fn apply_flag(flag: &str, key: &str, value: &str, tree: &mut Table, texts: &mut Texts) -> Result<(), Diagnostic> {
    let text = texts.add_flag(format!("{flag} {value}"));
    let origin = text.at(0..flag.len());
    let value = parse_flag_value(text, flag.len() + 1, value)?;
    layer::set_at(tree, &["run", key].map(|name| Key { name: name.into(), origin }), value)
}
