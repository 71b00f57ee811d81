//! Systems of each kind that sends messages in a way of its own.

/// What each is about, and its scenario without `run`.
pub const SYSTEMS: &[(&str, &str)] = &[
    (
        "hedged and tied copies, and gathering the first of several",
        r#"
        network = { latency = { exponential = "1ms" }, loss = "3%" }
        [clients.app]
        rate = "60/s"
        call = "page"
        timeout = "300ms"
        max-attempts = 3
        [services.page]
        workers = "unlimited"
        timeout = "80ms"
        max-attempts = 2
        hedge = { delay = "10ms", tied = true }
        steps = [
          { parallel = [{ call = "leaf" }, { call = "leaf" }, { call = "leaf" }], wait-for = 2 },
          { call = "leaf", hedge = { delay = "8ms" } },
        ]
        [services.leaf]
        nodes = 4
        workers = 2
        steps = [{ work = { exponential = "8ms" } }, { fail = "5%" }]
        "#,
    ),
    (
        "crashes and pauses of callers and of who is called",
        r#"
        network = { latency = { uniform = ["1ms", "4ms"] }, duplicate = "5%" }
        [policies.default]
        timeout = "60ms"
        max-attempts = 4
        backoff = { exponential = { initial = "5ms", max = "50ms" } }
        [clients.app]
        nodes = 2
        rate = "80/s"
        call = "api"
        [services.api]
        nodes = 3
        workers = 2
        steps = [{ work = "3ms" }, { call = "store" }, { sleep = "2ms" }, { call = "store" }]
        [services.store]
        nodes = 2
        work = { exponential = "4ms" }
        state = { durable = { fsync-time = "1ms" } }
        [faults.crashes]
        crash = "api[any 1]"
        every = { exponential = "500ms" }
        for = "100ms"
        [faults.of-stores]
        crash = "store[any 1]"
        every = { exponential = "900ms" }
        for = "200ms"
        [faults.of-clients]
        crash = "app[any 1]"
        every = { exponential = "2s" }
        for = "100ms"
        [faults.naps]
        pause = "*[any 1]"
        every = { exponential = "600ms" }
        for = "150ms"
        "#,
    ),
    (
        "a mix of requests of several steps",
        r#"
        network.latency = "1ms"
        [clients.app]
        users = 20
        think = "100ms"
        mix.short = { call = "api/get", weight = 3, timeout = "50ms" }
        mix.long = { weight = 1, steps = [{ call = "api/get" }, { sleep = "5ms" }, { call = "api/put" }, { send = "log" }] }
        [services.api]
        nodes = 2
        ops.get = { work = "1ms" }
        ops.put = { steps = [{ work = "2ms" }, { send = "log" }, { fail = "10%" }] }
        [services.log]
        work = "500us"
        "#,
    ),
    (
        "sagas",
        r#"
        network = { latency = { exponential = "2ms" }, loss = "1%" }
        policies.default.timeout = "100ms"
        [clients.app]
        rate = "50/s"
        call = "trips"
        timeout = "1s"
        [services.trips]
        nodes = 2
        workers = "unlimited"
        state = { durable = { fsync-time = "1ms" } }
        saga = [
          { call = "flights", compensate = { call = "refunds" }, retry-every = "200ms" },
          { call = "hotels", compensate = { call = "refunds" }, retry-every = "200ms" },
          { call = "cars" },
        ]
        [services.flights]
        work = { exponential = "1ms" }
        [services.hotels]
        work = { exponential = "3ms" }
        [services.cars]
        fail = "20%"
        [services.refunds]
        fail = "30%"
        [faults.coordinator]
        crash = "trips[any 1]"
        every = { exponential = "800ms" }
        for = "100ms"
        "#,
    ),
    (
        "an outbox, a queue and its consumers",
        r#"
        network.latency = { exponential = "1ms" }
        policies.default.timeout = "200ms"
        [clients.shop]
        rate = "60/s"
        call = "orders"
        [services.orders]
        nodes = 2
        state = { durable = { fsync-time = "1ms" } }
        steps = [{ work = "1ms" }, { publish = "placed", outbox = { polling = { poll-interval = "20ms" } } }]
        [brokers.rabbit]
        heartbeat = "1s"
        [queues.placed]
        [consumers.billing]
        queue = "placed"
        nodes = 2
        work = "2ms"
        [faults.broker]
        crash = "rabbit"
        every = { exponential = "1s" }
        for = "200ms"
        [faults.services]
        crash = "orders[any 1]"
        every = { exponential = "1s" }
        for = "100ms"
        "#,
    ),
    (
        "requests and replies through a queue, and a fanout",
        r#"
        network.latency = { exponential = "1ms" }
        policies.default.timeout = "500ms"
        [clients.asking]
        rate = "50/s"
        call = "jobs"
        [clients.desk]
        rate = "50/s"
        publish = "news"
        confirm = true
        [brokers.rabbit]
        nodes = 3
        heartbeat = "500ms"
        [queues.jobs]
        [exchanges.news]
        type = "fanout"
        [consumers.worker]
        nodes = 3
        queue = "jobs"
        prefetch = 2
        work = { exponential = "10ms" }
        [consumers.web]
        exchange = "news"
        work = "2ms"
        [consumers.mobile]
        exchange = "news"
        work = "2ms"
        [faults.pods]
        crash = "worker[any 1]"
        every = { exponential = "1s" }
        for = "200ms"
        "#,
    ),
    (
        "a topic, exactly once",
        r#"
        network.latency = { exponential = "1ms" }
        policies.default.request-timeout = "2s"
        [clients.shop]
        rate = "60/s"
        publish = "orders"
        [brokers.kafka]
        nodes = 3
        [topics.orders]
        partitions = 4
        replication-factor = 3
        min-insync-replicas = 2
        [topics.invoices]
        partitions = 2
        replication-factor = 3
        [consumers.billing]
        nodes = 2
        topics = ["orders"]
        auto-offset-reset = "earliest"
        processing-guarantee = "exactly-once-v2"
        steps = [{ work = "1ms" }, { publish = "invoices", wait = false }]
        [consumers.ledger]
        topics = ["invoices"]
        auto-offset-reset = "earliest"
        work = "100us"
        "#,
    ),
    (
        "streams in a ring, with a window, in order",
        r#"
        network = { latency = "1ms", loss = "1%", bandwidth = "10Mbit/s", transport = "stream" }
        topology.ring = "*"
        [clients.app]
        nodes = 4
        rate = "100/s"
        send = "sink"
        delivery = "exactly-once"
        ordered = true
        window = 3
        timeout = "200ms"
        max-attempts = "unlimited"
        size = "1KB"
        [services.sink]
        nodes = 4
        work = "1ms"
        "#,
    ),
    (
        "words that nobody answers, and that fail",
        r#"
        network = { latency = { exponential = "2ms" }, loss = "5%", duplicate = "5%" }
        [clients.app]
        rate = "100/s"
        send = "sink"
        [services.sink]
        queue = { limit = 1, when-full = "drop" }
        steps = [{ work = { exponential = "8ms" } }, { fail = "10%" }]
        "#,
    ),
    (
        "a queue that loses what was confirmed",
        r#"
        network.latency = "1ms"
        [clients.shop]
        rate = "100/s"
        publish = "orders"
        confirm = true
        persistent = false
        timeout = "200ms"
        [brokers.rabbit]
        heartbeat = "500ms"
        [queues.orders]
        [consumers.worker]
        queue = "orders"
        prefetch = 1
        work = { exponential = "9ms" }
        [faults.node]
        crash = "rabbit"
        every = { exponential = "500ms" }
        for = "100ms"
        "#,
    ),
    (
        "breakers, budgets and limits",
        r#"
        network.latency = "1ms"
        [clients.app]
        rate = "150/s"
        call = "api"
        timeout = "30ms"
        max-attempts = 3
        retry-budget = { ratio = "20%" }
        circuit-breaker = { sliding-window-size = 20, wait-duration-in-open-state = "200ms" }
        rate-limit = { token-bucket = { rate = "120/s", burst = 10 } }
        deadline = "200ms"
        [services.api]
        workers = 1
        queue = { limit = 5, when-full = "reject" }
        work = { exponential = "8ms" }
        "#,
    ),
];
