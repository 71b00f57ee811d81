//! Laws of time that hold in any scenario.

use rehearsal::base::time::{Span, ms, secs};
use rehearsal::metrics::Histogram;

use crate::study::{Study, flow, mean_ms, station};

/// A scenario whose every time is `unit` times a number.
fn scaled(unit: u64, work: &str) -> String {
    let time = |count: u64| format!("{}us", count * unit);
    format!(
        "[network]\nlatency = \"{}\"\nloss = \"20%\"\nduplicate = \"5%\"\n\
         [clients.source]\nrate = \"{}/s\"\narrivals = \"even\"\ncall = \"server\"\ntimeout = \"{}\"\nmax-attempts = 4\n\
         backoff = {{ exponential = {{ initial = \"{}\", max = \"{}\" }} }}\ncount = 2000\n\
         [services.server]\nworkers = 2\nwork = {}\nqueue.limit = 4\n",
        time(700),
        8_000.0 / unit as f64,
        time(3_000),
        time(500),
        time(1_000),
        work.replace("MEAN", &format!("\"{}\"", time(300))),
    )
}

fn times(histogram: &Histogram) -> Vec<(f64, u64)> {
    histogram.bars().collect()
}

/// Every time eight times as long and every rate an eighth: every latency is eight times as long, to the nanosecond, and
/// nothing else changes. Powers of two keep the floating point exact, and these times are whole nanoseconds.
#[test]
fn time_scales_exactly() {
    let [one, eight] = [1, 8].map(|unit| Study::exact(20, &scaled(unit, "MEAN")));
    let (one, eight) = (flow(&one, "source"), flow(&eight, "source"));
    assert_eq!((one.fates, one.attempts, one.copies), (eight.fates, eight.attempts, eight.copies));
    assert!(one.duplicates > 100 && one.confirmed < one.offered, "{one:?}");
    let stretched: Vec<_> = times(&one.latency).into_iter().map(|(time, count)| (time * 8.0, count)).collect();
    assert_eq!(stretched, times(&eight.latency));
}

/// Where times are drawn, each is rounded to a nanosecond: the scaled run agrees to a millionth or so.
#[test]
fn drawn_times_scale_up_to_rounding() {
    let [one, eight] = [1, 8].map(|unit| Study::exact(20, &scaled(unit, "{ exponential = MEAN }")));
    let (one, eight) = (flow(&one, "source"), flow(&eight, "source"));
    assert_eq!(one.fates, eight.fates);
    let ratio = mean_ms(&eight.latency) / mean_ms(&one.latency);
    assert!((ratio / 8.0 - 1.0).abs() < 1e-5, "{ratio}");
}

/// Without loss or noise nothing comes again, nothing comes twice, and latency is the sum of its parts: four ways of 2 ms,
/// work of 3, 5 and 1 ms, 17 ms.
#[test]
fn without_noise_latency_is_the_sum_of_its_parts() {
    let run = Study::exact(
        20,
        r#"
        [network]
        latency = "2ms"
        [policies.default]
        timeout = "100ms"
        max-attempts = 3
        [clients.source]
        rate = "40/s"
        arrivals = "even"
        phase = "aligned"
        call = "api"
        [services.api]
        steps = [{ work = "3ms" }, { call = "store" }, { work = "1ms" }]
        [services.store]
        work = "5ms"
        "#,
    );
    for (name, expected) in [("source", ms(17)), ("api->store", ms(9))] {
        let book = flow(&run, name);
        assert_eq!((book.offered, book.attempts, book.copies, book.duplicates), (800, 800, 800, 0));
        assert_eq!(times(&book.latency), [(expected.as_nanos() as f64, 800)]);
    }
    assert_eq!(station(&run, "store").wait.max(), Some(Span::ZERO));
}

/// A server that stands still for a second delays 100 requests of an open load of 100/s, by half a second in the mean; a user
/// who waits for each answer would have met it once. The requests come 5 ms after the full hundredths, so they wait 995, 985,
/// ... 5 ms, and one microsecond for each one before them.
#[test]
fn an_open_load_meets_the_whole_stall() {
    let stalled = |load: &str| {
        Study::exact(
            20,
            &format!(
                "[clients.stall]\nrate = \"1/s\"\narrivals = \"even\"\nphase = \"aligned\"\nfrom = \"5s\"\ncount = 1\ncall = \
                 \"server/stall\"\n[clients.source]\n{load}\ncall = \"server\"\n[services.server]\nwork = \"1us\"\n\
                 [services.server.ops.stall]\nwork = \"1s\"\n"
            ),
        )
    };
    let late =
        |histogram: &Histogram| -> Vec<(f64, u64)> { histogram.bars().filter(|(time, _)| *time > 4e6).collect() };
    let open = stalled("rate = \"100/s\"\narrivals = \"even\"\nphase = \"aligned\"\nfrom = \"5ms\"");
    let delayed = late(&flow(&open, "source").latency);
    let count: u64 = delayed.iter().map(|(_, count)| count).sum();
    let sum: f64 = delayed.iter().map(|(time, count)| time * *count as f64).sum();
    assert_eq!(count, 100);
    let expected = ms(500).as_nanos() as f64 + 51e3;
    assert!((sum / 100.0 - expected).abs() < 5e3, "{}", sum / 100.0);

    let closed = stalled("users = 1\nthink = \"10ms\"");
    let delayed = late(&flow(&closed, "source").latency);
    assert_eq!(delayed.iter().map(|(_, count)| count).sum::<u64>(), 1);
    assert!(delayed[0].0 <= secs(1).as_nanos() as f64 + 1e6);
}
