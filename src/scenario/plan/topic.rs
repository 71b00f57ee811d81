//! Topics: the brokers that keep them, what is published to them, and who reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use super::broker::{host, queues};
use super::roles::Planner;
use crate::base::id::{NodeId, hash_name};
use crate::base::names::Names;
use crate::base::random::mix;
use crate::base::settings::Settings;
use crate::base::time::{Span, ms, secs};
use crate::model::{
    Call, Delivery, LogSpec, Policy, ProducerSpec, ReadCosts, ReaderSpec, RecordSpec, Target, TopicSpec,
};
use crate::process::NO_PLACE;
use crate::protocol::log::fetch::FetchSettings;
use crate::protocol::log::group::assignor::AssignorPolicy;
use crate::protocol::log::group::coordinator::CoordinatorSettings;
use crate::protocol::log::group::member::MemberSettings;
use crate::protocol::log::group::offsets::OffsetSettings;
use crate::protocol::log::ids::{GroupId, TopicId};
use crate::protocol::log::partition::Acks;
use crate::protocol::log::producer::accumulator::AccumulatorSettings;
use crate::protocol::log::producer::partitioner::PartitionerPolicy;
use crate::protocol::log::producer::sender::SenderSettings;
use crate::protocol::log::replica::ReplicationSettings;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{
    Consumer, Duration, Name, PRODUCER_KEYS, PolicyKeys, ProcessingGuarantee, Scenario, Topic, controller_of,
};

/// Whoever waits for less would do nothing but ask.
const WAIT_MIN: Span = ms(1);

/// The most replicas that the brokers of a cluster keep together.
const REPLICAS_MAX: u64 = 100_000;

/// The topics of a scenario.
#[derive(Default)]
pub(super) struct Topics {
    /// What the brokers of each cluster hold, by the name of their group.
    clusters: BTreeMap<String, Arc<LogSpec>>,
    /// Topics by name: the cluster, and the place there.
    topics: BTreeMap<String, (String, TopicId)>,
    /// Groups that read topics, by name; their places are their numbers.
    pub(super) groups: Vec<String>,
    /// Each producer that is like no other before it, and its cluster.
    producers: Vec<(String, Producing)>,
}

/// A topic that a broker keeps: its place among all, and what is written.
type Kept<'a> = (u16, &'a Located<Name>, &'a Topic);

/// What a producer is like.
#[derive(Clone, PartialEq, Debug)]
struct Producing {
    sender: SenderSettings,
    accumulator: AccumulatorSettings,
    partitioner: PartitionerPolicy,
}

