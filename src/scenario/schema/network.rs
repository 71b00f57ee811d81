//! `[network]` and `[links]`

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::Times;
use super::number::Positive;
use super::quantity_text::{Bandwidth, Bytes, Share};
use super::transport::Transport;
use crate::scenario::document::{Located, OneOrMany};
use crate::scenario::selector::Selector;

/// What happens to messages on their way. Everything is ideal by default.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Medium {
    /// What kind of medium it is: sets `latency`, `loss`, `bandwidth` and `order`, unless they are written beside it. As it
    /// has a bandwidth, messages need a size. The bandwidth is each sender's: all that one server answers shares it.
    /// `rehearsal list presets` names them all, `rehearsal explain wifi` tells what one stands for.
    pub preset: Option<Located<Preset>>,
    /// How long a message is on its way, one way, without the time that its size costs. Spikes are a `mixture` with a rare, long
    /// part; with `latency-correlation` they come in a row, and a fault of `latency` has them come at times.
    #[schemars(extend("default" = "0s"))]
    pub latency: Option<Times>,
    /// How much the latency of a message resembles that of the one before, between the same two nodes: the correlation of
    /// normal scores, nearly that of ranks. The distribution of latencies stays as it is.
    #[schemars(extend("default" = 0))]
    pub latency_correlation: Option<Located<Share>>,
    /// Which share of messages is lost; answers and acknowledgements are messages too.
    #[schemars(extend("default" = 0))]
    pub loss: Option<Located<Loss>>,
    /// How much the link carries in each direction. Without it, a message's size costs no time.
    pub bandwidth: Option<Located<Bandwidth>>,
    /// How much may wait where the bandwidth is used up; what comes then is dropped. Without it, all may wait.
    pub buffer: Option<Located<Buffer>>,
    /// Whether messages may overtake each other.
    #[schemars(extend("default" = "free"))]
    pub order: Option<Located<Order>>,
    /// Which share of messages arrives twice.
    #[schemars(extend("default" = 0))]
    pub duplicate: Option<Located<Share>>,
    /// Which share of messages arrives damaged, so that the receiver drops it.
    #[schemars(extend("default" = 0))]
    pub corrupt: Option<Located<Share>>,
    /// How messages travel: each on its own, or as parts of a stream.
    #[schemars(extend("default" = "datagram"))]
    pub transport: Option<Located<Transport>>,
}

/// How messages are lost.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Loss {
    /// Each on its own.
    #[serde(rename = "=")]
    Independent(Share),
    /// Several in a row, of those from one node to another (Gilbert's channel).
    Bursty {
        /// The share of messages lost in the long run; at most n / (n + 1) for bursts of n.
        loss: Share,
        /// How many messages are lost in a row, on average; at least 1.
        #[serde(rename = "mean-burst")]
        mean_burst: Positive,
    },
}

/// A medium that is known by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// One office or rack on gigabit Ethernet.
    Lan,
    /// Two servers of one large data centre.
    Datacenter,
    /// Two zones of one cloud region, up to 100 km apart.
    CrossZone,
    /// Two cloud regions across an ocean.
    CrossRegion,
    /// A device and a busy wireless access point.
    Wifi,
    /// A phone on LTE and a server near by.
    #[serde(rename = "4g")]
    FourthGeneration,
    /// A phone on 5G and a server near by.
    #[serde(rename = "5g")]
    FifthGeneration,
    /// A dish below satellites in low orbit.
    LowOrbit,
    /// A dish below a geostationary satellite.
    Satellite,
}

impl Preset {
    /// The name in the registry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Datacenter => "datacenter",
            Self::CrossZone => "cross-zone",
            Self::CrossRegion => "cross-region",
            Self::Wifi => "wifi",
            Self::FourthGeneration => "4g",
            Self::FifthGeneration => "5g",
            Self::LowOrbit => "low-orbit",
            Self::Satellite => "satellite",
        }
    }
}

/// How much may wait for a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Buffer {
    /// So many bytes.
    #[serde(rename = "=")]
    Bytes(Bytes),
    /// So many messages.
    Packets(u32),
}

/// Whether messages may overtake each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Each message takes its own time.
    Free,
    /// They arrive in the order in which they were sent.
    Fifo,
}

/// A part of the network. What it leaves out is as in `[network]`; of two links for the same nodes the narrower one counts.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Link {
    /// Both ends, for both directions: `between = ["app", "db"]`.
    pub between: Option<Located<[Located<Selector>; 2]>>,
    /// One end, for one direction; with `to`.
    pub from: Option<Located<Selector>>,
    /// The other end; with `from`.
    pub to: Option<Located<Selector>>,
    /// Which messages; all if it is left out.
    pub only: Option<OneOrMany<Located<MessageKind>>>,
    /// What happens on it.
    #[serde(rename = "..")]
    pub medium: Medium,
}

/// What a message is to the one who sends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// A request or a one-way message.
    Request,
    /// The answer to a request.
    Reply,
    /// The confirmation of a one-way message.
    Ack,
}
