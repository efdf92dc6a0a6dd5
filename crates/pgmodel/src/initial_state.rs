//! The committed rows of a database as the starting point of others, shared until they are written.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::database::Database;
use crate::heap::{Heap, Image};
use crate::schema::Schema;
use crate::sequence::Sequence;

/// A database's committed rows, to start others from. Databases that start from the same one share it.
pub struct InitialState {
    schema: Schema,
    images: Vec<Option<Rc<Image>>>,
    sequences: std::collections::BTreeMap<TableId, Sequence>,
}

impl Database {
    /// The currently committed rows as an initial state.
    ///
    /// # Errors
    /// If a session has an open transaction, or an index key cannot be computed.
    pub fn initial_state(&self) -> Result<InitialState> {
        if self.server.backends.borrow().iter().any(|backend| backend.transaction.is_some()) {
            return Err(Failure::not_modelled("an initial state taken while a transaction is open"));
        }
        let session = self.connect();
        let snapshot = self.server.transactions.borrow().snapshot(0);
        let run = crate::execution::Execution::new(&self.server, session, [].into(), snapshot);
        let mut images = Vec::new();
        let tables = self.server.schema.borrow().all(session);
        for table in tables {
            let heap = self.server.heap(table.id).clone();
            let mut failure = None;
            let image = heap.freeze(&self.server.transactions.borrow(), |tuple| {
                run.keys(&table, tuple).unwrap_or_else(|error| {
                    failure = Some(error);
                    Vec::new()
                })
            });
            if let Some(failure) = failure {
                return Err(failure);
            }
            let place = table.id.0 as usize;
            images.resize_with(images.len().max(place + 1), || None);
            images[place] = Some(Rc::new(image));
        }
        self.close(session);
        let schema = self.server.schema.borrow().clone();
        Ok(InitialState { schema, images, sequences: self.server.sequences.borrow().clone() })
    }

    /// Returns to an initial state: no sessions, the clock at its start. Rows are shared until they are written.
    pub fn reset(&self, initial_state: &InitialState) {
        let server = &self.server;
        server.backends.borrow_mut().clear();
        server.transactions.borrow_mut().reset();
        server.locks.borrow_mut().clear();
        server.serializable.borrow_mut().reset();
        server.ready.borrow_mut().clear();
        server.waiting.borrow_mut().clear();
        server.now.set(0);
        server.uuids.set(0);
        if server.schema.borrow().version != initial_state.schema.version {
            server.schema.borrow_mut().clone_from(&initial_state.schema);
        }
        if *server.sequences.borrow() != initial_state.sequences {
            server.sequences.borrow_mut().clone_from(&initial_state.sequences);
        }
        let mut heaps = server.heaps.borrow_mut();
        heaps.resize_with(initial_state.images.len(), || None);
        for (heap, image) in heaps.iter_mut().zip(&initial_state.images) {
            match (heap.as_mut(), image) {
                (Some(heap), Some(image)) => heap.reset(image),
                (_, image) => *heap = image.clone().map(Heap::new),
            }
        }
    }
}
