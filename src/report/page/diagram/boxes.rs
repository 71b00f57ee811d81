//! What is drawn: a box for each part, or one for many that are alike.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::report::human;
use crate::report::style::clean;
use crate::scenario::plan::{Kind, Part, System, Traffic};

/// Parts that are alike are drawn one by one up to so many.
const ALIKE_MAX: usize = 6;

/// Boxes that are drawn, at the most.
const BOXES_MAX: usize = 80;

/// How far likeness is looked at where there are more.
const ROUNDS: usize = 12;

/// Pixels that a letter takes, on average, and those around a text.
const LETTER: f64 = 7.4;
const MARGIN: f64 = 26.0;

/// One box.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub name: String,
    /// What it is, how many nodes it has and the like.
    pub about: String,
    /// All of that, at length.
    pub title: String,
    pub kind: &'static str,
    /// The region that it is in, if there are regions and it is in no other.
    pub region: Option<String>,
    pub width: f64,
}

/// From one box to another, by their places.
#[derive(Clone, Debug)]
pub(super) struct Arrow {
    pub from: usize,
    pub to: usize,
    pub kind: Traffic,
    pub label: String,
}

/// Everything that is drawn.
#[derive(Clone, Debug)]
pub(super) struct Boxes {
    pub list: Vec<Drawn>,
    pub arrows: Vec<Arrow>,
    /// Parts for which there is no room.
    pub left_out: u64,
}

/// Who sends to a part or gets from it, what, and whether it is the part that sends.
type Neighbours<'a> = BTreeMap<&'a str, BTreeSet<(&'a str, Traffic, bool)>>;

impl Boxes {
    pub fn of(system: &System, rates: &BTreeMap<(String, String), f64>) -> Self {
        let mut neighbours = Neighbours::new();
        for way in &system.ways {
            neighbours.entry(&way.from).or_default().insert((&way.to, way.kind, true));
            neighbours.entry(&way.to).or_default().insert((&way.from, way.kind, false));
        }
        // A broker is there in the places that it has; a controller says nothing to a reader.
        let hosts: BTreeSet<&str> = system.parts.iter().filter_map(|part| part.host.as_deref()).collect();
        let is_seen = |name: &str| neighbours.contains_key(name) || !hosts.contains(name);
        let is_drawn = |part: &&Part| part.kind != Kind::Controller && is_seen(&part.name);
        let mut parts: Vec<&Part> = system.parts.iter().filter(is_drawn).collect();
        let distances = distances(&parts, &neighbours);
        parts.sort_by_key(|part| distances.get(part.name.as_str()).copied().unwrap_or(usize::MAX));
        let mut groups = grouped(&parts, &alike(&parts, &neighbours, 1));
        if groups.len() > BOXES_MAX {
            groups = grouped(&parts, &alike(&parts, &neighbours, ROUNDS));
        }
        let members = groups.iter().enumerate().flat_map(|(place, parts)| parts.iter().map(move |part| (place, part)));
        let group_of: BTreeMap<&str, usize> = members.map(|(place, part)| (part.name.as_str(), place)).collect();
        let left_out = groups.iter().skip(BOXES_MAX).map(|parts| parts.len() as u64).sum();
        groups.truncate(BOXES_MAX);
        let list: Vec<Drawn> = groups.iter().map(|parts| drawn(parts, system)).collect();
        let mut arrows: BTreeMap<(usize, usize, Traffic), f64> = BTreeMap::new();
        let mut counted: BTreeSet<(&str, &str)> = BTreeSet::new();
        for way in &system.ways {
            let ends = group_of.get(way.from.as_str()).zip(group_of.get(way.to.as_str()));
            let Some((&from, &to)) = ends.filter(|(from, to)| **from < list.len() && **to < list.len()) else {
                continue;
            };
            // Calls and messages between the same two are counted together.
            let is_first = counted.insert((&way.from, &way.to));
            let rate = rates.get(&(way.from.clone(), way.to.clone())).filter(|_| is_first).copied().unwrap_or(0.0);
            *arrows.entry((from, to, way.kind)).or_default() += rate;
        }
        let label = |rate: f64| if rate > 0.0 { human::rate(rate) } else { String::new() };
        let arrows =
            arrows.into_iter().map(|((from, to, kind), rate)| Arrow { from, to, kind, label: label(rate) }).collect();
        Self { list, arrows, left_out }
    }
}

/// How many steps messages take from a client to a part.
fn distances<'a>(parts: &[&'a Part], neighbours: &Neighbours<'a>) -> BTreeMap<&'a str, usize> {
    let clients = parts.iter().filter(|part| part.kind == Kind::Client).map(|part| part.name.as_str());
    let mut queue: VecDeque<(&str, usize)> = clients.map(|client| (client, 0)).collect();
    let mut distances = BTreeMap::new();
    while let Some((name, distance)) = queue.pop_front() {
        if distances.contains_key(name) {
            continue;
        }
        distances.insert(name, distance);
        let next = neighbours.get(name).into_iter().flatten().filter(|(.., sends)| *sends);
        queue.extend(next.map(|(to, ..)| (*to, distance + 1)));
    }
    distances
}

