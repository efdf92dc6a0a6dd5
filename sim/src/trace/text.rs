//! Events as text: one line each, in a few stable words.

use std::fmt;

use super::{Event, EventKind, Field, Request, Trace};
use crate::engine::{Row, Value};

impl Request {
    /// What got lost of the request, as the end of a sentence; empty if nothing did.
    pub fn loss(&self) -> &'static str {
        match (self.arrived, self.heard) {
            (true, true) => "",
            (true, false) => ", and nothing is heard of it",
            (false, _) => ", which never arrives",
        }
    }
}

impl fmt::Display for Trace {
    /// One short stable line per event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in &self.events {
            let Event { step, at, .. } = event;
            writeln!(
                f,
                "{step:>4} {:>9}us {:<12} {}",
                at.as_micros(),
                self.name(event.actor),
                self.say(&event.kind)
            )?;
        }
        Ok(())
    }
}

impl Trace {
    /// One event in a few stable words, without its actor.
    pub fn say(&self, what: &EventKind) -> String {
        match what {
            EventKind::Started(times) => format!("start {times}"),
            EventKind::Stepped(label) | EventKind::Planned(label) => (*label).to_owned(),
            EventKind::Sleeps(label, time) => format!("{label} {}us", time.as_micros()),
            EventKind::Ran(statement) => match &statement.result {
                Ok(answer) if answer.rows.is_empty() => {
                    format!("{} -> {} changed", statement.label, answer.changed)
                }
                Ok(answer) => format!("{} -> {}", statement.label, say_rows(&answer.rows)),
                Err(error) => format!("{} -> {error}", statement.label),
            },
            EventKind::Waits { resource, holders } => {
                let holders: Vec<_> = holders.iter().map(|holder| self.name(*holder)).collect();
                format!("waits for {resource} of {}", holders.join(", "))
            }
            EventKind::Resumed { waited, timed_out: false } => {
                format!("goes on after {}us", waited.as_micros())
            }
            EventKind::Resumed { waited, timed_out: true } => {
                format!("gives up after {}us", waited.as_micros())
            }
            EventKind::Committed(changes) => format!("commits {} rows", changes.len()),
            EventKind::Requested(request) => {
                let Request { label, part, body, .. } = &**request;
                format!("{part} {label}{}{}", said(body), request.loss())
            }
            EventKind::Stored(stored) => format!("{} stores{}", stored.part, said(&stored.state)),
            EventKind::Released(held) => format!("held the lock for {}us", held.as_micros()),
            EventKind::Injected(fault) => format!("! {fault}"),
            EventKind::Crashed => "crashed".to_owned(),
            EventKind::Exited => "exited".to_owned(),
            EventKind::Finished => "finished".to_owned(),
            EventKind::Panicked(message) => format!("panicked: {message}"),
            EventKind::FaultsStopped => "faults stop, the schedule is fair".to_owned(),
            EventKind::Annotated(key, one, other) => format!("{key} {one} {other}"),
            EventKind::Operated(number, stage) => format!("operation {number} {stage}"),
        }
    }
}

/// Fields as text, each after a space; without those that are NULL.
pub fn said(fields: &[Field]) -> String {
    let shown = fields.iter().filter(|(_, value)| *value != Value::Null);
    shown.map(|(name, value)| format!(" {name}={value}")).collect()
}

fn say_rows(rows: &[Row]) -> String {
    let say_row = |row: &Row| row.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
    let shown: Vec<_> = rows.iter().take(3).map(say_row).collect();
    let more = if rows.len() > 3 { format!(" and {} more", rows.len() - 3) } else { String::new() };
    format!("{}{more}", shown.join("; "))
}
