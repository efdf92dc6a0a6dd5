//! A store of blobs by key, as Cloudflare's R2 is. It must never show a blob that was deleted, and never hide one that
//! was put.
//!
//! Which rule follows which guarantee (Cloudflare R2, "Consistency model"; "Workers API reference"):
//! - Strong consistency: a put or a delete that has answered is seen by every read that begins after it, wherever.
//! - A delete of a key that is not there succeeds.
//! - Any request may be lost, or its answer; the caller then does not know whether it took effect.
//!
//! Not modelled: what a blob holds, and that reading it takes the longer the larger it is. Parts of one blob,
//! conditions (`onlyIf`) and versions.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use crate::actor::{Actor, Lost};
use crate::engine::Value;
use crate::footprint::Use;
use crate::point::PointKind;
use crate::world::{Shared, World};

/// A store of blobs; cloning it gives another handle on the same one. It outlives every process.
#[derive(Clone)]
pub struct BlobStore(Rc<Inner>);

struct Inner {
    shared: Rc<Shared>,
    name: &'static str,
    keys: RefCell<BTreeSet<u64>>,
}

impl World {
    /// Adds an empty store, by its name in the trace.
    pub fn blob_store(&self, name: &'static str) -> BlobStore {
        self.shared.names_part(name);
        BlobStore(Rc::new(Inner { shared: self.shared.clone(), name, keys: RefCell::default() }))
    }
}

impl BlobStore {
    /// Puts a blob under that key.
    ///
    /// # Errors
    /// The connection broke; the blob may be there.
    pub async fn put(&self, actor: &Actor, label: &'static str, key: u64) -> Result<(), Lost> {
        let effect = |keys: &mut BTreeSet<u64>| {
            keys.insert(key);
        };
        self.0.exchange(actor, label, key, Use::Write, effect).await
    }

    /// Whether there is a blob under that key.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn get(&self, actor: &Actor, label: &'static str, key: u64) -> Result<bool, Lost> {
        self.0.exchange(actor, label, key, Use::Read, |keys| keys.contains(&key)).await
    }

    /// Deletes the blob under that key, if there is one.
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
            self.shared.touch("blob_store", self.name, Some(key), how);
            effect(&mut self.keys.borrow_mut())
        };
        actor.exchange(PointKind::Request, label, self.name, body, effect).await
    }
}

impl fmt::Debug for BlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlobStore").field(&self.0.name).finish()
    }
}
