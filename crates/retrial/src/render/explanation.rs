//! An explanation: one line per edge, `X before Y, because ...`, and the contradiction that they lead to. Only
//! the wording is decided here; every claim comes from [`retrial_sim::explanation`].

use retrial_sim::engine::Value;
use retrial_sim::explanation::{Act, Basis, Edge, Explanation, Reason, explain};
use retrial_sim::invariant::Breach;
use retrial_sim::sentence::counted;
use retrial_sim::trace::{Attempt, EventKind, Trace};
use retrial_sim::trial::Run;

use super::{contradiction, page};

/// The maximum number of edges that are printed; if there are more, the middle is left out.
const MOST_EDGES: usize = 18;

/// The maximum length of a printed value, in characters.
const WIDEST_VALUE: usize = 48;

/// Explains a breach: the explanation as text, a line per edge.
pub fn tell(run: &Run, breach: &Breach) -> String {
    word(&run.trace, &explain(run, breach))
}

/// An explanation as text.
pub fn word(trace: &Trace, explanation: &Explanation) -> String {
    let Explanation { anomaly, on, edges, end } = explanation;
    let mut text = anomaly.name().replace('-', " ");
    if let Some(cell) = on {
        text.push_str(&format!(" of {}.{}", cell.part, cell.column));
        let row = cell.row.as_ref().map(|row| format!(" in row {}", shown(row)));
        text.push_str(&row.unwrap_or_default());
    }
    text.push_str(":\n");
    let skip = edges.len().saturating_sub(MOST_EDGES);
    for (index, edge) in edges.iter().enumerate() {
        if skip > 0 && index == MOST_EDGES / 2 {
            text.push_str(&format!("  [{} left out]\n", counted(skip, "step")));
        }
        if skip > 0 && (MOST_EDGES / 2..MOST_EDGES / 2 + skip).contains(&index) {
            continue;
        }
        let (before, after) = (name(trace, &edge.before), name(trace, &edge.after));
        let step = format!("{before} before {after}, because {}", because(trace, edge));
        push_wrapped(&mut text, &step);
    }
    push_wrapped(&mut text, &format!("so {}", contradiction::sentence(trace, end)));
    text
}

fn push_wrapped(text: &mut String, step: &str) {
    for line in page::wrapped(step, 2, 6) {
        text.push_str(&line);
        text.push('\n');
    }
}

/// The name of an act: its actor, label and index.
pub(super) fn name(trace: &Trace, act: &Act) -> String {
    let Act { actor, label, nth, .. } = act;
    format!("{}/{label}#{nth}", trace.name(*actor))
}

pub(super) fn names(trace: &Trace, acts: &[Act]) -> String {
    let names: Vec<String> = acts.iter().map(|act| name(trace, act)).collect();
    names.join(", ")
}

pub(super) fn shown(value: &Value) -> String {
    page::cut(&value.to_string(), WIDEST_VALUE)
}

