//! Expectations resolved: whose numbers, which of them, when.

use crate::base::time::Time;
use crate::process::{GroupFact, GuardFact, Loss, QueueFact, TopicFact, TurnedAway};
use crate::scenario::condition::Condition;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin, Texts};
use crate::scenario::metric::{Metric, MetricKind};
use crate::scenario::quantity::{Quantity, Scope, Statistic};
use crate::scenario::schema::{Conditions, Scenario};
use crate::scenario::window::Window;

use super::{FaultSpec, FlowSpec, When};

/// A quantity of a run, resolved.
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    /// Whose numbers.
    pub subject: Subject,
    /// What is measured.
    pub metric: Metric,
    /// Which number of the many.
    pub statistic: Statistic,
    /// When, within the measured time; all of it if not given.
    pub window: Option<When>,
}

/// Whose numbers are meant: places in a run's result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// These flows together.
    Flows(Vec<usize>),
    /// This group of stations, with the flows that lead to it.
    Station(usize, Vec<usize>),
    /// This group of stations, with the flows that lead to it, whose nodes have queues of their own, reported as this one.
    Subscriber(usize, Vec<usize>, usize),
    /// This queue of a broker.
    Queue(usize),
    /// This topic.
    Topic(usize),
    /// This group of stations, with the flows that lead to it, which reads topics as this group of readers.
    Reader(usize, Vec<usize>, usize),
    /// This link.
    Link(usize),
    /// This fault.
    Fault(usize),
}

/// What a scenario expects.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// The quantity as written.
    pub quantity: String,
    /// The conditions as written.
    pub conditions: Vec<(String, Condition)>,
    /// What is measured.
    pub measure: Measure,
    /// Where it stands.
    pub origin: Origin,
}

/// The names an expectation may use.
pub(super) struct Scopes<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) faults: &'a [FaultSpec],
    pub(super) flows: &'a [FlowSpec],
    pub(super) stations: Vec<&'a str>,
    /// Groups whose nodes have an outbox.
    pub(super) outboxes: Vec<String>,
    pub(super) links: Vec<String>,
    /// Groups that read topics.
    pub(super) readers: &'a [String],
    /// Names under which queues are reported.
    pub(super) queues: &'a [String],
    /// What is measured is due from the first to before the second.
    pub(super) measured: (Time, Time),
    pub(super) texts: &'a Texts,
}

/// Whether anything is measured by this metric yet: messages, services, links or faults.
pub fn is_measured(metric: Metric) -> bool {
    !measured_for(metric).is_empty()
}

/// Of whom this metric is measured: messages, a service, a queue, a link or a fault.
pub fn measured_for(metric: Metric) -> Vec<&'static str> {
    let subjects = [
        Subject::Flows(Vec::new()),
        Subject::Station(0, Vec::new()),
        Subject::Queue(0),
        Subject::Subscriber(0, Vec::new(), 0),
        Subject::Topic(0),
        Subject::Reader(0, Vec::new(), 0),
        Subject::Link(0),
        Subject::Fault(0),
    ];
    let measuring = subjects.iter().filter(|subject| measured_by(subject).contains(&metric));
    measuring.map(Subject::kind).collect()
}

impl Subject {
    /// What it is, in words.
    fn kind(&self) -> &'static str {
        match self {
            Self::Flows(_) => "messages",
            Self::Station(..) => "a service",
            Self::Queue(_) => "a queue",
            Self::Subscriber(..) => "a group that subscribes to an exchange",
            Self::Topic(_) => "a topic",
            Self::Reader(..) => "a group that reads topics",
            Self::Link(_) => "a link",
            Self::Fault(_) => "a fault",
        }
    }
}

