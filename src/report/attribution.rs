//! `attribution.csv`, what latency is made of; and `lost.csv`, why messages did not end well.
//!
//! `attribution.csv` is of the first run, of a sample of the messages that ended well: one of `one_in`, chosen by their names. For each
//! `flow` it has `point`s: the `mean`, and percentiles as far as there are enough messages to tell, each by the messages around it
//! (half as far as the end is; 5 % of all on either side at most). Of these messages, so many as `messages` says, `time_ns` is the mean time
//! in each `phase` at each `place` (a group of nodes; of a link, that at its end which is not the sender), and `share` its share of
//! their latency. The phases of a point add up to the row whose phase is `latency`. Empty where no run was followed.
//!
//! `lost.csv` is of all runs together: for each `flow`, messages by the `fate` that they had and the last thing that went wrong with them,
//! `cause`, with what that means. Messages that were confirmed and are lost all the same stand there too. `share` is of all messages
//! that were offered.

use crate::experiment::Results;
use crate::metrics::story::{Attribution, Point};

use super::metric::Value;
use super::summary::{Table, field};
use super::total::Total;

/// What was found out about the first run of some results, and the names of its flows; nothing if it was not followed.
pub(super) fn of(results: &Results) -> Option<(&Attribution, Vec<String>)> {
    let run = results.runs.first()?;
    let explained = run.explained.as_ref()?;
    Some((&explained.attribution, run.flows.iter().map(|flow| flow.name()).collect()))
}

/// `attribution.csv`.
pub(super) fn attribution(results: &Results) -> Vec<u8> {
    let mut table = Table::new(results, &["flow", "point", "phase", "place", "time_ns", "share", "messages", "one_in"]);
    let Some((attribution, names)) = of(results) else { return table.into_bytes() };
    let one_in = attribution.one_in.to_string();
    for flow in &attribution.flows {
        let name = &names[usize::from(flow.flow.0)];
        for point in &flow.points {
            let messages = point.messages.to_string();
            let mut row = |phase: &str, place: &str, time: u64| {
                let (mean, share) = (mean(point, time), share(point, time));
                let (time, share) = (field(Value::Real(mean)), field(Value::Real(share)));
                table.row([name.as_str(), point.name, phase, place, &time, &share, &messages, &one_in]);
            };
            row("latency", "", point.time.as_nanos());
            for slice in &point.slices {
                row(slice.part.name(), &slice.place, slice.time.as_nanos());
            }
        }
    }
    table.into_bytes()
}

/// The mean over the messages around a point, of time that is theirs together, in nanoseconds.
pub(super) fn mean(point: &Point, nanos: u64) -> f64 {
    nanos as f64 / point.messages.max(1) as f64
}

/// The share of a point's latency.
pub(super) fn share(point: &Point, nanos: u64) -> f64 {
    nanos as f64 / point.time.as_nanos().max(1) as f64
}

/// `lost.csv`.
pub(super) fn lost(results: &Results, total: &Total) -> Vec<u8> {
    let mut table = Table::new(results, &["flow", "fate", "cause", "count", "share", "meaning"]);
    for flow in &total.flows {
        for (&(fate, setback), &count) in &flow.setbacks {
            let share = field(flow.per_message(count).map_or(Value::Missing, Value::Real));
            let (count, name, meaning) = (count.to_string(), setback.name(), setback.meaning());
            table.row([flow.name.as_str(), fate.name(), &name, &count, &share, &meaning]);
        }
    }
    table.into_bytes()
}
