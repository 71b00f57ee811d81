//! One flow's book: what was offered, what became of it, how long it took.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::time::{Span, Time};
use crate::process::GuardFact;

use super::curve::LAST_STEP;
use super::custody::{Account, LossCounts};
use super::guards::GuardCounts;
use super::histogram::Histogram;
use super::ledger::Record;
use super::periods::{Periods, is_within};
use super::setback::Setback;

/// The one fate of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// Its owner knows that it was handled well.
    Confirmed,
    /// Handled; nobody asked for a confirmation.
    Handled,
    /// Handled, but its owner was never told in time.
    InDoubt,
    /// No copy came through, and nobody said why.
    Lost,
    /// Turned away: by its receiver, or by a guard of its own sender.
    Rejected,
    /// Not handled in time: past its deadline, kept waiting too long, or taken back.
    Expired,
    /// Handling failed.
    Failed,
    /// Let go by its own sender, and never handled.
    Abandoned,
    /// Given up, because enough of those that were sent with it had ended well: none was needed.
    Spared,
    /// Not decided when the run ended.
    InFlight,
}

impl Fate {
    /// Every fate, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Confirmed,
        Self::Handled,
        Self::InDoubt,
        Self::Lost,
        Self::Rejected,
        Self::Expired,
        Self::Failed,
        Self::Abandoned,
        Self::Spared,
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
            Self::Spared => "spared",
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
    /// Whether goodput is what its owners were answered, and not what receivers handled.
    pub(super) is_answered: bool,
    /// What became of all of them, once the book is closed.
    pub total: Tally,
    /// From the first attempt to confirmed.
    pub from_send: Histogram,
    /// From due to first received.
    pub one_way: Histogram,
    /// What became of them, by the step of time in which they were due.
    pub steps: Vec<Tally>,
    /// What stood in the way of those that did not end well, by the fate that they had.
    pub setbacks: BTreeMap<(Fate, Setback), u64>,
    /// Events by the step of time in which they happened, of all messages, measured or not.
    pub rates: Vec<Rates>,
    /// What guards did, by step or, where the book is cut, by part; as far as they did anything.
    guards: Vec<GuardCounts>,
    step: Span,
    present: Present,
    parts: Option<Box<Parts>>,
    /// Messages that have come to their end, and are judged by what became of them elsewhere.
    entrusted: Vec<Record>,
}

/// Steps cut where windows begin and end: until the book is closed, what is counted by step is counted by part.
#[derive(Clone, Debug)]
struct Parts {
    periods: Arc<Periods>,
    /// The part of each step and kind of period.
    places: BTreeMap<(usize, u32), usize>,
    /// When each part begins, and its step.
    parts: Vec<(Time, usize)>,
    /// What became of the messages due in each part, and what happened in it, once the book is closed.
    tallies: Vec<Tally>,
    rates: Vec<Rates>,
}

/// The step that was looked up last: time mostly stays in it, so what happens is counted here first.
#[derive(Clone, Debug)]
struct Present {
    from: Time,
    to: Time,
    /// Its place among the steps, or among their parts.
    step: usize,
    rates: Rates,
    offered: u64,
}

impl Present {
    #[inline(always)]
    fn has(&self, time: Time) -> bool {
        self.from <= time && time < self.to
    }
}

/// What became of some messages.
#[derive(Clone, Debug, Default)]
pub struct Tally {
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
    /// Messages whose owner was told that they are safe, and that were lost all the same: no copy is left, and nobody has handled
    /// them; of what goes to several queues, in any of these.
    pub confirmed_lost: u64,
    /// Messages handled well at least once.
    pub handled: u64,
    /// Attempts, over all messages.
    pub attempts: u64,
    /// Copies that reached the receiver.
    pub copies: u64,
    /// Copies beyond the first of each message; of what goes to several queues, beyond the first at each.
    pub duplicates: u64,
    /// Effects beyond the first of each message; of what goes to several queues, beyond the first of each.
    pub repeated: u64,
    /// Messages that were lost at queues or on the way there, by reason; of what goes to several, each loss. None where there are
    /// no queues.
    pub losses: Option<Box<LossCounts>>,
    /// From due to confirmed.
    pub latency: Histogram,
    /// Until the book is closed: messages that went as well as can be, counted nowhere else yet.
    plain: u64,
    /// Until the book is closed: latencies of messages that were sent later than due.
    held_back: Option<Box<Histogram>>,
}

