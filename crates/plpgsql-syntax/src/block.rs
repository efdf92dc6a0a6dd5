//! Blocks: declarations, statements and the EXCEPTION section (manual, 43.2, 43.3 and 43.6.8).

use crate::cursor::Cursor;
use crate::error::Error;
use crate::token::{Kind, Token};
use crate::tree::{Block, Condition, Declaration, Handler, Piece, Statement, Step, TypeName};

/// Parses the body in that part of the text.
///
/// # Errors
/// The text is not PL/pgSQL, or has parts of it that are not supported; the error says what and where.
pub fn body<'t>(text: &'t str, tokens: &[Token<'t>], end: usize) -> Result<Block<'t>, Error> {
    let mut reader = Reader { cursor: Cursor::new(text, tokens, end), depth: 0 };
    if reader.is_symbol("#") {
        return Err(reader.cursor.refused("an option of the compiler (#)"));
    }
    let label = reader.label()?;
    let block = reader.block(label)?;
    reader.cursor.take_symbol(";");
    match reader.cursor.peek() {
        Some(_) => Err(reader.cursor.refused("anything behind the END of a body")),
        None => Ok(block),
    }
}

/// A parser of bodies.
pub(crate) struct Reader<'a, 't> {
    pub(crate) cursor: Cursor<'a, 't>,
    /// The nesting depth in IF, loops and blocks.
    pub(crate) depth: usize,
}

/// The maximum nesting depth of statements: the parser recurses with it.
const DEEPEST: usize = 100;

impl<'t> Reader<'_, 't> {
    /// A block from DECLARE or BEGIN to END and its label.
    pub(crate) fn block(&mut self, label: Option<String>) -> Result<Block<'t>, Error> {
        let mut declarations = Vec::new();
        if self.cursor.take(&["declare"]) {
            while !self.cursor.is("begin") {
                declarations.push(self.declaration()?);
            }
        }
        self.cursor.expect(&["begin"], "before the statements of a body")?;
        let statements = self.statements(&["end", "exception"])?;
        let handlers = if self.cursor.take(&["exception"]) { Some(self.handlers()?) } else { None };
        self.cursor.next();
        self.end_label(label.as_deref())?;
        Ok(Block { label, declarations, statements, handlers })
    }

    /// `name [CONSTANT] type [NOT NULL] [:= expression];`
    fn declaration(&mut self) -> Result<Declaration<'t>, Error> {
        if self.cursor.is("declare") {
            return Err(self.cursor.refused("a second DECLARE"));
        }
        let at = self.cursor.at();
        let name = self.cursor.name("a variable")?;
        for clause in ["alias", "cursor", "no", "scroll"] {
            if self.cursor.is(clause) {
                return Err(self.cursor.refused(&format!("{} in DECLARE", clause.to_uppercase())));
            }
        }
        let constant = self.cursor.take(&["constant"]);
        let ty = self.type_name()?;
        let not_null = self.cursor.take(&["not", "null"]);
        if self.cursor.is("collate") {
            return Err(self.cursor.refused("COLLATE in DECLARE"));
        }
        let assigns =
            self.cursor.take_symbol(":=") || self.cursor.take_symbol("=") || self.cursor.take(&["default"]);
        let value = if assigns { Some(self.before_mark(";")?) } else { None };
        self.cursor.expect_symbol(";", "behind a declaration")?;
        Ok(Declaration { name, ty, constant, not_null, value, at })
    }

    fn type_name(&mut self) -> Result<TypeName<'t>, Error> {
        let ends = |token: &Token<'_>| {
            [":=", "=", ";"].iter().any(|mark| token.is_symbol(mark))
                || ["not", "collate", "default"].iter().any(|word| token.is_word(word))
        };
        let tokens = self.cursor.until(ends, "`;` behind a declaration")?;
        let [first, .., last] = tokens else {
            return match tokens {
                [only] if only.is_word("record") => Ok(TypeName::Record),
                [_] => self.piece(tokens).map(TypeName::Named),
                _ => Err(self.cursor.unexpected("the name of a type")),
            };
        };
        let at = first.at;
        let marks = tokens.len() >= 3 && tokens[tokens.len() - 2].is_symbol("%");
        if !marks {
            return self.piece(tokens).map(TypeName::Named);
        }
        let names = names(&tokens[..tokens.len() - 2]);
        match names {
            Some(names) if last.is_word("type") => Ok(TypeName::TypeOf(names)),
            Some(names) if last.is_word("rowtype") && names.len() == 1 => Ok(TypeName::RowOf(names.concat())),
            _ => Err(Error::refused(self.cursor.text, at, "this type of a variable")),
        }
    }

    /// WHEN and THEN of an EXCEPTION section, up to END.
    fn handlers(&mut self) -> Result<Vec<Handler<'t>>, Error> {
        let mut handlers = Vec::new();
        while self.cursor.take(&["when"]) {
            let mut conditions = vec![self.condition()?];
            while self.cursor.take(&["or"]) {
                conditions.push(self.condition()?);
            }
            self.cursor.expect(&["then"], "behind the conditions of a handler")?;
            let statements = self.statements(&["end", "when"])?;
            handlers.push(Handler { conditions, statements });
        }
        if handlers.is_empty() || !self.cursor.is("end") {
            return Err(self.cursor.unexpected("WHEN or END"));
        }
        Ok(handlers)
    }

    /// The name of a condition, or SQLSTATE and its code.
    pub(crate) fn condition(&mut self) -> Result<Condition, Error> {
        if !self.cursor.take(&["sqlstate"]) {
            return self.cursor.name("a condition").map(Condition::Name);
        }
        let state = self.cursor.peek().filter(|token| token.kind == Kind::Text);
        let state = state.ok_or_else(|| self.cursor.unexpected("five letters behind SQLSTATE"))?;
        self.cursor.next();
        Ok(Condition::State(state.text.trim_matches('\'').to_owned()))
    }

    /// Statements up to one of these words, which is not consumed.
    pub(crate) fn statements(&mut self, ends: &[&str]) -> Result<Vec<Statement<'t>>, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let what = format!("statements nested deeper than {DEEPEST} levels");
            return Err(self.cursor.refused(&what));
        }
        let mut statements = Vec::new();
        while !ends.iter().any(|end| self.cursor.is(end)) {
            if self.cursor.peek().is_none() {
                return Err(self.cursor.unexpected(&ends.join(" or ").to_uppercase()));
            }
            let at = self.cursor.at();
            statements.push(Statement { at, step: self.step()? });
        }
        self.depth -= 1;
        Ok(statements)
    }

    /// `<<label>>`, if present.
    pub(crate) fn label(&mut self) -> Result<Option<String>, Error> {
        if !self.cursor.take_symbol("<<") {
            return Ok(None);
        }
        let label = self.cursor.name("a label")?;
        self.cursor.expect_symbol(">>", "behind a label")?;
        Ok(Some(label))
    }

    /// The optional label after END.
    pub(crate) fn end_label(&mut self, label: Option<&str>) -> Result<(), Error> {
        let Some(name) = self.cursor.peek().and_then(Token::name) else { return Ok(()) };
        if label != Some(name.as_str()) {
            return Err(self.cursor.unexpected("the label of its beginning"));
        }
        self.cursor.next();
        Ok(())
    }

    pub(crate) fn end(&mut self, of: &str) -> Result<(), Error> {
        self.cursor.expect_symbol(";", &format!("behind {of}"))
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.cursor.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    /// The tokens as a piece.
    pub(crate) fn piece(&self, tokens: &[Token<'t>]) -> Result<Piece<'t>, Error> {
        match tokens.first() {
            Some(first) => Ok(Piece { at: first.at, tokens: tokens.to_vec() }),
            None => Err(self.cursor.unexpected("an expression")),
        }
    }

    pub(crate) fn before_mark(&mut self, mark: &str) -> Result<Piece<'t>, Error> {
        let expected = format!("`{mark}` behind an expression");
        let tokens = self.cursor.until(|token| token.is_symbol(mark), &expected)?;
        self.piece(tokens)
    }

    /// The expression before a word; consumes the word as well.
    pub(crate) fn before_word(&mut self, word: &str) -> Result<Piece<'t>, Error> {
        let expected = format!("{} behind an expression", word.to_uppercase());
        let ends = |token: &Token<'_>| token.is_word(word) || token.is_symbol(";");
        let tokens = self.cursor.until(ends, &expected)?;
        self.cursor.expect(&[word], "behind an expression")?;
        self.piece(tokens)
    }

    /// Parses one statement.
    fn step(&mut self) -> Result<Step<'t>, Error> {
        if let Some(target) = self.assigned()? {
            let value = self.before_mark(";")?;
            self.end("an assignment")?;
            return Ok(Step::Assign { target, value });
        }
        let label = self.label()?;
        if self.cursor.is("declare") || self.cursor.is("begin") {
            let block = self.block(label)?;
            self.end("END")?;
            return Ok(Step::Block(block));
        }
        if let Some(looped) = self.looped(label.clone())? {
            return Ok(looped);
        }
        if label.is_some() {
            return Err(self.cursor.unexpected("a loop or a block behind a label"));
        }
        match self.control()? {
            Some(step) => Ok(step),
            None => self.plain(),
        }
    }
}

/// Names separated by dots.
pub(crate) fn names(tokens: &[Token<'_>]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match index % 2 {
            0 => names.push(token.name()?),
            _ if token.is_symbol(".") => {}
            _ => return None,
        }
    }
    (names.len() * 2 == tokens.len() + 1).then_some(names)
}
