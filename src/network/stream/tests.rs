//! Two ends and a wire of constant delay between them.

use std::collections::BTreeMap;

use super::*;
use crate::base::time::Time;

/// A wire that carries every segment after the same time, unless told to lose it.
struct Bench {
    connection: Connection<u32>,
    now: Time,
    delay: Span,
    flying: BTreeMap<(Time, u64), (Side, Segment)>,
    sent: u64,
    /// Which segments of the opener that carry bytes are lost, by their count.
    lost: Vec<u64>,
    carried: u64,
    reads: bool,
    /// What the acceptor got, and when.
    taken: Vec<(Time, u32)>,
    news: Vec<(Side, News)>,
}

impl Bench {
    fn new(stream: &Stream, delay: Span) -> Self {
        let mut bench = Self {
            connection: Connection::open(stream, Time::ZERO),
            now: Time::ZERO,
            delay,
            flying: BTreeMap::new(),
            sent: 0,
            lost: Vec::new(),
            carried: 0,
            reads: true,
            taken: Vec::new(),
            news: Vec::new(),
        };
        bench.flush(Side::Opener);
        bench
    }

    fn write(&mut self, side: Side, size: u64, ticket: u32) {
        self.connection.write(side, self.now, size, ticket);
        self.flush(side);
    }

    fn flush(&mut self, side: Side) {
        while let Some(segment) = self.connection.poll(side, self.now) {
            self.sent += 1;
            if side == Side::Opener && segment.len > 0 {
                self.carried += 1;
                if self.lost.contains(&self.carried) {
                    continue;
                }
            }
            self.connection.took_off(side);
            self.flying.insert((self.now + self.delay, self.sent), (side, segment));
        }
    }

    /// The time of the next thing that happens.
    fn next(&self) -> Time {
        let landing = self.flying.first_key_value().map_or(Time::MAX, |(&(time, _), _)| time);
        Side::BOTH.into_iter().map(|side| self.connection.deadline(side)).fold(landing, Time::min)
    }

    fn step(&mut self) {
        self.now = self.next();
        if self.flying.first_key_value().is_some_and(|(&(time, _), _)| time == self.now) {
            let (_, (from, segment)) = self.flying.pop_first().unwrap();
            self.connection.landed(from);
            let side = from.other();
            let reads = self.reads || side == Side::Opener;
            let news = self.connection.receive(side, self.now, &segment, reads);
            if side == Side::Acceptor {
                self.take();
            }
            self.flush(side);
            self.tell(side, news.unwrap_or_default());
            return;
        }
        for side in Side::BOTH {
            let news = self.connection.expire(side, self.now);
            self.flush(side);
            self.tell(side, news);
        }
    }

    fn take(&mut self) {
        while self.reads
            && let Some(ticket) = self.connection.take(Side::Acceptor)
        {
            self.taken.push((self.now, ticket));
        }
    }

    fn tell(&mut self, side: Side, news: News) {
        if news.closed || news.reset {
            self.connection.abandon(side);
        }
        if news != News::default() {
            self.news.push((side, news));
        }
    }

    fn run_until(&mut self, end: Time) {
        while self.next() <= end {
            self.step();
        }
        self.now = end;
    }
}

fn at(span: Span) -> Time {
    Time::ZERO + span
}

fn stream() -> Stream {
    Stream { mss: bytes(1_000), receive_window: bytes(10_000_000), ..Stream::default() }
}

/// 100 segments over a round trip of 100 ms: one for the handshake, then 10, 20, 40 in a round trip each, then the last 30,
/// whose last byte arrives half a round trip after they were sent: 100 + 3 x 100 + 50 = 450 ms.
#[test]
fn a_transfer_takes_its_rounds_of_slow_start() {
    let mut bench = Bench::new(&stream(), ms(50));
    bench.write(Side::Opener, 100_000, 7);
    bench.run_until(at(secs(10)));
    assert_eq!(bench.taken, [(at(ms(450)), 7)]);
    assert!(bench.connection.is_open(Side::Acceptor) && bench.connection.pending(Side::Opener) == 0);
}

/// A message of one segment takes the handshake's round trip and half of another; the next one half of one.
#[test]
fn a_connection_costs_a_round_trip_once() {
    let mut bench = Bench::new(&stream(), ms(50));
    bench.write(Side::Opener, 10, 1);
    bench.run_until(at(secs(1)));
    bench.write(Side::Opener, 10, 2);
    bench.run_until(at(secs(2)));
    assert_eq!(bench.taken, [(at(ms(150)), 1), (at(ms(1_050)), 2)]);
}

