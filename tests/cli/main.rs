//! The binary as a user and a build server meet it: what goes where, and the exit codes.

#![allow(clippy::disallowed_methods, reason = "a test of the command line may wait")]

#[path = "../home/mod.rs"]
mod home;
mod studies;
mod summary;
mod trace;
mod tuning;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use home::{Ended, GOOD, Home, names};

#[test]
fn a_run_prints_its_summary_and_writes_nothing() {
    let home = Home::new();
    let ended = home.run(&["run", "good.toml"]).with(0);
    assert!(ended.out.starts_with("Good\n") && ended.out.contains("app.reliability"), "{}", ended.out);
    assert_eq!(ended.err, "", "nobody watches");
    assert_eq!(home.names(), ["good.toml"]);
}

#[test]
fn a_run_writes_its_report_where_it_is_told_to() {
    let home = Home::new();
    home.run(&["run", "good.toml", "-o", "results/good"]).with(0);
    assert_eq!(home.names(), ["good.toml", "results"]);
    assert_eq!(names(&home.path("results")), ["good"], "nothing is left beside it");
    let files = names(&home.path("results/good"));
    let tables = ["scenario.toml", "stories.json", "summary.csv", "summary.json", "system.json", "theory.csv"];
    let named = ["attribution.csv", "latency.csv", "lost.csv", "plots", "report.html"];
    assert_eq!(files, [&named[..], &tables, &["timeline.csv", "utilisation.csv"]].concat());
    assert!(names(&home.path("results/good/plots")).contains(&"latency.png".to_owned()));
    let summary: Value = serde_json::from_str(&home.read("results/good/summary.json")).unwrap();
    assert_eq!(summary["title"], "Good");
}

/// The scenario in a report is the one that was played: it gives the same run again.
#[test]
fn the_scenario_of_a_report_can_be_played() {
    let home = Home::new();
    home.run(&["run", "good.toml", "--variant", "slow", "--seed", "5", "-o", "a"]).with(0);
    let again = home.run(&["run", "a/scenario.toml", "--format", "json"]).with(0).json();
    let first: Value = serde_json::from_str(&home.read("a/summary.json")).unwrap();
    assert_eq!((&again["digest"], &again["seed"]), (&first["digest"], &first["seed"]));
}

#[test]
fn a_failed_expectation_is_1() {
    let home = Home::new();
    let ended = home.run(&["run", "good.toml", "--variant", "hopeless"]).with(1);
    assert!(ended.out.contains("hopeless") && ended.out.contains('✗'), "{}", ended.out);
}

#[test]
fn a_typo_is_2_and_the_nearest_name_is_shown() {
    let home = Home::new();
    home.write("typo.toml", GOOD.replace("rate =", "raet ="));
    for command in ["run", "check", "verify"] {
        let ended = home.run(&[command, "typo.toml"]).with(2);
        assert!(ended.err.contains("typo.toml:8:1") && ended.err.contains("`rate`"), "{}", ended.err);
        assert_eq!(ended.out, "");
    }
    home.write("broken.toml", "[run\n");
    home.run(&["check", "broken.toml"]).with(2);
}

#[test]
fn a_wrong_command_line_is_2() {
    let home = Home::new();
    home.run(&["run"]).with(2);
    home.run(&["play", "good.toml"]).with(2);
    home.run(&["run", "good.toml", "--frmat", "json"]).with(2);
    home.run(&["run", "good.toml", "--force"]).with(2);
    let ended = home.run(&["run", "good.toml", "--variant", "slwo"]).with(2);
    assert!(ended.err.contains("did you mean `slow`?"), "{}", ended.err);
    let ended = home.run(&["run", "good.toml", "--set", "services.api.wrok=1ms"]).with(2);
    assert!(ended.err.contains("--set services.api.wrok=1ms"), "{}", ended.err);
    for seed in ["-1", "x", "1.5"] {
        home.run(&["run", "good.toml", &format!("--seed={seed}")]).with(2);
    }
    home.run(&["run", "good.toml", "--runs", "0"]).with(2);
}

