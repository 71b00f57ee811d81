//! The queues of brokers.

use crate::metrics::{CustodyBook, QueueResult};
use crate::process::{Loss, QueueFact};
use crate::report::human;
use crate::report::style::{Role, Style, clean};
use crate::report::total::FlowTotal;

use super::table::{ranked, words};

/// A row for each queue, and what became of those that nobody processed.
pub(super) fn lines(queues: &[QueueResult], flows: &[FlowTotal], style: Style) -> Vec<String> {
    if queues.is_empty() {
        return Vec::new();
    }
    let header = ["queue", "published", "delivered", "again", "acknowledged", "ready", "max", "unacked", "max"];
    let row = |queue: &QueueResult| {
        let book = &queue.book;
        let rate = |fact| {
            let rate = human::ratio(book.of(fact) as f64, book.seconds);
            rate.map_or_else(|| human::NOTHING.into(), human::rate)
        };
        vec![
            clean(&queue.name, 20),
            rate(QueueFact::Published),
            rate(QueueFact::Delivered),
            rate(QueueFact::Redelivered),
            rate(QueueFact::Acknowledged),
            human::number(book.ready_mean()),
            human::count(book.ready_max.into()),
            human::number(book.unacked_mean()),
            human::count(book.unacked_max.into()),
        ]
    };
    let mut lines = vec![format!(
        "{}  {}",
        style.paint(Role::Heading, "Queues"),
        style.paint(Role::Quiet, "messages that wait, and that consumers have and have not acknowledged")
    )];
    lines.extend(ranked(words(&header), queues.iter().map(row).collect(), &[3, 8, 7, 6, 4], style));
    const BAD: [QueueFact; 6] = [
        QueueFact::Refused,
        QueueFact::DiedRejected,
        QueueFact::DiedExpired,
        QueueFact::DiedMaxLen,
        QueueFact::DiedDeliveryLimit,
        QueueFact::DeadLettered,
    ];
    for queue in queues {
        let happened = BAD.into_iter().filter(|&fact| queue.book.of(fact) > 0);
        let happened = happened.map(|fact| format!("{} {}", human::count(queue.book.of(fact)), fact.name()));
        for some in happened.collect::<Vec<_>>().chunks(3) {
            lines.push(format!("  {}: {}", clean(&queue.name, 20), style.paint(Role::Bad, &some.join(", "))));
        }
        lines.extend(judged(&queue.name, &queue.custody, style));
    }
    // What was lost before any queue had it, and could have gone to one or another.
    for &why in Loss::ALL {
        let at_queues: u64 = queues.iter().map(|queue| queue.custody.lost.of(why)).sum();
        let count = flows.iter().map(|flow| flow.losses.of(why)).sum::<u64>().saturating_sub(at_queues);
        if count > 0 {
            let what = style.paint(Role::Bad, &format!("{} messages", human::count(count)));
            lines.push(format!("  for no queue in particular: {what} {}", sentence(why)));
        }
    }
    lines
}

/// What was lost, by which setting; what was seen twice, or in another order.
pub(super) fn judged(name: &str, custody: &CustodyBook, style: Style) -> Vec<String> {
    let said = |count: u64, what: &str| (count > 0).then(|| format!("{} {what}", human::count(count)));
    let seen = [
        said(custody.duplicates, "duplicates received"),
        said(custody.repeated, "processed again"),
        said(custody.out_of_order, "out of order"),
    ];
    let seen: Vec<_> = seen.into_iter().flatten().collect();
    let mut lines = Vec::new();
    if !seen.is_empty() {
        lines.push(format!("  {}: {}", clean(name, 20), seen.join(", ")));
    }
    for (why, count) in custody.lost.happened() {
        let of_them = match custody.confirmed_lost.of(why) {
            0 => String::new(),
            confirmed if confirmed == count => " confirmed".into(),
            confirmed => format!(" ({} of them confirmed)", human::count(confirmed)),
        };
        let messages = if of_them == " confirmed" { " confirmed messages" } else { " messages" };
        let of_them = if of_them == " confirmed" { "" } else { &of_them };
        let what = style.paint(Role::Bad, &format!("{}{messages}{of_them}", human::count(count)));
        lines.push(format!("  {}: {what} {}", clean(name, 20), sentence(why)));
    }
    lines
}

/// Why messages were lost, as the end of a sentence, and the key that allowed it.
fn sentence(why: Loss) -> String {
    let meaning = why.meaning().trim_end_matches('.');
    let (first, rest) = meaning.split_at(1);
    let settings = why.setting().replace(", ", "` or `");
    let setting = if settings.is_empty() { String::new() } else { format!(" (`{settings}`)") };
    format!("{}{rest}{setting}", first.to_lowercase())
}
