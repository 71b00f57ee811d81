//! What a long queue costs: messages that are not in memory have to be read before they can be delivered.
//!
//! A classic queue keeps no more than 2048 messages in memory, those next to be delivered; what comes when there are as many goes to
//! disk alone. When the last one in memory has been delivered and a consumer waits for another, the queue reads the next 2048 at once,
//! and delivers nothing meanwhile. After a crash nothing is in memory. It matters not whether messages are persistent: a queue of
//! either kind is paged out. What comes back from a consumer is in memory.
//!
//! A queue with priorities is one here: which of its messages are in memory is not told apart. Quorum queues keep to their log, and are
//! not paged.
//!
//! Source: rabbitmq.com/docs/persistence-conf and rabbitmq.com/docs/lazy-queues (all classic queues since 3.12); the number is that of
//! `rabbit_variable_queue` in RabbitMQ 4.0.

use crate::base::time::{Span, Time};
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::process::Clock;
use crate::protocol::amqp::{QueueId, QueueType};

use super::Broker;

/// The most messages of a queue that are in memory.
const IN_MEMORY: usize = 2048;

/// The messages of a queue that are on disk alone: the last ones.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Pages {
    out: usize,
    /// Whether some are being read.
    is_reading: bool,
}

impl Pages {
    /// One more message came to a queue that had so many before.
    fn add(&mut self, ready: usize) {
        if self.out > 0 || ready >= IN_MEMORY {
            self.out += 1;
        }
    }

    /// The next ones were read.
    fn turn(&mut self) {
        self.is_reading = false;
        self.out = self.out.saturating_sub(IN_MEMORY);
    }
}

impl Broker {
    /// Whether reading costs anything at this queue.
    fn is_paged(&self, queue: QueueId) -> bool {
        self.spec.disk_read > Span::ZERO && self.spec.queues[queue.index()].settings.kind() == QueueType::Classic
    }

    /// A message came to the end of a queue that had so many before.
    pub(super) fn page_out(&mut self, queue: QueueId, ready: usize) {
        if self.is_paged(queue) {
            self.queues[queue.index()].pages.add(ready);
        }
    }

    /// A queue was found on disk.
    pub(super) fn page_out_all(&mut self, queue: QueueId) {
        if self.is_paged(queue) {
            let hosted = &mut self.queues[queue.index()];
            hosted.pages.out = hosted.queue.ready();
        }
    }

    /// Whether the queue has to read before it can deliver. If so, it does, and delivers nothing until it has.
    pub(super) fn reads(&mut self, cx: &mut Cx<'_>, queue: QueueId, now: Time) -> bool {
        let read = self.spec.disk_read;
        let hosted = &mut self.queues[queue.index()];
        hosted.pages.out = hosted.pages.out.min(hosted.queue.ready());
        if hosted.pages.out == 0 || hosted.pages.out < hosted.queue.ready() || !hosted.queue.can_deliver() {
            return false;
        }
        if !hosted.pages.is_reading {
            hosted.pages.is_reading = true;
            hosted.rests_until = hosted.rests_until.max(now + read);
        }
        if !hosted.is_resting {
            hosted.is_resting = true;
            cx.set_timer(Clock::Steady, hosted.rests_until.since(now), Alarm::Deliver(queue.index() as u32));
        }
        true
    }

    /// A queue may go on: what it has read is in memory.
    pub(super) fn page_in(&mut self, queue: QueueId, now: Time) {
        let hosted = &mut self.queues[queue.index()];
        if hosted.pages.is_reading && hosted.rests_until <= now {
            hosted.pages.turn();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3000 come: 952 are on disk alone, and in memory after one read; then it holds as many again.
    #[test]
    fn what_is_beyond_the_memory_is_on_disk_until_it_is_read() {
        let mut pages = Pages::default();
        (0..3000).for_each(|ready| pages.add(ready));
        assert_eq!(pages.out, 952);
        pages.turn();
        assert_eq!(pages.out, 0);
        pages.add(952);
        assert_eq!(pages.out, 0);
    }
}
