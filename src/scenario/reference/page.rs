//! The reference page, in Markdown.

use std::fmt::Write;

use super::early::EARLY;
use super::shape::{Definition, Key, Shape, merged};
use super::{Reference, TOP, kebab};
use crate::scenario::metric::Metric;
use crate::scenario::plan::{is_measured, measured_for};

const INTRODUCTION: &str = "\
# Scenario reference

Every key that a scenario may hold. This page is made from the types; `REHEARSAL_BLESS=1 cargo test reference_page` rewrites it.

Any named table may start from others of its section with `extends = \"name\"`, or a list of names, and drop keys with
`remove = [\"key\"]`. A file may start from other files with `extends = \"file.toml\"` at its top. `[params]` names values that
are used whole as `\"$name\"`, and `[variants.NAME]` holds changes that `--variant NAME` lays over everything else.
";

const QUANTITIES: &str = "
## Quantities

The keys of `[expect]` name what is measured, and their conditions what it has to be.

```text
quantity  = [scope \".\"] metric [\".\" statistic] [\" \" window]      scope none: whole system; window none: all measured time
scope     = name | client \"/\" entry | caller \"->\" callee
statistic = count rate share mean sd cv min max p50 ... p99.99 under(x) at-least(x)
window    = (\"before\" | \"during\" | \"after\") NAME | \"from\" TIME [\"to\" TIME]
condition = (< <= > >= == !=) VALUE [\"+-\" SHARE]
```

A name is that of a client, a service, a link or a fault; those of a client, of an entry of its mix, and of a caller and its
callee are about messages. A window's name is that of a fault, or of an entry of `[windows]`; only messages have windows.

| metric | measured for | statistic if none is named | meaning |
|---|---|---|---|
";

impl Reference {
    /// The reference page.
    pub fn page(&self) -> String {
        let mut page = INTRODUCTION.to_owned();
        let is_table = |definition: &&Definition| matches!(definition.shape, Shape::Table { .. });
        let (tables, values): (Vec<_>, Vec<_>) = self.definitions.iter().partition(is_table);
        for definition in tables {
            self.write_table(&mut page, definition);
        }
        let (_, sweep) = EARLY.iter().find(|(name, _)| *name == "sweep").expect("it is there");
        writeln!(page, "\n## [sweep]\n\n{sweep}").expect("text is written to memory");
        page.push_str("\n## Values\n");
        let mut laws: Option<(&Definition, String)> = None;
        for definition in values {
            let mut text = String::new();
            self.write_value(&mut text, definition);
            let quantity = definition.name.strip_suffix("-distribution");
            match (quantity, &laws) {
                (None, _) => page.push_str(&text),
                (Some(_), None) => {
                    page.push_str(&text);
                    laws = Some((definition, text));
                }
                (Some(quantity), Some((first, known))) => page.push_str(&like(&text, quantity, first, known)),
            }
        }
        page.push_str(QUANTITIES);
        let measured = || Metric::ALL.iter().filter(|metric| is_measured(**metric));
        for metric in measured() {
            let statistic = metric.kind().statistic();
            let statistic = statistic.map_or_else(|| "must be named".into(), |statistic| format!("`{statistic}`"));
            let of = measured_for(*metric).join(", ");
            writeln!(page, "| `{}` | {of} | {statistic} | {} |", metric.name(), metric.meaning())
                .expect("a string takes all");
        }
        for metric in measured() {
            let definition = metric.definition();
            if !definition.is_empty() {
                writeln!(page, "\n### {}\n\n{} {definition}", metric.name(), metric.meaning())
                    .expect("a string takes all");
            }
        }
        page
    }

    fn heading(&self, definition: &Definition) -> String {
        match &definition.shape {
            Shape::Table { .. } if definition.name == TOP => "The top".into(),
            Shape::Table { .. } => self.header(definition),
            _ => kebab(&definition.name),
        }
    }

    fn write_table(&self, page: &mut String, definition: &Definition) {
        let heading = self.heading(definition);
        writeln!(page, "\n## {heading}\n\n{}\n", definition.doc).expect("a string takes all");
        page.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
        for key in definition.keys() {
            let meaning = key.doc.replace("\n\n", " ").replace('|', "\\|");
            writeln!(page, "| `{}` | {} | {} | {meaning} |", key.name, self.type_of(&key.shape), default(key))
                .expect("a string takes all");
        }
        if let Some(rest) = definition.rest().and_then(|rest| self.definition(rest)) {
            let rest = self.type_of(&Shape::Ref(rest.name.clone()));
            writeln!(page, "\nThe keys of {rest} may stand here too.").expect("a string takes all");
        }
    }

