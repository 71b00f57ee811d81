//! `run`: plays scenarios, says how they went, and writes their reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rehearsal::experiment::{self, Progress, Results, RunError, Verdict};
use rehearsal::report::{Report, Total};
use rehearsal::scenario::plan::Plan;

use super::args::{Format, Inconclusive, Run};
use super::directory::Directory;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::look::Summary;
use super::progress::ProgressLine;
use super::replay;
use super::scenario::{prepare, refuse, stopped, strictly, warn};
use super::terminal::Terminal;

/// The most runs that tables show one by one; all others are part of what is said of all runs together.
const SHOWN: usize = 100;

/// Plays every file, one after the other; an interruption or a defect ends it at once.
pub fn run(terminal: Terminal, args: &Run) -> Exit {
    if args.summary.is_some() && args.format != Format::Text {
        terminal.complain("`--summary` is about the summary to read: it needs `--format text`");
        return Exit::Wrong;
    }
    interrupt::listen();
    let files = Files::default();
    let directories = match directories(args) {
        Ok(directories) => directories,
        Err(message) => {
            terminal.complain(&message);
            return Exit::Wrong;
        }
    };
    let mut gravest = Exit::Well;
    let mut printed = 0;
    for (file, directory) in args.files.iter().zip(directories) {
        let job = Job { terminal, args, files: &files, file, directory: directory.as_deref() };
        let exit = job.run(&mut printed);
        gravest = gravest.max(exit);
        if exit >= Exit::Interrupted {
            break;
        }
    }
    if printed > 0 && args.format == Format::Text && args.output.is_none() && terminal.is_watched {
        terminal.note("\n`-o DIR` writes a page to read, plots and tables");
    }
    gravest
}

/// Where the report of each file goes, if anywhere.
fn directories(args: &Run) -> Result<Vec<Option<PathBuf>>, String> {
    let Some(output) = &args.output else { return Ok(vec![None; args.files.len()]) };
    if args.files.len() == 1 {
        return Ok(vec![Some(output.clone())]);
    }
    let mut taken = BTreeMap::new();
    let place = |file: &PathBuf| {
        let stem = Files::stem(file);
        match taken.insert(stem.clone(), file.clone()) {
            None => Ok(Some(output.join(stem))),
            Some(other) => Err(format!(
                "the reports of `{}` and `{}` would have the same name, `{}`",
                other.display(),
                file.display(),
                output.join(stem).display()
            )),
        }
    };
    args.files.iter().map(place).collect()
}

/// One scenario to be played.
struct Job<'a> {
    terminal: Terminal,
    args: &'a Run,
    files: &'a Files,
    file: &'a Path,
    directory: Option<&'a Path>,
}

