//! Phi accrual: suspicion as a number that grows with silence, on a scale that the peer's own heartbeats set.
//!
//! The detector keeps the last intervals between heartbeats. After a silence of t, φ(t) = −log10 P(interval > t): suspecting at
//! φ = 1 is wrong in one of ten cases, at 2 in one of a hundred, as far as the intervals follow their model. So a peer behind a
//! slow or uneven network is given more time than one nearby, without anybody setting timeouts.
//!
//! Two models of the intervals are in use. *Normal*, with the mean and standard deviation of the window (Hayashibara, and Akka,
//! which replaces the normal tail by a logistic function; here it is the tail itself): φ is reached after mean + z σ, where z
//! is the standard normal value that is exceeded with probability 10^−φ. *Exponential*, with the mean alone (Cassandra): φ is
//! reached after φ × mean × ln 10. Both are solved for the silence at the threshold, so that one timer does and nobody polls.
//!
//! As in Akka, the window begins with two intervals, a quarter less and a quarter more than the one that is set; an interval
//! in which the peer was suspected is not learnt; and of the standard deviation there is a least, lest a very regular peer be
//! suspected for a hiccup.
//!
//! Source: Hayashibara, Défago, Yared, Katayama, "The φ Accrual Failure Detector", SRDS 2004; Akka 2.6,
//! `PhiAccrualFailureDetector`; Cassandra 4.0, `FailureDetector`.

use std::collections::VecDeque;
use std::f64::consts::LN_10;
use std::num::NonZeroU32;

use super::{Detect, Detection};
use crate::base::settings::Settings;
use crate::base::special::{normal_cdf, normal_quantile};
use crate::base::time::{Span, Time, ms, secs};

/// The largest window: so many squares of intervals can be summed up exactly.
const WINDOW_MAX: u32 = 1 << 16;
/// Longer intervals are learnt as this one (19.5 hours).
const INTERVAL_MAX: u64 = 1 << 46;

crate::words! {
    /// How the intervals between heartbeats are thought to be spread.
    pub enum Model {
        /// Around their mean, by their standard deviation: Hayashibara's and Akka's model.
        Normal = "normal",
        /// As of a Poisson process, by their mean alone: Cassandra's model.
        Exponential = "exponential",
    }
}

crate::settings! {
    /// A peer is suspected when its silence is improbable, judged by the intervals between its own heartbeats. It finds the
    /// timeout by itself and follows slow changes of the network; a threshold of 8 means one wrong suspicion in 10^8 silences,
    /// as far as the model holds. It costs the memory of a window, and learns nothing of what never happened in it.
    pub struct PhiAccrualSettings = "phi-accrual", "Hayashibara et al., The phi Accrual Failure Detector, SRDS 2004; defaults of Akka 2.6" {
        /// How often a peer sends a heartbeat. 1 s is Akka's default (2.6); Cassandra's gossip (4.0) has the same.
        interval: Span = secs(1),
        /// The phi at which a peer is suspected, at most 300. 8 is the default of Akka (2.6) and of Cassandra (4.0,
        /// `phi_convict_threshold`).
        threshold: f64 = 8.0,
        /// How many intervals are remembered, at most 65536. 1000 is the default of Akka (2.6) and of Cassandra (4.0).
        window: NonZeroU32 = const { NonZeroU32::new(1000).unwrap() },
        /// The least standard deviation that the normal model reckons with. 100 ms is Akka's default (2.6).
        min_std_deviation: Span = ms(100),
        /// Silence that is not counted, on top of what the model expects. 3 s is the default of Akka's cluster (2.6,
        /// `acceptable-heartbeat-pause`); Cassandra has none.
        acceptable_pause: Span = secs(3),
        /// How the intervals are thought to be spread.
        model: Model = Model::Normal,
    }
}

