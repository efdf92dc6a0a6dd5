//! Prints an explanation: one line per edge, `X before Y, because ...`, and the contradiction that they lead to. Only
//! the wording is decided here; every claim comes from [`retrial_sim::explanation`].

use retrial_sim::engine::Value;
use retrial_sim::explanation::{Act, Contradiction, Edge, Explanation, Note, Reason, explain};
use retrial_sim::invariant::Breach;
use retrial_sim::sentence::counted;
use retrial_sim::trace::{EventKind, Trace};
use retrial_sim::trial::Run;

use super::output;

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
    push_wrapped(&mut text, &format!("so {}", leads_to(trace, end)));
    text
}

fn push_wrapped(text: &mut String, step: &str) {
    for line in output::wrapped(step, 2, 6) {
        text.push_str(&line);
        text.push('\n');
    }
}

/// The name of an act: its actor, label and index.
pub(super) fn name(trace: &Trace, act: &Act) -> String {
    let Act { actor, label, nth, .. } = act;
    format!("{}/{label}#{nth}", trace.name(*actor))
}

fn names(trace: &Trace, acts: &[Act]) -> String {
    let names: Vec<String> = acts.iter().map(|act| name(trace, act)).collect();
    names.join(", ")
}

fn shown(value: &Value) -> String {
    output::cut(&value.to_string(), WIDEST_VALUE)
}