/// Numbers that parts share that are alike: with one round those of the same kind, region and neighbours; with more, those whose
/// neighbours are alike, and theirs, so many steps far.
fn alike<'a>(parts: &[&'a Part], neighbours: &Neighbours<'a>, rounds: usize) -> Vec<usize> {
    let places: BTreeMap<&str, usize> =
        parts.iter().enumerate().map(|(place, part)| (part.name.as_str(), place)).collect();
    let mut classes = numbered(parts.iter().map(|part| (kind(part.kind), region(part))));
    let own: Vec<usize> = (0..parts.len()).collect();
    for _ in 0..rounds {
        let known = if rounds == 1 { &own } else { &classes };
        let near = |part: &&Part| -> BTreeSet<(usize, Traffic, bool)> {
            let near = neighbours.get(part.name.as_str()).into_iter().flatten();
            near.filter_map(|(name, kind, sends)| Some((known[*places.get(name)?], *kind, *sends))).collect()
        };
        classes = numbered(parts.iter().zip(&classes).map(|(part, class)| (*class, near(part))));
    }
    classes
}

/// The same number for what is equal, in the order in which it comes.
fn numbered<T: Ord>(values: impl Iterator<Item = T>) -> Vec<usize> {
    let mut known = BTreeMap::new();
    let number = |value| {
        let next = known.len();
        *known.entry(value).or_insert(next)
    };
    values.map(number).collect()
}

/// Those that are alike together, where they are many, and all others alone.
fn grouped<'a>(parts: &[&'a Part], classes: &[usize]) -> Vec<Vec<&'a Part>> {
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    classes.iter().for_each(|class| *sizes.entry(*class).or_default() += 1);
    let (mut groups, mut place_of): (Vec<Vec<&Part>>, BTreeMap<usize, usize>) = (Vec::new(), BTreeMap::new());
    for (part, class) in parts.iter().zip(classes) {
        match place_of.get(class) {
            Some(&place) => groups[place].push(part),
            None => {
                if sizes[class] > ALIKE_MAX {
                    place_of.insert(*class, groups.len());
                }
                groups.push(vec![part]);
            }
        }
    }
    groups
}

/// The region of a part that is in one alone; a place is where its broker is, which is told there.
fn region(part: &Part) -> Option<String> {
    let mut regions = part.at.iter().map(|(at, _)| at.split('/').next().unwrap_or_default());
    let first = regions.next()?;
    regions.all(|region| region == first).then(|| first.to_owned())
}

fn drawn(parts: &[&Part], system: &System) -> Drawn {
    let [first, ..] = parts else { unreachable!("no group is empty") };
    let what = kind(first.kind);
    let nodes: u64 = parts.iter().filter_map(|part| part.nodes).map(u64::from).sum();
    let mut about: Vec<String> = Vec::new();
    let name = match parts.len() {
        1 => {
            about.push(what.into());
            clean(&first.name, 26)
        }
        many => {
            let last = parts.last().expect("there are many");
            about.push(format!("{} … {}", clean(&first.name, 12), clean(&last.name, 12)));
            format!("{} {what}{}", human::count(many as u64), if what.ends_with('s') { "" } else { "s" })
        }
    };
    if nodes > 1 {
        about.push(format!("{} nodes", human::count(nodes)));
    }
    match first.workers {
        Some(1) | None => {}
        Some(workers) if parts.len() == 1 => about.push(format!("{workers} workers")),
        Some(_) => {}
    }
    if let Some(host) = &first.host {
        let broker = system.parts.iter().find(|part| part.name == *host);
        let many = broker.and_then(|broker| broker.nodes).filter(|nodes| *nodes > 1);
        about.push(format!("{}{}", clean(host, 14), many.map_or_else(String::new, |many| format!(" ×{many}"))));
    }
    if region(first).is_none() && !first.at.is_empty() {
        about.push(match first.at.len() {
            1..=3 => {
                first.at.iter().map(|(at, nodes)| format!("{} {nodes}", clean(at, 10))).collect::<Vec<_>>().join(" ")
            }
            many => format!("{many} places"),
        });
    }
    let about = about.join(" · ");
    let at: Vec<String> = first.at.iter().map(|(at, nodes)| format!("{nodes} in {}", clean(at, 40))).collect();
    let names: Vec<String> = parts.iter().take(20).map(|part| clean(&part.name, 80)).collect();
    let title = format!("{}: {about}{}{}", names.join(", "), if at.is_empty() { "" } else { "; " }, at.join(", "));
    // What is said of a part is set in smaller letters than its name.
    let letters = (name.chars().count() as f64).max(about.chars().count() as f64 * 0.82);
    let width = (letters * LETTER + MARGIN).max(104.0);
    Drawn { name, about, title, kind: what, region: region(first), width }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Client => "client",
        Kind::Service => "service",
        Kind::Balancer => "balancer",
        Kind::Consumers => "consumers",
        Kind::Broker => "broker",
        Kind::Controller => "controller",
        Kind::Router => "router",
        Kind::Queue => "queue",
        Kind::Exchange => "exchange",
        Kind::Topic => "topic",
    }
}
