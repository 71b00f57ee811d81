//! Loads that cannot be played, and why.

use super::*;

/// Everything that is wrong with one client's load.
fn mistakes(load: &str) -> String {
    mistakes_with(load, "time,size\n0.1,5\n0.2,\n")
}

fn mistakes_with(load: &str, trace: &str) -> String {
    let text = format!("run.duration = \"10s\"\n[clients.a]\n{load}\nsend = \"b\"\n[services.b]\n");
    let mut files = source(&text);
    files.insert(PathBuf::from("dir/trace.csv"), trace.into());
    let loaded = Scenario::load(&files, Path::new("dir/s.toml"), &Overrides::default());
    match loaded.and_then(Plan::new) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.render(Style::Plain),
    }
}

const TRACE: &str = "trace = \"trace.csv\"";

#[test]
fn loads_of_all_kinds_can_be_planned() {
    for load in [
        "rate = \"5/s\"",
        "rate = { diurnal = { mean = \"5/s\" } }\narrivals = { gamma = 2 }",
        "rate = { steps = [[\"0s\", \"5/s\"]] }\narrivals = \"even\"\nphase = \"aligned\"",
        "rate = \"5/s\"\narrivals = { batches = { size = 3, sizes = \"geometric\" } }",
        "users = 4",
        TRACE,
    ] {
        assert_eq!(mistakes(load), "", "{load}");
    }
}

#[test]
fn a_trace_is_read_before_it_is_played() {
    let said = mistakes_with(TRACE, "time,size\n0.1,5\n0.05,7\n");
    assert_eq!(
        said,
        "\
error: `dir/trace.csv`, line 3, column `time`: 50ms comes after 100ms: rows are in the order of their times
 --> dir/s.toml:3:9
  |
3 | trace = \"trace.csv\"
  |         ^^^^^^^^^^^ named here"
    );
    for (trace, expected) in [
        ("time,user\n1,ann\n", "line 1: no column is called \"user\""),
        ("time\n1\n2,3\n", "line 3: 2 cells where the header has 1"),
        ("time\nnoon\n", "line 2, column `time`: expected seconds such as 1.25"),
        ("time\n11\n", "no row of `dir/trace.csv` is due from 0s to 10s"),
        ("time\n", "`dir/trace.csv`, it has no rows"),
    ] {
        let said = mistakes_with(TRACE, trace);
        assert!(said.contains(expected), "{trace}: {said}");
    }
}

#[test]
fn a_trace_that_is_not_there_is_a_file_that_cannot_be_read() {
    let (severities, said) =
        unloadable("run.duration = \"1s\"\n[clients.a]\ntrace = \"no.csv\"\nsend = \"b\"\n[services.b]\n");
    assert_eq!(severities, [Severity::Unreadable]);
    assert!(said.contains("cannot read `dir/no.csv`") && said.contains("dir/s.toml:3:9"), "{said}");
}

#[test]
fn where_bandwidth_counts_a_trace_may_say_the_sizes_of_all() {
    let network = "\nnetwork.bandwidth = \"1Mbit/s\"\n[clients.a]";
    let plan = |trace: &str| mistakes_with(TRACE, trace);
    assert_eq!(plan("time,size\n1,5\n2,\n"), "");
    let with_bandwidth = |trace: &str| {
        let text = format!("run.duration = \"10s\"{network}\n{TRACE}\nsend = \"b\"\n[services.b]\n");
        let mut files = source(&text);
        files.insert(PathBuf::from("dir/trace.csv"), trace.into());
        let loaded = Scenario::load(&files, Path::new("dir/s.toml"), &Overrides::default());
        loaded.and_then(Plan::new).map(|_| ()).map_err(|mistakes| mistakes.render(Style::Plain))
    };
    assert_eq!(with_bandwidth("time,size\n1,5\n2,7\n"), Ok(()));
    assert!(with_bandwidth("time,size\n1,5\n2,\n").unwrap_err().contains("how large is this message?"));
}

/// What is offered is known beforehand, whatever the rate does.
#[test]
fn a_load_beyond_all_patience_is_refused() {
    let endless = "rate = { ramp = { from = \"0/s\", to = \"1000000000000/s\", over = \"10s\" } }";
    assert!(mistakes(endless).contains("would offer about 5.0e12 messages"), "{}", mistakes(endless));
    let restless = "rate = \"5/s\"\narrivals = { on-off = { on = \"1ns\", off = \"1ns\" } }";
    let restless = format!("nodes = 10\n{restless}");
    assert!(mistakes(&restless).contains("nodes times changes are at most 5e8"), "{}", mistakes(&restless));
}

