//! Publisher confirms: what a channel owes its publisher, and what the publisher waits for.
//!
//! The messages of a channel are numbered from 1. One is confirmed as soon as every queue it was routed to has taken
//! responsibility for it ([`Responsibility`]); a negative confirm follows as soon as one queue refuses. A message that reaches no
//! queue is confirmed at once, after it was returned if it is mandatory. Confirms may come in any order, and one may stand for
//! all messages up to its number.
//!
//! Source: rabbitmq.com/docs/confirms; the batching is that of RabbitMQ's `rabbit_channel`.

use std::collections::VecDeque;

use super::queue::{QueueType, WorkQueueSettings};
use super::unsettled::Unsettled;

/// When a queue has taken responsibility for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Responsibility {
    /// As soon as it is in the queue: a crash loses it anyway.
    Enqueued,
    /// When it was written to disk and synced, or was acknowledged by a consumer before that.
    Synced,
    /// When a majority of replicas has written it.
    Committed,
}

impl Responsibility {
    /// That of such a queue, for a message that is `persistent` or not.
    pub fn of(settings: &WorkQueueSettings, persistent: bool) -> Self {
        match settings.kind() {
            QueueType::Quorum => Self::Committed,
            QueueType::Classic if settings.durable && persistent => Self::Synced,
            QueueType::Classic => Self::Enqueued,
        }
    }
}

/// What a broker does at once with a message that was published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Published {
    /// Its number on the channel, from 1.
    pub sequence: u64,
    /// Whether it is returned to its publisher, before it is confirmed.
    pub is_returned: bool,
}

/// A confirm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Confirm {
    /// The message's number.
    pub sequence: u64,
    /// Whether it stands for all up to this number that were not confirmed before.
    pub multiple: bool,
    /// Whether the broker took responsibility. If not, the message may be lost, and should be published again.
    pub is_positive: bool,
}

/// The confirms that a channel owes its publisher.
#[derive(Clone, Debug)]
pub struct Confirms {
    /// The number of the first slot: the oldest message that is not decided.
    first: u64,
    /// For each message how many queues it waits for; 0 if it is decided.
    slots: VecDeque<u32>,
    /// How many are not decided.
    open: usize,
    confirmed: Vec<u64>,
    refused: Vec<u64>,
}

impl Default for Confirms {
    fn default() -> Self {
        Self::new()
    }
}

impl Confirms {
    /// Nothing was published.
    pub const fn new() -> Self {
        Self { first: 1, slots: VecDeque::new(), open: 0, confirmed: vec![], refused: vec![] }
    }

    /// A message was published and routed to so many queues.
    pub fn publish(&mut self, queues: u32, mandatory: bool) -> Published {
        let sequence = self.first + self.slots.len() as u64;
        self.slots.push_back(queues);
        if queues == 0 {
            self.confirmed.push(sequence);
            self.trim();
        } else {
            self.open += 1;
        }
        Published { sequence, is_returned: mandatory && queues == 0 }
    }

    /// One more queue has taken responsibility for a message; each tells once.
    pub fn taken(&mut self, sequence: u64) {
        let Some(waits) = self.waits(sequence) else { return };
        *waits -= 1;
        if *waits == 0 {
            self.open -= 1;
            self.confirmed.push(sequence);
            self.trim();
        }
    }

    /// A queue refuses a message, or was lost before it took it: the others no longer matter.
    pub fn refused(&mut self, sequence: u64) {
        let Some(waits) = self.waits(sequence) else { return };
        *waits = 0;
        self.open -= 1;
        self.refused.push(sequence);
        self.trim();
    }

    /// Puts what can be said by now at the end of `out`. Whatever is older than every message that is not decided goes into one
    /// confirm.
    pub fn answer(&mut self, out: &mut Vec<Confirm>) {
        self.confirmed.sort_unstable();
        self.refused.sort_unstable();
        let limit = |others: &[u64]| others.first().map_or(self.first, |&other| other.min(self.first));
        let (confirmed, refused) = (limit(&self.refused), limit(&self.confirmed));
        batch(&mut self.confirmed, confirmed, true, out);
        batch(&mut self.refused, refused, false, out);
    }

    /// How many messages are not decided.
    pub fn undecided(&self) -> usize {
        self.open
    }

