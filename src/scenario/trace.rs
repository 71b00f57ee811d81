//! Traces: files that say when requests are due, and what they are about.
//!
//! A trace is a CSV file with a header. `time` is seconds as a decimal number or a duration with its unit, from the start of the
//! run and never earlier than the row before; `size`, which may be missing or empty, is a number of bytes or a size with its
//! unit; `key`, which may be missing or empty, is a number or any text. Lines that start with `#` and empty lines are skipped.
//!
//! It is read through once before anything is played, so that a mistake has a line; while it is played it is read again, row by
//! row, and never held as a whole.

use std::fmt;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use crate::base::random::mix;
use crate::base::time::Span;
use crate::base::units::Bytes;
use crate::model::{Given, Row, Trace};
use crate::scenario::document::Opener;

/// A trace that was found to be well.
#[derive(Clone)]
pub struct TraceFile {
    path: Arc<str>,
    opener: Opener,
    /// What was found when it was read through.
    facts: Facts,
    /// What went wrong when it was read again.
    trouble: Arc<OnceLock<String>>,
}

/// What is known of a whole trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// How many rows it has.
    pub rows: u64,
    /// How many of them are due while there is load.
    pub due: u64,
    /// How many are due after the load has ended.
    pub late: u64,
    /// Rows that give a size.
    pub sizes: u64,
    /// Rows that give a key.
    pub keys: u64,
    /// A sum over everything it says.
    digest: u64,
}

impl Facts {
    fn add(&mut self, row: &Row) {
        let Row { due, given: Given { size, key } } = row;
        self.rows += 1;
        self.sizes += u64::from(size.is_some());
        self.keys += u64::from(key.is_some());
        for part in [due.as_nanos(), size.map_or(0, |size| size + 1), key.map_or(0, mix)] {
            self.digest = mix(self.digest ^ part).wrapping_add(self.rows);
        }
    }
}

impl fmt::Debug for TraceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceFile({})", self.path)
    }
}

/// Why a trace cannot be played.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TraceError {
    /// The file cannot be read.
    Unreadable(String),
    /// What it says is wrong, and where.
    Wrong(String),
}

impl TraceFile {
    /// Reads the trace through. Load is brought in `load`, from its start to before its end.
    ///
    /// # Errors
    /// The first mistake, with its line and column.
    pub fn read(path: &str, opener: &Opener, load: (Span, Span)) -> Result<Self, TraceError> {
        let mut facts = Facts::default();
        for row in Rows::open(opener)? {
            let row = row?;
            facts.add(&row);
            facts.due += u64::from(row.due >= load.0 && row.due < load.1);
            facts.late += u64::from(row.due >= load.1);
        }
        if facts.rows == 0 {
            return Err(TraceError::Wrong("it has no rows".into()));
        }
        Ok(Self { path: path.into(), opener: opener.clone(), facts, trouble: Arc::default() })
    }

    /// What is known of it.
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// Why it could not be read again, if that has happened.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.get().map(|trouble| format!("`{}` changed while it was played: {trouble}", self.path))
    }
}

impl Trace for TraceFile {
    fn rows(&self) -> Box<dyn Iterator<Item = Row> + Send> {
        let rows = match Rows::open(&self.opener) {
            Ok(rows) => Some(rows),
            Err(error) => {
                let _ = self.trouble.set(error.to_string());
                None
            }
        };
        let (expected, found) = (Facts { due: 0, late: 0, ..self.facts }, Facts::default());
        Box::new(Again { rows, expected, found, trouble: Arc::clone(&self.trouble) })
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unreadable(text) | Self::Wrong(text)) = self;
        f.write_str(text)
    }
}

/// Rows that have been read before: what is wrong now is put down, and ends them.
struct Again {
    rows: Option<Rows>,
    expected: Facts,
    found: Facts,
    trouble: Arc<OnceLock<String>>,
}

impl Iterator for Again {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        match self.rows.as_mut()?.next() {
            Some(Ok(row)) => {
                self.found.add(&row);
                return Some(row);
            }
            Some(Err(error)) => _ = self.trouble.set(error.to_string()),
            None if self.found == self.expected => {}
            None => _ = self.trouble.set("its rows are not what they were".into()),
        }
        self.rows = None;
        None
    }
}

/// The rows of a file.
struct Rows {
    reader: csv::Reader<Box<dyn Read + Send>>,
    record: csv::ByteRecord,
    columns: Vec<Column>,
    last: Span,
    is_over: bool,
}

/// What a column says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Time,
    Size,
    Key,
}

