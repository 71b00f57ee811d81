//! Where a study keeps what its runs have answered: one SQLite file in a directory of its own, or one for each shard.
//!
//! SQLite and not a format of our own: it survives being killed and a full disk, a hundred thousand runs are one file, and other tools
//! read it. A point is known by its fingerprint, which is that of all that its runs depend on and of what is asked of them. So values can
//! be added to a study and runs to its points, and a run is never taken for one of another scenario.
//!
//! A study of one machine keeps each run as soon as it is done, in a transaction of its own, with a log of what is written ahead. Shards
//! may lie on a disk that several machines share, where such a log is not safe, nor more than one writer: each has a file of its own, with
//! a journal to roll back, and locks it for as long as it plays. What it keeps is safe a tenth of a second later.

mod answers;
mod error;
pub mod fingerprint;
mod merge;
mod whole;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rehearsal::experiment::{Cut, Record, Shard, Shelf};
use rusqlite::{Connection, OptionalExtension, params};

use super::ask::Ask;
use super::files::Files;
use super::scenario::Prepared;

pub use error::StoreError;
pub use fingerprint::Point;
pub use merge::{Complete, Part, Refusal, gather, parts};
pub use whole::Whole;

/// The file of a study of one machine.
pub const FILE: &str = "study.db";
/// The form of what stands in it.
const FORM: u32 = 2;
/// The version that keeps.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How long a lock of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is kept within so short a time is made safe together.
const TOGETHER: Duration = Duration::from_millis(100);
/// Files are kept in pieces of so many bytes.
const PIECE: usize = 1 << 20;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, label TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS runs (
        point INTEGER NOT NULL, run INTEGER NOT NULL, seed TEXT NOT NULL, digest TEXT NOT NULL, events INTEGER NOT NULL,
        answers BLOB NOT NULL, PRIMARY KEY (point, run)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS cuts (point INTEGER PRIMARY KEY, cut BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS files (path TEXT NOT NULL, piece INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (path, piece));
";

/// A study's file.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// The rows of the points of this study, by their place in it.
    points: Vec<i64>,
    /// Whether what is kept soon after another is made safe together.
    is_together: bool,
    /// When what was kept was made safe last.
    safe: Option<Instant>,
    /// How many runs were kept.
    pub kept: u64,
}

/// A study, as far as a store has to know it.
pub struct Study<'a> {
    /// What it was asked.
    pub ask: &'a Ask,
    /// Its scenario.
    pub base: &'a Prepared,
    /// Its points, in order.
    pub points: &'a [Point],
    /// The files that it was read from.
    pub files: &'a Files,
}

/// The file of a shard.
pub fn shard_file(shard: Shard) -> String {
    format!("study.{}-of-{}.db", shard.number(), shard.count)
}

/// The shard whose file this is.
fn shard_of_file(name: &str) -> Option<Shard> {
    let (number, count) = name.strip_prefix("study.")?.strip_suffix(".db")?.split_once("-of-")?;
    Shard::new(number.parse().ok()?, count.parse().ok()?)
}

impl Store {
    /// Opens the store of a study in a directory, or makes it; that of a shard, if it is one.
    pub fn open(directory: &Path, shard: Option<Shard>, study: &Study<'_>) -> Result<Self, StoreError> {
        let path = directory.join(shard.map_or(FILE.into(), shard_file));
        let system = |error: &dyn fmt::Display| StoreError::System(path.clone(), error.to_string());
        refuse_others(directory, shard)?;
        fs::create_dir_all(directory).map_err(|error| system(&error))?;
        let connection = Connection::open(&path).map_err(|error| system(&error))?;
        let mut store = Self {
            connection,
            path: path.clone(),
            points: Vec::new(),
            is_together: shard.is_some(),
            safe: None,
            kept: 0,
        };
        store.prepare(shard.is_some()).map_err(|error| store.system(&error::told(&error)))?;
        store.agree(&study.agreed().map_err(|error| system(&error))?)?;
        store.add_points(study.points).map_err(|error| store.system(&error))?;
        store.describe(shard, study).map_err(|error| store.system(&*error))?;
        Ok(store)
    }

