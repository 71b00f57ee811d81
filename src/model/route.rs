//! What a caller keeps for the kinds of messages it sends: how it chooses a member, and what holds messages back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::ops::Range;

use crate::base::id::NodeId;
use crate::base::random::Uniform;
use crate::base::time::{Span, Time};
use crate::process::{Flow, GuardFact, Observation, Steady};
use crate::protocol::balance::{Balance, End, Picker, View};
use crate::protocol::delivery::{InFlight, Number, SendWindow};

use super::caller::Cx;
use super::envelope::Beside;
use super::guard::Guard;
use super::health::Health;
use super::script::{Call, Script, Target};

/// The routes of one caller, by index. The first is inline: most callers have no second.
#[derive(Debug, Default)]
pub(super) struct Routes {
    first: Option<Route>,
    more: More,
}

/// The routes after the first.
#[allow(
    clippy::box_collection,
    reason = "most callers have none, and a vector of 24 bytes would cost each a line more"
)]
type More = Option<Box<Vec<Route>>>;

impl Routes {
    /// The route that the script calls so, if there is one.
    #[inline]
    pub(super) fn find(&self, name: u16) -> Option<u16> {
        if self.first.as_ref()?.name == name {
            return Some(0);
        }
        let place = self.more.as_ref()?.iter().position(|route| route.name == name)?;
        Some(place as u16 + 1)
    }

    /// Adds a route; its index.
    pub(super) fn add(&mut self, route: Route) -> u16 {
        if self.first.is_none() {
            self.first = Some(route);
            return 0;
        }
        let more = self.more.get_or_insert_default();
        more.push(route);
        more.len() as u16
    }

    /// A route that was added.
    #[inline]
    pub(super) fn get_mut(&mut self, index: u16) -> &mut Route {
        let route = match index {
            0 => self.first.as_mut(),
            _ => self.more.as_mut().and_then(|more| more.get_mut(usize::from(index) - 1)),
        };
        route.expect("routes stay once they are there")
    }

    /// All of them, with their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &Route)> {
        (0..).zip(self.first.iter().chain(self.more.iter().flat_map(|more| more.iter())))
    }
}

/// What a caller keeps for kinds of messages that share a balancer and its guards.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) name: u16,
    picker: Picker,
    /// Nothing is held back, and nobody is down, if there is none.
    pub(super) gate: Option<Box<Gate>>,
    /// Nothing stands in the way of an attempt if there is none.
    pub(super) guard: Option<Box<Guard>>,
}

impl Route {
    /// The route of a kind of message; `draw` is its picker's.
    pub(super) fn new(script: &Script, spec: &Call, draw: Uniform) -> Self {
        let route = &script.routes[usize::from(spec.route)];
        Self {
            name: spec.route,
            picker: route.picker.fresh(draw),
            gate: Hold::of(spec).map(|hold| Box::new(Gate { hold, health: None, blocked: None })),
            guard: route.guard.as_ref().map(|guard| Box::new(Guard::new(guard))),
        }
    }

    /// An attempt goes to `member`.
    #[inline]
    pub(super) fn sent(&mut self, member: u32, now: Steady) {
        self.picker.sent(member as usize, Time::from_nanos(now.as_nanos()));
    }

    /// An attempt that went to `member` is over. How long it took is known where there is a guard.
    #[inline]
    pub(super) fn done(&mut self, member: u32, now: Steady, took: Option<Span>, is_well: bool) {
        self.picker.done(member as usize, End { now: Time::from_nanos(now.as_nanos()), took, is_well });
    }

    /// An attempt that went to `member` has ended after so long: whoever judges members by that is told.
    pub(super) fn ended(&mut self, script: &Script, cx: &mut Cx<'_>, member: u32, took: Span, is_well: bool) {
        self.done(member, cx.now(), Some(took), is_well);
        let openings = self.guard.as_deref_mut().map_or(0, Guard::take_openings);
        if openings > 0 {
            self.state_openings(script, cx, openings);
        }
        if let Some(health) = self.health() {
            health.judge(script, cx, member, is_well);
        }
    }

    /// The breaker has opened.
    #[cold]
    fn state_openings(&self, script: &Script, cx: &mut Cx<'_>, openings: u32) {
        let Some(call) = script.calls.iter().find(|call| call.route == self.name) else { return };
        for _ in 0..openings {
            cx.observe(Observation::Guarded { flow: Flow(call.flow), fact: GuardFact::BreakerOpened });
        }
    }

    /// From now on members may be down.
    pub(super) fn watch_over(&mut self, health: Health) {
        self.gate_or_open().health = Some(health);
    }

    fn gate_or_open(&mut self) -> &mut Gate {
        self.gate.get_or_insert_with(|| Box::new(Gate { hold: Hold::Nothing, health: None, blocked: None }))
    }

    /// Until when a message that asks to go does not, as a broker reads no more, if that is so.
    pub(super) fn blocked_until(&mut self, now: Steady) -> Option<Steady> {
        let blocked = self.gate.as_deref_mut()?.blocked.as_mut()?;
        let until = blocked.by.values().copied().max().filter(|until| *until > now)?;
        if blocked.released > 0 {
            blocked.released -= 1;
            return None;
        }
        Some(until)
    }

