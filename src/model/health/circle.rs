//! One node's part in a group whose members watch each other, and its messages.

use std::num::NonZeroU32;

use crate::base::id::NodeId;
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::envelope::Envelope;
use crate::model::script::Script;
use crate::protocol::health::{Effect, HealthPolicy, Opinion, Swim};

use super::clock::{WakeUp, now, share_of};

/// One node's part.
#[derive(Debug)]
pub(in crate::model) struct Circle {
    watch: u16,
    swim: Swim,
    /// Messages sent, earlier lives counted.
    sent: u64,
    wake_up: WakeUp,
}

/// What this node has come to believe, and of whom.
pub(super) type News = Vec<(u32, Opinion)>;

impl Circle {
    /// The part of this node, if it has one. Its first period starts at random within one; `alarm` wakes it.
    pub(super) fn join(script: &Script, cx: &mut Cx<'_>, watch: u16, lives: u32, alarm: Alarm) -> Option<Self> {
        let spec = &script.watches[usize::from(watch)];
        let Some(HealthPolicy::Swim(settings)) = &spec.health.checks else { return None };
        let target = spec.target(script);
        let me = spec.place_of(target, cx.me)?;
        let members = NonZeroU32::new(spec.gossipers(target))?;
        let start = now(cx) + share_of(cx, settings.period);
        let swim = Swim::new(settings, me, members, start);
        let mut circle = Self { watch, swim, sent: u64::from(lives) << 32, wake_up: WakeUp::new(alarm) };
        circle.wake_up.set(cx, Some(start));
        Some(circle)
    }

    /// The watch that it belongs to.
    pub(super) fn watch(&self) -> u16 {
        self.watch
    }

    /// Its alarm went off.
    pub(super) fn woken(&mut self, script: &Script, cx: &mut Cx<'_>) -> News {
        let mut effects = Vec::new();
        self.wake_up.fired(cx);
        self.swim.wake(now(cx), &mut || cx.draw(), &mut effects);
        self.carry_out(script, cx, &effects)
    }

    /// A word came from a node.
    pub(super) fn heard(&mut self, script: &Script, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) -> News {
        let spec = &script.watches[usize::from(self.watch)];
        let from = spec.place_of(spec.target(script), from);
        let (Some(from), Some(gossip)) = (from, envelope.as_gossip()) else { return News::new() };
        let mut effects = Vec::new();
        self.swim.heard(from, gossip, now(cx), &mut effects);
        self.carry_out(script, cx, &effects)
    }

    fn carry_out(&mut self, script: &Script, cx: &mut Cx<'_>, effects: &[Effect]) -> News {
        let spec = &script.watches[usize::from(self.watch)];
        let target = spec.target(script);
        let mut news = News::new();
        for effect in effects {
            match *effect {
                Effect::Send { to, gossip } => {
                    let luck = spec.luck(script, cx.name().bits(), to, self.sent);
                    self.sent += 1;
                    cx.send_sized(spec.node_at(target, to), Envelope::gossip(luck, self.watch, gossip), 0);
                }
                Effect::Changed { member, opinion } => news.push((member, opinion)),
            }
        }
        self.wake_up.set(cx, Some(self.swim.next()));
        news
    }
}
