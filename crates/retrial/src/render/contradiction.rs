//! The last line of an explanation: what contradicts what. Every kind of contradiction has its sentence here.

use retrial_sim::explanation::{
    Act, Contradiction, Note, Observed, Stall, Work, WrongEffect, WrongReport, WrongValue,
};
use retrial_sim::sentence::counted;
use retrial_sim::trace::{Attempt, EventKind, Trace};

use super::explanation::{name, names, shown};

/// A contradiction as a sentence, without its beginning `so`.
pub(super) fn sentence(trace: &Trace, end: &Contradiction) -> String {
    match end {
        Contradiction::Value(end) => value(trace, end),
        Contradiction::Effect(end) => effect(trace, end),
        Contradiction::Report(end) => report(trace, end),
        Contradiction::Stall(end) => stall(trace, end),
        Contradiction::Work(end) => work(trace, end),
        Contradiction::Observed(end) => observed(trace, end),
    }
}

fn value(trace: &Trace, end: &WrongValue) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        WrongValue::OlderStands { write, newer, older, column, value } => {
            let (write, newer, older, value) = (name(write), name(newer), name(older), shown(value));
            format!(
                "{write} came after {newer}, but the {column} {value} that it wrote is the value of {older}, \
                 before that: the older value replaced the newer one"
            )
        }
        WrongValue::Unseen { write, lost, read } => {
            let (write, lost, read) = (name(write), name(lost), name(read));
            format!("{write} came after {lost}, but its actor had read at {read}, before it: {lost} is lost")
        }
        WrongValue::OutOfNowhere { write, column, old, new } => {
            let (old, new) = (shown(old), shown(new));
            format!("{} wrote {column} {new} over {old}, and nothing before it carries {new}", name(write))
        }
        WrongValue::NeverWritten { done: Some(done), column, value, stands } if is_operation(trace, done) => {
            let (done, value, stands) = (name(done), shown(value), shown(stands));
            format!(
                "{done} says that it is done, but it had not written its {column} {value}: the value is {stands}"
            )
        }
        WrongValue::NeverWritten { done, column, value, stands } => {
            let done = done.as_ref().map_or("the trial is over".to_owned(), |done| {
                format!("{} acknowledged the message", name(done))
            });
            let (value, stands) = (shown(value), shown(stands));
            format!("{done}, but the {column} {value} was not written: the value is {stands}")
        }
        WrongValue::TooLate { store, done, column, value, stands } => {
            let (value, stands) = (shown(value), shown(stands));
            format!(
                "{} came after {}, when no consumer was left to write its {column} {value}: \
                 the final value is {stands}",
                name(store),
                name(done)
            )
        }
        WrongValue::Dead { letter, last: Attempt { message, attempt } } => {
            format!("{} gave up on message {message} after attempt {attempt}", name(letter))
        }
        WrongValue::Crossed { one, other } => {
            format!("{} and {} each wrote what the other had read before", name(one), name(other))
        }
    }
}

fn is_operation(trace: &Trace, act: &Act) -> bool {
    matches!(trace.events.get(act.event).map(|event| &event.kind), Some(EventKind::Operated(..)))
}

fn effect(trace: &Trace, end: &WrongEffect) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        WrongEffect::NothingBehind { effect, value, later: Some(later) } => {
            let (effect, value, later) = (name(effect), shown(value), name(later));
            format!("{effect} reported {value} before any commit of it; {later} committed it later")
        }
        WrongEffect::NothingBehind { effect, value, later: None } => {
            format!("{} reported {}, which no commit contains", name(effect), shown(value))
        }
        WrongEffect::NobodyTold { write, column, old, value, alike, told } => {
            let moved = format!("{column} from {} to {}", shown(old), shown(value));
            match told {
                0 => format!("{} changed {moved}, and nothing after it reports that change", name(write)),
                _ => format!(
                    "{alike} commits, the first of them {}, changed {moved}, and only {told} were reported",
                    name(write)
                ),
            }
        }
        WrongEffect::Again { effect, value: Some(value), .. } => {
            format!("{} reported {} without a new change", name(effect), shown(value))
        }
        WrongEffect::Again { effect, moved, value: None } => {
            format!("{} wrote the row again, and changed only {}", name(effect), moved.join(", "))
        }
    }
}

