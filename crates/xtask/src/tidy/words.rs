//! Finds a word in a line, but not inside a longer name: `print!` is not in `eprint!`.

/// Whether `text` contains `word` with no part of a name before or after it.
pub(super) fn contains(text: &str, word: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        // A word that ends with a mark, such as a macro's `!`, ends there, whatever follows.
        let open_end = word.ends_with(in_name) && text[at + word.len()..].starts_with(in_name);
        !text[..at].ends_with(in_name) && !open_end
    })
}

/// The first of the words that `text` contains.
pub(super) fn first<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    words.iter().copied().find(|word| contains(text, word))
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn a_word_stands_alone() {
        assert!(contains("x as f64;", "f64"));
        assert!(contains("use std::env;", "std::env"));
        assert!(contains("print!(\"a\")", "print!"));
        assert!(contains("prefix_f64 f64", "f64"));
    }

    #[test]
    fn a_part_of_a_name_is_no_word() {
        assert!(!contains("from_f64(x)", "f64"));
        assert!(!contains("std::environment", "std::env"));
        assert!(!contains("eprint!(\"a\")", "print!"));
    }
}
