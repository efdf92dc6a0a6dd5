//! A document update as the plugin's store does it: read twice, delete, add again, all under the file lock. The delete
//! and the add are separate commits, and a half-done update is repaired only where the plugin repairs it.

use std::rc::Rc;

use super::{Document, DocumentStore, Metadata, WriteError, has_vectors};
use retrial_sim::actor::Actor;
use retrial_sim::parts::file_lock::Locked;

/// The fields that an update changes. `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The text.
    pub text: Option<Rc<str>>,
    /// The vector.
    pub vector: Option<i64>,
    /// The whole metadata text.
    pub metadata: Option<Metadata>,
}

/// Why an update failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateError {
    /// The lock is taken.
    Locked,
    /// ENOENT: there is no lock file, because this call has just removed it.
    NoLockFile,
    /// The row is outside the scopes that were asked for.
    OutOfScope,
    /// A write failed. If it was the add, the row was restored if possible.
    Write(WriteError),
}

impl DocumentStore {
    /// Updates a row under the lock: reads it twice, deletes it, adds it again with the changes. Returns `None` if
    /// there is no such row, else the row as it was sent, with the version of the row that it was made from. If the add
    /// fails, the row as the second read found it is added again, unless the failed add turns out to have succeeded. If
    /// the delete fails nothing is added, although the delete may have succeeded.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub async fn update(
        &self,
        actor: &Actor,
        id: i64,
        changes: &Changes,
        scope: Option<&'static str>,
    ) -> Result<Option<Document>, UpdateError> {
        self.run_with_file_lock(actor, async || self.update_locked(actor, id, changes, scope).await).await?
    }

    /// [`DocumentStore::update`] for a caller that already has the lock.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub async fn update_locked(
        &self,
        actor: &Actor,
        id: i64,
        changes: &Changes,
        scope: Option<&'static str>,
    ) -> Result<Option<Document>, UpdateError> {
        let Some(original) = self.get_by_id(actor, "read", id).await else { return Ok(None) };
        if !original.is_in(scope) {
            return Err(UpdateError::OutOfScope);
        }
        // A row without a vector throws here, before anything is deleted.
        has_vectors(std::slice::from_ref(&*original)).map_err(UpdateError::Write)?;
        let updated = original.with(changes);
        // "Without overwriting a newer concurrent successful update": if the lock was lost, the row may be another one.
        let backup = self.get_by_id(actor, "backup", id).await.filter(|row| row.is_in(scope));
        let backup = backup.unwrap_or(original);
        self.delete(actor, "delete", &[id]).await.map_err(UpdateError::Write)?;
        if let Err(failure) = self.add(actor, "add", std::slice::from_ref(&updated)).await {
            if self.get_by_id(actor, "check", id).await.is_none() {
                // If this fails too, the caller still learns only that the update failed.
                let _ = self.add(actor, "restore", &[Document::clone(&backup)]).await;
            }
            return Err(UpdateError::Write(failure));
        }
        Ok(Some(updated))
    }
}

impl Document {
    /// A copy with the changes applied.
    #[must_use]
    pub fn with(&self, changes: &Changes) -> Document {
        let mut changed = self.clone();
        if let Some(text) = &changes.text {
            changed.text = text.clone();
        }
        if changes.vector.is_some() {
            changed.vector = changes.vector;
        }
        if let Some(metadata) = &changes.metadata {
            changed.metadata = metadata.clone();
        }
        changed
    }
}

impl From<Locked> for UpdateError {
    fn from(_: Locked) -> UpdateError {
        UpdateError::Locked
    }
}
