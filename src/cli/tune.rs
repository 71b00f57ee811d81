//! `tune`: looks for the setting of a scenario with which a quantity is best.

use rehearsal::experiment::{Bare, Progress, Shelf, StudyError, runs_at_most, tune as play};
use rehearsal::report::TuneReport;
use rehearsal::scenario::Overrides;
use rehearsal::scenario::design::{Design, Point};
use rehearsal::scenario::document::Document;

use super::args::{self, Format};
use super::destination::fill;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::progress::ProgressLine;
use super::run::verdicts;
use super::scenario::{Prepared, prepare, refuse, stopped, warn};
use super::store::Store;
use super::sweep::replicated;
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
    let files = Files::default();
    let complain = |message: &str, exit| {
        terminal.complain(&format!("{}: {message}", args.file.display()));
        exit
    };
    let (overrides, base) =
        replicated(&files, &args.file, &args.overrides(), RUNS).map_err(|mistakes| refuse(terminal, &mistakes))?;
    let (Some(design), Some(aim)) = (base.document.tuned.clone(), base.plan.aim.clone()) else {
        let help = "write a table [tune] with `minimise = QUANTITY`, and a table [tune.over] of paths with values";
        return Err(complain(&format!("nothing says what to tune: {help}"), Exit::Wrong));
    };
    let points = design.candidates(&base.document.tree, aim.candidates);
    if points.is_empty() {
        return Err(complain("no candidate is left: the constraints leave all of them out", Exit::Wrong));
    }
    let at = |point: &Point| Overrides { candidate: Some(point.clone()), ..overrides.clone() };
    let mut store = args.study.as_deref().map(|path| Store::open(path, &base.document, &files)).transpose();
    let mut store = store.as_mut().map_err(|error| complain(&error.to_string(), Exit::File))?.take();
    // What is wrong with any of them is said before the first is played.
    for point in &points {
        let prepared = prepare(&files, &args.file, &at(point)).map_err(|mistakes| {
            say_where(terminal, &design, point);
            refuse(terminal, &mistakes)
        })?;
        if interrupt::look().is_break() {
            return Err(Exit::Interrupted);
        }
        if let Some(store) = &mut store {
            let label = design.labels(point).join(", ");
            let added = store.add_point(&prepared.document, &prepared.plan.for_tuning(), &label);
            added.map_err(|error| complain(&error.to_string(), Exit::File))?;
        }
    }
    let directory = args.to.claim().map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    warn(terminal, &base);
    let most = runs_at_most(points.len(), base.plan.runs);
    let mut line = ProgressLine::of_study(terminal, &Files::stem(&args.file), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let make = |point: &Point| {
        // It was read before; a file that has changed since is a mistake that is not worth a word of its own.
        let prepared = prepare(&files, &args.file, &at(point));
        let prepared = prepared.map_err(|mistakes| StudyError::Shelf(mistakes.render(terminal.mistake_style())));
        Ok(prepared?.plan)
    };
    let mut bare = Bare;
    let shelf: &mut dyn Shelf = store.as_mut().map_or(&mut bare as &mut dyn Shelf, |store| store);
    let tuning =
        play((&base.plan, &aim), (&design, &points), make, shelf, &mut watch).map_err(|error| match error {
            StudyError::Run(point, error) => {
                let setting = design.labels(&points[point as usize]).join(", ");
                stopped(terminal, &format!("{}, at {setting}", args.file.display()), &error)
            }
            StudyError::Shelf(error) => complain(&error, Exit::File),
        })?;
    drop(line);
    let report = TuneReport {
        toml: Document::print_point(&design, &points[tuning.best]),
        flags: Document::point_as_flags(&design, &points[tuning.best]),
        tuning: &tuning,
    };
    fill(directory, || report.files()).map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    let exit = args.to.print(terminal, |style| report.text(style), || report.json(), || report.csv());
    if let (Some(path), Format::Text) = (&args.to.output, args.to.format) {
        terminal.note(&format!("\ntables and plots are in `{}`", path.display()));
    }
    Ok(exit.max(verdicts(std::iter::once(tuning.winner().verdict()), args.inconclusive)))
}

/// Plans the scenario with every value of a list and at both ends of every range that tuning varies, if it does.
pub fn try_ends(
    terminal: Terminal,
    files: &Files,
    args: &args::Check,
    file: &std::path::Path,
    base: &Prepared,
) -> Exit {
    let overrides = args.changes.overrides();
    let design = base.document.tuned.iter();
    let points =
        design.flat_map(|design| design.ends(&base.document.tree).into_iter().map(move |point| (design, point)));
    for (design, point) in points {
        let at = Overrides { candidate: Some(point.clone()), ..overrides.clone() };
        if let Err(mistakes) = prepare(files, file, &at) {
            say_where(terminal, design, &point);
            return refuse(terminal, &mistakes);
        }
    }
    Exit::Well
}

/// Says which setting it is that something is wrong with.
fn say_where(terminal: Terminal, design: &Design, point: &Point) {
    let labels = design.factors.iter().zip(design.labels(point));
    let labels = labels.map(|(factor, label)| format!("{} = {label}", factor.path));
    terminal.note(&format!("with {}:", labels.collect::<Vec<_>>().join(", ")));
}
