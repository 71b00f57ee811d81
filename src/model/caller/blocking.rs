//! Brokers that read no more: what is to be published waits here, and goes when they read on.
//!
//! A publisher sends nothing over a connection that is blocked, on whichever of the broker's nodes it is, as it publishes in order. When
//! the broker says nothing any more, it asks until a node answers, as a client does that opens its connection again, and sends nothing
//! before.

use super::{Caller, Cx, nested_luck};
use crate::base::id::NodeId;
use crate::base::random::mix;
use crate::model::blocked::{AT_ONCE, Wait};
use crate::model::broker::Word;
use crate::model::letter::Letter;
use crate::model::log::{Body, Bulk};
use crate::model::script::{Call, Script};
use crate::process::GuardFact;

impl Caller {
    /// An attempt waits until the broker reads on, for so long at most: then it is seen whether it still does not.
    #[cold]
    pub(super) fn wait_unblocked(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, wait: Wait) {
        if wait.is_first {
            self.guarded(script, cx, number, GuardFact::HeldByBroker);
        }
        if let Some(times) = wait.asks {
            self.ask_whether_blocked(script, cx, number, times);
        }
        self.go_later(cx, number, wait.after);
    }

    /// Asks the nodes to which this message may go whether they read.
    fn ask_whether_blocked(&mut self, script: &Script, cx: &mut Cx<'_>, number: u32, times: u32) {
        let (key, life) = (self.key_of(number), self.first_number >> 24);
        let Some(pending) = self.outstanding.get_mut(key) else { return };
        let name = self.routes.get_mut(pending.route).name;
        let mut asked = Vec::new();
        for call in publications(script, name) {
            let target = &script.targets[usize::from(call.target)];
            asked.extend((0..target.len).map(|member| target.member(member as usize)));
        }
        asked.sort_unstable();
        asked.dedup();
        for to in asked {
            let about = mix(cx.name().bits() ^ mix(to.index() as u64) ^ u64::from(name));
            let luck = nested_luck(about, life, times.into());
            let body = Body::Work(Word::WhetherBlocked);
            cx.send_sized(to, Letter::Bulk(Box::new(Bulk { luck, body })), 0);
        }
    }

    /// A node of a broker has stopped reading what this one publishes, or goes on.
    #[cold]
    pub(super) fn heard_of_blocking(&mut self, script: &Script, cx: &mut Cx<'_>, broker: NodeId, is_blocked: bool) {
        let leads_there = |name: u16| {
            publications(script, name).any(|call| script.targets[usize::from(call.target)].place_of(broker).is_some())
        };
        let routes: Vec<_> =
            self.routes.iter().filter(|(_, route)| leads_there(route.name)).map(|(at, _)| at).collect();
        for route in routes {
            for key in self.routes.get_mut(route).heard_of_blocking(broker, is_blocked, cx.now()) {
                let Some(pending) = self.outstanding.get_mut(key) else { continue };
                if let Some(timer) = pending.timer.take() {
                    cx.cancel_timer(timer);
                }
                // Each ends on its own for whoever started it.
                let number = self.number_of(key);
                self.go_later(cx, number, AT_ONCE);
            }
        }
    }
}

/// What is published over a route.
fn publications(script: &Script, route: u16) -> impl Iterator<Item = &Call> {
    script.calls.iter().filter(move |call| call.route == route && call.publication.is_some())
}
