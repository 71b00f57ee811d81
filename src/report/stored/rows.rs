//! A table, row by row: the columns that are wanted, by their names, whatever stands beside them.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, Unexpected};

use crate::report::style::clean;

use super::StoredError;

/// As much of a field as an error shows.
const SHOWN: usize = 40;

/// A row of a table.
pub(super) struct Row<'t> {
    file: &'static str,
    header: &'t csv::StringRecord,
    record: csv::StringRecord,
}

/// Hands on the rows of a table that have this text in this column.
pub(super) fn each(
    file: &'static str,
    bytes: &[u8],
    (column, wanted): (&str, &str),
    mut take: impl FnMut(Row<'_>) -> Result<(), StoredError>,
) -> Result<(), StoredError> {
    let damaged = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        StoredError::damaged(file, line, clean(&error.to_string(), 200))
    };
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(damaged)?.clone();
    let Some(place) = header.iter().position(|name| name == column) else {
        return Err(StoredError::damaged(file, None, format!("it has no column `{column}`")));
    };
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        if &record[place] == wanted {
            take(Row { file, header: &header, record })?;
        }
    }
    Ok(())
}

impl Row<'_> {
    /// What stands in the columns that have the names of its fields.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StoredError> {
        self.record.deserialize(Some(self.header)).map_err(|error| self.misread(&error))
    }

    /// What stands there is not what may stand there.
    pub fn wrong(&self, why: &str) -> StoredError {
        StoredError::damaged(self.file, self.line(), why)
    }

    /// What stands there is not what the column has.
    fn misread(&self, error: &csv::Error) -> StoredError {
        let damaged = |why: String| self.wrong(&why);
        let csv::ErrorKind::Deserialize { err, .. } = error.kind() else {
            return damaged(clean(&error.to_string(), 200));
        };
        let why = clean(&err.kind().to_string(), 200);
        let found = err.field().map(|field| field as usize);
        match found.and_then(|field| Some((self.header.get(field)?, self.record.get(field)?))) {
            Some((column, text)) => damaged(format!("found `{}` in the column `{column}`: {why}", clean(text, SHOWN))),
            None => damaged(why),
        }
    }

    fn line(&self) -> Option<u64> {
        self.record.position().map(csv::Position::line)
    }
}

/// A number that is one.
pub(super) fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() {
        return Ok(value);
    }
    Err(D::Error::invalid_value(Unexpected::Float(value), &"a finite number"))
}
