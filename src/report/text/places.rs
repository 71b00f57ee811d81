//! Stations, links and faults.

use crate::metrics::Histogram;
use crate::network::Cause;
use crate::report::human;
use crate::report::style::{Role, Style, clean};
use crate::report::total::{FaultTotal, LinkTotal, StationTotal};

use super::table::{ranked, table, words};

fn or_nothing(value: Option<f64>, written: fn(f64) -> String) -> String {
    value.map_or_else(|| human::NOTHING.into(), written)
}

fn times(histogram: &Histogram) -> [String; 2] {
    [or_nothing(histogram.mean(), human::time), or_nothing(histogram.quantile(0.99), human::time)]
}

pub(super) fn stations(stations: &[StationTotal], style: Style) -> Vec<String> {
    if stations.is_empty() {
        return Vec::new();
    }
    let header = ["station", "workers", "arrived", "served", "busy", "waiting", "max", "wait", "p99", "stay", "p99"];
    let row = |station: &StationTotal| {
        let book = &station.book;
        let workers = station.workers.map_or_else(|| human::FOREVER.into(), |workers| workers.to_string());
        let busy = match station.utilisation() {
            Some(share) => format!("{:.1}%", share * 100.0),
            None => or_nothing(station.busy_mean(), human::number),
        };
        let mut cells = vec![
            clean(&station.name, 20),
            format!("{}×{workers}", book.nodes),
            or_nothing(station.rate(book.arrived), human::rate),
            or_nothing(station.rate(book.served), human::rate),
            busy,
            or_nothing(station.waiting_mean(), human::number),
            human::count(book.waiting_max.into()),
        ];
        cells.extend(times(&book.wait).into_iter().chain(times(&book.residence)));
        cells
    };
    let mut lines = vec![format!(
        "{}  {}",
        style.paint(Role::Heading, "Stations"),
        style.paint(Role::Quiet, "nodes × workers; waiting per node; wait in the queue, stay with the work")
    )];
    lines.extend(ranked(words(&header), stations.iter().map(row).collect(), &[1, 6, 3, 2, 5], style));
    for station in stations {
        let turned_away = station.turned_away().into_iter().map(|(why, count)| (why.name(), count)).collect::<Vec<_>>();
        for (what, requests) in [("turned away", turned_away), ("ended badly", station.ended_badly())] {
            if !requests.is_empty() {
                let name = clean(&station.name, 20);
                let each = requests.iter().map(|(why, count)| format!("{} {why}", human::count(*count)));
                // Three of them fit into a line, however many there were.
                for each in each.collect::<Vec<_>>().chunks(3) {
                    lines.push(format!("  {name} {what}: {}", style.paint(Role::Bad, &each.join(", "))));
                }
            }
        }
        if station.book.outbox_max > 0 {
            let (mean, max) = (human::number(station.book.outbox_mean()), human::count(station.book.outbox_max.into()));
            lines.push(format!("  {} outbox: {mean} messages per node, {max} at most", clean(&station.name, 20)));
        }
        let sagas = &station.book.sagas;
        if sagas.begun > 0 {
            let name = clean(&station.name, 20);
            let [begun, completed, compensated, compensations] =
                [sagas.begun, sagas.completed, sagas.compensated, sagas.compensations].map(human::count);
            lines.push(format!(
                "  {name} sagas: {begun} begun, {completed} completed, {compensated} compensated; {compensations} compensations"
            ));
            if sagas.half_done() > 0 {
                let half_done = format!("{} half done", human::count(sagas.half_done()));
                let [forgotten, open] = [sagas.forgotten, sagas.half_done() - sagas.forgotten].map(human::count);
                let half_done = style.paint(Role::Bad, &half_done);
                lines.push(format!(
                    "  {name} sagas: {half_done}: {forgotten} left by crashes, {open} still open at the end"
                ));
            }
        }
        if station.book.outbox_refused > 0 {
            let again = format!("{} times, and published again", human::count(station.book.outbox_refused));
            let name = clean(&station.name, 20);
            lines
                .push(format!("  {name} outbox: refused or returned by the broker {}", style.paint(Role::Bad, &again)));
        }
        if station.book.forgotten > 0 {
            let lost = format!("{} that were confirmed", human::count(station.book.forgotten));
            lines.push(format!("  {} lost in crashes: {}", clean(&station.name, 20), style.paint(Role::Bad, &lost)));
        }
    }
    lines
}

pub(super) fn links(links: &[LinkTotal], style: Style) -> Vec<String> {
    if links.is_empty() {
        return Vec::new();
    }
    let causes: Vec<Cause> =
        Cause::ALL.into_iter().filter(|&cause| links.iter().any(|link| link.book.dropped_for(cause) > 0)).collect();
    let mut header = words(&["link", "sent", "duplicated", "carried", "share"]);
    header.extend(causes.iter().map(|cause| cause.name().into()));
    header.push("in-flight".into());
    let has_streams = links.iter().any(|link| link.book.segments.sent > 0);
    if has_streams {
        header.extend(words(&["segments", "again"]));
    }
    let row = |link: &LinkTotal| {
        let book = &link.book;
        let copies = book.sent + book.duplicated;
        let mut cells = vec![
            clean(&link.name, 24),
            human::count(book.sent),
            human::count(book.duplicated),
            human::count(book.delivered),
            or_nothing(human::ratio(book.delivered as f64, copies as f64), human::share),
        ];
        cells.extend(causes.iter().map(|&cause| human::count(book.dropped_for(cause))));
        cells.push(human::count(book.in_flight()));
        if has_streams {
            let again = human::ratio(book.segments.retransmitted as f64, book.segments.sent as f64);
            cells.extend([human::count(book.segments.sent), or_nothing(again, human::share)]);
        }
        cells
    };
    let about = "copies of the whole run, warm-up and drain included";
    let mut lines = vec![format!("{}  {}", style.paint(Role::Heading, "Links"), style.paint(Role::Quiet, about))];
    let in_flight = 5 + causes.len();
    lines.extend(ranked(header, links.iter().map(row).collect(), &[in_flight, 2, 3], style));
    lines
}

pub(super) fn faults(faults: &[FaultTotal], style: Style) -> Vec<String> {
    if faults.is_empty() {
        return Vec::new();
    }
    let row = |fault: &FaultTotal| {
        let book = &fault.book;
        let mut cells = vec![clean(&fault.name, 24), fault.kind.into()];
        cells.extend([book.strikes, book.nodes, book.messages, book.timers].map(human::count));
        cells
    };
    let about = "what each of them touched: messages and timers that were lost or delayed";
    let mut lines = vec![format!("{}  {}", style.paint(Role::Heading, "Faults"), style.paint(Role::Quiet, about))];
    let header = words(&["fault", "kind", "strikes", "nodes", "messages", "timers"]);
    let rows = table(header, faults.iter().map(row).collect(), style);
    // The first is the header.
    let is_idle = std::iter::once(false).chain(faults.iter().map(|fault| fault.book.is_idle()));
    lines.extend(rows.into_iter().zip(is_idle).map(|(row, is_idle)| match is_idle {
        true => format!("{row}  {}", style.paint(Role::Unsure, "touched nothing")),
        false => row,
    }));
    lines
}
