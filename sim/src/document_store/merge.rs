//! Writes with a condition on what a row holds. They must never take a row for unchanged because of its number: LanceDB
//! has none, and compares what the candidate names.

use std::rc::Rc;

use super::{Document, DocumentStore, WriteError, has_vectors};
use crate::actor::Actor;
use crate::footprint::Use;

impl DocumentStore {
    /// Replaces rows in one commit, each only if it still holds what it was read with (text, scope, vector and
    /// metadata), and tells how many were: `mergeInsert("id").whenMatchedUpdateAll({ where })` with one condition for
    /// each id. A row that is gone is not made anew.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written where a row has no vector.
    pub async fn merge_insert(
        &self,
        actor: &Actor,
        label: &'static str,
        rows: &[(Rc<Document>, Document)],
    ) -> Result<usize, WriteError> {
        let inner = &self.inner;
        let ids: Vec<i64> = rows.iter().map(|(read, _)| read.id).collect();
        let effect = |_| {
            rows.iter().try_for_each(|(_, next)| has_vectors(std::slice::from_ref(next)))?;
            // Who is refused has looked at the rows, and a write conflicts with whatever a look does.
            inner.touch(&ids, Use::Write);
            let (mut updated, mut changes) = (0, Vec::new());
            for (read, next) in rows {
                let mut replaced = inner.remove(|stored| stored.document.holds_the_same(read));
                if !replaced.is_empty() {
                    changes.append(&mut replaced);
                    changes.push(inner.append(next.clone()));
                    updated += 1;
                }
            }
            inner.commit(actor, changes);
            Ok(updated)
        };
        self.write(actor, label, &ids, effect).await?
    }

    /// Deletes rows in one commit, each only if it still holds what it was read with: `delete` with the same
    /// conditions.
    ///
    /// # Errors
    /// [`WriteError::Unknown`].
    pub async fn delete_unchanged(
        &self,
        actor: &Actor,
        label: &'static str,
        rows: &[Rc<Document>],
    ) -> Result<(), WriteError> {
        let inner = &self.inner;
        let ids: Vec<i64> = rows.iter().map(|read| read.id).collect();
        let effect = |_| {
            inner.touch(&ids, Use::Write);
            let is_meant = |row: &Document| rows.iter().any(|read| row.holds_the_same(read));
            inner.commit(actor, inner.remove(|stored| is_meant(&stored.document)));
        };
        self.write(actor, label, &ids, effect).await
    }
}

impl Document {
    /// Whether it is of the same id and holds the same, whichever of its rows it is.
    pub fn holds_the_same(&self, other: &Document) -> bool {
        (self.id, self.scope, self.vector) == (other.id, other.scope, other.vector)
            && self.text == other.text
            && self.metadata.text() == other.metadata.text()
    }
}
