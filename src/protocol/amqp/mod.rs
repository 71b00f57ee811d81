//! Work queues as RabbitMQ has them: the building blocks of a message broker that speaks AMQP 0-9-1.
//!
//! A publisher sends a message to an exchange ([`Routing`]), which finds the queues it goes to. Each keeps it ([`WorkQueue`])
//! until a consumer has acknowledged it, or it dies and goes to another exchange ([`Dead`]). The publisher hears when all
//! queues have taken it ([`Confirms`]), and is held back when the broker cannot keep up ([`CreditSender`], [`Watermark`]). A
//! quorum queue has taken a message when a majority of its replicas has ([`Replication`]).
//!
//! Names, defaults and rules are those of RabbitMQ 4.0; where 3.10 to 3.13 differ, the setting says so. The rules below are
//! those of its documentation (pages of rabbitmq.com/docs), and each is held by a test.
//!
//! # Routing
//!
//! | Rule | Page | Test |
//! | --- | --- | --- |
//! | Every queue is bound to the default exchange by its name, which cannot be changed | exchanges | `the_default_exchange_knows_every_queue_by_its_name` |
//! | A direct exchange compares the routing key | exchanges | `a_direct_exchange_compares_keys` |
//! | A fanout exchange does not look at it | exchanges | `a_fanout_exchange_does_not_look_at_keys` |
//! | In a topic `*` is one word, `#` zero or more | exchanges | `a_star_is_one_word_and_a_hash_any_number` |
//! | `x-match` is all or any; `x-` headers count only `with-x` | exchanges | `names_that_begin_with_x_count_only_if_they_are_said_to` |
//! | A queue gets one copy, however many bindings match | exchanges | `a_queue_gets_one_copy` |
//! | Exchanges may be bound to exchanges, in circles too | e2e | `exchanges_may_be_bound_in_a_circle` |
//! | What no binding matches goes to the alternate exchange | ae | `an_alternate_exchange_takes_what_no_binding_matches` |
//!
//! # Delivery
//!
//! | Rule | Page | Test |
//! | --- | --- | --- |
//! | Consumers with credit take turns | consumers | `consumers_take_turns` |
//! | A consumer never holds more than its prefetch limit | consumer-prefetch | `a_consumer_never_holds_more_than_its_prefetch` |
//! | Automatic acknowledgement knows no prefetch limit, and settles what is sent | confirms | `automatic_acknowledgement_knows_no_prefetch` |
//! | Lower priorities of consumers get what higher ones have no credit for | consumer-priority | `consumers_of_lower_priority_get_what_higher_ones_have_no_credit_for` |
//! | A single active consumer is followed by the next that subscribed | consumers | `a_single_active_consumer_is_followed_in_order_of_subscription` |
//! | An exclusive consumer is alone | consumers | `an_exclusive_consumer_is_alone` |
//! | A cancelled consumer may settle what it holds | consumers | `a_cancelled_consumer_keeps_what_it_holds` |
//! | Higher priorities of messages go first, up to `max-priority` | priority | `higher_priorities_go_first` |
//! | A quorum queue has two priorities, and delivers two to one | quorum-queues | `a_quorum_queue_delivers_two_of_high_priority_for_one_of_normal` |
//!
//! # Acknowledgement
//!
//! | Rule | Page | Test |
//! | --- | --- | --- |
//! | An unknown delivery tag closes the channel | confirms | `an_unknown_tag_closes_the_channel` |
//! | A lost consumer's messages are requeued and marked as redelivered | confirms | `what_a_lost_consumer_held_is_delivered_to_others` |
//! | A requeued message goes to its original position | confirms | `what_is_requeued_returns_to_its_place_and_is_marked` |
//! | At a quorum queue it goes in front, behind others that came back | quorum-queues | `a_quorum_queue_puts_what_comes_back_in_front_in_the_order_of_its_return` |
//! | Without a delivery limit it goes to the back there | quorum-queues | `without_a_delivery_limit_a_returned_message_goes_to_the_back` |
//! | Returned more often than the delivery limit, a message dies | quorum-queues | `a_message_that_is_returned_too_often_dies` |
//! | The limit is 20 since 4.0 | quorum-queues | `a_quorum_queue_has_a_delivery_limit_of_twenty` |
//!
//! # Limits and time
//!
//! | Rule | Page | Test |
//! | --- | --- | --- |
//! | Only ready messages count for `max-length` | maxlength | `a_full_queue_drops_its_head` |
//! | `max-length-bytes` drops as many as it takes | maxlength | `a_limit_of_bytes_drops_as_many_as_it_takes` |
//! | The head that is dropped has the highest priority | priority | `a_full_queue_with_priorities_drops_the_highest` |
//! | `reject-publish` refuses, `reject-publish-dlx` makes a dead letter as well | maxlength | `a_full_queue_may_refuse_what_is_new` |
//! | The shorter of both times to live holds | ttl | `the_shorter_time_to_live_holds` |
//! | A message expires only at the head | ttl | `a_message_expires_only_at_the_head` |
//! | With a time to live of 0 it expires unless it is delivered at once | ttl | `no_time_to_live_means_now_or_never` |
//! | A requeued message keeps its expiry | ttl | `a_requeued_message_keeps_its_expiry` |
//! | An unused queue expires; declaring it again renews the lease | ttl | `an_unused_queue_expires` |
//! | `auto-delete` deletes a queue whose last consumer leaves | queues | `a_queue_is_deleted_when_its_last_consumer_leaves` |
//! | A purge leaves what is not acknowledged | queues | `a_purge_leaves_what_is_unacknowledged` |
//!
//! # Dead letters
//!
//! | Rule | Page | Test |
//! | --- | --- | --- |
//! | `x-death` counts per queue and reason, the newest first | dlx | `deaths_of_a_kind_are_counted_and_the_newest_is_in_front` |
//! | A letter that comes to a queue twice without a rejection is dropped | dlx | `a_letter_that_comes_back_by_itself_is_dropped` |
//! | With a rejection in the cycle it goes on | dlx | `a_cycle_with_a_rejection_in_it_goes_on` |
//! | A letter keeps its routing key unless the queue has one for letters | dlx | `a_letter_keeps_its_key_unless_the_queue_gives_it_another` |
//! | A rejected message that waits in a second queue and comes back is the way to try again later | dlx | `a_rejected_message_is_tried_again_later_until_its_deaths_are_too_many` |
//! | Messages of a queue that is deleted are no dead letters | dlx | `a_purge_leaves_what_is_unacknowledged` |
//!
//! # Safety
//!
//! | Rule | Page | Test |
//! | --- | --- | --- |
//! | A restart leaves persistent messages in durable queues | queues | `a_crash_leaves_what_is_persistent_and_synced` |
//! | A transient or exclusive queue ends | queues | `a_crash_takes_a_queue_that_is_transient_or_exclusive` |
//! | A quorum queue keeps whatever a majority has | quorum-queues | `a_quorum_queue_keeps_all_that_is_committed` |
//! | A message is confirmed when all its queues have taken it | confirms | `a_message_is_confirmed_when_every_queue_has_taken_it` |
//! | Taken is: enqueued, or synced if both are durable, or committed | confirms | `a_queue_takes_responsibility_as_late_as_it_is_safe` |
//! | An unroutable message is returned if mandatory, then confirmed | confirms | `an_unroutable_message_is_confirmed_at_once_and_returned_if_mandatory` |
//! | A refusal is a negative confirm | confirms | `one_queue_that_refuses_is_enough_for_a_negative_confirm` |
//! | One confirm may stand for many | confirms | `what_is_older_than_all_that_is_open_is_confirmed_together` |
//! | Entries are committed by a majority | quorum-queues | `an_entry_is_committed_when_a_majority_has_written_it` |
//!
//! # Flow
//!
//! | Rule | Page | Test |
//! | --- | --- | --- |
//! | 400 messages of credit at first, 200 more per 200 handled | flow-control | `a_sender_is_blocked_when_its_credit_is_used_up` |
//! | Who is blocked grants nothing | flow-control | `a_blocked_receiver_grants_when_it_is_not_blocked_any_more` |
//! | Above the memory watermark publishers are blocked | memory | `publishers_are_blocked_above_the_watermark_and_freed_below` |
//! | It is 0.6 of the memory since 4.0, and was 0.4 | memory | `the_watermark_is_a_share_of_the_memory_or_an_amount` |
//!
//! Whatever happens in whatever order, a queue agrees with a naive list of messages, and every message is in one place:
//! `a_queue_agrees_with_a_list_and_keeps_its_laws`.

