//! What a work queue promises, over seeds and under crashes; and what it does not.

use rehearsal::metrics::RunResult;
use rehearsal::process::{Loss, QueueFact};

use crate::common::{plan, play};

/// Publishers that confirm, two consumers, and crashes of everything that can crash, at times of their own.
fn runs(seeds: u32, queue: &str, publish: &str, consumer: &str) -> Vec<RunResult> {
    play(&plan(&scenario_of(seeds, queue, publish, consumer))).runs
}

fn scenario_of(seeds: u32, queue: &str, publish: &str, consumer: &str) -> String {
    let attempts = if publish.contains("max-attempts") { "" } else { "max-attempts = \"unlimited\"" };
    format!(
        r#"
        run = {{ duration = "30s", drain = "120s", runs = {seeds} }}
        network.latency = {{ exponential = "2ms" }}
        brokers.rabbit = {{ heartbeat = "4s", fsync-time = "3ms" }}
        faults.node = {{ crash = "rabbit", every = {{ exponential = "9s" }}, for = "1s" }}
        faults.pods = {{ crash = "worker[any 1]", every = {{ exponential = "5s" }}, for = "2s" }}
        [clients.shop]
        rate = "100/s"
        publish = "orders"
        timeout = "500ms"
        {attempts}
        backoff = "200ms"
        {publish}
        [queues.orders]
        {queue}
        [consumers.worker]
        nodes = 2
        queue = "orders"
        {consumer}
        "#
    )
}

fn sum(runs: &[RunResult], part: impl Fn(&rehearsal::metrics::Tally) -> u64) -> u64 {
    runs.iter().map(|run| part(&run.flows[0].book.total)).sum()
}

/// Confirmed, persistent, in a durable queue, acknowledged after processing: not one message is lost, whatever crashes. Some are
/// processed twice, which nobody promised not to happen.
#[test]
fn what_is_confirmed_and_durable_is_never_lost() {
    for consumer in [
        "work = { exponential = \"12ms\" }",
        "prefetch = 5\nwork = { exponential = \"12ms\" }",
        "prefetch = 20\nsteps = [{ work = \"8ms\" }, { fail = \"10%\" }]",
    ] {
        let runs = runs(40, "", "confirm = true", consumer);
        let confirmed = sum(&runs, |book| book.confirmed);
        assert!(confirmed > 100_000, "{confirmed}");
        assert_eq!(sum(&runs, |book| book.confirmed_lost), 0);
        assert!(sum(&runs, |book| book.handled) >= confirmed, "what was confirmed was processed before the run ended");
        assert!(sum(&runs, |book| book.repeated) > 0, "crashes made duplicates");
    }
}

/// Each of these takes one promise away, and messages that were confirmed are lost.
#[test]
fn each_promise_is_needed() {
    for (queue, publish, consumer) in [
        ("", "confirm = true\npersistent = false", ""),
        ("durable = false", "confirm = true", ""),
        ("", "confirm = true", "acknowledge = \"automatic\"\n"),
    ] {
        let consumer = &format!("{consumer}work = {{ exponential = \"12ms\" }}");
        let runs = runs(20, queue, publish, consumer);
        assert!(sum(&runs, |book| book.confirmed_lost) > 0, "{queue} {publish} {consumer}");
    }
}

/// What is lost on the way to a consumer or back, in a partition or for no reason, is found out: the connection is given up, and
/// what the consumer held is delivered again. (TCP would send it again, or give the connection up itself.)
#[test]
fn what_the_network_loses_is_delivered_again() {
    let scenario = |more: &str| {
        format!(
            r#"
            run = {{ duration = "60s", drain = "120s", runs = 5 }}
            [clients.shop]
            rate = "50/s"
            publish = "orders"
            confirm = true
            timeout = "500ms"
            max-attempts = "unlimited"
            backoff = "200ms"
            [queues.orders]
            [consumers.worker]
            nodes = 2
            queue = "orders"
            prefetch = 10
            work = "5ms"
            {more}
            "#
        )
    };
    for more in [
        "[network]\nlatency = \"1ms\"\nloss = \"1%\"",
        "[faults.cut]\nat = \"20s\"\nfor = \"1s\"\nisolate = \"worker[0]\"",
    ] {
        let runs = play(&plan(&scenario(more))).runs;
        let confirmed = sum(&runs, |book| book.confirmed);
        assert!(confirmed > 14_000 && sum(&runs, |book| book.handled) >= confirmed, "{more}");
        assert_eq!(sum(&runs, |book| book.confirmed_lost), 0, "{more}");
    }
}

