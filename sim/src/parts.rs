//! The simulated parts: what a process talks to, other than the engine behind a [`connection`]. Each is modelled on a
//! real one, and its docs map every rule to that part's documentation.
//!
//! SQL is reached through a [`pool`]; messages come from a [`queue`]; a [`durable_object`] has storage of its own; a
//! [`blob_store`] keeps what is too large for rows; a [`file_lock`] excludes other processes, more or less; a
//! [`notifier`] wakes an actor; a [`slow_call`] takes seconds; and [`shared_state`] is what processes share outside of
//! all these. Each is built on the public items of [`part`](crate::part) and [`actor`](crate::actor) only, and so can
//! one of your own be.

pub mod blob_store;
pub mod connection;
pub mod durable_object;
pub mod file_lock;
pub mod notifier;
pub mod pool;
pub mod queue;
pub mod shared_state;
pub mod slow_call;

mod slots;
