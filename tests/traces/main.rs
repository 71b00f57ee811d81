//! Traces for other tools: what is written is what these tools read, held by checks of each format's own rules.

#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "cli")]
#[path = "../home/mod.rs"]
mod home;
mod played;

#[cfg(feature = "cli")]
mod command;

mod otlp;
mod pcapng;
mod perfetto;
mod shiviz;
mod tables;

use played::{exported, hostile, systems};

#[test]
fn an_export_is_a_function_of_its_run() {
    for (_, played) in systems() {
        for format in rehearsal::report::trace::FORMATS {
            let again = played.plan.clone();
            let once = exported(&played, format.name);
            assert!(!once.is_empty());
            assert_eq!(once, exported(&played::sampled(again), format.name), "{}", format.name);
        }
    }
}

#[test]
fn each_export_says_by_which_rule_its_messages_were_chosen() {
    let (_, played) = systems().remove(0);
    for format in ["perfetto", "otlp", "pcapng", "shiviz"] {
        let bytes = exported(&played, format);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("by their names: "), "{format}");
    }
}

#[test]
fn no_name_drives_a_terminal_or_ends_a_line() {
    let played = hostile();
    for format in ["perfetto", "otlp", "shiviz", "jsonl"] {
        let text = String::from_utf8(exported(&played, format)).unwrap();
        let is_control = |c: &char| c.is_control() && *c != '\n';
        assert_eq!(text.chars().find(is_control), None, "{format}");
    }
}
