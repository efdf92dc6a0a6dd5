//! Produces the rows of FROM and WHERE one at a time: a nested loop over the slots that visits a row only after the
//! previous one has been processed.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Access, Comparison, Join, List, Path, Query, Slot, Step, Wary};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::execution::{Env, Execution, Slotted};
use crate::footprint::{Object, Use, key_digest};
use crate::join::Tree;

/// The state of a nested loop.
pub(crate) struct Rows<'a> {
    run: &'a Execution,
    level: &'a Env<'a>,
    slots: &'a [Slot],
    join: Option<&'a Join>,
    path: &'a Path,
    started: bool,
    /// Whether the conditions that depend on no row are true; `None` until they are evaluated.
    enters: Option<bool>,
    cells: Vec<Slotted>,
    /// For each open slot of the loop, its remaining rows, with the next one last.
    open: Vec<Vec<Slotted>>,
    /// A row that was fetched ahead and belongs to the next group.
    ahead: Option<Vec<Slotted>>,
    /// Whether any row was visited.
    looked: bool,
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
        run: &'a Execution,
        level: &'a Env<'a>,
        slots: &'a [Slot],
        join: Option<&'a Join>,
        path: &'a Path,
    ) -> Rows<'a> {
        let cells = vec![Slotted::default(); slots.len()];
        Rows {
            run,
            level,
            slots,
            join,
            path,
            started: false,
            enters: None,
            cells,
            open: Vec::new(),
            ahead: None,
            looked: false,
        }
    }

    /// The next row: one tuple for each slot.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Slotted>>> {
        if !self.path.gates.is_empty() && !Box::pin(self.enters()).await? {
            return Ok(None);
        }
        match self.path.steps(self.run.per_row) {
            Some(steps) => self.step(steps).await,
            // Outer joins are rare; boxing keeps their state out of the future of every other row.
            None => Box::pin(self.tree()).await,
        }
    }

    /// Whether the conditions that depend on no row are true, so that the scan may start.
    async fn enters(&mut self) -> Result<bool> {
        if let Some(enters) = self.enters {
            return Ok(enters);
        }
        let mut enters = true;
        for gate in &self.path.gates {
            enters = enters && self.run.holds(gate, &self.level.with(&self.cells)).await?;
        }
        self.enters = Some(enters);
        Ok(enters)
    }

    /// The next rows that are to be sorted together: all rows, or, if the rows come in the order of a column, those of
    /// its next value. Empty at the end.
    pub(crate) async fn group(&mut self) -> Result<Vec<Vec<Slotted>>> {
        let by = self.path.steps(self.run.per_row).and_then(|steps| steps.first()).and_then(|step| step.by);
        let mut group: Vec<Vec<Slotted>> = self.ahead.take().into_iter().collect();
        loop {
            let goes_on = match (by, group.first()) {
                (Some(by), Some(first)) => {
                    // The end of a value is known from the index before the next row is visited.
                    let next = self.open.first().and_then(|rows| rows.last());
                    next.is_some_and(|next| next.value(by) == first[0].value(by))
                }
                _ => true,
            };
            let Some(row) = (if goes_on { self.next().await? } else { None }) else { return Ok(group) };
            if let (Some(by), Some(first)) = (by, group.first())
                && row[0].value(by) != first[0].value(by)
            {
                // The remaining rows of that value were filtered out.
                self.ahead = Some(row);
                return Ok(group);
            }
            self.run.used.hold(row.len())?;
            group.push(row);
        }
    }

    /// Refuses if another plan would have visited other rows and functions with an effect would show the difference.
    pub(crate) fn demand_whole(&self) -> Result<()> {
        let Wary { some, all } = self.path.wary;
        let by = self.path.steps.iter().flatten().next().and_then(|step| step.by);
        let whole = by.is_some() && self.open.iter().all(Vec::is_empty) && self.ahead.is_none();
        let missed = some
            && !self.looked
            && matches!(self.slots, [Slot::Table(table)] if !self.run.scan(table).is_empty());
        if missed || all && !whole {
            return Err(Failure::not_modelled(
                "a function with an effect in WHERE, for rows that an index may leave out",
            ));
        }
        Ok(())
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
            self.run.used.step(1)?;
            self.looked = true;
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
            let Some(next) = steps.get(depth + 1) else {
                // The last row is moved instead of copied, as no further row is joined with it.
                let is_last = self.open.iter().all(Vec::is_empty);
                return Ok(Some(if is_last { std::mem::take(&mut self.cells) } else { self.cells.clone() }));
            };
            let rows = self.run.slot(&self.slots[next.slot], next, &self.level.with(&self.cells)).await?;
            self.open(rows)?;
        }
        Ok(None)
    }

    /// Opens the rows of the next slot. Counts the open rows against the memory limit if there are many.
    fn open(&mut self, rows: Vec<Slotted>) -> Result<()> {
        const FEW: usize = 10_000;
        if rows.len() > FEW && self.open.len() > 1 {
            let held = self.run.used.held();
            let open: usize = self.open.iter().map(Vec::len).sum();
            let fits = self.run.used.hold_many((open + rows.len()) as u64, 0);
            self.run.used.release(held);
            fits?;
        }
        self.open.push(rows);
        Ok(())
    }

    /// The next row if an outer join is present: the whole tree is joined first.
    async fn tree(&mut self) -> Result<Option<Vec<Slotted>>> {
        if !self.started {
            self.started = true;
            // In this case `open` contains complete rows, with the next one last.
            self.open = match self.join {
                Some(join) => {
                    let tree = Tree { slots: self.slots, laterals: &self.path.laterals, level: self.level };
                    self.run.joined(join, tree, &self.cells).await?
                }
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

impl Execution {
    /// The rows of one slot, last first, for the current rows of the slots before it.
    pub(crate) async fn slot(&self, slot: &Slot, step: &Step, env: &Env<'_>) -> Result<Vec<Slotted>> {
        let mut rows: Vec<Slotted> = match slot {
            Slot::Table(table) => {
                if self.serializable {
                    Box::pin(self.mark_read(table, step, env)).await?;
                }
                return self.versions(table, step, env).await;
            }
            Slot::Query { query, .. } => {
                let rows = self.rows_of(query, env).await?;
                rows.iter().cloned().map(Slotted::row).collect()
            }
            Slot::Cte { up, index, .. } => {
                Box::pin(self.cte(env.up(*up), *index)).await?.iter().cloned().map(Slotted::row).collect()
            }
            Slot::Function { call, ordinality } => {
                self.rows_of_set(call, *ordinality, env).await?.into_iter().map(Slotted::row).collect()
            }
            Slot::Excluded => return Err(Failure::not_modelled("excluded outside of ON CONFLICT")),
        };
        rows.reverse();
        Ok(rows)
    }

    /// The rows of a subquery, which is run only once if it is uncorrelated.
    pub(crate) async fn rows_of(&self, query: &Rc<Query>, env: &Env<'_>) -> Result<Rc<Vec<Tuple>>> {
        let address = Rc::as_ptr(query) as usize;
        let known = self.once.borrow().get(&address).cloned();
        if let Some(rows) = known {
            return Ok(rows);
        }
        let rows = Rc::new(self.query(query, Some(env)).await?);
        if !query.correlated && !self.reruns(query) {
            self.once.borrow_mut().insert(address, rows.clone());
        }
        Ok(rows)
    }

    /// The values of a list.
    pub(crate) async fn listed(&self, list: &List, env: &Env<'_>) -> Result<Vec<Value>> {
        match list {
            List::Each(list) => self.output(list, env).await,
            List::Array(array) => match self.value(array, env).await? {
                Value::Array(items) => Ok(items.to_vec()),
                _ => Ok(Vec::new()),
            },
            List::Query(query) => {
                Ok(self.rows_of(query, env).await?.iter().map(|row| row[0].clone()).collect())
            }
        }
    }

    /// The visible versions of a table that a step finds, last first.
    async fn versions(&self, table: &TableDef, step: &Step, env: &Env<'_>) -> Result<Vec<Slotted>> {
        match &step.access {
            Access::List { list: List::Query(query), .. } if self.reruns(query) => Ok(self.scan(table)),
            Access::Scan => Ok(self.scan(table)),
            Access::Key { index, key, whole: true } => {
                // With an old snapshot, a transaction may see two rows under a unique key: the old one, and its own
                // under the key that another transaction has freed since.
                let unique = table.indexes[*index].unique && !self.is_repeatable();
                match &key[..] {
                    [key] => Ok(self.under(table, *index, &[self.value(key, env).await?], unique)),
                    key => Ok(self.under(table, *index, &self.output(key, env).await?, unique)),
                }
            }
            Access::Key { index, key, whole: false } => {
                let prefix = self.output(key, env).await?;
                if prefix.contains(&Value::Null) {
                    return Ok(Vec::new());
                }
                Ok(self.within(table, *index, &prefix, false, |_| true))
            }
            Access::List { index, list } => {
                let mut values = self.listed(list, env).await?;
                values.sort_unstable();
                values.dedup();
                let mut found = Vec::new();
                for value in values {
                    found.extend(self.under(table, *index, &[value], false));
                }
                // Rows are returned in table order, as from a bitmap scan.
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
                Ok(self.within(table, *index, &prefix, step.by.is_some(), inside))
            }
        }
    }

    /// All visible versions, last first.
    fn scan(&self, table: &TableDef) -> Vec<Slotted> {
        self.touch(Object::Table(table.id), Use::Read);
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        let mut found = heap.visible(&transactions, self.snapshot, self.session);
        found.reverse();
        found.into_iter().map(|version| stored(heap.tuple(version), version)).collect()
    }

    /// The visible versions under a whole key, last first. A snapshot sees at most one row of a unique key.
    fn under(&self, table: &TableDef, index: usize, key: &[Value], unique: bool) -> Vec<Slotted> {
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
        let visible = visible.map(|version| stored(heap.tuple(version), version));
        if unique { visible.take(1).collect() } else { visible.collect() }
    }

    /// The visible versions in a range of an index, in reverse table order or, if `ordered`, in reverse index order.
    fn within(
        &self,
        table: &TableDef,
        index: usize,
        prefix: &[Value],
        ordered: bool,
        inside: impl Fn(&Value) -> bool,
    ) -> Vec<Slotted> {
        self.touch(Object::Table(table.id), Use::Read);
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        let mut found =
            if ordered { heap.ordered(index, prefix, inside) } else { heap.range(index, prefix, inside) };
        found.reverse();
        found.retain(|version| heap.sees(*version, &transactions, self.snapshot, self.session));
        found.into_iter().map(|version| stored(heap.tuple(version), version)).collect()
    }
}

fn stored(tuple: &Tuple, version: u32) -> Slotted {
    Slotted { tuple: Some(tuple.clone()), version: Some(version) }
}

/// Whether a value compares with a limit in that way.
pub(crate) fn meets(comparison: Comparison, value: &Value, limit: &Value) -> bool {
    match comparison {
        Comparison::Equal => value == limit,
        Comparison::Less => value < limit,
        Comparison::LessOrEqual => value <= limit,
        Comparison::Greater => value > limit,
        Comparison::GreaterOrEqual => value >= limit,
    }
}