/// The place of a kind of message in the table has 16 bits. Eight ops of 9000 are too many, and that is said once.
#[test]
fn there_are_not_more_kinds_of_messages_than_have_numbers() {
    let ops: String = (0..8)
        .map(|op| {
            format!(
                "[services.a.ops.o{op}]\nsteps = [{{ repeat = {{ times = 9000, steps = [{{ send = \"b\" }}] }} }}]\n"
            )
        })
        .collect();
    let text = format!("run.duration = \"1s\"\n[clients.c]\nrate = \"1/s\"\ncall = \"a/o7\"\n[services.b]\n{ops}");
    let loaded = Scenario::load(&source(&text), Path::new("dir/s.toml"), &Overrides::default()).unwrap();
    let said = Plan::new(loaded).map(|_| ()).expect_err("too many").diagnostics;
    let said: Vec<_> = said.into_iter().map(|mistake| mistake.message).collect();
    assert_eq!(said, ["more than 65535 kinds of messages: every step that sends is one, each repeated one counted"]);
}

#[test]
fn a_program_has_not_more_steps_than_have_numbers() {
    let steps = "{ sleep = \"1ms\" },".repeat(10_001);
    let text = format!(
        "run.duration = \"1s\"\n[clients.c]\nrate = \"1/s\"\nsteps = [{steps}{{ call = \"b\" }}]\n[services.b]\n"
    );
    let loaded = Scenario::load(&source(&text), Path::new("dir/s.toml"), &Overrides::default()).unwrap();
    let said = Plan::new(loaded).map(|_| ()).expect_err("too many").diagnostics;
    assert!(said.len() == 1 && said[0].message.starts_with("more than 10000 steps"), "{said:?}");
}

fn said(text: &str) -> Vec<String> {
    let loaded = Scenario::load(
        &source(&format!("run.duration = \"1s\"\n{text}")),
        Path::new("dir/s.toml"),
        &Overrides::default(),
    );
    match loaded.and_then(Plan::new) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.diagnostics.into_iter().map(|mistake| mistake.message).collect(),
    }
}

/// A check each nanosecond is a billion in a second, of each member by each sender.
#[test]
fn checks_that_never_rest_are_refused() {
    let text =
        |key: &str| format!("[clients.c]\nnodes = 2\nrate = \"1/s\"\ncall = \"s\"\n{key}\n[services.s]\nnodes = 3\n");
    for (key, what) in [
        ("health = { probe = { interval = \"1ns\", timeout = \"1ns\" } }", "probe"),
        ("health = { phi-accrual = { interval = \"1ns\" } }", "heartbeat"),
        ("health = { swim = { period = \"2ns\", ping-timeout = \"1ns\" } }", "ping"),
        ("outlier-detection = { interval = \"1ns\" }", "outlier-detection"),
    ] {
        let said = said(&text(key));
        assert!(
            said.len() == 1 && said[0].starts_with("the health checks of `c`") && said[0].contains(what),
            "{key}: {said:?}"
        );
    }
    assert!(said(&text("health = { probe = { interval = \"1ms\", timeout = \"1ms\" } }")).is_empty());
}

#[test]
fn a_key_that_a_balancer_looks_for_is_not_lost_unsaid() {
    let text = |key: &str, below: &str| {
        format!(
            "[clients.c]\nrate = \"1/s\"\ncall = \"front\"\nkey = {{ uniform = 9 }}\n{key}\n[services.front]\nnodes = 2\n\
             steps = [{{ call = \"back\"{below} }}]\n[services.back]\nnodes = 4\nbalance = \"rendezvous\"\n"
        )
    };
    let message = |why| [format!("the balancer before `back` looks at keys, and {why} messages hand none down")];
    assert_eq!(said(&text("hedge = { delay = \"9ms\", tied = true }", "")), message("tied"));
    assert_eq!(said(&text("ordered = true", "")), message("ordered"));
    assert!(said(&text("hedge = { delay = \"9ms\" }", "")).is_empty());
    assert!(said(&text("ordered = true", ", key = { uniform = 9 }")).is_empty());
}
