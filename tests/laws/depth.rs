//! What waits over time is what waits: the steps of a curve together give the mean and the most of the measured time.

use rehearsal::base::time::Time;
use rehearsal::metrics::{Curve, RunResult};

use crate::common::{plan, play};

/// A work queue and a topic, a warm-up, and crashes of everybody who consumes.
const SCENARIO: &str = r#"
    run = { duration = "40s", warmup = "5s", drain = "120s", runs = 8 }
    network.latency = { exponential = "2ms" }
    brokers.rabbit = { heartbeat = "2s" }
    brokers.kafka = { nodes = 3 }
    faults.pods = { crash = "worker[any 1]", every = { exponential = "6s" }, for = "2s" }
    faults.readers = { crash = "ledger[any 1]", every = { exponential = "9s" }, for = "2s" }
    [clients.shop]
    rate = "100/s"
    mix.order = { publish = "orders", confirm = true }
    mix.payment = { publish = "payments" }
    [queues.orders]
    broker = "rabbit"
    [topics.payments]
    broker = "kafka"
    partitions = 4
    [consumers.worker]
    nodes = 2
    queue = "orders"
    prefetch = 10
    work = { exponential = "30ms" }
    [consumers.ledger]
    nodes = 2
    topics = ["payments"]
    auto-offset-reset = "earliest"
    session-timeout = "6s"
    heartbeat-interval = "1s"
    work = { exponential = "10ms" }
"#;

/// The mean over the measured time, and the most in it.
fn measured(run: &RunResult, curve: &Curve) -> (f64, u64) {
    let step = curve.step().as_nanos();
    let [from, to] = [run.measured.0, run.measured.1].map(|time| {
        assert_eq!(time.as_nanos() % step, 0, "the measured time is made of whole steps");
        (time.as_nanos() / step) as usize
    });
    let steps = &curve.steps[from..to];
    let integral: u128 = steps.iter().map(|step| step.integral).sum();
    let nanos = run.measured.1.since(run.measured.0).as_nanos();
    (integral as f64 / nanos as f64, steps.iter().map(|step| step.max).max().unwrap_or(0))
}

#[test]
fn the_steps_of_a_curve_give_the_mean_and_the_most() {
    for run in play(&plan(SCENARIO)).runs {
        let (queue, reader) = (&run.queues[0].book, &run.readers[0].book);
        for (curve, mean, max) in [
            (&queue.ready, queue.ready_mean(), queue.ready_max.into()),
            (&queue.unacked, queue.unacked_mean(), queue.unacked_max.into()),
            (&reader.lag, reader.lag_mean(), reader.lag_max),
        ] {
            let (of_steps, most) = measured(&run, curve);
            assert!(mean > 0.0 && (of_steps / mean - 1.0).abs() < 1e-9, "{of_steps} and {mean}");
            assert_eq!(most, max);
            let played: u64 = curve.steps.iter().map(|step| step.nanos).sum();
            assert_eq!(Time::from_nanos(played), run.end.max(run.measured.1), "from the start of the run to its end");
            let (last, whole) = curve.steps.split_last().expect("a run has steps");
            assert!(whole.iter().all(|step| step.nanos == curve.step().as_nanos()));
            assert!(last.nanos <= curve.step().as_nanos());
        }
    }
}
