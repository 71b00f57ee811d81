//! The name somebody meant.

/// The candidate nearest to `written`, if it is near enough to be meant: a third of its letters may be wrong, at least one.
///
/// Swapped neighbours count as one mistake. Of equally near candidates the first one wins.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A list in words: `a, b or c`.
pub(crate) fn one_of<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("tiemout", ["deadline", "timeout"]), Some("timeout"));
        assert_eq!(nearest("apj", ["db", "api"]), Some("api"));
        assert_eq!(nearest("payments", ["api", "db"]), None);
        assert_eq!(nearest("x", ["y"]), None, "all letters wrong");
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
    }
}