#[test]
fn help_and_version_are_no_mistakes() {
    let home = Home::new();
    for args in [&["--help"][..], &["run", "--help"], &["help", "verify"], &["--version"]] {
        assert!(!home.run(args).with(0).out.is_empty());
    }
    assert!(home.run(&["--help"]).out.contains("Exit codes:"));
}

#[test]
fn what_cannot_be_read_is_4() {
    let home = Home::new();
    let ended = home.run(&["run", "absent.toml"]).with(4);
    assert!(ended.err.contains("absent.toml"), "{}", ended.err);
    home.run(&["check", "."]).with(4);
    home.write("latin1.toml", b"title = \"a\"\n# gr\xfc\xdfe\n");
    let ended = home.run(&["check", "latin1.toml"]).with(4);
    assert!(ended.err.contains("line 2 is not UTF-8"), "{}", ended.err);
    home.write("child.toml", "extends = \"absent.toml\"\n");
    let ended = home.run(&["check", "child.toml"]).with(4);
    assert!(ended.err.contains("child.toml:1:11"), "{}", ended.err);
}

/// Root may write everywhere, so the destination lies below a file.
#[test]
fn what_cannot_be_written_is_4() {
    let home = Home::new();
    home.run(&["run", "good.toml", "-o", "good.toml"]).with(4);
    let ended = home.run(&["run", "good.toml", "-o", "good.toml/out"]).with(4);
    assert!(ended.err.contains("good.toml"), "{}", ended.err);
    assert_eq!(ended.out, "", "it is refused before it is played");
    home.run(&["init", "good.toml/new.toml"]).with(4);
    assert_eq!(home.names(), ["good.toml"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_4_and_a_closed_one_is_not() {
    let home = Home::new();
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else { return };
    let output = home.command(&["run", "good.toml"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let ended = Ended::of(output).with(4);
    assert!(ended.err.contains("cannot write to the standard output"), "{}", ended.err);
    for args in [&["run", "good.toml"][..], &["list"], &["schema"], &["--help"], &["completions", "bash"]] {
        let mut child = home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = Ended::of(child.wait_with_output().unwrap()).with(0);
        assert_eq!(ended.err, "", "{args:?}");
    }
}

#[test]
fn a_directory_is_never_overwritten_silently() {
    let home = Home::new();
    home.run(&["run", "good.toml", "-o", "out"]).with(0);
    let before = home.read("out/summary.json");
    let ended = home.run(&["run", "good.toml", "-o", "out", "--seed", "9"]).with(4);
    assert!(ended.err.contains("--force"), "{}", ended.err);
    assert_eq!(home.read("out/summary.json"), before);
    home.run(&["run", "good.toml", "-o", "out", "--seed", "9", "--force"]).with(0);
    assert_ne!(home.read("out/summary.json"), before);
    home.write("out/notes.txt", "mine");
    home.run(&["run", "good.toml", "-o", "out", "--force"]).with(4);
    assert_eq!(home.read("out/notes.txt"), "mine");
    assert_eq!(home.names(), ["good.toml", "out"]);
}

#[test]
fn the_standard_input_is_a_file_too() {
    let home = Home::new();
    let ended = home.run_with_input(&["run", "-", "-o", "out"], GOOD).with(0);
    assert!(ended.out.starts_with("Good\n"));
    assert!(home.path("out/summary.json").exists());
    // All variants are read from it, though it can be read only once.
    home.run_with_input(&["check", "-"], GOOD).with(0);
    home.run_with_input(&["verify", "-"], GOOD).with(0);
    let ended = home.run_with_input(&["check", "-"], "sed = 1").with(2);
    assert!(ended.err.contains("<stdin>:1:1"), "{}", ended.err);
}

#[test]
fn of_several_files_the_gravest_counts() {
    let home = Home::new();
    home.write("bad.toml", GOOD.replace(">= 99%", "< 1%").replace("Good", "Bad"));
    let ended = home.run(&["run", "good.toml", "bad.toml", "-o", "out"]).with(1);
    assert!(ended.out.starts_with("Good\n") && ended.out.contains("\nBad\n"), "{}", ended.out);
    assert_eq!(names(&home.path("out")), ["bad", "good"]);
    home.write("typo.toml", "titel = 1\n");
    home.run(&["run", "typo.toml", "bad.toml"]).with(2);
    let ended = home.run(&["run", "absent.toml", "typo.toml", "good.toml"]).with(4);
    assert!(ended.out.starts_with("Good\n"), "the others are played all the same");
    home.run(&["check", "typo.toml", "good.toml"]).with(2);
    fs::create_dir(home.path("other")).unwrap();
    home.write("other/good.toml", GOOD);
    let ended = home.run(&["run", "good.toml", "other/good.toml", "-o", "both"]).with(2);
    assert!(ended.err.contains("same name"), "{}", ended.err);
    assert!(!home.path("both").exists());
}

#[test]
fn flags_change_what_is_played() {
    let home = Home::new();
    let json = |args: &[&str]| home.run(&[&["run", "good.toml", "--format", "json"], args].concat()).with(0).json();
    let base = json(&[]);
    assert_eq!((&base["seed"], &base["variant"]), (&Value::from(1), &Value::Null));
    assert_eq!(base["expectations"][0]["verdict"], "pass");
    let slow = json(&["--variant", "slow", "--seed", "3"]);
    assert_eq!((&slow["seed"], &slow["variant"]), (&Value::from(3), &Value::from("slow")));
    assert_ne!(slow["digest"], base["digest"]);
    // The work of the variant, set by hand.
    let set = json(&["--set", "services.api.work=20ms", "--set", "title=Other", "--seed", "3"]);
    assert_eq!((&set["digest"], &set["title"]), (&slow["digest"], &Value::from("Other")));
    // A replicate alone is what it is among others.
    let all = json(&["--runs", "3", "--inconclusive", "pass"]);
    let only = json(&["--runs", "3", "--run", "2"]);
    assert_eq!(all["runs"].as_array().unwrap().len(), 3);
    assert_eq!(only["runs"].as_array().unwrap().len(), 1);
    assert_eq!(only["runs"][0], all["runs"][2]);
    let alone = home.run(&["run", "good.toml", "--runs", "3", "--run", "2"]).with(0).out;
    assert!(alone.contains("What latency is made of") && alone.contains("of run 2"), "{alone}");
    let ended = home.run(&["run", "good.toml", "--run", "1"]).with(2);
    assert!(ended.err.contains("there is no run 1"), "{}", ended.err);
}

#[test]
fn machines_get_what_they_can_read() {
    let home = Home::new();
    let both = ["run", "good.toml", "good.toml", "--format"];
    let json = home.run(&[&both[..], &["json"]].concat()).with(0);
    assert_eq!(serde_json::Deserializer::from_str(&json.out).into_iter::<Value>().map(Result::unwrap).count(), 2);
    let table = home.run(&[&both[..], &["csv"]].concat()).with(0);
    let rows: Vec<_> = table.out.lines().collect();
    let columns = rows[0].split(',').count();
    assert!(rows[0].starts_with("run,scope,metric") && rows.len() % 2 == 1);
    assert!(rows[1..].iter().all(|row| !row.starts_with("run,") && row.split(',').count() == columns));
    assert_eq!(home.run(&[&both[..], &["quiet"]].concat()).with(0).out, "");
}

/// Two runs of Poisson arrivals and a limit near the mean: the interval of two runs is as wide as the world.
#[test]
fn an_undecided_expectation_is_3_or_what_it_shall_be() {
    let home = Home::new();
    let args = ["run", "good.toml", "--runs", "2", "--format", "csv", "--inconclusive", "pass"];
    let offered = home.run(&args).with(0).out;
    let row = offered.lines().find(|row| row.starts_with("all,app,offered,rate,")).expect("there is a rate");
    let rate: f64 = row.split(',').nth(4).unwrap().parse().unwrap();
    let expect = format!("expect.\"app.offered\"='<= {:.2}/s'", rate + 0.01);
    let args = ["run", "good.toml", "--runs", "2", "--set", &expect];
    home.run(&args).with(3);
    home.run(&[&args[..], &["--inconclusive", "pass"]].concat()).with(0);
    home.run(&[&args[..], &["--inconclusive", "fail"]].concat()).with(1);
    // Failed is graver than undecided, and what passes does not hide it.
    home.run(&[&args[..], &["--variant", "hopeless"]].concat()).with(1);
}

#[test]
fn warnings_are_said_and_strictly_they_are_mistakes() {
    let home = Home::new();
    home.write("lossy.toml", GOOD.replace("latency = \"5ms\"", "latency = \"5ms\"\nloss = \"0.1%\""));
    let ended = home.run(&["check", "lossy.toml"]).with(0);
    assert!(ended.err.contains("warning") && ended.err.contains("lossy.toml:"), "{}", ended.err);
    assert_eq!(ended.err.matches("warning").count(), 1, "once, and not for each variant: {}", ended.err);
    for command in ["check", "run"] {
        let ended = home.run(&[command, "lossy.toml", "--strict"]).with(2);
        assert!(ended.err.contains("error") && ended.out.is_empty(), "{}", ended.err);
    }
    home.run(&["check", "good.toml", "--strict"]).with(0);
}

#[test]
fn check_looks_at_every_variant() {
    let home = Home::new();
    home.write("variant.toml", format!("{GOOD}\n[variants.wrong]\nservices.api.wrok = \"1ms\"\n"));
    let ended = home.run(&["check", "variant.toml"]).with(2);
    assert!(ended.err.contains("in variant `wrong`") && ended.err.contains("`work`"), "{}", ended.err);
    home.run(&["check", "variant.toml", "--variant", "slow"]).with(0);
    home.run(&["run", "variant.toml"]).with(0);
}

#[test]
fn a_variant_that_changes_nothing_is_doubted_by_name() {
    let home = Home::new();
    let variants = "[variants.same]\ntitle = \"Same\"\nservices.api.work = \"1ms\"\n[variants.lost]\nservices.apl.work = \"1ms\"\n";
    home.write("same.toml", format!("{GOOD}\n{variants}"));
    let said = home.run(&["check", "same.toml"]).with(0).err;
    for part in [
        "in variant `same` of same.toml:",
        "variant `same` changes nothing that is used",
        "in variant `lost` of same.toml:",
        "nobody calls or sends to service `apl`",
        "did you mean `api`?",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("`slow`"), "{said}");
    home.run(&["check", "same.toml", "--strict"]).with(2);
}

#[test]
fn the_scenarios_that_come_with_it_leave_no_doubt() {
    let home = Home::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/");
    let files = names(Path::new(folder)).into_iter().filter(|name| name.ends_with(".toml"));
    let cluster = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cluster/study.toml").to_owned();
    let files: Vec<_> = files.map(|name| format!("{folder}{name}")).chain([cluster]).collect();
    let args: Vec<_> = ["check", "--strict"].into_iter().chain(files.iter().map(String::as_str)).collect();
    assert!(files.len() > 20, "{files:?}");
    home.run(&args).with(0);
}

#[test]
fn a_name_that_is_not_known_is_answered_with_what_is_like_it() {
    let home = Home::new();
    for (name, answer) in [
        ("breaker", "`circuit-breaker`"),
        ("hedging", "did you mean `hedge`?"),
        ("retry", "`retry-budget`"),
        ("availability", "not supported yet"),
        ("latency.p99", "did you mean `latency` or `p99`?"),
        ("exit", "rehearsal help"),
    ] {
        let said = home.run(&["explain", name]).with(2).err;
        assert!(said.contains(answer), "{name}: {said}");
    }
}

#[test]
fn check_shows_where_everything_is_from() {
    let home = Home::new();
    home.write("child.toml", "extends = \"good.toml\"\ntitle = \"Child\"\n");
    let shown = home.run(&["check", "child.toml", "--show", "--set", "services.api.work=2ms"]).with(0).out;
    let line = |start: &str| shown.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{shown}"));
    assert!(line("title").ends_with("# child.toml:2"));
    assert!(line("rate").ends_with("# good.toml:8"));
    assert!(line("work").ends_with("# --set services.api.work=2ms"));
    home.write("shown.toml", &shown);
    home.run(&["check", "shown.toml"]).with(0);
}

#[test]
fn the_starter_runs_and_is_never_laid_over_a_file() {
    let home = Home::new();
    home.run(&["init", "good.toml"]).with(4);
    assert_eq!(home.read("good.toml"), GOOD);
    home.run(&["init"]).with(0);
    let starter = home.read("scenario.toml");
    assert_eq!(home.run(&["init", "-"]).with(0).out, starter);
    home.run(&["check", "scenario.toml", "--strict"]).with(0);
    home.run(&["run", "scenario.toml"]).with(0);
}

#[test]
fn everything_can_be_listed_and_what_is_listed_can_be_explained() {
    let home = Home::new();
    let listed = home.run(&["list"]).with(0).out;
    let names: Vec<_> = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(names.len() > 60, "{listed}");
    for name in ["lognormal", "decorrelated", "two-choices", "reliability", "p50", "at-least(x)"] {
        assert!(names.contains(&name), "{name}: {listed}");
        home.run(&["explain", name]).with(0);
    }
    assert!(!names.contains(&"first-leader"), "nothing measures it yet");
    let balancers = home.run(&["list", "balancers"]).with(0).out;
    assert!(balancers.contains("round-robin") && !balancers.contains("lognormal"));
    home.run(&["list", "nonsense"]).with(2);
    assert!(home.run(&["explain", "policies.backoff"]).with(0).out.contains("exponential"));
    let ended = home.run(&["explain", "tiemout"]).with(2);
    assert!(ended.err.contains("did you mean `timeout`?"), "{}", ended.err);
}

#[test]
fn two_plays_are_the_same() {
    let home = Home::new();
    let ended = home.run(&["verify", "good.toml", "--runs", "2"]).with(0);
    assert!(ended.out.contains("both plays are the same, 2 runs"), "{}", ended.out);
    home.run(&["verify", "absent.toml"]).with(4);
}

#[test]
fn schema_and_completions_are_printed() {
    let home = Home::new();
    assert!(home.run(&["schema"]).with(0).json()["properties"]["run"].is_object());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(home.run(&["completions", shell]).with(0).out.contains("rehearsal"), "{shell}");
    }
    home.run(&["completions", "cobol"]).with(2);
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let home = Home::new();
    let escaped = |args: &[&str]| home.run(&[&["run", "good.toml"], args].concat()).with(0).out.contains('\u{1b}');
    assert!(!escaped(&[]) && !escaped(&["--color", "never"]) && escaped(&["--color", "always"]));
    let plain = home.command(&["run", "good.toml"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!plain.stdout.contains(&b'\x1b'));
    let ended = home.run(&["check", "absent.toml", "--color", "always"]).with(4);
    assert!(ended.err.contains('\u{1b}'));
}

/// A run of hours is stopped; the directory it had claimed is gone, and with it the one above that was made for it.
#[cfg(unix)]
#[test]
fn an_interrupted_run_is_130_and_leaves_nothing() {
    let home = Home::new();
    let long = ["run", "good.toml", "-o", "deep/out", "--set", "run.duration=100000h"];
    let mut child = home.command(&long).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    while !home.path("deep").exists() {
        assert!(Instant::now() < patience && child.try_wait().unwrap().is_none(), "it starts to play");
        std::thread::sleep(Duration::from_millis(5));
    }
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is a kill");
    assert!(signal.success());
    let ended = Ended::of(child.wait_with_output().unwrap()).with(130);
    assert_eq!(ended.out, "");
    assert_eq!(home.names(), ["good.toml"]);
}
