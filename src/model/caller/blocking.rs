//! Brokers that read no more: what is to be published waits here, and goes when they read on.
//!
//! A publisher sends nothing over a connection that is blocked, on whichever of the broker's nodes it is, as it publishes in order. It
//! believes that for as long as two words of the broker take, so that a broker that is gone blocks nobody.

use super::{Caller, Cx, NOT_SENT};
use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::model::broker::BUFFERED;
use crate::model::script::Script;
use crate::process::GuardFact;
use crate::protocol::amqp::WatermarkSettings;

impl Caller {
    /// An attempt waits until the broker reads on, for so long at most: then it is seen whether it still does not.
    #[cold]
    pub(super) fn wait_unblocked(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        number: u32,
        (after, is_first): (Span, bool),
    ) {
        let key = self.key_of(number);
        let Some(route) = self.outstanding.get_mut(key).map(|pending| pending.route) else { return };
        if is_first {
            self.guarded(script, cx, number, GuardFact::HeldByBroker);
        }
        self.routes.get_mut(route).wait_unblocked(key);
        self.go_later(cx, number, after);
    }

    /// A node of a broker has stopped reading what this one publishes, or goes on.
    #[cold]
    pub(super) fn heard_of_blocking(&mut self, script: &Script, cx: &mut Cx<'_>, broker: NodeId, is_blocked: bool) {
        let now = cx.now();
        let until = now + WatermarkSettings::CHECK_INTERVAL.times(2);
        let leads_there = |name: u16| {
            let published = script.calls.iter().filter(|call| call.route == name && call.publication.is_some());
            published.into_iter().any(|call| script.targets[usize::from(call.target)].place_of(broker).is_some())
        };
        let routes: Vec<_> =
            self.routes.iter().filter(|(_, route)| leads_there(route.name)).map(|(at, _)| at).collect();
        for route in routes {
            for key in self.routes.get_mut(route).heard_of_blocking(broker, is_blocked, (now, until), BUFFERED as usize)
            {
                let Some(pending) = self.outstanding.get_mut(key) else { continue };
                if let Some(timer) = pending.timer.take() {
                    cx.cancel_timer(timer);
                }
                // Each ends on its own for whoever started it.
                let number = self.number_of(key);
                self.go_later(cx, number, NOT_SENT);
            }
        }
    }
}
