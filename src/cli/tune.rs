//! `tune`: looks for the setting of a scenario with which a quantity is best.

use rehearsal::experiment::{Progress, runs_at_most, tune as play};
use rehearsal::report::TuneReport;
use rehearsal::scenario::design::Point;
use rehearsal::scenario::document::Document;
use rehearsal::scenario::plan::Aim;

use super::args;
use super::ask::Ask;
use super::designed::{self, Designed, Use};
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::keep::{Kept, Planned};
use super::progress::ProgressLine;
use super::run::verdicts;
use super::scenario::{refuse, warn};
use super::store::Study;
use super::sweep::{replicated, set_in_vain};
use super::terminal::Terminal;

/// How often a candidate is played at the most if the scenario does not say.
const RUNS: &str = "64";

/// Plays all candidates against each other, and says which is best.
pub fn tune(terminal: Terminal, args: &args::Tune) -> Exit {
    interrupt::listen();
    match try_tune(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_tune(terminal: Terminal, args: &args::Tune) -> Result<Exit, Exit> {
    let (files, ask) = (Files::default(), args.ask());
    let (planned, aim) = plan(terminal, &files, &ask)?;
    let studied = planned.points()?;
    let study = Study { ask: &ask, base: &planned.base, points: &studied, files: &files };
    let mut kept = Kept::open(terminal, args.study.as_deref(), None, &study)?;
    let directory = args.to.claim().map_err(|refusal| planned.complain(&refusal.to_string(), Exit::File))?;
    let Designed { base, design, points, .. } = &planned;
    warn(terminal, base);
    let most = runs_at_most(points.len(), base.plan.runs);
    let mut line = ProgressLine::of_study(terminal, &Files::stem(&args.file), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let make = |point: &Point| planned.plan_at(point);
    let tuning = play((&base.plan, &aim), (design, points), make, kept.shelf(), &mut watch)
        .map_err(|error| planned.stopped(error));
    drop(line);
    let tuning = tuning.map_err(|exit| kept.ended(terminal, exit))?;
    let report = TuneReport {
        toml: Document::print_point(design, &points[tuning.best]),
        flags: Document::point_as_flags(design, &points[tuning.best]),
        tuning: &tuning,
    };
    let (files, csv, json) = (|| report.files(), || report.csv(), || report.json());
    let exit = args.to.deliver(terminal, directory, files, |style| report.text(style), json, csv);
    let exit = exit.map_err(|refusal| planned.complain(&refusal.to_string(), Exit::File))?;
    if tuning.winner().value.value.is_none() {
        let message = format!("`{}` has no value at any setting: there is nothing to choose by", tuning.objective);
        return Err(planned.complain(&message, Exit::Failed));
    }
    Ok(exit.max(verdicts(std::iter::once(tuning.winner().verdict()), args.inconclusive)))
}

/// Plans the tuning that is asked for, and says what is to be best.
pub fn plan<'a>(terminal: Terminal, files: &'a Files, ask: &'a Ask) -> Result<(Designed<'a>, Aim), Exit> {
    let file = ask.files[0].as_path();
    let complain = |message: &str| {
        terminal.complain(&format!("{}: {message}", file.display()));
        Exit::Wrong
    };
    let (overrides, base) =
        replicated(files, file, &ask.overrides(), RUNS).map_err(|mistakes| refuse(terminal, &mistakes))?;
    let (Some(design), Some(aim)) = (base.document.tuned.clone(), base.plan.aim.clone()) else {
        let help = "write a table [tune] with `minimise = QUANTITY`, and a table [tune.over] of paths with values";
        return Err(complain(&format!("nothing says what to tune: {help}")));
    };
    if let Some(path) = ask.sets.iter().find_map(|set| set_in_vain(&design, set)) {
        return Err(complain(&format!("`--set {path}` would be in vain: the tuning says what `{path}` is")));
    }
    designed::check(terminal, &design, &base)?;
    let points = design.candidates(&base.texts, aim.candidates);
    if points.is_empty() {
        return Err(complain("no candidate is left: the constraints leave all of them out"));
    }
    Ok((Designed { terminal, files, file, overrides, base, design, points, is_for: Use::Tuning }, aim))
}
