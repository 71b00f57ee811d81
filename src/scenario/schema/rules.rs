//! What the keys of one table demand of each other: exactly one of two, or one only beside another.

use std::collections::BTreeMap;

use super::{
    Client, Duration, FAULT_KINDS, Fault, Link, Name, Regions, Scenario, Service, Step, Steps, TOPOLOGY_KINDS,
    Topology, Verb, WaitFor, Warmup, waiting,
};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};
use crate::scenario::nearest::one_of;

/// The verbs of a step.
const VERBS: [&str; 10] = ["work", "sleep", "call", "send", "publish", "parallel", "saga", "choose", "repeat", "fail"];

/// Everything in `scenario` that is refused although each value on its own is well.
pub(in crate::scenario) fn check(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut rules = Rules { mistakes: Vec::new() };
    rules.run(scenario);
    rules.names(scenario);
    for (name, window) in scenario.windows.iter() {
        rules.in_order(&format!("window `{}`", name.value), &window[0], &window[1]);
    }
    if let Some(regions) = &scenario.regions {
        rules.regions(regions);
    }
    if let Some(topology) = &scenario.topology {
        rules.topology(topology);
    }
    scenario.links.iter().for_each(|(name, link)| rules.link(name, link));
    scenario.faults.iter().for_each(|(name, fault)| rules.fault(name, fault));
    scenario.clients.iter().for_each(|(name, client)| rules.client(name, client));
    scenario.services.iter().for_each(|(name, service)| rules.service(name, service));
    for (name, consumer) in scenario.consumers.iter() {
        let owner = format!("consumer `{}`", name.value);
        rules.bodies(&Body { owner, step: &consumer.step, steps: consumer.steps.as_ref() }, &[]);
    }
    for (name, balancer) in scenario.balancers.iter() {
        rules.mistakes.extend(waiting::of_balancer(&format!("balancer `{}`", name.value), balancer));
        rules.balancer(name, &balancer.step);
    }
    rules.mistakes
}

struct Rules {
    mistakes: Vec<Diagnostic>,
}

/// A step, or a list of steps, and what it belongs to.
struct Body<'a> {
    owner: String,
    step: &'a Step,
    steps: Option<&'a Steps>,
}

impl Body<'_> {
    fn sends(&self) -> bool {
        let listed = self.steps.into_iter().flat_map(|steps| steps.iter()).flat_map(|step| step.verbs());
        self.step.verbs().chain(listed).any(Verb::sends)
    }
}

impl Rules {
    fn refuse(&mut self, origin: Origin, message: impl Into<String>) {
        self.mistakes.push(Diagnostic::error(message).at(origin, ""));
    }

    fn run(&mut self, scenario: &Scenario) {
        let run = &scenario.run;
        let Some(Located { value: Warmup::Constant(warmup), origin }) = run.warmup else { return };
        if warmup >= run.duration.value {
            self.mistakes.push(
                Diagnostic::error("the warm-up leaves nothing to measure")
                    .at(origin, "")
                    .at(run.duration.origin, "all the load there is"),
            );
        }
    }

    /// Whatever quantities and windows may name has a name of its own.
    fn names(&mut self, scenario: &Scenario) {
        let mut known: BTreeMap<&str, (&str, Origin)> = BTreeMap::new();
        let clients = scenario.clients.iter().map(|(name, _)| ("a client", name));
        let services = scenario.services.iter().map(|(name, _)| ("a service", name));
        let links = scenario.links.iter().map(|(name, _)| ("a link", name));
        let faults = scenario.faults.iter().map(|(name, _)| ("a fault", name));
        let windows = scenario.windows.iter().map(|(name, _)| ("a window", name));
        let balancers = scenario.balancers.iter().map(|(name, _)| ("a balancer", name));
        let brokers = scenario.brokers.iter().map(|(name, _)| ("a broker", name));
        let queues = scenario.queues.iter().map(|(name, _)| ("a queue", name));
        let exchanges = scenario.exchanges.iter().map(|(name, _)| ("an exchange", name));
        let consumers = scenario.consumers.iter().map(|(name, _)| ("a group of consumers", name));
        let topics = scenario.topics.iter().map(|(name, _)| ("a topic", name));
        let of_brokers = brokers.chain(queues).chain(topics).chain(exchanges).chain(consumers);
        for (what, name) in
            services.chain(balancers).chain(of_brokers).chain(clients).chain(links).chain(faults).chain(windows)
        {
            if name.as_str() == "network" {
                let message = format!("{what} cannot be called `network`: that is what lies between any two nodes");
                self.refuse(name.origin, message);
            } else if let Some((other, origin)) = known.insert(name.as_str(), (what, name.origin)) {
                self.mistakes.push(
                    Diagnostic::error(format!("`{}` is the name of {other} and of {what}", name.value))
                        .at(name.origin, what)
                        .at(origin, other)
                        .help("groups, links, faults and windows share one namespace: rename one of them"),
                );
            }
        }
    }

