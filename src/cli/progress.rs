//! How far a run has come: one line on the terminal, which goes when the run ends.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use rehearsal::experiment::Progress;

use super::terminal::Terminal;

/// Shorter runs show nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two lines.
const PAUSE: Duration = Duration::from_millis(100);

/// The line. It is cleared when this is dropped.
pub struct ProgressLine {
    name: String,
    is_watched: bool,
    started: Instant,
    shown: Option<Instant>,
    /// How many runs there are, where what plays them does not know.
    most: Option<u64>,
    /// The runs under way.
    under_way: BTreeMap<u32, Progress>,
    /// How many are over, and their events.
    over: (u32, u64),
}

impl ProgressLine {
    /// A line for what is called `name`; nothing is shown if nobody watches.
    pub fn new(terminal: Terminal, name: &str) -> Self {
        let name = name.chars().filter(|letter| !letter.is_control()).take(24).collect();
        Self {
            name,
            is_watched: terminal.is_watched,
            started: now(),
            shown: None,
            most: None,
            under_way: BTreeMap::new(),
            over: (0, 0),
        }
    }

    /// A line for a study of so many runs at the most.
    pub fn of_study(terminal: Terminal, name: &str, most: u64) -> Self {
        let mut line = Self::new(terminal, name);
        line.most = Some(most);
        line
    }

    /// Takes in how far it has come, and shows it if it is time to.
    pub fn tell(&mut self, progress: Progress) {
        if progress.is_over {
            self.under_way.remove(&progress.run);
            self.over = (self.over.0 + 1, self.over.1 + progress.events);
        } else {
            self.under_way.insert(progress.run, progress);
        }
        let now = now();
        let since = self.shown.unwrap_or(self.started);
        let pause = if self.shown.is_some() { PAUSE } else { PATIENCE };
        if !self.is_watched || now.duration_since(since) < pause {
            return;
        }
        self.shown = Some(now);
        let runs = self.most.unwrap_or(progress.runs.into());
        let line = self.line(runs, now.duration_since(self.started));
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r{line}\u{1b}[K").and_then(|()| err.flush());
    }

    /// The share of simulated time, how fast it goes, and how long it will still take. The drain counts as the end.
    fn line(&self, runs: u64, elapsed: Duration) -> String {
        let (over, events) = self.over;
        let part = |run: &Progress| (run.now.as_nanos() as f64 / run.end.as_nanos().max(1) as f64).min(1.0);
        let done = f64::from(over) + self.under_way.values().map(part).sum::<f64>();
        let share = (done / runs.max(1) as f64).min(1.0);
        let events = events + self.under_way.values().map(|run| run.events).sum::<u64>();
        let seconds = elapsed.as_secs_f64();
        let rate = events as f64 / seconds.max(1e-9) / 1e6;
        let left =
            if share > 0.0 { format!(", {} left", span(seconds * (1.0 - share) / share)) } else { String::new() };
        let of = if runs > 1 { format!(" {over} of {runs} runs,") } else { String::new() };
        format!("{}:{of} {:.0} %, {rate:.1} million events/s{left}", self.name, share * 100.0)
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\u{1b}[K").and_then(|()| err.flush());
        }
    }
}

/// A length of time in a person's words.
fn span(seconds: f64) -> String {
    let whole = seconds.ceil() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the command line")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::look::{Charset, Color};
    use rehearsal::base::time::{Time, secs};

    /// One of two runs is over and half of the other: three quarters took 3 s, the last one will take 1 s.
    #[test]
    fn the_line_says_how_much_is_left() {
        let at = |seconds| Time::ZERO + secs(seconds);
        let over = Progress { run: 1, runs: 2, now: at(61), end: at(60), events: 4_000_000, is_over: true };
        let half = Progress { run: 0, now: at(30), events: 2_000_000, is_over: false, ..over };
        let mut line = ProgressLine::new(Terminal::new(Color::Never, Charset::Auto), "a");
        [half, over].into_iter().for_each(|progress| line.tell(progress));
        let said = line.line(2, Duration::from_secs(3));
        assert_eq!(said, "a: 1 of 2 runs, 75 %, 2.0 million events/s, 1 s left");
        assert_eq!(span(3_725.0), "1 h 02 min");
    }
}
