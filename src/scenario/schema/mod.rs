//! What may be written in a scenario: one file for each section, one doc comment for each key.
//!
//! The types hold what was written, with the place of whatever later steps may object to. They know what a single value or
//! table may be, and nothing about names that refer to each other. The JSON Schema, `explain` and the reference page are made
//! from the comments here.

mod balancer;
mod binding;
mod broker;
mod chosen;
mod client;
mod distribution;
mod families;
mod fault;
mod name;
mod network;
mod number;
mod place;
mod planned;
mod policy;
mod quantity_text;
mod regions;
mod rules;
mod run;
mod saga;
mod service;
mod state;
mod step;
mod synonyms;
mod topic;
mod topology;
mod transport;
mod tune;
mod waiting;

use schemars::JsonSchema;
use serde::Deserialize;

pub use balancer::Balancer;
pub(super) use balancer::stand_in;
pub use binding::{Binding, Header, HeaderMatch, Headers, XMatch};
pub(super) use broker::consumers_and_brokers;
pub use broker::{AcknowledgeMode, Broker, Consumer, Exchange, ExchangeType, WorkQueue, controller_of};
pub use chosen::{Chosen, Family, Tuned};
pub use client::{Client, MixEntry, Phase};
pub use distribution::{DistributionSpec, LognormalSpec, Sizes, Times, WeibullSpec};
pub use families::{
    Arrivals, Assignor, Balance, ConcurrencyLimit, LoadRate, Partitioner, RateLimit, RetryBudget, Timeout,
};
pub use fault::{FAULT_KINDS, Fault, FaultKind, Nodes, Passages, Sides};
pub use name::{Name, Target};
pub use network::{Buffer, Link, Loss, Medium, MessageKind, Order, Preset};
pub use number::Positive;
pub use place::{Location, Place};
pub use planned::is_planned;
pub use policy::{
    Backoff, Cancel, DedupWindow, Delivery, Jitter, Limit, PRODUCER_KEYS, PolicyKeys, RetryOn, RetryTo, TimeoutFrom,
};
pub use quantity_text::{Bandwidth, Bytes, Duration, Rate, Share};
pub use regions::{Pairs, RegionPreset, Regions};
pub(super) use rules::check;
pub use run::{Precision, Run, Runs, Warmup};
pub use saga::Leg;
pub use service::{Admit, Counts, Discipline, ExpireAt, Op, Queue, QueueLimit, Service, WhenFull};
pub use state::{Fsync, State};
pub use step::{FanOut, Outbox, Repeat, Step, Verb, WaitFor, Way};
pub use synonyms::synonym;
pub use topic::{Acks, CommitMode, CommitPoint, IsolationLevel, OffsetReset, ProcessingGuarantee, Topic};
pub use topology::{Edges, Grid, RandomRegular, Router, Star, TOPOLOGY_KINDS, Topology, TopologyShape, Tree};
pub use transport::{CongestionControl, Transport};
pub use tune::{Over, Tune};

use super::condition::Condition;
use super::document::{Entries, Located, OneOrMany};
use super::quantity::Quantity;

/// Tables with names of the user's choice.
pub type Named<T> = Entries<Name, T>;

/// Quantities, each with a condition or several.
pub type Conditions = Entries<Quantity, OneOrMany<Located<Condition>>>;

/// A list of steps.
pub type Steps = Located<Vec<Located<Step>>>;

/// A scenario: one system, what happens to it, and what is expected of it.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What the scenario is about, in one line.
    pub title: Option<String>,
    /// The oldest version of Rehearsal that can play it, as in `"0.3"`.
    pub requires: Option<Located<String>>,
    /// How long and how often it is played.
    pub run: Run,
    /// The network between any two nodes, unless a link says otherwise. Ideal by default: no delay, no loss, no limit.
    pub network: Option<Medium>,
    /// Where nodes can be, and how far it is from one region to another; then every group has a `place`.
    pub regions: Option<Located<Regions>>,
    /// Parts of the network that differ from `[network]`.
    #[serde(default)]
    pub links: Named<Link>,
    /// Which nodes are joined: messages between all others are forwarded. Without it, all are joined.
    pub topology: Option<Located<Topology>>,
    /// Groups of nodes that only forward; with `[topology]`.
    #[serde(default)]
    pub routers: Named<Router>,
    /// How senders deal with slowness and failure. `[policies.default]` is the policy of every step that names no other.
    #[serde(default)]
    pub policies: Named<PolicyKeys>,
    /// Where load comes from.
    #[serde(default)]
    pub clients: Named<Client>,
    /// Who handles it.
    #[serde(default)]
    pub services: Named<Service>,
    /// Who passes requests on to services.
    #[serde(default)]
    pub balancers: Named<Balancer>,
    /// Who keeps queues.
    #[serde(default)]
    pub brokers: Named<Broker>,
    /// Where messages wait for consumers.
    #[serde(default)]
    pub queues: Named<WorkQueue>,
    /// Where records stay, to be read by groups of consumers, each at its own pace.
    #[serde(default)]
    pub topics: Named<Topic>,
    /// Who sends what is published on to queues.
    #[serde(default)]
    pub exchanges: Named<Exchange>,
    /// Who takes messages from queues, or reads topics.
    #[serde(default)]
    pub consumers: Named<Consumer>,
    /// What happens to the system.
    #[serde(default)]
    pub faults: Named<Fault>,
    /// Spans of time with names, for `[expect]`: `name = [start, end]`.
    #[serde(default)]
    pub windows: Named<[Located<Duration>; 2]>,
    /// What has to hold: a quantity, and a condition or a list of conditions.
    #[serde(default)]
    pub expect: Conditions,
    /// Which values of which keys are best.
    pub tune: Option<Located<Tune>>,
}
