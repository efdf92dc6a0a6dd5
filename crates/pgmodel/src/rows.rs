//! The rows that FROM and WHERE make, one after the other: a nested loop over the slots, each row looked at only when
//! the one before it has been dealt with.

use std::rc::Rc;

use crate::access::{Access, Path, Step};
use crate::ast::JoinKind;
use crate::catalog::TableDef;
use crate::error::{Failure, Result};
use crate::footprint::{Object, Use, key_digest};
use crate::plan::{Comparison, Expr, Join, SetFunction, Slot, SubKind};
use crate::run::{Env, Run, Slotted};
use crate::value::{Tuple, Value};

/// A nested loop at some row of it.
pub(crate) struct Rows<'a> {
    run: &'a Run,
    level: &'a Env<'a>,
    slots: &'a [Slot],
    join: Option<&'a Join>,
    path: &'a Path,
    started: bool,
    cells: Vec<Slotted>,
    /// For each open slot of the loop, what is left of its rows, the next one last.
    open: Vec<Vec<Slotted>>,
}

impl<'a> Env<'a> {
    /// The same level with these rows in its slots.
    pub(crate) fn with<'b>(&self, cells: &'b [Slotted]) -> Env<'b>
    where
        'a: 'b,
    {
        Env { cells, ..*self }
    }
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        run: &'a Run,
        level: &'a Env<'a>,
        slots: &'a [Slot],
        join: Option<&'a Join>,
        path: &'a Path,
    ) -> Rows<'a> {
        let cells = vec![Slotted::default(); slots.len()];
        Rows { run, level, slots, join, path, started: false, cells, open: Vec::new() }
    }

    /// The next row, one tuple for each slot.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Slotted>>> {
        match &self.path.steps {
            Some(steps) => self.step(steps).await,
            None => self.tree().await,
        }
    }

    async fn step(&mut self, steps: &'a [Step]) -> Result<Option<Vec<Slotted>>> {
        if !self.started {
            self.started = true;
            let Some(first) = steps.first() else { return Ok(Some(Vec::new())) };
            let rows = self.run.slot(&self.slots[first.slot], first, &self.level.with(&self.cells)).await?;
            self.open.push(rows);
        }
        'rows: while let Some(rows) = self.open.last_mut() {
            let Some(row) = rows.pop() else {
                self.open.pop();
                continue;
            };
            let depth = self.open.len() - 1;
            let step = &steps[depth];
            if row.version.is_some() {
                self.run.visited(1, u64::from(matches!(step.access, Access::Scan)));
            }
            self.cells[step.slot] = row;
            for filter in &step.filters {
                if !self.run.holds(filter, &self.level.with(&self.cells)).await? {
                    continue 'rows;
                }
            }
            let Some(next) = steps.get(depth + 1) else { return Ok(Some(self.cells.clone())) };
            let rows = self.run.slot(&self.slots[next.slot], next, &self.level.with(&self.cells)).await?;
            self.open.push(rows);
        }
        Ok(None)
    }

    /// Where an outer join is among them, the whole tree is joined first.
    async fn tree(&mut self) -> Result<Option<Vec<Slotted>>> {
        if !self.started {
            self.started = true;
            // Here `open` holds whole rows, the next one last.
            self.open = match self.join {
                Some(join) => self.run.joined(join, self.slots, self.level).await?,
                None => vec![Vec::new()],
            };
            self.open.reverse();
        }
        while let Some(cells) = self.open.pop() {
            let passes = match &self.path.filter {
                Some(filter) => self.run.holds(filter, &self.level.with(&cells)).await?,
                None => true,
            };
            if passes {
                return Ok(Some(cells));
            }
        }
        Ok(None)
    }
}

