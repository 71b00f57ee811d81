//! How a command ends.

use std::process::ExitCode;

/// How a command ended, the graver the later: of several, the gravest counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// All is well.
    Well,
    /// An expectation is undecided.
    Undecided,
    /// A *no*: an expectation failed, two runs differ.
    Failed,
    /// The command line or the scenario is wrong.
    Wrong,
    /// A file could not be read or written.
    File,
    /// The user stopped it.
    Interrupted,
    /// A defect of ours.
    Defect,
}

impl Exit {
    /// The number that the shell sees. A defect has that of a panic.
    pub fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Undecided => 3,
            Self::Failed => 1,
            Self::Wrong => 2,
            Self::File => 4,
            Self::Interrupted => 130,
            Self::Defect => 101,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_gravest_counts() {
        let order = [Exit::File, Exit::Wrong, Exit::Failed, Exit::Undecided, Exit::Well];
        assert_eq!(order.map(Exit::code), [4, 2, 1, 3, 0]);
        assert!(order.is_sorted_by(|graver, lighter| graver > lighter));
    }
}
