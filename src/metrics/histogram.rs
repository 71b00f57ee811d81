//! A log-linear histogram of spans.
//!
//! Each octave of nanoseconds has 256 slots, each slot its count and its sum, so that a quantile is off by at most 0.4 % of
//! its value, and not at all where equal values fall together (constant latencies). Octaves take memory when first used, and
//! none does while there are few values: a run has a histogram for each flow and step of time, and most of them stay small.

use serde::{Deserialize, Serialize};

use crate::base::time::Span;

const SLOT_BITS: u32 = 8;
const SLOTS: usize = 1 << SLOT_BITS;
/// So many values are kept as they are before any has a slot.
const FEW: usize = 64;

/// Counts of spans by length. Stored, it is the list of what is occupied.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Occupied", try_from = "Occupied")]
pub struct Histogram {
    /// The values, in the order in which they came, while there are few of them. There are no slots then.
    few: Vec<u64>,
    /// The slots from octave `first` on.
    slots: Vec<Slot>,
    first: usize,
    /// The smallest and the largest value; the wrong way round while there is none.
    min: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { few: Vec::new(), slots: Vec::new(), first: 0, min: u64::MAX, max: 0 }
    }
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Slot {
    count: u64,
    /// The sum of the values' distances to the lower end of the slot.
    excess: u64,
}

impl PartialEq for Histogram {
    /// Whether the same was counted.
    fn eq(&self, other: &Self) -> bool {
        (self.min, self.max) == (other.min, other.max) && self.slots().eq(other.slots())
    }
}

/// The slot of a value, counted through all octaves, and the value's distance to the slot's lower end. Values below
/// 2^SLOT_BITS have a slot each.
#[inline(always)]
fn place(value: u64) -> (usize, u64) {
    let octave = (value | (SLOTS as u64 - 1)).ilog2() + 1 - SLOT_BITS;
    let shift = octave.saturating_sub(1);
    let slot = (value >> shift) as usize & (SLOTS - 1);
    ((octave as usize) << SLOT_BITS | slot, value & ((1 << shift) - 1))
}

/// The lower end of a slot.
fn lower_end(slot: usize) -> u64 {
    let (octave, slot) = (slot >> SLOT_BITS, (slot & (SLOTS - 1)) as u64);
    if octave == 0 { slot } else { (slot | SLOTS as u64) << (octave - 1) }
}

impl Histogram {
    /// Counts a value.
    #[inline(always)]
    pub fn record(&mut self, value: Span) {
        let value = value.as_nanos();
        let (slot, excess) = place(value);
        match self.slots.get_mut(slot.wrapping_sub(self.first << SLOT_BITS)) {
            Some(slot) => {
                slot.count += 1;
                slot.excess += excess;
                // Rarely: a branch that is never taken beats two stores.
                if value < self.min {
                    self.min = value;
                }
                if value > self.max {
                    self.max = value;
                }
            }
            None => self.record_outside(value),
        }
    }

    /// Counts a value where there are no slots, or none for it.
    #[cold]
    fn record_outside(&mut self, value: u64) {
        if self.slots.is_empty() && self.few.len() < FEW {
            self.few.push(value);
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            return;
        }
        self.give_slots();
        let (slot, _) = place(value);
        self.reach(slot >> SLOT_BITS);
        self.record(Span::from_nanos(value));
    }

    /// Counts in slots what was kept as it is.
    fn give_slots(&mut self) {
        for value in std::mem::take(&mut self.few) {
            let (slot, excess) = place(value);
            self.reach(slot >> SLOT_BITS);
            let slot = &mut self.slots[slot - (self.first << SLOT_BITS)];
            slot.count += 1;
            slot.excess += excess;
        }
    }

    /// Makes room for an octave.
    fn reach(&mut self, octave: usize) {
        if self.slots.is_empty() {
            self.first = octave;
        }
        if octave < self.first {
            let missing = (self.first - octave) << SLOT_BITS;
            self.slots.splice(0..0, std::iter::repeat_n(Slot::default(), missing));
            self.first = octave;
        }
        let end = (octave + 1 - self.first) << SLOT_BITS;
        if self.slots.len() < end {
            self.slots.resize(end, Slot::default());
        }
    }

