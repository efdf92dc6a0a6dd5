//! Parts of sentences for people.

use std::fmt::Display;

/// A number with its noun.
///
/// ```
/// # use retrial_engine::sentence::counted;
/// assert_eq!(counted(1, "row"), "1 row");
/// assert_eq!(counted(2, "batch"), "2 batches");
/// ```
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let noun = plural(&number, noun);
    format!("{number} {noun}")
}

/// The noun, in the plural unless the number is 1.
pub fn plural<N: PartialEq + From<u8>>(number: &N, noun: &str) -> String {
    let ending = match *number == N::from(1) {
        true => "",
        false if noun.ends_with("ch") => "es",
        false => "s",
    };
    format!("{noun}{ending}")
}

/// A statement on one line, cut off if it is long, for use in a sentence.
pub fn statement_in_short(sql: &str) -> String {
    const LONGEST: usize = 120;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

/// Whether a terminal shows nothing for the character, or obeys it: control characters, and Unicode's characters for
/// the direction and the joining of text.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