fn because(trace: &Trace, edge: &Edge) -> String {
    let (x, y) = (name(trace, &edge.before), name(trace, &edge.after));
    let who = trace.name(edge.after.actor);
    match &edge.because {
        Reason::ReadWhatWrote { column, value, basis: Basis::Linked } => {
            format!("{y} read {column} {} that {x} wrote", shown(value))
        }
        Reason::ReadWhatWrote { column, value, basis: Basis::EqualValues } => {
            format!("{y} read a value equal to {column} {} that {x} wrote", shown(value))
        }
        Reason::OverwroteWhatRead { column, .. } if column.is_empty() => {
            format!("{y} wrote a row that {x} had read")
        }
        Reason::OverwroteWhatRead { column, read, written, basis: Basis::Linked } => {
            format!("{y} wrote {column} {} where {x} had read {}", shown(written), shown(read))
        }
        Reason::OverwroteWhatRead { column, read, written, basis: Basis::EqualValues } => {
            let (read, written) = (shown(read), shown(written));
            format!("{y} wrote {column} {written} over {read}, and {x} had read a value equal to that")
        }
        Reason::Overwrote { column, old, between: 0, .. } => {
            format!("{y} overwrote {column} {} that {x} wrote", shown(old))
        }
        Reason::Overwrote { column, old, new, between } => {
            let (old, new) = (shown(old), shown(new));
            let versions = if *between == 1 { "version" } else { "versions" };
            format!("{y} wrote {column} {new}, {between} {versions} after the {old} that {x} wrote")
        }
        Reason::Carried { field, value, basis } => carried(trace, edge, field, value, *basis),
        Reason::Replaced { field, old, new } => {
            format!("{who} had {field} {} at {x}, and {} at {y}", shown(old), shown(new))
        }
        Reason::Delivered(Attempt { message, attempt: 1 }) => {
            format!("{y} delivered message {message}, which {x} had sent")
        }
        Reason::Delivered(Attempt { message, attempt }) => {
            format!("{y} delivered message {message}, which {x} had sent, as attempt {attempt}")
        }
        Reason::DeliveredAgain(Attempt { message, attempt }) => {
            format!("{y} redelivered message {message}, as attempt {attempt}")
        }
        Reason::SameActor => format!("{who} did them in this order"),
        Reason::SameActorWroteNothing => format!("{who} sent no statement in between"),
        Reason::Failed { error } => format!("{x} failed: {error}"),
        Reason::ChangedNothing => format!("{x} changed no row, and {who} continued"),
        Reason::Died if has_stopped(trace, &edge.after) => format!("the process of {who} ended"),
        Reason::Died => format!("the process of {who} died and lost its memory"),
        Reason::Known { field, value } => {
            let part = trace.name(edge.before.actor);
            format!("{part} had {field} {} since {x}, and {y} delivered the same value", shown(value))
        }
        Reason::Waited { resource } => {
            format!("{y} waited for {resource} that {} held at {x}", trace.name(edge.before.actor))
        }
        Reason::LastNoted { key } => format!("that is the process's last note of `{key}`"),
        Reason::Injected { fault } => {
            format!("{fault} was injected there, and no other fault hit the process in between")
        }
        Reason::LeftAsWritten { column, value } => {
            format!("{y} wrote other rows of the table, and left {column} {} as {x} wrote it", shown(value))
        }
        Reason::Stood { column, value } => {
            format!("no write replaced {column} {} in between", shown(value))
        }
    }
}

/// Whether the act is that a process stopped by itself.
fn has_stopped(trace: &Trace, act: &Act) -> bool {
    matches!(trace.events.get(act.event).map(|event| &event.kind), Some(EventKind::Exited))
}

/// How a value got from the earlier act to the later one.
fn carried(trace: &Trace, edge: &Edge, field: &str, value: &Value, basis: Basis) -> String {
    let (x, y) = (name(trace, &edge.before), name(trace, &edge.after));
    let of = |act: &Act| trace.events.get(act.event).map_or(("had", "has"), |event| verbs(&event.kind));
    let ((had, _), (_, has)) = (of(&edge.before), of(&edge.after));
    match basis {
        Basis::Linked => format!("{y} {has} the {field} {} that {x} {had}", shown(value)),
        Basis::EqualValues => format!("{y} {has} {field} {}, equal to what {x} {had}", shown(value)),
    }
}

/// What an event does with a value: as the one before, and as the one after.
fn verbs(event: &EventKind) -> (&'static str, &'static str) {
    match event {
        EventKind::Stored(_) => ("stored", "stored"),
        EventKind::Ran(_) => ("received", "carries"),
        EventKind::Committed(_) => ("wrote", "carries"),
        EventKind::Requested(request) if request.is_delivery() => ("delivered", "sends"),
        EventKind::Requested(_) => ("sent", "sends"),
        EventKind::Started(_)
        | EventKind::Stepped(_)
        | EventKind::Sleeps(..)
        | EventKind::Planned(_)
        | EventKind::Waits { .. }
        | EventKind::Resumed { .. }
        | EventKind::Released(_)
        | EventKind::Injected(_)
        | EventKind::Crashed
        | EventKind::Exited
        | EventKind::Finished
        | EventKind::Panicked(_)
        | EventKind::FaultsStopped
        | EventKind::Annotated(..)
        | EventKind::Operated(..) => ("had", "has"),
    }
}
