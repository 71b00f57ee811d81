//! Steps: what a client, an operation or a service does, one after the other.

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::{Sizes, Times};
use super::name::{Name, Target};
use super::policy::PolicyKeys;
use super::quantity_text::Share;
use crate::scenario::document::{Located, Origin};

/// One thing to do: exactly one of `work`, `sleep`, `call`, `send` and `fail`. The other keys say how.
///
/// A group with one step writes it without `steps`. On a group that has `steps`, `mix` or `ops`, the other keys count for all
/// of them.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Keep a worker busy for so long; a node with a speed of 2 needs half of it.
    pub work: Option<Times>,
    /// Wait for so long, with the worker held.
    pub sleep: Option<Times>,
    /// Ask a service, or one of its operations, and wait for the answer.
    pub call: Option<Located<Target>>,
    /// Send one way to a service, or to one of its operations.
    pub send: Option<Located<Target>>,
    /// Fail with this probability.
    pub fail: Option<Located<Share>>,
    /// The name of the policy; `default` if it is left out and there is one.
    pub policy: Option<Located<Name>>,
    /// Whether the next step waits for this one to end. An open-loop client never waits.
    #[schemars(extend("default" = true))]
    pub wait: Option<Located<bool>>,
    /// The size of the message. Required where a bandwidth counts.
    pub size: Option<Sizes>,
    /// How urgent the message is, from 0 to 255: a higher number goes first, where the receiver looks at that. As in RabbitMQ.
    #[schemars(extend("default" = 0))]
    pub priority: Option<Located<u8>>,
    /// The policy's keys, for this step alone.
    #[serde(rename = "..")]
    pub keys: PolicyKeys,
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
    /// Fail with a probability.
    Fail(&'a Located<Share>),
}

impl Verb<'_> {
    /// The key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Work(_) => "work",
            Self::Sleep(_) => "sleep",
            Self::Call(_) => "call",
            Self::Send(_) => "send",
            Self::Fail(_) => "fail",
        }
    }

    /// The place of the value.
    pub fn origin(self) -> Origin {
        match self {
            Self::Work(times) | Self::Sleep(times) => times.origin,
            Self::Call(target) | Self::Send(target) => target.origin,
            Self::Fail(share) => share.origin,
        }
    }

    /// Whether it sends a message, so that a policy has a meaning.
    pub fn is_message(self) -> bool {
        matches!(self, Self::Call(_) | Self::Send(_))
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
            self.fail.as_ref().map(Verb::Fail),
        ];
        verbs.into_iter().flatten()
    }

    /// What the step does; nothing if these are only keys of a group.
    pub fn verb(&self) -> Option<Verb<'_>> {
        self.verbs().next()
    }

    /// The keys that say how a message is sent, by name and place.
    pub(super) fn message_keys(&self) -> impl Iterator<Item = (String, Origin)> {
        let own = [
            ("policy", self.policy.as_ref().map(|policy| policy.origin)),
            ("wait", self.wait.map(|wait| wait.origin)),
            ("size", self.size.as_ref().map(|size| size.origin)),
            ("priority", self.priority.map(|priority| priority.origin)),
        ];
        own.into_iter().filter_map(|(key, place)| Some((key.to_owned(), place?))).chain(self.keys.written())
    }
}
