//! What studies of many runs cost: a run beside its messages, the second core, memory, and a table of runs that are kept.
//!
//! `cargo bench --bench studies`
//!
//! Checked are that a run of a five-node system costs less than a millisecond beside its messages, that two cores do at least 90 % of twice
//! the work of one, that memory does not grow with the number of runs, and that a table of 100,000 kept runs takes seconds. Without `--bench`
//! (which `cargo bench` passes, `cargo test` does not) everything is small, and nothing of this is checked.

#[path = "../tests/common/mod.rs"]
mod common;

use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

use common::plan;
use rayon::ThreadPoolBuilder;
use rehearsal::experiment::run_keeping;
use rehearsal::report::Total;
use rehearsal::scenario::plan::Plan;

/// Five nodes that exchange a hundred messages a second.
fn small(duration: &str, runs: u32) -> Plan {
    plan(&text(duration, runs))
}

fn text(duration: &str, runs: u32) -> String {
    format!(
        "run = {{ duration = \"{duration}\", runs = {runs} }}\nnetwork.latency = \"1ms\"\npolicies.default.timeout = \"200ms\"\n\
         clients.app = {{ nodes = 2, rate = \"100/s\", call = \"api\" }}\n\
         services.api = {{ nodes = 3, workers = 2, work = {{ exponential = \"5ms\" }}, balance = \"two-choices\" }}\n"
    )
}

/// What a run may cost beside its messages.
const OVERHEAD: Duration = Duration::from_millis(1);
/// Of twice the work of one core.
const EFFICIENCY: f64 = 0.9;
/// A table of a hundred thousand runs.
const TABLE: Duration = Duration::from_secs(10);

fn main() {
    let is_measured = std::env::args().any(|option| option == "--bench");
    let many = if is_measured { 10_000 } else { 20 };

    let tiny = small("100ms", many);
    let each = (0..3).map(|_| play(&tiny, 1) / many).min().expect("there are rounds");
    println!("a run of five nodes and ten messages: {:.1} us", each.as_secs_f64() * 1e6);
    assert!(!is_measured || each < OVERHEAD, "a run costs {each:?}");

    let whole = small("20s", many / 10);
    let mut shares: Vec<f64> =
        (0..5).map(|_| play(&whole, 1).as_secs_f64() / play(&whole, 2).as_secs_f64() / 2.0).collect();
    shares.sort_by(f64::total_cmp);
    println!(
        "two cores do this share of twice the work of one: {:.2} / {:.2} / {:.2} (min / median / max)",
        shares[0], shares[2], shares[4]
    );
    assert!(!is_measured || shares[2] >= EFFICIENCY, "two cores are no more than {shares:?}");

    let before = peak();
    play(&small("1s", many), 2);
    let middle = peak();
    play(&small("1s", many * 4), 2);
    let after = peak();
    if let (Some(before), Some(middle), Some(after)) = (before, middle, after) {
        println!("peak memory: {before} KiB, after {many} runs {middle} KiB, after {} more {after} KiB", many * 4);
        assert!(!is_measured || after < middle + middle / 10, "memory grows with the number of runs");
    }

    let home = tempfile::tempdir().expect("a temporary directory");
    let study = home.path().join("study.toml");
    let sweep = "[sweep]\nservices.api.workers = { from = 1, to = 10 }\n";
    std::fs::write(&study, text("100ms", many) + sweep).expect("it can be written");
    let sweep = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
        command.arg("sweep").arg(&study).arg("--study").arg(home.path().join("kept")).args(["--format", "csv"]);
        let output = command.output().expect("the binary starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let (played, first) = timed(sweep);
    let (again, second) = timed(sweep);
    assert_eq!(first, second, "what is kept gives the same table");
    println!(
        "{} runs played and kept: {:.1} s; their table once more: {:.1} s",
        many * 10,
        played.as_secs_f64(),
        again.as_secs_f64()
    );
    assert!(!is_measured || again < TABLE, "a table takes {again:?}");
}

/// How long all runs of a plan take on so many threads.
fn play(plan: &Plan, threads: usize) -> Duration {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
    let mut total = Total::default();
    let (took, results) =
        timed(|| pool.install(|| run_keeping(plan, 10, &mut |_| ControlFlow::Continue(()), |run| total.add(run))));
    assert_eq!(results.expect("it can be played").count, plan.runs);
    took
}

#[allow(clippy::disallowed_methods, reason = "a bench reads the wall clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed(), done)
}

/// The most memory that this process has had, in KiB, where the system says so.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok())
}
