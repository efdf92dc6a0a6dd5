//! What the API writer has committed to a column is never put back: no consumer gives the column a value again that the
//! row had before the API writer's. A value that the row has never had is a client's new one, and meant.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Column, TABLE};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// A session's title as it has been: all that it was before the API writer's, and whether that still stands.
#[derive(Default)]
struct Title<'r> {
    had: Vec<&'r Value>,
    before_rename: Option<usize>,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut exercised = 0;
        let mut titles: BTreeMap<&str, Title<'_>> = BTreeMap::new();
        for write in history::writes(run) {
            let title = titles.entry(write.session).or_default();
            if title.had.is_empty() {
                title.had.push(write.before(Column::Title));
            }
            if write.is_by_consumer() {
                let Some(earlier) = title.before_rename else {
                    title.had.push(write.after(Column::Title));
                    continue;
                };
                exercised += 1;
                if write.moves(Column::Title) && title.had[..earlier].contains(&write.after(Column::Title)) {
                    let sentence = format!(
                        "{} put the title of {} back from {}, which the API writer had committed, to {}",
                        write.actor,
                        write.session,
                        write.before(Column::Title),
                        write.after(Column::Title)
                    );
                    return Finding::broken(Anomaly::StaleOverwrite, sentence).at(write.event).on(
                        TABLE,
                        "title",
                        Value::from(write.session),
                    );
                }
                if write.moves(Column::Title) {
                    // A client's new title: the API writer's stands no longer.
                    title.before_rename = None;
                }
                title.had.push(write.after(Column::Title));
            } else if write.moves(Column::Title) {
                title.before_rename = Some(title.had.len());
                title.had.push(write.after(Column::Title));
            }
        }
        Finding::Holds { exercised }
    }
}
