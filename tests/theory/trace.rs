//! What processes stated, as it happened.

use std::any::Any;

use rehearsal::base::id::NodeId;
use rehearsal::base::time::{Span, Time, ns};
use rehearsal::process::{Kind, Observation, Wanted};
use rehearsal::sim::Observer;

use crate::common::plan;

/// Every observation of a run.
#[derive(Default)]
pub struct Trace(pub Vec<(Time, NodeId, Observation)>);

impl Observer for Trace {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message).and(Kind::Station)
    }

    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        self.0.push((now, node, *observation));
    }
}

impl Trace {
    /// What is stated in the first run of `scenario`, up to `end`.
    pub fn of(scenario: &str, end: Span) -> Self {
        let plan = plan(&format!("run.duration = \"{end}\"\n{scenario}"));
        let mut cluster = plan.cluster(plan.seed);
        cluster.observe(Self::default());
        cluster.run_until(Time::ZERO + end);
        let observer: Box<dyn Any> = cluster.take_observers().remove(0);
        *observer.downcast().expect("the only observer")
    }

    /// How often a worker began, and how long after load of time zero (which is due a nanosecond later) for the first and
    /// the last time.
    pub fn busy(&self) -> (usize, Span, Span) {
        let levels = self.times(|stated| matches!(stated, Observation::Level { busy: 1.., .. }));
        let since = |time: Time| time.since(Time::ZERO + ns(1));
        (levels.len(), since(levels[0]), since(levels[levels.len() - 1]))
    }

    /// When something was stated.
    pub fn times(&self, what: impl Fn(&Observation) -> bool) -> Vec<Time> {
        self.0.iter().filter(|(.., stated)| what(stated)).map(|(time, ..)| *time).collect()
    }
}
