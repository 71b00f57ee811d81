//! Theory where theory exists: what scenarios measure beside what is known to be true.
//!
//! A statistical case is played with 16 seeds. Its mean over the seeds has to lie within 4 c / sqrt(samples) of the expected
//! value, where `c` is the standard deviation of one sample relative to that value, correlation between samples included, and
//! `samples` counts the requests of all seeds: a 99.994 % interval. The standard error seen between the seeds has to be at
//! most half of that tolerance (it should be a quarter), so that a noisy run does not pass by luck. The values of `c` were
//! measured by simulations that share nothing with this one; that of the mean sojourn in M/M/1 can be checked against the
//! asymptotic variance rho (2 + 5 rho - 4 rho^2 + rho^3) / (1 - rho)^4 (Daley, 1968): 8.9 at rho = 0.8.
//!
//! Time is measured in milliseconds: a service of mean 1 and arrivals at 0.8 are `1ms` and `800/s`.

#[path = "../common/mod.rs"]
mod common;
mod study;
mod temporary;
mod trace;

mod balancing;
mod beside;
mod brokers;
mod disciplines;
mod faults;
mod guards;
mod health;
mod messaging;
mod network;
mod overload;
mod pairs;
mod patterns;
mod queues;
mod recovery;
mod retransmission;
mod retries;
mod streams;
mod studies;
mod ties;
mod time;
mod topics;
mod topologies;
mod tuning;
mod workloads;
