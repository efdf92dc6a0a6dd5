//! How deep a text may nest. What reads a text follows its nesting call by call, and a stack that overflows
//! would take the whole run with it: a text must never get that far.

use squawk_syntax::SyntaxNode;

use crate::error::{Failure, Result};

/// How deep brackets may nest.
const BRACKETS: u32 = 100;

/// How deep the tree of a text may be: some thousand operators in a row.
const LEVELS: u32 = 2000;

/// Refuses a text that nests brackets too deep. Those in strings count too, which errs to the safe side.
pub(super) fn check_brackets(sql: &str) -> Result<()> {
    let mut depth = 0u32;
    for byte in sql.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > BRACKETS {
            return Err(Failure::not_modelled(format!("brackets nested deeper than {BRACKETS}")));
        }
    }
    Ok(())
}

/// Refuses a tree that is too deep, walking it without following it.
pub(super) fn check_tree(root: &SyntaxNode) -> Result<()> {
    let mut depth = 0u32;
    let mut node = Some(root.clone());
    while let Some(here) = node {
        node = here.first_child();
        if node.is_some() {
            depth += 1;
            if depth > LEVELS {
                return Err(Failure::not_modelled(format!("text nested deeper than {LEVELS} levels")));
            }
            continue;
        }
        let mut above = Some(here);
        while let Some(inner) = above {
            node = inner.next_sibling();
            if node.is_some() {
                break;
            }
            depth = depth.saturating_sub(1);
            above = inner.parent();
        }
    }
    Ok(())
}
