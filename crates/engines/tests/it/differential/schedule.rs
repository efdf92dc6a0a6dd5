//! A schedule and its text format: tables, rows, and the sessions' statements in order. It must read back exactly as it
//! was written, because saved cases are files that are run again.

use std::fmt;

use super::kind::Kind;

/// Number of sessions in a schedule.
pub(super) const SESSIONS: usize = 3;

/// A schedule over three sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Its kind.
    pub(super) kind: Kind,
    /// Statements that create the tables.
    pub(super) schema: Vec<String>,
    /// One INSERT for each row.
    pub(super) rows: Vec<String>,
    /// The sessions' steps. A step of a waiting session is postponed until the wait is over.
    pub(super) steps: Vec<Step>,
    /// The tables, in order of creation.
    pub(super) tables: Vec<String>,
}

/// A step of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The session's number, from 0.
    pub(super) session: usize,
    /// Its action.
    pub(super) say: Say,
}

/// The action of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// One statement.
    Sql(String),
    /// It disconnects, whatever it is doing.
    Close,
}

impl Step {
    pub(super) fn sql(session: usize, sql: impl Into<String>) -> Step {
        Step { session, say: Say::Sql(sql.into()) }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.say {
            Say::Sql(sql) => write!(f, "s{}: {sql}", self.session + 1),
            Say::Close => write!(f, "s{} closes", self.session + 1),
        }
    }
}

impl Schedule {
    /// The text that creates the tables and rows before the sessions begin.
    pub(super) fn initial_state(&self) -> String {
        let statements: Vec<&str> = self.schema.iter().chain(&self.rows).map(String::as_str).collect();
        statements.join("; ")
    }

    /// Parses a schedule; other lines are comments.
    pub(super) fn read(text: &str) -> Schedule {
        let mut schedule = Schedule::default();
        for line in text.lines() {
            if let Some(sql) = line.strip_prefix("schema: ") {
                let name = sql.strip_prefix("CREATE TABLE ").and_then(|rest| rest.split(' ').next());
                schedule.tables.extend(name.map(str::to_owned));
                schedule.schema.push(sql.to_owned());
            } else if let Some(sql) = line.strip_prefix("row: ") {
                schedule.rows.push(sql.to_owned());
            } else if let Some(step) = step(line) {
                schedule.steps.push(step);
            }
        }
        schedule
    }
}

fn step(line: &str) -> Option<Step> {
    let rest = line.strip_prefix('s')?;
    let session = rest.chars().next()?.to_digit(10)?.checked_sub(1)? as usize;
    let rest = &rest[1..];
    let say = match rest.strip_prefix(": ") {
        Some(sql) => Say::Sql(sql.to_owned()),
        None if rest == " closes" => Say::Close,
        None => return None,
    };
    (session < SESSIONS).then_some(Step { session, say })
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.schema.iter().try_for_each(|sql| writeln!(f, "schema: {sql}"))?;
        self.rows.iter().try_for_each(|sql| writeln!(f, "row: {sql}"))?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

#[test]
fn a_schedule_reads_back_as_it_was_written() {
    let text = "schema: CREATE TABLE t1 (id int PRIMARY KEY)\nrow: INSERT INTO t1 VALUES (1)\n\
                s1: BEGIN\n  model: BEGIN\ns2: SELECT 1\ns1 closes\n";
    let schedule = Schedule::read(text);
    assert_eq!((schedule.steps.len(), &schedule.tables[..]), (3, &["t1".to_owned()][..]));
    assert_eq!(Schedule::read(&schedule.to_string()), schedule);
}
