//! What a group of clients brings: rates, arrival processes, traces, users.

use std::sync::Arc;

use crate::base::distribution::Distribution;
use crate::base::time::Span;
use crate::model::{self, ClientSpec, Course, Load};
use crate::protocol::workload::arrivals::{Arrivals, Gaps};
use crate::protocol::workload::rate::{Profile, RatePolicy};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Openers, StreamedFile};
use crate::scenario::schema::{Chosen, Client, LoadRate, Name, Phase};
use crate::scenario::trace::{Facts, TraceError, TraceFile};

use super::distribution::times;

/// The load of a group, and the trace it comes from, if it comes from one.
pub(super) struct Brought {
    pub load: Load,
    pub course: Course,
    pub batch: Option<crate::protocol::workload::arrivals::Batch>,
    pub trace: Option<TraceFile>,
}

impl Brought {
    fn of(load: Load) -> Self {
        Self { load, course: Course::default(), batch: None, trace: None }
    }

    /// The group that brings it with this program.
    pub fn by(self, client: &Client, duration: Span, program: model::Choice) -> ClientSpec {
        let (from, until) = span(client, duration);
        ClientSpec {
            load: self.load,
            course: self.course,
            batch: self.batch,
            program,
            from,
            until,
            count: client.count.as_ref().map(|count| count.value.get().into()),
            nodes: client.nodes().get(),
        }
    }
}

/// From when to when a group brings load.
pub(super) fn span(client: &Client, duration: Span) -> (Span, Span) {
    let from = client.from.as_ref().map_or(Span::ZERO, |from| from.value.0);
    (from, client.until.as_ref().map_or(duration, |until| until.value.0.min(duration)))
}

/// How many requests a rate brings from one time to another, in the mean.
pub(super) fn offered(rate: &RatePolicy, (from, until): (Span, Span)) -> f64 {
    let rate = rate.start();
    let due = |at| rate.due(crate::base::time::Time::ZERO + at);
    (due(until) - due(from)).max(0.0)
}

/// The load of a group.
///
/// # Errors
/// What is wrong with it.
pub(super) fn load(
    name: &Located<Name>,
    client: &Client,
    duration: Span,
    files: &Openers,
) -> Result<Brought, Diagnostic> {
    match (&client.rate, &client.users, &client.trace) {
        (Some(rate), None, None) => at_rate(client, rate),
        (None, Some(users), None) => {
            let think = client.think.as_ref().map_or(Ok(Distribution::constant(Span::ZERO)), times)?;
            Ok(Brought::of(Load::Users { users: users.value.get(), think }))
        }
        (None, None, Some(trace)) => from_trace(trace, files, span(client, duration)),
        _ => Err(Diagnostic::error(format!("`{}` has no load", name.as_str()))
            .at(name.origin, "either `rate`, or `users` with `think`, or a `trace`")),
    }
}

fn at_rate(client: &Client, rate: &Located<Chosen<LoadRate>>) -> Result<Brought, Diagnostic> {
    let arrivals = client.arrivals.as_ref().map(|arrivals| arrivals.value.policy.clone()).unwrap_or_default().start();
    let policy = &rate.value.policy;
    let profile = policy.constant().is_none().then(|| Arc::new(policy.start()));
    let peak = profile.as_ref().map_or_else(|| policy.constant().unwrap_or_default(), |profile| profile.peak());
    // The clock of arrivals runs at full speed when there is most load.
    let per_node = peak / f64::from(client.nodes().get());
    let states = arrivals.states().cloned().map(Arc::new);
    let per_node = states.as_ref().map_or(per_node, |states| per_node * states.peak());
    let batch = arrivals.batch();
    let gap = batch.map_or(1e9, |batch| 1e9 * batch.mean()) / per_node;
    let mean = Span::from_nanos_f64(gap);
    let no_load = |_| Diagnostic::error("no load at this rate").at(rate.origin, "more than 0, at most 1/ns per node");
    let gaps = arrivals.gaps();
    let load = match (gaps.law(mean).map_err(no_load)?, gaps) {
        (Some(gap), gaps) => Load::Renewal { gap, first: gaps.first(mean).map_err(no_load)? },
        (None, Gaps::Even | Gaps::Exponential | Gaps::Gamma(_)) => {
            let phase = match client.phase.as_ref().map_or(Phase::Random, |phase| phase.value) {
                Phase::Random => model::Phase::Random,
                Phase::Staggered => model::Phase::Staggered,
                Phase::Aligned => model::Phase::Aligned,
            };
            Load::Even { gap, phase }
        }
    };
    Ok(Brought { load, course: Course { profile, states }, batch, trace: None })
}

/// The warning that rows of a trace come too late to be played, unless the client says when to stop.
pub(super) fn not_played(client: &Client, facts: Facts, duration: Span) -> Option<Diagnostic> {
    let trace = client.trace.as_ref().filter(|_| client.until.is_none() && facts.late > 0)?;
    let rows = if facts.late == 1 { "1 row".to_owned() } else { format!("{} rows", facts.late) };
    let message = format!("{rows} of `{}` from {duration} on are not played", trace.value.path);
    Some(
        Diagnostic::warning(message)
            .at(trace.origin, format!("{} in all", facts.rows))
            .help("make `run.duration` longer, or write `until` beside `trace` if that is meant"),
    )
}

fn from_trace(file: &Located<StreamedFile>, files: &Openers, load: (Span, Span)) -> Result<Brought, Diagnostic> {
    let path = &file.value.path;
    let opener = files
        .get(path)
        .ok_or_else(|| Diagnostic::unreadable(format!("cannot read `{path}`: nobody opened it")).at(file.origin, ""))?;
    let trace = TraceFile::read(path, opener, load).map_err(|error| match error {
        TraceError::Unreadable(why) => {
            Diagnostic::unreadable(format!("cannot read `{path}`: {why}")).at(file.origin, "")
        }
        TraceError::Wrong(why) => Diagnostic::error(format!("`{path}`, {why}")).at(file.origin, "named here"),
    })?;
    if trace.facts().due == 0 {
        let (from, until) = load;
        return Err(Diagnostic::error(format!("no row of `{path}` is due from {from} to {until}, when there is load"))
            .at(file.origin, "")
            .help("times are seconds from the start of the run, unless they have a unit"));
    }
    Ok(Brought { trace: Some(trace.clone()), ..Brought::of(Load::Trace(Arc::new(trace))) })
}
