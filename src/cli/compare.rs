//! `compare`: plays a base and others with the same luck, and says what differs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rehearsal::experiment::{
    Baseline, Breach, Comparison, Progress, Shelf, StudyError, Verdict, Watch, compare as play, runs_of_each,
};
use rehearsal::report::{CompareReport, baseline};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Mistakes, Overrides, nearest};

use super::args::{self, Destination};
use super::ask::Ask;
use super::directory::Directory;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::keep::{self, Knob, Planned as _};
use super::progress::ProgressLine;
use super::scenario::{Prepared, prepare, refuse, stopped, warn};
use super::store::{Point, Study};
use super::sweep::{RUNS, replicated};
use super::terminal::Terminal;

/// Plays all sides, and says what differs.
pub fn compare(terminal: Terminal, args: &args::Compare) -> Exit {
    interrupt::listen();
    match try_compare(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_compare(terminal: Terminal, args: &args::Compare) -> Result<Exit, Exit> {
    let (files, ask) = (Files::default(), args.ask());
    let shard = args.keep.shard(terminal)?;
    let planned = Planned::new(terminal, &files, &ask)?;
    let earlier = args.baseline.as_deref().map(|path| planned.baseline(path)).transpose()?;
    let points = planned.points()?;
    let study = Study { ask: &ask, base: planned.base(), points: &points, files: &files };
    let mut kept = args.keep.open(terminal, shard, &study)?;
    if let Some(shard) = shard {
        return keep::play(terminal, &ask, shard, &points, &planned, kept);
    }
    let directory = args.to.claim().map_err(|refusal| planned.complain(&refusal.to_string(), Exit::File))?;
    let most = points.iter().map(|point| u64::from(point.runs)).sum();
    let mut line = ProgressLine::of_study(terminal, &Files::stem(&args.files[0]), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let comparison = planned.play(earlier.as_ref(), kept.shelf(), &mut watch);
    drop(line);
    let comparison = comparison.map_err(|exit| kept.ended(terminal, exit))?;
    report(terminal, &comparison, &args.to, directory, args.margin)
}

/// A comparison that can be played.
pub struct Planned<'a> {
    terminal: Terminal,
    files: &'a Files,
    /// The base first.
    sides: Vec<(String, Prepared)>,
}

/// A side as it is asked for.
struct Asked {
    name: String,
    file: PathBuf,
    variant: Option<String>,
}

impl<'a> Planned<'a> {
    /// Plans what is asked.
    pub fn new(terminal: Terminal, files: &'a Files, ask: &Ask) -> Result<Self, Exit> {
        let (mut overrides, base) =
            replicated(files, &ask.files[0], &ask.overrides(), RUNS).map_err(|mistakes| refuse(terminal, &mistakes))?;
        warn(terminal, &base);
        if base.plan.runs == 1 {
            terminal.note("one run of each tells nothing of chance: there are no intervals");
        }
        // All play what the first plays: its seed, as often, and they show what it shows.
        overrides.seed = Some(base.plan.seed.to_string());
        overrides.runs = Some(base.plan.runs.to_string());
        let asked = asked(ask, &base).map_err(|message| {
            terminal.complain(&message);
            Exit::Wrong
        })?;
        let mut sides = vec![(asked[0].name.clone(), base)];
        for side in &asked[1..] {
            let prepared = prepared(files, side, &overrides, &sides[0].1.plan).map_err(|mistakes| {
                terminal.note(&format!("in {}:", side.name));
                refuse(terminal, &mistakes)
            })?;
            sides.push((side.name.clone(), prepared));
        }
        Ok(Self { terminal, files, sides })
    }

    /// Says what is wrong with it.
    fn complain(&self, message: &str, exit: Exit) -> Exit {
        self.terminal.complain(message);
        exit
    }

    /// Reads earlier results to compare with, and says what they do not know.
    fn baseline(&self, named: &Path) -> Result<Baseline, Exit> {
        let table = if named.is_dir() { named.join("summary.csv") } else { named.into() };
        let bytes = fs::read(&table)
            .map_err(|error| self.complain(&format!("cannot read `{}`: {error}", table.display()), Exit::File))?;
        let asked: Vec<_> = self.base().plan.columns.iter().map(|column| column.quantity.as_str()).collect();
        let name = named.display().to_string();
        let known = baseline(&name, &bytes, asked.iter().copied())
            .map_err(|error| self.complain(&format!("`{}`: {error}", table.display()), Exit::Wrong))?;
        let unknown: Vec<_> = asked.into_iter().filter(|quantity| known.of(quantity).is_none()).collect();
        if !unknown.is_empty() {
            self.terminal.note(&format!("`{name}` says nothing of {}", unknown.join(", ")));
        }
        if known.version != env!("CARGO_PKG_VERSION") {
            self.terminal.note(&format!("`{name}` is of version {}", known.version));
        }
        if known.seed != self.base().plan.seed {
            let word = format!("`{name}` has the seed {}: its runs and these are no pairs", known.seed);
            self.terminal.note(&word);
        }
        Ok(known)
    }

    /// Plays it.
    pub fn play(
        &self,
        baseline: Option<&Baseline>,
        shelf: &mut dyn Shelf,
        watch: &mut Watch<'_>,
    ) -> Result<Comparison, Exit> {
        let plans = self.sides.iter().map(|(name, side)| (name.clone(), side.plan.clone())).collect();
        play(&self.base().plan.title, plans, baseline, shelf, watch).map_err(|error| self.stopped(error))
    }
}

impl keep::Planned for Planned<'_> {
    fn base(&self) -> &Prepared {
        &self.sides[0].1
    }

    fn points(&self) -> Result<Vec<Point>, Exit> {
        let runs = runs_of_each(self.sides.iter().map(|(_, side)| &side.plan));
        let point = |(name, side): &(String, Prepared)| {
            // All are played as often, whatever would be enough for one of them.
            let point = Point::of(side, name.clone(), self.files)?;
            Ok(Point { runs, ends_early: false, ..point })
        };
        let points = self.sides.iter().map(point).collect::<io::Result<_>>();
        points.map_err(|error| self.complain(&error.to_string(), Exit::File))
    }

    fn knobs(&self) -> Vec<Knob> {
        let labels = self.sides.iter().map(|(name, _)| name.clone()).collect();
        vec![Knob { name: "side".into(), labels, numbers: None, unit: None }]
    }

    fn base_plan(&self) -> Plan {
        self.base().plan.clone()
    }

    fn plan(&self, point: u32) -> Result<(u32, Plan), StudyError> {
        Ok((point, self.sides[point as usize].1.plan.clone()))
    }

    fn stopped(&self, error: StudyError) -> Exit {
        match error {
            StudyError::Run(place, error) => stopped(self.terminal, &self.sides[place as usize].0, &error),
            StudyError::Shelf(error) => self.complain(&error, Exit::File),
        }
    }
}

/// Writes and prints what a comparison has come to, and says whether anything is worse by more than is allowed.
pub fn report(
    terminal: Terminal,
    comparison: &Comparison,
    to: &Destination,
    directory: Option<Directory>,
    margin: Option<f64>,
) -> Result<Exit, Exit> {
    let report = CompareReport { comparison, margin };
    let (files, csv, json) = (|| report.files(), || report.csv(), || report.json());
    let exit = to.deliver(terminal, directory, files, |style| report.text(style), json, csv).map_err(|refusal| {
        terminal.complain(&refusal.to_string());
        Exit::File
    })?;
    Ok(exit.max(regressions(terminal, comparison, margin)))
}

/// The base first: the only file and its variants, or several files.
fn asked(ask: &Ask, base: &Prepared) -> Result<Vec<Asked>, String> {
    let file = &ask.files[0];
    if ask.files.len() > 1 {
        if let Some(variant) = ask.with.first() {
            return Err(format!("`--with {variant}` is for one file and its variants, and several are named"));
        }
        // Files of one name are told apart by their paths.
        let is_alone =
            |file: &PathBuf| ask.files.iter().filter(|other| Files::stem(other) == Files::stem(file)).count() == 1;
        let name = |file: &PathBuf| if is_alone(file) { Files::stem(file) } else { file.display().to_string() };
        let named = |file: &PathBuf| Asked { name: name(file), file: file.clone(), variant: None };
        return Ok(ask.files.iter().map(named).collect());
    }
    let known: Vec<_> = base.document.variants.iter().map(|variant| variant.name.clone()).collect();
    let variants = match () {
        () if !ask.with.is_empty() => ask.with.clone(),
        // What is played is compared with what was.
        () if ask.has_baseline => Vec::new(),
        () => known.clone(),
    };
    if variants.is_empty() && !ask.has_baseline {
        return Err(format!(
            "{}: there is nothing to compare with: the scenario has no variants, and no other file is named",
            file.display()
        ));
    }
    let mut others: Vec<Asked> = Vec::new();
    for variant in variants {
        if !known.contains(&variant) {
            let meant = nearest(&variant, known.iter().map(String::as_str));
            let meant = meant.map_or_else(|| known.join(", "), |name| format!("did you mean `{name}`?"));
            return Err(format!("{}: there is no variant `{variant}`: {meant}", file.display()));
        }
        if others.iter().all(|other| other.name != variant) {
            others.push(Asked { name: variant.clone(), file: file.clone(), variant: Some(variant) });
        }
    }
    let name = if ask.has_baseline { Files::stem(file) } else { "base".into() };
    Ok(std::iter::once(Asked { name, file: file.clone(), variant: None }).chain(others).collect())
}

/// A side's plan. It is to show what the base shows, unless it has no such thing.
fn prepared(files: &Files, side: &Asked, overrides: &Overrides, base: &Plan) -> Result<Prepared, Mistakes> {
    let own = Overrides { variant: side.variant.clone(), ..overrides.clone() };
    let metrics = base.columns.iter().map(|column| column.quantity.clone()).collect();
    prepare(files, &side.file, &Overrides { metrics, ..own.clone() }).or_else(|_| prepare(files, &side.file, &own))
}

/// Says what is worse by more than is allowed.
fn regressions(terminal: Terminal, comparison: &Comparison, margin: Option<f64>) -> Exit {
    let breaches = margin.map_or(Vec::new(), |margin| comparison.breaches(margin));
    let exit = |breach: &Breach| {
        terminal.note(&format!("{}: {} {}", breach.side, breach.quantity, breach.why));
        if breach.verdict == Verdict::Fail { Exit::Failed } else { Exit::Undecided }
    };
    breaches.iter().map(exit).max().unwrap_or(Exit::Well)
}

/// `5%` or `0.05`.
pub fn margin(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(text).filter(|share| *share < 1.0),
    }
    .ok_or_else(|| "it is a share such as 5% or 0.05; from 1 on it needs the `%`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_shares() {
        let [percent, share, none, double] = ["5%", "0.05", "0", "200%"].map(|text| margin(text).ok());
        assert_eq!((percent, share, none, double), (Some(0.05), Some(0.05), Some(0.0), Some(2.0)));
        assert!(["5", "-1%", "much", "inf", "5%%"].iter().all(|text| margin(text).is_err()));
    }
}
