//! Links: time, loss, order.

use rehearsal::base::distribution::Distribution;
use rehearsal::base::id::NodeId;
use rehearsal::base::random::mix;
use rehearsal::base::time::{Time, ms, secs};
use rehearsal::network::{Arrival, Cause, Link};
use rehearsal::process::{Clock, Context, Identity, Inline, Leg, Message, MessageId, Name, Process};
use rehearsal::sim::Cluster;

use crate::study::{Study, flow, ratio, station};
use crate::trace::Trace;

/// M/D/1/5: packets of 1 ms (1250 bytes at 10 Mbit/s), Poisson at 0.8, room for five with the one being sent. The chain at
/// departures gives a loss of 1 - 1 / (pi_0 + rho) = 0.0352904 (Gross, Shortle, Thompson, Harris).
#[test]
fn a_drop_tail_link_is_md1_with_room_for_five() {
    let study = Study::of(
        50,
        0,
        r#"
        [network]
        bandwidth = "10Mbit/s"
        buffer = { packets = 4 }
        [clients.source]
        rate = "800/s"
        send = "sink"
        size = "1250B"
        [services.sink]
        "#,
    );
    study.mean("loss", 0.0352904, 7.8, |run| {
        let book = run.links[0].book;
        ratio(book.dropped_for(Cause::BufferFull), book.sent)
    });
}

/// 100 packets of 1 ms over three links of 5 ms each, forwarded when they are whole: the first arrives after 3 x (1 + 5) =
/// 18 ms, the last after (100 + 3 - 1) x 1 + 3 x 5 = 117 ms (Kurose and Ross, chapter 1). Load of time zero is due one
/// nanosecond later.
#[test]
fn store_and_forward_is_exact() {
    let trace = Trace::of(
        r#"
        [network]
        bandwidth = "10Mbit/s"
        latency = "5ms"
        [clients.source]
        rate = "1000000/s"
        arrivals = "even"
        phase = "aligned"
        count = 100
        size = "1250B"
        send = "one"
        [services.one]
        send = "two"
        size = "1250B"
        [services.two]
        send = "sink"
        size = "1250B"
        [services.sink]
        workers = "unlimited"
        work = "1ns"
        "#,
        secs(1),
    );
    // Only the sink has work, so that it alone ever shows a level.
    assert_eq!(trace.busy(), (100, ms(18), ms(117)));
}

/// Two hops, each losing p: 1 - (1 - p)^2 is lost on the way, there and back as from one node over another to a third.
#[test]
fn loss_over_two_hops_is_that_of_either() {
    let study = Study::of(
        60,
        0,
        r#"
        [network]
        latency = "1ms"
        loss = "10%"
        [clients.source]
        rate = "1000/s"
        send = "relay"
        [services.relay]
        send = "sink"
        [services.sink]
        "#,
    );
    study.share("arrives", 0.81, |run| ratio(station(run, "sink").arrived, flow(run, "source").offered));
    study.share("second hop", 0.9, |run| ratio(flow(run, "relay->sink").received, flow(run, "relay->sink").offered));
    let study = Study::of(
        60,
        0,
        r#"
        [network]
        latency = "1ms"
        loss = "10%"
        [clients.source]
        rate = "1000/s"
        call = "sink"
        timeout = "10ms"
        [services.sink]
        "#,
    );
    study.share("answered", 0.81, |run| ratio(flow(run, "source").confirmed, flow(run, "source").offered));
    study.share("received", 0.9, |run| ratio(flow(run, "source").received, flow(run, "source").offered));
}

/// A window of W per round trip is all that goes through a long link: 64 KiB over 100 ms are 5.24288 Mbit/s, though the link
/// carries 1 Gbit/s. Sending one of the 64 messages takes another 8 us.
#[test]
fn a_window_limits_throughput() {
    let run = Study::exact(
        20,
        r#"
        [network]
        bandwidth = "1Gbit/s"
        latency = "50ms"
        [clients.source]
        rate = "2000/s"
        arrivals = "even"
        send = "sink"
        size = "1KiB"
        delivery = "at-least-once"
        window = 64
        [services.sink]
        workers = "unlimited"
        "#,
    );
    let rates = run.flows[0].book.rates_within(Time::ZERO + secs(10), Time::ZERO + secs(20));
    let throughput = rates.goodput as f64 * 8_192.0 / 10.0;
    assert!((throughput / 5_242_880.0 - 1.0).abs() < 0.01, "{throughput}");
}

/// One of a pair of messages.
#[derive(Clone, Copy)]
struct Half {
    id: MessageId,
}

