//! Trials written as text, one act of an actor per line, for checks of acknowledged operations. Of a row, only its
//! stored contents are known.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::engine::{Row, RowChange, Table, Value};
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind, Field, Member, Request, RequestKind, Stage, Trace};

const CAST: [&str; 3] = ["a", "b", "c"];

/// A trial written as text, on rows of the table `t` with the columns `c` and `d`:
///
/// ```text
/// initial_state k c=0 d=0      exists from the start, and is in no event
/// a begin k              a read k               a mean k c=1           a remove k             a ack k
/// a write k c=1 d=0      a delete k             a add k c=1 d=0        a crash
/// ```
///
/// `write` updates the row that was added last, or else adds one; `delete` deletes all rows of the id, `prune` all but
/// the last; `blink` writes twice in one transaction, first only the id. `look` is a read that belongs to no operation.
pub(super) struct Trial {
    pub(super) trace: Trace,
    /// The line of each event.
    pub(super) lines: Vec<usize>,
    lie: Vec<(Value, i64, Row)>,
    keys: i64,
    /// The actor and the row of each operation.
    begun: Vec<(u16, Value)>,
}

impl Trial {
    pub(super) fn told(text: &str) -> Trial {
        let mut trace = Trace::default();
        trace.cast = CAST.iter().map(|name| Member { name, process: name }).collect();
        let mut trial = Trial { trace, lines: Vec::new(), lie: Vec::new(), keys: 0, begun: Vec::new() };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        for (number, line) in (1..).zip(lines) {
            trial.take(number, &line.split_whitespace().collect::<Vec<_>>());
        }
        trial
    }

    fn take(&mut self, line: usize, words: &[&str]) {
        if let ["initial_state", row, fields @ ..] = words {
            self.lay(row, fields);
            return;
        }
        let actor = CAST.iter().position(|name| *name == words[0]).expect("a member of the cast") as u16;
        let request = |label| {
            let (kind, part, body) = (RequestKind::Call, "t", Vec::new());
            EventKind::Requested(Rc::new(Request { kind, label, part, body, arrived: true, heard: true }))
        };
        let events = match words[1..] {
            ["begin", row] => {
                self.begun.push((actor, value(row)));
                let number = self.begun.len() as u32;
                vec![EventKind::Operated(number, Stage::Began(Rc::new(("t", value(row)))))]
            }
            ["look", _] => vec![request("look")],
            ["read", row] => vec![request("read"), self.stage(actor, row, Stage::Saw)],
            ["mean", row, ref to @ ..] => {
                let fields: Vec<Field> = to.iter().map(|field| parse(field)).collect();
                vec![self.stage(actor, row, Stage::Intends(fields.into()))]
            }
            ["remove", row] => vec![self.stage(actor, row, Stage::Deletes)],
            ["ack", row] => vec![self.stage(actor, row, Stage::Acknowledged)],
            ["write", row, ref fields @ ..] => vec![self.write(row, fields)],
            ["add", row, ref fields @ ..] => {
                let change = self.lay(row, fields);
                vec![request("add"), EventKind::Committed([change].into())]
            }
            ["blink", row, ref fields @ ..] => vec![self.blink(row, fields)],
            ["delete", row] => vec![request("delete"), self.delete(row, 0)],
            ["prune", row] => vec![request("prune"), self.delete(row, 1)],
            ["crash"] => vec![EventKind::Crashed],
            ref other => panic!("unknown act {other:?}"),
        };
        for what in events {
            let (step, at) = (line as u32, Duration::from_millis(line as u64));
            self.trace.events.push(Event { step, at, actor: ActorId(actor), kind: what });
            self.lines.push(line);
        }
    }

    fn stage(&self, actor: u16, row: &str, stage: Stage) -> EventKind {
        let mine = (actor, value(row));
        let number = self.begun.iter().rposition(|begun| *begun == mine).expect("it has begun") + 1;
        EventKind::Operated(number as u32, stage)
    }

    fn lay(&mut self, row: &str, fields: &[&str]) -> RowChange {
        self.keys += 1;
        let after: Row = [value(row), field(fields, "c"), field(fields, "d")].into();
        self.lie.push((value(row), self.keys, after.clone()));
        RowChange { table: table(), key: self.keys, before: None, after: Some(after) }
    }

    fn write(&mut self, row: &str, fields: &[&str]) -> EventKind {
        let Some((_, key, lies)) = self.lie.iter_mut().rfind(|(id, ..)| *id == value(row)) else {
            return EventKind::Committed([self.lay(row, fields)].into());
        };
        let (key, before) = (*key, Some(lies.clone()));
        *lies = [value(row), field(fields, "c"), field(fields, "d")].into();
        EventKind::Committed([RowChange { table: table(), key, before, after: Some(lies.clone()) }].into())
    }

    fn blink(&mut self, row: &str, fields: &[&str]) -> EventKind {
        let both = [self.write(row, &[]), self.write(row, fields)].map(|what| match what {
            EventKind::Committed(changes) => changes[0].clone(),
            other => panic!("{other:?} is no commit"),
        });
        EventKind::Committed(both.into())
    }

    fn delete(&mut self, row: &str, keep: usize) -> EventKind {
        let mine = |(id, ..): &&(Value, i64, Row)| *id == value(row);
        let last = self.lie.iter().filter(mine).count() - keep;
        let gone: Vec<(Value, i64, Row)> = self.lie.iter().filter(mine).take(last).cloned().collect();
        self.lie.retain(|(_, key, _)| !gone.iter().any(|(_, gone, _)| gone == key));
        let change = |(_, key, row)| RowChange { table: table(), key, before: Some(row), after: None };
        EventKind::Committed(gone.into_iter().map(change).collect())
    }
}

fn table() -> Rc<Table> {
    let columns = ["id", "c", "d"].map(str::to_owned).into();
    Rc::new(Table { name: "t".to_owned(), columns })
}

fn value(word: &str) -> Value {
    word.parse().map_or_else(|_| Value::from(word), Value::Integer)
}

fn parse(text: &&str) -> Field {
    match text.split_once('=').expect("a column and its value") {
        ("c", to) => ("c", value(to)),
        ("d", to) => ("d", value(to)),
        (other, _) => panic!("there is no column {other}"),
    }
}

fn field(fields: &[&str], name: &str) -> Value {
    fields.iter().map(parse).find(|(column, _)| *column == name).map_or(Value::Null, |(_, value)| value)
}
