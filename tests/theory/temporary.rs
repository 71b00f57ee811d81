//! Queues that come and go with those who consume from them, counted.
//!
//! All scenarios have a message every 10 ms, from 1.005 s to 9.995 s: 900. Consumers say that they are there every 500 ms from the start
//! on, and are lost a second after the last word: who crashes at 5.1 s spoke last at 5 s, and is lost at 6 s.

use rehearsal::metrics::{QueueResult, RunResult};
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
/// 110 that come before both are back find no queue. As long as one of them stays nothing happens.
#[test]
fn a_queue_is_deleted_with_its_last_consumer() {
    for (crash, lost, unroutable) in [("worker", 90, 110), ("worker[0]", 0, 0)] {
        for nodes in [1, 2] {
            let more = format!(
                "[queues.jobs]\nauto-delete = true\n[consumers.worker]\nnodes = 2\nqueue = \"jobs\"\n[faults.crash]\nat = \
                 \"5100ms\"\nfor = \"2s\"\ncrash = \"{crash}\"\n"
            );
            let run = play(nodes, "jobs", &more);
            let custody = &queue(&run, "jobs").custody;
            let counts = [Loss::AutoDelete, Loss::Unroutable].map(|why| custody.lost.of(why));
            assert_eq!((counts, custody.lost.sum()), ([lost, unroutable], lost + unroutable), "{crash}, {nodes} nodes");
            assert_eq!(acknowledged(&run, "jobs"), 900 - lost - unroutable);
            // Its publisher was told that all is well: nobody insisted.
            assert_eq!(custody.confirmed_lost.sum(), lost + unroutable);
        }
    }
}

/// An exclusive queue ends with the connection of its consumer, which is lost at 6 s, and comes back with it at 7.1 s.
#[test]
fn an_exclusive_queue_ends_with_its_connection() {
    let more = "[queues.jobs]\nexclusive = true\n[consumers.worker]\nqueue = \"jobs\"\n[faults.crash]\nat = \"5100ms\"\nfor = \
                \"2s\"\ncrash = \"worker\"\n";
    let run = play(1, "jobs", more);
    let lost = &queue(&run, "jobs").custody.lost;
    assert_eq!([Loss::ExclusiveQueue, Loss::Unroutable].map(|why| lost.of(why)), [90, 110]);
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
            for (expires, lost, unroutable) in [("500ms", 140, 160), ("3s", 0, 0)] {
                let more = format!(
                    "[queues.jobs]\ntype = \"{kind}\"\nexpires = \"{expires}\"\n[consumers.worker]\nqueue = \
                     \"jobs\"\n[faults.crash]\nat = \"5100ms\"\nfor = \"3s\"\ncrash = \"worker\"\n"
                );
                let run = play(nodes, "jobs", &more);
                let custody = &queue(&run, "jobs").custody;
                let counts = [Loss::QueueExpired, Loss::Unroutable].map(|why| custody.lost.of(why));
                assert_eq!(
                    (counts, custody.lost.sum()),
                    ([lost, unroutable], lost + unroutable),
                    "{kind} {nodes} {expires}"
                );
                assert_eq!(acknowledged(&run, "jobs"), 900 - lost - unroutable);
            }
        }
    }
}

/// Nobody ever consumes: it expires after half a second, and all that comes later is unroutable. One that is auto-deleted stays, as
/// no consumer ever left it.
#[test]
fn a_queue_without_any_consumer_expires_and_is_not_auto_deleted() {
    let expires = play(1, "jobs", "[queues.jobs]\nexpires = \"500ms\"\n");
    assert_eq!(queue(&expires, "jobs").custody.lost.of(Loss::Unroutable), 900);
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
        // 410 came since 1.005 s, of which 255 were done after 16 ms each, and one was being worked on.
        let lost = if survives { 0 } else { 410 - 255 - 1 };
        assert_eq!(custody.lost.of(Loss::ExclusiveQueue), lost, "{settings}");
    }
}
