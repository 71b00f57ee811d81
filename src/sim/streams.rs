//! The streams of a run: which connections there are between which nodes.

use std::collections::BTreeMap;

use crate::base::id::{Entity, NodeId};
use crate::base::names::Names;
use crate::base::random::mix;
use crate::base::time::Time;
use crate::network::LinkId;
use crate::network::stream::{Connection, Side};
use crate::process::Leg;

/// All connections. `P` is what an event holds of a message.
pub(super) struct Streams<P> {
    places: Vec<Option<Wired<P>>>,
    free: Vec<u32>,
    /// The connections between two nodes, the lower id first.
    pools: BTreeMap<(NodeId, NodeId), Vec<u32>>,
    /// How many connections a node has opened to another.
    opened: BTreeMap<(NodeId, NodeId), u64>,
    /// How many errands of streams each node has caused, modulo 2^32.
    errands: Vec<u32>,
}

/// A connection and where it lies. What belongs to its two sides stands in the order of [`Side`].
pub(super) struct Wired<P> {
    pub(super) way: Way,
    /// Which of the connections its opener has opened to its acceptor it is.
    number: u64,
    /// The names by which the luck of segments is drawn, and how many there were.
    pub(super) names: [Entity; 2],
    pub(super) sent: [u64; 2],
    /// When each side is woken next, and how many such errands there are.
    pub(super) wakes: [Time; 2],
    pub(super) errands: u32,
    pub(super) connection: Connection<Carried<P>>,
}

/// Where a connection lies.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) nodes: [NodeId; 2],
    /// The link that each side sends into, as whose messages.
    pub(super) links: [LinkId; 2],
    pub(super) legs: [Leg; 2],
}

/// A message on a connection.
#[derive(Clone, Copy)]
pub(super) struct Carried<P> {
    pub(super) parcel: P,
    /// Its number among the effects of its sender.
    pub(super) count: u32,
}

impl<P> Default for Streams<P> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            pools: BTreeMap::new(),
            opened: BTreeMap::new(),
            errands: Vec::new(),
        }
    }
}

impl<P> Wired<P> {
    /// The side that `from` writes to. A node that writes to itself writes to the opener's.
    fn side_of(&self, from: NodeId) -> Side {
        if self.way.nodes[0] == from { Side::Opener } else { Side::Acceptor }
    }
}

fn pair(one: NodeId, other: NodeId) -> (NodeId, NodeId) {
    (one.min(other), one.max(other))
}

impl<P> Streams<P> {
    /// The connection at this place, if there still is one.
    pub(super) fn find(&mut self, place: u32) -> Option<&mut Wired<P>> {
        self.places[place as usize].as_mut()
    }

    /// The connection at this place.
    pub(super) fn at(&mut self, place: u32) -> &mut Wired<P> {
        self.find(place).expect("a connection stays as long as anything speaks of it")
    }

    /// The connection for a message into `link`, among at most `limit`, and its side there; none if another is to be opened.
    /// Of those that a node may use, those it has opened itself come first, the oldest ones before; those whose opener is
    /// gone come last.
    pub(super) fn choose(&self, from: NodeId, to: NodeId, link: LinkId, limit: usize) -> Option<(u32, Side)> {
        let pool = self.pools.get(&pair(from, to))?;
        let usable = pool.iter().filter_map(|&place| {
            let wired = self.places[place as usize].as_ref()?;
            let side = wired.side_of(from);
            let is_usable = wired.way.links[side as usize] == link && wired.connection.is_writable(side);
            // Who answers does so on the connection that the question came by: not on one of which the peer knows nothing.
            let is_dead = side == Side::Acceptor && !wired.connection.is_alive(Side::Opener);
            is_usable.then(|| ((is_dead, side, wired.number), place, wired.connection.pending(side)))
        });
        if limit == 1 {
            return usable.min_by_key(|&(age, ..)| age).map(|((_, side, _), place, _)| (place, side));
        }
        let mut usable: Vec<_> = usable.collect();
        usable.sort_by_key(|&(age, ..)| age);
        usable.truncate(limit);
        let all_busy = usable.iter().all(|&(.., pending)| pending > 0);
        if all_busy && usable.len() < limit {
            return None;
        }
        usable.into_iter().min_by_key(|&(age, _, pending)| (pending, age)).map(|((_, side, _), place, _)| (place, side))
    }

    /// Whether the send buffer of the connection for a message into `link` has room.
    pub(super) fn has_room(&self, from: NodeId, to: NodeId, link: LinkId, limit: usize) -> bool {
        self.choose(from, to, link, limit).is_none_or(|(place, side)| {
            self.places[place as usize].as_ref().is_none_or(|wired| !wired.connection.is_full(side))
        })
    }

    /// Takes a place for a connection.
    pub(super) fn open(&mut self, names: &Names, way: Way, connection: Connection<Carried<P>>) -> u32 {
        let [opener, acceptor] = way.nodes;
        let opened = self.opened.entry((opener, acceptor)).or_default();
        let number = *opened;
        *opened += 1;
        let [one, other] = way.nodes.map(|node| names.entity(node).bits());
        let name = mix(one ^ mix(other ^ mix(number)));
        let wired = Wired {
            way,
            number,
            names: Side::BOTH.map(|side| Entity::from_bits(mix(name ^ side as u64))),
            sent: [0; 2],
            wakes: [Time::MAX; 2],
            errands: 0,
            connection,
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).expect("fewer than 2^32 connections at a time")
        });
        self.places[place as usize] = Some(wired);
        self.pools.entry(pair(opener, acceptor)).or_default().push(place);
        place
    }

    /// Forgets a connection that nobody needs any more.
    pub(super) fn forget_if_over(&mut self, place: u32) {
        let Some(wired) = self.find(place) else { return };
        if wired.errands > 0 || !wired.connection.is_over() {
            return;
        }
        let key = pair(wired.way.nodes[0], wired.way.nodes[1]);
        self.places[place as usize] = None;
        self.free.push(place);
        if let Some(pool) = self.pools.get_mut(&key) {
            pool.retain(|&other| other != place);
            if pool.is_empty() {
                self.pools.remove(&key);
            }
        }
    }

    /// The connections of a node and its sides there, by the names of its peers, and then by what waits on them: a peer that
    /// has gone over to another connection is read in the order in which it wrote.
    pub(super) fn of(&self, node: NodeId, names: &Names) -> Vec<(u32, Side)> {
        let pools = self.pools.iter().filter(|(nodes, _)| nodes.0 == node || nodes.1 == node);
        let mut found: Vec<_> = pools
            .flat_map(|(_, pool)| pool)
            .flat_map(|&place| Side::BOTH.map(|side| (place, side)))
            .filter_map(|(place, side)| {
                let wired = self.places[place as usize].as_ref()?;
                let peer = names.entity(wired.way.nodes[side.other() as usize]);
                let first = wired.connection.first(side).map(|carried| carried.count);
                (wired.way.nodes[side as usize] == node).then_some(((peer, first, side, wired.number), place))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|((_, _, side, _), place)| (place, side)).collect()
    }

    /// The number of the next errand that a node causes.
    pub(super) fn number(&mut self, node: NodeId) -> u32 {
        let index = node.index() as usize;
        if self.errands.len() <= index {
            self.errands.resize(index + 1, 0);
        }
        self.errands[index] = self.errands[index].wrapping_add(1);
        self.errands[index]
    }

    /// Messages that were written and neither handed over nor dropped.
    pub(super) fn messages(&self) -> u64 {
        self.places.iter().flatten().map(|wired| wired.connection.messages()).sum()
    }
}
