//! The marks of a serializable transaction on what it has read, from row versions to whole tables, and the promotion of
//! many fine marks to a coarse one (PredicateLockAcquire in predicate.c, with the defaults of `max_pred_locks_per_page`
//! and `max_pred_locks_per_relation`).

use std::collections::BTreeMap;

use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::plan::Comparison;
use retrial_pgmodel_sql::value::Value;

use super::Certainty;
use crate::scan::meets;

/// The number of marked row versions of a page above which the page is marked.
const PER_PAGE: usize = 2;

/// The number of marked row versions and pages of a table above which the table is marked.
const PER_TABLE: usize = 31;

/// The object of a mark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// A whole table, including future rows.
    Table(TableId),
    /// The row versions on the page of a single-page table.
    Page(TableId),
    Version(TableId, u32),
    /// A whole index, including future entries.
    Index(TableId, String),
}

/// A range of an index: the keys that start with a prefix and whose next column is within bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) prefix: Vec<Value>,
    pub(super) bounds: Vec<(Comparison, Value)>,
}

/// The marks of one transaction.
#[derive(Debug, Default)]
pub(super) struct Marks {
    held: BTreeMap<Target, Certainty>,
    ranges: BTreeMap<(TableId, String), Vec<(Range, Certainty)>>,
}

/// Whether many marks on versions are promoted to one on their page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promotion {
    Never,
    /// The table has one page.
    ToPage,
    /// It is not known which versions share a page.
    Unknown,
}

impl Range {
    pub(super) fn contains(&self, key: &[Value]) -> bool {
        key.starts_with(&self.prefix) && key.get(self.prefix.len()).is_none_or(|value| self.is_within(value))
    }

    pub(super) fn is_within(&self, value: &Value) -> bool {
        self.bounds.is_empty()
            || *value != Value::Null
                && self.bounds.iter().all(|(comparison, bound)| meets(*comparison, value, bound))
    }
}

impl Marks {
    pub(super) fn clear(&mut self) {
        *self = Marks::default();
    }

    pub(super) fn table(&mut self, table: TableId, certainty: Certainty) {
        if certainty == Certainty::Sure {
            self.held.retain(|target, _| {
                !matches!(target,
                Target::Page(of) | Target::Version(of, _) if *of == table)
            });
        }
        self.add(Target::Table(table), certainty);
    }

    pub(super) fn index(&mut self, table: TableId, index: &str, certainty: Certainty) {
        self.add(Target::Index(table, index.to_owned()), certainty);
    }

    pub(super) fn range(&mut self, table: TableId, index: &str, range: Range, certainty: Certainty) {
        let ranges = self.ranges.entry((table, index.to_owned())).or_default();
        if !ranges.contains(&(range.clone(), certainty)) {
            ranges.push((range, certainty));
        }
    }

    pub(super) fn version(
        &mut self,
        table: TableId,
        version: u32,
        certainty: Certainty,
        promotion: Promotion,
    ) {
        let is_sure = |target: Target| self.held.get(&target) == Some(&Certainty::Sure);
        if is_sure(Target::Table(table)) || is_sure(Target::Page(table)) {
            return;
        }
        self.add(Target::Version(table, version), certainty);
        if promotion == Promotion::Never {
            return;
        }
        let marked = self.held.range(Target::Version(table, 0)..=Target::Version(table, u32::MAX));
        let (mut all, mut sure) = (0, 0);
        for (_, certainty) in marked {
            all += 1;
            sure += usize::from(*certainty == Certainty::Sure);
        }
        if sure > PER_PAGE && promotion == Promotion::ToPage {
            self.held.retain(|target, _| !matches!(target, Target::Version(of, _) if *of == table));
            self.add(Target::Page(table), Certainty::Sure);
        } else if all > PER_PAGE {
            self.add(Target::Page(table), Certainty::Doubtful);
            if all > PER_TABLE {
                self.add(Target::Table(table), Certainty::Doubtful);
            }
        }
    }

    /// Removes the mark on a version; a transaction needs none on what it writes itself.
    pub(super) fn drop_version(&mut self, table: TableId, version: u32) {
        self.held.remove(&Target::Version(table, version));
    }

    fn add(&mut self, target: Target, certainty: Certainty) {
        let held = self.held.entry(target).or_insert(certainty);
        *held = certainty.max(*held);
    }

    /// The mark that an inserted row meets.
    pub(super) fn met_by_row(&self, table: TableId) -> Option<Certainty> {
        self.held.get(&Target::Table(table)).copied()
    }

    /// The mark that a change of a version meets. `one_page` means that the table still has one page.
    pub(super) fn met_by_change(&self, table: TableId, version: u32, one_page: bool) -> Option<Certainty> {
        let at = |target: Target| self.held.get(&target).copied();
        let page = at(Target::Page(table)).map(|held| if one_page { held } else { Certainty::Doubtful });
        at(Target::Version(table, version)).max(page).max(at(Target::Table(table)))
    }

    /// The mark that a new index entry meets. `again` means that the previous version had the same key.
    pub(super) fn met_by_entry(
        &self,
        table: TableId,
        index: &str,
        key: &[Value],
        again: bool,
    ) -> Option<Certainty> {
        let name = index.to_owned();
        let whole = self.held.get(&Target::Index(table, name.clone())).copied();
        let ranges = self.ranges.get(&(table, name)).into_iter().flatten();
        let ranges = ranges.filter(|(range, _)| !again && range.contains(key));
        whole.max(ranges.map(|(_, certainty)| *certainty).max())
    }

    /// Whether there is any mark on a table or its rows.
    pub(super) fn has_rows_of(&self, table: TableId) -> bool {
        self.held.keys().any(|target| match target {
            Target::Table(of) | Target::Page(of) | Target::Version(of, _) => *of == table,
            Target::Index(..) => false,
        })
    }

    /// Replaces the marks on an index of a table, or on all of its indexes, by one on the table.
    pub(super) fn widen(&mut self, table: TableId, index: Option<&str>) {
        let is_it = |of: TableId, name: &str| of == table && index.is_none_or(|index| index == name);
        let of = |target: &Target| matches!(target, Target::Index(of, name) if is_it(*of, name));
        let held = self.held.iter().filter(|(target, _)| of(target)).map(|(_, held)| *held);
        let ranges = self.ranges.iter().filter(|((of, name), _)| is_it(*of, name));
        let ranges = ranges.flat_map(|(_, ranges)| ranges.iter().map(|(_, held)| *held));
        let Some(certainty) = held.chain(ranges).max() else { return };
        self.held.retain(|target, _| !of(target));
        self.ranges.retain(|(of, name), _| !is_it(*of, name));
        self.table(table, certainty);
    }
}
