//! Writes the trace that `scenarios/diurnal.toml` plays: a day of four minutes, with requests at random times around a sine wave,
//! sizes around 2 KiB, and keys by Zipf's law.
//!
//! `cargo run --example diurnal_trace > scenarios/diurnal.csv`
//!
//! Where no rate that Rehearsal knows will do, a program like this one writes any load there is.

use rehearsal::base::distribution::Distribution;
use rehearsal::base::id::Entity;
use rehearsal::base::random::Seed;
use rehearsal::base::time::{Time, secs, us};
use rehearsal::base::units::rate_per_sec;
use rehearsal::protocol::keys::{Keys, Zipf, ZipfSettings};
use rehearsal::protocol::workload::rate::{Diurnal, DiurnalSettings, Profile};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let day = DiurnalSettings { mean: rate_per_sec(10), period: secs(240), peak_at: secs(140), ..Default::default() };
    let rate = Diurnal::new(&day);
    let keys = Zipf::new(&ZipfSettings::default());
    // A byte of size is a microsecond of the law.
    let size = Distribution::lognormal(us(2048), us(16_384))?;
    let (times, things) = (Seed(1).key("times"), Seed(1).key("things"));
    println!("# A day of four minutes: 10 requests a second in the mean, 15 at 140 s, 5 at 20 s.");
    println!("time,size,key");
    // A Poisson process of rate one, played on a clock that shows how many requests are due.
    let mut due = 0.0;
    for row in 0.. {
        due += -libm::log(times.block(Entity::default(), row).first().open01());
        let Some(at) = rate.when(due).filter(|at| *at < Time::ZERO + secs(240)) else { break };
        let draws = things.block(Entity::default(), row);
        let bytes = size.sample(draws.first()).as_nanos() / 1000;
        println!("{:.3},{bytes},{}", at.as_secs_f64(), keys.key(draws.second()));
    }
    Ok(())
}
