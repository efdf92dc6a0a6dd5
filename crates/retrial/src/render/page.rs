//! Text that fits the page: wrapped lines, and what is cut to a recognizable length.

/// The maximum width of a table or a legend, in columns.
pub(super) const WIDTH: usize = 100;

/// The longest piece of user input that is repeated in an error, in characters.
const LONGEST_PIECE: usize = 60;

/// The longest error message, in characters.
const LONGEST: usize = 1_000;

/// The text, with quoted pieces truncated to a recognizable length.
pub(super) fn brief(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let is_quoted = |place: usize| place % 2 == 1;
    let pieces =
        pieces.map(|(place, piece)| if is_quoted(place) { brief_piece(piece) } else { piece.to_owned() });
    cut(&pieces.collect::<Vec<_>>().join("`"), LONGEST)
}

/// The text in lines that fit the page, with so many spaces before the first and before the others. A word that is
/// wider than the page stays whole.
pub(super) fn wrapped(text: &str, first: usize, others: usize) -> Vec<String> {
    let mut lines = vec![" ".repeat(first)];
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a line");
        if is_empty {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("{}{word}", " ".repeat(others)));
        }
        is_empty = false;
    }
    lines
}

/// The beginning of a piece of user input.
pub(super) fn brief_piece(text: &str) -> String {
    cut(text, LONGEST_PIECE)
}

/// The text, cut to so many characters where it is longer.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(3)).collect();
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, wrapped};

    #[test]
    fn lines_fit_the_page_and_no_word_is_lost() {
        let text = "word ".repeat(60);
        let lines = wrapped(&text, 2, 4);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= WIDTH));
        assert!(lines[0].starts_with("  word") && lines[1].starts_with("    word"));
        assert_eq!(lines.join(" ").split_whitespace().count(), 60);
        assert_eq!(wrapped("", 2, 4), ["  "]);
    }
}
