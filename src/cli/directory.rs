//! A directory of results: written whole or not at all, and nothing of the user's is ever overwritten.
//!
//! The files are written into a sibling directory, which takes the wanted name once it is complete. What a run is going to
//! need is made before it is played, so that an hour of computing does not end at a name that cannot be written.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rehearsal::report::File;

/// What the reports of this version consist of, at the top of their directory.
const OURS: [&str; 26] = [
    "summary.json",
    "summary.csv",
    "timeline.csv",
    "latency.csv",
    "depth.csv",
    "attribution.csv",
    "lost.csv",
    "utilisation.csv",
    "theory.csv",
    "scenario.toml",
    "system.json",
    "report.html",
    "plots",
    "sweep.csv",
    "sweep.json",
    "sweep.txt",
    "compare.csv",
    "compare.json",
    "compare.txt",
    "times.csv",
    "tune.csv",
    "tune.json",
    "tune.txt",
    "best.toml",
    "stories.json",
    "stories",
];

/// A directory to be.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Where the files are written first.
    sibling: PathBuf,
    /// The directories above it that were made for it, outermost first.
    made: Vec<PathBuf>,
    is_complete: bool,
}

/// Why a directory cannot be had.
#[derive(Debug)]
pub enum Refusal {
    /// There are files in it already.
    Taken(PathBuf),
    /// There are files in it that no report has.
    Foreign(PathBuf),
    /// It is no directory.
    NoDirectory(PathBuf),
    /// It has no name, as `..` has none.
    Nameless(PathBuf),
    /// The system says no.
    System(PathBuf, io::Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(path) => {
                write!(
                    f,
                    "`{}` holds files already: name another directory, or `--force` to replace a report",
                    path.display()
                )
            }
            Self::Foreign(path) => {
                write!(f, "`{}` is no part of a report, and `--force` replaces nothing but reports", path.display())
            }
            Self::NoDirectory(path) => write!(f, "`{}` is not a directory", path.display()),
            Self::Nameless(path) => {
                write!(f, "`{}` cannot be written whole: name a directory inside it", path.display())
            }
            Self::System(path, error) => write!(f, "cannot write `{}`: {error}", path.display()),
        }
    }
}

impl Directory {
    /// Makes ready to write at `path`. A report that is there is replaced if `force` says so.
    pub fn claim(path: &Path, force: bool) -> Result<Self, Refusal> {
        Self::claim_where(path, force, |name| OURS.iter().any(|ours| name == *ours))
    }

    /// Makes ready to write pictures at `path`. Those that are there are replaced if `force` says so.
    pub fn claim_for_plots(path: &Path, force: bool) -> Result<Self, Refusal> {
        let is_picture = |name: &OsStr| Path::new(name).extension().is_some_and(|end| end == "svg" || end == "png");
        Self::claim_where(path, force, is_picture)
    }

    fn claim_where(path: &Path, force: bool, is_ours: impl Fn(&OsStr) -> bool) -> Result<Self, Refusal> {
        let system = |path: &Path| {
            let path = path.to_owned();
            move |error| Refusal::System(path, error)
        };
        let path = if path.exists() { path.canonicalize().map_err(system(path))? } else { path.into() };
        inspect(&path, force, is_ours)?;
        let name = path.file_name().ok_or_else(|| Refusal::Nameless(path.clone()))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let missing: Vec<_> =
            parent.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
        let mut directory = Self {
            sibling: parent.join(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id())),
            path: path.clone(),
            made: Vec::new(),
            is_complete: false,
        };
        for above in missing.into_iter().rev() {
            fs::create_dir(above).map_err(system(above))?;
            directory.made.push(above.into());
        }
        // What a killed process left that had our number.
        let _ = fs::remove_dir_all(&directory.sibling);
        fs::create_dir(&directory.sibling).map_err(system(&path))?;
        Ok(directory)
    }

    /// Writes the files, and gives the directory its name.
    pub fn fill(mut self, files: &[File]) -> Result<(), Refusal> {
        for file in files {
            let path = self.sibling.join(&file.name);
            let above = path.parent().expect("it lies in the sibling");
            let written = fs::create_dir_all(above).and_then(|()| fs::write(&path, &file.bytes));
            written.map_err(|error| Refusal::System(self.path.join(&file.name), error))?;
        }
        self.place().map_err(|error| Refusal::System(self.path.clone(), error))?;
        self.is_complete = true;
        Ok(())
    }

    /// Puts the sibling in the place of what is there: nothing, an empty directory, or a report to be replaced.
    fn place(&self) -> io::Result<()> {
        if !self.path.exists() {
            return fs::rename(&self.sibling, &self.path);
        }
        let aside = self.sibling.with_extension("replaced");
        fs::rename(&self.path, &aside)?;
        if let Err(error) = fs::rename(&self.sibling, &self.path) {
            fs::rename(&aside, &self.path)?;
            return Err(error);
        }
        fs::remove_dir_all(&aside)
    }
}

