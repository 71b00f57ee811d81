//! The summary a person reads at a glance: first whether it is as expected, then each flow, the stations, the links, and
//! where all of it is from.

mod attribution;
mod compact;
mod expectations;
mod flow;
mod guards;
mod ladder;
mod over_time;
mod places;
mod queues;
mod recovery;
mod replay;
mod table;
mod theory;
mod topics;
mod wrap;

use crate::base::time::Span;
use crate::experiment::Cut;

use super::style::{Role, Style, clean, size};
use super::total::FlowTotal;
use super::{Report, VERSION, fingerprint, human, runs};

pub(super) use table::columns;

/// No summary is narrower.
const NARROWEST: usize = 40;

/// The whole summary; every line ends.
pub(super) fn full(report: &Report<'_>, style: Style) -> String {
    let mut page = Page::begin(report, style);
    let (results, total, style) = (report.results, &report.total, page.style);
    for flow in told(&total.flows) {
        page.block(flow::lines(flow, results.count, style));
    }
    page.block(attribution::lines(results, &told(&total.flows), style));
    page.block(attribution::causes(&total.flows, style));
    page.block(guards::lines(&total.flows, style));
    page.block(places::stations(&total.stations, style));
    page.block(queues::lines(&total.queues, &total.flows, style));
    page.block(topics::lines(&total.topics, &total.readers, style));
    page.block(places::links(&total.links, style));
    page.block(over_time::lines(results, total, style));
    page.block(places::faults(&total.faults, style));
    page.block(recovery::lines(&total.flows, style));
    page.block(theory::lines(results, style));
    page.block(results.cut.iter().map(|cut| left_out(cut, style)).collect());
    page.end(report)
}

/// Flows as they are told of: what clients ask for first, and then what services send for it.
fn told(flows: &[FlowTotal]) -> Vec<&FlowTotal> {
    let (of_clients, of_services): (Vec<_>, Vec<_>) = flows.iter().partition(|flow| flow.is_client);
    [of_clients, of_services].concat()
}

