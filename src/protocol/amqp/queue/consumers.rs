//! The consumers of a queue: whose turn it is.
//!
//! A message goes to a consumer of the highest priority among those that have credit, which take turns. A consumer has credit if it
//! holds fewer unacknowledged messages of its subscription than its prefetch limit, or has no limit, or acknowledges by receiving.
//! One that has no credit loses its turn, and gets a new one behind the others when it acknowledges: at a quorum queue as soon as
//! it has no credit, at a classic queue not before its turn comes for a message and it cannot take it.
//!
//! With a single active consumer, the one that subscribed first gets everything. It is followed by the one of the highest priority,
//! and among these by the one that subscribed first. At a quorum queue one of a higher priority does not wait for that: the active
//! consumer gets nothing more, and hands over when it has settled what it holds.
//!
//! Source: rabbitmq.com/docs/consumers, consumer-prefetch, consumer-priority; turns as `rabbit_queue_consumers` (classic) and
//! `rabbit_fifo` (quorum) of RabbitMQ 4.0 take them.

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
    /// How many messages it may hold unacknowledged; without one, as many as there are at a classic queue, and 2000 at a quorum
    /// queue.
    pub prefetch: Option<NonZeroU32>,
    /// When a message counts as processed.
    pub acknowledge: Acknowledge,
    /// Consumers of a higher priority go first while they have credit.
    pub priority: i32,
    /// Whether it is refused unless it is alone, and keeps others out. A quorum queue does not look at it.
    pub exclusive: bool,
}

impl Default for Subscription {
    /// RabbitMQ's: no limit, manual, priority 0, not exclusive.
    fn default() -> Self {
        Self { prefetch: None, acknowledge: Acknowledge::Manual, priority: 0, exclusive: false }
    }
}

/// How many messages a quorum queue lets a consumer hold that says no limit.
const UNLIMITED: usize = 2000;

#[derive(Clone, Debug)]
pub(super) struct Consumer<E> {
    pub subscription: Subscription,
    pub unacked: Unsettled<E>,
    /// The tag of its newest delivery.
    pub tag: u64,
    /// Deliveries up to this tag are of an earlier subscription: they do not count for its limit.
    since: u64,
    /// How many of its unacknowledged deliveries count.
    counted: usize,
    /// It was cancelled, and gets nothing more, but may still settle what it holds.
    is_cancelled: bool,
    /// Whether it stands in a ring.
    has_turn: bool,
}

impl<E> Consumer<E> {
    fn new(subscription: Subscription, is_cancelled: bool) -> Self {
        Self {
            subscription,
            unacked: Unsettled::default(),
            tag: 0,
            since: 0,
            counted: 0,
            is_cancelled,
            has_turn: false,
        }
    }

    pub fn is_automatic(&self) -> bool {
        self.subscription.acknowledge == Acknowledge::Automatic
    }

    fn has_credit(&self, is_quorum: bool) -> bool {
        let unlimited = if is_quorum { UNLIMITED } else { usize::MAX };
        let limit = self.subscription.prefetch.map_or(unlimited, |limit| limit.get() as usize);
        self.is_automatic() || self.counted < limit
    }
}

#[derive(Clone, Debug)]
pub(super) struct Consumers<E> {
    all: BTreeMap<ConsumerId, Consumer<E>>,
    /// Those in line, by priority, the highest first; next in front. At a classic queue some of them may have no credit.
    rings: Vec<(i32, VecDeque<ConsumerId>)>,
    /// Those that subscribed and were not cancelled, in this order.
    subscribed: Vec<ConsumerId>,
    has_single: bool,
    /// Whether the queue is a quorum queue.
    is_quorum: bool,
    /// The one that gets everything, if one does.
    active: Option<ConsumerId>,
    /// Whether it gets nothing more, since it has to make way.
    is_leaving: bool,
    unacked: usize,
}

impl<E> Consumers<E> {
    /// Nobody; whether one consumer gets everything, and whether the queue is a quorum queue.
    pub fn new(has_single: bool, is_quorum: bool) -> Self {
        let (all, rings, subscribed) = (BTreeMap::new(), vec![], vec![]);
        Self { all, rings, subscribed, has_single, is_quorum, active: None, is_leaving: false, unacked: 0 }
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
        // A quorum queue does not look at it.
        let subscription = Subscription { exclusive: subscription.exclusive && !self.is_quorum, ..subscription };
        let is_taken = self.subscribed.iter().any(|other| self.all[other].subscription.exclusive);
        if is_taken || subscription.exclusive && (self.has_single || !self.subscribed.is_empty()) {
            return Err(ChannelError::ExclusiveUse);
        }
        let consumer = self.all.entry(id).or_insert_with(|| Consumer::new(subscription, false));
        // One that was cancelled and comes back goes on with its tags, since its channel is the same.
        consumer.subscription = subscription;
        consumer.is_cancelled = false;
        (consumer.since, consumer.counted) = (consumer.tag, 0);
        self.subscribed.push(id);
        if self.has_single {
            self.active.get_or_insert(id);
            self.rank();
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
            self.active = self.first();
        }
        if self.has_single {
            self.rank();
        }
        true
    }