    fn in_order(&mut self, what: &str, start: &Located<Duration>, end: &Located<Duration>) {
        if end.value <= start.value {
            self.mistakes.push(
                Diagnostic::error(format!("{what} ends before it begins"))
                    .at(end.origin, "")
                    .at(start.origin, "begins"),
            );
        }
    }

    fn regions(&mut self, regions: &Located<Regions>) {
        let Regions { rtt, one_way, preset, zones, zone_rtt } = &regions.value;
        if let Some(time) = zone_rtt.as_ref().filter(|_| zones.is_empty()) {
            self.refuse(time.origin, "`zone-rtt` has a meaning only beside `zones`");
        }
        let keys = [
            rtt.as_ref().map(|pairs| pairs.origin),
            one_way.as_ref().map(|pairs| pairs.origin),
            preset.map(|preset| preset.origin),
        ];
        match keys.into_iter().flatten().collect::<Vec<_>>().as_slice() {
            [_] => {}
            [] if zones.len() == 1 => {}
            [] => self.refuse(regions.origin, "[regions] needs one of `rtt`, `one-way` and `preset`"),
            [first, second, ..] => self.mistakes.push(
                Diagnostic::error("[regions] takes only one of `rtt`, `one-way` and `preset`")
                    .at(*second, "")
                    .at(*first, "times already"),
            ),
        }
    }

    fn topology(&mut self, topology: &Located<Topology>) {
        let shapes: Vec<_> = topology.shapes().collect();
        match (shapes.as_slice(), &topology.edges) {
            ([], None) => {
                self.refuse(topology.origin, format!("[topology] needs {}", one_of(&TOPOLOGY_KINDS)));
            }
            ([], Some(edges)) if edges.value.is_empty() => {
                self.refuse(edges.origin, "no edges: nothing is joined to anything");
            }
            ([one, other, ..], _) => {
                let message = format!("a topology has one form; found `{}` and `{}`", one.name(), other.name());
                self.mistakes.push(
                    Diagnostic::error(message)
                        .at(other.origin(), "")
                        .at(one.origin(), "one already")
                        .help("`edges` may stand beside a form; a variant drops one by `remove = [\"topology.ring\"]`"),
                );
            }
            _ => {}
        }
    }