impl Scopes<'_> {
    /// Resolves every expectation of the scenario.
    pub(super) fn expectations(&self, mistakes: &mut Vec<Diagnostic>) -> Vec<Expectation> {
        self.conditions(&self.scenario.expect, mistakes)
    }

    /// Resolves quantities with what they have to be.
    pub(super) fn conditions(&self, written: &Conditions, mistakes: &mut Vec<Diagnostic>) -> Vec<Expectation> {
        let mut expectations = Vec::new();
        for (quantity, conditions) in written.iter() {
            let measure = match self.measure(quantity) {
                Ok(measure) => measure,
                Err(mistake) => {
                    mistakes.push(mistake);
                    continue;
                }
            };
            if conditions.0.is_empty() {
                mistakes.push(Diagnostic::error("nothing is expected here: the list is empty").at(quantity.origin, ""));
            }
            for condition in &conditions.0 {
                if let Err(mistake) = fits(&measure, condition) {
                    mistakes.push(mistake);
                }
            }
            let written = |origin: Origin| self.texts.excerpt(origin).trim_matches(['"', '\'']).to_owned();
            expectations.push(Expectation {
                quantity: written(quantity.origin),
                conditions: conditions.0.iter().map(|at| (written(at.origin), at.value.clone())).collect(),
                measure,
                origin: quantity.origin,
            });
        }
        expectations
    }

    pub(super) fn measure(&self, quantity: &Located<Quantity>) -> Result<Measure, Diagnostic> {
        let metric = quantity.metric.value;
        let at_metric = |message: String, label: &str| {
            Diagnostic::error(message).at(self.texts.within(quantity.origin, quantity.metric.range.clone()), label)
        };
        let subject = self.subject(quantity)?;
        if !measured_by(&subject).contains(&metric) {
            let known: Vec<_> = measured_by(&subject).iter().map(|metric| metric.name()).collect();
            let who = subject.kind();
            return Err(at_metric(format!("`{}` is not measured for {who}", metric.name()), "not measured here")
                .help(format!("measured for {who}: {}", known.join(", "))));
        }
        if let (Metric::ConfirmedLost, Subject::Station(index, _)) = (metric, &subject)
            && self.scenario.services.iter().nth(*index).is_some_and(|(_, service)| service.state.is_none())
        {
            let message = format!("`{}` has no state that a crash could take", self.stations[*index]);
            return Err(at_metric(message, "").help("write `state = \"volatile\"` or `state = \"durable\"` in it"));
        }
        if let (Metric::Outbox, Some(name)) = (metric, self.station(&subject))
            && !self.outboxes.iter().any(|group| group == name)
        {
            let message = format!("`{name}` has no outbox");
            return Err(at_metric(message, "").help("write `outbox = true` beside what it publishes"));
        }
        let statistic = quantity.statistic;
        if !has(metric, statistic) {
            return Err(at_metric(format!("`{}` has no such statistic", metric.name()), "of this metric").help(
                match metric.kind() {
                    MetricKind::Rate => "a rate has: rate, count",
                    MetricKind::Events => "what is counted has: count, rate",
                    MetricKind::Share => "a share has: share, count",
                    MetricKind::Mean => "this has: mean, and max where it is a level",
                    MetricKind::Count => "this has: count",
                    MetricKind::Strike => "one value for each strike has: mean, min, max",
                    _ => "times have: mean, sd, cv, min, max, p50 … p99.99, under(x), at-least(x), count",
                },
            ));
        }
        let window = match &quantity.window {
            None => None,
            Some(window) => {
                let windowed = matches!(subject, Subject::Flows(_))
                    && !matches!(metric, Metric::LatencyFromSend | Metric::LatencyOneWay);
                if !windowed {
                    let message = match metric.kind() {
                        MetricKind::Count => format!("`{}` is of the whole run: it has no window", metric.name()),
                        _ => format!("windows on `{}` are not supported yet", metric.name()),
                    };
                    return Err(at_metric(message, "measured over the whole run only"));
                }
                Some(self.window(quantity, window)?)
            }
        };
        if metric.is_of_strikes() {
            self.after_a_fault(quantity, window)?;
        }
        Ok(Measure { subject, metric, statistic, window })
    }

    /// The name of the stations that are meant, if any are.
    fn station(&self, subject: &Subject) -> Option<&str> {
        match subject {
            Subject::Station(index, _) | Subject::Subscriber(index, ..) | Subject::Reader(index, ..) => {
                self.stations.get(*index).copied()
            }
            _ => None,
        }
    }

    fn subject(&self, quantity: &Located<Quantity>) -> Result<Subject, Diagnostic> {
        let flows = |wanted: &dyn Fn(&FlowSpec) -> bool| -> Vec<usize> {
            (0..self.flows.len()).filter(|&index| wanted(&self.flows[index])).collect()
        };
        let clients = || self.scenario.clients.iter().map(|(name, _)| name.as_str());
        let groups = || clients().chain(self.stations.iter().copied());
        match &quantity.scope {
            None => Ok(Subject::Flows(flows(&|flow| flow.is_client))),
            Some(Scope::Name(name)) => {
                if clients().any(|client| client == name.value) {
                    return Ok(Subject::Flows(flows(&|flow| flow.is_client && flow.caller == name.value)));
                }
                if let Some(index) = self.stations.iter().position(|station| *station == name.value) {
                    if let Some(reader) = self.readers.iter().position(|reader| *reader == name.value) {
                        return Ok(Subject::Reader(index, Vec::new(), reader));
                    }
                    if let Some(queue) = self.queues.iter().position(|queue| *queue == name.value) {
                        return Ok(Subject::Subscriber(index, Vec::new(), queue));
                    }
                    return Ok(Subject::Station(index, flows(&|flow| flow.callee == name.value)));
                }
                let mut queues = self.scenario.queues.iter().map(|(name, _)| name.as_str());
                if let Some(index) = queues.position(|queue| queue == name.value) {
                    return Ok(Subject::Queue(index));
                }
                let mut topics = self.scenario.topics.iter().map(|(name, _)| name.as_str());
                if let Some(index) = topics.position(|topic| topic == name.value) {
                    return Ok(Subject::Topic(index));
                }
                if let Some(index) = self.links.iter().position(|link| *link == name.value) {
                    return Ok(Subject::Link(index));
                }
                if let Some(index) = self.faults.iter().position(|fault| fault.name == name.value) {
                    return Ok(Subject::Fault(index));
                }
                let faults = self.faults.iter().map(|fault| fault.name.as_str());
                let queues = self.scenario.queues.iter().map(|(name, _)| name.as_str());
                let topics = self.scenario.topics.iter().map(|(name, _)| name.as_str());
                let known =
                    groups().chain(queues).chain(topics).chain(self.links.iter().map(String::as_str)).chain(faults);
                Err(unknown_name(
                    &name.located(quantity.origin, self.texts),
                    "group, queue, topic, link or fault",
                    known,
                ))
            }
            Some(Scope::Entry { group, entry }) => {
                let of_group = |flow: &FlowSpec| flow.is_client && flow.caller == group.value;
                if !clients().any(|client| client == group.value) {
                    return Err(unknown_name(&group.located(quantity.origin, self.texts), "client", clients()));
                }
                let found = flows(&|flow| of_group(flow) && flow.entry.as_ref() == Some(&entry.value));
                if found.is_empty() {
                    let known =
                        self.flows.iter().filter(|flow| of_group(flow)).filter_map(|flow| flow.entry.as_deref());
                    return Err(unknown_name(&entry.located(quantity.origin, self.texts), "mix entry", known));
                }
                Ok(Subject::Flows(found))
            }
            Some(Scope::Flow { caller, callee }) => {
                // What is published goes to a queue, an exchange or a topic.
                let kept = self.flows.iter().map(|flow| flow.callee.as_str());
                let known =
                    |is_callee: bool| groups().chain(kept.clone().filter(move |name| is_callee && !name.is_empty()));
                for (name, is_callee) in [(caller, false), (callee, true)] {
                    if !known(is_callee).any(|group| group == name.value) {
                        let mut known: Vec<_> = known(is_callee).collect();
                        known.dedup();
                        return Err(unknown_name(&name.located(quantity.origin, self.texts), "group", known));
                    }
                }
                let found = flows(&|flow| flow.caller == caller.value && flow.callee == callee.value);
                if found.is_empty() {
                    return Err(Diagnostic::error(format!("`{}` never calls `{}`", caller.value, callee.value))
                        .at(quantity.origin, "there is no such flow"));
                }
                Ok(Subject::Flows(found))
            }
            Some(Scope::Nodes { group, .. }) => {
                Err(Diagnostic::error("quantities of single nodes are not supported yet")
                    .at(self.texts.within(quantity.origin, group.range.clone()), "name the whole group"))
            }
        }
    }

    fn window(&self, quantity: &Located<Quantity>, window: &Window) -> Result<When, Diagnostic> {
        let name = match window {
            Window::Before(name) | Window::During(name) | Window::After(name) => name,
            Window::Between { from, to } => {
                return Ok(When::Between(Time::ZERO + *from, to.map_or(Time::MAX, |to| Time::ZERO + to)));
            }
        };
        if let Some(fault) = self.faults.iter().position(|fault| fault.name == name.value) {
            return Ok(match window {
                Window::Before(_) => When::Before(fault),
                Window::After(_) => When::After(fault),
                _ => When::During(fault),
            });
        }
        let known = self.scenario.windows.iter().find(|(known, _)| known.as_str() == name.value);
        let Some((_, [from, to])) = known else {
            let windows = self.scenario.windows.iter().map(|(name, _)| name.as_str());
            let names = windows.chain(self.faults.iter().map(|fault| fault.name.as_str()));
            return Err(unknown_name(&name.located(quantity.origin, self.texts), "fault or window", names));
        };
        let (from, to) = (Time::ZERO + from.value.0, Time::ZERO + to.value.0);
        Ok(match window {
            Window::Before(_) => When::Between(Time::ZERO, from),
            Window::After(_) => When::Between(to, Time::MAX),
            _ => When::Between(from, to),
        })
    }

    /// What follows a fault says which, and that it is after it; and the fault strikes while something is measured.
    fn after_a_fault(&self, quantity: &Located<Quantity>, window: Option<When>) -> Result<(), Diagnostic> {
        let metric = &quantity.metric;
        let at = || self.texts.within(quantity.origin, metric.range.clone());
        let Some(When::After(fault)) = window else {
            let example = self.faults.first().map_or("outage", |fault| fault.name.as_str());
            let name = metric.value.name();
            return Err(Diagnostic::error(format!("`{name}` is measured after a fault: say which"))
                .at(at(), "after what?")
                .help(format!("write `{name} after {example}`, with the name of a fault")));
        };
        let (from, to) = self.measured;
        match self.faults[fault].window() {
            Some((struck, _)) if struck < from || to <= struck => {
                Err(Diagnostic::error(format!("`{}` strikes when nothing is measured", self.faults[fault].name))
                    .at(at(), format!("strikes at {struck}; measured from {from} to {to}")))
            }
            _ => Ok(()),
        }
    }
}

