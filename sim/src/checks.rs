//! Checks that the invariants of several scenarios share: from a trace to what is wrong with it.

pub mod operation;
