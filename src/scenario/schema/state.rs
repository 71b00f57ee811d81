//! What a service remembers, and where.

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::Times;
use super::quantity_text::{Duration, Share};
use crate::scenario::document::Located;

/// Where the effects are of what a service has handled.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum State {
    /// In memory: a crash takes it.
    Volatile,
    /// On a disk: a record for each request that was handled well. After a crash, what must not be handled twice is still
    /// known. Writes that come while the disk syncs share the next sync.
    Durable {
        /// When what was written is synced, so that a crash leaves it. Redis calls these choices `appendfsync`.
        #[serde(default)]
        fsync: Fsync,
        /// How long a sync takes, whatever it covers; no time if it is left out.
        #[serde(rename = "fsync-time")]
        fsync_time: Option<Times>,
        /// How long a write takes; no time if it is left out.
        #[serde(rename = "write-time")]
        write_time: Option<Times>,
        /// The share of crashes during a write that leave a part of the record, which is useless; none if it is left out.
        #[serde(rename = "torn-writes")]
        torn_writes: Option<Located<Share>>,
    },
}

/// When what was written is synced.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Fsync {
    /// Before the answer: no answer is out whose effect a crash could take.
    #[default]
    Always,
    /// So long after the first write that is not synced; answers do not wait.
    Every(Duration),
    /// Never; answers do not wait.
    Never,
}
