//! The marks that a serializable transaction sets as it reads, and its conflicts with transactions that have written
//! versions that it must not see (HeapCheckForSerializableConflictOut in src/backend/access/heap/heapam.c, and the
//! calls of PredicateLock… in access/heap and access/nbtree).

use std::collections::BTreeMap;

use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::error::Result;
use retrial_pgmodel_sql::plan::{Access, Comparison, Step};
use retrial_pgmodel_sql::value::Value;

use super::fits::{heap_fits, index_fits};
use super::held::{Promotion, Range};
use super::plan::{How, certainty};
use super::{Certainty, Number, Safety, conflict};
use crate::execution::{Env, Execution};
use crate::footprint::{Object, Use};
use crate::heap::Heap;
use crate::transaction::{Status, Xid};

/// The key ranges that are looked up in an index.
struct Sought {
    index: usize,
    ranges: Vec<Range>,
}

/// The part of a table that may have been read.
struct Seen {
    how: How,
    /// The versions under the keys.
    matched: Vec<u32>,
    one_page: bool,
}

impl Execution {
    /// Marks what a step of a query is about to read. The caller boxes this, as other transactions do not need it.
    pub(crate) async fn mark_read(&self, table: &TableDef, step: &Step, env: &Env<'_>) -> Result<()> {
        let Some(me) = self.participant() else { return Ok(()) };
        let sought = match self.sought(&step.access, env).await? {
            Some(sought) if sought.ranges.is_empty() => return Ok(()),
            sought => sought,
        };
        let one_page = heap_fits(&self.server.heap(table.id), table);
        let how = self.how(table, step, env.cells.len(), one_page);
        self.mark(me, table, sought.as_ref(), how, one_page)
    }

    /// Marks what a foreign key check reads of a table.
    pub(crate) fn mark_look(&self, table: &TableDef, columns: &[usize], values: &[Value]) -> Result<()> {
        let Some(me) = self.participant() else { return Ok(()) };
        let one_page = heap_fits(&self.server.heap(table.id), table);
        let whole = |index: &usize| {
            let index = &table.indexes[*index];
            index.filter.is_none() && index.is_over(columns)
        };
        let Some(index) = (0..table.indexes.len()).find(whole) else {
            let how = if table.indexes.is_empty() { How::Scan } else { How::Walk };
            return self.mark(me, table, None, how, one_page);
        };
        let ranges = vec![Range { prefix: values.to_vec(), bounds: Vec::new() }];
        let how = match (self.server.heap(table.id).is_counted(), one_page) {
            _ if self.is_finest() => How::Index { all: true },
            // The server caches this plan from its first use, whatever the parameters were then.
            _ if self.plans_are_set() => How::Either { all: true },
            (false, _) => How::Index { all: true },
            (true, true) => How::Scan,
            (true, false) => How::Either { all: true },
        };
        self.mark(me, table, Some(&Sought { index, ranges }), how, one_page)
    }

    /// The transaction's number while it takes part. A read-only transaction leaves once its snapshot is safe.
    fn participant(&self) -> Option<Number> {
        let me = self.server.backend(self.session).xact().serializable?;
        let safe = self.server.serializable.borrow_mut().participant(me).safety == Safety::Safe;
        if safe {
            self.server.leave(self.session, false);
            return None;
        }
        self.touch(Object::Serializable, Use::Write);
        Some(me)
    }

    /// The key ranges that an access looks up. Ranges that cannot match anything are left out.
    async fn sought(&self, access: &Access, env: &Env<'_>) -> Result<Option<Sought>> {
        let (index, ranges) = match access {
            Access::Scan => return Ok(None),
            Access::Key { index, key, .. } => {
                let prefix = self.output(key, env).await?;
                (*index, vec![Range { prefix, bounds: Vec::new() }])
            }
            Access::List { index, list } => {
                let values = self.listed(list, env).await?;
                let each = |value| Range { prefix: vec![value], bounds: Vec::new() };
                (*index, values.into_iter().map(each).collect())
            }
            Access::Range { index, prefix, bounds } => {
                let prefix = self.output(prefix, env).await?;
                let mut limits: Vec<(Comparison, Value)> = Vec::new();
                for (comparison, bound) in bounds {
                    limits.push((*comparison, self.value(bound, env).await?));
                }
                (*index, vec![Range { prefix, bounds: limits }])
            }
        };
        let finds = |range: &Range| {
            !range.prefix.contains(&Value::Null)
                && range.bounds.iter().all(|(_, bound)| *bound != Value::Null)
        };
        Ok(Some(Sought { index, ranges: ranges.into_iter().filter(finds).collect() }))
    }

    fn mark(
        &self,
        me: Number,
        table: &TableDef,
        sought: Option<&Sought>,
        how: How,
        one_page: bool,
    ) -> Result<()> {
        let matched = match sought {
            Some(sought) => self.matched(table, sought),
            None => (0..self.server.heap(table.id).len()).collect(),
        };
        let seen = Seen { how, matched, one_page };
        self.mark_table(me, table, sought, &seen);
        self.mark_versions(me, table, &seen);
        self.read_past(me, table, &seen)
    }

    fn matched(&self, table: &TableDef, sought: &Sought) -> Vec<u32> {
        let heap = self.server.heap(table.id);
        let whole = table.indexes[sought.index].keys.len();
        let mut matched = Vec::new();
        for range in &sought.ranges {
            if range.prefix.len() == whole {
                matched.extend(heap.under(sought.index, &range.prefix));
            } else {
                matched.extend(heap.range(sought.index, &range.prefix, |value| range.is_within(value)));
            }
        }
        matched.sort_unstable();
        matched.dedup();
        matched
    }

