//! The transaction modes of BEGIN and SET TRANSACTION (manual, SET TRANSACTION).

use retrial_pgmodel_sql::ast::TransactionModes;
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::backend::Backend;

/// Sets the modes of the open transaction.
///
/// # Errors
/// 25001 if it is too late for a mode, or the mode would allow more than an outer level does.
pub(super) fn apply(backend: &mut Backend, modes: TransactionModes) -> Result<()> {
    let transaction = backend.xact();
    if let Some(isolation) = modes.isolation {
        let other = transaction.isolation != isolation;
        if other && transaction.has_snapshot {
            return Err(Failure::sql(
                "25001",
                "SET TRANSACTION ISOLATION LEVEL must be called before any query",
            ));
        }
        if other && transaction.levels.len() > 1 {
            return Err(Failure::sql(
                "25001",
                "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction",
            ));
        }
        transaction.isolation = isolation;
    }
    if let Some(read_only) = modes.read_only {
        let widens = !read_only && transaction.read_only;
        if widens && transaction.levels.len() > 1 {
            let message = "cannot set transaction read-write mode inside a read-only transaction";
            return Err(Failure::sql("25001", message));
        }
        if widens && transaction.has_snapshot {
            return Err(Failure::sql("25001", "transaction read-write mode must be set before any query"));
        }
        transaction.read_only = read_only;
    }
    modes.deferrable.map_or(Ok(()), |deferrable| transaction.defer(deferrable))
}
