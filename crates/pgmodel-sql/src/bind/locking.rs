//! FOR UPDATE and its variants: which slots they lock, here and in derived tables. The same rows are locked and the
//! same clauses rejected as by the server.

use std::rc::Rc;

use crate::ast::{JoinKind, LockStrength, LockWait, Locking};
use crate::error::{Failure, Result};
use crate::plan::{Core, Expr, Join, Query, RowLock, Select, Slot};

use super::Binder;
use super::scope::SourceKind;
use super::walk;

/// The SQL name of a lock strength.
pub(super) fn lock_name(strength: LockStrength) -> &'static str {
    match strength {
        LockStrength::KeyShare => "FOR KEY SHARE",
        LockStrength::Share => "FOR SHARE",
        LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
        LockStrength::Update => "FOR UPDATE",
    }
}

fn urgency(wait: LockWait) -> u8 {
    match wait {
        LockWait::Block => 0,
        LockWait::SkipLocked => 1,
        LockWait::Nowait => 2,
    }
}

/// Adds a lock to those of a level. For a slot that has one already, the stronger strength and the less patient wait
/// apply.
fn add(locks: &mut Vec<RowLock>, slot: usize, strength: LockStrength, wait: LockWait) {
    match locks.iter_mut().find(|lock| lock.slot == slot) {
        Some(lock) => {
            lock.strength = lock.strength.max(strength);
            if urgency(wait) > urgency(lock.wait) {
                lock.wait = wait;
            }
        }
        None => locks.push(RowLock { slot, strength, wait }),
    }
}

/// The features of a query whose result rows are not rows of a table.
pub(super) struct Collected {
    pub(super) distinct: bool,
    pub(super) keys: bool,
    pub(super) having: bool,
    pub(super) aggregates: bool,
    pub(super) sets: bool,
}

impl Collected {
    fn of(select: &Select) -> Collected {
        let grouping = select.grouping.as_ref();
        Collected {
            distinct: select.is_distinct(),
            keys: grouping.is_some_and(|grouping| !grouping.keys.is_empty()),
            having: grouping.is_some_and(|grouping| grouping.having.is_some()),
            aggregates: grouping.is_some_and(|grouping| !grouping.aggregates.is_empty()),
            sets: !select.sets.is_empty(),
        }
    }

    /// 0A000 if the rows cannot be locked.
    pub(super) fn lockable(&self, strength: LockStrength) -> Result<()> {
        let what = match self {
            Collected { distinct: true, .. } => "DISTINCT clause",
            Collected { keys: true, .. } => "GROUP BY clause",
            Collected { having: true, .. } => "HAVING clause",
            Collected { aggregates: true, .. } => "aggregate functions",
            Collected { sets: true, .. } => "set-returning functions in the target list",
            _ => return Ok(()),
        };
        Err(Failure::sql("0A000", format!("{} is not allowed with {what}", lock_name(strength))))
    }
}

impl Binder<'_> {
    /// The row locks of a level; locks on derived tables are added to their queries as well.
    pub(super) fn locks(&mut self, clauses: &[Locking], select: &mut Select) -> Result<Vec<RowLock>> {
        let mut locks = Vec::new();
        for clause in clauses {
            let mut slots = Vec::new();
            if clause.of.is_empty() {
                let kinds = self.top().sources.iter().enumerate();
                let locked = kinds
                    .filter(|(_, source)| matches!(source.kind, SourceKind::Table | SourceKind::Subquery));
                slots.extend(locked.map(|(slot, _)| slot));
            }
            for name in &clause.of {
                slots.push(self.named_slot(name, clause.strength)?);
            }
            for slot in slots {
                add(&mut locks, slot, clause.strength, clause.wait);
                if let Some(Slot::Query { query, .. }) = select.slots.get_mut(slot) {
                    push_down(query, clause.strength, clause.wait)?;
                }
            }
        }
        for lock in &locks {
            preserved(select, lock)?;
        }
        Ok(locks)
    }

    /// The slot that OF names.
    fn named_slot(&mut self, name: &str, strength: LockStrength) -> Result<usize> {
        let lock = lock_name(strength);
        let sources = &self.top().sources;
        let Some(slot) = sources.iter().position(|source| source.name == name) else {
            let message = format!("relation \"{name}\" in {lock} clause not found in FROM clause");
            return Err(Failure::sql("42P01", message));
        };
        let what = match sources[slot].kind {
            SourceKind::Table | SourceKind::Subquery => return Ok(slot),
            SourceKind::Cte => "a WITH query",
            SourceKind::Function => "a function",
        };
        Err(Failure::sql("0A000", format!("{lock} cannot be applied to {what}")))
    }
}

