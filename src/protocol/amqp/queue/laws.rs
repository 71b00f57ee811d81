//! What every work queue keeps, whatever happens to it in whatever order.

mod model;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::Config;

use self::model::Model;
use super::*;
use crate::base::settings::Settings;
use crate::base::time::ms;
use crate::base::units::bytes;
use crate::protocol::amqp::laws::fixed;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Ack,
    Reject,
    Requeue,
}

#[derive(Clone, Debug)]
enum Step {
    Publish(Incoming<u32>),
    Deliver,
    Settle { consumer: ConsumerId, tag: u64, multiple: bool, how: How },
    Subscribe(ConsumerId, Subscription),
    Cancel(ConsumerId),
    Gone(ConsumerId),
    Expire,
    Purge,
    Crash { synced: u64 },
}

/// What is seen of a step from outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Event {
    Accepted(u32, u64),
    Refused(u32),
    Delivered { consumer: ConsumerId, tag: u64, id: u32, redelivered: bool, count: u32, is_settled: bool },
    Acked(u32),
    Purged(u32),
    Lost(u32),
    Dead(u32, DeathReason),
    Error(ChannelError),
}

/// Does a step with the real queue.
fn play(queue: &mut WorkQueue<u32>, step: &Step, now: Time) -> Vec<Event> {
    let (mut dead, mut done, mut events) = (vec![], vec![], vec![]);
    match step {
        Step::Publish(incoming) => events.push(match queue.publish(incoming.clone(), now, &mut dead) {
            Publish::Accepted { sequence } => Event::Accepted(incoming.message, sequence),
            Publish::Refused => Event::Refused(incoming.message),
        }),
        Step::Deliver => events.extend(queue.deliver(now, &mut dead).map(|delivery| {
            let Delivery { consumer, tag, message: id, redelivered, count, is_settled, .. } = delivery;
            Event::Delivered { consumer, tag, id, redelivered, count, is_settled }
        })),
        &Step::Settle { consumer, tag, multiple, how } => {
            let result = match how {
                How::Ack => queue.ack(consumer, tag, multiple, &mut done),
                How::Reject => queue.nack(consumer, tag, multiple, false, now, &mut dead),
                How::Requeue => queue.nack(consumer, tag, multiple, true, now, &mut dead),
            };
            events.extend(done.drain(..).map(Event::Acked));
            events.extend(result.err().map(Event::Error));
        }
        &Step::Subscribe(id, subscription) => events.extend(queue.subscribe(id, subscription).err().map(Event::Error)),
        &Step::Cancel(id) => _ = queue.cancel(id, now),
        &Step::Gone(id) => _ = queue.gone(id, now, &mut dead),
        Step::Expire => queue.expire(now, &mut dead),
        Step::Purge => {
            queue.purge(&mut done);
            events.extend(done.drain(..).map(Event::Purged));
        }
        &Step::Crash { synced } => {
            let mut lost = vec![];
            let is_left = queue.crash(synced, now, &mut lost, &mut dead);
            events.extend(lost.into_iter().map(|lost| Event::Lost(lost.message)));
            events.sort_unstable();
            if is_left {
                queue.restart(now, &mut dead);
            }
            events.extend(dead.drain(..).map(|dead| Event::Dead(dead.message, dead.reason)));
        }
    }
    let mut all: Vec<_> = dead.into_iter().map(|dead| Event::Dead(dead.message, dead.reason)).collect();
    all.extend(events);
    all
}

/// A step before it is known which messages there are.
#[derive(Clone, Debug)]
struct Plan {
    kind: u8,
    consumer: u64,
    pick: Index,
    size: u32,
    priority: u8,
    ttl: Option<u64>,
    flags: (bool, bool, bool),
    after: u64,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let choices = (0_u8..100, 0_u64..4, any::<Index>(), 0_u32..40, 0_u8..8);
    let plan = (choices, prop::option::weighted(0.4, 0_u64..60), any::<(bool, bool, bool)>(), 0_u64..12).prop_map(
        |((kind, consumer, pick, size, priority), ttl, flags, after)| Plan {
            kind,
            consumer,
            pick,
            size,
            priority,
            ttl,
            flags,
            after,
        },
    );
    vec(plan, 1..120)
}

