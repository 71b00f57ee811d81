//! Disks: what a node has written, and what of it a crash leaves.
//!
//! A disk does one thing at a time. It takes writes one after the other; what is written lies in a cache and is lost in a
//! crash, until a sync has it on the medium. Writes that come while a sync is under way wait for the next one and share it:
//! group commit. The process is told of each write when it is synced. In a crash the write that the disk is at may be torn:
//! then its beginning is what is found under its key.
//!
//! Sources: fsync(2) of POSIX; group commit: DeWitt and others, Implementation Techniques for Main Memory Database Systems,
//! SIGMOD 1984; torn writes and lost caches: Pillai and others, All File Systems Are Not Created Equal, OSDI 2014.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use crate::base::distribution::Distribution;
use crate::base::id::{Entity, NodeId};
use crate::base::probability::Probability;
use crate::base::random::Key;
use crate::base::time::{Span, Time, ns};
use crate::process::{Message, Write};

use super::arena::Input;
use super::cluster::Cluster;
use super::fault::FaultId;
use super::health::Held;
use super::stage::Stage;

/// What the disks of a group are like. The default syncs each write within a nanosecond and never tears one.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// How long the disk takes for each write.
    pub write: Distribution,
    /// How long it takes for a sync, whatever it covers.
    pub sync: Distribution,
    /// When it syncs.
    pub when: Sync,
    /// The share of crashes during a write that leave a part of it.
    pub torn: Probability,
    /// Bytes that fit: the values under all keys, the last of each. A write that does not fit is refused.
    pub capacity: Option<u64>,
}

/// When a disk syncs what was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sync {
    /// As soon as something was written.
    #[default]
    Always,
    /// So long after the first write that is not synced.
    Every(Span),
    /// Never: a crash loses everything.
    Never,
}

impl Default for Storage {
    fn default() -> Self {
        let instant = Distribution::constant(Span::ZERO);
        Self { write: instant.clone(), sync: instant, when: Sync::Always, torn: Probability::ZERO, capacity: None }
    }
}

/// One node's disk.
#[derive(Default, Debug)]
pub(super) struct Disk {
    /// What a crash leaves.
    pub(super) synced: BTreeMap<u64, Vec<u8>>,
    /// What was written since, in order.
    cached: Vec<Write>,
    /// What has yet to be written; the first may be under way.
    queue: VecDeque<Write>,
    task: Option<Task>,
    /// Until when.
    until: Time,
    /// When the next sync is due at the latest.
    sync_at: Option<Time>,
    /// Bytes of the last value under each key, written or not.
    sizes: BTreeMap<u64, u64>,
    used: u64,
    /// What the process will be told then.
    words: VecDeque<(Time, Word)>,
    /// Draws made.
    draws: u64,
    /// The faults that fill it.
    pub(super) full_by: Vec<FaultId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Task {
    Write,
    /// Of the first so many that are cached.
    Sync(usize),
    /// Nothing, until the next sync is due.
    Wait,
}

/// What a disk tells its node's process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// What was written under this key is in the disk's cache.
    Written(u64),
    /// It is synced.
    Synced(u64),
    /// There is no room for what was to be written under this key.
    Refused(u64),
}

/// Where a disk's luck is drawn.
#[derive(Clone, Copy)]
pub(super) struct Luck<'a> {
    pub(super) key: &'a Key,
    pub(super) name: Entity,
}

impl Disk {
    /// Takes a write over, or refuses it.
    pub(super) fn accept(&mut self, storage: &Storage, luck: Luck<'_>, now: Time, write: Write) {
        let size = write.value.len() as u64;
        let before = self.sizes.get(&write.key).copied().unwrap_or(0);
        let used = self.used - before + size;
        if !self.full_by.is_empty() || storage.capacity.is_some_and(|capacity| used > capacity) {
            self.words.push_back((now + ns(1), Word::Refused(write.key)));
            return;
        }
        self.used = used;
        self.sizes.insert(write.key, size);
        self.queue.push_back(write);
        if self.task.is_none_or(|task| task == Task::Wait) {
            self.go_on(storage, luck, now);
        }
    }

    /// When the disk has something to say, or to do next.
    pub(super) fn until(&self) -> Option<Time> {
        let task = self.task.map(|_| self.until);
        let word = self.words.front().map(|&(time, _)| time);
        task.into_iter().chain(word).min()
    }

    /// Time has come to what [`Disk::until`] says: what the process is told.
    pub(super) fn step(&mut self, storage: &Storage, luck: Luck<'_>, now: Time) -> Vec<Word> {
        let mut words = Vec::new();
        while let Some((_, word)) = self.words.pop_front_if(|&mut (time, _)| time <= now) {
            words.push(word);
        }
        if self.task.is_none() || self.until > now {
            return words;
        }
        match self.task.take() {
            Some(Task::Write) => {
                let write = self.queue.pop_front().expect("it was under way");
                words.push(Word::Written(write.key));
                self.cached.push(write);
            }
            Some(Task::Sync(count)) => {
                for Write { key, value } in self.cached.drain(..count) {
                    words.push(Word::Synced(key));
                    self.synced.insert(key, value);
                }
                self.sync_at = None;
            }
            Some(Task::Wait) | None => {}
        }
        self.go_on(storage, luck, now);
        words
    }

