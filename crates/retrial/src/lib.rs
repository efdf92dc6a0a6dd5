//! The command-line interface of Retrial as a library, and re-exports of its other crates.
//!
//! The modules in reading order. [`commands`] is what each command does, and [`run`] is the pipeline behind
//! `retrial run`. What is found is data, in [`results`]; all wording is in [`render`], which only reads that data; and
//! only [`output`] writes. So [`commands`] is the one place where results, words and files meet.

pub use {retrial_engines as engines, retrial_scenarios as scenarios, retrial_sim as sim};

// What a user asks for, and what there is.
pub mod args;
pub mod catalogue;
pub mod cli;
pub mod commands;

// From a plan to results.
pub mod jobs;
pub mod plan;
pub mod regressions;
pub mod run;
pub mod shrinking;

// The other commands that run something.
pub mod isolation;
pub mod replay;

// What was found, how it is worded, where it goes.
pub mod exit;
pub mod output;
pub mod render;
pub mod results;

// What the above are made of.
pub mod input;
pub mod interruption;
pub mod progress;
pub mod token;
