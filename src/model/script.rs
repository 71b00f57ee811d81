//! What a system's roles do, resolved: names are indices, quantities are values.
//!
//! One script is shared by all processes of a run; a process holds only its own state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::base::distribution::Distribution;
use crate::base::id::{Entity, NodeId};
use crate::base::probability::Probability;
use crate::base::random::{Key, Seed, Uniform, mix};
use crate::base::time::Span;
use crate::protocol::balance::{BalancePolicy, Picker};
use crate::protocol::keys::{AnyKeys, Keys as _};

use super::broker::{Publication, SubscriptionSpec};
use super::guard::GuardSpec;
use super::health::Watch;
use super::log::RecordSpec;
use super::policy::Policy;

/// Everything the roles of a system know in common.
#[derive(Clone, Debug)]
pub struct Script {
    /// Every kind of message, by its index.
    pub calls: Vec<Call>,
    /// What is done for a request, by its index.
    pub programs: Vec<Program>,
    /// The groups that can be called, by their index.
    pub targets: Vec<Target>,
    /// What senders keep for what they send, by its index.
    pub routes: Vec<RouteSpec>,
    /// The routes whose senders learn something of the members, beside their answers.
    pub watches: Vec<Watch>,
    /// The keys of addressed draws.
    pub keys: Keys,
    /// The real load of every node, by dense id; for balancers that see it.
    pub board: Board,
}

impl Script {
    /// The script of a run under `seed`: the same one, or one that differs by the keys of its draws alone.
    pub fn under(self: &mut Arc<Self>, seed: Seed) -> &Arc<Self> {
        if self.keys.seed != seed {
            *self = Arc::new(Self { keys: Keys::of(seed), ..Self::clone(self) });
        }
        self
    }
}

/// The keys of draws addressed by message.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// What they were made from.
    seed: Seed,
    /// Arrivals, think times, which entry of a mix.
    pub arrival: Key,
    /// Work, sleep, failure.
    pub demand: Key,
    /// Sizes.
    pub size: Key,
    /// Keys of messages.
    pub about: Key,
}

impl Keys {
    /// The keys of a run.
    pub fn of(seed: Seed) -> Self {
        Self {
            seed,
            arrival: seed.key("arrival"),
            demand: seed.key("demand"),
            size: seed.key("size"),
            about: seed.key("key"),
        }
    }
}

/// One kind of message: a step that calls or sends.
#[derive(Clone, Debug)]
pub struct Call {
    /// The flow it is reported under: its own index.
    pub flow: u16,
    /// A hash of its place in the scenario, by name: the luck of nested messages is derived with it.
    pub name: u64,
    /// Whether it asks for an answer, not only for being handled.
    pub is_request: bool,
    /// Whom it goes to.
    pub target: u16,
    /// What its sender keeps for it: kinds of messages that share a balancer and its guards have the same.
    pub route: u16,
    /// What is done with it there.
    pub program: Choice,
    /// How the sender deals with slowness and failure.
    pub policy: Policy,
    /// Its size.
    pub size: Size,
    /// The size of the answer.
    pub reply_size: Size,
    /// What it is about; that of the message it is sent for, if there is no law.
    pub key: Option<AnyKeys>,
    /// How urgent it is: where the receiver looks at that, a higher number goes first.
    pub priority: u8,
    /// Where it goes at a broker, if it is published.
    pub publication: Option<Arc<Publication>>,
    /// Where it goes as a record, if it is published to a topic.
    pub record: Option<Arc<RecordSpec>>,
    /// What its receivers ask a broker for, if it is a delivery.
    pub subscription: Option<Arc<SubscriptionSpec>>,
}

impl Call {
    /// What reaches a consumer: at the `target`-th group, which does `program` for it. It is reported as the message that was published.
    pub fn delivery(name: u64, target: u16, program: u16) -> Self {
        let nothing = Size::new(Distribution::constant(Span::ZERO));
        Self {
            flow: u16::MAX,
            name,
            is_request: false,
            target,
            route: u16::MAX,
            program: Choice::only(program),
            policy: Policy::default(),
            size: nothing.clone(),
            reply_size: nothing,
            key: None,
            priority: 0,
            publication: None,
            record: None,
            subscription: None,
        }
    }

    /// A hash of the key of the message that has this luck, if keys are drawn.
    pub fn key(&self, keys: &Keys, luck: u64) -> Option<u64> {
        let law = self.key.as_ref()?;
        Some(mix(law.key(keys.about.block(Entity::from_bits(luck), 0).first())))
    }
}

/// What a sender keeps for kinds of messages to one group.
#[derive(Clone, Debug)]
pub struct RouteSpec {
    /// How it chooses a member.
    pub balance: BalancePolicy,
    /// The same at work: what each sender starts from.
    pub picker: Picker,
    /// What stands between it and the group, if anything does.
    pub guard: Option<GuardSpec>,
}

/// A size in bytes, or a law of sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Size(Sizes);

#[derive(Clone, Debug, PartialEq)]
enum Sizes {
    Always(u64),
    Drawn(Distribution),
    /// By a trace; drawn where that says nothing.
    Given(Distribution),
}

impl Size {
    /// The law of sizes whose nanoseconds are bytes.
    pub fn new(law: Distribution) -> Self {
        if law.is_constant() { Self(Sizes::Always(law.minimum().as_nanos())) } else { Self(Sizes::Drawn(law)) }
    }

    /// The size that a trace gives, and this law where it gives none.
    pub fn given(law: Distribution) -> Self {
        Self(Sizes::Given(law))
    }

