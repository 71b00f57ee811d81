//! Steps: what a client, an operation or a service does, one after the other.

use schemars::JsonSchema;
use serde::Deserialize;

use std::num::NonZeroU32;

use super::binding::Headers;
use super::chosen::Chosen;
use super::distribution::{Sizes, Times};
use super::families::KeyLaw;
use super::name::{Name, Target};
use super::number::Positive;
use super::policy::PolicyKeys;
use super::quantity_text::{Duration, Share};
use super::{Leg, Named, Steps};
use crate::base::time::ms;
use crate::scenario::document::{Located, Origin};

/// One thing to do: exactly one of `work`, `sleep`, `call`, `send`, `publish`, `parallel`, `saga`, `choose`, `repeat` and `fail`. The other keys
/// say how.
///
/// A group with one step writes it without `steps`. On a group that has `steps`, `mix` or `ops`, the other keys count for all
/// of them.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Keep a worker busy for so long; a node with a speed of 2 needs half of it.
    pub work: Option<Times>,
    /// Wait for so long. The worker is held meanwhile, unless the service says `hold-worker = false`.
    pub sleep: Option<Times>,
    /// Ask a service, or one of its operations, and wait for the answer. Where a queue or an exchange is named, the request is
    /// published there, and the consumer that processes it replies through the broker (RabbitMQ's direct reply-to: no queue keeps
    /// the reply, which is lost if the node that the request was published to goes down). A consumer that fails rejects the request,
    /// and sends no reply: then the caller waits until its `timeout`.
    pub call: Option<Located<Target>>,
    /// Send one way to a service, or to one of its operations.
    pub send: Option<Located<Target>>,
    /// Publish to a queue, or to an exchange.
    pub publish: Option<Located<Name>>,
    /// Several calls or sends at once, each in a table of its own; goes on when all have ended well, or as `wait-for` says.
    pub parallel: Option<Steps>,
    /// Calls, sends or publications one after the other that are to be done all or not at all, each in a table of its own, with the
    /// message that undoes it: `saga = [{ call = "flights/book", compensate = { call = "flights/cancel" } }, …]`. When one does not end
    /// well, those that may have been done are compensated, the last one first, and the step fails. A leg that was not answered may
    /// have been done; one whose attempts were all answered with a failure was not. A service or consumer with
    /// `state = { durable = … }` logs each leg on disk before it goes out, and after a crash compensates what was open; any other
    /// forgets it, and what was done stays half done. A leg that is still under way, slow or sent again, may come after its own
    /// compensation, and is done then: a receiver keeps no mark of what was undone before it was done, and none is counted.
    pub saga: Option<Located<Vec<Located<Leg>>>>,
    /// One of several ways to go on, drawn by weight.
    pub choose: Option<Located<Named<Way>>>,
    /// The same steps several times.
    pub repeat: Option<Located<Repeat>>,
    /// Fail with this probability.
    pub fail: Option<Located<Share>>,
    /// To how many different nodes of the service the message goes at once; the balancer picks them one after the other.
    /// Attempts that follow go to the same nodes.
    #[schemars(extend("default" = 1))]
    pub fan_out: Option<Located<FanOut>>,
    /// How many of the messages that were sent at once have to end well. The others are then waited for no longer, and taken
    /// back where `cancel` says so; the step fails as soon as too few are left.
    #[schemars(extend("default" = "all"))]
    pub wait_for: Option<Located<WaitFor>>,
    /// The name of the policy; `default` if it is left out and there is one.
    pub policy: Option<Located<Name>>,
    /// Whether the next step waits for this one to end. An open-loop client never waits.
    #[schemars(extend("default" = true))]
    pub wait: Option<Located<bool>>,
    /// The size of the message. Required where a bandwidth counts.
    pub size: Option<Sizes>,
    /// What the message is about, for balancers that look at it. A nested call is about what the request is about that it is
    /// made for, if it says nothing else.
    pub key: Option<Located<Chosen<KeyLaw>>>,
    /// How urgent the message is, from 0 to 255: a higher number goes first, where the receiver looks at that. As in RabbitMQ.
    #[schemars(extend("default" = 0))]
    pub priority: Option<Located<u8>>,
    /// The routing key of what is published to an exchange; for a queue it is the queue's name.
    pub routing_key: Option<Located<String>>,
    /// The headers of what is published, for exchanges that look at them: text, whole numbers, true or false.
    pub headers: Option<Located<Headers>>,
    /// Whether the broker confirms what is published once it has taken responsibility for it. Then it is published again, and so
    /// delivered at least once, if `max-attempts` says so.
    #[schemars(extend("default" = false))]
    pub confirm: Option<Located<bool>>,
    /// Whether what is published fails if no queue takes it; otherwise it is dropped, and confirmed all the same. A `call` fails at
    /// once, instead of waiting for a reply in vain.
    #[schemars(extend("default" = false))]
    pub mandatory: Option<Located<bool>>,
    /// Whether what is published is written to disk, in queues that are durable.
    #[schemars(extend("default" = true))]
    pub persistent: Option<Located<bool>>,
    /// Whether what is published goes through an outbox, for services and consumers with `state = { durable = … }`: the step ends when
    /// a row of it is on the node's disk, beside the state, and a relay of the node publishes it afterwards, with confirms, again and
    /// again until it is confirmed, whatever crashes. Consumers may see it more than once. Of the policy only `timeout` counts (5 s
    /// without), and a producer's keys. What a broker refuses, or returns as it is `mandatory` and no queue takes it, is published
    /// again before all later ones: if that never ends, and there are as many such rows as `batch-size`, nothing else is published.
    pub outbox: Option<Located<Outbox>>,
    /// How long what is published may wait in a queue.
    pub expiration: Option<Located<Duration>>,
    /// The policy's keys, for this step alone.
    #[serde(rename = "..")]
    pub keys: PolicyKeys,
}

