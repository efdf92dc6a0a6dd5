//! A live Postgres server: what is held against it. Without one these tests fail and say how to get one,
//! unless RETRIAL_WITHOUT_POSTGRES=1 says that they are not to run; they must never pass in silence.

use std::sync::{Arc, OnceLock};

use retrial_engines::postgres::Server;

mod cluster;
mod console;
mod engine;
mod failures;
mod leftovers;
mod order;
mod values;

/// The server that the tests of this process share; `None` where they are not to run.
pub(crate) fn server() -> Option<Arc<Server>> {
    static SERVER: OnceLock<Option<Arc<Server>>> = OnceLock::new();
    SERVER.get_or_init(find).clone()
}

#[expect(clippy::disallowed_methods, reason = "the tests of a live server are told where it is")]
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn find() -> Option<Arc<Server>> {
    let setting = |name: &str| std::env::var(name).ok();
    match Server::find(setting("RETRIAL_POSTGRES_URL").as_deref()) {
        Ok(server) => Some(server),
        Err(error) if setting("RETRIAL_WITHOUT_POSTGRES").as_deref() == Some("1") => {
            eprintln!("not run: {error}");
            None
        }
        Err(error) => panic!("{error} (or set RETRIAL_WITHOUT_POSTGRES=1 to go without)"),
    }
}
