//! The tables of a report, read back: what pictures are made of.
//!
//! A picture knows nothing but the bytes of tables, be they written a moment ago or found in a directory, so it cannot show what no
//! table says. What is read is what is drawn: all runs together. Texts are as they were written, and as hostile.

mod error;
mod latency;
mod rows;
mod series;
mod summary;

use super::File;

pub use error::StoredError;
pub(super) use latency::Latencies;
pub(super) use series::{DepthStep, FlowStep, Place, Series, StationStep};
pub(super) use summary::{Fault, Flow, Strike, Summary};

/// The tables that a run's plots are made of; only the last may be missing, where nothing waits in queues or topics.
pub(super) const NAMES: [&str; 5] = ["summary.json", "timeline.csv", "latency.csv", "utilisation.csv", "depth.csv"];

/// What the tables of a run say of all runs together.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub summary: Summary,
    /// The flows over time.
    pub flows: Vec<Series<FlowStep>>,
    /// How long messages take.
    pub latencies: Vec<Latencies>,
    /// The services over time.
    pub stations: Vec<Series<StationStep>>,
    /// Queues, and groups that read topics, over time.
    pub places: Vec<Place>,
}

impl Stored {
    /// Reads those of these files that are tables.
    pub fn of(files: &[File]) -> Result<Self, StoredError> {
        let find = |name: &str| files.iter().find(|file| file.name == name);
        let bytes = |name: &'static str| match find(name) {
            Some(file) => Ok(&*file.bytes),
            None => Err(StoredError::missing(name)),
        };
        let [summary, timeline, latency, utilisation, depth] = NAMES;
        Ok(Self {
            summary: Summary::read(summary, bytes(summary)?)?,
            flows: series::flows(timeline, bytes(timeline)?)?,
            latencies: latency::read(latency, bytes(latency)?)?,
            stations: series::stations(utilisation, bytes(utilisation)?)?,
            places: find(depth).map_or(Ok(Vec::new()), |file| series::places(depth, &file.bytes))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Report, fixture};

    fn tables() -> Vec<File> {
        Report::from(&fixture::brokered()).tables()
    }

    /// What is said of the tables with one text in the place of another in a file.
    fn refused(name: &str, from: &str, to: &str) -> String {
        let mut files = tables();
        let file = files.iter_mut().find(|file| file.name == name).expect("every report has it");
        let text = String::from_utf8(std::mem::take(&mut file.bytes)).expect("tables are UTF-8");
        assert!(text.contains(from), "{name} has {from}");
        file.bytes = text.replacen(from, to, 1).into_bytes();
        Stored::of(&files).err().expect("it is damaged").to_string()
    }

    #[test]
    fn what_was_written_is_read_back() {
        for results in [fixture::replicated(), fixture::hostile(), fixture::brokered(), fixture::silent()] {
            let report = Report::from(&results);
            let stored = Stored::of(&report.tables()).expect("they are whole");
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
        let stored = Stored::of(&tables()).expect("they are whole");
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
        assert!(Stored::of(&without("depth.csv")).unwrap().places.is_empty());
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
}
