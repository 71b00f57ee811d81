//! One run through a program: a client's user at work, or a service's request.

use crate::base::id::Entity;
use crate::base::time::Span;
use crate::process::Outcome;

use super::script::{Script, Step};

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// A worker is busy for so long.
    Work(Span),
    /// Nothing happens for so long.
    Sleep(Span),
    /// A message of this kind is sent; whether to wait for its end.
    Message { call: u16, wait: bool },
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
            let steps = &script.programs[self.program as usize].0;
            let Some(step) = steps.get(self.next as usize) else { return Next::End(Outcome::Done) };
            let position = u64::from(self.attempt) << 16 | u64::from(self.next);
            self.next += 1;
            let draw = || script.keys.demand.block(Entity::from_bits(self.luck), position).first();
            let span = |law: &crate::base::distribution::Distribution| {
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
                Step::Fail(share) => {
                    if share.hits(draw()) {
                        return Next::End(Outcome::Failed);
                    }
                }
            }
        }
    }
}

/// Values that stay where they are put, in places used again.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self, value: T) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            (self.places.len() - 1) as u32
        });
        self.places[place as usize] = Some(value);
        place
    }

    pub(super) fn remove(&mut self, place: u32) -> Option<T> {
        let value = self.places.get_mut(place as usize)?.take()?;
        self.free.push(place);
        Some(value)
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.places).filter_map(|(place, value)| Some((place, value.as_ref()?)))
    }
}
