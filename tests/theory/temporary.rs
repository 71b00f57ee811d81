//! Queues that come and go with those who consume from them, counted.
//!
//! All scenarios have a message every 10 ms, from 1.005 s to 9.995 s: 900. Consumers say that they are there every 500 ms from the start
//! on, and are lost a second after the last word: who crashes at 5.1 s spoke last at 5 s, and is lost at 6 s.

use rehearsal::metrics::{CustodyBook, QueueResult, RunResult};
use rehearsal::process::{Loss, QueueFact};

use crate::study::{Study, flow, station};

fn queue<'a>(run: &'a RunResult, name: &str) -> &'a QueueResult {
    run.queues.iter().find(|queue| queue.name == name).unwrap_or_else(|| panic!("a queue `{name}`"))
}

fn acknowledged(run: &RunResult, name: &str) -> u64 {
    queue(run, name).book.of(QueueFact::Acknowledged)
}

/// How many messages found no queue at all.
fn unroutable(run: &RunResult) -> u64 {
    let losses = run.flows.iter().filter_map(|flow| flow.book.total.losses.as_ref());
    losses.map(|losses| losses.of(Loss::Unroutable)).sum()
}

/// The messages, published `to` somewhere, and what `more` says.
fn play(nodes: u32, to: &str, more: &str) -> RunResult {
    let text = format!(
        "brokers.rabbit = {{ nodes = {nodes}, heartbeat = \"1s\" }}\n[clients.desk]\nrate = \"100/s\"\narrivals = \"even\"\nphase = \
         \"aligned\"\nfrom = \"1005ms\"\npublish = \"{to}\"\nconfirm = true\n{more}"
    );
    Study::exact(10, &text)
}

const FANOUT: &str = "[exchanges.news]\ntype = \"fanout\"\n";

/// Three subscribers, one of which is gone from 5.1 s to 7.1 s: it misses the 200 messages from 5.105 s to 7.095 s, of which 90 come
/// before it is lost, to a queue that ends with it at 6 s, and 110 later, which are not addressed to it. The others miss nothing.
#[test]
fn a_subscriber_misses_what_is_published_while_it_is_gone() {
    for nodes in [1, 3] {
        let more = format!(
            "{FANOUT}[consumers.reader]\nnodes = 3\nexchange = \"news\"\n[faults.crash]\nat = \"5100ms\"\nfor = \"2s\"\ncrash = \
             \"reader[1]\"\n"
        );
        let run = play(nodes, "news", &more);
        let readers = queue(&run, "reader");
        assert_eq!(readers.book.of(QueueFact::Published), 900 + 900 + 700 + 90, "{nodes} nodes");
        assert_eq!((acknowledged(&run, "reader"), station(&run, "reader").served), (2500, 2500));
        assert_eq!((readers.custody.lost.of(Loss::Subscriber), readers.custody.lost.sum()), (90, 90));
        let desk = flow(&run, "desk");
        assert_eq!((desk.offered, desk.confirmed, desk.correct, desk.duplicates), (900, 900, 810, 0));
    }
}

/// While all three are gone there is no queue: 110 messages find none, which is a failure only for who says so.
#[test]
fn where_nobody_is_there_a_message_is_unroutable() {
    for (mandatory, confirmed) in [(false, 900), (true, 790)] {
        let more = format!(
            "mandatory = {mandatory}\n{FANOUT}[consumers.reader]\nnodes = 3\nexchange = \"news\"\n[faults.crash]\nat = \
             \"5100ms\"\nfor = \"2s\"\ncrash = \"reader\"\n"
        );
        let run = play(1, "news", &more);
        assert_eq!(flow(&run, "desk").confirmed, confirmed);
        assert_eq!(unroutable(&run), 110);
        // Each of the three queues had 90 when it ended. What nobody was there for is not lost by them.
        assert_eq!(queue(&run, "reader").custody.lost.sum(), 3 * 90);
        assert_eq!(acknowledged(&run, "reader"), 3 * 700);
    }
}

