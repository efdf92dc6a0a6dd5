//! Tests of the kernel's guarantees, on worlds without an engine.
//!
//! `toy` has worlds that several tests use; each other module tests one guarantee.

mod blob_store;
mod case;
mod cross_replay;
mod determinism;
mod durable_object;
mod earned;
mod explanation;
mod file_lock;
mod guide;
mod limits;
mod notifier;
mod operation;
mod paired;
mod pct;
mod pick;
mod planted;
mod pool;
mod queue;
mod replay;
mod shrink;
mod sleepers;
mod slow_call;
mod toy;
mod world;
