//! A simulated blob store by key, modelled on Cloudflare R2. It never shows a deleted blob and never hides one that was
//! put.
//!
//! Rules and the guarantees that they follow (Cloudflare R2, "Consistency model"; "Workers API reference"):
//! - Strong consistency: a put or delete that has been answered is seen by every read that begins later, from anywhere.
//! - Deleting a missing key succeeds.
//! - Any request or its reply may be lost; the caller then does not know whether it took effect.
//!
//! Not modelled: a blob's contents and read time by size; multipart uploads, conditions (`onlyIf`) and versions.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use crate::actor::{Actor, Lost};
use crate::engine::Value;
use crate::footprint::Use;
use crate::part::Part;
use crate::point::PointKind;
use crate::world::World;

/// A handle on a blob store; clones refer to the same store. It outlives every process.
#[derive(Clone)]
pub struct BlobStore(Rc<Inner>);

struct Inner {
    part: Part,
    keys: RefCell<BTreeSet<u64>>,
}

impl World {
    /// Adds an empty store; `name` is its name in the trace.
    pub fn blob_store(&self, name: &'static str) -> BlobStore {
        BlobStore(Rc::new(Inner { part: self.part("blob_store", name), keys: RefCell::default() }))
    }
}

impl BlobStore {
    /// Stores a blob under `key`.
    ///
    /// # Errors
    /// The connection broke; the blob may be there.
    pub async fn put(&self, actor: &Actor, label: &'static str, key: u64) -> Result<(), Lost> {
        let effect = |keys: &mut BTreeSet<u64>| {
            keys.insert(key);
        };
        self.0.exchange(actor, label, key, Use::Write, effect).await
    }

    /// Whether there is a blob under `key`.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn get(&self, actor: &Actor, label: &'static str, key: u64) -> Result<bool, Lost> {
        self.0.exchange(actor, label, key, Use::Read, |keys| keys.contains(&key)).await
    }

    /// Deletes the blob under `key`, if there is one.
    ///
    /// # Errors
    /// The connection broke; the blob may be gone.
    pub async fn delete(&self, actor: &Actor, label: &'static str, key: u64) -> Result<(), Lost> {
        let effect = |keys: &mut BTreeSet<u64>| {
            keys.remove(&key);
        };
        self.0.exchange(actor, label, key, Use::Write, effect).await
    }
}

impl Inner {
    async fn exchange<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        key: u64,
        how: Use,
        effect: impl FnOnce(&mut BTreeSet<u64>) -> T,
    ) -> Result<T, Lost> {
        let body = || vec![("key", Value::Integer(key as i64))];
        let effect = |_| {
            self.part.touch(Some(key), how);
            effect(&mut self.keys.borrow_mut())
        };
        actor.exchange(PointKind::Request, label, self.part.name(), body, effect).await
    }
}

impl fmt::Debug for BlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlobStore").field(&self.0.part.name()).finish()
    }
}
