//! What the links between two groups do to arrivals.
//!
//! Independent delays leave a Poisson process one, and so do independent losses of it; whatever makes messages wait for each other, or
//! come twice, does not.

use crate::network::stream::Transport;
use crate::network::{Arrival, Correlation, Link};
use crate::scenario::plan::Plan;

use super::{Why, seconds};

/// The links from one group to another.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Crossing<'a> {
    /// The share of messages that is lost, each on its own, if it is the same everywhere.
    pub loss: f64,
    /// Whether losses come in bursts.
    pub is_bursty: bool,
    /// The only link there is: where there are several, distances differ.
    pub link: Option<&'a Link>,
    /// Whether every message takes the same time.
    pub is_even: bool,
}

impl Crossing<'_> {
    /// The mean time it takes, in seconds, where that is the same for all.
    pub fn mean(&self) -> Option<f64> {
        self.link.map(|link| seconds(link.latency.mean()))
    }

    /// A time that next to no message takes longer than, in seconds.
    pub fn most(&self) -> Option<f64> {
        self.link.map(|link| seconds(link.latency.quantile(1.0 - super::patience::NEGLIGIBLE / 10.0)))
    }
}

/// What lies between two groups, if it does nothing that formulas do not know of.
pub(in super::super) fn crossing<'a>(plan: &'a Plan, from: &str, to: &str) -> Result<Crossing<'a>, Why> {
    if plan.network().topology().is_some() {
        return Err("its messages take several hops".into());
    }
    let links = plan.links(from, to);
    links.iter().try_for_each(|link| is_known(link))?;
    let Some((first, others)) = links.split_first() else { return Err("nothing leads to it".into()) };
    let loss = loss(first);
    if others.iter().any(|other| self::loss(other).to_bits() != loss.to_bits()) {
        return Err("some of the links to it lose more than others".into());
    }
    let is_bursty = links.iter().any(|link| link.bursts.is_some());
    let link = others.is_empty().then_some(*first);
    Ok(Crossing { loss, is_bursty, link, is_even: link.is_some_and(|link| link.latency.is_constant()) })
}

/// The share of messages that a link loses or damages.
fn loss(link: &Link) -> f64 {
    let bursts = link.bursts.map_or(0.0, |bursts| bursts.share().value());
    1.0 - (1.0 - link.loss.value()) * (1.0 - bursts) * (1.0 - link.corrupt.value())
}

fn is_known(link: &Link) -> Result<(), Why> {
    let because = |why: &str| Err(format!("messages to or from it {why}"));
    let varies = !link.latency.is_constant();
    match () {
        () if link.transport != Transport::Datagram => because("are parts of streams, and wait for each other there"),
        () if link.bandwidth.is_some() => because("wait for their transmission"),
        () if !link.duplicate.is_never() => because("may arrive twice"),
        () if varies && link.order == Arrival::Fifo => because("wait for each other, so that they stay in order"),
        () if varies && link.correlation > Correlation::NONE => because("take times that resemble each other"),
        () => Ok(()),
    }
}