impl Settings for PhiAccrualSettings {
    fn check(&self) -> Result<(), String> {
        if self.interval == Span::ZERO {
            return Err("needs an `interval` above zero".into());
        }
        if self.threshold.is_nan() || self.threshold <= 0.0 || self.threshold > 300.0 {
            return Err("needs a `threshold` above 0, and of at most 300".into());
        }
        if self.window.get() > WINDOW_MAX {
            return Err(format!("remembers at most {WINDOW_MAX} intervals"));
        }
        if self.model == Model::Exponential && self.min_std_deviation != Self::default().min_std_deviation {
            return Err("has a `min-std-deviation`, which has no effect on the exponential model".into());
        }
        Ok(())
    }
}

impl Detection for PhiAccrualSettings {
    type Watch = PhiAccrual;

    fn watch(&self, now: Time) -> PhiAccrual {
        let mut state = State {
            last: now,
            silence: Span::ZERO,
            window: self.window.get().min(WINDOW_MAX) as usize,
            intervals: VecDeque::new(),
            sum: 0,
            squares: 0,
            threshold: self.threshold,
            // An improbability below the least float stands for one that is never reached.
            tail: -normal_quantile(libm::pow(10.0, -self.threshold)),
            min_deviation: self.min_std_deviation.as_nanos() as f64,
            pause: self.acceptable_pause.as_nanos() as f64,
            model: self.model,
        };
        let quarter = Span::from_nanos(self.interval.as_nanos() / 4);
        state.learn(self.interval - quarter);
        state.learn(self.interval + quarter);
        state.silence = state.silence_at_threshold();
        PhiAccrual(Box::new(state))
    }

    fn interval(&self) -> Span {
        self.interval
    }
}

/// The last intervals between one peer's heartbeats.
#[derive(Clone, PartialEq, Debug)]
pub struct PhiAccrual(Box<State>);

#[derive(Clone, PartialEq, Debug)]
struct State {
    last: Time,
    /// How long a silence is suspicious, as of the last heartbeat.
    silence: Span,
    window: usize,
    intervals: VecDeque<u64>,
    sum: u128,
    squares: u128,
    threshold: f64,
    /// The standard normal value that is exceeded with probability 10^−threshold.
    tail: f64,
    min_deviation: f64,
    pause: f64,
    model: Model,
}

impl PhiAccrual {
    /// How suspicious the silence is at `now`: −log10 of the probability that an interval is longer.
    pub fn phi(&self, now: Time) -> f64 {
        let state = &*self.0;
        let silence = now.since(state.last).as_nanos() as f64 - state.pause;
        match state.model {
            Model::Normal => -libm::log10(normal_cdf((state.mean() - silence) / state.deviation())),
            Model::Exponential => (silence / (state.mean() * LN_10)).max(0.0),
        }
    }
}

impl State {
    fn learn(&mut self, interval: Span) {
        let interval = interval.as_nanos().min(INTERVAL_MAX);
        let square = |interval: u64| u128::from(interval) * u128::from(interval);
        if self.intervals.len() >= self.window
            && let Some(oldest) = self.intervals.pop_front()
        {
            self.sum -= u128::from(oldest);
            self.squares -= square(oldest);
        }
        self.intervals.push_back(interval);
        self.sum += u128::from(interval);
        self.squares += square(interval);
    }

    fn mean(&self) -> f64 {
        self.sum as f64 / self.intervals.len() as f64
    }

    /// The standard deviation of the window (of a population), or the least there is. The difference under the root is of
    /// whole numbers: nothing cancels.
    fn deviation(&self) -> f64 {
        let count = self.intervals.len() as u128;
        let scaled = count * self.squares - self.sum * self.sum;
        (libm::sqrt(scaled as f64) / count as f64).max(self.min_deviation).max(1.0)
    }

    fn silence_at_threshold(&self) -> Span {
        let expected = match self.model {
            Model::Normal => self.mean() + self.tail * self.deviation(),
            Model::Exponential => self.threshold * self.mean() * LN_10,
        };
        // At least a nanosecond: who was heard now is not suspected now.
        Span::from_nanos_f64(expected.max(1.0) + self.pause)
    }
}