/// The same with a durable queue for each: what comes while its consumer is gone waits there, and nothing is lost.
#[test]
fn a_queue_with_a_name_keeps_what_its_consumer_misses() {
    let more = "[exchanges.news]\ntype = \"fanout\"\nbindings = { a = \"\", b = \"\" }\n[queues.a]\n[queues.b]\n[consumers.one]\nqueue = \
                \"a\"\n[consumers.two]\nqueue = \"b\"\n[faults.crash]\nat = \"5100ms\"\nfor = \"2s\"\ncrash = \"two\"\n";
    let run = play(1, "news", more);
    assert_eq!(["a", "b"].map(|name| acknowledged(&run, name)), [900, 900]);
    assert_eq!(["a", "b"].map(|name| queue(&run, name).custody.lost.sum()), [0, 0]);
}

/// A subscriber that takes 16 ms for what comes every 10 ms has 8995 / 16 = 562 behind it in the end; the other one, which takes 8 ms,
/// has each message to itself at once.
#[test]
fn a_slow_subscriber_slows_nobody() {
    let more = format!(
        "{FANOUT}[consumers.fast]\nexchange = \"news\"\nprefetch = 1\nwork = \"8ms\"\n[consumers.slow]\nexchange = \
         \"news\"\nprefetch = 1\nwork = \"16ms\"\n"
    );
    let run = play(1, "news", &more);
    let (fast, slow) = (station(&run, "fast"), station(&run, "slow"));
    assert_eq!((fast.served, slow.served), (899, 562));
    assert_eq!((queue(&run, "fast").book.ready_max, fast.wait.max().map(|wait| wait.as_nanos())), (0, Some(0)));
    assert_eq!(queue(&run, "slow").book.ready_max, 900 - 561 - 1);
    // From publish to processed: for one of them always its work, and a moment on the way; for the other the backlog of the last one,
    // which is processed after 900 times 16 ms, 8990 ms after the first came.
    let processed = ["fast", "slow"].map(|name| &queue(&run, name).custody.until_processed);
    assert_eq!(processed.map(|times| times.count()), [900, 900]);
    let millis = processed.map(|times| times.max().map(|max| max.as_nanos() / 1_000_000));
    assert_eq!(millis, [Some(8), Some(900 * 16 - 8990)]);
}

/// A topic exchange: one group wants what is from Europe, the other what is urgent. A quarter of all is both, and comes to both.
#[test]
fn a_subscriber_gets_what_its_bindings_ask_for() {
    let run = Study::exact(
        10,
        r##"
        [clients.desk]
        rate = "100/s"
        arrivals = "even"
        from = "1005ms"
        mix.a = { publish = "news", routing-key = "eu.urgent" }
        mix.b = { publish = "news", routing-key = "eu.calm" }
        mix.c = { publish = "news", routing-key = "us.urgent" }
        mix.d = { publish = "news", routing-key = "us.calm" }
        [exchanges.news]
        type = "topic"
        [consumers.europe]
        nodes = 2
        exchange = "news"
        binding-key = "eu.#"
        [consumers.alarm]
        exchange = "news"
        binding-key = ["#.urgent", "eu.urgent"]
        "##,
    );
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|entry| flow(&run, &format!("desk/{entry}")));
    assert!([a, b, c, d].iter().all(|entry| entry.offered > 0));
    assert_eq!(acknowledged(&run, "europe"), 2 * (a.offered + b.offered));
    assert_eq!(acknowledged(&run, "alarm"), a.offered + c.offered);
    assert_eq!(unroutable(&run), d.offered);
}

