//! What can be said where nothing better can: what the statement at which it shows came to, how large the commit was,
//! what was noted last, what was left as it is. It must never say why.

use super::story::Story;
use super::{Contradiction, Edge, Proof, Reason, noted, report, work};
use crate::anomaly::Anomaly;
use crate::invariant::Breach;
use crate::trace::What;

pub(super) fn argue(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let Some(event) = breach.event else {
        let is_note = |event: &usize| matches!(story.what(*event), What::Noted(..));
        return noted::argue(story, (0..story.events().len()).rfind(is_note)?);
    };
    match story.what(event) {
        What::Ran(statement) => {
            let act = story.act(event);
            let end = match &statement.result {
                Ok(answer) => Contradiction::Answered { act, rows: answer.rows.len() },
                Err(error) => Contradiction::Failed { act, error: error.to_string() },
            };
            Some((before(story, breach, event), end))
        }
        What::Exchanged(exchange) => {
            let error = exchange.field("error")?.to_string();
            let earlier = story.back(story.actor(event), event).next();
            let edges = earlier.map(|earlier| story.edge(earlier, event, Reason::SameActor));
            Some((edges.into_iter().collect(), Contradiction::Failed { act: story.act(event), error }))
        }
        What::Committed(_) if breach.anomaly == Anomaly::LongLockHold => work::large(story, breach),
        // What was left so, and by whom. Of what was not done no commit tells.
        What::Committed(_) if breach.anomaly != Anomaly::Omission => {
            report::left(story, breach.on.as_ref()?, story.events().len().checked_sub(1)?)
        }
        _ => None,
    }
}

/// What led there: the last commit of the row it is about, or the same actor's statement of that name before.
fn before(story: &Story<'_>, breach: &Breach, event: usize) -> Vec<Edge> {
    let stood = breach.on.as_ref().and_then(|cell| {
        let row = cell.row.as_ref()?.integer()?;
        let changes = story.trace().changes(cell.part).take_while(|(index, ..)| *index < event);
        let (index, _, change) = changes.filter(|(_, _, change)| change.key == row).last()?;
        let value = change.value_after(cell.column)?.clone();
        let column = cell.column.to_owned();
        Some(story.edge(index, event, Reason::Stood { column, value }))
    });
    let same = || {
        let (actor, label) = (story.actor(event), story.statement(event)?.label);
        let alike = |index: &usize| {
            story.actor(*index) == actor
                && story.statement(*index).is_some_and(|earlier| earlier.label == label)
        };
        (0..event).rfind(alike).map(|earlier| story.edge(earlier, event, Reason::SameActor))
    };
    stood.or_else(same).into_iter().collect()
}
