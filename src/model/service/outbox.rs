//! The outbox: messages that are written to disk with the state, and published afterwards.
//!
//! Whoever writes its state and then publishes does two things, between which it may crash. A row in the outbox is on the same disk as
//! the state, so that a crash takes neither or, once it is synced, leaves both; the step ends then. The *relay* of the node looks for
//! rows from time to time and publishes them, oldest first, some at a time, and clears a row when its message is confirmed. What is
//! not confirmed is published again, for as long as it takes; rows that a crash left are found when the node comes up. So each message
//! is published at least once, and more often if a confirm, or the clearing of its row, is lost.
//!
//! The messages of a batch are under way together: one that is lost is published again after later ones of its batch. What a broker
//! refuses or returns is published again as well, before all that came after it: a message that is always returned stays the first.
//!
//! Source: Richardson, Microservices Patterns, 2018, section 3.3 (transactional outbox, polling publisher).

mod row;

use std::collections::BTreeMap;

use crate::base::id::{Entity, NodeId};
use crate::base::time::Span;
use crate::model::Alarm;
use crate::model::caller::{Cx, nested_luck};
use crate::model::envelope::{Beside, Envelope, Kind};
use crate::model::journal::{ROWS, SAGAS, State};
use crate::model::log::{Finished, Parcel};
use crate::model::script::Script;
use crate::process::{Activity, Boot, Clock, Close, Exit, Loss, NO_PLACE, Observation, Outcome, Steady, TimerId};
use crate::protocol::log::producer::sender;

use super::relay::Brokers;
use super::{OutboxSpec, Service, ServiceSpec};
use row::{Row, Stage, What};

/// How many attempts are left out for those that a message may have had in earlier lives of its node. What its luck on the wire is
/// drawn by has the attempt modulo 256, so that lives that follow each other begin far apart there.
fn attempts_before(restarts: u32) -> u32 {
    restarts.wrapping_mul(97)
}

/// Whether this is the place of a row on the disk.
pub(super) fn is_row(key: u64) -> bool {
    (ROWS..SAGAS).contains(&key)
}

/// What one node has to publish.
#[derive(Debug)]
pub(super) struct Outbox {
    spec: OutboxSpec,
    /// Whether a request waits until its row is synced.
    syncs_first: bool,
    /// Rows by their order.
    rows: BTreeMap<u64, Row>,
    /// Which row is at a place of the disk, and which a message belongs to.
    places: BTreeMap<u64, u64>,
    numbers: BTreeMap<u32, u64>,
    /// Places that are free, and how many there are.
    free: Vec<u64>,
    count: u64,
    /// How many rows were written in all lives.
    written: u64,
    /// Messages under way.
    in_flight: u32,
    /// Where they go.
    brokers: Brokers,
    /// Whether the last batch was as large as it may be, and all of it was confirmed.
    is_behind: bool,
    /// When the node came up, and the next look.
    began: Steady,
    timer: Option<TimerId>,
    /// How many messages wait or are under way, and what was said last of that.
    depth: u32,
    shown: u32,
}

impl Outbox {
    /// That of a node that finds this on its disk, if it has one.
    pub(super) fn of(spec: &ServiceSpec, boot: &Boot<'_>) -> Option<Box<Self>> {
        let syncs_first = spec.state == (State::Durable { syncs_first: true });
        let mut outbox = Self {
            spec: spec.outbox?,
            syncs_first,
            rows: BTreeMap::new(),
            places: BTreeMap::new(),
            numbers: BTreeMap::new(),
            free: Vec::new(),
            count: 0,
            written: 0,
            in_flight: 0,
            brokers: Brokers::default(),
            is_behind: false,
            began: Steady::from_nanos(0),
            timer: None,
            depth: 0,
            shown: 0,
        };
        let attempts = attempts_before(boot.restarts);
        for (&place, bytes) in boot.disk.range(ROWS..SAGAS) {
            outbox.count = place - ROWS + 1;
            let Some((order, what)) = What::read(bytes) else {
                outbox.free.push(place);
                continue;
            };
            outbox.written = outbox.written.max(order + 1);
            outbox.depth += 1;
            outbox.keep(order, Row { attempts, is_kept: true, is_stated: true, ..Row::new(place, what, Stage::Ready) });
        }
        Some(Box::new(outbox))
    }

