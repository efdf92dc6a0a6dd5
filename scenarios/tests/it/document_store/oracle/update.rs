//! What an update does under its lock, request by request, and what its caller must learn.

use retrial_sim::engine::Value;
use retrial_sim::trace::{Event, Request};

use super::row::Row;
use super::{Oracle, ensure};
use crate::document_store::{DONE, NONE, NULL_VECTOR, OUT_OF_SCOPE, UNKNOWN};

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    Locks,
    Reads,
    BacksUp,
    Deletes,
    Adds,
    Checks,
    Restores,
    Unlocks(i64),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    pub(super) id: i64,
    pub(super) scope: i64,
    /// Which fields change, and the mark of their new values.
    pub(super) changes: (i64, i64),
    pub(super) stage: Stage,
    pub(super) original: Row,
    pub(super) backup: Row,
}

impl Oracle {
    pub(super) fn locks(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let hand = self.hand(event);
        let Some(update) = &mut hand.update else { return Err("takes a lock for nothing".to_owned()) };
        match (request.label, update.stage) {
            ("lock" | "create", Stage::Locks) => {
                if request.field("token") != Some(&Value::Null) {
                    update.stage = Stage::Reads;
                }
            }
            ("remove-stale", Stage::Locks) => {}
            ("unlock", Stage::Unlocks(result)) => {
                let (which, mark) = update.changes;
                let updated = update.original.changed(which, mark);
                hand.update = None;
                if result == DONE {
                    hand.must_say.extend(updated.told());
                }
                hand.must_say.push_back(("came to", result, 0));
            }
            (label, stage) => return Err(format!("{label} comes where it {stage:?}")),
        }
        Ok(())
    }

    /// A request that is part of an update.
    pub(super) fn updates(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let mut update = self.hand(event).update.expect("it is in an update");
        let Update { id, stage, .. } = update;
        let label = match stage {
            Stage::Reads => "read",
            Stage::BacksUp => "backup",
            Stage::Deletes => "delete",
            Stage::Adds => "add",
            Stage::Checks => "check",
            Stage::Restores => "restore",
            Stage::Locks | Stage::Unlocks(_) => return Err(format!("{} at {stage:?}", request.label)),
        };
        ensure!(request.label == label, "{} comes instead of {label}", request.label);
        let newest = self.newest(id);
        update.stage = match stage {
            Stage::Reads => self.takes_up(&mut update, newest),
            Stage::BacksUp => {
                update.backup = newest.filter(|row| row.is_in(update.scope)).unwrap_or(update.original);
                Stage::Deletes
            }
            Stage::Deletes => {
                if newest != Some(update.original) {
                    self.seen.push("an update that another has overtaken");
                }
                let heard = self.writes(event, request, &[id], |it| it.remove(|row| row.id == id))?;
                if heard {
                    Stage::Adds
                } else {
                    self.seen.push("an update whose delete is unknown");
                    Stage::Unlocks(UNKNOWN)
                }
            }
            Stage::Adds => {
                if newest.is_none() {
                    self.seen.push("no row between delete and add");
                }
                let (which, mark) = update.changes;
                let row = update.original.changed(which, mark);
                if self.writes(event, request, &[id], |it| vec![it.append(row)])? {
                    self.seen.push("updated");
                    Stage::Unlocks(DONE)
                } else {
                    Stage::Checks
                }
            }
            Stage::Checks if newest.is_some() => {
                self.seen.push("an update whose add was made");
                Stage::Unlocks(UNKNOWN)
            }
            Stage::Checks => Stage::Restores,
            _ => {
                let row = update.backup;
                let heard = self.writes(event, request, &[id], |it| vec![it.append(row)])?;
                self.seen.push(if heard { "an update restores" } else { "an update cannot restore" });
                Stage::Unlocks(UNKNOWN)
            }
        };
        self.hand(event).update = Some(update);
        Ok(())
    }

    /// Continues an update after it has read its row, if there is one.
    fn takes_up(&mut self, update: &mut Update, newest: Option<Row>) -> Stage {
        let Some(row) = newest else {
            self.seen.push("an update without a row");
            return Stage::Unlocks(NONE);
        };
        update.original = row;
        if !row.is_in(update.scope) {
            self.seen.push("an update out of scope");
            return Stage::Unlocks(OUT_OF_SCOPE);
        }
        if row.vector.is_none() {
            self.seen.push("an update of a row without a vector");
            return Stage::Unlocks(NULL_VECTOR);
        }
        Stage::BacksUp
    }
}