    fn prepare(&self, is_shard: bool) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        if is_shard {
            self.connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            self.connection.pragma_update(None, "journal_mode", "DELETE")?;
        } else {
            // What is written is safe from whatever ends this program, without waiting for the disk each time.
            self.connection.pragma_update(None, "journal_mode", "WAL")?;
            self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        }
        self.connection.execute_batch(TABLES)
    }

    /// Refuses results of another version or scenario; where there are none yet, these are to come.
    fn agree(&self, agreed: &[(&'static str, String)]) -> Result<(), StoreError> {
        for (key, value) in agreed {
            let query = "SELECT value FROM about WHERE key = ?1";
            let known = self.connection.query_row(query, [key], |row| row.get::<_, String>(0)).optional();
            let known = known.map_err(|error| self.system(&error))?;
            let Some(known) = known else {
                self.say(key, value).map_err(|error| self.system(&error))?;
                continue;
            };
            if known != *value {
                return Err(StoreError::Foreign(self.path.clone(), differs(key, &known)));
            }
        }
        Ok(())
    }

    fn say(&self, key: &str, value: &str) -> rusqlite::Result<()> {
        self.connection.execute("INSERT OR REPLACE INTO about (key, value) VALUES (?1, ?2)", [key, value]).map(|_| ())
    }

    /// The points of the study are these.
    fn add_points(&mut self, points: &[Point]) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN")?;
        for Point { runs_print, label, .. } in points {
            let runs_print = &runs_print.to_string();
            let insert = "INSERT INTO points (fingerprint, label) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            self.connection.prepare_cached(insert)?.execute([runs_print, label])?;
            let select = "SELECT id FROM points WHERE fingerprint = ?1";
            self.points.push(self.connection.prepare_cached(select)?.query_row([runs_print], |row| row.get(0))?);
        }
        self.connection.execute_batch("COMMIT")
    }

    /// Keeps what is needed beside the runs, so that they can be put together, and written for others to read, without anything else: what
    /// was asked and, but for shards after the first one, the files that the scenario was read from.
    fn describe(&self, shard: Option<Shard>, study: &Study<'_>) -> Result<(), Box<dyn std::error::Error>> {
        let points = fingerprint::of_points(study.points).to_string();
        let select = "SELECT value FROM about WHERE key = 'points'";
        let known = self.connection.query_row(select, [], |row| row.get::<_, String>(0)).optional()?;
        if known.is_some_and(|known| known == points) {
            return Ok(());
        }
        self.connection.execute_batch("BEGIN")?;
        if let Some(shard) = shard {
            self.say("shard", &shard.to_string())?;
        }
        self.say("ask", &serde_json::to_string(study.ask)?)?;
        self.say("points", &points)?;
        self.connection.execute("DELETE FROM files", [])?;
        let all = if shard.is_none_or(|shard| shard.index == 0) { study.files.all() } else { Vec::new() };
        for path in &all {
            let mut reader = study.files.open(path)?;
            for piece in 0.. {
                let mut bytes = Vec::new();
                reader.by_ref().take(PIECE as u64).read_to_end(&mut bytes)?;
                let insert = "INSERT INTO files (path, piece, bytes) VALUES (?1, ?2, ?3)";
                self.connection.prepare_cached(insert)?.execute(params![path.to_string_lossy(), piece, bytes])?;
                if bytes.len() < PIECE {
                    break;
                }
            }
        }
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    /// Makes safe what was kept last.
    pub fn finish(&mut self) -> Result<(), StoreError> {
        self.settle().map_err(|error| self.system(&error))
    }

    fn settle(&mut self) -> rusqlite::Result<()> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        self.safe = Some(now());
        Ok(())
    }

    fn system(&self, error: &dyn fmt::Display) -> StoreError {
        StoreError::System(self.path.clone(), error.to_string())
    }

    fn row(&self, point: u32) -> i64 {
        self.points[point as usize]
    }

    /// How many of a point's runs are there, of those that `is_meant`.
    pub fn count(&self, point: u32, is_meant: impl Fn(u32) -> bool) -> Result<u64, StoreError> {
        let count = || {
            let mut statement = self.connection.prepare_cached("SELECT run FROM runs WHERE point = ?1")?;
            let runs = statement.query_map([self.row(point)], |row| row.get::<_, u32>(0))?;
            runs.map(|run| run.map(|run| u64::from(is_meant(run)))).sum::<rusqlite::Result<u64>>()
        };
        count().map_err(|error: rusqlite::Error| self.system(&error))
    }

    /// What the runs of a point have answered, by their index.
    pub fn records(&self, point: u32) -> Result<impl Iterator<Item = Result<Record, StoreError>>, StoreError> {
        let runs = || -> rusqlite::Result<Vec<u32>> {
            let mut statement = self.connection.prepare_cached("SELECT run FROM runs WHERE point = ?1 ORDER BY run")?;
            statement.query_map([self.row(point)], |row| row.get(0))?.collect()
        };
        let runs = runs().map_err(|error| self.system(&error))?;
        Ok(runs.into_iter().filter_map(move |run| self.try_get(point, run).transpose()))
    }

    fn try_get(&self, point: u32, run: u32) -> Result<Option<Record>, StoreError> {
        let query = "SELECT answers FROM runs WHERE point = ?1 AND run = ?2";
        let mut statement = self.connection.prepare_cached(query).map_err(|error| self.system(&error))?;
        let found = statement.query_row(params![self.row(point), run], |row| row.get::<_, Vec<u8>>(0));
        let found = found.optional().map_err(|error| self.system(&error))?;
        found.map(|bytes| answers::unpack(&bytes).map_err(|error| self.system(&error))).transpose()
    }

    fn try_put(&mut self, point: u32, record: &Record) -> Result<(), StoreError> {
        let answers = answers::pack(record).map_err(|error| self.system(&error))?;
        let put = || -> rusqlite::Result<()> {
            if self.is_together && self.connection.is_autocommit() {
                self.connection.execute_batch("BEGIN")?;
            }
            let insert = "INSERT OR IGNORE INTO runs (point, run, seed, digest, events, answers) \
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (seed, digest) = (record.seed.to_string(), format!("{:016x}", record.digest));
            let row = params![self.row(point), record.run, seed, digest, record.events as i64, answers];
            self.connection.prepare_cached(insert)?.execute(row).map(|_| ())
        };
        put().map_err(|error| self.system(&error))?;
        let is_late = self.safe.is_none_or(|safe| now().duration_since(safe) >= TOGETHER);
        if self.is_together && is_late { self.finish() } else { Ok(()) }
    }

    fn try_cut(&self, point: u32) -> Result<Option<Cut>, StoreError> {
        let query = "SELECT cut FROM cuts WHERE point = ?1";
        let found = self.connection.query_row(query, [self.row(point)], |row| row.get::<_, Vec<u8>>(0)).optional();
        let found = found.map_err(|error| self.system(&error))?;
        found.map(|bytes| postcard::from_bytes(&bytes).map_err(|error| self.system(&error))).transpose()
    }

    fn try_put_cut(&self, point: u32, cut: &Cut) -> Result<(), StoreError> {
        let bytes = postcard::to_stdvec(cut).map_err(|error| self.system(&error))?;
        let insert = "INSERT OR IGNORE INTO cuts (point, cut) VALUES (?1, ?2)";
        let done = self.connection.execute(insert, params![self.row(point), bytes]);
        done.map(|_| ()).map_err(|error| self.system(&error))
    }

    /// What it says about itself.
    fn about(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
        let mut statement = connection.prepare("SELECT key, value FROM about")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Whoever has to know whether it can be done has asked for it before.
        let _ = self.settle();
    }
}

