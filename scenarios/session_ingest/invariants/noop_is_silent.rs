//! A status that the row already has moves no timestamp and sends no notification.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Run;

use super::super::history::{Column, TABLE};
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let sent = history::sent(run);
        for write in history::writes(run).filter(history::Write::is_by_consumer) {
            if !write.moves(Column::Status) && write.moves(Column::StatusUpdatedAt) {
                let sentence = format!(
                    "{} set status_updated_at of {}, whose status was already {}",
                    write.actor,
                    write.session,
                    write.after(Column::Status)
                );
                return Finding::broken(Anomaly::DuplicateEffect, sentence).at(write.event).on(
                    TABLE,
                    "status_updated_at",
                    Value::from(write.session),
                );
            }
            let changes_nothing = !history::FIELDS.iter().any(|field| write.moves(*field));
            if changes_nothing && write.moves(Column::UpdatedAt) && brings_the_same_status(run, &sent, &write)
            {
                let sentence =
                    format!("{} set updated_at of {} and changed nothing else", write.actor, write.session);
                return Finding::broken(Anomaly::DuplicateEffect, sentence).at(write.event).on(
                    TABLE,
                    "updated_at",
                    Value::from(write.session),
                );
            }
        }
        for told in history::notifications(run) {
            if told.previous == told.next {
                let sentence = format!(
                    "{} was notified of a change from {} to the same status",
                    told.session, told.next
                );
                return Finding::broken(Anomaly::DuplicateEffect, sentence)
                    .at(told.event)
                    .on("sink", "next", None);
            }
        }
        Finding::Holds { exercised: repeats(run, &sent) }
    }
}

/// Whether the message being handled at that write is about the status alone, and the row has that status.
fn brings_the_same_status(
    run: &Run,
    sent: &BTreeMap<i64, history::Sent<'_>>,
    write: &history::Write<'_>,
) -> bool {
    let message = history::in_hand(run, write.event, run.trace.events[write.event].actor);
    let Some(sent) = message.and_then(|message| sent.get(&message)) else { return false };
    let brings = |field: &&Column| sent.field(**field).is_some();
    history::FIELDS.iter().filter(brings).eq([&Column::Status])
        && sent.field(Column::Status) == Some(write.after(Column::Status))
}

/// The number of deliveries that bring a status which the row already has.
fn repeats(run: &Run, sent: &BTreeMap<i64, history::Sent<'_>>) -> u64 {
    let transitions: Vec<_> = history::transitions(run).collect();
    let repeated = |(event, request): &(usize, &_)| {
        let Some(sent) = sent.get(&history::message(request)) else { return false };
        let Some(status) = sent.field(Column::Status) else { return false };
        let earlier = transitions.iter().take_while(|write| write.event < *event);
        let row = earlier.filter(|write| write.session == sent.session()).last();
        row.map_or(&Value::Null, |write| write.after(Column::Status)) == status
    };
    run.trace.requests("deliver").filter(repeated).count() as u64
}
