//! The name somebody meant.

/// The candidate nearest to `written`, if it is near enough to be meant: a third of its letters may be wrong, at least one. If
/// there is none, the one that begins like it (`exp` for `exponential`, `policy` for `policies`).
///
/// Swapped neighbours count as one mistake. Of equally near candidates the first one wins.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = written.chars().count();
    let measured = |candidate| (strsim::osa_distance(written, candidate), candidate);
    let measured: Vec<_> = candidates.into_iter().map(measured).collect();
    let of_those = |is_meant: &dyn Fn(usize, &str) -> bool| {
        let meant = measured.iter().filter(|(distance, candidate)| is_meant(*distance, candidate));
        meant.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| *candidate)
    };
    let allowed = (length / 3).max(1);
    of_those(&|distance, candidate| distance <= allowed && distance < candidate.chars().count())
        .or_else(|| of_those(&|distance, candidate| begins_alike(written, candidate, distance)))
}

/// Whether `written` is a beginning of `candidate`, or two thirds of it are and they differ little after that; three letters
/// at least.
fn begins_alike(written: &str, candidate: &str, distance: usize) -> bool {
    let length = written.chars().count();
    let shared = written.chars().zip(candidate.chars()).take_while(|(one, other)| one == other).count();
    shared >= 3 && (shared == length || 3 * shared >= 2 * length && distance <= 3)
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
    fn a_beginning_is_recognised() {
        assert_eq!(nearest("exp", ["constant", "exponential"]), Some("exponential"));
        assert_eq!(nearest("policy", ["params", "policies"]), Some("policies"));
        assert_eq!(nearest("rate", ["ratio", "retry-quota"]), Some("ratio"));
        assert_eq!(nearest("retry-limit", ["retry-on", "retry-to"]), None, "six letters of eleven");
        assert_eq!(nearest("pa", ["payments"]), None, "too little to tell");
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
    }
}
