//! Messages take longer.

use crate::base::distribution::Distribution;
use crate::base::random::Block;
use crate::base::time::Span;
use crate::network::Impact;

use super::{FaultEntry, Impairment};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "latency",
    summary: "messages are longer on their way",
    explanation: "Each message takes so much longer than its link says; drawn anew for each if it is a distribution. Delays of \
                  faults that overlap add up. Messages that were sent before are not delayed; links that keep order keep it. \
                  Struck again and again, with `every` and `for`, it makes spikes.",
    source: "the netem discipline of Linux (tc-netem(8), `delay`)",
};

/// Messages take so much longer, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Delay(pub Distribution);

impl Impairment for Delay {
    fn impair(&self, luck: &Block, impact: &mut Impact) -> bool {
        let delay = self.0.sample(luck.second());
        impact.delay += delay;
        delay > Span::ZERO
    }
}
