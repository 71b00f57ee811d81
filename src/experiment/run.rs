//! One run of a plan.

use std::fmt;
use std::ops::ControlFlow;

use crate::base::names::Names;
use crate::base::time::Time;
use crate::metrics::recovery::{CourseBook, Courses, Strike};
use crate::metrics::{
    FaultResult, FlowResult, Imbalance, Ledger, LinkResult, Periods, QueueResult, Queues, ReaderResult, RunResult,
    Series, StationResult, Stations, TopicResult, Topics,
};
use crate::model::Letter;
use crate::scenario::plan::{FaultSpec, Plan};
use crate::sim::{Cluster, Observer};

use super::explain;

/// Inputs between two reports of progress.
const CHUNK: u64 = 1 << 18;
/// The most inputs of a run: a closed loop without delays would otherwise never end.
const EVENTS_MAX: u64 = 50_000_000_000;
/// How often the drain asks whether every message has its fate, and every saga its end.
const DRAIN_STEPS: u64 = 100;

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Progress {
    /// Which run it is, from 0.
    pub run: u32,
    /// How many there will be.
    pub runs: u32,
    /// The present, as simulated.
    pub now: Time,
    /// The end of the load.
    pub end: Time,
    /// Inputs handed to processes so far.
    pub events: u64,
    /// Whether it is over.
    pub is_over: bool,
}

/// Told when a run begins, now and then how far it has come, and when it is over; may stop it. Several runs may be under way at a
/// time.
pub type Watch<'a> = dyn FnMut(Progress) -> ControlFlow<()> + Send + 'a;

/// Why there is no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunError {
    /// Whoever watched stopped it.
    Interrupted,
    /// It would take too many events; played up to this time.
    TooManyEvents(Time),
    /// A file that is read while it is played could not be read, or is no longer what it was.
    Trace(String),
    /// A defect of ours: the books do not balance.
    Imbalance(Imbalance),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::TooManyEvents(now) => write!(
                f,
                "more than {EVENTS_MAX} events in {now} of simulated time: is there a loop without any delay? Give users \
                 time to `think`, or the network a `latency`"
            ),
            Self::Trace(trouble) => f.write_str(trouble),
            Self::Imbalance(imbalance) => write!(f, "{imbalance} (this is a defect of the simulator)"),
        }
    }
}

impl std::error::Error for RunError {}

/// Plays one run of a plan.
///
/// # Errors
/// When it is stopped, takes too many events, a trace cannot be read any more, or its books do not balance.
pub fn play(plan: &Plan, run: u32, watch: &mut Watch<'_>) -> Result<RunResult, RunError> {
    let (result, _) = play_as(plan, run, |_| {}, watch)?;
    Ok(result)
}

/// Plays one run of a plan as [`play`] does, and follows a sample of its messages, so that the result says where their time went.
///
/// # Errors
/// As [`play`].
pub fn play_explained(plan: &Plan, run: u32, watch: &mut Watch<'_>) -> Result<RunResult, RunError> {
    let record = |names: &Names| explain::recorder(plan, names);
    let (mut result, cluster, mut recorder) = play_recorded(plan, run, record, watch)?;
    result.explained = recorder.sampled().map(|sampled| Box::new(explain::explained(plan, cluster.names(), sampled)));
    Ok(result)
}

/// Plays one run of a plan as [`play`] does, with one more observer.
pub(super) fn play_recorded<O: Observer>(
    plan: &Plan,
    run: u32,
    observer: impl FnOnce(&Names) -> O,
    watch: &mut Watch<'_>,
) -> Result<(RunResult, Cluster<Letter>, Box<O>), RunError> {
    let attach = |cluster: &mut Cluster<Letter>| {
        let observer = observer(cluster.names());
        cluster.observe(observer);
    };
    let (result, mut cluster) = play_as(plan, run, attach, watch)?;
    let observer = taken(&mut cluster);
    Ok((result, cluster, observer))
}

