//! `explain`: one key or type, for the terminal.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::early::EARLY;
use super::shape::{Definition, Key, Shape, merged};
use super::{Reference, TOP, kebab};
use crate::scenario::metric::Metric;
use crate::scenario::nearest::{nearest, one_of};
use crate::scenario::plan::is_measured;
use crate::scenario::schema::synonym;

impl Reference {
    /// What `path` means: a key such as `policies.backoff` or `clients.app.rate`, a section, or a type such as `duration`.
    ///
    /// # Errors
    /// Nothing has this name; the message suggests another.
    pub fn explain(&self, path: &str) -> Result<String, String> {
        let segments: Vec<_> = path.trim_matches(['[', ']']).split('.').collect();
        let found = self.walk(self.definition(TOP).expect("a scenario is described"), &segments, &mut Vec::new());
        if let Some((way, key)) = found {
            return Ok(self.explain_key(&way.join("."), key));
        }
        if let Some((name, doc)) = EARLY.iter().find(|(name, _)| segments[0] == *name && segments.len() == 1) {
            return Ok(format!("{name}\n\n{doc}\n"));
        }
        let texts = self.explain_word(path);
        if !texts.is_empty() {
            return Ok(texts.join("\n"));
        }
        Err(match self.advice(path, &[]) {
            Some(advice) => format!("nothing is called `{path}`; {advice}"),
            None => format!("nothing is called `{path}`"),
        })
    }

