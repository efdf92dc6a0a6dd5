//! A schedule as text: tables, rows, and what each session says in which order. It must read back exactly what it
//! wrote, because kept cases are files that are run again.

use std::fmt;

use super::kind::Kind;

/// How many sessions a schedule has.
pub(super) const SESSIONS: usize = 3;

/// A schedule over three sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    /// What it is about.
    pub(super) kind: Kind,
    /// Statements that make the tables.
    pub(super) schema: Vec<String>,
    /// One INSERT for each row.
    pub(super) rows: Vec<String>,
    /// What the sessions do. A step whose session still waits is put off until that wait is over.
    pub(super) steps: Vec<Step>,
    /// The tables, in the order of their making.
    pub(super) tables: Vec<String>,
}

/// A turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Whose turn it is, from 0.
    pub(super) session: usize,
    /// What it says.
    pub(super) say: Say,
}

/// What a session does in its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// One statement.
    Sql(String),
    /// It goes away in the middle of whatever it does.
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
    /// Everything that is to be run before the sessions begin, as one text.
    pub(super) fn initial_state(&self) -> String {
        let statements: Vec<&str> = self.schema.iter().chain(&self.rows).map(String::as_str).collect();
        statements.join("; ")
    }

    /// Reads a schedule; lines that are none of its own are remarks.
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
