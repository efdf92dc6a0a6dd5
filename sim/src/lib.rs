//! The simulation kernel of Retrial: everything from a seed to a verdict, independent of any scenario.
//!
//! Start at [`trial::TrialHost`], which runs one trial, and [`scheduler::Scheduler`], which makes its choices. Data
//! flows one way: seed, tape, world, trace, verdict. This crate never prints, never reads environment variables and
//! never looks at the wall clock.

#[cfg(not(madsim))]
compile_error!(
    "retrial-sim needs madsim's interception of clocks and randomness. Add these two lines to .cargo/config.toml:\n\
     [build]\n\
     rustflags = [\"--cfg\", \"madsim\"]\n\
     and the same again as rustdocflags, for documentation and its tests\n\
     (a RUSTFLAGS variable in the environment overrides that file)"
);

pub use retrial_engine as engine;
pub use retrial_engine::{digest, error, footprint, seed, sentence};

pub mod actor;
pub mod anomaly;
pub mod blob_store;
pub mod case;
pub mod choice;
pub mod connection;
pub mod costs;
pub mod cross_replay;
pub mod cycle;
pub mod document_store;
pub mod durable_object;
pub mod explanation;
pub mod explore;
pub mod fault;
pub mod file_lock;
pub mod invariant;
pub mod notifier;
pub mod operation;
pub mod point;
pub mod pool;
pub mod queue;
pub mod registry;
pub mod rules;
pub mod scenario;
pub mod scheduler;
pub mod shared_state;
pub mod shrink;
pub mod slow_call;
pub mod trace;
pub mod trial;
pub mod verdict;
pub mod world;

mod ambient;
mod authored;
mod coverage;
mod kernel;
mod no_engine;
mod panics;
mod prepared;
mod session;
mod waker;
