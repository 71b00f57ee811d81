//! One run through a program: a client's user at work, or a service's request.

use std::sync::Arc;

use crate::base::distribution::Distribution;
use crate::base::id::Entity;
use crate::base::random::{Uniform, mix};
use crate::base::time::Span;
use crate::process::Outcome;

use super::script::{Gathering, Script, Step};

/// How far a program has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// The program.
    pub(super) program: u16,
    next: u16,
    /// The name its draws are addressed by, and the attempt.
    pub(super) luck: u64,
    /// See `luck`.
    pub(super) attempt: u32,
}

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// A worker is busy for so long.
    Work(Span),
    /// Nothing happens for so long.
    Sleep(Span),
    /// A message of this kind is sent; whether to wait for its end.
    Message { call: u16, wait: bool },
    /// A message of this kind is put into the outbox.
    Outbox(u16),
    /// These messages are sent at once.
    Gather(Arc<Gathering>),
    /// The program is over.
    End(Outcome),
}

impl Progress {
    pub(super) fn new(program: u16, luck: u64, attempt: u32) -> Self {
        Self { program, next: 0, luck, attempt }
    }

    /// Goes one step on. Work and sleep of no length are passed over.
    pub(super) fn step(&mut self, script: &Script) -> Next {
        loop {
            let steps = &script.programs[self.program as usize].steps;
            let Some(step) = steps.get(self.next as usize) else { return Next::End(Outcome::Done) };
            let position = u64::from(self.attempt) << 16 | u64::from(self.next);
            self.next += 1;
            let draw = || self.draw(script, position);
            let span = |law: &Distribution| {
                if law.is_constant() { law.minimum() } else { law.sample(draw()) }
            };
            match step {
                Step::Work(law) => match span(law) {
                    Span::ZERO => {}
                    length => return Next::Work(length),
                },
                Step::Sleep(law) => match span(law) {
                    Span::ZERO => {}
                    length => return Next::Sleep(length),
                },
                Step::Message { call, wait } => return Next::Message { call: *call, wait: *wait },
                Step::Outbox(call) => return Next::Outbox(*call),
                Step::Fail(share) => {
                    if share.hits(draw()) {
                        return Next::End(Outcome::Failed);
                    }
                }
                Step::Gather(gathering) => return Next::Gather(Arc::clone(gathering)),
                Step::Jump(place) => self.next = *place,
                Step::Choose(ways) => self.next = ways.pick(draw),
            }
        }
    }

    /// The luck that messages which are sent at once derive theirs from.
    pub(super) fn branches(&self) -> u64 {
        mix(self.luck ^ mix(u64::from(self.attempt) << 16 | u64::from(self.next)))
    }

    /// A draw of this run. Apart, so that a step that draws nothing does not prepare for it.
    #[inline(never)]
    fn draw(&self, script: &Script, position: u64) -> Uniform {
        script.keys.demand.block(Entity::from_bits(self.luck), position).first()
    }
}

/// Values that stay where they are put, in places used again: the one left last is taken first.
///
/// The first place is inline, so that a node with one thing to do at a time needs no other memory.
#[derive(Debug)]
pub(super) struct Slab<T> {
    first: Place<T>,
    more: More<T>,
    /// The free place that is taken next, if there is one.
    free: u32,
}

/// The places after the first.
#[allow(clippy::box_collection, reason = "most nodes have none, and a vector of 24 bytes would cost each of them more")]
type More<T> = Option<Box<Vec<Place<T>>>>;

#[derive(Debug)]
enum Place<T> {
    Taken(T),
    /// Free, and which place is after it.
    Free(u32),
}

/// Stands where there is no further free place.
const NO_PLACE: u32 = u32::MAX;

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { first: Place::Free(NO_PLACE), more: None, free: 0 }
    }

    pub(super) fn insert(&mut self, value: T) -> u32 {
        let index = self.free;
        match self.place(index) {
            Some(place) => {
                let Place::Free(next) = std::mem::replace(place, Place::Taken(value)) else {
                    unreachable!("what is free holds nothing")
                };
                self.free = next;
                index
            }
            None => {
                let more = self.more.get_or_insert_default();
                more.push(Place::Taken(value));
                more.len() as u32
            }
        }
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let free = self.free;
        let place = self.place(index)?;
        if let Place::Free(_) = place {
            return None;
        }
        let Place::Taken(value) = std::mem::replace(place, Place::Free(free)) else { return None };
        self.free = index;
        Some(value)
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        match self.place(index)? {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        let place = match index {
            0 => &self.first,
            _ => self.more.as_ref()?.get(index as usize - 1)?,
        };
        match place {
            Place::Taken(value) => Some(value),
            Place::Free(_) => None,
        }
    }

    fn place(&mut self, index: u32) -> Option<&mut Place<T>> {
        match index {
            0 => Some(&mut self.first),
            _ => self.more.as_mut()?.get_mut(index as usize - 1),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let more = self.more.iter().flat_map(|more| more.iter());
        (0..).zip(std::iter::once(&self.first).chain(more)).filter_map(|(index, place)| match place {
            Place::Taken(value) => Some((index, value)),
            Place::Free(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_left_last_is_taken_first() {
        let mut slab = Slab::new();
        assert_eq!([0, 1, 2, 3].map(|value| slab.insert(value)), [0, 1, 2, 3]);
        assert_eq!([0, 2].map(|index| slab.remove(index)), [Some(0), Some(2)]);
        assert_eq!(slab.remove(2), None);
        assert_eq!([7, 8, 9].map(|value| slab.insert(value)), [2, 0, 4]);
        assert!(slab.iter().eq([(0, &8), (1, &1), (2, &7), (3, &3), (4, &9)]));
    }

    #[test]
    fn one_value_at_a_time_stays_inline() {
        let mut slab = Slab::new();
        for round in 0..10 {
            let index = slab.insert(round);
            assert_eq!((index, slab.get_mut(index)), (0, Some(&mut { round })));
            assert_eq!(slab.remove(index), Some(round));
        }
        assert!(slab.more.is_none());
    }
}
