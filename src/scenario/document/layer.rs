//! One table laid over another: tables merge, the rest is replaced, `remove` deletes.

use super::origin::{Origin, Texts};
use super::path::{Path, Quoted, Segment};
use super::tree::{Data, Key, Table, Value};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::nearest::nearest;

/// Lays `over` over `base`. A table keeps the place where it was first written.
pub(super) fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        let present = base.get_mut(&key.name);
        match (present, value.data) {
            (Some(Value { data: Data::Table(below), .. }), Data::Table(above)) => merge(below, above),
            (_, data) => base.set(key, Value { data, ..value }),
        }
    }
}

/// Lays `over` over `base` after deleting from `base` what the `remove` list of `over` names.
pub(super) fn lay(base: &mut Table, mut over: Table, texts: &Texts, mistakes: &mut Vec<Diagnostic>) {
    if let Some((_, removals)) = over.remove("remove") {
        remove_all(base, &removals, texts, mistakes);
    }
    merge(base, over);
}

/// A string, or a list of strings, each with the value it stands in.
pub(super) fn strings<'a>(
    key: &str,
    value: &'a Value,
    mistakes: &mut Vec<Diagnostic>,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let items = match &value.data {
        Data::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let mut read = Vec::new();
    for item in items {
        match &item.data {
            Data::String(text) => read.push((text.as_str(), item)),
            _ => mistakes.push(
                Diagnostic::error(format!("`{key}` takes a string or a list of strings, found {}", item.describe()))
                    .at(item.origin, ""),
            ),
        }
    }
    read.into_iter()
}

fn remove_all(base: &mut Table, removals: &Value, texts: &Texts, mistakes: &mut Vec<Diagnostic>) {
    let paths: Vec<_> = strings("remove", removals, mistakes).collect();
    for (text, value) in paths {
        match Path::parse(text) {
            Err(error) => mistakes.push(Diagnostic::error(error).at(value.origin, "")),
            Ok(path) => mistakes.extend(remove(base, &path, value, texts).err()),
        }
    }
}

fn remove(base: &mut Table, path: &Path, written: &Value, texts: &Texts) -> Result<(), Diagnostic> {
    let (last, way) = path.segments().split_last().expect("a path has a key");
    let place = |segment: &Segment| texts.within(written.origin, segment.range.clone());
    let mut table = base;
    for segment in way {
        if table.get(&segment.name).is_none() {
            return Err(nothing_there(table, path, segment, place(segment)));
        }
        let next = table.get_mut(&segment.name).and_then(Value::as_table_mut);
        table = next.ok_or_else(|| {
            Diagnostic::error(format!("there is no `{path}` to remove"))
                .at(place(segment), "this is a value, not a table")
        })?;
    }
    match table.remove(&last.name) {
        Some(_) => Ok(()),
        None => Err(nothing_there(table, path, last, place(last))),
    }
}

fn nothing_there(table: &Table, path: &Path, segment: &Segment, place: Origin) -> Diagnostic {
    let missing = Diagnostic::error(format!("there is no `{path}` to remove")).at(place, "nothing has this name here");
    if table.get("extends").is_some() {
        return missing.help("what a table takes over through `extends` is removed in the table that writes it");
    }
    missing.help_if(nearest(&segment.name, table.names()).map(|near| format!("did you mean `{near}`?")))
}

/// Sets the value at the path of `keys`, with tables made on the way where there are none.
pub(super) fn set_at(base: &mut Table, keys: &[Key], value: Value) -> Result<(), Diagnostic> {
    let (last, way) = keys.split_last().expect("a path has a key");
    let mut table = base;
    for key in way {
        if table.get(&key.name).is_none() {
            table.set(key.clone(), Value::new(key.origin, Data::Table(Table::default())));
        }
        let next = table.get_mut(&key.name).expect("just made");
        let found = next.describe();
        let place = next.origin;
        table = next.as_table_mut().ok_or_else(|| {
            Diagnostic::error(format!("`{}` is {found}, not a table", Quoted(&key.name)))
                .at(key.origin, "")
                .at(place, "written here")
        })?;
    }
    table.set(last.clone(), value);
    Ok(())
}