/// Plays one run of a plan, with what `attach` adds to those that watch it.
fn play_as(
    plan: &Plan,
    run: u32,
    add: impl FnOnce(&mut Cluster<Letter>),
    watch: &mut Watch<'_>,
) -> Result<(RunResult, Cluster<Letter>), RunError> {
    let seed = plan.seed_of(run);
    let mut cluster = plan.cluster(seed);
    let strikes = plan.strikes(seed);
    attach(plan, &strikes, &mut cluster);
    add(&mut cluster);
    let is_open = |cluster: &Cluster<Letter>| {
        // A saga may rest between two messages.
        cluster.observer::<Ledger>().is_some_and(|ledger| ledger.open() > 0)
            || cluster.observer::<Stations>().is_some_and(|stations| stations.open_sagas() > 0)
    };
    drive(plan, run, &mut cluster, is_open, watch)?;
    let result = finish(plan, run, seed, strikes, &mut cluster)?;
    Ok((result, cluster))
}

/// Plays one run of a plan for the latencies of its flows alone.
pub(super) fn explore(plan: &Plan, run: u32, series: Series, watch: &mut Watch<'_>) -> Result<Series, RunError> {
    look(plan, run, |_| series, |series| series.open() > 0, watch).map(|series| *series)
}

/// Plays one run of a plan with nobody watching it but this observer, which says whether there is more to see.
pub(super) fn look<O: Observer>(
    plan: &Plan,
    run: u32,
    observer: impl FnOnce(&Names) -> O,
    is_open: impl Fn(&O) -> bool,
    watch: &mut Watch<'_>,
) -> Result<Box<O>, RunError> {
    let mut cluster = plan.cluster(plan.seed_of(run));
    let observer = observer(cluster.names());
    cluster.observe(observer);
    drive(plan, run, &mut cluster, |cluster| cluster.observer::<O>().is_some_and(&is_open), watch)?;
    match plan.trouble() {
        Some(trouble) => Err(RunError::Trace(trouble)),
        None => Ok(cluster.take_observer().expect("it was attached when the run began")),
    }
}

/// Plays a run to the end of the load, and on until nothing is open, or the drain is over.
fn drive(
    plan: &Plan,
    run: u32,
    cluster: &mut Cluster<Letter>,
    is_open: impl Fn(&Cluster<Letter>) -> bool,
    watch: &mut Watch<'_>,
) -> Result<(), RunError> {
    let load_end = Time::ZERO + plan.duration;
    let mut tell = |cluster: &Cluster<Letter>, is_over: bool| {
        let (now, events) = (cluster.now(), cluster.events());
        let progress = Progress { run, runs: plan.runs, now, end: load_end, events, is_over };
        if watch(progress).is_break() { Err(RunError::Interrupted) } else { Ok(()) }
    };
    // Runs too short for a report on the way can be many.
    tell(cluster, false)?;
    let mut advance = |cluster: &mut Cluster<Letter>, end: Time| {
        while cluster.advance(end, CHUNK) {
            tell(cluster, false)?;
            if cluster.events() > EVENTS_MAX {
                return Err(RunError::TooManyEvents(cluster.now()));
            }
        }
        Ok(())
    };
    advance(cluster, load_end)?;
    for step in 1..=DRAIN_STEPS {
        if !is_open(cluster) {
            break;
        }
        let part = u128::from(plan.drain.as_nanos()) * u128::from(step) / u128::from(DRAIN_STEPS);
        advance(cluster, load_end + crate::base::time::ns(part as u64))?;
    }
    tell(cluster, true)
}

/// Has the books of a plan's flows and stations kept.
fn attach(plan: &Plan, strikes: &[Vec<Strike>], cluster: &mut Cluster<Letter>) {
    let span = cluster.names().span();
    let correctness: Vec<_> = plan.flows.iter().map(|flow| flow.correctness).collect();
    let calls: Vec<_> = plan.flows.iter().map(|flow| flow.is_call).collect();
    let mut ledger = Ledger::new(span, &correctness, plan.measured(), plan.step()).answering(&calls);
    if let Some(periods) = Periods::of(&plan.windows(strikes)) {
        ledger = ledger.cut(&periods);
    }
    if !plan.faults.is_empty() {
        ledger = ledger.following();
        cluster.observe(Courses::new(span, &correctness, plan.duration, &strikes.concat()));
    }
    if !plan.queues.is_empty() || !plan.readers.is_empty() {
        ledger = ledger.keeping(plan.places(cluster.names()));
    }
    cluster.observe(ledger);
    let names = cluster.names();
    let groups: Vec<Vec<_>> = plan
        .stations()
        .map(|(name, ..)| names.group(name).into_iter().flat_map(|group| names.members(group)).collect())
        .collect();
    cluster.observe(Stations::new(span, &groups, plan.measured(), plan.step()));
    if !plan.queues.is_empty() {
        cluster.observe(Queues::new(plan.rows_of_queues.len(), plan.measured(), plan.step()));
    }
    if !plan.topics.is_empty() {
        cluster.observe(Topics::new(plan.topics.len(), plan.readers.len(), plan.measured(), plan.step()));
    }
}

