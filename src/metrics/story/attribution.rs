//! What latency is made of, at points of its distribution.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::metrics::histogram::rank;
use crate::process::Flow;

use super::part::Part;
use super::sample::{Sampled, Taken};

/// What the latencies of a run's flows are made of.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Attribution {
    /// One of so many messages was looked at.
    pub one_in: u64,
    /// The flows that had any, in their order.
    pub flows: Vec<FlowAttribution>,
}

/// What one flow's latency is made of.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowAttribution {
    /// The flow.
    pub flow: Flow,
    /// How many messages were looked at.
    pub messages: u64,
    /// The mean, then percentiles as far as there are enough messages to tell.
    pub points: Vec<Point>,
}

/// What latency is made of around one point of its distribution.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// `mean`, `p50` and so on.
    pub name: &'static str,
    /// How many messages lie around it.
    pub messages: u64,
    /// The sum of their latencies.
    pub time: Span,
    /// What that is made of, the largest first; it sums up to `time`.
    pub slices: Vec<Slice>,
}

/// A part of latency at one group of nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice {
    /// How the time was spent.
    pub part: Part,
    /// The group.
    pub place: String,
    /// How much, over all messages around the point.
    pub time: Span,
}

/// The points: name, percentile, how far around it is looked, and how many messages are needed.
const POINTS: [(&str, f64, usize); 4] =
    [("p50", 0.5, 10), ("p95", 0.95, 20), ("p99", 0.99, 100), ("p99.9", 0.999, 1_000)];

impl Attribution {
    /// What a sample says; `place` names the group of a node.
    pub fn of(sampled: &Sampled, place: impl Fn(NodeId) -> String) -> Self {
        let mut flows: BTreeMap<Flow, Vec<&Taken>> = BTreeMap::new();
        for taken in &sampled.taken {
            flows.entry(taken.flow).or_default().push(taken);
        }
        let flows = flows.into_iter().map(|(flow, mut taken)| {
            taken.sort_by_key(|taken| taken.latency);
            let mut points = vec![point("mean", &taken, &place)];
            for (name, share, least) in POINTS {
                if taken.len() >= least {
                    points.push(point(name, around(&taken, share), &place));
                }
            }
            FlowAttribution { flow, messages: taken.len() as u64, points }
        });
        Self { one_in: sampled.one_in, flows: flows.collect() }
    }
}

/// The messages around a percentile: half as far as the end is, five hundredths of all at most, and always the one at it.
fn around<'a, 'b>(taken: &'a [&'b Taken], share: f64) -> &'a [&'b Taken] {
    let half = ((1.0 - share) / 2.0).min(0.05);
    let place = |share: f64| (rank(share, taken.len() as u64) as usize).min(taken.len());
    let (first, last) = (place(share - half), place(share + half));
    &taken[first - 1..last]
}

fn point(name: &'static str, taken: &[&Taken], place: impl Fn(NodeId) -> String) -> Point {
    let mut slices: BTreeMap<(Part, String), Span> = BTreeMap::new();
    let mut time = Span::ZERO;
    for taken in taken {
        time += taken.latency;
        for share in &taken.shares {
            *slices.entry((share.part, place(share.node))).or_default() += share.time;
        }
    }
    let mut slices: Vec<_> = slices.into_iter().map(|((part, place), time)| Slice { part, place, time }).collect();
    slices.sort_by_key(|slice| Reverse(slice.time));
    Point { name, messages: taken.len() as u64, time, slices }
}
