//! Rehearsal plays a distributed system before it exists.
//!
//! Write processes as state machines ([`process::Process`]), put them on a [`sim::Cluster`], lay a network between them,
//! choose a seed, and play. Every run is the same on every machine, and accounts for every message.
//!
//! ```
//! use rehearsal::base::distribution::Distribution;
//! use rehearsal::base::id::NodeId;
//! use rehearsal::base::probability::percent;
//! use rehearsal::base::time::{Time, ms, secs};
//! use rehearsal::network::Link;
//! use rehearsal::process::{Clock, Context, Identity, Inline, Leg, Message, MessageId, Name, Process};
//! use rehearsal::sim::Cluster;
//!
//! /// A ball with its number.
//! #[derive(Clone, Copy)]
//! struct Ball(MessageId);
//!
//! impl Message for Ball {
//!     type Carriage = Inline<Self>;
//!
//!     fn identity(&self) -> Identity {
//!         Identity { name: Name::Of(self.0), attempt: 1, leg: Leg::Out }
//!     }
//!
//!     fn digest(&self) -> u64 {
//!         self.0.number.into()
//!     }
//! }
//!
//! /// Hits every ball back, and serves a new one when none has come for a second.
//! struct Player {
//!     partner: NodeId,
//!     hits: u32,
//! }
//!
//! impl Player {
//!     fn hit(&mut self, cx: &mut Context<'_, Ball, u32>) {
//!         self.hits += 1;
//!         cx.send(self.partner, Ball(MessageId { owner: cx.me, number: self.hits }));
//!         cx.set_timer(Clock::Steady, secs(1), self.hits);
//!     }
//! }
//!
//! impl Process<Ball> for Player {
//!     type Timer = u32;
//!
//!     fn start(&mut self, cx: &mut Context<'_, Ball, u32>) {
//!         cx.set_timer(Clock::Steady, secs(1), 0);
//!     }
//!
//!     fn message(&mut self, cx: &mut Context<'_, Ball, u32>, _: NodeId, _: Ball) {
//!         self.hit(cx);
//!     }
//!
//!     fn timer(&mut self, cx: &mut Context<'_, Ball, u32>, hits: u32) {
//!         if hits == self.hits {
//!             self.hit(cx);
//!         }
//!     }
//! }
//!
//! let mut cluster = Cluster::seeded(42);
//! cluster.nodes("player", 2, |boot| Player { partner: NodeId::new(boot.node.index() ^ 1), hits: 0 });
//! cluster.link_all(Link::latency(Distribution::constant(ms(20))).loss(percent(1.0)));
//! let outcome = cluster.run_until(Time::ZERO + secs(60));
//! let wire = outcome.wire.total();
//! assert_eq!(wire.sent, wire.delivered + wire.dropped.iter().sum::<u64>() + wire.in_flight());
//! ```
//!
//! Or play a scenario file: [`scenario::Scenario::load`], [`scenario::plan::Plan::new`], [`experiment::run`],
//! [`report::Report`]. Each step is plain data for the next.
//!
//! Layers, from below: [`base`] (time, names, luck, laws); [`engine`] (events and their order), [`process`] (the contract),
//! [`network`] (arithmetic); [`protocol`] (building blocks); [`model`] (roles); [`sim`] (the driver); [`metrics`];
//! [`scenario`]; [`experiment`]; [`report`]. What each may import, `docs/ARCHITECTURE.md` says and a test holds.

pub mod base;
pub mod engine;
pub mod experiment;
pub mod metrics;
pub mod model;
pub mod network;
pub mod process;
pub mod protocol;
pub mod report;
pub mod scenario;
pub mod sim;
