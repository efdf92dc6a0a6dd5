//! Fallback explanations: the result of the statement at which the violation shows, the size of the commit, the last
//! annotation, or the value that was left. They describe the state and give no cause.

use super::trace_index::TraceIndex;
use super::{Edge, Observed, Proof, Reason, annotation, report, work};
use crate::anomaly::Anomaly;
use crate::invariant::Breach;
use crate::trace::EventKind;

pub(super) fn explain(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let Some(event) = breach.event else {
        let is_note = |event: &usize| matches!(trace_index.kind(*event), EventKind::Annotated(..));
        return annotation::explain(trace_index, (0..trace_index.events().len()).rfind(is_note)?);
    };
    match trace_index.kind(event) {
        EventKind::Ran(statement) => {
            let act = trace_index.act(event);
            let end = match &statement.result {
                Ok(answer) => Observed::Answered { act, rows: answer.rows.len() }.into(),
                Err(error) => Observed::Failed { act, error: error.to_string() }.into(),
            };
            Some((before(trace_index, breach, event), end))
        }
        EventKind::Requested(request) => {
            let error = request.field("error")?.to_string();
            let earlier = trace_index.back(trace_index.actor(event), event).next();
            let edges = earlier.map(|earlier| trace_index.edge(earlier, event, Reason::SameActor));
            Some((
                edges.into_iter().collect(),
                Observed::Failed { act: trace_index.act(event), error }.into(),
            ))
        }
        EventKind::Committed(_) if breach.anomaly == Anomaly::LongLockHold => {
            work::large(trace_index, breach)
        }
        // Which value was left, and by which actor. An omission has no commit to show.
        EventKind::Committed(_) if breach.anomaly != Anomaly::Omission => {
            report::left(trace_index, breach.on.as_ref()?, trace_index.events().len().checked_sub(1)?)
        }
        _ => None,
    }
}

/// What led to the event: the last commit of the row, or else the same actor's previous statement with that label.
fn before(trace_index: &TraceIndex<'_>, breach: &Breach, event: usize) -> Vec<Edge> {
    let stood = breach.on.as_ref().and_then(|cell| {
        let row = cell.row.as_ref()?.integer()?;
        let changes = trace_index.trace().changes(cell.part).take_while(|(index, ..)| *index < event);
        let (index, _, change) = changes.filter(|(_, _, change)| change.key == row).last()?;
        let value = change.value_after(cell.column)?.clone();
        let column = cell.column.to_owned();
        Some(trace_index.edge(index, event, Reason::Stood { column, value }))
    });
    let same = || {
        let (actor, label) = (trace_index.actor(event), trace_index.statement(event)?.label);
        let alike = |index: &usize| {
            trace_index.actor(*index) == actor
                && trace_index.statement(*index).is_some_and(|earlier| earlier.label == label)
        };
        (0..event).rfind(alike).map(|earlier| trace_index.edge(earlier, event, Reason::SameActor))
    };
    stood.or_else(same).into_iter().collect()
}
