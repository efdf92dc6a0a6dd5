//! The lock that a row gets before its triggers see it: that of the write itself, so that OLD is its newest
//! version, and a row that has changed meanwhile is looked at again.

use crate::ast::{LockStrength, LockWait};
use crate::error::Result;
use crate::execution::{Env, Execution, Slotted};
use crate::row_lock::{Claim, concurrent_delete, concurrent_update};
use crate::write::Target;

/// What a row is once its triggers may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    /// What it was.
    Same,
    /// Another version of it, which is still one to write.
    Moved,
    /// None to write.
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