impl Topics {
    /// The topics of a scenario; what is wrong with them goes to `mistakes`.
    pub(super) fn of(scenario: &Scenario, names: &Names, mistakes: &mut Vec<Diagnostic>) -> Self {
        let mut topics = Self::default();
        let groups: BTreeSet<_> = scenario
            .consumers
            .iter()
            .filter(|(_, consumer)| consumer.topics.is_some())
            .map(|(name, _)| name.as_str())
            .collect();
        topics.groups = groups.into_iter().map(Into::into).collect();
        // Sorted, so that nothing depends on the order of tables.
        let mut kept: BTreeMap<&str, BTreeMap<&str, Kept<'_>>> = BTreeMap::new();
        for (number, (name, topic)) in scenario.topics.iter().enumerate() {
            if let Some(broker) = host(scenario, topic.broker.as_ref(), name, mistakes) {
                kept.entry(broker).or_default().insert(name.as_str(), (number as u16, name, topic));
            }
        }
        for (broker, kept) in kept {
            let Some((name, written)) = scenario.brokers.iter().find(|(name, _)| name.as_str() == broker) else {
                continue;
            };
            if let Some((queue, _)) = scenario.queues.iter().find(|(_, queue)| {
                queue.broker.as_ref().map_or(scenario.brokers.len() == 1, |named| named.value.as_str() == broker)
            }) {
                let message = format!("`{broker}` keeps topics and queues: one broker does not do both");
                let mistake = Diagnostic::error(message).at(queue.origin, "this queue is kept there too");
                mistakes.push(
                    mistake.help("write two tables under [brokers], and `broker = \"…\"` in each queue and topic"),
                );
            }
            let is_here = |named: Option<&Located<Name>>| {
                named.map_or(scenario.brokers.len() == 1, |named| named.value.as_str() == broker)
            };
            if let Some((exchange, _)) = scenario.exchanges.iter().find(|(_, one)| is_here(one.broker.as_ref())) {
                let mistake = Diagnostic::error(format!("`{broker}` keeps topics, and they have no exchanges"));
                mistakes.push(mistake.at(exchange.origin, "").help("what is published to a topic names the topic"));
            }
            let group = |name: &str| names.group(name).map(|group| names.members(group).collect::<Vec<_>>());
            let (Some(nodes), Some(controller)) = (group(broker), group(&controller_of(broker))) else { continue };
            let mut specs = Vec::new();
            for (id, (number, topic_name, topic)) in kept.into_values().enumerate() {
                topics.topics.insert(topic_name.as_str().into(), (broker.into(), TopicId(id as u32)));
                let mut spec = topic_of(number, topic, nodes.len() as u32, mistakes);
                spec.places = topics.places(scenario, topic_name.as_str());
                specs.push(spec);
            }
            let costs = [written.disk_read_time.map(|at| at.origin), written.disk_read_rate.map(|at| at.origin)];
            for at in costs.into_iter().flatten().filter(|_| written.page_cache.is_none()) {
                let mistake = Diagnostic::error("it has no effect: all of the topics lies in memory").at(at, "");
                mistakes.push(mistake.help("write how much does: `page-cache = \"1GiB\"`"));
            }
            let replicas = |spec: &TopicSpec| u64::from(spec.partitions.get()) * u64::from(spec.replicas.get());
            let replicas: u64 = specs.iter().map(replicas).fold(0, u64::saturating_add);
            if replicas > REPLICAS_MAX {
                let message = format!("{replicas} replicas of partitions, at most {REPLICAS_MAX} may be");
                mistakes.push(Diagnostic::error(message).at(name.origin, "on these brokers"));
                continue;
            }
            let heartbeat = spanned(written.broker_heartbeat_interval, secs(2));
            let session_timeout = spanned(written.broker_session_timeout, secs(9));
            if heartbeat < WAIT_MIN || session_timeout <= heartbeat {
                let at = written.broker_session_timeout.or(written.broker_heartbeat_interval);
                let message = format!(
                    "a `broker-heartbeat-interval` takes {WAIT_MIN} at least, and less than `broker-session-timeout`"
                );
                mistakes.push(Diagnostic::error(message).at(at.map_or(name.origin, |at| at.origin), ""));
            }
            let retention_check = spanned(written.log_retention_check_interval, secs(300));
            if let Some(at) = written.log_retention_check_interval.filter(|at| at.value.0 < WAIT_MIN) {
                mistakes.push(Diagnostic::error(format!("it takes {WAIT_MIN} at least")).at(at.origin, ""));
            }
            if let Some(at) = written.heartbeat {
                let mistake =
                    Diagnostic::error("`heartbeat` is that of consumers of queues, and this broker keeps topics");
                mistakes.push(
                    mistake.at(at.origin, "").help("`session-timeout` of a consumer says how long it may be silent"),
                );
            }
            let first_slot = topics.partitions();
            let cluster = LogSpec {
                first_slot,
                first: OnceLock::new(),
                brokers: Target { first: nodes[0], len: nodes.len() as u32 },
                controller: controller[0],
                topics: specs,
                heartbeat,
                session_timeout,
                retention_check,
                reads: ReadCosts {
                    page_cache: written.page_cache.map(|size| size.value.0),
                    time: spanned(written.disk_read_time, Span::ZERO),
                    rate: written.disk_read_rate.map(|rate| rate.value.0),
                },
                groups: CoordinatorSettings {
                    group_initial_rebalance_delay: spanned(written.group_initial_rebalance_delay, secs(3)),
                },
            };
            topics.clusters.insert(broker.into(), Arc::new(cluster));
        }
        for (name, broker) in scenario.brokers.iter().filter(|(name, _)| !scenario.has_topics(name.as_str())) {
            refuse_what_is_of_topics(name, broker, mistakes);
        }
        topics
    }

    /// What the brokers of this name hold, if they keep topics.
    pub(super) fn cluster(&self, broker: &str) -> Option<&Arc<LogSpec>> {
        self.clusters.get(broker)
    }

