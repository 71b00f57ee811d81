//! Who is next, who shares, who waits in vain: disciplines of service.

use rehearsal::metrics::{Fate, Histogram};
use rehearsal::process::Outcome;

use crate::study::{Study, flow, mean_ms, ratio, refused, station, waited};

/// Two classes at one worker of mean 1, exponential, not preempted: Wq_k = (sum lambda_i E[S_i^2] / 2) / ((1 - s_(k-1)) (1 - s_k))
/// with s_k the load down to class k. Class 0 brings 0.2, class 1 brings 0.6: 0.8 / (1 x 0.8) = 1 and 0.8 / (0.8 x 0.2) = 5.
/// Cobham, 1954. The latency of a client is its wait, its work, and two nanoseconds on the way. The c of the waits are 2.1 and 9.5 for
/// samples of the class alone, a quarter and three quarters of all, and the work adds its own variance of 1 to each.
#[test]
fn who_has_priority_waits_for_its_own_kind_only() {
    let study = Study::of(
        51,
        1,
        r#"
        [clients.high]
        rate = "200/s"
        call = "server"
        priority = 1
        [clients.low]
        rate = "600/s"
        call = "server"
        [services.server]
        queue.discipline = "priority"
        work = { exponential = "1ms" }
        "#,
    );
    let c = |wait: f64, mean: f64, share: f64| libm::sqrt((wait * wait + 1.0 / (mean * mean)) / share);
    study.mean("Wq of the high", 1.0, c(2.1, 1.0, 0.25), |run| mean_ms(&flow(run, "high").latency) - 1.0);
    study.mean("Wq of the low", 5.0, c(9.5, 5.0, 0.75), |run| mean_ms(&flow(run, "low").latency) - 1.0);
    study.littles_law();
}

