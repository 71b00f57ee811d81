//! From values to places, and round numbers to mark on the way.

/// How values lie along an axis.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Law {
    Linear,
    Log,
}

/// An axis from a value to another, over places from one to another.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    law: Law,
    from: f64,
    to: f64,
    places: (i32, i32),
    /// The values that are marked.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// From zero to a round number not below `max`.
    pub fn from_zero(max: f64, places: (i32, i32), ticks: usize) -> Self {
        let max = if max > 0.0 { max } else { 1.0 };
        let step = round_step(max / ticks as f64);
        let count = libm::ceil(max / step - 1e-9).max(1.0);
        let ticks = (0..=count as usize).map(|index| index as f64 * step).collect();
        Self { law: Law::Linear, from: 0.0, to: count * step, places, ticks }
    }

    /// From `from` to `to` exactly, with marks at round numbers between.
    pub fn between(from: f64, to: f64, places: (i32, i32), ticks: usize) -> Self {
        Self::exact(from, to, places, ticks, round_step)
    }

    /// From `from` to `to` seconds exactly, with marks at round times between.
    pub fn seconds(from: f64, to: f64, places: (i32, i32), ticks: usize) -> Self {
        Self::exact(from, to, places, ticks, round_seconds)
    }

    fn exact(from: f64, to: f64, places: (i32, i32), ticks: usize, round: fn(f64) -> f64) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        let step = round((to - from) / ticks as f64);
        let first = libm::ceil(from / step - 1e-9);
        let all = (0..=2 * ticks).map(|index| (first + index as f64) * step);
        let ticks = all.take_while(|&tick| tick <= to + step * 1e-9).collect();
        Self { law: Law::Linear, from, to, places, ticks }
    }

    /// From a round number not above `min` to one not below `max`, by factors.
    pub fn log(min: f64, max: f64, places: (i32, i32)) -> Self {
        let min = min.max(1.0);
        let max = max.max(min);
        let mut limits = Vec::new();
        let mut decade = 1.0;
        while limits.last().is_none_or(|&last| last < max) || limits.len() < 2 {
            for step in [1.0, 2.0, 5.0] {
                let limit = decade * step;
                if limit <= min {
                    limits.clear();
                }
                if limits.last().is_none_or(|&last| last < max) || limits.len() < 2 {
                    limits.push(limit);
                }
            }
            decade *= 10.0;
        }
        let (from, to) = (limits[0], limits[limits.len() - 1]);
        // Three marks per decade up to four decades; beyond, one per decade is enough, and below one decade
        // there is room for equal distances.
        let ticks = match limits.len() {
            14.. => limits.into_iter().filter(|&limit| is_power_of_ten(limit)).collect(),
            ..=3 => {
                let step = round_step((to - from) / 6.0);
                (0..=6)
                    .map(|index| from + f64::from(index) * step)
                    .take_while(|tick| *tick <= to + step * 1e-9)
                    .collect()
            }
            _ => limits,
        };
        Self { law: Law::Log, from, to, places, ticks }
    }

    /// Whether it goes by factors.
    pub fn is_log(&self) -> bool {
        self.law == Law::Log
    }

    /// The values at both ends.
    pub fn span(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// The place of a value, kept within the axis.
    pub fn place(&self, value: f64) -> i32 {
        let share = match self.law {
            Law::Linear => (value - self.from) / (self.to - self.from),
            Law::Log => libm::log10(value.max(self.from) / self.from) / libm::log10(self.to / self.from),
        };
        let (start, end) = (f64::from(self.places.0), f64::from(self.places.1));
        libm::round(start + share.clamp(0.0, 1.0) * (end - start)) as i32
    }
}

fn is_power_of_ten(value: f64) -> bool {
    let mut power = 1.0;
    while power < value {
        power *= 10.0;
    }
    power == value
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    // Powers of ten as text: exact, where repeated products are not.
    for exponent in -12..=18 {
        for digit in ["1", "2", "5"] {
            let round: f64 = format!("{digit}e{exponent}").parse().expect("a digit and an exponent are a number");
            if round >= step * (1.0 - 1e-9) {
                return round;
            }
        }
    }
    step
}

/// The smallest round time that is not below `step` seconds: parts of a minute, an hour, a day from a minute on.
fn round_seconds(step: f64) -> f64 {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    if step <= 10.0 {
        return round_step(step);
    }
    let parts = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0].map(|minutes| minutes * MINUTE);
    let hours = [1.0, 2.0, 3.0, 6.0, 12.0].map(|hours| hours * HOUR);
    let fits = |round: &f64| *round >= step * (1.0 - 1e-9);
    parts.into_iter().chain(hours).find(fits).unwrap_or_else(|| round_step(step / DAY).max(1.0) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_every_value() {
        assert_eq!(Axis::from_zero(204.0, (0, 100), 5).ticks, [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]);
        assert_eq!(Axis::from_zero(0.0, (0, 100), 2).ticks, [0.0, 0.5, 1.0]);
        assert_eq!(Axis::seconds(2.0, 20.4, (0, 100), 8).ticks, [5.0, 10.0, 15.0, 20.0]);
        assert_eq!(Axis::seconds(0.0, 1_300.0, (0, 100), 8).ticks, [0.0, 300.0, 600.0, 900.0, 1_200.0]);
        assert_eq!(
            Axis::seconds(0.0, 1e6, (0, 100), 6).ticks,
            [0.0, 172_800.0, 345_600.0, 518_400.0, 691_200.0, 864_000.0]
        );
        assert_eq!(Axis::log(270.0, 8_000.0, (0, 100)).ticks, [200.0, 500.0, 1e3, 2e3, 5e3, 1e4]);
        assert_eq!(Axis::log(20.0, 20.0, (0, 100)).ticks, [20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0]);
        assert_eq!(Axis::log(60.0, 150.0, (0, 100)).ticks, [50.0, 100.0, 150.0, 200.0]);
        assert_eq!(Axis::log(1.0, 1e6, (0, 100)).ticks.len(), 7);
    }

    #[test]
    fn places_stay_within_the_axis() {
        let axis = Axis::log(100.0, 10_000.0, (900, 100));
        assert_eq!((axis.place(1_000.0), axis.place(0.0), axis.place(1e99)), (500, 900, 100));
        for axis in
            [Axis::from_zero(f64::MAX, (0, 9), 5), Axis::log(1.0, 1.8e19, (0, 9)), Axis::seconds(0.0, 0.0, (0, 9), 5)]
        {
            assert!((0..=9).contains(&axis.place(1e18)) && axis.ticks.len() < 30);
        }
    }
}