impl Column {
    const ALL: [(Self, &'static str); 3] = [(Self::Time, "time"), (Self::Size, "size"), (Self::Key, "key")];

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(column, _)| *column == self).map_or("", |(_, name)| name)
    }
}

impl Rows {
    fn open(opener: &Opener) -> Result<Self, TraceError> {
        let file = opener.open().map_err(|error| TraceError::Unreadable(error.to_string()))?;
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).buffer_capacity(1 << 16).from_reader(file);
        let header = reader.byte_headers().map_err(refused)?;
        let mut columns = Vec::new();
        for name in header {
            let name = String::from_utf8_lossy(name.trim_ascii());
            let Some((column, _)) = Column::ALL.into_iter().find(|(_, known)| *known == name) else {
                return Err(TraceError::Wrong(format!(
                    "line 1: no column is called {name:?}: there are time, size, key"
                )));
            };
            if columns.contains(&column) {
                return Err(TraceError::Wrong(format!("line 1: there are two columns `{name}`")));
            }
            columns.push(column);
        }
        if !columns.contains(&Column::Time) {
            return Err(TraceError::Wrong("line 1: there is no column `time`".into()));
        }
        Ok(Self { reader, record: csv::ByteRecord::new(), columns, last: Span::ZERO, is_over: false })
    }

    fn read(&mut self) -> Result<Option<Row>, TraceError> {
        if !self.reader.read_byte_record(&mut self.record).map_err(refused)? {
            return Ok(None);
        }
        let mut row = Row { due: Span::ZERO, given: Given::default() };
        for (column, cell) in self.columns.iter().zip(&self.record) {
            let cell = cell.trim_ascii();
            let is_well = match column {
                Column::Time => time(cell).map(|time| row.due = time),
                _ if cell.is_empty() => Some(()),
                Column::Size => size(cell).map(|size| row.given.size = Some(size)),
                Column::Key => {
                    row.given.key = Some(key(cell));
                    Some(())
                }
            };
            if is_well.is_none() {
                let accepted = match column {
                    Column::Time => "seconds such as 1.25, or a duration such as \"1250ms\"",
                    Column::Size | Column::Key => "a number of bytes, or a size such as \"4KiB\"",
                };
                let found = String::from_utf8_lossy(cell).into_owned();
                return Err(self.wrong(*column, format!("expected {accepted}, found {found:?}")));
            }
        }
        if row.due < self.last {
            let message = format!("{} comes after {}: rows are in the order of their times", row.due, self.last);
            return Err(self.wrong(Column::Time, message));
        }
        self.last = row.due;
        Ok(Some(row))
    }

    fn wrong(&self, column: Column, message: String) -> TraceError {
        let line = self.record.position().map_or(0, csv::Position::line);
        TraceError::Wrong(format!("line {line}, column `{}`: {message}", column.name()))
    }
}

impl Iterator for Rows {
    type Item = Result<Row, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.read().transpose();
        self.is_over = !matches!(row, Some(Ok(_)));
        row
    }
}

fn refused(error: csv::Error) -> TraceError {
    let line = error.position().map_or_else(String::new, |place| format!("line {}: ", place.line()));
    match error.kind() {
        csv::ErrorKind::Io(error) => TraceError::Unreadable(error.to_string()),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            TraceError::Wrong(format!("{line}{len} cells where the header has {expected_len}"))
        }
        _ => TraceError::Wrong(format!("{line}{error}")),
    }
}

/// Seconds to the nearest nanosecond, or a duration with its unit.
fn time(cell: &[u8]) -> Option<Span> {
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let (whole, fraction) = match cell.iter().position(|&byte| byte == b'.') {
        Some(point) => (&cell[..point], &cell[point + 1..]),
        None => (cell, &b"0"[..]),
    };
    if !digits(whole) || !digits(fraction) {
        let text = std::str::from_utf8(cell).ok()?;
        // Other programs write small numbers as 2.5e-05.
        let is_float = text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(['e', 'E']);
        let float = is_float.then(|| text.parse::<f64>().ok()).flatten();
        return float.map(Span::from_secs_f64).or_else(|| text.parse().ok());
    }
    let number = |part: &[u8]| {
        part.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
    };
    let places = fraction.len().min(9);
    let below = number(&fraction[..places])? * 10_u64.pow(9 - places as u32);
    let rounding = u64::from(fraction.get(9).is_some_and(|digit| *digit >= b'5'));
    number(whole)?.checked_mul(1_000_000_000)?.checked_add(below + rounding).map(Span::from_nanos)
}