    /// A message waits until no broker blocks any more.
    pub(super) fn wait_unblocked(&mut self, key: Number) {
        self.gate_or_open().blocked.get_or_insert_default().waiting.insert(key);
    }

    /// A broker says that it reads no more, which is believed until then; or that it reads on. The messages that need not wait any
    /// longer, in order: no more than `most` at a time.
    pub(super) fn heard_of_blocking(
        &mut self,
        broker: NodeId,
        is_blocked: bool,
        (now, until): (Steady, Steady),
        most: usize,
    ) -> BTreeSet<Number> {
        let blocked = self.gate_or_open().blocked.get_or_insert_default();
        blocked.by.retain(|_, until| *until > now);
        blocked.by.insert(broker, until);
        blocked.released = 0;
        if is_blocked || blocked.by.len() > 1 {
            return BTreeSet::new();
        }
        match blocked.waiting.iter().nth(most).copied() {
            // The others wait for the next word.
            Some(next) => {
                let later = blocked.waiting.split_off(&next);
                blocked.released = most;
                std::mem::replace(&mut blocked.waiting, later)
            }
            None => {
                blocked.by.clear();
                std::mem::take(&mut blocked.waiting)
            }
        }
    }

    /// What is known of the members' health.
    pub(super) fn health(&mut self) -> Option<&mut Health> {
        self.gate.as_mut()?.health.as_mut()
    }

    /// A member says that it has nothing to do.
    pub(super) fn is_idle(&mut self, member: u32) {
        self.picker.idle(member as usize);
    }

    /// The window of what is on its way, if there is one.
    #[inline]
    pub(super) fn window(&mut self) -> Option<&mut Window> {
        match &mut self.gate.as_mut()?.hold {
            Hold::Window(window) => Some(window),
            _ => None,
        }
    }

    /// The member for an attempt.
    #[inline]
    pub(super) fn choose(&mut self, script: &Script, cx: &mut Cx<'_>, spec: &Call, key: u64) -> u32 {
        if self.gate.is_some() {
            return self.choose_by_rule(script, cx, spec, key);
        }
        let target = &script.targets[spec.target as usize];
        self.picker.pick(&mut Sight { script, target, cx, key, health: None, taken: &[] }) as u32
    }

    /// The member for an attempt, where one may be pinned or down.
    #[inline(never)]
    fn choose_by_rule(&mut self, script: &Script, cx: &mut Cx<'_>, spec: &Call, key: u64) -> u32 {
        if let Some(pinned) = self.window().and_then(|window| window.pinned) {
            return pinned;
        }
        let target = &script.targets[spec.target as usize];
        let health = self.gate.as_ref().and_then(|gate| gate.health.as_ref());
        let member = self.picker.pick(&mut Sight { script, target, cx, key, health, taken: &[] }) as u32;
        debug_assert!(health.is_none_or(|health| health.is_up(member as usize)), "picked a member that is down");
        if health.is_some_and(Health::panics) {
            cx.observe(Observation::Guarded { flow: Flow(spec.flow), fact: GuardFact::PickedInPanic });
        }
        if spec.policy.ordered
            && let Some(window) = self.window()
        {
            window.pinned = Some(member);
        }
        member
    }
}

impl Route {
    /// A member that is none of those `taken`, if there is one; one that is up, if there is one among those that are left. The
    /// first that is chosen so counts as the balancer's choice, the others are beside it.
    #[inline(never)]
    pub(super) fn choose_another(
        &mut self,
        script: &Script,
        cx: &mut Cx<'_>,
        spec: &Call,
        key: u64,
        taken: &[u32],
    ) -> u32 {
        let target = &script.targets[spec.target as usize];
        let taken = if taken.len() < target.len as usize { taken } else { &[] };
        let is_up =
            |health: &&Health| (0..target.len).any(|member| !taken.contains(&member) && health.is_up(member as usize));
        let health = self.gate.as_ref().and_then(|gate| gate.health.as_ref());
        if health.is_some_and(Health::panics) {
            cx.observe(Observation::Guarded { flow: Flow(spec.flow), fact: GuardFact::PickedInPanic });
        }
        let health = health.filter(is_up);
        let mut sight = Sight { script, target, cx, key, health, taken };
        let member = if taken.is_empty() { self.picker.pick(&mut sight) } else { self.picker.pick_other(&mut sight) };
        member as u32
    }
}

/// What a caller's picker may look at.
struct Sight<'a, 'b> {
    script: &'a Script,
    target: &'a Target,
    cx: &'a mut Cx<'b>,
    key: u64,
    /// Who is down.
    health: Option<&'a Health>,
    /// Members that are not to be picked.
    taken: &'a [u32],
}

impl View for Sight<'_, '_> {
    #[inline]
    fn draw(&mut self) -> Uniform {
        self.cx.draw()
    }

    #[inline]
    fn load(&self, member: usize) -> u32 {
        self.script.board.load(self.target.member(member))
    }