/// An auto-deleted queue is there until both consumers are lost, at 6 s: of the 90 messages that came since 5.1 s none is left, and the
/// 110 that come before both are back find no queue. All 200 are lost by that setting, whichever node they were published to. As long
/// as one of them stays nothing happens.
#[test]
fn a_queue_is_deleted_with_its_last_consumer() {
    for (crash, lost) in [("worker", 90 + 110), ("worker[0]", 0)] {
        for nodes in [1, 2] {
            let more = format!(
                "[queues.jobs]\nauto-delete = true\n[consumers.worker]\nnodes = 2\nqueue = \"jobs\"\n[faults.crash]\nat = \
                 \"5100ms\"\nfor = \"2s\"\ncrash = \"{crash}\"\n"
            );
            let run = play(nodes, "jobs", &more);
            let custody = &queue(&run, "jobs").custody;
            assert_eq!((custody.lost.of(Loss::AutoDelete), custody.lost.sum()), (lost, lost), "{crash}, {nodes} nodes");
            assert_eq!(acknowledged(&run, "jobs"), 900 - lost);
            // Its publisher was told that all is well: nobody insisted.
            assert_eq!(custody.confirmed_lost.sum(), lost);
        }
    }
}

/// An exclusive queue ends with the connection of its consumer, which is lost at 6 s, and comes back with it at 7.1 s: 90 messages go with
/// it, and 110 come too late.
#[test]
fn an_exclusive_queue_ends_with_its_connection() {
    let more = "[queues.jobs]\nexclusive = true\n[consumers.worker]\nqueue = \"jobs\"\n[faults.crash]\nat = \"5100ms\"\nfor = \
                \"2s\"\ncrash = \"worker\"\n";
    let run = play(1, "jobs", more);
    let lost = &queue(&run, "jobs").custody.lost;
    assert_eq!([Loss::ExclusiveQueue, Loss::Unroutable].map(|why| lost.of(why)), [90 + 110, 0]);
    assert_eq!(acknowledged(&run, "jobs"), 700);
}

/// A consumer that comes back within the heartbeat is a new connection all the same: at 5.3 s the queue of the old one ends, with what
/// came since 5.1 s.
#[test]
fn a_new_connection_does_not_find_the_exclusive_queue_of_the_old_one() {
    let more = "[queues.jobs]\nexclusive = true\n[consumers.worker]\nqueue = \"jobs\"\n[faults.crash]\nat = \"5100ms\"\nfor = \
                \"200ms\"\ncrash = \"worker\"\n";
    let run = play(1, "jobs", more);
    let lost = &queue(&run, "jobs").custody.lost;
    assert_eq!([Loss::ExclusiveQueue, Loss::Unroutable].map(|why| lost.of(why)), [20, 0]);
}

/// A queue expires half a second after its consumer was lost, at 6.5 s: 140 messages are gone with it, and 160 find none until the
/// consumer is back at 8.1 s. With 3 s it is back in time.
#[test]
fn an_unused_queue_is_deleted() {
    for kind in ["classic", "quorum"] {
        for nodes in [1, 3] {
            for (expires, lost) in [("500ms", 140 + 160), ("3s", 0)] {
                let more = format!(
                    "[queues.jobs]\ntype = \"{kind}\"\nexpires = \"{expires}\"\n[consumers.worker]\nqueue = \
                     \"jobs\"\n[faults.crash]\nat = \"5100ms\"\nfor = \"3s\"\ncrash = \"worker\"\n"
                );
                let run = play(nodes, "jobs", &more);
                let custody = &queue(&run, "jobs").custody;
                let counts = (custody.lost.of(Loss::QueueExpired), custody.lost.sum());
                assert_eq!(counts, (lost, lost), "{kind} {nodes} {expires}");
                assert_eq!(acknowledged(&run, "jobs"), 900 - lost);
            }
        }
    }
}

