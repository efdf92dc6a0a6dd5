//! Long tests: those that need the whole run, or replay every saved counterexample on a live server. They are ignored
//! by default; `cargo xtask ci` runs them.

mod explanations;
mod live;
mod shrinking;
mod whole_run;
