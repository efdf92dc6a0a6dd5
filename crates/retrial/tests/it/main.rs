//! The command line and what it prints, held against goldens that people read.

mod against;
mod anomalies;
mod case;
mod cli;
mod determinism;
mod explanations;
mod interruption;
mod isolation;
mod jobs;
mod live;
mod matrix;
mod output;
mod regressions;
mod reports;
mod saved;
mod shrinking;
mod trials;
