//! A cursor over the tokens of a file.

use crate::error::Error;
use crate::token::{Kind, Token};

/// The tokens from a position on.
#[derive(Clone, Copy)]
pub struct Cursor<'a, 't> {
    /// The text that the tokens come from.
    pub text: &'t str,
    tokens: &'a [Token<'t>],
    /// The end of the part of the text that the tokens come from.
    end: usize,
}

impl<'a, 't> Cursor<'a, 't> {
    /// A cursor before these tokens; `end` is where their part of the text ends.
    pub fn new(text: &'t str, tokens: &'a [Token<'t>], end: usize) -> Cursor<'a, 't> {
        Cursor { text, tokens, end }
    }

    /// The next token.
    pub fn peek(&self) -> Option<&'a Token<'t>> {
        self.tokens.first()
    }

    /// The token after the next.
    pub fn second(&self) -> Option<&'a Token<'t>> {
        self.tokens.get(1)
    }

    /// Consumes the next token.
    #[expect(
        clippy::should_implement_trait,
        reason = "a cursor is no iterator: it is looked ahead of by copies"
    )]
    pub fn next(&mut self) -> Option<&'a Token<'t>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Whether the next token is that word.
    pub fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(word))
    }

    /// Consumes these words if they are next.
    pub fn take(&mut self, words: &[&str]) -> bool {
        let are = self.tokens.len() >= words.len()
            && words.iter().zip(self.tokens).all(|(word, token)| token.is_word(word));
        if are {
            self.tokens = &self.tokens[words.len()..];
        }
        are
    }

    /// Consumes that symbol if it is the next token.
    pub fn take_symbol(&mut self, symbol: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.is_symbol(symbol));
        if is {
            self.next();
        }
        is
    }

    /// Consumes these words, or fails with what was expected; `after` says where.
    pub fn expect(&mut self, words: &[&str], after: &str) -> Result<(), Error> {
        if self.take(words) {
            return Ok(());
        }
        Err(self.unexpected(&format!("{} {after}", words.join(" ").to_uppercase())))
    }

    /// Consumes that symbol, or fails with what was expected; `after` says where.
    pub fn expect_symbol(&mut self, symbol: &str, after: &str) -> Result<(), Error> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{symbol}` {after}")))
    }

    /// Consumes a name; returns it as the server stores it.
    pub fn name(&mut self, of: &str) -> Result<String, Error> {
        let name = self.peek().and_then(Token::name);
        let name = name.ok_or_else(|| self.unexpected(&format!("the name of {of}")))?;
        self.next();
        Ok(name)
    }

    /// Consumes the tokens before the first one outside brackets that satisfies `ends`.
    pub fn until(&mut self, ends: impl Fn(&Token<'_>) -> bool, end: &str) -> Result<&'a [Token<'t>], Error> {
        let mut depth = 0;
        for (index, token) in self.tokens.iter().enumerate() {
            if depth == 0 && ends(token) {
                let (found, rest) = self.tokens.split_at(index);
                self.tokens = rest;
                return Ok(found);
            }
            depth += nesting(token);
        }
        Err(self.unexpected(end))
    }

    /// Consumes all remaining tokens.
    pub fn rest(&mut self) -> &'a [Token<'t>] {
        std::mem::take(&mut self.tokens)
    }

    /// The offset of the next token.
    pub fn at(&self) -> usize {
        self.peek().map_or(self.end, |token| token.at)
    }

    /// The error that something else was expected here.
    pub fn unexpected(&self, expected: &str) -> Error {
        let found = self.peek().map_or("the end", |token| match token.kind {
            Kind::Dollar(_) => "a string between dollars",
            _ => token.text,
        });
        Error::new(self.text, self.at(), format!("expected {expected}, found {found}"))
    }

    /// The error for something that the server knows and the stepper does not.
    pub fn refused(&self, what: &str) -> Error {
        Error::refused(self.text, self.at(), what)
    }
}

/// The change of bracket depth by a token.
pub fn nesting(token: &Token<'_>) -> i32 {
    match (&token.kind, token.text) {
        (Kind::Symbol, "(" | "[") => 1,
        (Kind::Symbol, ")" | "]") => -1,
        _ => 0,
    }
}

/// The index of that word outside brackets.
pub fn find_outside(tokens: &[Token<'_>], word: &str) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        if depth == 0 && token.is_word(word) {
            return Some(index);
        }
        depth += nesting(token);
    }
    None
}
