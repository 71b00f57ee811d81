//! Stories of a run for other tools: those of a sample of its messages, or all packets of a time.

use clap::Args;
use rehearsal::base::time::{Span, Time};
use rehearsal::experiment::{self, TraceError, Wish};
use rehearsal::metrics::story::Quest;
use rehearsal::report::trace::{self, Format, Origin};
use rehearsal::scenario::plan::Plan;

use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::output::Output;
use super::progress::ProgressLine;
use super::scenario::stopped;
use super::terminal::Terminal;
use super::trace::{Trace, is_good_news, nothing};

/// How much is written.
#[derive(Args, Debug)]
pub struct Extent {
    /// For formats for other tools: follow at most N messages, chosen by their names (all, or one in two, four and so on); 1,000 if
    /// nothing else is wished for
    #[arg(long, value_name = "N", value_parser = count, group = "wish")]
    pub sample: Option<usize>,
    /// For `pcapng`: take the first N packets of the whole run, instead of those of messages that are followed
    #[arg(long, value_name = "N", value_parser = count, group = "wish")]
    pub packets: Option<usize>,
    /// With `--packets`: begin at this time of the run
    #[arg(long, value_name = "TIME", requires = "packets")]
    pub from: Option<Span>,
    /// With `--packets`: end at this time of the run
    #[arg(long, value_name = "TIME", requires = "packets")]
    pub until: Option<Span>,
}

/// How many messages are followed where nothing is said about it.
const SAMPLE: usize = 1_000;

/// A number from 1 on.
fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it is a whole number from 1 on".into())
}

/// Plays a run of a plan, and writes what was asked for; without a wish of the user's, of a sample of its messages.
pub fn export(
    terminal: Terminal,
    args: &Trace,
    format: &Format,
    plan: &Plan,
    complain: impl Fn(&str, Exit) -> Exit,
) -> Result<(), Exit> {
    let extent = &args.extent;
    if extent.packets.is_some() && format.name != "pcapng" {
        return Err(complain("`--packets` needs `--format pcapng`", Exit::Wrong));
    }
    if extent.packets.is_some() && args.flow.is_some() {
        return Err(complain("`--packets` takes those of all flows: it has no use for `--flow`", Exit::Wrong));
    }
    if extent.packets.is_some() && extent.window().0 >= extent.window().1 {
        return Err(complain("no packet is taken: `--until` has to be later than `--from`", Exit::Wrong));
    }
    if args.all {
        return Err(complain("`--all` is for texts: formats for other tools hold every step", Exit::Wrong));
    }
    let output = Output::claim(terminal, args.output.as_deref(), args.force)?;
    let mut line = ProgressLine::new(terminal, &Files::stem(&args.file));
    let mut watch = |progress| {
        line.tell(experiment::Progress { run: 0, runs: 1, ..progress });
        interrupt::look()
    };
    let failed = |error| match error {
        TraceError::Run(error) => stopped(terminal, &args.file.display().to_string(), &error),
        error => complain(&error.to_string(), Exit::Wrong),
    };
    let rule = if let Some(most) = extent.packets {
        let captured = experiment::capture(plan, args.run, extent.window(), most, &mut watch);
        let captured = captured.map_err(|error| failed(error.into()))?;
        let origin = Origin::of(plan, args.run, trace::rule_of_packets(&captured));
        output.fill(|out| trace::write_packets(&origin, &captured, out))?;
        origin.rule
    } else {
        let wish = args.wish().unwrap_or_else(|| extent.wish());
        let traced = experiment::trace(plan, args.run, args.flow.as_deref(), &wish, &mut watch).map_err(failed)?;
        if traced.stories.is_empty() && !is_good_news(&wish, &traced) {
            return Err(complain(&nothing(&wish, &traced), Exit::Wrong));
        }
        let trace = trace::Trace::of(plan, args.run, &wish, &traced);
        output.fill(|out| format.write(&trace, out))?;
        trace.origin.rule
    };
    drop(line);
    let place = args.output.as_ref().map_or(String::new(), |path| format!(", in `{}`", path.display()));
    terminal.note(&format!("{rule}{place}"));
    Ok(())
}

impl Extent {
    /// Whether anything is said about it.
    pub fn is_said(&self) -> bool {
        self.sample.is_some() || self.packets.is_some()
    }

    /// The messages that are followed.
    pub fn wish(&self) -> Wish {
        Wish::Quest(Quest::Sample(self.sample.unwrap_or(SAMPLE)))
    }

    /// The time in which packets are taken.
    pub fn window(&self) -> (Time, Time) {
        let at = |span: Option<Span>, or: Time| span.map_or(or, |span| Time::ZERO + span);
        (at(self.from, Time::ZERO), at(self.until, Time::MAX))
    }
}
