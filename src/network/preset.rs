//! Media that are known by name.

use crate::base::distribution::Distribution;
use crate::base::probability::Probability;
use crate::base::time::{Span, ms, us};
use crate::base::units::Bandwidth;

use super::bursts::Bursts;
use super::link::{Arrival, Link};

/// A medium's entry in the registry. Its numbers are typical, not those of any one network.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Preset {
    /// The name, as scenarios spell it.
    pub name: &'static str,
    /// What it is, in half a line.
    pub summary: &'static str,
    /// Where its numbers come from and what they leave out, in a paragraph.
    pub explanation: &'static str,
    /// How long a message is on its way, one way.
    pub delay: Delay,
    /// Share of messages lost in the long run, in percent.
    pub loss: f64,
    /// How many are lost in a row, on average; nothing if each is lost on its own.
    pub burst: Option<f64>,
    /// Bits per second that each sender transmits.
    pub bits_per_sec: u64,
    /// Whether messages may overtake each other. Free in all of them, so that the percentiles hold at any rate: where order
    /// is kept, each message waits for the slowest before it.
    pub order: Arrival,
    /// Where the numbers were published.
    pub source: &'static str,
}

/// How long a message is on its way.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Delay {
    /// Equally likely between two ends.
    Uniform(Span, Span),
    /// Lognormal, by its median and its 99th percentile.
    Lognormal(Span, Span),
}

impl Preset {
    /// The preset called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Share of messages lost in the long run.
    pub fn loss(&self) -> Probability {
        Probability::new(self.loss / 100.0).expect("a preset loses a share")
    }

    /// What each sender transmits.
    pub fn bandwidth(&self) -> Bandwidth {
        Bandwidth::from_bits_per_sec(self.bits_per_sec).expect("a preset carries something")
    }

    /// A link of this kind.
    pub fn link(&self) -> Link {
        let latency = match self.delay {
            Delay::Uniform(min, max) => Distribution::uniform(min, max),
            Delay::Lognormal(median, p99) => Distribution::lognormal(median, p99),
        };
        let bursts = self.burst.map(|mean| Bursts::new(self.loss(), mean).expect("a preset's bursts are possible"));
        Link {
            latency: latency.expect("a preset's latency is a distribution"),
            loss: if bursts.is_some() { Probability::ZERO } else { self.loss() },
            bursts,
            bandwidth: Some(self.bandwidth()),
            order: self.order,
            ..Link::default()
        }
    }
}

const MEGABIT: u64 = 1_000_000;

