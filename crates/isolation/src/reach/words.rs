//! Splits an SQL text into words, marks quoted ones and drops comments. It never fails; it returns whether the text is
//! lexically complete.

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// A word of the text and its lexical kind.
pub(super) struct Word {
    pub(super) kind: Kind,
    /// In lower case if it is not quoted, else the text between the quotes.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a name.
    Word,
    /// A quoted name.
    Quoted,
    /// A string, however it is quoted.
    Text,
    /// A string with backslash escapes, which are not decoded.
    Escaped,
    /// Anything else: an operator, a bracket, a number.
    Mark,
}

impl Word {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text == keyword
    }

    /// Whether it is this mark.
    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark && self.text.len() == mark.len_utf8() && self.text.starts_with(mark)
    }
}

/// The words, and whether the text could be tokenized. If not, every run of letters in it is a word, quoted or not.
pub(super) fn words(sql: &str) -> (Vec<Word>, bool) {
    let mut found = Vec::new();
    let mut at = 0;
    for token in tokenize(sql) {
        let Some(text) = sql.get(at..at + token.len as usize) else { return (plain(sql), false) };
        at += token.len as usize;
        let kind = match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { terminated: true } => {
                continue;
            }
            TokenKind::Ident => Kind::Word,
            // Names with Unicode escapes are not decoded.
            TokenKind::QuotedIdent { terminated: true, uescape: false } => Kind::Quoted,
            TokenKind::QuotedIdent { .. } | TokenKind::Unknown | TokenKind::BlockComment { .. } => {
                return (plain(sql), false);
            }
            TokenKind::Literal { kind } => match string(kind) {
                None => Kind::Mark,
                Some((true, may_escape)) if may_escape && text.contains('\\') => Kind::Escaped,
                Some((true, _)) => Kind::Text,
                Some((false, _)) => return (plain(sql), false),
            },
            _ => Kind::Mark,
        };
        let text = match kind {
            Kind::Word => text.to_ascii_lowercase(),
            Kind::Quoted => text.trim_matches('"').to_owned(),
            Kind::Text | Kind::Escaped => content(text).to_owned(),
            Kind::Mark => text.to_owned(),
        };
        found.push(Word { kind, text });
    }
    (found, true)
}

/// For a string, whether it is terminated and whether it may contain backslash escapes; `None` for a number.
fn string(kind: LiteralKind) -> Option<(bool, bool)> {
    match kind {
        LiteralKind::Int { .. } | LiteralKind::Numeric { .. } => None,
        LiteralKind::Str { terminated }
        | LiteralKind::NationalStr { terminated }
        | LiteralKind::ByteStr { terminated }
        | LiteralKind::BitStr { terminated }
        | LiteralKind::DollarQuotedString { terminated } => Some((terminated, false)),
        LiteralKind::UnicodeEscStr { terminated } | LiteralKind::EscStr { terminated } => {
            Some((terminated, true))
        }
    }
}

/// The text between a string's quotes.
fn content(text: &str) -> &str {
    let quote = if text.starts_with('$') { '$' } else { '\'' };
    let Some(open) = text.find(quote) else { return text };
    let inner = &text[open + 1..];
    if quote == '\'' {
        return inner.strip_suffix('\'').unwrap_or(inner);
    }
    let Some(tag) = inner.find('$') else { return inner };
    let inner = &inner[tag + 1..];
    // The closing tag is as long as the opening one.
    inner.get(..inner.len().saturating_sub(tag + 2)).unwrap_or(inner)
}

/// Every run of letters as a word, every other character as a mark.
fn plain(sql: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut inside = false;
    for c in sql.chars().filter(|c| *c != ';') {
        let is_letter = c.is_alphanumeric() || c == '_';
        match found.last_mut() {
            Some(word) if inside && is_letter => word.text.extend(c.to_lowercase()),
            _ if is_letter => found.push(Word { kind: Kind::Word, text: c.to_lowercase().collect() }),
            _ if c.is_whitespace() => {}
            _ => found.push(Word { kind: Kind::Mark, text: c.to_string() }),
        }
        inside = is_letter;
    }
    found
}
