//! Measured distributions from CSV: one column of samples, or two of quantiles and values.
//!
//! Values are durations with their unit (`1.5ms`); plain numbers take the unit that the heading ends in (`latency_ms`,
//! `latency (ms)`). A heading is a first line whose last cell starts with a letter. Lines that start with `#` and empty
//! lines are skipped. Sizes are read alike, and then a byte stands for a nanosecond.

use std::io::Read;

use super::{Distribution, DistributionError};
use crate::base::probability::Probability;
use crate::base::time::Span;
use crate::base::units::{Bytes, ParseUnitError};

impl Distribution {
    /// Reads [`samples`](Self::samples) from one column, or [`quantiles`](Self::quantiles) from two.
    ///
    /// ```
    /// use rehearsal::base::distribution::Distribution;
    ///
    /// let measured = Distribution::from_csv("latency_ms\n1.5\n2\n10\n".as_bytes())?;
    /// assert_eq!(measured.quantile(0.5), 2e6);
    /// let known = Distribution::from_csv("quantile,value\n0,1ms\n50%,2ms\n1,10ms\n".as_bytes())?;
    /// assert_eq!(known.quantile(0.75), 6e6);
    /// # Ok::<(), rehearsal::base::distribution::DistributionError>(())
    /// ```
    pub fn from_csv(reader: impl Read) -> Result<Self, DistributionError> {
        read(reader, Values::Times)?.distribution()
    }

    /// Reads sizes as [`from_csv`](Self::from_csv) reads times: `4KiB`, or plain numbers, which are bytes unless the heading
    /// ends in another unit. A byte of them is a nanosecond of the distribution.
    pub fn sizes_from_csv(reader: impl Read) -> Result<Self, DistributionError> {
        read(reader, Values::Sizes)?.distribution()
    }
}

/// What the values of a file are.
#[derive(Clone, Copy)]
enum Values {
    Times,
    Sizes,
}

impl Values {
    fn parse(self, text: &str) -> Result<Span, ParseUnitError> {
        match self {
            Self::Times => text.parse(),
            Self::Sizes => text.parse().map(|size: Bytes| Span::from_nanos(size.count())),
        }
    }

    /// The last word of a heading if it is a unit, else nothing: `ms` of `latency_ms` and of `latency (ms)`.
    fn unit_of(self, heading: &str) -> &str {
        let word = heading.trim_end_matches(|c: char| !c.is_alphanumeric());
        let word = word.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        if self.parse(&format!("1{word}")).is_ok() { word } else { "" }
    }
}

/// The cells of a file, without its heading.
struct Rows {
    values: Values,
    columns: usize,
    /// The unit of plain numbers, if the heading names one.
    unit: Option<String>,
    /// Line and cells.
    rows: Vec<(u64, csv::StringRecord)>,
}

fn read(reader: impl Read, values: Values) -> Result<Rows, DistributionError> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).comment(Some(b'#')).trim(csv::Trim::All).from_reader(reader);
    let mut found = Rows { values, columns: 1, unit: None, rows: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(refused)?;
        let line = record.position().map_or(0, csv::Position::line);
        if found.rows.is_empty() && found.unit.is_none() {
            found.columns = record.len();
            if found.columns > 2 {
                let problem = "expected one column of samples, or two of quantiles and values";
                return Err(DistributionError::data(Some(line), format!("{problem}; found {}", found.columns)));
            }
            let heading = &record[found.columns - 1];
            if heading.starts_with(char::is_alphabetic) {
                found.unit = Some(values.unit_of(heading).to_owned());
                continue;
            }
        }
        found.rows.push((line, record));
    }
    Ok(found)
}

impl Rows {
    fn distribution(&self) -> Result<Distribution, DistributionError> {
        if self.columns == 2 {
            Distribution::quantiles(self.quantiles()?)
        } else {
            Distribution::samples(self.samples()?)
        }
    }

    fn samples(&self) -> Result<Vec<Span>, DistributionError> {
        self.rows.iter().map(|(line, record)| self.span(*line, &record[0])).collect()
    }

    fn quantiles(&self) -> Result<Vec<(Probability, Span)>, DistributionError> {
        let row = |(line, record): &(u64, csv::StringRecord)| {
            let share = record[0].parse().map_err(|problem| DistributionError::data(Some(*line), problem))?;
            Ok((share, self.span(*line, &record[1])?))
        };
        self.rows.iter().map(row).collect()
    }