impl Drop for Directory {
    /// Leaves things as they were.
    fn drop(&mut self) {
        if !self.is_complete {
            let _ = fs::remove_dir_all(&self.sibling);
            for above in self.made.iter().rev() {
                let _ = fs::remove_dir(above);
            }
        }
    }
}

/// Refuses what must not be replaced.
fn inspect(path: &Path, force: bool, is_ours: impl Fn(&OsStr) -> bool) -> Result<(), Refusal> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(Refusal::NoDirectory(path.into())),
        Err(error) => return Err(Refusal::System(path.into(), error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| Refusal::System(path.into(), error))?;
        if !force {
            return Err(Refusal::Taken(path.into()));
        }
        if !is_ours(&entry.file_name()) {
            return Err(Refusal::Foreign(entry.path()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(content: &str) -> Vec<File> {
        let file = |name: &str| File { name: name.into(), bytes: content.into() };
        vec![file("summary.json"), file("plots/latency.svg")]
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_directory_is_there_whole_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/out");
        drop(Directory::claim(&path, false).unwrap());
        assert_eq!(names(home.path()), [""; 0]);
        let broken = [File { name: "x".into(), bytes: vec![] }, File { name: "x/y".into(), bytes: vec![] }];
        assert!(Directory::claim(&path, false).unwrap().fill(&broken).is_err());
        assert_eq!(names(home.path()), [""; 0]);
        Directory::claim(&path, false).unwrap().fill(&report("1")).unwrap();
        assert_eq!(names(&path), ["plots", "summary.json"]);
        assert_eq!(names(path.parent().unwrap()), ["out"]);
    }

    #[test]
    fn only_a_report_is_replaced_and_only_by_force() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("out");
        fs::create_dir(&path).unwrap();
        Directory::claim(&path, false).unwrap().fill(&report("1")).unwrap();
        assert!(matches!(Directory::claim(&path, false), Err(Refusal::Taken(_))));
        Directory::claim(&path, true).unwrap().fill(&report("2")).unwrap();
        assert_eq!(fs::read_to_string(path.join("summary.json")).unwrap(), "2");
        assert_eq!(names(home.path()), ["out"]);
        fs::write(path.join("diary.txt"), "mine").unwrap();
        assert!(matches!(Directory::claim(&path, true), Err(Refusal::Foreign(_))));
        assert!(matches!(Directory::claim(&path.join("diary.txt"), true), Err(Refusal::NoDirectory(_))));
        assert!(matches!(
            Directory::claim(&path.join("diary.txt/below"), true),
            Err(Refusal::NoDirectory(_) | Refusal::System(..))
        ));
        assert!(matches!(Directory::claim(Path::new("no/such/.."), true), Err(Refusal::Nameless(_))));
    }

    #[test]
    fn only_pictures_make_way_for_pictures() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("plots");
        let picture = |name: &str| vec![File { name: name.into(), bytes: vec![] }];
        Directory::claim_for_plots(&path, false).unwrap().fill(&picture("old.svg")).unwrap();
        assert!(matches!(Directory::claim_for_plots(&path, false), Err(Refusal::Taken(_))));
        Directory::claim_for_plots(&path, true).unwrap().fill(&picture("new.png")).unwrap();
        assert_eq!(names(&path), ["new.png"]);
        fs::write(path.join("notes.txt"), "mine").unwrap();
        assert!(matches!(Directory::claim_for_plots(&path, true), Err(Refusal::Foreign(_))));
    }
}