fn report(trace: &Trace, end: &WrongReport) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        WrongReport::SaysOtherwise { report, field, said, was, by } => {
            let (said, was) = (shown(said), shown(was));
            format!(
                "{} reports {field} {said}, but the value that {} overwrote was {was}",
                name(report),
                name(by)
            )
        }
        WrongReport::Unreported { failure, report, said } => {
            let report = report.as_ref().map_or("the report".to_owned(), name);
            format!("{} failed, but {report} says {}", name(failure), shown(said))
        }
        WrongReport::Counted { report, column, said, changed, rewritten } => {
            let of = format!("{} has {column} {}", name(report), shown(said));
            let unchanged = match rewritten {
                0 => String::new(),
                rows => format!(", and written {rows} without changing a value"),
            };
            format!(
                "{of}, but by then {} had changed {} of other tables{unchanged}",
                trace.name(report.actor),
                counted(*changed, "row")
            )
        }
        WrongReport::Left { report, column, value, end } => {
            let report =
                report.as_ref().map_or(String::new(), |report| format!(", written by {}", name(report)));
            format!("at {} the final value of {column} is {}{report}", name(end), shown(value))
        }
        WrongReport::PassedOver { column, row, stands, passed, meanwhile } => {
            let row = row.as_ref().map_or("a row".to_owned(), |row| format!("row {}", shown(row)));
            let passed = passed.as_ref().map_or(String::new(), |passed| {
                format!("{} wrote the table and skipped this cell: ", name(passed))
            });
            let meanwhile = match &meanwhile[..] {
                [] => String::new(),
                acts => format!("; {} came only later", names(trace, acts)),
            };
            format!("{passed}{column} is still {} in {row}{meanwhile}", shown(stands))
        }
    }
}

fn stall(trace: &Trace, end: &Stall) -> String {
    let name = |act: &Act| name(trace, act);
    let ms = |micros: u64| format!("{}.{:03} ms", micros / 1000, micros % 1000);
    match end {
        Stall::Circle { round, times, moves } => {
            let moves = if moves.is_empty() { String::new() } else { format!(" but {}", moves.join(", ")) };
            let last = round.last().map_or(String::new(), |last| format!(" to {}", name(last)));
            let first = round.first().map_or(String::new(), name);
            format!(
                "the round from {first}{last} was repeated {} in a row, and changed nothing{moves}",
                counted(*times, "time")
            )
        }
        Stall::Repeated { last, times, moved } => {
            let label = last.label;
            let moved = moved.as_ref().map_or("none before it changed a value".to_owned(), |moved| {
                format!("{} was the last that changed a value", name(moved))
            });
            format!("{} is {label} number {times} since its process started, and {moved}", name(last))
        }
        Stall::WaitsForItself { circle, victim } => {
            let first = circle.first().map_or(String::new(), name);
            let given =
                victim.as_ref().map_or(String::new(), |victim| format!("; {} was aborted", name(victim)));
            format!("each of {} waits for the next, the last for {first}{given}", names(trace, circle))
        }
        Stall::Waiting { wait, holders, meanwhile, micros } => {
            let holders: Vec<_> = holders.iter().map(|holder| trace.name(*holder)).collect();
            let did = match &meanwhile[..] {
                [] => "continued".to_owned(),
                acts => format!("did {}", names(trace, acts)),
            };
            format!("{} lasted {}, while {} {did}", name(wait), ms(*micros), holders.join(" and "))
        }
        Stall::Held { from, to, statements, micros, kept } => {
            let who = trace.name(to.actor);
            let kept = match &kept[..] {
                [] => String::new(),
                acts => format!("; {} waited for it", names(trace, acts)),
            };
            let since = name(from);
            format!(
                "{who} held its lock from {since} on for {} and {} more{kept}",
                ms(*micros),
                counted(*statements, "statement")
            )
        }
    }
}

fn work(trace: &Trace, end: &Work) -> String {
    match end {
        Work::Large { act, rows, steps } => {
            let (rows, steps) = (counted(*rows, "row"), counted(*steps, "step"));
            format!("{} alone wrote {rows} and took {steps} of work", name(trace, act))
        }
        Work::Parts { parts, next } => {
            let (who, times) = (trace.name(next.actor), counted(parts.len(), "time"));
            let (next, parts) = (name(trace, next), names(trace, parts));
            format!("{who} released its lock {times} before {next}: after {parts}")
        }
    }
}

fn observed(trace: &Trace, end: &Observed) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        Observed::Panicked { act } => format!("the program panicked at {}", name(act)),
        Observed::Annotated { note, beside } => {
            let told =
                |note: &Note| format!("{} noted `{} {} {}`", name(&note.act), note.key, note.one, note.other);
            let beside = beside.as_ref().map_or(String::new(), |beside| format!(", and {}", told(beside)));
            format!("{}{beside}", told(note))
        }
        Observed::Answered { act, rows } => format!("{} returned {}", name(act), counted(*rows, "row")),
        Observed::Failed { act, error } => format!("{} failed: {error}", name(act)),
        Observed::Shows { act: Some(act) } => format!("it shows at {}", name(act)),
        Observed::Shows { act: None } => "it shows at the end".to_owned(),
    }
}
