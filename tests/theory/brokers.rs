//! Work queues against theory.

use rehearsal::base::time::ms;
use rehearsal::metrics::{QueueBook, RunResult, Tally};
use rehearsal::process::{GuardFact, QueueFact};

use crate::study::{Study, flow, mean_ms, ratio, station};

fn queue<'a>(run: &'a RunResult, name: &str) -> &'a QueueBook {
    let queue = run.queues.iter().find(|queue| queue.name == name);
    &queue.unwrap_or_else(|| panic!("a queue `{name}`")).book
}

/// Five consumers that take one message at a time are the five servers of M/M/5: at four fifths of their rate a message waits
/// 0.554 113 in the queue and is there for 1.554 113 in all (Erlang C). Consumers that take all they can get are five queues that
/// are served in turn, E_5/M/1 each: sigma = 0.682 767 and 3.152 26 at the consumer.
#[test]
fn consumers_that_take_one_at_a_time_share_a_queue() {
    let scenario = |prefetch: &str| {
        format!(
            "[clients.shop]\nrate = \"4000/s\"\npublish = \"orders\"\n[queues.orders]\n[consumers.worker]\nnodes = 5\nqueue = \
             \"orders\"\nprefetch = {prefetch}\nwork = {{ exponential = \"1ms\" }}\n"
        )
    };
    let shared = Study::of(64, 2, &scenario("1"));
    shared.mean("Wq", 0.554_113, 16.0, |run| mean_ms(&run.flows[0].book.one_way));
    shared.mean("ready", 4.0 * 0.554_113, 16.0, |run| queue(run, "orders").ready_mean());
    shared.mean("unacked", 4.0, 2.0, |run| queue(run, "orders").unacked_mean());
    let dealt = Study::of(64, 2, &scenario("\"unlimited\""));
    dealt.mean("W", 3.152_26, 8.0, |run| mean_ms(&station(run, "worker").residence));
}

/// A queue that is never empty, 50 ms to the consumer, 4 ms of work and 50 ms back: of each 104 ms a consumer that may hold n
/// messages works 4 n, at the most all the time (RabbitMQ, Some queuing theory, 2012).
#[test]
fn a_prefetch_covers_the_way_to_the_consumer() {
    for (prefetch, expected) in [(1, 4.0 / 104.0), (13, 0.5), (26, 1.0), (100, 1.0)] {
        let study = Study::seeds(
            1,
            60,
            10,
            &format!(
                "links.to-worker = {{ between = [\"broker\", \"worker\"], latency = \"50ms\" }}\n[clients.shop]\nrate = \
                 \"500/s\"\npublish = \"orders\"\n[queues.orders]\n[consumers.worker]\nqueue = \"orders\"\nprefetch = \
                 {prefetch}\nwork = \"4ms\"\n"
            ),
        );
        let busy = station(&study.runs[0], "worker").busy_mean();
        assert!((busy - expected).abs() < 0.002, "{prefetch}: {busy} for {expected}");
    }
}

