//! Join trees, which are used where there is an outer join, and the recheck of one joined row.

use std::pin::Pin;

use retrial_pgmodel_sql::ast::JoinKind;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Access, Expr, Join, Lateral, Path, Slot, Step, SubKind, depends};

use crate::execution::{Env, Execution, Slotted};

/// The rows of a join tree, with one tuple for each slot of the query level.
type Joined = Result<Vec<Vec<Slotted>>>;

/// The context in which a join tree is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub(crate) slots: &'a [Slot],
    pub(crate) laterals: &'a [Lateral],
    pub(crate) level: &'a Env<'a>,
}

impl Execution {
    /// All rows of a join tree for one row of the items to its left, which LATERAL items in the tree may reference.
    pub(crate) fn joined<'a>(
        &'a self,
        join: &'a Join,
        tree: Tree<'a>,
        beside: &'a [Slotted],
    ) -> Pin<Box<dyn Future<Output = Joined> + 'a>> {
        Box::pin(async move {
            match join {
                Join::Slot(slot) => self.alone(*slot, tree, beside).await,
                Join::Pair { kind, left, right, on } => {
                    let applied = depends(right, left, tree.laterals);
                    let left = self.joined(left, tree, beside).await?;
                    if applied {
                        return self.applied(*kind, left, (right, on.as_ref()), tree).await;
                    }
                    let right = self.joined(right, tree, beside).await?;
                    self.paired(*kind, &left, right, on.as_ref(), tree).await
                }
            }
        })
    }

    /// The rows of one slot.
    async fn alone(&self, slot: usize, tree: Tree<'_>, beside: &[Slotted]) -> Joined {
        let step = Step { slot, access: Access::Scan, filters: Vec::new(), by: None };
        let mut rows = self.slot(&tree.slots[slot], &step, &tree.level.with(beside)).await?;
        rows.reverse();
        let scanned = rows.iter().filter(|row| row.version.is_some()).count() as u64;
        self.visited(scanned, scanned);
        self.used.hold_many(rows.len() as u64, tree.slots.len())?;
        let placed = rows.into_iter().map(|row| {
            let mut cells = beside.to_vec();
            cells[slot] = row;
            cells
        });
        Ok(placed.collect())
    }

    /// The rows of a join whose right side is computed for each left row. This is an inner or left join; other kinds
    /// may not be LATERAL.
    async fn applied(
        &self,
        kind: JoinKind,
        left: Vec<Vec<Slotted>>,
        (right, on): (&Join, Option<&Expr>),
        tree: Tree<'_>,
    ) -> Joined {
        let mut rows = Vec::new();
        for cells in left {
            let held = self.used.held();
            let beside = self.joined(right, tree, &cells).await?;
            let mut found = Vec::new();
            for both in beside {
                self.used.step(1)?;
                if self.on(on, &tree.level.with(&both)).await? {
                    found.push(both);
                }
            }
            self.used.release(held);
            self.used.hold_many(found.len().max(1) as u64, tree.slots.len())?;
            if found.is_empty() && kind == JoinKind::Left {
                rows.push(cells);
            } else {
                rows.append(&mut found);
            }
        }
        Ok(rows)
    }

    /// The rows of a join whose sides are independent of each other.
    async fn paired(
        &self,
        kind: JoinKind,
        left: &[Vec<Slotted>],
        right: Vec<Vec<Slotted>>,
        on: Option<&Expr>,
        tree: Tree<'_>,
    ) -> Joined {
        let mut matched = vec![false; right.len()];
        let mut rows = Vec::new();
        for cells in left {
            let mut found = false;
            for (index, other) in right.iter().enumerate() {
                self.used.step(1)?;
                let both = merged(cells, other);
                if self.on(on, &tree.level.with(&both)).await? {
                    found = true;
                    matched[index] = true;
                    self.used.hold(tree.slots.len())?;
                    rows.push(both);
                }
            }
            if !found && matches!(kind, JoinKind::Left | JoinKind::Full) {
                self.used.hold(tree.slots.len())?;
                rows.push(cells.clone());
            }
        }
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            rows.extend(right.into_iter().zip(matched).filter(|(_, matched)| !matched).map(|(row, _)| row));
        }
        Ok(rows)
    }

    async fn on(&self, on: Option<&Expr>, env: &Env<'_>) -> Result<bool> {
        match on {
            Some(on) => self.holds(on, env).await,
            None => Ok(true),
        }
    }

    /// Whether a row still belongs to the result after one of its slots got a newer version. The conditions are
    /// evaluated again over that one row (manual, 13.2.1); an outer join sets its other side to NULL if its condition
    /// fails.
    ///
    /// The server joins the rows of WHERE EXISTS and IN to the others and rechecks the row that was joined before, not
    /// the subquery (src/backend/executor/README, "EvalPlanQual"). The result is the same if the operand of IN has kept
    /// its value; a changed operand is refused.
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
        for lateral in path.laterals.iter().filter(|lateral| !lateral.kept) {
            let moved =
                |(slot, column): &(usize, usize)| before[*slot].value(*column) != cells[*slot].value(*column);
            if lateral.names.iter().any(moved) {
                return Err(Failure::not_modelled(
                    "a row looked at again that a LATERAL subquery depends on",
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
            // A subquery that is run once per row keeps its row, and the operand is unchanged.
            if matches!(filter, Expr::Sub { kind: SubKind::Any { .. }, query } if self.reruns(query)) {
                continue;
            }
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

/// The conjuncts of a query level's WHERE.
fn conditions(path: &Path) -> impl Iterator<Item = &Expr> {
    let steps = path.steps.iter().flatten().flat_map(|step| &step.filters);
    let filter = path.filter.iter().flat_map(|filter| match filter {
        Expr::And(parts) => &parts[..],
        other => std::slice::from_ref(other),
    });
    steps.chain(filter)
}

/// Whether the server turns the condition into a join: a correlated EXISTS or NOT EXISTS, or an uncorrelated IN.
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