/// The 3rd of 10 segments is lost. The 7 after it are acknowledged as duplicates after a round trip, at 200 ms; the third of
/// these has it sent again, and half a round trip later everything is there: 250 ms. By timer it would have taken 200 ms more.
#[test]
fn three_duplicates_have_a_lost_segment_sent_again() {
    let mut bench = Bench::new(&stream(), ms(50));
    bench.lost = vec![3];
    for ticket in 0..10 {
        bench.write(Side::Opener, 1_000, ticket);
    }
    bench.run_until(at(secs(10)));
    let times: Vec<_> = bench.taken.iter().map(|&(time, _)| time).collect();
    assert_eq!(times[..2], [at(ms(150)); 2]);
    assert_eq!(times[2..], [at(ms(250)); 8]);
    assert_eq!(bench.carried, 11);
}

/// Three of 20 segments are lost, and each partial acknowledgement tells of the next one: a round trip each, without a timer.
#[test]
fn several_losses_in_a_window_are_repaired_one_in_a_round_trip() {
    let mut bench = Bench::new(&Stream { initial_window: NonZeroU32::new(20).unwrap(), ..stream() }, ms(20));
    bench.lost = vec![3, 6, 9];
    for ticket in 0..20 {
        bench.write(Side::Opener, 1_000, ticket);
    }
    bench.run_until(at(secs(10)));
    // Sent at 40, duplicates at 80, then every 40 ms one of the lost ones leaves and arrives after 20.
    let arrival = |ticket: usize| bench.taken[ticket].0;
    assert_eq!([arrival(1), arrival(2), arrival(5), arrival(8)], [60, 100, 140, 180].map(|millis| at(ms(millis))));
    assert_eq!((bench.taken.len(), bench.carried), (20, 23));
}

/// The only segment is lost, so there are no duplicates: it is sent again when the timer fires, which for a round trip of 100 ms
/// measured once is 100 + 4 x 50 = 300 ms after it was sent; the second time after 600 ms.
#[test]
fn the_last_segment_is_sent_again_by_the_timer_which_doubles() {
    let mut bench = Bench::new(&stream(), ms(50));
    bench.lost = vec![1, 2];
    bench.write(Side::Opener, 10, 1);
    bench.run_until(at(secs(10)));
    assert_eq!(bench.taken, [(at(ms(100 + 300 + 600 + 50)), 1)]);
}

/// A process that stops reading closes the window: the sender stops at what the buffer holds, asks now and then, and goes on
/// when the process reads.
#[test]
fn a_closed_window_stops_the_sender_until_the_process_reads() {
    let mut bench = Bench::new(&Stream { receive_window: bytes(5_000), ..stream() }, ms(10));
    bench.reads = false;
    for ticket in 0..20 {
        bench.write(Side::Opener, 1_000, ticket);
    }
    bench.run_until(at(secs(5)));
    assert_eq!((bench.carried, bench.connection.pending(Side::Opener)), (5, 15_000));
    let sent = bench.sent;
    bench.run_until(at(secs(10)));
    assert!((2..=8).contains(&(bench.sent - sent)), "questions and answers, ever more rarely: {}", bench.sent - sent);
    bench.reads = true;
    bench.connection.read(Side::Acceptor);
    bench.take();
    bench.flush(Side::Acceptor);
    assert_eq!(bench.taken.len(), 5);
    bench.run_until(at(secs(11)));
    // Five segments in each round trip of 20 ms; the first ones arrive after one.
    assert_eq!(bench.taken[5].0, at(ms(10_020)));
    assert_eq!(bench.taken.last(), Some(&(at(ms(10_060)), 19)));
}

/// One of 10 segments in each window of 5: 5 x 1000 bytes in a round trip of 20 ms, whatever congestion control allows.
#[test]
fn a_receive_window_limits_what_is_under_way() {
    let mut bench = Bench::new(&Stream { receive_window: bytes(5_000), ..stream() }, ms(10));
    bench.write(Side::Opener, 500_000, 1);
    bench.run_until(at(secs(10)));
    // 100 windows: the first leaves at 20 ms, the last at 20 + 99 x 20 = 2000 ms and arrives 10 ms later.
    assert_eq!(bench.taken, [(at(ms(2_010)), 1)]);
}

