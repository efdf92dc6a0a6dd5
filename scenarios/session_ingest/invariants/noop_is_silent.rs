//! The same status again moves no timestamp and notifies nobody.

use std::collections::BTreeMap;

use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Run;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let sent = history::sent(run);
        for write in history::writes(run).filter(history::Write::is_by_consumer) {
            if !write.moves("status") && write.moves("status_updated_at") {
                let sentence = format!(
                    "{} stamped status_updated_at of {}, whose status was {} already",
                    write.actor,
                    write.session,
                    write.after("status")
                );
                return Finding::broken_at(write.event, sentence);
            }
            let changes_nothing = !history::FIELDS.iter().any(|field| write.moves(field));
            if changes_nothing && write.moves("updated_at") && brings_the_same_status(run, &sent, &write) {
                let sentence = format!(
                    "{} stamped updated_at of {} and changed nothing else",
                    write.actor, write.session
                );
                return Finding::broken_at(write.event, sentence);
            }
        }
        for told in history::notifications(run) {
            if told.previous == told.next {
                let sentence = format!("{} was notified to go from {} to the same", told.session, told.next);
                return Finding::broken_at(told.event, sentence);
            }
        }
        Finding::Holds { exercised: repeats(evidence) }
    }
}

/// Whether the message in hand at that write is about the status alone, and the row has that status.
fn brings_the_same_status(
    run: &Run,
    sent: &BTreeMap<i64, history::Sent<'_>>,
    write: &history::Write<'_>,
) -> bool {
    let message = history::in_hand(run, write.event, run.trace.events[write.event].actor);
    let Some(sent) = message.and_then(|message| sent.get(&message)) else { return false };
    let brings = |field: &&&str| sent.field(field).is_some();
    history::FIELDS.iter().filter(brings).eq([&"status"])
        && sent.field("status") == Some(write.after("status"))
}

/// How many messages brought a status that the row had when they were taken up.
fn repeats(evidence: &Evidence<'_, Workload>) -> u64 {
    let run = evidence.run;
    let sent = history::sent(run);
    let repeated = |(event, exchange): &(usize, &_)| {
        let Some(sent) = sent.get(&history::message(exchange)) else { return false };
        let Some(status) = sent.field("status") else { return false };
        let earlier = history::transitions(run).take_while(|write| write.event < *event);
        let row = earlier.filter(|write| write.session == sent.session()).last();
        row.map_or(&Value::Null, |write| write.after("status")) == status
    };
    history::exchanges(run, "deliver").filter(repeated).count() as u64
}
