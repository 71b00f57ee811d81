//! Studies that are kept: opened, and played shard by shard.

use std::path::Path;

use rehearsal::experiment::{Bare, Division, Progress, Shard, Shelf, StudyError, play_shard};
use rehearsal::scenario::plan::Plan;

use super::args::Keeping;
use super::ask::Ask;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::progress::ProgressLine;
use super::rank;
use super::scenario::Prepared;
use super::store::{Point, Store, Study};
use super::terminal::Terminal;

/// A study that is planned: what all kinds of studies have in common.
pub trait Planned {
    /// Its scenario, or the base of what is compared.
    fn base(&self) -> &Prepared;

    /// Its points, in order: those of a sweep, the sides of a comparison, the candidates of a tuning.
    fn points(&self) -> Result<Vec<Point>, Exit>;

    /// What tells its points apart.
    fn knobs(&self) -> Vec<Knob>;

    /// The plan of the base, with what is asked of each point.
    fn base_plan(&self) -> Plan;

    /// The plan of a point, after its number.
    fn plan(&self, point: u32) -> Result<(u32, Plan), StudyError>;

    /// Says why it has come to no end.
    fn stopped(&self, error: StudyError) -> Exit;
}

/// What tells the points of a study apart.
pub struct Knob {
    /// What it is called.
    pub name: String,
    /// By point: what it is there.
    pub labels: Vec<String>,
    /// By point: the same as a number, if it is one everywhere.
    pub numbers: Option<Vec<f64>>,
    /// What the numbers are counted in, if that has to be said.
    pub unit: Option<&'static str>,
}

/// Where the answers of a study are kept, if anywhere.
pub enum Kept {
    /// Nowhere.
    Not(Bare),
    /// In a file.
    In(Box<Store>),
}

impl Kept {
    /// Says that what was played is kept, where it was interrupted.
    pub fn ended(&self, terminal: Terminal, exit: Exit) -> Exit {
        if let (Exit::Interrupted, Self::In(store)) = (exit, self) {
            terminal.note(&format!("interrupted; {} runs were kept, and the same command goes on", store.kept));
        }
        exit
    }

    /// As a shelf.
    pub fn shelf(&mut self) -> &mut dyn Shelf {
        match self {
            Self::Not(bare) => bare,
            Self::In(store) => &mut **store,
        }
    }
}

impl Keeping {
    /// The shard that is to be played, if it is one.
    pub fn shard(&self, terminal: Terminal) -> Result<Option<Shard>, Exit> {
        let lookup = |name: &str| std::env::var(name).ok();
        let shard = self.shard.as_deref().map(|typed| rank::shard(typed, &lookup)).transpose();
        shard.map_err(|message| {
            terminal.complain(&message);
            Exit::Wrong
        })
    }

    /// Opens what is to keep the answers.
    pub fn open(&self, terminal: Terminal, shard: Option<Shard>, study: &Study<'_>) -> Result<Kept, Exit> {
        Kept::open(terminal, self.study.as_deref(), shard, study)
    }
}

impl Kept {
    /// Opens the directory that is to keep the answers of a study, or of a shard of it, if one is named.
    pub fn open(
        terminal: Terminal,
        directory: Option<&Path>,
        shard: Option<Shard>,
        study: &Study<'_>,
    ) -> Result<Self, Exit> {
        let Some(directory) = directory else { return Ok(Self::Not(Bare)) };
        let store = Store::open(directory, shard, study).map_err(|error| {
            terminal.complain(&error.to_string());
            Exit::File
        })?;
        Ok(Self::In(Box::new(store)))
    }
}

/// Who plays which runs of these points.
pub fn division(count: u32, points: &[Point]) -> Division {
    Division::new(count, points.iter().map(|point| (point.runs, point.ends_early)))
}

/// Plays a shard, keeps what its runs answer, and says what was done.
pub fn play(
    terminal: Terminal,
    ask: &Ask,
    shard: Shard,
    points: &[Point],
    planned: &dyn Planned,
    kept: Kept,
) -> Result<Exit, Exit> {
    let Kept::In(mut store) = kept else { unreachable!("`--shard` comes with `--study`") };
    let division = division(shard.count, points);
    let most = division.most(shard);
    let mut line = ProgressLine::of_study(terminal, &format!("{} {shard}", Files::stem(&ask.files[0])), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let own = (0..division.points()).filter(|&point| division.plays_any(shard, point));
    let played = play_shard(shard, &division, own.map(|point| planned.plan(point)), &mut *store, &mut watch);
    drop(line);
    let safe = store.finish().map_err(|error| {
        terminal.complain(&error.to_string());
        Exit::File
    });
    played.map_err(|error| planned.stopped(error))?;
    safe?;
    let own = (0..division.points()).filter(|&point| division.plays_any(shard, point));
    let counts =
        own.map(|point| store.count(point, |run| run < division.runs(point) && division.plays(shard, point, run)));
    let done: u64 = counts.sum::<Result<u64, _>>().map_err(|error| {
        terminal.complain(&error.to_string());
        Exit::File
    })?;
    let of = if division.is_by_point { format!("{done} runs") } else { format!("{done} of {} runs", total(&division)) };
    Ok(terminal.say(format!("shard {shard}: {of}, of which {} were there already\n", done - store.kept)))
}

fn total(division: &Division) -> u64 {
    (0..division.points()).map(|point| u64::from(division.runs(point))).sum()
}