fn finish(
    plan: &Plan,
    run: u32,
    seed: u64,
    strikes: Vec<Vec<Strike>>,
    cluster: &mut Cluster<Letter>,
) -> Result<RunResult, RunError> {
    if let Some(trouble) = plan.trouble() {
        return Err(RunError::Trace(trouble));
    }
    let outcome = cluster.outcome();
    let (books, places) = {
        let mut ledger: Box<Ledger> = taken(cluster);
        let books = ledger.close().map_err(RunError::Imbalance)?.to_vec();
        (books, ledger.places().to_vec())
    };
    let stations = taken::<Stations>(cluster).close(outcome.end).to_vec();
    let books_of_queues =
        if plan.queues.is_empty() { Vec::new() } else { taken::<Queues>(cluster).close(outcome.end).to_vec() };
    let mut places = places.into_iter();
    let of_queues: Vec<_> = places.by_ref().take(plan.rows_of_queues.len()).collect();
    let row = |name: &String| QueueResult { name: name.clone(), book: Default::default(), custody: Default::default() };
    let mut queues: Vec<_> = plan.queues.iter().map(row).collect();
    for ((row, book), custody) in plan.rows_of_queues.iter().zip(&books_of_queues).zip(of_queues) {
        let row = &mut queues[usize::from(*row)];
        row.book.join(book);
        row.custody.add(&custody);
    }
    let (topics, readers) = if plan.topics.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        let mut books: Box<Topics> = taken(cluster);
        let (topics, readers) = books.close(outcome.end);
        let topics = plan.topics.iter().zip(topics);
        let readers = plan.readers.iter().zip(readers).zip(places);
        (
            topics.map(|(name, book)| TopicResult { name: name.clone(), book: book.clone() }).collect(),
            readers
                .map(|((name, book), custody)| ReaderResult { name: name.clone(), book: book.clone(), custody })
                .collect(),
        )
    };
    let courses = if plan.faults.is_empty() { CourseBook::default() } else { taken::<Courses>(cluster).close() };
    let flows = plan.flows.iter().zip(books).map(|(spec, book)| FlowResult {
        caller: spec.caller.clone(),
        entry: spec.entry.clone(),
        callee: spec.callee.clone(),
        is_client: spec.is_client,
        is_one_of_several: plan.has_several_callees(spec),
        book,
    });
    let stations = plan.stations().zip(stations).map(|((name, workers, _), book)| StationResult {
        name: name.into(),
        workers: workers.map(|workers| workers.get()),
        book,
    });
    let links = cluster
        .network()
        .links()
        .map(|(id, name, _)| LinkResult { name: name.into(), book: *outcome.wire.link(id) })
        .collect();
    Ok(RunResult {
        run,
        seed,
        measured: plan.measured(),
        end: outcome.end,
        events: outcome.events,
        digest: outcome.digest,
        checkpoints: outcome.checkpoints.clone(),
        flows: flows.collect(),
        stations: stations.collect(),
        queues,
        topics,
        readers,
        links,
        faults: plan.faults.iter().zip(strikes).map(|(fault, strikes)| fault_result(fault, strikes, cluster)).collect(),
        courses,
        explained: None,
    })
}

/// What a fault touched; nothing if its time never came.
fn fault_result(fault: &FaultSpec, mut strikes: Vec<Strike>, cluster: &Cluster<Letter>) -> FaultResult {
    let (book, end) = (cluster.fault_book(&fault.name).cloned().unwrap_or_default(), cluster.now());
    strikes.retain(|(at, _)| *at <= end);
    strikes.iter_mut().for_each(|(_, healed)| *healed = healed.filter(|healed| *healed <= end));
    FaultResult { name: fault.name.clone(), kind: fault.kind, book, strikes }
}

/// An observer that was attached when the run began.
fn taken<O: Observer>(cluster: &mut Cluster<Letter>) -> Box<O> {
    cluster.take_observer().expect("it was attached when the run began")
}
