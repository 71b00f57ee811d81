//! Plots that are drawn of what is stored, as a user has them drawn.

mod home;

use std::fs;

use home::{GOOD, Home, names};

/// Plots are functions of the tables, so those that are drawn of a stored report are the ones that it was written with.
#[test]
fn plots_are_drawn_again_from_the_tables() {
    let home = Home::new();
    home.run(&["run", "good.toml", "--runs", "5", "-o", "out"]).with(0);
    let before = plots(&home, "out/plots");
    home.write("out/plots/latency.svg", "spoilt");
    home.run(&["plot", "out"]).with(0);
    assert!(plots(&home, "out/plots") == before, "the same bytes");
    let ended = home.run(&["plot", "out", "-o", "deep/pictures"]).with(0);
    assert!(ended.err.contains("6 plots are in `deep/pictures`"), "{}", ended.err);
    assert!(plots(&home, "deep/pictures") == before, "the same bytes");
    // What is there is not overwritten, and nothing but pictures is replaced.
    home.run(&["plot", "out", "-o", "deep/pictures"]).with(4);
    home.run(&["plot", "out", "-o", "deep/pictures", "--force"]).with(0);
    home.write("out/plots/notes.txt", "mine");
    let ended = home.run(&["plot", "out"]).with(4);
    assert!(ended.err.contains("notes.txt` is no part of a report"), "{}", ended.err);
    assert_eq!(home.names(), ["deep", "good.toml", "out"]);
}

/// The bytes of all plots of a report.
fn plots(home: &Home, folder: &str) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| (name.clone(), fs::read(home.path(folder).join(name)).expect("it is there"));
    names(&home.path(folder)).into_iter().map(read).collect()
}

/// What a sweep over two factors, one that was drawn to fill a space, a comparison and a tuning have drawn.
#[test]
fn plots_of_studies_are_drawn_again_too() {
    let home = Home::new();
    let study = |kind: &str| format!("{GOOD}\n[{kind}]\n");
    let loads = r#"clients.app.rate = ["50/s", "100/s", "200/s"]"#;
    let works = r#"services.api.work = { from = "1ms", to = "9ms", step = "4ms" }"#;
    home.write("sweep.toml", format!("{}{loads}\n{works}\n", study("sweep")));
    let tune =
        format!("{}minimise = \"app.latency.p99\"\nsubject-to = {{ \"app.goodput\" = \"> 10/s\" }}\n", study("tune"));
    home.write("tune.toml", format!("{tune}[tune.over]\n{loads}\n{works}\n"));
    let shown = ["--runs", "3", "--metric", "app.latency.p99", "--metric", "app.offered", "--metric", "app.goodput"];
    let sweep = [&["sweep", "sweep.toml", "-o", "sweep", "--inconclusive", "pass"], &shown[..]].concat();
    let compare = [&["compare", "good.toml", "-o", "compare"], &shown[..]].concat();
    let tune = ["tune", "tune.toml", "-o", "tune", "--runs", "4"];
    for args in [&sweep[..], &compare, &tune] {
        let folder = args[3];
        home.run(args).with(0);
        let before = plots(&home, &format!("{folder}/plots"));
        home.run(&["plot", folder, "-o", "again", "--force"]).with(0);
        assert!(before.len() >= 4 && plots(&home, "again") == before, "{folder}: the same bytes");
    }
}

#[test]
fn what_is_no_report_is_not_drawn() {
    let home = Home::new();
    home.run(&["plot", "nowhere"]).with(4);
    home.run(&["plot", "good.toml"]).with(4);
    let ended = home.run(&["plot", "."]).with(2);
    assert!(ended.err.contains("`.` holds no report"), "{}", ended.err);
    home.run(&["run", "good.toml", "-o", "out"]).with(0);
    let table = home.read("out/timeline.csv");
    home.write("out/timeline.csv", table.replacen("all,app,0.0,", "all,app,soon,", 1));
    let ended = home.run(&["plot", "out"]).with(2);
    let said = "`out` cannot be drawn: `timeline.csv`, line 2: found `soon` in the column `start_s`";
    assert!(ended.err.contains(said), "{}", ended.err);
    assert!(names(&home.path("out")).contains(&"plots".to_owned()));
    fs::remove_file(home.path("out/timeline.csv")).expect("it is there");
    let ended = home.run(&["plot", "out"]).with(2);
    assert!(ended.err.contains("there is no `timeline.csv`"), "{}", ended.err);
}

/// The mean of the workers at work over the steps of the measured time is the mean that the summary has, as whole steps make it up.
#[test]
fn curves_and_summary_say_the_same_of_services() {
    let home = Home::new();
    let set = ["--set", "run.warmup=0.5s", "--set", "services.api.workers=2", "--set", "services.api.nodes=3"];
    home.run(&[&["run", "good.toml", "--seed", "7", "-o", "out", "--inconclusive", "pass"], &set[..]].concat()).with(0);
    let summary: serde_json::Value = serde_json::from_str(&home.read("out/summary.json")).expect("JSON");
    let mean = summary["total"]["stations"][0]["metrics"]["busy"]["mean"].as_f64().expect("a number");
    let table = home.read("out/utilisation.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|field| field == name).expect("it is there");
    let number = |row: &csv::StringRecord, name: &str| row[column(name)].parse::<f64>().expect("a number");
    let rows: Vec<_> = reader.records().map(|row| row.expect("whole")).filter(|row| &row[0] == "all").collect();
    let measured: Vec<_> = rows.iter().filter(|row| (0.5..2.0).contains(&number(row, "start_s"))).collect();
    let busy = measured.iter().map(|row| number(row, "busy")).sum::<f64>() / measured.len() as f64;
    assert!((busy / 3.0 - mean).abs() < 1e-9, "{busy} of three nodes, {mean} of one");
    assert!(rows.iter().all(|row| (&row[column("workers")], &row[column("nodes")]) == ("6", "3")));
}
