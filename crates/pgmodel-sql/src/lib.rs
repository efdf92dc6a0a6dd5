//! The part of the Postgres model that knows no storage: from the text of SQL to plans.
//!
//! Read [`ast::Statement`] and [`plan::Plan`] first: [`parse::parse`] makes the one of a text, [`bind::statement`] the
//! other of the one, over the tables of a [`catalog::Names`]. What it does not support it refuses by name.

// A text becomes statements.

#[expect(missing_docs, reason = "the doc of a variant tells its fields")]
pub mod ast;
pub mod parse;

// A statement becomes a plan over tables.

pub mod bind;
pub mod catalog;
#[expect(missing_docs, reason = "the doc of a variant tells its fields")]
pub mod plan;

// Which indexes a plan uses.

pub mod access;

// What expressions compute, and the values.

pub mod function;
pub mod parameter;
pub mod value;

// What all of these need.

pub mod error;
pub mod limit;
pub mod stack;
