//! What the engines promise: scripts in, transcripts out.

mod script;
mod sqlite;
