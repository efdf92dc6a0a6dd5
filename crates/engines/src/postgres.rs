//! A live Postgres server: a throwaway cluster, or one at a URL.

mod cluster;
mod console;
mod driver;
mod room;
mod server;
mod tap;
mod watcher;

pub use self::console::PostgresConsole;
pub use self::server::Server;
