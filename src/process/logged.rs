//! What happens to records in topics, and to the groups that read them.

use super::facts::facts;

facts! {
    /// Something happened to records of a topic.
    TopicFact {
        /// Records that a leader has written.
        Appended "appended",
        /// Records that came again, and that the leader recognised (see `enable-idempotence`).
        Deduplicated "deduplicated",
        /// Records that were refused because too few replicas were in sync (see `min-insync-replicas`).
        NotEnoughReplicas "not-enough-replicas",
        /// Records that had reached the leader alone, which had acknowledged them, and were cut off (see `acks`).
        LostLeaderOnly "lost-leader-only",
        /// Records that nobody had waited for, and that were cut off before they were replicated (see `acks`).
        LostNeverAcknowledged "lost-never-acknowledged",
        /// Records that were replicated, and cut off because a replica that was not in sync was elected (see
        /// `unclean-leader-election-enable`).
        LostUnclean "lost-unclean",
        /// Records that were cut off before their producer was told that they are written.
        CutUnanswered "cut-unanswered",
        /// Records that retention deleted.
        Deleted "deleted",
        /// Records that compaction removed, as there is a later one of the same key.
        Compacted "compacted",
        /// Elections of a leader that was in sync.
        Elections "elections",
        /// Elections of a leader that was not in sync.
        UncleanElections "unclean-elections",
        /// How often a partition was left without a leader.
        Leaderless "leaderless",
        /// Replicas that fell out of sync.
        IsrShrinks "isr-shrinks",
        /// Replicas that came back in sync.
        IsrExpands "isr-expands",
    }
}

facts! {
    /// Something happened to a group that reads topics.
    GroupFact {
        /// Records that polls returned.
        Polled "polled",
        /// Records that polls returned although the group had been given them before.
        Reread "reread",
        /// Generations of the group that began.
        Rebalances "rebalances",
        /// Partitions that a member gave up so that another one can have them.
        Revoked "revoked",
        /// Partitions that a member lost because the group took it for dead.
        LostPartitions "lost-partitions",
        /// Commits that were refused, as the member belonged to an earlier generation.
        CommitsRefused "commits-refused",
        /// Transactions that were committed.
        Committed "committed",
        /// Transactions that were aborted.
        Aborted "aborted",
    }
}