/// One exchange, two queues: one is durable, the other is not. What the broker's crashes take of the second is lost there, although
/// the first has it processed; and what both have processed is no duplicate.
#[test]
fn each_queue_that_takes_a_message_owes_an_effect() {
    let scenario = |durable: bool, faults: &str| {
        format!(
            r#"
            run = {{ duration = "30s", drain = "60s", runs = 10 }}
            network.latency = "1ms"
            brokers.rabbit = {{ heartbeat = "2s", fsync-time = "2ms" }}
            [clients.shop]
            rate = "100/s"
            publish = "events"
            confirm = true
            timeout = "1s"
            max-attempts = "unlimited"
            backoff = "500ms"
            [exchanges.events]
            type = "fanout"
            bindings = {{ stock = "", audit = "" }}
            [queues.stock]
            [queues.audit]
            durable = {durable}
            [consumers.clerk]
            queue = "stock"
            work = "5ms"
            [consumers.auditor]
            queue = "audit"
            work = "5ms"
            {faults}
            "#
        )
    };
    let crashes = "[faults.node]\ncrash = \"rabbit\"\nevery = { exponential = \"9s\" }\nfor = \"1s\"";
    let quiet = play(&plan(&scenario(false, ""))).runs;
    assert_eq!((sum(&quiet, |book| book.duplicates), sum(&quiet, |book| book.confirmed_lost)), (0, 0));
    assert_eq!(sum(&quiet, |book| book.correct), sum(&quiet, |book| book.offered));
    let lost = |runs: &[RunResult], place: usize, why| {
        runs.iter().map(|run| run.queues[place].custody.confirmed_lost.of(why)).sum::<u64>()
    };
    let runs = play(&plan(&scenario(false, crashes))).runs;
    let confirmed_lost = sum(&runs, |book| book.confirmed_lost);
    assert!(confirmed_lost > 0 && sum(&runs, |book| book.handled) > confirmed_lost);
    assert_eq!(lost(&runs, 1, Loss::TransientQueue), confirmed_lost);
    assert!(runs.iter().all(|run| run.queues[0].custody.confirmed_lost.sum() == 0));
    let runs = play(&plan(&scenario(true, crashes))).runs;
    assert_eq!(sum(&runs, |book| book.confirmed_lost), 0);
}

/// Each setting that is taken away allows losses of one kind, and the report says which.
#[test]
fn every_loss_has_its_reason() {
    let work = "work = { exponential = \"12ms\" }";
    for (queue, publish, consumer, why) in [
        ("", "confirm = true\npersistent = false", "", Loss::TransientMessage),
        ("durable = false", "confirm = true", "", Loss::TransientQueue),
        ("", "confirm = true", "acknowledge = \"automatic\"\n", Loss::Automatic),
        ("message-ttl = \"20ms\"", "confirm = true", "", Loss::Expired),
        ("max-length = 3", "confirm = true", "", Loss::MaxLength),
        ("max-length = 3\noverflow = \"reject-publish\"", "max-attempts = 2\nconfirm = true", "", Loss::Refused),
        ("", "confirm = true", "requeue = false\nfail = \"10%\"\n", Loss::Rejected),
        ("", "confirm = true\nmax-attempts = 1", "", Loss::GivenUp),
    ] {
        let steps = if consumer.contains("fail") { "" } else { work };
        let publish = publish.to_owned();
        let text = scenario_of(5, queue, &publish, &format!("{consumer}{steps}"));
        let runs = play(&plan(&text)).runs;
        let lost: u64 = runs.iter().map(|run| run.queues[0].custody.lost.of(why)).sum();
        assert!(lost > 0, "{queue} {publish} {consumer}: no {}", why.name());
        let of_flow: u64 = runs.iter().map(|run| losses(run, why)).sum();
        assert_eq!(lost, of_flow, "{}", why.name());
        let unexplained: u64 = runs.iter().map(|run| losses(run, Loss::Unexplained)).sum();
        assert_eq!(unexplained, 0, "{queue} {publish} {consumer}");
    }
}

fn losses(run: &RunResult, why: Loss) -> u64 {
    run.flows[0].book.total.losses.as_ref().map_or(0, |losses| losses.of(why))
}

/// After a crash whatever the broker finds is marked as redelivered: every message that is delivered twice is.
#[test]
fn what_is_found_after_a_crash_is_marked() {
    let text = r#"
        run = { duration = "10s", drain = "30s" }
        brokers.rabbit = { heartbeat = "2s" }
        faults.node = { crash = "rabbit", at = "7s", for = "1s" }
        [clients.shop]
        rate = "100/s"
        arrivals = "even"
        until = "5s"
        publish = "orders"
        [queues.orders]
        [consumers.worker]
        queue = "orders"
        prefetch = 10
        work = "1s"
    "#;
    let run = &play(&plan(text)).runs[0];
    let book = &run.queues[0].book;
    // The consumer is there again within its beat of a second, and is sent as many as it may hold. It works off the ten that it still
    // has before any of those, until 16 s or so, and measured is until 10 s.
    assert_eq!(book.of(QueueFact::Redelivered), 10);
}

