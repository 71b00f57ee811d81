//! Where a study keeps what its runs have answered: one SQLite file in a directory of its own.
//!
//! Each run is kept as soon as it is done, in a transaction of its own, so that whatever ends the program takes no more than the runs
//! that were under way. SQLite and not a format of our own: it survives being killed and a full disk, a hundred thousand runs are one
//! file, and other tools read it.
//!
//! A point is known by its fingerprint, which is that of all that its runs depend on and of what is asked of them. So values can be added
//! to a study and runs to its points, and a run is never taken for one of another scenario.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use rehearsal::experiment::{Record, Shelf};
use rehearsal::scenario::document::{Document, Table};
use rehearsal::scenario::plan::Plan;
use rusqlite::{Connection, OptionalExtension, params};

use super::files::Files;

/// The file in the directory.
const FILE: &str = "study.db";
/// The form of what stands in it.
const FORM: u32 = 1;
/// The version that keeps.
const VERSION: &str = env!("CARGO_PKG_VERSION");

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, label TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS runs (
        point INTEGER NOT NULL, run INTEGER NOT NULL, seed TEXT NOT NULL, digest TEXT NOT NULL, events INTEGER NOT NULL,
        answers BLOB NOT NULL, PRIMARY KEY (point, run)
    ) WITHOUT ROWID;
";

/// A study's file.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// The rows of the points of this study, by their place in it.
    points: Vec<i64>,
    /// What stands in the files of data that the scenario names.
    data: u64,
}

/// Why results cannot be kept.
#[derive(Debug)]
pub enum StoreError {
    /// The directory cannot be made, or the file not opened or written.
    System(PathBuf, String),
    /// It holds something else.
    Foreign(PathBuf, String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(path, error) => write!(f, "cannot keep results in `{}`: {error}", path.display()),
            Self::Foreign(path, found) => write!(f, "`{}` holds {found}: name another directory", path.display()),
        }
    }
}

impl Store {
    /// Opens the store of the study of this scenario in a directory, or makes it.
    pub fn open(directory: &Path, base: &Document, files: &Files) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let system = |error: &dyn fmt::Display| StoreError::System(path.clone(), error.to_string());
        if !path.exists() && fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(StoreError::Foreign(directory.into(), "files that are no study".into()));
        }
        fs::create_dir_all(directory).map_err(|error| system(&error))?;
        let connection = Connection::open(&path).map_err(|error| system(&error))?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(|error| system(&error))?;
        // What is written is safe from whatever ends this program, without waiting for the disk each time.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(|error| system(&error))?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(|error| system(&error))?;
        connection.execute_batch(TABLES).map_err(|error| system(&error))?;
        let mut data = START;
        files.each_byte_of_data(|byte| data = hash(data, byte)).map_err(|error| system(&error))?;
        let store = Self { connection, path: path.clone(), points: Vec::new(), data };
        let found = |key: &str| -> Result<Option<String>, StoreError> {
            let mut statement = store
                .connection
                .prepare_cached("SELECT value FROM about WHERE key = ?1")
                .map_err(|error| system(&error))?;
            statement.query_row([key], |row| row.get(0)).optional().map_err(|error| system(&error))
        };
        let own = [
            ("form", FORM.to_string()),
            ("version", VERSION.to_owned()),
            ("scenario", fingerprint(&base.tree, &[], data)),
        ];
        for (key, value) in own {
            let told = match key {
                "version" => "results of another version",
                "scenario" => "results of another scenario, or of one that has changed since",
                _ => "a study in another form",
            };
            match found(key)? {
                None => {
                    let insert = "INSERT INTO about (key, value) VALUES (?1, ?2)";
                    store.connection.execute(insert, params![key, value]).map_err(|error| system(&error))?;
                }
                Some(known) if known == value => {}
                Some(known) => {
                    let told = if key == "version" {
                        format!("results of version {known}, and this is {VERSION}")
                    } else {
                        told.into()
                    };
                    return Err(StoreError::Foreign(path, told));
                }
            }
        }
        Ok(store)
    }

    /// The next point of the study is the one that this plan plays.
    pub fn add_point(&mut self, document: &Document, plan: &Plan, label: &str) -> Result<(), StoreError> {
        let asked: Vec<_> = plan.asked().map(|quantity| quantity.to_owned()).collect();
        let fingerprint = fingerprint(&document.tree, &asked, self.data);
        let insert = "INSERT INTO points (fingerprint, label) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let id = self.connection.execute(insert, params![fingerprint, label]).and_then(|_| {
            self.connection.query_row("SELECT id FROM points WHERE fingerprint = ?1", [fingerprint], |row| row.get(0))
        });
        self.points.push(id.map_err(|error| self.system(&error))?);
        Ok(())
    }

    fn system(&self, error: &dyn fmt::Display) -> StoreError {
        StoreError::System(self.path.clone(), error.to_string())
    }

    fn row(&self, point: u32) -> i64 {
        self.points[point as usize]
    }

    fn try_get(&self, point: u32, run: u32) -> Result<Option<Record>, StoreError> {
        let query = "SELECT answers FROM runs WHERE point = ?1 AND run = ?2";
        let mut statement = self.connection.prepare_cached(query).map_err(|error| self.system(&error))?;
        let found = statement.query_row(params![self.row(point), run], |row| row.get::<_, Vec<u8>>(0));
        let found = found.optional().map_err(|error| self.system(&error))?;
        found.map(|bytes| postcard::from_bytes::<Record>(&bytes).map_err(|error| self.system(&error))).transpose()
    }

    fn try_put(&self, point: u32, record: &Record) -> Result<(), StoreError> {
        let answers = postcard::to_stdvec(record).map_err(|error| self.system(&error))?;
        let insert =
            "INSERT OR IGNORE INTO runs (point, run, seed, digest, events, answers) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let mut statement = self.connection.prepare_cached(insert).map_err(|error| self.system(&error))?;
        let (seed, digest) = (record.seed.to_string(), format!("{:016x}", record.digest));
        let row = params![self.row(point), record.run, seed, digest, record.events as i64, answers];
        statement.execute(row).map(|_| ()).map_err(|error| self.system(&error))
    }
}

impl Shelf for Store {
    fn get(&mut self, point: u32, run: u32) -> Result<Option<Record>, String> {
        self.try_get(point, run).map_err(|error| error.to_string())
    }

    fn put(&mut self, point: u32, record: &Record) -> Result<(), String> {
        self.try_put(point, record).map_err(|error| error.to_string())
    }
}

/// Where a hash begins.
const START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: the same on every machine.
fn hash(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// A fingerprint of all that the runs of a scenario depend on, and of what is asked of them: not of its title, of how often it is
/// played, nor of what is expected. `data` is that of the files of data that it names.
fn fingerprint(tree: &Table, asked: &[String], data: u64) -> String {
    let mut tree = tree.clone();
    ["title", "expect", "requires"].into_iter().for_each(|key| drop(tree.remove(key)));
    if let Some(run) = tree.get_mut("run").and_then(|run| run.as_table_mut()) {
        ["runs", "metrics"].into_iter().for_each(|key| drop(run.remove(key)));
    }
    let text = Document::print_tree(&tree);
    let bytes =
        || text.bytes().chain(asked.iter().flat_map(|quantity| quantity.bytes().chain([0]))).chain(data.to_le_bytes());
    // Twice, from two starts: 128 bits.
    let [one, other] = [START, 0x6c62_272e_07bb_0142].map(|start| bytes().fold(start, hash));
    format!("{one:016x}{other:016x}")
}
