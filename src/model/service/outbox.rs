//! The outbox: messages that are written to disk with the state, and published afterwards.
//!
//! Whoever writes its state and then publishes does two things, between which it may crash. A row in the outbox is on the same disk as
//! the state, so that a crash takes neither or, once it is synced, leaves both; the step ends then. The *relay* of the node looks for
//! rows from time to time and publishes them, oldest first, some at a time, and clears a row when its message is confirmed. What is
//! not confirmed is published again, for as long as it takes; rows that a crash left are found when the node comes up. So each message
//! is published at least once, and more often if a confirm, or the clearing of its row, is lost.
//!
//! The messages of a batch are under way together: one that is lost is published again after later ones of its batch.
//!
//! Source: Richardson, Microservices Patterns, 2018, section 3.3 (transactional outbox, polling publisher).

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use crate::base::id::{Entity, NodeId};
use crate::base::time::Span;
use crate::model::Alarm;
use crate::model::bytes::Bytes;
use crate::model::caller::{Cx, nested_luck};
use crate::model::envelope::{Beside, Envelope, Kind};
use crate::model::journal::{PLACES, ROWS, State};
use crate::model::log::{Finished, Parcel};
use crate::process::{Boot, Clock, Exit, Loss, MessageId, NO_PLACE, Observation, Outcome, Steady, TimerId};
use crate::protocol::log::producer::sender;

use super::{OutboxSpec, Service, ServiceSpec};

/// Whether this is the place of a row on the disk.
pub(super) fn is_row(key: u64) -> bool {
    (ROWS..PLACES).contains(&key)
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
    /// Whether the last batch was as large as it may be, and all of it was confirmed.
    is_behind: bool,
    /// When the node came up, and the next look.
    began: Steady,
    timer: Option<TimerId>,
    /// How many messages wait or are under way, and what was said last of that.
    depth: u32,
    shown: u32,
}

/// A message in the outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Row {
    place: u64,
    what: What,
    stage: Stage,
    /// How often it was published in this life.
    attempts: u32,
    /// Writes to its place that are not synced, and whether one ever was.
    unsynced: u32,
    is_kept: bool,
    /// Whether the ledger knows that it is kept here.
    is_stated: bool,
}

/// What is written of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct What {
    message: MessageId,
    luck: u64,
    call: u16,
    /// A hash of its key, if it has one.
    about: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It is being written, for this request unless that has gone.
    Writing(Option<u32>),
    /// It is to be published.
    Ready,
    /// It is under way.
    InFlight,
    /// It is confirmed, and the row is being cleared.
    Clearing,
}

impl What {
    fn bytes(&self, order: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(39);
        bytes.extend(order.to_le_bytes());
        bytes.extend(self.message.owner.index().to_le_bytes());
        bytes.extend(self.message.number.to_le_bytes());
        bytes.extend(self.luck.to_le_bytes());
        bytes.extend(self.call.to_le_bytes());
        bytes.push(self.about.is_some().into());
        bytes.extend(self.about.unwrap_or_default().to_le_bytes());
        bytes
    }

