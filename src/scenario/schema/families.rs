//! The families of policies that a scenario chooses from. Their policies stand in their registries.

use super::chosen::families;
use crate::protocol::balance::{BALANCERS, BalancePolicy};
use crate::protocol::concurrency::{CONCURRENCY_LIMITS, ConcurrencyPolicy};
use crate::protocol::health::{HEALTH_CHECKS, HealthPolicy};
use crate::protocol::keys::{KEYS, KeyPolicy};
use crate::protocol::log::group::assignor::{ASSIGNORS, AssignorPolicy};
use crate::protocol::log::producer::partitioner::{PARTITIONERS, PartitionerPolicy};
use crate::protocol::queue::{QUEUES, QueuePolicy};
use crate::protocol::rate_limit::{RATE_LIMITS, RateLimitPolicy};
use crate::protocol::retry_budget::{RETRY_BUDGETS, RetryBudgetPolicy};
use crate::protocol::shed::{SHEDDERS, ShedPolicy};
use crate::protocol::throttle::{THROTTLES, ThrottlePolicy};
use crate::protocol::timeout::{TIMEOUTS, TimeoutPolicy};
use crate::protocol::workload::arrivals::{ARRIVALS, ArrivalPolicy};
use crate::protocol::workload::rate::{RATES, RatePolicy};

families! {
    /// How callers choose among the nodes of a service.
    Balance: BalancePolicy = BALANCERS;
    /// What messages are about.
    KeyLaw: KeyPolicy = KEYS;
    /// How a sender finds out which nodes of a service are up.
    HealthCheck: HealthPolicy = HEALTH_CHECKS;
    /// How many retries there may be.
    RetryBudget: RetryBudgetPolicy = RETRY_BUDGETS;
    /// How fast messages may pass.
    RateLimit: RateLimitPolicy = RATE_LIMITS;
    /// How many requests may be under way at a time.
    ConcurrencyLimit: ConcurrencyPolicy = CONCURRENCY_LIMITS;
    /// Who is next in a queue. Requests that had a worker before, and waited for an answer, go before all others.
    QueueDiscipline: QueuePolicy = QUEUES;
    /// Who is turned away on arrival, though there may be room.
    Shed: ShedPolicy = SHEDDERS;
    /// Which messages a sender does not even send.
    Throttle: ThrottlePolicy = THROTTLES;
    /// How long an attempt may take.
    Timeout: TimeoutPolicy = TIMEOUTS, value = "constant", list = "list";
    /// How many messages or requests a group starts: a constant such as `"200/s"`, or a rate that changes with time. Times are on
    /// the clock of the run, whenever the load begins.
    LoadRate: RatePolicy = RATES, value = "constant";
    /// To which partition of its topic a record goes.
    Partitioner: PartitionerPolicy = PARTITIONERS;
    /// Which member of a group reads which partition.
    Assignor: AssignorPolicy = ASSIGNORS;
    /// How the starts are spread around their rate.
    Arrivals: ArrivalPolicy = ARRIVALS;
}
