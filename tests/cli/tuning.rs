//! Tuning as a user meets it.

use crate::home::{GOOD, Home, names};

const TUNE: &str = r#"
extends = "good.toml"
[run]
duration = "8s"
runs = 8
[tune]
minimise = "app.latency.p50"
subject-to = { "app.reliability" = ">= 99%" }
[tune.over]
services.api.work = ["4ms", "1ms", "2ms"]
network.loss = ["0%", "10%"]
"#;

#[test]
fn tuning_says_which_setting_is_best_and_how_to_use_it() {
    let home = Home::new();
    home.write("tune.toml", TUNE);
    let ended = home.run(&["tune", "tune.toml"]).with(0);
    assert!(ended.out.contains("minimise app.latency.p50  subject to app.reliability >= 99%"), "{}", ended.out);
    assert!(ended.out.contains("--set services.api.work=1ms --set network.loss=0%"), "{}", ended.out);
    assert!(ended.out.contains("breaks a condition after 4") && ended.out.contains("surely worse"), "{}", ended.out);
    let table = home.run(&["tune", "tune.toml", "--format", "csv"]).with(0).out;
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 7, "{table}");
    assert!(rows[0].starts_with("services.api.work,network.loss,runs,app.latency.p50 (ns),"), "{table}");
    assert!(rows[3].starts_with("1ms,0%,8,") && rows[3].contains(",best,"), "{table}");
    let ended = home.run(&["tune", "tune.toml", "-o", "out"]).with(0);
    assert!(ended.err.contains("`out/report.html` is a page to read"), "{}", ended.err);
    assert_eq!(names(&home.path("out")), ["best.toml", "plots", "report.html", "tune.csv", "tune.json", "tune.txt"]);
    assert_eq!(home.read("out/tune.csv"), table);
    // The best values are a file that another one can start from.
    home.write("tuned.toml", "extends = [\"good.toml\", \"out/best.toml\"]");
    home.run(&["run", "tuned.toml"]).with(0);
    let json = home.run(&["tune", "tune.toml", "--format", "json"]).with(0).json();
    assert_eq!((&json["best"], &json["candidates"][2]["reason"]), (&2.into(), &"best".into()));
    // With one run there is nothing but values.
    let ended = home.run(&["tune", "tune.toml", "--runs", "1"]).with(0);
    assert!(ended.out.contains("nothing of chance"), "{}", ended.out);
    let ended = home.run(&["tune", "tune.toml", "--maximise", "app.latency.p50"]).with(0);
    assert!(ended.out.contains("--set services.api.work=4ms"), "{}", ended.out);
}

#[test]
fn where_nothing_keeps_to_the_conditions_tuning_is_1_and_says_what_is_nearest() {
    let home = Home::new();
    home.write("tune.toml", TUNE.replace("\"app.reliability\" = \">= 99%\"", "\"app.latency.p90\" = \"< 10500us\""));
    let ended = home.run(&["tune", "tune.toml"]).with(1);
    assert!(ended.out.contains("Nothing keeps to all conditions") && ended.out.contains("work=1ms"), "{}", ended.out);
    // Where nothing arrives, all are as far from what they have to be.
    home.write("tune.toml", TUNE.replace("[\"0%\", \"10%\"]", "[\"100%\"]"));
    let ended = home.run(&["tune", "tune.toml"]).with(1);
    assert!(ended.out.contains("none is nearer than this"), "{}", ended.out);
    assert!(ended.out.contains("The values of 2 others are as far"), "{}", ended.out);
    // At 50 arrivals per second, give or take some, 51 are not surely more.
    let unsure = TUNE.replace("\"app.reliability\" = \">= 99%\"", "\"app.goodput\" = \"<= 51/s\"");
    home.write("tune.toml", unsure.replace("[\"0%\", \"10%\"]", "[\"0%\"]"));
    home.run(&["tune", "tune.toml"]).with(3);
    home.run(&["tune", "tune.toml", "--inconclusive", "pass"]).with(0);
}

