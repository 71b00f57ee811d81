//! `export`: writes the runs of a kept study as a table, for others to read.

mod parquet;
mod table;

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use rehearsal::experiment::{Questions, Unit};
use rehearsal::scenario::plan::Plan;

use super::ask::{Ask, Kind};
use super::compare;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::keep::Planned;
use super::output::Output;
use super::store::{Store, Whole, fingerprint};
use super::sweep;
use super::terminal::Terminal;
use super::tune;

use table::{Column, Table, Values};

/// Writes the runs of a kept study as a table, for pandas, polars, DuckDB and others
///
/// A row for each run: what its point is, its seed and digest, and its value of each quantity. Values of times are in nanoseconds. No
/// other file is needed: a study keeps those that its scenario was read from.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  rehearsal sweep study.toml --study kept
  rehearsal export kept > runs.csv
  rehearsal export kept -o runs.parquet
  rehearsal merge shards --study kept && rehearsal export kept -o runs.parquet")]
pub struct Export {
    /// The directory of the study
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: PathBuf,
    /// Write into FILE: Parquet if its name ends in `.parquet`, and CSV otherwise
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// Writes a table of all runs that are kept.
pub fn export(terminal: Terminal, args: &Export) -> Exit {
    interrupt::listen();
    match try_export(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_export(terminal: Terminal, args: &Export) -> Result<Exit, Exit> {
    let complain = |message: &str, exit| {
        terminal.complain(message);
        exit
    };
    let is_parquet =
        args.output.as_deref().and_then(Path::extension).is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
    let output = Output::claim(terminal, args.output.as_deref(), args.force)?;
    let whole = Whole::read(&args.directory).map_err(|refusal| complain(&refusal.message, refusal.exit))?;
    let files = whole.files().map_err(|refusal| complain(&refusal.message, refusal.exit))?;
    let ask = whole.ask.clone();
    let planned = plan(terminal, &files, &ask)?;
    let points = planned.points()?;
    if whole.points != fingerprint::of_points(&points).to_string() {
        let message = format!("`{}` was kept by another build of this version", args.directory.display());
        return Err(complain(&message, Exit::Wrong));
    }
    let store = whole.store(&points).map_err(|refusal| complain(&refusal.message, refusal.exit))?;
    let table = gather(terminal, &*planned, &store, points.len())?;
    let bytes = if is_parquet { parquet::write(&table) } else { table.csv() };
    output.fill(|out| out.write_all(&bytes))?;
    if let Some(path) = &args.output {
        terminal.note(&format!("{} runs are in `{}`", table.rows, path.display()));
    }
    Ok(Exit::Well)
}

/// Plans the study as it was planned when it was played.
fn plan<'a>(terminal: Terminal, files: &'a Files, ask: &'a Ask) -> Result<Box<dyn Planned + 'a>, Exit> {
    Ok(match ask.kind {
        Kind::Sweep => Box::new(sweep::plan(terminal, files, ask)?),
        Kind::Compare => Box::new(compare::Planned::new(terminal, files, ask)?),
        Kind::Tune => Box::new(tune::plan(terminal, files, ask)?.0),
    })
}

/// A row for each run, point by point: what the point is, which run it is, and what it answered.
fn gather(terminal: Terminal, planned: &dyn Planned, store: &Store, points: usize) -> Result<Table, Exit> {
    let knobs = planned.knobs();
    let asked = |plan: &Plan| {
        let all = Questions::of(plan).all(plan).into_iter();
        all.map(|(quantity, measure, _)| format!("{quantity}{}", suffix(Unit::of(&measure)))).collect::<Vec<_>>()
    };
    let names = asked(&planned.base_plan());
    let (mut at, mut runs, mut seeds, mut digests, mut events) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut values: Vec<Vec<Option<f64>>> = vec![Vec::new(); names.len()];
    let fail = |message: String| {
        terminal.complain(&message);
        Exit::File
    };
    for point in 0..points as u32 {
        let (_, plan) = planned.plan(point).map_err(|error| planned.stopped(error))?;
        let questions = Questions::of(&plan);
        let own = asked(&plan);
        for record in store.records(point).map_err(|error| fail(error.to_string()))? {
            let record = record.map_err(|error| fail(error.to_string()))?;
            at.push(u64::from(point));
            runs.push(u64::from(record.run));
            seeds.push(record.seed);
            digests.push(format!("{:016x}", record.digest));
            events.push(record.events);
            let answers = questions.values(&plan, &record);
            for (name, values) in names.iter().zip(&mut values) {
                // A side may lack what the base has.
                let place = own.iter().position(|own| own == name);
                values.push(place.and_then(|place| answers[place]));
            }
            if interrupt::look().is_break() {
                return Err(Exit::Interrupted);
            }
        }
    }
    let mut columns = vec![Column { name: "point".into(), values: Values::Whole(at.clone()) }];
    for knob in knobs {
        let of = |place: &u64| knob.labels[*place as usize].clone();
        let is_plain = knob.unit.is_none() && knob.numbers.is_some();
        if !is_plain {
            columns.push(Column { name: knob.name.clone(), values: Values::Text(at.iter().map(of).collect()) });
        }
        if let Some(numbers) = &knob.numbers {
            let name = format!("{}{}", knob.name, knob.unit.map_or(String::new(), |unit| format!(" ({unit})")));
            let numbers = at.iter().map(|&place| Some(numbers[place as usize])).collect();
            columns.push(Column { name, values: Values::Number(numbers) });
        }
    }
    let rows = at.len();
    columns.push(Column { name: "run".into(), values: Values::Whole(runs) });
    columns.push(Column { name: "seed".into(), values: Values::Whole(seeds) });
    columns.push(Column { name: "digest".into(), values: Values::Text(digests) });
    columns.push(Column { name: "events".into(), values: Values::Whole(events) });
    columns.extend(names.into_iter().zip(values).map(|(name, values)| Column { name, values: Values::Number(values) }));
    Ok(Table { columns, rows })
}

/// The unit behind a quantity's name.
fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => " (ns)",
        Unit::Rate => " (1/s)",
        Unit::Share | Unit::Number => "",
    }
}