/// What is measured for a subject.
fn measured_by(subject: &Subject) -> Vec<Metric> {
    let guards = || GuardFact::ALL.iter().copied().map(Metric::Guard);
    let causes = || TurnedAway::ALL.iter().copied().map(Metric::TurnedAway);
    let losses = || Loss::ALL.iter().copied().map(Metric::LostBy);
    let listed = listed_for(subject).iter().copied();
    match subject {
        Subject::Flows(_) => listed.chain(guards()).chain(losses()).collect(),
        Subject::Station(..) => listed.chain(causes()).collect(),
        Subject::Subscriber(station, flows, queue) => {
            let mut both = measured_by(&Subject::Queue(*queue));
            both.extend(measured_by(&Subject::Station(*station, flows.clone())));
            both.sort_by_key(|metric| metric.name());
            both.dedup();
            both
        }
        Subject::Queue(_) => listed.chain(QueueFact::ALL.iter().copied().map(Metric::Queued)).chain(losses()).collect(),
        Subject::Topic(_) => TopicFact::ALL.iter().copied().map(Metric::Logged).collect(),
        Subject::Reader(station, flows, _) => {
            let of_group = GroupFact::ALL.iter().copied().map(Metric::Grouped);
            let of_custody = [Metric::Lost, Metric::ConfirmedLost, Metric::Duplicates, Metric::OutOfOrder];
            let of_group = of_group.chain([Metric::Lag, Metric::LatencyProcessed]).chain(of_custody).chain(losses());
            measured_by(&Subject::Station(*station, flows.clone())).into_iter().chain(of_group).collect()
        }
        Subject::Link(_) | Subject::Fault(_) => listed.collect(),
    }
}

