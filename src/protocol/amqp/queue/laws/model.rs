//! A work queue as one would explain it: a list of messages, looked through from end to end at every step.

use super::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Ready,
    Held { consumer: ConsumerId, tag: u64 },
    Gone,
}

#[derive(Clone, Debug)]
struct Message {
    id: u32,
    sequence: u64,
    size: u32,
    priority: u8,
    expiry: Time,
    persistent: bool,
    returns: u32,
    place: Place,
    /// Its place behind others, and if it came back to the front of a quorum queue, its place there.
    back: u64,
    front: Option<u64>,
}

#[derive(Clone, Debug)]
struct Member {
    id: ConsumerId,
    subscription: Subscription,
    is_cancelled: bool,
    tag: u64,
    /// The tag of its newest delivery when it subscribed.
    since: u64,
    /// Since when it waits for its turn.
    turn: Option<u64>,
}

pub struct Model {
    settings: WorkQueueSettings,
    messages: Vec<Message>,
    members: Vec<Member>,
    /// In the order of subscription.
    subscribed: Vec<ConsumerId>,
    /// Counts whatever has to be put in order.
    clock: u64,
    accepted: u64,
    turns: u32,
    handed: Option<u32>,
    /// Who gets everything, at a queue with a single active consumer.
    active: Option<ConsumerId>,
    /// Whether a quorum queue was above its limits and is not well below yet.
    is_full: bool,
}

