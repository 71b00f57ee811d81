//! A tree as TOML again: one line for each value, so that each can carry its place.

use std::fmt::{self, Write};

use super::inherit::NAMED;
use super::origin::Texts;
use super::path::{Quoted, write_string};
use super::tree::{Data, Table, Value};

/// A tree as TOML; with texts, each value says in a comment where it was written.
pub(super) struct Printed<'a> {
    pub tree: &'a Table,
    pub origins: Option<&'a Texts>,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines { origins: self.origins, lines: Vec::new() };
        lines.table(&mut Vec::new(), self.tree);
        let width = lines.lines.iter().filter(|(_, comment)| !comment.is_empty()).map(|(text, _)| text.chars().count());
        let width = width.filter(|width| *width <= 80).max().unwrap_or(0);
        for (text, comment) in lines.lines {
            match comment.is_empty() {
                true => writeln!(f, "{text}")?,
                false => writeln!(f, "{text:width$}  # {comment}")?,
            }
        }
        Ok(())
    }
}

/// A value as a flag takes it: a string that is nothing else in TOML needs no quotes.
pub(super) fn on_one_line(value: &Value) -> String {
    let mut line = String::new();
    match &value.data {
        Data::String(text) if super::parse::is_string(text) => line.push_str(text),
        _ => write_value(&mut line, value).expect("writing to a string cannot fail"),
    }
    line
}

struct Lines<'a> {
    origins: Option<&'a Texts>,
    lines: Vec<(String, String)>,
}

impl Lines<'_> {
    /// The values of the table at `header`, then the tables inside it that have headers of their own.
    fn table(&mut self, header: &mut Vec<String>, table: &Table) {
        let has_header = |name: &str, value: &Value| value.as_table().is_some() && is_headed(header, name);
        let (inner, own): (Vec<_>, Vec<_>) = table.iter().partition(|(key, value)| has_header(&key.name, value));
        if !header.is_empty() && (inner.is_empty() || !own.is_empty()) {
            let names: Vec<_> = header.iter().map(|name| Quoted(name).to_string()).collect();
            if !self.lines.is_empty() {
                self.lines.push(Default::default());
            }
            self.lines.push((format!("[{}]", names.join(".")), String::new()));
        }
        for (key, value) in own {
            self.value(Quoted(&key.name).to_string(), value);
        }
        for (key, value) in inner {
            header.push(key.name.clone());
            self.table(header, value.as_table().expect("only tables have headers"));
            header.pop();
        }
    }

    /// A value, or the values of a table as dotted keys.
    fn value(&mut self, key: String, value: &Value) {
        match value.as_table() {
            Some(table) if !table.is_empty() => {
                table.iter().for_each(|(inner, value)| self.value(format!("{key}.{}", Quoted(&inner.name)), value));
            }
            _ => {
                let mut line = format!("{key} = ");
                write_value(&mut line, value).expect("writing to a string cannot fail");
                self.lines.push((line, self.comment(value)));
            }
        }
    }

    fn comment(&self, value: &Value) -> String {
        let Some(texts) = self.origins else { return String::new() };
        let written = texts.describe(value.origin).replace(['\n', '\r'], " ");
        match value.through {
            None => written,
            Some(used) => format!("{written}, used at {}", texts.describe(used)),
        }
    }
}

/// Whether the table `name` under `header` is written with a header: the sections, and the tables with names in them.
fn is_headed(header: &[String], name: &str) -> bool {
    let way: Vec<_> = header.iter().map(String::as_str).chain([name]).collect();
    let fits = |section: &[&str]| section.iter().zip(&way).all(|(key, name)| *key == "*" || key == name);
    way.len() == 1 || NAMED.iter().any(|section| way.len() <= section.len() + 1 && fits(section))
}

fn write_value(out: &mut String, value: &Value) -> fmt::Result {
    match &value.data {
        Data::String(text) => write_string(out, text),
        Data::Integer(number) => write!(out, "{number}"),
        Data::Float(number) => write!(out, "{number:?}"),
        Data::Boolean(value) => write!(out, "{value}"),
        Data::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_value(out, item)?;
            }
            out.push(']');
            Ok(())
        }
        Data::Table(table) => {
            out.push('{');
            for (index, (key, value)) in table.iter().enumerate() {
                write!(out, "{} {} = ", if index == 0 { "" } else { "," }, Quoted(&key.name))?;
                write_value(out, value)?;
            }
            out.push_str(if table.is_empty() { "}" } else { " }" });
            Ok(())
        }
    }
}
