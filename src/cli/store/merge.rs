//! Shards of a study, put together.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rehearsal::experiment::{Cut, Record, Shard, Shelf};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::error::told;
use super::{FORM, Point, Store, Study, TABLES, VERSION, answers as packed, differs, fingerprint, shard_of_file};
use crate::cli::ask::Ask;
use crate::cli::exit::Exit;
use crate::cli::files::Files;

/// What all shards of a study agree about, in the order in which it is worth saying.
const AGREED: [&str; 5] = ["form", "version", "seed", "scenario", "points"];

/// The file of a shard.
pub struct Part {
    /// Where it is.
    pub path: PathBuf,
    /// The directory that was named.
    pub directory: PathBuf,
    /// Which shard it is.
    pub shard: Shard,
    /// What was asked.
    pub ask: Ask,
    about: BTreeMap<String, String>,
}

/// Why shards cannot be put together.
#[derive(Debug)]
pub struct Refusal {
    /// How that ends.
    pub exit: Exit,
    /// What is said about it.
    pub message: String,
}

impl Refusal {
    pub(super) fn unreadable(path: &Path, error: &dyn fmt::Display) -> Self {
        Self { exit: Exit::File, message: format!("cannot read `{}`: {error}", path.display()) }
    }

    pub(super) fn wrong(message: String) -> Self {
        Self { exit: Exit::Wrong, message }
    }
}

/// The shards in these directories, all of one study: by their numbers, and one that is there several times in the order of the
/// directories.
pub fn parts(directories: &[PathBuf]) -> Result<Vec<Part>, Refusal> {
    let mut parts = Vec::new();
    for directory in directories {
        let unreadable = |error| Refusal::unreadable(directory, &error);
        let before = parts.len();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if let Some(shard) = shard_of_file(&name.to_string_lossy()) {
                parts.push(Part::read(directory, directory.join(&name), shard)?);
            }
        }
        if parts.len() == before {
            let message = format!("`{}` holds no shard of a study", directory.display());
            return Err(Refusal::wrong(message));
        }
    }
    parts.sort_by_key(|part| part.shard);
    let Some((first, others)) = parts.split_first() else { return Ok(parts) };
    for other in others {
        first.refuse_other(other)?;
    }
    Ok(parts)
}

impl Part {
    fn read(directory: &Path, path: PathBuf, shard: Shard) -> Result<Self, Refusal> {
        let unreadable = |error: &dyn fmt::Display| Refusal::unreadable(&path, error);
        let connection = connect(&path).map_err(|error| unreadable(&error))?;
        let about = Store::about(&connection).map_err(|error| unreadable(&told(&error)))?;
        for (key, own) in [("form", FORM.to_string()), ("version", VERSION.to_owned())] {
            if let Some(known) = about.get(key).filter(|known| **known != own) {
                return Err(Refusal::wrong(format!("`{}` holds {}", path.display(), differs(key, known))));
            }
        }
        let is_whole = AGREED.iter().all(|key| about.contains_key(*key));
        let ask = about.get("ask").filter(|_| is_whole && about.get("shard") == Some(&shard.to_string()));
        let ask = ask.ok_or_else(|| unreadable(&"it is no shard of a study, or was stopped before it began"))?;
        let ask = serde_json::from_str(ask).map_err(|error| unreadable(&error))?;
        Ok(Self { directory: directory.into(), shard, ask, about, path })
    }

    /// Refuses a shard of another study.
    fn refuse_other(&self, other: &Self) -> Result<(), Refusal> {
        let both = format!("`{}` and `{}`", self.path.display(), other.path.display());
        let wrong = |message: String| Err(Refusal::wrong(format!("{both} are no shards of one study: {message}")));
        if self.shard.count != other.shard.count {
            return wrong(format!("they are parts of {} and of {}", self.shard.count, other.shard.count));
        }
        if self.ask.kind != other.ask.kind {
            return wrong("one is of a sweep, the other of a comparison".into());
        }
        let Some(key) = AGREED.into_iter().find(|key| self.about.get(*key) != other.about.get(*key)) else {
            return Ok(());
        };
        let of = |part: &Self| part.about.get(key).cloned().unwrap_or_default();
        match key {
            "seed" => wrong(format!("their seeds are {} and {}", of(self), of(other))),
            "scenario" => wrong("their scenarios differ".into()),
            "points" => wrong("they were asked for other points, runs or quantities".into()),
            _ => wrong(format!("their {key}s are {} and {}", of(self), of(other))),
        }
    }

    /// The files that the scenario was read from, which the first shard keeps.
    pub fn files(&self) -> Result<Files, Refusal> {
        let files = connect(&self.path).and_then(|connection| files_of(&connection));
        files.map_err(|error| Refusal::unreadable(&self.path, &error))
    }

