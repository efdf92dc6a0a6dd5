//! Compiles the syntax tree of a body to steps: its declarations and the control flow of its block, as in the manual's
//! 43.2 to 43.6. What the stepper does not support is refused here; nothing is skipped.

use retrial_plpgsql_syntax::{
    self as syntax, Condition, Declaration, Diagnostic, Error, IntoTargets, Level, Piece, Raise, Step, Token,
    TypeName,
};

use crate::expression::{Expression, expression};
use crate::op::{Body, Counter, Op};
use crate::statement::{perform, statement};
use crate::variable::{Scope, Type};

/// Compiles the body in that part of the file.
pub(crate) fn body(text: &str, tokens: &[Token<'_>], end: usize) -> Result<Body, Error> {
    let block = syntax::body(text, tokens, end)?;
    let mut reader = Reader { text, at: 0, scope: Scope::new(), ops: Vec::new(), loops: Vec::new() };
    reader.at = tokens.first().map_or(end, |token| token.at);
    if block.label.is_some() {
        return Err(reader.refused("a label"));
    }
    for declaration in &block.declarations {
        reader.declaration(declaration)?;
    }
    reader.statements(&block.statements)?;
    if block.handlers.is_some() {
        return Err(reader.refused("an EXCEPTION section"));
    }
    Ok(Body { types: reader.scope.types(), ops: reader.ops })
}

struct Reader<'t> {
    text: &'t str,
    /// The offset of the statement being compiled.
    at: usize,
    scope: Scope,
    ops: Vec<Op>,
    /// The enclosing loops, the innermost last.
    loops: Vec<Loop>,
}

/// The jumps of a loop whose targets are not known yet.
#[derive(Default)]
struct Loop {
    exits: Vec<usize>,
    continues: Vec<usize>,
}

impl<'t> Reader<'t> {
    fn refused(&self, what: &str) -> Error {
        Error::refused(self.text, self.at, what)
    }

    fn wrong(&self, what: impl Into<String>) -> Error {
        Error::new(self.text, self.at, what)
    }

    /// `v type [:= expression];`
    fn declaration(&mut self, declaration: &Declaration<'t>) -> Result<(), Error> {
        self.at = declaration.at;
        if declaration.constant {
            return Err(self.refused("CONSTANT in DECLARE"));
        }
        let of_type = match &declaration.ty {
            TypeName::Record => "record",
            TypeName::RowOf(name) => name,
            TypeName::TypeOf(names) => names.first().map_or("", String::as_str),
            TypeName::Named(piece) => piece.tokens.first().map_or("", |token| token.text),
        };
        let plain = matches!(&declaration.ty, TypeName::Named(piece) if piece.tokens.len() == 1);
        let Some(ty) = Type::named(&of_type.to_ascii_lowercase()).filter(|_| plain) else {
            return Err(self.refused(&format!("a variable of the type {of_type}")));
        };
        if declaration.not_null {
            return Err(self.refused("NOT in DECLARE"));
        }
        let slot = self.scope.slot(ty);
        if let Some(value) = &declaration.value {
            let value = self.expression(value)?;
            self.ops.push(Op::Assign { slot, value });
        }
        self.scope.name(declaration.name.clone(), slot);
        Ok(())
    }

