//! Words as a shell reads them.

use std::fmt::Write as _;

use super::charset::Charset;
use super::style::drives;

/// A word that a POSIX shell reads as exactly this text. It cannot drive a terminal, and has no other characters than there
/// are: what must not stand there is written by its bytes.
pub(super) fn word(text: &str, charset: Charset) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let is_shown = |c: char| !drives(c) && (c.is_ascii() || charset == Charset::Unicode);
    if !text.is_empty() && text.chars().all(is_bare) {
        return text.into();
    }
    if text.chars().all(is_shown) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    // A substitution drops newlines at its end: they alone stand as they are.
    let (text, newlines) = text.split_at(text.trim_end_matches('\n').len());
    let newlines = if newlines.is_empty() { String::new() } else { format!("'{newlines}'") };
    let mut format = String::new();
    for c in text.chars() {
        match c {
            '%' => format.push_str("%%"),
            '\\' => format.push_str(r"\\"),
            '\'' => format.push_str(r"'\''"),
            // A shell that is typed into takes `!` between double quotes for a line of its history.
            c if is_shown(c) && c != '!' => format.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                let _ = write!(format, "\\{byte:03o}");
            }),
        }
    }
    format!("\"$(printf '{format}')\"{newlines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_have_to_be() {
        for (text, quoted) in [
            ("checkout.toml", "checkout.toml"),
            ("policies.default.timeout=50ms", "policies.default.timeout=50ms"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$HOME", "'$HOME'"),
            ("it's", r"'it'\''s'"),
            ("größe", "'größe'"),
            ("a\nb", r#""$(printf 'a\012b')""#),
            ("a\n\n", "\"$(printf 'a')\"'\n\n'"),
            ("no!", "'no!'"),
            ("\tno!", r#""$(printf '\011no\041')""#),
            ("5% of\t'a\\b'", r#""$(printf '5%% of\011'\''a\\b'\''')""#),
        ] {
            assert_eq!(word(text, Charset::Unicode), quoted);
        }
        assert_eq!(word("größe", Charset::Ascii), r#""$(printf 'gr\303\266\303\237e')""#);
    }
}
