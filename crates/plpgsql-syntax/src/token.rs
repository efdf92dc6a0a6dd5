//! The tokens of SQL and PL/pgSQL, as in the manual's 4.1. Strings and comments are opaque, and each token keeps its
//! place, because statements are cut from the file's own text.

use std::ops::Range;

use crate::error::Error;

/// The kind of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an unquoted name.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A constant in single quotes, with any letter that prefixes it.
    Text,
    /// A dollar-quoted constant, and the range of its contents.
    Dollar(Range<usize>),
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// An operator or a punctuation mark.
    Symbol,
}

/// A token and its place in the file.
#[derive(Clone, Debug)]
pub struct Token<'t> {
    /// Its kind.
    pub kind: Kind,
    /// Its text as written.
    pub text: &'t str,
    /// Its offset in the file.
    pub at: usize,
}

impl Token<'_> {
    /// Whether it is that keyword.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is that operator or punctuation mark.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The name as the server stores it, if it is one.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_ascii_lowercase()),
            Kind::Quoted => Some(self.text[1..self.text.len() - 1].replace("\"\"", "\"")),
            _ => None,
        }
    }

    /// The offset of its end.
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// The tokens in that part of the file.
pub fn tokens(text: &str, part: Range<usize>) -> Result<Vec<Token<'_>>, Error> {
    let mut found = Vec::new();
    let mut at = part.start;
    while let Some(first) = text[at..part.end].chars().next() {
        let rest = &text[at..part.end];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if let Some(length) = comment(rest) {
            at += length.ok_or_else(|| Error::new(text, at, "a comment that does not end"))?;
            continue;
        }
        let (length, kind) = token(rest, first, at).map_err(|what| Error::new(text, at, what))?;
        found.push(Token { kind, text: &rest[..length], at });
        at += length;
    }
    Ok(found)
}

/// The kind and length of the token that a text begins with.
fn token(rest: &str, first: char, at: usize) -> Result<(usize, Kind), &'static str> {
    let open = "a string that does not end";
    Ok(match first {
        '\'' => (quoted(rest, '\'', false).ok_or(open)?, Kind::Text),
        '"' => (quoted(rest, '"', false).ok_or("a name in quotes that does not end")?, Kind::Quoted),
        '$' => return dollar(rest, at),
        '0'..='9' => (number(rest), Kind::Number),
        _ if starts_word(first) => {
            let length = rest.find(|c: char| !continues_word(c)).unwrap_or(rest.len());
            let escapes = rest[..length].eq_ignore_ascii_case("e");
            let prefix = ["e", "b", "x", "n"].iter().any(|it| rest[..length].eq_ignore_ascii_case(it));
            if prefix && rest[length..].starts_with('\'') {
                let inside = quoted(&rest[length..], '\'', escapes).ok_or(open)?;
                (length + inside, Kind::Text)
            } else {
                (length, Kind::Word)
            }
        }
        _ => (symbol(rest, first), Kind::Symbol),
    })
}

fn starts_word(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn continues_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$')
}

/// The length of the comment that a text begins with; the inner value is none if it does not end.
fn comment(rest: &str) -> Option<Option<usize>> {
    if rest.starts_with("--") {
        return Some(Some(rest.find('\n').unwrap_or(rest.len())));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    // Comments of this kind nest.
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let (step, change) = match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        (at, depth) = (at + step, depth + change);
        if depth == 0 {
            return Some(Some(at));
        }
    }
    Some(None)
}

/// The length of a quoted text; a doubled quote stands for itself.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
            } else {
                return Some(at + 1);
            }
        }
    }
    None
}

fn dollar(rest: &str, at: usize) -> Result<(usize, Kind), &'static str> {
    let length = 1 + rest[1..].find(|c: char| !continues_word(c) || c == '$').unwrap_or(rest.len() - 1);
    if rest[length..].starts_with('$') && !rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        let tag = &rest[..=length];
        let inside = rest[tag.len()..].find(tag).ok_or("a string between dollars that does not end")?;
        let start = at + tag.len();
        return Ok((2 * tag.len() + inside, Kind::Dollar(start..start + inside)));
    }
    if length > 1 && rest[1..length].bytes().all(|letter| letter.is_ascii_digit()) {
        return Ok((length, Kind::Parameter));
    }
    Err("a dollar sign that begins nothing")
}

/// `1..10` is two numbers around two dots.
fn number(rest: &str) -> usize {
    let digits = |from: usize| {
        rest[from..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |at| from + at)
    };
    let whole = digits(0);
    match rest.as_bytes().get(whole..) {
        Some([b'.', b'.', ..]) => whole,
        Some([b'.', ..]) => digits(whole + 1),
        _ => whole,
    }
}

fn symbol(rest: &str, first: char) -> usize {
    const OPERATOR: &str = "+-*/<>=~!@#%^&|`?";
    if [":=", "::", ".."].iter().any(|pair| rest.starts_with(pair)) {
        return 2;
    }
    if !OPERATOR.contains(first) {
        return first.len_utf8();
    }
    let mut length = rest.find(|c: char| !OPERATOR.contains(c)).unwrap_or(rest.len());
    for comment in ["--", "/*"] {
        length = rest[..length].find(comment).unwrap_or(length);
    }
    // Only an operator with one of these marks may end in a sign: `=-1` is an equals sign and a minus.
    while length > 1
        && rest[..length].ends_with(['+', '-'])
        && !rest[..length].contains(|c: char| "~!@#%^&|`?".contains(c))
    {
        length -= 1;
    }
    length
}
