//! A session's place in the engine: whether it is taken, what it waits with, and what its transaction has
//! done so far, as far as statements tell. The server itself is never asked for it.

use std::sync::Arc;

use super::session::Desk;
use super::statement::Class;

pub(super) struct Seat {
    pub(super) desk: Arc<Desk>,
    pub(super) open: bool,
    /// The kind of statement that was blocked when it was last looked at.
    pub(super) pending: Option<Class>,
    /// The kernel has been told that what is pending may go on.
    pub(super) told: bool,
    /// Statements that were prepared in earlier trials are to be forgotten before the next one.
    pub(super) afresh: bool,
    transaction: Transaction,
}

/// What is open in a session.
#[derive(Clone, Copy, Default)]
struct Transaction {
    open: bool,
    /// Something may have changed rows, so that their log is to be read once it has committed.
    wrote: bool,
    locks: bool,
    savepoint: bool,
}

/// What a statement has done to its transaction.
pub(super) struct Step {
    /// It has committed what may have changed rows.
    pub(super) committed: bool,
    /// Locks are held that keep writers out.
    pub(super) holds_write_lock: bool,
}

impl Seat {
    pub(super) fn new(desk: Desk) -> Seat {
        let transaction = Transaction::default();
        Seat { desk: Arc::new(desk), open: true, pending: None, told: false, afresh: false, transaction }
    }

    /// Whether a transaction block is open.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.transaction.open
    }

    /// Forgets what was open; tells whether there was something.
    pub(super) fn leave_transaction(&mut self) -> bool {
        std::mem::take(&mut self.transaction).open
    }

    /// Takes in how a statement of that kind went: how many rows it touched, if it did not fail. Any
    /// statement may have changed rows if `reads_may_write`, because the schema has functions.
    pub(super) fn step(&mut self, class: Class, touched: Option<u64>, reads_may_write: bool) -> Step {
        let transaction = &mut self.transaction;
        let failed = touched.is_none();
        let before = *transaction;
        match class {
            Class::Begin if !failed => transaction.open = true,
            // Also a COMMIT that fails has ended the transaction.
            Class::Commit | Class::Rollback => *transaction = Transaction::default(),
            Class::Savepoint if !failed => transaction.savepoint = true,
            Class::Write | Class::Definition => transaction.wrote = true,
            Class::Read | Class::Lock => transaction.wrote |= reads_may_write,
            _ => {}
        }
        match class {
            // LOCK TABLE touches no rows.
            Class::Definition | Class::Lock => transaction.locks |= !failed,
            Class::Write => transaction.locks |= touched.is_some_and(|rows| rows > 0),
            _ => {}
        }
        // A failure takes all locks with it, but for those from before a savepoint.
        if failed && !transaction.savepoint {
            transaction.locks = false;
        }
        if transaction.open {
            return Step { committed: false, holds_write_lock: transaction.locks };
        }
        let alone = !before.open;
        let committed =
            if alone { transaction.wrote && !failed } else { before.wrote && class != Class::Rollback };
        *transaction = Transaction::default();
        Step { committed, holds_write_lock: false }
    }
}
