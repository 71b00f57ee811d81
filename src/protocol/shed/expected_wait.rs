//! By the wait that is to be expected.
//!
//! With all c workers busy and w requests in front, a newcomer gets its turn with the (w + 1)-th end of work: after about
//! (w + 1) E[S] / c. The mean work E[S] is measured, as an average over the last requests that forgets exponentially.

use super::{Arriving, Shed};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::Span;
use crate::settings;

settings! {
    /// Turns away whoever would wait too long: longer than `limit`, or so long that it would miss its own deadline. The wait is
    /// expected from the number that wait and the mean work of the last requests. Whoever is turned away knows it at once, and no
    /// work is spent on answers that come too late. It costs those that would have been lucky, and as long as the mean work
    /// lags behind a change it lets in too many, or too few.
    pub struct ExpectedWaitSettings = "expected-wait",
        "Google, Site Reliability Engineering, 2016, chapter 22; AWS Builders' Library, Using load shedding to avoid overload" {
        /// The longest wait that is let in; only the request's own deadline counts if it is left out.
        limit: Option<Span> = None,
        /// How much the newest request counts in the mean work, from 0 to 1.
        smoothing: f64 = 0.1,
    }
}

impl Settings for ExpectedWaitSettings {
    fn check(&self) -> Result<(), String> {
        if self.smoothing <= 1.0 { Ok(()) } else { Err("needs a `smoothing` of at most 1".into()) }
    }
}

/// The mean work, and what may be waited for it.
#[derive(Clone, Debug)]
pub struct ExpectedWait {
    limit: Option<Span>,
    smoothing: f64,
    /// In nanoseconds.
    mean: Option<f64>,
}

impl ExpectedWait {
    /// Nothing is known yet, so everybody is let in.
    pub fn new(settings: &ExpectedWaitSettings) -> Self {
        Self { limit: settings.limit, smoothing: settings.smoothing, mean: None }
    }
}

impl Shed for ExpectedWait {
    fn admits(&mut self, arriving: &Arriving, _: impl Fn() -> Uniform) -> bool {
        let (Some(mean), Some(workers)) = (self.mean, arriving.workers) else { return true };
        if arriving.busy < workers {
            return true;
        }
        let wait = (f64::from(arriving.waiting) + 1.0) * mean / f64::from(workers);
        let fits = |time: f64, most: Option<Span>| most.is_none_or(|most| time <= most.as_nanos() as f64);
        fits(wait, self.limit) && fits(wait + mean, arriving.left)
    }

    fn served(&mut self, work: Span) {
        let work = work.as_nanos() as f64;
        self.mean = Some(self.mean.map_or(work, |mean| mean + self.smoothing * (work - mean)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    fn asked(shed: &mut ExpectedWait, waiting: u32, left: Option<Span>) -> bool {
        let arriving = Arriving { waiting, busy: 2, workers: Some(2), priority: 0, left };
        shed.admits(&arriving, || unreachable!("it needs no luck"))
    }

    /// Two workers, 10 ms each: one more comes to its turn every 5 ms, so with 19 in front after 100.
    #[test]
    fn nobody_is_let_in_who_would_wait_for_longer_than_the_limit() {
        let mut shed = ExpectedWait::new(&ExpectedWaitSettings { limit: Some(ms(100)), ..Default::default() });
        assert!(asked(&mut shed, 1_000, None), "nothing is known yet");
        shed.served(ms(10));
        assert_eq!([19, 20].map(|waiting| asked(&mut shed, waiting, None)), [true, false]);
        let idle = Arriving { waiting: 50, busy: 1, workers: Some(2), priority: 0, left: None };
        assert!(shed.admits(&idle, || unreachable!()), "a free worker takes it at once");
    }

    /// The wait of 5 ms for each in front, and 10 of work.
    #[test]
    fn nobody_is_let_in_who_would_be_too_late() {
        let mut shed = ExpectedWait::new(&ExpectedWaitSettings::default());
        shed.served(ms(10));
        assert_eq!([3, 4].map(|waiting| asked(&mut shed, waiting, Some(ms(30)))), [true, false]);
        assert!(asked(&mut shed, 1_000_000, None), "without a deadline there is no limit");
    }

    /// 10, then 20 with a tenth of the weight: 11.
    #[test]
    fn the_mean_follows_slowly() {
        let mut shed = ExpectedWait::new(&ExpectedWaitSettings { limit: Some(ms(11)), ..Default::default() });
        shed.served(ms(10));
        shed.served(ms(20));
        assert_eq!([1, 2].map(|waiting| asked(&mut shed, waiting, None)), [true, false]);
    }
}
