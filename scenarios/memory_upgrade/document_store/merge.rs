//! Writes that are conditional on the contents of a row. LanceDB has no row versions, so a row counts as unchanged only
//! if the columns that the strategy names compare equal.

use std::rc::Rc;

use super::{Document, DocumentStore, WriteError, has_vectors};
use retrial_sim::actor::Actor;
use retrial_sim::footprint::Use;

impl DocumentStore {
    /// Replaces rows in one commit, each only if its text, scope, vector and metadata are as they were read, and
    /// returns how many were replaced: `mergeInsert("id").whenMatchedUpdateAll({ where })` with one condition for each
    /// id. A row that is gone is not created again.
    ///
    /// # Errors
    /// [`WriteError`]. If any row has no vector, nothing was written.
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
            // A refused write has still read the rows, and a write conflicts with everything that a read does.
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

    /// Deletes rows in one commit, each only if its contents are as they were read: `delete` with the same conditions.
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
    /// Whether the id and the contents are the same. Row versions are ignored.
    pub fn holds_the_same(&self, other: &Document) -> bool {
        (self.id, self.scope, self.vector) == (other.id, other.scope, other.vector)
            && self.text == other.text
            && self.metadata.text() == other.metadata.text()
    }
}
