//! Statements against a small catalogue: what they come to, or which error they end with.
