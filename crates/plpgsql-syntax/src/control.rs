//! Control flow: IF, CASE, loops, EXIT and RETURN (manual, 43.6).

use crate::block::Reader;
use crate::cursor::Cursor;
use crate::error::Error;
use crate::token::Token;
use crate::tree::{Arm, Step};

impl<'t> Reader<'_, 't> {
    /// A loop, if one starts here.
    pub(crate) fn looped(&mut self, label: Option<String>) -> Result<Option<Step<'t>>, Error> {
        let start = self.cursor;
        let condition = match () {
            () if self.cursor.take(&["loop"]) => None,
            () if self.cursor.take(&["while"]) => Some(self.before_word("loop")?),
            () if self.cursor.take(&["for"]) => return self.counted(start, label).map(Some),
            () if self.cursor.is("foreach") => return Err(start.refused("FOREACH")),
            () => return Ok(None),
        };
        let body = self.inside(label.as_deref())?;
        Ok(Some(Step::Loop { label, condition, body }))
    }

    /// The statements of a loop, and its end.
    fn inside(&mut self, label: Option<&str>) -> Result<Vec<crate::tree::Statement<'t>>, Error> {
        let body = self.statements(&["end"])?;
        self.cursor.expect(&["end", "loop"], "behind LOOP")?;
        self.end_label(label)?;
        self.end("END LOOP")?;
        Ok(body)
    }

    /// FOR over integers or over the rows of a query.
    fn counted(&mut self, start: Cursor<'_, 't>, label: Option<String>) -> Result<Step<'t>, Error> {
        let targets = self.targets()?;
        self.cursor.expect(&["in"], "behind the variable of FOR")?;
        let reverse = self.cursor.take(&["reverse"]);
        let is_end = |token: &Token<'_>| token.is_symbol("..") || token.is_word("loop");
        let lower = self.cursor.until(is_end, "LOOP behind FOR")?;
        if !self.cursor.take_symbol("..") {
            let dynamic = lower.first().is_some_and(|token| token.is_word("execute"));
            if reverse || (dynamic && lower.iter().any(|token| token.is_word("using"))) {
                return Err(start.refused("this form of FOR"));
            }
            let query = self.piece(&lower[usize::from(dynamic)..])?;
            self.cursor.next();
            let body = self.inside(label.as_deref())?;
            return Ok(Step::Rows { label, targets, dynamic, query, body });
        }
        let mut targets = targets.into_iter();
        let variable = match (targets.next(), targets.next()) {
            (Some(name), None) if name.len() == 1 => name.concat(),
            _ => return Err(start.refused("FOR over integers with more than one variable")),
        };
        let lower = self.piece(lower)?;
        let ends = |token: &Token<'_>| token.is_word("loop") || token.is_word("by");
        let upper = self.cursor.until(ends, "LOOP behind FOR")?;
        let upper = self.piece(upper)?;
        let by = if self.cursor.take(&["by"]) { Some(self.before_word("loop")?) } else { None };
        if by.is_none() {
            self.cursor.next();
        }
        let body = self.inside(label.as_deref())?;
        Ok(Step::Count { label, variable, reverse, lower, upper, by, body })
    }

    /// IF, CASE, EXIT, RETURN and the other statements that are not SQL.
    pub(crate) fn control(&mut self) -> Result<Option<Step<'t>>, Error> {
        let start = self.cursor;
        let step = match () {
            () if self.cursor.take(&["if"]) => self.conditional()?,
            () if self.cursor.take(&["case"]) => self.case()?,
            () if self.cursor.take(&["exit"]) => self.leave("EXIT")?,
            () if self.cursor.take(&["continue"]) => self.leave("CONTINUE")?,
            () if self.cursor.take(&["return"]) => self.returned(start)?,
            () if self.cursor.take(&["null"]) => Step::Null,
            () if self.cursor.take(&["raise"]) => self.raise()?,
            () if self.cursor.take(&["get"]) => self.diagnostics()?,
            () if self.cursor.is("commit") || self.cursor.is("rollback") => {
                let commits = self.cursor.is("commit");
                self.cursor.next();
                if !self.is_symbol(";") {
                    return Err(start.refused("COMMIT or ROLLBACK with anything behind it"));
                }
                if commits { Step::Commit } else { Step::Rollback }
            }
            () => return Ok(None),
        };
        self.end("a statement")?;
        Ok(Some(step))
    }

    fn conditional(&mut self) -> Result<Step<'t>, Error> {
        let (mut arms, mut otherwise) = (Vec::new(), Vec::new());
        loop {
            let when = vec![self.before_word("then")?];
            let statements = self.statements(&["elsif", "elseif", "else", "end"])?;
            arms.push(Arm { when, statements });
            if self.cursor.take(&["else"]) {
                otherwise = self.statements(&["end"])?;
                break;
            }
            if !self.cursor.take(&["elsif"]) && !self.cursor.take(&["elseif"]) {
                break;
            }
        }
        self.cursor.expect(&["end", "if"], "behind IF")?;
        Ok(Step::If { arms, otherwise })
    }

    fn case(&mut self) -> Result<Step<'t>, Error> {
        let operand = match self.cursor.take(&["when"]) {
            true => None,
            false => Some(self.before_word("when")?),
        };
        let (mut arms, mut otherwise) = (Vec::new(), None);
        loop {
            let mut when = Vec::new();
            loop {
                let ends = |token: &Token<'_>| {
                    token.is_word("then")
                        || token.is_symbol(";")
                        || (operand.is_some() && token.is_symbol(","))
                };
                let tokens = self.cursor.until(ends, "THEN behind WHEN")?;
                when.push(self.piece(tokens)?);
                if !self.cursor.take_symbol(",") {
                    break;
                }
            }
            self.cursor.expect(&["then"], "behind WHEN")?;
            let statements = self.statements(&["when", "else", "end"])?;
            arms.push(Arm { when, statements });
            if self.cursor.take(&["else"]) {
                otherwise = Some(self.statements(&["end"])?);
                break;
            }
            if !self.cursor.take(&["when"]) {
                break;
            }
        }
        self.cursor.expect(&["end", "case"], "behind CASE")?;
        Ok(Step::Case { operand, arms, otherwise })
    }

    /// EXIT or CONTINUE.
    fn leave(&mut self, word: &str) -> Result<Step<'t>, Error> {
        let exit = word == "EXIT";
        let mut label = None;
        if !self.cursor.is("when") && !self.is_symbol(";") {
            label = Some(self.cursor.name("a label")?);
        }
        let when = match self.cursor.take(&["when"]) {
            true => Some(self.before_mark(";")?),
            false => None,
        };
        Ok(Step::Leave { exit, label, when })
    }

    fn returned(&mut self, start: Cursor<'_, 't>) -> Result<Step<'t>, Error> {
        if self.cursor.is("next") || self.cursor.is("query") {
            return Err(start.refused("RETURN NEXT and RETURN QUERY"));
        }
        if self.is_symbol(";") {
            return Ok(Step::Return(None));
        }
        self.before_mark(";").map(|value| Step::Return(Some(value)))
    }
}
