//! A replayed trial: a column per actor, each statement and its result, waits, injected faults; then a sentence
//! that says what went wrong, and its explanation. At most 60 lines: the middle of a long transcript is left out, the
//! explanation never is.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::RowChange;
use retrial_sim::error::Error;
use retrial_sim::explanation::place;
use retrial_sim::explore::Replayed;
use retrial_sim::explore::case::Case;
use retrial_sim::invariant::Finding;
use retrial_sim::point::ActorId;
use retrial_sim::sentence::{counted, plural};
use retrial_sim::trace::Stage;
use retrial_sim::trace::{Event, EventKind, Statement, Trace, said};

use super::page::WIDTH;
use super::sql::Purpose;
use super::{explanation as words, page, rounds, sql, style};
use crate::results::replayed::Likeness;

/// The maximum number of lines for events and explanation; the rest of the 60 is for headings and the verdict.
const MOST_LINES: usize = 51;

/// With more actors than this, a list is printed instead of columns.
const MOST_COLUMNS: usize = 2;

/// The width of what stands beside the time.
const PAGE: usize = WIDTH - 11;

/// A replayed case, and how its trial compares with the recorded one.
pub fn replayed(case: &Case, replayed: &Replayed, likeness: Likeness) -> String {
    let mut text = String::new();
    say!(text, "{}", tell(case, replayed));
    say!(text, "{}", verdict(case, replayed));
    match likeness {
        Likeness::Same => {}
        Likeness::SameButForCosts => {
            say!(text, "the same verdict and the same events as recorded; only their costs differ");
        }
        Likeness::Other => {
            let digest = replayed.run.digest;
            say!(text, "{}", style::odd(format!("not exactly the recorded trial: its digest is {digest}")));
        }
    }
    text
}

/// A replayed case without colours: transcript, verdict and explanation.
pub fn text(case: &Case, replayed: &Replayed) -> String {
    format!("{}\n{}", tell(case, replayed), style::plain(&verdict(case, replayed)))
}

/// The verdict, and for a violation its explanation.
fn verdict(case: &Case, replayed: &Replayed) -> String {
    let said = match &replayed.finding {
        Finding::Violated(breach) => {
            style::bad(format!("{} is violated: {}", case.invariant, breach.sentence))
        }
        Finding::Holds { exercised: 0 } => {
            style::odd(format!("{} holds, and was not exercised", case.invariant))
        }
        Finding::Holds { .. } => style::good(format!("{} holds", case.invariant)),
        Finding::Unknown(why) => style::odd(format!("{} is unknown: {why}", case.invariant)),
    };
    match &replayed.finding {
        Finding::Violated(breach) => format!("{said}\n{}", words::tell(&replayed.run, breach).trim_end()),
        _ => said,
    }
}

/// That a case's choices no longer apply.
pub fn unreachable(case: &Case, error: &Error) -> String {
    let Case { scenario, strategy, .. } = case;
    format!("{}\n", style::odd(format!("not reachable under {scenario}/{strategy}: {error}")))
}

/// The transcript of a replayed case, as text.
pub fn tell(case: &Case, replayed: &Replayed) -> String {
    let trace = &replayed.run.trace;
    let Case { scenario, strategy, environment, engine, workload, .. } = case;
    let mut text = format!(
        "{scenario}/{strategy} in environment {environment}, engine {engine}\nworkload {workload}\n\n"
    );
    let noted = is_about_a_note(replayed);
    let is_shown = |event: &&Event| if is_note(event) { noted } else { !is_noise(event) };
    let shown: Vec<&Event> = trace.events.iter().filter(is_shown).collect();
    let mut actors: Vec<ActorId> = shown.iter().map(|event| event.actor).collect();
    actors.sort_unstable();
    actors.dedup();
    actors.retain(|actor| *actor != ActorId::NOBODY);
    let columns = (actors.len() <= MOST_COLUMNS).then(|| Page::columns(trace, &actors, &shown));
    let page = columns.filter(Page::fits).unwrap_or_else(|| Page::list(trace, &actors, &shown));
    let is_livelock =
        matches!(&replayed.finding, Finding::Violated(breach) if breach.anomaly == Anomaly::Livelock);
    let lines = if is_livelock { rounds::folded(&page.lines) } else { page.lines };
    // Without a clock the order of the lines says everything.
    let is_timed = lines.iter().any(|(at, _)| !at.is_zero());
    let mut add = |at: &str, line: &str| {
        let at = if is_timed { format!("{at:>9}") } else { String::new() };
        text.push_str(format!("{at}  {line}").trim_end());
        text.push('\n');
    };
    if is_timed || !page.head.is_empty() {
        add("ms", &page.head);
    }
    let most = MOST_LINES.saturating_sub(room_for_argument(replayed));
    let skip = lines.len().saturating_sub(most);
    for (index, (at, line)) in lines.iter().enumerate() {
        // The beginning has the cause and the end the effect; the middle is mostly repetition.
        if skip > 0 && index == most / 2 {
            add("...", &format!("[{} left out]", counted(skip, "line")));
        }
        if skip > 0 && (most / 2..most / 2 + skip).contains(&index) {
            continue;
        }
        add(&format!("{}.{:03}", at.as_millis(), at.subsec_micros() % 1000), line);
    }
    text
}