fn because(trace: &Trace, edge: &Edge) -> String {
    let (x, y) = (name(trace, &edge.before), name(trace, &edge.after));
    let who = trace.name(edge.after.actor);
    match &edge.because {
        Reason::ReadWhatWrote { column, value } => {
            format!("{y} read {column} {} that {x} wrote", shown(value))
        }
        Reason::OverwroteWhatRead { column, .. } if column.is_empty() => {
            format!("{y} wrote a row that {x} had read")
        }
        Reason::OverwroteWhatRead { column, read, written } => {
            format!("{y} wrote {column} {} where {x} had read {}", shown(written), shown(read))
        }
        Reason::Overwrote { column, old, between: 0, .. } => {
            format!("{y} overwrote {column} {} that {x} wrote", shown(old))
        }
        Reason::Overwrote { column, old, new, between } => {
            let (old, new) = (shown(old), shown(new));
            let versions = if *between == 1 { "version" } else { "versions" };
            format!("{y} wrote {column} {new}, {between} {versions} after the {old} that {x} wrote")
        }
        Reason::Carried { field, value } => carried(trace, edge, field, value),
        Reason::Replaced { field, old, new } => {
            format!("{who} had {field} {} at {x}, and {} at {y}", shown(old), shown(new))
        }
        Reason::Delivered { message, attempt: Value::Integer(1) } => {
            format!("{y} delivered message {message}, which {x} had sent")
        }
        Reason::Delivered { message, attempt } => {
            format!("{y} delivered message {message}, which {x} had sent, as attempt {attempt}")
        }
        Reason::DeliveredAgain { message, attempt } => {
            format!("{y} redelivered message {message}, as attempt {attempt}")
        }
        Reason::SameActor => format!("{who} did them in this order"),
        Reason::SameActorWroteNothing => format!("{who} sent no statement in between"),
        Reason::Failed { error } => format!("{x} failed: {error}"),
        Reason::ChangedNothing => format!("{x} changed no row, and {who} continued"),
        Reason::Died if edge.after.label == "exit" => format!("the process of {who} ended"),
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

/// How a value got from the earlier act to the later one.
fn carried(trace: &Trace, edge: &Edge, field: &str, value: &Value) -> String {
    let (x, y) = (name(trace, &edge.before), name(trace, &edge.after));
    let what = |act: &Act| trace.events.get(act.event).map(|event| &event.kind);
    let had = match what(&edge.before) {
        Some(EventKind::Stored(_)) => "stored",
        Some(EventKind::Ran(_)) => "received",
        Some(EventKind::Committed(_)) => "wrote",
        Some(EventKind::Requested(request)) if request.label == "deliver" => "delivered",
        _ => "sent",
    };
    let has = match what(&edge.after) {
        Some(EventKind::Stored(_)) => "stored",
        Some(EventKind::Requested(_)) => "sends",
        _ => "carries",
    };
    format!("{y} {has} the {field} {} that {x} {had}", shown(value))
}

fn leads_to(trace: &Trace, end: &Contradiction) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        valued @ (Contradiction::Dead { .. }
        | Contradiction::NeverWritten { .. }
        | Contradiction::OlderStands { .. }
        | Contradiction::OutOfNowhere { .. }
        | Contradiction::Unseen { .. }) => values(trace, valued),
        Contradiction::NothingBehind { effect, value, later: Some(later) } => {
            format!(
                "{} reported {} before any commit of it; {} committed it later",
                name(effect),
                shown(value),
                name(later)
            )
        }
        Contradiction::NothingBehind { effect, value, later: None } => {
            format!("{} reported {}, which no commit contains", name(effect), shown(value))
        }
        Contradiction::NobodyTold { write, column, old, value, alike, told } => {
            let moved = format!("{column} from {} to {}", shown(old), shown(value));
            match told {
                0 => format!("{} changed {moved}, and nothing after it reports that change", name(write)),
                _ => format!(
                    "{alike} commits, the first of them {}, changed {moved}, and only {told} were reported",
                    name(write)
                ),
            }
        }
        Contradiction::Again { effect, value: Some(value), .. } => {
            format!("{} reported {} without a new change", name(effect), shown(value))
        }
        Contradiction::Again { effect, moved, .. } => {
            format!("{} wrote the row again, and changed only {}", name(effect), moved.join(", "))
        }
        Contradiction::Large { act, rows, steps } => {
            let (rows, steps) = (counted(*rows, "row"), counted(*steps, "step"));
            format!("{} alone wrote {rows} and took {steps} of work", name(act))
        }
        Contradiction::Parts { parts, next } => {
            let (who, times) = (trace.name(next.actor), counted(parts.len(), "time"));
            format!("{who} released its lock {times} before {}: after {}", name(next), names(trace, parts))
        }
        Contradiction::TooLate { store, done, column, value, stands } => {
            let (value, stands) = (shown(value), shown(stands));
            format!(
                "{} came after {}, when no consumer was left to write its {column} {value}: \
                 the final value is {stands}",
                name(store),
                name(done)
            )
        }
        Contradiction::Crossed { one, other } => {
            format!("{} and {} each wrote what the other had read before", name(one), name(other))
        }
        plainly @ (Contradiction::Panicked { .. }
        | Contradiction::Annotated { .. }
        | Contradiction::Answered { .. }
        | Contradiction::Failed { .. }
        | Contradiction::Shows { .. }) => plain(trace, plainly),
        reported @ (Contradiction::SaysOtherwise { .. }
        | Contradiction::Unreported { .. }
        | Contradiction::Counted { .. }
        | Contradiction::Left { .. }
        | Contradiction::PassedOver { .. }) => reports(trace, reported),
        waited => waits(trace, waited),
    }
}

/// The result at which a violation shows, without a cause.
fn plain(trace: &Trace, end: &Contradiction) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        Contradiction::Panicked { act } => format!("the program panicked at {}", name(act)),
        Contradiction::Annotated { note, beside } => {
            let told =
                |note: &Note| format!("{} noted `{} {} {}`", name(&note.act), note.key, note.one, note.other);
            let beside = beside.as_ref().map_or(String::new(), |beside| format!(", and {}", told(beside)));
            format!("{}{beside}", told(note))
        }
        Contradiction::Answered { act, rows } => format!("{} returned {}", name(act), counted(*rows, "row")),
        Contradiction::Failed { act, error } => format!("{} failed: {error}", name(act)),
        Contradiction::Shows { act: Some(act) } => format!("it shows at {}", name(act)),
        _ => "it shows at the end".to_owned(),
    }
}