    /// The consumer of the highest priority that subscribed first.
    fn first(&self) -> Option<ConsumerId> {
        let priority = |id: &ConsumerId| self.all[id].subscription.priority;
        self.subscribed.iter().copied().min_by_key(|id| std::cmp::Reverse(priority(id)))
    }

    /// Looks whether the single active consumer of a quorum queue has to make way for one of a higher priority.
    fn rank(&mut self) {
        let priority = |id: ConsumerId| self.all[&id].subscription.priority;
        let both = self.active.zip(self.first());
        self.is_leaving = self.is_quorum && both.is_some_and(|(active, first)| priority(first) > priority(active));
        self.hand_over();
    }

    /// It does as soon as it holds nothing.
    fn hand_over(&mut self) {
        if self.is_leaving && self.active.is_none_or(|id| self.all[&id].counted == 0) {
            (self.active, self.is_leaving) = (self.first(), false);
        }
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

    /// Whether somebody could take a message that is there. Those whose turn it is and who have no credit lose it.
    pub fn can_take(&mut self) -> bool {
        if self.has_single {
            return self.active.is_some_and(|id| self.all[&id].has_credit(self.is_quorum)) && !self.is_leaving;
        }
        for (_, ring) in &mut self.rings {
            while let Some(id) = ring.front() {
                let Some(consumer) = self.all.get_mut(id) else { break };
                if consumer.has_credit(self.is_quorum) {
                    return true;
                }
                consumer.has_turn = false;
                ring.pop_front();
            }
        }
        false
    }

    /// Hands one to whose turn it is. Says to whom, under which tag, and gives it back if it is settled by that.
    pub fn hand(&mut self, entry: E) -> Option<(ConsumerId, u64, Option<E>)> {
        let id = self.take_turn()?;
        let consumer = self.all.get_mut(&id)?;
        consumer.tag += 1;
        let tag = consumer.tag;
        let settled = if consumer.is_automatic() {
            Some(entry)
        } else {
            consumer.unacked.push(tag, entry);
            consumer.counted += 1;
            self.unacked += 1;
            None
        };
        if consumer.has_credit(self.is_quorum) || !self.is_quorum {
            self.give_turn(id);
        }
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
        holder.counted += 1;
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
        let most = if tag == 0 { u64::MAX } else { tag };
        let tag = if multiple { consumer.unacked.oldest().filter(|&oldest| oldest <= most)? } else { tag };
        let entry = consumer.unacked.remove(tag)?;
        self.unacked -= 1;
        if tag > consumer.since {
            consumer.counted -= 1;
            if consumer.has_credit(self.is_quorum) {
                self.give_turn(id);
            }
        }
        if self.has_single {
            self.hand_over();
        }
        Some(entry)
    }

    fn take_turn(&mut self) -> Option<ConsumerId> {
        if !self.can_take() {
            return None;
        }
        if self.has_single {
            return self.active;
        }
        let id = self.rings.iter_mut().find_map(|(_, ring)| ring.pop_front())?;
        self.all.get_mut(&id)?.has_turn = false;
        Some(id)
    }

    /// Puts it behind the others of its priority, if it does not stand there yet.
    fn give_turn(&mut self, id: ConsumerId) {
        let Some(consumer) = self.all.get_mut(&id) else { return };
        if self.has_single || consumer.has_turn || consumer.is_cancelled {
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
        let mut consumers = Consumers::new(false, false);
        for number in [3, 1, 2] {
            consumers.subscribe(id(number), Subscription::default()).unwrap();
        }
        assert_eq!(turns(&mut consumers, 7), [3, 1, 2, 3, 1, 2, 3]);
        assert_eq!((consumers.len(), consumers.unacked()), (3, 7));
    }

    /// 1 and 2 hold two each, then nobody has credit. 2 acknowledges one and gets the next.
    #[test]
    fn a_consumer_never_holds_more_than_its_prefetch() {
        let mut consumers = Consumers::new(false, false);
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
        let mut consumers = Consumers::new(false, false);
        consumers.subscribe(id(1), Subscription { acknowledge: Acknowledge::Automatic, ..with_prefetch(1) }).unwrap();
        assert_eq!(consumers.hand(7), Some((id(1), 1, Some(7))));
        assert_eq!(consumers.hand(8), Some((id(1), 2, Some(8))));
        assert_eq!(consumers.unacked(), 0);
        assert_eq!(consumers.may_settle(id(1), 1, false), Err(ChannelError::UnknownTag));
    }

    /// 2 and 3 have priority 10 and room for one each; 1 gets what is left.
    #[test]
    fn consumers_of_lower_priority_get_what_higher_ones_have_no_credit_for() {
        let mut consumers = Consumers::new(false, false);
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
        let mut consumers = Consumers::new(true, false);
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

    /// 1 and 2 hold one each, then both acknowledge, 2 first. A classic queue did not notice that they had no credit, so it is the
    /// turn of 1; at a quorum queue both left the line, and 2 came back first.
    #[test]
    fn a_classic_queue_notices_a_lack_of_credit_when_it_is_in_the_way() {
        for (is_quorum, next) in [(false, [1, 2]), (true, [2, 1])] {
            let mut consumers = Consumers::new(false, is_quorum);
            for number in [1, 2] {
                consumers.subscribe(id(number), with_prefetch(1)).unwrap();
            }
            assert_eq!(turns(&mut consumers, 2), [1, 2]);
            for number in [2, 1] {
                consumers.settle(id(number), 1, false).unwrap();
            }
            assert_eq!(turns(&mut consumers, 2), next);
        }
    }

    /// It holds two, is cancelled, and comes back with a limit of one: it gets one. What it settles of the first two changes
    /// nothing, and the third gives it credit.
    #[test]
    fn what_was_delivered_before_a_subscription_does_not_count_for_its_prefetch() {
        let mut consumers = Consumers::new(false, false);
        consumers.subscribe(id(1), with_prefetch(2)).unwrap();
        assert_eq!(turns(&mut consumers, 9).len(), 2);
        consumers.cancel(id(1));
        consumers.subscribe(id(1), with_prefetch(1)).unwrap();
        assert_eq!(turns(&mut consumers, 9).len(), 1);
        assert_eq!((consumers.settle(id(1), 1, false), consumers.can_take()), (Some(0), false));
        assert_eq!((consumers.settle(id(1), 3, false), consumers.can_take()), (Some(0), true));
    }

    #[test]
    fn a_quorum_queue_lets_a_consumer_hold_two_thousand_without_a_limit() {
        for (is_quorum, most) in [(true, 2000), (false, 2500)] {
            let mut consumers = Consumers::new(false, is_quorum);
            consumers.subscribe(id(1), Subscription::default()).unwrap();
            assert_eq!(turns(&mut consumers, 2500).len(), most);
        }
    }

    /// 5 is active when 9 and 1 come; 1 has a higher priority, and is the next although 9 was first.
    #[test]
    fn a_single_active_consumer_is_followed_by_the_highest_priority() {
        let mut consumers = Consumers::new(true, false);
        for (number, priority) in [(5, 0), (9, 0), (1, 3)] {
            consumers.subscribe(id(number), Subscription { priority, ..with_prefetch(2) }).unwrap();
        }
        assert_eq!(turns(&mut consumers, 1), [5]);
        consumers.cancel(id(5));
        assert_eq!(consumers.active(), Some(id(1)));
    }

    /// 1 holds a message when 2 comes with a higher priority: 1 gets nothing more, and 2 gets all once 1 has settled it.
    #[test]
    fn a_higher_priority_takes_over_a_quorum_queue_when_the_active_consumer_holds_nothing() {
        let mut consumers = Consumers::new(true, true);
        consumers.subscribe(id(1), Subscription::default()).unwrap();
        assert_eq!(turns(&mut consumers, 1), [1]);
        consumers.subscribe(id(2), Subscription { priority: 1, ..Default::default() }).unwrap();
        assert_eq!((consumers.active(), consumers.can_take()), (Some(id(1)), false));
        consumers.settle(id(1), 1, false).unwrap();
        assert_eq!((consumers.active(), turns(&mut consumers, 2)), (Some(id(2)), vec![2, 2]));
    }

    #[test]
    fn an_exclusive_consumer_is_alone() {
        let exclusive = Subscription { exclusive: true, ..Default::default() };
        let mut consumers = Consumers::<u32>::new(false, false);
        consumers.subscribe(id(1), exclusive).unwrap();
        assert_eq!(consumers.subscribe(id(2), Subscription::default()), Err(ChannelError::ExclusiveUse));
        consumers.cancel(id(1));
        consumers.subscribe(id(2), Subscription::default()).unwrap();
        assert_eq!(consumers.subscribe(id(1), exclusive), Err(ChannelError::ExclusiveUse));
        assert_eq!(Consumers::<u32>::new(true, false).subscribe(id(1), exclusive), Err(ChannelError::ExclusiveUse));
    }

    #[test]
    fn a_quorum_queue_knows_no_exclusive_consumers() {
        let exclusive = Subscription { exclusive: true, ..Default::default() };
        let mut consumers = Consumers::<u32>::new(false, true);
        consumers.subscribe(id(1), exclusive).unwrap();
        assert_eq!(consumers.subscribe(id(2), exclusive), Ok(()));
    }

    #[test]
    fn a_consumer_subscribes_once() {
        let mut consumers = Consumers::<u32>::new(false, false);
        consumers.subscribe(id(1), Subscription::default()).unwrap();
        assert_eq!(consumers.subscribe(id(1), Subscription::default()), Err(ChannelError::ConsumerExists));
    }

    /// It holds tag 1, is cancelled, comes back and goes on with tag 2; both can be settled.
    #[test]
    fn a_cancelled_consumer_may_settle_what_it_holds() {
        let mut consumers = Consumers::new(false, false);
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
