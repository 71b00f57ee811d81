//! What may be said about the log of a topic.

use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, secs};
use crate::base::units::{Bytes, mib};
use crate::settings;
use crate::words;

words! {
    /// What becomes of old records.
    pub enum CleanupPolicy {
        /// Old segments are deleted.
        Delete = "delete",
        /// Of every key the latest record is kept.
        Compact = "compact",
        /// Both.
        CompactDelete = "compact,delete",
    }
}

impl CleanupPolicy {
    /// Whether of every key the latest record is kept.
    pub const fn compacts(self) -> bool {
        matches!(self, Self::Compact | Self::CompactDelete)
    }

    /// Whether old segments are deleted.
    pub const fn deletes(self) -> bool {
        matches!(self, Self::Delete | Self::CompactDelete)
    }
}

settings! {
    /// How a topic keeps its records. A log is written in segments; old ones are deleted as a whole, or rewritten without the
    /// records that a later one of the same key replaces. Consumers that fall behind what was deleted miss it.
    pub struct LogSettings = "log", "Apache Kafka 4.0, topic configuration" {
        /// What becomes of old records (Kafka: delete).
        cleanup_policy: CleanupPolicy = CleanupPolicy::Delete,
        /// A segment is deleted when its latest record is older (Kafka: 7 days); with none, never.
        retention_time: Option<Span> = Some(secs(7 * 86_400)),
        /// The oldest segments are deleted while the others hold this much (Kafka: no limit).
        retention_bytes: Option<Bytes> = None,
        /// A segment that would become larger is closed, and another begun (Kafka: 1 GiB).
        segment_bytes: Bytes = mib(1024),
        /// A segment whose first record is older than the one to be written by this is closed (Kafka: 7 days).
        segment_time: Span = secs(7 * 86_400),
        /// The largest batch that is taken (Kafka: 1048588 bytes).
        max_message_bytes: Bytes = Bytes::new(1_048_588),
        /// For how long compaction keeps tombstones and markers, as long as one who reads from the start may take (Kafka: 24 h).
        delete_retention: Span = secs(86_400),
        /// A record that is younger is not compacted (Kafka: 0).
        min_compaction_lag: Span = Span::ZERO,
        /// After so long a producer that wrote nothing is forgotten (Kafka: 1 day).
        producer_id_expiration: Span = secs(86_400),
    }
}

/// What can be said about a topic's log.
pub const LOG: Listing<LogSettings> = Listing::of::<LogSettings>();

impl Settings for LogSettings {
    fn check(&self) -> Result<(), String> {
        if self.segment_bytes.count() == 0 || self.segment_time == Span::ZERO {
            return Err("needs `segment-bytes` and `segment-ms` above zero".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_settings_are_well_kept() {
        crate::protocol::family::well_kept(&[super::LOG]);
    }
}
