//! SQL statements inside a body: with INTO, in PERFORM and in EXECUTE; and assignments (manual, 43.5).

use crate::block::Reader;
use crate::cursor::{find_outside, nesting};
use crate::error::Error;
use crate::token::Token;
use crate::tree::{IntoTargets, Step};

impl<'t> Reader<'_, 't> {
    /// The target of an assignment, if one starts here; consumes it with its operator.
    pub(crate) fn assigned(&mut self) -> Result<Option<Vec<String>>, Error> {
        let mut ahead = self.cursor;
        let Some(first) = ahead.next().and_then(Token::name) else { return Ok(None) };
        let mut target = vec![first];
        while ahead.take_symbol(".") {
            let Some(name) = ahead.next().and_then(Token::name) else { return Ok(None) };
            target.push(name);
        }
        if ahead.take_symbol(":=") || ahead.take_symbol("=") {
            self.cursor = ahead;
            return Ok(Some(target));
        }
        if ahead.peek().is_some_and(|token| token.is_symbol("[")) {
            let rest = ahead.until(|token| token.is_symbol(";") || token.is_symbol(":="), "`;`")?;
            if ahead.take_symbol(":=") || rest.iter().any(|token| token.is_symbol("=")) {
                return Err(self.cursor.refused("an assignment to a part of a variable"));
            }
        }
        Ok(None)
    }

    /// A statement that is SQL, or passes SQL on.
    pub(crate) fn plain(&mut self) -> Result<Step<'t>, Error> {
        let start = self.cursor;
        for word in ["open", "fetch", "move", "close"] {
            if self.cursor.is(word) {
                return Err(start.refused(&format!("a cursor ({})", word.to_uppercase())));
            }
        }
        for word in ["assert", "call", "do"] {
            if self.cursor.is(word) {
                return Err(start.refused(&format!("{} in a body", word.to_uppercase())));
            }
        }
        if self.cursor.take(&["perform"]) {
            let value = self.before_mark(";")?;
            self.end("PERFORM")?;
            return Ok(Step::Perform(value));
        }
        if self.cursor.take(&["execute"]) {
            return self.executed();
        }
        let tokens = self.cursor.until(|token| token.is_symbol(";"), "`;` behind a statement")?;
        let (tokens, into) = self.take_into(tokens)?;
        let statement = self.piece(&tokens)?;
        self.end("a statement")?;
        Ok(Step::Sql { statement, into })
    }

    /// EXECUTE: the text, then INTO and USING in either order.
    fn executed(&mut self) -> Result<Step<'t>, Error> {
        let ends =
            |token: &Token<'_>| token.is_symbol(";") || token.is_word("into") || token.is_word("using");
        let command = self.cursor.until(ends, "`;` behind EXECUTE")?;
        let command = self.piece(command)?;
        let (mut into, mut using) = (None, Vec::new());
        loop {
            let at = self.cursor.at();
            if into.is_none() && self.cursor.take(&["into"]) {
                let strict = self.cursor.take(&["strict"]);
                into = Some(IntoTargets { strict, targets: self.targets()?, at });
            } else if using.is_empty() && self.cursor.take(&["using"]) {
                loop {
                    let ends = |token: &Token<'_>| {
                        token.is_symbol(";") || token.is_symbol(",") || token.is_word("into")
                    };
                    let tokens = self.cursor.until(ends, "`;` behind USING")?;
                    using.push(self.piece(tokens)?);
                    if !self.cursor.take_symbol(",") {
                        break;
                    }
                }
            } else {
                self.end("EXECUTE")?;
                return Ok(Step::Execute { command, into, using });
            }
        }
    }

    /// `a`, `record.field`, and more with commas between them.
    pub(crate) fn targets(&mut self) -> Result<Vec<Vec<String>>, Error> {
        let mut targets = vec![self.target()?];
        while self.cursor.take_symbol(",") {
            targets.push(self.target()?);
        }
        Ok(targets)
    }

    pub(crate) fn target(&mut self) -> Result<Vec<String>, Error> {
        let mut target = vec![self.cursor.name("a variable")?];
        while self.cursor.take_symbol(".") {
            target.push(self.cursor.name("a field")?);
        }
        Ok(target)
    }

    /// Removes INTO and its targets from a statement.
    fn take_into(&self, tokens: &[Token<'t>]) -> Result<(Vec<Token<'t>>, Option<IntoTargets>), Error> {
        let text = self.cursor.text;
        let Some(place) = find_into(tokens) else { return Ok((tokens.to_vec(), None)) };
        let at = tokens[place].at;
        let end = tokens.last().map_or(at, Token::end);
        let mut inner =
            Reader { cursor: crate::cursor::Cursor::new(text, &tokens[place + 1..], end), depth: 0 };
        let strict = inner.cursor.take(&["strict"]);
        if inner.cursor.peek().and_then(Token::name).is_none() {
            return Err(Error::new(text, at, "INTO names no variable"));
        }
        let targets = inner.targets()?;
        let rest = inner.cursor.rest();
        if find_outside(rest, "into").is_some() {
            return Err(Error::new(text, at, "two INTO in one statement"));
        }
        let mut left = tokens[..place].to_vec();
        left.extend_from_slice(rest);
        Ok((left, Some(IntoTargets { strict, targets, at })))
    }
}

/// The index of the INTO that names variables, not a table.
fn find_into(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        let inserts = before.is_some_and(|it| it.is_word("insert") || it.is_word("merge"));
        if depth == 0 && token.is_word("into") && !inserts {
            return Some(index);
        }
        depth += nesting(token);
    }
    None
}
