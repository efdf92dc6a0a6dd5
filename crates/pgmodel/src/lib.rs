//! An in-memory model of Postgres: runs the SQL of a pull request with Postgres' visibility and locking, without I/O.
//!
//! Start at [`database::Database`]. The model follows the manual of PostgreSQL 15 (chapter 13 for concurrency). Where
//! the manual is silent it follows the server's behaviour, against which a differential test checks it. It refuses by
//! name what it does not implement.

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
mod ddl;
mod evaluate;
mod execution;
mod footprint_tracking;
mod foreign_key;
mod group;
mod heap;
mod initial_state;
mod insert;
mod join;
mod limit;
mod names;
mod notify;
mod numbering;
mod parameter;
mod prepared;
mod project_set;
mod recursive;
mod routine;
mod row_lock;
mod scan;
mod schema;
mod select;
mod serializable;
mod server;
mod set;
mod settings;
mod stack;
mod statement;
mod system;
mod transaction_commands;
mod trigger;
mod write;

pub use backend::Work;
pub use initial_state::InitialState;
pub use notify::Notification;
pub use prepared::{Prepared, prepare};
pub use serializable::Granularity;