    fn statements(&mut self, statements: &[syntax::Statement<'t>]) -> Result<(), Error> {
        for statement in statements {
            self.at = statement.at;
            self.step(&statement.step)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step<'t>) -> Result<(), Error> {
        match step {
            Step::Assign { target, value } => {
                let slot = self.variable(target)?;
                let value = self.expression(value)?;
                self.ops.push(Op::Assign { slot, value });
            }
            Step::If { arms, otherwise } => self.conditional(arms, otherwise)?,
            Step::Loop { label: None, condition, body } => self.looped(condition.as_ref(), body)?,
            Step::Count { label: None, reverse: true, .. } => return Err(self.refused("FOR .. IN REVERSE")),
            Step::Count { label: None, by: Some(_), .. } => return Err(self.refused("FOR .. BY")),
            Step::Count { label: None, variable, lower, upper, body, .. } => {
                self.counted(variable, lower, upper, body)?;
            }
            Step::Rows { label: None, .. } => return Err(self.refused("FOR over anything but integers")),
            Step::Loop { .. } | Step::Count { .. } | Step::Rows { .. } => return Err(self.refused("a label")),
            Step::Leave { exit, label, when } => self.leave(*exit, label.is_some(), when.as_ref())?,
            Step::Return(Some(_)) => return Err(self.refused("RETURN of a value")),
            Step::Return(None) => self.ops.push(Op::Jump(END)),
            Step::Null => {}
            Step::Raise(raise) => self.raise(raise)?,
            Step::Diagnostics { stacked, items } => self.diagnostics(*stacked, items)?,
            Step::Commit => self.ops.push(Op::Commit),
            Step::Rollback => self.ops.push(Op::Rollback),
            Step::Perform(query) => {
                let op = perform(self.text, &query.tokens, &self.scope)?;
                self.ops.push(op);
            }
            Step::Sql { statement, into } => self.plain(statement, into.as_ref())?,
            Step::Case { .. } => return Err(self.refused("a CASE statement")),
            Step::Execute { .. } => return Err(self.refused("EXECUTE")),
            Step::Block(_) => return Err(self.refused("a block in a block")),
        }
        Ok(())
    }

    fn plain(&mut self, piece: &Piece<'t>, into: Option<&IntoTargets>) -> Result<(), Error> {
        let op = statement(self.text, self.at, &piece.tokens, into, &self.scope)?;
        self.ops.push(op);
        Ok(())
    }

    /// The slot of the variable that is assigned to.
    fn variable(&self, target: &[String]) -> Result<usize, Error> {
        match target {
            [name] => self.scope.find(name).ok_or_else(|| self.wrong(format!("{name} is no variable"))),
            _ => Err(self.refused("an assignment to a part of a variable")),
        }
    }

    fn expression(&self, piece: &Piece<'t>) -> Result<Expression, Error> {
        expression(self.text, &piece.tokens, &self.scope)
    }

    /// IF. Each arm ends with a jump past the whole.
    fn conditional(
        &mut self,
        arms: &[syntax::Arm<'t>],
        otherwise: &[syntax::Statement<'t>],
    ) -> Result<(), Error> {
        let mut done = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            let condition = arm.when.first().ok_or_else(|| self.wrong("IF without a condition"))?;
            let condition = self.expression(condition)?;
            let unless = self.placeholder(Op::Unless { condition, to: END });
            self.statements(&arm.statements)?;
            if index + 1 < arms.len() || !otherwise.is_empty() {
                done.push(self.placeholder(Op::Jump(END)));
            }
            self.aim(&[unless]);
        }
        self.statements(otherwise)?;
        self.aim(&done);
        Ok(())
    }

    /// LOOP and WHILE.
    fn looped(&mut self, condition: Option<&Piece<'t>>, body: &[syntax::Statement<'t>]) -> Result<(), Error> {
        let condition = condition.map(|condition| self.expression(condition)).transpose()?;
        let top = self.ops.len();
        let unless = condition.map(|condition| self.placeholder(Op::Unless { condition, to: END }));
        let inner = self.inside(body)?;
        self.retarget(&inner.continues, top);
        self.ops.push(Op::Jump(top));
        self.aim(&inner.exits);
        self.aim(unless.as_slice());
        Ok(())
    }

    /// FOR over integers. Changes to the variable inside the body do not change the number of iterations.
    fn counted(
        &mut self,
        name: &str,
        lower: &Piece<'t>,
        upper: &Piece<'t>,
        body: &[syntax::Statement<'t>],
    ) -> Result<(), Error> {
        let (lower, upper) = (self.expression(lower)?, self.expression(upper)?);
        let mut slot = |ty| self.scope.slot(ty);
        let counter =
            Counter { next: slot(Type::Bigint), last: slot(Type::Bigint), ran: slot(Type::Boolean) };
        let variable = slot(Type::Integer);
        self.ops.push(Op::For { lower, upper, counter });
        let top = self.placeholder(Op::Iterate { counter, variable, to: END });
        self.scope.name(name.to_owned(), variable);
        let inner = self.inside(body)?;
        self.scope.forget();
        self.retarget(&inner.continues, top);
        self.ops.push(Op::Jump(top));
        self.aim(&inner.exits);
        self.aim(&[top]);
        self.ops.push(Op::EndFor(counter));
        Ok(())
    }

    /// The statements of a loop.
    fn inside(&mut self, body: &[syntax::Statement<'t>]) -> Result<Loop, Error> {
        self.loops.push(Loop::default());
        self.statements(body)?;
        Ok(self.loops.pop().unwrap_or_default())
    }

    /// EXIT or CONTINUE.
    fn leave(&mut self, exit: bool, labelled: bool, when: Option<&Piece<'t>>) -> Result<(), Error> {
        let word = if exit { "EXIT" } else { "CONTINUE" };
        if labelled {
            return Err(self.refused(&format!("{word} with a label")));
        }
        let before = match when {
            Some(when) => {
                let condition = self.expression(when)?;
                Some(self.placeholder(Op::Unless { condition, to: END }))
            }
            None => None,
        };
        let jump = self.placeholder(Op::Jump(END));
        let Some(inner) = self.loops.last_mut() else {
            return Err(self.wrong(format!("expected a loop around {word}, found ;")));
        };
        let jumps = if exit { &mut inner.exits } else { &mut inner.continues };
        jumps.push(jump);
        self.aim(before.as_slice());
        Ok(())
    }

    /// `GET [CURRENT] DIAGNOSTICS v = ROW_COUNT`.
    fn diagnostics(&mut self, stacked: bool, items: &[Diagnostic]) -> Result<(), Error> {
        if stacked {
            return Err(self.refused("GET STACKED DIAGNOSTICS"));
        }
        let [Diagnostic { target, item }] = items else {
            return Err(self.refused("GET DIAGNOSTICS of two things"));
        };
        let slot = self.variable(target)?;
        if item != "row_count" {
            return Err(self.refused("GET DIAGNOSTICS of anything but ROW_COUNT"));
        }
        self.ops.push(Op::RowCount(slot));
        Ok(())
    }

    /// `RAISE [level] 'text %', value, ..`.
    fn raise(&mut self, raise: &Raise<'t>) -> Result<(), Error> {
        let Some(pieces) = &raise.pieces else { return Err(self.refused("RAISE without a text")) };
        if !raise.options.is_empty() || matches!(raise.condition, Some(Condition::State(_))) {
            return Err(self.refused("RAISE .. USING"));
        }
        let values = raise.values.iter().map(|value| self.expression(value)).collect::<Result<_, _>>()?;
        self.ops.push(match raise.level {
            Level::Exception => Op::Raise { pieces: pieces.clone(), values },
            _ => Op::Notice(values),
        });
        Ok(())
    }

    /// Adds a jump whose target is not known yet.
    fn placeholder(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    /// Points jumps at the next step.
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

/// Past the last step.
const END: usize = usize::MAX;
