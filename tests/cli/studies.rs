//! Sweeps and comparisons as a user meets them.

use std::fs;

use crate::home::{GOOD, Home, names};

/// A scenario with a sweep of two factors, two values each.
const STUDY: &str = r#"
extends = "good.toml"
[run]
runs = 3
[network]
loss = "1%"
[sweep]
services.api.work = ["1ms", "2ms"]
network.loss = ["0%", "10%"]
"#;

#[test]
fn a_sweep_plays_every_point_and_says_what_matters() {
    let home = Home::new();
    home.write("study.toml", STUDY);
    let ended = home.run(&["sweep", "study.toml"]).with(1);
    assert!(ended.out.contains("4 points") && ended.out.contains("What matters"), "{}", ended.out);
    let table = home.run(&["sweep", "study.toml", "--format", "csv"]).with(1).out;
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 5, "{table}");
    assert!(rows[0].starts_with("services.api.work,network.loss,runs,app.reliability,"), "{table}");
    assert!(rows[1].starts_with("1ms,0%,3,1.0,") && rows[4].starts_with("2ms,10%,3,"), "{table}");
    // A point alone is what it is among others.
    let alone = home.run(&[
        "sweep",
        "study.toml",
        "--only",
        "services.api.work=2ms",
        "--only",
        "network.loss=10%",
        "--format",
        "csv",
    ]);
    assert_eq!(alone.with(1).out.lines().nth(1), Some(rows[4]));
    let ended = home.run(&["sweep", "study.toml", "-o", "out"]).with(1);
    assert!(ended.err.contains("`out/report.html` is a page to read"), "{}", ended.err);
    assert_eq!(names(&home.path("out")), ["plots", "report.html", "sweep.csv", "sweep.json", "sweep.txt"]);
    assert_eq!(home.read("out/sweep.csv"), table);
    for (args, said) in [
        (vec!["good.toml"], "nothing says what to vary"),
        (vec!["study.toml", "--only", "network.los=1%"], "did you mean `network.loss`?"),
        (vec!["study.toml", "--only", "network.loss=7%"], "is never 7%; it is 0%, 10%"),
        (vec!["study.toml", "--sweep", "network.loss=3"], "takes a list of values or a range"),
        (vec!["study.toml", "--sweep", "service.api.work=[\"1ms\"]"], "unknown key `service`"),
        (vec!["study.toml", "--metric", "app.latency"], "say which is meant"),
    ] {
        let ended = home.run(&[&["sweep"], args.as_slice()].concat()).with(2);
        assert!(ended.err.contains(said), "{args:?}: {}", ended.err);
    }
}

/// What is measured and expected may be varied like all else: what a point does not have is left blank.
#[test]
fn points_of_a_sweep_may_have_other_columns() {
    let home = Home::new();
    home.write(
        "study.toml",
        STUDY.replace("services.api.work = [\"1ms\", \"2ms\"]\nnetwork.loss = [\"0%\", \"10%\"]", VARIED),
    );
    let table = home.run(&["sweep", "study.toml", "--format", "csv", "--inconclusive", "pass"]).out;
    let rows: Vec<Vec<_>> = table.lines().map(|row| row.split(',').collect()).collect();
    let header = rows[0].join(",");
    assert!(rows.len() == 5 && rows.iter().all(|row| row.len() == rows[0].len()), "{table}");
    let place = |name: &str| rows[0].iter().position(|column| *column == name).expect(&header);
    let (latency, goodput) = (place("app.latency.p50 (ns)"), place("app.goodput (1/s)"));
    assert!(!rows[1][latency].is_empty() && rows[1][goodput].is_empty(), "{table}");
    assert!(rows[3][latency].is_empty() && !rows[3][goodput].is_empty(), "{table}");
    let (loose, tight) = (place("app.latency.p90 < 1s"), place("app.latency.p90 < 1ms"));
    assert_eq!((rows[1][loose], rows[1][tight], rows[2][loose], rows[2][tight]), ("pass", "", "", "fail"), "{table}");
    let json = home.run(&["sweep", "study.toml", "--format", "json"]).json();
    assert!(json["points"][0]["quantities"]["app.goodput"]["value"].is_null(), "{json}");
    let ended = home.run(&["sweep", "study.toml", "-o", "out", "--study", "kept"]).with(1);
    assert!(ended.out.contains("app.goodput"), "{}", ended.out);
    assert_eq!(home.read("out/sweep.csv"), table);
    // What is asked for twice is shown once.
    let sweep = ["sweep", "good.toml", "--sweep", "network.loss=[\"0%\"]", "--format", "csv"];
    let table = home.run(&[&sweep[..], &["--metric", "app.goodput", "--metric", "app.goodput"]].concat());
    assert_eq!(table.with(0).out.lines().next().map(|row| row.matches("app.goodput (1/s) low").count()), Some(1));
}

