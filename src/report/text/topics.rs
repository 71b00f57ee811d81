//! Topics, and the groups that read them.

use crate::metrics::{ReaderResult, TopicResult};
use crate::process::{GroupFact, TopicFact};
use crate::report::human;
use crate::report::style::{Role, Style, clean};

use super::queues::judged;
use super::table::{table, words};

/// A row for each topic and group, and what was lost and why.
pub(super) fn lines(topics: &[TopicResult], readers: &[ReaderResult], style: Style) -> Vec<String> {
    if topics.is_empty() {
        return Vec::new();
    }
    let title =
        |name: &str, what: &str| format!("{}  {}", style.paint(Role::Heading, name), style.paint(Role::Quiet, what));
    let rate = |count: u64, seconds: f64| {
        human::ratio(count as f64, seconds).map_or_else(|| human::NOTHING.into(), human::rate)
    };
    let row = |topic: &TopicResult| {
        let of = |fact| human::count(topic.book.of(fact));
        vec![
            clean(&topic.name, 20),
            rate(topic.book.of(TopicFact::Appended), topic.book.seconds),
            of(TopicFact::Deduplicated),
            of(TopicFact::Elections),
            of(TopicFact::UncleanElections),
            of(TopicFact::IsrShrinks),
            of(TopicFact::IsrExpands),
        ]
    };
    let mut lines = vec![title("Topics", "records written; how often leaders and replicas in sync changed")];
    let header = ["topic", "appended", "again", "elections", "unclean", "shrinks", "expands"];
    lines.extend(table(words(&header), topics.iter().map(row).collect(), style));
    const LOST: [TopicFact; 6] = [
        TopicFact::LostLeaderOnly,
        TopicFact::LostNeverAcknowledged,
        TopicFact::LostUnclean,
        TopicFact::CutUnanswered,
        TopicFact::NotEnoughReplicas,
        TopicFact::Leaderless,
    ];
    for topic in topics {
        for fact in LOST.into_iter().filter(|&fact| topic.book.of(fact) > 0) {
            let said = format!("{} {}", human::count(topic.book.of(fact)), fact.name());
            let why = style.paint(Role::Quiet, &format!("{}: {}", clean(&topic.name, 20), sentence(fact)));
            lines.push(format!("  {}  {why}", style.paint(Role::Bad, &said)));
        }
    }
    if readers.is_empty() {
        return lines;
    }
    lines.push(String::new());
    lines.push(title("Readers", "groups; lag: records that can be read and are not processed"));
    let header = ["group", "polled", "reread", "lag", "max", "rebalances", "revoked", "refused"];
    let row = |reader: &ReaderResult| {
        let of = |fact| human::count(reader.book.of(fact));
        vec![
            clean(&reader.name, 20),
            rate(reader.book.of(GroupFact::Polled), reader.book.seconds),
            of(GroupFact::Reread),
            human::number(reader.book.lag_mean()),
            human::count(reader.book.lag_max),
            of(GroupFact::Rebalances),
            of(GroupFact::Revoked),
            of(GroupFact::CommitsRefused),
        ]
    };
    lines.extend(table(words(&header), readers.iter().map(row).collect(), style));
    readers.iter().for_each(|reader| lines.extend(judged(&reader.name, &reader.custody, style)));
    lines
}

/// What a fact means, without its full stop.
fn sentence(fact: TopicFact) -> String {
    let whole = std::iter::once(fact.meaning()).chain(fact.definition().iter().map(|line| line.trim_ascii_start()));
    whole.collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}
