//! The runs of a scenario: `summary.json`, and the tables beside it.

use super::{FlowStep, Latencies, Place, Series, StationStep, StoredError, Summary, latency, series};

pub(super) const TIMELINE: &str = "timeline.csv";
pub(super) const LATENCY: &str = "latency.csv";
pub(super) const UTILISATION: &str = "utilisation.csv";
pub(super) const DEPTH: &str = "depth.csv";

/// What the tables of some runs say of all of them together.
#[derive(Clone, Debug)]
pub(in crate::report) struct Run {
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

impl Run {
    /// Reads the tables that are found by their names; that of what waits is missing where nothing waits in queues or topics.
    pub(super) fn read<'t>(
        summary: &'static str,
        find: impl Fn(&str) -> Option<&'t [u8]>,
    ) -> Result<Self, StoredError> {
        let bytes = |name| find(name).ok_or(StoredError::missing(name));
        Ok(Self {
            summary: Summary::read(summary, bytes(summary)?)?,
            flows: series::flows(TIMELINE, bytes(TIMELINE)?)?,
            latencies: latency::read(LATENCY, bytes(LATENCY)?)?,
            stations: series::stations(UTILISATION, bytes(UTILISATION)?)?,
            places: find(DEPTH).map_or(Ok(Vec::new()), |bytes| series::places(DEPTH, bytes))?,
        })
    }
}
