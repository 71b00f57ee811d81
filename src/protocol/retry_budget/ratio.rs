//! Retries at most a share of requests.
//!
//! Each request pays in `ratio` of a retry, each retry takes out one. Payments and withdrawals of the last `ttl` count, in ten
//! slices, so that good times long ago pay for nothing. `min-retries-per-second` may be overdrawn, so that callers with hardly
//! any requests can retry as well.
//!
//! Bound: when a retry is granted, payments less withdrawals of the window are not below the reserve of
//! `min-retries-per-second · ttl`. Cut the past into windows, from the last retry backwards: in each, retries are at most `ratio`
//! times requests plus the reserve. Without a reserve there are never more than `ratio` times all requests.
//!
//! Source: Finagle, `RetryBudget` (20 % + 10/s, deposits expire after 10 s); Linkerd has the same.

use super::RetryBudget;
use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, secs};
use crate::protocol::retry::Failure;
use crate::protocol::slices::Slices;
use crate::settings;

settings! {
    /// Retries are at most a share of requests. A total outage then costs that share of load and no more, while a few failures are
    /// all retried; with the limit of attempts alone it would multiply the load. It costs retries that might have been answered,
    /// when more fail than the share.
    pub struct RatioSettings = "ratio", "Finagle 22, RetryBudget; Linkerd 2, ServiceProfile retryBudget" {
        /// The share of requests (20 % in Finagle and Linkerd).
        ratio: Probability, alone = percent(20.0),
        /// So many retries are granted in any case, on average over `ttl` (Finagle and Linkerd add 10; here none unless said).
        min_retries_per_second: u32 = 0,
        /// For how long a request pays for retries (10 s in Finagle and Linkerd); counted in tenths.
        ttl: Span = secs(10),
    }
}

impl Settings for RatioSettings {
    fn check(&self) -> Result<(), String> {
        if self.ttl == Span::ZERO { Err("needs a `ttl`".into()) } else { Ok(()) }
    }
}

/// What one retry costs: a request pays in a whole number of millionths.
const RETRY: i64 = 1_000_000;

/// Payments less withdrawals.
#[derive(Clone, Debug)]
pub struct Ratio(Box<State>);

#[derive(Clone, Debug)]
struct State {
    deposit: i64,
    reserve: i64,
    balance: Slices<i64>,
}

impl Ratio {
    /// Nothing was paid in.
    pub fn new(settings: &RatioSettings) -> Self {
        let per_sec = i64::from(settings.min_retries_per_second) * RETRY;
        Self(Box::new(State {
            deposit: libm::round(settings.ratio.value() * RETRY as f64) as i64,
            reserve: libm::round(per_sec as f64 * settings.ttl.as_secs_f64()) as i64,
            balance: Slices::new(settings.ttl, 10),
        }))
    }
}

impl RetryBudget for Ratio {
    fn sent(&mut self, now: Time) {
        self.0.balance.add(now, self.0.deposit);
    }

    fn take(&mut self, now: Time, _: Failure) -> bool {
        let is_granted = self.0.balance.total(now).saturating_add(self.0.reserve) >= RETRY;
        if is_granted {
            self.0.balance.add(now, -RETRY);
        }
        is_granted
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::fixed;

    fn granted(budget: &mut Ratio, now: Span) -> usize {
        (0..100).take_while(|_| budget.take(Time::ZERO + now, Failure::Failed)).count()
    }

    /// Ten requests at 20 % pay for two retries, for ten seconds.
    #[test]
    fn requests_pay_for_retries_until_they_expire() {
        let paid = || {
            let mut budget = Ratio::new(&RatioSettings::default());
            (0..10).for_each(|_| budget.sent(Time::ZERO));
            budget
        };
        assert_eq!(granted(&mut paid(), secs(1)), 2);
        assert_eq!(granted(&mut paid(), Span::from_nanos(9_999_999_999)), 2);
        assert_eq!(granted(&mut paid(), secs(10)), 0);
    }

    /// 3/s for 10 s may be overdrawn: thirty retries at once, and again when they have left the window.
    #[test]
    fn a_reserve_needs_no_requests() {
        let settings = RatioSettings { min_retries_per_second: 3, ..RatioSettings::default() };
        let mut budget = Ratio::new(&settings);
        assert_eq!([0, 5, 10].map(|now| granted(&mut budget, secs(now))), [30, 0, 30]);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// From the last retry backwards, windows of ten slices of a second: as many as begin up to its slice, each with a reserve of
        /// 2 · 10 retries.
        #[test]
        fn a_reserve_is_overdrawn_once_in_a_window(steps in vec((any::<bool>(), 0_u64..2500, 1_u32..40), 1..100)) {
            let settings = RatioSettings { min_retries_per_second: 2, ..RatioSettings::default() };
            let (mut budget, mut now) = (Ratio::new(&settings), Time::ZERO);
            let (mut requests, mut retries) = (0, 0);
            for (is_request, after, count) in steps {
                now += ms(after);
                for _ in 0..count {
                    if is_request {
                        budget.sent(now);
                        requests += 1;
                    } else {
                        retries += u64::from(budget.take(now, Failure::Failed));
                    }
                }
                let windows = now.as_nanos() / 10_000_000_000 + 1;
                prop_assert!(5 * retries <= requests + 5 * 20 * windows, "{} retries of {}", retries, requests);
            }
        }
    }
}
