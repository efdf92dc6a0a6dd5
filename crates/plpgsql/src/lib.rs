//! Migration files with PL/pgSQL, stepped from outside: one SQL statement at a time, on any engine.
//!
//! A CALL that is sent whole is one step that nobody can interleave with, and an engine may know no PL/pgSQL at all.
//! Here control flow, variables and the borders of transactions are the stepper's, as the manual has them (43.6
//! control structures, 43.5.5 result status, 43.8 transaction management), and each statement inside goes through the
//! connection as any other does, so that it is a point. It must never guess: what it does not step is refused by name
//! when the file is read.
//!
//! What differs from a server that runs the file itself: each inner statement is a way to the engine and back, and
//! takes that time; a client that dies takes the rest of the script with it, where a server may go on until it writes
//! to its client; and a name that is both a variable and a column means the variable, where the server says 42702.

mod body;
mod error;
mod expression;
mod file;
mod label;
#[cfg(test)]
mod nesting;
mod op;
mod run;
mod sql;
mod statement;
#[cfg(test)]
mod tests;
mod variable;

pub use self::error::Error;
pub use self::file::Script;
