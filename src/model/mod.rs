//! The roles a scenario can name, built from protocol blocks: client and service, and routers between them.
//!
//! Roles are processes: they cannot know that they are simulated. What they have in common (calls, programs, groups) stands
//! in one [`Script`].

mod broker;
mod bytes;
mod caller;
mod client;
mod clock;
mod envelope;
mod feed;
mod gather;
mod given;
mod guard;
mod health;
mod journal;
mod letter;
mod line;
mod load;
mod log;
mod pace;
mod policy;
mod route;
mod router;
mod script;
mod service;
mod task;

use crate::base::id::NodeId;
pub use broker::{Broker, BrokerSpec, HostedQueue, Publication, Stated, SubscriptionSpec};
pub use client::Client;
pub use envelope::{Beside, Counts, Envelope, Kind, Remainder};
pub use feed::{Feed, Row, Trace};
pub use given::Given;
pub use guard::GuardSpec;
pub use health::{Duties, HealthSpec, Watch};
pub use journal::State;
pub use letter::{Letter, Mixed, Slip};
pub use line::MakesRoom;
pub use load::{ClientSpec, Load, Phase};
pub use log::{
    Bulk, Leaders, LogAlarm, LogBroker, LogController, LogSpec, Parcel, ProducerSpec, ReadCosts, ReaderSpec,
    RecordSpec, TopicSpec,
};
pub use pace::Course;
pub use policy::{Cancel, Delivery, Policy};
pub use router::Router;
pub use script::{
    Board, Branch, Call, Choice, Copies, Gathering, Keys, Program, RouteSpec, Script, Size, Step, Target,
};
pub use service::{OutboxSpec, QueueSpec, Service, ServiceSpec};

/// What a role's timer brings back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alarm {
    /// The next request is due.
    Arrival,
    /// This user has thought.
    Think(u32),
    /// The attempt of this message has taken too long.
    Timeout(u32),
    /// It is time for another attempt of this message.
    Resend(u32),
    /// It is time for another copy of this message.
    Hedge(u32),
    /// The step of this task or job is over.
    Step(u32),
    /// One of those that share a node's workers is done.
    Share,
    /// This job has waited too long.
    Expire(u32),
    /// Something is due by which a sender finds out who is up, on this of its routes.
    Health(u16),
    /// It is time for another heartbeat, for this watch.
    Beat(u16),
    /// Something is due in the circle of this watch.
    Gossip(u16),
    /// It is time to say again that this node consumes.
    Subscribe,
    /// Something is due that has to do with topics.
    Log(LogAlarm),
    /// This node was not heard of as a consumer, of deliveries of this kind.
    Lapse(NodeId, u16),
    /// This queue has rested, and delivers again.
    Deliver(u32),
    /// Something is due at the replica of this queue.
    Replica(u32),
    /// It is time to look at the memory.
    Memory,
    /// A broker tells those again that it has blocked.
    Blocked,
    /// It is time to give up messages that were passed on and not heard of again.
    Relays,
    /// It is time to look at the outbox.
    Outbox,
}