#[test]
fn a_send_buffer_that_was_full_is_said_to_have_room() {
    let mut bench = Bench::new(&Stream { send_buffer: Some(bytes(2_000)), ..stream() }, ms(10));
    bench.write(Side::Opener, 1_000, 1);
    assert!(!bench.connection.is_full(Side::Opener));
    bench.write(Side::Opener, 5_000, 2);
    assert!(bench.connection.is_full(Side::Opener));
    bench.run_until(at(secs(1)));
    let told = bench.news.iter().filter(|(side, news)| *side == Side::Opener && news.writable);
    assert_eq!((told.count(), bench.taken.len()), (1, 2));
}

/// Nobody answers: the request leaves after 0, 1, 3, 7 s and so on. With two repetitions it is given up after 7 s.
#[test]
fn a_handshake_is_given_up_after_its_retries() {
    let mut connection = Connection::<u32>::open(&Stream { syn_retries: 2, ..stream() }, Time::ZERO);
    connection.write(Side::Opener, Time::ZERO, 10, 1);
    let mut sent = Vec::new();
    let mut now = Time::ZERO;
    loop {
        while connection.poll(Side::Opener, now).is_some() {
            sent.push(now);
        }
        now = connection.deadline(Side::Opener);
        if connection.expire(Side::Opener, now).reset {
            break;
        }
    }
    assert_eq!((sent, now), (vec![Time::ZERO, at(secs(1)), at(secs(3))], at(secs(7))));
    assert_eq!((connection.lost(), connection.lost()), (Some((Side::Opener, 1)), None));
    assert!(connection.is_over());
}

#[test]
fn an_end_that_is_gone_resets_the_other_at_its_next_segment() {
    let mut bench = Bench::new(&stream(), ms(10));
    bench.write(Side::Opener, 10, 1);
    bench.run_until(at(secs(1)));
    bench.connection.abandon(Side::Acceptor);
    bench.write(Side::Opener, 10, 2);
    assert_eq!(bench.connection.lost(), Some((Side::Opener, 2)));
    assert!(bench.connection.is_alive(Side::Opener));
    let (_, (_, segment)) = bench.flying.pop_first().unwrap();
    assert_eq!(bench.connection.receive(Side::Acceptor, bench.now, &segment, true), None);
    let news = bench.connection.receive(Side::Opener, bench.now, &Segment::RESET, true).unwrap();
    assert!(news.reset && !news.closed && !bench.connection.is_alive(Side::Opener));
}

/// Neither end uses it for a second: both say farewell, and nothing is lost.
#[test]
fn an_idle_connection_is_closed_in_good_order() {
    let mut bench = Bench::new(&Stream { idle_timeout: Some(secs(1)), ..stream() }, ms(10));
    bench.write(Side::Opener, 10, 1);
    bench.run_until(at(secs(5)));
    let closed: Vec<_> = bench.news.iter().filter(|(_, news)| news.closed).map(|&(side, _)| side).collect();
    assert_eq!(closed.len(), 2);
    assert!(bench.news.iter().all(|(_, news)| !news.reset));
    assert!(bench.connection.is_over());
}

/// Nine segments are acknowledged in pairs, the last one after 40 ms.
#[test]
fn delayed_acknowledgements_halve_their_number() {
    let count = |delayed_ack| {
        let mut bench = Bench::new(&Stream { delayed_ack, ..stream() }, ms(10));
        bench.write(Side::Opener, 9_000, 1);
        bench.run_until(at(secs(5)));
        bench.sent - bench.carried
    };
    // The third segment of the handshake carries data. Nine acknowledgements, or four and a last one by timer.
    assert_eq!((count(Span::ZERO), count(ms(40))), (2 + 9, 2 + 5));
}

/// After a pause longer than its timeout a connection sends its first window again, not what it had grown to.
#[test]
fn an_idle_connection_starts_slowly_again() {
    let first_burst = |slow_start_after_idle| {
        let mut bench = Bench::new(&Stream { slow_start_after_idle, ..stream() }, ms(10));
        bench.write(Side::Opener, 300_000, 1);
        bench.run_until(at(secs(5)));
        let before = bench.carried;
        bench.write(Side::Opener, 300_000, 2);
        bench.carried - before
    };
    assert_eq!(first_burst(true), 10);
    assert!(first_burst(false) > 100, "{}", first_burst(false));
}
