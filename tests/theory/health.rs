//! Who is up, as senders can tell: how soon they know, how often they are wrong, and what they do about it.

use std::collections::BTreeMap;
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

/// Heartbeats of which 10 % are lost, and a timeout that three in a row exceed. Runs of at least three losses begin after a
/// heartbeat that came with probability p^3, so (1 - p) p^3 = 0.0009 times per heartbeat: one in 1111, and the mean number until
/// the first is (1 - p^3) / ((1 - p) p^3) = 1110 (Feller, vol. I, XIII.7). 400 nodes send 1000 each: 360 ± 4 sqrt(360).
#[test]
fn lost_heartbeats_make_false_suspicions() {
    let text = r#"
        run = { duration = "100s" }
        network = { latency = "5ms", loss = "10%" }
        [clients.app]
        rate = "1/s"
        send = "api"
        health = { heartbeat = { interval = "100ms", timeout = "350ms" } }
        [services.api]
        nodes = 400
    "#;
    let (found, _) = beliefs(text, 1);
    let wrong = found.iter().filter(|belief| belief.is_down).count();
    println!("{wrong} wrong suspicions of 360");
    assert!((wrong as f64 - 360.0).abs() < 4.0 * 19.0, "{wrong}");
    let back = found.iter().filter(|belief| !belief.is_down).count();
    assert!(wrong - back <= 2, "the next heartbeat clears a suspicion: {wrong} and {back}");
}

/// A heartbeat each second, exactly: the normal model reckons with its least deviation of 100 ms, and phi is 8 after a silence of
/// 1 s + 5.612 × 100 ms = 1.5612 s (D09: 156.12 for a mean of 100 and a deviation of 10). A crash at any moment between two is
/// found after (0.561, 1.561) s, 1.061 s on average; the window still holds the first interval, shorter than the others, which
/// takes 3 ms off. 200 samples: ± 4 × 289 / sqrt(200) = 82 ms.
#[test]
fn phi_accrual_finds_its_own_timeout() {
    let text = r#"
        run = { duration = "160s" }
        faults.crash = { crash = "api", at = "150s" }
        [clients.app]
        rate = "1/s"
        send = "api"
        health = { phi-accrual = { acceptable-pause = "0s" } }
        [services.api]
        nodes = 200
    "#;
    let (found, _) = beliefs(text, 1);
    let crash = Time::ZERO + secs(150);
    let right: Vec<_> = found.iter().filter(|belief| belief.at > crash).collect();
    assert_eq!((found.len(), right.len()), (200, 200), "no wrong suspicion");
    let (mean, least, most) = spread(&right.iter().map(|belief| belief.at.since(crash)).collect::<Vec<_>>());
    println!("found after {mean} ms, {least} to {most}");
    assert!((mean - 1061.0).abs() < 82.0 && least > 500.0 && most < 1565.0, "{mean}, {least} to {most}");
}

