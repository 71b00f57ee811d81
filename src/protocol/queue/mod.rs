//! Queue disciplines: who is next, and who waited in vain.
//!
//! A queue holds handles of what waits, and whoever owns the queue knows what they stand for. Whether there is room is the owner's
//! question as well; a discipline decides about order, and some about shedding, which happens when a turn is asked for.
//!
//! The draws and times are handed in. A turn takes O(1) or O(log n), and so does a removal in between: callers that give up may
//! be as many as those that get a turn.

mod standing;

use crate::base::random::Uniform;
use crate::base::time::Time;
use crate::protocol::family::family;

family! { $
    /// How those that wait get their turns: plain data.
    QueuePolicy,
    /// Those that wait, under any [`QueuePolicy`].
    AnyQueue, QUEUES, each_queue;
    fifo: Fifo, FifoSettings;
    lifo: Lifo, LifoSettings;
    random: RandomOrder, RandomOrderSettings;
    priority: PriorityOrder, PriorityOrderSettings;
    adaptive_lifo: AdaptiveLifo, AdaptiveLifoSettings;
    codel: Codel, CodelSettings;
    earliest_deadline: EarliestDeadline, EarliestDeadlineSettings;
}

impl Default for QueuePolicy {
    /// First in, first out.
    fn default() -> Self {
        Self::Fifo(FifoSettings::default())
    }
}

/// What waits in a queue, under one discipline.
pub trait Queue {
    /// Joins the queue. Handles in a queue are unique; `draw` gives a fresh draw each time, and is asked only by a discipline
    /// that needs luck.
    fn push(&mut self, item: Waiting, draw: impl FnMut() -> Uniform);

    /// Takes out one, and says what becomes of it. Whoever asks goes on asking while the answer is [`Popped::Shed`].
    ///
    /// `now` is not earlier than any time that was handed in before.
    fn pop(&mut self, now: Time) -> Popped;

    /// Takes this one out, wherever it stands; whether it was there.
    fn remove(&mut self, id: u32) -> bool;

    /// How many wait.
    fn len(&self) -> u32;

    /// Whether nobody waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One that comes to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Its handle.
    pub id: u32,
    /// When it joins.
    pub since: Time,
    /// How urgent it is: a higher number goes first.
    pub priority: u8,
    /// When it has to be done.
    pub deadline: Option<Time>,
}

/// What became of one that waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Popped {
    /// It is this one's turn.
    Serve(u32),
    /// This one waited in vain: it is not served.
    Shed(u32),
    /// Nobody waits.
    Empty,
}

impl Queue for AnyQueue {
    #[inline]
    fn push(&mut self, item: Waiting, draw: impl FnMut() -> Uniform) {
        each_queue!(self, queue => queue.push(item, draw));
    }

    #[inline]
    fn pop(&mut self, now: Time) -> Popped {
        each_queue!(self, queue => queue.pop(now))
    }

    fn remove(&mut self, id: u32) -> bool {
        each_queue!(self, queue => queue.remove(id))
    }

    #[inline]
    fn len(&self) -> u32 {
        each_queue!(self, queue => queue.len())
    }
}

impl Default for AnyQueue {
    fn default() -> Self {
        QueuePolicy::default().start()
    }
}

#[cfg(test)]
mod tests;
