//! A story as a picture: a lane for each node, time downwards, an arrow for each copy on its way.

mod clock;
mod labels;
mod lanes;
mod strokes;

use crate::base::cause::Cause;
use crate::base::time::Time;
use crate::metrics::story::{Entry, What};
use crate::process::{Activity, Close, Exit, Leg, Outcome};
use crate::report::human;
use crate::report::story::{Flight, Landing, Stay, Staying, Told, closed, flights, stays};
use crate::report::style::clean;

use super::canvas::{Anchor, Canvas, Type};
use super::colour::{
    AXIS, BLACK, BLUE, Colour, GREEN, GREY, GRID, ORANGE, PURPLE, QUIET, SKY, VERMILION, WHITE, YELLOW,
};
use super::font;
use super::sheet::{self, HEAD, RIGHT, SMALL, WIDTH};
use clock::Clock;
use labels::Labels;
use lanes::{FIRST, Lanes};
use strokes::{along, arrow, cross, hatch, line, toward};

/// Where a story is from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::report) struct Origin<'a> {
    /// The scenario.
    pub title: &'a str,
    /// Its variant.
    pub variant: Option<&'a str>,
    /// Which run of it.
    pub played: String,
}

/// Where the first moment is.
const TOP: i32 = HEAD + 130;
/// Where the marks of the axis end.
const MARKS: i32 = 150;
/// Half the width of a bar.
const HALF: i32 = 12;
/// Bars that last at the same time stand so far beside each other.
const BESIDE: i32 = 30;
/// Words in the picture.
const WORD: Type = Type { size: 22, colour: BLACK };
const BAD: Type = Type { size: 22, colour: (170, 60, 0) };
const QUIETLY: Type = Type { size: 22, colour: QUIET };
const GOOD: Type = Type { size: 22, colour: (0, 110, 80) };

/// The picture of a story, as SVG.
pub(in crate::report) fn diagram(told: &Told<'_>, origin: &Origin<'_>) -> Vec<u8> {
    let story = told.story;
    let mut moments: Vec<Time> = story.entries.iter().map(|entry| entry.time).collect();
    moments.insert(0, story.root().due);
    moments.sort_unstable();
    let picture = Picture {
        told,
        lanes: Lanes::of(story, told.cast),
        clock: Clock::new(moments, TOP),
        flights: flights(story),
        stays: stays(story),
    };
    picture.draw(origin).svg()
}

struct Picture<'a> {
    told: &'a Told<'a>,
    lanes: Lanes,
    clock: Clock,
    flights: Vec<Flight>,
    stays: Vec<Stay>,
}

