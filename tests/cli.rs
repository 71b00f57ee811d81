//! The binary as a user and a build server meet it: what goes where, and the exit codes.

#![allow(clippy::disallowed_methods, reason = "a test of the command line may wait")]

mod home;

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
fn a_compact_summary_has_three_lines_for_each_flow() {
    let home = Home::new();
    let compact = home.run(&["run", "good.toml", "--summary", "compact"]).with(0).out;
    assert!(compact.starts_with("Good\n") && compact.contains("app.reliability"), "{compact}");
    assert!(compact.lines().count() <= 11 && !compact.contains("Stations"), "{compact}");
    home.write("second.toml", GOOD);
    let of_two = home.run(&["run", "good.toml", "second.toml"]).with(0).out;
    assert!(of_two.starts_with(&compact), "several files are told in few lines: {of_two}");
    let full = home.run(&["run", "good.toml"]).with(0).out;
    assert_eq!(full, home.run(&["run", "good.toml", "--summary", "full"]).with(0).out);
    assert!(full.contains("Stations"), "{full}");
    let ended = home.run(&["run", "good.toml", "--summary", "full", "--format", "json"]).with(2);
    assert!(ended.err.contains("--format text"), "{}", ended.err);
}

#[test]
fn a_summary_is_as_wide_as_columns_says() {
    let home = Home::new();
    for columns in [40, 60, 80] {
        let output = home.command(&["run", "good.toml"]).env("COLUMNS", columns.to_string()).output().unwrap();
        let ended = Ended::of(output).with(0);
        assert!(ended.out.lines().all(|line| line.chars().count() <= columns), "{columns}: {}", ended.out);
    }
}

/// The locale of a build server is often `C`; what a pipe takes is Unicode all the same.
#[test]
fn pipes_take_unicode_unless_ascii_is_said() {
    let home = Home::new();
    let said = |args: &[&str]| Ended::of(home.command(args).env("LC_ALL", "C").output().unwrap()).with(0).out;
    assert!(said(&["run", "good.toml"]).contains('✓'));
    for args in [&["run", "good.toml"][..], &["list"], &["explain", "lognormal"], &["check", "good.toml"]] {
        let text = said(&[args, &["--charset", "ascii"]].concat());
        assert!(text.is_ascii() && !text.is_empty(), "{text}");
    }
    assert!(said(&["run", "good.toml", "--charset", "ascii"]).contains("  v app.reliability"));
}