    /// Finds something to do.
    fn go_on(&mut self, storage: &Storage, luck: Luck<'_>, now: Time) {
        loop {
            if !self.queue.is_empty() {
                let length = self.sample(&storage.write, luck);
                if length == Span::ZERO {
                    let write = self.queue.pop_front().expect("just seen");
                    self.words.push_back((now + ns(1), Word::Written(write.key)));
                    self.cached.push(write);
                    continue;
                }
                return self.begin(Task::Write, now + length);
            }
            if self.cached.is_empty() {
                return;
            }
            let due = match storage.when {
                Sync::Always => now,
                Sync::Every(length) => *self.sync_at.get_or_insert(now + length),
                Sync::Never => return,
            };
            if due > now {
                return self.begin(Task::Wait, due);
            }
            let length = self.sample(&storage.sync, luck).max(ns(1));
            return self.begin(Task::Sync(self.cached.len()), now + length);
        }
    }

    fn begin(&mut self, task: Task, until: Time) {
        (self.task, self.until) = (Some(task), until);
    }

    fn sample(&mut self, law: &Distribution, Luck { key, name }: Luck<'_>) -> Span {
        if law.is_constant() {
            return law.minimum();
        }
        self.draws += 1;
        law.sample(key.block(name, self.draws).first())
    }

    /// The node crashes: what was not synced is lost, or torn.
    pub(super) fn crash(&mut self, storage: &Storage, Luck { key, name }: Luck<'_>) {
        if self.task == Some(Task::Write)
            && let Some(Write { key: place, mut value }) = self.queue.pop_front()
        {
            self.draws += 1;
            let draw = key.block(name, self.draws);
            if storage.torn.hits(draw.first()) {
                value.truncate(draw.second().below(value.len().max(1) as u64) as usize);
                self.synced.insert(place, value);
            }
        }
        self.cached.clear();
        self.queue.clear();
        self.words.clear();
        (self.task, self.sync_at) = (None, None);
        self.sizes = self.synced.iter().map(|(&key, value)| (key, value.len() as u64)).collect();
        self.used = self.sizes.values().sum();
    }
}

/// Every disk that was written to or filled, and what the disks of each group are like.
#[derive(Default)]
pub(super) struct Disks {
    disks: BTreeMap<NodeId, Disk>,
    /// When each disk that does something has done it, with its node's name: in this order, whatever the nodes' numbers.
    agenda: BTreeMap<(Time, Entity), NodeId>,
}

impl Disks {
    pub(super) fn get(&self, node: NodeId) -> Option<&Disk> {
        self.disks.get(&node)
    }

    /// When the next disk has done something.
    pub(super) fn next(&self) -> Time {
        self.agenda.first_key_value().map_or(Time::MAX, |((time, _), _)| *time)
    }

    /// The node whose disk has done something first.
    pub(super) fn pop(&mut self) -> Option<NodeId> {
        self.agenda.pop_first().map(|(_, node)| node)
    }

    /// Does something to a disk, and keeps the agenda.
    pub(super) fn change<T>(&mut self, node: NodeId, name: Entity, change: impl FnOnce(&mut Disk) -> T) -> T {
        let disk = self.disks.entry(node).or_default();
        let before = disk.until();
        let changed = change(disk);
        let after = disk.until();
        if before != after {
            before.map(|time| self.agenda.remove(&(time, name)));
            after.map(|time| self.agenda.insert((time, name), node));
        }
        changed
    }
}

impl<M: Message> Stage<M> {
    /// Does something to a node's disk, now.
    pub(super) fn change_disk<T>(
        &mut self,
        node: NodeId,
        change: impl FnOnce(&mut Disk, &Storage, Luck<'_>, Time) -> T,
    ) -> T {
        static INSTANT: LazyLock<Storage> = LazyLock::new(Storage::default);
        let Self { names, storage, run, .. } = self;
        let (now, name) = (run.now, names.entity(node));
        let luck = Luck { key: &run.keys.disk, name };
        let storage = storage.get(&names.group_of(node)).unwrap_or(&INSTANT);
        let changed = run.disks.change(node, name, |disk| change(disk, storage, luck, now));
        run.outside = run.outside.min(run.disks.next());
        changed
    }
}

impl<M: Message> Cluster<M> {
    /// The next disk has something to say, or to do.
    pub(super) fn step_disk(&mut self) {
        let node = self.stage.run.disks.pop().expect("it is due");
        let words = self.stage.change_disk(node, Disk::step);
        self.look_outside();
        for word in words {
            if self.stage.run.health.is_paused(node) {
                self.stage.run.health.hold(node, Held::Word(word));
            } else {
                self.hear_disk(node, word);
            }
        }
    }

