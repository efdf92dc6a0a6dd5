//! Name resolution: query levels, their FROM items and visible columns. A name never resolves to an item that the
//! server hides at that place.

use crate::ast::Locking;
use crate::catalog::TableDef;
use crate::error::{Failure, Result};
use crate::plan::{Aggregate, Expr, Query, SetCall, Slot};
use crate::value::Type;

use super::recursive::Unfinished;
use super::{Binder, Typed, walk};

/// The clause being bound, as far as it decides what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    Where,
    Join,
    From,
    Group,
    Having,
    Order,
    DistinctOn,
    Limit,
    Offset,
    Values,
    Update,
    Returning,
    Filter,
    Aggregate,
    Conflict,
    Row,
}

/// A query level while it is being bound.
pub(super) struct Level {
    /// The common table expressions bound so far.
    pub(super) ctes: Vec<CteEntry>,
    /// The names of the common table expressions that come later in the same WITH.
    pub(super) later: Vec<String>,
    /// Whether WITH is RECURSIVE, so that later ones are visible, too.
    pub(super) sees_later: bool,
    /// The self-referencing common table expression that is being bound.
    pub(super) unfinished: Option<Unfinished>,
    /// Whether an item of FROM refers to the recursive query that this level is part of.
    pub(super) reads_unfinished: bool,
    /// The items in which names are looked up.
    pub(super) items: Vec<Item>,
    /// Whether the item being bound may see items that are for LATERAL only.
    pub(super) lateral: bool,
    /// The slots, in order.
    pub(super) slots: Vec<Slot>,
    /// The names and columns of the slots, in the same order.
    pub(super) sources: Vec<Source>,
    /// The clause being bound.
    pub(super) clause: Clause,
    /// The aggregates found.
    pub(super) aggregates: Vec<Aggregate>,
    /// The set-returning functions found, and the number of their calls.
    pub(super) sets: Vec<SetCall>,
    pub(super) set_calls: usize,
    /// The outermost level referenced from inside this one, if it is outside of it.
    pub(super) reaches: Option<usize>,
    /// The items whose rows will be locked.
    pub(super) locking: LockedNames,
}

/// The FROM items named by locking clauses, here or around a derived table. Their tables get the stronger table lock at
/// once when they are resolved.
#[derive(Default)]
pub(super) struct LockedNames {
    pub(super) all: bool,
    pub(super) named: Vec<String>,
}

impl LockedNames {
    /// Adds the names in a query's locking clauses.
    pub(super) fn add(&mut self, clauses: &[Locking]) {
        self.all |= clauses.iter().any(|clause| clause.of.is_empty());
        self.named.extend(clauses.iter().flat_map(|clause| clause.of.iter().cloned()));
    }

    pub(super) fn locks(&self, name: &str) -> bool {
        self.all || self.named.iter().any(|named| named == name)
    }
}

/// A common table expression while its level is being bound.
pub(super) struct CteEntry {
    pub(super) name: String,
    pub(super) query: Query,
    pub(super) references: usize,
    pub(super) reaches: Option<usize>,
    pub(super) recursive: bool,
    /// Whether it is an INSERT, UPDATE or DELETE without RETURNING.
    pub(super) silent: bool,
    /// MATERIALIZED or NOT MATERIALIZED, if given.
    pub(super) materialized: Option<bool>,
}

/// A slot's name and columns for messages, and its kind for locking clauses.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) kind: SourceKind,
}

/// How a locking clause treats a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    Table,
    Subquery,
    Cte,
    Function,
}

/// A FROM item in which names are looked up.
#[derive(Clone)]
pub(super) struct Item {
    /// Its name; a join has none.
    pub(super) name: Option<String>,
    pub(super) columns: Vec<ItemColumn>,
    /// Whether `name.column` finds it.
    pub(super) qualified: bool,
    /// Whether `column` alone finds it, and `*` expands it.
    pub(super) unqualified: bool,
    /// Whether its name also denotes its only column, as for a function that returns no composite rows.
    pub(super) scalar: bool,
    /// Whether only LATERAL items see it, because FROM is incomplete.
    pub(super) lateral_only: bool,
    /// Whether LATERAL items may reference it.
    pub(super) lateral_ok: bool,
}

/// A column that an item exposes.
#[derive(Clone)]
pub(super) struct ItemColumn {
    pub(super) name: String,
    pub(super) ty: Type,
    /// Its expression, relative to the item's own level.
    pub(super) expr: Expr,
}

impl Level {
    pub(super) fn new(clause: Clause) -> Level {
        Level {
            ctes: Vec::new(),
            later: Vec::new(),
            sees_later: false,
            unfinished: None,
            reads_unfinished: false,
            items: Vec::new(),
            lateral: false,
            slots: Vec::new(),
            sources: Vec::new(),
            clause,
            aggregates: Vec::new(),
            sets: Vec::new(),
            set_calls: 0,
            reaches: None,
            locking: LockedNames::default(),
        }
    }
}

impl Item {
    /// An item that is visible by its name and by its columns' names.
    pub(super) fn visible(name: &str, columns: Vec<ItemColumn>) -> Item {
        Item {
            name: Some(name.to_owned()),
            columns,
            qualified: true,
            unqualified: true,
            scalar: false,
            lateral_only: false,
            lateral_ok: true,
        }
    }
}

/// The item of a table in a slot; dropped columns are not visible.
pub(super) fn table_item(table: &TableDef, name: &str, slot: usize) -> Item {
    let shown = table.columns.iter().enumerate().filter(|(_, column)| !column.dropped);
    let columns = shown
        .map(|(position, column)| ItemColumn {
            name: column.name.clone(),
            ty: column.ty.clone(),
            expr: Expr::Column { up: 0, slot, column: position },
        })
        .collect();
    Item::visible(name, columns)
}

