//! What can be measured, by name.

use super::quantity::Statistic;

/// What a metric's numbers are, and so what is meant when no statistic is named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricKind {
    /// Something that happens so often.
    Rate,
    /// A share of messages, nodes or time.
    Share,
    /// A count per message, or a level over time.
    Mean,
    /// One time for each message, of which a statistic must be named.
    Times,
    /// One value for the whole window.
    Single,
}

impl MetricKind {
    /// The statistic that is meant when none is named.
    pub fn statistic(self) -> Option<Statistic> {
        match self {
            Self::Rate => Some(Statistic::Rate),
            Self::Share => Some(Statistic::Share),
            Self::Mean => Some(Statistic::Mean),
            Self::Times => None,
            Self::Single => Some(Statistic::Final),
        }
    }
}

/// One list gives the type, the spelling and the kind.
macro_rules! metrics {
    ($(#[doc = $doc:literal] $variant:ident $name:literal $kind:ident,)*) => {
        /// What can be measured.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Metric {
            $(#[doc = $doc] $variant,)*
        }

        impl Metric {
            /// Every metric.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in a quantity.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it measures, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc.trim_ascii_start(),)*
                }
            }

            /// What its numbers are.
            pub fn kind(self) -> MetricKind {
                match self {
                    $(Self::$variant => MetricKind::$kind,)*
                }
            }
        }
    };
}

metrics! {
    /// Messages the workload asked for.
    Offered "offered" Rate,
    /// Attempts that were sent, retries included.
    Sent "sent" Rate,
    /// Distinct messages that were handled correctly.
    Goodput "goodput" Rate,
    /// The receiver has it.
    Received "received" Share,
    /// The sender knows that the receiver has it.
    Confirmed "confirmed" Share,
    /// Received, never confirmed.
    InDoubt "in-doubt" Share,
    /// Never received.
    Lost "lost" Share,
    /// Refused by the receiver.
    Rejected "rejected" Share,
    /// Past its deadline.
    Expired "expired" Share,
    /// Handled with an error.
    Failed "failed" Share,
    /// Without a fate when the run ended; on a link, on its way.
    InFlight "in-flight" Share,
    /// Correct of offered.
    Reliability "reliability" Share,
    /// Attempts per message.
    Attempts "attempts" Mean,
    /// Copies the receiver got per message.
    Copies "copies" Mean,
    /// Copies beyond the first per message.
    Duplicates "duplicates" Mean,
    /// From the intended send time until confirmed.
    Latency "latency" Times,
    /// As `latency`, where an unconfirmed message is slower than any limit.
    LatencyAll "latency-all" Times,
    /// From the actual send time until confirmed.
    LatencyFromSend "latency-from-send" Times,
    /// From the intended send time until received.
    LatencyOneWay "latency-one-way" Times,
    /// Time in which requests succeed.
    Availability "availability" Share,
    /// Messages that reached a node.
    Arrived "arrived" Rate,
    /// Messages that a node finished.
    Served "served" Rate,
    /// Time in the queue.
    Wait "wait" Times,
    /// Time in work.
    Work "work" Times,
    /// Time in the node, queue and work together.
    Residence "residence" Times,
    /// Messages in the queue.
    Waiting "waiting" Mean,
    /// Messages in the node.
    Present "present" Mean,
    /// Workers at work; on a link, time in which it sends.
    Busy "busy" Share,
    /// Nodes that run.
    Up "up" Share,
    /// Attempts per distinct message, as they arrive.
    Amplification "amplification" Mean,
    /// Messages in a queue that wait for a consumer.
    Ready "ready" Mean,
    /// Messages that a consumer has and has not acknowledged.
    Unacked "unacked" Mean,
    /// Messages that were delivered again.
    Redelivered "redelivered" Share,
    /// Messages that went to a dead-letter queue.
    DeadLettered "dead-lettered" Share,
    /// Messages that were confirmed to the sender and then lost.
    ConfirmedLost "confirmed-lost" Share,
    /// Records a consumer is behind.
    Lag "lag" Mean,
    /// How old the value was that a read returned.
    Staleness "staleness" Times,
    /// Reads that returned an old value.
    StaleReads "stale-reads" Share,
    /// The strongest guarantee that the history fulfils.
    Consistency "consistency" Single,
    /// Until the first leader.
    FirstLeader "first-leader" Single,
    /// Until the leader that stayed.
    StableLeader "stable-leader" Single,
    /// Leaders in one term.
    LeadersPerTerm "leaders-per-term" Mean,
    /// Messages that a link carried.
    Carried "carried" Rate,
    /// Messages that a link lost.
    Dropped "dropped" Share,
    /// Segments of streams that were sent over a link.
    Segments "segments" Rate,
    /// Segments among them that were sent before.
    Retransmitted "retransmitted" Share,
    /// From a fault until it was noticed.
    Detect "detect" Single,
    /// From a fault until another took over.
    Failover "failover" Single,
    /// From a fault until service was as before.
    Recovery "recovery" Single,
    /// Nodes or messages that a fault met.
    Touched "touched" Single,
}

impl Metric {
    /// The metric called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}
