//! A view for tests, each of its answers set by hand.

use std::collections::VecDeque;

use super::View;
use crate::base::random::Uniform;
use crate::base::time::Time;
use crate::protocol::laws::draws;

/// A view that answers what it was told.
pub struct Fixed {
    /// The draws that are left.
    pub draws: Box<dyn FnMut() -> Uniform>,
    /// How many draws were taken.
    pub taken: usize,
    /// The members' real loads; none has any if this is empty.
    pub loads: Vec<u32>,
    /// The members that are down.
    pub down: Vec<usize>,
    /// The request's key.
    pub key: u64,
    /// The time.
    pub now: Time,
}

impl Fixed {
    /// Draws from this seed on.
    pub fn seeded(seed: u64) -> Self {
        Self::drawing(draws(seed))
    }

    /// These draws and no others.
    pub fn draws(bits: &[u64]) -> Self {
        let mut bits = VecDeque::from(bits.to_vec());
        Self::drawing(move || Uniform::from_bits(bits.pop_front().expect("no further draw is taken")))
    }

    /// No draws, and these loads.
    pub fn loads(loads: &[u32]) -> Self {
        Self { loads: loads.into(), ..Self::draws(&[]) }
    }

    fn drawing(draws: impl FnMut() -> Uniform + 'static) -> Self {
        Self { draws: Box::new(draws), taken: 0, loads: vec![], down: vec![], key: 0, now: Time::ZERO }
    }
}

impl View for Fixed {
    fn draw(&mut self) -> Uniform {
        self.taken += 1;
        (self.draws)()
    }

    fn load(&self, member: usize) -> u32 {
        if self.loads.is_empty() { 0 } else { self.loads[member] }
    }

    fn is_up(&self, member: usize) -> bool {
        !self.down.contains(&member)
    }

    fn key(&self) -> u64 {
        self.key
    }

    fn now(&self) -> Time {
        self.now
    }
}
