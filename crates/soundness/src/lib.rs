//! Judges of the simulation itself, for the tests of its parts and of one's own.
//!
//! [`sweep`] runs a world under every scheduler, gives each trial to a judge that knows the part's rules, and replays
//! it; [`directed`] runs one trial whose choices are written down. [`Comparison`] holds the exhaustive search against
//! brute force, which finds footprints that are incomplete.

pub use self::comparison::{Compared, Comparison, Program, drawn};
pub use self::sweep::{Tally, directed, number, sweep};
pub use self::trial::{COST, LIMITS, run_trial};

mod brute_force;
mod comparison;
mod forgetful;
mod sweep;
mod trial;