/// Three nodes, a quorum queue, publishers that wait for confirms, consumers that acknowledge when they are done: whatever crashes, is
/// cut off, stands still, is lost or doubled, nothing that was confirmed is lost.
#[test]
fn a_quorum_queue_loses_nothing_that_it_confirmed() {
    let every = |kind: &str, nodes: &str, mean: u32, length: u32| {
        format!("{kind} = \"{nodes}\"\nevery = {{ exponential = \"{mean}s\" }}\nfor = \"{length}s\"\n")
    };
    let crash = every("crash", "rabbit[any 1]", 6, 1);
    let crashes = format!("[faults.a]\n{crash}[faults.b]\n{}", every("crash", "rabbit[any 1]", 8, 2));
    for faults in [
        crashes.clone(),
        format!("[faults.a]\n{}", every("isolate", "rabbit[any 1]", 6, 3)),
        format!("[faults.a]\n{}", every("pause", "rabbit[any 1]", 6, 2)),
        format!("[faults.a]\n{crash}[faults.b]\n{}", every("isolate", "rabbit[any 1]", 7, 2)),
        format!("[faults.a]\n{}", every("crash", "worker[any 1]", 5, 2)),
    ] {
        for network in ["", "loss = \"1%\"\nduplicate = \"1%\""] {
            let text = format!(
                r#"
                run = {{ duration = "30s", drain = "120s", runs = 6 }}
                [network]
                latency = {{ exponential = "2ms" }}
                {network}
                [brokers.rabbit]
                nodes = 3
                heartbeat = "4s"
                fsync-time = "3ms"
                [clients.shop]
                rate = "100/s"
                publish = "orders"
                confirm = true
                timeout = "500ms"
                max-attempts = "unlimited"
                backoff = "200ms"
                [queues.orders]
                type = "quorum"
                delivery-limit = "unlimited"
                [consumers.worker]
                nodes = 2
                queue = "orders"
                prefetch = 10
                work = {{ exponential = "12ms" }}
                {faults}
                "#
            );
            let runs = play(&plan(&text)).runs;
            let confirmed = sum(&runs, |book| book.confirmed);
            assert!(confirmed > 15_000, "{faults}{network}: {confirmed}");
            assert_eq!(sum(&runs, |book| book.confirmed_lost), 0, "{faults}{network}");
            assert!(sum(&runs, |book| book.handled) >= confirmed, "{faults}{network}");
            let unexplained: u64 = runs.iter().map(|run| losses(run, Loss::Unexplained)).sum();
            assert_eq!(unexplained, 0, "{faults}{network}");
        }
    }
}

/// The node of a classic queue fails: durable, nothing that was confirmed is lost, and nothing gets through until it is back; a quorum
/// queue goes on with another leader. What is lost without confirms has its reasons.
#[test]
fn a_failed_node_stops_a_classic_queue_and_not_a_quorum_queue() {
    let scenario = |queue: &str, publish: &str| {
        format!(
            r#"
            run = {{ duration = "30s", drain = "60s", runs = 5 }}
            network.latency = "1ms"
            brokers.rabbit = {{ nodes = 3, fsync-time = "2ms", election-timeout = "500ms" }}
            faults.node = {{ crash = "rabbit[0]", at = "10s", for = "8s" }}
            [clients.shop]
            rate = "100/s"
            publish = "orders"
            {publish}
            [queues.orders]
            {queue}
            [consumers.worker]
            nodes = 2
            queue = "orders"
            prefetch = 10
            work = "5ms"
            "#
        )
    };
    let safe = "confirm = true\ntimeout = \"300ms\"\nmax-attempts = \"unlimited\"\nbackoff = \"100ms\"";
    let longest = |runs: &[RunResult]| {
        runs.iter().filter_map(|run| run.flows[0].book.total.latency.max()).max().map(|max| max.as_secs_f64())
    };
    let classic = play(&plan(&scenario("", safe))).runs;
    let quorum = play(&plan(&scenario("type = \"quorum\"", safe))).runs;
    for runs in [&classic, &quorum] {
        assert_eq!(sum(runs, |book| book.confirmed_lost), 0);
        assert_eq!(sum(runs, |book| book.handled), sum(runs, |book| book.offered));
    }
    assert!(longest(&classic).is_some_and(|longest| longest > 7.0), "{:?}", longest(&classic));
    assert!(longest(&quorum).is_some_and(|longest| longest < 5.0), "{:?}", longest(&quorum));
    let runs = play(&plan(&scenario("type = \"quorum\"", ""))).runs;
    let lost: u64 = Loss::ALL.iter().flat_map(|&why| runs.iter().map(move |run| losses(run, why))).sum();
    assert_eq!(lost, sum(&runs, |book| book.offered) - sum(&runs, |book| book.handled));
    assert!(runs.iter().map(|run| losses(run, Loss::Unpublished)).sum::<u64>() > 0);
}
