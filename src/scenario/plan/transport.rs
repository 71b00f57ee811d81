//! What a link's `transport` stands for.

use crate::base::time::Span;
use crate::base::units::Bytes;
use crate::network::stream::{self, Algorithm, Stream};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Located;
use crate::scenario::schema::{self, CongestionControl, Transport};

/// The largest segment: what 16 bits can say of a packet, less its headers.
const MSS_MAX: u64 = 65_535 - stream::HEADER;

/// How messages travel.
///
/// # Errors
/// Everything that no stream can be.
pub(super) fn transport(written: &Transport) -> Result<stream::Transport, Vec<Diagnostic>> {
    let Transport::Stream {
        congestion_control,
        mss,
        initial_window,
        receive_window,
        initial_rto,
        min_rto,
        max_rto,
        retries,
        syn_retries,
        delayed_ack,
        slow_start_after_idle,
        idle_timeout,
        connections,
    } = written
    else {
        return Ok(stream::Transport::Datagram);
    };
    let usual = Stream::default();
    let mut mistakes = Vec::new();
    let mut positive = |name: &str, written: &Option<Located<schema::Duration>>| -> Option<Span> {
        let written = (*written)?;
        if written.value.0 == Span::ZERO {
            mistakes.push(Diagnostic::error(format!("`{name}` is no time at all")).at(written.origin, ""));
        }
        Some(written.value.0)
    };
    let (initial_rto, idle_timeout) = (positive("initial-rto", initial_rto), positive("idle-timeout", idle_timeout));
    let max = positive("max-rto", max_rto).unwrap_or(usual.max_rto);
    let min = min_rto.map_or(usual.min_rto, |written| written.value.0);
    if min > max {
        let places = [(min_rto, "the least"), (max_rto, "the most")];
        let mistake = Diagnostic::error(format!("no timeout is at least {min} and at most {max}"));
        let places = places.into_iter().filter_map(|(written, said)| Some(((*written)?.origin, said)));
        mistakes.push(places.fold(mistake, |mistake, (place, said)| mistake.at(place, said)));
    }
    let mut size = |name: &str, written: &Option<Located<schema::Bytes>>, most: u64, usual: Bytes| {
        let Some(written) = written else { return usual };
        if !(1..=most).contains(&written.value.0.count()) {
            let limit = if most == u64::MAX { String::new() } else { format!(", and at most {most}B") };
            let mistake = Diagnostic::error(format!("`{name}` is at least 1B{limit}"));
            mistakes.push(mistake.at(written.origin, ""));
        }
        written.value.0
    };
    let mss = size("mss", mss, MSS_MAX, usual.mss);
    let receive_window = size("receive-window", receive_window, u64::MAX, usual.receive_window);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(stream::Transport::Stream(Box::new(Stream {
        congestion_control: match congestion_control {
            CongestionControl::Cubic => Algorithm::Cubic,
            CongestionControl::Reno => Algorithm::Reno,
        },
        mss,
        initial_window: initial_window.unwrap_or(usual.initial_window),
        receive_window,
        send_buffer: None,
        initial_rto: initial_rto.unwrap_or(usual.initial_rto),
        min_rto: min,
        max_rto: max,
        retries: retries.unwrap_or(usual.retries),
        syn_retries: syn_retries.unwrap_or(usual.syn_retries),
        delayed_ack: delayed_ack.map_or(usual.delayed_ack, |delay| delay.0),
        slow_start_after_idle: slow_start_after_idle.unwrap_or(usual.slow_start_after_idle),
        idle_timeout,
        connections: connections.unwrap_or(usual.connections),
    })))
}