/// The number of lines of the explanation.
fn room_for_argument(replayed: &Replayed) -> usize {
    match &replayed.finding {
        Finding::Violated(breach) => words::tell(&replayed.run, breach).lines().count(),
        _ => 0,
    }
}

/// The lines of a transcript, each with its time.
struct Page {
    head: String,
    lines: Vec<(Duration, String)>,
}

impl Page {
    /// A column per actor, which shows at a glance what happens at the same time.
    fn columns(trace: &Trace, actors: &[ActorId], shown: &[&Event]) -> Page {
        let lines: Vec<Said> = shown.iter().flat_map(|event| say(trace, event, PAGE)).collect();
        let width = |actor: &ActorId| {
            let mine = lines.iter().filter(|said| said.actor == *actor).map(|said| said.line.chars().count());
            mine.max().unwrap_or(0).max(trace.name(*actor).len()).min(PAGE)
        };
        let widths: Vec<usize> = actors.iter().map(width).collect();
        let names =
            actors.iter().zip(&widths).map(|(actor, width)| format!("{:<width$}", trace.name(*actor)));
        let head = names.collect::<Vec<_>>().join("  ");
        let mut waiting = Vec::new();
        let place = |said: Said| {
            let mut line = String::new();
            for (actor, width) in actors.iter().zip(&widths) {
                let mine = said.actor == *actor;
                let cell = if mine { page::cut(&said.line, PAGE) } else { mark(&waiting, *actor).to_owned() };
                line.push_str(&format!("{cell:<width$}  "));
            }
            if said.actor == ActorId::NOBODY {
                line.clone_from(&said.line);
            }
            said.keep(&mut waiting);
            (said.at, line.trim_end().to_owned())
        };
        Page { head, lines: lines.into_iter().map(place).collect() }
    }

    /// Whether no line is wider than the page; lists always fit.
    fn fits(&self) -> bool {
        self.lines.iter().all(|(_, line)| line.chars().count() <= PAGE)
    }

    /// One column, with the actor's name before each line, for trials whose columns would be too narrow.
    fn list(trace: &Trace, actors: &[ActorId], shown: &[&Event]) -> Page {
        let width = actors.iter().map(|actor| trace.name(*actor).len()).max().unwrap_or(0);
        let room = PAGE - width - 2;
        let mut last = ActorId::NOBODY;
        let (mut lines, mut waiting) = (Vec::new(), Vec::new());
        for said in shown.iter().flat_map(|event| say(trace, event, room)) {
            // The name is not repeated if it is that of the line above.
            let name = if said.actor == last { "" } else { trace.name(said.actor) };
            let name = if said.actor == ActorId::NOBODY { "" } else { name };
            last = said.actor;
            let others = waiting.iter().filter(|actor| **actor != said.actor);
            let rail: String = others.map(|actor| mark(&waiting, *actor)).collect();
            lines.push((said.at, format!("{name:<width$} {rail:<1} {}", page::cut(&said.line, room))));
            said.keep(&mut waiting);
        }
        Page { head: String::new(), lines }
    }
}

/// A line of a transcript.
struct Said {
    at: Duration,
    actor: ActorId,
    line: String,
    /// Whether the actor is blocked or unblocked by this line; `None` if the line has no effect on that.
    blocks: Option<bool>,
}

impl Said {
    /// Updates the list of blocked actors.
    fn keep(&self, waiting: &mut Vec<ActorId>) {
        if self.blocks.is_some() {
            waiting.retain(|actor| *actor != self.actor);
        }
        if self.blocks == Some(true) {
            waiting.push(self.actor);
        }
    }
}

/// The cell of an actor that has no event on this line.
fn mark(waiting: &[ActorId], actor: ActorId) -> &'static str {
    if waiting.contains(&actor) { "|" } else { "" }
}

/// Whether an event is left out: an actor's return, the release of locks, the first start of a process, and that an
/// operation has begun or read, which its requests show.
fn is_noise(event: &Event) -> bool {
    match &event.kind {
        EventKind::Finished | EventKind::Released(_) | EventKind::Started(1) => true,
        EventKind::Operated(_, stage) => matches!(stage, Stage::Began(_) | Stage::Saw),
        _ => false,
    }
}

