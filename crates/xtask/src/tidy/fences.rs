//! Distinguishes the prose of a Markdown text from its fenced code, in which a `#` is a comment and not a heading.

/// The place of a line of Markdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// Outside all fences.
    Prose,
    /// The line that opens or closes a fence.
    Edge,
    /// Inside a fence that names this language.
    Fence(&'a str),
}

/// The lines with their numbers, from 1 on, and their places.
pub(crate) fn places(text: &str) -> impl Iterator<Item = (usize, &str, Place<'_>)> {
    let mut open: Option<(&str, &str)> = None;
    (1..).zip(text.lines()).map(move |(number, line)| {
        let place = match (open, marker(line)) {
            (None, None) => Place::Prose,
            (None, Some((mark, language))) => {
                open = Some((mark, language));
                Place::Edge
            }
            // A fence ends only with its own mark, at least as long and with nothing after it.
            (Some((mark, _)), Some((other, ""))) if other.starts_with(mark) => {
                open = None;
                Place::Edge
            }
            (Some((_, language)), _) => Place::Fence(language),
        };
        (number, line, place)
    })
}

/// The mark of a fence and the language after it.
fn marker(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let first = line.chars().next().filter(|first| matches!(first, '`' | '~'))?;
    let rest = line.trim_start_matches(first);
    let mark = &line[..line.len() - rest.len()];
    // Backticks after the mark make it a code span in prose.
    (mark.len() >= 3 && !rest.contains('`'))
        .then(|| (mark, rest.split_whitespace().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Place<'_>> {
        places(text).map(|(_, _, place)| place).collect()
    }

    #[test]
    fn a_fence_is_told_from_prose() {
        use Place::{Edge, Fence, Prose};
        assert_eq!(all("a\n```sh\n# b\n```\nc"), [Prose, Edge, Fence("sh"), Edge, Prose]);
    }

    #[test]
    fn a_fence_ends_only_with_its_own_mark() {
        use Place::{Edge, Fence, Prose};
        assert_eq!(all("````md\n```\n~~~~\n````\nx"), [Edge, Fence("md"), Fence("md"), Edge, Prose]);
    }

    #[test]
    fn a_span_of_code_opens_no_fence() {
        assert_eq!(all("```sh``` is a mark"), [Place::Prose]);
    }
}
