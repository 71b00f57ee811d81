//! Back-pressure inside a broker: credit between its parts, and alarms that block publishers.
//!
//! Each part of a broker grants credit to the one it gets messages from (reader, channel, queue, store). Who has no credit left
//! stops reading, and grants nothing itself, so that a slow disk is felt by the publisher's socket. Deliveries to consumers need
//! none.
//!
//! Above the memory watermark all connections that publish are blocked until memory is below it again. Connections that only
//! consume go on, which is how memory gets free.
//!
//! Source: rabbitmq.com/docs/flow-control, rabbitmq.com/docs/memory, rabbitmq.com/docs/alarms; RabbitMQ's `credit_flow`.

use std::num::NonZeroU32;

use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::base::units::Bytes;
use crate::settings;

settings! {
    /// Credit between two parts of a broker. The sender may be so many messages ahead, and gets more each time the receiver has
    /// handled a part of them. It keeps the memory of a slow receiver small, and costs throughput only if the sender waits.
    pub struct CreditFlowSettings = "credit-flow", "RabbitMQ 3.10 to 4.x, credit_flow_default_credit" {
        /// How many messages a sender may send at first (RabbitMQ: 400).
        initial_credit: NonZeroU32 = NonZeroU32::new(400).unwrap(),
        /// After how many handled messages the receiver grants as many again (RabbitMQ: 200).
        more_credit_after: NonZeroU32 = NonZeroU32::new(200).unwrap(),
    }
}

impl Settings for CreditFlowSettings {
    fn check(&self) -> Result<(), String> {
        if self.more_credit_after <= self.initial_credit {
            Ok(())
        } else {
            Err("grants more credit only after more messages than may be sent: nothing would ever move again".into())
        }
    }
}

/// The credit a sender has with one receiver.
#[derive(Clone, Debug)]
pub struct CreditSender {
    /// Below zero if it went on sending what it had already read.
    credit: i64,
}

impl CreditSender {
    /// All the credit there is at first.
    pub fn new(settings: &CreditFlowSettings) -> Self {
        Self { credit: settings.initial_credit.get().into() }
    }

    /// Sends one message; whether that was the last it may send.
    pub fn send(&mut self) -> bool {
        self.credit -= 1;
        self.credit == 0
    }

    /// Gets more; whether it may send again and could not before.
    pub fn grant(&mut self, more: u32) -> bool {
        let was_blocked = self.is_blocked();
        self.credit += i64::from(more);
        was_blocked && !self.is_blocked()
    }

    /// Whether it may not send.
    pub fn is_blocked(&self) -> bool {
        self.credit <= 0
    }
}

/// What a receiver owes one sender.
#[derive(Clone, Debug)]
pub struct CreditReceiver {
    every: u32,
    left: u32,
    deferred: u32,
}

impl CreditReceiver {
    /// Nothing was handled.
    pub fn new(settings: &CreditFlowSettings) -> Self {
        let every = settings.more_credit_after.get();
        Self { every, left: every, deferred: 0 }
    }

    /// One message was handled; what to grant the sender now, if anything. A receiver that is itself blocked keeps the grant until
    /// it is not.
    pub fn handled(&mut self, is_blocked: bool) -> Option<u32> {
        self.left -= 1;
        if self.left > 0 {
            return None;
        }
        self.left = self.every;
        self.deferred = self.deferred.saturating_add(self.every);
        if is_blocked { None } else { self.unblocked() }
    }

    /// The receiver is no longer blocked; what to grant the sender now, if anything.
    pub fn unblocked(&mut self) -> Option<u32> {
        Some(std::mem::take(&mut self.deferred)).filter(|&grant| grant > 0)
    }
}

settings! {
    /// Blocks publishers while a broker uses too much memory. It keeps the broker alive when consumers are slower than publishers,
    /// at the price of stopping these altogether until the queues are shorter.
    pub struct WatermarkSettings = "vm-memory-high-watermark", "RabbitMQ 4.0; 0.4 until 3.13" {
        /// The share of the node's memory above which publishers are blocked (RabbitMQ 4.0: 0.6; until 3.13: 0.4).
        relative: Probability = percent(60.0),
        /// The same in bytes, which then holds instead of the share.
        absolute: Option<Bytes> = None,
    }
}

impl Settings for WatermarkSettings {}

impl WatermarkSettings {
    /// How often RabbitMQ looks at its memory (`vm_memory_monitor`, 3.10 to 4.0).
    pub const CHECK_INTERVAL: Span = secs(1);

    /// The limit of a node that has so much memory.
    pub fn limit(&self, memory: Bytes) -> Bytes {
        // A share is a multiple of 2^-53, so this is exact up to the last division.
        let parts = (self.relative.value() * (1_u64 << 53) as f64) as u128;
        let share = (parts * u128::from(memory.count())) >> 53;
        self.absolute.unwrap_or_else(|| Bytes::new(share as u64))
    }
}

/// What a look at the memory changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alarm {
    /// Connections that publish are blocked from now on (`connection.blocked`).
    Raised,
    /// They are no longer (`connection.unblocked`).
    Cleared,
}

