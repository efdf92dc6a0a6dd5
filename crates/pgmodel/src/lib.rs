//! A Postgres that fits in a trial: the pull request's own SQL in, Postgres' visibility and locking out, no I/O.
//!
//! Start at [`database::Database`]. It follows the server's manual, version 15 (chapter 13 for concurrency), and
//! where the manual is silent the server's behaviour, which a differential test holds it against. What it does not
//! implement it refuses by name.

#[expect(missing_docs, reason = "the doc of a variant tells its fields")]
pub mod ast;
pub mod bind;
pub mod catalog;
pub mod choice;
pub mod database;
pub mod error;
pub mod footprint;
pub mod function;
pub mod lock;
pub mod outcome;
pub mod parse;
#[expect(missing_docs, reason = "the doc of a variant tells its fields")]
pub mod plan;
pub mod sequence;
pub mod transaction;
pub mod value;

mod access;
mod backend;
mod clock;
mod define;
mod evaluate;
mod foreign_key;
mod group;
mod heap;
mod insert;
mod join;
mod level;
mod limit;
mod names;
mod notify;
mod numbering;
mod opening;
mod parameter;
mod project_set;
mod recursive;
mod routine;
mod row_lock;
mod rows;
mod run;
mod schema;
mod serializable;
mod server;
mod set;
mod settings;
mod stack;
mod statement;
mod system;
mod transact;
mod trigger;
mod used;
mod write;

pub use access::Path;
pub use backend::Work;
pub use notify::Notification;
pub use opening::Opening;
pub use routine::Routine;
pub use serializable::Granularity;
pub use trigger::Trigger;
