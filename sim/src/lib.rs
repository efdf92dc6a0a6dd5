//! The simulation kernel of Retrial: everything from a seed to a verdict, independent of any scenario.
//!
//! In reading order: a scenario is a value of [`scenario::Scenario`]; its cast are the [`actor`]s of a [`world`], which
//! use [`parts`]; [`trial::TrialHost`] runs one trial, in which a [`scheduler::Scheduler`] makes the choices;
//! [`explore`] runs many and shrinks what violates an invariant, and [`explanation`] says why it does. Data flows one
//! way: seed, tape, world, trace, verdict. This crate never prints, never reads environment variables and never looks
//! at the wall clock.

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

// The actors of a trial, and what they talk to.
pub mod actor;
pub mod part;
pub mod parts;
pub mod world;

// A scenario: environments, strategies, invariants.
pub mod anomaly;
pub mod fault;
pub mod invariant;
pub mod registry;
pub mod rules;
pub mod scenario;

// One trial, and what decides how it goes.
pub mod choice;
pub mod point;
pub mod scheduler;
pub mod trace;
pub mod trial;

// Many trials, and what they show.
pub mod checks;
pub mod cycle;
pub mod explanation;
pub mod explore;

mod ambient;
mod authored;
mod ending;
mod hooks;
mod kernel;
mod no_engine;
mod panics;
mod shared;
mod waker;