/// Whether what is published goes through an outbox, and how that is emptied.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Outbox {
    /// It does, or not.
    #[serde(rename = "=")]
    Constant(bool),
    /// The relay looks for new rows from time to time.
    Polling {
        /// How often it looks.
        #[serde(rename = "poll-interval", default = "poll_interval")]
        poll_interval: Duration,
        /// How many messages are under way at a time. One keeps strict order; of several that are, one that is lost is published
        /// again after the later ones. When a batch is confirmed that was as large as this, the next one follows at once.
        #[serde(rename = "batch-size", default = "batch_size")]
        batch_size: NonZeroU32,
    },
}

fn poll_interval() -> Duration {
    Duration(ms(100))
}

fn batch_size() -> NonZeroU32 {
    const { NonZeroU32::new(100).unwrap() }
}

impl Outbox {
    /// How often the relay looks for new rows, and how many messages are under way at a time, if there is an outbox.
    pub fn polling(self) -> Option<(Duration, NonZeroU32)> {
        match self {
            Self::Constant(is_used) => is_used.then(|| (poll_interval(), batch_size())),
            Self::Polling { poll_interval, batch_size } => Some((poll_interval, batch_size)),
        }
    }
}

/// To how many different nodes a message goes at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum FanOut {
    /// To so many.
    #[serde(rename = "=")]
    Constant(NonZeroU32),
    /// To each, as where each holds a part of the data.
    All,
}

/// How many of the messages that were sent at once have to end well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum WaitFor {
    /// So many.
    #[serde(rename = "=")]
    Constant(NonZeroU32),
    /// One.
    First,
    /// More than half.
    Quorum,
    /// Each.
    All,
}

/// One of several ways to go on.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Way {
    /// How often it is drawn, beside the weights of the others.
    #[serde(default = "weight_one")]
    pub weight: Positive,
    /// What is done, one after the other; nothing if it is empty.
    pub steps: Steps,
}

fn weight_one() -> Positive {
    Positive::ONE
}

/// The same steps several times.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repeat {
    /// How often.
    pub times: NonZeroU32,
    /// What is done, one after the other.
    pub steps: Steps,
}