/// What the shell makes of the command that a summary ends with.
#[cfg(unix)]
fn replay(home: &Home, summary: &str, how: &str) -> Vec<u8> {
    let command = summary.split_once("\nreplay  ").expect("it ends with the command").1;
    let script = format!("rehearsal() {{ {how} \"$@\"; }}\n{command}");
    let output =
        Command::new("sh").args(["-c", &script]).current_dir(home.path("")).output().expect("there is a shell");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[cfg(unix)]
#[test]
fn a_summary_ends_with_the_command_that_plays_it_again() {
    let home = Home::new();
    for file in ["it's.toml", "a b.toml", "$HOME.toml", "a\nb\\%s\u{1b}[2J.toml", "`größe`.toml"] {
        home.write(file, GOOD);
        let title = "title=a $(x) 'y' \\ 5% \u{7}\n\n";
        let work = "services.api.work=2ms";
        let typed = ["run", file, "--variant", "slow", "--set", title, "--set", work, "--seed", "5"];
        let ended = home.run(&[&typed[..], &["--runs", "4"]].concat()).with(0);
        assert!(!ended.out.contains('\u{1b}'), "{}", ended.out);
        let words = String::from_utf8(replay(&home, &ended.out, r"printf '%s\0'")).unwrap();
        assert_eq!(
            words.trim_end_matches('\0').split('\0').collect::<Vec<_>>(),
            [&typed[..], &["--runs", "4"]].concat()
        );
        let again = replay(&home, &ended.out, env!("CARGO_BIN_EXE_rehearsal"));
        assert_eq!(String::from_utf8(again).unwrap(), ended.out);
        let ascii = home.run(&[&typed[..], &["--charset", "ascii"]].concat()).with(0).out;
        let words = String::from_utf8(replay(&home, &ascii, r"printf '%s\0'")).unwrap();
        assert_eq!(words.trim_end_matches('\0').split('\0').collect::<Vec<_>>(), typed);
    }
    let ended = home.run_with_input(&["run", "-"], GOOD).with(0);
    assert!(ended.out.ends_with("\nreplay  rehearsal run - --seed 1\n"), "{}", ended.out);
}

/// All latencies are between 11 ms and 21 ms, and not every run's slowest one is below the limit.
#[test]
fn a_run_that_breaks_what_every_run_has_to_keep_to_can_be_played_alone() {
    let home = Home::new();
    home.write(
        "slowest.toml",
        GOOD.replace("\"1ms\"", "{ exponential = \"1ms\" }")
            .replace("[expect]", "[expect]\n\"app.latency.max\" = \"< 14.5ms\""),
    );
    let several = home.run(&["run", "slowest.toml", "--runs", "8"]).with(1).out;
    let command = several.lines().last().unwrap();
    let run = command.rsplit_once("--run ").expect("it says which run").1;
    assert!(command.starts_with(&format!("run {run}  ")), "{command}");
    assert!(several.contains(&format!("run {run} is the first that breaks it")), "{several}");
    let alone = |run: &str| home.run(&["run", "slowest.toml", "--runs", "8", "--run", run]);
    alone(run).with(1);
    (0..run.parse::<u32>().unwrap()).for_each(|earlier| drop(alone(&earlier.to_string()).with(0)));
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

#[test]
fn a_trace_tells_of_the_slowest_message() {
    let home = Home::new();
    let ended = home.run(&["trace", "good.toml"]).with(0);
    assert!(ended.out.starts_with("app[0]#") && ended.out.contains("the slowest of "), "{}", ended.out);
    assert!(ended.out.contains("\nWhere ") && ended.out.contains("a worker is on it"), "{}", ended.out);
    assert_eq!(ended.err, "", "nobody watches");
    let json = home.run(&["trace", "good.toml", "--slowest", "3", "--format", "json"]).with(0).json();
    assert_eq!(json["stories"].as_array().map(Vec::len), Some(3));
    let named = home.run(&["trace", "good.toml", "--message", "app[0]#7"]).with(0);
    assert_eq!(
        home.run(&["trace", "good.toml", "--message", "7"]).with(0).out.lines().next(),
        named.out.lines().next()
    );
    let lost = home.run(&["trace", "good.toml", "--lost", "3"]).with(0);
    assert!(lost.out.starts_with("all ") && lost.out.ends_with(" messages ended well\n"), "{}", lost.out);
    let picture = home.run(&["trace", "good.toml", "--percentile", "99", "--format", "svg"]).with(0);
    assert!(picture.out.starts_with("<svg "), "{}", picture.out);
    assert_eq!(home.names(), ["good.toml"]);
}

#[test]
fn a_trace_writes_texts_and_pictures() {
    let home = Home::new();
    home.run(&["trace", "good.toml", "--slowest", "2", "-o", "out"]).with(0);
    assert_eq!(names(&home.path("out")), ["stories", "stories.json"]);
    let files = names(&home.path("out/stories"));
    assert_eq!(files.len(), 4, "{files:?}");
    assert!(files[0].starts_with("1-app-0-") && files[0].ends_with(".svg") && files[1].ends_with(".txt"), "{files:?}");
    home.run(&["trace", "good.toml", "-o", "out"]).with(4);
    home.run(&["trace", "good.toml", "-o", "out", "--force"]).with(0);
    assert_eq!(names(&home.path("out/stories")).len(), 2);
}

#[test]
fn what_cannot_be_traced_is_2() {
    let home = Home::new();
    for (args, says) in [
        (&["--flow", "ap"][..], "did you mean `app`?"),
        (&["--message", "99999"], "there is no message 99999"),
        (&["--message", "api[0]#3"], "there is no message `api[0]#3`"),
        (&["--lost", "1", "--format", "svg"], "ended well"),
        (&["--lost", "0"], "from 1 to"),
        (&["--percentile", "101"], "above 0 and up to 100"),
        (&["--percentile", "nan"], "above 0 and up to 100"),
        (&["--run", "7"], "there is no run 7"),
        (&["--slowest", "2", "--format", "svg"], "one story"),
        (&["--slowest", "2", "--lost", "2"], "cannot be used with"),
    ] {
        let ended = home.run(&[&["trace", "good.toml"], args].concat()).with(2);
        assert!(ended.err.contains(says), "{args:?}: {}", ended.err);
        assert_eq!(ended.out, "", "{args:?}");
    }
}
