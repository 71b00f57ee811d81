//! Random small systems: clients that ask or tell a service, which may ask another one, over an unreliable network.

use proptest::prelude::*;
use proptest::sample::select;

/// A scenario's random parts.
#[derive(Clone, Debug)]
pub struct System {
    pub seed: u64,
    pub network: Medium,
    pub policy: Policy,
    pub front: Station,
    /// What the front asks for each request, if anything.
    pub back: Option<Station>,
    pub balance: &'static str,
    pub clients: u32,
    pub load: &'static str,
}

/// What the network does to messages.
#[derive(Clone, Debug)]
pub struct Medium {
    pub latency: &'static str,
    pub loss: u32,
    pub duplicate: u32,
    pub corrupt: u32,
    pub order: &'static str,
    pub transport: &'static str,
}

/// How clients deal with it.
#[derive(Clone, Debug)]
pub struct Policy {
    pub verb: &'static str,
    pub delivery: &'static str,
    pub ordered: bool,
    pub timeout: &'static str,
    pub attempts: &'static str,
    pub backoff: &'static str,
    pub jitter: &'static str,
    pub cancel: &'static str,
    pub gate: &'static str,
    pub deadline: &'static str,
}

/// How a service handles requests.
#[derive(Clone, Debug)]
pub struct Station {
    pub nodes: u32,
    pub workers: &'static str,
    pub queue: &'static str,
    pub work: &'static str,
    pub fail: u32,
    pub holds_worker: bool,
}

/// Any network.
pub fn medium() -> impl Strategy<Value = Medium> {
    let latency = [r#""3ms""#, r#"{ uniform = ["1ms", "15ms"] }"#, r#"{ exponential = "8ms" }"#];
    let transports = [
        DATAGRAM,
        DATAGRAM,
        r#""stream""#,
        r#"{ stream = { congestion-control = "reno", mss = "500B", receive-window = "4KiB", initial-rto = "50ms", min-rto =
         "10ms", max-rto = "1s", retries = 4, syn-retries = 2, delayed-ack = "5ms", idle-timeout = "40ms", connections = 2 } }"#,
    ];
    let order = select(vec!["free", "fifo"]);
    let parts = (select(latency.to_vec()), share(40), share(30), share(20), order, select(transports.to_vec()));
    parts.prop_map(|(latency, loss, duplicate, corrupt, order, transport)| Medium {
        latency,
        loss,
        duplicate,
        corrupt,
        order,
        transport,
    })
}

/// Each message on its own.
pub const DATAGRAM: &str = r#""datagram""#;

/// Often nothing, sometimes up to `most` hundredths.
fn share(most: u32) -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0), 2 => 1..most]
}

