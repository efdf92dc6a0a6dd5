//! The engines behind [`retrial_sim::engine::Engine`].
//!
//! Start at [`sqlite::Sqlite`], real SQLite on the thread of the trial. Nothing here knows a scenario.

pub mod console;
pub mod postgres;
pub mod sqlite;
