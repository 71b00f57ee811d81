//! Studies in shards: put together they are what one machine gives, to the byte; and what does not belong together is refused.

#![allow(clippy::disallowed_methods, reason = "a test of the command line may wait")]

mod home;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use home::{Ended, GOOD, Home, names};
use rehearsal::experiment::Record;
use rusqlite::Connection;

/// Four points of three runs, some of which fail.
const STUDY: &str = r#"
extends = "good.toml"
[run]
runs = 3
[policies.default]
timeout = "50ms"
[sweep]
services.api.work = ["1ms", "2ms"]
network.loss = ["0%", "10%"]
"#;

fn home() -> Home {
    let home = Home::new();
    home.write("study.toml", STUDY);
    home
}

/// Plays every shard of a study, each by a process of its own.
fn play(home: &Home, args: &[&str], directory: &str, count: u32) {
    for number in 1..=count {
        let shard = format!("{number}/{count}");
        let ended = home.run(&[args, &["--study", directory, "--shard", &shard]].concat()).with(0);
        assert!(ended.out.starts_with(&format!("shard {shard}: ")), "{}", ended.out);
    }
}

/// The files of a report.
fn report(home: &Home, directory: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![home.path(directory)];
    while let Some(folder) = folders.pop() {
        for name in names(&folder) {
            let path = folder.join(name);
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(home.path(directory)).unwrap().display().to_string();
                files.push((name, fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn shards_put_together_are_what_one_machine_gives() {
    let home = home();
    let sweep = &["sweep", "study.toml"][..];
    let compare = &["compare", "good.toml", "--with", "slow", "--with", "hopeless", "--runs", "4"][..];
    for (args, code) in [(sweep, 1), (compare, 0)] {
        let name = args[0];
        let one = home.run(&[args, &["-o", &format!("{name}-one")]].concat()).with(code);
        let csv = home.run(&[args, &["--format", "csv"]].concat()).with(code).out;
        for count in [1, 2, 3, 7] {
            let (kept, out) = (format!("{name}-{count}"), format!("{name}-{count}-out"));
            play(&home, args, &kept, count);
            let merged = home.run(&["merge", &kept, "-o", &out]).with(code);
            assert_eq!((merged.out, merged.err), (one.out.clone(), one.err.replace(&format!("{name}-one"), &out)));
            assert_eq!(report(&home, &out), report(&home, &format!("{name}-one")));
            assert_eq!(home.run(&["merge", &kept, "--format", "csv"]).with(code).out, csv);
        }
    }
    // A comparison goes on on one machine as a sweep does.
    let more = [&compare[..7], &["6", "--format", "csv"]].concat();
    home.run(&["merge", "compare-2", "--study", "whole", "--format", "quiet"]).with(0);
    assert_eq!(home.run(&[&more[..], &["--study", "whole"]].concat()).with(0).out, home.run(&more).with(0).out);
    let whole = Connection::open(home.path("whole/study.db")).expect("it is a database");
    let runs = whole.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, u32>(0));
    assert_eq!(runs.expect("it has runs"), 18);
    home.run(&["merge", "compare-3", "--margin", "5%"]).with(1);
    let ended = home.run(&["merge", "compare-3", "--inconclusive", "pass"]).with(2);
    assert!(ended.err.contains("is for sweeps"), "{}", ended.err);
    home.run(&["merge", "sweep-3", "--margin", "5%"]).with(2);
}

/// Runs that end once enough is known, a warm-up that is found out, and files that are gone when the shards are put together.
#[test]
fn nothing_is_needed_but_the_shards() {
    let home = home();
    home.write(
        "t.csv",
        (0..150).map(|row| format!("{}\n", f64::from(row) / 100.0)).collect::<String>().replacen("0\n", "time\n0\n", 1),
    );
    let study = STUDY
        .replace("runs = 3", "runs = { until = { \"app.latency.mean\" = \"2%\" }, at-most = 40 }\nwarmup = \"auto\"")
        .replace("good.toml", "base.toml");
    home.write("until.toml", &study);
    home.write(
        "base.toml",
        GOOD.replace("rate = \"50/s\"", "trace = \"t.csv\"\nuntil = \"2s\"")
            .replace("work = \"1ms\"", "work = { exponential = \"1ms\" }"),
    );
    home.write("cut.toml", STUDY.replace("runs = 3", "runs = 6\nwarmup = \"auto\""));
    let args = ["until.toml", "cut.toml"].map(|file| ["sweep", file, "--format", "json"]);
    let ones = args.map(|args| home.run(&args));
    for (file, count) in [("until.toml", 3), ("cut.toml", 5)] {
        play(&home, &["sweep", file], &format!("{file}-kept"), count);
    }
    for file in ["base.toml", "good.toml", "study.toml", "until.toml", "cut.toml", "t.csv"] {
        fs::remove_file(home.path(file)).unwrap();
    }
    for (one, file) in ones.into_iter().zip(["until.toml", "cut.toml"]) {
        assert!(!one.out.is_empty(), "{one:?}");
        let merged = home.run(&["merge", &format!("{file}-kept"), "--format", "json"]).with(one.code.unwrap());
        assert_eq!(merged.out, one.out);
    }
    // The standard input is a file that is gone, too.
    for shard in ["1/2", "2/2"] {
        home.run_with_input(
            &["sweep", "-", "--sweep", "run.seed=[1,2]", "--runs", "5", "--study", "in", "--shard", shard],
            GOOD,
        )
        .with(0);
    }
    assert!(home.run(&["merge", "in"]).with(0).out.starts_with("Good\n"));
}

/// Waits until a shard's file is longer than this.
fn wait_for(path: &Path, length: u64, child: &mut Child) {
    let patience = Instant::now() + Duration::from_secs(60);
    while fs::metadata(path).map_or(0, |file| file.len()) <= length {
        assert!(Instant::now() < patience && child.try_wait().unwrap().is_none(), "it goes on playing");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(unix)]
#[test]
fn a_shard_that_was_stopped_goes_on_where_it_was() {
    let home = home();
    let args = ["sweep", "study.toml", "--runs", "60", "--set", "run.duration=1000s"];
    let one = home.run(&[&args[..], &["--format", "csv"]].concat()).with(1).out;
    let shard = |number| [&args[..], &["--study", "kept", "--shard", number]].concat();
    home.run(&shard("1/2")).with(0);
    let file = home.path("kept/study.2-of-2.db");
    for signal in ["KILL", "INT"] {
        // Its tables have eight pages; whatever else it has is runs.
        let length = fs::metadata(&file).map_or(8 * 4096, |file| file.len()) + 4096;
        let piped = home.command(&shard("2/2")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.expect("the binary starts");
        wait_for(&file, length, &mut child);
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.expect("there is a kill").success());
        let ended = Ended::of(child.wait_with_output().unwrap());
        assert_eq!(ended.code, if signal == "INT" { Some(130) } else { None }, "{ended:?}");
        let said = home.run(&["merge", "kept"]).with(2).err;
        let again =
            "run it again: `rehearsal sweep study.toml --set run.duration=1000s --runs 60 --study kept --shard 2/2`";
        assert!(said.contains("shard 2/2 has ") && said.contains("of 120 runs") && said.contains(again), "{said}");
        assert!(!said.contains("has 0 of"), "{said}");
    }
    let ended = home.run(&shard("2/2")).with(0);
    let there: u32 = ended.out.split(' ').nth(8).unwrap().parse().unwrap_or_else(|_| panic!("{}", ended.out));
    assert!((1..120).contains(&there), "{}", ended.out);
    assert_eq!(home.run(&["merge", "kept", "--format", "csv"]).with(1).out, one);
}

#[test]
fn what_is_missing_is_named() {
    let home = home();
    let args = ["sweep", "study.toml", "--set", "title=a b"];
    play(&home, &args, "kept", 3);
    fs::remove_file(home.path("kept/study.2-of-3.db")).unwrap();
    let said = home.run(&["merge", "kept"]).with(2).err;
    let again = "`rehearsal sweep study.toml --set 'title=a b' --study kept --shard 2/3`";
    assert!(said.contains("shard 2/3 is not there") && said.contains(again), "{said}");
    fs::remove_file(home.path("kept/study.1-of-3.db")).unwrap();
    let said = home.run(&["merge", "kept"]).with(2).err;
    assert!(said.contains("shard 1/3 is not there") && said.contains("shard 2/3 is not there"), "{said}");
    // With more runs it goes on, and as long as not all shards have them, they do not belong together.
    play(&home, &args, "kept", 3);
    home.run(&["merge", "kept"]).with(1);
    home.run(&[&args[..], &["--runs", "6", "--study", "kept", "--shard", "1/3"]].concat()).with(0);
    assert!(home.run(&["merge", "kept"]).with(2).err.contains("asked for other points, runs or quantities"));
    play(&home, &[&args[..], &["--runs", "6"]].concat(), "kept", 3);
    home.run(&["merge", "kept", "--study", "whole", "--format", "quiet"]).with(1);
    let more = home.run(&[&args[..], &["--runs", "7", "--study", "whole", "--format", "csv"]].concat()).with(1).out;
    assert_eq!(more, home.run(&[&args[..], &["--runs", "7", "--format", "csv"]].concat()).with(1).out);
    home.run(&["merge", "kept", "--study", "whole"]).with(4);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let home = home();
    let args = ["sweep", "study.toml"];
    play(&home, &args, "kept", 2);
    let one = home.run(&["merge", "kept"]).with(1).out;
    // Twice is no mistake, if both are the same.
    play(&home, &args, "again", 2);
    assert_eq!(home.run(&["merge", "kept", "again"]).with(1).out, one);
    home.run(&["sweep", "study.toml", "--study", "seed", "--seed", "2", "--shard", "2/2"]).with(0);
    home.run(&["sweep", "study.toml", "--study", "other", "--set", "network.latency=1ms", "--shard", "2/2"]).with(0);
    home.run(&["sweep", "study.toml", "--study", "three", "--shard", "2/3"]).with(0);
    home.run(&["compare", "good.toml", "--study", "compare", "--shard", "2/2"]).with(0);
    for (directory, said) in [
        ("seed", "their seeds are 1 and 2"),
        ("other", "their scenarios differ"),
        ("three", "they are parts of 2 and of 3"),
        ("compare", "one is of a sweep, the other of a comparison"),
    ] {
        let ended = home.run(&["merge", "kept", directory]).with(2);
        assert!(ended.err.contains(said), "{directory}: {}", ended.err);
    }
    // A digest that was changed, alone and with the answers it belongs to.
    let connection = Connection::open(home.path("again/study.2-of-2.db")).unwrap();
    let row = "SELECT point, run, answers FROM runs ORDER BY point, run LIMIT 1";
    let (point, run, answers): (i64, u32, Vec<u8>) =
        connection.query_row(row, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let mut record: Record = postcard::from_bytes(&answers[..answers.len() - 8]).unwrap();
    record.digest ^= 1;
    let digest = "UPDATE runs SET digest = ?3 WHERE point = ?1 AND run = ?2";
    connection.execute(digest, (point, run, format!("{:016x}", record.digest))).unwrap();
    let said = home.run(&["merge", "again"]).with(2).err;
    assert!(said.contains("do not belong together") && said.contains("run 1 of the point 1ms, 0%"), "{said}");
    let answers = "UPDATE runs SET answers = ?3 WHERE point = ?1 AND run = ?2";
    let mut bytes = postcard::to_stdvec(&record).unwrap();
    let fnv = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv);
    bytes.extend(sum.to_le_bytes());
    connection.execute(answers, (point, run, bytes)).unwrap();
    let said = home.run(&["merge", "kept", "again"]).with(2).err;
    for part in ["run 1 of the point 1ms, 0%", "kept/study.2-of-2.db", "again/study.2-of-2.db"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    connection.execute("UPDATE about SET value = '0.0.1' WHERE key = 'version'", []).unwrap();
    let said = home.run(&["merge", "again"]).with(2).err;
    assert!(said.contains("results of version 0.0.1, and this is "), "{said}");
    drop(connection);
    fs::write(home.path("again/study.2-of-2.db"), "no database").unwrap();
    home.run(&["merge", "again"]).with(4);
    home.run(&["merge", "absent"]).with(4);
    fs::create_dir(home.path("empty")).unwrap();
    assert!(home.run(&["merge", "empty"]).with(2).err.contains("holds no shard of a study"));
}

#[test]
fn a_directory_is_for_shards_or_for_one_machine() {
    let home = home();
    let sweep = |args: &[&str]| home.run(&[&["sweep", "study.toml"], args].concat());
    sweep(&["--study", "shards", "--shard", "1/2"]).with(0);
    let said = sweep(&["--study", "shards"]).with(4).err;
    assert!(said.contains("rehearsal merge shards --study DIR"), "{said}");
    sweep(&["--study", "one"]).with(1);
    let said = sweep(&["--study", "one", "--shard", "1/2"]).with(4).err;
    assert!(said.contains("the results of one machine"), "{said}");
    sweep(&["--shard", "1/2"]).with(2);
    for args in [["-o", "out"], ["--format", "csv"], ["--inconclusive", "pass"]] {
        sweep(&[&["--study", "shards", "--shard", "1/2"], &args[..]].concat()).with(2);
    }
    for shard in ["0/2", "3/2", "half"] {
        let said = sweep(&["--study", "shards", "--shard", shard]).with(2).err;
        assert!(said.contains("a part such as 1/7"), "{said}");
    }
    assert_eq!(names(&home.path("shards")), ["study.1-of-2.db"]);
}

#[test]
fn the_environment_says_which_shard_it_is() {
    let home = home();
    let run = |shard: &str, variables: &[(&str, &str)]| {
        let mut command = home.command(&["sweep", "study.toml", "--runs", "1", "--study", "kept", "--shard", shard]);
        for (name, _) in std::env::vars() {
            if ["SLURM_", "OMPI_", "PMI", "JOB_COMPLETION_"].iter().any(|start| name.starts_with(start)) {
                command.env_remove(name);
            }
        }
        Ended::of(command.envs(variables.iter().copied()).output().expect("the binary starts"))
    };
    let ended = run("auto", &[("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "4")]).with(0);
    assert!(ended.out.starts_with("shard 2/4: 1 of 4 runs"), "{}", ended.out);
    assert!(run("auto/4", &[("JOB_COMPLETION_INDEX", "3")]).with(0).out.starts_with("shard 4/4: "));
    assert_eq!(names(&home.path("kept")), ["study.2-of-4.db", "study.4-of-4.db"]);
    assert!(run("auto", &[]).with(2).err.contains("write `--shard K/N`"));
}
