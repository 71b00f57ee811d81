//! What one run gave: plain data, complete and comparable.

use crate::base::time::Time;
use crate::sim::{Checkpoint, Digest, FaultBook, LinkBook};

use super::custody::CustodyBook;
use super::flow::FlowBook;
use super::queue::QueueBook;
use super::recovery::{Aftermath, CourseBook, Strike};
use super::station::StationBook;
use super::story::{Attribution, Cast, Story};
use super::topic::{GroupBook, TopicBook};

/// One run's results.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// Which replicate it was, from 0.
    pub run: u32,
    /// The seed it was played with.
    pub seed: u64,
    /// Messages due, and time passed, between these count.
    pub measured: (Time, Time),
    /// The time the run ended.
    pub end: Time,
    /// Inputs handed to processes.
    pub events: u64,
    /// The fingerprint of everything that happened.
    pub digest: Digest,
    /// The fingerprint on the way.
    pub checkpoints: Vec<Checkpoint>,
    /// What became of the messages, flow by flow: clients, their mix entries, calls between services.
    pub flows: Vec<FlowResult>,
    /// What happened at the services.
    pub stations: Vec<StationResult>,
    /// What happened in the queues of brokers.
    pub queues: Vec<QueueResult>,
    /// Topics, in the order of the plan.
    pub topics: Vec<TopicResult>,
    /// Groups that read topics, in the order of the plan.
    pub readers: Vec<ReaderResult>,
    /// What became of the copies, link by link.
    pub links: Vec<LinkResult>,
    /// What the faults touched.
    pub faults: Vec<FaultResult>,
    /// What the flows went through, where there are faults.
    pub courses: CourseBook,
    /// Where the time of its messages went, if that was asked.
    pub explained: Option<Box<Explained>>,
}

/// Where the time of a run's messages went, as far as they were followed, and some of their stories.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Explained {
    /// What latency is made of, flow by flow.
    pub attribution: Attribution,
    /// The slowest messages that were followed, slowest first.
    pub slowest: Vec<Story>,
    /// One that is as fast as most.
    pub typical: Vec<Story>,
    /// Some that did not end well, the first first.
    pub unconfirmed: Vec<Story>,
    /// The names of those who have a part in these stories.
    pub cast: Cast,
}

impl RunResult {
    /// What each strike of a fault did to some flows together, of those strikes that fall into the measured time; nothing, of
    /// a fault that touched nothing.
    pub fn after(&self, fault: usize, flows: &[usize]) -> Vec<Aftermath> {
        if self.faults[fault].book.is_idle() {
            return Vec::new();
        }
        let strikes: Vec<&[Strike]> = self.faults.iter().map(|fault| fault.strikes.as_slice()).collect();
        self.courses.after(flows, &strikes, fault, self.measured)
    }
}

/// A flow's name and book.
#[derive(Clone, Debug)]
pub struct FlowResult {
    /// The group that offers the messages.
    pub caller: String,
    /// The entry of its mix, where it has one.
    pub entry: Option<String>,
    /// The group that handles them; empty for whole requests of a client, which are several messages each.
    pub callee: String,
    /// Whether they are what a client asks for, not a part of that.
    pub is_client: bool,
    /// Whether the same client has others, which differ by the group that handles them.
    pub is_one_of_several: bool,
    /// The book.
    pub book: FlowBook,
}

impl FlowResult {
    /// The name of the scope it is measured by: `client`, `client/entry`, or `caller->callee`.
    pub fn name(&self) -> String {
        let caller = match &self.entry {
            Some(entry) => format!("{}/{entry}", self.caller),
            None => self.caller.clone(),
        };
        if self.is_client && !self.is_one_of_several { caller } else { format!("{caller}->{}", self.callee) }
    }
}

/// A station group's name and book.
#[derive(Clone, Debug)]
pub struct StationResult {
    /// The service.
    pub name: String,
    /// Workers per node; `None` for as many as needed.
    pub workers: Option<u32>,
    /// The book.
    pub book: StationBook,
}

/// A queue's name and book.
#[derive(Clone, Debug, Default)]
pub struct QueueResult {
    /// The queue.
    pub name: String,
    /// The book.
    pub book: QueueBook,
    /// What became of the messages that it took.
    pub custody: CustodyBook,
}

/// A topic's name and book.
#[derive(Clone, Debug, Default)]
pub struct TopicResult {
    /// The topic.
    pub name: String,
    /// The book.
    pub book: TopicBook,
}

/// The name and book of a group that reads topics.
#[derive(Clone, Debug, Default)]
pub struct ReaderResult {
    /// The group.
    pub name: String,
    /// The book.
    pub book: GroupBook,
    /// What became of the records that it owes to process.
    pub custody: CustodyBook,
}

/// A fault's name and book.
#[derive(Clone, Debug)]
pub struct FaultResult {
    /// The fault.
    pub name: String,
    /// What it does: `crash`, `partition` and so on.
    pub kind: &'static str,
    /// The book.
    pub book: FaultBook,
    /// When it struck, and when that healed, if it did before the end of the run.
    pub strikes: Vec<Strike>,
}

/// A link's name and book.
#[derive(Clone, Debug)]
pub struct LinkResult {
    /// The link; `network` for what lies between any two nodes.
    pub name: String,
    /// The book.
    pub book: LinkBook,
}