    /// Refuses a study that is planned otherwise here than where it was played.
    pub fn refuse_other_plan(&self, points: &[Point]) -> Result<(), Refusal> {
        if self.about.get("points") == Some(&fingerprint::of_points(points).to_string()) {
            return Ok(());
        }
        let message =
            format!("`{}` was kept by another build of this version: its study is another one", self.path.display());
        Err(Refusal::wrong(message))
    }

    /// The seed, digest and answers of a run.
    fn run(&self, print: &str, run: u32) -> rusqlite::Result<Option<Row>> {
        let query = "SELECT seed, digest, answers FROM runs JOIN points ON runs.point = points.id \
                     WHERE fingerprint = ?1 AND run = ?2";
        connect(&self.path)?
            .query_row(query, params![print, run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
    }
}

/// The files that the scenario of a study was read from.
pub(super) fn files_of(connection: &Connection) -> rusqlite::Result<Files> {
    let mut statement = connection.prepare("SELECT path, bytes FROM files ORDER BY path, piece")?;
    let mut rows = statement.query([])?;
    let mut files: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let path = row.get::<_, String>(0)?;
        files.entry(path.into()).or_default().extend_from_slice(row.get_ref(1)?.as_blob()?);
    }
    Ok(Files::of_kept(files.into_iter().map(|(path, bytes)| (path, Arc::from(bytes))).collect()))
}

type Row = (String, String, Vec<u8>);

/// Opens a file that is there. It is written only where a process was stopped in the middle of writing it.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(super::PATIENCE)?;
    Ok(connection)
}

/// Puts the runs of shards together, in a file that goes when it is closed. A run that is there several times has to be the same each
/// time.
pub fn gather(parts: &[Part], study: &Study<'_>) -> Result<Store, Refusal> {
    // A database without a name is a file that SQLite removes.
    let path = PathBuf::from("a file for shards that are put together");
    let unwritable = |error: &dyn fmt::Display| Refusal {
        exit: Exit::File,
        message: format!("cannot write what is put together: {error}"),
    };
    let connection = Connection::open("").map_err(|error| unwritable(&error))?;
    let mut store = Store { connection, path, points: Vec::new(), is_together: false, safe: None, kept: 0 };
    store.connection.execute_batch(TABLES).map_err(|error| unwritable(&error))?;
    let agreed = study.agreed().map_err(|error| unwritable(&error))?;
    store.agree(&agreed).map_err(|error| unwritable(&error))?;
    store.add_points(study.points).map_err(|error| unwritable(&error))?;
    for (place, part) in parts.iter().enumerate() {
        store.connection.execute_batch("BEGIN").map_err(|error| unwritable(&error))?;
        take_in(&store, part, &parts[..place])?;
        store.connection.execute_batch("COMMIT").map_err(|error| unwritable(&error))?;
    }
    store.describe(None, study).map_err(|error| unwritable(&error))?;
    Ok(store)
}

/// Takes the runs and cuts of a shard in; `earlier` are those that were.
fn take_in(store: &Store, part: &Part, earlier: &[Part]) -> Result<(), Refusal> {
    let unreadable = |error: rusqlite::Error| Refusal::unreadable(&part.path, &error);
    let connection = connect(&part.path).map_err(unreadable)?;
    let query = "SELECT fingerprint, label, run, seed, digest, events, answers FROM runs JOIN points ON runs.point = points.id \
                 ORDER BY runs.point, run";
    let mut statement = connection.prepare(query).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    let insert = "INSERT OR IGNORE INTO runs (point, run, seed, digest, events, answers) \
                  SELECT id, ?2, ?3, ?4, ?5, ?6 FROM points WHERE fingerprint = ?1";
    let known = "SELECT 1 FROM runs JOIN points ON runs.point = points.id \
                 WHERE fingerprint = ?1 AND run = ?2 AND seed = ?3 AND digest = ?4 AND answers = ?5";
    while let Some(row) = rows.next().map_err(unreadable)? {
        let read = || -> rusqlite::Result<(String, String, u32, Row, i64)> {
            let columns = (row.get(3)?, row.get(4)?, row.get(6)?);
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, columns, row.get(5)?))
        };
        let (print, label, run, (seed, digest, answers), events) = read().map_err(unreadable)?;
        let what = format!("run {run} of the point {label}");
        let is_whole = packed::unpack(&answers).is_ok_and(|record| {
            (record.run, record.seed.to_string(), format!("{:016x}", record.digest))
                == (run, seed.clone(), digest.clone())
        });
        if !is_whole {
            let message = format!(
                "`{}`: {what} is not as it was kept: its digest and its answers do not belong together",
                part.path.display()
            );
            return Err(Refusal::wrong(message));
        }
        let take = || -> rusqlite::Result<bool> {
            let is_new =
                store.connection.prepare_cached(insert)?.execute(params![print, run, seed, digest, events, answers])?
                    > 0;
            let mut statement = store.connection.prepare_cached(known)?;
            Ok(is_new || statement.exists(params![print, run, seed, digest, answers])? || !is_asked(store, &print)?)
        };
        if !take().map_err(unreadable)? {
            let other = earlier.iter().find(|other| other.run(&print, run).is_ok_and(|found| found.is_some()));
            let other = other.map_or(String::new(), |other| format!(" and `{}`", other.path.display()));
            return Err(Refusal::wrong(format!(
                "{what} is not the same in `{}`{other}: one seed has to give one run; were both played by the same build?",
                part.path.display()
            )));
        }
    }
    take_in_cuts(store, part, &connection)
}

