//! From files and flags to a typed scenario, or to everything that is wrong with them.

use std::path::Path;

use super::diagnostic::{Diagnostic, Style};
use super::document::{Data, Document, Openers, Overrides, Source, Table, Texts, Value, Vocabulary, read, resolve};
use super::metric::Metric;
use super::reference::Reference;
use super::schema::{self, Scenario};

/// A scenario that can be planned.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// What it says.
    pub scenario: Scenario,
    /// The tree it was read from, whole.
    pub document: Document,
    /// The files and flags, which the places in the other two point into.
    pub texts: Texts,
    /// The files that are read while it is played.
    pub files: Openers,
}

/// Why a scenario cannot be planned.
#[derive(Clone, PartialEq, Debug)]
pub struct Mistakes {
    /// What is wrong; at least one thing.
    pub diagnostics: Vec<Diagnostic>,
    /// The files and flags, as far as they could be read.
    pub texts: Texts,
}

impl Mistakes {
    /// All of them, for a person.
    pub fn render(&self, style: Style) -> String {
        let rendered = self.diagnostics.iter().map(|mistake| mistake.render(&self.texts, style));
        rendered.collect::<Vec<_>>().join("\n\n")
    }
}

impl Scenario {
    /// Reads the scenario at `path` with all it extends, and changes it as `overrides` says.
    ///
    /// # Errors
    /// Everything that was found to be wrong. Mistakes that hide others (a file that is missing, a text that is not TOML) come
    /// alone.
    pub fn load(source: &dyn Source, path: &Path, overrides: &Overrides) -> Result<Loaded, Mistakes> {
        let mut texts = Texts::default();
        match load(source, path, overrides, &mut texts) {
            Ok((scenario, document, files)) => Ok(Loaded { scenario, document, texts, files }),
            Err(diagnostics) => Err(Mistakes { diagnostics, texts }),
        }
    }
}

fn load(
    source: &dyn Source,
    path: &Path,
    overrides: &Overrides,
    texts: &mut Texts,
) -> Result<(Scenario, Document, Openers), Vec<Diagnostic>> {
    let document = resolve(source, path, overrides, texts)?;
    refuse_future(&document.tree)?;
    let mut tree = document.tree.clone();
    document.tune.iter().for_each(|(key, value)| tree.set(key.clone(), value.clone()));
    let mut mistakes = take_unquoted(tree.get_mut("expect"));
    let subject = tree.get_mut("tune").and_then(Value::as_table_mut).and_then(|tune| tune.get_mut("subject-to"));
    mistakes.extend(take_unquoted(subject));
    mistakes.extend(take_strays(&mut tree));
    match read::<Scenario>(&tree, document.top, texts, &Words, source) {
        Ok(mut scenario) => {
            mistakes.extend(schema::check(&scenario));
            if !mistakes.is_empty() {
                return Err(mistakes);
            }
            schema::stand_in(&mut scenario)?;
            schema::consumers_and_brokers(&mut scenario);
            let files = open(&scenario, source)?;
            Ok((scenario, document, files))
        }
        Err(found) => {
            mistakes.extend(found);
            Err(mistakes)
        }
    }
}

/// Finds the files that are read while the scenario is played.
fn open(scenario: &Scenario, source: &dyn Source) -> Result<Openers, Vec<Diagnostic>> {
    let (mut files, mut mistakes) = (Openers::default(), Vec::new());
    for trace in scenario.clients.iter().filter_map(|(_, client)| client.trace.as_ref()) {
        let path = &trace.value.path;
        match source.opener(Path::new(path)) {
            Ok(opener) => files.add(path, opener),
            Err(error) => {
                mistakes.push(Diagnostic::unreadable(format!("cannot read `{path}`: {error}")).at(trace.origin, ""));
            }
        }
    }
    if mistakes.is_empty() { Ok(files) } else { Err(mistakes) }
}

/// The language, for messages about words that a table does not know.
struct Words;

impl Vocabulary for Words {
    fn is_planned(&self, table: &str, key: &str) -> bool {
        schema::is_planned(table, key)
    }

    fn homes(&self, key: &str) -> Vec<String> {
        Reference::new().homes(key)
    }

    fn synonym(&self, word: &str, accepted: &[&str]) -> Option<(&'static str, &'static str)> {
        schema::synonym(word, accepted)
    }

    fn owners(&self, key: &str) -> Vec<String> {
        Reference::new().owners(key)
    }
}

/// Refuses a scenario that asks for a later version, before any of its later words is called unknown.
fn refuse_future(tree: &Table) -> Result<(), Vec<Diagnostic>> {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    let Some(Value { data: Data::String(required), origin, .. }) = tree.get("requires") else { return Ok(()) };
    let mistake = match (version(required), version(VERSION)) {
        (Some(required), Some(own)) if required <= own => return Ok(()),
        (None, _) => Diagnostic::error(format!("`requires` is a version such as \"0.3\", found {required:?}")),
        _ => Diagnostic::error(format!("this scenario requires Rehearsal {required}, this is {VERSION}")),
    };
    Err(vec![mistake.at(*origin, "")])
}

/// Up to three numbers; those left out are 0.
fn version(text: &str) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    for (index, part) in text.split('.').enumerate() {
        *numbers.get_mut(index)? = part.parse().ok()?;
    }
    Some(numbers)
}

/// Takes those entries out of a table of conditions whose quantity was not quoted, so that TOML made tables of its parts.
fn take_unquoted(table: Option<&mut Value>) -> Vec<Diagnostic> {
    let Some(expect) = table.and_then(Value::as_table_mut) else { return Vec::new() };
    let nested = expect.iter().filter(|(_, value)| value.as_table().is_some());
    let nested: Vec<_> = nested.map(|(key, value)| (key.clone(), first_leaf(&key.name, value))).collect();
    let refuse = |(key, quantity): (super::document::Key, String)| {
        expect.remove(&key.name);
        Diagnostic::error("a quantity is one key: quote it").at(key.origin, "").help(format!("write \"{quantity}\""))
    };
    nested.into_iter().map(refuse).collect()
}

/// Takes those entries out of `[expect]` and `[windows]` that are keys of other tables: a line at the end of a file belongs to
/// the table whose header was last.
fn take_strays(tree: &mut Table) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    for section in ["expect", "windows"] {
        let Some(table) = tree.get_mut(section).and_then(Value::as_table_mut) else { continue };
        let is_own = |value: &Value| section == "windows" && matches!(value.data, Data::Array(_));
        let strays = table.iter().filter(|(_, value)| !is_own(value)).map(|(key, _)| key.clone());
        for key in strays.collect::<Vec<_>>() {
            let homes = Reference::new().homes(&key.name);
            if homes.is_empty() || Metric::named(&key.name).is_some() {
                continue;
            }
            table.remove(&key.name);
            let name = &key.name;
            mistakes.push(
                Diagnostic::error(format!("unknown key `{name}` in [{section}]"))
                    .at(key.origin, "")
                    .help(format!("`{name}` belongs in {}", homes.join(" or ")))
                    .help(format!("a key belongs to the table whose header stands above it, here [{section}]")),
            );
        }
    }
    mistakes
}

/// The dotted way from `name` to the first value that is not a table.
fn first_leaf(name: &str, value: &Value) -> String {
    match value.as_table().and_then(|table| table.iter().next()) {
        Some((key, value)) => first_leaf(&format!("{name}.{}", key.name), value),
        None => name.to_owned(),
    }
}