    fn keep(&mut self, order: u64, row: Row) {
        self.places.insert(row.place, order);
        self.numbers.insert(row.what.message.number, order);
        self.rows.insert(order, row);
    }

    fn at(&mut self, place: u64) -> Option<(u64, &mut Row)> {
        let order = *self.places.get(&place)?;
        Some((order, self.rows.get_mut(&order)?))
    }

    /// Looks again at this time, and not before.
    fn look_at(&mut self, cx: &mut Cx<'_>, then: Steady) {
        if let Some(timer) = self.timer.take() {
            cx.cancel_timer(timer);
        }
        self.timer = Some(cx.set_timer(Clock::Steady, then.since(cx.now()), Alarm::Outbox));
    }

    /// Says how many messages wait, if that has changed.
    pub(super) fn show(&mut self, cx: &mut Cx<'_>) {
        if self.depth != self.shown {
            self.shown = self.depth;
            cx.observe(Observation::OutboxDepth { count: self.depth });
        }
    }

    /// Looks again when it is time, unless somebody will.
    fn wait(&mut self, cx: &mut Cx<'_>) {
        if self.timer.is_none() && self.in_flight == 0 && self.depth > 0 {
            let interval = self.spec.poll_interval.as_nanos().max(1);
            let since = cx.now().since(self.began).as_nanos();
            let left = interval - since % interval;
            self.timer = Some(cx.set_timer(Clock::Steady, Span::from_nanos(left), Alarm::Outbox));
        }
    }

    /// Until when nothing is published, as a broker that messages go to reads no more, if that is so.
    fn blocked_until(&self, script: &Script, now: Steady) -> Option<Steady> {
        let goes_there = |row: &Row, node: NodeId| {
            let call = &script.calls[usize::from(row.what.call)];
            call.record.is_none() && script.targets[usize::from(call.target)].place_of(node).is_some()
        };
        self.brokers.blocked_until(now, |node| self.rows.values().any(|row| goes_there(row, node)))
    }

    /// The member that a message went to does not answer, or cannot take it.
    fn leave_member(&mut self, script: &Script, order: u64) {
        let Some(row) = self.rows.get(&order).filter(|row| row.stage == Stage::InFlight) else { return };
        let target = script.calls[usize::from(row.what.call)].target;
        self.brokers.leave(target, row.member, script.targets[usize::from(target)].len);
    }

    /// The node goes down without having heard that what was written to the place of a row is synced. The next life finds it there.
    pub(super) fn unheard(&mut self, place: u64, state: &mut dyn FnMut(Observation)) {
        let Some((_, row)) = self.at(place) else { return };
        let message = row.what.message;
        row.unsynced = row.unsynced.saturating_sub(1);
        if let Stage::Writing(_) = row.stage {
            (row.stage, row.is_stated) = (Stage::Ready, true);
            state(Observation::Stored { message, place: NO_PLACE, key: None, risk: Loss::Outbox });
        }
        if !std::mem::replace(&mut row.is_kept, true) && row.is_stated {
            state(Observation::Kept { message, place: NO_PLACE });
        }
        if row.stage == Stage::Clearing && row.unsynced == 0 {
            state(Observation::Released { message, place: NO_PLACE, is_kept: true, exit: Exit::HandedOn });
        }
    }

    /// A message that was under way is not confirmed: it is published again.
    fn failed(&mut self, cx: &mut Cx<'_>, order: u64) {
        let Some(row) = self.rows.get_mut(&order).filter(|row| row.stage == Stage::InFlight) else { return };
        row.stage = Stage::Ready;
        cx.observe(Observation::AttemptFailed { message: row.what.message });
        self.in_flight -= 1;
        self.is_behind = false;
    }

