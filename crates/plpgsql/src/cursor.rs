//! A place among the tokens of a file. It must never pass over a token that nobody asked for.

use crate::error::Error;
use crate::token::{Kind, Token};

/// The tokens from some place on.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a, 't> {
    pub(crate) text: &'t str,
    tokens: &'a [Token<'t>],
    /// Where the text ends that the tokens are from.
    end: usize,
}

impl<'a, 't> Cursor<'a, 't> {
    pub(crate) fn new(text: &'t str, tokens: &'a [Token<'t>], end: usize) -> Cursor<'a, 't> {
        Cursor { text, tokens, end }
    }

    /// The next token.
    pub(crate) fn peek(&self) -> Option<&'a Token<'t>> {
        self.tokens.first()
    }

    /// The token after the next.
    pub(crate) fn second(&self) -> Option<&'a Token<'t>> {
        self.tokens.get(1)
    }

    pub(crate) fn next(&mut self) -> Option<&'a Token<'t>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Whether the next token is that word.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(word))
    }

    /// Takes these words if they are the next ones.
    pub(crate) fn take(&mut self, words: &[&str]) -> bool {
        let are = self.tokens.len() >= words.len()
            && words.iter().zip(self.tokens).all(|(word, token)| token.is_word(word));
        if are {
            self.tokens = &self.tokens[words.len()..];
        }
        are
    }

    /// Takes that mark if it is the next token.
    pub(crate) fn take_symbol(&mut self, symbol: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.is_symbol(symbol));
        if is {
            self.next();
        }
        is
    }

    /// Takes these words, or says what they were expected for.
    pub(crate) fn expect(&mut self, words: &[&str], after: &str) -> Result<(), Error> {
        if self.take(words) {
            return Ok(());
        }
        Err(self.unexpected(&format!("{} {after}", words.join(" ").to_uppercase())))
    }

    /// Takes that mark, or says what it was expected for.
    pub(crate) fn expect_symbol(&mut self, symbol: &str, after: &str) -> Result<(), Error> {
        if self.take_symbol(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{symbol}` {after}")))
    }

    /// A name, as the server keeps it.
    pub(crate) fn name(&mut self, of: &str) -> Result<String, Error> {
        let name = self.peek().and_then(Token::name);
        let name = name.ok_or_else(|| self.unexpected(&format!("the name of {of}")))?;
        self.next();
        Ok(name)
    }

    /// The tokens before the first one outside of brackets that ends them.
    pub(crate) fn until(
        &mut self,
        ends: impl Fn(&Token<'_>) -> bool,
        end: &str,
    ) -> Result<&'a [Token<'t>], Error> {
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

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [Token<'t>] {
        std::mem::take(&mut self.tokens)
    }

    /// Where the next token stands.
    pub(crate) fn at(&self) -> usize {
        self.peek().map_or(self.end, |token| token.at)
    }

    /// Something else was expected here.
    pub(crate) fn unexpected(&self, expected: &str) -> Error {
        let found = self.peek().map_or("the end", |token| match token.kind {
            Kind::Dollar(_) => "a string between dollars",
            _ => token.text,
        });
        Error::new(self.text, self.at(), format!("expected {expected}, found {found}"))
    }

    /// The server knows this, the stepper does not.
    pub(crate) fn refused(&self, what: &str) -> Error {
        Error::refused(self.text, self.at(), what)
    }
}

/// How a token changes the number of open brackets.
pub(crate) fn nesting(token: &Token<'_>) -> i32 {
    match (&token.kind, token.text) {
        (Kind::Symbol, "(" | "[") => 1,
        (Kind::Symbol, ")" | "]") => -1,
        _ => 0,
    }
}

/// Where that word stands outside of brackets.
pub(crate) fn find_outside(tokens: &[Token<'_>], word: &str) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        if depth == 0 && token.is_word(word) {
            return Some(index);
        }
        depth += nesting(token);
    }
    None
}
