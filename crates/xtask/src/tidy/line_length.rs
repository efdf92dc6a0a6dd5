//! Invariant: no line of Rust is wider than 120 columns. rustfmt ensures it for code only; this check includes comments
//! and strings. A line with a URL is exempt, because a URL cannot be broken.

use super::Violation;
use crate::tree::File;

const LIMIT: usize = 120;

pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (number, line) in file.lines() {
            let width = line.chars().count();
            if width > LIMIT && !line.contains("https://") && !line.contains("http://") {
                let message = format!("the line has {width} columns of at most {LIMIT}; break it");
                found.push(Violation::new(&file.path, number, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, places};
    use super::check;

    #[test]
    fn a_comment_of_121_columns_is_a_violation() {
        let text = format!("//! A file.\n// {}\n", "x".repeat(118));
        assert_eq!(places(&check(&[file("a.rs", &text)])), ["a.rs:2"]);
    }

    #[test]
    fn a_line_at_the_limit_and_a_url_are_clean() {
        let text = format!("// {}\n// https://{}\n", "é".repeat(117), "x".repeat(120));
        assert_eq!(check(&[file("a.rs", &text), file("a.md", &"x".repeat(200))]), []);
    }
}
