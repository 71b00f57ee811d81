//! How far a run has come: one line on the terminal, which goes when the run ends.

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
    /// The run that was seen last, and its events.
    current: (u32, u64),
    /// The events of all runs before it.
    earlier: u64,
}

impl ProgressLine {
    /// A line for what is called `name`; nothing is shown if nobody watches.
    pub fn new(terminal: Terminal, name: &str) -> Self {
        let name = name.chars().filter(|letter| !letter.is_control()).take(24).collect();
        Self { name, is_watched: terminal.is_watched, started: now(), shown: None, current: (0, 0), earlier: 0 }
    }

    /// Takes in how far it has come, and shows it if it is time to.
    pub fn tell(&mut self, progress: Progress) {
        if progress.run != self.current.0 {
            self.earlier += self.current.1;
        }
        self.current = (progress.run, progress.events);
        let now = now();
        let since = self.shown.unwrap_or(self.started);
        let pause = if self.shown.is_some() { PAUSE } else { PATIENCE };
        if !self.is_watched || now.duration_since(since) < pause {
            return;
        }
        self.shown = Some(now);
        let line = line(&self.name, &progress, self.earlier + progress.events, now.duration_since(self.started));
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r{line}\u{1b}[K").and_then(|()| err.flush());
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

/// The share of simulated time, how fast it goes, and how long it will still take. The drain counts as the end.
fn line(name: &str, progress: &Progress, events: u64, elapsed: Duration) -> String {
    let length = progress.end.as_nanos().max(1) as f64;
    let here = (progress.now.as_nanos() as f64 / length).min(1.0);
    let share = (f64::from(progress.run) + here) / f64::from(progress.runs.max(1));
    let seconds = elapsed.as_secs_f64();
    let rate = events as f64 / seconds.max(1e-9) / 1e6;
    let left = if share > 0.0 { format!(", {} left", span(seconds * (1.0 - share) / share)) } else { String::new() };
    let run =
        if progress.runs > 1 { format!(" run {} of {},", progress.run + 1, progress.runs) } else { String::new() };
    format!("{name}:{run} {:.0} %, {rate:.1} million events/s{left}", share * 100.0)
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
    use rehearsal::base::time::{Time, secs};

    /// Half of the second of two runs: three quarters took 3 s, the last one will take 1 s.
    #[test]
    fn the_line_says_how_much_is_left() {
        let at = |seconds| Time::ZERO + secs(seconds);
        let progress = Progress { run: 1, runs: 2, now: at(30), end: at(60), events: 2_000_000 };
        let line = line("a", &progress, 6_000_000, Duration::from_secs(3));
        assert_eq!(line, "a: run 2 of 2, 75 %, 2.0 million events/s, 1 s left");
        assert_eq!(span(3_725.0), "1 h 02 min");
    }
}