    fn span(&self, line: u64, cell: &str) -> Result<Span, DistributionError> {
        let unit = self.unit.as_deref().unwrap_or("");
        let plain = cell.ends_with(|c: char| c.is_ascii_digit());
        if plain && unit.is_empty() && matches!(self.values, Values::Times) {
            let problem =
                format!("{cell:?} has no unit: write \"{cell}ms\", or end the heading in it, as in latency_ms");
            return Err(DistributionError::data(Some(line), problem));
        }
        let text = if plain { format!("{cell}{unit}") } else { cell.to_owned() };
        self.values.parse(&text).map_err(|problem| DistributionError::data(Some(line), problem))
    }
}

/// What the CSV reader refused, told apart from what it could not read.
fn refused(error: csv::Error) -> DistributionError {
    if error.is_io_error() {
        return DistributionError::Unreadable { problem: error.to_string() };
    }
    DistributionError::data(error.position().map(csv::Position::line), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, us};

    fn from_csv(text: &str) -> Result<Distribution, String> {
        Distribution::from_csv(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn one_column_is_a_list_of_samples() {
        let expected = Distribution::samples(vec![ms(2), us(1_500), ms(10)]).unwrap();
        for text in [
            "1.5ms\n2ms\n10ms\n",
            "latency\n1.5ms\n2ms\n10ms",
            "\u{feff}latency_ms\n1.5\n2\n10\n",
            "# measured on a Monday\r\nlatency (us)\r\n1500\r\n 2ms \r\n\r\n10000\r\n",
        ] {
            assert_eq!(from_csv(text), Ok(expected.clone()), "{text}");
        }
    }

    #[test]
    fn two_columns_are_a_table_of_quantiles() {
        let points = [("0%", ms(1)), ("99%", ms(2)), ("100%", ms(10))];
        let points = points.map(|(share, value)| (share.parse().unwrap(), value));
        let expected = Distribution::quantiles(points.to_vec()).unwrap();
        for text in
            ["quantile,value\n0,1ms\n0.99,2ms\n1,10ms\n", "0%,1ms\n99%,2ms\n100%,10ms", "q,ms\n0,1\n99%,2\n1,10\n"]
        {
            assert_eq!(from_csv(text), Ok(expected.clone()), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_with_a_byte_for_a_nanosecond() {
        let expected = Distribution::samples([500, 4096].map(Span::from_nanos).to_vec()).unwrap();
        for text in ["500B\n4KiB\n", "size\n500\n4096\n", "size_B\n500\n4KiB\n"] {
            assert_eq!(Distribution::sizes_from_csv(text.as_bytes()), Ok(expected.clone()), "{text}");
        }
        let error = Distribution::sizes_from_csv("size\n4ms\n".as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(r#"line 2: "4ms" is not a size"#), "{error}");
    }

    #[test]
    fn an_error_names_the_line() {
        for (text, message) in [
            ("", "samples: there are none, at least one is needed"),
            ("latency_ms\n", "samples: there are none, at least one is needed"),
            ("latency\n12\n", r#"line 2: "12" has no unit: write "12ms", or end the heading in it, as in latency_ms"#),
            ("1ms,2ms,3ms\n", "line 1: expected one column of samples, or two of quantiles and values; found 3"),
            ("value_ms\n1\nfast\n", r#"line 3: "fast" is not a duration"#),
            ("p,value\n0,1ms\n2,2ms\n", r#"line 3: "2" is out of range: a share lies between 0% and 100%"#),
            ("-1ms\n2ms\n", r#"line 1: "-1ms" is not a duration"#),
            ("1ms\n1,2ms\n", "line 2: CSV error: record 1"),
        ] {
            let found = from_csv(text).unwrap_err();
            assert!(found.starts_with(message), "{found}");
        }
        assert!(from_csv("p,value\n50%,1ms\n").unwrap_err().contains("must start at quantile 0"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_called_wrong() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is gone"))
            }
        }
        let error = Distribution::from_csv(Broken).unwrap_err();
        assert_eq!(error, DistributionError::Unreadable { problem: "the disk is gone".to_owned() });
    }
}
