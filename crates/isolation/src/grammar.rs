//! Parses a spec. Accepts and refuses exactly what PostgreSQL's tester does, and does not panic on any input.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use retrial_engine::error::Error;

use super::scan::{Key, Token, TokenKind, shown, tokens, wrong};
use super::spec::{At, Hold, Session, Spec, Step, Turn};

/// The maximum number of sessions of a spec; each is a connection.
const MOST_SESSIONS: usize = 1000;

/// Parses the text of a spec. The file's name is used in errors and in the sessions' application names.
///
/// # Errors
/// The text is not a spec. The error names the file, the line, the problem and the remedy.
pub fn read(file: &str, text: &str) -> Result<Spec, Error> {
    let mut grammar = Grammar { file, tokens: tokens(file, text)?, at: 0, steps: BTreeMap::new() };
    let name = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
    let mut spec = Spec { application: format!("isolation/{name}"), ..Spec::default() };
    while let Some(sql) = grammar.optional(Key::Setup)? {
        spec.setups.push(sql);
    }
    spec.teardown = grammar.optional(Key::Teardown)?;
    while grammar.key(Key::Session) {
        let session = grammar.session(spec.sessions.len())?;
        spec.sessions.push(session);
    }
    if spec.sessions.is_empty() {
        return Err(grammar.expected("`setup`, `teardown` or `session`, in this order"));
    }
    while grammar.key(Key::Permutation) {
        let turns = grammar.permutation()?;
        spec.permutations.push(turns);
    }
    match grammar.what() {
        TokenKind::End => Ok(spec),
        _ => {
            Err(grammar.expected("`session` or `permutation`; every session comes before every permutation"))
        }
    }
}

struct Grammar<'a> {
    file: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// The position of each step, by name.
    steps: BTreeMap<String, At>,
}

