//! Heartbeat: a peer is suspected when it was silent for too long.
//!
//! With a heartbeat every h, each on its way for d, and a timeout of T, a peer that stops at any moment between two heartbeats is
//! suspected T + d − h to T + d later, T + d − h/2 on average. A timeout of k intervals suspects a peer that is well when k
//! heartbeats in a row are lost.

use super::{Detect, Detection};
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, ms};

crate::settings! {
    /// A peer is suspected when no heartbeat came for a fixed time. Short timeouts find failures soon and take slowness for
    /// failure; what is right depends on the network, which a fixed time does not know. As in Raft, Kafka and ZooKeeper.
    pub struct HeartbeatSettings = "heartbeat", "elementary" {
        /// How often a peer sends a heartbeat.
        interval: Span, required = ms(100),
        /// How long the silence is after which a peer is suspected.
        timeout: Span, required = ms(500),
    }
}

impl Settings for HeartbeatSettings {
    fn check(&self) -> Result<(), String> {
        if self.interval == Span::ZERO {
            return Err("needs an `interval` above zero".into());
        }
        if self.timeout <= self.interval {
            return Err(
                "needs a `timeout` longer than its `interval`: between two heartbeats there is always silence".into()
            );
        }
        Ok(())
    }
}

impl Detection for HeartbeatSettings {
    type Watch = Heartbeat;

    fn watch(&self, now: Time) -> Heartbeat {
        Heartbeat { last: now, timeout: self.timeout }
    }

    fn interval(&self) -> Span {
        self.interval
    }
}

/// When the last heartbeat came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heartbeat {
    last: Time,
    timeout: Span,
}

impl Detect for Heartbeat {
    fn heard(&mut self, now: Time) {
        self.last = self.last.max(now);
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.last + self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::us;

    /// A heartbeat every 100 ms on its way for 5 ms, a timeout of 500 ms: the time from crash to suspicion is uniform on
    /// (405, 505) ms, 455 ms on average. The crash falls on the middle of each of 1000 equal parts of an interval.
    #[test]
    fn a_crash_is_found_after_the_timeout_less_half_an_interval() {
        let found: Vec<_> = (0..1000)
            .map(|part| {
                let crash = Time::ZERO + ms(300) + us(100 * part + 50);
                let mut watch = HeartbeatSettings::default().watch(Time::ZERO);
                (0..10).map(|beat| Time::ZERO + ms(100 * beat)).filter(|&sent| sent < crash).for_each(|sent| {
                    watch.heard(sent + ms(5));
                });
                watch.deadline().unwrap().since(crash).as_secs_f64() * 1e3
            })
            .collect();
        let mean = found.iter().sum::<f64>() / 1000.0;
        let (least, most) = (found.iter().copied().fold(f64::MAX, f64::min), found.iter().copied().fold(0.0, f64::max));
        assert!((mean - 455.0).abs() < 1e-9, "{mean}");
        assert!((least - 405.05).abs() < 1e-9 && (most - 504.95).abs() < 1e-9, "{least} to {most}");
    }
}
