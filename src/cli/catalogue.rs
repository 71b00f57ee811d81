//! Everything that scenarios can name, from the library's registries.

use std::fmt::Write;

use clap::ValueEnum;
use rehearsal::base::distribution::{FAMILIES, Family};
use rehearsal::base::settings::{Listing, Need};
use rehearsal::network::regions::{MATRICES, Matrix};
use rehearsal::network::stream::{CONGESTION_CONTROLS, CongestionEntry};
use rehearsal::network::{Arrival, Delay, PRESETS, Preset, TOPOLOGIES, TopologyEntry};
use rehearsal::protocol::health::HEALTH_CHECKS;
use rehearsal::protocol::queue::QUEUES;
use rehearsal::protocol::shed::SHEDDERS;
use rehearsal::protocol::{
    Entry, balance, breaker, concurrency, delivery, hedge, keys, rate_limit, retry, retry_budget, throttle, timeout,
    workload,
};
use rehearsal::scenario::Metric;
use rehearsal::scenario::plan::is_measured;
use rehearsal::scenario::quantity::Statistic;
use rehearsal::sim::{FAULTS, FaultEntry};

/// A kind of things that scenarios can name.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// What a value is drawn from
    Distributions,
    /// Media that are known by name
    Presets,
    /// How a stream finds out how much the network carries
    CongestionControls,
    /// How much load there is, and when
    Rates,
    /// How starts are spread around their rate
    Arrivals,
    /// How long to wait before each further attempt
    Backoffs,
    /// How such a wait is spread
    Jitters,
    /// After which failures to try again
    Failures,
    /// Who gets a further attempt
    Members,
    /// How callers choose among nodes
    Balancers,
    /// How senders find out which nodes are up
    HealthChecks,
    /// Whose requests a balancer counts
    Loads,
    /// How many retries there may be
    RetryBudgets,
    /// What lets nothing through while too much fails
    CircuitBreakers,
    /// How fast messages may pass
    RateLimits,
    /// How many requests may be under way
    ConcurrencyLimits,
    /// Which messages a sender does not even send
    Throttles,
    /// How long an attempt may take
    Timeouts,
    /// When another copy is sent
    Hedges,
    /// What messages are about
    KeyLaws,
    /// Who is next in a queue
    QueueDisciplines,
    /// Who is turned away on arrival
    Shedders,
    /// How far regions are from each other
    Regions,
    /// Which nodes are joined
    Topologies,
    /// How far back a receiver remembers what it has handled
    DedupWindows,
    /// What can happen to a system
    Faults,
    /// What can be measured
    Metrics,
    /// Which number of the many that are measured
    Statistics,
}

/// A thing that scenarios can name.
pub struct Item {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// All that is known of it, in further paragraphs.
    pub more: String,
}