impl Study<'_> {
    /// What all that is kept of a study has to agree about.
    fn agreed(&self) -> std::io::Result<[(&'static str, String); 4]> {
        Ok([
            ("form", FORM.to_string()),
            ("version", VERSION.to_owned()),
            ("seed", self.base.plan.seed.to_string()),
            ("scenario", fingerprint::of_scenario(self.base, self.files)?.to_string()),
        ])
    }
}

/// What it means that something agreed is otherwise.
fn differs(key: &str, known: &str) -> String {
    match key {
        "version" => format!("results of version {known}, and this is {VERSION}"),
        "seed" => format!("results of another scenario: with the seed {known}"),
        "scenario" => "results of another scenario, or of one that has changed since".into(),
        _ => "a study in another form".into(),
    }
}

/// Whether there are shards in a directory.
fn has_shards(directory: &Path) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| shard_of_file(&entry.file_name().to_string_lossy()).is_some())
}

/// Refuses a directory that has something else in it.
fn refuse_others(directory: &Path, shard: Option<Shard>) -> Result<(), StoreError> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    let (mut is_of_one, mut has_shards, mut has_others) = (false, false, false);
    let mut other_count = None;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        is_of_one |= name == FILE;
        let found = shard_of_file(&name);
        has_shards |= found.is_some();
        let is_other = |count: &u32| shard.is_some_and(|own| own.count != *count);
        other_count = found.map(|found| found.count).filter(is_other).or(other_count);
        has_others |= !name.starts_with("study.");
    }
    if let Some(count) = other_count {
        return Err(StoreError::Foreign(directory.into(), format!("shards of a study in {count} parts")));
    }
    match shard.is_some() {
        true if is_of_one => Err(StoreError::Foreign(directory.into(), "the results of one machine alone".into())),
        false if has_shards => Err(StoreError::Shards(directory.into())),
        _ if has_others && !is_of_one && !has_shards => {
            Err(StoreError::Foreign(directory.into(), "files that are no study".into()))
        }
        _ => Ok(()),
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the command line")]
fn now() -> Instant {
    Instant::now()
}

impl Shelf for Store {
    fn get(&mut self, point: u32, run: u32) -> Result<Option<Record>, String> {
        self.try_get(point, run).map_err(|error| error.to_string())
    }

    fn put(&mut self, point: u32, record: &Record) -> Result<(), String> {
        self.kept += 1;
        self.try_put(point, record).map_err(|error| error.to_string())
    }

    fn cut(&mut self, point: u32) -> Result<Option<Cut>, String> {
        self.try_cut(point).map_err(|error| error.to_string())
    }

    fn put_cut(&mut self, point: u32, cut: &Cut) -> Result<(), String> {
        self.try_put_cut(point, cut).map_err(|error| error.to_string())
    }
}