/// Any policy for this delivery; `ordered` where that may be.
pub fn policy(delivery: &'static str, may_be_ordered: bool) -> impl Strategy<Value = Policy> {
    let again = delivery != "at-most-once";
    let verb = select(vec!["send", "call"]);
    let timeout = select(vec!["20ms", "45ms", "90ms"]);
    let attempts = if again { select(vec!["1", "2", "4", "\"unlimited\""]) } else { select(vec!["1"]) };
    let backoffs = [
        r#""0s""#,
        r#""10ms""#,
        r#"{ exponential = { initial = "5ms", max = "50ms" } }"#,
        r#"{ linear = { initial = "5ms", max = "50ms" } }"#,
    ];
    let backoff = if again { select(backoffs.to_vec()) } else { select(vec![r#""0s""#]) };
    let jitter = if again { select(vec!["none", "full", "equal"]) } else { select(vec!["none"]) };
    let cancel = select(vec!["none", "queued", "running"]);
    let gate = select(vec!["", "window = 1", "window = 5", "max-in-flight = 1", "max-in-flight = 4"]);
    let deadline = select(vec!["", "deadline = \"30ms\"", "deadline = \"300ms\""]);
    let ordered = any::<bool>().prop_map(move |ordered| ordered && may_be_ordered && again);
    let parts = (verb, ordered, timeout, attempts, backoff, jitter, cancel, gate, deadline);
    parts.prop_map(move |(verb, ordered, timeout, attempts, backoff, jitter, cancel, gate, deadline)| {
        // Nobody hears of a message that is sent at most once: keys about answers would be refused.
        let is_heard_of = verb == "call" || again;
        let gate = if is_heard_of { gate } else { "" };
        // Spreading nothing, and keys without effect, are refused.
        let jitter = if backoff == r#""0s""# { "none" } else { jitter };
        let (timeout, cancel) = if is_heard_of { (timeout, cancel) } else { ("none", "none") };
        Policy { verb, delivery, ordered, timeout, attempts, backoff, jitter, cancel, gate, deadline }
    })
}

fn station() -> impl Strategy<Value = Station> {
    let work = [r#""0s""#, r#""4ms""#, r#"{ exponential = "6ms" }"#];
    let queues = [
        "{}",
        "{ limit = 0 }",
        "{ limit = 2 }",
        r#"{ limit = 3, when-full = "drop" }"#,
        r#"{ limit = 3, counts = "present" }"#,
    ];
    let workers = select(vec!["1", "3", "\"unlimited\""]);
    let parts = (1..4_u32, workers, select(queues.to_vec()), select(work.to_vec()), share(40), any::<bool>());
    parts.prop_map(|(nodes, workers, queue, work, fail, holds_worker)| Station {
        nodes,
        workers,
        queue,
        work,
        fail,
        holds_worker,
    })
}

/// Any system whose clients have this delivery.
pub fn system(delivery: &'static str, may_be_ordered: bool) -> impl Strategy<Value = System> {
    let balances = [
        r#""round-robin""#,
        r#""random""#,
        r#""two-choices""#,
        r#""least-requests""#,
        r#"{ least-requests = { load = "true" } }"#,
    ];
    let loads = ["rate = \"150/s\"", "rate = \"150/s\"\narrivals = \"even\"", "users = 4\nthink = \"3ms\""];
    let parts = (
        any::<u32>(),
        medium(),
        policy(delivery, may_be_ordered),
        station(),
        proptest::option::of(station()),
        select(balances.to_vec()),
        1..4_u32,
        select(loads.to_vec()),
    );
    parts.prop_map(|(seed, network, policy, front, back, balance, clients, load)| System {
        seed: seed.into(),
        network,
        policy,
        front,
        back,
        balance,
        clients,
        load,
    })
}

/// Any system at all.
pub fn any_system() -> impl Strategy<Value = System> {
    prop_oneof![system("at-most-once", false), system("at-least-once", true), system("exactly-once", true)]
}

impl Station {
    fn text(&self, name: &str, balance: &str, asks: &str) -> String {
        let Self { nodes, workers, queue, work, fail, holds_worker } = self;
        format!(
            "[services.{name}]\nnodes = {nodes}\nworkers = {workers}\nqueue = {queue}\nhold-worker = {holds_worker}\n\
             balance = {balance}\nsteps = [{{ work = {work} }}, {asks}{{ fail = \"{fail}%\" }}]\n"
        )
    }
}

impl System {
    /// The scenario.
    pub fn text(&self) -> String {
        let Self { seed, network, policy, front, back, balance, clients, load } = self;
        let Medium { latency, loss, duplicate, corrupt, order, transport } = network;
        let Policy { verb, delivery, ordered, timeout, attempts, backoff, jitter, cancel, gate, deadline } = policy;
        let asks = if back.is_some() { r#"{ call = "back", timeout = "25ms", max-attempts = 2 }, "# } else { "" };
        let back = back.as_ref().map_or(String::new(), |back| back.text("back", balance, ""));
        format!(
            "run = {{ duration = \"1s\", drain = \"5s\", seed = {seed} }}\n\
             [network]\nlatency = {latency}\nloss = \"{loss}%\"\nduplicate = \"{duplicate}%\"\ncorrupt = \"{corrupt}%\"\n\
             order = \"{order}\"\ntransport = {transport}\n\
             [clients.source]\nnodes = {clients}\n{load}\n{verb} = \"front\"\ndelivery = \"{delivery}\"\n\
             ordered = {ordered}\ntimeout = \"{timeout}\"\nmax-attempts = {attempts}\nbackoff = {backoff}\n\
             jitter = \"{jitter}\"\ncancel = \"{cancel}\"\n{gate}\n{deadline}\n{}{back}",
            front.text("front", balance, asks),
        )
    }
}