impl Tally {
    /// Counts what was only noted.
    fn complete(&mut self) {
        let plain = std::mem::take(&mut self.plain);
        for count in [
            &mut self.fates[Fate::Confirmed as usize],
            &mut self.correct,
            &mut self.received,
            &mut self.confirmed,
            &mut self.handled,
            &mut self.attempts,
            &mut self.copies,
        ] {
            *count += plain;
        }
        if let Some(held_back) = self.held_back.take() {
            self.latency.merge(&held_back);
        }
    }

    /// Messages with this fate.
    pub fn fate(&self, fate: Fate) -> u64 {
        self.fates[fate as usize]
    }

    /// Adds what became of other messages.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        for (sum, count) in self.fates.iter_mut().zip(other.fates) {
            *sum += count;
        }
        self.correct += other.correct;
        self.received += other.received;
        self.confirmed += other.confirmed;
        self.confirmed_lost += other.confirmed_lost;
        self.handled += other.handled;
        self.attempts += other.attempts;
        self.copies += other.copies;
        self.duplicates += other.duplicates;
        self.repeated += other.repeated;
        if let Some(losses) = &other.losses {
            self.losses.get_or_insert_default().add(losses);
        }
        self.latency.merge(&other.latency);
    }
}

/// Events in one step of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Attempts sent.
    pub sent: u64,
    /// Messages that succeeded: calls answered well and in time, others handled well for the first time.
    pub goodput: u64,
    /// Messages that receivers handled well for the first time, whether their owners still waited or not.
    pub processed: u64,
}

impl Rates {
    /// Adds what happened in another step.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.goodput += other.goodput;
        self.processed += other.processed;
    }
}

impl Parts {
    /// The part of a step that a time lies in: from when to when, and its place.
    fn part(&mut self, time: Time, (from, to, step): (Time, Time, usize)) -> (Time, Time, usize) {
        let (begin, end, kind) = self.periods.piece(time);
        let from = from.max(begin);
        let place = *self.places.entry((step, kind)).or_insert_with(|| {
            self.parts.push((from, step));
            self.parts.len() - 1
        });
        (from, to.min(end), place)
    }

    /// Keeps what was counted by part; the same by step.
    fn join(&mut self, tallies: Vec<Tally>, rates: Vec<Rates>) -> (Vec<Tally>, Vec<Rates>) {
        let (mut of_steps, mut rates_of_steps) = (Vec::<Tally>::new(), Vec::<Rates>::new());
        for (part, &(_, step)) in self.parts.iter().enumerate() {
            if let Some(tally) = tallies.get(part) {
                reach(&mut of_steps, step).add(tally);
            }
            if let Some(rates) = rates.get(part) {
                reach(&mut rates_of_steps, step).add(rates);
            }
        }
        (self.tallies, self.rates) = (tallies, rates);
        (of_steps, rates_of_steps)
    }
}

/// The entry at this place; what is missing before it is empty.
fn reach<T: Default>(entries: &mut Vec<T>, place: usize) -> &mut T {
    if place >= entries.len() {
        entries.resize_with(place + 1, T::default);
    }
    &mut entries[place]
}

impl FlowBook {
    pub(super) fn new(correctness: Correctness, step: Span) -> Self {
        Self {
            correctness,
            is_answered: correctness == Correctness::Answered,
            total: Tally::default(),
            from_send: Histogram::default(),
            one_way: Histogram::default(),
            steps: Vec::new(),
            setbacks: BTreeMap::new(),
            rates: Vec::new(),
            guards: Vec::new(),
            step,
            // No time lies in it.
            present: Present { from: Time::ZERO, to: Time::ZERO, step: 0, rates: Rates::default(), offered: 0 },
            parts: None,
            entrusted: Vec::new(),
        }
    }

    /// Cuts its steps where windows begin and end.
    pub(super) fn cut(&mut self, periods: &Arc<Periods>) {
        let (places, parts) = (BTreeMap::new(), Vec::new());
        let (tallies, rates) = (Vec::new(), Vec::new());
        self.parts = Some(Box::new(Parts { periods: Arc::clone(periods), places, parts, tallies, rates }));
    }

    /// The length of a step.
    pub fn step(&self) -> Span {
        self.step
    }

    /// What became of the messages due from `from` to before `to`: of the steps that begin in between.
    pub fn tally(&self, from: Time, to: Time) -> Tally {
        let mut tally = Tally::default();
        self.steps_within(from, to, self.steps.len()).for_each(|step| tally.add(&self.steps[step]));
        tally
    }

