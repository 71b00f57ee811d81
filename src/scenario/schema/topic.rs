//! `[topics]`, and how they are written to and read.

use std::fmt;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

use super::chosen::Tuned;
use super::name::Name;
use super::quantity_text::Duration;
use crate::protocol::log::group::offsets;
use crate::protocol::log::partition::{self, LogSettings};
use crate::scenario::document::Located;

/// A topic: a log that is divided into partitions, each kept by several brokers. Who reads it takes nothing away.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Topic {
    /// The brokers that keep it.
    pub broker: Option<Located<Name>>,
    /// Into how many partitions it is divided (Kafka: 1). Records of one partition have an order.
    #[schemars(extend("default" = 1))]
    pub partitions: Option<Located<NonZeroU32>>,
    /// How many brokers keep each partition (Kafka: 1).
    #[schemars(extend("default" = 1))]
    pub replication_factor: Option<Located<NonZeroU32>>,
    /// With fewer replicas in sync, producers with `acks = "all"` are refused (Kafka: 1).
    #[schemars(extend("default" = 1))]
    pub min_insync_replicas: Option<Located<NonZeroU32>>,
    /// Whether a replica that was not in sync may lead if no other is left, which loses records (Kafka: no).
    #[schemars(extend("default" = false))]
    pub unclean_leader_election_enable: Option<Located<bool>>,
    /// A follower that did not reach the leader's log end for so long is no longer in sync (Kafka: 30 s, 10 s before 2.5).
    #[schemars(extend("default" = "30s"))]
    pub replica_lag_time_max: Option<Located<Duration>>,
    /// How its records are kept.
    #[serde(rename = "..")]
    pub settings: Tuned<LogSettings>,
}

/// When a producer counts a record as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acks(pub partition::Acks);

impl<'de> Deserialize<'de> for Acks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrAll;

        impl Visitor<'_> for NumberOrAll {
            type Value = Acks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0, 1 or \"all\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Acks, E> {
                match number {
                    0 => Ok(Acks(partition::Acks::None)),
                    1 => Ok(Acks(partition::Acks::Leader)),
                    -1 => Ok(Acks(partition::Acks::All)),
                    _ => Err(E::invalid_value(Unexpected::Signed(number), &self)),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Acks, E> {
                match text {
                    "all" | "-1" => Ok(Acks(partition::Acks::All)),
                    "1" => Ok(Acks(partition::Acks::Leader)),
                    "0" => Ok(Acks(partition::Acks::None)),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(NumberOrAll)
    }
}

impl JsonSchema for Acks {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Acks".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 1 }, { "const": "all", "description": "Once all replicas in sync have it." }] })
    }
}

/// Where a reader begins if nothing is committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetReset {
    /// With what is written next.
    Latest,
    /// With the oldest record that is left.
    Earliest,
    /// Nowhere: it reads nothing of that partition.
    None,
}

impl From<OffsetReset> for offsets::OffsetReset {
    fn from(written: OffsetReset) -> Self {
        match written {
            OffsetReset::Latest => Self::Latest,
            OffsetReset::Earliest => Self::Earliest,
            OffsetReset::None => Self::None,
        }
    }
}

/// How a consumer commits that does not leave it to auto-commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommitMode {
    /// It waits for the answer.
    Sync,
    /// It goes on.
    Async,
}

impl From<CommitMode> for offsets::CommitMode {
    fn from(written: CommitMode) -> Self {
        match written {
            CommitMode::Sync => Self::Sync,
            CommitMode::Async => Self::Async,
        }
    }
}

/// When a consumer commits that does not leave it to auto-commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommitPoint {
    /// Before it processes records: each is processed at most once.
    BeforeProcessing,
    /// After: each is processed at least once.
    AfterProcessing,
}

impl From<CommitPoint> for offsets::CommitPoint {
    fn from(written: CommitPoint) -> Self {
        match written {
            CommitPoint::BeforeProcessing => Self::BeforeProcessing,
            CommitPoint::AfterProcessing => Self::AfterProcessing,
        }
    }
}

/// What holds for a record that is read and what is published for it, should a node fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessingGuarantee {
    /// It may be read again, and published for again.
    AtLeastOnce,
    /// All that one poll returns, and all that is published for it, counts together or not at all: a transaction.
    #[serde(rename = "exactly-once-v2")]
    ExactlyOnce,
}

/// Whether a reader sees what transactions write before they are committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IsolationLevel {
    /// It does.
    ReadUncommitted,
    /// It waits for the end of each transaction, and leaves out what was aborted.
    ReadCommitted,
}

impl From<IsolationLevel> for partition::Isolation {
    fn from(written: IsolationLevel) -> Self {
        match written {
            IsolationLevel::ReadUncommitted => Self::ReadUncommitted,
            IsolationLevel::ReadCommitted => Self::ReadCommitted,
        }
    }
}