/// Sixteen nodes and the four who send to them gossip. With targets in turn a crashed member is pinged within 2 n - 1 = 39
/// periods, and in fact after 1.6 on average; it is suspected at the end of that period, and dead 4 log10(20) = 5.2 periods later:
/// that much and a period at least, since nobody can know sooner. A member that was cut off is dead for the others, and objects
/// when it can, as the others ping one of the dead after every round; so does one that has started anew.
#[test]
fn gossip_tells_all_who_is_dead_and_who_is_back() {
    let text = r#"
        run = { duration = "200s" }
        network.latency = "5ms"
        faults.crash = { crash = "api[3]", at = "20s", for = "60s" }
        faults.cut = { isolate = "api[7]", at = "100s", for = "60s" }
        [clients.app]
        nodes = 4
        rate = "1/s"
        send = "api"
        health = "swim"
        [services.api]
        nodes = 16
    "#;
    for seed in 1..=10 {
        let (found, _) = beliefs(text, seed);
        let told = |node: u32, is_down: bool, from: u64, to: u64| {
            let (from, to) = (Time::ZERO + secs(from), Time::ZERO + secs(to));
            let news = |belief: &&Belief| belief.of == NodeId::new(node) && belief.is_down == is_down;
            let mut times: Vec<_> = found.iter().filter(news).filter(|b| from < b.at && b.at < to).collect();
            times.sort_by_key(|belief| belief.at);
            times.iter().map(|belief| belief.at.since(from)).collect::<Vec<_>>()
        };
        for (node, from) in [(3, 20), (7, 100)] {
            let dead = told(node, true, from, from + 60);
            let (mean, least, most) = spread(&dead);
            println!("seed {seed}: dead after {mean} ms, {least} to {most}");
            assert_eq!(dead.len(), 4, "seed {seed}: all know of {node}");
            assert!(least > 5_204.0 && most < 45_204.0, "seed {seed}: {least} to {most}");
            let back = told(node, false, from + 60, from + 100);
            assert!(back.len() >= 4, "seed {seed}: all know that {node} is back");
        }
        // Who was cut off brings its own news of all others' deaths, which they have to refute; in the end all trust all.
        let before = found.iter().filter(|belief| belief.at < Time::ZERO + secs(160)).count();
        assert_eq!(before, 12, "seed {seed}: nothing else was believed");
        let last: BTreeMap<_, _> = found.iter().map(|belief| ((belief.who, belief.of), belief.is_down)).collect();
        assert!(last.values().all(|is_down| !is_down), "seed {seed}: {last:?}");
    }
}

/// The first of two does all the work until it crashes; a heartbeat each second, timeout 5 s. Nobody knows for 4 to 5 s, 4.5 s
/// on average; in that time all requests are lost, and after it none. 64 runs: ± 4 × 0.289 / 8 = 0.145 s.
#[test]
fn a_failover_takes_as_long_as_the_detection() {
    let study = Study::seeds(
        64,
        20,
        0,
        r#"
        network.latency = "1us"
        faults.crash = { crash = "api[0]", at = "10s" }
        [clients.app]
        rate = "100/s"
        arrivals = "even"
        call = "api"
        timeout = "50ms"
        health = { heartbeat = { interval = "1s", timeout = "5s" } }
        [services.api]
        nodes = 2
        balance = "failover"
        "#,
    );
    let lost = |run| (flow(run, "app").offered - flow(run, "app").confirmed) as f64 / 100.0;
    let down: Vec<_> = study.runs.iter().map(lost).collect();
    let mean = down.iter().sum::<f64>() / 64.0;
    println!("down for {mean} s");
    assert!((mean - 4.5).abs() < 0.145, "{mean}");
    assert!(down.iter().all(|&down| (3.98..=5.02).contains(&down)), "{down:?}");
}

/// Of five, one hangs from 12.3 s to 30 s. It gets a fifth of 100 requests a second, and the fifth in a row that is given up ejects
/// it, within half a second. An ejection of 30 s is over at the end of an interval of 10 s: at 50 s. Not one request fails in
/// between.
#[test]
fn an_outlier_goes_and_comes_back() {
    let text = r#"
        run = { duration = "80s" }
        network.latency = "1ms"
        faults.hang = { crash = "api[2]", at = "12.3s", for = "17.7s" }
        [clients.app]
        rate = "100/s"
        arrivals = "even"
        call = "api"
        timeout = "50ms"
        outlier-detection = {}
        [services.api]
        nodes = 5
        balance = "round-robin"
    "#;
    let (found, _) = beliefs(text, 1);
    let [gone, back] = found[..] else { panic!("{found:?}") };
    assert!(gone.is_down && !back.is_down && gone.of == NodeId::new(2) && back.of == gone.of);
    let late = gone.at.since(Time::ZERO + ms(12_300));
    assert!(late > ms(250) && late < ms(310), "{late}");
    // The first interval begins when the sender starts.
    assert_eq!(back.at, Time::ZERO + secs(50));
    let run = Study::exact(80, &text.replace("run = { duration = \"80s\" }", ""));
    // Those that were sent meanwhile: five that ejected it, and those under way then (one each 50 ms, for 50 ms).
    let lost = flow(&run, "app").offered - flow(&run, "app").confirmed;
    assert!((5..=6).contains(&lost), "{lost}");
}