    /// A message is confirmed: its row is cleared.
    fn confirmed(&mut self, cx: &mut Cx<'_>, order: u64) {
        let Some(row) = self.rows.get_mut(&order) else { return };
        if matches!(row.stage, Stage::Writing(_) | Stage::Clearing) {
            return;
        }
        self.in_flight -= u32::from(row.stage == Stage::InFlight);
        row.stage = Stage::Clearing;
        row.unsynced += 1;
        self.depth -= 1;
        cx.observe(Observation::Confirmed { message: row.what.message });
        cx.persist(row.place, Vec::new());
    }
}

impl Service {
    fn outbox(&mut self) -> Option<&mut Outbox> {
        self.extras.as_mut()?.outbox.as_deref_mut()
    }

    /// A request puts a message into the outbox, and waits until that is written.
    #[cold]
    pub(super) fn put_into_outbox(&mut self, cx: &mut Cx<'_>, id: u32, call: u16) {
        let (Some(job), spec) = (self.jobs.get(id), &self.script.calls[usize::from(call)]) else { return };
        let luck = nested_luck(job.envelope.luck, job.progress.attempt, spec.name);
        let passed = super::passed_on(&self.script, &self.spec, &job.envelope);
        let about = passed.and_then(|given| given.key).or_else(|| spec.key(&self.script.keys, luck));
        job.acts(cx);
        job.turns(cx, Activity::Stored);
        let message = self.caller.reserve(cx, spec.flow);
        let Some(outbox) = self.outbox() else { return self.end(cx, id, Outcome::Failed) };
        let place = outbox.free.pop().unwrap_or_else(|| {
            outbox.count += 1;
            ROWS + outbox.count - 1
        });
        let (order, what) = (outbox.written, What { message, luck, call, about });
        outbox.written += 1;
        let stage = Stage::Writing(Some(id));
        outbox.keep(order, Row { unsynced: 1, ..Row::new(place, what, stage) });
        cx.persist(place, what.bytes(order));
        self.let_go(cx, id);
    }

    /// A request goes that waited for a row.
    pub(super) fn leave_outbox(&mut self, id: u32) {
        let Some(outbox) = self.outbox() else { return };
        for row in outbox.rows.values_mut().filter(|row| row.stage == Stage::Writing(Some(id))) {
            row.stage = Stage::Writing(None);
        }
    }

    /// The node has come up, perhaps with rows on its disk.
    #[cold]
    pub(super) fn open_outbox(&mut self, cx: &mut Cx<'_>) {
        if let Some(outbox) = self.outbox() {
            outbox.began = cx.now();
            outbox.wait(cx);
            outbox.show(cx);
        }
    }

    /// A row is where a request need not wait for it any more.
    fn row_is_there(&mut self, cx: &mut Cx<'_>, place: u64) {
        let Some(outbox) = self.outbox() else { return };
        let Some((_, row)) = outbox.at(place) else { return };
        let Stage::Writing(id) = row.stage else { return };
        row.stage = Stage::Ready;
        row.is_stated = true;
        let message = row.what.message;
        outbox.depth += 1;
        cx.observe(Observation::Stored { message, place: NO_PLACE, key: None, risk: Loss::Outbox });
        outbox.wait(cx);
        if let Some(id) = id {
            self.go_on(cx, id);
        }
    }

    /// A row is written, and not synced.
    #[cold]
    pub(super) fn row_is_written(&mut self, cx: &mut Cx<'_>, place: u64) {
        if self.outbox().is_some_and(|outbox| !outbox.syncs_first) {
            self.row_is_there(cx, place);
        }
    }

