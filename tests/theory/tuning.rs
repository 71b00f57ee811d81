//! Tuning where the best setting is known.
//!
//! An M/M/1/K queue under more load than it can bear, of which as many requests as possible are to be answered within a time: with few
//! places most are turned away, with many most wait too long. A request that finds n others is answered after n + 1 services, which are
//! Erlang distributed; it finds n with the probability rho^n / sum rho^k.

use rehearsal::experiment::Tuning;
use rehearsal::report::TuneReport;
use rehearsal::scenario::Overrides;

use crate::common::tune;

/// Arrivals per second, services per second, and the time in which requests are to be answered.
const LOAD: (f64, f64, f64) = (150.0, 100.0, 0.05);
const RACES: u64 = 100;

/// With so many places to wait, one of them in service: the share of requests that is answered in time, and that which is turned away.
fn theory(places: u32) -> (f64, f64) {
    let (arrivals, services, limit) = LOAD;
    let power = |n: u32| (0..n).fold(1.0, |power, _| power * arrivals / services);
    let all: f64 = (0..=places).map(power).sum();
    // An Erlang time of n services is within the limit if n of a Poisson stream are.
    let within = |n: u32| {
        let mut term = libm::exp(-services * limit);
        let mut fewer = 0.0;
        for count in 0..n {
            fewer += term;
            term *= services * limit / f64::from(count + 1);
        }
        1.0 - fewer
    };
    let in_time = (0..places).map(|found| power(found) / all * within(found + 1)).sum();
    (in_time, power(places) / all)
}

fn queue(subject_to: &str, runs: u32, seed: u64) -> Tuning {
    let text = format!(
        r#"
        run = {{ duration = "3s", runs = {runs} }}
        clients.c = {{ rate = "150/s", call = "s" }}
        services.s = {{ work = {{ exponential = "10ms" }}, queue = {{ limit = 1, when-full = "reject" }} }}
        [tune]
        maximise = "c.latency-all.under(50ms)"
        {subject_to}
        [tune.over]
        services.s.queue.limit = {{ from = 0, to = 11 }}
        "#
    );
    tune(&text, &Overrides { seed: Some(seed.to_string()), ..Overrides::default() })
}

/// The places in the whole system that a tuning has found to be best.
fn places(tuning: &Tuning) -> u32 {
    tuning.winner().labels[0].parse::<u32>().expect("it is a number") + 1
}

/// In 95 of 100 races what is found is the best there is, or no worse than its interval is wide; and that takes less than half of the runs
/// that it takes to play all settings so often.
#[test]
fn a_race_finds_the_best() {
    let best = (1..=12).max_by(|&one, &other| theory(one).0.total_cmp(&theory(other).0)).expect("there are some");
    assert_eq!(best, 3);
    let (mut exact, mut good, mut held, mut runs) = (0, 0, 0, 0);
    for seed in 1..=RACES {
        let tuning = queue("", 32, seed);
        let (low, high) = tuning.winner().value.interval.expect("there are many runs");
        let found = theory(places(&tuning)).0;
        exact += u64::from(places(&tuning) == best);
        good += u64::from(theory(best).0 - found <= (high - low) / 2.0);
        held += u64::from(low <= found && found <= high);
        runs += tuning.runs();
    }
    let all = RACES * 12 * 32;
    println!("of {RACES} races {exact} found the best and {good} one as good; {held} intervals hold the truth");
    println!("{runs} runs of {all}: {:.3}", runs as f64 / all as f64);
    assert!(good * 100 >= RACES * 95, "{good} of {RACES}");
    assert!(held * 100 >= RACES * 85, "{held} of {RACES}");
    assert!(runs * 2 < all, "{runs} of {all}");
}

/// Of those with at most 40 % turned away the best has four places; the best of all turns 41.5 % away.
#[test]
fn a_race_keeps_to_its_conditions() {
    let allowed = |places: u32| theory(places).1 <= 0.4;
    let best =
        (1..=12).filter(|&places| allowed(places)).max_by(|&one, &other| theory(one).0.total_cmp(&theory(other).0));
    assert_eq!(best, Some(4));
    let (mut exact, mut kept) = (0, 0);
    for seed in 1..=RACES {
        let tuning = queue("subject-to = { \"c.rejected\" = \"<= 40%\" }", 128, seed);
        exact += u64::from(places(&tuning) == 4);
        kept += u64::from(allowed(places(&tuning)));
    }
    println!("of {RACES} races {exact} found the best, {kept} one that keeps to the condition");
    assert!(kept * 100 >= RACES * 95, "{kept} of {RACES}");
    assert!(exact * 100 >= RACES * 90, "{exact} of {RACES}");
}

/// Who takes runs in cannot tell how many cores there were.
#[test]
fn a_race_is_the_same_on_all_machines() {
    let race = || {
        let tuning = queue("subject-to = { \"c.rejected\" = \"<= 40%\" }", 32, 7);
        TuneReport { tuning: &tuning, toml: String::new(), flags: Vec::new() }.files()
    };
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("there can be threads").install(race)
    };
    let alone = on(1);
    assert_eq!(alone, on(2));
    assert_eq!(alone, on(7));
}