impl Job<'_> {
    /// Plays it; `printed` says how many were printed before.
    fn run(&self, printed: &mut usize) -> Exit {
        match self.try_run(printed) {
            Ok(exit) | Err(exit) => exit,
        }
    }

    fn try_run(&self, printed: &mut usize) -> Result<Exit, Exit> {
        let Self { terminal, args, .. } = *self;
        let mut prepared = prepare(self.files, self.file, &args.changes.overrides())
            .and_then(|prepared| if args.strict { strictly(prepared) } else { Ok(prepared) })
            .map_err(|mistakes| refuse(terminal, &mistakes))?;
        // Nobody would see it.
        let is_shown = args.format == Format::Text && self.size() == Summary::Full;
        prepared.plan.explains = is_shown || self.directory.is_some();
        let plan = &prepared.plan;
        if let Some(run) = args.run.filter(|run| *run >= plan.runs) {
            let last = plan.runs.saturating_sub(1);
            let message =
                format!("there is no run {run}: the last one is {last}, and `--runs` says how many there are");
            return Err(self.complain(&message, Exit::Wrong));
        }
        let claim = |path: &Path| Directory::claim(path, args.force);
        let directory = self.directory.map(claim).transpose();
        let directory = directory.map_err(|refusal| self.complain(&refusal.to_string(), Exit::File))?;
        if args.format != Format::Text {
            warn(terminal, &prepared);
        }
        let mut total = Total::default();
        let results =
            self.play(plan, &mut total).map_err(|error| stopped(terminal, &self.file.display().to_string(), &error))?;
        let mut report = Report::new(&results, total);
        if let Some(command) = replay::command(args, self.file, results.seed) {
            report = report.replayed_by(command);
        }
        if let Some(directory) = directory {
            let files = report.files();
            if interrupt::look().is_break() {
                return Err(Exit::Interrupted);
            }
            directory.fill(&files).map_err(|refusal| self.complain(&refusal.to_string(), Exit::File))?;
        }
        let mut exit = self.print(&report, *printed == 0);
        *printed += 1;
        if let Some(path) = self.directory.filter(|_| args.format == Format::Text) {
            let page = path.join("report.html");
            terminal.note(&format!("\n`{}` is a page to read; plots and tables are beside it", page.display()));
        }
        if let (true, Some(fault)) = (args.strict, results.idle_faults.first()) {
            exit = exit.max(self.complain(&format!("fault `{fault}` touched nothing"), Exit::Failed));
        }
        Ok(exit.max(judge(&results, args.inconclusive)))
    }

    fn play(&self, plan: &Plan, total: &mut Total) -> Result<Results, RunError> {
        let mut line = ProgressLine::new(self.terminal, &Files::stem(self.file));
        let only = self.args.run;
        let mut watch = |progress: Progress| {
            line.tell(if only.is_some() { Progress { run: 0, runs: 1, ..progress } } else { progress });
            interrupt::look()
        };
        match only {
            None => experiment::run_keeping(plan, SHOWN, &mut watch, |run| total.add(run)),
            Some(run) => {
                let play = if plan.explains { experiment::play_explained } else { experiment::play };
                let run = play(plan, run, &mut watch)?;
                total.add(&run);
                Ok(Results::of(plan, vec![run]))
            }
        }
    }

    fn print(&self, report: &Report<'_>, is_first: bool) -> Exit {
        let bytes = match self.args.format {
            Format::Text => {
                let text = match self.size() {
                    Summary::Full => report.text(self.terminal.report_style()),
                    Summary::Compact => report.compact(self.terminal.report_style()),
                };
                if is_first { text.into() } else { format!("\n\n{text}").into() }
            }
            Format::Json => report.json(),
            Format::Csv => {
                let table = report.csv();
                let header = table.iter().position(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
                if is_first { table } else { table[header..].into() }
            }
            Format::Quiet => return Exit::Well,
        };
        self.terminal.print(bytes)
    }

    /// How much is said of it.
    fn size(&self) -> Summary {
        let of_several = if self.args.files.len() > 1 { Summary::Compact } else { Summary::Full };
        self.args.summary.unwrap_or(of_several)
    }

    /// Says what is wrong with this file.
    fn complain(&self, message: &str, exit: Exit) -> Exit {
        self.terminal.complain(&format!("{}: {message}", self.file.display()));
        exit
    }
}

/// Whether everything is as expected.
fn judge(results: &Results, inconclusive: Option<Inconclusive>) -> Exit {
    verdicts(results.judgements.iter().map(|judgement| judgement.verdict), inconclusive)
}

/// What these verdicts come to.
pub fn verdicts(verdicts: impl Iterator<Item = Verdict>, inconclusive: Option<Inconclusive>) -> Exit {
    let exit = |verdict| match (verdict, inconclusive) {
        (Verdict::Pass, _) | (Verdict::Inconclusive, Some(Inconclusive::Pass)) => Exit::Well,
        (Verdict::Fail, _) | (Verdict::Inconclusive, Some(Inconclusive::Fail)) => Exit::Failed,
        (Verdict::Inconclusive, None) => Exit::Undecided,
    };
    verdicts.map(exit).max().unwrap_or(Exit::Well)
}
