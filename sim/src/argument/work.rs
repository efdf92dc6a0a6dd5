//! Work that is too large, and work that became visible in parts. It must count what the trace counts and judge
//! nothing.

use super::story::Story;
use super::{Act, Contradiction, Edge, Proof, Reason};
use crate::engine::Value;
use crate::invariant::Breach;
use crate::trace::What;

pub(super) fn large(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let event = breach.event?;
    if let Some(exchange) = story.exchange(event) {
        let alike = |index: &usize| story.exchange(*index).is_some_and(|it| it.label == exchange.label);
        let mut parts: Vec<usize> = story.back(story.actor(event), event).filter(alike).collect();
        parts.reverse();
        let edges = parts.last().map(|last| story.edge(*last, event, Reason::SameActor));
        let parts = parts.into_iter().map(|index| story.act(index)).collect();
        return Some((edges.into_iter().collect(), Contradiction::Parts { parts, next: story.act(event) }));
    }
    let ran = match story.what(event) {
        What::Committed(_) => story.behind(event),
        _ => Some(event),
    };
    let steps = ran.and_then(|ran| story.statement(ran)).map_or(0, |ran| ran.work.steps);
    let rows = match story.what(event) {
        What::Committed(changes) => changes.len(),
        _ => ran
            .and_then(|ran| story.statement(ran)?.result.as_ref().ok())
            .map_or(0, |answer| answer.changed as usize),
    };
    let earlier = ran.and_then(|ran| {
        let label = story.statement(ran)?.label;
        story
            .back(story.actor(ran), ran)
            .find(|index| story.statement(*index).is_some_and(|earlier| earlier.label == label))
    });
    let edges = earlier.map(|earlier| story.edge(earlier, event, Reason::SameActor)).into_iter().collect();
    Some((edges, Contradiction::Large { act: story.act(event), rows, steps }))
}

/// How often the actor has let go of its lock since the statement of the same name before.
pub(super) fn torn(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let event = breach.event?;
    if let What::Committed(_) = story.what(event) {
        return half(story, breach, event);
    }
    let (actor, label) = (story.actor(event), story.statement(event)?.label);
    let since = story
        .back(actor, event)
        .find(|index| story.statement(*index).is_some_and(|earlier| earlier.label == label))?;
    let let_go =
        |index: &usize| story.actor(*index) == actor && matches!(story.what(*index), What::Released(_));
    // Each time the lock falls is named for the statement that ended what it was held for.
    let parts: Vec<Act> = (since..event)
        .filter(let_go)
        .filter_map(|release| {
            let mut act = story.act(story.ran_before(actor, release)?);
            act.event = release;
            Some(act)
        })
        .collect();
    let edge = |pair: &[Act]| Edge { before: pair[0], after: pair[1], because: Reason::SameActor };
    let edges = parts.windows(2).map(edge).collect();
    Some((edges, Contradiction::Parts { parts, next: story.act(event) }))
}

/// A commit that left a cell without what belongs to the rest of its row.
fn half(story: &Story<'_>, breach: &Breach, event: usize) -> Option<Proof> {
    let cell = breach.on.as_ref()?;
    let What::Committed(changes) = story.what(event) else { return None };
    let of_table = changes.iter().filter(|change| change.table.name == cell.part);
    let mut of_row =
        of_table.filter(|change| cell.row.as_ref().is_none_or(|row| *row == Value::Integer(change.key)));
    let value = of_row.next()?.value_after(cell.column)?.clone();
    let actor = story.actor(event);
    let is_update = |index: &usize| {
        story.statement(*index).is_some_and(|it| it.result.as_ref().is_ok_and(|it| it.changed > 0))
    };
    let wrote = story.back(actor, event).find(is_update);
    let edges = wrote.map(|wrote| story.edge(wrote, event, Reason::SameActor)).into_iter().collect();
    let end = story.act(event);
    Some((edges, Contradiction::Left { report: None, column: cell.column.to_owned(), value, end }))
}
