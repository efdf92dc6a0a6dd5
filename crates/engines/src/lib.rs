//! The implementations of [`retrial_engine::Engine`].
//!
//! [`sqlite::Sqlite`] is real SQLite on the thread of the trial, [`model::Model`] is a model of Postgres, and
//! [`postgres`] is a live server. This crate knows no scenario.

// The engines.
pub mod model;
pub mod postgres;
pub mod sqlite;

// Text in, messages out, for specs.
#[expect(missing_docs, reason = "the doc of a variant tells its fields")]
pub mod console;

// What several of them need.
mod leftovers;
mod row_key;
