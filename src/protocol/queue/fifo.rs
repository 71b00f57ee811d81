//! First in, first out.

use super::standing::Standing;
use super::{Popped, Queue, Waiting};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::settings;

settings! {
    /// Whoever came first goes first. Nobody is overtaken, so waits vary least. Under overload everybody waits for as long as the
    /// queue is, and those that are served may have given up already.
    pub struct FifoSettings = "fifo", "elementary" {}
}

impl Settings for FifoSettings {}

/// Those that wait, the oldest in front.
#[derive(Clone, Debug, Default)]
pub struct Fifo(Box<Standing<()>>);

impl Fifo {
    /// Nobody waits.
    pub fn new(_: &FifoSettings) -> Self {
        Self::default()
    }
}

impl Queue for Fifo {
    #[inline]
    fn push(&mut self, item: Waiting, _: impl FnMut() -> Uniform) {
        self.0.push(item.id, ());
    }

    #[inline]
    fn pop(&mut self, _: Time) -> Popped {
        self.0.pop_front().map_or(Popped::Empty, |(id, ())| Popped::Serve(id))
    }

    fn remove(&mut self, id: u32) -> bool {
        self.0.remove(id)
    }

    #[inline]
    fn len(&self) -> u32 {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drain, since};
    use super::*;

    #[test]
    fn the_first_goes_first() {
        let mut queue = Fifo::default();
        for id in 0..5 {
            queue.push(since(id, 0), || unreachable!());
        }
        assert!(queue.remove(2) && !queue.remove(2));
        assert_eq!(drain(&mut queue, 1000), (vec![0, 1, 3, 4], vec![]));
    }
}
