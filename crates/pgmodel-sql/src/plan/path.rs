//! Access paths as data: in which order the slots of a query level are joined, how the rows of each are found, and
//! where each condition is evaluated. `access` chooses them.

use std::rc::Rc;

use super::{Comparison, Expr, Query};

/// The access path of a query level.
#[derive(Debug)]
pub struct Path {
    /// The slots in nested-loop order; `None` if an outer join dictates the order.
    pub steps: Option<Vec<Step>>,
    /// An alternative order with a derived table last, so that it is run for each row of the other table.
    pub turned: Option<Vec<Step>>,
    /// The WHERE condition, if there are no steps.
    pub filter: Option<Expr>,
    /// Subqueries with side effects that depend on no row: run once, before any row is fetched.
    pub gates: Vec<Expr>,
    /// The slots that reference other slots.
    pub laterals: Vec<Lateral>,
    /// Whether the select list calls functions with side effects; they are called after the rows are sorted.
    pub calls: bool,
    /// What must be true after the scan for every plan to have called the same functions with side effects.
    pub wary: Wary,
}

impl Path {
    /// A path of these steps, without gates and calls.
    pub fn of(steps: Option<Vec<Step>>, laterals: Vec<Lateral>) -> Path {
        let (gates, wary) = (Vec::new(), Wary::default());
        Path { steps, turned: None, filter: None, gates, laterals, calls: false, wary }
    }

    /// The steps. `per_row` selects the order that runs a derived table for each row, if there is one.
    #[inline]
    pub fn steps(&self, per_row: bool) -> Option<&[Step]> {
        let turned = if per_row { self.turned.as_deref() } else { None };
        turned.or(self.steps.as_deref())
    }
}

/// One slot of the nested loop.
#[derive(Debug)]
pub struct Step {
    pub slot: usize,
    pub access: Access,
    /// The conditions that can first be evaluated here.
    pub filters: Vec<Expr>,
    /// The column by whose values, ascending, the rows are visited; `None` for the table's own order.
    pub by: Option<usize>,
}

/// How a slot's rows are found.
#[derive(Debug)]
pub enum Access {
    /// All rows.
    Scan,
    /// Rows with a full index key, or with a prefix of it.
    Key { index: usize, key: Vec<Expr>, whole: bool },
    /// Rows whose first index column has any of these values.
    List { index: usize, list: List },
    /// Rows whose next column after an equality prefix lies within the bounds.
    Range { index: usize, prefix: Vec<Expr>, bounds: Vec<(Comparison, Expr)> },
}

/// The values that a column may have.
#[derive(Debug)]
pub enum List {
    Each(Vec<Expr>),
    Array(Expr),
    /// The only column of an uncorrelated query.
    Query(Rc<Query>),
}

/// An item that references other items of its level.
#[derive(Debug)]
pub struct Lateral {
    pub slot: usize,
    /// The referenced slots and columns.
    pub names: Vec<(usize, usize)>,
    /// Whether the server reuses the item's row when it revisits a referenced row.
    pub kept: bool,
}

/// Conditions at the end of a scan under which every plan would have called the same functions with an effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wary {
    /// At least one row must have been visited if the table has any: with an index the server might have found none.
    pub some: bool,
    /// All rows must have been visited in index order: a plan that sorts would have visited all of them.
    pub all: bool,
}
