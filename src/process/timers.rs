//! A node's timers: slots with generations.
//!
//! The typed value of a timer stays with its node; the queue of events knows only slot and generation. Cancelling moves the
//! generation on, and the queue drops its entry when it next looks.

use std::num::NonZeroU32;

/// A timer that was set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimerId {
    /// The slot that holds its value.
    pub slot: u32,
    /// The slot's generation while it is armed.
    pub generation: NonZeroU32,
}

/// The timers of one node, with values of type `T`. The first slot is inline: a process with one timer needs no other memory.
#[derive(Clone, Debug)]
pub struct Timers<T> {
    first: Slot<T>,
    more: Option<Box<More<T>>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot<T> {
    generation: NonZeroU32,
    value: Option<T>,
}

#[derive(Clone, Debug)]
struct More<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T: Copy> Default for Timers<T> {
    fn default() -> Self {
        Self { first: Slot { generation: NonZeroU32::MIN, value: None }, more: None }
    }
}

impl<T: Copy> Timers<T> {
    /// Takes a slot for `value`.
    #[inline(always)]
    pub fn arm(&mut self, value: T) -> TimerId {
        if self.first.value.is_none() {
            self.first.value = Some(value);
            return TimerId { slot: 0, generation: self.first.generation };
        }
        self.arm_more(value)
    }

    fn arm_more(&mut self, value: T) -> TimerId {
        let more = self.more.get_or_insert_with(|| Box::new(More { slots: Vec::new(), free: Vec::new() }));
        let index = more.free.pop().unwrap_or_else(|| {
            more.slots.push(Slot { generation: NonZeroU32::MIN, value: None });
            u32::try_from(more.slots.len() - 1).expect("a node has fewer than 2^32 timers")
        });
        let slot = &mut more.slots[index as usize];
        slot.value = Some(value);
        TimerId { slot: index + 1, generation: slot.generation }
    }

    /// How many timers are set.
    pub fn len(&self) -> u64 {
        let armed = |slot: &&Slot<T>| slot.value.is_some();
        let more = self.more.iter().flat_map(|more| &more.slots);
        std::iter::once(&self.first).chain(more).filter(armed).count() as u64
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the timer is set and has not fired.
    #[inline(always)]
    pub fn is_armed(&self, id: TimerId) -> bool {
        match id.slot {
            0 => self.first.generation == id.generation && self.first.value.is_some(),
            slot => self.more.as_ref().is_some_and(|more| {
                let slot = &more.slots[slot as usize - 1];
                slot.generation == id.generation && slot.value.is_some()
            }),
        }
    }

    /// Frees the slot and returns its value; nothing if the timer fired or was cancelled before.
    #[inline(always)]
    pub fn disarm(&mut self, id: TimerId) -> Option<T> {
        if !self.is_armed(id) {
            return None;
        }
        let slot = match id.slot {
            0 => &mut self.first,
            slot => {
                let more = self.more.as_mut()?;
                more.free.push(slot - 1);
                &mut more.slots[slot as usize - 1]
            }
        };
        slot.generation = successor(slot.generation);
        slot.value.take()
    }

    /// Cancels every timer, as a crash does; ids given out before stay invalid.
    pub fn wipe(&mut self) {
        let wipe = |slot: &mut Slot<T>| {
            slot.generation = successor(slot.generation);
            slot.value = None;
        };
        wipe(&mut self.first);
        if let Some(more) = &mut self.more {
            more.slots.iter_mut().for_each(wipe);
            more.free = (0..more.slots.len() as u32).rev().collect();
        }
    }
}

/// The next generation, from the last to the first again.
fn successor(generation: NonZeroU32) -> NonZeroU32 {
    generation.checked_add(1).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_timer_does_not_come_back_with_its_slot() {
        let mut timers = Timers::default();
        let ids: Vec<_> = (0..3).map(|value| timers.arm(value)).collect();
        assert_eq!(timers.disarm(ids[1]), Some(1));
        assert_eq!(timers.disarm(ids[1]), None);
        let reused = timers.arm(7);
        assert_eq!(reused.slot, ids[1].slot);
        assert!(!timers.is_armed(ids[1]));
        assert!(timers.is_armed(reused) && timers.is_armed(ids[0]) && timers.is_armed(ids[2]));
    }

    #[test]
    fn a_crash_voids_every_timer() {
        let mut timers = Timers::default();
        let ids: Vec<_> = (0..3).map(|value| timers.arm(value)).collect();
        timers.wipe();
        assert!(ids.iter().all(|&id| !timers.is_armed(id)));
        let again: Vec<_> = (0..3).map(|value| timers.arm(value)).collect();
        assert!(ids.iter().all(|&id| !timers.is_armed(id)));
        assert!(again.iter().all(|&id| timers.is_armed(id)));
    }
}