/// Whether the study has a point with this fingerprint: what was kept of others before is left out.
fn is_asked(store: &Store, print: &str) -> rusqlite::Result<bool> {
    store.connection.prepare_cached("SELECT 1 FROM points WHERE fingerprint = ?1")?.exists([print])
}

fn take_in_cuts(store: &Store, part: &Part, connection: &Connection) -> Result<(), Refusal> {
    let unreadable = |error: rusqlite::Error| Refusal::unreadable(&part.path, &error);
    let query = "SELECT fingerprint, label, cut FROM cuts JOIN points ON cuts.point = points.id";
    let mut statement = connection.prepare(query).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    while let Some(row) = rows.next().map_err(unreadable)? {
        let take = || -> rusqlite::Result<(bool, String)> {
            let (print, label, cut) = (row.get::<_, String>(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?);
            let insert = "INSERT OR IGNORE INTO cuts (point, cut) SELECT id, ?2 FROM points WHERE fingerprint = ?1";
            store.connection.execute(insert, params![print, cut])?;
            let known = "SELECT 1 FROM cuts JOIN points ON cuts.point = points.id WHERE fingerprint = ?1 AND cut <> ?2";
            Ok((store.connection.prepare(known)?.exists(params![print, cut])?, label))
        };
        if let (true, label) = take().map_err(unreadable)? {
            return Err(Refusal::wrong(format!(
                "the warm-up of the point {label} is not the same in `{}` as in another shard: were both played by the same build?",
                part.path.display()
            )));
        }
    }
    Ok(())
}

impl Store {
    /// Writes what was put together into a directory, as the study of one machine.
    pub fn save(&self, directory: &Path) -> Result<(), Refusal> {
        let path = directory.join(super::FILE);
        let unwritable = |error: &dyn fmt::Display| Refusal {
            exit: Exit::File,
            message: format!("cannot keep results in `{}`: {error}", path.display()),
        };
        let is_taken = fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
        if is_taken {
            return Err(unwritable(&"the directory holds files already: name another one"));
        }
        fs::create_dir_all(directory).map_err(|error| unwritable(&error))?;
        let partial = directory.join("study.partial");
        let written = self.connection.execute("VACUUM INTO ?1", [partial.to_string_lossy()]);
        written.map_err(|error| unwritable(&error))?;
        fs::rename(&partial, &path).map_err(|error| unwritable(&error))
    }
}

/// A study of which every run is there; where one is not, that is said, and it is not played.
pub struct Complete<'a> {
    store: &'a mut Store,
    /// Whether something was asked for in vain.
    pub lacks: bool,
}

impl<'a> Complete<'a> {
    /// What was put together, as if it were all.
    pub fn new(store: &'a mut Store) -> Self {
        Self { store, lacks: false }
    }
}

impl Shelf for Complete<'_> {
    fn get(&mut self, point: u32, run: u32) -> Result<Option<Record>, String> {
        let known = self.store.get(point, run)?;
        if known.is_none() {
            self.lacks = true;
            return Err(format!("run {run} of point {point} is not there"));
        }
        Ok(known)
    }

    fn put(&mut self, _: u32, _: &Record) -> Result<(), String> {
        Ok(())
    }

    fn cut(&mut self, point: u32) -> Result<Option<Cut>, String> {
        let known = self.store.cut(point)?;
        if known.is_none() {
            self.lacks = true;
            return Err(format!("the warm-up of point {point} is not there"));
        }
        Ok(known)
    }

    fn put_cut(&mut self, _: u32, _: &Cut) -> Result<(), String> {
        Ok(())
    }
}