/// Processor sharing: W = E[S] / (1 - rho) = 5 at rho = 0.8, whatever the law of the work (Kleinrock 1967; Sakata, Noguchi, Oizumi
/// 1971), and the number present is geometric: M/M/1's, so a share rho of the time somebody is. The c of M/M/1's sojourn is 9 under
/// fifo, and that of the number present, which decides here, the same for exponential work; more variable work has longer
/// busy periods, the relative variance of which grows with E[S^2]: 6.5 against 2 for the hyperexponential, so c = 9 sqrt(6.5 / 2).
#[test]
fn processor_sharing_does_not_depend_on_the_law_of_service() {
    for (work, c) in [
        (r#"{ exponential = "1ms" }"#, 9.0),
        (r#""1ms""#, 9.0),
        (r#"{ mixture = [[0.9, { exponential = "0.5ms" }], [0.1, { exponential = "5.5ms" }]] }"#, 16.2),
    ] {
        let study = Study::of(
            102,
            2,
            &format!(
                "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\ndiscipline = \
                 \"processor-sharing\"\nwork = {work}\n"
            ),
        );
        study.mean("W", 5.0, c, |run| mean_ms(&station(run, "server").residence));
        study.mean("L", 4.0, c, |run| station(run, "server").present_mean());
        study.mean("utilisation", 0.8, 3.0, |run| station(run, "server").busy_mean());
        study.littles_law();
    }
}

/// Two workers that are shared are M/M/2 in their number, as the total rate is the same: at rho = 0.9 it is present for
/// 5.26316 as under fifo (Erlang C, and Little).
#[test]
fn two_shared_workers_hold_as_many_as_two_with_a_queue() {
    let study = Study::of(
        54,
        4,
        r#"
        [clients.source]
        rate = "1800/s"
        send = "server"
        [services.server]
        workers = 2
        discipline = "processor-sharing"
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("W", 5.26316, 18.1, |run| mean_ms(&station(run, "server").residence));
    study.mean("utilisation", 1.8, 2.3, |run| station(run, "server").busy_mean());
    study.littles_law();
}

/// M/G/1/PS with room for five: the number present is that of M/M/1/5, cut, whatever the law; 0.0888195 find no room (Kleinrock II,
/// section 4.4: the truncated geometric).
#[test]
fn processor_sharing_with_room_for_five() {
    for work in [r#"{ exponential = "1ms" }"#, r#""1ms""#] {
        for limit in [r#"{ limit = 5, counts = "present" }"#, "{ limit = 4 }"] {
            let study = Study::of(
                26,
                1,
                &format!(
                    "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\ndiscipline = \
                     \"processor-sharing\"\nqueue = {limit}\nwork = {work}\n"
                ),
            );
            study.mean("loss", 0.0888195, 6.1, |run| refused(station(run, "server"), Outcome::Rejected));
            study.mean("L", 1.86833, 2.3, |run| station(run, "server").present_mean());
        }
    }
}

/// One of two halves: 6 ms of work from 1 on, 2 ms from 2 on, with one worker. Until 2 the first has done 1, both go at half speed, the
/// second is done after 4 at 6, and the first at 9. A node of half the speed takes twice as long, and one that is slowed by two
/// from 2 on takes twice as long from there.
#[test]
fn shares_are_exact() {
    let latencies = |more: &str| {
        let run = Study::exact(
            1,
            &format!(
                "[clients.long]\nrate = \"1000/s\"\narrivals = \"even\"\nphase = \"aligned\"\nfrom = \"1ms\"\ncount = 1\n\
                 call = \"server/long\"\n[clients.short]\nrate = \"1000/s\"\narrivals = \"even\"\nphase = \"aligned\"\nfrom = \
                 \"2ms\"\ncount = 1\ncall = \"server/short\"\n[services.server]\ndiscipline = \"processor-sharing\"\n\
                 {more}"
            ),
        );
        ["long", "short"].map(|name| mean_ms(&flow(&run, name).latency))
    };
    let ops = "[services.server.ops]\nlong = { work = \"6ms\" }\nshort = { work = \"2ms\" }\n";
    let close = |found: [f64; 2], expected: [f64; 2]| {
        found.iter().zip(expected).for_each(|(found, expected)| assert!((found - expected).abs() < 1e-4, "{found}"));
    };
    close(latencies(ops), [8.0, 4.0]);
    // 12 and 4 of work: one done at 2, then the short one until 2 + 8, and the long one at 1 + 16.
    close(latencies(&format!("speed = 0.5\n{ops}")), [16.0, 8.0]);
    let slow = "[faults.slow]\nat = \"2ms\"\nslow = { on = \"server\", factor = 2 }\n";
    close(latencies(&format!("{ops}{slow}")), [15.0, 8.0]);
}

/// Whoever is next, as long as nobody looks at how much work there is: the mean is the same, and the variance grows from fifo to
/// random to lifo (Kleinrock II, section 3.4 and 3.9; conservation law). M/M/1 at rho = 0.8: W = 5, and E[Wq^2] = 2 rho /
/// (mu^2 (1 - rho)^2) = 40 under fifo, so the sojourn's variance is 25. Under lifo a wait is a busy period: E[Wq^2] = 2 rho / (mu^2 (1 -
/// rho)^3) = 200, variance 200 - 16 + 1 = 185. At random E[Wq^2] = 40 x 2 / (2 - rho) = 66.67 (Kingman 1962), variance 51.67.
#[test]
fn disciplines_share_a_mean_and_differ_in_variance() {
    for (discipline, variance, c) in [("fifo", 25.0, 26.0), ("random", 51.667, 34.0), ("lifo", 185.0, 70.0)] {
        let study = Study::of(
            202,
            2,
            &format!(
                "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\nqueue.discipline = \
                 \"{discipline}\"\nwork = {{ exponential = \"1ms\" }}\n"
            ),
        );
        study.mean("W", 5.0, 9.0, |run| mean_ms(&station(run, "server").residence));
        study.mean("waits", 0.8, 1.7, |run| waited(station(run, "server")));
        study.mean(discipline, variance, c, |run| variance_ms2(&station(run, "server").residence));
        study.littles_law();
    }
}

/// Of a histogram in milliseconds. Slots are half a percent wide: their spread is nothing beside that of the values.
fn variance_ms2(times: &Histogram) -> f64 {
    let mean = mean_ms(times);
    let squares: f64 = times.bars().map(|(nanos, count)| (nanos / 1e6) * (nanos / 1e6) * count as f64).sum();
    squares / times.count() as f64 - mean * mean
}

/// M/M/1+D: a request waits for 3 at most. P0 = 1 / (1 + lambda (1 - e^(-(mu - lambda) tau)) / (mu - lambda) + (lambda / mu)
/// e^(-(mu - lambda) tau)); a share P0 (lambda / mu) e^(-(mu - lambda) tau) = 0.13535 expires, a worker is busy for 1 - P0 =
/// 0.69172, and those served have waited for 0.869248. Barrer 1957; Baccelli and Hebuterne 1981. Whether those that waited too long
/// leave at once or when their turn comes is the same to all others; and a deadline of the caller does the same.
#[test]
fn a_limited_wait_is_limited() {
    for (client, queue) in [
        ("", r#"queue = { time-to-live = "3ms" }"#),
        ("", r#"queue = { time-to-live = "3ms", expire-at = "any" }"#),
        ("deadline = \"3ms\"", "queue = {}"),
        ("deadline = \"3ms\"", r#"queue = { expire-at = "any", discipline = "earliest-deadline" }"#),
    ] {
        let study = Study::of(
            51,
            1,
            &format!(
                "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n{client}\n[services.server]\n{queue}\nwork = {{ \
                 exponential = \"1ms\" }}\n"
            ),
        );
        study.mean("expires", 0.13535, 4.0, |run| refused(station(run, "server"), Outcome::Expired));
        study.mean("Wq of those served", 0.869248, 2.2, |run| mean_ms(&station(run, "server").wait));
        study.mean("utilisation", 0.69172, 1.6, |run| station(run, "server").busy_mean());
    }
}

/// M/M/1+M: patience is exponential of mean 2. The number present is a birth-death chain with deaths at 1 + (n - 1) / 2: with lambda =
/// 0.9, p_n = p_0 prod 0.9 / (1 + (k - 1) / 2). Those that leave are the patience's rate times the mean number waiting: 0.5 Lq /
/// lambda. Palm 1937; Ancker and Gafarian 1963.
#[test]
fn impatience_is_a_birth_death_chain() {
    let (lambda, theta) = (0.9, 0.5);
    let (mut p, mut sum, mut waiting) = (1.0, 1.0, 0.0);
    for n in 1..200 {
        p *= lambda / (1.0 + f64::from(n - 1) * theta);
        sum += p;
        waiting += f64::from(n - 1) * p;
    }
    let (idle, lq) = (1.0 / sum, waiting / sum);
    let study = Study::of(
        51,
        1,
        r#"
        [clients.source]
        rate = "900/s"
        send = "server"
        [services.server]
        queue = { time-to-live = { exponential = "2ms" }, expire-at = "any" }
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("expires", theta * lq / lambda, 4.0, |run| refused(station(run, "server"), Outcome::Expired));
    study.mean("utilisation", 1.0 - idle, 1.6, |run| station(run, "server").busy_mean());
    study.mean("Lq", lq, 4.0, |run| station(run, "server").waiting_mean());
}

/// Twice as many requests as can be served. Priority levels let everybody urgent in: from one waiting on, only priority 1 comes in,
/// which is an M/M/1 of its own but for who stands before it: nobody urgent is refused, and what is refused is the rest of what
/// cannot be served.
#[test]
fn under_overload_the_urgent_still_get_through() {
    let study = Study::of(
        21,
        1,
        r#"
        [clients.high]
        rate = "500/s"
        call = "server"
        priority = 1
        [clients.low]
        rate = "1500/s"
        call = "server"
        [services.server]
        shed = { priority-levels = [[1, 1]] }
        work = { exponential = "1ms" }
        "#,
    );
    for run in &study.runs {
        let high = flow(run, "high");
        assert_eq!(high.confirmed, high.offered);
        assert!(flow(run, "low").confirmed < flow(run, "low").offered);
        assert!(station(run, "server").busy_mean() > 0.85, "{}", station(run, "server").busy_mean());
    }
}

/// Constant work of 1 ms, and a limit of 10 ms on the expected wait: with ten in front and more it is 11, so ten wait at most, and under
/// twice the load that is as if the queue had ten places: nobody waits for longer than 10.
#[test]
fn nobody_is_let_in_to_wait_too_long() {
    let run = Study::exact(
        5,
        r#"
        [clients.source]
        rate = "2000/s"
        call = "server"
        [services.server]
        shed = { expected-wait = { limit = "10ms" } }
        work = "1ms"
        "#,
    );
    let book = station(&run, "server");
    assert_eq!(book.waiting_max, 10);
    assert!(book.wait.max().is_some_and(|wait| wait.as_nanos() <= 10_000_010), "{:?}", book.wait.max());
    assert!(book.busy_mean() > 0.99);
    let source = flow(&run, "source");
    assert_eq!(source.fate(Fate::Rejected) + source.confirmed, source.offered);
}

/// M/M/1/5 with somebody who makes room: as many are lost as if the newcomer were turned away, only others (the number present is the same
/// chain), and those lost have waited.
#[test]
fn whoever_makes_room_as_many_are_lost() {
    for when_full in ["reject-oldest", "drop-oldest", "reject-lowest"] {
        let study = Study::of(
            51,
            1,
            &format!(
                "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\nqueue = {{ limit = 4, when-full = \
                 \"{when_full}\" }}\nwork = {{ exponential = \"1ms\" }}\n"
            ),
        );
        study.mean("loss", 0.0888195, 6.1, |run| {
            let book = station(run, "server");
            ratio(book.refused_for(Outcome::Rejected) + book.refused_for(Outcome::Discarded), book.arrived)
        });
        study.mean("L", 1.86833, 2.3, |run| station(run, "server").present_mean());
    }
}

/// At most five inside is M/M/1/5: 0.0888195 are turned away.
#[test]
fn a_bulkhead_at_the_door_is_a_bounded_queue() {
    let study = Study::of(
        51,
        1,
        r#"
        [clients.source]
        rate = "800/s"
        send = "server"
        [services.server]
        admit.concurrency-limit = { bulkhead = { max-concurrent-calls = 5 } }
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("loss", 0.0888195, 6.1, |run| refused(station(run, "server"), Outcome::Rejected));
    study.mean("L", 1.86833, 2.3, |run| station(run, "server").present_mean());
}

/// A burst of 10 and 50 a second: of 1000 requests in 10 seconds those are let in that find a token, 10 + 50 x 10, give or take the one
/// that is due at the end.
#[test]
fn a_rate_at_the_door_is_exact() {
    let run = Study::exact(
        10,
        r#"
        [clients.source]
        rate = "100/s"
        arrivals = "even"
        phase = "aligned"
        call = "server"
        [services.server]
        admit.rate-limit = { token-bucket = { rate = "50/s", burst = 10 } }
        "#,
    );
    let source = flow(&run, "source");
    assert!(source.confirmed.abs_diff(510) <= 1, "{}", source.confirmed);
    assert_eq!(source.confirmed + source.fate(Fate::Rejected), 1_000);
}

/// Twice the load, and a queue without bounds: limits that follow latency keep the worker busy and the wait short, where without them
/// it would grow by a second every two seconds, and be ten seconds in the end.
#[test]
fn limits_that_adapt_keep_the_queue_short() {
    for limit in ["gradient", "vegas"] {
        let run = Study::exact(
            20,
            &format!(
                "[clients.source]\nrate = \"2000/s\"\ncall = \"server\"\n[services.server]\nworkers = 4\n\
                 admit.concurrency-limit = \"{limit}\"\nwork = {{ exponential = \"4ms\" }}\n"
            ),
        );
        let book = station(&run, "server");
        assert!(book.busy_mean() > 3.6, "{limit}: {}", book.busy_mean());
        assert!(mean_ms(&book.wait) < 300.0, "{limit}: {}", mean_ms(&book.wait));
    }
}
