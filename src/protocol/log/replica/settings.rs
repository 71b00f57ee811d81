//! What may be said about replication.

use std::num::NonZeroU32;

use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, secs};
use crate::settings;

settings! {
    /// When a follower is in sync, and how many have to be. Fewer replicas in sync lose less availability when brokers fail, and more
    /// records when the last of them does.
    pub struct ReplicationSettings = "replication", "Apache Kafka 4.0, broker and topic configuration" {
        /// A follower that did not reach the leader's log end for so long is no longer in sync (Kafka: 30 s, 10 s before 2.5).
        replica_lag_time_max: Span = secs(30),
        /// With fewer replicas in sync, producers with acks = all are refused (Kafka: 1).
        min_insync_replicas: NonZeroU32 = NonZeroU32::MIN,
        /// Whether a replica that was not in sync may lead if no other is left, which loses records (Kafka: no).
        unclean_leader_election_enable: bool = false,
    }
}

/// What can be said about replication.
pub const REPLICATION: Listing<ReplicationSettings> = Listing::of::<ReplicationSettings>();

impl Settings for ReplicationSettings {}

#[cfg(test)]
mod tests {
    #[test]
    fn the_settings_are_well_kept() {
        crate::protocol::family::well_kept(&[super::REPLICATION]);
    }
}
