//! The consumers of a queue: whose turn it is.
//!
//! A message goes to a consumer of the highest priority among those that have credit, which take turns. A consumer has credit if it
//! holds fewer unacknowledged messages than its prefetch limit, or has no limit, or acknowledges by receiving. One that has no
//! credit loses its turn, and gets a new one behind the others when it acknowledges. With a single active consumer, the one that
//! subscribed first gets everything, and those that wait follow in the order in which they came.
//!
//! Source: rabbitmq.com/docs/consumers, consumer-prefetch, consumer-priority.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use crate::protocol::amqp::error::ChannelError;
use crate::protocol::amqp::id::ConsumerId;
use crate::protocol::amqp::unsettled::Unsettled;
use crate::words;

words! {
    /// When a message counts as processed.
    pub enum Acknowledge {
        /// When the consumer says so. What it did not say when it fails is delivered again.
        Manual = "manual",
        /// As soon as it is sent. What is under way when the consumer fails is lost, and the prefetch limit means nothing.
        Automatic = "automatic",
    }
}

/// How a consumer subscribes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// How many messages it may hold unacknowledged; without one, as many as there are.
    pub prefetch: Option<NonZeroU32>,
    /// When a message counts as processed.
    pub acknowledge: Acknowledge,
    /// Consumers of a higher priority go first while they have credit.
    pub priority: i32,
    /// Whether it is refused unless it is alone, and keeps others out.
    pub exclusive: bool,
}

