//! Plays the same sequences to RabbitMQ and to the blocks of a broker, and compares what is seen.
//!
//! `rehearsal-rabbitmq [FIRST SEED [HOW MANY]]`. A seed makes a topology and a sequence of operations: publishing, consuming,
//! fetching, settling, crashing, waiting. After each one it is compared what publishers and consumers got and how long the queues
//! are. A difference is shrunk to a short sequence and printed with its seed.
//!
//! The broker is at `REHEARSAL_RABBITMQ` (`amqp://guest:guest@127.0.0.1:5672/%2f` if that is not set). If none answers there,
//! nothing is compared, which is said, and is an error only with `REHEARSAL_RABBITMQ_REQUIRED=1`.

mod compare;
mod draw;
mod model;
mod operation;
mod real;
mod topology;
mod view;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

use compare::Case;

/// Sequences that are played at the same time.
const AT_ONCE: usize = 4;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let address = variable("REHEARSAL_RABBITMQ").unwrap_or("amqp://guest:guest@127.0.0.1:5672/%2f".into());
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let (Ok(first), Ok(count), None) =
        (arguments.next().unwrap_or(Ok(1)), arguments.next().unwrap_or(Ok(200)), arguments.next())
    else {
        eprintln!("usage: rehearsal-rabbitmq [FIRST SEED [HOW MANY]]");
        return ExitCode::from(2);
    };
    match real::connect(&address).await {
        Ok(connection) => _ = connection.close(200, "there".into()).await,
        Err(error) => {
            println!("skipped: no RabbitMQ answers at {address} ({error})");
            let is_required = variable("REHEARSAL_RABBITMQ_REQUIRED").is_some_and(|value| value != "0");
            return if is_required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    }
    compare_all(&address, first, count).await
}

/// Plays so many seeds.
async fn compare_all(address: &str, first: u64, count: u64) -> ExitCode {
    let begin = Instant::now();
    let (next, operations) = (Arc::new(AtomicU64::new(first)), Arc::new(AtomicU64::new(0)));
    // Names of an earlier run are not used again, should it have left something.
    let run = std::process::id();
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (address, next, operations) = (address.to_owned(), Arc::clone(&next), Arc::clone(&operations));
            tokio::spawn(async move {
                let mut differing = 0;
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return Ok(differing);
                    }
                    match compare(&address, run, seed).await {
                        Ok(Some(done)) => _ = operations.fetch_add(done as u64, Ordering::Relaxed),
                        Ok(None) => differing += 1,
                        Err(error) => return Err((seed, error)),
                    }
                }
            })
        })
        .collect();
    let mut differing = 0;
    for worker in workers {
        match worker.await.expect("a worker does not panic") {
            Ok(found) => differing += found,
            Err((seed, error)) => {
                eprintln!("seed {seed}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let operations = operations.load(Ordering::Relaxed);
    let time = begin.elapsed().as_secs_f64();
    println!("{count} sequences, {operations} operations that agree, {differing} sequences that differ, {time:.1} s");
    if differing > 0 || operations == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Plays one seed; how many operations agreed, or nothing if there was a difference.
async fn compare(address: &str, run: u32, seed: u64) -> Result<Option<usize>, real::Fault> {
    let case = Case::of(seed);
    let prefix = format!("rehearsal-{run}-{seed}");
    let difference = match case.play(address, &prefix).await? {
        Ok(done) => return Ok(Some(done)),
        Err(difference) => difference,
    };
    // Time may have passed where none should.
    if case.topology.is_timed
        && let Ok(done) = case.play(address, &format!("{prefix}-once-more")).await?
    {
        return Ok(Some(done));
    }
    let shorter = case.clone().shrink(address, &prefix).await?;
    let (again, topology) = (shorter.play(address, &format!("{prefix}-again")).await?, shorter.topology);
    let again = again.err().unwrap_or(difference);
    println!("seed {seed}: RabbitMQ and the model differ\n{}\n", again.tell(&topology));
    Ok(None)
}
