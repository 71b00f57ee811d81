//! `merge`: puts the shards of a study together, and reports it.

use std::collections::BTreeSet;

use rehearsal::experiment::{Division, Shard, play_shard};

use super::args;
use super::ask::Kind;
use super::compare;
use super::directory::Directory;
use super::exit::Exit;
use super::interrupt;
use super::keep::{self, Planned};
use super::store::{Complete, Part, Point, Refusal, Store, Study, gather, parts};
use super::sweep;
use super::terminal::Terminal;

/// Shards that are not there are named, up to so many.
const NAMED: usize = 20;

/// Puts shards together, and says how the study went.
pub fn merge(terminal: Terminal, args: &args::Merge) -> Exit {
    interrupt::listen();
    match try_merge(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_merge(terminal: Terminal, args: &args::Merge) -> Result<Exit, Exit> {
    let refused = |refusal: Refusal| complain(terminal, &refusal.message, refusal.exit);
    let parts = parts(&args.directories).map_err(refused)?;
    let first = &parts[0];
    match first.ask.kind {
        Kind::Sweep if args.margin.is_some() => {
            return Err(complain(terminal, "`--margin` is for comparisons, and this is a sweep", Exit::Wrong));
        }
        Kind::Compare if args.inconclusive.is_some() => {
            let message = "`--inconclusive` is for sweeps, and a comparison judges nothing";
            return Err(complain(terminal, message, Exit::Wrong));
        }
        Kind::Tune => {
            return Err(complain(terminal, "a tuning is played on one machine: it has no shards", Exit::Wrong));
        }
        Kind::Sweep | Kind::Compare => {}
    }
    if first.shard.index > 0 {
        // Only the first knows what was to be played.
        absent(terminal, &parts);
        return Err(Exit::Wrong);
    }
    let files = first.files().map_err(refused)?;
    let together = |points: &[Point], planned: &dyn Planned| -> Result<(Store, Option<Directory>), Exit> {
        first.refuse_other_plan(points).map_err(refused)?;
        let study = Study { ask: &first.ask, base: planned.base(), points, files: &files };
        let mut store = gather(&parts, &study).map_err(refused)?;
        let is_complete = absent(terminal, &parts) & complete(terminal, &parts, points, planned, &mut store)?;
        if !is_complete {
            return Err(Exit::Wrong);
        }
        let directory = args.to.claim().map_err(|refusal| complain(terminal, &refusal.to_string(), Exit::File))?;
        args.study.as_deref().map_or(Ok(()), |directory| store.save(directory)).map_err(refused)?;
        Ok((store, directory))
    };
    let mut watch = |_| interrupt::look();
    match first.ask.kind {
        Kind::Sweep => {
            let planned = sweep::plan(terminal, &files, &first.ask)?;
            let (mut store, directory) = together(&planned.points()?, &planned)?;
            let sweep = sweep::play(&planned, &mut Complete::new(&mut store), &mut watch)?;
            sweep::report(terminal, &sweep, &args.to, directory, args.inconclusive)
        }
        Kind::Compare => {
            let planned = compare::Planned::new(terminal, &files, &first.ask)?;
            let (mut store, directory) = together(&planned.points()?, &planned)?;
            let comparison = planned.play(None, &mut Complete::new(&mut store), &mut watch)?;
            compare::report(terminal, &comparison, &args.to, directory, args.margin)
        }
        Kind::Tune => unreachable!("it was refused"),
    }
}

fn complain(terminal: Terminal, message: &str, exit: Exit) -> Exit {
    terminal.complain(message);
    exit
}

/// Says which shards are not there at all; whether all are.
fn absent(terminal: Terminal, parts: &[Part]) -> bool {
    let count = parts[0].shard.count;
    let present: BTreeSet<_> = parts.iter().map(|part| part.shard).collect();
    let mut absent =
        (1..=count).filter_map(|number| Shard::new(number, count)).filter(|shard| !present.contains(shard));
    for shard in absent.by_ref().take(NAMED) {
        let line = parts[0].ask.line(&parts[0].directory, shard);
        terminal.complain(&format!("shard {shard} is not there: run it: `{line}`"));
    }
    let others = absent.count();
    if others > 0 {
        terminal.complain(&format!("{others} more shards are not there"));
    }
    present.len() == count as usize
}

/// Says which of the shards that are there have not played all they have to; whether all have.
fn complete(
    terminal: Terminal,
    parts: &[Part],
    points: &[Point],
    planned: &dyn Planned,
    store: &mut Store,
) -> Result<bool, Exit> {
    let division = keep::division(parts[0].shard.count, points);
    let mut is_complete = true;
    let mut last = None;
    for part in parts.iter().filter(|part| last.replace(part.shard) != Some(part.shard)) {
        let shard = part.shard;
        let own = (0..division.points()).filter(|&point| division.plays_any(shard, point));
        let mut found = 0;
        for point in own.clone() {
            let count = store.count(point, |run| run < division.runs(point) && division.plays(shard, point, run));
            found += count.map_err(|error| complain(terminal, &error.to_string(), Exit::File))?;
        }
        let all = division.most(shard);
        let lacks = match division.is_by_point {
            false if found < all => Some(format!("has {found} of {all} runs")),
            true if !has_enough(shard, &division, own, planned, store)? => {
                Some(format!("has {found} runs, and not enough of each of its points"))
            }
            _ => None,
        };
        if let Some(lacks) = lacks {
            let line = part.ask.line(&part.directory, shard);
            terminal.complain(&format!("shard {shard} {lacks}: run it again: `{line}`"));
            is_complete = false;
        }
    }
    Ok(is_complete)
}

/// Whether as many runs of a shard's points are there as it takes to know enough.
fn has_enough(
    shard: Shard,
    division: &Division,
    points: impl Iterator<Item = u32>,
    planned: &dyn Planned,
    store: &mut Store,
) -> Result<bool, Exit> {
    let plans = points.map(|point| planned.plan(point));
    let mut all = Complete::new(store);
    match play_shard(shard, division, plans, &mut all, &mut |_| interrupt::look()) {
        Ok(()) => Ok(true),
        Err(_) if all.lacks => Ok(false),
        Err(error) => Err(planned.stopped(error)),
    }
}