    /// What was written to the place of a row is synced.
    #[cold]
    pub(super) fn row_is_synced(&mut self, cx: &mut Cx<'_>, place: u64) {
        self.row_is_there(cx, place);
        let Some(outbox) = self.outbox() else { return };
        let Some((order, row)) = outbox.at(place) else { return };
        row.unsynced = row.unsynced.saturating_sub(1);
        let message = row.what.message;
        if !std::mem::replace(&mut row.is_kept, true) && row.is_stated {
            cx.observe(Observation::Kept { message, place: NO_PLACE });
        }
        if row.stage == Stage::Clearing && row.unsynced == 0 {
            cx.observe(Observation::Released { message, place: NO_PLACE, is_kept: true, exit: Exit::HandedOn });
            outbox.rows.remove(&order);
            outbox.places.remove(&place);
            outbox.numbers.remove(&message.number);
            outbox.free.push(place);
        }
    }

    /// The disk has no room. A row that cannot be cleared is published again, when the relay looks next: not at once, or it would be
    /// published all the time for as long as the disk is full.
    #[cold]
    pub(super) fn row_is_refused(&mut self, cx: &mut Cx<'_>, place: u64) {
        let Some(outbox) = self.outbox() else { return };
        let Some((order, row)) = outbox.at(place) else { return };
        row.unsynced = row.unsynced.saturating_sub(1);
        match row.stage {
            Stage::Writing(id) => {
                let message = row.what.message;
                outbox.rows.remove(&order);
                outbox.places.remove(&place);
                outbox.numbers.remove(&message.number);
                outbox.free.push(place);
                // Nobody has tried to publish it.
                cx.observe(Observation::Closed { message, why: Close::Abandoned });
                if let Some(id) = id {
                    self.fail(cx, id, Outcome::Failed);
                }
            }
            Stage::Clearing => {
                row.stage = Stage::Uncleared;
                outbox.depth += 1;
                outbox.wait(cx);
            }
            Stage::Ready | Stage::InFlight | Stage::Uncleared => {}
        }
    }

    /// It is time to look at the outbox: what was under way for too long has failed, and what waits is published.
    #[cold]
    pub(super) fn look_at_outbox(&mut self, cx: &mut Cx<'_>) {
        let script = std::sync::Arc::clone(&self.script);
        let Some(outbox) = self.outbox() else { return };
        outbox.timer = None;
        for row in outbox.rows.values_mut().filter(|row| row.stage == Stage::Uncleared) {
            row.stage = Stage::Ready;
        }
        // What is under way to a broker that reads no more waits there.
        if let Some(until) = outbox.blocked_until(&script, cx.now()) {
            return outbox.look_at(cx, until);
        }
        let is_late = |row: &Row| row.stage == Stage::InFlight && row.timeout(&script).is_some();
        let late: Vec<_> = outbox.rows.iter().filter(|(_, row)| is_late(row)).map(|(order, _)| *order).collect();
        for order in late {
            outbox.leave_member(&script, order);
            outbox.failed(cx, order);
        }
        if outbox.in_flight == 0 {
            self.publish_batch(cx);
        }
    }

    /// Publishes the oldest messages.
    fn publish_batch(&mut self, cx: &mut Cx<'_>) {
        let script = std::sync::Arc::clone(&self.script);
        let Some(outbox) = self.extras.as_mut().and_then(|extras| extras.outbox.as_deref_mut()) else { return };
        if let Some(until) = outbox.blocked_until(&script, cx.now()) {
            return outbox.look_at(cx, until);
        }
        let most = outbox.spec.batch_size.get();
        let ready = outbox.rows.values_mut().filter(|row| row.stage == Stage::Ready);
        let mut longest: Option<Span> = None;
        for row in ready.take(most as usize) {
            let What { message, luck, call, about } = row.what;
            let spec = &script.calls[usize::from(call)];
            row.stage = Stage::InFlight;
            row.attempts = row.attempts.saturating_add(1);
            outbox.in_flight += 1;
            let size = spec.size.bytes(|| script.keys.size.block(Entity::from_bits(luck), 0).first());
            cx.observe(Observation::Attempted { message });
            if let Some(record) = &spec.record {
                self.caller.produce_for_another(&script, cx, record, (Parcel { message, luck, call }, about, size));
                continue;
            }
            let target = &script.targets[usize::from(spec.target)];
            row.member = outbox.brokers.member(spec.target);
            let to = target.member(row.member as usize);
            let mut envelope = Envelope::new(Kind::Message, luck, message.number, call, row.attempts);
            envelope.beside = about.map_or(Beside::NONE, Beside::key);
            cx.send_sized(to, envelope, size);
            longest = longest.max(row.timeout(&script));
        }
        outbox.is_behind = outbox.in_flight == most;
        outbox.timer = longest.map(|timeout| cx.set_timer(Clock::Steady, timeout, Alarm::Outbox));
        // What is left waits for the next look.
        outbox.wait(cx);
    }

