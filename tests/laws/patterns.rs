//! What patterns of messaging promise, over seeds and under crashes; and what they do not.

use rehearsal::metrics::{RunResult, Tally};

use crate::common::{plan, play};

fn runs(text: &str) -> Vec<RunResult> {
    play(&plan(text)).runs
}

fn sum(runs: &[RunResult], part: impl Fn(&Tally) -> u64) -> u64 {
    runs.iter().map(|run| part(&run.flows[0].book.total)).sum()
}

fn requests(more: &str) -> Vec<RunResult> {
    runs(&format!(
        r#"
        run = {{ duration = "30s", drain = "60s", runs = 10 }}
        network.latency = {{ exponential = "2ms" }}
        [clients.app]
        rate = "100/s"
        call = "jobs"
        [queues.jobs]
        [consumers.worker]
        nodes = 2
        queue = "jobs"
        work = {{ exponential = "12ms" }}
        {more}
        "#
    ))
}

/// Workers crash, and what they held goes to others: every request is answered. Some are processed twice, for a worker may crash
/// between its reply and the acknowledgement's arrival; the second reply is nobody's.
#[test]
fn a_request_outlives_its_worker_and_may_be_processed_twice() {
    let crash = "[faults.pods]\ncrash = \"worker[any 1]\"\nevery = { exponential = \"2s\" }\nfor = \"500ms\"\n";
    for queue in ["", "[brokers.rabbit]\nnodes = 3\n"] {
        let all = requests(&format!("{crash}{queue}"));
        let offered = sum(&all, |book| book.offered);
        assert!(offered > 25_000, "{offered}");
        assert_eq!(sum(&all, |book| book.confirmed), offered);
        assert!(sum(&all, |book| book.duplicates) > 0, "crashes made copies");
    }
}

/// The node that a request was published to crashes: the request is on its disk and is processed after that, and its reply has
/// nowhere to go.
#[test]
fn a_reply_is_lost_with_the_connection_of_its_requester() {
    let crash = "[faults.node]\ncrash = \"broker\"\nat = \"15s\"\nfor = \"1s\"\n[policies.default]\ntimeout = \"5s\"\n";
    let all = requests(crash);
    for run in &all {
        let book = &run.flows[0].book.total;
        let fate = |fate: rehearsal::metrics::Fate| book.fates[fate as usize];
        assert!(book.confirmed < book.offered && fate(rehearsal::metrics::Fate::InDoubt) > 0, "{:?}", book.fates);
        assert_eq!(book.confirmed_lost, 0);
    }
}
