//! Tokens that failures take and successes bring back.
//!
//! A caller starts with `max-tokens`. Each failure takes one, down to none, each success brings `token-ratio`, up to
//! `max-tokens`, and there are retries only while more than half of `max-tokens` are left. Unlike a share of requests it learns
//! from successes: with a share of failures above `token-ratio / (1 + token-ratio)` retries stop altogether, and begin again when
//! successes have filled the bucket.
//!
//! Bound: what is above the half falls by one with each retry that is granted (its failure was told before), and grows only by
//! successes, so that retries never exceed `max-tokens / 2 + token-ratio · successes`.
//!
//! Source: gRFC A6 "gRPC Retry Design", throttling configuration. Its service configuration has no defaults, and wants
//! `max-tokens` up to 1000 and three decimals of `token-ratio`, as here.

use std::num::NonZeroU32;

use super::RetryBudget;
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::protocol::retry::Failure;
use crate::settings;

settings! {
    /// Each failure takes a token, each success brings a part of one, and there are retries only while more than half of the
    /// tokens are left. Retries stop soon after an outage begins, and come back with successes. It costs retries while a share
    /// of requests fails for long, however small the load is.
    pub struct TokenThrottlingSettings = "token-throttling", "gRFC A6, gRPC Retry Design, retryThrottling" {
        /// With how many tokens it starts, and the most there are: up to 1000.
        max_tokens: NonZeroU32, required = NonZeroU32::MIN.saturating_add(9),
        /// What a success brings; digits after the third count for nothing.
        token_ratio: f64, required = 0.1,
    }
}

impl Settings for TokenThrottlingSettings {
    fn check(&self) -> Result<(), String> {
        if self.max_tokens.get() > 1000 {
            return Err("takes at most 1000 tokens".into());
        }
        if self.token_ratio < 0.001 {
            return Err("takes a `token-ratio` of at least 0.001".into());
        }
        Ok(())
    }
}

/// A token, in thousandths.
const TOKEN: u32 = 1000;

/// The tokens that are left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenThrottling {
    tokens: u32,
    max: u32,
    success: u32,
}

impl TokenThrottling {
    /// All tokens are there.
    pub fn new(settings: &TokenThrottlingSettings) -> Self {
        let max = settings.max_tokens.get().saturating_mul(TOKEN);
        // A decimal such as 0.003 lies just below its thousandths in binary.
        let thousandths = libm::floor(settings.token_ratio * f64::from(TOKEN) + 1e-6);
        Self { tokens: max, max, success: thousandths as u32 }
    }
}

impl RetryBudget for TokenThrottling {
    fn succeeded(&mut self, _: Time, _: Option<Failure>) {
        self.tokens = self.tokens.saturating_add(self.success).min(self.max);
    }

    fn failed(&mut self, _: Time) {
        self.tokens = self.tokens.saturating_sub(TOKEN);
    }

    fn take(&mut self, _: Time, _: Failure) -> bool {
        self.tokens > self.max / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 10 tokens, 5 are left after the fifth failure, which is not more than half; 1 success brings 0.1 and that is.
    #[test]
    fn retries_stop_at_half_of_the_tokens() {
        let mut budget = TokenThrottling::new(&TokenThrottlingSettings::default());
        let fail = |budget: &mut TokenThrottling| {
            budget.failed(Time::ZERO);
            budget.take(Time::ZERO, Failure::Failed)
        };
        assert_eq!([(); 6].map(|()| fail(&mut budget)), [true, true, true, true, false, false]);
        // 4 are left; eleven successes bring 1.1.
        (0..10).for_each(|_| budget.succeeded(Time::ZERO, None));
        assert!(!budget.take(Time::ZERO, Failure::Failed));
        budget.succeeded(Time::ZERO, None);
        assert!(budget.take(Time::ZERO, Failure::Failed));
    }

    #[test]
    fn the_limits_of_the_service_configuration_hold() {
        let check = |max_tokens, token_ratio| {
            TokenThrottlingSettings { max_tokens: NonZeroU32::new(max_tokens).unwrap(), token_ratio }.check()
        };
        assert!(check(1000, 0.001).is_ok() && check(1001, 0.1).is_err() && check(10, 0.0009).is_err());
        let three = TokenThrottling::new(&TokenThrottlingSettings { token_ratio: 0.0039, ..Default::default() });
        assert_eq!(three.success, 3);
    }
}
