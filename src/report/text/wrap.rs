//! Lines that are no wider than they may be. Escape sequences take no room.

use unicode_width::UnicodeWidthChar;

use crate::report::style;

const ESCAPE: char = '\u{1b}';

/// How many columns a line takes that may be painted.
pub(super) fn size(line: &str) -> usize {
    let bare = |(index, part): (usize, &str)| match index {
        0 => style::size(part),
        _ => style::size(part.split_once('m').map_or(part, |(_, text)| text)),
    };
    line.split(ESCAPE).enumerate().map(bare).sum()
}

/// A line over as many lines as it needs, the second and all that follow a little further in than the first. A word that has no
/// room on a line of its own ends in an ellipsis.
pub(super) fn wrapped(line: &str, width: usize) -> Vec<String> {
    if size(line) <= width {
        return vec![line.into()];
    }
    // A number and its sign stay together.
    let line = line.replace(" %", "\u{a0}%");
    let text = line.trim_start_matches(' ');
    let mut indent = line.len() - text.len();
    let mut lines = Vec::new();
    let mut last = " ".repeat(indent);
    let (mut taken, mut gap, mut is_empty) = (indent, 0, true);
    indent += 2;
    for word in text.split(' ') {
        if word.is_empty() {
            gap += 1;
            continue;
        }
        if !is_empty && taken + gap + size(word) > width {
            lines.push(std::mem::replace(&mut last, " ".repeat(indent)));
            (taken, gap) = (indent, 0);
        }
        let word = cut(word, width.saturating_sub(taken + gap));
        last += &" ".repeat(gap);
        last += &word;
        taken += gap + size(&word);
        (gap, is_empty) = (1, false);
    }
    lines.push(last);
    lines.iter().map(|line| line.replace("\u{a0}%", " %")).collect()
}

/// What is said about a row behind it, or on a line of its own where there is no room.
pub(super) fn with(row: String, about: &str, width: usize) -> Vec<String> {
    match size(&row) + 2 + size(about) {
        _ if about.is_empty() => vec![row],
        taken if taken <= width => vec![format!("{row}  {about}")],
        _ => vec![row, format!("      {about}")],
    }
}

/// A word that takes no more columns.
fn cut(word: &str, room: usize) -> String {
    if size(word) <= room {
        return word.into();
    }
    let mut room = room.saturating_sub(1);
    let (mut left, mut is_escape, mut is_cut) = (String::new(), false, false);
    for c in word.chars() {
        is_escape |= c == ESCAPE;
        let columns = c.width().unwrap_or(0);
        if is_escape {
            left.push(c);
            is_escape = c != 'm';
        } else if !is_cut && columns <= room {
            left.push(c);
            room -= columns;
        } else if !is_cut {
            left.push('…');
            is_cut = true;
        }
    }
    left
}

/// Blocks of lines side by side, each as soon as there is room beside the one before, and otherwise below it, after an empty line.
pub(super) fn beside(blocks: &[Vec<String>], gap: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // Where the row of blocks begins that is being filled, and how wide it is.
    let (mut top, mut taken) = (0, 0);
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        let own = block.iter().map(|line| size(line)).max().unwrap_or(0);
        if !lines.is_empty() && taken + gap + own <= width {
            for (row, line) in block.iter().enumerate() {
                if top + row == lines.len() {
                    lines.push(String::new());
                }
                let before = &mut lines[top + row];
                let space = taken + gap - size(before);
                *before += &format!("{}{line}", " ".repeat(space));
            }
            taken += gap + own;
            continue;
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        (top, taken) = (lines.len(), own);
        lines.extend(block.iter().cloned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("  one two three", 15), ["  one two three"]);
        assert_eq!(wrapped("  one two three", 10), ["  one two", "    three"]);
        assert_eq!(wrapped("abcdefghij klm", 6), ["abcde…", "  klm"]);
        assert_eq!(wrapped("a    b", 5), ["a", "  b"]);
        assert_eq!(wrapped("by the 95 % interval", 10), ["by the", "  95 %", "  interval"]);
    }

    #[test]
    fn what_is_said_about_a_row_goes_below_it_where_there_is_no_room() {
        assert_eq!(with("  row".into(), "about", 12), ["  row  about"]);
        assert_eq!(with("  row".into(), "about", 11), ["  row", "      about"]);
        assert_eq!(with("  row".into(), "", 9), ["  row"]);
    }

    #[test]
    fn colours_take_no_room_and_stay() {
        let painted = "\u{1b}[1mone two\u{1b}[0m three";
        assert_eq!(wrapped(painted, 13), [painted]);
        assert_eq!(wrapped(painted, 8), ["\u{1b}[1mone two\u{1b}[0m", "  three"]);
        assert_eq!(wrapped("\u{1b}[1mabcdef\u{1b}[0m", 4), ["\u{1b}[1mabc…\u{1b}[0m"]);
    }

    #[test]
    fn blocks_stand_side_by_side_where_there_is_room() {
        let block = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let blocks = [block(&["aa", "a"]), block(&["b", "bb", "b"]), block(&["c"])];
        assert_eq!(beside(&blocks, 1, 7), ["aa b  c", "a  bb", "   b"]);
        assert_eq!(beside(&blocks, 1, 6), ["aa b", "a  bb", "   b", "", "c"]);
    }
}
