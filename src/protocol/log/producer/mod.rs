//! The producer: to which partition a record goes, how records become batches, and how batches reach their broker once, in order.
//!
//! Source: Apache Kafka 3.9 and 4.0, `KafkaProducer`, `RecordAccumulator`, `Sender`, `TransactionManager`; KIP-91 (delivery
//! timeout), KIP-98 (idempotence), KIP-360 (epochs of idempotent producers), KIP-480 and KIP-794 (sticky partitions), KIP-580
//! (exponential backoff).

pub mod accumulator;
pub mod partitioner;
pub mod sender;
