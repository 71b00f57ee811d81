//! Topic logs: partitions that brokers replicate, producers write to, and groups of consumers read, as Apache Kafka has them.
//!
//! Every part is a value: it is handed the time, draws and answers, and says what is to be sent. What a record stands for is its
//! owner's business: the parts are generic over what the owner keeps for one. Names and defaults are Kafka's, of versions 3.9 and
//! 4.0; where they differ, or changed lately, the setting says so (`linger` 0 before 4.0; `acks` and idempotence since 3.0;
//! `session-timeout` 10 s before 3.0; `replica-lag-time-max` 10 s before 2.5).
//!
//! | rule | where it is written | test |
//! |---|---|---|
//! | A fetch returns whole batches, and at least one | KIP-74 | `partition::tests::a_fetch_returns_whole_batches` |
//! | Only offsets outside the log are out of range | protocol guide, `OFFSET_OUT_OF_RANGE` | `partition::tests::only_offsets_outside_the_log_are_out_of_range` |
//! | Consumers see what is replicated | documentation, "Replication" | `partition::tests::a_leader_numbers_records_and_consumers_see_what_is_replicated` |
//! | Readers of committed records stop at open transactions and skip aborted ones | KIP-98 | `partition::tests::readers_of_committed_records_wait_for_open_transactions_and_skip_aborted_ones` |
//! | Retention deletes whole segments that are replicated | topic configuration, `retention.*`, `segment.*` | `partition::tests::retention_by_size_deletes_whole_replicated_segments`, `retention_by_time_goes_by_the_latest_record_of_a_segment` |
//! | Compaction keeps the latest record of a key at its offset | documentation, "Log Compaction" | `partition::tests::compaction_keeps_the_latest_record_of_a_key_at_its_offset` |
//! | Logs agree up to the end of the last common epoch | KIP-101, KIP-279 | `partition::tests::logs_agree_up_to_the_end_of_the_last_common_epoch` |
//! | The high watermark is the least end of the in-sync replicas | documentation, "Replicated Logs" | `replica::tests::the_high_watermark_is_the_least_end_of_the_in_sync_replicas` |
//! | Who lags leaves the in-sync replicas, and comes back | broker configuration, `replica.lag.time.max.ms` | `replica::tests::who_lags_longer_than_replica_lag_time_max_leaves_the_in_sync_replicas` |
//! | Below `min-insync-replicas` nothing is acknowledged | topic configuration; KIP-966 | `replica::tests::below_min_insync_replicas_nothing_is_acknowledged` |
//! | Nothing below the high watermark is truncated with clean elections | documentation, "Replicated Logs" | `replica::tests::what_is_below_the_high_watermark_stays_with_clean_elections` |
//! | An unclean election loses records | documentation, "Unclean leader election" | `replica::tests::an_unclean_election_loses_what_was_replicated`, `unclean_elections_are_found_to_lose_records` |
//! | `acks = 1` loses what the leader alone has | producer configuration, `acks` | `replica::tests::acks_1_loses_what_the_leader_alone_has` |
//! | The first in-sync replica that is alive leads; the last one is waited for | documentation, "Replicated Logs" | `controller::tests` |
//! | Keys choose partitions by murmur2 | `UtilsTest.testMurmur2` | `producer::partitioner::murmur2::tests::it_agrees_with_kafka` |
//! | Sticky partitions change once a batch is full | KIP-480, KIP-794 | `producer::partitioner::sticky::tests::it_stays_until_a_batch_is_full` |
//! | Batches go when full or after `linger` | producer configuration, `linger.ms`, `batch.size` | `producer::accumulator::tests::batches_of_random_arrivals_have_the_size_that_theory_says` |
//! | Retries reorder, unless idempotent or one at a time | producer configuration, `max.in.flight.requests.per.connection` | `producer::sender::tests::a_retry_reorders_unless_the_producer_is_idempotent_or_sends_one_at_a_time` |
//! | A broker knows the last five batches of a producer | KIP-98 | `partition::producers::tests::the_last_five_batches_are_known_again` |
//! | Idempotent producers write once and in order | KIP-98, KIP-360 | `producer::sender::tests::an_idempotent_producer_writes_everything_once_and_in_order` |
//! | A batch is given up after `delivery-timeout` | KIP-91 | `producer::sender::tests::a_batch_is_given_up_after_the_delivery_timeout` |
//! | Retries pause exponentially | KIP-580 | `producer::sender::tests::a_batch_is_given_up_after_the_delivery_timeout` |
//! | Later incarnations of a producer fence earlier ones | KIP-98, KIP-360 | `transaction::tests::a_new_incarnation_fences_the_old_one_and_aborts_what_it_left` |
//! | Transactions time out | producer configuration, `transaction.timeout.ms` | `transaction::tests::a_transaction_that_is_open_for_too_long_is_aborted` |
//! | Consume, process, produce happens exactly once | KIP-98, KIP-447 | `transaction::tests::consume_process_produce_is_exactly_once` |
//! | Assignors assign as documented | Javadoc of `RangeAssignor`, `RoundRobinAssignor`, `StickyAssignor` | `group::assignor::tests` |
//! | Sticky assignments are balanced and move as little as they can | KIP-54 | `group::assignor::tests::sticky_assignors_are_balanced_and_keep_what_they_can` |
//! | Cooperative rebalances take two steps, and members read on | KIP-429 | `group::assignor::tests::cooperative_rebalances_take_two_steps`, `group::tests::cooperative_members_give_up_only_what_moves` |
//! | An empty group waits for others | KIP-134 | `group::tests::an_empty_group_waits_for_others` |
//! | Silent members are thrown out, and their commits refused | consumer configuration, `session.timeout.ms` | `group::tests::a_silent_member_is_thrown_out_and_its_commits_are_refused` |
//! | Who does not poll leaves | KIP-62, `max.poll.interval.ms` | `group::tests::who_does_not_poll_for_max_poll_interval_leaves` |
//! | Static members come back without a rebalance | KIP-345 | `group::tests::a_static_member_comes_back_without_a_rebalance` |
//! | A partition has one owner in a generation | Javadoc of `KafkaConsumer`, "Consumer Groups" | `group::tests::a_partition_has_one_owner_in_a_generation` |
//! | Auto-commit commits what earlier polls returned | Javadoc of `KafkaConsumer`, "Automatic Offset Committing" | `group::offsets::tests::auto_commit_commits_what_earlier_polls_returned` |
//! | Readers without a position begin where `auto-offset-reset` says | consumer configuration | `group::offsets::tests::a_reader_without_a_position_begins_where_it_is_told` |
//! | A fetch waits for `fetch-min-bytes` or `fetch-max-wait` | consumer configuration | `fetch::purgatory::tests::a_fetch_waits_for_enough_or_for_its_time` |
//! | A poll returns `max-poll-records` at most | consumer configuration | `fetch::fetcher::tests::a_poll_returns_max_poll_records_at_most` |

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
