//! WITH RECURSIVE: in each round the right side of the UNION reads the rows of the previous round, until a round yields
//! none (manual, 7.8.2). All rounds are computed before the first row is read; endless rounds are refused when they
//! exceed the limits.

use std::collections::BTreeSet;

use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::Core;
use retrial_pgmodel_sql::value::Tuple;

use crate::execution::{Ctes, Env, Execution};

use std::cell::RefCell;
use std::rc::Rc;

impl Execution {
    /// The rows of a recursive common table expression.
    pub(crate) async fn recursive(
        &self,
        level: &Env<'_>,
        outer: &Ctes<'_>,
        index: usize,
    ) -> Result<Vec<Tuple>> {
        if self.serializable {
            return Err(Failure::not_modelled("WITH RECURSIVE in a SERIALIZABLE transaction"));
        }
        let query = &outer.query.ctes[index].query;
        let Core::Set { all, left, right, .. } = &query.core else {
            return Err(Failure::not_modelled("WITH RECURSIVE without a UNION"));
        };
        let own = Ctes { query, results: RefCell::new(Vec::new()) };
        let env = Env::level(Some(level), Some(&own), &[]);
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut round = self.query(left, Some(&env)).await?;
        loop {
            if !all {
                round.retain(|row| seen.insert(row.clone()));
            }
            if round.is_empty() {
                return Ok(found);
            }
            self.used.step(round.len() as u64)?;
            self.used.hold_many(round.len() as u64, query.columns.len())?;
            found.extend(round.iter().cloned());
            outer.results.borrow_mut()[index] = Some(Rc::new(round));
            round = self.query(right, Some(&env)).await?;
        }
    }
}
