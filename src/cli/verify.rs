//! `verify`: plays a scenario twice and compares every byte.

use rehearsal::experiment::{self, Progress, Results, RunError, first_difference};
use rehearsal::report::Report;
use rehearsal::scenario::plan::Plan;

use super::args::Verify;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::progress::ProgressLine;
use super::scenario::{prepare, refuse, stopped};
use super::terminal::Terminal;

/// Reads, plans and plays the scenario twice, and says whether the two are the same.
pub fn verify(terminal: Terminal, args: &Verify) -> Exit {
    interrupt::listen();
    match try_verify(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_verify(terminal: Terminal, args: &Verify) -> Result<Exit, Exit> {
    let files = Files::default();
    let plan = || prepare(&files, &args.file, &args.changes.overrides()).map(|prepared| prepared.plan);
    let plan = || plan().map_err(|mistakes| refuse(terminal, &mistakes));
    let plans = [plan()?, plan()?];
    let stopped = |error: RunError| stopped(terminal, &args.file.display().to_string(), &error);
    let play = |plan, part| {
        let mut line = ProgressLine::new(terminal, part);
        experiment::run(plan, &mut |progress: Progress| {
            line.tell(progress);
            interrupt::look()
        })
    };
    let one = play(&plans[0], "first play").map_err(stopped)?;
    let other = play(&plans[1], "second play").map_err(stopped)?;
    let difference = compare(&plans, [&one, &other], &mut |progress| {
        let _ = progress;
        interrupt::look()
    });
    match difference.map_err(stopped)? {
        None => {
            let events: u64 = one.runs.iter().map(|run| run.events).sum();
            let runs = if one.runs.len() == 1 { "1 run".into() } else { format!("{} runs", one.runs.len()) };
            let line = format!("{}: both plays are the same, {runs}, {events} events\n", args.file.display());
            Ok(terminal.say(line))
        }
        Some(difference) => {
            terminal.complain(&format!("{}: two plays differ; this is a defect of the simulator", args.file.display()));
            terminal.say(difference);
            Ok(Exit::Failed)
        }
    }
}

/// What differs, in words: the first run whose events do, or else the first file of the reports.
fn compare(
    plans: &[Plan; 2],
    [one, other]: [&Results; 2],
    watch: &mut experiment::Watch<'_>,
) -> Result<Option<String>, RunError> {
    for runs in one.runs.iter().zip(&other.runs) {
        let runs: [_; 2] = runs.into();
        let [first, second] = runs;
        if (first.digest, first.events, &first.checkpoints) == (second.digest, second.events, &second.checkpoints) {
            continue;
        }
        let plans = plans.each_ref();
        let head = format!("run {}, digests {} and {}\n", first.run, first.digest, second.digest);
        let Some(found) = first_difference(plans, first.run, runs, watch)? else {
            return Ok(Some(format!("{head}played once more, they do not differ\n")));
        };
        let side = |happening: Option<experiment::Happening>| {
            happening.map_or_else(|| "there is no further event".into(), |happening| happening.to_string())
        };
        let (one, other) = (side(found.one), side(found.other));
        return Ok(Some(format!(
            "{head}the same for {} events, then\n  first   {one}\n  second  {other}\n",
            found.same
        )));
    }
    if one.runs.len() != other.runs.len() {
        return Ok(Some(format!("{} runs and {}\n", one.runs.len(), other.runs.len())));
    }
    let (text, other_text) = (Report::from(one).to_string(), Report::from(other).to_string());
    if text != other_text {
        return Ok(Some("all events are the same, and the summary is not\n".into()));
    }
    let (files, other_files) = (Report::from(one).files(), Report::from(other).files());
    let differs =
        files.iter().zip(&other_files).find(|(file, other)| file != other).map(|(file, _)| file.name.as_str());
    let differs = differs.or_else(|| (files.len() != other_files.len()).then_some("the list of files"));
    Ok(differs.map(|name| format!("all events are the same, and {name} is not\n")))
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use rehearsal::scenario::Overrides;

    use super::*;

    fn starter(seed: &str) -> (Plan, Results) {
        let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/starter.toml"));
        let overrides = Overrides {
            sets: vec![
                "run.duration=2s".into(),
                "run.warmup=0s".into(),
                "run.runs=2".into(),
                format!("run.seed={seed}"),
            ],
            ..Overrides::default()
        };
        let plan = prepare(&Files::default(), path, &overrides).map_err(|_| "it is no scenario").unwrap().plan;
        let results = experiment::run(&plan, &mut |_| ControlFlow::Continue(())).expect("it is played");
        (plan, results)
    }

    fn difference(one: (Plan, Results), other: (Plan, Results)) -> Option<String> {
        let (plans, results) = ([one.0, other.0], [&one.1, &other.1]);
        compare(&plans, results, &mut |_| ControlFlow::Continue(())).expect("nobody stops it")
    }

    #[test]
    fn two_plays_are_the_same() {
        assert_eq!(difference(starter("1"), starter("1")), None);
    }

    #[test]
    fn two_seeds_differ_and_the_event_is_named() {
        let text = difference(starter("1"), starter("2")).expect("they differ");
        assert!(text.starts_with("run 0, digests ") && text.contains("\n  first   at "), "{text}");
        assert!(text.contains("shoppers["), "{text}");
    }

    #[test]
    fn equal_events_with_another_report_differ_too() {
        let (one, mut other) = (starter("1"), starter("1"));
        other.1.title = "another".into();
        let text = difference(one, other).expect("they differ");
        assert_eq!(text, "all events are the same, and the summary is not\n");
    }
}
