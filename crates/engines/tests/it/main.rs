//! Tests of the engines' guarantees: scripts in, transcripts out.

mod calendar;
mod differential;
mod earned;
mod faults;
mod looks;
mod parity;
mod plans;
mod plpgsql;
mod postgres;
mod reduction;
mod routine;
mod script;
mod sqlite;
