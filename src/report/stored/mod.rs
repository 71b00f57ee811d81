//! The tables of a report, read back: what pictures are made of.
//!
//! A picture knows nothing but the bytes of tables, be they written a moment ago or found in a directory, so it cannot show what no
//! table says. What is read is what is drawn: all runs together. Texts are as they were written, and as hostile.

mod compare;
mod error;
mod latency;
mod rows;
mod run;
mod series;
mod study;
mod summary;
mod sweep;
mod tune;

use super::File;

pub(super) use compare::{Comparison, Quantity, Side, Times};
pub use error::StoredError;
pub(super) use latency::Latencies;
pub(super) use run::Run;
pub(super) use series::{DepthStep, FlowStep, Place, Series, StationStep};
pub(super) use study::Measured;
pub(super) use summary::{Fault, Flow, Strike, Summary};
pub(super) use sweep::{Point, Sweep};
pub(super) use tune::Tuning;

const SUMMARY: &str = "summary.json";
const SWEEP: &str = "sweep.json";
const COMPARE: &str = "compare.json";
const TIMES: &str = "times.csv";
const TUNE: &str = "tune.json";

/// The tables that plots are made of.
pub(super) const NAMES: [&str; 9] =
    [SUMMARY, run::TIMELINE, run::LATENCY, run::UTILISATION, run::DEPTH, SWEEP, COMPARE, TIMES, TUNE];

/// What the tables of a report say.
#[derive(Clone, Debug)]
pub(super) enum Stored {
    /// Of the runs of a scenario.
    Run(Run),
    /// Of a sweep.
    Sweep(Sweep),
    /// Of a comparison.
    Comparison(Comparison),
    /// Of a tuning.
    Tuning(Tuning),
}