/// Four runs of 120 requests that are all answered do not say that 99.9 % are: a twelfth of a percent lost would look the same as often.
#[test]
fn runs_that_happen_to_agree_are_not_sure() {
    let home = Home::new();
    home.write("few.toml", GOOD.replace("99%", "99.9%"));
    let ended = home.run(&["run", "few.toml", "--runs", "4"]).with(3);
    // z² / (n + z²) is a thousandth with 3838 requests, of which a run has a hundred.
    assert!(ended.out.contains("about 34 more runs would decide"), "{}", ended.out);
    home.run(&["run", "few.toml", "--runs", "60"]).with(0);
    // What cannot be more than it is, is what it is.
    home.write("all.toml", GOOD.replace("99%", "100%"));
    home.run(&["run", "all.toml", "--runs", "4"]).with(0);
    // One loses a message in a thousand each way and is faster; the other keeps to the condition.
    home.write(
        "sure.toml",
        r#"
        run = { duration = "2s" }
        clients.app = { rate = "60/s", call = "api", timeout = "500ms" }
        services.api = { workers = 2, work = { exponential = "8ms" } }
        [tune]
        minimise = "app.latency.p50"
        subject-to = { "app.reliability" = ">= 99.9%" }
        [tune.over]
        network = [{ latency = "1ms", loss = "0.1%" }, { latency = "5ms", loss = "0%" }]
        "#,
    );
    for seed in 1..=20 {
        let out = home.run(&["tune", "sure.toml", "--seed", &seed.to_string(), "--format", "csv"]).out;
        assert!(!out.contains(",worse,"), "{seed}: {out}");
    }
}

/// The 99th percentile of a run in which more than a hundredth was lost is infinite, and then there is no interval.
#[test]
fn what_has_no_interval_is_not_sure() {
    let home = Home::new();
    home.write(
        "luck.toml",
        r#"
        run = { duration = "2s" }
        network = { latency = "1ms", loss = "0.4%" }
        policies.default.timeout = "500ms"
        clients.app = { rate = "60/s", call = "api" }
        services.api = { workers = 2, work = { exponential = "8ms" } }
        [tune]
        minimise = "api.busy"
        subject-to = { "app.latency-all.p99" = "<= 100ms" }
        [tune.over]
        services.api.workers = [2, 3, 4]
        "#,
    );
    for seed in 1..=3 {
        let out = home.run(&["tune", "luck.toml", "--seed", &seed.to_string(), "--format", "csv"]).out;
        assert!(!out.contains(",infeasible,") && !out.contains(",worse,"), "{seed}: {out}");
    }
    // Nor are settings told apart by it.
    let luck = home.read("luck.toml").replace("api.busy", "app.latency-all.p99");
    let luck = luck.replace("services.api.workers = [2, 3, 4]", "network.loss = [\"0.2%\", \"0.3%\", \"0.4%\"]");
    home.write("luck.toml", luck);
    let out = home.run(&["tune", "luck.toml"]).out;
    assert!(out.contains("2 others have too few runs with a value to be compared"), "{out}");
    assert!(out.contains("untested") && !out.contains("worse or break"), "{out}");
}

/// What decides about a value with a tolerance are the edges of that, and a value in its middle is as good as can be.
#[test]
fn what_is_missing_is_measured_from_the_edges_of_a_tolerance() {
    let home = Home::new();
    let runs = |demand: &str| {
        let expect = format!("expect.\"app.offered\"='{demand}'");
        let out = home.run(&["run", "good.toml", "--runs", "4", "--set", &expect]).with(3).out;
        let (before, _) = out.split_once(" more runs would decide").unwrap_or_else(|| panic!("{out}"));
        before.rsplit(' ').next().and_then(|word| word.parse::<u32>().ok()).unwrap_or_else(|| panic!("{out}"))
    };
    let table = home.run(&["run", "good.toml", "--runs", "4", "--format", "csv"]).with(0).out;
    let row = table.lines().find(|row| row.starts_with("all,app,offered,rate,")).expect("there is a rate");
    let rate = row.split(',').nth(4).expect("it has a value");
    assert!(runs(&format!("== {rate}/s +- 1%")) > 1);
    // The further the edges are from the value, the fewer.
    assert!(runs(&format!("== {rate}/s +- 2%")) < runs(&format!("== {rate}/s +- 1%")));
}