    /// What happened from `from` to before `to`: in the steps that begin in between.
    pub fn rates_within(&self, from: Time, to: Time) -> Rates {
        let mut sum = Rates::default();
        self.steps_within(from, to, self.rates.len()).for_each(|step| sum.add(&self.rates[step]));
        sum
    }

    /// What became of the messages due within these spans of time, and what happened in them: exactly if the book was cut
    /// there, otherwise of the steps that begin in them.
    pub fn within(&self, spans: &[(Time, Time)]) -> (Tally, Rates) {
        let (mut tally, mut sum) = (Tally::default(), Rates::default());
        let mut add = |from: Time, part: Option<&Tally>, rates: Option<&Rates>| {
            if is_within(spans, from) {
                part.into_iter().for_each(|part| tally.add(part));
                rates.into_iter().for_each(|rates| sum.add(rates));
            }
        };
        match &self.parts {
            Some(parts) => {
                for (part, &(from, _)) in parts.parts.iter().enumerate() {
                    add(from, parts.tallies.get(part), parts.rates.get(part));
                }
            }
            None => {
                for step in 0..self.steps.len().max(self.rates.len()) {
                    add(Time::ZERO + self.step.times(step as u64), self.steps.get(step), self.rates.get(step));
                }
            }
        }
        (tally, sum)
    }

    /// What guards did within these spans of time: exactly if the book was cut there, otherwise of the steps that begin in them.
    pub fn guards_within(&self, spans: &[(Time, Time)]) -> GuardCounts {
        let mut sum = GuardCounts::default();
        for (place, counts) in self.guards.iter().enumerate() {
            let from = match &self.parts {
                Some(parts) => parts.parts[place].0,
                None => Time::ZERO + self.step.times(place as u64),
            };
            if is_within(spans, from) {
                sum.add(counts);
            }
        }
        sum
    }

    fn steps_within(&self, from: Time, to: Time, len: usize) -> std::ops::Range<usize> {
        let first_from =
            |time: Time| usize::try_from(time.as_nanos().div_ceil(self.step.as_nanos().max(1))).unwrap_or(len);
        let end = first_from(to).min(len);
        first_from(from).min(end)..end
    }

    /// Moves the present to the step of `time`.
    #[inline(always)]
    fn look_at(&mut self, time: Time) -> &mut Present {
        if !self.present.has(time) {
            self.move_present(time);
        }
        &mut self.present
    }

    #[cold]
    fn move_present(&mut self, time: Time) {
        self.enter_present();
        let length = self.step.as_nanos().max(1);
        let step = (time.as_nanos() / length).min(LAST_STEP);
        let from = Time::from_nanos(step * length);
        let to = if step == LAST_STEP { Time::MAX } else { from + Span::from_nanos(length) };
        let (from, to, step) = match &mut self.parts {
            None => (from, to, step as usize),
            Some(parts) => parts.part(time, (from, to, step as usize)),
        };
        self.present = Present { from, to, step, rates: Rates::default(), offered: 0 };
    }

    /// Enters what was counted in the present step.
    fn enter_present(&mut self) {
        let Present { step, rates, offered, .. } = &mut self.present;
        let (step, mut rates, offered) = (*step, std::mem::take(rates), std::mem::take(offered));
        if !self.is_answered {
            // Answers were counted; what nobody has to answer is good once it is handled.
            rates.goodput = rates.processed;
        }
        if rates != Rates::default() {
            if step >= self.rates.len() {
                self.rates.resize(step + 1, Rates::default());
            }
            self.rates[step].add(&rates);
        }
        if offered > 0 {
            self.tally_of(step).offered += offered;
        }
    }

    #[inline(always)]
    fn tally_of(&mut self, step: usize) -> &mut Tally {
        if step >= self.steps.len() {
            self.steps.resize_with(step + 1, Tally::default);
        }
        &mut self.steps[step]
    }

    #[inline(always)]
    fn tally_at(&mut self, due: Time) -> &mut Tally {
        let step = self.look_at(due).step;
        self.tally_of(step)
    }

    #[inline(always)]
    pub(super) fn offer(&mut self, due: Time) {
        self.look_at(due).offered += 1;
    }

    #[inline(always)]
    pub(super) fn attempted(&mut self, now: Time) {
        self.look_at(now).rates.sent += 1;
    }

    #[inline(always)]
    pub(super) fn handled(&mut self, now: Time) {
        self.look_at(now).rates.processed += 1;
    }

