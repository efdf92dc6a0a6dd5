//! Effects of definition statements: TRUNCATE and DROP TABLE write all rows (CheckTableForSerializableConflictIn in
//! predicate.c); dropping or rebuilding an index replaces its marks by one on the table
//! (TransferPredicateLocksToHeapRelation).

use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::error::Result;

use super::Number;
use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::server::Server;

impl Server {
    /// Records that a table is about to lose all its rows.
    ///
    /// # Errors
    /// 40001 if the transaction becomes a pivot.
    pub(crate) fn meet_table(&self, session: SessionNo, table: TableId) -> Result<()> {
        let Some(me) = self.backend(session).xact().serializable else { return Ok(()) };
        self.touch(session, Object::Serializable, Use::Write);
        let mut serializable = self.serializable.borrow_mut();
        serializable.participant(me).wrote = true;
        let reads = |number: &Number| serializable.transactions[number].marks.has_rows_of(table);
        let others: Vec<Number> = serializable
            .transactions
            .keys()
            .copied()
            .filter(|number| *number != me && reads(number))
            .collect();
        for reader in others {
            // A conflict with a doomed side does not count (RWConflictExists).
            let counts = !serializable.participant(me).doomed && !serializable.participant(reader).doomed;
            if !(counts && serializable.conflicts.contains(&(reader, me))) {
                serializable.flag(reader, me, me)?;
            }
        }
        Ok(())
    }

    /// Moves marks from an index of a table, or from all of its indexes, to the table, as the index is about to change.
    pub(crate) fn widen_marks(&self, session: SessionNo, table: TableId, index: Option<&str>) {
        let mut serializable = self.serializable.borrow_mut();
        if serializable.transactions.is_empty() {
            return;
        }
        serializable.transactions.values_mut().for_each(|it| it.marks.widen(table, index));
        drop(serializable);
        self.touch(session, Object::Serializable, Use::Write);
    }
}
