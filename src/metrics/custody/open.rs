//! Messages that have not come to their end: by owner, in order of their numbers.
//!
//! A topic may hold a million of them, so an entry is small, and stands beside its neighbours. Those that have ended hold their place until
//! they are first in line, or until they are most of it.

use std::collections::{BTreeMap, VecDeque};

use crate::base::time::Time;
use crate::process::{Flow, Loss, MessageId, NO_PLACE};

/// The open messages of all owners.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// By the index of the owner.
    lines: Vec<Line>,
    /// What further places have to do with a message. Nearly all go to one.
    others: BTreeMap<MessageId, Vec<Share>>,
}

/// The messages of one owner.
#[derive(Debug, Default)]
struct Line {
    entries: VecDeque<Entry>,
    /// How many of them have ended.
    ended: usize,
}

/// A message that has not come to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) due: Time,
    key: u64,
    number: u32,
    pub(super) flow: Flow,
    pub(super) counts: bool,
    has_key: bool,
    has_ended: bool,
    /// What a loss would be due to before any place has taken it.
    pub(super) refusal: Option<Loss>,
    /// What the first place has to do with it.
    first: Share,
}

const _: () = assert!(size_of::<Entry>() <= 48);

/// What a place has to do with a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) place: u16,
    /// Copies that are kept there.
    pub(super) held: u16,
    /// Copies that its consumers received.
    pub(super) received: u16,
    /// Copies that they have.
    pub(super) present: u16,
    /// Copies that they processed well.
    pub(super) effects: u16,
    /// Why its consumers do not come back to it, if they do not.
    pub(super) passed: Option<Loss>,
    pub(super) was_handed_on: bool,
    /// What a loss would be due to.
    pub(super) risk: Option<Loss>,
}

impl Line {
    fn index(&self, number: u32) -> Option<usize> {
        let first = self.entries.front()?.number;
        // Numbers follow each other, so the guess by distance is nearly always right.
        let guess = number.wrapping_sub(first) as usize;
        let index = match self.entries.get(guess) {
            Some(entry) if entry.number == number => guess,
            _ => self.entries.binary_search_by_key(&number, |entry| entry.number).ok()?,
        };
        (!self.entries[index].has_ended).then_some(index)
    }

    fn end(&mut self, index: usize) {
        self.entries[index].has_ended = true;
        self.ended += 1;
        while self.entries.pop_front_if(|entry| entry.has_ended).is_some() {
            self.ended -= 1;
        }
        if self.ended > self.entries.len() / 2 {
            self.entries.retain(|entry| !entry.has_ended);
            self.ended = 0;
        }
    }
}

impl Open {
    /// A message begins. What was known of another one under its name is forgotten.
    pub(super) fn begin(&mut self, message: MessageId, flow: Flow, due: Time, counts: bool) {
        let owner = message.owner.index() as usize;
        if self.lines.len() <= owner {
            self.lines.resize_with(owner + 1, Line::default);
        }
        let number = message.number;
        let none = Share::none(NO_PLACE);
        let entry =
            Entry { due, key: 0, number, flow, counts, has_key: false, has_ended: false, refusal: None, first: none };
        let line = &mut self.lines[owner];
        if line.entries.back().is_none_or(|last| last.number < number) {
            return line.entries.push_back(entry);
        }
        match line.entries.binary_search_by_key(&number, |entry| entry.number) {
            Ok(index) => {
                line.ended -= usize::from(line.entries[index].has_ended);
                line.entries[index] = entry;
                self.others.remove(&message);
            }
            Err(index) => line.entries.insert(index, entry),
        }
    }

    /// What is known of a message.
    pub(super) fn get(&self, message: MessageId) -> Option<&Entry> {
        let line = self.lines.get(message.owner.index() as usize)?;
        Some(&line.entries[line.index(message.number)?])
    }

    pub(super) fn get_mut(&mut self, message: MessageId) -> Option<&mut Entry> {
        let line = self.lines.get_mut(message.owner.index() as usize)?;
        let index = line.index(message.number)?;
        Some(&mut line.entries[index])
    }