    /// The cluster of which this is the controller.
    pub(super) fn led_by(&self, controller: &str) -> Option<&Arc<LogSpec>> {
        let mut clusters = self.clusters.iter();
        clusters.find(|(broker, _)| controller_of(broker) == controller).map(|(_, cluster)| cluster)
    }

    /// The brokers that keep this topic, if there is one of this name.
    pub(super) fn broker_of(&self, topic: &str) -> Option<&str> {
        self.topics.get(topic).map(|(broker, _)| broker.as_str())
    }

    /// The cluster that keeps this topic, and its place there.
    pub(super) fn place(&self, topic: &str) -> Option<(&Arc<LogSpec>, TopicId)> {
        let (broker, id) = self.topics.get(topic)?;
        Some((self.clusters.get(broker)?, *id))
    }

    /// Whether this node is a controller.
    pub(super) fn has_controller(&self, node: NodeId) -> bool {
        self.clusters.values().any(|cluster| cluster.controller == node)
    }

    /// How many partitions there are in all.
    pub(super) fn partitions(&self) -> usize {
        self.clusters.values().map(|cluster| cluster.partitions().count()).sum()
    }

    /// Where the records of a topic are owed: the places of the groups that read it, which follow those of queues.
    fn places(&self, scenario: &Scenario, topic: &str) -> Vec<u16> {
        let reads = |group: &String| {
            let consumer = scenario.consumers.get(group);
            let topics = consumer.iter().flat_map(|consumer| &consumer.topics).flat_map(|topics| &topics.0);
            topics.into_iter().any(|read| read.value.as_str() == topic)
        };
        let reading = self.groups.iter().enumerate().filter(|(_, group)| reads(group));
        let places: Vec<_> = reading.map(|(group, _)| (queues(scenario) + group) as u16).collect();
        if places.is_empty() { vec![NO_PLACE] } else { places }
    }

    /// All their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(String::as_str)
    }
}

fn spanned(written: Option<Located<Duration>>, default: Span) -> Span {
    written.map_or(default, |written| written.value.0)
}

fn topic_of(number: u16, topic: &Topic, brokers: u32, mistakes: &mut Vec<Diagnostic>) -> TopicSpec {
    let one = NonZeroU32::MIN;
    let replicas = topic.replication_factor.map_or(one, |factor| factor.value);
    if let Some(factor) = topic.replication_factor.filter(|factor| factor.value.get() > brokers) {
        let message = format!("{} replicas need as many brokers, and there are {brokers}", factor.value);
        mistakes.push(Diagnostic::error(message).at(factor.origin, "one on each broker"));
    }
    let min_insync_replicas = topic.min_insync_replicas.map_or(one, |least| least.value);
    if let Some(least) = topic.min_insync_replicas.filter(|least| least.value > replicas) {
        let message = format!("of {replicas} replicas {} can never be in sync", least.value);
        mistakes
            .push(Diagnostic::error(message).at(least.origin, "").help("raise `replication-factor`, or lower this"));
    }
    if let Some(lag) = topic.replica_lag_time_max.filter(|lag| lag.value.0 < WAIT_MIN) {
        mistakes.push(Diagnostic::error(format!("it takes {WAIT_MIN} at least")).at(lag.origin, ""));
    }
    TopicSpec {
        number,
        places: vec![NO_PLACE],
        partitions: topic.partitions.map_or(one, |count| count.value),
        replicas,
        log: topic.settings.0.clone(),
        replication: ReplicationSettings {
            replica_lag_time_max: spanned(topic.replica_lag_time_max, secs(30)),
            min_insync_replicas,
            unclean_leader_election_enable: topic
                .unclean_leader_election_enable
                .is_some_and(|is_allowed| is_allowed.value),
        },
    }
}

/// Keys that have a meaning for brokers with topics only.
fn refuse_what_is_of_topics(
    name: &Located<Name>,
    broker: &crate::scenario::schema::Broker,
    mistakes: &mut Vec<Diagnostic>,
) {
    let written = [
        ("controller-place", broker.controller_place.as_ref().map(|at| at.origin)),
        ("broker-heartbeat-interval", broker.broker_heartbeat_interval.map(|at| at.origin)),
        ("broker-session-timeout", broker.broker_session_timeout.map(|at| at.origin)),
        ("log-retention-check-interval", broker.log_retention_check_interval.map(|at| at.origin)),
        ("page-cache", broker.page_cache.map(|at| at.origin)),
        ("disk-read-rate", broker.disk_read_rate.map(|at| at.origin)),
        ("group-initial-rebalance-delay", broker.group_initial_rebalance_delay.map(|at| at.origin)),
    ];
    for (key, at) in written.into_iter().filter_map(|(key, at)| Some((key, at?))) {
        let message = format!("`{key}` has no effect: `{}` keeps no topic", name.as_str());
        mistakes.push(Diagnostic::error(message).at(at, ""));
    }
}