impl Picture<'_> {
    fn draw(&self, origin: &Origin<'_>) -> Canvas {
        let played = format!("{} · {}", self.told.why, origin.played);
        let height = (self.clock.bottom() + 90) / 2 * 2;
        let title = self.told.headline();
        let mut canvas = sheet::page((origin.title, origin.variant), &played, height, &title, &self.legend());
        let mut labels = Labels::default();
        self.axis(&mut canvas);
        self.heads(&mut canvas);
        let beside = self.bars(&mut canvas);
        for flight in &self.flights {
            self.fly(&mut canvas, flight, &mut labels);
        }
        self.cuts(&mut canvas, &mut labels);
        self.marks(&mut canvas, &mut labels);
        self.keepers(&mut canvas, &mut labels);
        for flight in &self.flights {
            self.name(&mut canvas, flight, &mut labels);
        }
        for (stay, x) in self.stays.iter().zip(beside) {
            self.length(&mut canvas, stay, x, &mut labels);
        }
        canvas
    }

    /// What the colours mean that are there.
    fn legend(&self) -> Vec<(String, Colour)> {
        let mut legend = Vec::new();
        let mut enter = |name: &str, colour| {
            let entry = (name.to_owned(), colour);
            if !legend.contains(&entry) {
                legend.push(entry);
            }
        };
        for flight in &self.flights {
            match flight.leg {
                Leg::Out => enter("message", BLACK),
                Leg::Reply | Leg::Ack => enter("answer", GREEN),
                Leg::Cancel => enter("taken back", GREY),
            }
        }
        if self.flights.iter().any(|flight| matches!(flight.landing, Landing::Dropped(..))) {
            enter("lost", VERMILION);
        }
        let mut kinds: Vec<Staying> = self.stays.iter().map(|stay| stay.staying).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.into_iter().for_each(|kind| enter(name_of(kind), colour_of(kind)));
        legend
    }

    /// The axis of time, to the left.
    fn axis(&self, canvas: &mut Canvas) {
        let due = self.told.story.root().due;
        let bottom = self.clock.bottom();
        let mut free = i32::MIN;
        // The last mark, and how it was written.
        let mut last = (due, String::new());
        for &(moment, y) in &self.clock.moments {
            let is_last = y == bottom;
            if y < free || (!is_last && bottom - y < 30) {
                continue;
            }
            canvas.line(vec![(MARKS + 12, y), (RIGHT, y)], GRID, 2);
            let whole = human::time(moment.since(due).as_nanos() as f64);
            // Where three digits do not tell it from the mark before, how much later it is.
            let label = if whole == last.1 {
                format!("+{}", human::time(moment.since(last.0).as_nanos() as f64))
            } else {
                whole.clone()
            };
            canvas.text((MARKS, y), &label, SMALL, Anchor::End);
            (last, free) = ((moment, whole), y + 30);
        }
    }

    /// Each node's name and its lane.
    fn heads(&self, canvas: &mut Canvas) {
        let is_narrow = self.lanes.names.len() > 5;
        let room = self.lanes.apart() * if is_narrow { 2 } else { 1 } - 24;
        for (lane, name) in self.lanes.names.iter().enumerate() {
            let x = self.lanes.x(lane);
            let y = if is_narrow && lane % 2 == 1 { HEAD + 66 } else { HEAD + 26 };
            let fitted = font::fit(name, WORD.size, room.min(2 * (WIDTH - 40 - x)) * 10 / 11);
            canvas.text((x, y), &fitted, WORD, Anchor::Middle);
            canvas.line(vec![(x, y + 20), (x, self.clock.bottom() + 30)], AXIS, 2);
        }
        // The message is its owner's from due to the end that it has for him.
        let story = self.told.story;
        let is_end = |what: &What| matches!(what, What::Confirmed | What::Closed { .. });
        let end = story.of_chapter(0).find(|entry| is_end(&entry.what)).map_or(story.end(), |entry| entry.time);
        let (from, to) = (self.clock.place(story.root().due), self.clock.place(end));
        canvas.block((FIRST - 4, from), (FIRST + 4, to), GREY);
    }

    /// What lasted at nodes; where each bar is.
    fn bars(&self, canvas: &mut Canvas) -> Vec<i32> {
        // Of each lane, until when each place beside it is taken.
        let mut taken: Vec<Vec<Time>> = vec![Vec::new(); self.lanes.names.len()];
        let mut places = Vec::with_capacity(self.stays.len());
        for stay in &self.stays {
            let taken = &mut taken[self.lanes.lane(stay.node)];
            let beside = taken.iter().position(|until| *until <= stay.from).unwrap_or(taken.len());
            match taken.get_mut(beside) {
                Some(until) => *until = stay.to,
                None => taken.push(stay.to),
            }
            let x = self.lanes.of_node(stay.node) + BESIDE * beside.min(3) as i32;
            places.push(x);
            if self.clock.hides(stay.from) && self.clock.hides(stay.to) {
                continue;
            }
            let (top, bottom) = (self.clock.place(stay.from), self.clock.place(stay.to));
            let colour = colour_of(stay.staying);
            match stay.staying {
                Staying::At(Activity::Awaiting) => canvas.block((x - 4, top), (x + 4, bottom), colour),
                Staying::HeldBack | Staying::BackOff | Staying::At(Activity::Queued | Activity::Asleep) => {
                    hatch(canvas, (x - HALF, top), (x + HALF, bottom), colour);
                }
                Staying::At(Activity::Worked | Activity::Stored) | Staying::Down => {
                    canvas.block((x - HALF, top), (x + HALF, bottom), colour);
                }
            }
        }
        places
    }

    /// Where a flight begins and ends in the picture, unless that is left out.
    fn way(&self, flight: &Flight) -> Option<((i32, i32), (i32, i32))> {
        let end = match flight.landing {
            Landing::Arrived(time) | Landing::Dropped(time, _) => time,
            Landing::UnderWay => self.told.story.end(),
        };
        if self.clock.hides(flight.left) && self.clock.hides(end) {
            return None;
        }
        let from = (self.lanes.of_node(flight.from), self.clock.place(flight.left));
        let mut to = (self.lanes.of_node(flight.to), self.clock.place(end));
        let is_on_the_way = match flight.landing {
            // What is lost is lost somewhere; it slants a little, as if it had gone on.
            Landing::Dropped(..) if end == flight.left => {
                to.1 += 30;
                true
            }
            Landing::Dropped(_, Cause::ReceiverDown) | Landing::Arrived(_) => false,
            Landing::Dropped(..) | Landing::UnderWay => true,
        };
        let to = if is_on_the_way { along(from, to, 55) } else { to };
        let aside = if from.0 < to.0 { HALF } else { -HALF };
        Some(match flight.landing {
            Landing::Arrived(_) if from.0 != to.0 => (from, (to.0 - aside, to.1)),
            _ => (from, to),
        })
    }

    fn fly(&self, canvas: &mut Canvas, flight: &Flight, labels: &mut Labels) {
        let Some((from, to)) = self.way(flight) else { return };
        let colour = match flight.leg {
            _ if matches!(flight.landing, Landing::Dropped(..)) => VERMILION,
            Leg::Out => BLACK,
            Leg::Reply | Leg::Ack => GREEN,
            Leg::Cancel => GREY,
        };
        let is_dashed = flight.leg != Leg::Out;
        if from.0 == to.0 {
            // From a lane to itself: a way round.
            let out = from.0 + 50;
            canvas.line(vec![from, (out, from.1), (out, to.1)], colour, 4);
            arrow(canvas, (out, to.1), (to.0 + HALF, to.1), colour, false);
            return;
        }
        match flight.landing {
            Landing::Arrived(_) => {
                arrow(canvas, from, to, colour, is_dashed);
                labels.keep_free(toward(to, from, 12), 12);
            }
            Landing::Dropped(..) => {
                line(canvas, from, to, colour, is_dashed);
                cross(canvas, to, colour);
                labels.keep_free(to, 16);
            }
            Landing::UnderWay => line(canvas, from, to, GREY, true),
        }
    }

    /// Says what a flight is.
    fn name(&self, canvas: &mut Canvas, flight: &Flight, labels: &mut Labels) {
        let Some((from, to)) = self.way(flight) else { return };
        let room = (self.lanes.apart() - 40).max((from.0 - to.0).abs() - 60);
        if let Landing::Dropped(_, cause) = flight.landing {
            let text = font::fit(cause.name(), BAD.size, room);
            let (x, y) = to;
            let beyond = if from.0 <= to.0 { ((x + 24, y), Anchor::Start) } else { ((x - 24, y), Anchor::End) };
            let places = [beyond, ((x, y + 34), Anchor::Middle), ((x, y - 34), Anchor::Middle)];
            labels.write(canvas, &text, BAD, &places);
        }
        let (texts, kind) = self.words(flight);
        // Above what goes out, and below what comes back.
        let beside = if flight.leg.is_answer() { 19 } else { -17 };
        let lift = |(x, y): (i32, i32)| ((x, y + beside), Anchor::Middle);
        let places = [50, 38, 62, 28, 72].map(|part| lift(along(from, to, part)));
        let fits = |text: &&String| font::length(text, kind.size) * 11 / 10 <= room;
        let _ = texts.iter().filter(fits).any(|text| labels.write(canvas, text, kind, &places));
    }

    /// What a flight is, in a few words and in fewer.
    fn words(&self, flight: &Flight) -> ([String; 2], Type) {
        let story = self.told.story;
        let same = |other: &&Flight| (other.chapter, other.leg) == (flight.chapter, Leg::Out);
        let has_several = self.flights.iter().filter(same).any(|other| other.attempt > 1);
        let number = if flight.chapter > 0 { format!("({}) ", flight.chapter) } else { String::new() };
        let owner = story.chapters[flight.chapter as usize].message.owner;
        let (what, kind) = match (flight.leg, flight.refusal) {
            (Leg::Out, _) if flight.from != owner => ("passed on".into(), WORD),
            (Leg::Out, _) if flight.chapter > 0 && flight.attempt <= 1 => {
                (clean(self.told.cast.flow(story.chapters[flight.chapter as usize].flow), 40), WORD)
            }
            (Leg::Out, _) if has_several => (format!("attempt {}", flight.attempt), WORD),
            (Leg::Out, _) => ("message".into(), WORD),
            (Leg::Reply | Leg::Ack, Some(Outcome::Cancelled)) => ("not begun".into(), QUIETLY),
            (Leg::Reply | Leg::Ack, Some(outcome)) => (format!("answer: {}", outcome.name()), BAD),
            (Leg::Reply, None) => ("answer".into(), GOOD),
            (Leg::Ack, None) => ("acknowledgement".into(), GOOD),
            (Leg::Cancel, _) => ("taken back".into(), QUIETLY),
        };
        ([format!("{number}{what}"), number.trim_end().into()], kind)
    }

    /// What owners know: to the left of the first lane, and beside the others if it is bad.
    fn marks(&self, canvas: &mut Canvas, labels: &mut Labels) {
        let story = self.told.story;
        let due = self.clock.place(story.root().due);
        let left = |y: i32, shift: i32| ((FIRST - 30, y + shift), Anchor::End);
        labels.write(canvas, "due", WORD, &[left(due, 0)]);
        for entry in story.entries.iter().filter(|entry| !self.clock.hides(entry.time)) {
            let (text, kind) = match entry.what {
                What::AttemptFailed if self.is_told_no(entry) => ("the answer is no", BAD),
                What::AttemptFailed => ("timed out", BAD),
                What::Confirmed => ("confirmed", GOOD),
                What::Closed { why: Close::Sent } => continue,
                What::Closed { why } => (closed(why).split(':').next().unwrap_or_default(), BAD),
                What::Down => ("goes down", BAD),
                _ => continue,
            };
            let (x, y) = (self.lanes.of_node(entry.node), self.clock.place(entry.time));
            if entry.chapter == 0 && x == FIRST {
                let text = font::fit(text, kind.size, (FIRST - MARKS - 60) * 10 / 11);
                labels.write(canvas, &text, kind, &[left(y, 0), left(y, 30), left(y, -30)]);
            } else if kind == BAD {
                let text = font::fit(text, kind.size, (self.lanes.apart() - 50).max(120) * 10 / 11);
                let right = |shift: i32| ((x + 24, y + shift), Anchor::Start);
                labels.write(canvas, &text, kind, &[right(24), right(-24), right(0)]);
            }
        }
    }

    /// Who keeps the message for others, who has it safe, and who reads it there.
    fn keepers(&self, canvas: &mut Canvas, labels: &mut Labels) {
        let mut before: Option<&Entry> = None;
        for entry in self.told.story.entries.iter().filter(|entry| !self.clock.hides(entry.time)) {
            let is_read = before.is_some_and(|before| {
                before.what == What::Duplicated && (before.time, before.node) == (entry.time, entry.node)
            });
            before = Some(entry);
            let text = match entry.what {
                What::Stored { .. } => "kept",
                What::Kept { .. } => "safe",
                What::Released { exit: Exit::Acknowledged, .. } => "acknowledged",
                What::Released { exit: Exit::HandedOn, .. } => "handed on",
                What::Released { exit: Exit::LetGo(_), .. } => "dropped",
                What::Received { .. } if is_read => "read",
                _ => continue,
            };
            let (x, y) = (self.lanes.of_node(entry.node), self.clock.place(entry.time));
            let kind = if text == "dropped" { BAD } else { QUIETLY };
            canvas.block((x - 8, y - 8), (x + 8, y + 8), kind.colour);
            let right = |shift: i32| ((x + 20, y + shift), Anchor::Start);
            labels.write(canvas, text, kind, &[right(0), right(26), right(-26)]);
        }
    }

    /// Says of a bar what it is and how long.
    fn length(&self, canvas: &mut Canvas, stay: &Stay, x: i32, labels: &mut Labels) {
        let (top, bottom) = (self.clock.place(stay.from), self.clock.place(stay.to));
        if bottom - top < 30 || self.clock.hides(stay.from) || self.clock.hides(stay.to) {
            return;
        }
        let length = human::time(stay.to.since(stay.from).as_nanos() as f64);
        let text = match stay.staying {
            Staying::At(Activity::Awaiting) => return,
            Staying::Down => "down".into(),
            staying => format!("{} {length}", name_of(staying)),
        };
        let room = (self.lanes.apart() - 40).max(80);
        let right = |y: i32| ((x + 22, y), Anchor::Start);
        let places = [right((top + bottom) / 2), right(top + 20), right(bottom - 20)];
        let fits = |text: &&String| font::length(text, SMALL.size) * 11 / 10 <= room;
        let _ = [text, length].iter().filter(fits).any(|text| labels.write(canvas, text, SMALL, &places));
    }

    /// Whether an attempt came to nothing because of an answer that has just come.
    fn is_told_no(&self, failed: &Entry) -> bool {
        let mut of = self.told.story.of_chapter(failed.chapter);
        of.any(|entry| {
            (entry.time, entry.node) == (failed.time, failed.node)
                && matches!(entry.what, What::Delivered { leg, .. } if leg.is_answer())
        })
    }

    /// Silences that are cut short, and the middle that is left out.
    fn cuts(&self, canvas: &mut Canvas, labels: &mut Labels) {
        let silences = self
            .clock
            .silences
            .iter()
            .map(|&(y, length)| (y, format!("{} pass", human::time(length.as_nanos() as f64))));
        let left_out = self
            .clock
            .left_out
            .iter()
            .map(|&(y, moments)| (y, format!("{} moments left out", human::count(moments as u64))));
        for (y, text) in silences.chain(left_out) {
            canvas.block((MARKS + 12, y - 7), (RIGHT, y + 7), WHITE);
            for edge in [y - 8, y + 8] {
                let teeth = (MARKS + 12..=RIGHT).step_by(24).enumerate();
                let points = teeth.map(|(index, x)| (x, edge + if index % 2 == 0 { -5 } else { 5 }));
                canvas.line(points.collect(), GREY, 2);
            }
            labels.write(canvas, &text, SMALL, &[((MARKS + 20, y), Anchor::Start)]);
            labels.keep_line_free(y, 12);
        }
    }
}

/// What a bar is called.
fn name_of(staying: Staying) -> &'static str {
    match staying {
        Staying::HeldBack => "held back",
        Staying::BackOff => "back-off",
        Staying::At(Activity::Queued) => "queue",
        Staying::At(Activity::Worked) => "work",
        Staying::At(Activity::Asleep) => "sleep",
        Staying::At(Activity::Awaiting) => "waits for others",
        Staying::At(Activity::Stored) => "disk",
        Staying::Down => "down",
    }
}

fn colour_of(staying: Staying) -> Colour {
    match staying {
        Staying::HeldBack => YELLOW,
        Staying::BackOff => GREY,
        Staying::At(Activity::Queued) => ORANGE,
        Staying::At(Activity::Worked) => BLUE,
        Staying::At(Activity::Asleep) => PURPLE,
        Staying::At(Activity::Awaiting) => SKY,
        Staying::At(Activity::Stored) => PURPLE,
        Staying::Down => (120, 120, 120),
    }
}

#[cfg(test)]
mod tests;