    fn mark_table(&self, me: Number, table: &TableDef, sought: Option<&Sought>, seen: &Seen) {
        let mut serializable = self.server.serializable.borrow_mut();
        let marks = &mut serializable.participant(me).marks;
        match seen.how {
            How::Scan => marks.table(table.id, Certainty::Sure),
            How::Index { .. } => {}
            How::Either { .. } | How::Walk | How::Joined => marks.table(table.id, Certainty::Doubtful),
        }
        let sure = certainty(matches!(seen.how, How::Index { .. } | How::Either { .. }));
        let Some(sought) = sought.filter(|_| seen.how != How::Scan) else { return };
        let name = &table.indexes[sought.index].name;
        if !self.is_finest() {
            let fits = index_fits(&self.server.heap(table.id), table, sought.index);
            marks.index(table.id, name, sure.min(certainty(fits)));
        }
        for range in &sought.ranges {
            marks.range(table.id, name, range.clone(), sure);
        }
    }

    fn mark_versions(&self, me: Number, table: &TableDef, seen: &Seen) {
        let sure = match seen.how {
            How::Scan => return,
            How::Index { all } | How::Either { all } => certainty(all),
            How::Walk | How::Joined => Certainty::Doubtful,
        };
        let promotion = match seen.one_page {
            _ if self.is_finest() => Promotion::Never,
            true => Promotion::ToPage,
            false => Promotion::Unknown,
        };
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        let mut serializable = self.server.serializable.borrow_mut();
        let marks = &mut serializable.participant(me).marks;
        for version in &seen.matched {
            let own = heap.header(*version).is_some_and(|it| transactions.is_own(it.xmin, self.session));
            if !own && heap.sees(*version, &transactions, self.snapshot, self.session) {
                marks.version(table.id, *version, sure, promotion);
            }
        }
    }

    /// Finds the transactions that have written visited versions which the snapshot must not see.
    fn read_past(&self, me: Number, table: &TableDef, seen: &Seen) -> Result<()> {
        let mut writers: BTreeMap<u32, (Xid, Certainty)> = BTreeMap::new();
        let mut looked_at = false;
        {
            let heap = self.server.heap(table.id);
            let skipped = self.skipped(&heap, table, seen);
            let elsewhere = matches!(seen.how, How::Either { .. } | How::Walk | How::Joined);
            let all = (0..heap.len()).filter(|_| !matches!(seen.how, How::Index { .. }));
            let under = seen.matched.iter().copied().filter(|_| matches!(seen.how, How::Index { .. }));
            for version in all.chain(under) {
                let is_matched = seen.matched.binary_search(&version).is_ok();
                let certainty = match seen.how {
                    How::Scan => Certainty::Sure,
                    How::Index { all } | How::Either { all } if is_matched => match skipped.get(&version) {
                        Some(Certainty::Sure) if !elsewhere => continue,
                        Some(_) => Certainty::Doubtful,
                        None => certainty(all),
                    },
                    _ => Certainty::Doubtful,
                };
                looked_at |= certainty == Certainty::Sure;
                if let Some(xid) = self.writer(&heap, version) {
                    let known = writers.entry(version).or_insert((xid, certainty));
                    *known = (xid, certainty.max(known.1));
                }
            }
        }
        let mut serializable = self.server.serializable.borrow_mut();
        if looked_at && serializable.participant(me).doomed {
            return Err(conflict::failure("identification as a pivot, during conflict out checking"));
        }
        let what = plan_of(table);
        // Certain conflicts are recorded first, so that they are no longer in doubt.
        let (sure, doubtful): (Vec<_>, Vec<_>) =
            writers.into_values().partition(|(_, certainty)| *certainty == Certainty::Sure);
        for (xid, certainty) in sure.into_iter().chain(doubtful) {
            serializable.read_past(me, xid, certainty, &what)?;
        }
        Ok(())
    }

    /// The overlapping top-level transaction that created a version which is not visible, or replaced or deleted one
    /// that is.
    fn writer(&self, heap: &Heap, version: u32) -> Option<Xid> {
        let header = heap.header(version)?;
        let transactions = self.server.transactions.borrow();
        if transactions.status(header.xmin) == Status::Aborted {
            return None;
        }
        let visible = heap.sees(version, &transactions, self.snapshot, self.session);
        let xid = if visible { header.xmax? } else { header.xmin };
        let snapshot = self.server.backend(self.session).xact().snapshot?;
        let overlaps = match transactions.status(xid) {
            Status::Running => !transactions.is_own(xid, self.session),
            Status::Committed(at) => at > snapshot.at,
            Status::Aborted => false,
        };
        overlaps.then(|| transactions.top(xid))
    }

    /// Versions that an index scan does not visit: those after the visible one in a chain of updates within one page
    /// (heap_hot_search_buffer).
    fn skipped(&self, heap: &Heap, table: &TableDef, seen: &Seen) -> BTreeMap<u32, Certainty> {
        let mut skipped = BTreeMap::new();
        if seen.how == How::Scan {
            return skipped;
        }
        let transactions = self.server.transactions.borrow();
        for version in &seen.matched {
            if !heap.sees(*version, &transactions, self.snapshot, self.session) {
                continue;
            }
            let mut at = *version;
            while let Some(next) = heap.header(at).and_then(|header| header.next) {
                if !super::writing::keeps_entries(table, heap.tuple(at), heap.tuple(next)) {
                    break;
                }
                skipped.insert(next, certainty(seen.one_page));
                at = next;
            }
        }
        skipped
    }
}

/// The text that describes how a conflict depends on the plan.
pub(super) fn plan_of(table: &TableDef) -> String {
    format!(
        "how the server reads \"{}\", as a whole or by an index (SET enable_seqscan = off, or enable_indexscan and \
         enable_bitmapscan, decides it), and on its pages",
        table.name
    )
}
