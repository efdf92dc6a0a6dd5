//! Removing everything that this process has made, at its end or after a signal.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::server::Server;
use crate::leftovers;

/// The servers that this process has found.
static SERVERS: Mutex<Vec<Weak<Server>>> = Mutex::new(Vec::new());

/// The server has been found.
pub(super) fn enter(server: &Arc<Server>) {
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.retain(|server| server.strong_count() > 0);
    servers.push(Arc::downgrade(server));
}

/// Removes everything that this process has made: databases on servers, throwaway clusters, folders of sockets and of
/// SQLite's files. For the end of a process, from any thread that is not a trial's and not in a signal handler: it
/// waits for servers, though not for ever. Nothing can be made afterwards: engines that still run fail.
pub fn clean_up() {
    leftovers::end();
    let servers = std::mem::take(&mut *SERVERS.lock().unwrap_or_else(PoisonError::into_inner));
    servers.iter().filter_map(Weak::upgrade).for_each(|server| server.clean_up());
    leftovers::remove_all();
}
