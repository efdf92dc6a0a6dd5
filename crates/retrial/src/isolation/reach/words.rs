//! The words of an SQL text: what is quoted is known from what is not, and comments are gone. It must never fail: of a
//! text that does not end as SQL does, it says so.

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// A word, and how it stands there.
pub(super) struct Word {
    pub(super) kind: Kind,
    /// In small letters where it is not quoted; what stands between the quotes where it is.
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
    /// A string of which some is spelt in escapes, which are left as they are.
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

/// The words, and whether the text could be cut into them; else each word counts that stands in it, quoted or not.
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
            // What is spelt in escapes is not looked into.
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

/// Of a string, whether it ends, and whether a backslash in it means something; none for a number.
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

/// What stands between a string's quotes.
fn content(text: &str) -> &str {
    let quote = if text.starts_with('$') { '$' } else { '\'' };
    let Some(open) = text.find(quote) else { return text };
    let inner = &text[open + 1..];
    if quote == '\'' {
        return inner.strip_suffix('\'').unwrap_or(inner);
    }
    let Some(tag) = inner.find('$') else { return inner };
    let inner = &inner[tag + 1..];
    // The tag at the end is as long as the one at the beginning.
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
