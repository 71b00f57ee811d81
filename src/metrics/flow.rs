//! One flow's book: what was offered, what became of it, how long it took.

use crate::base::time::{Span, Time};

use super::histogram::Histogram;
use super::ledger::Record;

/// The one fate of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// Its owner knows that it was handled well.
    Confirmed,
    /// Handled; nobody asked for a confirmation.
    Handled,
    /// Handled, but its owner was never told.
    InDoubt,
    /// No copy arrived.
    Lost,
    /// Turned away for lack of room.
    Rejected,
    /// Its deadline passed before it was handled.
    Expired,
    /// Handling failed.
    Failed,
    /// Never sent.
    Abandoned,
    /// Not decided when the run ended.
    InFlight,
}

impl Fate {
    /// Every fate, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Confirmed,
        Self::Handled,
        Self::InDoubt,
        Self::Lost,
        Self::Rejected,
        Self::Expired,
        Self::Failed,
        Self::Abandoned,
        Self::InFlight,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Handled => "handled",
            Self::InDoubt => "in-doubt",
            Self::Lost => "lost",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::InFlight => "in-flight",
        }
    }
}

/// When a message of a flow counts as correct.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Correctness {
    /// Handled, and once.
    Once,
    /// Handled at least once.
    Handled,
    /// Answered well and in time.
    Answered,
}

/// What became of the messages of one flow that count.
#[derive(Clone, Debug)]
pub struct FlowBook {
    correctness: Correctness,
    /// Messages that were due.
    pub offered: u64,
    /// Messages by fate, in the order of [`Fate::ALL`].
    pub fates: [u64; Fate::ALL.len()],
    /// Messages that came out right.
    pub correct: u64,
    /// Messages of which a copy reached the receiver.
    pub received: u64,
    /// Messages whose owner knows that they were handled.
    pub confirmed: u64,
    /// Messages handled well at least once.
    pub handled: u64,
    /// Attempts, copies that arrived, and copies handled well: sums over messages.
    pub attempts: u64,
    /// Copies that reached the receiver.
    pub copies: u64,
    /// Copies beyond the first of each message.
    pub duplicates: u64,
    /// Effects beyond the first of each message.
    pub repeated: u64,
    /// From due to confirmed, by when it was due.
    pub latency: Curve,
    /// From the first attempt to confirmed.
    pub from_send: Histogram,
    /// From due to first received.
    pub one_way: Histogram,
    /// Events over time.
    pub rates: Vec<Rates>,
    step: Span,
    /// The step that was looked up last, and its ends: time mostly stays in it.
    present: (usize, Time, Time),
}

/// Latencies by the step of time in which the message was due.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// One histogram per step.
    pub steps: Vec<Histogram>,
}

impl Curve {
    /// All steps together.
    pub fn total(&self) -> Histogram {
        let mut total = Histogram::default();
        self.steps.iter().for_each(|step| total.merge(step));
        total
    }
}

/// Counts in one step of time, of all messages, measured or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Messages due in the step that count.
    pub offered: u64,
    /// Attempts sent in the step.
    pub sent: u64,
    /// Messages handled well for the first time in the step.
    pub goodput: u64,
    /// Messages due in the step that came out right.
    pub correct: u64,
}

impl FlowBook {
    pub(super) fn new(correctness: Correctness, step: Span) -> Self {
        Self {
            correctness,
            offered: 0,
            fates: [0; Fate::ALL.len()],
            correct: 0,
            received: 0,
            confirmed: 0,
            handled: 0,
            attempts: 0,
            copies: 0,
            duplicates: 0,
            repeated: 0,
            latency: Curve::default(),
            from_send: Histogram::default(),
            one_way: Histogram::default(),
            rates: Vec::new(),
            step,
            present: (0, Time::ZERO, Time::ZERO + step),
        }
    }

    /// Messages with this fate.
    pub fn fate(&self, fate: Fate) -> u64 {
        self.fates[fate as usize]
    }

    /// The length of a step of the curves over time.
    pub fn step(&self) -> Span {
        self.step
    }

    #[inline(always)]
    fn step_of(&mut self, time: Time) -> usize {
        let (step, from, to) = self.present;
        if from <= time && time < to { step } else { self.look_up_step(time) }
    }

    #[cold]
    fn look_up_step(&mut self, time: Time) -> usize {
        let length = self.step.as_nanos().max(1);
        let step = time.as_nanos() / length;
        let from = Time::from_nanos(step * length);
        self.present = (step as usize, from, from + Span::from_nanos(length));
        step as usize
    }

    #[inline(always)]
    fn rates_at(&mut self, time: Time) -> &mut Rates {
        let step = self.step_of(time);
        if step >= self.rates.len() {
            self.rates.resize(step + 1, Rates::default());
        }
        &mut self.rates[step]
    }

    #[inline(always)]
    pub(super) fn offer(&mut self, due: Time) {
        self.offered += 1;
        self.rates_at(due).offered += 1;
    }

    #[inline(always)]
    pub(super) fn attempted(&mut self, now: Time) {
        self.rates_at(now).sent += 1;
    }

    #[inline(always)]
    pub(super) fn handled(&mut self, now: Time) {
        self.rates_at(now).goodput += 1;
    }

    /// Enters all that a message's record holds, once its fate is known: one visit to the histograms per message.
    #[inline(always)]
    pub(super) fn settle(&mut self, record: &Record) {
        if let Some(one_way) = record.one_way() {
            self.one_way.record(one_way);
        }
        if let Some((from_due, from_send)) = record.latency() {
            let step = self.step_of(record.due());
            if step >= self.latency.steps.len() {
                self.latency.steps.resize_with(step + 1, Histogram::default);
            }
            self.latency.steps[step].record(from_due);
            self.from_send.record(from_send);
        }
        let (copies, effects) = (record.copies(), record.effects());
        self.fates[record.fate() as usize] += 1;
        self.attempts += record.attempts();
        self.copies += copies;
        self.duplicates += copies.saturating_sub(1);
        self.repeated += effects.saturating_sub(1);
        self.received += u64::from(copies > 0);
        self.handled += u64::from(effects > 0);
        self.confirmed += u64::from(record.is_confirmed());
        let correct = match self.correctness {
            Correctness::Once => effects == 1,
            Correctness::Handled => effects > 0,
            Correctness::Answered => record.is_confirmed(),
        };
        if correct {
            self.correct += 1;
            self.rates_at(record.due()).correct += 1;
        }
    }
}
