//! An update of a document as the plugin's store makes it: read it twice, delete it, add it again, all under the file
//! lock. It must never write what its two commits could not, and never mend what they have left half done but where the
//! plugin does.

use std::rc::Rc;

use super::{Document, DocumentStore, Metadata, WriteError, has_vectors};
use crate::actor::Actor;
use crate::file_lock::Locked;

/// What an update changes; what is none stays as it is.
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
    /// Somebody else has the lock.
    Locked,
    /// ENOENT: there is no lock file, because this one has just removed it.
    NoLockFile,
    /// The row is outside the scopes that were asked for.
    OutOfScope,
    /// The write failed; where it was the add, the row is back if that could be done.
    Write(WriteError),
}

impl DocumentStore {
    /// Updates a row under the lock: reads it twice, deletes it, adds it again with the changes. None where there is no
    /// such row, else the row as it was sent, with the version of the one that it was made from. Where the add fails,
    /// the row as the second read found it is added again, unless the failed add turns out to have been made. Where the
    /// delete fails nothing is, though the delete may have been made.
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

    /// What [`DocumentStore::update`] does under its lock, for whoever has the lock already.
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
        // A row that is read without a vector throws there and then, before anything is deleted.
        has_vectors(std::slice::from_ref(&*original)).map_err(UpdateError::Write)?;
        let updated = original.with(changes);
        // "Without overwriting a newer concurrent successful update": who has lost the lock may find another row.
        let backup = self.get_by_id(actor, "backup", id).await.filter(|row| row.is_in(scope));
        let backup = backup.unwrap_or(original);
        self.delete(actor, "delete", &[id]).await.map_err(UpdateError::Write)?;
        if let Err(failure) = self.add(actor, "add", std::slice::from_ref(&updated)).await {
            if self.get_by_id(actor, "check", id).await.is_none() {
                // Whether this one fails as well, the caller learns no more than that the update did.
                let _ = self.add(actor, "restore", &[Document::clone(&backup)]).await;
            }
            return Err(UpdateError::Write(failure));
        }
        Ok(Some(updated))
    }
}

impl Document {
    /// The same with those changes.
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
