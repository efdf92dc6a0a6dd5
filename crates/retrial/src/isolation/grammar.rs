//! Reads a spec. What is refused here is what PostgreSQL's tester refuses; nothing that it takes may be refused,
//! and nothing odd may panic.

use retrial_sim::error::Error;

use super::scan::{Key, Token, What, tokens, wrong};
use super::spec::{At, Hold, Session, Spec, Step, Turn};

/// Reads the text of a spec; the file's name is for errors alone.
///
/// # Errors
/// One line: the file, the line, what is wrong and what to do.
pub fn read(file: &str, text: &str) -> Result<Spec, Error> {
    let mut grammar = Grammar { file, tokens: tokens(file, text)?, at: 0 };
    let mut spec = Spec::default();
    while let Some(sql) = grammar.optional(Key::Setup)? {
        spec.setups.push(sql);
    }
    spec.teardown = grammar.optional(Key::Teardown)?;
    while grammar.key(Key::Session) {
        let session = grammar.session(&spec)?;
        spec.sessions.push(session);
    }
    if spec.sessions.is_empty() {
        return Err(grammar.expected("`setup`, `teardown` or `session`, in this order"));
    }
    while grammar.key(Key::Permutation) {
        let turns = grammar.permutation(&spec)?;
        spec.permutations.push(turns);
    }
    match grammar.what() {
        What::End => Ok(spec),
        _ => {
            Err(grammar.expected("`session` or `permutation`; every session comes before every permutation"))
        }
    }
}

struct Grammar<'a> {
    file: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

impl Grammar<'_> {
    /// The token that is up; the end stays up for ever.
    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn what(&self) -> &What {
        &self.token().what
    }

    /// Takes the keyword if it is up.
    fn key(&mut self, key: Key) -> bool {
        let up = *self.what() == What::Key(key);
        self.at += usize::from(up);
        up
    }

    /// Takes the mark if it is up.
    fn mark(&mut self, mark: char) -> bool {
        let up = *self.what() == What::Mark(mark);
        self.at += usize::from(up);
        up
    }

    fn name(&mut self, of: &str) -> Result<String, Error> {
        match self.what() {
            What::Name(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.expected(&format!("the name of {of}"))),
        }
    }

    fn block(&mut self, of: &str) -> Result<String, Error> {
        match self.what() {
            What::Block(sql) => {
                let sql = sql.clone();
                self.at += 1;
                Ok(sql)
            }
            _ => Err(self.expected(&format!("the SQL of {of} in braces"))),
        }
    }

    /// A setup or teardown, if it is up.
    fn optional(&mut self, key: Key) -> Result<Option<String>, Error> {
        if !self.key(key) {
            return Ok(None);
        }
        let of = if key == Key::Setup { "`setup`" } else { "`teardown`" };
        self.block(of).map(Some)
    }

    fn session(&mut self, before: &Spec) -> Result<Session, Error> {
        let mut session = Session { name: self.name("the session")?, ..Session::default() };
        session.setup = self.optional(Key::Setup)?;
        while self.key(Key::Step) {
            let line = self.token().line;
            let name = self.name("the step")?;
            if before.find(&name).is_some() || session.steps.iter().any(|step| step.name == name) {
                let why = format!("there is a step `{name}` already; name each step of the spec differently");
                return Err(wrong(self.file, line, why));
            }
            let sql = self.block(&format!("step `{name}`"))?;
            session.steps.push(Step { name, sql });
        }
        if session.steps.is_empty() {
            return Err(self.expected("`step`; a session has at least one"));
        }
        session.teardown = self.optional(Key::Teardown)?;
        Ok(session)
    }

    fn permutation(&mut self, spec: &Spec) -> Result<Vec<Turn>, Error> {
        let mut drafts = Vec::new();
        while matches!(self.what(), What::Name(_)) {
            let line = self.token().line;
            let name = self.name("a step")?;
            let missing =
                || format!("there is no step `{name}`; a permutation can use only steps of the sessions");
            let at = spec.find(&name).ok_or_else(|| wrong(self.file, line, missing()))?;
            drafts.push(Draft { name, at, markers: self.markers()? });
        }
        if drafts.is_empty() {
            return Err(self.expected("the name of a step"));
        }
        let here: Vec<At> = drafts.iter().map(|draft| draft.at).collect();
        let turns = drafts.into_iter().map(|draft| {
            let holds = draft.markers.iter().map(|marker| self.hold(spec, &here, &draft, marker));
            Ok(Turn { at: draft.at, holds: holds.collect::<Result<_, Error>>()? })
        });
        turns.collect()
    }

    /// What stands in parentheses behind a step, if it is up.
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
        let What::Number(digits) = self.what() else { return Err(self.expected("how many notices")) };
        let count = digits.parse::<i32>().ok().and_then(|count| u32::try_from(count).ok());
        let count = count.ok_or_else(|| self.expected("a smaller number of notices"))?;
        self.at += 1;
        Ok(count)
    }

    /// What a marker means: the step it names must be another session's, and in the same permutation.
    fn hold(&self, spec: &Spec, here: &[At], draft: &Draft, marker: &Marker) -> Result<Hold, Error> {
        let Some((name, notices)) = &marker.other else { return Ok(Hold::Once) };
        let of = spec.find(name).filter(|at| here.contains(at)).ok_or_else(|| {
            let why = format!("step `{}` waits for `{name}`, which is not in its permutation", draft.name);
            wrong(self.file, marker.line, why)
        })?;
        if of.session == draft.at.session {
            let why = format!("step `{}` cannot wait for `{name}`, which is its own session's", draft.name);
            return Err(wrong(self.file, marker.line, why));
        }
        Ok(notices.map_or(Hold::Step(of), |count| Hold::Notices { of, count }))
    }

    /// The error of a token that does not belong where it is.
    fn expected(&self, what: &str) -> Error {
        let found = match self.what() {
            What::Key(key) => format!("`{}`", format!("{key:?}").to_lowercase()),
            What::Name(name) => format!("`{name}`"),
            What::Block(_) => "SQL in braces".to_owned(),
            What::Number(digits) => format!("`{digits}`"),
            What::Mark(mark) => format!("`{mark}`"),
            What::End => "the end of the file".to_owned(),
        };
        wrong(self.file, self.token().line, format!("{found} stands where something else belongs: {what}"))
    }
}