    /// A node's process hears from its disk.
    pub(super) fn hear_disk(&mut self, node: NodeId, word: Word) {
        let now = self.stage.run.now;
        let (key, refused) = match word {
            Word::Synced(key) => (key, 0),
            Word::Refused(key) => (key, 1),
            Word::Written(key) => (key, 2),
        };
        let mark = [now.as_nanos(), self.stage.names.entity(node).bits(), key, refused];
        self.input(node, mark, Input::Word(word));
    }

    /// The disk of this node takes no writes on this fault's account, or takes them again.
    pub(super) fn fill_disk(&mut self, node: NodeId, id: FaultId, is_full: bool) {
        let (group, index) = self.stage.names.place(node);
        if is_full && self.arenas[group.index()].is_up(index) {
            self.stage.run.health.books.touch_node(id, node);
        }
        self.stage.change_disk(node, |disk, _, _, _| {
            disk.full_by.retain(|&other| other != id);
            disk.full_by.extend(is_full.then_some(id));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::probability::percent;
    use crate::base::random::Seed;
    use crate::base::time::ms;

    /// A disk of 2 ms a write and 10 ms a sync.
    fn storage(when: Sync) -> Storage {
        let constant = |millis| Distribution::constant(ms(millis));
        Storage { write: constant(2), sync: constant(10), when, ..Storage::default() }
    }

    /// Writes at these milliseconds, each of one byte under its own key; when each was synced, by key.
    fn synced(storage: &Storage, writes: &[u64], end: u64) -> (Vec<(u64, u64)>, Disk) {
        let key = Seed(1).key("disk");
        let luck = Luck { key: &key, name: Entity::default() };
        let mut disk = Disk::default();
        let mut seen = Vec::new();
        for now in 0..=end {
            let time = Time::ZERO + ms(now);
            while disk.until().is_some_and(|until| until <= time) {
                for word in disk.step(storage, luck, time) {
                    if let Word::Synced(key) = word {
                        seen.push((now, key));
                    }
                }
            }
            for _ in writes.iter().filter(|&&at| at == now) {
                let key = disk.sizes.len() as u64;
                disk.accept(storage, luck, time, Write { key, value: vec![1; 8] });
            }
        }
        (seen, disk)
    }

    #[test]
    fn writes_that_come_during_a_sync_share_the_next_one() {
        // The first is written at 2 and synced at 12; the three that came meanwhile are written at 14, 16 and 18, synced at 28.
        let (seen, _) = synced(&storage(Sync::Always), &[0, 3, 5, 11], 40);
        assert_eq!(seen, [(12, 0), (28, 1), (28, 2), (28, 3)]);
    }

    #[test]
    fn a_disk_may_sync_now_and_then_or_never() {
        // Written at 2, due 20 ms after, done at 32; the write of 25 waits for that, is written at 34, due at 54.
        let (seen, _) = synced(&storage(Sync::Every(ms(20))), &[0, 7, 25], 80);
        assert_eq!(seen, [(32, 0), (32, 1), (64, 2)]);
        let (seen, disk) = synced(&storage(Sync::Never), &[0, 7, 25], 80);
        assert_eq!((seen, disk.cached.len()), (vec![], 3));
    }

    #[test]
    fn a_crash_leaves_what_was_synced_and_perhaps_a_part_of_the_last_write() {
        let key = Seed(1).key("disk");
        let luck = Luck { key: &key, name: Entity::default() };
        let storage = Storage { torn: percent(100.0), ..storage(Sync::Always) };
        // At 14 ms the second write is under way since 13, the third waits.
        let (_, mut disk) = synced(&storage, &[0, 13, 14], 14);
        disk.crash(&storage, luck);
        assert_eq!(disk.synced[&0], [1; 8]);
        let torn = &disk.synced[&1];
        assert!(torn.len() < 8 && torn.iter().all(|&byte| byte == 1), "{torn:?}");
        assert_eq!((disk.synced.len(), disk.until(), disk.used), (2, None, 8 + torn.len() as u64));
        let (_, mut disk) = synced(&storage, &[0, 13, 14], 14);
        disk.crash(&Storage { torn: Probability::ZERO, ..storage }, luck);
        assert_eq!(disk.synced.len(), 1);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_another_value_under_the_same_key_takes_its_room() {
        let key = Seed(1).key("disk");
        let luck = Luck { key: &key, name: Entity::default() };
        let storage = Storage { capacity: Some(10), ..Storage::default() };
        let mut disk = Disk::default();
        for (key, size) in [(0, 8), (1, 3), (0, 7), (1, 3)] {
            disk.accept(&storage, luck, Time::ZERO, Write { key, value: vec![0; size] });
        }
        let soon = Time::from_nanos(1);
        let first = [Word::Written(0), Word::Refused(1), Word::Synced(0)];
        assert_eq!(disk.step(&storage, luck, soon), first);
        // The others were written while the first was synced.
        let later = Time::from_nanos(2);
        let others = [Word::Written(0), Word::Written(1), Word::Synced(0), Word::Synced(1)];
        assert_eq!(disk.step(&storage, luck, later), others);
    }
}
