//! Who is up, as senders can tell: how soon they know, how often they are wrong, and what they do about it.

use std::sync::{Arc, Mutex};

use rehearsal::base::id::NodeId;
use rehearsal::base::names::Names;
use rehearsal::base::time::{Span, Time, ms, secs, us};
use rehearsal::process::{Kind, Observation, Wanted};
use rehearsal::sim::Observer;

use crate::common::plan;
use crate::study::{Study, flow, mean_ms, ratio, station};

/// Who took whom for down (or for up again), and when.
#[derive(Clone, Default)]
struct Beliefs(Arc<Mutex<Vec<Belief>>>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Belief {
    at: Time,
    who: NodeId,
    of: NodeId,
    is_down: bool,
}

impl Observer for Beliefs {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Attempt)
    }

    fn observe(&mut self, at: Time, who: NodeId, observation: &Observation) {
        let (of, is_down) = match *observation {
            Observation::Suspected { member, .. } => (member, true),
            Observation::Trusted { member, .. } => (member, false),
            _ => return,
        };
        self.0.lock().unwrap().push(Belief { at, who, of, is_down });
    }
}

/// What senders believed in one run with this seed, with the names of all nodes.
fn beliefs(text: &str, seed: u64) -> (Vec<Belief>, Names) {
    let plan = plan(text);
    let mut cluster = plan.cluster(seed);
    let beliefs = Beliefs::default();
    cluster.observe(beliefs.clone());
    cluster.run_until(Time::ZERO + plan.duration);
    let names = cluster.names().clone();
    let found = beliefs.0.lock().unwrap().clone();
    (found, names)
}

/// Mean, least and most, in milliseconds.
fn spread(spans: &[Span]) -> (f64, f64, f64) {
    let values: Vec<_> = spans.iter().map(|span| span.as_secs_f64() * 1e3).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (least, most) = values.iter().fold((f64::MAX, 0.0_f64), |(least, most), &x| (least.min(x), most.max(x)));
    (mean, least, most)
}

/// A heartbeat every 100 ms, 5 ms on its way, and a timeout of 500 ms: a crash at any moment between two heartbeats is noticed
/// T + d - h to T + d later, uniform on (405, 505) ms. 400 watchers of one node see the same; 200 nodes are 200 samples, and the
/// mean of so many is within 4 × 28.9 / sqrt(200) = 8.2 ms of 455 ms.
#[test]
fn a_crash_is_found_after_the_timeout_less_half_an_interval() {
    let text = r#"
        run = { duration = "5s" }
        network.latency = "5ms"
        faults.crash = { crash = "api", at = "3s" }
        [clients.app]
        rate = "1/s"
        send = "api"
        health = { heartbeat = { interval = "100ms", timeout = "500ms" } }
        [services.api]
        nodes = 200
    "#;
    let (found, _) = beliefs(text, 1);
    let crash = Time::ZERO + secs(3);
    assert!(found.iter().all(|belief| belief.is_down && belief.at > crash), "no wrong suspicion");
    assert_eq!(found.len(), 200);
    let (mean, least, most) = spread(&found.iter().map(|belief| belief.at.since(crash)).collect::<Vec<_>>());
    println!("found after {mean} ms, {least} to {most}");
    assert!((mean - 455.0).abs() < 8.2, "{mean}");
    // The extremes of 200 uniform samples are half a millisecond inside on average, five times that with probability 1 %.
    assert!((405.0..408.0).contains(&least) && (502.0..=505.0).contains(&most), "{least} to {most}");
}