impl Kind {
    /// Where scenarios name them.
    pub fn place(self) -> &'static str {
        match self {
            Self::Distributions => "wherever a value may vary: `work`, `think`, `latency`, `size` …",
            Self::Presets => "network.preset, links.NAME.preset",
            Self::CongestionControls => "`congestion-control` of network.transport, links.NAME.transport",
            Self::Rates => "clients.NAME.rate",
            Self::Arrivals => "clients.NAME.arrivals",
            Self::Backoffs => "policies.NAME.backoff",
            Self::Jitters => "policies.NAME.jitter",
            Self::Failures => "policies.NAME.retry-on",
            Self::Members => "policies.NAME.retry-to",
            Self::Balancers => "services.NAME.balance, policies.NAME.balance",
            Self::HealthChecks => "policies.NAME.health",
            Self::Loads => "`load` of a balancer",
            Self::RetryBudgets => "policies.NAME.retry-budget",
            Self::CircuitBreakers => "policies.NAME.circuit-breaker",
            Self::RateLimits => "policies.NAME.rate-limit, services.NAME.admit.rate-limit",
            Self::ConcurrencyLimits => "policies.NAME.concurrency-limit, services.NAME.admit.concurrency-limit",
            Self::Throttles => "policies.NAME.throttle",
            Self::Timeouts => "policies.NAME.timeout",
            Self::Hedges => "policies.NAME.hedge",
            Self::KeyLaws => "`key` of a step",
            Self::QueueDisciplines => "services.NAME.queue.discipline",
            Self::Shedders => "services.NAME.shed",
            Self::Regions => "regions.preset",
            Self::Topologies => "topology.NAME",
            Self::DedupWindows => "policies.NAME.dedup-window: a number, a duration, or left out",
            Self::Faults => "faults.NAME, beside `at` and `for`, or `every` and `for`",
            Self::Metrics | Self::Statistics => "[expect]: \"SCOPE.METRIC.STATISTIC\"",
        }
    }

    /// What one of them is.
    pub fn one(self) -> &'static str {
        match self {
            Self::Distributions => "a distribution",
            Self::Presets => "a preset",
            Self::CongestionControls => "a congestion control",
            Self::Rates => "a rate",
            Self::Arrivals => "an arrival process",
            Self::Backoffs => "a backoff",
            Self::Jitters => "a jitter",
            Self::Failures => "a failure after which to try again",
            Self::Members => "a receiver of further attempts",
            Self::Balancers => "a balancer",
            Self::HealthChecks => "a health check",
            Self::Loads => "a load that balancers look at",
            Self::RetryBudgets => "a retry budget",
            Self::CircuitBreakers => "a circuit breaker",
            Self::RateLimits => "a rate limit",
            Self::ConcurrencyLimits => "a limit of concurrency",
            Self::Throttles => "a throttle",
            Self::Timeouts => "a timeout",
            Self::Hedges => "a hedge",
            Self::KeyLaws => "a law of keys",
            Self::QueueDisciplines => "a discipline of queues",
            Self::Shedders => "a shedder of load",
            Self::Regions => "a preset of regions",
            Self::Topologies => "a topology",
            Self::DedupWindows => "a memory of what was handled",
            Self::Faults => "a fault",
            Self::Metrics => "a metric",
            Self::Statistics => "a statistic",
        }
    }

    /// All of this kind.
    pub fn items(self) -> Vec<Item> {
        match self {
            Self::Distributions => FAMILIES.iter().map(|family| of_family(family)).collect(),
            Self::Presets => PRESETS.iter().map(of_preset).collect(),
            Self::CongestionControls => CONGESTION_CONTROLS.iter().map(of_congestion_control).collect(),
            Self::Rates => of_listings(workload::rate::RATES),
            Self::Arrivals => of_listings(workload::arrivals::ARRIVALS),
            Self::Backoffs => of_registry(retry::SCHEDULES),
            Self::Jitters => of_registry(retry::JITTERS),
            Self::Failures => of_registry(retry::FAILURES),
            Self::Members => of_registry(retry::MEMBERS),
            Self::Balancers => of_listings(balance::BALANCERS),
            Self::HealthChecks => of_listings(HEALTH_CHECKS),
            Self::Loads => of_registry(balance::LOADS),
            Self::RetryBudgets => of_listings(retry_budget::RETRY_BUDGETS),
            Self::CircuitBreakers => of_listings(&[breaker::CIRCUIT_BREAKER]),
            Self::RateLimits => of_listings(rate_limit::RATE_LIMITS),
            Self::ConcurrencyLimits => of_listings(concurrency::CONCURRENCY_LIMITS),
            Self::Throttles => of_listings(throttle::THROTTLES),
            Self::Timeouts => of_listings(timeout::TIMEOUTS),
            Self::Hedges => of_listings(&[hedge::HEDGE]),
            Self::KeyLaws => of_listings(keys::KEYS),
            Self::QueueDisciplines => of_listings(QUEUES),
            Self::Shedders => of_listings(SHEDDERS),
            Self::Regions => MATRICES.iter().map(of_matrix).collect(),
            Self::Topologies => TOPOLOGIES.iter().map(|entry| of_topology(entry)).collect(),
            Self::DedupWindows => of_registry(delivery::DEDUP_WINDOWS),
            Self::Faults => FAULTS.iter().map(|entry| of_fault(entry)).collect(),
            Self::Metrics => {
                let item = |metric: &Metric| Item {
                    name: metric.name(),
                    summary: metric.meaning(),
                    more: metric.definition(),
                };
                Metric::ALL.iter().filter(|metric| is_measured(**metric)).map(item).collect()
            }
            Self::Statistics => {
                let item = |&(name, summary): &(_, _)| Item { name, summary, more: String::new() };
                Statistic::SPELLINGS.iter().map(item).collect()
            }
        }
    }
}