fn settings() -> impl Strategy<Value = WorkQueueSettings> {
    let limits = (prop::option::of(0_u32..8), prop::option::of(0_u64..120), prop::sample::select(Overflow::ALL));
    let rest = (prop::option::of(0_u64..80), prop::option::of(1_u32..6), prop::option::of(0_u32..4));
    let flags = (any::<bool>(), prop::bool::weighted(0.8), prop::bool::weighted(0.25), any::<bool>());
    (limits, rest, flags).prop_map(|((length, size, overflow), (ttl, priority, limit), flags)| {
        let (is_quorum, durable, single_active_consumer, is_unlimited) = flags;
        let common = WorkQueueSettings {
            max_length: length,
            max_length_bytes: size.map(bytes),
            overflow,
            message_ttl: ttl.map(ms),
            single_active_consumer,
            ..Default::default()
        };
        if !is_quorum {
            return WorkQueueSettings { durable, max_priority: priority.and_then(NonZeroU32::new), ..common };
        }
        let limit = limit.map(DeliveryLimit::Times).or(is_unlimited.then_some(DeliveryLimit::Unlimited));
        let overflow = if overflow == Overflow::RejectPublishDlx { Overflow::RejectPublish } else { overflow };
        WorkQueueSettings { r#type: Some(QueueType::Quorum), delivery_limit: limit, overflow, ..common }
    })
}

impl Plan {
    /// Of a hundred steps, 35 publish, 30 deliver, 20 settle, of which a few something unknown.
    fn step(&self, number: u32, model: &Model, accepted: u64) -> Step {
        let consumer = ConsumerId::new(self.consumer);
        let (first, second, third) = self.flags;
        match self.kind {
            0..35 => {
                let (size, priority, ttl, persistent) = (self.size, self.priority, self.ttl.map(ms), first || second);
                Step::Publish(Incoming { message: number, size, priority, ttl, persistent, deaths: Deaths::NONE })
            }
            35..65 => Step::Deliver,
            65..85 => {
                let held = model.held(consumer);
                let tag = if held.is_empty() { 0 } else { held[self.pick.index(held.len())].0 };
                // Zero and the next one are sometimes known, sometimes not.
                let tag = match self.size {
                    0..3 => 0,
                    3..5 => tag + 1,
                    _ => tag,
                };
                let how = [How::Ack, How::Ack, How::Requeue, How::Reject][usize::from(self.priority % 4)];
                Step::Settle { consumer, tag, multiple: first && second, how }
            }
            85..92 => {
                let acknowledge = if first && second { Acknowledge::Automatic } else { Acknowledge::Manual };
                let prefetch = NonZeroU32::new(self.size % 5);
                let (priority, exclusive) = (i32::from(third), self.size > 35);
                Step::Subscribe(consumer, Subscription { prefetch, acknowledge, priority, exclusive })
            }
            92..94 => Step::Cancel(consumer),
            94..96 => Step::Gone(consumer),
            96..98 => Step::Expire,
            98 => Step::Purge,
            _ => Step::Crash { synced: self.pick.index(accepted as usize + 1) as u64 },
        }
    }
}

/// Where every message is, told from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Ready,
    Held(ConsumerId),
    Left,
}

#[derive(Default)]
struct Ledger {
    /// By message: where it is, and how often it was delivered.
    messages: BTreeMap<u32, (Place, u32)>,
    priorities: BTreeMap<u32, u8>,
    prefetch: BTreeMap<ConsumerId, Option<NonZeroU32>>,
    /// By priority, the newest message that was delivered for the first time.
    newest: BTreeMap<u8, u32>,
}

impl Ledger {
    /// Moves a message from one of the places where it may be to another.
    fn put(&mut self, id: u32, from: impl Fn(Place) -> bool, to: Place) -> Result<(), TestCaseError> {
        let entry = self.messages.get_mut(&id);
        let (place, _) = entry.ok_or_else(|| TestCaseError::fail(format!("{id} was never accepted")))?;
        prop_assert!(from(*place), "{} was {:?} and goes to {:?}", id, place, to);
        *place = to;
        Ok(())
    }

