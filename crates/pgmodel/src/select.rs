//! Evaluation of a query level: its common table expressions, its rows, their order and locks, and its result.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use retrial_pgmodel_sql::access;
use retrial_pgmodel_sql::ast::SetOperation;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Core, Expr, Path, Query, Select, SortKey};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::evaluate::Wanted;
use crate::execution::{Ctes, Env, Execution, Slotted};
use crate::scan::Rows;

/// A row before it is returned: the values that its columns are computed from, and its sort keys.
struct Candidate {
    cells: Vec<Slotted>,
    keys: Vec<Value>,
    aggregates: Vec<Value>,
    output: Option<Vec<Value>>,
    sort: Vec<Value>,
}

impl Execution {
    /// Runs a query and returns its rows, including the writes and row locks of the query.
    pub(crate) fn query<'a>(
        &'a self,
        query: &'a Query,
        outer: Option<&'a Env<'a>>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Tuple>>> + 'a>> {
        self.query_until(query, outer, None)
    }

    /// Same as [`Execution::query`], but stops after the first row that is `wanted`.
    pub(crate) fn query_until<'a>(
        &'a self,
        query: &'a Query,
        outer: Option<&'a Env<'a>>,
        wanted: Option<&'a Wanted>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Tuple>>> + 'a>> {
        Box::pin(async move {
            let ctes = Ctes { query, results: RefCell::new(vec![None; query.ctes.len()]) };
            let env = Env::level(outer, Some(&ctes), &[]);
            let held = self.used.held();
            let rows = match &query.core {
                Core::Select(select) => self.select(query, select, &env, wanted).await?,
                Core::Values(rows) => Box::pin(self.values(query, rows, &env)).await?,
                Core::Set { operation, all, left, right } => {
                    let left = self.query(left, Some(&env)).await?;
                    let right = self.query(right, Some(&env)).await?;
                    Box::pin(self.arranged(query, combine(*operation, *all, left, right), &env)).await?
                }
                Core::Insert(insert) => Box::pin(self.insert(insert, &env)).await?,
                Core::Update(update) => self.update(update, &env).await?,
                Core::Delete(delete) => Box::pin(self.delete(delete, &env)).await?,
            };
            if query.correlated {
                // Its rows are used for one row of the outer query only.
                self.used.release(held);
            }
            let affected = self.affected.get();
            // A data-modifying WITH runs to its end whether or not its rows are read (manual, 7.8.4).
            for (index, cte) in query.ctes.iter().enumerate() {
                if matches!(cte.query.core, Core::Insert(_) | Core::Update(_) | Core::Delete(_)) {
                    Box::pin(self.cte(&env, index)).await?;
                }
            }
            self.affected.set(affected);
            Ok(rows)
        })
    }

    /// The rows of a common table expression, which is run when it is first read.
    pub(crate) async fn cte(&self, level: &Env<'_>, index: usize) -> Result<Rc<Vec<Tuple>>> {
        let ctes = level.ctes.expect("a level that is read from has its expressions");
        let known = ctes.results.borrow()[index].clone();
        if let Some(rows) = known {
            return Ok(rows);
        }
        let cte = &ctes.query.ctes[index];
        let rows = if cte.recursive {
            Box::pin(self.recursive(level, ctes, index)).await?
        } else {
            self.query(&cte.query, Some(level)).await?
        };
        let rows = Rc::new(rows);
        ctes.results.borrow_mut()[index] = Some(rows.clone());
        Ok(rows)
    }

    async fn select(
        &self,
        query: &Query,
        select: &Select,
        level: &Env<'_>,
        wanted: Option<&Wanted>,
    ) -> Result<Vec<Tuple>> {
        let path = access::of_select(query, select);
        let _reads = self.reads(query, select);
        if !select.sets.is_empty() {
            return Box::pin(self.select_sets(query, select, path, level)).await;
        }
        let (mut limit, offset) = self.window(query, level).await?;
        let mut rows = Rows::new(self, level, &select.slots, select.join.as_ref(), path);
        let mut found = Vec::new();
        if select.grouping.is_none() && query.order.is_empty() && !select.distinct {
            let mut skip = offset;
            while limit.is_none_or(|limit| found.len() < limit) {
                let Some(mut cells) = rows.next().await? else { break };
                let locked = !query.locks.is_empty();
                if locked && !Box::pin(self.lock_row(query, select, path, &mut cells, level)).await? {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    if path.calls {
                        self.output(&select.output, &level.with(&cells)).await?;
                    }
                    continue;
                }
                self.used.hold(select.output.len())?;
                found.push(self.output(&select.output, &level.with(&cells)).await?.into());
                end_at(wanted, &found, &mut limit);
            }
            rows.demand_whole()?;
            return Ok(found);
        }
        let (mut skip, mut aggregated) = (offset, false);
        while limit.is_none_or(|limit| found.len() < limit) {
            if aggregated {
                break;
            }
            aggregated = select.grouping.is_some();
            let mut candidates = Box::pin(self.candidates(select, &mut rows, level)).await?;
            if candidates.is_empty() {
                break;
            }
            Box::pin(self.sorted(query, select, path, &mut candidates, level)).await?;
            for mut candidate in candidates {
                if limit.is_some_and(|limit| found.len() >= limit) {
                    break;
                }
                let locked = !query.locks.is_empty();
                let cells = &mut candidate.cells;
                if locked && !Box::pin(self.lock_row(query, select, path, cells, level)).await? {
                    continue;
                }
                if path.calls && !select.distinct {
                    candidate.output = Some(Box::pin(self.called(query, select, &candidate, level)).await?);
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let output = match candidate.output.take().filter(|_| !locked) {
                    Some(output) => output,
                    None => self.output(&select.output, &candidate.env(level)).await?,
                };
                self.used.hold(select.output.len())?;
                found.push(output.into());
                end_at(wanted, &found, &mut limit);
            }
        }
        rows.demand_whole()?;
        Ok(found)
    }

    /// The groups, or the next rows that have to be sorted together.
    async fn candidates(
        &self,
        select: &Select,
        rows: &mut Rows<'_>,
        level: &Env<'_>,
    ) -> Result<Vec<Candidate>> {
        if let Some(grouping) = &select.grouping {
            let groups = self.groups(grouping, rows, level).await?;
            return Ok(groups
                .into_iter()
                .map(|(keys, values)| Candidate::new(Vec::new(), keys, values))
                .collect());
        }
        let group = rows.group().await?;
        Ok(group.into_iter().map(|cells| Candidate::new(cells, Vec::new(), Vec::new())).collect())
    }

    /// Computes the sort keys, removes duplicates for DISTINCT, and sorts.
    async fn sorted(
        &self,
        query: &Query,
        select: &Select,
        path: &Path,
        candidates: &mut Vec<Candidate>,
        level: &Env<'_>,
    ) -> Result<()> {
        let early = select.distinct || query.order.iter().any(|key| matches!(key.expr, Expr::Output(_)));
        for candidate in candidates.iter_mut() {
            self.used.hold(query.order.len() + if early { select.output.len() } else { 0 })?;
            if early && path.calls && !select.distinct {
                candidate.output = Some(Box::pin(self.sorted_by(query, select, candidate, level)).await?);
            } else if early {
                candidate.output = Some(self.output(&select.output, &candidate.env(level)).await?);
            }
            let mut sort = Vec::with_capacity(query.order.len());
            for key in &query.order {
                sort.push(self.value(&key.expr, &candidate.env(level)).await?);
            }
            candidate.sort = sort;
        }
        if select.distinct {
            let mut seen = BTreeSet::new();
            candidates.retain(|candidate| seen.insert(candidate.output.clone()));
        }
        candidates.sort_by(|left, right| order(&query.order, &left.sort, &right.sort));
        if select.distinct_on > 0 {
            candidates
                .dedup_by(|later, kept| later.sort[..select.distinct_on] == kept.sort[..select.distinct_on]);
        }
        Ok(())
    }

    /// Only the output columns that ORDER BY uses. Functions with an effect in the other columns are called after
    /// sorting (make_sort_input_target in src/backend/optimizer/plan/planner.c).
    async fn sorted_by(
        &self,
        query: &Query,
        select: &Select,
        candidate: &Candidate,
        level: &Env<'_>,
    ) -> Result<Vec<Value>> {
        let mut output = vec![Value::Null; select.output.len()];
        for key in &query.order {
            if let Expr::Output(column) = key.expr {
                output[column] = self.value(&select.output[column], &candidate.env(level)).await?;
            }
        }
        Ok(output)
    }

    /// The result of a sorted row. Columns that ORDER BY uses keep the values computed before sorting.
    async fn called(
        &self,
        query: &Query,
        select: &Select,
        candidate: &Candidate,
        level: &Env<'_>,
    ) -> Result<Vec<Value>> {
        let mut output = Vec::with_capacity(select.output.len());
        for (column, expr) in select.output.iter().enumerate() {
            let known = query.order.iter().any(|key| matches!(key.expr, Expr::Output(it) if it == column));
            output.push(match &candidate.output {
                Some(sorted_by) if known => sorted_by[column].clone(),
                _ => self.value(expr, &candidate.env(level)).await?,
            });
        }
        Ok(output)
    }

    pub(crate) async fn output(&self, exprs: &[Expr], env: &Env<'_>) -> Result<Vec<Value>> {
        let mut row = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let value = match self.at_once(expr, env) {
                Ok(value) => value,
                Err(stop) => Box::pin(self.had_first(expr, env, stop)).await?,
            };
            self.used.weigh(expr, &value)?;
            row.push(value);
        }
        Ok(row)
    }

    async fn values(&self, query: &Query, rows: &[Vec<Expr>], level: &Env<'_>) -> Result<Vec<Tuple>> {
        let mut found: Vec<Tuple> = Vec::with_capacity(rows.len());
        for row in rows {
            self.used.hold(row.len())?;
            found.push(self.output(row, level).await?.into());
        }
        self.arranged(query, found, level).await
    }

    /// Applies ORDER BY, OFFSET and LIMIT to finished rows.
    async fn arranged(&self, query: &Query, rows: Vec<Tuple>, level: &Env<'_>) -> Result<Vec<Tuple>> {
        let (limit, offset) = self.window(query, level).await?;
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows {
            self.used.hold(query.order.len())?;
            let mut sort = Vec::with_capacity(query.order.len());
            for key in &query.order {
                let env = Env { output: &row, ..*level };
                sort.push(self.value(&key.expr, &env).await?);
            }
            keyed.push((sort, row));
        }
        keyed.sort_by(|left, right| order(&query.order, &left.0, &right.0));
        let rows = keyed.into_iter().skip(offset).map(|(_, row)| row);
        Ok(rows.take(limit.unwrap_or(usize::MAX)).collect())
    }

    /// The values of LIMIT and OFFSET.
    pub(crate) async fn window(&self, query: &Query, level: &Env<'_>) -> Result<(Option<usize>, usize)> {
        let count = async |expr: &Option<Expr>, code, word: &str| {
            let Some(expr) = expr else { return Ok(None) };
            match self.value(expr, level).await? {
                Value::Int(count) if count < 0 => {
                    Err(Failure::sql(code, format!("{word} must not be negative")))
                }
                Value::Int(count) => Ok(Some(count as usize)),
                _ => Ok(None),
            }
        };
        let limit = count(&query.limit, "2201W", "LIMIT").await?;
        Ok((limit, count(&query.offset, "2201X", "OFFSET").await?.unwrap_or(0)))
    }
}

