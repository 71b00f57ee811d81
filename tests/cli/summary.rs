//! The summary that is printed: its forms, how wide it is, and the command that it ends with.

use std::process::Command;

use crate::home::{Ended, GOOD, Home};

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