    #[inline]
    fn is_up(&self, member: usize) -> bool {
        (self.taken.is_empty() || !self.taken.contains(&(member as u32)))
            && self.health.is_none_or(|health| health.is_up(member))
    }

    #[inline]
    fn key(&self) -> u64 {
        self.key
    }

    #[inline]
    fn now(&self) -> Time {
        Time::from_nanos(self.cx.now().as_nanos())
    }
}

/// What an attempt has to pass: what holds messages back, and what is known of the members they may go to.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) hold: Hold,
    /// All are up if there is none.
    health: Option<Health>,
    /// What brokers keep back, once one has.
    blocked: Option<Blocked>,
}

/// What brokers keep back, which have stopped reading what this node publishes.
#[derive(Debug, Default)]
struct Blocked {
    /// Who has, and until when that is believed.
    by: BTreeMap<NodeId, Steady>,
    /// The messages that wait for it.
    waiting: BTreeSet<Number>,
    /// How many may go although others wait.
    released: usize,
}

impl Gate {
    /// A message does not wait any longer until a broker reads on; whether it did.
    #[inline]
    pub(super) fn waits_no_more(&mut self, key: Number) -> bool {
        self.blocked.as_mut().is_some_and(|blocked| blocked.waiting.remove(&key))
    }
}

/// What holds messages back at their sender. It knows them by their keys in the caller's table.
#[derive(Debug)]
pub(super) enum Hold {
    /// So many at a time.
    InFlight(InFlight),
    /// So far ahead of the oldest.
    Window(Window),
    /// A producer has them, which sends them in batches.
    Batches,
    /// Nothing.
    Nothing,
}

impl Hold {
    fn of(spec: &Call) -> Option<Self> {
        let policy = &spec.policy;
        if spec.record.is_some() {
            return Some(Self::Batches);
        }
        match (policy.max_in_flight, policy.window) {
            (_, window) if policy.ordered => {
                let most = NonZeroU32::MIN.saturating_add(Beside::WINDOW_MAX - 1);
                Some(Self::Window(Window::new(window.map_or(most, |window| window.min(most)))))
            }
            (_, Some(window)) => Some(Self::Window(Window::new(window))),
            (Some(limit), None) => Some(Self::InFlight(InFlight::new(limit))),
            (None, None) => None,
        }
    }

    /// A message asks to go: whether it may at once, and its place in the sender's order.
    pub(super) fn offer(&mut self, key: Number) -> (bool, u32) {
        match self {
            Self::InFlight(gate) => (gate.offer(key), 0),
            Self::Window(window) => window.offer(key),
            Self::Batches => (false, 0),
            Self::Nothing => (true, 0),
        }
    }

    /// The next message that may go now, if any.
    pub(super) fn admit(&mut self) -> Option<Number> {
        match self {
            Self::InFlight(gate) => gate.admit(),
            Self::Window(window) => window.admit(),
            Self::Batches | Self::Nothing => None,
        }
    }
}

/// A send window, and what is within it.
#[derive(Debug)]
pub(super) struct Window {
    window: SendWindow,
    /// The messages that wait or were sent, from the window's lowest on.
    keys: VecDeque<Number>,
    first: u64,
    /// The member that gets everything, where order needs that.
    pinned: Option<u32>,
    /// Messages that were sent and then given up are all below this place in order.
    given_up_below: u64,
}

impl Window {
    fn new(size: NonZeroU32) -> Self {
        Self { window: SendWindow::new(size), keys: VecDeque::new(), first: 0, pinned: None, given_up_below: 0 }
    }

    fn offer(&mut self, key: Number) -> (bool, u32) {
        let sequence = self.first + self.keys.len() as u64;
        self.keys.push_back(key);
        (self.window.offer(Number::new(sequence)), sequence as u32)
    }

    fn admit(&mut self) -> Option<Number> {
        let sequence = self.window.admit()?;
        Some(self.keys[(sequence.get() - self.first) as usize])
    }

    /// The message of this place has ended: from where to where the lowest place still to come has moved.
    pub(super) fn settle(&mut self, sequence: u32) -> Range<u64> {
        self.window.settle(Number::new(sequence.into()));
        let before = self.first;
        while self.first < self.window.lowest().get() {
            self.keys.pop_front();
            self.first += 1;
        }
        before..self.first
    }

    /// The place in order that goes with the message of this sequence number.
    pub(super) fn place(&self, sequence: u32) -> Beside {
        Beside::place(sequence.into(), self.window.lowest().get())
    }

    /// The message of this place was sent, and then given up.
    pub(super) fn give_up(&mut self, sequence: u32) {
        self.given_up_below = self.given_up_below.max(u64::from(sequence) + 1);
    }

    /// The member that may wait for messages that were given up, if there can be any among those `passed`.
    pub(super) fn misses(&self, passed: &Range<u64>) -> Option<u32> {
        self.pinned.filter(|_| passed.start < passed.end.min(self.given_up_below))
    }
}

const _: () = assert!(size_of::<Route>() <= 64);
