//! The chapters that are being written, found by their messages.
//!
//! Nearly all that is stated is about messages that nobody follows. So a small table of counts is asked first, by a number that is
//! made of the message's name: where it has none, no chapter is open whose message has that number.

use std::collections::VecDeque;

use crate::process::MessageId;

/// Where a chapter stands: the story and its number in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub story: u32,
    pub chapter: u32,
}

/// Open chapters.
#[derive(Debug)]
pub(super) struct Open {
    /// Of each owner, in order of their numbers.
    owners: Vec<VecDeque<(u32, Place)>>,
    /// How many there are in each class of messages.
    counts: Box<[u32; CLASSES]>,
}

/// As many as fit into the fastest cache beside other things.
const CLASSES: usize = 2_048;

impl Open {
    /// None yet, among so many owners.
    pub fn of(owners: usize) -> Self {
        Self { owners: vec![VecDeque::new(); owners], counts: Box::new([0; CLASSES]) }
    }

    /// Where the chapter of a message stands, if it is open.
    #[inline(always)]
    pub fn find(&self, message: MessageId) -> Option<Place> {
        if self.counts[class(message)] == 0 { None } else { self.search(message) }
    }

    #[inline(never)]
    fn search(&self, message: MessageId) -> Option<Place> {
        let open = &self.owners[message.owner.index() as usize];
        let place = open.binary_search_by_key(&message.number, |&(number, _)| number).ok()?;
        Some(open[place].1)
    }

    /// Opens a chapter. Numbers of an owner rise, those of a later life above all of an earlier one; what does not rise is not followed.
    pub fn insert(&mut self, message: MessageId, place: Place) {
        let open = &mut self.owners[message.owner.index() as usize];
        if open.back().is_none_or(|&(last, _)| last < message.number) {
            open.push_back((message.number, place));
            self.counts[class(message)] += 1;
        }
    }

    /// Closes a chapter.
    pub fn remove(&mut self, message: MessageId) {
        let open = &mut self.owners[message.owner.index() as usize];
        if let Ok(place) = open.binary_search_by_key(&message.number, |&(number, _)| number) {
            open.remove(place);
            self.counts[class(message)] -= 1;
        }
    }
}

/// The class of a message: the uppermost bits of a product that mixes its name.
#[inline(always)]
fn class(message: MessageId) -> usize {
    let name = message.number ^ message.owner.index().wrapping_mul(0x9e37_79b9);
    (name.wrapping_mul(0x85eb_ca6b) >> (u32::BITS - CLASSES.trailing_zeros())) as usize
}
