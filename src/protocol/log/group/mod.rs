//! Consumer groups: who reads which partition, and how far everybody is.
//!
//! The members of a group share the partitions of the topics they subscribe to: each is read by one member. A broker coordinates: it
//! knows the members, and counts generations. When one joins, leaves or is silent for too long, all join again (a
//! *rebalance*); one of them, the leader, assigns partitions ([`assignor`]), and the coordinator hands the assignment out. What a
//! member of an earlier generation commits is refused.
//!
//! Source: Apache Kafka 3.9 and 4.0, the classic protocol (`GroupCoordinator`, `ConsumerCoordinator`, `AbstractCoordinator`); KIP-134
//! (initial delay), KIP-345 (static members), KIP-429 (incremental cooperative rebalancing). KIP-848's protocol is not built.

pub mod assignor;
