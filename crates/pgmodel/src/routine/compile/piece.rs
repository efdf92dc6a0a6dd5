//! Extracts the pieces of statements: expressions and SQL as separate texts, targets of values, and RAISE.

use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_plpgsql_syntax::{self as syntax, Condition, IntoTargets, Kind, Piece, Token};

use super::super::condition;
use super::super::inner::Sql;
use super::super::program::{FOUND, Op, Raise, Receive, Target, Targets};
use super::{Compiler, no_variable};
use crate::prepared::prepare;

impl<'t> Compiler<'t> {
    pub(super) fn raise(&mut self, raise: &syntax::Raise<'t>) -> Result<Op> {
        let again = raise.condition == Some(Condition::Name(String::new()));
        if again && self.handling.is_none() {
            return Err(Failure::not_modelled("RAISE without anything outside of a handler"));
        }
        let condition = match &raise.condition {
            Some(Condition::Name(name)) if !again => Some((condition::state(name)?.to_owned(), name.clone())),
            Some(Condition::State(state)) => Some((state.clone(), state.clone())),
            _ => None,
        };
        let mut options = Vec::new();
        for (option, value) in &raise.options {
            match option.as_str() {
                "MESSAGE" | "ERRCODE" | "DETAIL" | "HINT" => {
                    options.push((option.clone(), self.expression(value)?));
                }
                other => return Err(Failure::not_modelled(format!("{other} of RAISE .. USING"))),
            }
        }
        let values = raise.values.iter().map(|value| self.expression(value)).collect::<Result<_>>()?;
        Ok(Op::Raise(Raise {
            level: raise.level,
            again,
            condition,
            pieces: raise.pieces.clone(),
            values,
            options,
        }))
    }

    pub(super) fn receive(&mut self, into: &IntoTargets) -> Result<Receive> {
        Ok(Receive { strict: into.strict, targets: self.targets(&into.targets)? })
    }

    pub(super) fn targets(&mut self, targets: &[Vec<String>]) -> Result<Targets> {
        if let [only] = targets
            && let [name] = only.as_slice()
            && let Some(slot) = self.scope.find(name).filter(|slot| self.records.contains(slot))
        {
            return Ok(Targets::Record(slot));
        }
        targets.iter().map(|target| self.target(target)).collect::<Result<_>>().map(Targets::Each)
    }

    pub(super) fn target(&mut self, target: &[String]) -> Result<Target> {
        let found = match target {
            [name] => self.scope.find(name).map(Target::Variable),
            [of, name] => match self.scope.find(of).filter(|slot| self.records.contains(slot)) {
                Some(slot) => Some(Target::Field(slot, name.clone())),
                None => self.scope.member(of, name).map(Target::Variable),
            },
            _ => None,
        };
        let found = found.ok_or_else(|| no_variable(&target.join(".")))?;
        if let Target::Variable(slot) = found {
            if slot == FOUND {
                return Err(Failure::not_modelled("an assignment to FOUND"));
            }
            if self.variables[slot].constant {
                let message = format!("variable \"{}\" is declared CONSTANT", self.variables[slot].name);
                return Err(Failure::sql("22005", message));
            }
        }
        Ok(found)
    }

    pub(super) fn expression(&mut self, piece: &Piece<'t>) -> Result<Sql> {
        let mut sql = self.parsed(&format!("SELECT {}", self.written(piece)))?;
        if let [token] = piece.tokens.as_slice() {
            sql.alone = token.name().and_then(|name| self.scope.find(&name));
        }
        if let [call, open, token, close] = piece.tokens.as_slice()
            && call.is_word("pg_typeof")
            && open.is_symbol("(")
            && close.is_symbol(")")
        {
            let slot = token.name().and_then(|name| self.scope.find(&name));
            sql.type_of = slot.filter(|slot| !self.records.contains(slot));
        }
        let is_query = |token: &Token<'_>| token.is_word("select") || token.is_word("from");
        sql.counts = piece.tokens.iter().any(is_query);
        sql.with()?;
        Ok(sql)
    }

    pub(super) fn sql(&mut self, piece: &Piece<'t>) -> Result<Sql> {
        let text = self.written(piece);
        self.parsed(&text)
    }

    pub(super) fn parsed(&mut self, text: &str) -> Result<Sql> {
        let parsed = prepare(text)?;
        match parsed.len() {
            1 => Ok(Sql::new(parsed, 0, self.shared.clone())),
            _ => Err(Failure::not_modelled("a statement in a body that is none, or several")),
        }
    }

    /// The text of a piece. `TG_ARGV[n]` becomes a variable of its own.
    pub(super) fn written(&self, piece: &Piece<'t>) -> String {
        let mut text = String::new();
        let mut before: Option<&Token<'_>> = None;
        let mut index = 0;
        while let Some(token) = piece.tokens.get(index) {
            if let Some(before) = before
                && before.end() < token.at
            {
                // String constants on two lines are concatenated; on one line they are a syntax error.
                let lines = self.text.get(before.end()..token.at).is_some_and(|gap| gap.contains('\n'));
                text.push(if lines { '\n' } else { ' ' });
            }
            match &piece.tokens[index..] {
                [argv, open, number, close, ..]
                    if argv.is_word("tg_argv")
                        && open.is_symbol("[")
                        && number.kind == Kind::Number
                        && close.is_symbol("]") =>
                {
                    text.push_str(&format!("\"tg_argv[{}]\"", number.text));
                    before = Some(close);
                    index += 4;
                }
                _ => {
                    text.push_str(token.text);
                    before = Some(token);
                    index += 1;
                }
            }
        }
        text
    }
}
