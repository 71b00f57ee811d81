//! SWIM: members find out together who is down, and tell each other along the way.
//!
//! In every period each member pings one other. If no answer comes in time, it asks k helpers to ping for it; if none comes by
//! the end of the period either, the target is suspected. Load per member is the same however many they are: two messages per
//! period without loss. A member that is down is first suspected after e/(e − 1) = 1.58 periods on average, with targets drawn
//! at random; in a shuffled round every member has found it after at most 2n − 1 of its own periods. A member that is well
//! fails one probe with probability (1 − q²)(1 − q⁴)^k, if each message arrives with probability q.
//!
//! Suspicion is news, and news travels on pings and answers: one piece on each message, the least told first, each told a
//! multiple of log10 n times. Who hears that it is suspected objects with a larger incarnation; who does not within a multiple of
//! log10 n periods is believed dead. Of two pieces of news of a member the one with the larger incarnation wins, and with equal
//! ones dead beats suspect beats alive. A member that is not believed well is told so with every message to it (as Lifeguard
//! has it), so that one that was cut off or comes back can object.
//!
//! Two sides of a partition that lasted take each other for dead, and neither would ever ping the other again. So after every
//! round (or, with random targets, once in as many periods as there are members) one of the dead is pinged, as Serf tries to
//! reconnect to members that failed.
//!
//! This is one node's part: what it is told goes in, what it wants to send or has come to believe comes out. The members are
//! known from the start.
//!
//! Source: Das, Gupta, Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol", DSN
//! 2002; times and multiples of HashiCorp memberlist 0.5, `DefaultLANConfig`, without its gossip beside probes, its probes over
//! TCP, its exchange of whole states, and the rest of Lifeguard.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::gossip::INCARNATION_MAX;
use super::rumours::Rumours;
use super::{Gossip, GossipKind, Opinion, Update};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, ms, secs};

crate::words! {
    /// Whom a member pings.
    pub enum Targets {
        /// Everybody in turn, in an order that is shuffled after every round: nobody is left out for long.
        RoundRobin = "round-robin",
        /// Anybody, each as likely as the others.
        Random = "random",
    }
}

crate::settings! {
    /// Members ping one another, ask others to ping for them before they suspect anybody, and spread the news on their
    /// messages. Load per member does not grow with the group, single losses and slow paths rarely make anybody suspected, and
    /// who is suspected may object. News takes a few periods to reach all, and members differ in what they believe meanwhile.
    pub struct SwimSettings = "swim", "Das, Gupta, Motivala, SWIM, DSN 2002; defaults of HashiCorp memberlist 0.5 (LAN)" {
        /// How often a member pings another. 1 s is memberlist's default (0.5, `ProbeInterval`).
        period: Span = secs(1),
        /// How long to wait for the answer before others are asked to ping. 500 ms is memberlist's default (0.5, `ProbeTimeout`).
        ping_timeout: Span = ms(500),
        /// How many others are asked. 3 is memberlist's default (0.5, `IndirectChecks`).
        helpers: u32 = 3,
        /// Whom a member pings. In turn is the paper's choice (section 4.3) and memberlist's.
        targets: Targets = Targets::RoundRobin,
        /// How long a suspected member has to object: this many periods, times log10 of the number of members (at least 1). 4 is
        /// memberlist's default (0.5, `SuspicionMult`).
        suspicion_multiplier: f64 = 4.0,
        /// How often each member passes on a piece of news: this many times log10 of the number of members and one, rounded up.
        /// 4 is memberlist's default (0.5, `RetransmitMult`).
        retransmit_multiplier: NonZeroU32 = const { NonZeroU32::new(4).unwrap() },
    }
}

impl Settings for SwimSettings {
    fn check(&self) -> Result<(), String> {
        if self.ping_timeout == Span::ZERO || self.ping_timeout >= self.period {
            return Err("needs a `ping-timeout` above zero and shorter than its `period`".into());
        }
        Ok(())
    }
}

/// What a node wants done, or lets know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// A message goes out.
    Send {
        /// To whom.
        to: u32,
        /// What it says.
        gossip: Gossip,
    },
    /// The node believes something else of a member than before.
    Changed {
        /// Of whom.
        member: u32,
        /// What.
        opinion: Opinion,
    },
}