    /// What a place has to do with a message.
    pub(super) fn share(&mut self, message: MessageId, place: u16) -> Option<&mut Share> {
        let line = self.lines.get_mut(message.owner.index() as usize)?;
        let index = line.index(message.number)?;
        let first = &mut line.entries[index].first;
        if first.place == NO_PLACE {
            *first = Share::none(place);
        }
        if first.place == place {
            return Some(first);
        }
        let others = self.others.entry(message).or_default();
        let known = others.iter().position(|share| share.place == place);
        let index = known.unwrap_or_else(|| {
            others.push(Share::none(place));
            others.len() - 1
        });
        Some(&mut others[index])
    }

    /// A message has come to its end: what was known of it, and what further places have to do with it.
    pub(super) fn end(&mut self, message: MessageId) -> Option<(Entry, Vec<Share>)> {
        let line = self.lines.get_mut(message.owner.index() as usize)?;
        let index = line.index(message.number)?;
        let entry = line.entries[index];
        line.end(index);
        Some((entry, self.others.remove(&message).unwrap_or_default()))
    }
}

impl Entry {
    /// What the first place has to do with it, if any has.
    pub(super) fn first(&self) -> Option<Share> {
        (self.first.place != NO_PLACE).then_some(self.first)
    }

    /// What it is about, if that is known.
    pub(super) fn key(&self) -> Option<u64> {
        self.has_key.then_some(self.key)
    }

    /// It is about this, unless that is known already.
    pub(super) fn learn(&mut self, key: Option<u64>) {
        if let Some(key) = key.filter(|_| !self.has_key) {
            (self.key, self.has_key) = (key, true);
        }
    }
}

impl Share {
    const fn none(place: u16) -> Self {
        Self { place, held: 0, received: 0, present: 0, effects: 0, passed: None, was_handed_on: false, risk: None }
    }

    /// Its consumers do not come back to it. The first reason is that of the loss: what is passed over once is so ever after.
    pub(super) fn pass(&mut self, why: Loss) {
        self.passed = self.passed.or(Some(why));
    }

    /// Why the place has lost the message, if it has.
    pub(super) fn lost(&self, is_gone: bool) -> Option<Loss> {
        if self.effects > 0 || self.was_handed_on {
            return None;
        }
        if let Some(why) = self.passed.filter(|_| self.present == 0) {
            return Some(why);
        }
        if self.held > 0 {
            return None;
        }
        let why = self.risk.unwrap_or(Loss::Unexplained);
        // What was let go of when it was sent may still be on its way.
        (is_gone || why != Loss::Automatic).then_some(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::NodeId;

    fn message(number: u32) -> MessageId {
        MessageId { owner: NodeId::new(2), number }
    }

    /// Numbers have gaps, and another life goes on elsewhere.
    #[test]
    fn a_message_is_known_from_its_beginning_to_its_end() {
        let mut open = Open::default();
        let numbers = [4, 5, 9, 1 << 24, (1 << 24) + 1];
        for number in numbers {
            open.begin(message(number), Flow(number as u16), Time::ZERO, true);
        }
        assert!(numbers.iter().all(|&number| open.get(message(number)).unwrap().flow == Flow(number as u16)));
        assert!([0, 6, 10, (1 << 24) + 2].into_iter().all(|number| open.get(message(number)).is_none()));
        for number in [9, 4, (1 << 24) + 1] {
            assert!(open.end(message(number)).is_some() && open.end(message(number)).is_none());
        }
        assert!([5, 1 << 24].into_iter().all(|number| open.get(message(number)).is_some()));
    }

    /// The first message stays open: of a thousand that come and go behind it no more than a few hold places.
    #[test]
    fn what_has_ended_holds_no_room_for_long() {
        let mut open = Open::default();
        open.begin(message(0), Flow(0), Time::ZERO, true);
        for number in 1..1000 {
            open.begin(message(number), Flow(0), Time::ZERO, true);
            open.end(message(number));
            assert!(open.lines[2].entries.len() <= 2);
        }
        assert!(open.get(message(0)).is_some());
    }

    #[test]
    fn each_place_has_its_share() {
        let mut open = Open::default();
        open.begin(message(1), Flow(0), Time::ZERO, true);
        for (place, held) in [(7, 1), (3, 2), (7, 3), (9, 4)] {
            open.share(message(1), place).unwrap().held = held;
        }
        let (entry, others) = open.end(message(1)).unwrap();
        let shares = entry.first().into_iter().chain(others);
        assert_eq!(shares.map(|share| (share.place, share.held)).collect::<Vec<_>>(), [(7, 3), (3, 2), (9, 4)]);
        assert!(open.others.is_empty() && open.share(message(1), 7).is_none());
    }
}