impl Grammar<'_> {
    /// The current token; after the last one, always the end token.
    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn what(&self) -> &TokenKind {
        &self.token().what
    }

    /// Consumes the keyword if it is next.
    fn key(&mut self, key: Key) -> bool {
        let up = *self.what() == TokenKind::Key(key);
        self.at += usize::from(up);
        up
    }

    /// Consumes the punctuation mark if it is next.
    fn mark(&mut self, mark: char) -> bool {
        let up = *self.what() == TokenKind::Mark(mark);
        self.at += usize::from(up);
        up
    }

    fn name(&mut self, of: &str) -> Result<String, Error> {
        match self.what() {
            TokenKind::Name(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected(&format!("the name of {of}"))),
        }
    }

    fn block(&mut self, of: &str) -> Result<String, Error> {
        match self.what() {
            TokenKind::Block(sql) => {
                let sql = sql.clone();
                self.at += 1;
                Ok(sql)
            }
            _ => Err(self.expected(&format!("the SQL of {of} in braces"))),
        }
    }

    /// Parses a setup or teardown, if it is next.
    fn optional(&mut self, key: Key) -> Result<Option<String>, Error> {
        if !self.key(key) {
            return Ok(None);
        }
        let of = if key == Key::Setup { "`setup`" } else { "`teardown`" };
        self.block(of).map(Some)
    }

    fn session(&mut self, number: usize) -> Result<Session, Error> {
        if number == MOST_SESSIONS {
            let why =
                format!("there are more than {MOST_SESSIONS} sessions; each is a connection of its own");
            return Err(wrong(self.file, self.token().line, why));
        }
        let mut session = Session { name: self.name("the session")?, ..Session::default() };
        session.setup = self.optional(Key::Setup)?;
        while self.key(Key::Step) {
            let line = self.token().line;
            let name = self.name("the step")?;
            let at = At { session: number, step: session.steps.len() };
            if self.steps.insert(name.clone(), at).is_some() {
                let name = shown(&name);
                let why =
                    format!("there is a step `{name}` already; each step of the spec needs its own name");
                return Err(wrong(self.file, line, why));
            }
            let sql = self.block(&format!("step `{}`", shown(&name)))?;
            session.steps.push(Step { name, sql });
        }
        if session.steps.is_empty() {
            return Err(self.expected("`step`; a session has at least one"));
        }
        session.teardown = self.optional(Key::Teardown)?;
        Ok(session)
    }

    fn permutation(&mut self) -> Result<Vec<Turn>, Error> {
        let mut drafts = Vec::new();
        while matches!(self.what(), TokenKind::Name(_)) {
            let line = self.token().line;
            let name = self.name("a step")?;
            let Some(&at) = self.steps.get(&name) else {
                let name = shown(&name);
                let why =
                    format!("there is no step `{name}`; a permutation can use only steps of the sessions");
                return Err(wrong(self.file, line, why));
            };
            drafts.push(Draft { name, at, markers: self.markers()? });
        }
        if drafts.is_empty() {
            return Err(self.expected("the name of a step"));
        }
        let here: BTreeSet<At> = drafts.iter().map(|draft| draft.at).collect();
        let turns = drafts.into_iter().map(|draft| {
            let holds = draft.markers.iter().map(|marker| self.hold(&here, &draft, marker));
            Ok(Turn { at: draft.at, holds: holds.collect::<Result<_, Error>>()? })
        });
        turns.collect()
    }

    /// Parses the markers in parentheses after a step, if there are any.
    fn markers(&mut self) -> Result<Vec<Marker>, Error> {
        let mut markers = Vec::new();
        if !self.mark('(') {
            return Ok(markers);
        }
        loop {
            let line = self.token().line;
            if self.mark('*') {
                markers.push(Marker { line, other: None });
            } else {
                let name = self.name("a step, or `*`")?;
                let notices = if self.key(Key::Notices) { Some(self.count()?) } else { None };
                markers.push(Marker { line, other: Some((name, notices)) });
            }
            if self.mark(')') {
                return Ok(markers);
            }
            if !self.mark(',') {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    fn count(&mut self) -> Result<u32, Error> {
        let TokenKind::Number(digits) = self.what() else {
            return Err(self.expected("the number of notices"));
        };
        let count = digits.parse::<i32>().ok().and_then(|count| u32::try_from(count).ok());
        let count = count.ok_or_else(|| self.expected("a smaller number of notices"))?;
        self.at += 1;
        Ok(count)
    }

    /// Resolves a marker. The step that it names must belong to another session and be in the same permutation.
    fn hold(&self, here: &BTreeSet<At>, draft: &Draft, marker: &Marker) -> Result<Hold, Error> {
        let Some((name, notices)) = &marker.other else { return Ok(Hold::Once) };
        let step = shown(&draft.name);
        let of = *self.steps.get(name).filter(|at| here.contains(at)).ok_or_else(|| {
            let why = format!("step `{step}` waits for `{}`, which is not in its permutation", shown(name));
            wrong(self.file, marker.line, why)
        })?;
        if of.session == draft.at.session {
            let why =
                format!("step `{step}` cannot wait for `{}`, which is in the same session", shown(name));
            return Err(wrong(self.file, marker.line, why));
        }
        Ok(notices.map_or(Hold::Step(of), |count| Hold::Notices { of, count }))
    }

    /// The error for an unexpected current token.
    fn expected(&self, what: &str) -> Error {
        let found = match self.what() {
            TokenKind::Key(key) => format!("`{}`", format!("{key:?}").to_lowercase()),
            TokenKind::Name(name) => format!("`{}`", shown(name)),
            TokenKind::Block(_) => "SQL in braces".to_owned(),
            TokenKind::Number(digits) => format!("`{}`", shown(digits)),
            TokenKind::Mark(mark) => format!("`{mark}`"),
            TokenKind::End => "end of file".to_owned(),
        };
        wrong(self.file, self.token().line, format!("unexpected {found}; expected {what}"))
    }
}

/// A step of a permutation before its markers are resolved: they may name later steps.
struct Draft {
    name: String,
    at: At,
    markers: Vec<Marker>,
}

struct Marker {
    line: usize,
    /// The step that it names and a number of notices; `None` for `*`.
    other: Option<(String, Option<u32>)>,
}

#[cfg(test)]
mod tests;
