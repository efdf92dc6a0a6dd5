//! TRUNCATE and DROP TABLE write every row at once (CheckTableForSerializableConflictIn in predicate.c), and what takes
//! an index away or builds it anew puts marks on the whole table instead (TransferPredicateLocksToHeapRelation).

use super::Number;
use crate::catalog::TableId;
use crate::error::Result;
use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::server::Server;

impl Server {
    /// A table is about to lose all its rows.
    ///
    /// # Errors
    /// 40001 where that makes a pivot of the transaction.
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
            if !serializable.conflicts.contains(&(reader, me)) {
                serializable.flag(reader, me, me)?;
            }
        }
        Ok(())
    }

    /// An index of a table, or all of them, are about to be others.
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
