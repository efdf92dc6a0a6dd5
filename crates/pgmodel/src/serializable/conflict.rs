//! The rw-conflicts between serializable transactions, and which transaction fails when a conflict completes a
//! dangerous structure: a pivot with a conflict in and a conflict out, where the transaction at the out side commits
//! first (OnConflict_CheckForSerializationFailure and PreCommit_CheckForSerializationFailure in predicate.c). No
//! transaction fails before one of the three has committed, so that a retry does not fail again because of the same
//! transactions.

use retrial_pgmodel_sql::error::{Failure, Result};

use super::{Certainty, Number, Participant, Serializable};
use crate::transaction::Xid;

/// The error of a transaction that cannot be serialized.
pub(super) fn failure(reason: &str) -> Failure {
    Failure::detailed(
        "40001",
        "could not serialize access due to read/write dependencies among transactions",
        format!("Reason code: Canceled on {reason}."),
    )
}

impl Serializable {
    /// Records that `me` writes what others may have read. `met` returns which mark of another transaction the write
    /// meets.
    ///
    /// # Errors
    /// 40001 if that makes `me` a pivot; a refusal if it is not known whether there is a conflict.
    pub(super) fn write(
        &mut self,
        me: Number,
        what: &str,
        met: impl Fn(&Participant) -> Option<Certainty>,
    ) -> Result<()> {
        if self.participant(me).doomed {
            return Err(failure("identification as a pivot, during conflict in checking"));
        }
        let mine = self.participant(me);
        mine.wrote = true;
        let xmin = mine.xmin;
        let overlaps = |other: &Participant| other.committed.is_none() || xmin < other.finished_before;
        let mut readers = Vec::new();
        for (number, other) in self.transactions.iter().filter(|(number, _)| **number != me) {
            if other.doomed || !overlaps(other) || self.conflicts.contains(&(*number, me)) {
                continue;
            }
            match met(other) {
                Some(Certainty::Sure) => readers.push(*number),
                Some(Certainty::Doubtful) => return Err(doubtful(what)),
                None => {}
            }
        }
        for reader in readers {
            // Flagging an earlier reader may have doomed a later one.
            if !self.participant(reader).doomed {
                self.flag(reader, me, me)?;
            }
        }
        Ok(())
    }

    /// Records that `me` has read past a write of the overlapping transaction `xid`.
    ///
    /// # Errors
    /// 40001 if one of the two must fail and the writer no longer can; a refusal if the server may not have read that
    /// far.
    pub(super) fn read_past(&mut self, me: Number, xid: Xid, certainty: Certainty, what: &str) -> Result<()> {
        let found = self.transactions.iter().find(|(_, other)| other.xid == Some(xid));
        let Some((&writer, other)) = found.filter(|(number, other)| **number != me && !other.doomed) else {
            return Ok(());
        };
        let mine = &self.transactions[&me];
        // A read-only transaction precedes a committed writer, unless the writer has a conflict out to a transaction
        // that the snapshot sees.
        let comes_first = mine.read_only
            && other.committed.is_some()
            && other.earliest_out.is_none_or(|earliest| mine.seen < earliest);
        if comes_first || self.conflicts.contains(&(me, writer)) {
            return Ok(());
        }
        if certainty == Certainty::Doubtful {
            return Err(doubtful(what));
        }
        self.flag(me, writer, me)
    }

    /// Adds a conflict. `me` is either its reader or its writer.
    pub(super) fn flag(&mut self, reader: Number, writer: Number, me: Number) -> Result<()> {
        if self.is_dangerous(reader, writer) {
            if me == writer {
                return Err(failure("identification as a pivot, during write"));
            }
            let other = self.participant(writer);
            if other.committed.is_some() {
                let xid = other.xid.map_or(0, |xid| xid.0);
                return Err(failure(&format!("conflict out to pivot {xid}, during read")));
            }
            other.doomed = true;
        }
        self.conflicts.insert((reader, writer));
        Ok(())
    }

    /// Whether a conflict between the two would complete a dangerous structure.
    fn is_dangerous(&self, reader: Number, writer: Number) -> bool {
        let (r, w) = (&self.transactions[&reader], &self.transactions[&writer]);
        if w.committed.is_some() && w.earliest_out.is_some() {
            return true;
        }
        let before = |prepared: u64, other: &Participant| {
            other.committed.is_none_or(|(_, committed)| prepared <= committed)
        };
        let pivot_writes = self.outs(writer).any(|out| {
            out.committed.is_some_and(|(prepared, _)| {
                before(prepared, r) && before(prepared, w) && (!r.read_only || prepared <= r.seen)
            })
        });
        let pivot_reads = w.committed.filter(|_| !r.read_only).is_some_and(|(prepared, _)| {
            self.ins(reader).any(|t0| {
                !t0.doomed
                    && t0.committed.is_none_or(|(_, committed)| committed >= prepared)
                    && (!t0.read_only || t0.seen >= prepared)
            })
        });
        pivot_writes || pivot_reads
    }

    fn outs(&self, reader: Number) -> impl Iterator<Item = &Participant> {
        let outs = self.conflicts.range((reader, Number::MIN)..=(reader, Number::MAX));
        outs.filter_map(|(_, writer)| self.transactions.get(writer))
    }

    fn ins(&self, writer: Number) -> impl Iterator<Item = &Participant> {
        let ins = self.conflicts.iter().filter(move |(_, written)| *written == writer);
        ins.filter_map(|(reader, _)| self.transactions.get(reader))
    }

    /// Checks a transaction before its commit: fails if it is doomed, and dooms every pivot for which it would be the
    /// first to commit.
    ///
    /// # Errors
    /// 40001 if it is doomed.
    pub(super) fn precommit(&mut self, me: Number) -> Result<()> {
        if self.participant(me).doomed {
            return Err(failure("identification as a pivot, during commit attempt"));
        }
        let near: Vec<Number> = self
            .conflicts
            .iter()
            .filter(|(reader, writer)| *writer == me && self.is_running(*reader))
            .map(|(reader, _)| *reader)
            .collect();
        for pivot in near {
            let is_open = |far: &Number| {
                self.transactions
                    .get(far)
                    .is_some_and(|it| it.committed.is_none() && !it.read_only && !it.doomed)
            };
            let far = |(far, written): &(Number, Number)| *written == pivot && (*far == me || is_open(far));
            if !self.transactions[&pivot].doomed && self.conflicts.iter().any(far) {
                self.participant(pivot).doomed = true;
            }
        }
        Ok(())
    }
}

fn doubtful(what: &str) -> Failure {
    Failure::not_modelled(format!("a conflict under SERIALIZABLE that depends on {what}"))
}
