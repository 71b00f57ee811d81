//! What the command line changes in a scenario.

use super::inherit::NAMED;
use super::layer;
use super::origin::Texts;
use super::parse::parse_flag_value;
use super::path::Path;
use super::tree::{Key, Table, Value};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::nearest::{nearest, one_of};

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
    refuse_new(tree, &keys)?;
    layer::set_at(tree, &keys, value)
}

/// A key inside a named table that does not exist is a misspelled name: nothing would refer to what it makes.
fn refuse_new(tree: &Table, keys: &[Key]) -> Result<(), Diagnostic> {
    for way in NAMED {
        let Some((way_there, [name, _, ..])) = keys.split_at_checked(way.len()) else { continue };
        let is_there = way.iter().zip(way_there).all(|(step, key)| *step == "*" || *step == key.name);
        let is_implied = *way == ["policies"] && name.name == "default";
        if !is_there || is_implied {
            continue;
        }
        let mut section = Some(tree);
        for key in way_there {
            // What a table takes over from others is not in it yet.
            if section.is_some_and(|table| table.get("extends").is_some() && way.len() > 1) {
                return Ok(());
            }
            section = section.and_then(|table| table.get(&key.name)).and_then(Value::as_table);
        }
        let names: Vec<_> = section.into_iter().flat_map(Table::names).collect();
        if names.contains(&name.name.as_str()) {
            continue;
        }
        let path = way_there.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(".");
        let mistake = Diagnostic::error(format!("there is no `{}` in [{path}]", name.name)).at(name.origin, "");
        let mistake = match nearest(&name.name, names.iter().copied()) {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None if names.is_empty() => mistake,
            None => mistake.help(format!("there is {}", one_of(&names))),
        };
        return Err(mistake.help(format!("a new one is set whole: `{path}.{0}={{ ... }}`", name.name)));
    }
    Ok(())
}

/// `--seed 3` is `run.seed = 3`, written on the command line.
fn apply_flag(flag: &str, key: &str, value: &str, tree: &mut Table, texts: &mut Texts) -> Result<(), Diagnostic> {
    let text = texts.add_flag(format!("{flag} {value}"));
    let origin = text.at(0..flag.len());
    let value = parse_flag_value(text, flag.len() + 1, value)?;
    layer::set_at(tree, &["run", key].map(|name| Key { name: name.into(), origin }), value)
}