    /// Adds what another histogram counted.
    pub fn merge(&mut self, other: &Self) {
        other.few.iter().for_each(|&value| self.record(Span::from_nanos(value)));
        if other.slots.is_empty() {
            return;
        }
        self.give_slots();
        self.reach(other.first);
        self.reach(other.first + (other.slots.len() >> SLOT_BITS) - 1);
        let offset = (other.first - self.first) << SLOT_BITS;
        for (slot, other) in self.slots[offset..].iter_mut().zip(&other.slots) {
            slot.count += other.count;
            slot.excess += other.excess;
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.few.len() as u64 + self.slots.iter().map(|slot| slot.count).sum::<u64>()
    }

    /// Their mean in nanoseconds, if there are any. Exact.
    pub fn mean(&self) -> Option<f64> {
        let (mut count, mut sum) = (0, 0);
        for (lower, slot) in self.occupied() {
            count += slot.count;
            sum += u128::from(lower) * u128::from(slot.count) + u128::from(slot.excess);
        }
        (count > 0).then(|| sum as f64 / count as f64)
    }

    /// Their standard deviation in nanoseconds (of the sample, divisor n - 1), if there are two; what values differ within
    /// a slot (0.4 %) is left out.
    pub fn deviation(&self) -> Option<f64> {
        let count = self.count();
        let mean = self.mean().filter(|_| count > 1)?;
        let squares: f64 = self.bars().map(|(value, count)| (value - mean) * (value - mean) * count as f64).sum();
        Some(libm::sqrt(squares / (count - 1) as f64))
    }

    /// The smallest.
    pub fn min(&self) -> Option<Span> {
        (self.min <= self.max).then_some(Span::from_nanos(self.min))
    }

    /// The largest.
    pub fn max(&self) -> Option<Span> {
        (self.min <= self.max).then_some(Span::from_nanos(self.max))
    }

    /// The value below or at which a share `p` of `population` lies, in nanoseconds; `population` counts, beside the
    /// values, those that are slower than any. Nothing if the quantile is one of them.
    pub fn quantile_among(&self, p: f64, population: u64) -> Option<f64> {
        let rank = rank(p, population);
        let mut seen = 0;
        for (value, count) in self.bars() {
            seen += count;
            if seen >= rank {
                return Some(value.clamp(self.min as f64, self.max as f64));
            }
        }
        None
    }

    /// The `p`-quantile in nanoseconds, if anything was counted.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        self.quantile_among(p, self.count())
    }

    /// How many values are below `limit`: exact but for the slot that `limit` falls into, which counts by its mean.
    pub fn below(&self, limit: Span) -> u64 {
        let limit = limit.as_nanos() as f64;
        self.bars().filter(|&(value, _)| value < limit).map(|(_, count)| count).sum()
    }

    /// The occupied slots, from short to long: mean value in nanoseconds, and count.
    pub fn bars(&self) -> impl Iterator<Item = (f64, u64)> {
        self.occupied().map(|(lower, slot)| (lower as f64 + slot.excess as f64 / slot.count as f64, slot.count))
    }

    /// The occupied slots with their lower ends.
    fn occupied(&self) -> impl Iterator<Item = (u64, Slot)> {
        self.slots().map(|(index, slot)| (lower_end(index), slot))
    }

    /// The occupied slots with their numbers, counted through all octaves.
    fn slots(&self) -> impl Iterator<Item = (usize, Slot)> {
        let mut few: Vec<_> = self.few.iter().map(|&value| place(value)).collect();
        few.sort_unstable();
        let few: Vec<_> = few
            .chunk_by(|one, other| one.0 == other.0)
            .map(|same| {
                let excess = same.iter().map(|(_, excess)| excess).sum();
                (same[0].0, Slot { count: same.len() as u64, excess })
            })
            .collect();
        let slots = self.slots.iter().zip(self.first << SLOT_BITS..).map(|(slot, index)| (index, *slot));
        few.into_iter().chain(slots).filter(|(_, slot)| slot.count > 0)
    }
}

/// What is occupied of a histogram: the smallest and the largest value, and each slot as its distance to the one before, its count
/// and its excess.
#[derive(Serialize, Deserialize)]
struct Occupied {
    min: u64,
    max: u64,
    slots: Vec<(u32, u64, u64)>,
}

impl From<Histogram> for Occupied {
    fn from(histogram: Histogram) -> Self {
        let mut last = 0;
        let slots = histogram.slots().map(|(index, slot)| {
            let gap = index - std::mem::replace(&mut last, index);
            (gap as u32, slot.count, slot.excess)
        });
        Self { slots: slots.collect(), min: histogram.min, max: histogram.max }
    }
}

impl TryFrom<Occupied> for Histogram {
    type Error = &'static str;

    fn try_from(occupied: Occupied) -> Result<Self, Self::Error> {
        let mut histogram = Self { min: occupied.min, max: occupied.max, ..Self::default() };
        let mut index = 0_usize;
        for (gap, count, excess) in occupied.slots {
            index += gap as usize;
            if index >= 65 * SLOTS {
                return Err("a histogram has no such slot");
            }
            histogram.reach(index >> SLOT_BITS);
            histogram.slots[index - (histogram.first << SLOT_BITS)] = Slot { count, excess };
        }
        Ok(histogram)
    }
}