    fn enter(&mut self, events: &[Event], step: &Step, max_priority: u8) -> Result<(), TestCaseError> {
        if let Step::Publish(Incoming { message, priority, .. }) = step {
            // A queue that drops its head, or a message without time to live, says who died before it says who came.
            if events.iter().any(|event| matches!(event, Event::Accepted(..))) {
                self.messages.insert(*message, (Place::Ready, 0));
                self.priorities.insert(*message, (*priority).min(max_priority));
            } else {
                self.messages.insert(*message, (Place::Left, 0));
                let of_this = |event: &&Event| matches!(event, Event::Dead(id, DeathReason::MaxLen) if id == message);
                let copies = events.iter().filter(of_this).count();
                prop_assert!(copies <= 1, "refused, and {} letters", copies);
            }
        }
        for &event in events {
            match event {
                Event::Accepted(..) | Event::Refused(_) | Event::Error(_) => {}
                Event::Delivered { consumer, id, redelivered, count, is_settled, .. } => {
                    let to = if is_settled { Place::Left } else { Place::Held(consumer) };
                    self.put(id, |place| place == Place::Ready, to)?;
                    let earlier = &mut self.messages.get_mut(&id).unwrap().1;
                    prop_assert_eq!((redelivered, count), (*earlier > 0, *earlier));
                    *earlier += 1;
                    if *earlier == 1 {
                        let before = self.newest.insert(self.priorities[&id], id);
                        prop_assert!(before.is_none_or(|before| before < id), "{:?} went before {}", before, id);
                    }
                }
                Event::Acked(id) => self.put(id, |place| matches!(place, Place::Held(_)), Place::Left)?,
                Event::Purged(id) => self.put(id, |place| place == Place::Ready, Place::Left)?,
                Event::Lost(id) => self.put(id, |place| place != Place::Left, Place::Left)?,
                Event::Dead(id, reason) => {
                    let is_refused = matches!(step, Step::Publish(incoming) if incoming.message == id)
                        && events.contains(&Event::Refused(id));
                    if !is_refused {
                        // What is requeued may be dropped within the same step.
                        let may_be_held = matches!(step, Step::Settle { .. } | Step::Gone(_) | Step::Crash { .. });
                        let must_be_held = matches!(reason, DeathReason::Rejected | DeathReason::DeliveryLimit);
                        let from = |place| match place {
                            Place::Ready => !must_be_held,
                            Place::Held(_) => may_be_held,
                            Place::Left => false,
                        };
                        self.put(id, from, Place::Left)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// After a step that may have requeued, what its consumer held and did not settle otherwise is ready.
    fn requeued(&mut self, queue: &WorkQueue<u32>, model: &Model) {
        for (&id, (place, _)) in &mut self.messages {
            if let Place::Held(consumer) = *place
                && !model.held(consumer).iter().any(|&(_, held)| held == id)
            {
                *place = Place::Ready;
            }
        }
        self.prefetch.retain(|&consumer, _| queue.unacked_of(consumer) > 0 || model.is_known(consumer));
    }
}

fn run(settings: &WorkQueueSettings, plans: &[Plan]) -> Result<(), TestCaseError> {
    prop_assert_eq!(settings.check(), Ok(()));
    let mut queue = WorkQueue::new(QueueId::new(0), settings, true, Time::ZERO);
    let (mut model, mut ledger, mut now) = (Model::new(settings.clone()), Ledger::default(), Time::ZERO);
    let max_priority = settings.max_priority.map_or(0, |most| most.get() as u8);
    for (number, plan) in (0..).zip(plans) {
        now += ms(plan.after);
        let step = plan.step(number, &model, queue.accepted());
        let events = play(&mut queue, &step, now);
        prop_assert_eq!(&events, &model.step(&step, now), "{:?} at {:?} with {:?}", step, now, settings);

        let levels = if settings.kind() == QueueType::Quorum { 7 } else { max_priority };
        ledger.enter(&events, &step, levels)?;
        if let Step::Subscribe(consumer, subscription) = step
            && events.is_empty()
        {
            let is_manual = subscription.acknowledge == Acknowledge::Manual;
            // What it holds of an earlier subscription does not count.
            let held = queue.unacked_of(consumer) as u32;
            let limit = subscription.prefetch.filter(|_| is_manual);
            ledger.prefetch.insert(consumer, limit.and_then(|limit| limit.checked_add(held)));
        }
        ledger.requeued(&queue, &model);

        let count = |wanted: fn(Place) -> bool| ledger.messages.values().filter(|(place, _)| wanted(*place)).count();
        prop_assert_eq!(queue.ready(), count(|place| place == Place::Ready));
        prop_assert_eq!(queue.unacked(), count(|place| matches!(place, Place::Held(_))));
        prop_assert_eq!((queue.ready(), queue.unacked()), (model.ready(), model.unacked()));
        prop_assert_eq!((queue.ready_bytes(), queue.unacked_bytes()), (model.ready_bytes(), model.unacked_bytes()));
        prop_assert_eq!(queue.next_expiry(), model.next_expiry());
        for consumer in (0..4).map(ConsumerId::new) {
            let held = queue.unacked_of(consumer);
            prop_assert_eq!(held, model.held(consumer).len());
            let limit = ledger.prefetch.get(&consumer).copied().flatten();
            prop_assert!(limit.is_none_or(|limit| held <= limit.get() as usize), "{} of {:?}", held, limit);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 2000, ..fixed() })]

    /// The queue agrees with the model in everything that is seen; every message is in exactly one place; nobody holds more than
    /// its prefetch limit; a delivery is marked if and only if there was one before; and first deliveries of one priority are in
    /// order.
    #[test]
    fn a_queue_agrees_with_a_list_and_keeps_its_laws(settings in settings(), plans in plans()) {
        run(&settings, &plans)?;
    }
}
