//! The end of a serializable transaction, and what is kept of it while overlapping transactions are running
//! (ReleasePredicateLocks and ClearOldPredicateLocks in predicate.c).
//!
//! The server summarizes old committed transactions when it runs out of space for them, which causes more failures.
//! With default settings that takes more than a thousand transactions at a time; it is not modelled.

use super::{Number, Safety, Serializable};
use crate::lock::SessionNo;
use crate::transaction::Xid;

impl Serializable {
    /// Ends a transaction; `next` is the next number to be assigned to a writing transaction. Returns the sessions
    /// whose wait for a safe snapshot is over.
    pub(super) fn end(&mut self, me: Number, commit: bool, next: Xid) -> Vec<SessionNo> {
        let Some(mine) = self.transactions.get_mut(&me) else { return Vec::new() };
        let declared = mine.read_only;
        let xmin = mine.xmin;
        mine.finished_before = next;
        if commit {
            // Prepare and commit happen at once.
            mine.committed = Some((self.last_commit + 1, self.last_commit + 2));
            self.last_commit += 2;
            mine.read_only |= !mine.wrote;
        } else {
            mine.doomed = true;
        }
        if declared {
            self.possibly_unsafe.retain(|(reader, _)| *reader != me);
        } else if !self
            .transactions
            .iter()
            .any(|(number, it)| *number != me && it.committed.is_none() && !it.read_only)
        {
            self.clearable = self.last_commit;
        }
        self.settle_conflicts(me, commit);
        let woken = if declared { Vec::new() } else { self.settle_snapshots(me, commit) };
        if !commit {
            self.forget(me);
        }
        let is_running = |it: &super::Participant| it.committed.is_none();
        let shared = self.transactions.values().any(|it| is_running(it) && it.xmin == xmin);
        if self.oldest == Some(xmin) && !shared {
            self.oldest = self.transactions.values().filter(|it| is_running(it)).map(|it| it.xmin).min();
            self.clear();
        }
        woken
    }

    /// Forgets the conflicts that can no longer be part of a dangerous structure, and keeps the earliest commit that
    /// one of them points to.
    fn settle_conflicts(&mut self, me: Number, commit: bool) {
        if !commit {
            self.conflicts.retain(|(reader, writer)| *reader != me && *writer != me);
            return;
        }
        let (last, transactions) = (self.last_commit, &self.transactions);
        let mine_read_only = transactions[&me].read_only;
        let outs = self.conflicts.range((me, Number::MIN)..=(me, Number::MAX));
        let earliest = outs.filter_map(|(_, writer)| Some(transactions.get(writer)?.committed?.0)).min();
        self.conflicts.retain(|(reader, writer)| {
            if *reader == me {
                let out = &transactions[writer];
                out.committed.is_none() && out.seen < last
            } else if *writer == me {
                let into = &transactions[reader];
                into.committed.is_none() && !into.read_only
            } else {
                true
            }
        });
        if let Some(earliest) = earliest.filter(|_| !mine_read_only) {
            let mine = self.participant(me);
            mine.earliest_out = Some(mine.earliest_out.map_or(earliest, |known| known.min(earliest)));
        }
    }

    /// Updates the snapshot safety of each read-only transaction that has waited for this one to end.
    fn settle_snapshots(&mut self, me: Number, commit: bool) -> Vec<SessionNo> {
        let mine = &self.transactions[&me];
        let harms = mine.earliest_out.filter(|_| commit && mine.wrote);
        let readers: Vec<Number> = self
            .possibly_unsafe
            .iter()
            .filter(|(_, writer)| *writer == me)
            .map(|(reader, _)| *reader)
            .collect();
        let mut woken = Vec::new();
        for number in readers {
            self.possibly_unsafe.remove(&(number, me));
            let is_last = !self.possibly_unsafe.iter().any(|(reader, _)| *reader == number);
            let reader = self.participant(number);
            if harms.is_some_and(|earliest| earliest <= reader.seen) {
                reader.safety = Safety::Unsafe;
            } else if is_last {
                reader.safety = Safety::Safe;
            }
            if reader.waits && reader.safety != Safety::Unknown {
                woken.push(reader.session);
            }
            if reader.safety == Safety::Unsafe {
                self.possibly_unsafe.retain(|(reader, _)| *reader != number);
            }
        }
        woken
    }

    /// Forgets committed transactions in commit order, up to the first that still matters to a running one.
    fn clear(&mut self) {
        let mut finished: Vec<(u64, Number)> =
            self.transactions.iter().filter_map(|(number, it)| Some((it.committed?.1, *number))).collect();
        finished.sort_unstable();
        for (committed, number) in finished {
            let (oldest, partly) = (self.oldest, committed > self.cleared && committed <= self.clearable);
            let it = self.participant(number);
            if oldest.is_none_or(|oldest| it.finished_before <= oldest) {
                self.forget(number);
            } else if partly {
                // Only read-only transactions overlapped it: its marks are no longer needed, but its writes are.
                if it.read_only {
                    self.forget(number);
                } else {
                    it.marks.clear();
                    self.conflicts.retain(|(_, writer)| *writer != number);
                }
                self.cleared = committed;
            } else {
                break;
            }
        }
    }

    pub(super) fn forget(&mut self, number: Number) {
        self.transactions.remove(&number);
        self.conflicts.retain(|(reader, writer)| *reader != number && *writer != number);
        self.possibly_unsafe.retain(|(reader, writer)| *reader != number && *writer != number);
    }
}
