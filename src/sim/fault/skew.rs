//! Nodes whose clocks are wrong.

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "skew",
    summary: "clocks run fast or slow",
    explanation: "The clocks of these nodes run at another rate: 1.0002 gains 200 microseconds each second. Timeouts, waits and \
                  deadlines are measured on the node's own clock, so a fast clock gives up early; work takes as long as ever. A \
                  clock only runs forward, and keeps what it has gained when the fault heals. Rates of faults that overlap \
                  multiply. Clients bring their load by their own clocks, too: one that gains brings it sooner, and is done \
                  sooner. The transport of streams keeps true time. A deadline travels as the time that is left, so that clocks that show different times do no harm.",
    source: "Lamport, Time, Clocks, and the Ordering of Events in a Distributed System, CACM 21 (7), 1978; NTP takes 500 parts \
             per million for the worst oscillator (RFC 5905)",
};

/// Clocks are wrong while it lasts: timers that wait, too, come earlier or later.
#[derive(Clone, Debug)]
pub struct Skew {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
    /// How fast their steady clocks run; above 0, 1 as they should.
    pub rate: f64,
    /// How many nanoseconds their calendar clocks are ahead, beside what they gain.
    pub offset: i64,
}

impl<M: Message> Fault<M> for Skew {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.skew(&self.nodes, id, self.rate, self.offset);
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.skew(&self.nodes, id, 1.0, 0);
    }
}
