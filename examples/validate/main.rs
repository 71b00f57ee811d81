//! What is known, beside what is measured here: theory, published values, tolerances, verdicts.
//!
//! `cargo run --release --example validate [NAME…]` plays every case, or those whose names contain one of the words, and
//! prints a line for each quantity. Exit code 1 if any lies outside its tolerance.
//!
//! A statistical case passes if its mean over independent runs is within the tolerance, and if the standard error of that
//! mean is at most half of it, so that no noisy run passes by luck. Tolerances are four standard errors of the samples that
//! are played, known beforehand from the correlation of the quantity; none was widened after a look at the result.

mod availability;
mod balancing;
mod case;
mod disciplines;
mod fanout;
mod faults;
mod health;
mod messaging;
mod network;
mod overload;
mod queues;
mod streams;
mod study;

use std::process::ExitCode;

use case::{Case, Row};

/// Every case, by subject.
fn cases() -> Vec<Case> {
    [
        queues::cases(),
        disciplines::cases(),
        balancing::cases(),
        fanout::cases(),
        overload::cases(),
        network::cases(),
        streams::cases(),
        availability::cases(),
        faults::cases(),
        health::cases(),
        messaging::cases(),
    ]
    .concat()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |case: &Case| words.is_empty() || words.iter().any(|word| case.name.contains(word.as_str()));
    let mut rows = Vec::new();
    println!("{}", Row::HEADER);
    for case in cases().into_iter().filter(wanted) {
        for row in case.play() {
            println!("{row}");
            rows.push(row);
        }
    }
    let failed = rows.iter().filter(|row| !row.is_well()).count();
    println!("\n{} quantities, {failed} outside their tolerance", rows.len());
    if failed == 0 && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
