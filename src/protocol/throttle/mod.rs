//! Throttling at the client: requests that would be rejected anyway are not even sent.
//!
//! Rejecting costs a backend something, too. A client that sees its requests rejected drops some of the next before it sends
//! them, so that a backend far beyond its limit is left with little more than it can accept.

use crate::base::random::Uniform;
use crate::base::time::Time;
use crate::protocol::family::family;

family! { $
    /// Which requests a client does not send: plain data.
    ThrottlePolicy,
    /// What a client knows of a group's answers, under any [`ThrottlePolicy`].
    AnyThrottle, THROTTLES, each_throttle;
    adaptive: Adaptive, AdaptiveSettings;
}

/// What decides whether a client sends. Times never run backwards.
pub trait Throttle {
    /// Whether a request is sent, now that there is one. `draw` is fresh.
    fn admit(&mut self, now: Time, draw: Uniform) -> bool;

    /// A request that was sent was accepted by the group, however it was answered: not rejected, and not without an answer.
    fn accepted(&mut self, now: Time);
}

impl Throttle for AnyThrottle {
    fn admit(&mut self, now: Time, draw: Uniform) -> bool {
        each_throttle!(self, throttle => throttle.admit(now, draw))
    }

    fn accepted(&mut self, now: Time) {
        each_throttle!(self, throttle => throttle.accepted(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::draws;

    /// As long as all requests are accepted, none is dropped, whatever the luck.
    #[test]
    fn nothing_is_dropped_while_all_is_accepted() {
        for listing in THROTTLES {
            let mut throttle = listing.example().start();
            for number in 0..100_000 {
                let now = Time::ZERO + ms(number);
                assert!(throttle.admit(now, Uniform::from_bits(0)), "{}", listing.name);
                throttle.accepted(now);
            }
        }
    }

    /// 100 requests a second. In an outage of 40 min about one of 12 000, the requests of two minutes, is still sent. When the group
    /// accepts again, what is sent doubles with every 40 s or so, from one every two minutes to all: within 20 min it is all.
    #[test]
    fn it_never_stops_asking() {
        for listing in THROTTLES {
            let (mut throttle, mut draw) = (listing.example().start(), draws(1));
            let mut admitted = |from: u64, to: u64, is_up: bool| {
                let mut admitted = 0;
                for number in 100 * from..100 * to {
                    let now = Time::ZERO + ms(10 * number);
                    if throttle.admit(now, draw()) {
                        admitted += 1;
                        if is_up {
                            throttle.accepted(now);
                        }
                    }
                }
                admitted
            };
            admitted(0, 600, false);
            let probes = admitted(600, 3000, false);
            assert!((5..50).contains(&probes), "{}: {probes}", listing.name);
            admitted(3000, 4200, true);
            assert_eq!(admitted(4200, 4300, true), 10_000, "{}", listing.name);
        }
    }
}