const VARIED: &str = r#"run.metrics = [["app.latency.p50"], ["app.goodput"]]
expect."app.latency.p90" = ["< 1s", "< 1ms"]"#;

/// Stopped after its first runs, a study goes on; with more runs it keeps those that are there. Neither changes the outcome, and another
/// scenario is refused.
#[test]
fn a_study_goes_on_where_it_was() {
    let home = Home::new();
    home.write("study.toml", STUDY);
    let csv = |args: &[&str]| home.run(&[&["sweep", "study.toml", "--format", "csv"], args].concat()).with(1).out;
    csv(&["--study", "kept", "--runs", "1"]);
    let connection = rusqlite::Connection::open(home.path("kept/study.db")).expect("it is a database");
    let count =
        || connection.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, u32>(0)).expect("it has runs");
    assert_eq!(count(), 4);
    assert_eq!(csv(&["--study", "kept"]), csv(&[]));
    assert_eq!(count(), 12);
    // Played again, every run is looked up.
    connection.execute("UPDATE runs SET events = events", []).expect("nobody else writes");
    assert_eq!(csv(&["--study", "kept"]), csv(&[]));
    home.write(
        "study.toml",
        STUDY.replace("1ms", "3ms").replace("[network]\nloss", "[network]\nlatency = \"9ms\"\nloss"),
    );
    let ended = home.run(&["sweep", "study.toml", "--study", "kept"]).with(4);
    assert!(ended.err.contains("results of another scenario"), "{}", ended.err);
    assert_eq!(count(), 12);
    // What a file of data says is part of the scenario.
    let traced = STUDY.replace(
        "extends = \"good.toml\"",
        "extends = \"good.toml\"\nremove = [\"clients.app.rate\"]\nclients.app.trace = \"t.csv\"",
    );
    home.write("traced.toml", traced);
    home.write("t.csv", "time\n0.01\n0.02\n");
    home.run(&["sweep", "traced.toml", "--study", "traced", "--runs", "1"]);
    home.write("t.csv", "time\n0.01\n0.03\n");
    let ended = home.run(&["sweep", "traced.toml", "--study", "traced", "--runs", "1"]).with(4);
    assert!(ended.err.contains("has changed since"), "{}", ended.err);
    fs::create_dir(home.path("mine")).unwrap();
    home.write("mine/diary.txt", "mine");
    let ended = home.run(&["sweep", "study.toml", "--study", "mine"]).with(4);
    assert!(ended.err.contains("files that are no study"), "{}", ended.err);
}

#[test]
fn a_comparison_says_what_differs_and_by_how_much() {
    let home = Home::new();
    let seldom = "clients.app.rate=5/s";
    let ended = home.run(&["compare", "good.toml", "--runs", "5", "--set", seldom]).with(0);
    assert!(ended.out.contains("5 runs of each") && ended.out.contains("hopeless"), "{}", ended.out);
    // 19 ms of work more, each time.
    let slow = ended
        .out
        .lines()
        .find(|line| line.contains("app.latency.p50") && line.contains("higher"))
        .expect("it is slower");
    assert!(slow.contains("19ms") && slow.contains("worse"), "{slow}");
    let table = home.run(&["compare", "good.toml", "--with", "slow", "--runs", "5", "--format", "csv"]).with(0).out;
    assert!(table.lines().any(|row| row.starts_with("slow,app.goodput,")), "{table}");
    home.run(&["compare", "good.toml", "--with", "slow", "--margin", "5%"]).with(1);
    home.run(&["compare", "good.toml", "--with", "hopeless", "--margin", "5%"]).with(0);
    let ended = home.run(&["compare", "good.toml", "--with", "slwo"]).with(2);
    assert!(ended.err.contains("did you mean `slow`?"), "{}", ended.err);
    home.write("same.toml", GOOD);
    let ended = home.run(&["compare", "good.toml", "same.toml", "--runs", "2"]).with(0);
    assert!(ended.out.contains("the same") && !ended.out.contains("higher"), "{}", ended.out);
    let ended = home.run(&["compare", "same.toml", "--with", "slow", "--margin", "much"]).with(2);
    assert!(ended.err.contains("a share such as 5%"), "{}", ended.err);
}