/// The system columns of every table of the server.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

fn ambiguous(name: &str) -> Failure {
    Failure::sql("42702", format!("column reference \"{name}\" is ambiguous"))
}

impl Binder<'_> {
    /// A column reference: a name, or `table.name`.
    pub(super) fn column(&mut self, table: Option<&str>, name: &str) -> Result<Typed> {
        self.demand_columns()?;
        if let Some(variables) = self.variables {
            return self.column_or_variable(variables, table, name);
        }
        match table {
            Some(table) => self.qualified_column(table, name),
            None => match self.unqualified_column(name, 0)? {
                Some(typed) => Ok(typed),
                None => match self.item(name) {
                    Ok((depth, item)) if item.scalar => {
                        let column = item.columns[0].clone();
                        Ok(self.reference(depth, column))
                    }
                    _ => Err(self.missing_column(name)),
                },
            },
        }
    }

    /// The column of that name in the innermost level that has one, but not further out than level `outermost`.
    pub(super) fn unqualified_column(&mut self, name: &str, outermost: usize) -> Result<Option<Typed>> {
        for depth in (outermost..self.levels.len()).rev() {
            let level = &self.levels[depth];
            let mut found = None;
            for item in &level.items {
                if !item.unqualified || (item.lateral_only && !level.lateral) {
                    continue;
                }
                for column in item.columns.iter().filter(|column| column.name == name) {
                    if found.replace((item, column)).is_some() {
                        return Err(ambiguous(name));
                    }
                }
            }
            if let Some((item, column)) = found {
                lateral_allowed(item)?;
                let column = column.clone();
                return Ok(Some(self.reference(depth, column)));
            }
        }
        Ok(None)
    }

    pub(super) fn qualified_column(&mut self, table: &str, name: &str) -> Result<Typed> {
        let (depth, item) = self.item(table)?;
        let mut matching = item.columns.iter().filter(|column| column.name == name);
        match (matching.next(), matching.next()) {
            (Some(_), Some(_)) => Err(ambiguous(name)),
            (Some(column), None) => {
                let column = column.clone();
                Ok(self.reference(depth, column))
            }
            (None, _) if SYSTEM_COLUMNS.contains(&name) => {
                Err(Failure::not_modelled(format!("the system column {table}.{name}")))
            }
            (None, _) => Err(Failure::sql("42703", format!("column {table}.{name} does not exist"))),
        }
    }

    /// The item of that name and its level, as `name.column` and `name.*` resolve it.
    pub(super) fn item(&self, name: &str) -> Result<(usize, &Item)> {
        for (depth, level) in self.levels.iter().enumerate().rev() {
            let mut found = None;
            for item in &level.items {
                let named = item.qualified && item.name.as_deref() == Some(name);
                if !named || (item.lateral_only && !level.lateral) {
                    continue;
                }
                if found.replace(item).is_some() {
                    return Err(Failure::sql("42P09", format!("table reference \"{name}\" is ambiguous")));
                }
            }
            if let Some(item) = found {
                lateral_allowed(item)?;
                return Ok((depth, item));
            }
        }
        Err(self.missing_table(name))
    }

    /// 42P01. The server distinguishes a table that is nowhere in FROM from one that is not visible here.
    fn missing_table(&self, name: &str) -> Failure {
        let there = self.levels.iter().any(|level| {
            level.items.iter().any(|item| item.name.as_deref() == Some(name))
                || level.slots.iter().zip(&level.sources).any(|(slot, source)| {
                    source.name == name || matches!(slot, Slot::Table(table) if table.name == name)
                })
        });
        let what = if there { "invalid reference to" } else { "missing" };
        Failure::sql("42P01", format!("{what} FROM-clause entry for table \"{name}\""))
    }

    pub(super) fn missing_column(&self, name: &str) -> Failure {
        let mut items = self.levels.iter().flat_map(|level| &level.items);
        if items.any(|item| item.qualified && item.name.as_deref() == Some(name)) {
            return Failure::not_modelled(format!("a whole-row reference: {name}"));
        }
        let tables = self.levels.iter().any(|level| !level.items.is_empty());
        if tables && SYSTEM_COLUMNS.contains(&name) {
            return Failure::not_modelled(format!("the system column {name}"));
        }
        Failure::sql("42703", format!("column \"{name}\" does not exist"))
    }

    /// A reference to a column of the level at `depth`, relative to the level being bound.
    pub(super) fn reference(&mut self, depth: usize, column: ItemColumn) -> Typed {
        let up = self.depth() - depth;
        self.reached(depth);
        let mut expr = column.expr;
        walk::columns(&mut expr, &mut |outward, slot| {
            *outward += up;
            self.touched.push((depth, slot));
        });
        Typed { expr, ty: column.ty }
    }

    /// Records that the expression being bound depends on the level at `depth`: all levels inside that are correlated.
    pub(super) fn reached(&mut self, depth: usize) {
        for level in self.levels.iter_mut().skip(depth + 1) {
            level.reaches = Some(level.reaches.map_or(depth, |known| known.min(depth)));
        }
    }
}

fn lateral_allowed(item: &Item) -> Result<()> {
    if !item.lateral_only || item.lateral_ok {
        return Ok(());
    }
    let name = item.name.as_deref().unwrap_or("unnamed_join");
    let message = format!("invalid reference to FROM-clause entry for table \"{name}\"");
    let detail = "The combining JOIN type must be INNER or LEFT for a LATERAL reference.";
    Err(Failure::detailed("42P10", message, detail))
}