    fn waits(&mut self, sequence: u64) -> Option<&mut u32> {
        let place = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(place).filter(|waits| **waits > 0)
    }

    fn trim(&mut self) {
        while self.slots.front() == Some(&0) {
            self.slots.pop_front();
            self.first += 1;
        }
    }
}

/// Says all of a sorted list, those below `limit` at once.
fn batch(list: &mut Vec<u64>, limit: u64, is_positive: bool, out: &mut Vec<Confirm>) {
    let together = list.partition_point(|&sequence| sequence < limit);
    if let Some(&sequence) = list[..together].last() {
        out.push(Confirm { sequence, multiple: together > 1, is_positive });
    }
    out.extend(list[together..].iter().map(|&sequence| Confirm { sequence, multiple: false, is_positive }));
    list.clear();
}

/// What a publisher waits for: its messages, by their numbers on the channel.
#[derive(Clone, Debug)]
pub struct Unconfirmed<M> {
    next: u64,
    messages: Unsettled<M>,
}

impl<M> Default for Unconfirmed<M> {
    fn default() -> Self {
        Self { next: 1, messages: Unsettled::default() }
    }
}

impl<M> Unconfirmed<M> {
    /// A message is published; its number.
    pub fn publish(&mut self, message: M) -> u64 {
        let sequence = self.next;
        self.next += 1;
        self.messages.push(sequence, message);
        sequence
    }

    /// A confirm arrives: the messages it is about are put at the end of `settled`, in order.
    pub fn settle(&mut self, confirm: Confirm, settled: &mut Vec<M>) {
        if confirm.multiple {
            settled.extend(std::iter::from_fn(|| self.messages.pop_up_to(confirm.sequence)));
        } else {
            settled.extend(self.messages.remove(confirm.sequence));
        }
    }

    /// The channel is lost: nobody will ever know of those that are left. They are put at the end of `unknown`, in order, and the
    /// next channel begins at 1.
    pub fn lose(&mut self, unknown: &mut Vec<M>) {
        unknown.extend(std::iter::from_fn(|| self.messages.pop_up_to(u64::MAX)));
        self.next = 1;
    }

    /// How many messages wait for their confirm.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::amqp::laws::fixed;

    fn answers(confirms: &mut Confirms) -> Vec<(u64, bool, bool)> {
        let mut out = vec![];
        confirms.answer(&mut out);
        out.into_iter().map(|confirm| (confirm.sequence, confirm.multiple, confirm.is_positive)).collect()
    }

    #[test]
    fn a_message_is_confirmed_when_every_queue_has_taken_it() {
        let mut confirms = Confirms::new();
        assert_eq!(confirms.publish(2, false), Published { sequence: 1, is_returned: false });
        confirms.taken(1);
        assert_eq!(answers(&mut confirms), []);
        confirms.taken(1);
        assert_eq!(answers(&mut confirms), [(1, false, true)]);
        confirms.taken(1);
        assert_eq!((answers(&mut confirms), confirms.undecided()), (vec![], 0));
    }

    #[test]
    fn an_unroutable_message_is_confirmed_at_once_and_returned_if_mandatory() {
        let mut confirms = Confirms::new();
        assert_eq!(confirms.publish(0, false), Published { sequence: 1, is_returned: false });
        assert_eq!(confirms.publish(0, true), Published { sequence: 2, is_returned: true });
        assert_eq!(confirms.publish(1, true), Published { sequence: 3, is_returned: false });
        assert_eq!(answers(&mut confirms), [(2, true, true)]);
    }

    /// 1, 2, 3 and 5 are taken; 4 is not: 1 to 3 go together, 5 alone.
    #[test]
    fn what_is_older_than_all_that_is_open_is_confirmed_together() {
        let mut confirms = Confirms::new();
        (0..5).for_each(|_| _ = confirms.publish(1, false));
        for sequence in [3, 1, 5, 2] {
            confirms.taken(sequence);
        }
        assert_eq!(answers(&mut confirms), [(3, true, true), (5, false, true)]);
        confirms.taken(4);
        assert_eq!(answers(&mut confirms), [(4, false, true)]);
    }

