//! The axis of a story: time downwards, long silences cut short.

use crate::base::time::{Span, Time};

/// The least distance between two moments.
const LEAST: u128 = 36;
/// The height that a moment gets on average.
const EACH: u128 = 50;
/// The height of all, if nothing has to be larger than it is.
const HEIGHT: (u128, u128) = (520, 2_400);
/// The gap of a silence that is cut short.
const CUT: u128 = 110;
/// A story of more moments is shown without its middle: so many of the first, and so many of the last.
const ENDS: (usize, usize) = (60, 36);

/// Where moments are.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Clock {
    /// Each moment that is shown, and its place.
    pub moments: Vec<(Time, i32)>,
    /// Silences that are cut short: their middle, and how long they are.
    pub silences: Vec<(i32, Span)>,
    /// The middle that is left out: its place, and how many moments were there.
    pub left_out: Option<(i32, usize)>,
    hidden: Option<(Time, Time)>,
}

impl Clock {
    /// An axis for these moments, which rise, from `top` on.
    pub fn new(mut moments: Vec<Time>, top: i32) -> Self {
        moments.dedup();
        let count = moments.len();
        let hidden = (count > ENDS.0 + ENDS.1 + 1).then(|| (moments[ENDS.0 - 1], moments[count - ENDS.1]));
        if hidden.is_some() {
            moments.drain(ENDS.0..count - ENDS.1);
        }
        let gaps: Vec<u128> = moments.windows(2).map(|pair| u128::from(pair[1].since(pair[0]).as_nanos())).collect();
        let is_hidden = |index: usize| hidden.is_some() && index + 1 == ENDS.0;
        let longest = longest(&gaps);
        let sum: u128 = gaps.iter().filter(|gap| **gap <= longest).sum();
        let height = (EACH * gaps.len() as u128).clamp(HEIGHT.0, HEIGHT.1);
        let mut clock = Self { moments: Vec::new(), silences: Vec::new(), left_out: None, hidden };
        let mut y = top;
        for (index, &moment) in moments.iter().enumerate() {
            if index > 0 {
                let gap = gaps[index - 1];
                let is_cut = gap > longest || is_hidden(index - 1);
                let size = if is_cut { CUT } else { (gap * height / sum.max(1)).max(LEAST) } as i32;
                let middle = y + size / 2;
                if is_hidden(index - 1) {
                    clock.left_out = Some((middle, count - moments.len()));
                } else if is_cut {
                    clock.silences.push((middle, Span::from_nanos(gap as u64)));
                }
                y += size;
            }
            clock.moments.push((moment, y));
        }
        clock
    }

    /// Where the last moment is.
    pub fn bottom(&self) -> i32 {
        self.moments.last().map_or(0, |moment| moment.1)
    }

    /// Whether a moment is in the middle that is left out.
    pub fn hides(&self, time: Time) -> bool {
        self.hidden.is_some_and(|(from, to)| from < time && time < to)
    }

    /// Where a moment is: between two that are shown, in proportion.
    pub fn place(&self, time: Time) -> i32 {
        let behind = self.moments.partition_point(|moment| moment.0 <= time);
        match (behind.checked_sub(1).map(|before| self.moments[before]), self.moments.get(behind)) {
            (Some(before), Some(&after)) => {
                let part = i128::from(time.since(before.0).as_nanos());
                let whole = i128::from(after.0.since(before.0).as_nanos());
                before.1 + (i128::from(after.1 - before.1) * part / whole.max(1)) as i32
            }
            (Some(last), None) => last.1,
            (None, first) => first.map_or(0, |first| first.1),
        }
    }
}

/// The longest gap that is shown as long as it is: eight times one in the middle, and at least a quarter of all.
fn longest(gaps: &[u128]) -> u128 {
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable();
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let all: u128 = gaps.iter().sum();
    (8 * middle).max(all / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    fn clock(millis: &[u64]) -> Clock {
        Clock::new(millis.iter().map(|&at| Time::ZERO + ms(at)).collect(), 100)
    }

    #[test]
    fn time_goes_down_and_silences_are_cut() {
        let clock = clock(&[0, 1, 2, 4, 1_004, 1_005]);
        assert!(clock.moments.is_sorted_by(|one, other| one.1 < other.1), "{clock:?}");
        let lengths: Vec<Span> = clock.silences.iter().map(|silence| silence.1).collect();
        assert_eq!(lengths, [ms(1_000)]);
        let half = clock.place(Time::ZERO + ms(504));
        assert_eq!(half, (clock.moments[3].1 + clock.moments[4].1) / 2);
        assert_eq!(clock.place(Time::ZERO + ms(9_999)), clock.bottom());
    }

    #[test]
    fn the_middle_of_a_long_story_is_left_out() {
        let clock = clock(&(0..1_000).collect::<Vec<_>>());
        assert_eq!(clock.moments.len(), ENDS.0 + ENDS.1);
        assert_eq!(clock.left_out.map(|left_out| left_out.1), Some(1_000 - ENDS.0 - ENDS.1));
        assert!(clock.hides(Time::ZERO + ms(500)) && !clock.hides(Time::ZERO + ms(3)));
    }

    #[test]
    fn a_single_moment_has_a_place() {
        assert_eq!(clock(&[7]).bottom(), 100);
        assert_eq!(clock(&[]).bottom(), 0);
    }
}
