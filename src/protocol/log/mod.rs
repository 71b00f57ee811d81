//! Topic logs: partitions that brokers replicate, producers write to, and groups of consumers read, as Apache Kafka has them.
//!
//! Every part is a value: it is handed the time, draws and answers, and says what is to be sent. What a record stands for is its
//! owner's business: the parts are generic over what the owner keeps for one. Names and defaults are Kafka's, of versions 3.9 and
//! 4.0; where they differ, or changed lately, the setting says so (`linger` 0 before 4.0; `acks` and idempotence since 3.0;
//! `session-timeout` 10 s before 3.0; `replica-lag-time-max` 10 s before 2.5).
//!
//! `docs/brokers.md` lists the rules, each with its source and the test that holds it.

pub mod controller;
pub mod fetch;
pub mod group;
pub mod ids;
pub mod partition;
pub mod producer;
pub mod replica;
pub mod transaction;

#[cfg(test)]
mod testing;
