//! Colours, and the escaping of control characters, so that no text from outside can control the terminal.

use std::fmt::Display;

use anstyle::{AnsiColor, Reset, Style};

/// Placeholders for colours until a text is printed: Unicode noncharacters, which no other text uses. So any control
/// character in a text to be printed comes from outside.
const BOLD: char = '\u{fdd0}';
const RED: char = '\u{fdd1}';
const GREEN: char = '\u{fdd2}';
const YELLOW: char = '\u{fdd3}';
const END: char = '\u{fdd4}';

pub(super) fn good(text: impl Display) -> String {
    format!("{GREEN}{text}{END}")
}

pub(super) fn bad(text: impl Display) -> String {
    format!("{RED}{text}{END}")
}

pub(super) fn odd(text: impl Display) -> String {
    format!("{YELLOW}{text}{END}")
}

pub(super) fn heading(text: impl Display) -> String {
    format!("{BOLD}{text}{END}")
}

/// The text without colours.
pub(super) fn plain(text: &str) -> String {
    text.replace([BOLD, RED, GREEN, YELLOW, END], "")
}

/// The text for a terminal: placeholders become escape sequences, and control characters are escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            BOLD => printable.push_str(&Style::new().bold().render().to_string()),
            RED => printable.push_str(&AnsiColor::Red.render_fg().to_string()),
            GREEN => printable.push_str(&AnsiColor::Green.render_fg().to_string()),
            YELLOW => printable.push_str(&AnsiColor::Yellow.render_fg().to_string()),
            END => printable.push_str(&Reset.render().to_string()),
            '\n' | '\t' => printable.push(c),
            _ if c.is_control() => printable.extend(c.escape_default()),
            _ => printable.push(c),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::{good, printable};

    #[test]
    fn control_characters_are_written_out_and_all_else_stays() {
        assert_eq!(printable("a\u{1b}]0;b\u{7}c"), "a\\u{1b}]0;b\\u{7}c");
        assert_eq!(printable("\r\u{0}\u{7f}\u{9b}31m\u{8}"), "\\r\\u{0}\\u{7f}\\u{9b}31m\\u{8}");
        for text in ["", "a\n\tb", "é 名 👩\u{200d}🚀", "\\u{1b}", "'\"`"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn colours_are_a_terminal_s_own() {
        assert_eq!(printable(&good("\u{1b}[0m")), "\u{1b}[32m\\u{1b}[0m\u{1b}[0m");
    }
}