/// Those that have no registry of their own.
fn listed_for(subject: &Subject) -> &'static [Metric] {
    use Metric::*;
    match subject {
        Subject::Flows(_) => &[
            Offered,
            Sent,
            Goodput,
            Processed,
            Received,
            Confirmed,
            ConfirmedLost,
            Handled,
            InDoubt,
            Lost,
            Rejected,
            Expired,
            Failed,
            Abandoned,
            Spared,
            InFlight,
            Reliability,
            Attempts,
            Copies,
            Duplicates,
            Latency,
            LatencyAll,
            LatencyFromSend,
            LatencyOneWay,
            Detect,
            Failover,
            Recovery,
            GoodputLost,
        ],
        Subject::Station(..) => &[
            Arrived,
            Served,
            Wait,
            Work,
            Residence,
            Waiting,
            Present,
            Busy,
            Outbox,
            Sagas,
            SagasCompleted,
            SagasCompensated,
            SagasHalfDone,
            Compensations,
            Rejected,
            Expired,
            Failed,
            Amplification,
            ConfirmedLost,
        ],
        Subject::Queue(_) => &[Ready, Unacked, Lost, ConfirmedLost, Duplicates, OutOfOrder, LatencyProcessed],
        Subject::Topic(_) | Subject::Reader(..) | Subject::Subscriber(..) => &[],
        Subject::Link(_) => &[Carried, Dropped, InFlight, Segments, Retransmitted],
        Subject::Fault(_) => &[Touched, TouchedNodes, TouchedMessages, TouchedTimers, Strikes],
    }
}

