//! Every turn that a user got an answer to is in the conversation's transcript, as the next worker will read it.
//!
//! A worker posts the whole transcript: what it had read, and its own turn. So it must have read what the last worker
//! stored, and its own transcript must be the one that the next worker reads, which is that of the highest run. Two
//! workers that run at the same time for a moment are not a violation: no row shows it.
//!
//! A worker gives up on the gateway after half a minute or more; runs with such a timeout are judged in timed trials
//! only.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, Value};
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::{Workload, history};

pub(super) struct Invariant;

/// The columns of `agent_transcript_snapshot`, in their order.
const CONVERSATION: usize = 0;
const RUN: usize = 1;
const BASED_ON: usize = 2;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        // The highest run with a transcript, by conversation; the vectors below are indexed by run.
        let mut last: BTreeMap<i64, i64> = BTreeMap::new();
        let runs = evidence.workload.runs.len() + 1;
        let (mut answered, mut stored, mut gave_up) =
            (vec![false; runs], vec![false; runs], vec![false; runs]);
        let mut exercised = 0;
        for (index, event) in evidence.run.trace.events.iter().enumerate() {
            match &event.kind {
                EventKind::Annotated("answered", run, _) => answered[*run as usize] = true,
                EventKind::Annotated("no_history", run, 1) | EventKind::Annotated("late", run, _) => {
                    gave_up[*run as usize] = true;
                }
                EventKind::Committed(changes) => {
                    for change in changes.iter().filter(|it| it.table.name == "agent_transcript_snapshot") {
                        let Some(row) = &change.after else { continue };
                        let run = integer(row, RUN);
                        let found = last.entry(integer(row, CONVERSATION)).or_default();
                        if evidence.is_timed() || !gave_up[run as usize] {
                            if let Some(broken) = judge(row, *found) {
                                return broken.at(index);
                            }
                            exercised += 1;
                        }
                        stored[run as usize] = true;
                        *found = run.max(*found);
                    }
                }
                _ => {}
            }
        }
        let left = (1..runs).find(|run| answered[*run] && !stored[*run]);
        match left.filter(|_| history::is_quiescent(evidence.run)) {
            Some(run) => {
                let sentence = format!("the user of run {run} has an answer that is in no transcript");
                let (table, column) = ("agent_transcript_snapshot", "run_id");
                Finding::broken(Anomaly::Omission, sentence).on(table, column, Value::Integer(run as i64))
            }
            None => Finding::Holds { exercised },
        }
    }
}

/// The violation of a transcript that is stored after that of run `last` (0 if it is the first).
fn judge(row: &Row, last: i64) -> Option<Finding> {
    let (conversation, run, based_on) = (&row[CONVERSATION], integer(row, RUN), integer(row, BASED_ON));
    let sentence = if based_on != last {
        let begun = if based_on == 0 { "none".to_owned() } else { format!("that of run {based_on}") };
        format!(
            "run {run} of conversation {conversation} stores a transcript without run {last}, whose transcript \
             existed: it had started from {begun}"
        )
    } else if run < last {
        format!(
            "the transcript of run {run} of conversation {conversation} is stored, but the next worker reads {last}"
        )
    } else {
        return None;
    };
    let cell = ("agent_transcript_snapshot", "based_on", conversation.clone());
    Some(Finding::broken(Anomaly::LostUpdate, sentence).on(cell.0, cell.1, cell.2))
}

fn integer(row: &Row, column: usize) -> i64 {
    row[column].integer().unwrap_or_default()
}
