//! What a medium's keys stand for.

use crate::base::probability::Probability;
use crate::base::time::Span;
use crate::network::{self, Arrival, Bursts, BurstsError, Delay};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Located;
use crate::scenario::schema::{
    Bandwidth, DistributionSpec, Duration, LognormalSpec, Loss, Medium, Order, Positive, Preset, Share,
};

/// The medium with the keys that its preset sets and that are not written beside it.
pub(super) fn expanded(medium: &Medium) -> Medium {
    let Some(Located { value: preset, origin }) = medium.preset else { return medium.clone() };
    let preset = entry(preset);
    let loss = || match preset.burst.and_then(Positive::new) {
        Some(mean_burst) => Loss::Bursty { loss: Share(preset.loss()), mean_burst },
        None => Loss::Independent(Share(preset.loss())),
    };
    let order = match preset.order {
        Arrival::Free => Order::Free,
        Arrival::Fifo => Order::Fifo,
    };
    Medium {
        latency: medium.latency.clone().or_else(|| Some(Located { value: latency(preset.delay), origin })),
        loss: medium.loss.or_else(|| Some(Located { value: loss(), origin })),
        bandwidth: medium.bandwidth.or_else(|| Some(Located { value: Bandwidth(preset.bandwidth()), origin })),
        order: medium.order.or(Some(Located { value: order, origin })),
        ..medium.clone()
    }
}

fn entry(preset: Preset) -> &'static network::Preset {
    network::Preset::named(preset.name()).expect("every preset is in the registry")
}

fn latency(delay: Delay) -> DistributionSpec<Duration> {
    let time = |span: Span| Duration(span);
    match delay {
        Delay::Uniform(min, max) => DistributionSpec::Uniform([time(min), time(max)]),
        Delay::Lognormal(median, p99) => {
            DistributionSpec::Lognormal(LognormalSpec::Percentiles { median: time(median), p99: time(p99) })
        }
    }
}

/// The bursts in which messages are lost, if they are.
///
/// # Errors
/// There are no such bursts.
pub(super) fn bursts(loss: &Located<Loss>) -> Result<Option<Bursts>, Diagnostic> {
    let Loss::Bursty { loss: share, mean_burst } = loss.value else { return Ok(None) };
    Bursts::new(share.0, mean_burst.value()).map(Some).map_err(|error| {
        let mistake = Diagnostic::error(error.to_string()).at(loss.origin, "");
        match error {
            BurstsError::TooShort { .. } => mistake.help("write `mean-burst = 1` or more"),
            BurstsError::TooMuch { share, .. } if share < Probability::ONE => {
                let least = share.value() / (1.0 - share.value());
                mistake.help(format!("write `mean-burst = {}` or more, or a smaller `loss`", libm::ceil(least)))
            }
            BurstsError::TooMuch { .. } => mistake.help("write `loss = \"100%\"` to lose everything"),
        }
    })
}
