//! What a service's node does for those that want to know how it is: heartbeats, gossip, a word when it has nothing to do.

use std::sync::Arc;

use crate::base::id::NodeId;
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::envelope::{Envelope, Kind};
use crate::model::script::Script;
use crate::process::Clock;
use crate::protocol::health::HealthPolicy;

use super::circle::Circle;
use super::clock::share_of;
use super::{Duties, Watch};

/// One node's duties in one life.
#[derive(Debug)]
pub(in crate::model) struct Attendance {
    duties: Arc<Duties>,
    /// How often the node came up before.
    lives: u32,
    /// Heartbeats sent, and words that it has nothing to do: both in this life.
    sent: u64,
    circles: Vec<Circle>,
}

impl Attendance {
    /// The duties of a node that came up so often before.
    pub(in crate::model) fn new(duties: &Arc<Duties>, lives: u32) -> Self {
        Self { duties: Arc::clone(duties), lives, sent: u64::from(lives) << 32, circles: Vec::new() }
    }

    /// The node has come up: heartbeats and periods begin at random within one.
    pub(in crate::model) fn start(&mut self, script: &Script, cx: &mut Cx<'_>) {
        let duties = Arc::clone(&self.duties);
        for &watch in &duties.beats {
            if let Some(HealthPolicy::Detector(detector)) = &script.watches[usize::from(watch)].health.checks {
                let phase = share_of(cx, detector.interval());
                cx.set_timer(Clock::Steady, phase, Alarm::Beat(watch));
            }
        }
        for &watch in &duties.gossip {
            // Among peers the sender's part is the only one.
            let spec = &script.watches[usize::from(watch)];
            if !spec.is_among_peers(spec.target(script)) {
                self.circles.extend(Circle::join(script, cx, watch, self.lives, Alarm::Gossip(watch)));
            }
        }
        self.is_idle(script, cx);
    }

    /// It is time for a heartbeat.
    pub(in crate::model) fn beat(&mut self, script: &Script, cx: &mut Cx<'_>, watch: u16) {
        let spec = &script.watches[usize::from(watch)];
        let Some(HealthPolicy::Detector(detector)) = &spec.health.checks else { return };
        for sender in 0..spec.senders.len {
            self.tell(script, cx, watch, sender, Kind::Alive);
        }
        cx.set_timer(Clock::Steady, detector.interval(), Alarm::Beat(watch));
    }

    /// A period of gossip is over, or something else is due.
    pub(in crate::model) fn woken(&mut self, script: &Script, cx: &mut Cx<'_>, watch: u16) {
        if let Some(circle) = self.circles.iter_mut().find(|circle| circle.watch() == watch) {
            circle.woken(script, cx);
        }
    }

    /// A word of gossip came.
    pub(in crate::model) fn heard(&mut self, script: &Script, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) {
        if let Some(circle) = self.circles.iter_mut().find(|circle| circle.watch() == envelope.call) {
            circle.heard(script, cx, from, envelope);
        }
    }

    /// The node has nothing to do: one of those that want to know is told, drawn at random.
    pub(in crate::model) fn is_idle(&mut self, script: &Script, cx: &mut Cx<'_>) {
        let duties = Arc::clone(&self.duties);
        let senders = |watch: &u16| script.watches[usize::from(*watch)].senders.len;
        let total: u64 = duties.idle.iter().map(senders).map(u64::from).sum();
        if total == 0 {
            return;
        }
        let mut drawn = cx.draw().below(total);
        for &watch in &duties.idle {
            let count = u64::from(senders(&watch));
            if drawn < count {
                return self.tell(script, cx, watch, drawn as u32, Kind::Idle);
            }
            drawn -= count;
        }
    }

    /// Says something to one of the senders of a watch.
    fn tell(&mut self, script: &Script, cx: &mut Cx<'_>, watch: u16, sender: u32, kind: Kind) {
        let spec: &Watch = &script.watches[usize::from(watch)];
        let luck = spec.luck(script, cx.name().bits(), sender, self.sent);
        let envelope = Envelope::new(kind, luck, self.sent as u32, watch, 1);
        self.sent += 1;
        cx.send_sized(spec.senders.member(sender as usize), envelope, 0);
    }
}