impl Run {
    /// The rows of one slot, last first, given those of the slots before it.
    async fn slot(&self, slot: &Slot, step: &Step, env: &Env<'_>) -> Result<Vec<Slotted>> {
        let mut rows: Vec<Slotted> = match slot {
            Slot::Table(table) => return self.versions(table, &step.access, env).await,
            Slot::Query { query, .. } => {
                let address = Rc::as_ptr(query) as usize;
                let known = self.once.borrow().get(&address).cloned();
                let rows = match known {
                    Some(rows) => rows,
                    None => {
                        let rows = Rc::new(self.query(query, Some(env)).await?);
                        if !query.correlated {
                            self.once.borrow_mut().insert(address, rows.clone());
                        }
                        rows
                    }
                };
                rows.iter().cloned().map(Slotted::row).collect()
            }
            Slot::Cte { up, index, .. } => {
                self.cte(env.up(*up), *index).await?.iter().cloned().map(Slotted::row).collect()
            }
            Slot::Function { function, args } => {
                let args = self.output(args, env).await?;
                set(*function, &args)?.into_iter().map(Slotted::row).collect()
            }
            Slot::Excluded => return Err(Failure::not_modelled("excluded outside of ON CONFLICT")),
        };
        rows.reverse();
        Ok(rows)
    }

    /// The visible versions of a table that the access finds, last first.
    async fn versions(&self, table: &TableDef, access: &Access, env: &Env<'_>) -> Result<Vec<Slotted>> {
        match access {
            Access::Scan => {
                self.touch(Object::Table(table.id), Use::Read);
                let heap = self.server.heap(table.id);
                let transactions = self.server.transactions.borrow();
                let mut found = heap.visible(&transactions, self.snapshot, self.session);
                found.reverse();
                Ok(found.into_iter().map(|version| stored(heap.tuple(version), version)).collect())
            }
            Access::Key { index, key, whole: true } => {
                let key = self.output(key, env).await?;
                Ok(self.under(table, *index, &key))
            }
            Access::Key { index, key, whole: false } => {
                let prefix = self.output(key, env).await?;
                if prefix.contains(&Value::Null) {
                    return Ok(Vec::new());
                }
                Ok(self.within(table, *index, &prefix, |_| true))
            }
            Access::List { index, list, array } => {
                let mut values = self.output(list, env).await?;
                if let Some(array) = array
                    && let Value::Array(items) = self.value(array, env).await?
                {
                    values.extend(items.iter().cloned());
                }
                values.sort_unstable();
                values.dedup();
                let mut found = Vec::new();
                for value in values {
                    found.extend(self.under(table, *index, &[value]));
                }
                // Rows are met in the order of the table, as a bitmap scan meets them.
                found.sort_by_key(|cell| std::cmp::Reverse(cell.version));
                Ok(found)
            }
            Access::Range { index, prefix, bounds } => {
                let prefix = self.output(prefix, env).await?;
                let mut limits = Vec::with_capacity(bounds.len());
                for (comparison, bound) in bounds {
                    limits.push((*comparison, self.value(bound, env).await?));
                }
                if prefix.contains(&Value::Null) || limits.iter().any(|(_, limit)| *limit == Value::Null) {
                    return Ok(Vec::new());
                }
                let inside = |value: &Value| {
                    *value != Value::Null
                        && limits.iter().all(|(comparison, limit)| meets(*comparison, value, limit))
                };
                Ok(self.within(table, *index, &prefix, inside))
            }
        }
    }

    /// The visible versions under a whole key, last first. Even of a unique key a repeatable read transaction may see
    /// two: one that others have removed since its snapshot, and its own.
    fn under(&self, table: &TableDef, index: usize, key: &[Value]) -> Vec<Slotted> {
        if key.contains(&Value::Null) {
            return Vec::new();
        }
        self.touch(Object::Key(table.id, key_digest(index, key)), Use::Read);
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        let visible = heap
            .under(index, key)
            .rev()
            .filter(|version| heap.sees(*version, &transactions, self.snapshot, self.session));
        visible.map(|version| stored(heap.tuple(version), version)).collect()
    }

