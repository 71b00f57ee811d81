//! A study whose points are changes of one scenario, as a design says: a sweep, or a tuning.

use std::path::Path;

use rehearsal::experiment::StudyError;
use rehearsal::scenario::design::{Design, Factor, Point as DesignPoint};
use rehearsal::scenario::document::Document;
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Mistakes, Overrides};

use super::exit::Exit;
use super::files::Files;
use super::interrupt;
use super::keep::{Knob, Planned};
use super::scenario::{Prepared, prepare, refuse, stopped};
use super::store::Point;
use super::terminal::Terminal;

/// What is asked of a design.
#[derive(Clone, Copy)]
pub enum Use {
    /// All that is known of each point.
    Sweep,
    /// Which of its points is best.
    Tuning,
}

/// A study of the points of a design.
pub struct Designed<'a> {
    pub terminal: Terminal,
    pub files: &'a Files,
    pub file: &'a Path,
    pub overrides: Overrides,
    pub base: Prepared,
    pub design: Design,
    pub points: Vec<DesignPoint>,
    pub is_for: Use,
}

impl Designed<'_> {
    /// Says what is wrong with it.
    pub fn complain(&self, message: &str, exit: Exit) -> Exit {
        self.terminal.complain(&format!("{}: {message}", self.file.display()));
        exit
    }

    /// The scenario at a point.
    fn prepare(&self, point: &DesignPoint) -> Result<Prepared, Mistakes> {
        let point = Some(point.clone());
        let prepared = match self.is_for {
            Use::Sweep => prepare(self.files, self.file, &Overrides { point, ..self.overrides.clone() }),
            Use::Tuning => prepare(self.files, self.file, &Overrides { candidate: point, ..self.overrides.clone() }),
        }?;
        Ok(match self.is_for {
            Use::Sweep => prepared,
            Use::Tuning => Prepared { plan: prepared.plan.for_tuning(), ..prepared },
        })
    }

    /// The plan of a point that was prepared before.
    pub fn plan_at(&self, point: &DesignPoint) -> Result<Plan, StudyError> {
        // A file that has changed since is a mistake that is not worth a word of its own.
        let prepared = self.prepare(point);
        let prepared =
            prepared.map_err(|mistakes| StudyError::Shelf(mistakes.render(self.terminal.mistake_style())))?;
        Ok(prepared.plan)
    }
}

/// Plans a scenario with every value of a list, and at both ends of every range, that sweeps and tunings of it vary.
pub fn try_ends(terminal: Terminal, files: &Files, file: &Path, overrides: &Overrides, base: &Prepared) -> Exit {
    let Document { design, tuned, .. } = &base.document;
    for (design, is_for) in [(design, Use::Sweep), (tuned, Use::Tuning)] {
        let Some(design) = design else { continue };
        if let Err(exit) = check(terminal, design, base) {
            return exit;
        }
        for point in design.ends(&base.texts) {
            let end = Some(point.clone());
            let at = match is_for {
                Use::Sweep => Overrides { point: end, ..overrides.clone() },
                Use::Tuning => Overrides { candidate: end, ..overrides.clone() },
            };
            if let Err(mistakes) = prepare(files, file, &at) {
                say_where(terminal, design, &point);
                return refuse(terminal, &mistakes);
            }
        }
    }
    Exit::Well
}

/// Refuses constraints that are about nothing.
pub fn check(terminal: Terminal, design: &Design, base: &Prepared) -> Result<(), Exit> {
    design
        .check(&base.texts)
        .map_err(|diagnostics| refuse(terminal, &Mistakes { diagnostics, texts: base.texts.clone() }))
}

/// Says at which point of a design something is wrong.
fn say_where(terminal: Terminal, design: &Design, point: &DesignPoint) {
    let labels = design.factors.iter().zip(design.labels(point));
    let labels = labels.map(|(factor, label)| format!("{} = {label}", factor.path));
    terminal.note(&format!("with {}:", labels.collect::<Vec<_>>().join(", ")));
}

impl Planned for Designed<'_> {
    fn base(&self) -> &Prepared {
        &self.base
    }

    /// What is wrong with any of them is said before the first is played.
    fn points(&self) -> Result<Vec<Point>, Exit> {
        let mut points = Vec::new();
        for point in &self.points {
            let prepared = self.prepare(point).map_err(|mistakes| {
                say_where(self.terminal, &self.design, point);
                refuse(self.terminal, &mistakes)
            })?;
            let point = Point::of(&prepared, self.design.labels(point).join(", "), self.files);
            points.push(point.map_err(|error| self.complain(&error.to_string(), Exit::File))?);
            if interrupt::look().is_break() {
                return Err(Exit::Interrupted);
            }
        }
        Ok(points)
    }

    fn knobs(&self) -> Vec<Knob> {
        let labels: Vec<_> = self.points.iter().map(|point| self.design.labels(point)).collect();
        let numbers: Vec<_> = self.points.iter().map(|point| self.design.numbers(point)).collect();
        let knob = |(place, factor): (usize, &Factor)| Knob {
            name: factor.path.clone(),
            labels: labels.iter().map(|labels| labels[place].clone()).collect(),
            numbers: numbers.iter().map(|numbers| numbers[place]).collect(),
            unit: factor.base_unit(),
        };
        self.design.factors.iter().enumerate().map(knob).collect()
    }

    fn base_plan(&self) -> Plan {
        match self.is_for {
            Use::Sweep => self.base.plan.clone(),
            Use::Tuning => self.base.plan.for_tuning(),
        }
    }

    fn plan(&self, point: u32) -> Result<(u32, Plan), StudyError> {
        Ok((point, self.plan_at(&self.points[point as usize])?))
    }

    fn stopped(&self, error: StudyError) -> Exit {
        match error {
            StudyError::Run(point, error) => {
                let setting = self.design.labels(&self.points[point as usize]).join(", ");
                stopped(self.terminal, &format!("{}, at {setting}", self.file.display()), &error)
            }
            StudyError::Shelf(error) => self.complain(&error, Exit::File),
        }
    }
}
