//! Removes everything that this process has created, at its end or after a signal.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::server::Server;
use crate::leftovers;

/// The servers that this process uses.
static SERVERS: Mutex<Vec<Weak<Server>>> = Mutex::new(Vec::new());

/// Registers a server for [`clean_up`].
pub(super) fn enter(server: &Arc<Server>) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.retain(|server| server.strong_count() > 0);
    servers.push(Arc::downgrade(server));
}

/// Removes everything that this process has created: databases on servers, throwaway clusters, and folders of sockets
/// and SQLite files. Call it at the end of the process, from any thread that runs no trial, and not from a signal
/// handler: it waits for servers, for a limited time. Nothing can be created afterwards, so engines that are still
/// running fail.
pub fn clean_up() {
    leftovers::end();
    let servers = std::mem::take(&mut *SERVERS.lock().unwrap_or_else(PoisonError::into_inner));
    servers.iter().filter_map(Weak::upgrade).for_each(|server| server.clean_up());
    leftovers::remove_all();
}
