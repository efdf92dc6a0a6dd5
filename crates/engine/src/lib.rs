//! The SQL engine interface: [`Engine`], the one trait through which the kernel drives a model, an embedded database or
//! a live server, and the values that pass through it.
//!
//! An engine is synchronous and never waits: a statement that cannot continue is [`Reply::Blocked`], and the kernel
//! decides which actor runs next. An engine never guesses: it refuses by name what it does not know. Whoever writes one
//! needs this crate only, neither the kernel nor a simulated clock.

mod cost;
mod engine;
mod statement;
mod value;
mod work;

pub mod digest;
pub mod error;
pub mod footprint;
pub mod seed;
pub mod sentence;

pub use self::cost::Cost;
pub use self::engine::{Engine, InitialState};
pub use self::statement::{Answer, Done, Reply, SessionId, SqlError};
pub use self::value::{Row, RowChange, Table, Value};
pub use self::work::Work;
