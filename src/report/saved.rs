//! `summary.csv` read back: what an earlier report says, as something to compare with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::experiment::{Baseline, Known};
use crate::scenario::quantity::Quantity;

/// Why a table cannot be compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SavedError {
    /// It is no table.
    NoTable(String),
    /// It lacks this column.
    NoColumn(&'static str),
    /// What stands in this line of it is no number where one is needed.
    NoNumber(u64, String),
    /// Of its runs one by one some are missing.
    Gaps,
    /// It says nothing of any quantity that is asked for.
    Nothing,
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTable(error) => write!(f, "it is no CSV table: {error}"),
            Self::NoColumn(name) => write!(f, "it is no table of `rehearsal run`: it has no column `{name}`"),
            Self::NoNumber(line, found) => write!(f, "line {line}: found `{found}` in the place of a number"),
            Self::Gaps => f.write_str("some of its runs are missing"),
            Self::Nothing => f.write_str("it says nothing of any quantity that is compared"),
        }
    }
}

impl std::error::Error for SavedError {}

/// Which number of a table.
type Place = (String, String, String);

/// What the `summary.csv` of an earlier report says of these quantities: those that have a window, are of single nodes, or whose statistic
/// the table does not have, it does not know.
///
/// # Errors
/// When it is no such table, or knows none of them.
pub fn baseline<'q>(
    name: &str,
    table: &[u8],
    quantities: impl IntoIterator<Item = &'q str>,
) -> Result<Baseline, SavedError> {
    let mut reader = csv::Reader::from_reader(table);
    let no_table = |error: csv::Error| SavedError::NoTable(error.to_string());
    let header = reader.headers().map_err(no_table)?.clone();
    let column = |name: &'static str| header.iter().position(|field| field == name).ok_or(SavedError::NoColumn(name));
    let [run, scope, metric, statistic, value] =
        [column("run")?, column("scope")?, column("metric")?, column("statistic")?, column("value")?];
    let (seed, digest, version) = (column("seed")?, column("digest")?, column("version")?);
    let mut known: BTreeMap<Place, BTreeMap<Option<u32>, f64>> = BTreeMap::new();
    let mut about = None;
    let mut runs = BTreeSet::new();
    for row in reader.records() {
        let row = row.map_err(no_table)?;
        let line = row.position().map_or(0, csv::Position::line);
        let no_number = |found: &str| SavedError::NoNumber(line, found.into());
        if about.is_none() {
            let seed = row[seed].parse::<u64>().map_err(|_| no_number(&row[seed]))?;
            let digest = u64::from_str_radix(&row[digest], 16).map_err(|_| no_number(&row[digest]))?;
            about = Some((seed, digest, row[version].to_owned()));
        }
        if &row[scope] == "expectation" || row[value].is_empty() {
            continue;
        }
        let run = match &row[run] {
            "all" => None,
            index => Some(index.parse::<u32>().map_err(|_| no_number(index))?),
        };
        runs.extend(run);
        let number = row[value].parse::<f64>().map_err(|_| no_number(&row[value]))?;
        let place = (row[scope].to_owned(), row[metric].to_owned(), row[statistic].to_owned());
        known.entry(place).or_default().insert(run, number);
    }
    let (seed, digest, version) = about.ok_or(SavedError::Nothing)?;
    let count = runs.len() as u32;
    if runs.last().is_some_and(|last| *last >= count) {
        return Err(SavedError::Gaps);
    }
    let of = |quantity: &'q str| {
        let place = place(quantity)?;
        let numbers = known.get(&place)?;
        let values: Vec<_> = (0..count).map(|run| numbers.get(&Some(run)).copied()).collect();
        // Of all runs together the table has the sum, where a count is that of one run.
        let mean =
            || Some(values.iter().copied().sum::<Option<f64>>()? / f64::from(count)).filter(|mean| mean.is_finite());
        let value = if place.2 == "count" { mean() } else { numbers.get(&None).copied() };
        Some(Known { quantity: quantity.into(), value, values })
    };
    let quantities: Vec<_> = quantities.into_iter().filter_map(of).collect();
    if quantities.is_empty() {
        return Err(SavedError::Nothing);
    }
    Ok(Baseline { name: name.into(), version, seed, digest, runs: count, quantities })
}

/// Where a quantity stands in the table.
fn place(quantity: &str) -> Option<Place> {
    let parsed = Quantity::parse(quantity).ok().filter(|parsed| parsed.window.is_none())?;
    let (metric, statistic) = (parsed.metric.name().to_owned(), parsed.statistic.to_string());
    let whole = parsed.to_string();
    let scope = whole.strip_suffix(&format!("{metric}.{statistic}"))?;
    Some((scope.strip_suffix('.').unwrap_or("system").to_owned(), metric, statistic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Report, fixture};

    fn summary() -> Vec<u8> {
        let results = fixture::replicated();
        let tables = Report::from(&results).tables();
        tables.into_iter().find(|file| file.name == "summary.csv").expect("every report has it").bytes
    }

    #[test]
    fn what_was_written_is_read_back() {
        let asked = ["shoppers/buy.goodput", "shoppers/buy.latency.p99", "shoppers/buy.latency.p42", "nobody.goodput"];
        let before = baseline("before", &summary(), asked).expect("it is a table");
        let quantities: Vec<_> = before.quantities.iter().map(|known| known.quantity.as_str()).collect();
        assert_eq!(quantities, asked[..2]);
        assert_eq!((before.seed, before.runs), (42, 3));
        for known in &before.quantities {
            assert!(known.value.is_some() && known.values.iter().all(Option::is_some), "{known:?}");
        }
        // Of three runs the table has the sum.
        let counts = baseline("before", &summary(), ["shoppers/buy.offered.count"]).expect("it is a table");
        assert_eq!(counts.quantities[0].value, Some(3_600.0));
        // 10,800 messages in 54 s.
        let goodput = before.quantities[0].values.iter().flatten().sum::<f64>() / 3.0;
        assert!((goodput - before.quantities[0].value.unwrap()).abs() < 1e-9, "{goodput}");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let refused = |table: &str| baseline("x", table.as_bytes(), ["a.goodput"]).expect_err("it is no summary");
        assert_eq!(refused("run,scope\nall,a\n"), SavedError::NoColumn("metric"));
        let header = "run,scope,metric,statistic,value,seed,digest,version\n";
        assert_eq!(refused(header), SavedError::Nothing);
        assert_eq!(
            refused(&format!("{header}all,a,goodput,rate,much,1,ff,0\n")),
            SavedError::NoNumber(2, "much".into())
        );
        assert_eq!(refused(&format!("{header}some,a,goodput,rate,1,1,ff,0\n")), SavedError::NoNumber(2, "some".into()));
        assert_eq!(refused(&format!("{header}all,b,goodput,rate,1,1,ff,0\n")), SavedError::Nothing);
        assert!(matches!(refused(&format!("{header}all,a\n")), SavedError::NoTable(_)));
        assert_eq!(refused(&format!("{header}4294967294,a,goodput,rate,1,1,ff,0\n")), SavedError::Gaps);
    }
}
