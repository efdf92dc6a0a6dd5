//! The script runner of these tests: runs a script of lines `session: statement` and reports what each did.
//!
//! Special lines: `session: !close`, `session: !expire` (its lock timeout has expired), `session: !settle` (its
//! statement's duration has passed), `session: !fail statement` (the statement is made to fail). After each line, the
//! blocked sessions that may continue are resumed and reported, in order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use retrial_sim::engine::{Done, Engine, InitialState, Reply, SessionId};
use retrial_sim::seed::Seed;

/// A table with a primary key, a value and a constraint, for two rows.
const SCHEMA: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL CHECK (v < 100));";

pub(crate) fn initial_state() -> Rc<InitialState> {
    let row = |id: i64| ("t", vec![id.into(), (10 * id).into()]);
    Rc::new(InitialState::new(SCHEMA, vec![row(1), row(2)]))
}

/// Runs the script from the default initial rows; the transcript has one line per event.
pub(crate) fn run(engine: &mut dyn Engine, script: &str) -> String {
    run_from(engine, &initial_state(), script)
}

/// Runs the script from the given initial rows.
pub(crate) fn run_from(engine: &mut dyn Engine, initial_state: &Rc<InitialState>, script: &str) -> String {
    engine.open(initial_state, Seed(7)).expect("the initial_state is sound");
    let mut sessions: BTreeMap<String, SessionId> = BTreeMap::new();
    let mut text = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, statement) = line.split_once(": ").expect("a line has a session and a statement");
        let session = match sessions.get(name) {
            Some(session) => *session,
            None => {
                let session = engine.connect().expect("a connection is there");
                sessions.insert(name.to_owned(), session);
                session
            }
        };
        let names = sessions.clone();
        let reply = match statement {
            "!close" => {
                engine.close(session);
                sessions.remove(name);
                let _ = writeln!(text, "{line}");
                resume(engine, &names, &mut text);
                continue;
            }
            "!expire" => engine.expire(session).map(Reply::Done),
            "!settle" => engine.settle(session),
            sql => match sql.strip_prefix("!fail ") {
                Some(sql) => engine.fail(session, sql).map(Reply::Done),
                None => engine.submit(session, sql, &[]),
            },
        };
        let told = match reply {
            Ok(reply) => tell(&names, reply),
            Err(refusal) => format!("REFUSED {refusal}"),
        };
        let _ = writeln!(text, "{line} -> {told}");
        resume(engine, &names, &mut text);
    }
    for session in sessions.into_values() {
        engine.close(session);
    }
    let rows = match engine.rows("t") {
        Ok((_, rows)) => rows.iter().map(|row| format!("({})", join(row))).collect::<Vec<_>>().join(" "),
        Err(refusal) => format!("REFUSED {refusal}"),
    };
    let _ = writeln!(text, "finally {rows}");
    text
}

fn resume(engine: &mut dyn Engine, names: &BTreeMap<String, SessionId>, text: &mut String) {
    loop {
        let mut ready = Vec::new();
        engine.wake(&mut ready);
        if ready.is_empty() {
            return;
        }
        for session in ready {
            let reply = engine.resume(session).expect("a woken session goes on");
            let _ = writeln!(text, "    {} goes on -> {}", name(names, session), tell(names, reply));
        }
    }
}

fn tell(names: &BTreeMap<String, SessionId>, reply: Reply) -> String {
    let Done { result, committed, unsettled, holds_write_lock, .. } = match reply {
        Reply::Done(done) => done,
        Reply::Blocked(on) => {
            let on: Vec<_> = on.into_iter().map(|session| name(names, session)).collect();
            return format!("blocked by {}", on.join(", "));
        }
        Reply::Choose(others) => return format!("asks for a plan: {}", others.join(", ")),
    };
    let mut told = match result {
        Ok(answer) if answer.rows.is_empty() => format!("{} changed", answer.changed),
        Ok(answer) => answer.rows.iter().map(|row| format!("({})", join(row))).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    };
    for change in committed {
        let side = |row: Option<&retrial_sim::engine::Row>| row.map_or("-".to_owned(), |row| join(row));
        let _ = write!(told, "; commits {} => {}", side(change.before.as_ref()), side(change.after.as_ref()));
    }
    if unsettled {
        told.push_str("; unsettled");
    }
    if holds_write_lock {
        told.push_str("; holds the write lock");
    }
    told
}

fn name(names: &BTreeMap<String, SessionId>, session: SessionId) -> String {
    names.iter().find(|(_, known)| **known == session).map_or("nobody".to_owned(), |(name, _)| name.clone())
}

fn join(row: &[retrial_sim::engine::Value]) -> String {
    row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