/// The memory alarm of a node.
#[derive(Clone, Debug)]
pub struct Watermark {
    limit: Bytes,
    is_raised: bool,
}

impl Watermark {
    /// No alarm, with this limit.
    pub const fn new(limit: Bytes) -> Self {
        Self { limit, is_raised: false }
    }

    /// Looks at the memory that is used; what that changes.
    pub fn look(&mut self, used: Bytes) -> Option<Alarm> {
        let was_raised = std::mem::replace(&mut self.is_raised, used > self.limit);
        match (was_raised, self.is_raised) {
            (false, true) => Some(Alarm::Raised),
            (true, false) => Some(Alarm::Cleared),
            _ => None,
        }
    }

    /// Whether publishers are blocked. A connection is blocked when it publishes; consumers go on.
    pub fn is_raised(&self) -> bool {
        self.is_raised
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::settings::Listing;
    use crate::base::units::bytes;
    use crate::protocol::amqp::laws::fixed;
    use crate::protocol::family::well_kept;

    #[test]
    fn settings_are_well_kept() {
        well_kept(&[Listing::<CreditFlowSettings>::of::<CreditFlowSettings>()]);
        well_kept(&[Listing::<WatermarkSettings>::of::<WatermarkSettings>()]);
        let never = CreditFlowSettings { initial_credit: NonZeroU32::MIN, ..Default::default() };
        assert!(never.check().is_err());
    }

    /// 400 go out, then nothing; 200 handled bring 200 more.
    #[test]
    fn a_sender_is_blocked_when_its_credit_is_used_up() {
        let settings = CreditFlowSettings::default();
        let (mut sender, mut receiver) = (CreditSender::new(&settings), CreditReceiver::new(&settings));
        assert_eq!((1..=400).find(|_| sender.send()), Some(400));
        assert!(sender.is_blocked());
        assert_eq!((1..200).find_map(|_| receiver.handled(false)), None);
        assert_eq!(receiver.handled(false), Some(200));
        assert!(sender.grant(200) && !sender.is_blocked() && !sender.grant(200));
    }

    /// What was read from the socket already still goes out: 402 were sent of 400, so 2 of the next 200 are gone.
    #[test]
    fn what_was_sent_without_credit_is_paid_back() {
        let mut sender = CreditSender::new(&CreditFlowSettings::default());
        (0..402).for_each(|_| _ = sender.send());
        assert!(!sender.grant(2) && sender.is_blocked());
        assert!(sender.grant(198));
        assert_eq!((1..).find(|_| sender.send()), Some(198));
    }

    #[test]
    fn a_blocked_receiver_grants_when_it_is_not_blocked_any_more() {
        let mut receiver = CreditReceiver::new(&CreditFlowSettings::default());
        assert!((0..400).all(|_| receiver.handled(true).is_none()));
        assert_eq!(receiver.unblocked(), Some(400));
        assert_eq!(receiver.unblocked(), None);
    }

    /// 0.6 of 16 GiB = 10307921510.4 bytes, and 0.4 of it 6871947673.6; the last byte is not had in full.
    #[test]
    fn the_watermark_is_a_share_of_the_memory_or_an_amount() {
        let memory = bytes(16 << 30);
        let mut settings = WatermarkSettings::default();
        assert_eq!(settings.limit(memory), bytes(10_307_921_510));
        settings.relative = percent(40.0);
        assert_eq!(settings.limit(memory), bytes(6_871_947_673));
        settings.absolute = Some(bytes(7));
        assert_eq!(settings.limit(memory), bytes(7));
    }

    #[test]
    fn publishers_are_blocked_above_the_watermark_and_freed_below() {
        let mut watermark = Watermark::new(bytes(100));
        assert_eq!(watermark.look(bytes(100)), None);
        assert_eq!(watermark.look(bytes(101)), Some(Alarm::Raised));
        assert_eq!((watermark.look(bytes(200)), watermark.is_raised()), (None, true));
        assert_eq!(watermark.look(bytes(100)), Some(Alarm::Cleared));
        assert!(!watermark.is_raised());
    }

    proptest! {
        #![proptest_config(fixed())]

        /// A sender that keeps to its credit is never further ahead than that, and is not stuck once all is handled.
        #[test]
        fn a_sender_is_never_further_ahead_than_its_credit(
            more in 1_u32..20,
            extra in 0_u32..20,
            steps in vec(any::<bool>(), 0..300),
        ) {
            let count = |number| NonZeroU32::new(number).unwrap();
            let settings = CreditFlowSettings { initial_credit: count(more + extra), more_credit_after: count(more) };
            let (mut sender, mut receiver) = (CreditSender::new(&settings), CreditReceiver::new(&settings));
            let mut ahead = 0;
            for sends in steps {
                if sends && !sender.is_blocked() {
                    sender.send();
                    ahead += 1;
                } else if !sends && ahead > 0 {
                    ahead -= 1;
                    receiver.handled(false).map(|grant| sender.grant(grant));
                }
                prop_assert!(ahead <= more + extra);
                prop_assert!(ahead > 0 || !sender.is_blocked());
            }
        }
    }
}