mod confirm;
mod dead_letter;
mod error;
mod exchange;
mod flow;
mod id;
mod queue;
mod quorum;
mod routing;
#[cfg(test)]
mod tests;
mod unsettled;

pub use confirm::{Confirm, Confirms, Published, Responsibility, Unconfirmed};
pub use dead_letter::{Dead, DeadLetterTo, Death, DeathReason, Deaths};
pub use error::ChannelError;
pub use exchange::{
    AnyExchange, Binding, Destination, Direct, DirectSettings, EXCHANGES, Exchange, ExchangeKind, Fanout,
    FanoutSettings, HeaderValue, Headers, HeadersExchange, HeadersSettings, Match, MatchArguments, Topic,
    TopicSettings,
};
pub use flow::{Alarm, CreditFlowSettings, CreditReceiver, CreditSender, Watermark, WatermarkSettings};
pub use id::{ConsumerId, ExchangeId, QueueId};
pub use queue::{
    Acknowledge, Delivery, DeliveryLimit, Ending, Incoming, Loss, Lost, Overflow, Publish, QueueType, Subscription,
    Unlimited, WorkQueue, WorkQueueSettings,
};
pub use quorum::{Durable, Effect, Entry, Member, Replication, Word};
pub use routing::Routing;
pub use unsettled::Unsettled;