/// Nobody ever consumes: it expires after half a second, and all that comes later is lost by that. One that is auto-deleted stays, as
/// no consumer ever left it.
#[test]
fn a_queue_without_any_consumer_expires_and_is_not_auto_deleted() {
    let expires = play(1, "jobs", "[queues.jobs]\nexpires = \"500ms\"\n");
    assert_eq!(queue(&expires, "jobs").custody.lost.of(Loss::QueueExpired), 900);
    let stays = play(1, "jobs", "[queues.jobs]\nauto-delete = true\n");
    assert_eq!((queue(&stays, "jobs").book.ready_max, queue(&stays, "jobs").custody.lost.sum()), (900, 0));
}

/// The broker crashes at 5.1 s, when its consumer, who takes 16 ms for what comes every 10 ms, is behind: an exclusive queue ends with it,
/// durable or not, and what it had, written to disk or not, is lost. One that is durable and belongs to nobody has all of it again.
#[test]
fn an_exclusive_queue_does_not_survive_its_broker() {
    for (settings, survives) in [("exclusive = true", false), ("exclusive = true\ndurable = false", false), ("", true)]
    {
        let more = format!(
            "timeout = \"500ms\"\nmax-attempts = \"unlimited\"\nbackoff = \"100ms\"\n[queues.jobs]\n{settings}\n[consumers.worker]\nqueue = \
             \"jobs\"\nprefetch = 1\nwork = \"16ms\"\n[faults.crash]\nat = \"5100ms\"\nfor = \"1s\"\ncrash = \"rabbit\"\n"
        );
        let run = play(1, "jobs", &more);
        let custody = &queue(&run, "jobs").custody;
        // 410 came since 1.005 s, of which 255 were done after 16 ms each, and one was being worked on. The broker is back at 6.1 s, and the
        // queue at 6.5 s, when its consumer speaks: what is published in between finds none, for the first time (40), the second (40 of
        // those that were published 600 ms before) or the third (20, as those before 5.1 s had come).
        let lost = if survives { 0 } else { 410 - 255 - 1 + 40 + 40 + 20 };
        assert_eq!(custody.lost.of(Loss::ExclusiveQueue), lost, "{settings}");
    }
}

/// Two nodes and a subscriber at each. One node is down from 5.1 s on. Its subscriber's queue was bound at the other as well, where
/// every message waited for it in vain: 410 came before. Now the other does not count on it from 6.5 s on, when it was silent for more
/// than a second; whoever published before does so again until then, so all 900 are confirmed.
#[test]
fn a_queue_of_a_node_that_is_down_keeps_nobody_waiting() {
    let more = format!(
        "timeout = \"100ms\"\nmax-attempts = \"unlimited\"\nbackoff = \"100ms\"\n{FANOUT}[consumers.reader]\nnodes = 2\nexchange = \
         \"news\"\n[faults.crash]\nat = \"5100ms\"\nfor = \"20s\"\ncrash = \"rabbit[1]\"\n"
    );
    let run = play(2, "news", &more);
    let desk = flow(&run, "desk");
    assert_eq!((desk.offered, desk.confirmed), (900, 900));
}

/// A queue that is deleted at 4 s, as its consumer was lost at 2 s, and is back at 4.5 s. The other node is cut off then, and does not
/// hear of it; nor does it of the consumer, who is gone again when it could. Half of what is published comes to that node: nothing that
/// comes between 4 s and 4.5 s finds a queue, nor does half of what comes up to 5.5 s, when it is told again. The 290 that came since
/// 1.1 s were deleted with the queue.
#[test]
fn a_node_that_missed_that_a_queue_is_back_is_told_again() {
    let more = "[queues.work]\nexpires = \"2s\"\n[consumers.worker]\nqueue = \"work\"\n[faults.first]\nat = \"1100ms\"\nfor = \
                \"3400ms\"\ncrash = \"worker\"\n[faults.cut]\nat = \"4200ms\"\nfor = \"1s\"\npartition = [\"rabbit[0]\", \
                \"rabbit[1]\"]\n[faults.second]\nat = \"4900ms\"\nfor = \"2s\"\ncrash = \"worker\"\n";
    let run = play(2, "work", more);
    let lost = &queue(&run, "work").custody.lost;
    assert_eq!((lost.of(Loss::QueueExpired), unroutable(&run)), (290 + 50 + 50, 0));
}