    #[inline(always)]
    pub(super) fn confirmed(&mut self, now: Time) {
        self.look_at(now).rates.goodput += 1;
    }

    #[cold]
    pub(super) fn guarded(&mut self, now: Time, fact: GuardFact) {
        let place = self.look_at(now).step;
        reach(&mut self.guards, place).note(fact);
    }

    /// Enters all that a message's record holds, once its fate is known: one visit to the histograms per message.
    #[inline(always)]
    pub(super) fn settle(&mut self, record: &Record) {
        if !record.counts_alone() {
            return self.settle_apart(record);
        }
        if !record.is_plain() {
            return self.settle_at_length(record, None);
        }
        self.one_way.record(record.until_received());
        let tally = self.tally_at(record.due());
        tally.plain += 1;
        tally.latency.record(record.until_known());
    }

    /// A message that does not count, or is judged by what became of it elsewhere: whoever knows that takes it from here.
    #[cold]
    fn settle_apart(&mut self, record: &Record) {
        if record.is_entrusted() {
            self.entrusted.push(*record);
        }
    }

    /// A message that has come to its end, and is to be judged by what became of it elsewhere.
    pub(super) fn take_entrusted(&mut self) -> Option<Record> {
        self.entrusted.pop()
    }

    /// Enters what became of a message, here and elsewhere.
    pub(super) fn settle_entrusted(&mut self, record: &Record, account: &Account) {
        if record.counts() {
            self.settle_at_length(record, Some(account));
        }
    }

    /// A message that was sent later than due has two latencies.
    #[cold]
    fn settle_held_back(&mut self, record: &Record, latency: Span, from_send: Span) {
        self.from_send.record(from_send);
        self.tally_at(record.due()).held_back.get_or_insert_default().record(latency);
    }

    #[inline(never)]
    fn settle_at_length(&mut self, record: &Record, account: Option<&Account>) {
        let (copies, effects, is_confirmed) = (record.copies(), record.effects(), record.is_confirmed());
        let own =
            Account { duplicates: copies.saturating_sub(1), repeated: effects.saturating_sub(1), ..Account::default() };
        let is_lost = account.map_or(effects == 0 && record.is_gone(), |account| account.losses.sum() > 0);
        let account = account.unwrap_or(&own);
        let is_handled = account.is_settled.unwrap_or(effects > 0);
        let is_correct = match self.correctness {
            Correctness::Once => is_handled && account.repeated == 0,
            Correctness::Handled => is_handled,
            Correctness::Answered => is_confirmed,
        } || record.fate() == Fate::Spared;
        if let Some(one_way) = record.one_way() {
            self.one_way.record(one_way);
        }
        if let Some(latency) = record.latency() {
            match record.since_later_send() {
                None => self.tally_at(record.due()).latency.record(latency),
                Some(from_send) => self.settle_held_back(record, latency, from_send),
            }
        }
        let fate = record.fate();
        let lost = account.losses.happened().next().map(|(why, _)| Setback::Lost(why));
        let has_ended_well = matches!(fate, Fate::Confirmed | Fate::Handled | Fate::Spared);
        if lost.is_some() || is_confirmed && is_lost || !has_ended_well {
            *self.setbacks.entry((fate, lost.unwrap_or_else(|| record.setback()))).or_default() += 1;
        }
        let tally = self.tally_at(record.due());
        tally.fates[fate as usize] += 1;
        tally.attempts += record.attempts();
        tally.copies += copies;
        tally.duplicates += account.duplicates;
        tally.repeated += account.repeated;
        tally.received += u64::from(copies > 0);
        tally.handled += u64::from(effects > 0);
        tally.confirmed += u64::from(is_confirmed);
        tally.confirmed_lost += u64::from(is_confirmed && is_lost);
        if account.losses.sum() > 0 {
            tally.losses.get_or_insert_default().add(&account.losses);
        }
        tally.correct += u64::from(is_correct);
    }

    /// Sums up.
    pub(super) fn close(&mut self) {
        self.enter_present();
        for step in &mut self.steps {
            // What was sent when it was due has one latency from both.
            self.from_send.merge(&step.latency);
            step.complete();
        }
        if let Some(parts) = &mut self.parts {
            (self.steps, self.rates) = parts.join(std::mem::take(&mut self.steps), std::mem::take(&mut self.rates));
        }
        self.total = self.tally(Time::ZERO, Time::MAX);
    }
}
