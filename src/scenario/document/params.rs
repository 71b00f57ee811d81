//! Parameters: `[params] load = "1000/s"`, used whole wherever a value is the string `"$load"`.

use std::collections::BTreeSet;

use super::tree::{Data, Table, Value};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::nearest::nearest;

/// The name in a value that is the string `"$name"`.
pub(in crate::scenario) fn parameter(value: &Value) -> Option<&str> {
    match &value.data {
        Data::String(text) => text.strip_prefix('$'),
        _ => None,
    }
}

/// The names of all parameters used anywhere in `table`.
pub(super) fn uses(table: &Table) -> BTreeSet<String> {
    fn collect(value: &Value, used: &mut BTreeSet<String>) {
        match &value.data {
            Data::String(_) => used.extend(parameter(value).map(str::to_owned)),
            Data::Array(items) => items.iter().for_each(|item| collect(item, used)),
            Data::Table(table) => table.iter().for_each(|(_, value)| collect(value, used)),
            Data::Integer(_) | Data::Float(_) | Data::Boolean(_) => {}
        }
    }
    let mut used = BTreeSet::new();
    table.iter().for_each(|(_, value)| collect(value, &mut used));
    used
}

/// Takes `[params]` out of `tree` and puts each parameter's value where its name stands.
///
/// `used` are the parameters that some variant uses, chosen or not: any other is refused, as every ignored key is. A parameter
/// stands for its value as written, so parameters do not refer to each other.
pub(super) fn substitute(tree: &mut Table, used: &BTreeSet<String>, mistakes: &mut Vec<Diagnostic>) {
    let params = match tree.remove("params").map(|(_, value)| value) {
        None => Table::default(),
        Some(Value { data: Data::Table(params), .. }) => params,
        Some(other) => {
            mistakes.push(
                Diagnostic::error(format!("[params] is a table of names and values, found {}", other.describe()))
                    .at(other.origin, ""),
            );
            return;
        }
    };
    for (key, value) in params.iter() {
        if !used.contains(&key.name) {
            mistakes.push(
                Diagnostic::error(format!("parameter `{}` is not used anywhere", key.name))
                    .at(key.origin, "")
                    .help(format!("a value is a parameter if it is \"${}\" and nothing else", key.name)),
            );
        }
        refuse_nested(value, mistakes);
    }
    for (_, value) in tree.iter_mut() {
        replace(value, &params, mistakes);
    }
}

fn refuse_nested(value: &Value, mistakes: &mut Vec<Diagnostic>) {
    match &value.data {
        Data::Array(items) => items.iter().for_each(|item| refuse_nested(item, mistakes)),
        Data::Table(table) => table.iter().for_each(|(_, value)| refuse_nested(value, mistakes)),
        _ if parameter(value).is_some() => mistakes
            .push(Diagnostic::error("a parameter cannot stand in another parameter's value").at(value.origin, "")),
        _ => {}
    }
}

fn replace(value: &mut Value, params: &Table, mistakes: &mut Vec<Diagnostic>) {
    let place = value.origin;
    match &mut value.data {
        Data::Array(items) => items.iter_mut().for_each(|item| replace(item, params, mistakes)),
        Data::Table(table) => table.iter_mut().for_each(|(_, value)| replace(value, params, mistakes)),
        Data::String(_) => {
            let Some(name) = parameter(value) else { return };
            match params.get(name) {
                Some(param) => *value = Value { through: Some(place), ..param.clone() },
                None => {
                    let near = nearest(name, params.names()).map(|near| format!("did you mean `${near}`?"));
                    mistakes.push(
                        Diagnostic::error(format!("there is no parameter `{name}` in [params]"))
                            .at(place, "")
                            .help_if(near),
                    );
                }
            }
        }
        Data::Integer(_) | Data::Float(_) | Data::Boolean(_) => {}
    }
}