fn size(cell: &[u8]) -> Option<u64> {
    std::str::from_utf8(cell).ok()?.parse::<Bytes>().ok().map(Bytes::count)
}

/// A hash of a number, however it is written, or of any other text: all of its bits tell keys apart, for not all of them
/// travel with messages.
fn key(cell: &[u8]) -> u64 {
    let number = std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok());
    mix(number.unwrap_or_else(|| {
        // FNV-1a: the same everywhere.
        cell.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::secs;

    const ALWAYS: (Span, Span) = (Span::ZERO, Span::MAX);

    fn trace(text: &str) -> Result<TraceFile, TraceError> {
        TraceFile::read("t.csv", &Opener::of_text(text), ALWAYS)
    }

    fn rows(text: &str) -> Vec<(u64, Option<u64>, Option<u64>)> {
        let trace = trace(text).unwrap();
        trace.rows().map(|row| (row.due.as_nanos(), row.given.size, row.given.key)).collect()
    }

    fn refused(text: &str) -> String {
        trace(text).expect_err(text).to_string()
    }

    #[test]
    fn rows_say_when_how_much_and_about_what() {
        let text = "# seconds\nkey, time ,size\nann,0.5,100\n7,1s500ms,4KiB\n,2.5e0,\n";
        let found = rows(text);
        assert_eq!(found[0], (500_000_000, Some(100), Some(key(b"ann"))));
        assert_eq!(found[1..], [(1_500_000_000, Some(4096), Some(mix(7))), (2_500_000_000, None, None)]);
        assert_eq!((key(b"007"), key(b"7 ") == key(b"7")), (key(b"7"), false));
        let facts = trace(text).unwrap().facts();
        assert_eq!((facts.rows, facts.sizes, facts.keys), (3, 2, 2));
    }

    #[test]
    fn seconds_are_exact_to_the_nanosecond() {
        for (text, nanos) in [
            ("0", 0),
            ("3", 3_000_000_000),
            ("0.000000001", 1),
            ("0.0000000005", 1),
            ("0.0000000004999", 0),
            ("18446744073.709551615", u64::MAX),
            ("1e-3", 1_000_000),
            ("1m30s", 90_000_000_000),
        ] {
            assert_eq!(time(text.as_bytes()), Some(Span::from_nanos(nanos)), "{text}");
        }
        for text in ["", "-1", ".5", "1.", "1,5", "inf", "nan", "e5", "18446744074", "1.2.3", "0x10"] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_mistake_has_its_line_and_column() {
        assert_eq!(
            refused("time\n1\n2\n1.5\n"),
            "line 4, column `time`: 1.5s comes after 2s: rows are in the order of their times"
        );
        assert!(refused("time,size\n1,many\n").starts_with("line 2, column `size`: expected a number of bytes"));
        assert!(refused("time\nsoon\n").starts_with("line 2, column `time`: expected seconds such as 1.25"));
        assert_eq!(refused("time,size\n1\n"), "line 2: 1 cells where the header has 2");
        assert_eq!(refused("time,user\n1,2\n"), "line 1: no column is called \"user\": there are time, size, key");
        assert_eq!(refused("time,time\n1,2\n"), "line 1: there are two columns `time`");
        assert_eq!(refused("size\n1\n"), "line 1: there is no column `time`");
        assert_eq!(refused("time\n"), "it has no rows");
        assert_eq!(refused(""), "line 1: there is no column `time`");
    }

    #[test]
    fn rows_count_while_there_is_load() {
        let load = (secs(1), secs(3));
        let trace = TraceFile::read("t.csv", &Opener::of_text("time\n0\n1\n2\n3\n4\n"), load).unwrap();
        assert_eq!((trace.facts().rows, trace.facts().due, trace.facts().late), (5, 2, 2));
    }

    #[test]
    fn a_file_that_changes_is_noticed() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let changed = Arc::new(AtomicBool::new(false));
        let look = Arc::clone(&changed);
        let opener = Opener::new(move || {
            let text = if look.load(Ordering::Relaxed) { "time\n1\n3\n" } else { "time\n1\n2\n" };
            Ok(Box::new(text.as_bytes()))
        });
        let trace = TraceFile::read("t.csv", &opener, ALWAYS).unwrap();
        assert_eq!(trace.rows().map(|row| row.due).collect::<Vec<_>>(), [secs(1), secs(2)]);
        assert_eq!(trace.trouble(), None);
        changed.store(true, Ordering::Relaxed);
        assert_eq!(trace.rows().count(), 2);
        assert!(trace.trouble().unwrap().contains("`t.csv` changed while it was played"));
    }
}
