//! `compare`: plays a base and others with the same luck, and says what differs.

use std::path::PathBuf;

use rehearsal::experiment::{Bare, Comparison, Finding, Progress, Setting, StudyError, compare as play};
use rehearsal::report::CompareReport;
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Better, Mistakes, Overrides};

use super::args;
use super::destination::fill;
use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::progress::ProgressLine;
use super::scenario::{Prepared, prepare, refuse, stopped, warn};
use super::sweep::{RUNS, replicated};
use super::terminal::Terminal;

/// Plays all sides, and says what differs.
pub fn compare(terminal: Terminal, args: &args::Compare) -> Exit {
    interrupt::listen();
    match try_compare(terminal, args) {
        Ok(exit) | Err(exit) => exit,
    }
}

/// A side as it is asked for.
struct Asked {
    name: String,
    file: PathBuf,
    variant: Option<String>,
}

fn try_compare(terminal: Terminal, args: &args::Compare) -> Result<Exit, Exit> {
    let files = Files::default();
    let complain = |message: &str, exit| {
        terminal.complain(message);
        exit
    };
    let first = &args.files[0];
    let overrides = args.overrides();
    let (mut overrides, base) =
        replicated(&files, first, &overrides, RUNS).map_err(|mistakes| refuse(terminal, &mistakes))?;
    warn(terminal, &base);
    if base.plan.runs == 1 {
        terminal.note("one run of each tells nothing of chance: there are no intervals");
    }
    // All play what the first plays: its seed, as often, and they show what it shows.
    overrides.seed = Some(base.plan.seed.to_string());
    overrides.runs = Some(base.plan.runs.to_string());
    let asked = sides(args, &base).map_err(|message| complain(&message, Exit::Wrong))?;
    let title = base.plan.title.clone();
    let name = asked[0].name.clone();
    let mut plans = vec![(name, base.plan)];
    for side in &asked[1..] {
        let prepared = prepared(&files, side, &overrides, &plans[0].1).map_err(|mistakes| {
            terminal.note(&format!("in {}:", side.name));
            refuse(terminal, &mistakes)
        })?;
        plans.push((side.name.clone(), prepared.plan));
    }
    let directory = args.to.claim().map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    let most = plans.iter().map(|(_, plan)| u64::from(plan.runs)).sum();
    let mut line = ProgressLine::of_study(terminal, &Files::stem(first), most);
    let mut watch = |progress: Progress| {
        line.tell(progress);
        interrupt::look()
    };
    let names: Vec<_> = plans.iter().map(|(name, _)| name.clone()).collect();
    let failed = |error: StudyError| match error {
        StudyError::Run(place, error) => stopped(terminal, &names[place as usize], &error),
        StudyError::Shelf(error) => complain(&error, Exit::File),
    };
    let settings =
        plans.into_iter().zip(0..).map(|((name, plan), place)| Ok((name, Setting::new(place, plan, &mut watch)?)));
    let settings = settings.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let comparison = play(&title, settings, &mut Bare, &mut watch).map_err(failed)?;
    drop(line);
    let report = CompareReport(&comparison);
    fill(directory, || report.files()).map_err(|refusal| complain(&refusal.to_string(), Exit::File))?;
    let exit = args.to.print(terminal, |style| report.text(style), || report.json(), || report.csv());
    Ok(exit.max(regressions(terminal, &comparison, args)?))
}

/// The base first: the only file and its variants, or several files.
fn sides(args: &args::Compare, base: &Prepared) -> Result<Vec<Asked>, String> {
    let file = &args.files[0];
    if args.files.len() > 1 {
        let named = |file: &PathBuf| Asked { name: Files::stem(file), file: file.clone(), variant: None };
        return Ok(args.files.iter().map(named).collect());
    }
    let known: Vec<_> = base.document.variants.iter().map(|variant| variant.name.clone()).collect();
    let variants = if args.variants.is_empty() { known.clone() } else { args.variants.clone() };
    if variants.is_empty() {
        return Err(format!(
            "{}: there is nothing to compare with: the scenario has no variants, and no other file is named",
            file.display()
        ));
    }
    let others =
        variants.into_iter().map(|variant| Asked { name: variant.clone(), file: file.clone(), variant: Some(variant) });
    Ok(std::iter::once(Asked { name: "base".into(), file: file.clone(), variant: None }).chain(others).collect())
}

/// A side's plan. It is to show what the base shows, unless it has no such thing.
fn prepared(files: &Files, side: &Asked, overrides: &Overrides, base: &Plan) -> Result<Prepared, Mistakes> {
    let own = Overrides { variant: side.variant.clone(), ..overrides.clone() };
    let metrics = base.columns.iter().map(|column| column.quantity.clone()).collect();
    prepare(files, &side.file, &Overrides { metrics, ..own.clone() }).or_else(|_| prepare(files, &side.file, &own))
}

/// Whether something is worse by more than is allowed.
fn regressions(terminal: Terminal, comparison: &Comparison, args: &args::Compare) -> Result<Exit, Exit> {
    let Some(margin) = &args.margin else { return Ok(Exit::Well) };
    let margin = share(margin).ok_or_else(|| {
        terminal.complain(&format!("`--margin` is a share such as 5%, found `{margin}`"));
        Exit::Wrong
    })?;
    let mut exit = Exit::Well;
    for side in &comparison.sides[1..] {
        for ((column, _, difference), (_, base, _)) in side.quantities.iter().zip(&comparison.sides[0].quantities) {
            let (Some(difference), Some(better), Some(of_base)) =
                (difference, column.measure.metric.better(), base.value)
            else {
                continue;
            };
            let worse = if better == Better::Lower { difference.value } else { -difference.value };
            let half = difference.half.unwrap_or(0.0);
            let allowed = margin * of_base.abs();
            if difference.finding == Finding::Same || worse + half <= allowed {
                continue;
            }
            let (said, code) = if worse - half > allowed {
                ("is worse than the margin allows", Exit::Failed)
            } else {
                ("may be worse than the margin allows: more runs would tell", Exit::Undecided)
            };
            terminal.note(&format!("{}: {} {said}", side.name, column.quantity));
            exit = exit.max(code);
        }
    }
    Ok(exit)
}

/// `5%` or `0.05`.
fn share(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (share.is_finite() && share >= 0.0).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_shares() {
        assert_eq!((share("5%"), share("0.05"), share("0")), (Some(0.05), Some(0.05), Some(0.0)));
        assert_eq!((share("-1%"), share("much"), share("inf")), (None, None, None));
    }
}