/// The keys of a consumer that say how topics are read, and where they are written.
pub(super) fn reader_keys(consumer: &Consumer) -> impl Iterator<Item = (&'static str, Origin)> {
    macro_rules! written {
        ($($name:literal $key:ident,)*) => { [$(($name, consumer.$key.as_ref().map(|at| at.origin)),)*] };
    }
    let written = written! {
        "processing-guarantee" processing_guarantee,
        "partition-assignment-strategy" partition_assignment_strategy,
        "static-membership" static_membership,
        "session-timeout" session_timeout,
        "heartbeat-interval" heartbeat_interval,
        "max-poll-interval" max_poll_interval,
        "enable-auto-commit" enable_auto_commit,
        "auto-commit-interval" auto_commit_interval,
        "commit-mode" commit_mode,
        "commit-point" commit_point,
        "auto-offset-reset" auto_offset_reset,
        "fetch-min-bytes" fetch_min_bytes,
        "fetch-max-bytes" fetch_max_bytes,
        "fetch-max-wait" fetch_max_wait,
        "max-partition-fetch-bytes" max_partition_fetch_bytes,
        "max-poll-records" max_poll_records,
        "isolation-level" isolation_level,
    };
    written.into_iter().filter_map(|(key, at)| Some((key, at?)))
}

