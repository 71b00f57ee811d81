//! The families of policies that a scenario chooses from. Their policies stand in their registries.

use super::chosen::families;
use crate::protocol::balance::{BALANCERS, BalancePolicy};
use crate::protocol::concurrency::{CONCURRENCY_LIMITS, ConcurrencyPolicy};
use crate::protocol::health::{HEALTH_CHECKS, HealthPolicy};
use crate::protocol::rate_limit::{RATE_LIMITS, RateLimitPolicy};
use crate::protocol::retry_budget::{RETRY_BUDGETS, RetryBudgetPolicy};
use crate::protocol::throttle::{THROTTLES, ThrottlePolicy};
use crate::protocol::timeout::{TIMEOUTS, TimeoutPolicy};

families! {
    /// How callers choose among the nodes of a service.
    Balance: BalancePolicy = BALANCERS;
    /// How a sender finds out which nodes of a service are up.
    HealthCheck: HealthPolicy = HEALTH_CHECKS;
    /// How many retries there may be.
    RetryBudget: RetryBudgetPolicy = RETRY_BUDGETS;
    /// How fast messages may pass.
    RateLimit: RateLimitPolicy = RATE_LIMITS;
    /// How many requests may be under way at a time.
    ConcurrencyLimit: ConcurrencyPolicy = CONCURRENCY_LIMITS;
    /// Which messages a sender does not even send.
    Throttle: ThrottlePolicy = THROTTLES;
    /// How long an attempt may take.
    Timeout: TimeoutPolicy = TIMEOUTS, value = "constant", list = "list";
}
