//! Locks a row before its BEFORE triggers see it, as strongly as the write will. OLD is therefore the newest version,
//! and a row that has changed in the meantime is rechecked.

use retrial_pgmodel_sql::ast::{LockStrength, LockWait};
use retrial_pgmodel_sql::error::Result;

use crate::execution::{Env, Execution, Slotted};
use crate::row_lock::{Claim, concurrent_delete, concurrent_update};
use crate::write::Target;

/// The state of a row after it was locked for its triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    /// It is unchanged.
    Same,
    /// It has a newer version, which still has to be written.
    Moved,
    /// It no longer has to be written.
    Gone,
}

impl Execution {
    /// Locks the target's row before its triggers see it (GetTupleForTrigger).
    pub(crate) async fn lock_target(
        &self,
        target: &Target<'_>,
        strength: LockStrength,
        cells: &mut [Slotted],
        level: &Env<'_>,
    ) -> Result<Locked> {
        let (table, Some(version)) = (target.table, cells[0].version) else { return Ok(Locked::Gone) };
        let (claim, newest) = if self.is_repeatable() {
            let claim = self.lock_version(table, version, strength, LockWait::Block).await?;
            match claim {
                Claim::Updated(_) => return Err(concurrent_update()),
                Claim::Deleted => return Err(concurrent_delete()),
                other => (other, version),
            }
        } else {
            self.lock_newest(table, version, strength, LockWait::Block).await?
        };
        match claim {
            Claim::Free if newest == version => Ok(Locked::Same),
            Claim::Free => {
                let is_one = self.moved(target, newest, cells, level).await?;
                Ok(if is_one { Locked::Moved } else { Locked::Gone })
            }
            other => self.gone(table, newest, other, "updated").map(|()| Locked::Gone),
        }
    }
}
