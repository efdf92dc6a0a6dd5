//! Set-returning functions in a select list. Each row becomes as many rows as its longest set has; shorter sets are
//! padded with NULL (manual, 38.5.9; the server's `nodeProjectSet.c`).

use std::collections::BTreeSet;

use retrial_pgmodel_sql::error::Result;
use retrial_pgmodel_sql::plan::{Path, Query, Select};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::execution::{Env, Execution};
use crate::scan::Rows;
use crate::select::order;

impl Execution {
    /// The rows of a SELECT with sets in its select list. Stops at LIMIT unless sorting or DISTINCT needs all rows.
    pub(crate) async fn select_sets(
        &self,
        query: &Query,
        select: &Select,
        path: &Path,
        level: &Env<'_>,
    ) -> Result<Vec<Tuple>> {
        let (limit, offset) = self.window(query, level).await?;
        let is_page = query.order.is_empty() && !select.is_distinct();
        let wanted = limit.map(|limit| limit.saturating_add(offset)).filter(|_| is_page);
        let enough = |found: &Vec<(Vec<Value>, Tuple)>| wanted.is_some_and(|wanted| found.len() >= wanted);
        let mut rows = Rows::new(self, level, &select.slots, select.join.as_ref(), path);
        let mut groups = match &select.grouping {
            Some(grouping) => Some(Box::pin(self.groups(grouping, &mut rows, level)).await?.into_iter()),
            None => None,
        };
        let mut found: Vec<(Vec<Value>, Tuple)> = Vec::new();
        while !enough(&found) {
            let (mut cells, mut keys, mut aggregates) = (Vec::new(), Vec::new(), Vec::new());
            match &mut groups {
                Some(groups) => match groups.next() {
                    Some(group) => (keys, aggregates) = group,
                    None => break,
                },
                None => match rows.next().await? {
                    Some(row) => cells = row,
                    None => break,
                },
            }
            let row = Env { cells: &cells, keys: &keys, aggregates: &aggregates, ..*level };
            let mut sets = Vec::with_capacity(select.sets.len());
            for call in &select.sets {
                sets.push(self.values_of_set(call, &row).await?);
            }
            let longest = sets.iter().map(Vec::len).max().unwrap_or(0);
            for at in 0..longest {
                if enough(&found) {
                    break;
                }
                self.used.step(1)?;
                self.used.hold(select.output.len() + query.order.len())?;
                let current: Vec<Value> =
                    sets.iter().map(|set| set.get(at).cloned().unwrap_or(Value::Null)).collect();
                let env = Env { sets: &current, ..row };
                let output = self.output(&select.output, &env).await?;
                let mut sort = Vec::with_capacity(query.order.len());
                for key in &query.order {
                    sort.push(self.value(&key.expr, &Env { output: &output, ..env }).await?);
                }
                found.push((sort, output.into()));
            }
        }
        if select.distinct {
            let mut seen = BTreeSet::new();
            found.retain(|(_, row)| seen.insert(row.clone()));
        }
        found.sort_by(|left, right| order(&query.order, &left.0, &right.0));
        if select.distinct_on > 0 {
            found.dedup_by(|later, kept| later.0[..select.distinct_on] == kept.0[..select.distinct_on]);
        }
        let rows = found.into_iter().skip(offset).map(|(_, row)| row);
        Ok(rows.take(limit.unwrap_or(usize::MAX)).collect())
    }
}