/// Whether an event is a note that a process recorded about itself. Notes are printed only if the violation shows in
/// one.
fn is_note(event: &Event) -> bool {
    matches!(event.kind, EventKind::Annotated(..))
}

fn is_about_a_note(replayed: &Replayed) -> bool {
    match &replayed.finding {
        Finding::Violated(breach) => {
            breach.event.is_some_and(|event| is_note(&replayed.run.trace.events[event]))
        }
        _ => false,
    }
}

fn say(trace: &Trace, event: &Event, room: usize) -> Vec<Said> {
    let label = place(trace, event);
    let lines = match &event.kind {
        EventKind::Ran(statement) => say_statement(&label, statement, room),
        EventKind::Committed(changes) => say_changes(changes),
        EventKind::Injected(fault) => vec![format!("*** {fault}")],
        EventKind::Planned(told) => vec![format!("*** {told}")],
        EventKind::Crashed => vec!["*** the process dies".to_owned()],
        EventKind::Exited => vec!["*** the process has stopped".to_owned()],
        EventKind::Started(start) => vec![format!("*** the process restarts (start {start})")],
        EventKind::Sleeps(label, time) => vec![format!("{label} for {} ms", time.as_millis())],
        EventKind::Annotated(_, one, other) => vec![format!("{label}: {one} {other}")],
        EventKind::FaultsStopped => vec!["--- faults stop, the schedule is fair ---".to_owned()],
        // The explanation refers to requests and stores by label and index.
        EventKind::Requested(request) => {
            vec![format!("{} {label}{}{}", request.part, said(&request.body), request.loss())]
        }
        EventKind::Stored(stored) => vec![format!("{label}:{}", said(&stored.state))],
        EventKind::Operated(..) => vec![format!("{label}: {}", trace.say(&event.kind))],
        EventKind::Stepped(_)
        | EventKind::Waits { .. }
        | EventKind::Resumed { .. }
        | EventKind::Released(_)
        | EventKind::Finished
        | EventKind::Panicked(_) => vec![trace.say(&event.kind)],
    };
    let blocks = match &event.kind {
        EventKind::Waits { .. } => Some(true),
        _ => Some(false),
    };
    let (at, actor) = (event.at, event.actor);
    lines.into_iter().map(|line| Said { at, actor, line, blocks }).collect()
}

fn say_statement(label: &str, statement: &Statement, room: usize) -> Vec<String> {
    let sql = sql::essence(&statement.sql, &statement.params);
    let what = page::cut(&format!("{label}: {sql}"), room);
    let outcome = match &statement.result {
        Ok(answer) if answer.rows.is_empty() => match (sql::purpose(&statement.sql), answer.changed) {
            (Purpose::Other, 0) => return vec![what],
            (Purpose::Reads, 0) => "  -> no rows".to_owned(),
            (_, changed) => format!("  -> {} changed", counted(changed, "row")),
        },
        Ok(answer) => {
            let row = |row: &retrial_sim::engine::Row| {
                row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            let rows: Vec<_> = answer.rows.iter().map(row).collect();
            format!("  -> {}", rows.join("; "))
        }
        Err(error) => format!("  -> ERROR {error}"),
    };
    vec![what, outcome]
}

/// The values that a commit changed, and the number of rows that it wrote without changing a value.
fn say_changes(changes: &[RowChange]) -> Vec<String> {
    let mut told = Vec::new();
    let mut unchanged = 0;
    for change in changes {
        let mut columns = Vec::new();
        for column in &change.table.columns {
            let (old, new) = (change.value_before(column), change.value_after(column));
            if old != new {
                let side = |value: Option<&retrial_sim::engine::Value>| {
                    value.map_or("-".to_owned(), ToString::to_string)
                };
                columns.push(match (&change.before, &change.after) {
                    (None, _) => format!("{column}={}", side(new)),
                    _ => format!("{column} {}->{}", side(old), side(new)),
                });
            }
        }
        if columns.is_empty() {
            unchanged += 1;
        } else {
            told.push(format!("{}[{}] {}", change.table.name, key(change), columns.join(" ")));
        }
    }
    if unchanged > 0 {
        told.push(format!("{} written, no value changed", counted(unchanged, "row")));
    }
    let more = told.len().saturating_sub(4);
    told.truncate(4);
    if more > 0 {
        told.push(format!("and {more} more {}", plural(&more, "row")));
    }
    let first = told.iter_mut().enumerate();
    first.for_each(|(index, line)| {
        *line = format!("{}{line}", if index == 0 { "commit  " } else { "        " })
    });
    told
}

/// The name of a row for a reader: the text in its first column, else its key.
fn key(change: &RowChange) -> String {
    let row = change.after.as_ref().or(change.before.as_ref());
    let first = row.and_then(|row| row.first()?.text().map(str::to_owned));
    first.unwrap_or_else(|| change.key.to_string())
}