    fn write_value(&self, page: &mut String, definition: &Definition) {
        writeln!(page, "\n### {}\n\n{}", kebab(&definition.name), definition.doc).expect("a string takes all");
        let Shape::OneOf(choices) = &definition.shape else { return };
        page.push_str("\n| written | meaning |\n|---|---|\n");
        for (shapes, doc) in merged(choices) {
            let shapes: Vec<_> = shapes.into_iter().map(|shape| self.type_of(shape)).collect();
            writeln!(page, "| {} | {doc} |", shapes.join(" or ")).expect("a string takes all");
        }
        for (shape, _) in choices {
            let Shape::Tagged(tag, inner) = shape else { continue };
            for keys in inner.tables() {
                writeln!(page, "\n| key of `{tag}` | type | default | meaning |\n|---|---|---|---|")
                    .expect("a string takes all");
                for key in keys {
                    writeln!(
                        page,
                        "| `{}` | {} | {} | {} |",
                        key.name,
                        self.type_of(&key.shape),
                        default(key),
                        key.doc
                    )
                    .expect("a string takes all");
                }
            }
        }
    }

    /// The type in a cell of a table, with links.
    fn type_of(&self, shape: &Shape) -> String {
        match shape {
            Shape::Ref(name) => {
                let heading = self.definition(name).map_or_else(|| name.clone(), |definition| self.heading(definition));
                let text = heading.trim_matches(['[', ']']);
                format!("[{text}](#{})", anchor(&heading))
            }
            Shape::Plain(words) => (*words).to_owned(),
            Shape::Word(word) => format!("`\"{word}\"`"),
            Shape::List(item) => format!("list of {}", self.type_of(item)),
            Shape::Pair(item) => match item.as_ref() {
                Shape::OneOf(parts) => {
                    let parts: Vec<_> = parts.iter().map(|(part, _)| self.type_of(part)).collect();
                    format!("`[` {} `]`", parts.join(" `,` "))
                }
                item => format!("`[` {0} `,` {0} `]`", self.type_of(item)),
            },
            Shape::Map(value) => format!("table of {}", self.type_of(value)),
            Shape::Table { keys, .. } => {
                let names: Vec<_> = keys.iter().map(|key| key.name.as_str()).collect();
                format!("`{{ {} }}`", names.join(", "))
            }
            Shape::Tagged(tag, inner) => format!("`{{ {tag} =` {} `}}`", self.type_of(inner)),
            Shape::OneOf(choices) => {
                let choices: Vec<_> = choices.iter().map(|(choice, _)| self.type_of(choice)).collect();
                choices.join(" or ")
            }
        }
    }
}

/// The text of a law's section: that of the first one, if it says the same of another quantity.
fn like(text: &str, quantity: &str, first: &Definition, known: &str) -> String {
    let known_quantity = first.name.trim_end_matches("-distribution");
    let section = |quantity: &str| format!("\n### {quantity}-distribution\n\n");
    let body = |text: &str, quantity: &str| text.trim_start_matches(&section(quantity)).replace(quantity, "\u{0}");
    if body(text, quantity) != body(known, known_quantity) {
        return text.to_owned();
    }
    let known_type = format!("[{0}](#{0})", first.name);
    let doc = &first.doc;
    format!(
        "{}{doc} The same as {known_type}, with a [{quantity}](#{quantity}) wherever that has a \
             [{known_quantity}](#{known_quantity}).\n",
        section(quantity)
    )
}

fn default(key: &Key) -> String {
    match &key.default {
        _ if key.is_required => "**required**".into(),
        None => String::new(),
        Some(serde_json::Value::Object(fields)) if fields.is_empty() || key.shape_is_table() => String::new(),
        Some(serde_json::Value::String(text)) if text.contains(' ') => text.clone(),
        Some(value) => format!("`{value}`"),
    }
}

impl Key {
    fn shape_is_table(&self) -> bool {
        matches!(self.shape, Shape::Ref(_) | Shape::Map(_))
    }
}

/// The anchor that Markdown renderers give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_what_the_types_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scenario-reference.md");
        let page = Reference::new().page();
        if std::env::var_os("REHEARSAL_BLESS").is_some() {
            std::fs::write(path, &page).expect("docs can be written");
        }
        let written = std::fs::read_to_string(path).expect("the page stands in docs");
        assert_eq!(written, page, "REHEARSAL_BLESS=1 cargo test reference_page rewrites the page");
    }
}
