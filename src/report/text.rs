//! The summary a person reads at a glance: first whether it is as expected, then each flow, the stations, the links, and
//! where all of it is from.

mod expectations;
mod flow;
mod guards;
mod places;
mod queues;
mod recovery;
mod theory;
mod topics;

use crate::base::time::Span;
use crate::experiment::{Cut, Results};

use super::style::{Role, Style, clean};
use super::total::Total;
use super::{VERSION, fingerprint, human, runs};

/// No line is wider, but for one whose names are.
pub(super) const WIDTH: usize = 100;

/// The whole summary; every line ends.
pub(super) fn summary(results: &Results, total: &Total, style: Style) -> String {
    let mut page = Page { text: String::new() };
    let variant = results.variant.as_ref().map(|variant| format!("  variant {}", clean(variant, 24)));
    let title = clean(&results.title, WIDTH - variant.as_ref().map_or(0, |variant| variant.chars().count()));
    page.line(&format!(
        "{}{}",
        style.paint(Role::Title, if title.is_empty() { "untitled" } else { &title }),
        style.paint(Role::Quiet, &variant.unwrap_or_default())
    ));
    page.block(expectations::lines(results, style));
    for flow in &total.flows {
        page.block(flow::lines(flow, results.count, style));
    }
    page.block(guards::lines(&total.flows, style));
    page.block(places::stations(&total.stations, style));
    page.block(queues::lines(&total.queues, &total.flows, style));
    page.block(topics::lines(&total.topics, &total.readers, style));
    page.block(places::links(&total.links, style));
    page.block(places::faults(&total.faults, style));
    page.block(recovery::lines(&total.flows, style));
    page.block(theory::lines(results, style));
    page.block(results.cut.iter().map(|cut| left_out(cut, style)).collect());
    page.block(vec![style.paint(Role::Quiet, &footer(results, total, &title))]);
    page.text
}

/// What was left out of the beginning, and whose latencies asked for how much.
fn left_out(cut: &Cut, style: Style) -> String {
    let time = |span: Span| human::time(span.as_nanos() as f64);
    let flows = cut.flows.iter().map(|(name, cut)| match cut {
        Some(cut) => format!("{} {}", clean(name, 40), time(*cut)),
        None => format!("{} does not settle in half of the load", clean(name, 40)),
    });
    let flows = flows.collect::<Vec<_>>().join(", ");
    let found = if flows.is_empty() { "no latency is known".into() } else { format!("MSER-5: {flows}") };
    format!("{}  {} left out of the beginning; {found}", style.paint(Role::Title, "Warm-up"), time(cut.length))
}

fn footer(results: &Results, total: &Total, title: &str) -> String {
    let simulated = human::time(total.simulated.as_nanos() as f64);
    let facts = [
        format!("seed {}", results.seed),
        runs(results),
        format!("v{VERSION}"),
        format!("digest {}", fingerprint(results)),
        format!("{simulated} simulated"),
        format!("{} events", human::number(total.events as f64)),
    ];
    let facts = facts.join(" · ");
    // The title takes what room is left.
    let room = WIDTH.saturating_sub(facts.chars().count() + 3);
    if room < 8 || title.is_empty() { facts } else { format!("{} · {facts}", clean(title, room)) }
}

struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Lines that stand together, after an empty one.
    fn block(&mut self, lines: Vec<String>) {
        if !lines.is_empty() {
            self.line("");
            lines.iter().for_each(|line| self.line(line));
        }
    }
}

/// Rows as columns: the first to the left, all others to the right, two spaces between.
pub(super) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let size = |row: &Vec<String>, column| row.get(column).map_or(0, |cell: &String| cell.chars().count());
    let widths: Vec<usize> =
        (0..count).map(|column| rows.iter().map(|row| size(row, column)).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("  {cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn plain(results: &Results) -> String {
        summary(results, &Total::of(&results.runs), Style::Plain)
    }

    /// To accept a change, run with `REHEARSAL_BLESS=1` after reading the difference.
    #[test]
    fn the_plain_summary_reads_like_this() {
        for (name, results, expected) in [
            ("exchange", fixture::exchange(), include_str!("text/exchange.txt")),
            ("replicated", fixture::replicated(), include_str!("text/replicated.txt")),
        ] {
            let found = plain(&results);
            if std::env::var_os("REHEARSAL_BLESS").is_some() {
                let path = format!("{}/src/report/text/{name}.txt", env!("CARGO_MANIFEST_DIR"));
                std::fs::write(path, &found).expect("the golden file can be written");
            } else {
                assert_eq!(found, expected, "{name}:\n{found}");
            }
        }
    }

    #[test]
    fn lines_are_not_too_wide() {
        for results in [fixture::exchange(), fixture::replicated(), fixture::empty(), fixture::hostile()] {
            let text = plain(&results);
            let wide = text.lines().find(|line| line.chars().count() > WIDTH);
            assert_eq!(wide, None);
        }
    }

    #[test]
    fn plain_has_no_escapes_and_ansi_says_the_same() {
        for results in [fixture::exchange(), fixture::hostile()] {
            let (plain, ansi) = (plain(&results), summary(&results, &Total::of(&results.runs), Style::Ansi));
            assert!(!plain.contains('\u{1b}'));
            assert!(ansi.contains('\u{1b}'));
            // Without `ESC [ … m`, and without spaces that were painted at the ends of lines, both are the same.
            let mut bare = String::new();
            for (index, part) in ansi.split('\u{1b}').enumerate() {
                bare.push_str(if index == 0 { part } else { part.split_once('m').expect("only colours").1 });
            }
            let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            assert_eq!(trimmed(&bare), trimmed(&plain));
        }
    }
}
