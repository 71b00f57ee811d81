//! Words of the language that are not supported yet: refused by name, so that nobody takes them for typos.

/// The planned keys and names of each schema type.
const PLANNED: &[(&str, &[&str])] = &[
    ("Scenario", &["stores"]),
    ("Run", &["stop-when"]),
    ("MessageKind", &["read", "write"]),
    ("Step", &["read", "write", "write-to", "cas"]),
    ("Fault", &["fail"]),
    ("Skew", &["offset"]),
    ("word", &["shared"]),
    ("stream", &["send-buffer"]),
];

/// Whether `key` is a word of the language in the schema type `table` that is not supported yet.
pub fn is_planned(table: &str, key: &str) -> bool {
    PLANNED.iter().any(|(name, keys)| *name == table && keys.contains(&key))
}