/// M/M/1 whose customers leave after 3 unless their service has begun: 0.135 35 do, those that are served have waited 0.869 248,
/// and the server is busy for 0.691 72 of the time (Barrer 1957). What leaves goes to the other queue, and is not lost.
#[test]
fn a_time_to_live_is_a_limit_to_patience() {
    let study = Study::of(
        102,
        2,
        r#"
        [clients.shop]
        rate = "800/s"
        publish = "orders"
        [queues.orders]
        message-ttl = "3ms"
        dead-letter-queue = "parked"
        [queues.parked]
        [consumers.worker]
        queue = "orders"
        prefetch = 1
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("expires", 0.13535, 4.0, |run| {
        let book = queue(run, "orders");
        ratio(book.of(QueueFact::DiedExpired), book.of(QueueFact::Published))
    });
    study.mean("Wq", 0.869_248, 2.2, |run| mean_ms(&run.flows[0].book.one_way));
    study.mean("utilisation", 0.69172, 1.6, |run| station(run, "worker").busy_mean());
    for run in &study.runs {
        let book = queue(run, "orders");
        assert_eq!(book.of(QueueFact::DiedExpired), book.of(QueueFact::DeadLettered));
        assert_eq!(queue(run, "parked").of(QueueFact::Published), book.of(QueueFact::DeadLettered));
    }
}

/// A consumer that fails with 0.2, and three deliveries at the most: (1 - 0.2^3) / 0.8 = 1.24 deliveries for each message, and 0.2^3
/// = 0.008 end as dead letters (geometric).
#[test]
fn a_poisonous_message_comes_back_no_more_than_the_limit_says() {
    let study = Study::of(
        40,
        1,
        r#"
        [clients.shop]
        rate = "1000/s"
        publish = "orders"
        [queues.orders]
        delivery-limit = 2
        dead-letter-queue = "parked"
        [queues.parked]
        [consumers.worker]
        nodes = 2
        queue = "orders"
        steps = [{ work = "1ms" }, { fail = 0.2 }]
        "#,
    );
    study.mean("deliveries", 1.24, 0.403, |run| {
        let book = queue(run, "orders");
        ratio(book.of(QueueFact::Delivered), book.of(QueueFact::Published))
    });
    study.mean("dead letters", 0.008, 11.1, |run| {
        let book = queue(run, "orders");
        ratio(book.of(QueueFact::DeadLettered), book.of(QueueFact::Published))
    });
}

/// The disk takes 5 ms for a sync: a message that comes while one runs waits for it and for the next. At 10 a second, evenly, each is
/// confirmed after the way there and back and one sync.
#[test]
fn a_confirm_comes_after_the_sync() {
    let text = |persistent: bool| {
        format!(
            "network.latency = \"1ms\"\nbrokers.rabbit.fsync-time = \"5ms\"\n[clients.shop]\nrate = \"10/s\"\narrivals = \
             \"even\"\npublish = \"orders\"\nconfirm = true\npersistent = {persistent}\n[queues.orders]\n"
        )
    };
    let confirmed = |persistent| {
        let run = Study::exact(10, &text(persistent));
        let book = flow(&run, "shop");
        assert_eq!((book.offered, book.confirmed), (100, 100));
        let max = book.latency.max().expect("there are some");
        // A write takes a nanosecond at least.
        max.as_nanos().saturating_sub(max.as_nanos() % 1000)
    };
    assert_eq!(confirmed(true), ms(7).as_nanos());
    assert_eq!(confirmed(false), ms(2).as_nanos());
}

/// A quorum queue of three replicas, 1 ms apart, each with a disk that syncs in 5 ms. The leader gets a message after 1 ms, the others
/// after 2; they have it on disk at 7 ms, and the leader knows at 8, which its publisher knows at 9. One of three messages comes to the
/// leader's node; what comes to another takes a millisecond more each way. Alone, a node needs nobody: 1 + 5 + 1.
#[test]
fn a_quorum_queue_confirms_after_a_majority() {
    let text = |nodes: u32| {
        format!(
            "network.latency = \"1ms\"\nbrokers.rabbit = {{ nodes = {nodes}, fsync-time = \"5ms\" }}\n[clients.shop]\nrate = \
             \"10/s\"\narrivals = \"even\"\npublish = \"orders\"\nconfirm = true\n[queues.orders]\ntype = \"quorum\"\n"
        )
    };
    for (nodes, expected) in [(1, [7, 7]), (3, [9, 11]), (5, [9, 11])] {
        let run = Study::seeds(1, 12, 2, &text(nodes)).runs.remove(0);
        let book = flow(&run, "shop");
        assert_eq!((book.offered, book.confirmed), (100, 100));
        let millis = [book.latency.min(), book.latency.max()].map(|time| time.map(|time| time.as_nanos() / 1_000_000));
        assert_eq!(millis, expected.map(Some), "{nodes} nodes");
        let direct = book.latency.below(ms(10)) as f64 / 100.0;
        let share = if nodes == 1 { 1.0 } else { 1.0 / f64::from(nodes) };
        assert!((direct - share).abs() < 0.02, "{nodes} nodes: {direct}");
    }
}

/// A queue that grows by 900 messages of 10 KiB a second, and a node that has memory for 1000 of them: the alarm comes at the first look
/// after that, every second, and the 50 users that wait for their confirms publish nothing any more until there are fewer. So the queue
/// is never longer than 1000 and what comes in a second, 900, and the 50 that wait.
#[test]
fn a_slow_consumer_holds_up_publishers_that_wait() {
    let text = |memory: &str| {
        format!(
            "brokers.rabbit = {{ {memory} }}\n[clients.shop]\nusers = 50\nthink = \"50ms\"\npublish = \"orders\"\nconfirm = \
             true\nsize = \"10KiB\"\n[queues.orders]\n[consumers.worker]\nqueue = \"orders\"\nprefetch = 10\nwork = \"10ms\"\n"
        )
    };
    let free = Study::exact(60, &text(""));
    let held = Study::exact(60, &text("vm-memory-high-watermark.absolute = \"10240000B\""));
    let published = |run: &RunResult| queue(run, "orders").of(QueueFact::Published);
    assert!((59_000..=60_050).contains(&published(&free)), "{}", published(&free));
    // The consumer's 100 a second, and what the queue holds in the end.
    assert!(published(&held) <= 6_000 + 1_950, "{}", published(&held));
    assert!(queue(&held, "orders").ready_max <= 1_950 && queue(&held, "orders").of(QueueFact::Unread) > 0);
    assert_eq!(queue(&free, "orders").of(QueueFact::Unread), 0);
}

/// 100 messages of 10 KiB a second, memory for 500, and a consumer that is away for 20 s and then does 10,000 a second. The alarm comes at
/// 6 s, at the first look at more than 500, and goes at 21 s, at the first look after the consumer has begun. So the 1500 that are due in
/// between wait at the publisher, whatever it does about that, for 0 to 15 s, 7.5 s on the average; each of the two looks may be a second
/// off. Of 3000, that is 3.75 s on the average of all.
#[test]
fn what_a_blocked_publisher_has_to_send_waits_where_it_is() {
    let run = Study::exact(60, BLOCKED);
    let book = flow(&run, "shop");
    assert_eq!((book.offered, book.confirmed, lost(book)), (3000, 3000, 0));
    let held = held_back(&run);
    assert!((1398..=1602).contains(&held), "{held}");
    let max = book.latency.max().map_or(0.0, |max| max.as_secs_f64());
    assert!((13.9..=16.1).contains(&max), "{max}");
    let mean = mean_ms(&book.latency) / 1000.0;
    assert!((mean - held as f64 * max / 2.0 / 3000.0).abs() < 0.05, "{mean}");
    assert!(queue(&run, "orders").of(QueueFact::Unread) <= 2, "what was on its way when the word came");
    let free =
        Study::exact(60, &BLOCKED.replace("brokers.rabbit.vm-memory-high-watermark.absolute = \"5120000B\"\n", ""));
    assert_eq!(held_back(&free), 0);
}

/// The same, without confirms, and the broker crashes at 15 s. The 900 that wait by then are at the publisher, which goes on when it has
/// heard nothing for two seconds: only what was on its way when the broker stopped reading is lost.
#[test]
fn what_waits_at_a_blocked_publisher_survives_the_broker() {
    let text = BLOCKED.replace("clients.shop.confirm = true\n", "")
        + "faults.death = { at = \"15s\", for = \"500ms\", crash = \"rabbit\" }\n";
    let run = Study::exact(60, &text);
    let book = flow(&run, "shop");
    assert!(lost(book) <= 2 && book.handled + lost(book) == 3000, "{} lost, {} handled", lost(book), book.handled);
}

fn held_back(run: &RunResult) -> u64 {
    run.flows[0].book.guards_within(&[run.measured]).of(GuardFact::HeldByBroker)
}

fn lost(book: &Tally) -> u64 {
    book.losses.as_ref().map_or(0, |losses| losses.sum())
}

const BLOCKED: &str = "network.latency = \"1ms\"\nbrokers.rabbit.vm-memory-high-watermark.absolute = \"5120000B\"\nfaults.night = { at \
                       = \"0s\", for = \"20s\", pause = \"worker\" }\nclients.shop.rate = \"100/s\"\nclients.shop.arrivals = \
                       \"even\"\nclients.shop.until = \"30s\"\nclients.shop.publish = \"orders\"\nclients.shop.confirm = true\n\
                       clients.shop.size = \"10KiB\"\nqueues.orders = {}\nconsumers.worker = { queue = \"orders\", prefetch = 100, work \
                       = \"100us\" }\n";

/// The disk takes 100 ms for a sync, and nobody consumes. A publisher may be 40 messages ahead of it. Of 40 that are read at once the
/// first is synced alone, and the others, which come meanwhile, share the next: so 40 take 200 ms, and 200 a second of the 1000 that it
/// sends get in.
#[test]
fn credit_keeps_a_publisher_as_far_ahead_of_the_disk_as_it_may_be() {
    let run = Study::seeds(
        1,
        20,
        10,
        "[brokers.rabbit]\nfsync-time = \"100ms\"\ncredit-flow-default-credit = { initial-credit = 40, more-credit-after = 40 \
         }\n[clients.shop]\nrate = \"1000/s\"\npublish = \"orders\"\n[queues.orders]\n",
    );
    let published = queue(&run.runs[0], "orders").of(QueueFact::Published) as f64 / 10.0;
    assert!((published - 200.0).abs() < 5.0, "{published}");
}

/// A topic exchange sends each message to the queues whose pattern fits its key, once each, and what fits nowhere to nobody: a
/// publisher that insists is told.
#[test]
fn an_exchange_sends_messages_where_their_keys_fit() {
    let run = Study::exact(
        10,
        r##"
        [clients.shop]
        rate = "100/s"
        arrivals = "even"
        confirm = true
        mandatory = true
        mix.eu = { publish = "events", routing-key = "order.eu.new" }
        mix.us = { publish = "events", routing-key = "order.us.new" }
        mix.other = { publish = "events", routing-key = "invoice" }
        [exchanges.events]
        type = "topic"
        bindings = { all = "order.#", europe = ["order.eu.*", "#.new.eu"] }
        [queues.all]
        [queues.europe]
        [consumers.auditor]
        queue = "all"
        workers = "unlimited"
        [consumers.shipper]
        queue = "europe"
        workers = "unlimited"
        "##,
    );
    let [eu, us, other] = ["eu", "us", "other"].map(|entry| flow(&run, &format!("shop/{entry}")));
    assert!(eu.offered > 0 && us.offered > 0 && other.offered > 0);
    assert_eq!(queue(&run, "europe").of(QueueFact::Acknowledged), eu.offered);
    assert_eq!(queue(&run, "all").of(QueueFact::Acknowledged), eu.offered + us.offered);
    assert_eq!((eu.confirmed, us.confirmed, other.confirmed), (eu.offered, us.offered, 0));
}

/// Dead letters keep the routing key that they have, not the first: `a` sends its dead on with the key `late`, and so does `b` with no
/// key of its own. The exchange `second` has a queue for each key.
#[test]
fn a_letter_that_dies_again_keeps_the_key_that_it_got_first() {
    let run = Study::exact(
        10,
        r#"
        [clients.shop]
        rate = "50/s"
        arrivals = "even"
        publish = "a"
        [queues.a]
        message-ttl = "10ms"
        dead-letter-exchange = "first"
        dead-letter-routing-key = "late"
        [queues.b]
        message-ttl = "10ms"
        dead-letter-exchange = "second"
        [queues.by-its-own-key]
        [queues.by-the-key-of-its-letter]
        [exchanges.first]
        bindings.b = "late"
        [exchanges.second]
        bindings.by-its-own-key = "a"
        bindings.by-the-key-of-its-letter = "late"
        "#,
    );
    // One comes every 20 ms from the start on, and takes 20 ms: all but the last of 500 get there.
    assert_eq!(queue(&run, "by-the-key-of-its-letter").of(QueueFact::Published), 499);
    assert_eq!(queue(&run, "by-its-own-key").of(QueueFact::Published), 0);
}

/// A message that fails at once and goes back at once, where nothing takes any time: each return rests the queue for 20 us, so there
/// are 50 000 deliveries a second and not one for each nanosecond or two.
#[test]
fn a_message_that_comes_back_at_once_does_not_stop_time() {
    let run = Study::exact(
        1,
        r#"
        [clients.shop]
        rate = "1/s"
        arrivals = "even"
        publish = "orders"
        [queues.orders]
        [consumers.worker]
        queue = "orders"
        fail = "100%"
        "#,
    );
    let delivered = queue(&run, "orders").of(QueueFact::Delivered);
    assert!((1..=50_000).contains(&delivered), "{delivered}");
}

/// What goes out at once may be published: a request that has an order stored and billed is done when both are confirmed.
#[test]
fn messages_are_published_at_once() {
    let run = Study::exact(
        10,
        r#"
        network.latency = "5ms"
        [clients.shop]
        rate = "10/s"
        arrivals = "even"
        parallel = [{ publish = "orders", confirm = true }, { publish = "bills", confirm = true }]
        [queues.orders]
        [queues.bills]
        "#,
    );
    let whole = flow(&run, "shop");
    assert_eq!((whole.offered, whole.confirmed), (100, 100));
    assert!(whole.latency.max().is_some_and(|max| (10..=11).contains(&(max.as_nanos() / 1_000_000))));
    assert_eq!(["orders", "bills"].map(|name| queue(&run, name).of(QueueFact::Published)), [100, 100]);
}

/// Messages with headers, each kind to the queues that ask for what it has: all of two, any of two, one that is there whatever it says,
/// and one whose name begins with `x-`. Two bindings of one queue bring it one copy.
#[test]
fn a_headers_exchange_sends_messages_where_their_headers_fit() {
    let run = Study::exact(
        10,
        r#"
        [clients.shop]
        rate = "100/s"
        arrivals = "even"
        mix.both = { publish = "events", headers = { region = "eu", urgent = true } }
        mix.one = { publish = "events", headers = { region = "eu", urgent = false, x-retry = 1 } }
        mix.text = { publish = "events", headers = { urgent = "true" } }
        mix.none = { publish = "events" }
        [exchanges.events]
        type = "headers"
        [exchanges.events.bindings]
        all = { headers = { region = "eu", urgent = true } }
        any = [{ x-match = "any", headers = { region = "eu", urgent = true } }, { headers = { region = "eu" } }]
        there = { present = ["urgent"] }
        again = { x-match = "all-with-x", headers = { x-retry = 1 } }
        everything = {}
        [queues]
        all = {}
        any = {}
        there = {}
        again = {}
        everything = {}
        "#,
    );
    let [both, one, text, none] =
        ["both", "one", "text", "none"].map(|entry| flow(&run, &format!("shop/{entry}")).offered);
    assert!([both, one, text, none].iter().all(|offered| *offered > 0));
    let published =
        ["all", "any", "there", "again", "everything"].map(|name| queue(&run, name).of(QueueFact::Published));
    assert_eq!(published, [both, both + one, both + one + text, one, 1000]);
}

/// A subscriber of a headers exchange says what it wants itself.
#[test]
fn a_subscriber_may_ask_for_headers() {
    let run = Study::exact(
        10,
        r#"
        [clients.shop]
        rate = "100/s"
        arrivals = "even"
        from = "105ms"
        mix.eu = { publish = "events", headers = { region = "eu" } }
        mix.us = { publish = "events", headers = { region = "us" } }
        [exchanges.events]
        type = "headers"
        [consumers.europe]
        exchange = "events"
        binding-headers = { headers = { region = "eu" } }
        "#,
    );
    let offered = flow(&run, "shop/eu").offered;
    assert!(offered > 400 && offered < 600, "{offered}");
    assert_eq!(queue(&run, "europe").of(QueueFact::Acknowledged), offered);
}

/// Ten thousand messages come while the only consumer is down. Of these 2048 are in memory when it is back, at 5 s, and 7952 have to be
/// read in four turns of 100 ms, each for 2048 at the most: with no work and no way the last one is processed 400 ms later. A quorum
/// queue reads nothing, nor does a short one.
#[test]
fn a_long_queue_is_read_from_disk() {
    let last = |queue: &str, rate: u32| {
        let run = Study::exact(
            10,
            &format!(
                "brokers.rabbit = {{ heartbeat = \"1s\", disk-read-time = \"100ms\" }}\n[clients.shop]\nrate = \
                 \"{rate}/s\"\narrivals = \"even\"\nphase = \"aligned\"\nfrom = \"2s\"\nuntil = \"3s\"\npublish = \
                 \"orders\"\n[queues.orders]\n{queue}\n[consumers.worker]\nqueue = \"orders\"\n[faults.late]\nat = \
                 \"0s\"\nfor = \"5s\"\ncrash = \"worker\"\n"
            ),
        );
        let book = flow(&run, "shop");
        assert_eq!((book.offered, book.handled), (rate.into(), rate.into()));
        // The last one comes a moment before 3 s, and waits least.
        let least = run.flows[0].book.one_way.min().expect("there are some").as_nanos();
        (least - 2_000_000_000 - 1_000_000_000 / u64::from(rate)) / 1_000_000
    };
    assert_eq!([2_048, 4_096, 10_000].map(|rate| last("", rate)), [0, 100, 400]);
    assert_eq!(last("type = \"quorum\"", 10_000), 0);
}
