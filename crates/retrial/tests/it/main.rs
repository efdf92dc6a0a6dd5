//! The command line and what it prints, held against goldens that people read.

mod against;
mod anomalies;
mod arguments;
mod case;
mod cli;
mod determinism;
mod interruption;
mod isolation;
mod jobs;
mod live;
mod matrix;
mod output;
mod regressions;
mod saved;
mod shrinking;
mod trials;