    /// A node of a broker has stopped reading what this one publishes, or goes on.
    #[cold]
    pub(super) fn relay_heard_of_blocking(&mut self, cx: &mut Cx<'_>, broker: NodeId, is_blocked: bool) {
        let (script, now) = (std::sync::Arc::clone(&self.script), cx.now());
        let Some(outbox) = self.outbox() else { return };
        let was_blocked = outbox.blocked_until(&script, now).is_some();
        outbox.brokers.heard_of_blocking(broker, is_blocked, now);
        if !was_blocked || outbox.blocked_until(&script, now).is_some() {
            return;
        }
        // Now it reads what is under way: that is late if it takes as long from here.
        let in_flight = outbox.rows.values().filter(|row| row.stage == Stage::InFlight);
        match in_flight.filter_map(|row| row.timeout(&script)).max() {
            Some(timeout) => outbox.look_at(cx, now + timeout),
            None if outbox.in_flight == 0 => {
                if let Some(timer) = outbox.timer.take() {
                    cx.cancel_timer(timer);
                }
                self.publish_batch(cx);
            }
            None => {}
        }
    }

    /// A broker says what became of a message of the outbox. Whether it is one.
    #[cold]
    pub(super) fn relayed(&mut self, cx: &mut Cx<'_>, number: u32, outcome: Outcome) -> bool {
        let script = std::sync::Arc::clone(&self.script);
        let Some(outbox) = self.outbox() else { return false };
        let Some((&order, row)) = outbox.numbers.get(&number).and_then(|order| outbox.rows.get_key_value(order)) else {
            return false;
        };
        if outcome == Outcome::Done {
            outbox.confirmed(cx, order);
        } else {
            if row.stage == Stage::InFlight {
                cx.observe(Observation::OutboxRefused);
            }
            // Another may reach more. Where a queue is full, all say the same.
            if outcome == Outcome::Failed {
                outbox.leave_member(&script, order);
            }
            outbox.failed(cx, order);
        }
        if outbox.in_flight == 0 {
            if let Some(timer) = outbox.timer.take() {
                cx.cancel_timer(timer);
            }
            if outbox.is_behind {
                self.publish_batch(cx);
            } else {
                outbox.wait(cx);
            }
        }
        true
    }

    /// Producers say what became of messages of the outbox.
    #[cold]
    pub(super) fn hear_of_records(&mut self, cx: &mut Cx<'_>) {
        for Finished { number, outcome, .. } in self.caller.of_others() {
            let is_written = matches!(outcome, sender::Outcome::Written(_));
            self.relayed(cx, number, if is_written { Outcome::Done } else { Outcome::Failed });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Modulo 256 the first eight begin at 0, 97, 194, 35, 132, 229, 70 and 167: 27 attempts apart or more.
    #[test]
    fn lives_do_not_share_the_luck_of_their_first_attempts() {
        let mut begun: Vec<u32> = (0..8).map(|life| attempts_before(life) % 256).collect();
        begun.sort_unstable();
        begun.push(256);
        assert!(begun.is_sorted_by(|one, next| next - one >= 27), "{begun:?}");
    }
}