impl Model {
    pub fn new(settings: WorkQueueSettings) -> Self {
        let (messages, members, subscribed) = (vec![], vec![], vec![]);
        Self {
            settings,
            messages,
            members,
            subscribed,
            clock: 0,
            accepted: 0,
            turns: 0,
            handed: None,
            active: None,
            is_full: false,
        }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn is_quorum(&self) -> bool {
        self.settings.kind() == QueueType::Quorum
    }

    fn all(&self, wanted: impl Fn(&Message) -> bool) -> impl Iterator<Item = usize> {
        (0..self.messages.len()).filter(move |&place| wanted(&self.messages[place]))
    }

    fn head(&self) -> Option<usize> {
        let ready = || self.all(|message| message.place == Place::Ready);
        if !self.is_quorum() {
            let most = self.settings.max_priority.map_or(0, |most| most.get() as u8);
            let level = |place: usize| self.messages[place].priority.min(most);
            return ready().min_by_key(|&place| (std::cmp::Reverse(level(place)), self.messages[place].sequence));
        }
        let returned = ready().filter(|&place| self.messages[place].front.is_some());
        let first = |is_high: bool| {
            ready()
                .filter(|&place| (self.messages[place].priority > 4) == is_high)
                .min_by_key(|&place| self.messages[place].back)
        };
        let (high, normal) = (first(true), first(false));
        let is_older = high
            .zip(normal)
            .is_some_and(|(high, normal)| self.messages[high].sequence < self.messages[normal].sequence);
        let by_weight = if self.turns % 3 == 2 && !is_older { normal.or(high) } else { high.or(normal) };
        returned.min_by_key(|&place| self.messages[place].front).or(by_weight)
    }

    /// Takes the head, to whatever place.
    fn take_head(&mut self, place: Place) -> Option<usize> {
        let head = self.head()?;
        self.turns += u32::from(self.messages[head].front.is_none());
        self.messages[head].place = place;
        Some(head)
    }

    fn expire(&mut self, now: Time, events: &mut Vec<Event>) {
        while let Some(head) = self.head() {
            if self.messages[head].expiry > now || self.handed.is_some() {
                return;
            }
            self.take_head(Place::Gone);
            events.push(Event::Dead(self.messages[head].id, DeathReason::Expired));
        }
    }

    /// Messages expire, and nothing else happens.
    fn expire_alone(&mut self, now: Time, events: &mut Vec<Event>) {
        self.expire(now, events);
        if self.is_quorum() && self.handed.is_none() {
            self.enforce(events);
        }
    }

    /// Whether so many messages of so many bytes are more than four fifths of the limits, or a part of them that is more.
    fn exceeds(&self, length: usize, bytes: u64, (part, whole): (u64, u64)) -> bool {
        let scaled = |limit: u64| u128::from(limit) * u128::from(part) / u128::from(whole);
        self.settings.max_length.is_some_and(|most| length as u128 > scaled(most.into()))
            || self.settings.max_length_bytes.is_some_and(|most| u128::from(bytes) > scaled(most.count()))
    }

    fn enforce(&mut self, events: &mut Vec<Event>) {
        let before = events.len();
        while self.settings.overflow == Overflow::DropHead && self.exceeds(self.ready(), self.ready_bytes(), (1, 1)) {
            let head = self.take_head(Place::Gone).unwrap();
            events.push(Event::Dead(self.messages[head].id, DeathReason::MaxLen));
        }
        if self.is_quorum() {
            events[before..].reverse();
        }
        let (length, bytes) = (self.ready(), self.ready_bytes());
        self.is_full = self.exceeds(length, bytes, (1, 1)) || self.is_full && self.exceeds(length, bytes, (4, 5));
    }

    /// After messages became ready.
    fn settle_down(&mut self, now: Time, events: &mut Vec<Event>) {
        if !self.is_quorum() {
            self.enforce(events);
            self.expire(now, events);
            return;
        }
        self.expire(now, events);
        if self.next_consumer().is_none() {
            self.enforce(events);
        }
    }

    fn member(&mut self, id: ConsumerId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    fn has_credit(&self, member: &Member) -> bool {
        let limit = member.subscription.prefetch.map_or(usize::MAX, |limit| limit.get() as usize);
        let is_automatic = member.subscription.acknowledge == Acknowledge::Automatic;
        let counted = self.held(member.id).iter().filter(|&&(tag, _)| tag > member.since).count();
        !member.is_cancelled && (is_automatic || counted < limit)
    }

    /// Whoever got credit goes to the end of the line. Whoever lost it leaves a quorum queue's line at once; at a classic queue
    /// nobody minds before it is in the way.
    fn line_up(&mut self) {
        for place in 0..self.members.len() {
            let has_credit = self.has_credit(&self.members[place]);
            let turn = self.members[place].turn.filter(|_| has_credit || !self.is_quorum());
            self.members[place].turn = if has_credit && turn.is_none() { Some(self.tick()) } else { turn };
        }
        self.hand_over();
    }

    /// Who should be the single active consumer.
    fn first(&self) -> Option<ConsumerId> {
        let members = self.subscribed.iter().filter_map(|&id| self.members.iter().find(|member| member.id == id));
        members.min_by_key(|member| std::cmp::Reverse(member.subscription.priority)).map(|member| member.id)
    }

    fn priority(&self, id: ConsumerId) -> Option<i32> {
        self.members.iter().find(|member| member.id == id).map(|member| member.subscription.priority)
    }

    fn is_outranked(&self) -> bool {
        let (active, first) =
            (self.active.and_then(|id| self.priority(id)), self.first().and_then(|id| self.priority(id)));
        self.is_quorum() && first > active
    }

    fn hand_over(&mut self) {
        if self.active.is_none_or(|id| !self.subscribed.contains(&id)) {
            self.active = self.first();
        }
        let holds = |id: ConsumerId| {
            let since = self.members.iter().find(|member| member.id == id).map_or(0, |member| member.since);
            self.held(id).iter().any(|&(tag, _)| tag > since)
        };
        if self.is_outranked() && !self.active.is_some_and(holds) {
            self.active = self.first();
        }
    }

    /// Who takes a message that is there. Those in the way who have no credit lose their turn.
    fn next_consumer(&mut self) -> Option<ConsumerId> {
        if self.settings.single_active_consumer {
            let active = self.members.iter().find(|member| Some(member.id) == self.active)?;
            return (self.has_credit(active) && !self.is_outranked()).then_some(active.id);
        }
        loop {
            let waiting = (0..self.members.len()).filter(|&place| self.members[place].turn.is_some());
            let rank = |place: usize| {
                let member = &self.members[place];
                (std::cmp::Reverse(member.subscription.priority), member.turn)
            };
            let first = waiting.min_by_key(|&place| rank(place))?;
            if self.has_credit(&self.members[first]) {
                return Some(self.members[first].id);
            }
            self.members[first].turn = None;
        }
    }

    pub fn held(&self, consumer: ConsumerId) -> Vec<(u64, u32)> {
        let mut held: Vec<_> = self
            .messages
            .iter()
            .filter_map(|message| match message.place {
                Place::Held { consumer: holder, tag } if holder == consumer => Some((tag, message.id)),
                _ => None,
            })
            .collect();
        held.sort_unstable();
        held
    }

    pub fn ready(&self) -> usize {
        self.all(|message| message.place == Place::Ready).count()
    }

    pub fn ready_bytes(&self) -> u64 {
        self.all(|message| message.place == Place::Ready).map(|place| u64::from(self.messages[place].size)).sum()
    }

    pub fn unacked(&self) -> usize {
        self.all(|message| matches!(message.place, Place::Held { .. })).count()
    }

    pub fn unacked_bytes(&self) -> u64 {
        let held = self.all(|message| matches!(message.place, Place::Held { .. }));
        held.map(|place| u64::from(self.messages[place].size)).sum()
    }

    /// Whether a consumer subscribed and its channel is open.
    pub fn is_known(&self, consumer: ConsumerId) -> bool {
        self.members.iter().any(|member| member.id == consumer)
    }

    pub fn next_expiry(&self) -> Option<Time> {
        self.head().map(|head| self.messages[head].expiry).filter(|&expiry| expiry < Time::MAX)
    }

    fn publish(&mut self, incoming: &Incoming<u32>, now: Time, events: &mut Vec<Event>) {
        self.expire_alone(now, events);
        self.handed = None;
        let bytes = self.ready_bytes() + u64::from(incoming.size);
        let is_refused = match self.is_quorum() {
            true => self.is_full && incoming.deaths == Deaths::NONE,
            false => self.exceeds(self.ready() + 1, bytes, (1, 1)),
        };
        if self.settings.overflow != Overflow::DropHead && is_refused {
            if self.settings.overflow == Overflow::RejectPublishDlx {
                events.push(Event::Dead(incoming.message, DeathReason::MaxLen));
            }
            events.push(Event::Refused(incoming.message));
            return;
        }
        let ttl = incoming.ttl.unwrap_or(Span::MAX).min(self.settings.message_ttl.unwrap_or(Span::MAX));
        let ttl = if self.is_quorum() { ttl.max(ms(1)) } else { ttl };
        let is_handed = self.ready() == 0 && self.next_consumer().is_some();
        let (id, size, priority) = (incoming.message, incoming.size, incoming.priority);
        let (expiry, persistent, back) = (now + ttl, incoming.persistent, self.tick());
        let sequence = self.accepted;
        self.accepted += 1;
        let place = Place::Ready;
        self.messages.push(Message {
            id,
            sequence,
            size,
            priority,
            expiry,
            persistent,
            returns: 0,
            place,
            back,
            front: None,
        });
        if is_handed {
            self.handed = Some(id);
        } else {
            self.settle_down(now, events);
        }
        events.push(Event::Accepted(id, sequence));
    }

    fn deliver(&mut self, now: Time, events: &mut Vec<Event>) {
        self.expire(now, events);
        let consumer = self.head().and_then(|_| self.next_consumer());
        let Some(consumer) = consumer else {
            if self.is_quorum() {
                self.enforce(events);
            }
            return;
        };
        self.handed = None;
        let (is_quorum, turn) = (self.is_quorum(), self.tick());
        let member = self.member(consumer).unwrap();
        member.tag += 1;
        member.turn = None;
        if !is_quorum {
            member.turn = Some(turn);
        }
        let (tag, is_settled) = (member.tag, member.subscription.acknowledge == Acknowledge::Automatic);
        let head = self.take_head(if is_settled { Place::Gone } else { Place::Held { consumer, tag } }).unwrap();
        let Message { id, returns, .. } = self.messages[head];
        events.push(Event::Delivered { consumer, tag, id, redelivered: returns > 0, count: returns, is_settled });
    }

    fn requeue(&mut self, id: u32, is_told: bool, events: &mut Vec<Event>) {
        self.handed = None;
        let (is_quorum, stamp, limit) = (self.is_quorum(), self.tick(), self.settings.returns());
        let message = self.messages.iter_mut().find(|message| message.id == id).unwrap();
        message.returns += 1;
        message.place = Place::Ready;
        message.front = None;
        if limit.is_some_and(|limit| message.returns > limit) {
            message.place = Place::Gone;
            events.push(Event::Dead(id, DeathReason::DeliveryLimit));
        } else if is_quorum && is_told && limit.is_none() {
            message.back = stamp;
            message.priority = 0;
        } else if is_quorum {
            message.front = Some(stamp);
        }
    }

    fn settle(&mut self, step: &Step, now: Time, events: &mut Vec<Event>) {
        let &Step::Settle { consumer, tag, multiple, how } = step else { unreachable!() };
        let held = self.held(consumer);
        let is_known = held.iter().any(|&(held, _)| held == tag);
        if !(is_known || multiple && tag == 0) {
            events.push(Event::Error(ChannelError::UnknownTag));
            return;
        }
        for (_, id) in held.into_iter().filter(|&(held, _)| held == tag || multiple && (tag == 0 || held < tag)) {
            let message = self.messages.iter_mut().find(|message| message.id == id).unwrap();
            message.place = Place::Gone;
            match how {
                How::Ack => events.push(Event::Acked(id)),
                How::Reject => events.push(Event::Dead(id, DeathReason::Rejected)),
                How::Requeue => self.requeue(id, true, events),
            }
        }
        if how == How::Reject {
            let most = self.settings.max_priority.map_or(0, |most| most.get() as u8);
            let level =
                |id: u32| self.messages.iter().find(|message| message.id == id).map_or(0, |message| message.priority);
            events.sort_by_key(|event| match event {
                &Event::Dead(id, _) => std::cmp::Reverse(level(id).min(most)),
                _ => std::cmp::Reverse(u8::MAX),
            });
        }
        if how == How::Requeue {
            // Whoever returned something has credit for it.
            self.line_up();
            self.settle_down(now, events);
        }
    }

    fn subscribe(&mut self, id: ConsumerId, subscription: Subscription) -> Result<(), ChannelError> {
        if self.subscribed.contains(&id) {
            return Err(ChannelError::ConsumerExists);
        }
        let subscription = Subscription { exclusive: subscription.exclusive && !self.is_quorum(), ..subscription };
        let subscribed = || self.members.iter().filter(|member| !member.is_cancelled);
        let is_taken = subscribed().any(|member| member.subscription.exclusive);
        let is_shared = subscribed().count() > 0 || self.settings.single_active_consumer;
        if is_taken || is_shared && subscription.exclusive {
            return Err(ChannelError::ExclusiveUse);
        }
        self.subscribed.push(id);
        if let Some(member) = self.member(id) {
            member.subscription = subscription;
            member.is_cancelled = false;
            member.since = member.tag;
        } else {
            self.members.push(Member { id, subscription, is_cancelled: false, tag: 0, since: 0, turn: None });
        }
        Ok(())
    }

    fn cancel(&mut self, id: ConsumerId) {
        self.handed = None;
        self.subscribed.retain(|&other| other != id);
        if let Some(member) = self.member(id) {
            member.is_cancelled = true;
            member.turn = None;
        }
    }

    fn gone(&mut self, id: ConsumerId, now: Time, events: &mut Vec<Event>) {
        self.cancel(id);
        let held = self.held(id);
        self.members.retain(|member| member.id != id);
        if !held.is_empty() {
            held.into_iter().for_each(|(_, id)| self.requeue(id, false, events));
            self.hand_over();
            self.settle_down(now, events);
        }
    }

    fn crash(&mut self, synced: u64, now: Time, events: &mut Vec<Event>) {
        self.handed = None;
        self.members.clear();
        self.subscribed.clear();
        for place in 0..self.messages.len() {
            let message = &self.messages[place];
            let was = message.place;
            if was == Place::Gone {
                continue;
            }
            let is_quorum = self.is_quorum();
            if message.sequence < synced && (message.persistent || is_quorum) && self.settings.durable {
                if was != Place::Ready {
                    self.requeue(message.id, false, events);
                }
            } else {
                events.push(Event::Lost(message.id));
                self.messages[place].place = Place::Gone;
            }
        }
        events.sort_by_key(|event| matches!(event, Event::Dead(..)));
        if self.settings.durable {
            self.settle_down(now, events);
        }
    }

    pub fn step(&mut self, step: &Step, now: Time) -> Vec<Event> {
        let mut events = vec![];
        match step {
            Step::Publish(incoming) => self.publish(incoming, now, &mut events),
            Step::Deliver => self.deliver(now, &mut events),
            Step::Settle { .. } => self.settle(step, now, &mut events),
            &Step::Subscribe(id, subscription) => {
                events.extend(self.subscribe(id, subscription).err().map(Event::Error));
            }
            &Step::Cancel(id) => self.cancel(id),
            &Step::Gone(id) => self.gone(id, now, &mut events),
            Step::Expire => self.expire_alone(now, &mut events),
            Step::Purge => {
                self.handed = None;
                self.is_full = false;
                while let Some(head) = self.take_head(Place::Gone) {
                    events.push(Event::Purged(self.messages[head].id));
                }
            }
            &Step::Crash { synced } => self.crash(synced, now, &mut events),
        }
        self.line_up();
        events
    }
}