    fn link(&mut self, name: &Located<Name>, link: &Link) {
        let one_way = link.from.as_ref().or(link.to.as_ref());
        match (&link.between, &link.from, &link.to) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            (Some(between), ..) => self.mistakes.push(
                Diagnostic::error("a link goes both ways with `between`, or one way with `from` and `to`")
                    .at(one_way.map_or(between.origin, |end| end.origin), "")
                    .at(between.origin, "both ways already"),
            ),
            (None, ..) => {
                let message = format!("link `{}` needs `between`, or both `from` and `to`", name.value);
                self.refuse(one_way.map_or(name.origin, |end| end.origin), message);
            }
        }
    }

    fn fault(&mut self, name: &Located<Name>, fault: &Fault) {
        let kinds: Vec<_> = fault.kinds().collect();
        match kinds[..] {
            [_] => {}
            [] => self.mistakes.push(
                Diagnostic::error(format!("fault `{}` does nothing", name.value))
                    .at(name.origin, "")
                    .help(format!("it needs {}", one_of(FAULT_KINDS))),
            ),
            [one, other, ..] => self.mistakes.push(
                Diagnostic::error(format!("a fault is of one kind; found `{}` and `{}`", one.name(), other.name()))
                    .at(other.origin(), "")
                    .at(one.origin(), "one already"),
            ),
        }
    }

    fn client(&mut self, name: &Located<Name>, client: &Client) {
        let owner = format!("client `{}`", name.value);
        let loads = [
            ("a `rate`", client.rate.as_ref().map(|rate| rate.origin)),
            ("a number of `users`", client.users.as_ref().map(|users| users.origin)),
            ("a `trace`", client.trace.as_ref().map(|trace| trace.origin)),
        ];
        let loads: Vec<_> = loads.into_iter().filter_map(|(what, origin)| Some((what, origin?))).collect();
        match loads.as_slice() {
            [_] => {}
            [] => self.refuse(name.origin, format!("{owner} needs a `rate`, a number of `users`, or a `trace`")),
            [(one, first), (other, second), ..] => self.mistakes.push(
                Diagnostic::error(format!("{owner} has {one} or {other}, not both"))
                    .at(*second, "")
                    .at(*first, "a load already"),
            ),
        }
        let beside = [
            ("think", client.think.as_ref().map(|think| think.origin), client.users.is_some(), "`users`"),
            ("arrivals", client.arrivals.as_ref().map(|arrivals| arrivals.origin), client.rate.is_some(), "a `rate`"),
            ("phase", client.phase.map(|phase| phase.origin), client.is_even(), "`arrivals = \"even\"`"),
        ];
        for (key, place, is_met, needed) in beside {
            if let Some(place) = place.filter(|_| !is_met) {
                self.refuse(place, format!("`{key}` has a meaning only beside {needed}"));
            }
        }
        if let (Some(from), Some(until)) = (&client.from, &client.until) {
            self.in_order(&format!("the load of {owner}"), from, until);
        }
        let body = Body { owner: owner.clone(), step: &client.step, steps: client.steps.as_ref() };
        self.not_both(&body, client.mix.iter().next().map(|(name, _)| name.origin), "mix");
        if body.step.verb().is_none() && body.steps.is_none() && client.mix.is_empty() {
            self.mistakes.push(
                Diagnostic::error(format!("{owner} does nothing"))
                    .at(name.origin, "")
                    .help("give it a `call` or a `send`, or `steps`, or a `mix`"),
            );
        }
        let entries = client.mix.iter().map(|(entry, mix)| Body {
            owner: format!("mix entry `{}`", entry.value),
            step: &mix.step,
            steps: mix.steps.as_ref(),
        });
        let entries: Vec<_> = entries.collect();
        for ((name, _), entry) in client.mix.iter().zip(&entries) {
            if entry.step.verb().is_none() && entry.steps.is_none() {
                self.refuse(name.origin, format!("{} does nothing", entry.owner));
            }
        }
        self.bodies(&body, &entries);
    }

    fn service(&mut self, name: &Located<Name>, service: &Service) {
        let owner = format!("service `{}`", name.value);
        self.mistakes.extend(waiting::of_service(&owner, service));
        let body = Body { owner, step: &service.step, steps: service.steps.as_ref() };
        let ops = service.ops.iter().map(|(name, op)| Body {
            owner: format!("operation `{}`", name.value),
            step: &op.step,
            steps: op.steps.as_ref(),
        });
        self.bodies(&body, &ops.collect::<Vec<_>>());
    }

    /// A balancer works and passes on, and does nothing else.
    fn balancer(&mut self, name: &Located<Name>, step: &Step) {
        for verb in step.verbs().filter(|verb| !matches!(verb, Verb::Work(_))) {
            let message = format!("balancer `{}` passes on what it gets, and takes no `{}`", name.value, verb.name());
            self.refuse(verb.origin(), message);
        }
        let keys = [step.wait.map(|wait| wait.origin), step.fan_out.map(|count| count.origin)];
        for place in keys.into_iter().flatten().chain(step.wait_for.map(|count| count.origin)) {
            self.refuse(
                place,
                format!("balancer `{}` passes each request on to one node and waits for it", name.value),
            );
        }
    }

    /// Checks a group's own steps, then those of its entries; the group's keys count for the entries too.
    fn bodies(&mut self, group: &Body<'_>, entries: &[Body<'_>]) {
        let anyone_sends = group.sends() || entries.iter().any(Body::sends);
        self.body(group, anyone_sends);
        for entry in entries {
            self.body(entry, entry.sends());
        }
    }

    fn body(&mut self, body: &Body<'_>, sends: bool) {
        self.one_verb(body.step);
        self.not_both(body, body.steps.map(|steps| steps.origin), "steps");
        if let Some((key, place)) = body.step.message_keys().next().filter(|_| !sends) {
            self.refuse(place, format!("`{key}` has no effect: {} sends nothing", body.owner));
        }
        if let Some(verb) = body.step.verb() {
            if let Verb::Saga(_) = verb {
                self.is_of_saga(body.step);
            }
            self.inside(verb, body.step);
        }
        body.steps.into_iter().for_each(|steps| self.steps(steps));
    }

    fn steps(&mut self, steps: &Steps) {
        for step in steps.iter() {
            self.one_verb(step);
            match step.verb() {
                None => self.refuse(step.origin, format!("a step needs one of {}", one_of(&VERBS))),
                Some(verb) => {
                    let is_waited_for = |key: &str| key == "wait-for" || key == "wait";
                    let mut keys = step.message_keys().filter(|(key, _)| match verb {
                        Verb::Parallel(_) => !is_waited_for(key),
                        verb => !verb.is_message(),
                    });
                    if let Some((key, place)) = keys.next() {
                        self.refuse(place, format!("`{key}` has no effect beside `{}`", verb.name()));
                    }
                    self.inside(verb, step);
                }
            }
        }
    }

    /// What stands inside a step, and what says how many of several messages are waited for.
    fn inside(&mut self, verb: Verb<'_>, step: &Step) {
        match verb {
            Verb::Parallel(branches) => {
                for branch in branches.iter() {
                    self.one_verb(branch);
                    match branch.verb() {
                        Some(verb) if verb.is_message() => {}
                        Some(verb) => self.refuse(verb.origin(), "only messages go out at once"),
                        None => self.refuse(branch.origin, "one of `call`, `send` and `publish` is missing"),
                    }
                    let waited = branch.wait.map(|wait| wait.origin).or(branch.wait_for.map(|count| count.origin));
                    if let Some(place) = waited {
                        self.refuse(place, "who waits for messages that go out at once says so beside `parallel`");
                    }
                }
            }
            Verb::Saga(legs) => {
                for leg in legs.iter() {
                    self.of_saga(&leg.step, leg.origin);
                    leg.compensate.iter().for_each(|step| self.of_saga(step, step.origin));
                }
            }
            verb => verb.lists().into_iter().for_each(|steps| self.steps(steps)),
        }
        let says_more = step.wait_for.filter(|count| count.value != WaitFor::All);
        if let (Some(count), None, None) = (says_more, &step.parallel, step.fan_out) {
            self.refuse(count.origin, "`wait-for` has a meaning only beside `parallel` or `fan-out`");
        }
    }

    /// A leg of a saga, or what undoes it.
    fn of_saga(&mut self, step: &Step, origin: Origin) {
        self.one_verb(step);
        match step.verb() {
            Some(verb) if verb.is_message() => {}
            Some(verb) => self.refuse(verb.origin(), "only messages are done and undone"),
            None => self.refuse(origin, "one of `call`, `send` and `publish` is missing"),
        }
        self.is_of_saga(step);
    }

    /// What counts for messages of a saga does not say how many there are, or that nobody waits for them.
    fn is_of_saga(&mut self, step: &Step) {
        let keys = [
            ("wait", step.wait.map(|wait| wait.origin), "each leg waits for the end of the one before"),
            ("fan-out", step.fan_out.map(|count| count.origin), "a leg is one message"),
            ("wait-for", step.wait_for.map(|count| count.origin), "a leg is one message"),
        ];
        for (key, place, why) in keys {
            if let Some(place) = place {
                self.refuse(place, format!("`{key}` has no meaning in a saga: {why}"));
            }
        }
    }

    fn one_verb(&mut self, step: &Step) {
        let verbs: Vec<_> = step.verbs().collect();
        if let [first, second, ..] = verbs.as_slice() {
            let found: Vec<_> = verbs.iter().map(|verb| format!("`{}`", verb.name())).collect();
            self.mistakes.push(
                Diagnostic::error(format!("a step does one thing; found {}", found.join(" and ")))
                    .at(second.origin(), "")
                    .at(first.origin(), "")
                    .help("several steps are a list: `steps = [{ ... }, { ... }]`"),
            );
        }
    }

    fn not_both(&mut self, body: &Body<'_>, other: Option<Origin>, key: &str) {
        if let (Some(verb), Some(other)) = (body.step.verb(), other) {
            let message = format!("{} has `{}` as its only step and a `{key}` too", body.owner, verb.name());
            self.mistakes.push(Diagnostic::error(message).at(verb.origin(), "").at(other, format!("`{key}`")));
        }
    }
}
