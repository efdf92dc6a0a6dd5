//! The implementations of [`retrial_engine::Engine`].
//!
//! [`sqlite::Sqlite`] is real SQLite on the thread of the trial, [`model::Model`] is a model of Postgres, and
//! [`postgres`] is a live server. This crate knows no scenario.

#[expect(missing_docs, reason = "the doc of a variant tells its fields")]
pub mod console;
pub mod model;
pub mod postgres;
pub mod sqlite;

mod leftovers;
mod row_key;
