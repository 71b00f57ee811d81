//! The binary in a directory of its own.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Messages without loss: all of them arrive.
pub const GOOD: &str = r#"
title = "Good"
[run]
duration = "2s"
[network]
latency = "5ms"
[clients.app]
rate = "50/s"
call = "api"
[services.api]
work = "1ms"
[expect]
"app.reliability" = ">= 99%"
[variants.slow]
services.api.work = "20ms"
[variants.hopeless]
expect."app.latency.p50" = "< 1ns"
"#;

/// A home directory with a good scenario in it.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a temporary directory"));
        home.write("good.toml", GOOD);
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("it can be written");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What is in it, hidden things too.
    pub fn names(&self) -> Vec<String> {
        names(self.0.path())
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
        command.args(args).current_dir(&self.0).env_remove("NO_COLOR").env_remove("COLUMNS").stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args).output().expect("the binary starts"))
    }

    pub fn run_with_input(&self, args: &[&str], input: &str) -> Ended {
        let piped = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.expect("the binary starts");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
        Ended::of(child.wait_with_output().expect("it ends"))
    }
}

pub fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// How the binary ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}
