//! A cubic function of the time since the last loss.
//!
//! After a loss at a window of W_max segments, the window is set to beta = 0.7 of it and then follows W(t) = C (t - K)^3 +
//! W_max with C = 0.4 segments per second cubed and K = cbrt((W_max - cwnd) / C): fast at first, flat around W_max, then
//! searching ever faster. Where Reno would be faster, an estimate of its window is followed instead. A loss below the
//! last W_max says that capacity got less, and leaves room for newcomers (fast convergence).
//!
//! Source: Xu, Ha, Rhee, Goel, Eggert, "CUBIC for Fast and Long-Distance Networks", RFC 9438, 2023. HyStart++ (RFC 9406) is
//! left out.

use super::{Algorithm, CongestionEntry};
use crate::base::time::{Span, Time};

/// How it is explained.
pub(super) const ENTRY: CongestionEntry = CongestionEntry {
    name: "cubic",
    summary: "The window follows a cubic function of the time since the last loss, which takes 30 % of it.",
    source: "RFC 9438; the default of Linux",
    algorithm: Algorithm::Cubic,
};

/// beta, in tenths.
const LEFT_TENTHS: u64 = 7;
/// C, in tenths of a segment per second cubed.
const C_TENTHS: i128 = 4;
/// Microseconds in a second.
const MICROS: i128 = 1_000_000;
/// The longest time since a loss that is told apart, in microseconds: half an hour.
const FAR: u64 = 1_800_000_000;

/// The state of CUBIC. Windows in bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Cubic {
    /// W_max: the window at the last loss, or what fast convergence makes of it.
    plateau: u64,
    /// The window before the last loss.
    prior: u64,
    epoch: Option<Epoch>,
    /// The rest of the growth that did not make a byte yet, in bytes times the window.
    rest: u128,
}

/// The time since a loss.
#[derive(Clone, Debug)]
struct Epoch {
    began: Time,
    /// When the curve is at its plateau, after the beginning, in microseconds.
    k: u64,
    plateau: u64,
    /// What Reno's window would be, and bytes acknowledged since it last grew, in hundreds of its share.
    reno: u64,
    rest: u128,
}

impl Cubic {
    /// By how much a window grows when so many bytes of it are acknowledged.
    pub(super) fn increase(&mut self, now: Time, window: u64, bytes: u64, mss: u64, trip: Span) -> u64 {
        let (plateau, prior) = (self.plateau, self.prior);
        let epoch = self.epoch.get_or_insert_with(|| Epoch::new(now, window, plateau, mss));
        epoch.grow_reno(bytes, mss, prior, window);
        let since = now.since(epoch.began);
        let reno = epoch.reno;
        if epoch.curve(since, mss) < reno {
            return reno.saturating_sub(window);
        }
        // RFC 9438, 4.4: the target a round trip ahead is reached in one, but at most half as much again.
        let target = epoch.curve(since + trip, mss).clamp(window, window + window / 2);
        self.rest += u128::from(target - window) * u128::from(bytes);
        let whole = self.rest / u128::from(window);
        self.rest %= u128::from(window);
        whole as u64
    }

    /// What a loss leaves of so many bytes on their way.
    pub(super) fn reduce(&mut self, window: u64, flight: u64) -> u64 {
        self.plateau = if window < self.plateau { window / 20 * (10 + LEFT_TENTHS) } else { window };
        self.prior = window;
        self.epoch = None;
        self.rest = 0;
        flight * LEFT_TENTHS / 10
    }

    /// Time in which nothing was sent does not count.
    pub(super) fn was_idle(&mut self) {
        self.epoch = None;
    }
}

impl Epoch {
    fn new(now: Time, window: u64, plateau: u64, mss: u64) -> Self {
        let plateau = plateau.max(window);
        let segments = (plateau - window) as f64 / mss as f64;
        let k = libm::cbrt(segments * 10.0 / C_TENTHS as f64);
        Self { began: now, k: (k * MICROS as f64 + 0.5) as u64, plateau, reno: window, rest: 0 }
    }

