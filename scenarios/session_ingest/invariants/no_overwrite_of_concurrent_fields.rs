//! What the API writer has committed to a column is never put back: no consumer gives the column a value again that the
//! row had before the API writer's. A value that the row has never had is a client's new one, and meant.

use std::collections::BTreeMap;

use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

/// A session's title as it has been: all that it was before the API writer's, and whether that still stands.
#[derive(Default)]
struct Column<'r> {
    had: Vec<&'r Value>,
    before_rename: Option<usize>,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut exercised = 0;
        let mut columns: BTreeMap<&str, Column<'_>> = BTreeMap::new();
        for write in history::writes(run) {
            let column = columns.entry(write.session).or_default();
            if column.had.is_empty() {
                column.had.push(write.before("title"));
            }
            if write.is_by_consumer() {
                let Some(earlier) = column.before_rename else {
                    column.had.push(write.after("title"));
                    continue;
                };
                exercised += 1;
                if write.moves("title") && column.had[..earlier].contains(&write.after("title")) {
                    let sentence = format!(
                        "{} put the title of {} back from {}, which the API writer had committed, to {}",
                        write.actor,
                        write.session,
                        write.before("title"),
                        write.after("title")
                    );
                    return Finding::broken_at(write.event, sentence);
                }
                if write.moves("title") {
                    // A client's new title: the API writer's stands no longer.
                    column.before_rename = None;
                }
                column.had.push(write.after("title"));
            } else if write.moves("title") {
                column.before_rename = Some(column.had.len());
                column.had.push(write.after("title"));
            }
        }
        Finding::Holds { exercised }
    }
}
