//! Effects: whether the number and order of the runs of an expression or query are observable, by sequences, advisory
//! locks, settings, row locks and the like. `clock_timestamp()` and `gen_random_uuid()` are volatile, but have no
//! effect in this sense.

use super::survey::{self, Met};
use super::{Core, Expr, Query, System};
use crate::ast::Volatility;

/// Whether a call has an effect.
pub(crate) fn shows(call: System) -> bool {
    match call {
        System::NextVal
        | System::SetVal
        | System::SetConfig
        | System::Notify
        | System::Sleep
        | System::AdvisoryLock { .. }
        | System::AdvisoryUnlock { .. }
        | System::AdvisoryUnlockAll => true,
        System::Now
        | System::StatementTimestamp
        | System::ClockTimestamp
        | System::CurrVal
        | System::LastVal
        | System::BackendPid
        | System::CurrentSetting
        | System::RandomUuid
        | System::TransactionId => false,
    }
}

/// Whether an expression is a call with an effect. User-defined volatile functions are assumed to have one.
pub(crate) fn is_call(expr: &Expr) -> bool {
    match expr {
        Expr::System { call, .. } => shows(*call),
        Expr::Routine { routine, .. } => routine.volatility == Volatility::Volatile,
        _ => false,
    }
}

/// Whether an expression or a subquery in it has an effect.
pub(crate) fn in_expr(expr: &Expr) -> bool {
    let mut found = false;
    survey::expression(expr, 0, &mut |met, _| found |= is_effect(met));
    found
}

impl Query {
    /// Whether it calls a function with an effect or locks rows, including nested queries.
    pub fn has_effect(&self) -> bool {
        *self.effect.get_or_init(|| {
            let mut found = false;
            survey::query(self, 0, &mut |met, _| found |= is_effect(met));
            found
        })
    }

    /// Whether it calls a function with an effect, including nested queries.
    pub(crate) fn calls(&self) -> bool {
        let mut found = false;
        survey::query(self, 0, &mut |met, _| found |= matches!(met, Met::Expr(expr) if is_call(expr)));
        found
    }

    /// Whether it has no WITH, ORDER BY, LIMIT or OFFSET.
    pub fn is_bare(&self) -> bool {
        self.ctes.is_empty() && self.order.is_empty() && self.limit.is_none() && self.offset.is_none()
    }

    /// Whether it may stop before it has read all of its rows: it has a LIMIT and does not aggregate to one group.
    pub(crate) fn stops_early(&self) -> bool {
        let one_group = matches!(&self.core, Core::Select(select)
            if select.grouping.as_ref().is_some_and(|grouping| grouping.keys.is_empty()));
        self.limit.is_some() && !one_group
    }
}

fn is_effect(met: Met<'_>) -> bool {
    match met {
        Met::Query(query) => !query.locks.is_empty(),
        Met::Expr(expr) => is_call(expr),
    }
}