    /// What may be meant by a path that leads nowhere: the nearest name, or those that hold its last word, or those whose
    /// explanation does; `more` are names that are explained elsewhere.
    pub fn advice(&self, path: &str, more: &[&str]) -> Option<String> {
        let word = path.rsplit('.').next().unwrap_or("").trim_matches(['[', ']']);
        let metrics = Metric::ALL.iter().filter(|metric| is_measured(**metric)).map(|metric| metric.name());
        let names: Vec<_> = self.names().into_iter().chain(metrics).chain(more.iter().copied()).collect();
        if Metric::named(word).is_some_and(|metric| !is_measured(metric)) {
            return Some("it is not supported yet".into());
        }
        let parts: Vec<_> = path.split('.').collect();
        let mut meant = if parts.iter().all(|part| names.contains(part)) { parts } else { Vec::new() };
        meant.extend(synonym(word, &names).map(|(ours, _)| ours));
        if let (true, Some(near)) = (meant.is_empty(), nearest(word, names.iter().copied())) {
            return Some(format!("did you mean `{near}`?"));
        }
        let is_said =
            |text: &str| text.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).any(|said| said == word);
        let holding: BTreeSet<_> = names.into_iter().filter(|name| word.len() >= 3 && name.contains(word)).collect();
        for name in holding {
            if !meant.contains(&name) {
                meant.push(name);
            }
        }
        if let Some(list) = some_of(&meant) {
            return Some(format!("did you mean {list}?"));
        }
        let keys = self.definitions.iter().flat_map(Definition::keys);
        let saying: BTreeSet<_> = keys.filter(|key| is_said(&key.doc)).map(|key| key.name.as_str()).collect();
        some_of(&saying.into_iter().collect::<Vec<_>>()).map(|list| format!("it is mentioned under {list}"))
    }

    /// Everything that a single word can mean: a key of some table, a metric, a type.
    fn explain_word(&self, word: &str) -> Vec<String> {
        let owners = self.definitions.iter().filter_map(|owner| Some((owner, own_key(owner, word)?)));
        let keys = owners.map(|(owner, key)| self.explain_key(&format!("{word}, in {}", self.header(owner)), key));
        let metric = Metric::named(word).filter(|metric| is_measured(*metric)).map(explain_metric);
        let settings = self.definitions.iter().flat_map(|owner| {
            let tags = owner.tags();
            let found = tags.flat_map(|(tag, tables)| tables.into_iter().flatten().map(move |key| (tag, key)));
            found.filter(|(_, key)| key.name == word).map(move |(tag, key)| (owner, tag, key))
        });
        let settings = settings
            .map(|(owner, tag, key)| self.explain_key(&format!("{word}, of `{tag}` in {}", kebab(&owner.name)), key));
        let mut texts: Vec<_> = keys.chain(settings).chain(metric).collect();
        let types = self.definitions.iter().find(|definition| kebab(&definition.name) == word);
        if let Some(definition) = types.filter(|_| texts.is_empty()) {
            let mut text = format!("{word}\n\n{}\n", definition.doc);
            self.write_shape(&mut text, &definition.shape, 0);
            texts.push(text);
        }
        texts
    }

    /// Follows `segments` from a table; the user's names may be left out.
    fn walk<'a>(
        &'a self,
        table: &'a Definition,
        segments: &[&str],
        way: &mut Vec<String>,
    ) -> Option<(Vec<String>, &'a Key)> {
        let (first, rest) = segments.split_first()?;
        let inherited = table.rest().and_then(|rest| self.definition(rest));
        let Some(key) = own_key(table, first) else { return self.walk(inherited?, segments, way) };
        way.push(key.name.clone());
        if rest.is_empty() {
            return Some((way.clone(), key));
        }
        match &key.shape {
            Shape::Ref(target) => self.walk(self.definition(target)?, rest, way),
            Shape::Map(inner) => {
                let Shape::Ref(target) = inner.as_ref() else { return None };
                let target = self.definition(target)?;
                way.push("NAME".into());
                let length = way.len();
                if let Some(found) = self.walk(target, rest, way) {
                    return Some(found);
                }
                way.truncate(length);
                match rest {
                    [name] if nearest(name, target.keys().map(|key| key.name.as_str())).is_none() => {
                        Some((way.clone(), key))
                    }
                    [_name] => None,
                    [_name, rest @ ..] => self.walk(target, rest, way),
                    [] => None,
                }
            }
            _ => None,
        }
    }

    fn explain_key(&self, title: &str, key: &Key) -> String {
        let mut text = format!("{title}: {}\n", self.plain(&key.shape));
        match &key.default {
            _ if key.is_required => text.push_str("required\n"),
            Some(default) if !default.is_object() => writeln!(text, "default: {default}").expect("a string takes all"),
            _ => {}
        }
        writeln!(text, "\n{}", key.doc).expect("a string takes all");
        self.write_shape(&mut text, &key.shape, 0);
        text
    }

    /// What may be written, one line each.
    fn write_shape(&self, text: &mut String, shape: &Shape, depth: usize) {
        let indent = "  ".repeat(depth + 1);
        match shape {
            Shape::Ref(name) if depth == 0 => {
                let Some(definition) = self.definition(name) else { return };
                match &definition.shape {
                    Shape::OneOf(_) | Shape::Table { .. } => self.write_shape(text, &definition.shape, depth),
                    _ => writeln!(text, "\n{}", definition.doc).expect("a string takes all"),
                }
            }
            Shape::Map(inner) | Shape::List(inner) if depth == 0 => self.write_shape(text, inner, depth),
            Shape::OneOf(choices) if depth > 0 && !shape.tables().is_empty() => {
                for (index, (choice, _)) in choices.iter().enumerate() {
                    if index > 0 {
                        writeln!(text, "{indent}or").expect("a string takes all");
                    }
                    self.write_shape(text, choice, depth);
                }
            }
            Shape::OneOf(choices) => {
                text.push('\n');
                for (choices, doc) in merged(choices) {
                    let written: Vec<_> = choices.iter().map(|choice| self.plain(choice)).collect();
                    writeln!(text, "{indent}{:<28} {doc}", written.join(" or ")).expect("a string takes all");
                    for choice in choices {
                        if let Shape::Tagged(_, inner) = choice {
                            self.write_shape(text, inner, depth + 1);
                        }
                    }
                }
            }
            Shape::Table { keys, rest } => {
                if depth == 0 {
                    text.push('\n');
                }
                for key in keys {
                    let doc = key.doc.split("\n\n").next().unwrap_or("");
                    writeln!(text, "{indent}{:<28} {doc}", format!("{}: {}", key.name, self.plain(&key.shape)))
                        .expect("a string takes all");
                }
                if let Some(rest) = rest.as_deref().and_then(|rest| self.definition(rest)) {
                    writeln!(text, "{indent}and the keys of {}", self.header(rest)).expect("a string takes all");
                }
            }
            _ => {}
        }
    }

    /// The type in a few words.
    fn plain(&self, shape: &Shape) -> String {
        match shape {
            Shape::Ref(name) => {
                match self.definition(name).filter(|table| matches!(table.shape, Shape::Table { .. })) {
                    Some(table) => self.header(table),
                    None => kebab(name),
                }
            }
            Shape::Plain(words) => (*words).to_owned(),
            Shape::Word(word) => format!("\"{word}\""),
            Shape::List(item) => format!("list of {}", self.plain(item)),
            Shape::Pair(item) => match item.as_ref() {
                Shape::OneOf(parts) => {
                    format!("[{}]", parts.iter().map(|(part, _)| self.plain(part)).collect::<Vec<_>>().join(", "))
                }
                item => format!("[{0}, {0}]", self.plain(item)),
            },
            Shape::Map(value) => format!("table of {}", self.plain(value)),
            Shape::Table { .. } => "{ ... }".into(),
            Shape::Tagged(tag, inner) => format!("{{ {tag} = {} }}", self.plain(inner)),
            Shape::OneOf(choices) => {
                choices.iter().map(|(choice, _)| self.plain(choice)).collect::<Vec<_>>().join(" or ")
            }
        }
    }
}