impl Planner<'_> {
    /// The policy of what is published to a topic, and how that is done.
    pub(super) fn record(&mut self, keys: &PolicyKeys, to: &Located<Name>) -> Option<(Policy, RecordSpec)> {
        let (cluster, topic) = self.topics.topics.get(to.value.as_str())?.clone();
        let before = self.mistakes.len();
        for (key, origin) in keys.written().filter(|(key, _)| !PRODUCER_KEYS.contains(&key.as_str())) {
            let message = format!("`{key}` has no meaning for what is published to a topic");
            let mistake = Diagnostic::error(message).at(origin, "").at(to.origin, "published here");
            self.mistakes.push(mistake.help(format!("a producer has these: {}", PRODUCER_KEYS.join(", "))));
        }
        let acks = keys.acks.map_or(Acks::All, |acks| acks.value.0);
        let in_flight = keys.max_in_flight_requests_per_connection.map(|count| count.value);
        let default = SenderSettings::default();
        // Kafka gives idempotence up where something else does not go with it, unless it is asked for.
        let goes = acks == Acks::All && in_flight.is_none_or(|count| count.get() <= 5);
        let accumulator = AccumulatorSettings::default();
        let producing = Producing {
            sender: SenderSettings {
                acks,
                enable_idempotence: keys.enable_idempotence.map_or(goes, |wanted| wanted.value),
                max_in_flight_requests_per_connection: in_flight
                    .unwrap_or(default.max_in_flight_requests_per_connection),
                delivery_timeout: spanned(keys.delivery_timeout, default.delivery_timeout),
                request_timeout: spanned(keys.request_timeout, default.request_timeout),
                retries: keys.retries.map_or(default.retries, |retries| retries.value),
                retry_backoff: spanned(keys.retry_backoff, default.retry_backoff),
                retry_backoff_max: spanned(keys.retry_backoff_max, default.retry_backoff_max),
            },
            accumulator: AccumulatorSettings {
                linger: spanned(keys.linger, accumulator.linger),
                batch_size: keys.batch_size.map_or(accumulator.batch_size, |size| size.value.0),
                buffer_memory: keys.buffer_memory.map_or(accumulator.buffer_memory, |size| size.value.0),
                max_block: spanned(keys.max_block, accumulator.max_block),
                compression_ratio: keys.compression_ratio.map_or(1.0, |ratio| ratio.value.0.value()),
            },
            partitioner: keys.partitioner.as_ref().map(|written| written.value.policy.clone()).unwrap_or_default(),
        };
        self.refuse_the_restless([
            ("request-timeout", keys.request_timeout),
            ("retry-backoff", keys.retry_backoff),
            ("retry-backoff-max", keys.retry_backoff_max),
        ]);
        for wrong in [producing.sender.check(), producing.accumulator.check()] {
            if let Err(why) = wrong {
                let at = keys.written().map(|(_, origin)| origin).next().unwrap_or(to.origin);
                let mistake = Diagnostic::error(format!("a producer {why}")).at(at, "");
                self.mistakes.push(mistake.at(to.origin, "published here"));
            }
        }
        if self.mistakes.len() > before {
            return None;
        }
        let known = self.topics.producers.iter().position(|(name, known)| *name == cluster && *known == producing);
        let producer = known.unwrap_or_else(|| {
            self.topics.producers.push((cluster.clone(), producing.clone()));
            self.topics.producers.len() - 1
        }) as u16;
        let Producing { sender, accumulator, partitioner } = producing;
        let cluster = Arc::clone(self.topics.cluster(&cluster)?);
        let spec = Arc::new(ProducerSpec { cluster, sender, accumulator, partitioner });
        let delivery = if acks == Acks::None { Delivery::AtMostOnce } else { Delivery::AtLeastOnce };
        Some((Policy { delivery, ..Policy::default() }, RecordSpec { topic, producer, spec }))
    }

    /// Refuses waits that are too short to be any.
    fn refuse_the_restless<const N: usize>(&mut self, waits: [(&str, Option<Located<Duration>>); N]) {
        for (key, wait) in waits.into_iter().filter_map(|(key, wait)| Some((key, wait?))) {
            if wait.value.0 < WAIT_MIN {
                let mistake = Diagnostic::error(format!("`{key}` takes {WAIT_MIN} at least")).at(wait.origin, "");
                self.mistakes.push(mistake.help("whoever waits for less would do nothing but ask"));
            }
        }
    }

    /// The kind of message that a group of consumers, which is at this place among the services, reads from topics, and how.
    pub(super) fn reading(
        &mut self,
        name: &Located<Name>,
        consumer: &Consumer,
        index: usize,
    ) -> Option<(u16, Arc<ReaderSpec>)> {
        let (mut cluster, mut topics): (Option<&str>, _) = (None, BTreeSet::new());
        let mut wrong = Vec::new();
        for topic in consumer.topics.iter().flat_map(|topics| &topics.0) {
            match self.topics.topics.get(topic.value.as_str()) {
                None => wrong.push(unknown_name(topic, "topic", self.topics.names())),
                Some((broker, _)) if cluster.is_some_and(|cluster| cluster != broker) => {
                    wrong.push(
                        Diagnostic::error("a group reads the topics of one cluster of brokers").at(topic.origin, ""),
                    );
                }
                Some((broker, id)) => {
                    cluster = Some(broker);
                    topics.insert(*id);
                }
            }
        }
        for (key, at) in [
            ("prefetch", consumer.prefetch.map(|prefetch| prefetch.origin)),
            ("acknowledge", consumer.acknowledge.map(|mode| mode.origin)),
            ("requeue", consumer.requeue.map(|requeue| requeue.origin)),
            ("binding-key", consumer.binding_key.as_ref().and_then(|keys| Some(keys.0.first()?.origin))),
            ("binding-headers", consumer.binding_headers.as_ref().and_then(|all| Some(all.0.first()?.origin))),
        ] {
            if let Some(at) = at {
                let message = format!("`{key}` belongs to queues, and this reads topics");
                wrong.push(Diagnostic::error(message).at(at, ""));
            }
        }
        let guarantee = consumer.processing_guarantee.filter(|is| is.value == ProcessingGuarantee::ExactlyOnce);
        if let Some(guarantee) = guarantee {
            const OTHERS: [&str; 4] = ["enable-auto-commit", "auto-commit-interval", "commit-mode", "commit-point"];
            for (key, at) in reader_keys(consumer).filter(|(key, _)| OTHERS.contains(key)) {
                let mistake = Diagnostic::error(format!("`{key}` has no effect: transactions commit")).at(at, "");
                wrong.push(mistake.at(guarantee.origin, "beside this"));
            }
        } else if consumer.enable_auto_commit.is_none_or(|is_on| is_on.value) {
            for (key, at) in reader_keys(consumer).filter(|(key, _)| ["commit-mode", "commit-point"].contains(key)) {
                let message = format!("`{key}` has no effect: polls commit by themselves");
                wrong.push(Diagnostic::error(message).at(at, "").help("write `enable-auto-commit = false` beside it"));
            }
        } else if let Some(at) = consumer.auto_commit_interval {
            let mistake = Diagnostic::error("`auto-commit-interval` has no effect: nothing commits by itself");
            wrong.push(mistake.at(at.origin, "beside `enable-auto-commit = false`"));
        }
        let (member, offsets, fetch) = settings(consumer);
        for (what, checked) in [(name.origin, member.check()), (name.origin, fetch.check())] {
            if let Err(why) = checked {
                wrong.push(Diagnostic::error(format!("a consumer {why}")).at(what, "this one"));
            }
        }
        let group = self.topics.groups.iter().position(|group| group == name.as_str())?;
        let program = self.entries.iter().find(|(group, op, _)| group == name.as_str() && op.is_none())?.2;
        let cluster = cluster.and_then(|cluster| self.topics.cluster(cluster)).cloned();
        let is_wrong = !wrong.is_empty();
        self.refuse_the_restless([
            ("heartbeat-interval", consumer.heartbeat_interval),
            ("max-poll-interval", consumer.max_poll_interval),
            ("fetch-max-wait", consumer.fetch_max_wait),
        ]);
        self.mistakes.append(&mut wrong);
        let cluster = cluster.filter(|_| !is_wrong)?;
        let call = self.calls.len() as u16;
        let place = mix(u64::from(hash_name("topics")) << 32 | u64::from(hash_name(name.as_str())));
        self.calls.push(Call::delivery(place, index as u16, program));
        let spec = ReaderSpec {
            cluster,
            group: GroupId(group as u32),
            place: (self.scenario.queues.len() + group) as u16,
            topics,
            member,
            assignor: consumer
                .partition_assignment_strategy
                .as_ref()
                .map_or_else(AssignorPolicy::default, |written| written.value.policy.clone()),
            is_static: consumer.static_membership.is_some_and(|is_static| is_static.value),
            offsets: OffsetSettings {
                enable_auto_commit: guarantee.is_none() && offsets.enable_auto_commit,
                ..offsets
            },
            fetch,
            is_transactional: guarantee.is_some(),
        };
        Some((call, Arc::new(spec)))
    }
}

