//! Last in, first out.

use super::standing::Standing;
use super::{Popped, Queue, Waiting};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::settings;

settings! {
    /// Whoever came last goes first. Under overload the newest are answered in time, and those that have waited for long, whose
    /// callers have likely given up, wait on. It costs an even treatment: the mean wait is that of first in, first out, its
    /// spread is not.
    pub struct LifoSettings = "lifo", "elementary" {}
}

impl Settings for LifoSettings {}

/// Those that wait, the newest at the end.
#[derive(Clone, Debug, Default)]
pub struct Lifo(Box<Standing<()>>);

impl Lifo {
    /// Nobody waits.
    pub fn new(_: &LifoSettings) -> Self {
        Self::default()
    }
}

impl Queue for Lifo {
    fn push(&mut self, item: Waiting, _: impl FnMut() -> Uniform) {
        self.0.push(item.id, ());
    }

    fn pop(&mut self, _: Time) -> Popped {
        self.0.pop_back().map_or(Popped::Empty, |(id, ())| Popped::Serve(id))
    }

    fn remove(&mut self, id: u32) -> bool {
        self.0.remove(id)
    }

    fn len(&self) -> u32 {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drain, since};
    use super::*;

    #[test]
    fn the_last_goes_first() {
        let mut queue = Lifo::default();
        for id in 0..5 {
            queue.push(since(id, 0), || unreachable!());
        }
        assert!(queue.remove(2) && !queue.remove(2));
        assert_eq!(drain(&mut queue, 1000), (vec![4, 3, 1, 0], vec![]));
    }
}
