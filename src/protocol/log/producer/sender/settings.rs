//! What may be said about sending.

use std::num::NonZeroU32;

use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, ms, secs};
use crate::protocol::log::partition::Acks;
use crate::settings;

settings! {
    /// How a producer sends. Waiting for all in-sync replicas and idempotence lose nothing and keep the order; sending again until a
    /// timeout rides out elections.
    pub struct SenderSettings = "sender", "Apache Kafka 4.0, producer configuration" {
        /// When a request is answered (Kafka: all; 1 before 3.0).
        acks: Acks = Acks::All,
        /// Whether the broker recognises what it has already, and keeps the order (Kafka: yes; no before 3.0).
        enable_idempotence: bool = true,
        /// How many requests may be under way to a broker (Kafka: 5, and no more with idempotence).
        max_in_flight_requests_per_connection: NonZeroU32 = NonZeroU32::new(5).unwrap(),
        /// A record that is not through by then has failed (Kafka: 2 min).
        delivery_timeout: Span = secs(120),
        /// A request that is not answered by then has failed, and so have all others on its connection (Kafka: 30 s).
        request_timeout: Span = secs(30),
        /// How often a batch is sent again (Kafka: 2147483647).
        retries: u32 = 2_147_483_647,
        /// The pause before a batch is sent again, which doubles every time (Kafka: 100 ms).
        retry_backoff: Span = ms(100),
        /// The longest such pause (Kafka: 1 s since 3.8).
        retry_backoff_max: Span = secs(1),
    }
}

/// What can be said about sending.
pub const SENDER: Listing<SenderSettings> = Listing::of::<SenderSettings>();

impl Settings for SenderSettings {
    fn check(&self) -> Result<(), String> {
        if self.delivery_timeout < self.request_timeout {
            return Err("needs a `delivery-timeout` of at least `request-timeout` and `linger`".into());
        }
        if self.enable_idempotence && self.acks != Acks::All {
            return Err("is idempotent only with `acks` = \"all\"".into());
        }
        if self.enable_idempotence && self.max_in_flight_requests_per_connection.get() > 5 {
            return Err("is idempotent only with 5 `max-in-flight-requests-per-connection` or less".into());
        }
        Ok(())
    }
}
