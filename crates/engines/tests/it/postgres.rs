//! Tests against a live PostgreSQL server. Where the build found none they are shown as ignored, with the reason.

use std::sync::{Arc, OnceLock};

use retrial_engines::postgres::Server;

mod cluster;
mod console;
mod engine;
mod failures;
mod leftovers;
mod order;
mod values;

/// The server that the tests of this process share. Tests that call it are ignored where the build found none.
#[expect(clippy::disallowed_methods, reason = "the environment names the server")]
pub(crate) fn server() -> Arc<Server> {
    static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
    let find = || {
        let url = std::env::var("RETRIAL_POSTGRES_URL").ok();
        Server::find(url.as_deref()).expect("the build found a server")
    };
    SERVER.get_or_init(find).clone()
}