/// What matters most of it.
pub(super) fn compact(report: &Report<'_>, style: Style) -> String {
    let mut page = Page::begin(report, style);
    for flow in told(&report.total.flows) {
        page.block(compact::lines(flow, report.results, page.style));
    }
    page.end(report)
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

fn footer(report: &Report<'_>) -> String {
    let (results, total) = (report.results, &report.total);
    let facts = [
        format!("seed {}", results.seed),
        runs(results.count),
        format!("v{VERSION}"),
        format!("digest {}", fingerprint(results)),
        format!("{} simulated", human::time(total.simulated.as_nanos() as f64)),
        format!("{} events", human::number(total.events as f64)),
    ];
    facts.join(" · ")
}

/// A summary as far as it is written.
struct Page {
    style: Style,
    text: String,
}

impl Page {
    /// Title and expectations: what every summary begins with.
    fn begin(report: &Report<'_>, style: Style) -> Self {
        let style = Style { width: style.width.max(NARROWEST), ..style };
        let mut page = Self { style, text: String::new() };
        let results = report.results;
        let variant =
            results.variant.as_ref().map(|variant| format!("  variant {}", clean(variant, 24.min(style.width / 4))));
        let variant = variant.unwrap_or_default();
        let title = clean(&results.title, style.width.saturating_sub(size(&variant)).max(8));
        page.line(&format!(
            "{}{}",
            style.paint(Role::Title, if title.is_empty() { "untitled" } else { &title }),
            style.paint(Role::Quiet, &variant)
        ));
        page.block(expectations::lines(results, style));
        page
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Lines that stand together, after an empty one, none of them too wide.
    fn block(&mut self, lines: Vec<String>) {
        if !lines.is_empty() {
            self.line("");
            let width = self.style.width;
            lines.iter().flat_map(|line| wrap::wrapped(line.trim_end(), width)).for_each(|line| self.line(&line));
        }
    }

    /// Where all of it is from, and how it is played again: what every summary ends with.
    fn end(mut self, report: &Report<'_>) -> String {
        self.block(vec![self.style.paint(Role::Quiet, &footer(report))]);
        if let Some(command) = &report.command {
            replay::lines(report.results, command, self.style).iter().for_each(|line| self.line(line));
        }
        self.style.charset.write(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Results;
    use crate::report::{Charset, fixture};

    fn of(results: &Results, style: Style) -> String {
        let words = ["rehearsal", "run", "checkout.toml", "--seed", "42"];
        Report::from(results).replayed_by(words.map(Into::into).into()).text(style)
    }

    fn plain(results: &Results) -> String {
        of(results, Style::PLAIN)
    }

    fn fixtures() -> [Results; 7] {
        let (silent, brokered) = (fixture::silent(), fixture::brokered());
        [fixture::exchange(), fixture::replicated(), fixture::empty(), fixture::hostile(), silent, brokered, foreign()]
    }

    /// Letters that take two columns each.
    fn foreign() -> Results {
        let name = "注文サービス".repeat(9);
        let mut results = fixture::replicated();
        results.title.clone_from(&name);
        results.judgements = fixture::exchange().judgements;
        results.judgements[0].quantity.clone_from(&name);
        for run in &mut results.runs {
            run.flows.iter_mut().for_each(|flow| flow.caller.clone_from(&name));
            run.stations[0].name.clone_from(&name);
            run.faults[0].name.clone_from(&name);
        }
        results
    }

    /// To accept a change, run with `REHEARSAL_BLESS=1` after reading the difference.
    #[test]
    fn the_plain_summary_reads_like_this() {
        let narrow = Style { width: 60, ..Style::PLAIN };
        let ascii = Style { charset: Charset::Ascii, ..Style::PLAIN };
        let compact = |results: &Results, style| Report::from(results).compact(style);
        for (name, found, expected) in [
            ("exchange", plain(&fixture::exchange()), include_str!("text/exchange.txt")),
            ("replicated", plain(&fixture::replicated()), include_str!("text/replicated.txt")),
            ("narrow", of(&fixture::exchange(), narrow), include_str!("text/narrow.txt")),
            ("ascii", of(&fixture::exchange(), ascii), include_str!("text/ascii.txt")),
            ("compact", compact(&fixture::replicated(), Style::PLAIN), include_str!("text/compact.txt")),
        ] {
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
        for results in fixtures() {
            let report = Report::from(&results);
            for width in (40..=100).step_by(3) {
                let style = Style { width, ..Style::PLAIN };
                for text in [report.text(style), report.compact(style)] {
                    let wide = text.lines().find(|line| size(line) > width);
                    assert_eq!(wide, None, "{width}:\n{text}");
                }
            }
        }
    }

    #[test]
    fn ascii_has_no_other_characters_and_is_as_wide() {
        for results in fixtures() {
            let unicode = plain(&results);
            let ascii = of(&results, Style { charset: Charset::Ascii, ..Style::PLAIN });
            assert!(ascii.is_ascii(), "{ascii}");
            let sizes = |text: &str| text.lines().map(size).collect::<Vec<_>>();
            assert_eq!(sizes(&ascii), sizes(&unicode));
        }
    }

    /// Title, expectations with notes and warnings, three lines for each flow, footer; and empty lines between.
    #[test]
    fn the_compact_summary_has_three_lines_for_each_flow() {
        for results in fixtures() {
            let report = Report::from(&results);
            let (flows, width) = (report.total.flows.len(), Style::PLAIN.width);
            let text = report.compact(Style { width, ..Style::PLAIN });
            let warnings: usize = results.warnings.iter().map(|warning| warning.len() / 50 + 1).sum();
            let expectations = 2 + 3 * results.judgements.len() + warnings;
            assert!(text.lines().count() <= 1 + expectations + 4 * flows + 2, "{text}");
        }
    }

    #[test]
    fn plain_has_no_escapes_and_ansi_says_the_same() {
        for results in [fixture::exchange(), fixture::hostile()] {
            for width in [100, 60, 40] {
                let style = Style { width, ..Style::PLAIN };
                let (plain, ansi) = (of(&results, style), of(&results, Style { colour: true, ..style }));
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

    /// A report that nobody typed a command for has none.
    #[test]
    fn the_command_that_plays_it_again_is_the_last_line() {
        let mut results = fixture::replicated();
        assert!(!Report::from(&results).to_string().contains("replay"));
        assert!(plain(&results).ends_with("\nreplay  rehearsal run checkout.toml --seed 42\n"));
        results.judgements = fixture::exchange().judgements;
        results.judgements[1].broken_by = Some(2);
        assert!(plain(&results).ends_with("\nrun 2   rehearsal run checkout.toml --seed 42 --run 2\n"));
    }
}