/// One node of a group.
#[derive(Clone, PartialEq, Debug)]
pub struct Swim {
    me: u32,
    members: Box<[Member]>,
    period: Span,
    ping_timeout: Span,
    suspicion: Span,
    helpers: u32,
    targets: Targets,
    /// How often news is passed on.
    tells: u32,
    /// When the next period starts.
    starts: Time,
    sequence: u32,
    probe: Option<Probe>,
    /// This round's order of targets, and the place in it.
    round: Vec<u32>,
    place: usize,
    rumours: Rumours,
    /// When who is believed dead.
    suspicions: BTreeSet<(Time, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Member {
    opinion: Opinion,
    incarnation: u32,
    /// When it is believed dead, if it is suspected.
    until: Option<Time>,
}

/// A probe that is not answered yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Probe {
    target: u32,
    /// When helpers are asked, if they were not yet.
    ask: Option<Time>,
}

impl Swim {
    /// Node `me` of so many members, all of them believed well; its first period starts at `start`.
    ///
    /// # Panics
    /// If `me` is none of the members.
    pub fn new(settings: &SwimSettings, me: u32, members: NonZeroU32, start: Time) -> Self {
        assert!(me < members.get(), "member {me} of {members}");
        let count = f64::from(members.get());
        let suspicion = settings.suspicion_multiplier * libm::log10(count).max(1.0);
        let tells = libm::ceil(libm::log10(count + 1.0)) as u32;
        Self {
            me,
            members: vec![Member::default(); members.get() as usize].into(),
            period: settings.period,
            ping_timeout: settings.ping_timeout,
            suspicion: Span::from_nanos_f64(suspicion * settings.period.as_nanos() as f64),
            helpers: settings.helpers,
            targets: settings.targets,
            tells: settings.retransmit_multiplier.get().saturating_mul(tells),
            starts: start,
            sequence: 0,
            probe: None,
            round: Vec::new(),
            place: 0,
            rumours: Rumours::default(),
            suspicions: BTreeSet::new(),
        }
    }

    /// What is believed of `member`.
    pub fn opinion(&self, member: u32) -> Opinion {
        self.members[member as usize].opinion
    }

    /// When to wake it.
    pub fn next(&self) -> Time {
        let ask = self.probe.and_then(|probe| probe.ask);
        let dead = self.suspicions.first().map(|&(until, _)| until);
        ask.into_iter().chain(dead).fold(self.starts, Time::min)
    }

    /// It is woken: what is due by `now` is done. Draws choose targets and helpers.
    pub fn wake(&mut self, now: Time, draw: &mut impl FnMut() -> Uniform, effects: &mut Vec<Effect>) {
        while let Some(&(_, member)) = self.suspicions.first().filter(|(until, _)| *until <= now) {
            let incarnation = self.members[member as usize].incarnation;
            self.learn(Update { member, opinion: Opinion::Dead, incarnation }, now, effects);
        }
        if let Some(Probe { target, ask: Some(due) }) = self.probe
            && due <= now
        {
            self.probe = Some(Probe { target, ask: None });
            for helper in self.draw_helpers(target, draw) {
                self.send(helper, GossipKind::PingReq, target, self.sequence, effects);
            }
        }
        if self.starts <= now {
            self.start_period(now, draw, effects);
        }
    }

    /// A message came.
    pub fn heard(&mut self, from: u32, gossip: Gossip, now: Time, effects: &mut Vec<Effect>) {
        let is_member = |member: u32| (member as usize) < self.members.len();
        if !is_member(from) || !is_member(gossip.subject) {
            return;
        }
        if let Some(update) = gossip.update.filter(|update| is_member(update.member)) {
            self.learn(update, now, effects);
        }
        let Gossip { kind, subject, sequence, .. } = gossip;
        match kind {
            GossipKind::Ping => self.send(from, GossipKind::Ack, subject, sequence, effects),
            GossipKind::PingReq => self.send(subject, GossipKind::Ping, from, sequence, effects),
            GossipKind::Ack if subject != self.me => self.send(subject, GossipKind::Ack, subject, sequence, effects),
            GossipKind::Ack if sequence == self.sequence => self.probe = None,
            // Too late: the period of that probe is over.
            GossipKind::Ack => {}
        }
    }

    fn start_period(&mut self, now: Time, draw: &mut impl FnMut() -> Uniform, effects: &mut Vec<Effect>) {
        let late = now.since(self.starts).as_nanos() / self.period.as_nanos().max(1);
        self.starts += self.period.times(late + 1);
        if let Some(Probe { target, .. }) = self.probe.take() {
            let incarnation = self.members[target as usize].incarnation;
            self.learn(Update { member: target, opinion: Opinion::Suspect, incarnation }, now, effects);
        }
        let Some(target) = self.draw_target(draw) else { return };
        self.sequence = self.sequence.wrapping_add(1);
        self.probe = Some(Probe { target, ask: Some(now + self.ping_timeout) });
        self.send(target, GossipKind::Ping, self.me, self.sequence, effects);
    }

