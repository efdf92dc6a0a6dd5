//! Migration files: statements, DO blocks, procedures and their calls. Procedures belong to the script and are never
//! sent. A file that could find a procedure of an earlier run is refused.

use std::sync::Arc;

use crate::body::body;
use crate::label::label;
use crate::op::Body;
use crate::sql::keep;
use crate::statement::sets_clock;
use retrial_plpgsql_syntax::Cursor;
use retrial_plpgsql_syntax::Error;
use retrial_plpgsql_syntax::{Kind, Token, tokens};

/// A parsed migration file: SQL statements, DO blocks, CREATE PROCEDURE and CALL.
#[derive(Debug)]
pub struct Script {
    pub(crate) steps: Vec<Step>,
}

/// One statement of the file.
#[derive(Debug)]
pub(crate) enum Step {
    /// Sent verbatim.
    Plain {
        label: &'static str,
        text: &'static str,
    },
    /// Begins a transaction block.
    Begin(&'static str),
    Commit,
    Rollback,
    /// DO, or CALL of a procedure that was created before.
    Run(Arc<Body>),
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// The server would not accept it, or it has something that the stepper does not support; the error says what and
    /// where.
    pub fn read(text: &str) -> Result<Script, crate::Error> {
        Ok(Script::read_as(text)?)
    }

    fn read_as(text: &str) -> Result<Script, Error> {
        // Tools with two directions run only one of them.
        if let Some(at) = text.find("-- migrate:down") {
            return Err(Error::refused(text, at, "a file of two directions; give the part that is run"));
        }
        let tokens = tokens(text, 0..text.len())?;
        let mut cursor = Cursor::new(text, &tokens, text.len());
        let mut reader = Reader::default();
        while cursor.peek().is_some() {
            let statement = match cursor.clone().until(|token| token.is_symbol(";"), "") {
                Ok(_) => cursor.until(|token| token.is_symbol(";"), "`;`")?,
                Err(_) => cursor.rest(),
            };
            cursor.next();
            if let [first, ..] = statement {
                let end = statement.last().unwrap_or(first).end();
                reader.statement(Cursor::new(text, statement, end), statement)?;
            }
        }
        match reader.clock.filter(|_| reader.steps.iter().any(|step| matches!(step, Step::Run(_)))) {
            Some(at) => {
                Err(Error::refused(text, at, "a timeout that the server counts over a whole DO or CALL"))
            }
            None => Ok(Script { steps: reader.steps }),
        }
    }
}

#[derive(Default)]
struct Reader {
    steps: Vec<Step>,
    procedures: Vec<(String, Arc<Body>)>,
    /// Whether a transaction block of the file is open.
    in_block: bool,
    /// Whether a procedure was created or dropped in that block.
    defined_in_block: bool,
    /// Where a timeout is set that the server counts over a whole DO or CALL.
    clock: Option<usize>,
}

impl Reader {
    fn statement(&mut self, mut cursor: Cursor<'_, '_>, tokens: &[Token<'_>]) -> Result<(), Error> {
        let start = cursor;
        let sent = || keep(cut(&start, tokens));
        let step = if cursor.take(&["do"]) {
            Step::Run(Arc::new(do_block(cursor)?))
        } else if cursor.take(&["call"]) {
            self.call(cursor)?
        } else if cursor.take(&["create", "procedure"]) {
            return self.create(cursor, start, false);
        } else if cursor.take(&["create", "or", "replace", "procedure"]) {
            return self.create(cursor, start, true);
        } else if cursor.take(&["drop", "procedure"]) {
            return self.drop(cursor, start);
        } else if cursor.take(&["begin"]) || cursor.take(&["start", "transaction"]) {
            (self.in_block, self.defined_in_block) = (true, self.in_block && self.defined_in_block);
            Step::Begin(sent())
        } else if cursor.take(&["commit"]) || cursor.take(&["end"]) {
            nothing_behind(cursor, "COMMIT")?;
            (self.in_block, self.defined_in_block) = (false, false);
            Step::Commit
        } else if !goes_back(cursor) && (cursor.take(&["rollback"]) || cursor.take(&["abort"])) {
            nothing_behind(cursor, "ROLLBACK")?;
            if self.defined_in_block {
                return Err(start.refused("ROLLBACK of a block that created or dropped a procedure"));
            }
            self.in_block = false;
            Step::Rollback
        } else if cursor.peek().is_some_and(|token| token.is_symbol("\\")) {
            return Err(cursor.refused("a command of psql"));
        } else {
            self.clock = self.clock.or(sets_clock(tokens));
            Step::Plain { label: label(tokens), text: sent() }
        };
        self.steps.push(step);
        Ok(())
    }

    fn call(&mut self, mut cursor: Cursor<'_, '_>) -> Result<Step, Error> {
        let start = cursor;
        let name = procedure_name(&mut cursor)?;
        no_parameters(&mut cursor)?;
        let known = self.procedures.iter().find(|(known, _)| *known == name);
        let (_, body) = known.ok_or_else(|| {
            start.refused(&format!("CALL of {name}, which the file has not created before"))
        })?;
        Ok(Step::Run(body.clone()))
    }

    fn create(
        &mut self,
        mut cursor: Cursor<'_, '_>,
        start: Cursor<'_, '_>,
        replaces: bool,
    ) -> Result<(), Error> {
        let name = procedure_name(&mut cursor)?;
        if !replaces && !name.starts_with("pg_temp.") {
            let what = "CREATE PROCEDURE without OR REPLACE, which a second run of the file would find";
            return Err(start.refused(what));
        }
        no_parameters(&mut cursor)?;
        let mut language = false;
        let mut inside = None;
        while cursor.peek().is_some() {
            if !language && cursor.take(&["language"]) {
                plpgsql(&mut cursor)?;
                language = true;
            } else if inside.is_none() && cursor.take(&["as"]) {
                inside = Some(dollar_body(&mut cursor)?);
            } else {
                return Err(cursor.refused("a clause of CREATE PROCEDURE other than LANGUAGE and AS"));
            }
        }
        let Some(body) = inside.filter(|_| language) else {
            return Err(cursor.unexpected("LANGUAGE plpgsql and AS in CREATE PROCEDURE"));
        };
        let known = self.procedures.iter().position(|(known, _)| *known == name);
        if known.is_some() && !replaces {
            return Err(start.refused(&format!("CREATE PROCEDURE {name}, which is there already")));
        }
        known.map(|place| self.procedures.remove(place));
        self.procedures.push((name, Arc::new(body)));
        self.defined_in_block |= self.in_block;
        Ok(())
    }

    fn drop(&mut self, mut cursor: Cursor<'_, '_>, start: Cursor<'_, '_>) -> Result<(), Error> {
        let lenient = cursor.take(&["if", "exists"]);
        let name = procedure_name(&mut cursor)?;
        if cursor.peek().is_some() {
            no_parameters(&mut cursor)?;
        }
        match self.procedures.iter().position(|(known, _)| *known == name) {
            Some(place) => {
                self.procedures.remove(place);
                self.defined_in_block |= self.in_block;
                Ok(())
            }
            None if lenient => Ok(()),
            None => Err(start.refused("DROP PROCEDURE of one that the file has not created before")),
        }
    }
}

/// A statement's text, cut from the file.
fn cut(cursor: &Cursor<'_, '_>, tokens: &[Token<'_>]) -> String {
    let (first, last) = (tokens.first(), tokens.last());
    first.zip(last).map_or_else(String::new, |(first, last)| cursor.text[first.at..last.end()].to_owned())
}

/// `DO [LANGUAGE plpgsql] $$ .. $$ [LANGUAGE plpgsql]`
fn do_block(mut cursor: Cursor<'_, '_>) -> Result<Body, Error> {
    let named = cursor.take(&["language"]);
    if named {
        plpgsql(&mut cursor)?;
    }
    let body = dollar_body(&mut cursor)?;
    if !named && cursor.take(&["language"]) {
        plpgsql(&mut cursor)?;
    }
    match cursor.peek() {
        Some(_) => Err(cursor.unexpected("`;` behind DO")),
        None => Ok(body),
    }
}

fn plpgsql(cursor: &mut Cursor<'_, '_>) -> Result<(), Error> {
    match cursor.peek().map(|token| token.text.trim_matches(['\'', '"']).to_ascii_lowercase()) {
        Some(language) if language == "plpgsql" => {
            cursor.next();
            Ok(())
        }
        Some(language) => Err(cursor.refused(&format!("LANGUAGE {language}"))),
        None => Err(cursor.unexpected("a language")),
    }
}

fn dollar_body(cursor: &mut Cursor<'_, '_>) -> Result<Body, Error> {
    let place = match cursor.peek().map(|token| &token.kind) {
        Some(Kind::Dollar(place)) => place.clone(),
        Some(Kind::Text) => return Err(cursor.refused("a body in single quotes")),
        _ => return Err(cursor.unexpected("a body between dollars")),
    };
    cursor.next();
    body(cursor.text, &tokens(cursor.text, place.clone())?, place.end)
}

/// A procedure's name; `public` is the schema of a name without one.
fn procedure_name(cursor: &mut Cursor<'_, '_>) -> Result<String, Error> {
    let first = cursor.name("a procedure")?;
    if !cursor.take_symbol(".") {
        return Ok(first);
    }
    match first.as_str() {
        "public" => cursor.name("a procedure"),
        "pg_temp" => Ok(format!("pg_temp.{}", cursor.name("a procedure")?)),
        other => Err(cursor.refused(&format!("a procedure in the schema {other}"))),
    }
}

fn no_parameters(cursor: &mut Cursor<'_, '_>) -> Result<(), Error> {
    cursor.expect_symbol("(", "behind a procedure's name")?;
    if !cursor.take_symbol(")") {
        return Err(cursor.refused("a procedure with parameters"));
    }
    Ok(())
}

/// Whether it is a ROLLBACK to a savepoint, which is sent like any other statement.
fn goes_back(mut cursor: Cursor<'_, '_>) -> bool {
    let rollback = cursor.take(&["rollback"]);
    let _ = cursor.take(&["work"]) || cursor.take(&["transaction"]);
    rollback && cursor.is("to")
}

fn nothing_behind(mut cursor: Cursor<'_, '_>, word: &str) -> Result<(), Error> {
    let _ = cursor.take(&["work"]) || cursor.take(&["transaction"]);
    match cursor.peek() {
        Some(_) => Err(cursor.refused(&format!("{word} with anything behind it"))),
        None => Ok(()),
    }
}
