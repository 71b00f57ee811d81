//! What was played before, for others to read and to compare with: studies as tables, and earlier reports.

#![allow(clippy::disallowed_methods, reason = "a test of the command line may wait")]

mod home;

use std::collections::BTreeSet;
use std::fs;
use std::fs::File;

use home::Home;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

/// Two times two points of three runs.
const STUDY: &str = r#"
extends = "good.toml"
[run]
runs = 3
metrics = ["app.latency.p99", "app.goodput", "app.reliability"]
[params]
load = "50/s"
[clients.app]
rate = "$load"
[expect]
"app.reliability" = ">= 95%"
[sweep]
params.load = ["50/s", "100/s"]
services.api.workers = [1, 2]
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("study.toml", STUDY);
    home
}

/// The rows of a CSV table, by the names of its columns.
fn rows(text: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("it has a header").clone();
    let rows = reader.records().map(|row| row.expect("it is a table"));
    rows.map(|row| header.iter().map(Into::into).zip(row.iter().map(Into::into)).collect()).collect()
}

#[test]
fn every_run_of_a_study_is_a_row() {
    let home = home();
    home.run(&["sweep", "study.toml", "--study", "kept", "--format", "quiet"]).with(0);
    // The scenario is not needed any more.
    fs::remove_file(home.path("study.toml")).unwrap();
    let table = home.run(&["export", "kept"]).with(0).out;
    let rows = rows(&table);
    assert_eq!(rows.len(), 4 * 3);
    let names: Vec<_> = rows[0].iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "point",
        "params.load",
        "params.load (1/s)",
        "services.api.workers",
        "run",
        "seed",
        "digest",
        "events",
        "app.latency.p99 (ns)",
        "app.goodput (1/s)",
        "app.reliability",
    ];
    assert_eq!(names, expected);
    let of = |row: usize, name: &str| rows[row].iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!([of(0, "params.load"), of(0, "params.load (1/s)"), of(0, "run")], ["50/s", "50.0", "0"]);
    assert_eq!([of(11, "params.load"), of(11, "services.api.workers"), of(11, "run")], ["100/s", "2.0", "2"]);
    // All points share the seeds of their runs.
    assert_eq!((0..12).map(|row| of(row, "seed")).collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(of(4, "app.reliability"), "1.0");
}

#[test]
fn parquet_holds_what_csv_says() {
    let home = home();
    home.run(&["sweep", "study.toml", "--study", "kept", "--format", "quiet"]).with(0);
    home.run(&["export", "kept", "-o", "runs.parquet"]).with(0);
    home.run(&["export", "kept", "-o", "runs.csv"]).with(0);
    let reader = SerializedFileReader::new(File::open(home.path("runs.parquet")).unwrap()).expect("it is Parquet");
    let read = reader.get_row_iter(None).expect("it has rows").map(|row| {
        let row = row.expect("it is whole");
        let text = |field: &Field| match field {
            Field::Str(text) => text.clone(),
            Field::ULong(number) => number.to_string(),
            Field::Double(number) => format!("{number:?}"),
            Field::Null => String::new(),
            other => panic!("{other:?}"),
        };
        row.get_column_iter().map(|(name, field)| (name.clone(), text(field))).collect::<Vec<_>>()
    });
    assert_eq!(read.collect::<Vec<_>>(), rows(&home.read("runs.csv")));
    // Nothing is replaced silently, and half of a file is never there.
    let refused = home.run(&["export", "kept", "-o", "runs.csv"]).with(4);
    assert!(refused.err.contains("--force"), "{}", refused.err);
    home.run(&["export", "kept", "-o", "runs.csv", "--force"]).with(0);
    assert_eq!(home.names(), ["good.toml", "kept", "runs.csv", "runs.parquet", "study.toml"]);
}

#[test]
fn comparisons_tunings_and_shards_are_tables_too() {
    let home = home();
    home.run(&["compare", "good.toml", "--with", "slow", "--runs", "2", "--study", "pairs", "--format", "quiet"])
        .with(0);
    let table = rows(&home.run(&["export", "pairs"]).with(0).out);
    assert_eq!(table.len(), 4);
    let sides: Vec<_> = table.iter().map(|row| (row[1].0.as_str(), row[1].1.as_str())).collect();
    assert_eq!(sides, [("side", "base"), ("side", "base"), ("side", "slow"), ("side", "slow")]);
    for shard in ["1/2", "2/2"] {
        home.run(&["sweep", "study.toml", "--study", "shards", "--shard", shard]).with(0);
    }
    let hint = home.run(&["export", "shards"]).with(2);
    assert!(hint.err.contains("rehearsal merge"), "{}", hint.err);
    home.run(&["merge", "shards", "--study", "whole", "--format", "quiet"]).with(0);
    home.run(&["sweep", "study.toml", "--study", "kept", "--format", "quiet"]).with(0);
    let [whole, kept] = ["whole", "kept"].map(|name| home.run(&["export", name]).with(0).out);
    assert_eq!(whole, kept);
    let nothing = home.run(&["export", "nowhere"]).with(4);
    assert!(nothing.err.contains("nowhere"), "{}", nothing.err);
}

#[test]
fn a_report_is_something_to_compare_with() {
    let home = Home::new();
    home.run(&["run", "good.toml", "--runs", "4", "-o", "before", "--format", "quiet"]).with(0);
    let same = home.run(&["compare", "good.toml", "--baseline", "before", "--runs", "4", "--margin", "0"]).with(0);
    assert!(same.out.contains("app.latency.p99") && same.out.contains("the same"), "{}", same.out);
    let slower = ["--set", "services.api.work=20ms", "--runs", "4", "--margin", "5%"];
    let worse = home.run(&[&["compare", "good.toml", "--baseline", "before"], &slower[..]].concat()).with(1);
    assert!(worse.err.contains("worse than the margin"), "{}", worse.err);
    // In pairs the difference is known to the nanosecond; without a common seed it has an interval.
    let row = |text: &str| {
        let rows = rows(text).into_iter();
        let mut wanted = rows.filter(|row| row[0].1 != "before" && row[1].1 == "app.latency.p50");
        wanted.next().expect("it is compared").into_iter().collect::<std::collections::BTreeMap<_, _>>()
    };
    let csv = |more: &[&str]| {
        let args = ["compare", "good.toml", "--baseline", "before", "--runs", "4", "--format", "csv"];
        row(&home.run(&[&args[..], more].concat()).with(0).out)
    };
    let paired = csv(&["--set", "services.api.work=3ms"]);
    let other = csv(&["--set", "services.api.work=3ms", "--seed", "9"]);
    let half = |row: &std::collections::BTreeMap<String, String>| row["half_width"].parse::<f64>().unwrap();
    assert_eq!([&paired["verdict"], &other["verdict"]], ["higher", "higher"]);
    assert!(half(&paired) <= half(&other), "{paired:?} {other:?}");
}

#[test]
fn what_is_no_report_is_refused() {
    let home = Home::new();
    let nowhere = home.run(&["compare", "good.toml", "--baseline", "nowhere"]).with(4);
    assert!(nowhere.err.contains("nowhere"), "{}", nowhere.err);
    home.write("table.csv", "a,b\n1,2\n");
    let other = home.run(&["compare", "good.toml", "--baseline", "table.csv"]).with(2);
    assert!(other.err.contains("no column"), "{}", other.err);
}
