//! An in-memory model of Postgres: runs the SQL of a pull request with Postgres' visibility and locking, without I/O.
//!
//! Read [`Database`] first, then `statement`, which runs a text, and `select` and `write`, which run its plan; the plan
//! itself is made by `retrial-pgmodel-sql`. The model follows the manual of PostgreSQL 15 (chapter 13 for concurrency),
//! and where that is silent the server, against which a differential test checks it. What it does not implement it
//! refuses by name.

// A database, its sessions, and the texts that they send.

mod backend;
mod choice;
mod clock;
mod database;
mod initial_state;
mod notify;
mod outcome;
mod prepared;
mod server;
mod settings;

// The statements of a text, each in its transaction, with the tables that it sees.

mod names;
mod schema;
mod statement;
mod transaction;
mod transaction_commands;

// A plan that reads: a query level, its rows, and its expressions over them.

mod evaluate;
mod execution;
mod group;
mod join;
mod limit;
mod project_set;
mod recursive;
mod scan;
mod select;
mod set;
mod system;

// A plan that writes, and what follows from a written row.

mod foreign_key;
mod insert;
mod numbering;
mod routine;
mod trigger;
mod write;

// Definitions.

mod ddl;

// Rows, locks, and who conflicts with whom.

pub mod footprint;
mod footprint_tracking;
mod heap;
mod lock;
mod row_lock;
mod sequence;
mod serializable;

pub use choice::Rerun;
pub use database::{Database, Finished, Step};
pub use initial_state::InitialState;
pub use lock::SessionNo;
pub use notify::Notification;
pub use outcome::{Change, Notice, Outcome};
pub use prepared::{Prepared, prepare};
pub use retrial_pgmodel_sql::catalog::{Column, TableDef, TableId};
pub use retrial_pgmodel_sql::error::Failure;
pub use retrial_pgmodel_sql::value::{Tuple, Type, Value};
pub use serializable::Granularity;
