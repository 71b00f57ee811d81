//! Words that other tools use for what the language calls otherwise.

/// A word of another tool, ours, and what differs between the two, if anything does.
const SYNONYMS: &[(&str, &str, &str)] = &[
    ("max-retries", "max-attempts", FIRST_COUNTS),
    ("retries", "max-attempts", FIRST_COUNTS),
    ("retry", "max-attempts", FIRST_COUNTS),
    ("num-retries", "max-attempts", FIRST_COUNTS),
    ("attempts", "max-attempts", FIRST_COUNTS),
    ("hedging", "hedge", ""),
    ("breaker", "circuit-breaker", ""),
    ("lb", "balance", ""),
    ("lb-policy", "balance", ""),
    ("load-balancing", "balance", ""),
    ("load-balancer", "balance", ""),
    ("bulkhead", "concurrency-limit", ""),
    ("replicas", "nodes", ""),
    ("instances", "nodes", ""),
    ("servers", "nodes", ""),
    ("hosts", "nodes", ""),
    ("threads", "workers", ""),
    ("concurrency", "workers", ""),
    ("service-time", "work", ""),
    ("processing-time", "work", ""),
    ("rps", "rate", ""),
    ("qps", "rate", ""),
    ("ttl", "time-to-live", ""),
    ("max-length", "limit", ""),
    ("base", "initial", ""),
    ("factor", "multiplier", ""),
    ("fall", "unhealthy-threshold", ""),
    ("rise", "healthy-threshold", ""),
    ("consecutive-5xx", "consecutive-errors", ""),
    ("success-threshold", "permitted-number-of-calls-in-half-open-state", ""),
    ("p2c", "two-choices", ""),
    ("power-of-two-choices", "two-choices", ""),
    ("rr", "round-robin", ""),
    ("least-conn", "least-connections", ""),
    ("leastconn", "least-connections", ""),
    ("least-request", "least-requests", ""),
    ("consistent-hash", "ring-hash", ""),
    ("consistent-hashing", "ring-hash", ""),
    ("5xx", "failed", ""),
    ("error", "failed", ""),
    ("kill", "crash", ""),
    ("duration", "for", ""),
    ("start", "at", ""),
    ("stop", "crash", ""),
    ("poisson", "rate", "Arrivals at a `rate` are Poisson unless `arrivals` says otherwise."),
];

const FIRST_COUNTS: &str = "It counts the first attempt too: `max-attempts = 3` is two retries.";

/// Which of the `accepted` words is meant by `word`, and what differs between the two.
pub fn synonym(word: &str, accepted: &[&str]) -> Option<(&'static str, &'static str)> {
    let known = SYNONYMS.iter().find(|(other, ours, _)| *other == word && accepted.contains(ours));
    known.map(|(_, ours, differs)| (*ours, *differs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::reference::Reference;

    #[test]
    fn every_word_is_one_of_the_language() {
        let reference = Reference::new();
        for (word, ours, _) in SYNONYMS {
            assert!(reference.names().contains(ours), "{word}: there is no `{ours}`");
        }
    }

    #[test]
    fn a_word_means_what_may_stand_in_its_place() {
        assert_eq!(synonym("threads", &["nodes", "workers"]), Some(("workers", "")));
        assert_eq!(synonym("threads", &["timeout"]), None);
        assert!(synonym("max-retries", &["max-attempts"]).is_some_and(|(_, differs)| differs.contains("two retries")));
    }
}