/// Every preset, from near to far.
pub static PRESETS: [Preset; 9] = [
    Preset {
        name: "lan",
        summary: "one office or rack on gigabit Ethernet",
        explanation: "A frame of 1500 bytes takes 12 us per hop at 1 Gbit/s; a few switches and two hosts' stacks \
                      make it a tenth of a millisecond, with a tail from interrupts and queues. The standard allows \
                      one bit error in 10^10, about one frame in a million. The tail is a round figure.",
        delay: Delay::Lognormal(us(100), us(300)),
        loss: 0.0001,
        burst: None,
        bits_per_sec: 1_000 * MEGABIT,
        order: Arrival::Free,
        source: "IEEE 802.3, 1000BASE-T: rate, frame size and bit error objective",
    },
    Preset {
        name: "datacenter",
        summary: "two servers of one large data centre",
        explanation: "Round trips between servers of different pods take about a quarter of a millisecond, one in a \
                      hundred above 1.3 ms, and about one packet in 100 000 is lost; half of each round trip here.",
        delay: Delay::Lognormal(us(130), us(650)),
        loss: 0.001,
        burst: None,
        bits_per_sec: 10_000 * MEGABIT,
        order: Arrival::Free,
        source: "Guo et al., \"Pingmesh: A Large-Scale System for Data Center Network Latency Measurement and \
                 Analysis\", SIGCOMM 2015, approximately",
    },
    Preset {
        name: "cross-zone",
        summary: "two zones of one cloud region, up to 100 km apart",
        explanation: "Light in glass travels 204 km in a millisecond: up to 0.5 ms for 100 km, and more for the way \
                      the fibre takes and for routers. Loss and tail are round figures.",
        delay: Delay::Lognormal(us(600), us(1_500)),
        loss: 0.001,
        burst: None,
        bits_per_sec: 10_000 * MEGABIT,
        order: Arrival::Free,
        source: "physics (refractive index of silica fibre 1.47); the distance is what AWS documents for its zones",
    },
    Preset {
        name: "cross-region",
        summary: "two cloud regions across an ocean, such as western Europe and eastern America",
        explanation: "About 6000 km as the crow flies are 29 ms in glass; cables are a third longer, which gives 40 \
                      ms one way. Loss, tail and bandwidth of one flow are round figures.",
        delay: Delay::Lognormal(ms(40), ms(50)),
        loss: 0.01,
        burst: None,
        bits_per_sec: 1_000 * MEGABIT,
        order: Arrival::Free,
        source: "physics (refractive index of silica fibre 1.47, great circle, cables a third longer)",
    },
    Preset {
        name: "wifi",
        summary: "a device and a busy wireless access point",
        explanation: "The wireless hop of a large campus: a median of 3 ms, the 90th percentile about 20 ms, the \
                      99th about 250 ms; half of each one way. The radio repeats lost frames, so that few are lost, \
                      and then several in a row. Loss and bandwidth are round figures.",
        delay: Delay::Lognormal(us(1_500), ms(125)),
        loss: 0.5,
        burst: Some(4.0),
        bits_per_sec: 100 * MEGABIT,
        order: Arrival::Free,
        source: "Sui et al., \"Characterizing and Improving WiFi Latency in Large-Scale Operational Networks\", \
                 MobiSys 2016",
    },
    Preset {
        name: "4g",
        summary: "a phone on LTE and a server near by",
        explanation: "Early commercial LTE: a median round trip of about 70 ms, 35 ms each way here, and about 13 \
                      Mbit/s down (6 Mbit/s up). Today's networks are faster. The radio repeats lost blocks. Loss \
                      and tail are round figures.",
        delay: Delay::Lognormal(ms(35), ms(120)),
        loss: 0.1,
        burst: Some(4.0),
        bits_per_sec: 13 * MEGABIT,
        order: Arrival::Free,
        source: "Huang et al., \"A Close Examination of Performance and Power Characteristics of 4G LTE Networks\", \
                 MobiSys 2012, approximately",
    },
    Preset {
        name: "5g",
        summary: "a phone on 5G and a server near by",
        explanation: "The requirement is 4 ms one way over the radio and 100 Mbit/s for a user (50 Mbit/s up); \
                      scheduling, the core network and the way to a server make it about 12 ms. Latency, loss and \
                      tail are round figures.",
        delay: Delay::Lognormal(ms(12), ms(50)),
        loss: 0.1,
        burst: Some(4.0),
        bits_per_sec: 100 * MEGABIT,
        order: Arrival::Free,
        source: "ITU-R M.2410 (2017), requirements for enhanced mobile broadband",
    },
    Preset {
        name: "low-orbit",
        summary: "a dish below satellites in low orbit, such as Starlink",
        explanation: "Round trips to servers of the same continent: a minimum of 20 ms, a median of about 50 ms; \
                      half of that one way. Handovers lose several messages in a row. Loss, tail and bandwidth are \
                      round figures.",
        delay: Delay::Lognormal(ms(25), ms(60)),
        loss: 0.4,
        burst: Some(8.0),
        bits_per_sec: 150 * MEGABIT,
        order: Arrival::Free,
        source: "Michel et al., \"A First Look at Starlink Performance\", IMC 2022, approximately",
    },
    Preset {
        name: "satellite",
        summary: "a dish below a geostationary satellite",
        explanation: "Up 35 786 km and down again takes 239.6 ms below the satellite and 279 ms at the edge of its \
                      view; framing and scheduling add some tens of milliseconds. Loss and bandwidth are round \
                      figures.",
        delay: Delay::Uniform(ms(250), ms(320)),
        loss: 0.1,
        burst: Some(4.0),
        bits_per_sec: 50 * MEGABIT,
        order: Arrival::Free,
        source: "RFC 2488 (1999), section 2: propagation",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_link() {
        for preset in &PRESETS {
            let link = preset.link();
            assert!(link.can_lose() && !link.latency.is_constant(), "{}", preset.name);
            assert_eq!(Preset::named(preset.name), Some(preset));
        }
    }

    /// Light needs 239.6 ms by way of a geostationary satellite.
    #[test]
    fn no_message_overtakes_light() {
        let fastest = Preset::named("satellite").expect("it is there").link().latency.minimum();
        assert!(fastest >= us(239_600));
    }
}