/// What a step does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Verb<'a> {
    /// Keep a worker busy.
    Work(&'a Times),
    /// Wait.
    Sleep(&'a Times),
    /// Ask and wait for the answer.
    Call(&'a Located<Target>),
    /// Send one way.
    Send(&'a Located<Target>),
    /// Publish; whether that is confirmed.
    Publish(&'a Located<Name>, bool),
    /// Several at once.
    Parallel(&'a Steps),
    /// All of several messages, or none.
    Saga(&'a Located<Vec<Located<Leg>>>),
    /// One of several ways.
    Choose(&'a Located<Named<Way>>),
    /// Several times.
    Repeat(&'a Located<Repeat>),
    /// Fail with a probability.
    Fail(&'a Located<Share>),
}

impl<'a> Verb<'a> {
    /// The key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Work(_) => "work",
            Self::Sleep(_) => "sleep",
            Self::Call(_) => "call",
            Self::Send(_) => "send",
            Self::Publish(..) => "publish",
            Self::Parallel(_) => "parallel",
            Self::Saga(_) => "saga",
            Self::Choose(_) => "choose",
            Self::Repeat(_) => "repeat",
            Self::Fail(_) => "fail",
        }
    }

    /// The place of the value.
    pub fn origin(self) -> Origin {
        match self {
            Self::Work(times) | Self::Sleep(times) => times.origin,
            Self::Call(target) | Self::Send(target) => target.origin,
            Self::Publish(name, _) => name.origin,
            Self::Parallel(steps) => steps.origin,
            Self::Saga(legs) => legs.origin,
            Self::Choose(ways) => ways.origin,
            Self::Repeat(repeat) => repeat.origin,
            Self::Fail(share) => share.origin,
        }
    }

    /// Whether it is a message, so that a policy has a meaning.
    pub fn is_message(self) -> bool {
        matches!(self, Self::Call(_) | Self::Send(_) | Self::Publish(..))
    }

    /// Whether it sends a message, or steps in it do.
    pub fn sends(self) -> bool {
        let any = |steps: &Steps| steps.iter().flat_map(|step| step.verbs()).any(Verb::sends);
        match self {
            Self::Call(_) | Self::Send(_) | Self::Publish(..) => true,
            Self::Parallel(steps) => any(steps),
            Self::Saga(legs) => legs.iter().flat_map(|leg| leg.step.verbs()).any(Verb::sends),
            Self::Choose(ways) => ways.iter().any(|(_, way)| any(&way.steps)),
            Self::Repeat(repeat) => any(&repeat.steps),
            Self::Work(_) | Self::Sleep(_) | Self::Fail(_) => false,
        }
    }

    /// The steps in it, list by list.
    pub(super) fn lists(self) -> Vec<&'a Steps> {
        match self {
            Self::Choose(ways) => ways.iter().map(|(_, way)| &way.steps).collect(),
            Self::Repeat(repeat) => vec![&repeat.value.steps],
            _ => Vec::new(),
        }
    }
}

impl Step {
    /// Every verb that is written. In a scenario that was loaded there is at most one.
    pub(super) fn verbs(&self) -> impl Iterator<Item = Verb<'_>> {
        let verbs = [
            self.work.as_ref().map(Verb::Work),
            self.sleep.as_ref().map(Verb::Sleep),
            self.call.as_ref().map(Verb::Call),
            self.send.as_ref().map(Verb::Send),
            self.publish.as_ref().map(|name| Verb::Publish(name, self.confirm.is_some_and(|confirm| confirm.value))),
            self.parallel.as_ref().map(Verb::Parallel),
            self.saga.as_ref().map(Verb::Saga),
            self.choose.as_ref().map(Verb::Choose),
            self.repeat.as_ref().map(Verb::Repeat),
            self.fail.as_ref().map(Verb::Fail),
        ];
        verbs.into_iter().flatten()
    }

    /// What the step does; nothing if these are only keys of a group.
    pub fn verb(&self) -> Option<Verb<'_>> {
        self.verbs().next()
    }

    /// The keys that say something of what is published, by name and place.
    pub fn publication_keys(&self) -> impl Iterator<Item = (&'static str, Origin)> {
        let keys = [
            ("routing-key", self.routing_key.as_ref().map(|key| key.origin)),
            ("headers", self.headers.as_ref().map(|headers| headers.origin)),
            ("confirm", self.confirm.map(|confirm| confirm.origin)),
            ("mandatory", self.mandatory.map(|mandatory| mandatory.origin)),
            ("persistent", self.persistent.map(|persistent| persistent.origin)),
            ("expiration", self.expiration.map(|expiration| expiration.origin)),
            ("outbox", self.outbox.map(|outbox| outbox.origin)),
        ];
        keys.into_iter().filter_map(|(key, place)| Some((key, place?)))
    }

    /// The keys that say how a message is sent, by name and place.
    pub(super) fn message_keys(&self) -> impl Iterator<Item = (String, Origin)> {
        let own = [
            ("policy", self.policy.as_ref().map(|policy| policy.origin)),
            ("wait", self.wait.map(|wait| wait.origin)),
            ("size", self.size.as_ref().map(|size| size.origin)),
            ("key", self.key.as_ref().map(|key| key.origin)),
            ("priority", self.priority.map(|priority| priority.origin)),
            ("fan-out", self.fan_out.map(|count| count.origin)),
            ("wait-for", self.wait_for.map(|count| count.origin)),
            ("routing-key", self.routing_key.as_ref().map(|key| key.origin)),
            ("headers", self.headers.as_ref().map(|headers| headers.origin)),
            ("confirm", self.confirm.map(|confirm| confirm.origin)),
            ("mandatory", self.mandatory.map(|mandatory| mandatory.origin)),
            ("persistent", self.persistent.map(|persistent| persistent.origin)),
            ("expiration", self.expiration.map(|expiration| expiration.origin)),
            ("outbox", self.outbox.map(|outbox| outbox.origin)),
        ];
        own.into_iter().filter_map(|(key, place)| Some((key.to_owned(), place?))).chain(self.keys.written())
    }
}