    /// A size in bytes.
    #[inline]
    pub fn bytes(&self, draw: impl FnOnce() -> Uniform) -> u64 {
        self.bytes_or(draw, || None)
    }

    /// A size in bytes, where a trace may have `given` one.
    #[inline]
    pub(super) fn bytes_or(&self, draw: impl FnOnce() -> Uniform, given: impl FnOnce() -> Option<u64>) -> u64 {
        match &self.0 {
            Sizes::Always(bytes) => *bytes,
            Sizes::Drawn(law) => law.sample(draw()).as_nanos(),
            Sizes::Given(law) => given().unwrap_or_else(|| law.sample(draw()).as_nanos()),
        }
    }
}

/// What is done for a request, step by step.
///
/// Steps of a `choose` stand one way after the other; a jump leads from the end of each way to what follows all of them.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The steps.
    pub steps: Vec<Step>,
    /// The flow under which each run of it is reported as a whole: that of a client whose request is more than one message.
    pub flow: Option<u16>,
}

/// A step.
#[derive(Clone, Debug)]
pub enum Step {
    /// A worker is busy.
    Work(Distribution),
    /// Time passes.
    Sleep(Distribution),
    /// A message is sent.
    Message {
        /// Its kind.
        call: u16,
        /// Whether to go on only when it has ended, well or not.
        wait: bool,
    },
    /// A message of this kind is put into the outbox.
    Outbox(u16),
    /// It fails.
    Fail(Probability),
    /// Several messages are sent at once, and waited for together.
    Gather(Arc<Gathering>),
    /// Legs that are done one after the other, or not at all: only services that coordinate sagas do this, at others it fails.
    Saga(Arc<[Leg]>),
    /// Goes on at the step of this place.
    Jump(u16),
    /// Goes on at one of some places.
    Choose(Choice),
}

/// Messages that are sent at once, and how many of them have to end well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gathering {
    /// Their kinds.
    pub branches: Vec<Branch>,
    /// How many have to end well; the others are then waited for no longer.
    pub needed: u32,
    /// Whether to wait for them at all.
    pub wait: bool,
}

/// One of the messages of a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leg {
    /// Its kind.
    pub call: u16,
    /// What undoes it, if that is needed.
    pub compensation: Option<Compensation>,
}

/// What undoes a leg of a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compensation {
    /// The kind of message.
    pub call: u16,
    /// How long after one that ended badly the next one is sent.
    pub retry_every: Span,
}

/// Messages of one kind to different members of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Branch {
    /// The kind.
    pub call: u16,
    /// To how many members: to whomever the balancer picks, if there is one; otherwise to so many different ones.
    pub copies: Copies,
}

/// To how many members a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Copies {
    /// To one.
    One,
    /// To so many different ones, picked by the balancer one after the other.
    Many(u32),
    /// To each.
    All(u32),
}

impl Copies {
    /// How many.
    pub fn count(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Many(count) | Self::All(count) => count,
        }
    }
}

/// One of several programs, or places in one, drawn by weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice(Vec<(f64, u16)>);

impl Choice {
    /// Always this one.
    pub fn only(program: u16) -> Self {
        Self(vec![(1.0, program)])
    }

    /// One of these, in proportion to their positive weights.
    ///
    /// # Panics
    /// If there is none.
    pub fn weighted(entries: Vec<(f64, u16)>) -> Self {
        assert!(!entries.is_empty(), "there is something to choose");
        Self(entries)
    }

    /// All there are, each with the share of draws that it gets.
    pub fn shares(&self) -> impl Iterator<Item = (f64, u16)> {
        let total: f64 = self.0.iter().map(|(weight, _)| weight).sum();
        self.0.iter().map(move |&(weight, program)| (weight / total, program))
    }

    /// All there are.
    pub fn all(&self) -> impl Iterator<Item = u16> {
        self.0.iter().map(|&(_, program)| program)
    }

    /// The chosen one.
    pub fn pick(&self, draw: impl FnOnce() -> Uniform) -> u16 {
        let [rest @ .., (_, last)] = &self.0[..] else { unreachable!("a choice is never empty") };
        if rest.is_empty() {
            return *last;
        }
        let total: f64 = self.0.iter().map(|(weight, _)| weight).sum();
        let mut left = draw().open01() * total;
        for (weight, program) in rest {
            left -= weight;
            if left < 0.0 {
                return *program;
            }
        }
        *last
    }
}

/// A group that can be called.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its members' ids follow each other from here.
    pub first: NodeId,
    /// How many there are.
    pub len: u32,
}

impl Target {
    /// A member.
    pub fn member(&self, index: usize) -> NodeId {
        NodeId::new(self.first.index() + index as u32)
    }

    /// The place of a node in the group, if it is a member.
    pub fn place_of(&self, node: NodeId) -> Option<u32> {
        node.index().checked_sub(self.first.index()).filter(|place| *place < self.len)
    }
}

/// The number of requests present at each node, kept by the nodes themselves.
#[derive(Clone, Debug)]
pub struct Board(Arc<[AtomicU32]>);

impl Board {
    /// A board for `nodes` ids.
    pub fn new(nodes: usize) -> Self {
        Self((0..nodes).map(|_| AtomicU32::new(0)).collect())
    }

    /// What a node shows.
    pub fn load(&self, node: NodeId) -> u32 {
        self.0[node.index() as usize].load(Ordering::Relaxed)
    }

    /// A node shows its load. One run is one thread, so whoever looks next sees it.
    pub fn show(&self, node: NodeId, load: u32) {
        self.0[node.index() as usize].store(load, Ordering::Relaxed);
    }
}
