//! What the command line changes in a scenario.

use super::inherit::NAMED;
use super::layer;
use super::origin::Texts;
use super::parse::parse_flag_value;
use super::path::Path;
use super::tree::{Data, Key, Table, Value};
use crate::scenario::design::{Design, Point};
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
    /// `--metric QUANTITY`: what studies show.
    pub metrics: Vec<String>,
    /// `--sweep PATH=VALUES`, in order: what a study varies beside what the file says.
    pub sweeps: Vec<String>,
    /// A point of the study: its values are set as well.
    pub point: Option<Point>,
    /// `--minimise QUANTITY`: what tuning makes as small as it can be, instead of what the file says.
    pub minimise: Option<String>,
    /// `--maximise QUANTITY`: what it makes as large as it can be.
    pub maximise: Option<String>,
    /// A candidate of the tuning: its values are set as well.
    pub candidate: Option<Point>,
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
        if !self.metrics.is_empty() {
            const FLAG: &str = "--metric ";
            let quantities = self.metrics.iter().map(|quantity| {
                let text = texts.add_flag(format!("{FLAG}{quantity}"));
                Value::new(text.at(FLAG.len()..FLAG.len() + quantity.len()), Data::String(quantity.clone()))
            });
            let quantities: Vec<_> = quantities.collect();
            let origin = quantities[0].origin;
            let keys = ["run", "metrics"].map(|name| Key { name: name.into(), origin });
            mistakes.extend(layer::set_at(tree, &keys, Value::new(origin, Data::Array(quantities))).err());
        }
        for (key, other, quantity) in
            [("minimise", "maximise", &self.minimise), ("maximise", "minimise", &self.maximise)]
        {
            let Some(quantity) = quantity else { continue };
            let flag = format!("--{key} ");
            let text = texts.add_flag(format!("{flag}{quantity}"));
            let origin = text.at(flag.len()..flag.len() + quantity.len());
            let keys = ["tune", key].map(|name| Key { name: name.into(), origin });
            mistakes.extend(layer::set_at(tree, &keys, Value::new(origin, Data::String(quantity.clone()))).err());
            tree.get_mut("tune").and_then(Value::as_table_mut).and_then(|tune| tune.remove(other));
        }
    }

    /// What a study varies, as the tree and the flags say, and what tuning does; the point of either that is to be played is set in the
    /// tree.
    pub(super) fn designs(
        &self,
        tree: &mut Table,
        texts: &mut Texts,
        mistakes: &mut Vec<Diagnostic>,
    ) -> [Option<Design>; 2] {
        let seed = tree.get("run").and_then(Value::as_table).and_then(|run| run.get("seed"));
        let seed = match seed.map(|seed| &seed.data) {
            Some(Data::Integer(seed)) => *seed as u64,
            _ => 1,
        };
        let mut flags = Table::default();
        for sweep in &self.sweeps {
            let example = "policies.default.timeout='[\"50ms\", \"100ms\"]'";
            let set = assignment("--sweep ", sweep, example, texts);
            mistakes.extend(set.and_then(|(keys, value)| layer::set_at(&mut flags, &keys, value)).err());
        }
        if !flags.is_empty() {
            let (key, value) = tree.remove("sweep").unwrap_or_else(|| {
                let (key, _) = flags.iter().next().expect("just seen");
                (Key { name: "sweep".into(), ..key.clone() }, Value::new(key.origin, Data::Table(Table::default())))
            });
            let Value { origin, through, data } = value;
            let data = match data {
                Data::Table(mut table) => {
                    layer::merge(&mut table, flags);
                    Data::Table(table)
                }
                other => other,
            };
            tree.set(key, Value { origin, through, data });
        }
        let designs = [Design::take(tree, seed, mistakes), Design::over(tree, seed, mistakes)];
        for (design, point) in designs.iter().zip([&self.point, &self.candidate]) {
            let settings = design.iter().zip(point).flat_map(|(design, point)| design.settings(point));
            for (keys, value) in settings {
                let set = refuse_new(tree, keys).and_then(|()| layer::set_at(tree, keys, value));
                mistakes.extend(set.err());
            }
        }
        designs
    }
}

fn apply_set(set: &str, tree: &mut Table, texts: &mut Texts) -> Result<(), Diagnostic> {
    let example = "policies.default.timeout=50ms";
    let (keys, value) = assignment("--set ", set, example, texts)?;
    refuse_new(tree, &keys)?;
    layer::set_at(tree, &keys, value)
}

/// The path and the value of a flag such as `--set PATH=VALUE`.
fn assignment(flag: &str, written: &str, example: &str, texts: &mut Texts) -> Result<(Vec<Key>, Value), Diagnostic> {
    let text = texts.add_flag(format!("{flag}{written}"));
    let whole = text.at(flag.len()..flag.len() + written.len());
    let (path, length) = Path::parse_prefix(written).map_err(|error| Diagnostic::error(error).at(whole, ""))?;
    let value = written[length..].strip_prefix('=').ok_or_else(|| {
        let here = text.at(flag.len() + length..flag.len() + written.len());
        Diagnostic::error("`=` is missing after the path")
            .at(here, "")
            .help(format!("`{0}` reads like `{0} {example}`; a key with other characters is quoted", flag.trim_end()))
    })?;
    let value = parse_flag_value(text, flag.len() + length + 1, value)?;
    let origin = |range: &std::ops::Range<usize>| text.at(flag.len() + range.start..flag.len() + range.end);
    let keys = path.segments().iter().map(|part| Key { name: part.name.clone(), origin: origin(&part.range) });
    Ok((keys.collect(), value))
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