/// A step of a permutation whose markers are not resolved: they may name steps behind it.
struct Draft {
    name: String,
    at: At,
    markers: Vec<Marker>,
}

struct Marker {
    line: usize,
    /// The step it names and how many notices; none for `*`.
    other: Option<(String, Option<u32>)>,
}

#[cfg(test)]
mod tests {
    use super::super::spec::{At, Hold, Turn};
    use super::read;

    const TWO: &str = "session s step a { A } step b { B }\nsession t step c { C }\n";

    fn refusal(text: &str) -> String {
        read("f.spec", text).expect_err("the spec is broken").to_string()
    }

    fn at(session: usize, step: usize) -> At {
        At { session, step }
    }

    #[test]
    fn every_part_is_read() {
        let text = "setup { 1 } setup { 2 } teardown { 3 } # c\n\
                    session \"x y\" setup { 4 } step a { 5 } teardown { 6 } session z step b { 7 }";
        let spec = read("f", text).expect("the spec is well formed");
        assert_eq!(spec.setups, ["1", "2"]);
        assert_eq!(spec.teardown.as_deref(), Some("3"));
        let session = &spec.sessions[0];
        assert_eq!((&*session.name, session.setup.as_deref()), ("x y", Some("4")));
        assert_eq!((&*session.steps[0].sql, session.teardown.as_deref()), ("5", Some("6")));
        assert!(spec.unused().is_empty());
    }

    #[test]
    fn markers_may_name_steps_further_on() {
        let spec = read("f", &format!("{TWO}permutation a(c, c notices 2, *) c")).expect("it is well formed");
        let of = at(1, 0);
        let holds = vec![Hold::Step(of), Hold::Notices { of, count: 2 }, Hold::Once];
        assert_eq!(spec.permutations, [[Turn { at: at(0, 0), holds }, Turn::free(of)]]);
        assert_eq!(spec.unused(), ["b"]);
    }

    #[test]
    fn what_does_not_belong_is_told_with_its_line() {
        let cases = [
            ("", "f.spec:1: the end of the file stands where something else belongs: `setup`"),
            ("session s", "f.spec:1: the end of the file stands where something else belongs: `step`"),
            (
                "session s step notices { }",
                "f.spec:1: `notices` stands where something else belongs: the name",
            ),
            ("session s step a { }\nstep a { }", "f.spec:2: there is a step `a` already"),
            (
                "session s\nstep a\nb",
                "f.spec:3: `b` stands where something else belongs: the SQL of step `a`",
            ),
            ("session s step a { } setup { }", "f.spec:1: `setup` stands where something else belongs"),
        ];
        for (text, expected) in cases {
            assert!(refusal(text).starts_with(expected), "{text}: {}", refusal(text));
        }
    }

    #[test]
    fn what_does_not_belong_in_a_permutation_is_told_too() {
        let cases = [
            (
                "permutation",
                "f.spec:3: the end of the file stands where something else belongs: the name of a step",
            ),
            ("permutation d", "f.spec:3: there is no step `d`"),
            ("permutation a(c)", "f.spec:3: step `a` waits for `c`, which is not in its permutation"),
            ("permutation a(b) b", "f.spec:3: step `a` cannot wait for `b`, which is its own session's"),
            ("permutation a() b", "f.spec:3: `)` stands where"),
            ("permutation a(* b", "f.spec:3: `b` stands where something else belongs: `,` or `)`"),
            (
                "permutation a(c notices) c",
                "f.spec:3: `)` stands where something else belongs: how many notices",
            ),
            ("permutation a(c notices 99999999999) c", "f.spec:3: `99999999999` stands where"),
        ];
        for (text, expected) in cases {
            let refusal = refusal(&format!("{TWO}{text}"));
            assert!(refusal.starts_with(expected), "{text}: {refusal}");
        }
    }
}