/// Whether a metric has this statistic.
pub(in crate::scenario) fn has(metric: Metric, statistic: Statistic) -> bool {
    use Statistic::*;
    match metric.kind() {
        MetricKind::Rate | MetricKind::Events => matches!(statistic, Rate | Count),
        MetricKind::Share => matches!(statistic, Share) || statistic == Count && metric != Metric::Busy,
        MetricKind::Mean => {
            statistic == Mean
                || statistic == Max
                    && matches!(
                        metric,
                        Metric::Waiting
                            | Metric::Present
                            | Metric::Outbox
                            | Metric::Ready
                            | Metric::Unacked
                            | Metric::Lag
                    )
        }
        MetricKind::Count => statistic == Count,
        MetricKind::Strike => matches!(statistic, Mean | Min | Max),
        _ => !matches!(statistic, Rate | Share | Final),
    }
}

/// Whether a condition's value is of the measure's kind.
fn fits(measure: &Measure, condition: &Located<Condition>) -> Result<(), Diagnostic> {
    use crate::scenario::condition::Amount;
    let refuse = |message: String| Err(Diagnostic::error(message).at(condition.origin, "here"));
    let Condition::Compare { value, of_before, .. } = &condition.value else {
        return refuse(format!("`{}` is a number: compare it with one", measure.metric.name()));
    };
    if *of_before {
        return refuse("`of before` is not supported yet".into());
    }
    let (accepted, example) = match (measure.metric.kind(), measure.statistic) {
        (_, Statistic::Count) => (matches!(value, Amount::Number(_)), "a number, such as `== 0`"),
        (MetricKind::Times, Statistic::Under(_) | Statistic::AtLeast(_)) | (MetricKind::Share, Statistic::Share) => {
            (matches!(value, Amount::Share(_) | Amount::Number(_)), "a share, such as `>= 99.5%`")
        }
        (MetricKind::Times, Statistic::Cv) => (matches!(value, Amount::Number(_)), "a number, such as `< 1.5`"),
        (MetricKind::Strike, _) if measure.metric == Metric::GoodputLost => {
            (matches!(value, Amount::Number(_)), "a number of messages, such as `< 100`")
        }
        (MetricKind::Times | MetricKind::Strike, _) => (matches!(value, Amount::Time(_)), "a time, such as `< 250ms`"),
        (MetricKind::Rate | MetricKind::Events, _) => (matches!(value, Amount::Rate(_)), "a rate, such as `> 100/s`"),
        _ => (matches!(value, Amount::Number(_)), "a number, such as `< 1.1`"),
    };
    if accepted { Ok(()) } else { refuse(format!("`{}` compares with {example}", measure.metric.name())) }
}