/// Locks the rows of all tables that a derived table reads at its own level, recursively.
fn push_down(query: &mut Rc<Query>, strength: LockStrength, wait: LockWait) -> Result<()> {
    let Some(query) = Rc::get_mut(query) else {
        return Err(Failure::not_modelled("a locking clause on a derived table that is shared"));
    };
    let select = match &mut query.core {
        Core::Select(select) => select,
        Core::Values(_) => return Ok(()),
        Core::Set { .. } => {
            let message = format!("{} is not allowed with UNION/INTERSECT/EXCEPT", lock_name(strength));
            return Err(Failure::sql("0A000", message));
        }
        Core::Insert(_) | Core::Update(_) | Core::Delete(_) => {
            return Err(Failure::not_modelled("a locking clause on a data-modifying statement"));
        }
    };
    Collected::of(select).lockable(strength)?;
    for (slot, item) in select.slots.iter_mut().enumerate() {
        match item {
            Slot::Table(_) => add(&mut query.locks, slot, strength, wait),
            Slot::Query { query: inner, .. } => {
                add(&mut query.locks, slot, strength, wait);
                push_down(inner, strength, wait)?;
            }
            Slot::Cte { .. } | Slot::Function { .. } | Slot::Excluded => {}
        }
    }
    for lock in &query.locks {
        preserved(select, lock)?;
    }
    Ok(())
}

/// The slots of a join tree.
fn slots_of(join: &Join, slots: &mut Vec<usize>) {
    match join {
        Join::Slot(slot) => slots.push(*slot),
        Join::Pair { left, right, .. } => {
            slots_of(left, slots);
            slots_of(right, slots);
        }
    }
}

/// Collects the slots that an outer join can make NULL, and the join conditions except those of outer joins that can
/// make `slot` NULL.
fn survey(join: &mut Join, slot: usize, nullable: &mut Vec<usize>, conditions: &mut Vec<Expr>) {
    let Join::Pair { kind, left, right, on } = join else { return };
    let (mut left_slots, mut right_slots) = (Vec::new(), Vec::new());
    slots_of(left, &mut left_slots);
    slots_of(right, &mut right_slots);
    let mut made = Vec::new();
    if matches!(kind, JoinKind::Left | JoinKind::Full) {
        made.extend(right_slots);
    }
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        made.extend(left_slots);
    }
    if !made.contains(&slot) {
        conditions.extend(on.clone());
    }
    nullable.extend(made);
    survey(left, slot, nullable, conditions);
    survey(right, slot, nullable, conditions);
}

/// 0A000 for a lock on the nullable side of an outer join. The server's planner first turns an outer join into an inner
/// one if a condition rejects NULLs. A statement for which that may happen is refused.
fn preserved(select: &mut Select, lock: &RowLock) -> Result<()> {
    let Some(join) = &mut select.join else { return Ok(()) };
    let (mut nullable, mut conditions) = (Vec::new(), Vec::new());
    survey(join, lock.slot, &mut nullable, &mut conditions);
    if !nullable.contains(&lock.slot) {
        return Ok(());
    }
    conditions.extend(select.filter.clone());
    if conditions.iter().any(|condition| mentions(condition, &nullable)) {
        let what = format!("{} of a table that an outer join may leave out, under a condition on it", {
            lock_name(lock.strength)
        });
        return Err(Failure::not_modelled(what));
    }
    let message =
        format!("{} cannot be applied to the nullable side of an outer join", lock_name(lock.strength));
    Err(Failure::sql("0A000", message))
}

/// Whether a condition may reference one of the slots; assumed for a condition with a subquery.
fn mentions(condition: &Expr, slots: &[usize]) -> bool {
    match condition {
        Expr::Column { up: 0, slot, .. } => return slots.contains(slot),
        Expr::Sub { .. } => return true,
        _ => {}
    }
    let mut copy = condition.clone();
    let mut found = false;
    // The visitor cannot fail.
    let _ = walk::children(&mut copy, &mut |child| {
        found |= mentions(child, slots);
        Ok(())
    });
    found
}