impl Default for Subscription {
    /// RabbitMQ's: no limit, manual, priority 0, not exclusive.
    fn default() -> Self {
        Self { prefetch: None, acknowledge: Acknowledge::Manual, priority: 0, exclusive: false }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Consumer<E> {
    pub subscription: Subscription,
    pub unacked: Unsettled<E>,
    /// The tag of its newest delivery.
    pub tag: u64,
    /// It was cancelled, and gets nothing more, but may still settle what it holds.
    is_cancelled: bool,
    /// Whether it stands in a ring.
    has_turn: bool,
}

impl<E> Consumer<E> {
    fn new(subscription: Subscription, is_cancelled: bool) -> Self {
        Self { subscription, unacked: Unsettled::default(), tag: 0, is_cancelled, has_turn: false }
    }

    pub fn is_automatic(&self) -> bool {
        self.subscription.acknowledge == Acknowledge::Automatic
    }

    fn has_credit(&self) -> bool {
        let limit = self.subscription.prefetch.map_or(usize::MAX, |limit| limit.get() as usize);
        self.is_automatic() || self.unacked.len() < limit
    }
}

#[derive(Clone, Debug)]
pub(super) struct Consumers<E> {
    all: BTreeMap<ConsumerId, Consumer<E>>,
    /// Those with credit, by priority, the highest first; next in front.
    rings: Vec<(i32, VecDeque<ConsumerId>)>,
    /// Those that subscribed and were not cancelled, in this order.
    subscribed: Vec<ConsumerId>,
    has_single: bool,
    /// The one that gets everything, if one does.
    active: Option<ConsumerId>,
    unacked: usize,
}

impl<E> Consumers<E> {
    pub fn new(has_single: bool) -> Self {
        Self { all: BTreeMap::new(), rings: vec![], subscribed: vec![], has_single, active: None, unacked: 0 }
    }

    /// How many are subscribed.
    pub fn len(&self) -> usize {
        self.subscribed.len()
    }

    /// How many messages wait for an acknowledgement.
    pub fn unacked(&self) -> usize {
        self.unacked
    }

    pub fn get(&self, id: ConsumerId) -> Option<&Consumer<E>> {
        self.all.get(&id)
    }

    pub fn active(&self) -> Option<ConsumerId> {
        self.active
    }

    /// Whether one consumer gets everything.
    pub fn has_single(&self) -> bool {
        self.has_single
    }

    pub fn subscribe(&mut self, id: ConsumerId, subscription: Subscription) -> Result<(), ChannelError> {
        let known = self.all.get(&id);
        if known.is_some_and(|consumer| !consumer.is_cancelled) {
            return Err(ChannelError::ConsumerExists);
        }
        let is_taken = self.subscribed.iter().any(|other| self.all[other].subscription.exclusive);
        if is_taken || subscription.exclusive && (self.has_single || !self.subscribed.is_empty()) {
            return Err(ChannelError::ExclusiveUse);
        }
        let consumer = self.all.entry(id).or_insert_with(|| Consumer::new(subscription, false));
        // One that was cancelled and comes back goes on with its tags, since its channel is the same.
        consumer.subscription = subscription;
        consumer.is_cancelled = false;
        self.subscribed.push(id);
        if self.has_single {
            self.active.get_or_insert(id);
        }
        self.give_turn(id);
        Ok(())
    }

    /// Nothing more for this one; whether it was subscribed.
    pub fn cancel(&mut self, id: ConsumerId) -> bool {
        let Some(consumer) = self.all.get_mut(&id).filter(|consumer| !consumer.is_cancelled) else { return false };
        consumer.is_cancelled = true;
        if consumer.has_turn {
            consumer.has_turn = false;
            for (_, ring) in &mut self.rings {
                ring.retain(|&other| other != id);
            }
        }
        self.subscribed.retain(|&other| other != id);
        if self.active == Some(id) {
            self.active = self.subscribed.first().copied();
        }
        true
    }

    /// Takes out this one and what it holds, in order of delivery.
    pub fn remove(&mut self, id: ConsumerId) -> Option<Unsettled<E>> {
        self.cancel(id);
        let consumer = self.all.remove(&id)?;
        self.unacked -= consumer.unacked.len();
        Some(consumer.unacked)
    }

    /// The ids of all that are known, cancelled ones included.
    pub fn ids(&self) -> Vec<ConsumerId> {
        self.all.keys().copied().collect()
    }

    /// Whether a message could be delivered.
    pub fn can_take(&self) -> bool {
        self.next().is_some()
    }

    /// Hands one to whose turn it is, which has to be there. Says to whom, under which tag, and gives it back if it is settled by
    /// that.
    pub fn hand(&mut self, entry: E) -> Option<(ConsumerId, u64, Option<E>)> {
        let id = self.take_turn()?;
        let consumer = self.all.get_mut(&id)?;
        consumer.tag += 1;
        let tag = consumer.tag;
        let settled = if consumer.is_automatic() {
            Some(entry)
        } else {
            consumer.unacked.push(tag, entry);
            self.unacked += 1;
            None
        };
        self.give_turn(id);
        Some((id, tag, settled))
    }

    /// Gives one to somebody who did not subscribe. Says under which tag, and gives it back if it is settled by that.
    pub fn give(&mut self, id: ConsumerId, entry: E, acknowledge: Acknowledge) -> (u64, Option<E>) {
        let holder = self.all.entry(id).or_insert_with(|| Consumer::new(Subscription::default(), true));
        holder.tag += 1;
        let tag = holder.tag;
        if acknowledge == Acknowledge::Automatic {
            return (tag, Some(entry));
        }
        holder.unacked.push(tag, entry);
        self.unacked += 1;
        (tag, None)
    }

    /// Whether a consumer may settle this tag; with `multiple`, 0 means all it holds.
    pub fn may_settle(&self, id: ConsumerId, tag: u64, multiple: bool) -> Result<(), ChannelError> {
        let known = self.all.get(&id).is_some_and(|consumer| consumer.unacked.contains(tag));
        if known || multiple && tag == 0 { Ok(()) } else { Err(ChannelError::UnknownTag) }
    }

    /// Takes out one that is settled, the oldest up to the tag if it is `multiple`.
    pub fn settle(&mut self, id: ConsumerId, tag: u64, multiple: bool) -> Option<E> {
        let consumer = self.all.get_mut(&id)?;
        let entry = match (multiple, tag) {
            (false, tag) => consumer.unacked.remove(tag),
            (true, 0) => consumer.unacked.pop_up_to(u64::MAX),
            (true, tag) => consumer.unacked.pop_up_to(tag),
        }?;
        self.unacked -= 1;
        self.give_turn(id);
        Some(entry)
    }

    fn next(&self) -> Option<ConsumerId> {
        if self.has_single {
            return self.active.filter(|id| self.all[id].has_credit());
        }
        self.rings.iter().find_map(|(_, ring)| ring.front()).copied()
    }

    fn take_turn(&mut self) -> Option<ConsumerId> {
        if self.has_single {
            return self.next();
        }
        let id = self.rings.iter_mut().find_map(|(_, ring)| ring.pop_front())?;
        self.all.get_mut(&id)?.has_turn = false;
        Some(id)
    }

    /// Puts it behind the others of its priority, if it has credit and does not stand there yet.
    fn give_turn(&mut self, id: ConsumerId) {
        let Some(consumer) = self.all.get_mut(&id) else { return };
        if self.has_single || consumer.has_turn || consumer.is_cancelled || !consumer.has_credit() {
            return;
        }
        consumer.has_turn = true;
        let priority = consumer.subscription.priority;
        // As many rings as there ever were priorities: nearly always one.
        let place = self.rings.partition_point(|&(other, _)| other > priority);
        if self.rings.get(place).is_none_or(|&(other, _)| other != priority) {
            self.rings.insert(place, (priority, VecDeque::new()));
        }
        self.rings[place].1.push_back(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ConsumerId {
        ConsumerId::new(number)
    }

    fn with_prefetch(limit: u32) -> Subscription {
        Subscription { prefetch: NonZeroU32::new(limit), ..Default::default() }
    }

    /// To whom so many go.
    fn turns(consumers: &mut Consumers<u32>, count: u32) -> Vec<u64> {
        (0..count).map_while(|entry| consumers.hand(entry)).map(|(id, _, _)| id.get()).collect()
    }

    #[test]
    fn consumers_take_turns() {
        let mut consumers = Consumers::new(false);
        for number in [3, 1, 2] {
            consumers.subscribe(id(number), Subscription::default()).unwrap();
        }
        assert_eq!(turns(&mut consumers, 7), [3, 1, 2, 3, 1, 2, 3]);
        assert_eq!((consumers.len(), consumers.unacked()), (3, 7));
    }

    /// 1 and 2 hold two each, then nobody has credit. 2 acknowledges one and gets the next.
    #[test]
    fn a_consumer_never_holds_more_than_its_prefetch() {
        let mut consumers = Consumers::new(false);
        for number in [1, 2] {
            consumers.subscribe(id(number), with_prefetch(2)).unwrap();
        }
        assert_eq!(turns(&mut consumers, 9), [1, 2, 1, 2]);
        assert!(!consumers.can_take());
        assert_eq!(consumers.settle(id(2), 1, false), Some(1));
        assert_eq!(turns(&mut consumers, 9), [2]);
    }

    #[test]
    fn automatic_acknowledgement_knows_no_prefetch() {
        let mut consumers = Consumers::new(false);
        consumers.subscribe(id(1), Subscription { acknowledge: Acknowledge::Automatic, ..with_prefetch(1) }).unwrap();
        assert_eq!(consumers.hand(7), Some((id(1), 1, Some(7))));
        assert_eq!(consumers.hand(8), Some((id(1), 2, Some(8))));
        assert_eq!(consumers.unacked(), 0);
        assert_eq!(consumers.may_settle(id(1), 1, false), Err(ChannelError::UnknownTag));
    }

    /// 2 and 3 have priority 10 and room for one each; 1 gets what is left.
    #[test]
    fn consumers_of_lower_priority_get_what_higher_ones_have_no_credit_for() {
        let mut consumers = Consumers::new(false);
        consumers.subscribe(id(1), Subscription::default()).unwrap();
        for number in [2, 3] {
            consumers.subscribe(id(number), Subscription { priority: 10, ..with_prefetch(1) }).unwrap();
        }
        assert_eq!(turns(&mut consumers, 4), [2, 3, 1, 1]);
        consumers.settle(id(3), 0, true).unwrap();
        assert_eq!(turns(&mut consumers, 2), [3, 1]);
    }

    #[test]
    fn a_single_active_consumer_is_followed_in_order_of_subscription() {
        let mut consumers = Consumers::new(true);
        for number in [5, 9, 1] {
            consumers.subscribe(id(number), with_prefetch(2)).unwrap();
        }
        assert_eq!(turns(&mut consumers, 3), [5, 5]);
        consumers.cancel(id(5));
        assert_eq!(consumers.active(), Some(id(9)));
        assert_eq!(turns(&mut consumers, 3), [9, 9]);
        consumers.remove(id(9)).unwrap();
        assert_eq!(turns(&mut consumers, 3), [1, 1]);
        assert_eq!(consumers.unacked(), 4);
    }

    #[test]
    fn an_exclusive_consumer_is_alone() {
        let exclusive = Subscription { exclusive: true, ..Default::default() };
        let mut consumers = Consumers::<u32>::new(false);
        consumers.subscribe(id(1), exclusive).unwrap();
        assert_eq!(consumers.subscribe(id(2), Subscription::default()), Err(ChannelError::ExclusiveUse));
        consumers.cancel(id(1));
        consumers.subscribe(id(2), Subscription::default()).unwrap();
        assert_eq!(consumers.subscribe(id(1), exclusive), Err(ChannelError::ExclusiveUse));
        assert_eq!(Consumers::<u32>::new(true).subscribe(id(1), exclusive), Err(ChannelError::ExclusiveUse));
    }

    #[test]
    fn a_consumer_subscribes_once() {
        let mut consumers = Consumers::<u32>::new(false);
        consumers.subscribe(id(1), Subscription::default()).unwrap();
        assert_eq!(consumers.subscribe(id(1), Subscription::default()), Err(ChannelError::ConsumerExists));
    }

    /// It holds tag 1, is cancelled, comes back and goes on with tag 2; both can be settled.
    #[test]
    fn a_cancelled_consumer_may_settle_what_it_holds() {
        let mut consumers = Consumers::new(false);
        consumers.subscribe(id(1), Subscription::default()).unwrap();
        consumers.hand(70).unwrap();
        assert!(consumers.cancel(id(1)) && !consumers.cancel(id(1)) && !consumers.can_take());
        consumers.subscribe(id(1), Subscription::default()).unwrap();
        assert_eq!(consumers.hand(71), Some((id(1), 2, None)));
        assert_eq!(consumers.may_settle(id(1), 2, true), Ok(()));
        assert_eq!(consumers.settle(id(1), 2, true), Some(70));
        assert_eq!(consumers.settle(id(1), 2, true), Some(71));
        assert_eq!(consumers.settle(id(1), 2, true), None);
    }
}
