//! Migration files with PL/pgSQL, stepped from outside: one SQL statement at a time, on any engine. Start at
//! [`Script`]: it reads a file, and runs it on a connection.
//!
//! A CALL that is sent whole is one step that no other actor can interleave with, and an engine may not know PL/pgSQL
//! at all. The stepper therefore implements control flow, variables and transaction boundaries itself, as the manual
//! describes them (43.6 control structures, 43.5.5 result status, 43.8 transaction management). Each statement inside
//! goes through the connection like any other, so it is a point. What the stepper does not support is refused by name
//! when the file is read.
//!
//! Differences from a server that runs the file itself: each inner statement is a round trip to the engine and takes
//! that time; a client that dies ends the script, where a server may continue until it writes to its client; and a name
//! that is both a variable and a column means the variable, where the server reports 42702.

pub use self::error::Error;
pub use self::file::Script;

// A file becomes statements and compiled bodies.
mod body;
mod file;
mod op;

// What a body consists of.
mod expression;
mod label;
mod sql;
mod statement;
mod variable;

// A script runs.
mod error;
mod run;

#[cfg(test)]
mod nesting;
#[cfg(test)]
mod tests;
