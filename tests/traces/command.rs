//! The command that writes traces: what goes where, and the exit codes.

use super::home::Home;

#[test]
fn a_trace_goes_where_it_is_wanted_and_its_rule_is_told() {
    let home = Home::new();
    for format in rehearsal::report::trace::FORMATS {
        let path = format!("trace.{}.{}", format.name, format.extension);
        let ended = home.run(&["trace", "good.toml", "--format", format.name, "--sample", "8", "-o", &path]).with(0);
        assert_eq!(ended.out, "");
        assert!(ended.err.starts_with("one of ") && ended.err.contains("by their names"), "{}", ended.err);
        assert!(std::fs::metadata(home.path(&path)).unwrap().len() > 200);
    }
    let ended = home.run(&["trace", "good.toml", "--format", "csv", "--sample", "8"]).with(0);
    assert_eq!(ended.out, home.read("trace.csv.csv"));
    let ended = home.run(&["trace", "good.toml", "--format", "csv", "--slowest", "3"]).with(0);
    assert!(ended.err.starts_with("the 3 slowest of ") && ended.out.lines().count() == 4, "{}", ended.err);
    let ended = home.run(&["trace", "good.toml", "--format", "csv", "--lost", "3"]).with(0);
    assert!(ended.err.ends_with(": none\n") && ended.out.lines().count() == 1, "{}", ended.err);
    let ended = home.run(&["trace", "good.toml", "--format", "csv", "--sample", "1000000"]).with(0);
    assert!(ended.err.starts_with("all "), "{}", ended.err);
}

#[test]
fn packets_of_a_time_are_taken_up_to_a_number() {
    let home = Home::new();
    let packets = ["trace", "good.toml", "--format", "pcapng", "--packets", "10", "-o", "a.pcapng"];
    let ended = home.run(&packets).with(0);
    assert!(ended.err.starts_with("the first 10 of "), "{}", ended.err);
    let window = ["--from", "10h", "--force"];
    let ended = home.run(&[&packets[..], &window].concat()).with(0);
    assert!(ended.err.starts_with("all 0 packets"), "{}", ended.err);
}

#[test]
fn what_is_wrong_with_a_trace_is_2_and_what_cannot_be_written_4() {
    let home = Home::new();
    let wrong: [(&[&str], &str); 12] = [
        (&["--format", "pcap"], "pcapng"),
        (&["--format", "csv", "--sample", "0"], "whole number from 1 on"),
        (&["--format", "csv", "--packets", "5"], "--format pcapng"),
        (&["--format", "csv", "--from", "5s"], "--packets"),
        (&["--format", "pcapng", "--packets", "5", "--from", "5 parsecs"], "5 parsecs"),
        (&["--format", "pcapng", "--packets", "5", "--from", "2s", "--until", "2s"], "later than `--from`"),
        (&["--format", "csv", "--flow", "ap"], "there is no flow `ap`"),
        (&["--format", "csv", "--run", "99"], "there is no run 99"),
        (&["--format", "csv", "--all"], "`--all`"),
        (&["--format", "csv", "--lost", "3", "--sample", "3"], "cannot be used with"),
        (&["--format", "pcapng", "--packets", "5", "--flow", "app"], "`--flow`"),
        (&["--sample", "5"], "--format perfetto"),
    ];
    for (arguments, told) in wrong {
        let ended = home.run(&[&["trace", "good.toml"], arguments].concat()).with(2);
        assert!(ended.err.contains(told), "{arguments:?}: {}", ended.err);
        assert_eq!(ended.out, "");
    }
    let into = |path: &str| home.run(&["trace", "good.toml", "--format", "csv", "-o", path]);
    let ended = into("good.toml").with(4);
    assert!(ended.err.contains("--force"), "{}", ended.err);
    into("good.toml/below").with(4);
    into("no/such/folder.csv").with(4);
    assert_eq!(home.names(), ["good.toml"], "nothing is left");
}