/// The first few of these names in a sentence, if there is any.
fn some_of(names: &[&str]) -> Option<String> {
    const MOST: usize = 6;
    let first: Vec<_> = names.iter().take(MOST).collect();
    (!first.is_empty()).then(|| one_of(&first))
}

fn own_key<'a>(definition: &'a Definition, name: &str) -> Option<&'a Key> {
    definition.keys().find(|key| key.name == name)
}

fn explain_metric(metric: Metric) -> String {
    let definition = metric.definition();
    let more = if definition.is_empty() { String::new() } else { format!("\n{definition}\n") };
    format!("{}, a metric\n\n{}\n{more}", metric.name(), metric.meaning())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_with_and_without_names_in_its_path() {
        let reference = Reference::new();
        let direct = reference.explain("policies.backoff").unwrap();
        assert_eq!(direct, reference.explain("policies.default.backoff").unwrap());
        assert_eq!(
            direct,
            "\
policies.NAME.backoff: backoff
default: \"0s\"

How long to wait before each further attempt.

  duration                     Always so long.
  list of duration             So long before each further attempt, the last one for all further.
  { linear = { ... } }         Longer by the same step each time.
    initial: duration            Before the second attempt.
    step: duration               How much is added each time; `initial` if it is left out.
    max: duration                The longest wait.
  { exponential = { ... } }    Longer by the same factor each time.
    initial: duration            Before the second attempt.
    multiplier: a number         The factor.
    max: duration                The longest wait.
"
        );
        assert!(reference.explain("clients.app.timeout").unwrap().starts_with("clients.NAME.timeout: timeout\n"));
        assert!(reference.explain("clients.app.mix.buy.weight").unwrap().starts_with("clients.NAME.mix.NAME.weight"));
        assert!(reference.explain("jitter").unwrap().starts_with("jitter, in [policies.NAME]: jitter\n"));
        assert!(reference.explain("duration").unwrap().contains("in [run]"));
        assert!(reference.explain("run").unwrap().contains("warmup"));
    }

    #[test]
    fn a_typo_is_answered_with_the_nearest_name() {
        let error = Reference::new().explain("policies.backof").unwrap_err();
        assert_eq!(error, "nothing is called `policies.backof`; did you mean `backoff`?");
    }

    #[test]
    fn a_word_of_other_tools_and_a_part_of_a_name_are_answered_with_the_whole() {
        let advice = |word| Reference::new().explain(word).unwrap_err();
        assert!(advice("breaker").contains("`circuit-breaker`"), "{}", advice("breaker"));
        assert!(advice("outlier").contains("did you mean `outlier-detection`?"), "{}", advice("outlier"));
        assert!(advice("hysteresis").ends_with("`hysteresis`"), "{}", advice("hysteresis"));
        assert!(
            Reference::new().explain("virtual-nodes").unwrap().starts_with("virtual-nodes, of `ring-hash` in balance")
        );
    }
}