/// The rank of the p-quantile among n values, counted from 1: the smallest whole number not below p n.
pub(super) fn rank(p: f64, population: u64) -> u64 {
    // A hair less, as 0.55 times 100 is a hair more than 55.
    (libm::ceil(p * population as f64 * (1.0 - 1e-12)) as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{Seed, Uniform};
    use crate::base::time::{ms, ns};

    #[test]
    fn slots_are_narrow_and_in_order() {
        let mut last = 0;
        for value in
            (0..70_000).chain((17..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + (1 << (bit - 2))]))
        {
            let (slot, excess) = place(value);
            assert!(slot >= last, "{value}");
            assert_eq!(lower_end(slot) + excess, value);
            assert!(excess <= value / 256, "a slot is narrow");
            last = slot;
        }
        assert!(place(u64::MAX).0 < 64 * SLOTS);
    }

    #[test]
    fn equal_values_are_reported_exactly() {
        let mut histogram = Histogram::default();
        for _ in 0..90 {
            histogram.record(ns(20_000_001));
        }
        for _ in 0..10 {
            histogram.record(ns(120_000_007));
        }
        assert_eq!(histogram.quantile(0.5), Some(20_000_001.0));
        assert_eq!(histogram.quantile(0.9), Some(20_000_001.0));
        assert_eq!(histogram.quantile(0.91), Some(120_000_007.0));
        assert_eq!(histogram.quantile_among(0.5, 1_000), None);
    }

    #[test]
    fn quantiles_of_uniform_values_are_close() {
        let mut draws = Seed(1).key("test").stream(Default::default(), 0);
        let mut histogram = Histogram::default();
        let mut values: Vec<u64> = (0..100_000).map(|_| Uniform::below(draws.draw(), 1_000_000_000)).collect();
        values.iter().for_each(|&value| histogram.record(ns(value)));
        values.sort_unstable();
        for p in [0.001, 0.1, 0.5, 0.9, 0.999] {
            let exact = values[(p * 100_000.0) as usize - 1] as f64;
            let measured = histogram.quantile(p).unwrap();
            assert!((measured / exact - 1.0).abs() < 0.004, "{p}: {measured} for {exact}");
        }
        // A uniform on [0, 1 s) has mean 0.5 s and sd 0.2887 s; standard errors of 100 000: 0.18 % and 0.14 %.
        assert!((histogram.mean().unwrap() / 5e8 - 1.0).abs() < 0.0075);
        assert!((histogram.deviation().unwrap() / 2.8868e8 - 1.0).abs() < 0.006);
    }

    #[test]
    fn what_is_stored_is_the_same_histogram() {
        let mut histogram = Histogram::default();
        [1, 3, 255, 256, 70_000, 70_001, u64::MAX].into_iter().for_each(|value| histogram.record(ns(value)));
        for histogram in [histogram, Histogram::default()] {
            let stored = serde_json::to_string(&histogram).unwrap();
            let read: Histogram = serde_json::from_str(&stored).unwrap();
            assert_eq!((read.min(), read.max(), read.mean()), (histogram.min(), histogram.max(), histogram.mean()));
            assert_eq!(read.bars().collect::<Vec<_>>(), histogram.bars().collect::<Vec<_>>());
        }
        let far = r#"{"min":1,"max":1,"slots":[[20000,1,0]]}"#;
        assert!(serde_json::from_str::<Histogram>(far).is_err());
    }

    /// Whether few or many are in either of them.
    #[test]
    fn merging_is_recording_both() {
        for (count, third) in [(10, 3), (64, 2), (150, 3), (150, 15), (1_000, 3)] {
            let (mut one, mut other, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
            for value in 1..count {
                let half = if value % third == 0 { &mut one } else { &mut other };
                half.record(ms(value / 2));
                both.record(ms(value / 2));
            }
            for (one, other) in [(&one, &other), (&other, &one)] {
                let mut merged = one.clone();
                merged.merge(other);
                assert_eq!((merged.count(), merged.mean()), (count - 1, both.mean()));
                assert_eq!((merged.min(), merged.max()), (both.min(), both.max()));
                assert_eq!(merged.bars().collect::<Vec<_>>(), both.bars().collect::<Vec<_>>());
            }
        }
    }

    /// The sixty-fifth value changes how they are kept, and nothing that they say.
    #[test]
    fn few_values_say_what_slots_say() {
        let mut draws = Seed(2).key("test").stream(Default::default(), 0);
        let (mut few, mut slots) = (Histogram::default(), Histogram::default());
        (0..=FEW).for_each(|_| slots.record(ns(0)));
        for count in 1..=FEW as u64 {
            let value = ns(Uniform::below(draws.draw(), 1 << (count % 40 + 1)) + 1);
            few.record(value);
            slots.record(value);
            assert!(few.slots.is_empty() && !slots.slots.is_empty());
            let bars: Vec<_> = slots.bars().skip(1).collect();
            assert_eq!((few.count(), few.bars().collect::<Vec<_>>()), (count, bars));
        }
    }
}
