//! What the kernel promises, proved on worlds without an engine.
//!
//! `toy` holds the worlds and the one `hold` that every test goes through; the other modules are the promises.

mod determinism;
mod durable_object;
mod intent;
mod limits;
mod parts;
mod pct;
mod pick;
mod planted;
mod queue;
mod replay;
mod toy;
mod world;
