//! TOML text into a [`Table`] that knows its places.

use std::ops::Range;

use toml::de::{DeString, DeTable, DeValue};

use super::origin::{Origin, TextId};
use super::tree::{Data, Key, Table, Value};
use crate::scenario::diagnostic::Diagnostic;

/// The parser's own error beside where it starts, relative to the parsed text.
type TomlError = (String, Option<Range<usize>>);

/// Mistakes shown per file: what follows a broken line is often its echo.
const SHOWN: usize = 3;

/// Reads a whole file.
pub(super) fn parse_document(text: TextId, content: &str) -> Result<Table, Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(content);
    let end = content.len();
    let errors = errors.iter().map(|error| (error.message().to_owned(), error.span()));
    let mut mistakes: Vec<_> = errors.map(|error| syntax_error(text, 0, end, error)).collect();
    if mistakes.is_empty() {
        let table = Reader { text, offset: 0, mistakes: &mut mistakes }.table(table.into_inner());
        if mistakes.is_empty() {
            return Ok(table);
        }
    }
    mistakes.truncate(SHOWN);
    Err(mistakes)
}

/// Reads the value of `--set PATH=VALUE` that stands at `offset` of its flag: TOML, else a string.
///
/// What opens like a list, a table or a quoted string and does not read as one is a mistake, not a string.
pub(super) fn parse_flag_value(text: TextId, offset: usize, written: &str) -> Result<Value, Diagnostic> {
    let whole = text.at(offset..offset + written.len());
    let mut mistakes = Vec::new();
    match DeValue::parse(written) {
        Ok(value) => {
            let span = value.span();
            let mut reader = Reader { text, offset, mistakes: &mut mistakes };
            let value = reader.value(span, value.into_inner());
            mistakes.pop().map_or(Ok(value), Err)
        }
        Err(error) if written.starts_with(['[', '{', '"', '\'']) => {
            Err(syntax_error(text, offset, written.len(), (error.message().to_owned(), error.span())))
        }
        Err(_) => Ok(Value::new(whole, Data::String(written.to_owned()))),
    }
}

/// Whether a text that stands as the value of a flag is a string by itself.
pub(super) fn is_string(written: &str) -> bool {
    DeValue::parse(written).is_err() && !written.starts_with(['[', '{', '"', '\''])
}

fn syntax_error(text: TextId, offset: usize, end: usize, (message, span): TomlError) -> Diagnostic {
    let span = span.unwrap_or(end..end);
    let origin = text.at(offset + span.start..offset + span.end);
    Diagnostic::error(format!("this is not TOML: {message}")).at(origin, "")
}

struct Reader<'a> {
    text: TextId,
    offset: usize,
    mistakes: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn origin(&self, span: Range<usize>) -> Origin {
        self.text.at(self.offset + span.start..self.offset + span.end)
    }

    /// The parser sorts keys; where they were written restores the order.
    fn table(&mut self, table: DeTable<'_>) -> Table {
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut read = Table::default();
        for (key, value) in entries {
            let key = Key { origin: self.origin(key.span()), name: DeString::into_owned(key.into_inner()) };
            let span = value.span();
            let value = self.value(span, value.into_inner());
            read.set(key, value);
        }
        read
    }

    fn value(&mut self, span: Range<usize>, value: DeValue<'_>) -> Value {
        let origin = self.origin(span);
        let data = match value {
            DeValue::String(text) => Data::String(text.into_owned()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Data::Integer(number),
                Err(_) => self.refuse(origin, "this number does not fit 64 bits"),
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Data::Float(number),
                _ => self.refuse(origin, "this number is not finite"),
            },
            DeValue::Boolean(value) => Data::Boolean(value),
            DeValue::Datetime(_) => {
                self.refuse(origin, "nothing in a scenario is a date; write a duration such as \"2m30s\"")
            }
            DeValue::Array(items) => Data::Array(
                items
                    .into_iter()
                    .map(|item| {
                        let span = item.span();
                        self.value(span, item.into_inner())
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Data::Table(self.table(table)),
        };
        Value::new(origin, data)
    }

    fn refuse(&mut self, origin: Origin, message: &str) -> Data {
        self.mistakes.push(Diagnostic::error(message).at(origin, ""));
        Data::Boolean(false)
    }
}
