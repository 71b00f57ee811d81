//! `sweep`: plays a scenario at each point of a design.

use std::ops::ControlFlow;
use std::path::Path;

use rehearsal::experiment::{Axis, Progress, Shelf, StudyError, Sweep, SweepPoint, Unit, Watch, study};
use rehearsal::report::SweepReport;
use rehearsal::scenario::design::{Design, Factor, Point as DesignPoint};
use rehearsal::scenario::document::Table;
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Mistakes, Overrides};

use super::args::{self, Destination, Format, Inconclusive};
use super::ask::Ask;
use super::destination::fill;
use super::directory::Directory;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::keep::{self, Planned as _};
use super::progress::ProgressLine;
use super::run::verdicts;
use super::scenario::{Prepared, prepare, refuse, stopped, warn};
use super::store::{Point, Study};
use super::terminal::Terminal;

/// How often a point is played if the scenario does not say.
const RUNS: &str = "10";

/// Plays every point, and says how they went.
pub fn sweep(terminal: Terminal, args: &args::Sweep) -> Exit {
    interrupt::listen();
    match try_sweep(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_sweep(terminal: Terminal, args: &args::Sweep) -> Result<Exit, Exit> {
    let (files, ask) = (Files::default(), args.ask());
    let shard = args.keep.shard(terminal)?;
    let planned = Planned::new(terminal, &files, &ask)?;
    let points = planned.points()?;
    let study = Study { ask: &ask, base: &planned.base, points: &points, files: &files };
    let mut kept = args.keep.open(terminal, shard, &study)?;
    if let Some(shard) = shard {
        warn(terminal, &planned.base);
        return keep::play(terminal, &ask, shard, &points, &planned, kept);
    }
    let directory = args.to.claim().map_err(|refusal| planned.complain(&refusal.to_string(), Exit::File))?;
    warn(terminal, &planned.base);
    let most = u64::from(planned.base.plan.runs) * points.len() as u64;
    let mut line = ProgressLine::of_study(terminal, &Files::stem(&args.file), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let sweep = planned.play(kept.shelf(), &mut watch)?;
    drop(line);
    report(terminal, &sweep, &args.to, directory, args.inconclusive)
}

/// A sweep that can be played.
pub struct Planned<'a> {
    terminal: Terminal,
    files: &'a Files,
    file: &'a Path,
    overrides: Overrides,
    base: Prepared,
    design: Design,
    points: Vec<DesignPoint>,
}

impl<'a> Planned<'a> {
    /// Plans what is asked.
    pub fn new(terminal: Terminal, files: &'a Files, ask: &'a Ask) -> Result<Self, Exit> {
        let file = ask.files[0].as_path();
        let complain = |message: &str| {
            terminal.complain(&format!("{}: {message}", file.display()));
            Exit::Wrong
        };
        let (overrides, base) =
            replicated(files, file, &ask.overrides()).map_err(|mistakes| refuse(terminal, &mistakes))?;
        let Some(design) = base.document.design.clone() else {
            let help = "write a table [sweep] of paths with lists of values, or say `--sweep PATH='[VALUE, …]'`";
            return Err(complain(&format!("nothing says what to vary: {help}")));
        };
        let points = chosen(&design, &base.document.tree, &ask.only).map_err(|message| complain(&message))?;
        if points.is_empty() {
            return Err(complain("no point is left: the constraints or `--only` leave all of them out"));
        }
        Ok(Self { terminal, files, file, overrides, base, design, points })
    }

    /// Says what is wrong with it.
    fn complain(&self, message: &str, exit: Exit) -> Exit {
        self.terminal.complain(&format!("{}: {message}", self.file.display()));
        exit
    }

    fn prepare(&self, point: &DesignPoint) -> Result<Prepared, Mistakes> {
        let overrides = Overrides { point: Some(point.clone()), ..self.overrides.clone() };
        prepare(self.files, self.file, &overrides)
    }

    /// Its points. What is wrong with any of them is said before the first is played.
    pub fn points(&self) -> Result<Vec<Point>, Exit> {
        let mut points = Vec::new();
        for point in &self.points {
            let labels = self.design.labels(point);
            let prepared = self.prepare(point).map_err(|mistakes| {
                let factors = self.design.factors.iter().zip(&labels);
                let labels = factors.map(|(factor, label)| format!("{} = {label}", factor.path));
                self.terminal.note(&format!("at the point {}:", labels.collect::<Vec<_>>().join(", ")));
                refuse(self.terminal, &mistakes)
            })?;
            let point = Point::of(&prepared, labels.join(", "), self.files);
            points.push(point.map_err(|error| self.complain(&error.to_string(), Exit::File))?);
            if interrupt::look().is_break() {
                return Err(Exit::Interrupted);
            }
        }
        Ok(points)
    }

    /// Plays it.
    pub fn play(&self, shelf: &mut dyn Shelf, watch: &mut Watch<'_>) -> Result<Sweep, Exit> {
        let Self { base, design, .. } = self;
        let axis = |factor: &Factor| Axis {
            path: factor.path.clone(),
            unit: if factor.is_of_times() { Unit::Time } else { Unit::Number },
            is_log: factor.is_log(),
        };
        let mut sweep = Sweep {
            title: base.plan.title.clone(),
            variant: base.plan.variant.clone(),
            seed: base.plan.seed,
            factors: design.factors.iter().map(axis).collect(),
            points: Vec::new(),
        };
        let plans = (0..).zip(&self.points).map(|(place, _)| self.plan(place));
        study(plans, shelf, watch, |outcome| {
            let point = &self.points[outcome.point as usize];
            let numbers = design.factors.iter().zip(&point.0).map(|(factor, &level)| factor.number(level)).collect();
            sweep.points.push(SweepPoint { labels: design.labels(point), numbers, outcome });
            ControlFlow::Continue(())
        })
        .map_err(|error| self.stopped(error))?;
        Ok(sweep)
    }
}

impl keep::Planned for Planned<'_> {
    fn base(&self) -> &Prepared {
        &self.base
    }

    fn plan(&self, point: u32) -> Result<(u32, Plan), StudyError> {
        // It was read before; a file that has changed since is a mistake that is not worth a word of its own.
        let prepared = self.prepare(&self.points[point as usize]);
        let prepared =
            prepared.map_err(|mistakes| StudyError::Shelf(mistakes.render(self.terminal.mistake_style())))?;
        Ok((point, prepared.plan))
    }

    fn stopped(&self, error: StudyError) -> Exit {
        match error {
            StudyError::Run(point, error) => {
                stopped(self.terminal, &format!("{}, point {point}", self.file.display()), &error)
            }
            StudyError::Shelf(error) => self.complain(&error, Exit::File),
        }
    }
}

/// Writes and prints what a sweep has come to, and says what its expectations have.
pub fn report(
    terminal: Terminal,
    sweep: &Sweep,
    to: &Destination,
    directory: Option<Directory>,
    inconclusive: Option<Inconclusive>,
) -> Result<Exit, Exit> {
    let report = SweepReport(sweep);
    fill(directory, || report.files()).map_err(|refusal| {
        terminal.complain(&refusal.to_string());
        Exit::File
    })?;
    let exit = to.print(terminal, |style| report.text(style), || report.json(), || report.csv());
    if let (Some(path), Format::Text) = (&to.output, to.format) {
        terminal.note(&format!("\ntables are in `{}`", path.display()));
    }
    let judged = sweep.points.iter().flat_map(|point| &point.outcome.judgements);
    Ok(exit.max(verdicts(judged.map(|judgement| judgement.verdict), inconclusive)))
}

/// The scenario, played ten times where it does not say how often.
pub fn replicated(files: &Files, file: &Path, overrides: &Overrides) -> Result<(Overrides, Prepared), Mistakes> {
    let prepared = prepare(files, file, overrides)?;
    if prepared.plan.says_runs {
        return Ok((overrides.clone(), prepared));
    }
    let overrides = Overrides { runs: Some(RUNS.into()), ..overrides.clone() };
    let prepared = prepare(files, file, &overrides)?;
    Ok((overrides, prepared))
}

/// The points at which every `PATH=VALUE` holds; several of one path are alternatives.
fn chosen(design: &Design, tree: &Table, only: &[String]) -> Result<Vec<DesignPoint>, String> {
    let mut wanted: Vec<Vec<&str>> = vec![Vec::new(); design.factors.len()];
    for only in only {
        let (path, value) = only
            .split_once('=')
            .ok_or_else(|| format!("`--only` reads like `--only params.load=500/s`, found `{only}`"))?;
        let factor = design.factor(path)?;
        wanted[factor].push(value.trim_matches(['"', '\'']));
    }
    let points = design.points(tree);
    for (place, values) in wanted.iter().enumerate() {
        for value in values {
            if !points.iter().any(|point| design.labels(point)[place] == *value) {
                let mut known: Vec<String> = Vec::new();
                for label in points.iter().map(|point| design.labels(point).swap_remove(place)) {
                    if !known.contains(&label) && known.len() < 20 {
                        known.push(label);
                    }
                }
                return Err(format!("`{}` is never {value}; it is {}", design.factors[place].path, known.join(", ")));
            }
        }
    }
    let is_wanted = |point: &DesignPoint| {
        let labels = design.labels(point);
        wanted.iter().zip(&labels).all(|(values, label)| values.is_empty() || values.contains(&label.as_str()))
    };
    Ok(points.into_iter().filter(is_wanted).collect())
}
