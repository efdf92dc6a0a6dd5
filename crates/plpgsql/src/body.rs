//! Reads a body of PL/pgSQL: what it declares and the control flow of its block, after the manual's 43.2 to 43.6. It
//! must never pass over what it does not know.

use crate::expression::{Expression, expression};
use crate::op::{Body, Counter, Op};
use crate::statement::{perform, statement};
use crate::variable::{Scope, Type};
use retrial_plpgsql_syntax::Cursor;
use retrial_plpgsql_syntax::Error;
use retrial_plpgsql_syntax::{Kind, Token};

/// Reads the body that stands in that part of the file.
pub(crate) fn body(text: &str, tokens: &[Token<'_>], end: usize) -> Result<Body, Error> {
    let cursor = Cursor::new(text, tokens, end);
    let mut reader = Reader { cursor, scope: Scope::new(), ops: Vec::new(), loops: Vec::new(), depth: 0 };
    if reader.cursor.peek().is_some_and(|token| token.is_symbol("<<")) {
        return Err(reader.cursor.refused("a label"));
    }
    if reader.cursor.peek().is_some_and(|token| token.is_symbol("#")) {
        return Err(reader.cursor.refused("an option of the compiler (#)"));
    }
    if reader.cursor.take(&["declare"]) {
        while !reader.cursor.is("begin") {
            reader.declaration()?;
        }
    }
    reader.cursor.expect(&["begin"], "before the statements of a body")?;
    reader.statements(&["end"])?;
    reader.cursor.next();
    reader.cursor.take_symbol(";");
    if reader.cursor.peek().is_some() {
        return Err(reader.cursor.refused("a label, or anything else behind the END of a body"));
    }
    Ok(Body { types: reader.scope.types(), ops: reader.ops })
}

struct Reader<'a, 't> {
    cursor: Cursor<'a, 't>,
    scope: Scope,
    ops: Vec<Op>,
    /// The loops around the place that is read, the innermost last.
    loops: Vec<Loop>,
    /// How deep in IF and loops the place is.
    depth: usize,
}

/// How deep IF and loops may nest: a reader follows them call by call.
const DEEPEST: usize = 100;

/// The jumps of a loop whose targets are not known yet.
#[derive(Default)]
struct Loop {
    exits: Vec<usize>,
    continues: Vec<usize>,
}

impl Reader<'_, '_> {
    /// `v type [:= expression];`
    fn declaration(&mut self) -> Result<(), Error> {
        if self.cursor.is("declare") {
            return Err(self.cursor.refused("a second DECLARE"));
        }
        let name = self.cursor.name("a variable")?;
        for clause in ["constant", "alias", "cursor", "no"] {
            if self.cursor.is(clause) {
                return Err(self.cursor.refused(&format!("{} in DECLARE", clause.to_uppercase())));
            }
        }
        let start = self.cursor;
        let of_type = self.cursor.name("a type")?;
        let ty = Type::named(&of_type).filter(|_| {
            let goes_on = |mark: &str| self.cursor.peek().is_some_and(|token| token.is_symbol(mark));
            !["%", "(", "[", "."].into_iter().any(goes_on)
        });
        let Some(ty) = ty else { return Err(start.refused(&format!("a variable of the type {of_type}"))) };
        for clause in ["not", "collate"] {
            if self.cursor.is(clause) {
                return Err(self.cursor.refused(&format!("{} in DECLARE", clause.to_uppercase())));
            }
        }
        let assigns =
            self.cursor.take_symbol(":=") || self.cursor.take_symbol("=") || self.cursor.take(&["default"]);
        let slot = self.scope.slot(ty);
        if assigns {
            let value = self.expression_before_mark(";")?;
            self.ops.push(Op::Assign { slot, value });
        }
        self.scope.name(name, slot);
        self.cursor.expect_symbol(";", "behind a declaration")
    }

    /// Statements up to one of these words, which is left where it is.
    fn statements(&mut self, ends: &[&str]) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.cursor.refused(&format!("statements nested deeper than {DEEPEST} levels")));
        }
        while !ends.iter().any(|end| self.cursor.is(end)) {
            if self.cursor.peek().is_none() {
                return Err(self.cursor.unexpected(&ends.join(" or ").to_uppercase()));
            }
            self.statement()?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn statement(&mut self) -> Result<(), Error> {
        if let Some(slot) = self.assigned()? {
            let value = self.expression_before_mark(";")?;
            self.ops.push(Op::Assign { slot, value });
            return self.end("an assignment");
        }
        let start = self.cursor;
        if self.cursor.peek().is_some_and(|token| token.is_symbol("<<")) {
            return Err(self.cursor.refused("a label"));
        }
        match () {
            () if self.cursor.take(&["if"]) => self.conditional(),
            () if self.cursor.take(&["loop"]) => self.looped(None),
            () if self.cursor.take(&["while"]) => {
                let condition = self.expression_before("loop")?;
                self.looped(Some(condition))
            }
            () if self.cursor.take(&["for"]) => self.counted(start),
            () if self.cursor.take(&["exit"]) => self.leave("EXIT", |at| &mut at.exits),
            () if self.cursor.take(&["continue"]) => self.leave("CONTINUE", |at| &mut at.continues),
            () if self.cursor.take(&["return"]) => {
                if !self.cursor.peek().is_some_and(|token| token.is_symbol(";")) {
                    return Err(start.refused("RETURN of a value"));
                }
                self.ops.push(Op::Jump(END));
                self.end("RETURN")
            }
            () if self.cursor.take(&["null"]) => self.end("NULL"),
            () if self.cursor.take(&["raise"]) => self.raise(start),
            () if self.cursor.take(&["get"]) => self.diagnostics(start),
            () if self.cursor.is("commit") || self.cursor.is("rollback") => {
                let op = if self.cursor.is("commit") { Op::Commit } else { Op::Rollback };
                self.cursor.next();
                if !self.cursor.peek().is_some_and(|token| token.is_symbol(";")) {
                    return Err(start.refused("COMMIT or ROLLBACK with anything behind it"));
                }
                self.ops.push(op);
                self.end("COMMIT")
            }
            () if self.cursor.is("perform") => {
                let op = perform(&mut self.cursor, &self.scope)?;
                self.ops.push(op);
                self.end("PERFORM")
            }
            () => {
                let op = statement(&mut self.cursor, &self.scope)?;
                self.ops.push(op);
                self.end("a statement")
            }
        }
    }

    fn end(&mut self, of: &str) -> Result<(), Error> {
        self.cursor.expect_symbol(";", &format!("behind {of}"))
    }

    /// The variable that an assignment begins with, if one does.
    fn assigned(&mut self) -> Result<Option<usize>, Error> {
        let (Some(first), Some(second)) = (self.cursor.peek(), self.cursor.second()) else { return Ok(None) };
        let Some(name) = first.name() else { return Ok(None) };
        let slot = self.scope.find(&name);
        if second.is_symbol(":=") || second.is_symbol("=") {
            let slot =
                slot.ok_or_else(|| Error::new(self.cursor.text, first.at, format!("{name} is no variable")))?;
            self.cursor.next();
            self.cursor.next();
            return Ok(Some(slot));
        }
        if slot.is_some() && (second.is_symbol("[") || second.is_symbol(".")) {
            return Err(self.cursor.refused("an assignment to a part of a variable"));
        }
        Ok(None)
    }

    fn expression_before_mark(&mut self, mark: &str) -> Result<Expression, Error> {
        let expected = format!("`{mark}` behind an expression");
        let tokens = self.cursor.until(|token| token.is_symbol(mark), &expected)?;
        self.expression_of(tokens)
    }

    /// The expression before a word, which is taken as well.
    fn expression_before(&mut self, word: &str) -> Result<Expression, Error> {
        let expected = format!("{} behind an expression", word.to_uppercase());
        let ends = |token: &Token<'_>| token.is_word(word) || token.is_symbol(";");
        let tokens = self.cursor.until(ends, &expected)?;
        self.cursor.expect(&[word], "behind an expression")?;
        self.expression_of(tokens)
    }

    fn expression_of(&self, tokens: &[Token<'_>]) -> Result<Expression, Error> {
        if tokens.is_empty() {
            return Err(self.cursor.unexpected("an expression"));
        }
        expression(self.cursor.text, tokens, &self.scope)
    }

    /// IF, each arm of which jumps behind the whole when it is done.
    fn conditional(&mut self) -> Result<(), Error> {
        let mut done = Vec::new();
        loop {
            let condition = self.expression_before("then")?;
            let unless = self.placeholder(Op::Unless { condition, to: END });
            self.statements(&["elsif", "elseif", "else", "end"])?;
            if !self.cursor.is("end") {
                done.push(self.placeholder(Op::Jump(END)));
            }
            self.aim(&[unless]);
            if self.cursor.take(&["else"]) {
                self.statements(&["end"])?;
                break;
            }
            if !self.cursor.take(&["elsif"]) && !self.cursor.take(&["elseif"]) {
                break;
            }
        }
        self.aim(&done);
        self.cursor.expect(&["end", "if"], "behind IF")?;
        self.end("END IF")
    }

    /// LOOP, or the rest of a WHILE.
    fn looped(&mut self, condition: Option<Expression>) -> Result<(), Error> {
        let top = self.ops.len();
        let unless = condition.map(|condition| self.placeholder(Op::Unless { condition, to: END }));
        let inner = self.inside()?;
        self.retarget(&inner.continues, top);
        self.ops.push(Op::Jump(top));
        self.aim(&inner.exits);
        self.aim(unless.as_slice());
        Ok(())
    }

    /// FOR over integers. What the body does to its variable does not change how often it is run.
    fn counted(&mut self, start: Cursor<'_, '_>) -> Result<(), Error> {
        let name = self.cursor.name("a variable")?;
        self.cursor.expect(&["in"], "behind the variable of FOR")?;
        if self.cursor.is("reverse") {
            return Err(self.cursor.refused("FOR .. IN REVERSE"));
        }
        let is_end = |token: &Token<'_>| token.is_symbol("..") || token.is_word("loop");
        let lower = self.cursor.until(is_end, "LOOP behind FOR")?;
        if !self.cursor.take_symbol("..") {
            return Err(start.refused("FOR over anything but integers"));
        }
        let lower = self.expression_of(lower)?;
        let ends = |token: &Token<'_>| token.is_word("loop") || token.is_word("by");
        let upper = self.cursor.until(ends, "LOOP behind FOR")?;
        if self.cursor.is("by") {
            return Err(self.cursor.refused("FOR .. BY"));
        }
        self.cursor.next();
        let upper = self.expression_of(upper)?;
        let mut slot = |ty| self.scope.slot(ty);
        let counter =
            Counter { next: slot(Type::Bigint), last: slot(Type::Bigint), ran: slot(Type::Boolean) };
        let variable = slot(Type::Integer);
        self.ops.push(Op::For { lower, upper, counter });
        let top = self.placeholder(Op::Iterate { counter, variable, to: END });
        self.scope.name(name, variable);
        let inner = self.inside()?;
        self.scope.forget();
        self.retarget(&inner.continues, top);
        self.ops.push(Op::Jump(top));
        self.aim(&inner.exits);
        self.aim(&[top]);
        self.ops.push(Op::EndFor(counter));
        Ok(())
    }

    /// The statements of a loop.
    fn inside(&mut self) -> Result<Loop, Error> {
        self.loops.push(Loop::default());
        self.statements(&["end"])?;
        self.cursor.expect(&["end", "loop"], "behind LOOP")?;
        self.end("END LOOP")?;
        Ok(self.loops.pop().unwrap_or_default())
    }

    /// EXIT or CONTINUE.
    fn leave(&mut self, word: &str, jumps: fn(&mut Loop) -> &mut Vec<usize>) -> Result<(), Error> {
        let before = if self.cursor.take(&["when"]) {
            let condition = self.expression_before_mark(";")?;
            Some(self.placeholder(Op::Unless { condition, to: END }))
        } else if self.cursor.peek().is_some_and(|token| token.is_symbol(";")) {
            None
        } else {
            return Err(self.cursor.refused(&format!("{word} with a label")));
        };
        let jump = self.placeholder(Op::Jump(END));
        let Some(inner) = self.loops.last_mut() else {
            return Err(self.cursor.unexpected(&format!("a loop around {word}")));
        };
        jumps(inner).push(jump);
        self.aim(before.as_slice());
        self.end(word)
    }

    /// `GET [CURRENT] DIAGNOSTICS v = ROW_COUNT`.
    fn diagnostics(&mut self, start: Cursor<'_, '_>) -> Result<(), Error> {
        self.cursor.take(&["current"]);
        if !self.cursor.take(&["diagnostics"]) {
            return Err(start.refused("GET STACKED DIAGNOSTICS"));
        }
        let at = self.cursor.at();
        let name = self.cursor.name("a variable")?;
        let slot = self.scope.find(&name);
        let slot = slot.ok_or_else(|| Error::new(self.cursor.text, at, format!("{name} is no variable")))?;
        if !self.cursor.take_symbol(":=") {
            self.cursor.expect_symbol("=", "in GET DIAGNOSTICS")?;
        }
        if !self.cursor.take(&["row_count"]) {
            return Err(self.cursor.refused("GET DIAGNOSTICS of anything but ROW_COUNT"));
        }
        if self.cursor.peek().is_some_and(|token| token.is_symbol(",")) {
            return Err(self.cursor.refused("GET DIAGNOSTICS of two things"));
        }
        self.ops.push(Op::RowCount(slot));
        self.end("GET DIAGNOSTICS")
    }

    /// `RAISE [level] 'text %', value, ..`.
    fn raise(&mut self, start: Cursor<'_, '_>) -> Result<(), Error> {
        let quiet = ["debug", "log", "info", "notice", "warning"].iter().any(|it| self.cursor.take(&[it]));
        if !quiet {
            self.cursor.take(&["exception"]);
        }
        let format = self.cursor.peek().filter(|it| it.kind == Kind::Text && it.text.starts_with('\''));
        let Some(format) = format else {
            return Err(start.refused("RAISE without a text"));
        };
        self.cursor.next();
        let mut values = Vec::new();
        while self.cursor.take_symbol(",") {
            let ends =
                |token: &Token<'_>| token.is_symbol(",") || token.is_symbol(";") || token.is_word("using");
            let tokens = self.cursor.until(ends, "`;` behind RAISE")?;
            values.push(self.expression_of(tokens)?);
        }
        if self.cursor.is("using") {
            return Err(self.cursor.refused("RAISE .. USING"));
        }
        let pieces = pieces(format.text);
        if pieces.len() != values.len() + 1 {
            return Err(Error::new(self.cursor.text, format.at, "RAISE has not one value for each %"));
        }
        self.ops.push(if quiet { Op::Notice(values) } else { Op::Raise { pieces, values } });
        self.end("RAISE")
    }

    /// Adds a jump whose target is not known yet.
    fn placeholder(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    /// Aims jumps at the place that is read next.
    fn aim(&mut self, jumps: &[usize]) {
        self.retarget(jumps, self.ops.len());
    }

    fn retarget(&mut self, jumps: &[usize], target: usize) {
        for jump in jumps {
            if let Op::Jump(to) | Op::Unless { to, .. } | Op::Iterate { to, .. } = &mut self.ops[*jump] {
                *to = target;
            }
        }
    }
}

/// Behind the last step.
const END: usize = usize::MAX;

/// The pieces of a text around its `%`; `%%` is a sign of its own.
fn pieces(quoted: &str) -> Vec<String> {
    let inside = quoted[1..quoted.len() - 1].replace("''", "'");
    let mut pieces = vec![String::new()];
    let mut letters = inside.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = pieces.len() - 1;
        match letter {
            '%' if letters.peek() == Some(&'%') => {
                letters.next();
                pieces[last].push('%');
            }
            '%' => pieces.push(String::new()),
            letter => pieces[last].push(letter),
        }
    }
    pieces
}
