//! What guards do: why a sender did not send, and why a station did not serve.

use super::facts::facts;

facts! {
    /// What stands between a sender and its receivers did something.
    GuardFact {
        /// Attempts that a circuit breaker did not let go.
        ///
        /// Of the first attempts of messages and of further ones; a message that is refused and tried again is counted again.
        RefusedByBreaker "breaker-refusals",
        /// How often circuit breakers opened, those of all senders together.
        ///
        /// Where several entries of a mix share a breaker, it is counted with the first of them.
        BreakerOpened "breaker-openings",
        /// Attempts that a concurrency limit of their sender did not let go.
        RefusedByConcurrency "concurrency-refusals",
        /// Attempts that a throttle of their sender did not let go.
        RefusedByThrottle "throttle-refusals",
        /// Attempts that a rate limit of their sender did not let go, as their turn would have come too late (see `max-wait`).
        RefusedByRate "rate-limit-refusals",
        /// Attempts that had to wait for their turn at a rate limit of their sender.
        HeldByRate "rate-limit-waits",
        /// Messages that had to wait for a place in a window, or among those in flight.
        HeldByWindow "window-waits",
        /// Attempts that had to wait at their sender, as the broker read nothing more of what it publishes.
        HeldByBroker "blocked-waits",
        /// Messages whose deadline passed while they waited for a window or a rate limit, before their first attempt.
        WaitedInVain "waits-in-vain",
        /// Further attempts that a retry budget did not pay for, hedges among them.
        RetryRefused "retries-refused",
        /// Attempts that were given up because no answer came in time.
        TimedOut "timed-out",
        /// Further copies that were sent before the first was answered well (see `hedge`).
        HedgeSent "hedges-sent",
        /// Further copies among them whose answer was the first to come.
        HedgeWon "hedges-won",
        /// How often outlier detection ejected a member, at all senders together.
        ///
        /// Where several entries of a mix share their knowledge of the members, it is counted with the first of them.
        Ejected "ejections",
        /// How often health checks took a member for down, at all senders together.
        ///
        /// Where several entries of a mix share their knowledge of the members, it is counted with the first of them.
        TakenForDown "taken-for-down",
        /// Attempts that could go to any member, up or not, because too few were up (see `panic-threshold`).
        PickedInPanic "panic-picks",
    }
}

facts! {
    /// Why a station let go of a request unserved.
    TurnedAway {
        /// Requests that found no place in the queue, or had to make room for another one.
        QueueFull "queue-full",
        /// Requests that a shedder turned away on arrival.
        Shed "shed",
        /// Requests that a rate limit at the door turned away.
        RateLimited "rate-limited",
        /// Requests that a concurrency limit at the door turned away.
        ConcurrencyLimited "concurrency-limited",
        /// Requests that waited, and that the queue's discipline let go (CoDel, adaptive LIFO).
        QueueDropped "queue-dropped",
        /// Requests whose deadline, or time in the queue, was over before a worker began with them.
        ExpiredUnserved "expired-unserved",
    }
}
