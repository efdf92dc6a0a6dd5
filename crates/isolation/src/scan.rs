//! Splits a spec's text into tokens. SQL is kept as written, except for blanks next to the braces.

use retrial_engine::error::Error;
use retrial_engine::sentence::is_invisible;

/// A token and the line that it begins on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) what: TokenKind,
    pub(super) line: usize,
}

/// The kind of a token, with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword.
    Key(Key),
    /// A name, quoted or not.
    Name(String),
    /// The SQL between braces.
    Block(String),
    /// A number.
    Number(String),
    /// A comma, a parenthesis or a star.
    Mark(char),
    /// The end of the text.
    End,
}

/// The keywords, which cannot be names unless they are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Notices,
    Permutation,
    Session,
    Setup,
    Step,
    Teardown,
}

const KEYS: [(&str, Key); 6] = [
    ("notices", Key::Notices),
    ("permutation", Key::Permutation),
    ("session", Key::Session),
    ("setup", Key::Setup),
    ("step", Key::Step),
    ("teardown", Key::Teardown),
];

/// An error at a line of the file.
pub(super) fn wrong(file: &str, line: usize, why: impl AsRef<str>) -> Error {
    Error::unreadable(format!("{file}:{line}: {}", why.as_ref()))
}

/// A word as it is shown in an error: truncated if it is long, with invisible characters escaped.
pub(super) fn shown(word: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for (number, c) in word.chars().enumerate() {
        match c {
            _ if number == LONGEST => return shown + "...",
            _ if is_invisible(c) => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
    }
    shown
}

/// The tokens of the text, followed by an end token.
///
/// # Errors
/// The line, and what cannot be tokenized.
pub(super) fn tokens(file: &str, text: &str) -> Result<Vec<Token>, Error> {
    let mut scan = Scan { file, rest: text, line: 1, found: Vec::new() };
    while let Some(first) = scan.rest.chars().next() {
        match first {
            '\n' => {
                scan.line += 1;
                scan.skip(1);
            }
            ' ' | '\t' | '\r' | '\u{c}' => scan.skip(1),
            '#' => scan.skip(scan.rest.find(['\n', '\r']).unwrap_or(scan.rest.len())),
            ',' | '(' | ')' | '*' => {
                scan.put(TokenKind::Mark(first), scan.line);
                scan.skip(1);
            }
            '"' => scan.quoted()?,
            '{' => scan.block()?,
            _ if first.is_ascii_digit() => {
                let number = scan.take(|c| c.is_ascii_digit());
                scan.put(TokenKind::Number(number.to_owned()), scan.line);
            }
            _ if begins_name(first) => scan.word(),
            _ => {
                let why = format!("{first:?} has no meaning here; a comment begins with #");
                return Err(wrong(file, scan.line, why));
            }
        }
    }
    let line = scan.line;
    scan.put(TokenKind::End, line);
    Ok(scan.found)
}

struct Scan<'a> {
    file: &'a str,
    rest: &'a str,
    line: usize,
    found: Vec<Token>,
}

impl<'a> Scan<'a> {
    fn put(&mut self, what: TokenKind, line: usize) {
        self.found.push(Token { what, line });
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    /// Consumes the leading characters that satisfy `so`.
    fn take(&mut self, so: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(|c| !so(c)).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn word(&mut self) {
        let word = self.take(|c| begins_name(c) || c.is_ascii_digit() || c == '$');
        let key = KEYS.iter().find(|(text, _)| *text == word);
        let what = key.map_or_else(|| TokenKind::Name(word.to_owned()), |(_, key)| TokenKind::Key(*key));
        self.put(what, self.line);
    }

    /// A name in double quotes; a quote in it is doubled.
    fn quoted(&mut self) -> Result<(), Error> {
        let mut name = String::new();
        loop {
            self.skip(1);
            name.push_str(self.take(|c| c != '"' && c != '\n'));
            if !self.rest.starts_with('"') {
                return Err(wrong(
                    self.file,
                    self.line,
                    "the quoted name does not end on its line; close it",
                ));
            }
            self.skip(1);
            if !self.rest.starts_with('"') {
                break;
            }
            name.push('"');
        }
        self.put(TokenKind::Name(name), self.line);
        Ok(())
    }

    /// SQL in braces. It cannot contain `}`: the first one ends it.
    fn block(&mut self) -> Result<(), Error> {
        let line = self.line;
        self.skip(1);
        let text = self.take(|c| c != '}');
        if self.rest.is_empty() {
            return Err(wrong(self.file, line, "the braces that open here are never closed"));
        }
        self.skip(1);
        self.line += text.matches('\n').count();
        self.put(TokenKind::Block(text.trim_matches([' ', '\t', '\r', '\u{c}']).to_owned()), line);
        Ok(())
    }
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::{Key, TokenKind, tokens};

    fn kinds(text: &str) -> Vec<TokenKind> {
        let found = tokens("f", text).expect("the text is well formed");
        found.into_iter().map(|token| token.what).collect()
    }

    fn refusal(text: &str) -> String {
        tokens("f.spec", text).expect_err("the text is broken").to_string()
    }

    #[test]
    fn sql_keeps_its_lines_and_loses_blanks_at_the_braces() {
        assert_eq!(kinds("{ SELECT 1; \t}")[0], TokenKind::Block("SELECT 1;".to_owned()));
        assert_eq!(kinds("{ \n a\n }")[0], TokenKind::Block("\n a\n".to_owned()));
        assert_eq!(kinds("{}")[0], TokenKind::Block(String::new()));
    }

    #[test]
    fn keywords_are_names_in_quotes_and_parts_of_names() {
        let name = |text: &str| TokenKind::Name(text.to_owned());
        let expected = vec![
            TokenKind::Key(Key::Step),
            name("step"),
            name("steps"),
            name("a$1"),
            name("é"),
            TokenKind::End,
        ];
        assert_eq!(kinds("step \"step\" steps a$1 é"), expected);
        assert_eq!(kinds("\"a \"\"b\"\"\"")[0], name("a \"b\""));
    }

    #[test]
    fn comments_go_up_to_their_line_s_end() {
        assert_eq!(
            kinds("# step {\n ( # *\n )"),
            [TokenKind::Mark('('), TokenKind::Mark(')'), TokenKind::End]
        );
    }

    #[test]
    fn what_cannot_be_read_is_reported_with_its_line() {
        assert_eq!(refusal("\n;"), "f.spec:2: ';' has no meaning here; a comment begins with #");
        assert_eq!(refusal("{\n"), "f.spec:1: the braces that open here are never closed");
        assert!(refusal("\n\n\"a\nb\"").starts_with("f.spec:3: the quoted name"));
        assert!(refusal("\"a").starts_with("f.spec:1: the quoted name"));
    }

    #[test]
    fn lines_are_counted_through_blocks() {
        let found = tokens("f", "{\n\n}\nx").expect("the text is well formed");
        assert_eq!(found.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 4, 4]);
    }
}
