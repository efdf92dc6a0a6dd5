//! The command line and what it prints, held against goldens that people read.

mod against;
mod anomalies;
mod arguments;
mod case;
mod cli;
mod isolation;
mod live;
mod matrix;
mod regressions;
mod shrinking;
mod trials;