/// Sets the limit to the rows found so far if the last one is wanted.
fn end_at(wanted: Option<&Wanted>, found: &[Tuple], limit: &mut Option<usize>) {
    if let (Some(wanted), Some(last)) = (wanted, found.last())
        && wanted.is(last)
    {
        *limit = Some(found.len());
    }
}

impl Candidate {
    fn new(cells: Vec<Slotted>, keys: Vec<Value>, aggregates: Vec<Value>) -> Candidate {
        Candidate { cells, keys, aggregates, output: None, sort: Vec::new() }
    }

    fn env<'a>(&'a self, level: &Env<'a>) -> Env<'a> {
        Env {
            cells: &self.cells,
            keys: &self.keys,
            aggregates: &self.aggregates,
            output: self.output.as_deref().unwrap_or_default(),
            ..*level
        }
    }
}

/// UNION, INTERSECT and EXCEPT. Without ALL the first of equal rows is kept.
fn combine(operation: SetOperation, all: bool, left: Vec<Tuple>, right: Vec<Tuple>) -> Vec<Tuple> {
    let mut rows: Vec<Tuple> = if operation == SetOperation::Union {
        left.into_iter().chain(right).collect()
    } else {
        // How often each row occurs on the right. With ALL each occurrence matches one row of the left.
        let mut rest: BTreeMap<Tuple, usize> = BTreeMap::new();
        for row in right {
            *rest.entry(row).or_default() += 1;
        }
        let mut is_there = |row: &Tuple| match rest.get_mut(row) {
            Some(0) | None => false,
            Some(count) => {
                *count -= usize::from(all);
                true
            }
        };
        let wanted = operation == SetOperation::Intersect;
        left.into_iter().filter(|row| is_there(row) == wanted).collect()
    };
    if !all {
        let mut seen = BTreeSet::new();
        rows.retain(|row| seen.insert(row.clone()));
    }
    rows
}

pub(crate) fn order(keys: &[SortKey], left: &[Value], right: &[Value]) -> Ordering {
    for ((key, left), right) in keys.iter().zip(left).zip(right) {
        let ordering = match (left, right) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => {
                if key.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, Value::Null) => {
                if key.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ if key.descending => right.cmp(left),
            _ => left.cmp(right),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}
