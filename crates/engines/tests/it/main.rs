//! What the engines promise: scripts in, transcripts out.

mod faults;
mod script;
mod sqlite;
