//! Triggers (manual, chapter 39; `src/backend/commands/trigger.c`): BEFORE and AFTER, for each row and for the
//! statement. A table without triggers costs only the check whether it has any.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::plan::OutputColumn;

mod create;
mod fire;
mod lock;
mod queue;
mod when;

pub(crate) use self::create::switched;
pub(crate) use self::fire::strength;
pub(crate) use self::lock::Locked;
pub(crate) use self::queue::Firing;

/// The columns of a table's rows as seen by triggers. Dropped columns keep their positions, without a name.
pub(crate) fn columns(table: &TableDef) -> Rc<[OutputColumn]> {
    let column = |column: &retrial_pgmodel_sql::catalog::Column| OutputColumn {
        name: column.name.clone(),
        ty: column.ty.clone(),
    };
    table.columns.iter().map(column).collect()
}
