//! Plots that are drawn of what is stored, as a user has them drawn.

mod home;

use std::fs;

use home::{Home, names};

/// Plots are functions of the tables, so those that are drawn of a stored report are the ones that it was written with.
#[test]
fn plots_are_drawn_again_from_the_tables() {
    let home = Home::new();
    home.run(&["run", "good.toml", "--runs", "5", "-o", "out"]).with(0);
    let plots = |folder: &str| {
        let read = |name: String| (name.clone(), fs::read(home.path(folder).join(name)).expect("it is there"));
        names(&home.path(folder)).into_iter().map(read).collect::<Vec<_>>()
    };
    let before = plots("out/plots");
    home.write("out/plots/latency.svg", "spoilt");
    home.run(&["plot", "out"]).with(0);
    assert!(plots("out/plots") == before, "the same bytes");
    let ended = home.run(&["plot", "out", "-o", "deep/pictures"]).with(0);
    assert!(ended.err.contains("6 plots are in `deep/pictures`"), "{}", ended.err);
    assert!(plots("deep/pictures") == before, "the same bytes");
    // What is there is not overwritten, and nothing but pictures is replaced.
    home.run(&["plot", "out", "-o", "deep/pictures"]).with(4);
    home.run(&["plot", "out", "-o", "deep/pictures", "--force"]).with(0);
    home.write("out/plots/notes.txt", "mine");
    let ended = home.run(&["plot", "out"]).with(4);
    assert!(ended.err.contains("notes.txt` is no part of a report"), "{}", ended.err);
    assert_eq!(home.names(), ["deep", "good.toml", "out"]);
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