impl Detect for PhiAccrual {
    fn heard(&mut self, now: Time) {
        let was_suspected = self.suspects(now);
        let state = &mut *self.0;
        if !was_suspected {
            state.learn(now.since(state.last));
            state.silence = state.silence_at_threshold();
        }
        state.last = state.last.max(now);
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.0.last + self.0.silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A detector that has learnt two intervals: a window of exactly this mean and standard deviation.
    fn learnt(threshold: f64, model: Model, mean: Span, deviation: Span) -> PhiAccrual {
        let settings = PhiAccrualSettings {
            interval: mean,
            threshold,
            window: NonZeroU32::new(2).unwrap(),
            min_std_deviation: Span::ZERO,
            acceptable_pause: Span::ZERO,
            model,
        };
        let mut watch = settings.watch(Time::ZERO);
        watch.0.learn(mean - deviation);
        watch.0.learn(mean + deviation);
        watch.0.silence = watch.0.silence_at_threshold();
        watch
    }

    fn deadline(watch: &PhiAccrual) -> f64 {
        watch.deadline().unwrap().as_secs_f64() * 1e3
    }

    /// mean + σ z(10^−φ) for 100 and 10 ms: z(0.1) = 1.28155, z(10^−5) = 4.26489, z(10^−8) = 5.61200. Without a deviation of
    /// its own, two intervals at a quarter less and more than 100 ms give one of 25 ms.
    #[test]
    fn thresholds_of_the_normal_model_are_as_published() {
        for (phi, silence) in [(1.0, 112.816), (5.0, 142.649), (8.0, 156.120)] {
            let watch = learnt(phi, Model::Normal, ms(100), ms(10));
            assert!((deadline(&watch) - silence).abs() < 0.000_6, "{phi}: {}", deadline(&watch));
            assert!((watch.phi(watch.deadline().unwrap()) - phi).abs() < 1e-5);
        }
    }

    /// 8 ln 10 s = 18.4207 s.
    #[test]
    fn the_threshold_of_the_exponential_model_is_as_published() {
        let watch = learnt(8.0, Model::Exponential, secs(1), Span::ZERO);
        assert!((deadline(&watch) - 18_420.681).abs() < 0.001, "{}", deadline(&watch));
        assert!((watch.phi(watch.deadline().unwrap()) - 8.0).abs() < 1e-9);
    }

    /// Akka's defaults, before any heartbeat: mean 1 s, deviation a quarter of it, a pause of 3 s: 4 + 0.25 × 5.61200 s.
    #[test]
    fn a_new_peer_is_judged_by_the_interval_that_is_set() {
        let watch = PhiAccrualSettings::default().watch(Time::ZERO);
        assert!((deadline(&watch) - 5403.0).abs() < 0.01, "{}", deadline(&watch));
    }

    /// After a thousand intervals of 2 s, those it began with are forgotten: 2 + 3 s, and 5.612 times the least deviation.
    #[test]
    fn the_window_follows_the_peer() {
        let mut watch = PhiAccrualSettings::default().watch(Time::ZERO);
        let mut now = Time::ZERO;
        for _ in 0..1000 {
            now += secs(2);
            watch.heard(now);
        }
        let silence = watch.deadline().unwrap().since(now).as_secs_f64();
        assert!((silence - 5.561_2).abs() < 1e-4, "{silence}");
    }

    #[test]
    fn a_silence_that_was_suspected_is_not_learnt() {
        let mut watch = PhiAccrualSettings::default().watch(Time::ZERO);
        let before = watch.0.silence;
        watch.heard(Time::ZERO + secs(60));
        assert_eq!(watch.0.silence, before);
        assert_eq!(watch.deadline(), Some(Time::ZERO + secs(60) + before));
    }

    #[test]
    fn what_has_no_effect_is_refused() {
        let settings = PhiAccrualSettings { model: Model::Exponential, min_std_deviation: ms(5), ..Default::default() };
        assert!(settings.check().unwrap_err().contains("no effect"));
        assert!(PhiAccrualSettings { threshold: f64::NAN, ..Default::default() }.check().is_err());
    }
}
