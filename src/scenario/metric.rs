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
    /// How much there was of it, over the whole run.
    Count,
    /// One value for each strike of a fault.
    Strike,
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
            Self::Count => Some(Statistic::Count),
            Self::Strike => Some(Statistic::Mean),
            Self::Single => Some(Statistic::Final),
        }
    }
}

/// One list gives the type, the spelling and the kind.
macro_rules! metrics {
    ($(#[doc = $doc:literal] $(#[doc = $more:literal])* $variant:ident $name:literal $kind:ident,)*) => {
        /// What can be measured.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Metric {
            $(#[doc = $doc] $(#[doc = $more])* $variant,)*
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

            /// How exactly it is measured, in paragraphs; empty where there is no more to say.
            pub fn definition(self) -> String {
                let lines: &[&str] = match self {
                    $(Self::$variant => &[$($more,)*],)*
                };
                let lines = lines.iter().map(|line| line.trim_ascii_start());
                let joined = lines.map(|line| if line.is_empty() { "\n\n" } else { line }).collect::<Vec<_>>().join(" ");
                joined.replace(" \n\n ", "\n\n").trim().to_owned()
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
    /// Refused by the receiver. At a service, a share of the requests that ended there, served or not.
    Rejected "rejected" Share,
    /// Past its deadline. At a service, a share of the requests that ended there, served or not.
    Expired "expired" Share,
    /// Handled with an error. At a service, a share of the requests that ended there, served or not.
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
    /// From a fault's strike until the first attempt failed in its sender's eyes, or it first took a node for down.
    ///
    /// Written `shoppers.detect after outage`. An attempt fails when its sender gives it up (the timeout), or is told that it
    /// failed, was turned away, or came too late. Those count that were sent or lost on their way between the strike and the
    /// recovery, and those that were under way at the strike and not lost before. Where attempts fail at all times, the first
    /// one that does is taken for notice. A sender takes a node for down by its health checks or by outlier detection. No value
    /// if neither happened: a sender that asks for no confirmation and checks nothing never knows.
    ///
    /// Source: time to detect, as in Treynor and others, The Calculus of Service Availability, ACM Queue 15 (2), 2017.
    Detect "detect" Strike,
    /// From a fault's strike until the first message that it had cost an attempt came out right.
    ///
    /// Written `shoppers.failover after outage`. The attempt is a failed one that `detect` counts; the message comes out right when a
    /// later attempt finds another node, another way, or the same ones healed: a failover that takes longer than the fault
    /// means that nobody took over. Infinite if no such message ever came out right (nobody tries again), no value if no
    /// attempt failed.
    ///
    /// Source: failover time, from the failure of the active until the standby serves, as in Trivedi and Bobbio, Reliability
    /// and Availability Engineering, 2017.
    Failover "failover" Strike,
    /// From a fault's healing (from its strike, if it does not heal) until service was as before.
    ///
    /// Written `shoppers.recovery after outage`. Zero if service never suffered. Otherwise until the first message came out
    /// right with which a stretch of good service begins that lasts at least one second (a hundredth of the load, if that is
    /// shorter) and holds at least 30 messages at the rate of before, or all until the fault strikes again or the load ends.
    /// Infinite if there is none; no value if there is no load.
    ///
    /// A message does well if it comes out right (a call is answered, anything else handled) within a second of when it was
    /// due. Service is good where, of the messages due, the share that do well is at least 95 % of that share in the worst
    /// such stretch before, and their number 80 % of the fewest before. It suffers where, in a stretch with 30 messages, that share is lower, or
    /// not half as many come out right as in the worst such stretch before. Before is the measured time until the first strike
    /// that is measured; where nothing was due then, all messages should do well. Times are exact; stretches begin at every
    /// thousandth of the load, and at strikes and healings.
    ///
    /// Source: mean recovery time, ISO/IEC 25023:2016, recoverability measures; the limit of a second: Nielsen, Usability
    /// Engineering, 1993, ch. 5.
    Recovery "recovery" Strike,
    /// Messages that would have come out right from a fault's strike to the recovery at the rate of before, and did not.
    ///
    /// Written `shoppers.goodput-lost after outage`. The rate of before, times the time from the strike to where good service
    /// begins (see `recovery`), less the messages that came out right in it, whenever they were due; never below zero. To the
    /// end of the load, or the next strike, if there is no recovery. What comes out right later is lost here all the same, and
    /// so are messages that users who wait do not send.
    ///
    /// Source: the resilience loss, the area between what service should be and what it is: Bruneau and others, Earthquake
    /// Spectra 19 (4), 2003.
    GoodputLost "goodput-lost" Strike,
    /// Nodes, messages and timers that a fault made a difference to, together.
    ///
    /// Written `outage.touched`; zero means that it might as well not have happened.
    Touched "touched" Count,
    /// Nodes that a fault found in a state it could worsen, each counted once.
    TouchedNodes "touched-nodes" Count,
    /// Copies of messages that were dropped or delayed because of a fault.
    TouchedMessages "touched-messages" Count,
    /// Timers that were lost or delayed because of a fault, those of work under way among them.
    TouchedTimers "touched-timers" Count,
    /// How often a fault struck.
    Strikes "strikes" Count,
}

impl Metric {
    /// Whether it is measured after each strike of a fault: `recovery after outage`.
    pub fn is_of_strikes(self) -> bool {
        self.kind() == MetricKind::Strike
    }

    /// The metric called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}
