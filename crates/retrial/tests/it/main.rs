//! Tests of the command line; its output is compared with goldens.

mod against;
mod case;
mod cli;
mod determinism;
mod interruption;
mod isolation;
mod jobs;
mod long;
mod matrix;
mod output;
mod regressions;
mod reports;
mod saved;
mod trials;
