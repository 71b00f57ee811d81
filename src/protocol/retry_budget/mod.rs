//! Retry budgets: whether a caller may send another retry at all.
//!
//! A limit of attempts per request multiplies the load by that limit when everything fails. A budget limits the retries of all
//! requests of a caller together, so that a total outage costs a tenth more load rather than three times as much.
//!
//! A budget is told of every first attempt, of every answer, and asked before every retry. Of an attempt that failed it is told
//! before it is asked for the retry.

use crate::base::time::Time;
use crate::protocol::family::family;
use crate::protocol::retry::Failure;

family! { $
    /// What retries are paid from: plain data.
    RetryBudgetPolicy,
    /// What is left for retries, under any [`RetryBudgetPolicy`].
    AnyRetryBudget, RETRY_BUDGETS, each_budget;
    ratio: Ratio, RatioSettings;
    token_throttling: TokenThrottling, TokenThrottlingSettings;
    retry_quota: RetryQuota, RetryQuotaSettings;
}

/// What one caller may spend on retries to one group.
///
/// Times never run backwards.
pub trait RetryBudget {
    /// A request is sent for the first time.
    fn sent(&mut self, now: Time) {
        let _ = now;
    }

    /// An attempt was answered well: a first one, or a retry after `retried`.
    fn succeeded(&mut self, now: Time, retried: Option<Failure>) {
        let _ = (now, retried);
    }

    /// An attempt failed in a way that is retried.
    fn failed(&mut self, now: Time) {
        let _ = now;
    }

    /// Whether there may be a retry after this failure. If so, it is paid for.
    fn take(&mut self, now: Time, after: Failure) -> bool;
}

impl RetryBudget for AnyRetryBudget {
    fn sent(&mut self, now: Time) {
        each_budget!(self, budget => budget.sent(now));
    }

    fn succeeded(&mut self, now: Time, retried: Option<Failure>) {
        each_budget!(self, budget => budget.succeeded(now, retried));
    }

    fn failed(&mut self, now: Time) {
        each_budget!(self, budget => budget.failed(now));
    }

    fn take(&mut self, now: Time, after: Failure) -> bool {
        each_budget!(self, budget => budget.take(now, after))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::settings::Value;
    use crate::base::time::{ms, secs, us};
    use crate::protocol::laws::{draws, fixed};

    /// 1000 requests a second for `seconds`, each attempt fails at once with `failure` with probability `share`, at most three
    /// attempts: attempts per request.
    fn load_factor(policy: &RetryBudgetPolicy, seconds: u64, share: f64) -> f64 {
        let (mut budget, mut draw, mut attempts) = (policy.start(), draws(1), 0);
        for number in 0..1000 * seconds {
            let now = Time::ZERO + ms(number);
            budget.sent(now);
            let mut retried = None;
            for attempt in 1..=3 {
                attempts += 1;
                if draw().open01() > share {
                    budget.succeeded(now + us(attempt), retried);
                    break;
                }
                budget.failed(now + us(attempt));
                if attempt == 3 || !budget.take(now + us(attempt), Failure::Failed) {
                    break;
                }
                retried = Some(Failure::Failed);
            }
        }
        attempts as f64 / (1000 * seconds) as f64
    }

    /// Three attempts each would make a factor of 3. At 10 % of requests it is 1.1 (Beyer et al., SRE book, chapter 21), to
    /// the retry. Of 10 tokens the first three failures leave 7 (two retries), the next two 5 (one retry: the second failure
    /// leaves no more than the half). A quota of 500 pays for 100 retries. Nothing refills either.
    #[test]
    fn an_outage_does_not_multiply_the_load() {
        let ten_percent = Value::Share(crate::base::probability::percent(10.0));
        let ratio = RETRY_BUDGETS[0].make(vec![(0, ten_percent)]).unwrap();
        assert!((load_factor(&ratio, 100, 1.0) - 1.1).abs() < 1e-9);
        assert_eq!(load_factor(&RETRY_BUDGETS[1].example(), 100, 1.0), 1.0 + 3.0 / 100_000.0);
        assert_eq!(load_factor(&RETRY_BUDGETS[2].example(), 100, 1.0), 1.0 + 100.0 / 100_000.0);
    }

    /// With 1 % of failures, 1.0101 attempts are needed, and every kind lets them pass: five standard deviations of a binomial
    /// count of 100 000 attempts, √(0.01·0.99/10⁵)·5 = 0.0016.
    #[test]
    fn a_few_failures_are_all_retried() {
        for listing in RETRY_BUDGETS {
            let factor = load_factor(&listing.example(), 100, 0.01);
            assert!((factor - 1.0101).abs() < 0.0016, "{}: {factor}", listing.name);
        }
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Each kind's bound, as its file derives it, with the settings of the examples: with `requests` and `successes` so far,
        /// at most so many retries.
        #[test]
        fn a_budget_is_never_overspent(steps in vec((0_u64..4, 0_u64..5000), 1..300)) {
            for listing in RETRY_BUDGETS {
                let (mut budget, mut now) = (listing.example().start(), Time::ZERO);
                let (mut requests, mut first, mut retried, mut retries) = (0_u64, 0_u64, 0_u64, 0_u64);
                for &(what, after) in &steps {
                    now += ms(after);
                    match what {
                        0 => {
                            budget.sent(now);
                            requests += 1;
                        }
                        // Only what was retried can succeed on a retry, once.
                        1 if retried < retries && after % 2 == 0 => {
                            budget.succeeded(now, Some(Failure::Failed));
                            retried += 1;
                        }
                        1 => {
                            budget.succeeded(now, None);
                            first += 1;
                        }
                        _ => {
                            budget.failed(now);
                            retries += u64::from(budget.take(now, Failure::Failed));
                        }
                    }
                    let holds = match listing.name {
                        "ratio" => 5 * retries <= requests,
                        "token-throttling" => 10 * retries <= 50 + first + retried,
                        "retry-quota" => 5 * retries <= 500 + first + 5 * retried,
                        name => panic!("no bound is stated for {name}"),
                    };
                    prop_assert!(holds, "{}: {} retries of {} requests", listing.name, retries, requests);
                }
            }
        }
    }

    /// One stands at each caller for each group that it calls.
    #[test]
    fn a_budget_is_small() {
        assert!(size_of::<AnyRetryBudget>() <= 24, "{}", size_of::<AnyRetryBudget>());
        assert!(
            RETRY_BUDGETS.iter().all(|listing| listing.example().start().take(Time::ZERO + secs(1), Failure::Timeout)
                == (listing.name != "ratio"))
        );
    }
}
