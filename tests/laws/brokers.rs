//! What a work queue promises, over seeds and under crashes; and what it does not.

use rehearsal::metrics::RunResult;

use crate::common::{plan, play};

/// Publishers that confirm, two consumers, and crashes of everything that can crash, at times of their own.
fn runs(seeds: u32, queue: &str, publish: &str, consumer: &str) -> Vec<RunResult> {
    let text = format!(
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
        max-attempts = "unlimited"
        backoff = "200ms"
        {publish}
        [queues.orders]
        {queue}
        [consumers.worker]
        nodes = 2
        queue = "orders"
        {consumer}
        "#
    );
    play(&plan(&text)).runs
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