impl Message for Half {
    type Carriage = Inline<Self>;

    fn identity(&self) -> Identity {
        Identity { name: Name::Of(self.id), attempt: 1, leg: Leg::Out }
    }

    fn digest(&self) -> u64 {
        mix(self.id.number.into())
    }
}

const PAIRS: u32 = 200_000;

/// Sends two messages 1 ms apart, a second later the next two.
struct Sender {
    to: NodeId,
    sent: u32,
}

impl Process<Half> for Sender {
    type Timer = ();

    fn start(&mut self, cx: &mut Context<'_, Half, ()>) {
        cx.set_timer(Clock::Steady, ms(1), ());
    }

    fn message(&mut self, _: &mut Context<'_, Half, ()>, _: NodeId, _: Half) {}

    fn timer(&mut self, cx: &mut Context<'_, Half, ()>, (): ()) {
        cx.send(self.to, Half { id: MessageId { owner: cx.me, number: self.sent } });
        self.sent += 1;
        if self.sent < 2 * PAIRS {
            cx.set_timer(Clock::Steady, if self.sent % 2 == 1 { ms(1) } else { secs(1) }, ());
        }
    }
}

/// Counts the pairs of which the second came first.
#[derive(Default)]
struct Receiver {
    received: u32,
    reordered: u32,
}

impl Process<Half> for Receiver {
    type Timer = ();

    fn message(&mut self, _: &mut Context<'_, Half, ()>, _: NodeId, half: Half) {
        let is_first = self.received.is_multiple_of(2);
        self.reordered += u32::from(is_first && half.id.number % 2 == 1);
        self.received += 1;
    }
}

fn reordered(link: Link) -> f64 {
    let mut cluster = Cluster::seeded(1);
    let receiver = cluster.nodes("receiver", 1, |_| Receiver::default())[0];
    cluster.nodes("sender", 1, move |_| Sender { to: receiver, sent: 0 });
    cluster.link_all(link);
    cluster.run_until(Time::ZERO + secs(u64::from(PAIRS) * 2));
    let receiver: &Receiver = cluster.process(receiver).expect("it is up");
    assert_eq!(receiver.received, 2 * PAIRS);
    ratio(receiver.reordered.into(), PAIRS.into())
}

/// Two messages 1 ms apart overtake each other with probability e^(-g/m) / 2 = 0.18394 if their delays are exponential of mean
/// 1 ms, and (1 - g/w)^2 / 2 = 0.222222 if they are uniform over 3 ms; never where order is kept. Four standard deviations of a
/// share.
#[test]
fn random_delays_reorder() {
    let exponential = Distribution::exponential(ms(1)).unwrap();
    let uniform = Distribution::uniform(ms(1), ms(4)).unwrap();
    for (law, expected) in [(exponential, 0.18394), (uniform, 0.222222)] {
        let share = reordered(Link::latency(law.clone()));
        let tolerance = 4.0 * libm::sqrt(expected * (1.0 - expected) / f64::from(PAIRS));
        println!("{law:?}: {share} for {expected} ± {tolerance}");
        assert!((share - expected).abs() <= tolerance, "{share} for {expected} ± {tolerance}");
        assert_eq!(reordered(Link { order: Arrival::Fifo, ..Link::latency(law) }), 0.0);
    }
}

/// Between regions a message takes exactly what is written, 30 ms there and 50 ms back; inside a region what [network] says.
#[test]
fn distances_between_regions_are_exact() {
    let run = Study::exact(
        20,
        r#"
        [network]
        latency = "1ms"
        [regions.one-way]
        eu.us = "30ms"
        us.eu = "50ms"
        [clients.far]
        place = "eu"
        rate = "100/s"
        call = "service"
        [clients.near]
        place = { us = 3 }
        rate = "100/s"
        call = "service"
        [services.service]
        place = "us"
        "#,
    );
    for (name, one_way, there_and_back) in [("far", ms(30), ms(80)), ("near", ms(1), ms(2))] {
        let book = &run.flows.iter().find(|flow| flow.caller == name).expect(name).book;
        let (sent, answered) = (&book.one_way, &book.total.latency);
        assert!(sent.count() > 1000, "{name}");
        assert_eq!((sent.min(), sent.max()), (Some(one_way), Some(one_way)), "{name}");
        assert_eq!((answered.min(), answered.max()), (Some(there_and_back), Some(there_and_back)), "{name}");
    }
    let links: Vec<_> = run.links.iter().map(|link| (link.name.as_str(), link.book.sent > 0)).collect();
    assert_eq!(links, [("network", true), ("eu->us", true), ("us->eu", true)]);
}
