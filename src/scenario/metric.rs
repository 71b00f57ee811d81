//! What can be measured, by name.

use crate::process::{GroupFact, GuardFact, Loss, QueueFact, TopicFact, TurnedAway};

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
    /// Something that happens now and then, and is counted.
    Events,
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
            Self::Count | Self::Events => Some(Statistic::Count),
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
            /// What guards of senders did.
            Guard(GuardFact),
            /// Requests that stations let go unserved.
            TurnedAway(TurnedAway),
            /// What happened to messages in queues.
            Queued(QueueFact),
            /// What messages were lost by.
            LostBy(Loss),
            /// What happened to records in topics.
            Logged(TopicFact),
            /// What happened to groups that read topics.
            Grouped(GroupFact),
        }

        impl Metric {
            const NAMED: &[Self] = &[$(Self::$variant,)*];

            /// The name in a quantity.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Guard(fact) => fact.name(),
                    Self::TurnedAway(why) => why.name(),
                    Self::Queued(fact) => fact.name(),
                    Self::LostBy(why) => why.name(),
                    Self::Logged(fact) => fact.name(),
                    Self::Grouped(fact) => fact.name(),
                }
            }

            /// What it measures, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc.trim_ascii_start(),)*
                    Self::Guard(fact) => fact.meaning(),
                    Self::TurnedAway(why) => why.meaning(),
                    Self::Queued(fact) => fact.meaning(),
                    Self::LostBy(why) => why.meaning(),
                    Self::Logged(fact) => fact.meaning(),
                    Self::Grouped(fact) => fact.meaning(),
                }
            }

            /// How exactly it is measured, in paragraphs; empty where there is no more to say.
            pub fn definition(self) -> String {
                let lines: &[&str] = match self {
                    $(Self::$variant => &[$($more,)*],)*
                    Self::Guard(fact) => fact.definition(),
                    Self::TurnedAway(why) => why.definition(),
                    Self::Queued(fact) => fact.definition(),
                    Self::LostBy(why) => why.definition(),
                    Self::Logged(fact) => fact.definition(),
                    Self::Grouped(fact) => fact.definition(),
                };
                let lines = lines.iter().map(|line| line.trim_ascii_start());
                let joined = lines.map(|line| if line.is_empty() { "\n\n" } else { line }).collect::<Vec<_>>().join(" ");
                joined.replace(" \n\n ", "\n\n").trim().to_owned()
            }

            /// What its numbers are.
            pub fn kind(self) -> MetricKind {
                match self {
                    $(Self::$variant => MetricKind::$kind,)*
                    Self::Queued(QueueFact::Redelivered | QueueFact::DeadLettered) => MetricKind::Share,
                    Self::Guard(_) | Self::TurnedAway(_) | Self::Queued(_) | Self::LostBy(_) => MetricKind::Events,
                    Self::Logged(_) | Self::Grouped(_) => MetricKind::Events,
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
    /// Distinct messages that succeeded: calls that were answered well and in time, all others that were handled well.
    ///
    /// It is counted when a message succeeds, whenever it was due. What a receiver does for a caller that has given up is no
    /// goodput (see `processed`), and neither is an answer that comes too late. A `send` nobody waits for succeeds once it is
    /// handled well for the first time.
    Goodput "goodput" Rate,
    /// Distinct messages that receivers handled well, whether their senders still waited for that or not.
    ///
    /// Where it exceeds `goodput`, receivers work for callers that have gone.
    Processed "processed" Rate,
    /// The receiver has it.
    Received "received" Share,
    /// The sender knows that it was handled well, and in time.
    ///
    /// A fate: each message has exactly one. The others are `handled`, `in-doubt`, `lost`, `rejected`, `expired`, `failed`,
    /// `abandoned`, `spared` and `in-flight`.
    Confirmed "confirmed" Share,
    /// Handled well, and nobody asked for a confirmation.
    ///
    /// A fate, of what is sent and not answered or acknowledged. What receivers handled of calls is `processed`.
    Handled "handled" Share,
    /// Handled well, but its sender was never told, or not in time.
    ///
    /// A fate. The answer was lost, or came after the sender had given up.
    InDoubt "in-doubt" Share,
    /// No copy came through, and nobody said why.
    ///
    /// A fate. Its copies were lost on their way, dropped by a full receiver without a word, or forgotten in a crash. Of a queue:
    /// messages that were lost there or on the way there, whatever was confirmed, as a share of those that it was to take; why, and
    /// by which setting, `lost-transient-queue` and the like tell.
    Lost "lost" Share,
    /// Turned away, by its receiver or by a guard of its own sender.
    ///
    /// A fate: the last attempt was turned away by the receiver (a full queue, a shedder, a limit at its door), or not let go by the
    /// sender's circuit breaker, rate limit, concurrency limit or throttle. Which of them it was, `breaker-refusals`, `queue-full` and the
    /// like tell. Of a service: requests it turned away, as a share of those that
    /// ended there, served or not.
    Rejected "rejected" Share,
    /// Not handled in time: past its deadline, kept waiting too long, or taken back by its sender.
    ///
    /// A fate: its deadline passed, its time in a queue was over, or its sender timed out and took the last copy back (`cancel`).
    /// A message whose deadline passed before its first attempt is `abandoned`. Of a service: requests whose deadline or time in
    /// the queue was over before a worker took them, as a share of those that ended there, served or not.
    Expired "expired" Share,
    /// Handled with an error.
    ///
    /// A fate: the last attempt was answered with an error, and no copy was handled well. Of a service: requests that ended so,
    /// as a share of all that ended there.
    Failed "failed" Share,
    /// Let go by its own sender, and never handled.
    ///
    /// A fate: its deadline passed while it waited to be sent (for a place in a window or a turn at a rate limit), or the request
    /// that it was sent for was taken back or given up.
    Abandoned "abandoned" Share,
    /// Given up, because enough of those that were sent with it had ended well: none was needed.
    ///
    /// A fate, of copies and branches of which only some are waited for (`wait-for`), where receivers let themselves be told
    /// (`cancel`). It counts as correct, and not as goodput.
    Spared "spared" Share,
    /// Without a fate when the run ended; on a link, on its way.
    ///
    /// Of messages the last of the fates: at the end of the drain their sender still waits, or a copy is still on its way, in a queue
    /// or at work.
    InFlight "in-flight" Share,
    /// Correct of offered.
    Reliability "reliability" Share,
    /// Attempts per message.
    Attempts "attempts" Mean,
    /// Copies the receiver got per message.
    Copies "copies" Mean,
    /// Copies beyond the first per message.
    ///
    /// Of what goes to several queues, beyond the first that each of them's consumers received. Of a queue: per message that it was
    /// to take.
    Duplicates "duplicates" Mean,
    /// From the intended send time until confirmed.
    Latency "latency" Times,
    /// As `latency`, where an unconfirmed message is slower than any limit.
    LatencyAll "latency-all" Times,
    /// From the actual send time until confirmed.
    LatencyFromSend "latency-from-send" Times,
    /// From the intended send time until received.
    LatencyOneWay "latency-one-way" Times,
    /// From the intended send time until a consumer had processed it.
    ///
    /// Of a queue, or of a group with queues of its own or that reads topics: each of them that takes a message processes it, and the
    /// first time counts. What was never processed there is left out.
    LatencyProcessed "latency-processed" Times,
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
    /// Workers at work.
    Busy "busy" Share,
    /// Messages in the outbox of a node: rows that are written, and whose messages no broker has confirmed.
    Outbox "outbox" Mean,
    /// Sagas that began: whose first leg went out while it was measured.
    Sagas "sagas" Rate,
    /// Sagas all of whose legs ended well, of those that began.
    SagasCompleted "sagas-completed" Share,
    /// Sagas that did not end well, and all of whose legs that may have been done are compensated; of those that began.
    SagasCompensated "sagas-compensated" Share,
    /// Sagas that are neither completed nor compensated when the run ends, of those that began.
    ///
    /// Some of their legs may be done, and nothing has undone them. Their coordinator crashed and forgot them, or (a `drain` too short) still tries to compensate them.
    SagasHalfDone "sagas-half-done" Share,
    /// Compensations that went out, each time they did, for sagas that began while it was measured.
    ///
    /// Attempts that the policy of a compensation makes are one; another one after `retry-every` counts again.
    Compensations "compensations" Events,
    /// Nodes that run.
    Up "up" Share,
    /// Attempts per distinct message, as they arrive.
    Amplification "amplification" Mean,
    /// Records of topics that a group can read and has not processed.
    ///
    /// Those behind the last record that the group has processed, up to the high watermark (or, while transactions are open, up to what
    /// they hide): what `kafka-consumer-groups` shows counts from what is committed, which may be less. A group that has never had a
    /// partition is not behind in it.
    Lag "lag" Mean,
    /// Messages in a queue that wait for a consumer.
    Ready "ready" Mean,
    /// Messages that a consumer has and has not acknowledged.
    Unacked "unacked" Mean,
    /// Messages that were first processed after a later one of the same publisher, and of the same key where messages have keys.
    ///
    /// They are processed when that ends. Several consumers, a requeue or a second publication break the order.
    OutOfOrder "out-of-order" Events,
    /// Messages that were confirmed to the sender and then lost.
    ///
    /// No copy is left, and nobody has processed them. A message that goes to several queues owes each an effect, and is lost if
    /// one of them lost it; a dead letter takes the debt along.
    ConfirmedLost "confirmed-lost" Share,
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

/// Which of two values of a metric one would rather have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
}

impl Metric {
    /// Which values one would rather have; none where that depends.
    pub fn better(self) -> Option<Better> {
        use Metric::*;
        match self {
            Goodput | Received | Confirmed | Reliability | Availability | SagasCompleted => Some(Better::Higher),
            InDoubt | Lost | Rejected | Expired | Failed | Abandoned | Attempts | Copies | Duplicates | OutOfOrder
            | ConfirmedLost | Amplification | Waiting | Staleness | StaleReads | Dropped | Retransmitted | Detect
            | Failover | Recovery | GoodputLost | Lag | Outbox | SagasHalfDone | LostBy(_) | TurnedAway(_) => {
                Some(Better::Lower)
            }
            Latency | LatencyAll | LatencyFromSend | LatencyOneWay | LatencyProcessed | Wait | Residence => {
                Some(Better::Lower)
            }
            _ => None,
        }
    }

    /// Every metric.
    pub const ALL: &[Self] = &all();

    /// Whether it is measured after each strike of a fault: `recovery after outage`.
    pub fn is_of_strikes(self) -> bool {
        self.kind() == MetricKind::Strike
    }

    /// The metric called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}

/// The metrics of the list, then those that have registries of their own.
const fn all() -> [Metric;
    Metric::NAMED.len()
        + GuardFact::COUNT
        + TurnedAway::COUNT
        + QueueFact::COUNT
        + Loss::COUNT
        + TopicFact::COUNT
        + GroupFact::COUNT] {
    let mut all = [Metric::Offered; _];
    let (mut place, mut next) = (0, 0);
    while next < Metric::NAMED.len() {
        all[place] = Metric::NAMED[next];
        (place, next) = (place + 1, next + 1);
    }
    macro_rules! add {
        ($($metric:ident of $Facts:ident,)*) => {
            $(
                next = 0;
                while next < $Facts::COUNT {
                    all[place] = Metric::$metric($Facts::ALL[next]);
                    (place, next) = (place + 1, next + 1);
                }
            )*
        };
    }
    add! {
        Guard of GuardFact,
        TurnedAway of TurnedAway,
        Queued of QueueFact,
        LostBy of Loss,
        Logged of TopicFact,
        Grouped of GroupFact,
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Fate;
    use crate::scenario::plan::is_measured;

    #[test]
    fn every_fate_is_a_metric_that_says_so() {
        for fate in Fate::ALL {
            let metric = Metric::named(fate.name()).expect("a fate can be expected");
            assert_eq!((metric.kind(), is_measured(metric)), (MetricKind::Share, true), "{metric:?}");
            assert!(metric.definition().contains("fate"), "{metric:?}");
        }
    }
}
