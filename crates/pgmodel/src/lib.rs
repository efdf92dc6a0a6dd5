//! A Postgres that fits in a trial: the pull request's own SQL in, Postgres' visibility and locking out, no I/O.
//!
//! It follows the server's manual, version 15 (chapter 13 for concurrency), and where the manual is silent the
//! server's behaviour, which a differential test holds it against. What it does not implement it refuses by name.

pub mod ast;
pub mod bind;
pub mod catalog;
pub mod error;
pub mod function;
pub mod parse;
pub mod plan;
pub mod value;