    /// The visible versions in a range of an index, in the reverse order of the table.
    fn within(
        &self,
        table: &TableDef,
        index: usize,
        prefix: &[Value],
        inside: impl Fn(&Value) -> bool,
    ) -> Vec<Slotted> {
        self.touch(Object::Table(table.id), Use::Read);
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        let mut found = heap.range(index, prefix, inside);
        found.reverse();
        found.retain(|version| heap.sees(*version, &transactions, self.snapshot, self.session));
        found.into_iter().map(|version| stored(heap.tuple(version), version)).collect()
    }

    /// All rows of a join tree.
    fn joined<'a>(
        &'a self,
        join: &'a Join,
        slots: &'a [Slot],
        level: &'a Env<'a>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<Vec<Slotted>>>> + 'a>> {
        Box::pin(async move {
            let (kind, left, right, on) = match join {
                Join::Slot(slot) => {
                    let empty = vec![Slotted::default(); slots.len()];
                    let step = Step { slot: *slot, access: Access::Scan, filters: Vec::new() };
                    let mut rows = self.slot(&slots[*slot], &step, &level.with(&empty)).await?;
                    rows.reverse();
                    let scanned = rows.iter().filter(|row| row.version.is_some()).count() as u64;
                    self.visited(scanned, scanned);
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
                    let both = merged(cells, other);
                    if self.on(on.as_ref(), &level.with(&both)).await? {
                        found = true;
                        matched[index] = true;
                        rows.push(both);
                    }
                }
                if !found && matches!(kind, JoinKind::Left | JoinKind::Full) {
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
    pub(crate) async fn recheck(
        &self,
        path: &Path,
        join: Option<&Join>,
        cells: &mut [Slotted],
        level: &Env<'_>,
    ) -> Result<bool> {
        if conditions(path).any(is_semijoin) {
            // The server joins such a subquery's rows and looks at the very row again that was joined before,
            // not at the subquery (src/backend/executor/README, EvalPlanQual).
            return Err(Failure::not_modelled("a row looked at again under WHERE EXISTS or IN (SELECT …)"));
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
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<bool>> + 'a>> {
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

/// Whether the server makes a join of the condition: EXISTS or NOT EXISTS of what names the level, IN of what does not.
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

fn stored(tuple: &Tuple, version: u32) -> Slotted {
    Slotted { tuple: Some(tuple.clone()), version: Some(version) }
}

fn meets(comparison: Comparison, value: &Value, limit: &Value) -> bool {
    match comparison {
        Comparison::Equal => value == limit,
        Comparison::Less => value < limit,
        Comparison::LessOrEqual => value <= limit,
        Comparison::Greater => value > limit,
        Comparison::GreaterOrEqual => value >= limit,
    }
}

/// The rows of a set-returning function; none where an argument is NULL.
fn set(function: SetFunction, args: &[Value]) -> Result<Vec<Tuple>> {
    match (function, args) {
        (_, args) if args.contains(&Value::Null) => Ok(Vec::new()),
        (SetFunction::Unnest, [Value::Array(items)]) => {
            Ok(items.iter().map(|item| Tuple::from([item.clone()])).collect())
        }
        (SetFunction::GenerateSeries, [Value::Int(from), Value::Int(to), rest @ ..]) => {
            let step = match rest {
                [Value::Int(0)] => return Err(Failure::sql("22023", "step size cannot equal zero")),
                [Value::Int(step)] => *step,
                _ => 1,
            };
            let mut rows = Vec::new();
            let mut at = Some(*from);
            while let Some(number) = at.filter(|at| if step > 0 { at <= to } else { at >= to }) {
                rows.push(Tuple::from([Value::Int(number)]));
                at = number.checked_add(step);
            }
            Ok(rows)
        }
        _ => Err(Failure::not_modelled("generate_series over anything but integers")),
    }
}
