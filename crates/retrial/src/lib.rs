//! The command-line interface of Retrial as a library, and re-exports of its other crates.
//!
//! Start at [`run`], which is the pipeline behind `retrial run`. Only [`render`] prints.

pub use {retrial_engines as engines, retrial_scenarios as scenarios, retrial_sim as sim};

pub mod args;
pub mod case_files;
pub mod catalogue;
pub mod destination;
pub mod exit;
pub mod expectation;
pub mod gaps;
pub mod input;
pub mod interruption;
pub mod isolation;
pub mod jobs;
pub mod regressions;
pub mod render;
pub mod replay;
pub mod results;
pub mod run;
pub mod shrinking;
pub mod token;