/// A value that is wrong, stale or missing.
fn values(trace: &Trace, end: &Contradiction) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        Contradiction::OlderStands { write, newer, older, column, value } => {
            let (write, newer, older, value) = (name(write), name(newer), name(older), shown(value));
            format!(
                "{write} came after {newer}, but the {column} {value} that it wrote is from {older}, before that: \
                 the older value replaced the newer one"
            )
        }
        Contradiction::Unseen { write, lost, read } => {
            let (write, lost, read) = (name(write), name(lost), name(read));
            format!("{write} came after {lost}, but was computed from {read}, before it: {lost} is lost")
        }
        Contradiction::OutOfNowhere { write, column, old, new } => {
            let (old, new) = (shown(old), shown(new));
            format!("{} wrote {column} {new} over {old}, and nothing before it carries {new}", name(write))
        }
        Contradiction::NeverWritten { done: Some(done), column, value, stands }
            if matches!(
                trace.events.get(done.event).map(|event| &event.kind),
                Some(EventKind::Operated(..))
            ) =>
        {
            let (done, value, stands) = (name(done), shown(value), shown(stands));
            format!(
                "{done} says that it is done, but it had not written its {column} {value}: the value is {stands}"
            )
        }
        Contradiction::NeverWritten { done, column, value, stands } => {
            let done = done.as_ref().map_or("the trial is over".to_owned(), |done| {
                format!("{} acknowledged the message", name(done))
            });
            format!(
                "{done}, but the {column} {} was not written: the value is {}",
                shown(value),
                shown(stands)
            )
        }
        Contradiction::Dead { letter, message, attempts } => {
            format!("{} gave up on message {message} after attempt {attempts}", name(letter))
        }
        _ => String::new(),
    }
}

/// A report that is wrong or missing, or work that was not done.
fn reports(trace: &Trace, end: &Contradiction) -> String {
    let name = |act: &Act| name(trace, act);
    match end {
        Contradiction::SaysOtherwise { report, field, said, was, by } => {
            let (said, was) = (shown(said), shown(was));
            format!(
                "{} reports {field} {said}, but the value that {} overwrote was {was}",
                name(report),
                name(by)
            )
        }
        Contradiction::Unreported { failure, report, said } => {
            let report = report.as_ref().map_or("the report".to_owned(), name);
            format!("{} failed, but {report} says {}", name(failure), shown(said))
        }
        Contradiction::Counted { report, column, said, changed, rewritten } => {
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
        Contradiction::Left { report, column, value, end } => {
            let report =
                report.as_ref().map_or(String::new(), |report| format!(", written by {}", name(report)));
            format!("at {} the final value of {column} is {}{report}", name(end), shown(value))
        }
        Contradiction::PassedOver { column, row, stands, passed, meanwhile } => {
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
        _ => String::new(),
    }
}

/// Waits, cycles and repetitions without progress.
fn waits(trace: &Trace, end: &Contradiction) -> String {
    let name = |act: &Act| name(trace, act);
    let ms = |micros: u64| format!("{}.{:03} ms", micros / 1000, micros % 1000);
    match end {
        Contradiction::Circle { round, times, moves } => {
            let moves = if moves.is_empty() { String::new() } else { format!(" but {}", moves.join(", ")) };
            let last = round.last().map_or(String::new(), |last| format!(" to {}", name(last)));
            let first = round.first().map_or(String::new(), name);
            format!(
                "the round from {first}{last} was repeated {} in a row, and changed nothing{moves}",
                counted(*times, "time")
            )
        }
        Contradiction::Repeated { last, times, moved } => {
            let label = last.label;
            let moved = moved.as_ref().map_or("none before it changed a value".to_owned(), |moved| {
                format!("{} was the last that changed a value", name(moved))
            });
            format!("{} is {label} number {times} since its process started, and {moved}", name(last))
        }
        Contradiction::WaitsForItself { circle, victim } => {
            let first = circle.first().map_or(String::new(), name);
            let given =
                victim.as_ref().map_or(String::new(), |victim| format!("; {} was aborted", name(victim)));
            format!("each of {} waits for the next, the last for {first}{given}", names(trace, circle))
        }
        Contradiction::Waiting { wait, holders, meanwhile, micros } => {
            let holders: Vec<_> = holders.iter().map(|holder| trace.name(*holder)).collect();
            let did = match &meanwhile[..] {
                [] => "continued".to_owned(),
                acts => format!("did {}", names(trace, acts)),
            };
            format!("{} lasted {}, while {} {did}", name(wait), ms(*micros), holders.join(" and "))
        }
        Contradiction::Held { from, to, statements, micros, kept } => {
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
        _ => String::new(),
    }
}