    /// A row and its order, unless it is torn or cleared.
    fn read(bytes: &[u8]) -> Option<(u64, Self)> {
        let mut rest = Bytes(bytes);
        let order = rest.u64()?;
        let message = MessageId { owner: NodeId::new(rest.u32()?), number: rest.u32()? };
        let (luck, call, has_key, key) = (rest.u64()?, rest.u16()?, rest.u8()?, rest.u64()?);
        Some((order, Self { message, luck, call, about: (has_key == 1).then_some(key) }))
    }
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
            is_behind: false,
            began: Steady::from_nanos(0),
            timer: None,
            depth: 0,
            shown: 0,
        };
        for (&place, bytes) in boot.disk.range(ROWS..PLACES) {
            outbox.count = place - ROWS + 1;
            let Some((order, what)) = What::read(bytes) else {
                outbox.free.push(place);
                continue;
            };
            outbox.written = outbox.written.max(order + 1);
            outbox.depth += 1;
            outbox.keep(
                order,
                Row { place, what, stage: Stage::Ready, attempts: 0, unsynced: 0, is_kept: true, is_stated: true },
            );
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
        let message = self.caller.reserve(cx, spec.flow);
        let Some(outbox) = self.outbox() else { return self.end(cx, id, Outcome::Failed) };
        let place = outbox.free.pop().unwrap_or_else(|| {
            outbox.count += 1;
            ROWS + outbox.count - 1
        });
        let (order, what) = (outbox.written, What { message, luck, call, about });
        outbox.written += 1;
        let stage = Stage::Writing(Some(id));
        outbox.keep(order, Row { place, what, stage, attempts: 0, unsynced: 1, is_kept: false, is_stated: false });
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

    /// The disk has no room. A row that cannot be cleared is published again.
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
                cx.observe(Observation::Closed { message, why: crate::process::Close::Failed });
                if let Some(id) = id {
                    self.fail(cx, id, Outcome::Failed);
                }
            }
            Stage::Clearing => {
                row.stage = Stage::Ready;
                outbox.depth += 1;
                outbox.wait(cx);
            }
            Stage::Ready | Stage::InFlight => {}
        }
    }

    /// It is time to look at the outbox: what was under way for too long has failed, and what waits is published.
    #[cold]
    pub(super) fn look_at_outbox(&mut self, cx: &mut Cx<'_>) {
        let script = std::sync::Arc::clone(&self.script);
        let Some(outbox) = self.outbox() else { return };
        outbox.timer = None;
        // A record is with its producer, which says when it gives up.
        let is_late =
            |row: &Row| row.stage == Stage::InFlight && script.calls[usize::from(row.what.call)].record.is_none();
        let late: Vec<_> = outbox.rows.iter().filter(|(_, row)| is_late(row)).map(|(order, _)| *order).collect();
        late.into_iter().for_each(|order| outbox.failed(cx, order));
        if outbox.in_flight == 0 {
            self.publish_batch(cx);
        }
    }

    /// Publishes the oldest messages.
    fn publish_batch(&mut self, cx: &mut Cx<'_>) {
        let script = std::sync::Arc::clone(&self.script);
        let Some(outbox) = self.extras.as_mut().and_then(|extras| extras.outbox.as_deref_mut()) else { return };
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
            let to = target.member(((row.attempts - 1) % target.len) as usize);
            let mut envelope = Envelope::new(Kind::Message, luck, message.number, call, row.attempts);
            envelope.beside = about.map_or(Beside::NONE, Beside::key);
            cx.send_sized(to, envelope, size);
            let timeout = spec.policy.retry.timeout_of(NonZeroU32::MIN, Span::ZERO).unwrap_or(OutboxSpec::TIMEOUT);
            longest = longest.max(Some(timeout));
        }
        outbox.is_behind = outbox.in_flight == most;
        outbox.timer = longest.map(|timeout| cx.set_timer(Clock::Steady, timeout, Alarm::Outbox));
    }

    /// A broker says what became of a message of the outbox. Whether it is one.
    #[cold]
    pub(super) fn relayed(&mut self, cx: &mut Cx<'_>, number: u32, outcome: Outcome) -> bool {
        let Some(outbox) = self.outbox() else { return false };
        let Some(&order) = outbox.numbers.get(&number) else { return false };
        match outcome {
            Outcome::Done => outbox.confirmed(cx, order),
            _ => outbox.failed(cx, order),
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

    #[test]
    fn a_row_is_read_as_it_was_written_and_a_torn_one_is_not() {
        for about in [None, Some(u64::MAX - 1)] {
            let message = MessageId { owner: NodeId::new(7), number: 3 << 24 };
            let what = What { message, luck: 5, call: 300, about };
            let bytes = what.bytes(9);
            assert_eq!(What::read(&bytes), Some((9, what)));
            assert!((0..bytes.len()).all(|len| What::read(&bytes[..len]).is_none()));
        }
    }
}
