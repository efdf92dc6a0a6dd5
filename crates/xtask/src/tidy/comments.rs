//! Blanks the comments of Rust source. Strings and character literals are parsed only so far that their contents are
//! not taken for comments. Every word stays on its line.

/// The source without its comments, line for line.
pub(super) fn blank(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (length, keep) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), false)
        } else if rest.starts_with("/*") {
            (block_comment(rest), false)
        } else if let Some(length) = raw_string(rest) {
            (length, true)
        } else if first == '"' {
            (quoted(rest, '"'), true)
        } else if first == '\'' {
            (character(rest), true)
        } else {
            (first.len_utf8(), true)
        };
        let (taken, left) = rest.split_at(length);
        kept.extend(taken.chars().filter(|c| keep || *c == '\n'));
        rest = left;
    }
    kept
}

/// The length of a block comment, including nested ones.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a raw string, if one starts here.
fn raw_string(rest: &str) -> Option<usize> {
    let behind = rest.strip_prefix('r')?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    let body = behind[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let open = rest.len() - body.len();
    Some(body.find(&end).map_or(rest.len(), |at| open + at + end.len()))
}

/// The length of a literal that ends with the same mark that it starts with, unless that is escaped.
fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == mark => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal, or of the mark alone if it starts a lifetime.
fn character(rest: &str) -> usize {
    let mut behind = rest.chars().skip(1);
    match (behind.next(), behind.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(rest, '\''),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::blank;

    #[test]
    fn comments_go_and_lines_stay() {
        assert_eq!(blank("a // b\nc /* d\n/* e */ f */ g\n/// h"), "a \nc \n g\n");
    }

    #[test]
    fn what_looks_like_a_comment_in_a_literal_stays() {
        let cases = [
            r#"let url = "https://x"; y"#,
            r#"let quote = "\"//"; y"#,
            "let path = r\"\\\"; y(b'\"', '\\'', '\"', \"//\")",
            "let raw = r##\"\"# // \"##; y",
            "let multi = \"a\n// b\"; y",
            "fn f<'a>(x: &'a str) {}",
        ];
        for case in cases {
            assert_eq!(blank(case), case);
        }
    }

    #[test]
    fn a_comment_behind_a_lifetime_or_a_literal_goes() {
        assert_eq!(blank("f::<'a>('\"', \"//\", r#\"\"\"#) // g"), "f::<'a>('\"', \"//\", r#\"\"\"#) ");
    }
}
