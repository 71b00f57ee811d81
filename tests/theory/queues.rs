//! Queues of one station and of several, from Erlang to Jackson.

use rehearsal::process::Outcome;

use crate::study::{Study, flow, mean_ms, ratio, refused, station, waited};

/// What M/M/1 with work of 1 ms is known to do.
struct Mm1 {
    seconds: u32,
    rho: f64,
    /// W and L, and the c of both.
    sojourn: f64,
    present: f64,
    c_mean: f64,
    /// The c of the share that waits, and of the utilisation.
    c_share: f64,
    /// Percentile, sojourn, c.
    quantiles: [(f64, f64, f64); 3],
}

/// W = 1 / (mu - lambda), L = rho / (1 - rho), a share rho waits, and the sojourn is exponential of rate mu - lambda, so its
/// p-quantile is -ln(1 - p) / (mu - lambda). Kleinrock, Queueing Systems I (1975), section 3.2.
fn mm1(known: &Mm1) {
    let Mm1 { seconds, rho, sojourn, present, c_mean, c_share, quantiles } = *known;
    let rate = 1_000.0 * rho;
    let study = Study::of(
        seconds,
        1,
        &format!(
            "[clients.source]\nrate = \"{rate}/s\"\nsend = \"server\"\n\
             [services.server]\nwork = {{ exponential = \"1ms\" }}\n"
        ),
    );
    study.mean("W", sojourn, c_mean, |run| mean_ms(&station(run, "server").residence));
    study.mean("L", present, c_mean, |run| station(run, "server").present_mean());
    study.mean("waits", rho, c_share, |run| waited(station(run, "server")));
    study.mean("utilisation", rho, c_share, |run| station(run, "server").busy_mean());
    for (p, quantile, c) in quantiles {
        study.tail(&format!("p{p}"), p, (quantile, 1.0 - rho), c, |run| &station(run, "server").residence);
    }
    study.littles_law();
}

#[test]
fn mm1_half_loaded() {
    mm1(&Mm1 {
        seconds: 125,
        rho: 0.5,
        sojourn: 2.0,
        present: 1.0,
        c_mean: 3.0,
        c_share: 1.8,
        quantiles: [(0.5, 1.38629, 2.7), (0.9, 4.60517, 3.4), (0.99, 9.21034, 6.5)],
    });
}

#[test]
fn mm1_at_four_fifths() {
    mm1(&Mm1 {
        seconds: 101,
        rho: 0.8,
        sojourn: 5.0,
        present: 4.0,
        c_mean: 9.0,
        c_share: 1.7,
        quantiles: [(0.5, 3.46574, 7.0), (0.9, 11.5129, 10.2), (0.99, 23.0259, 22.0)],
    });
}

/// M/D/1 at rho = 0.8: Wq = rho d / (2 (1 - rho)) = 2; quantiles by P(Wq <= t) = (1 - rho) sum over k <= t/d of
/// (lambda (k d - t))^k / k! e^(-lambda (k d - t)). Erlang 1909, Crommelin 1932. The tail falls by e per 2.321 (the root 0.4308
/// of lambda (e^x - 1) = x).
#[test]
fn md1_at_four_fifths() {
    let study = Study::of(
        101,
        1,
        r#"
        [clients.source]
        rate = "800/s"
        send = "server"
        [services.server]
        work = "1ms"
        "#,
    );
    study.mean("W", 3.0, 5.4, |run| mean_ms(&station(run, "server").residence));
    study.mean("Wq", 2.0, 8.1, |run| mean_ms(&station(run, "server").wait));
    for (p, quantile, c) in [(0.5, 2.27594, 4.0), (0.9, 6.01151, 7.0), (0.99, 11.3559, 15.2)] {
        study.tail(&format!("p{p}"), p, (quantile, 0.4308), c, |run| &station(run, "server").residence);
    }
    study.littles_law();
}

