//! By priority: the least urgent first.

use super::{Arriving, Shed};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Turns away the least urgent first: from each number of waiting requests on, only those of a certain priority are let in. What
    /// matters most still gets through when there is too much of everything. It needs callers that say how urgent their requests
    /// are (`priority` beside a step), and does nothing for the urgent when there are too many of them.
    pub struct PriorityLevelsSettings = "priority-levels",
        "Google, Site Reliability Engineering, 2016, chapter 21 (criticality)" {
        /// Pairs: from so many waiting on, only requests of this priority or a higher one are let in.
        levels: Vec<(u32, u32)>, alone = vec![(10, 1), (100, 5)],
    }
}

impl Settings for PriorityLevelsSettings {
    fn check(&self) -> Result<(), String> {
        if self.levels.is_empty() {
            return Err("needs a level".into());
        }
        if self.levels.iter().any(|&(waiting, _)| waiting == 0) {
            return Err("would turn away from an idle server: begin with one that waits".into());
        }
        if !self.levels.is_sorted_by(|one, other| one.0 < other.0 && one.1 < other.1) {
            return Err("needs levels that rise, in both numbers".into());
        }
        match self.levels.iter().find(|&&(_, priority)| priority > u8::MAX.into()) {
            Some((_, priority)) => Err(format!("knows priorities up to 255, not {priority}")),
            None => Ok(()),
        }
    }
}

/// From which length on which priority is needed.
#[derive(Clone, Debug)]
pub struct PriorityLevels(Vec<(u32, u32)>);

impl PriorityLevels {
    /// What the settings say.
    pub fn new(settings: &PriorityLevelsSettings) -> Self {
        Self(settings.levels.clone())
    }
}

impl Shed for PriorityLevels {
    fn admits(&mut self, arriving: &Arriving, _: impl Fn() -> Uniform) -> bool {
        let reached = self.0.iter().rev().find(|&&(waiting, _)| arriving.waiting >= waiting);
        reached.is_none_or(|&(_, needed)| u32::from(arriving.priority) >= needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_urgent_go_first() {
        let mut shed = PriorityLevels::new(&PriorityLevelsSettings::default());
        let mut asked = |waiting, priority| {
            let arriving = Arriving { waiting, busy: 1, workers: Some(1), priority, left: None };
            shed.admits(&arriving, || unreachable!("it needs no luck"))
        };
        assert_eq!([(9, 0), (10, 0), (10, 1), (99, 1)].map(|(w, p)| asked(w, p)), [true, false, true, true]);
        assert_eq!([(100, 1), (100, 4), (100, 5), (9_999, 255)].map(|(w, p)| asked(w, p)), [false, false, true, true]);
    }

    #[test]
    fn levels_have_to_rise() {
        let check = |levels: &[(u32, u32)]| PriorityLevelsSettings { levels: levels.to_vec() }.check();
        assert!(check(&[(10, 1), (20, 2)]).is_ok());
        for levels in [&[][..], &[(0, 1)], &[(10, 1), (10, 2)], &[(10, 2), (20, 2)], &[(10, 256)]] {
            assert!(check(levels).is_err(), "{levels:?}");
        }
    }
}