    /// Whom to ping, if there is anybody who is not believed dead.
    fn draw_target(&mut self, draw: &mut impl FnMut() -> Uniform) -> Option<u32> {
        let is_left = |member: &u32| self.members[*member as usize].opinion != Opinion::Dead;
        if self.targets == Targets::Random {
            let others = || (0..self.members.len() as u32).filter(|&member| member != self.me && is_left(&member));
            let count = others().count();
            let everybody = self.members.len() as u64;
            if self.has_dead() && (count == 0 || draw().below(everybody) == 0) {
                return self.draw_dead(draw);
            }
            return if count == 0 { None } else { others().nth(draw().below(count as u64) as usize) };
        }
        // What is left of this round, and if there is nobody, another one.
        for _ in 0..2 {
            if let Some(ahead) = self.round[self.place..].iter().position(is_left) {
                self.place += ahead + 1;
                return Some(self.round[self.place - 1]);
            }
            let is_over = !self.round.is_empty();
            self.round = (0..self.members.len() as u32).filter(|&member| member != self.me).collect();
            self.place = 0;
            let count = self.round.len();
            shuffle(&mut self.round, count, draw);
            if is_over && self.has_dead() {
                return self.draw_dead(draw);
            }
        }
        None
    }

    fn has_dead(&self) -> bool {
        self.members.iter().any(|member| member.opinion == Opinion::Dead)
    }

    /// One of those believed dead: it may be back, or have been cut off and believe the same of everybody else.
    fn draw_dead(&self, draw: &mut impl FnMut() -> Uniform) -> Option<u32> {
        let members = (0..).zip(&self.members);
        let dead: Vec<u32> = members.filter(|(_, member)| member.opinion == Opinion::Dead).map(|(of, _)| of).collect();
        (!dead.is_empty()).then(|| dead[draw().below(dead.len() as u64) as usize])
    }

    fn draw_helpers(&self, target: u32, draw: &mut impl FnMut() -> Uniform) -> Vec<u32> {
        let is_helper = |&member: &u32| {
            member != self.me && member != target && self.members[member as usize].opinion == Opinion::Alive
        };
        let mut helpers: Vec<_> = (0..self.members.len() as u32).filter(is_helper).collect();
        let count = helpers.len().min(self.helpers as usize);
        shuffle(&mut helpers, count, draw);
        helpers.truncate(count);
        helpers
    }

    fn send(&mut self, to: u32, kind: GossipKind, subject: u32, sequence: u32, effects: &mut Vec<Effect>) {
        let Member { opinion, incarnation, .. } = self.members[to as usize];
        let update = match opinion {
            Opinion::Alive => self.rumours.next(self.tells),
            // An answer carries the sender's own objection first: two that take each other for dead would hear of nothing else.
            _ => {
                let news = if kind == GossipKind::Ack { self.rumours.next(self.tells) } else { None };
                news.or(Some(Update { member: to, opinion, incarnation }))
            }
        };
        effects.push(Effect::Send { to, gossip: Gossip { kind, subject, sequence, update } });
    }

    /// Takes up a piece of news, if it is one.
    fn learn(&mut self, update: Update, now: Time, effects: &mut Vec<Effect>) {
        let Update { member, opinion, incarnation } = update;
        let known = &mut self.members[member as usize];
        if member == self.me {
            if opinion != Opinion::Alive {
                // Who believes what was refuted long ago has not heard the objection.
                known.incarnation = known.incarnation.max((incarnation + 1).min(INCARNATION_MAX));
                let incarnation = known.incarnation;
                self.rumours.add(Update { member, opinion: Opinion::Alive, incarnation });
            }
            return;
        }
        let is_news = match opinion {
            Opinion::Alive => incarnation > known.incarnation,
            Opinion::Suspect if known.opinion == Opinion::Alive => incarnation >= known.incarnation,
            Opinion::Suspect => known.opinion == Opinion::Suspect && incarnation > known.incarnation,
            Opinion::Dead => known.opinion != Opinion::Dead && incarnation >= known.incarnation,
        };
        if !is_news {
            return;
        }
        if let Some(until) = known.until.take() {
            self.suspicions.remove(&(until, member));
        }
        if opinion == Opinion::Suspect {
            known.until = Some(now + self.suspicion);
            self.suspicions.insert((now + self.suspicion, member));
        }
        let is_changed = known.opinion != opinion;
        (known.opinion, known.incarnation) = (opinion, incarnation);
        self.rumours.add(update);
        if is_changed {
            effects.push(Effect::Changed { member, opinion });
        }
    }
}

/// Brings `count` of the members to the front, drawn one by one (Fisher and Yates).
fn shuffle(members: &mut [u32], count: usize, draw: &mut impl FnMut() -> Uniform) {
    for place in 0..count {
        let left = members.len() - place;
        members.swap(place, place + draw().below(left as u64) as usize);
    }
}

#[cfg(test)]
mod tests;