    /// W(t) in bytes.
    fn curve(&self, since: Span, mss: u64) -> u64 {
        let t = (since.as_nanos() / 1_000).min(FAR);
        let distance = i128::from(t) - i128::from(self.k);
        let cube = distance * distance * distance;
        // Tenths of a segment are divided last: 10^28 times 4 times 10^4 bytes fit 127 bits.
        let beyond = cube * C_TENTHS * i128::from(mss) / (10 * MICROS * MICROS * MICROS);
        (i128::from(self.plateau) + beyond).clamp(i128::from(mss), i128::from(u64::MAX / 4)) as u64
    }

    /// Reno with a decrease of 30 % is as fast as Reno if it grows by 3 (1 - beta) / (1 + beta) = 9/17 of a segment in a round
    /// trip; once it is back where the loss was, by a whole one (RFC 9438, 4.3).
    fn grow_reno(&mut self, bytes: u64, mss: u64, prior: u64, window: u64) {
        let (share, whole) = if self.reno < prior { (9, 17) } else { (1, 1) };
        self.rest += u128::from(bytes) * u128::from(mss) * share;
        let unit = u128::from(window) * whole;
        self.reno += (self.rest / unit) as u64;
        self.rest %= unit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, secs};

    const MSS: u64 = 1000;

    /// A window of 1000 segments lost a segment: 700 are left, K = cbrt(300 / 0.4) = 9.0856 s. Every 50 ms a window is
    /// acknowledged. After t seconds the window is 0.4 (t - K)^3 + 1000, one round trip ahead at most.
    #[test]
    fn the_window_follows_the_cubic_function() {
        let mut cubic = Cubic::default();
        let trip = ms(50);
        let mut window = cubic.reduce(1000 * MSS, 1000 * MSS);
        assert_eq!(window, 700 * MSS);
        let k = libm::cbrt(750.0);
        let law = |t: f64| 1000.0 + 0.4 * (t - k) * (t - k) * (t - k);
        let mut now = Time::ZERO + secs(100);
        for round in 1..=300_u64 {
            for _ in 0..window / MSS {
                window += cubic.increase(now, window, MSS, MSS, trip);
            }
            now += trip;
            let t = round as f64 * 0.05;
            let (lower, upper) = (law(t - 0.05).min(law(t)) - 1.0, law(t) + 1.0);
            let segments = window as f64 / MSS as f64;
            assert!((lower..=upper).contains(&segments), "at {t} s: {segments}, not from {lower} to {upper}");
        }
        assert!(window > 1080 * MSS, "the plateau is left behind: {window}");
    }

    /// With short round trips and a small window Reno is faster: from 7 segments it grows by 9/17 in each of 1 ms, and by one
    /// from 10 on. After 5 ms that is 7 + 5 x 9/17 = 9.6 segments; the cubic function needs 1.96 s for the three it lost.
    #[test]
    fn where_reno_would_be_faster_its_window_is_followed() {
        let mut cubic = Cubic::default();
        let mut window = cubic.reduce(10 * MSS, 10 * MSS);
        let mut now = Time::ZERO;
        for _ in 0..5 {
            let mut left = window;
            while left > 0 {
                let bytes = left.min(MSS);
                window += cubic.increase(now, window, bytes, MSS, ms(1));
                left -= bytes;
            }
            now += ms(1);
        }
        let expected = 7.0 + 5.0 * 9.0 / 17.0;
        assert!((window as f64 / MSS as f64 - expected).abs() < 0.2, "{window} for {expected}");
    }

    /// Two losses in a row: the second, below the plateau of 100, sets it to (1 + 0.7) / 2 of the window.
    #[test]
    fn a_loss_below_the_plateau_leaves_room_for_others() {
        let mut cubic = Cubic::default();
        cubic.reduce(100 * MSS, 100 * MSS);
        assert_eq!(cubic.plateau, 100 * MSS);
        cubic.reduce(80 * MSS, 80 * MSS);
        assert_eq!(cubic.plateau, 68 * MSS);
    }
}