fn of_registry<E>(registry: &[Entry<E>]) -> Vec<Item> {
    let item = |entry: &Entry<E>| Item {
        name: entry.name,
        summary: entry.summary,
        more: format!("Source: {}.\n", entry.source.trim_end_matches('.')),
    };
    registry.iter().map(item).collect()
}

fn of_listings<P>(registry: &[Listing<P>]) -> Vec<Item> {
    let item = |listing: &Listing<P>| {
        let text = listing.text.trim();
        let mut more =
            text.strip_prefix(listing.summary()).map_or(String::new(), |rest| format!("{}\n\n", rest.trim()));
        let width = listing.names.iter().map(|name| name.len()).max().unwrap_or(0);
        for field in listing.fields {
            let default = (field.default)().filter(|_| field.need == Need::Optional);
            let default = default.map_or(String::new(), |value| format!(" Default: {value}."));
            writeln!(more, "  {:width$}  {}{default}", field.name, field.text.trim()).expect("a string takes all");
        }
        if !listing.fields.is_empty() {
            more.push('\n');
        }
        writeln!(more, "Source: {}.", listing.source.trim_end_matches('.')).expect("a string takes all");
        Item { name: listing.name, summary: listing.summary(), more }
    };
    registry.iter().map(item).collect()
}

fn of_congestion_control(entry: &CongestionEntry) -> Item {
    Item { name: entry.name, summary: entry.summary, more: format!("Source: {}.\n", entry.source) }
}

fn of_fault(entry: &FaultEntry) -> Item {
    let more = format!("{}\n\nSource: {}.\n", entry.explanation, entry.source.trim_end_matches('.'));
    Item { name: entry.name, summary: entry.summary, more }
}

fn of_topology(entry: &TopologyEntry) -> Item {
    let more = format!("{}\n\nSource: {}.\n", entry.explanation, entry.source.trim_end_matches('.'));
    Item { name: entry.name, summary: entry.summary, more }
}

fn of_matrix(matrix: &Matrix) -> Item {
    let mut more = "Round-trip times; half each way.\n\n".to_owned();
    for (from, to, rtt) in matrix.pairs() {
        writeln!(more, "  {from:15} {to:15} {rtt:>6}").expect("a string takes all");
    }
    writeln!(more, "\nSource: {}.", matrix.source).expect("a string takes all");
    Item { name: matrix.name, summary: matrix.summary, more }
}

fn of_family(family: &Family) -> Item {
    let mut more = format!("{}\n\n", family.explanation);
    let width = family.parameters.iter().map(|parameter| parameter.name.chars().count()).max().unwrap_or(0);
    for parameter in family.parameters {
        writeln!(more, "  {:width$}  {}", parameter.name, parameter.meaning).expect("a string takes all");
    }
    more.push_str("\nWritten as\n");
    for spelling in family.spellings {
        writeln!(more, "  {spelling}").expect("a string takes all");
    }
    writeln!(more, "\nSource: {}.", family.source.trim_end_matches('.')).expect("a string takes all");
    Item { name: family.name, summary: family.summary, more }
}

fn of_preset(preset: &Preset) -> Item {
    let latency = match preset.delay {
        Delay::Uniform(min, max) => format!("uniform = [\"{min}\", \"{max}\"]"),
        Delay::Lognormal(median, p99) => format!("lognormal = {{ median = \"{median}\", p99 = \"{p99}\" }}"),
    };
    let loss = match preset.burst {
        Some(burst) => format!("{{ bursty = {{ loss = \"{}\", mean-burst = {burst} }} }}", preset.loss()),
        None => format!("\"{}\"", preset.loss()),
    };
    let order = match preset.order {
        Arrival::Free => "free",
        Arrival::Fifo => "fifo",
    };
    let (explanation, bandwidth, source) = (preset.explanation, preset.bandwidth(), preset.source);
    let mut more = format!("{explanation}\n\nStands for\n  latency   = {{ {latency} }}\n  loss      = {loss}\n");
    write!(more, "  bandwidth = \"{bandwidth}\"\n  order     = \"{order}\"\n\nSource: {source}.\n")
        .expect("a string takes all");
    Item { name: preset.name, summary: preset.summary, more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_registry_is_empty_and_nothing_is_unexplained() {
        for kind in Kind::value_variants() {
            let items = kind.items();
            assert!(!items.is_empty(), "{kind:?}");
            assert!(items.iter().all(|item| !item.name.is_empty() && !item.summary.is_empty()), "{kind:?}");
        }
    }
}
