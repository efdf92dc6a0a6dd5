//! The PL/pgSQL language (manual, chapter 43): the tokens of a text, and the syntax tree of a body. Interpreting a tree
//! is up to the caller, so nothing here knows a type, a value or a connection. Expressions and SQL statements inside a
//! body stay tokens with their places in the text.
//!
//! Start at [`body`], which parses one, and at the [`Block`] that it returns.

// The tree, and the tokens that it is made from.
mod cursor;
mod error;
mod token;
mod tree;

// The parts of a body.
mod block;
mod control;
mod raise;
mod sql;

pub use self::block::body;
pub use self::cursor::{Cursor, find_outside, nesting};
pub use self::error::Error;
pub use self::token::{Kind, Token, tokens};
pub use self::tree::{
    Arm, Block, Condition, Declaration, Diagnostic, Handler, IntoTargets, Level, Piece, Raise, Statement,
    Step, TypeName,
};