/// M/G/1: Wq = lambda E[S^2] / (2 (1 - rho)), at lambda = 0.7 and a mean of 1. Hyperexponential, 0.9 of mean 0.5 and 0.1 of
/// mean 5.5: E[S^2] = 6.5, Wq = 7.58333. Uniform on 0 to 2: E[S^2] = 4/3, Wq = 1.55556. Pollaczek 1930, Khinchine 1932.
#[test]
fn mg1_waits_as_pollaczek_and_khinchine_say() {
    let cases = [
        (r#"{ mixture = [[0.9, { exponential = "0.5ms" }], [0.1, { exponential = "5.5ms" }]] }"#, 7.58333, 16.0),
        (r#"{ uniform = ["0ms", "2ms"] }"#, 1.55556, 6.6),
    ];
    for (work, expected, c) in cases {
        let study = Study::of(
            103,
            3,
            &format!("[clients.source]\nrate = \"700/s\"\nsend = \"server\"\n[services.server]\nwork = {work}\n"),
        );
        study.mean("Wq", expected, c, |run| mean_ms(&station(run, "server").wait));
        study.mean("waits", 0.7, 2.0, |run| waited(station(run, "server")));
    }
}

/// M/M/2 at rho = 0.9, Erlang C: a share C = c B / (c - a (1 - B)) = 0.852632 waits, Wq = C / (c mu - lambda) = 4.26316.
/// Erlang 1917. The tail falls at c mu - lambda = 0.2.
#[test]
fn mm2_at_nine_tenths() {
    let study = Study::of(
        54,
        4,
        r#"
        [clients.source]
        rate = "1800/s"
        send = "server"
        [services.server]
        workers = 2
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("waits", 0.852632, 2.3, |run| waited(station(run, "server")));
    study.mean("Wq", 4.26316, 22.2, |run| mean_ms(&station(run, "server").wait));
    study.mean("W", 5.26316, 18.1, |run| mean_ms(&station(run, "server").residence));
    study.tail("p99", 0.99, (23.3444, 0.2), 43.0, |run| &station(run, "server").residence);
    study.littles_law();
}

/// M/M/10 at rho = 0.8, Erlang C: 0.40918 wait, Wq = 0.20459. The sojourn's tail is e^-t (1 + C (1 - e^-t)): at the 99 %
/// quantile it falls at 1. Erlang 1917.
#[test]
fn mm10_at_four_fifths() {
    let study = Study::of(
        11,
        1,
        r#"
        [clients.source]
        rate = "8000/s"
        send = "server"
        [services.server]
        workers = 10
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("waits", 0.40918, 6.5, |run| waited(station(run, "server")));
    study.mean("Wq", 0.20459, 17.8, |run| mean_ms(&station(run, "server").wait));
    study.mean("W", 1.20459, 3.5, |run| mean_ms(&station(run, "server").residence));
    study.tail("p99", 0.99, (4.94611, 1.0), 4.0, |run| &station(run, "server").residence);
    study.littles_law();
}

/// Erlang B: 15 servers, no room to wait, 10 erlang. B_k = a B_(k-1) / (k + a B_(k-1)), B_0 = 1, gives 0.0364969, whatever the
/// law of the service (Erlang 1917; Sevastyanov 1957).
#[test]
fn erlang_b_does_not_depend_on_the_law_of_service() {
    for (work, c) in [(r#"{ exponential = "1ms" }"#, 12.7), (r#""1ms""#, 7.3)] {
        let study = Study::of(
            11,
            1,
            &format!(
                "[clients.source]\nrate = \"10000/s\"\nsend = \"server\"\n[services.server]\nworkers = 15\n\
                 queue.limit = 0\nwork = {work}\n"
            ),
        );
        study.mean("loss", 0.0364969, c, |run| refused(station(run, "server"), Outcome::Rejected));
        study.littles_law();
    }
}

/// M/M/1/5, five in the system at most: the birth-death chain cut at 5. At lambda = 0.8 a share 0.0888195 is turned away,
/// L = 1.86833, W = L / (lambda (1 - loss)) = 2.56307. Gross, Shortle, Thompson, Harris, Fundamentals of Queueing Theory.
#[test]
fn mm1_with_room_for_five() {
    for (queue, refusal) in [
        (r#"{ limit = 4 }"#, Outcome::Rejected),
        (r#"{ limit = 5, counts = "present", when-full = "drop" }"#, Outcome::Discarded),
    ] {
        let study = Study::of(
            51,
            1,
            &format!(
                "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\nqueue = {queue}\n\
                 work = {{ exponential = \"1ms\" }}\n"
            ),
        );
        study.mean("loss", 0.0888195, 6.1, |run| refused(station(run, "server"), refusal));
        study.mean("L", 1.86833, 2.3, |run| station(run, "server").present_mean());
        study.mean("W", 2.56307, 2.3, |run| mean_ms(&station(run, "server").residence));
        study.littles_law();
    }
}

/// M/M/2/5 with lambda = 3 and mu = 2: loss 0.0851138, L = 2.00595, Wq = 0.230858 (the birth-death chain; printed in the unit
/// tests of the Octave package `queueing`, qsmmmk.m).
#[test]
fn mm2_with_room_for_five() {
    let study = Study::of(
        21,
        1,
        r#"
        [clients.source]
        rate = "3000/s"
        send = "server"
        [services.server]
        workers = 2
        queue = { limit = 5, counts = "present" }
        work = { exponential = "0.5ms" }
        "#,
    );
    study.mean("loss", 0.0851138, 5.6, |run| refused(station(run, "server"), Outcome::Rejected));
    study.mean("L", 2.00595, 1.8, |run| station(run, "server").present_mean());
    study.mean("Wq", 0.230858, 5.0, |run| mean_ms(&station(run, "server").wait));
    study.littles_law();
}

/// Three queues in tandem: each is an M/M/1 of its own, W_i = 1 / (mu_i - 0.6) = 2.5, 5, 1.66667, in all 9.16667 (Jackson 1957),
/// because departures are Poisson again (Burke 1956).
#[test]
fn three_queues_in_tandem() {
    let study = Study::of(
        102,
        2,
        r#"
        [clients.source]
        rate = "600/s"
        send = "one"
        [services.one]
        steps = [{ work = { exponential = "1ms" } }, { send = "two" }]
        [services.two]
        steps = [{ work = { exponential = "1.25ms" } }, { send = "three" }]
        [services.three]
        work = { exponential = "833333ns" }
        "#,
    );
    let stations = [("one", 2.5, 4.3), ("two", 5.0, 7.0), ("three", 1.66667, 3.0)];
    for (name, expected, c) in stations {
        study.mean(name, expected, c, |run| mean_ms(&station(run, name).residence));
    }
    study.mean("all", 9.16667, 4.3, |run| {
        stations.iter().map(|(name, ..)| mean_ms(&station(run, name).residence)).sum()
    });
    study.littles_law();
}

/// Ten users who think for 9 and ask a server that takes 1: the birth-death chain of those at the server gives
/// X = (N - L) / z = 0.832037 and R = L / X = 3.0187. Machine repair, M/M/1//N: Kleinrock I, section 3.8.
#[test]
fn a_closed_loop_of_ten_users() {
    let study = Study::of(
        51,
        1,
        r#"
        [clients.source]
        users = 10
        think = { exponential = "9ms" }
        call = "server"
        [services.server]
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("X", 0.832037, 0.9, |run| {
        let (from, to) = run.measured;
        flow(run, "source").confirmed as f64 / (to.since(from).as_secs_f64() * 1e3)
    });
    study.mean("R", 3.0187, 2.5, |run| mean_ms(&flow(run, "source").latency));
    study.littles_law();
}

/// D/M/1, arrivals every 1.25: sigma = e^(-1.25 (1 - sigma)) = 0.62863 wait, and the sojourn is exponential of mean
/// 1 / (1 - sigma) = 2.69273. Kleinrock I, chapter 6 (G/M/1).
#[test]
fn dm1_at_four_fifths() {
    let study = Study::of(
        101,
        1,
        r#"
        [clients.source]
        rate = "800/s"
        arrivals = "even"
        send = "server"
        [services.server]
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("W", 2.69273, 6.1, |run| mean_ms(&station(run, "server").residence));
    study.mean("waits", 0.62863, 2.3, |run| waited(station(run, "server")));
    study.tail("p99", 0.99, (12.4005, 0.371371), 14.0, |run| &station(run, "server").residence);
    study.littles_law();
}

/// M/G/infinity: as many as come are at work at once; their number is Poisson of mean lambda E[D] = 40/s x 250 ms = 10,
/// whatever the law (Takacs 1962).
#[test]
fn a_server_without_limit_holds_rate_times_duration() {
    let study = Study::of(
        1_005,
        5,
        r#"
        [clients.source]
        rate = "40/s"
        send = "server"
        [services.server]
        workers = "unlimited"
        work = { lognormal = { mean = "250ms", sd = "250ms" } }
        "#,
    );
    study.mean("L", 10.0, 1.6, |run| station(run, "server").present_mean());
    study.littles_law();
}

/// A request that fails with 0.2 comes again at the tail of the queue, at once: M/M/1 with feedback. In all it takes
/// 1 / (mu (1 - p) - lambda) = 5 and 1 / (1 - p) = 1.25 visits (Jackson 1957; visits geometric, sd sqrt(p) / (1 - p)).
#[test]
fn retries_are_a_queue_with_feedback() {
    let study = Study::of(
        102,
        2,
        r#"
        [clients.source]
        rate = "600/s"
        call = "server"
        max-attempts = "unlimited"
        [services.server]
        steps = [{ work = { exponential = "1ms" } }, { fail = 0.2 }]
        "#,
    );
    study.mean("T", 5.0, 7.0, |run| mean_ms(&flow(run, "source").latency));
    study.mean("visits", 1.25, libm::sqrt(0.2), |run| ratio(flow(run, "source").attempts, flow(run, "source").offered));
}

/// D/D/1: ten arrive 1 apart and take 1.5 each: the k-th waits 0.5 k, the last 4.5, and leaves at 15. If they take 1, nobody
/// waits. Arithmetic.
#[test]
fn dd1_is_exact() {
    let run = |work: &str| {
        Study::exact(
            1,
            &format!(
                "[clients.source]\nrate = \"1000/s\"\narrivals = \"even\"\nphase = \"aligned\"\ncount = 10\nsend = \
                 \"server\"\n[services.server]\nwork = \"{work}\"\n"
            ),
        )
    };
    let slow = run("1.5ms");
    let waits: Vec<(f64, u64)> = station(&slow, "server").wait.bars().collect();
    // The first begins two nanoseconds after time zero, one to be due and one on its way, and so do those after it: only the
    // first is due too late by one of them.
    let expected: Vec<(f64, u64)> = (0..10).map(|k| (f64::from(k) * 5e5 + if k > 0 { 1.0 } else { 0.0 }, 1)).collect();
    assert_eq!(waits, expected);
    assert_eq!(slow.end.as_nanos() / 1_000, 15_000);
    let fast = run("1ms");
    assert!(station(&fast, "server").wait.max().is_some_and(|wait| wait.as_nanos() <= 1), "{fast:?}");
}