fn settings(consumer: &Consumer) -> (MemberSettings, OffsetSettings, FetchSettings) {
    let (member, offsets, fetch) = (MemberSettings::default(), OffsetSettings::default(), FetchSettings::default());
    let bytes = |written: Option<Located<crate::scenario::schema::Bytes>>, default| {
        written.map_or(default, |written| written.value.0)
    };
    (
        MemberSettings {
            session_timeout: spanned(consumer.session_timeout, member.session_timeout),
            heartbeat_interval: spanned(consumer.heartbeat_interval, member.heartbeat_interval),
            max_poll_interval: spanned(consumer.max_poll_interval, member.max_poll_interval),
        },
        OffsetSettings {
            enable_auto_commit: consumer.enable_auto_commit.is_none_or(|is_on| is_on.value),
            auto_commit_interval: spanned(consumer.auto_commit_interval, offsets.auto_commit_interval),
            auto_offset_reset: consumer.auto_offset_reset.map_or(offsets.auto_offset_reset, |reset| reset.value.into()),
            commit_mode: consumer.commit_mode.map_or(offsets.commit_mode, |mode| mode.value.into()),
            commit_point: consumer.commit_point.map_or(offsets.commit_point, |point| point.value.into()),
        },
        FetchSettings {
            fetch_min_bytes: bytes(consumer.fetch_min_bytes, fetch.fetch_min_bytes),
            fetch_max_bytes: bytes(consumer.fetch_max_bytes, fetch.fetch_max_bytes),
            fetch_max_wait: spanned(consumer.fetch_max_wait, fetch.fetch_max_wait),
            max_partition_fetch_bytes: bytes(consumer.max_partition_fetch_bytes, fetch.max_partition_fetch_bytes),
            max_poll_records: consumer.max_poll_records.map_or(fetch.max_poll_records, |count| count.value),
            isolation_level: consumer.isolation_level.map_or(fetch.isolation_level, |level| level.value.into()),
        },
    )
}
