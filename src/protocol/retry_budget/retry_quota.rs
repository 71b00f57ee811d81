//! A quota that retries cost, and that successes refund.
//!
//! A caller starts with `capacity`. A retry costs `retry-cost`, after a timeout `timeout-cost`; when it succeeds its cost comes
//! back, and a first attempt that succeeds brings `success-refund`. Without enough left there is no retry.
//!
//! Bound: what retries have cost never exceeds the capacity and all refunds.
//!
//! Source: AWS SDKs, "standard" retry mode (botocore 1.34, `retries/standard.py`: 500, 5, 10 and 1).

use std::num::NonZeroU32;

use super::RetryBudget;
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::protocol::retry::Failure;
use crate::settings;

settings! {
    /// Each retry costs a part of a quota, which successes refund. An outage uses the quota up, and then there is hardly a retry
    /// until requests succeed again; it takes no notice of time or load. It costs a burst of retries at the begin of each outage.
    pub struct RetryQuotaSettings = "retry-quota", "AWS SDKs, standard retry mode (botocore 1.34)" {
        /// With how much it starts, and the most there is (500 in the AWS SDKs).
        capacity: NonZeroU32 = NonZeroU32::MIN.saturating_add(499),
        /// What a retry costs (5 in the AWS SDKs).
        retry_cost: NonZeroU32 = NonZeroU32::MIN.saturating_add(4),
        /// What a retry after a timeout costs (10 in the AWS SDKs).
        timeout_cost: NonZeroU32 = NonZeroU32::MIN.saturating_add(9),
        /// What a first attempt brings that succeeds (1 in the AWS SDKs). A retry that succeeds brings back what it cost.
        success_refund: u32 = 1,
    }
}

impl Settings for RetryQuotaSettings {
    fn check(&self) -> Result<(), String> {
        if self.capacity < self.retry_cost { Err("has less than one retry costs".into()) } else { Ok(()) }
    }
}

/// What is left of the quota.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetryQuota {
    left: u32,
    capacity: u32,
    retry_cost: u32,
    timeout_cost: u32,
    success_refund: u32,
}

impl RetryQuota {
    /// All of it is left.
    pub fn new(settings: &RetryQuotaSettings) -> Self {
        Self {
            left: settings.capacity.get(),
            capacity: settings.capacity.get(),
            retry_cost: settings.retry_cost.get(),
            timeout_cost: settings.timeout_cost.get(),
            success_refund: settings.success_refund,
        }
    }

    fn cost(&self, after: Failure) -> u32 {
        if after == Failure::Timeout { self.timeout_cost } else { self.retry_cost }
    }
}

impl RetryBudget for RetryQuota {
    fn succeeded(&mut self, _: Time, retried: Option<Failure>) {
        let refund = retried.map_or(self.success_refund, |after| self.cost(after));
        self.left = self.left.saturating_add(refund).min(self.capacity);
    }

    fn take(&mut self, _: Time, after: Failure) -> bool {
        let left = self.left.checked_sub(self.cost(after));
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 500 pay for 100 retries or for 50 after timeouts.
    #[test]
    fn a_retry_after_a_timeout_costs_twice_as_much() {
        for (after, expected) in [(Failure::Failed, 100), (Failure::Timeout, 50)] {
            let mut budget = RetryQuota::new(&RetryQuotaSettings::default());
            assert_eq!((0..1000).take_while(|_| budget.take(Time::ZERO, after)).count(), expected);
        }
    }

    /// Nothing is left. A retry after a timeout that succeeds brings back 10: two others. Then five first attempts bring one.
    #[test]
    fn successes_refund() {
        let mut budget = RetryQuota::new(&RetryQuotaSettings::default());
        let granted =
            |budget: &mut RetryQuota| (0..1000).take_while(|_| budget.take(Time::ZERO, Failure::Reset)).count();
        assert_eq!(granted(&mut budget), 100);
        budget.succeeded(Time::ZERO, Some(Failure::Timeout));
        assert_eq!(granted(&mut budget), 2);
        (0..5).for_each(|_| budget.succeeded(Time::ZERO, None));
        assert_eq!(granted(&mut budget), 1);
    }
}