/// A balancer asks its nodes each 100 ms after the last answer, or 50 ms of waiting. After a crash comes the next probe, within
/// 102 ms, and a third one in vain after two waits and two intervals: 50 + 2 × 150 = 350 ms to 452 ms. Once the node is back it has
/// to answer twice: 2 to 254 ms. Until then all goes to the others.
#[test]
fn a_balancer_with_probes_sends_nothing_to_those_that_are_down() {
    let text = r#"
        network.latency = "1ms"
        faults.crash = { crash = "api[1]", at = "10s", for = "10s" }
        [clients.app]
        rate = "200/s"
        arrivals = "even"
        call = "lb"
        [balancers.lb]
        to = "api"
        timeout = "20ms"
        balance = "round-robin"
        health = { probe = { interval = "100ms", timeout = "50ms" } }
        [services.api]
        nodes = 4
        work = "1ms"
    "#;
    let (found, names) = beliefs(&format!("run.duration = \"30s\"\n{text}"), 3);
    let [gone, back] = found[..] else { panic!("{found:?}") };
    assert_eq!((names.label(gone.of), names.label(gone.who)), ("api[1]".into(), "lb[0]".into()));
    let (down, up) = (gone.at.since(Time::ZERO + secs(10)), back.at.since(Time::ZERO + secs(20)));
    assert!(gone.is_down && down >= ms(350) && down <= ms(452), "{down}");
    assert!(!back.is_down && up >= us(102_000) && up <= ms(254), "{up}");
    let run = Study::exact(30, text);
    let lost = flow(&run, "app").offered - flow(&run, "app").confirmed;
    // A quarter of 200 a second for 350 to 452 ms.
    assert!((17..=24).contains(&lost), "{lost}");
    let detect = run.after(0, &[0])[0].detect;
    assert!(detect.nanos().is_some_and(|nanos| nanos <= 45e6), "the first attempt fails sooner: {detect:?}");
}

/// A hundred servers at rho = 0.9 and ten that share them: the queues of idle servers are empty half of the time
/// (q / (1 - q) = r (1 - lambda), r = 10 servers to each), so a busy server gets 0.45 of its rate at random, and the mean is
/// 1 / (1 - 0.45) = 1.82, in the limit of many (Lu et al., Join-Idle-Queue, 2011, theorems 1 and 2). At random it is 10.
#[test]
fn idle_servers_that_speak_up_are_nearly_as_good_as_the_shortest_queue() {
    let study = Study::seeds(
        4,
        3,
        1,
        r#"
        [clients.source]
        nodes = 10
        rate = "90000/s"
        send = "server"
        [services.server]
        nodes = 100
        balance = "join-idle-queue"
        work = { exponential = "1ms" }
        "#,
    );
    for run in &study.runs {
        let mean = mean_ms(&station(run, "server").residence);
        println!("join-idle-queue: {mean} for 1.82");
        assert!((mean / 1.818 - 1.0).abs() < 0.1, "{mean}");
    }
}

/// A member that is down costs nothing but what was sent before that was known: with no checks a quarter of all that is sent to
/// four of which one is down is lost, and where three of four are down and half has to be up, all count as up.
#[test]
fn in_a_panic_all_count_as_up() {
    let lost = |panic: &str| {
        let run = Study::exact(
            20,
            &format!(
                r#"
                faults.crash = {{ crash = ["api[1]", "api[2]", "api[3]"], at = "1ms" }}
                [clients.app]
                from = "5s"
                rate = "100/s"
                arrivals = "even"
                call = "api"
                timeout = "50ms"
                panic-threshold = "{panic}"
                health = {{ heartbeat = {{ interval = "100ms", timeout = "500ms" }} }}
                [services.api]
                nodes = 4
                balance = "round-robin"
                "#
            ),
        );
        ratio(flow(&run, "app").offered - flow(&run, "app").confirmed, flow(&run, "app").offered)
    };
    assert_eq!((lost("0%"), lost("25%")), (0.0, 0.0));
    let all = lost("50%");
    assert!((all - 0.75).abs() < 0.01, "{all}");
}