#[test]
fn what_is_wrong_with_tuning_is_2() {
    let home = Home::new();
    home.write("tune.toml", TUNE);
    home.run(&["check", "tune.toml"]).with(0);
    for (change, to, said) in [
        ("[tune]", "[tuna]", "did you mean `tune`?"),
        ("minimise = \"app.latency.p50\"", "", "does not say what is to be best"),
        ("minimise", "minimize", "did you mean `minimise`?"),
        ("app.latency.p50", "app.latency", "say which is meant"),
        ("app.latency.p50", "ap.latency.p50", "did you mean `app`?"),
        ("[tune]", "[tune]\nmaximise = \"app.goodput\"", "has both `minimise` and `maximise`"),
        ("{ \"app.reliability\" =", "{ app.reliability =", "quote it"),
        (">= 99%", ">= 99ms", "compares with a share"),
        ("[tune]", "[tune]\ncandidates = 0", "candidates"),
        ("[tune]", "[tune]\ncandidates = 1000000", "at most 10000 candidates"),
        ("services.api.work = [\"4ms\", \"1ms\", \"2ms\"]\nnetwork.loss = [\"0%\", \"10%\"]", "", "varies nothing"),
        ("[\"0%\", \"10%\"]", "\"0%\"", "takes a list of values or a range"),
        ("[\"0%\", \"10%\"]", "[\"0%\", \"often\"]", ", network.loss = often:"),
        ("[tune.over]", "[tune.over]\ndesign = \"full\"", "has no `design`"),
        ("[tune.over]", "[tune.over]\nrun.seed = [1, 2]", "the same for all that are tried"),
        ("[tune.over]", "[tune.over]\nrun = [{ seed = 1 }, { seed = 2 }]", "`run` says what `run.seed` is"),
        (
            "runs = 8\n[tune]",
            "runs = 8\nseed = \"$luck\"\n[params]\nluck = 1\n[tune.over.params]\nluck = [1, 2]\n[tune]",
            "`params.luck` says what `run.seed` is",
        ),
        ("[tune.over]", "[tune.over]\nconstraints = \"network.los > 10%\"", "did you mean `network.loss`?"),
        ("[tune.over]", "[tune.over]\nconstraints = \"network.loss > 10%\"", ""),
    ] {
        assert!(TUNE.contains(change), "{change}");
        home.write("wrong.toml", TUNE.replacen(change, to, 1));
        let ended = home.run(&["tune", "wrong.toml"]).with(2);
        assert!(ended.err.contains(said), "{change}: {}", ended.err);
        if !said.is_empty() {
            let ended = home.run(&["check", "wrong.toml"]).with(2);
            assert!(ended.err.contains(said), "{change}: {}", ended.err);
        }
    }
    let ended = home.run(&["tune", "wrong.toml"]).with(2);
    assert!(ended.err.contains("no candidate is left"), "{}", ended.err);
    let ended = home.run(&["tune", "good.toml"]).with(2);
    assert!(ended.err.contains("nothing says what to tune"), "{}", ended.err);
    let ended = home.run(&["explain", "tune.subject-to"]).with(0);
    assert!(ended.out.contains("What has to hold"), "{}", ended.out);
}

/// What a study has kept is not played again, whether by the same command or by one that plays more.
#[test]
fn tuning_goes_on_where_it_was() {
    let home = Home::new();
    home.write("tune.toml", TUNE);
    let csv = |args: &[&str]| home.run(&[&["tune", "tune.toml", "--format", "csv"], args].concat()).with(0).out;
    csv(&["--study", "kept", "--runs", "4"]);
    let connection = rusqlite::Connection::open(home.path("kept/study.db")).expect("it is a database");
    let count =
        || connection.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, u32>(0)).expect("it has runs");
    assert_eq!(count(), 24);
    assert_eq!(csv(&["--study", "kept"]), csv(&[]));
    let all = count();
    assert!((25..48).contains(&all), "{all}");
    assert_eq!(csv(&["--study", "kept"]), csv(&[]));
    assert_eq!(count(), all);
}
