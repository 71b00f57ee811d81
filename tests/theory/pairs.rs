//! Links that remember: bursts of losses and latencies that resemble those before.

use rehearsal::base::distribution::Distribution;
use rehearsal::base::id::NodeId;
use rehearsal::base::names::Names;
use rehearsal::base::probability::percent;
use rehearsal::base::random::Seed;
use rehearsal::base::time::{Time, ms};
use rehearsal::network::{Address, Bursts, Correlation, Impact, Link, LinkId, Network, Packet, Verdict};

const SEEDS: u64 = 16;
const MESSAGES: usize = 100_000;

/// Standard deviations of an estimate that are still accepted.
const WIDTH: f64 = 4.0;

/// When each message of `a[0]` to `b[0]` arrives, in nanoseconds after it was sent; nothing where it is lost. A group
/// called `extra` may be there too, and messages to a third node in between.
fn fates(link: &Link, seed: u64, extra: u32, between: bool) -> Vec<Option<f64>> {
    let mut names = Names::default();
    if extra > 0 {
        names.add("extra", extra).unwrap();
    }
    let nodes = [("a", 1), ("b", 2)].map(|(name, nodes)| {
        let group = names.add(name, nodes).unwrap();
        names.members(group).collect::<Vec<NodeId>>()
    });
    let (from, to, third) = (nodes[0][0], nodes[1][0], nodes[1][1]);
    let mut network = Network::new(link.clone());
    let key = Seed(seed).key("wire");
    let mut send = |number: usize, to| {
        let address = Address { key: &key, owner: names.entity(from), position: (number as u64) << 32 };
        match network.transmit(
            LinkId::DEFAULT,
            Time::ZERO,
            &Packet { from, to, size: 0, impact: Impact::NONE },
            &address,
            &names,
        ) {
            Verdict::Deliver(time) => Some(time.as_nanos() as f64),
            _ => None,
        }
    };
    let one = |number| {
        if between {
            send(number + MESSAGES, third);
        }
        send(number, to)
    };
    (0..MESSAGES).map(one).collect()
}

fn near(what: &str, found: f64, expected: f64, deviation: f64) {
    println!("{what}: {found} for {expected} ± {}", WIDTH * deviation);
    assert!((found - expected).abs() <= WIDTH * deviation, "{what}: {found} for {expected} ± {}", WIDTH * deviation);
}

/// The lengths of runs of equal values.
fn runs(lost: &[bool], of: bool) -> Vec<f64> {
    lost.chunk_by(|one, other| one == other).filter(|run| run[0] == of).map(|run| run.len() as f64).collect()
}

/// Gilbert's channel with share L lost and bursts of b: bursts are geometric of mean b, P(length >= k) = (1 - 1/b)^(k-1);
/// gaps are geometric of mean b (1 - L) / L; the autocorrelation at lag k is c^k with c = 1 - 1/b - L / (b (1 - L)), which
/// widens the deviation of the share by sqrt((1 + c) / (1 - c)). Geometric lengths of mean m have the variance m^2 - m.
#[test]
fn bursts_are_gilberts_channel() {
    for (share, mean) in [(0.01, 4.0), (0.2, 8.0), (0.3, 1.0)] {
        let link = Link::default().bursts(Bursts::new(percent(100.0 * share), mean).unwrap());
        let (mut losses, mut bursts, mut gaps) = (0, Vec::new(), Vec::new());
        for seed in 0..SEEDS {
            let lost: Vec<_> = fates(&link, seed, 0, false).iter().map(Option::is_none).collect();
            losses += lost.iter().filter(|lost| **lost).count();
            bursts.extend(runs(&lost, true));
            gaps.extend(runs(&lost, false));
        }
        let messages = (SEEDS as usize * MESSAGES) as f64;
        let begins = share / (mean * (1.0 - share));
        let correlation = 1.0 - 1.0 / mean - begins;
        let widened = (1.0 + correlation) / (1.0 - correlation);
        near("share", losses as f64 / messages, share, libm::sqrt(share * (1.0 - share) * widened / messages));
        let count = bursts.len() as f64;
        near("burst", bursts.iter().sum::<f64>() / count, mean, libm::sqrt((mean * mean - mean) / count));
        let gap = 1.0 / begins;
        let found = gaps.iter().sum::<f64>() / gaps.len() as f64;
        near("gap", found, gap, libm::sqrt((gap * gap - gap) / gaps.len() as f64));
        for length in [2, 4, 8] {
            let expected = libm::pow(1.0 - 1.0 / mean, f64::from(length - 1));
            let found = bursts.iter().filter(|burst| **burst >= f64::from(length)).count() as f64 / count;
            near("length", found, expected, libm::sqrt(expected * (1.0 - expected) / count));
        }
    }
}

/// A normal latency is its own score: an autoregression of coefficient r, whose autocorrelation is r at lag 1 and r^2 at lag
/// 2, with deviations of sqrt((1 - r^2) / n) and, by Bartlett's formula, sqrt((1 - r^2) (1 + 3 r^2) / n). The law of each
/// stays normal; indicators of it correlate no more than the scores, so that their deviation widens by at most
/// sqrt((1 + r) / (1 - r)).
#[test]
fn correlated_latencies_are_an_autoregression_of_the_same_law() {
    let law = Distribution::normal(ms(1_000), ms(10)).unwrap();
    for coefficient in [0.25, 0.9] {
        let link = Link::latency(law.clone()).correlated(Correlation::new(coefficient).unwrap());
        let (mut lags, mut below) = ([0.0; 3], [0.0; 4]);
        let quantiles = [0.01, 0.5, 0.9, 0.99];
        for seed in 0..SEEDS {
            let latencies: Vec<f64> = fates(&link, seed, 0, false).into_iter().map(|time| time.unwrap()).collect();
            let scores: Vec<f64> = latencies.iter().map(|latency| (latency - 1e9) / 1e7).collect();
            for (lag, sum) in lags.iter_mut().enumerate() {
                *sum += scores.iter().zip(&scores[lag..]).map(|(one, other)| one * other).sum::<f64>();
            }
            for (quantile, count) in quantiles.iter().zip(&mut below) {
                let bound = law.quantile(*quantile);
                *count += latencies.iter().filter(|latency| **latency <= bound).count() as f64;
            }
        }
        let (messages, square) = (SEEDS as f64 * MESSAGES as f64, coefficient * coefficient);
        near("lag 1", lags[1] / lags[0], coefficient, libm::sqrt((1.0 - square) / messages));
        near("lag 2", lags[2] / lags[0], square, libm::sqrt((1.0 - square) * (1.0 + 3.0 * square) / messages));
        let widened = (1.0 + coefficient) / (1.0 - coefficient);
        for (quantile, count) in quantiles.iter().zip(below) {
            let deviation = libm::sqrt(quantile * (1.0 - quantile) * widened / messages);
            near("below", count / messages, *quantile, deviation);
        }
    }
}

#[test]
fn neither_other_groups_nor_other_messages_move_a_pairs_luck() {
    let law = Distribution::uniform(ms(1), ms(4)).unwrap();
    let link =
        Link::latency(law).bursts(Bursts::new(percent(20.0), 3.0).unwrap()).correlated(Correlation::new(0.5).unwrap());
    let alone = fates(&link, 1, 0, false);
    assert_eq!(alone, fates(&link, 1, 3, false));
    assert_eq!(alone, fates(&link, 1, 0, true));
    assert_ne!(alone, fates(&link, 2, 0, false));
}
