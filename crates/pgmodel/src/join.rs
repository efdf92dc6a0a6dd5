//! Joins: whole trees of them where an outer join is among them, and one row of a join looked at again.

use std::pin::Pin;

use crate::access::{Access, Path, Step};
use crate::ast::JoinKind;
use crate::error::{Failure, Result};
use crate::plan::{Expr, Join, Slot, SubKind};
use crate::run::{Env, Run, Slotted};

/// The rows of a join tree, one tuple for each slot of the level.
type Joined = Result<Vec<Vec<Slotted>>>;

impl Run {
    /// All rows of a join tree.
    pub(crate) fn joined<'a>(
        &'a self,
        join: &'a Join,
        slots: &'a [Slot],
        level: &'a Env<'a>,
    ) -> Pin<Box<dyn Future<Output = Joined> + 'a>> {
        Box::pin(async move {
            let (kind, left, right, on) = match join {
                Join::Slot(slot) => {
                    let empty = vec![Slotted::default(); slots.len()];
                    let step = Step { slot: *slot, access: Access::Scan, filters: Vec::new(), by: None };
                    let mut rows = self.slot(&slots[*slot], &step, &level.with(&empty)).await?;
                    rows.reverse();
                    let scanned = rows.iter().filter(|row| row.version.is_some()).count() as u64;
                    self.visited(scanned, scanned);
                    self.used.hold_many(rows.len() as u64, slots.len())?;
                    let placed = rows.into_iter().map(|row| {
                        let mut cells = empty.clone();
                        cells[*slot] = row;
                        cells
                    });
                    return Ok(placed.collect());
                }
                Join::Pair { kind, left, right, on } => (*kind, left, right, on),
            };
            let left = self.joined(left, slots, level).await?;
            let right = self.joined(right, slots, level).await?;
            let mut matched = vec![false; right.len()];
            let mut rows = Vec::new();
            for cells in &left {
                let mut found = false;
                for (index, other) in right.iter().enumerate() {
                    self.used.step(1)?;
                    let both = merged(cells, other);
                    if self.on(on.as_ref(), &level.with(&both)).await? {
                        found = true;
                        matched[index] = true;
                        self.used.hold(slots.len())?;
                        rows.push(both);
                    }
                }
                if !found && matches!(kind, JoinKind::Left | JoinKind::Full) {
                    self.used.hold(slots.len())?;
                    rows.push(cells.clone());
                }
            }
            if matches!(kind, JoinKind::Right | JoinKind::Full) {
                rows.extend(
                    right.into_iter().zip(matched).filter(|(_, matched)| !matched).map(|(row, _)| row),
                );
            }
            Ok(rows)
        })
    }

    async fn on(&self, on: Option<&Expr>, env: &Env<'_>) -> Result<bool> {
        match on {
            Some(on) => self.holds(on, env).await,
            None => Ok(true),
        }
    }

    /// Whether a row still belongs to the result after one of its slots has got a newer version: the conditions are
    /// evaluated again over that one row (manual, 13.2.1), an outer join giving up its other side where they fail.
    ///
    /// The server joins the rows of WHERE EXISTS and IN to the others, and looks at the very row again that was joined
    /// before, not at the subquery (src/backend/executor/README, "EvalPlanQual"). That is the same where the operand
    /// of IN has kept its value, and refused where it has not.
    pub(crate) async fn recheck(
        &self,
        path: &Path,
        join: Option<&Join>,
        before: &[Slotted],
        cells: &mut [Slotted],
        level: &Env<'_>,
    ) -> Result<bool> {
        for condition in conditions(path).filter(|condition| is_semijoin(condition)) {
            let Expr::Sub { kind: SubKind::Any { operands, .. }, .. } = condition else {
                return Err(Failure::not_modelled("a row looked at again under WHERE EXISTS"));
            };
            let then = self.output(operands, &level.with(before)).await?;
            if self.output(operands, &level.with(cells)).await? != then {
                return Err(Failure::not_modelled(
                    "a row looked at again whose operand of IN (SELECT …) changed",
                ));
            }
        }
        let Some(steps) = &path.steps else {
            if let Some(join) = join
                && !self.rejoin(join, cells, level).await?
            {
                return Ok(false);
            }
            return match &path.filter {
                Some(filter) => self.holds(filter, &level.with(cells)).await,
                None => Ok(true),
            };
        };
        for filter in steps.iter().flat_map(|step| &step.filters) {
            if !self.holds(filter, &level.with(cells)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rejoin<'a>(
        &'a self,
        join: &'a Join,
        cells: &'a mut [Slotted],
        level: &'a Env<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<bool>> + 'a>> {
        Box::pin(async move {
            match join {
                Join::Slot(slot) => Ok(cells[*slot].tuple.is_some()),
                Join::Pair { kind, left, right, on } => {
                    let is_left = self.rejoin(left, cells, level).await?;
                    let is_right = self.rejoin(right, cells, level).await?;
                    let meets = is_left && is_right && self.on(on.as_ref(), &level.with(cells)).await?;
                    match kind {
                        JoinKind::Inner => Ok(meets),
                        JoinKind::Left => {
                            if !meets {
                                clear(right, cells);
                            }
                            Ok(is_left)
                        }
                        JoinKind::Right | JoinKind::Full => {
                            Err(Failure::not_modelled("a row looked at again under a RIGHT or FULL join"))
                        }
                    }
                }
            }
        })
    }
}

/// The conditions of a level's WHERE, all of which must hold.
fn conditions(path: &Path) -> impl Iterator<Item = &Expr> {
    let steps = path.steps.iter().flatten().flat_map(|step| &step.filters);
    let filter = path.filter.iter().flat_map(|filter| match filter {
        Expr::And(parts) => &parts[..],
        other => std::slice::from_ref(other),
    });
    steps.chain(filter)
}

/// Whether the server makes a join of the condition: EXISTS or NOT EXISTS of what names the level, IN of what does
/// not.
fn is_semijoin(condition: &Expr) -> bool {
    match condition {
        Expr::Not(operand) => {
            matches!(&**operand, Expr::Sub { kind: SubKind::Exists, .. }) && is_semijoin(operand)
        }
        Expr::Sub { kind: SubKind::Exists, query } => query.correlated,
        Expr::Sub { kind: SubKind::Any { all: false, .. }, query } => !query.correlated,
        _ => false,
    }
}

fn clear(join: &Join, cells: &mut [Slotted]) {
    match join {
        Join::Slot(slot) => cells[*slot] = Slotted::default(),
        Join::Pair { left, right, .. } => {
            clear(left, cells);
            clear(right, cells);
        }
    }
}

fn merged(left: &[Slotted], right: &[Slotted]) -> Vec<Slotted> {
    let either =
        |(left, right): (&Slotted, &Slotted)| if left.tuple.is_some() { left.clone() } else { right.clone() };
    left.iter().zip(right).map(either).collect()
}