    /// The second queue of 2 refuses it, and what the first says later does not matter. 3 must not be confirmed by a confirm that
    /// covers 2 as well.
    #[test]
    fn one_queue_that_refuses_is_enough_for_a_negative_confirm() {
        let mut confirms = Confirms::new();
        (0..3).for_each(|_| _ = confirms.publish(2, false));
        for sequence in [1, 1, 3, 3] {
            confirms.taken(sequence);
        }
        confirms.refused(2);
        confirms.taken(2);
        assert_eq!(answers(&mut confirms), [(1, false, true), (3, false, true), (2, false, false)]);
    }

    #[test]
    fn a_queue_takes_responsibility_as_late_as_it_is_safe() {
        let classic = WorkQueueSettings::default();
        let transient = WorkQueueSettings { durable: false, ..classic.clone() };
        let quorum = WorkQueueSettings { r#type: Some(QueueType::Quorum), ..classic.clone() };
        for (settings, persistent, expected) in [
            (&classic, true, Responsibility::Synced),
            (&classic, false, Responsibility::Enqueued),
            (&transient, true, Responsibility::Enqueued),
            (&quorum, true, Responsibility::Committed),
            (&quorum, false, Responsibility::Committed),
        ] {
            assert_eq!(Responsibility::of(settings, persistent), expected);
        }
    }

    #[test]
    fn a_lost_channel_leaves_what_nobody_knows_of() {
        let (mut unconfirmed, mut settled, mut unknown) = (Unconfirmed::default(), vec![], vec![]);
        (10..14).for_each(|message| _ = unconfirmed.publish(message));
        unconfirmed.settle(Confirm { sequence: 3, multiple: false, is_positive: true }, &mut settled);
        unconfirmed.settle(Confirm { sequence: 1, multiple: true, is_positive: true }, &mut settled);
        unconfirmed.lose(&mut unknown);
        assert_eq!((settled, unknown, unconfirmed.len()), (vec![12, 10], vec![11, 13], 0));
        assert_eq!(unconfirmed.publish(14), 1);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Steps: publish to so many queues, a queue takes or refuses, the channel answers. In the end everything is decided, and
        /// the publisher heard of each message once, what its queues said.
        #[test]
        fn a_publisher_hears_of_each_message_once_and_the_truth(
            steps in vec((0_u8..8, 0_u32..4, any::<prop::sample::Index>()), 0..200),
        ) {
            let (mut confirms, mut unconfirmed) = (Confirms::new(), Unconfirmed::default());
            // Per message: how many queues are left, whether one refused, and what was heard.
            let mut truth: Vec<(u32, bool, Vec<bool>)> = vec![];
            let end = (0..200).map(|_| (4, 0, None)).chain([(7, 0, None)]);
            for (step, queues, pick) in steps.into_iter().map(|(step, queues, pick)| (step, queues, Some(pick))).chain(end) {
                let open: Vec<_> = (0..truth.len()).filter(|&place| truth[place].0 > 0).collect();
                match step {
                    0..3 => {
                        let published = confirms.publish(queues, true);
                        prop_assert_eq!(published.is_returned, queues == 0);
                        prop_assert_eq!(unconfirmed.publish(truth.len()), published.sequence);
                        truth.push((queues, false, vec![]));
                    }
                    3..7 if !open.is_empty() => {
                        let place = pick.map_or(open[0], |pick: prop::sample::Index| open[pick.index(open.len())]);
                        let sequence = place as u64 + 1;
                        if step == 6 {
                            truth[place] = (0, true, truth[place].2.clone());
                            confirms.refused(sequence);
                        } else {
                            truth[place].0 -= if pick.is_some() { 1 } else { truth[place].0 };
                            (0..3).take(if pick.is_some() { 1 } else { 3 }).for_each(|_| confirms.taken(sequence));
                        }
                    }
                    3..7 => {}
                    _ => {
                        let mut answers = vec![];
                        confirms.answer(&mut answers);
                        for answer in answers {
                            let mut settled = vec![];
                            unconfirmed.settle(answer, &mut settled);
                            settled.into_iter().for_each(|place: usize| truth[place].2.push(answer.is_positive));
                        }
                    }
                }
                prop_assert_eq!(confirms.undecided(), truth.iter().filter(|message| message.0 > 0).count());
            }
            for (_, refused, heard) in truth {
                prop_assert_eq!(heard, [!refused]);
            }
        }
    }
}