#[cfg(test)]
mod laws {
    //! What the tests of all blocks share.

    use proptest::test_runner::{Config, RngSeed};

    /// Cases that are the same on every run.
    pub fn fixed() -> Config {
        Config { failure_persistence: None, rng_seed: RngSeed::Fixed(0x7265_6865), ..Config::default() }
    }

    /// The last column of the tables above, and the last line.
    #[test]
    fn every_rule_is_held_by_a_test_that_exists() {
        let tests = [
            include_str!("confirm.rs"),
            include_str!("dead_letter.rs"),
            include_str!("exchange/direct.rs"),
            include_str!("exchange/fanout.rs"),
            include_str!("exchange/headers.rs"),
            include_str!("exchange/topic.rs"),
            include_str!("flow.rs"),
            include_str!("queue/consumers.rs"),
            include_str!("queue/laws.rs"),
            include_str!("queue/ready.rs"),
            include_str!("queue/settings.rs"),
            include_str!("queue/tests.rs"),
            include_str!("queue/tests/lifetime.rs"),
            include_str!("queue/tests/limits.rs"),
            include_str!("quorum.rs"),
            include_str!("routing.rs"),
            include_str!("tests.rs"),
        ]
        .concat();
        let named: Vec<_> = include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! ")?.trim_end_matches([' ', '|', '.']).strip_suffix('`'))
            .filter_map(|line| line.rsplit_once('`').map(|(_, name)| name))
            .collect();
        assert!(named.len() > 45, "{named:?}");
        for name in named {
            assert!(
                tests.contains(&format!("fn {name}()")) || tests.contains(&format!("fn {name}(settings")),
                "{name}"
            );
        }
    }
}