/// A quorum queue that nobody consumed from for 2 s is deleted, and comes back at 3.1 s while its leader is cut off for too short a time
/// for an election: the followers miss that. From 3.2 s on they have what is published there, so the one that leads when the leader is
/// down knows that the queue is there, and deletes none of it: what is lost are the 100 messages that came up to 2 s, the 110 that found
/// no queue up to 3.1 s, and the 6 of the next 10 that came to followers.
#[test]
fn who_follows_a_queue_knows_by_its_log_that_it_is_there() {
    let text = r#"
        [brokers.rabbit]
        nodes = 3
        heartbeat = "30s"
        [queues.work]
        type = "quorum"
        expires = "2s"
        [consumers.worker]
        queue = "work"
        work = "200ms"
        prefetch = 1
        [clients.desk]
        rate = "100/s"
        arrivals = "even"
        from = "1005ms"
        publish = "work"
        confirm = true
        [faults.late]
        at = "0s"
        for = "3100ms"
        crash = "worker"
        [faults.cut]
        at = "3s"
        for = "200ms"
        partition = ["rabbit[0]", ["rabbit[1]", "rabbit[2]"]]
        [faults.crash]
        at = "4500ms"
        for = "20s"
        crash = "rabbit[0]"
    "#;
    let run = Study::exact(10, text);
    let custody = &queue(&run, "work").custody;
    assert!(flow(&run, "desk").confirmed > 0);
    assert_eq!(custody.confirmed_lost.of(Loss::QueueExpired), 100 + 110 + 6);
}

/// Where nothing takes any time, what no queue takes is published again 20 us later: time goes on, and the deadline of 1 ms comes after
/// 50 attempts, at 0, 20, … 980 us.
#[test]
fn what_no_queue_takes_is_not_published_again_at_the_same_instant() {
    let text = r#"
        network.latency = "0s"
        [exchanges.news]
        [clients.desk]
        rate = "1/s"
        arrivals = "even"
        from = "1500ms"
        publish = "news"
        confirm = true
        mandatory = true
        timeout = "1s"
        max-attempts = "unlimited"
        backoff = "0s"
        deadline = "1ms"
    "#;
    let run = Study::exact(2, text);
    let desk = flow(&run, "desk");
    assert_eq!((desk.offered, desk.confirmed, desk.attempts), (1, 0, 50));
}

/// A group that reads a topic, beside subscribers that have their queues to themselves: the books of both stand apart. The one record that
/// its reader has and has committed when it goes down is missing in the book of the group, and nothing in that of the subscribers.
#[test]
fn what_a_group_loses_stands_in_its_own_book() {
    let text = r#"
        [brokers.rabbit]
        [brokers.kafka]
        [exchanges.news]
        broker = "rabbit"
        type = "fanout"
        [consumers.reader]
        exchange = "news"
        nodes = 3
        [clients.desk]
        rate = "10/s"
        publish = "news"
        [topics.log]
        broker = "kafka"
        partitions = 1
        [clients.writer]
        rate = "50/s"
        arrivals = "even"
        publish = "log"
        [consumers.group]
        topics = "log"
        enable-auto-commit = false
        commit-point = "before-processing"
        auto-offset-reset = "earliest"
        max-poll-records = 1
        session-timeout = "1s"
        heartbeat-interval = "300ms"
        work = "15ms"
        [faults.crash]
        crash = "group"
        at = "5005ms"
        for = "1s"
    "#;
    let run = Study::exact(10, text);
    let lost = |custody: &CustodyBook| custody.lost.of(Loss::CommittedEarly);
    assert_eq!((lost(&queue(&run, "reader").custody), lost(&run.readers[0].custody)), (0, 1));
}
