//! The chapters that are being written, found by their messages.

use std::collections::VecDeque;

use crate::process::{Followed, MessageId};

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
    /// Nearly all that is stated is about messages that nobody follows: this is asked first.
    pub followed: Followed,
}

impl Open {
    /// None yet, among so many owners.
    pub fn of(owners: usize) -> Self {
        Self { owners: vec![VecDeque::new(); owners], followed: Followed::default() }
    }

    /// Where the chapter of a message stands, if it is open.
    #[inline(always)]
    pub fn find(&self, message: MessageId) -> Option<Place> {
        if self.followed.has(message) { self.search(message) } else { None }
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
            self.followed.add(message);
        }
    }

    /// Closes a chapter.
    pub fn remove(&mut self, message: MessageId) {
        let open = &mut self.owners[message.owner.index() as usize];
        if let Ok(place) = open.binary_search_by_key(&message.number, |&(number, _)| number) {
            open.remove(place);
            self.followed.remove(message);
        }
    }
}
