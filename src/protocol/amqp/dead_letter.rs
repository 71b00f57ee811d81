//! Dead letters: why a message left its queue unprocessed, and where it has died before.
//!
//! A message that dies goes to the dead letter exchange of its queue, if there is one, with one more entry in its `x-death`
//! header. A queue hands its dead to its owner ([`Dead`]); the owner routes them, and asks [`Deaths::would_cycle`] of every
//! queue found before it puts one in.
//!
//! Three rules are the owner's, since a queue knows neither keys nor exchanges. The letter keeps its routing key unless the
//! queue has a `dead-letter-routing-key`. It loses its own time to live, so that it does not expire again where it lands. It
//! leaves its first queue without the care of publisher confirms, so a crash in between loses it (the at-most-once strategy, the
//! default of both kinds of queue).
//!
//! Source: rabbitmq.com/docs/dlx.

use std::sync::Arc;

use super::id::{ExchangeId, QueueId};
use crate::words;

words! {
    /// Why a message left its queue unprocessed, as `x-death` spells it.
    pub enum DeathReason {
        /// A consumer rejected it, and it was not to be requeued.
        Rejected = "rejected",
        /// Its time to live passed.
        Expired = "expired",
        /// The queue was full.
        MaxLen = "maxlen",
        /// It was returned more often than the delivery limit allows.
        DeliveryLimit = "delivery_limit",
    }
}

/// Where a queue's dead letters go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetterTo {
    /// The exchange they are published to.
    pub exchange: ExchangeId,
    /// The routing key they get; without one they keep their own.
    pub routing_key: Option<String>,
}

impl DeadLetterTo {
    /// The routing key of a dead letter that had this one.
    pub fn key<'a>(&'a self, original: &'a str) -> &'a str {
        self.routing_key.as_deref().unwrap_or(original)
    }
}

/// A message that died.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dead<M> {
    /// The message.
    pub message: M,
    /// The size of its body in bytes.
    pub size: u32,
    /// Its priority.
    pub priority: u8,
    /// Whether its delivery mode is persistent.
    pub persistent: bool,
    /// What it died of.
    pub reason: DeathReason,
    /// Whether the queue has a dead letter exchange, to which it goes. If not, it is dropped.
    pub is_letter: bool,
    /// Its deaths, this one in front. Not counted up if it is dropped.
    pub deaths: Deaths,
}

/// One kind of death, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Death {
    /// Where.
    pub queue: QueueId,
    /// What of.
    pub reason: DeathReason,
    /// How often there and of that.
    pub count: u32,
}

/// Where a message died, and of what, the newest first: its `x-death` header.
///
/// There is one entry per queue and reason. A pointer wide; most messages have none, and a clone never copies the list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deaths(Option<Arc<Vec<Death>>>);

impl Deaths {
    /// Not dead yet.
    pub const NONE: Self = Self(None);

    /// These, the newest first.
    pub fn of(list: Vec<Death>) -> Self {
        Self((!list.is_empty()).then(|| Arc::new(list)))
    }

    /// The deaths, the newest first.
    pub fn list(&self) -> &[Death] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// How often it died, everywhere and of everything.
    pub fn total(&self) -> u32 {
        self.list().iter().fold(0, |sum, death| sum.saturating_add(death.count))
    }

    /// Died at `queue` of `reason`: the entry for both is counted up, or made, and moves to the front.
    pub fn record(&mut self, queue: QueueId, reason: DeathReason) {
        let list = Arc::make_mut(self.0.get_or_insert_default());
        let known = list.iter().position(|death| death.queue == queue && death.reason == reason);
        let count = known.map_or(0, |place| list.remove(place).count);
        list.insert(0, Death { queue, reason, count: count.saturating_add(1) });
    }

    /// Whether a dead letter may not go to `target`, and is dropped: it has died there before, and nobody rejected it since.
    ///
    /// To be asked after the death was recorded. A letter that was just rejected is never dropped: somebody decided, so the cycle
    /// is not automatic.
    pub fn would_cycle(&self, target: QueueId) -> bool {
        let list = self.list();
        list.iter()
            .position(|death| death.queue == target)
            .is_some_and(|place| list[..=place].iter().all(|death| death.reason != DeathReason::Rejected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: QueueId = QueueId::new(0);
    const B: QueueId = QueueId::new(1);
    const C: QueueId = QueueId::new(2);

    fn deaths(list: &[(QueueId, DeathReason)]) -> Deaths {
        let mut deaths = Deaths::NONE;
        for &(queue, reason) in list {
            deaths.record(queue, reason);
        }
        deaths
    }

    #[test]
    fn most_messages_carry_one_null_pointer() {
        assert_eq!(size_of::<Deaths>(), size_of::<usize>());
        assert_eq!((Deaths::NONE.list(), Deaths::NONE.total()), (&[][..], 0));
    }

    /// Expired at A twice, rejected at B in between: two entries, A's in front with 2.
    #[test]
    fn deaths_of_a_kind_are_counted_and_the_newest_is_in_front() {
        let deaths = deaths(&[(A, DeathReason::Expired), (B, DeathReason::Rejected), (A, DeathReason::Expired)]);
        let expected = [
            Death { queue: A, reason: DeathReason::Expired, count: 2 },
            Death { queue: B, reason: DeathReason::Rejected, count: 1 },
        ];
        assert_eq!(deaths.list(), expected);
        assert_eq!(deaths.total(), 3);
    }

    #[test]
    fn a_clone_keeps_its_own_history() {
        let first = deaths(&[(A, DeathReason::Expired)]);
        let mut second = first.clone();
        second.record(B, DeathReason::MaxLen);
        assert_eq!((first.list().len(), second.list().len()), (1, 2));
    }

    /// A queue that expires into itself: the letter would come back for the same reason again and again.
    #[test]
    fn a_letter_that_comes_back_by_itself_is_dropped() {
        assert!(deaths(&[(A, DeathReason::Expired)]).would_cycle(A));
        assert!(deaths(&[(A, DeathReason::Expired), (B, DeathReason::MaxLen)]).would_cycle(A));
        assert!(!deaths(&[(A, DeathReason::Expired)]).would_cycle(B));
    }

    /// Work queue A rejects to the waiting queue B, which expires back to A: the usual way to retry later.
    #[test]
    fn a_cycle_with_a_rejection_in_it_goes_on() {
        let retried = [(A, DeathReason::Rejected), (B, DeathReason::Expired)];
        assert!(!deaths(&retried).would_cycle(A));
        assert!(!deaths(&[retried, retried].concat()).would_cycle(A));
        assert!(!deaths(&[(A, DeathReason::Rejected)]).would_cycle(A));
    }

    /// Rejected at A, then expired at B and at C: B → C → B would be automatic. Back to A the rejection counts.
    #[test]
    fn a_rejection_before_the_cycle_does_not_count() {
        let deaths = deaths(&[(A, DeathReason::Rejected), (B, DeathReason::Expired), (C, DeathReason::Expired)]);
        assert!(deaths.would_cycle(B));
        assert!(!deaths.would_cycle(A));
    }

    #[test]
    fn a_letter_keeps_its_key_unless_the_queue_gives_it_another() {
        let mut to = DeadLetterTo { exchange: ExchangeId::DEFAULT, routing_key: None };
        assert_eq!(to.key("orders"), "orders");
        to.routing_key = Some("failed".into());
        assert_eq!(to.key("orders"), "failed");
    }
}
