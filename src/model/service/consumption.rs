//! Consuming: a service whose requests are what a broker has for it.
//!
//! It says again and again that it is there. A broker that hears of it for the first time, or after it has come up again, delivers;
//! one that was down, or has taken it for lost, does so again when it is heard next.

use crate::model::Alarm;
use crate::model::caller::nested_luck;
use crate::model::envelope::{Counts, Envelope, Kind};
use crate::process::{Clock, Outcome};

use super::{Cx, Service};

/// What a node consumes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consumption {
    /// The kind of what is delivered to it.
    call: u16,
    /// How often it had come up before.
    life: u32,
    /// How often it has said so.
    said: u32,
    /// What it has got and answered.
    counts: Counts,
}

impl Consumption {
    pub(super) fn new(call: u16, life: u32) -> Self {
        Self { call, life, said: 0, counts: Counts::default() }
    }
}

impl Service {
    /// Says that it is there to the broker it consumes from, if it does, and will again.
    #[cold]
    pub(super) fn subscribe(&mut self, cx: &mut Cx<'_>) {
        let Some(consumption) = self.extras.as_mut().and_then(|extras| extras.consumption.as_mut()) else { return };
        let call = &self.script.calls[usize::from(consumption.call)];
        let Some(spec) = call.subscription.as_deref() else { return };
        let luck = nested_luck(cx.name().bits(), consumption.life, call.name ^ u64::from(consumption.said));
        consumption.said = consumption.said.wrapping_add(1);
        let mut envelope = Envelope::new(Kind::Subscribe, luck, consumption.life, consumption.call, 1);
        envelope.tell(consumption.counts);
        cx.send_sized(spec.broker, envelope, 0);
        cx.set_timer(Clock::Steady, spec.beat, Alarm::Subscribe);
    }

    /// A delivery came.
    #[cold]
    pub(super) fn note_delivery(&mut self) {
        if let Some(consumption) = self.consumption() {
            consumption.counts.received = consumption.counts.received.wrapping_add(1);
        }
    }

    /// A delivery is answered, or, if it is `settled`, processed.
    #[cold]
    pub(super) fn note_answer(&mut self, cx: &mut Cx<'_>, settled: bool, outcome: Outcome) {
        if settled {
            return self.note_processed(cx, outcome);
        }
        if let Some(consumption) = self.consumption() {
            consumption.counts.answered = consumption.counts.answered.wrapping_add(1);
        }
    }

    fn consumption(&mut self) -> Option<&mut Consumption> {
        self.extras.as_mut()?.consumption.as_mut()
    }
}
