//! Access to the trace for explanations: acts by label, the events of one actor, one life of a process.

use super::{Act, Edge, Reason};
use crate::engine::Value;
use crate::footprint::{Item, Touch, Use};
use crate::point::ActorId;
use crate::trace::{Attempt, Event, EventKind, Field, Request, RequestKind, Statement, Trace};
use crate::trial::Run;

/// A trial to explain.
#[derive(Clone, Copy, Debug)]
pub(super) struct TraceIndex<'r> {
    pub(super) run: &'r Run,
}

impl<'r> TraceIndex<'r> {
    pub(super) fn new(run: &'r Run) -> TraceIndex<'r> {
        TraceIndex { run }
    }

    pub(super) fn trace(&self) -> &'r Trace {
        &self.run.trace
    }

    pub(super) fn events(&self) -> &'r [Event] {
        &self.run.trace.events
    }

    pub(super) fn kind(&self, event: usize) -> &'r EventKind {
        &self.events()[event].kind
    }

    pub(super) fn actor(&self, event: usize) -> ActorId {
        self.events()[event].actor
    }

    /// The act of that event. A commit is named for the statement or the request that caused it.
    pub(super) fn act(&self, event: usize) -> Act {
        let actor = self.actor(event);
        let named = match self.kind(event) {
            EventKind::Committed(_) => self.behind(event).unwrap_or(event),
            _ => event,
        };
        let label = label(self.kind(named));
        let same = |other: &&Event| other.actor == actor && self::label(&other.kind) == label;
        let nth = self.events()[..=named].iter().filter(same).count() as u32;
        Act { event, actor, label, nth }
    }

    /// The cause of a commit: a request to a part, recorded directly before it in the same step, else the actor's last
    /// statement.
    pub(super) fn behind(&self, commit: usize) -> Option<usize> {
        self.asked_by(commit).or_else(|| self.ran_before(self.actor(commit), commit))
    }

    /// The request to a part that caused a commit.
    pub(super) fn asked_by(&self, commit: usize) -> Option<usize> {
        let before = commit.checked_sub(1)?;
        let [asked, done] = [&self.events()[before], &self.events()[commit]];
        let same = (asked.step, asked.actor) == (done.step, done.actor);
        (same && matches!(asked.kind, EventKind::Requested(_))).then_some(before)
    }

    /// The last statement of that actor before that event.
    pub(super) fn ran_before(&self, actor: ActorId, event: usize) -> Option<usize> {
        let ran =
            |index: &usize| self.actor(*index) == actor && matches!(self.kind(*index), EventKind::Ran(_));
        (0..event).rev().find(ran)
    }

    /// The actor's events before that one, latest first, back to the last start of its process.
    pub(super) fn back(&self, actor: ActorId, event: usize) -> impl Iterator<Item = usize> + use<'r> {
        let (events, process) = (self.events(), self.trace().process(actor));
        let trace = self.trace();
        let born = move |index: &usize| {
            matches!(events[*index].kind, EventKind::Started(2..))
                && trace.process(events[*index].actor) == process
        };
        (0..event)
            .rev()
            .take_while(move |index| !born(index))
            .filter(move |index| events[*index].actor == actor)
    }

    /// The actor's events after that one, up to and including the crash or the exit of its process.
    pub(super) fn on(&self, actor: ActorId, event: usize) -> impl Iterator<Item = usize> + use<'r> {
        let (events, trace) = (self.events(), self.trace());
        let process = trace.process(actor);
        let mut over = false;
        let mine = move |index: &usize| {
            let Event { actor: by, kind: what, .. } = &events[*index];
            let same = trace.process(*by) == process;
            *by == actor || same && matches!(what, EventKind::Crashed | EventKind::Exited)
        };
        (event + 1..events.len()).filter(mine).take_while(move |index| {
            let before = over;
            over |= matches!(events[*index].kind, EventKind::Crashed | EventKind::Exited);
            !before
        })
    }

    pub(super) fn statement(&self, event: usize) -> Option<&'r Statement> {
        if let EventKind::Ran(statement) = self.kind(event) { Some(statement) } else { None }
    }

    pub(super) fn request(&self, event: usize) -> Option<&'r Request> {
        if let EventKind::Requested(request) = self.kind(event) { Some(request) } else { None }
    }

    /// The deliveries of messages, each with the part and the attempt.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = (usize, &'static str, Attempt)> + use<'r> {
        self.arrived().filter_map(|(index, request)| match request.kind {
            RequestKind::Deliver(attempt) => Some((index, request.part, attempt)),
            _ => None,
        })
    }

    /// The requests that took effect.
    pub(super) fn arrived(&self) -> impl Iterator<Item = (usize, &'r Request)> + use<'r> {
        self.events().iter().enumerate().filter_map(|(index, event)| match &event.kind {
            EventKind::Requested(request) if request.arrived => Some((index, &**request)),
            _ => None,
        })
    }

    /// The attempt that a delivery is.
    pub(super) fn attempt(&self, delivery: usize) -> Option<Attempt> {
        match self.request(delivery)?.kind {
            RequestKind::Deliver(attempt) => Some(attempt),
            _ => None,
        }
    }

    /// Whether a statement read the one row that another wrote. `None` if the engine does not say which rows a
    /// statement touches, or if the other wrote several.
    pub(super) fn read_what_was_written(&self, read: usize, wrote: usize) -> Option<bool> {
        let (read, wrote) = (self.statement(read)?, self.statement(wrote)?);
        let is_one = wrote.result.as_ref().is_ok_and(|answer| answer.changed == 1);
        let rows: Vec<&Touch> =
            wrote.footprint.touched.iter().filter(|touch| is_row(touch) && touch.how == Use::Write).collect();
        let reads = |row: &&Touch| {
            let touched = read.footprint.touched.iter();
            touched.filter(|touch| touch.part == row.part).any(|it| it.item.is_none() || it.item == row.item)
        };
        (is_one && !rows.is_empty()).then(|| rows.iter().any(reads))
    }

    pub(super) fn edge(&self, before: usize, after: usize, because: Reason) -> Edge {
        Edge { before: self.act(before), after: self.act(after), because }
    }
}

/// Whether it is a use of rows by their key.
pub(super) fn is_row(touch: &Touch) -> bool {
    matches!(touch.item, Some(Item::Rows(_)))
}

/// The value of a field in a record.
pub(super) fn field<'f>(fields: &'f [Field], name: &str) -> Option<&'f Value> {
    fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Whether a record has that value under any name.
pub(super) fn mentions(fields: &[Field], value: &Value) -> bool {
    fields.iter().any(|(_, known)| known == value)
}

/// The label of an event.
pub(super) fn label(what: &EventKind) -> &'static str {
    match what {
        EventKind::Stepped(label) | EventKind::Sleeps(label, _) | EventKind::Annotated(label, ..) => label,
        EventKind::Ran(statement) => statement.label,
        EventKind::Requested(request) => request.label,
        EventKind::Operated(_, stage) => stage.name(),
        EventKind::Stored(_) => "store",
        EventKind::Started(_) => "start",
        EventKind::Planned(_) => "plan",
        EventKind::Waits { .. } => "wait",
        EventKind::Resumed { .. } => "resume",
        EventKind::Committed(_) => "visible",
        EventKind::Released(_) => "release",
        EventKind::Injected(fault) => fault.name(),
        EventKind::Crashed => "crash",
        EventKind::Exited => "exit",
        EventKind::Finished => "end",
        EventKind::Panicked(_) => "panic",
        EventKind::FaultsStopped => "calm",
    }
}