impl Stored {
    /// Reads those of these files that are tables: they tell what the report is of.
    pub fn of(files: &[File]) -> Result<Self, StoredError> {
        let find = |name: &str| files.iter().find(|file| file.name == name).map(|file| &*file.bytes);
        if let Some(bytes) = find(SWEEP) {
            return Sweep::read(SWEEP, bytes).map(Self::Sweep);
        }
        if let Some(bytes) = find(COMPARE) {
            return Comparison::read((COMPARE, bytes), find(TIMES).map(|bytes| (TIMES, bytes))).map(Self::Comparison);
        }
        if let Some(bytes) = find(TUNE) {
            return Tuning::read(TUNE, bytes).map(Self::Tuning);
        }
        Run::read(SUMMARY, find).map(Self::Run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Report, fixture};

    fn tables() -> Vec<File> {
        Report::from(&fixture::brokered()).tables()
    }

    fn run(files: &[File]) -> Run {
        match Stored::of(files).expect("they are whole") {
            Stored::Run(run) => run,
            other => panic!("they are of a run, and not {other:?}"),
        }
    }

    /// What is said of the tables with one text in the place of another in a file.
    fn refused(name: &str, from: &str, to: &str) -> String {
        let mut files = tables();
        let file = files.iter_mut().find(|file| file.name == name).expect("every report has it");
        let text = String::from_utf8(std::mem::take(&mut file.bytes)).expect("tables are UTF-8");
        assert!(text.contains(from), "{name} has {from}");
        file.bytes = text.replacen(from, to, 1).into_bytes();
        Stored::of(&files).expect_err("it is damaged").to_string()
    }

    #[test]
    fn what_was_written_is_read_back() {
        for results in [fixture::replicated(), fixture::hostile(), fixture::brokered(), fixture::silent()] {
            let report = Report::from(&results);
            let stored = run(&report.tables());
            let names = |stored: &[Series<FlowStep>]| stored.iter().map(|flow| flow.name.clone()).collect::<Vec<_>>();
            let played: Vec<_> = report.total.flows.iter().filter(|flow| !flow.steps.is_empty()).collect();
            assert_eq!(names(&stored.flows), played.iter().map(|flow| flow.name.clone()).collect::<Vec<_>>());
            for (series, flow) in stored.flows.iter().zip(played) {
                let offered = |step: &FlowStep| step.offered;
                assert_eq!(series.steps.iter().map(|(_, step)| offered(step)).sum::<u64>(), flow.offered);
            }
            assert_eq!(stored.summary.title, results.title);
            assert_eq!(stored.summary.runs_played, results.count);
        }
        let stored = run(&tables());
        let places: Vec<_> = stored.places.iter().map(|place| (&*place.name, place.unacked.is_some())).collect();
        assert_eq!(places, [("orders", true), ("billing", false)]);
        assert_eq!(stored.stations[0].steps[50].1.busy, 3.0);
    }

    #[test]
    fn what_is_damaged_is_refused_with_its_place() {
        let without = |name| tables().into_iter().filter(|file| file.name != name).collect::<Vec<_>>();
        assert_eq!(
            Stored::of(&without("latency.csv")).err().map(|error| error.to_string()),
            Some("there is no `latency.csv`".into())
        );
        assert!(run(&without("depth.csv")).places.is_empty());
        let schema = refused("summary.json", "\"schema\": 1", "\"schema\": 7");
        assert_eq!(schema, "`summary.json` is of schema 7, and this version reads schema 1");
        let json = refused("summary.json", "\"seed\": 42", "\"seed\": \"42\"");
        assert!(json.starts_with("`summary.json`: invalid type: string") && json.contains("at line 6"), "{json}");
        let column = refused("timeline.csv", "latency_p99.9_ns", "p999");
        assert_eq!(column, "`timeline.csv`, line 2: missing field `latency_p99.9_ns`");
        let number = refused("utilisation.csv", "all,api,0.0,", "all,api,zero,");
        assert_eq!(number, "`utilisation.csv`, line 2: found `zero` in the column `start_s`: invalid float literal");
        let infinite = refused("depth.csv", "all,queue,orders,ready,0.0,", "all,queue,orders,ready,inf,");
        assert!(
            infinite.contains("line 2: invalid value: floating point `inf`, expected a finite number"),
            "{infinite}"
        );
        let kind = refused("depth.csv", "all,queue,orders,ready,0.0,", "all,barrel,orders,ready,0.0,");
        assert!(kind.contains("`barrel`"), "{kind}");
        let short = refused("latency.csv", "cdf,", "cdf,0,");
        assert!(short.starts_with("`latency.csv`, line "), "{short}");
    }

    #[test]
    fn a_damaged_study_is_refused() {
        let refused = |name: &str, text: String| {
            let files = [File { name: name.into(), bytes: text.into_bytes() }];
            Stored::of(&files).expect_err("it is damaged").to_string()
        };
        let head = r#""schema": 1, "version": "0", "title": "T", "seed": 1"#;
        assert!(refused("sweep.json", format!("{{{head}}}")).contains("missing field `factors`"));
        let factors = r#""factors": [{"path": "a", "unit": "ns", "scale": "linear"}]"#;
        let point = r#"{"factors": {"a": "1ns"}, "numbers": {}, "quantities": {}, "digest": "0"}"#;
        let sweep = format!(r#"{{{head}, {factors}, "quantities": [], "points": [{point}]}}"#);
        assert_eq!(refused("sweep.json", sweep.clone()), "`sweep.json`: `a` is missing somewhere");
        let unit = refused("sweep.json", sweep.replace("\"ns\"", "\"ells\""));
        assert!(unit.contains("unknown unit `ells`"), "{unit}");
        let digest = refused("sweep.json", sweep.replace("\"digest\": \"0\"", "\"digest\": \"x\""));
        assert!(digest.contains("found `x` in the place of a digest"), "{digest}");
        assert_eq!(
            refused("tune.json", r#"{"schema": 3, "version": "0", "title": "", "seed": 1}"#.into()),
            "`tune.json` is of schema 3, and this version reads schema 1"
        );
        let objective = r#""objective": {"quantity": "q", "aim": "minimise"}, "best": 0, "candidates": []"#;
        let tune = refused("tune.json", format!("{{{head}, {factors}, {objective}}}"));
        assert_eq!(tune, "`tune.json`: the best of the candidates is none of them");
        let nothing = format!(r#"{{{head}, "runs": 1, "is_paired": true, "quantities": [], "sides": []}}"#);
        assert_eq!(refused("compare.json", nothing), "`compare.json`: nothing is compared");
    }
}
