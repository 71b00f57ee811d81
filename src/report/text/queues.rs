//! The queues of brokers.

use crate::metrics::QueueResult;
use crate::process::QueueFact;
use crate::report::human;
use crate::report::style::{Role, Style, clean};

use super::places::{table, words};

/// A row for each queue, and what became of those that nobody processed.
pub(super) fn lines(queues: &[QueueResult], style: Style) -> Vec<String> {
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
    lines.extend(table(words(&header), queues.iter().map(row).collect(), style));
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
    }
    lines
}
