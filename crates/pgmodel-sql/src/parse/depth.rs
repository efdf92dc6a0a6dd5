//! The nesting depth of a text. The parser recurses with the nesting, and a stack overflow would end the whole process,
//! so a text that nests too deep is refused first.

use squawk_lexer::{TokenKind, tokenize};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::error::{Failure, Result};
use crate::stack::{DEEPEST, TOKENS_MAX};

/// The depth that a common table expression adds, as one that reads another is run inside of it.
const CTE: u32 = 8;

/// An open bracket or CASE: whether it is a CASE, and the number of its tokens so far that may each nest what follows
/// them.
#[derive(Default)]
struct Open {
    case: bool,
    nesting: u32,
}

/// An upper bound of the grammar library's recursion depth for a text, computed without recursion.
///
/// # Errors
/// A refusal if the bound exceeds [`TOKENS_MAX`].
pub(super) fn bound(sql: &str) -> Result<u32> {
    let mut open = vec![Open::default()];
    let (mut depth, mut deepest, mut at) = (0u32, 0u32, 0usize);
    for token in tokenize(sql) {
        let text = &sql[at..at + token.len as usize];
        at += token.len as usize;
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => continue,
            TokenKind::Literal { .. } => continue,
            TokenKind::OpenParen | TokenKind::OpenBracket => enter(&mut open, &mut depth, false),
            TokenKind::CloseParen | TokenKind::CloseBracket => close(&mut open, &mut depth),
            // The operands around a comma do not nest in each other, and a semicolon ends all nesting.
            TokenKind::Comma => forget(&mut open, &mut depth),
            TokenKind::Semi => {
                while open.last().is_some_and(|last| last.case) && open.len() > 1 {
                    leave(&mut open, &mut depth);
                }
                forget(&mut open, &mut depth);
            }
            // Statements in such a body follow semicolons, and bodies may be nested.
            TokenKind::Ident if text.eq_ignore_ascii_case("atomic") => {
                return Err(Failure::not_modelled("BEGIN ATOMIC"));
            }
            TokenKind::Ident if text.eq_ignore_ascii_case("case") => enter(&mut open, &mut depth, true),
            TokenKind::Ident if text.eq_ignore_ascii_case("end") && open.last().is_some_and(|it| it.case) => {
                leave(&mut open, &mut depth);
            }
            _ => {
                if let Some(last) = open.last_mut() {
                    last.nesting += 1;
                }
                depth += 1;
            }
        }
        deepest = deepest.max(depth);
        if deepest > TOKENS_MAX {
            return Err(too_deep());
        }
    }
    Ok(deepest)
}

fn enter(open: &mut Vec<Open>, depth: &mut u32, case: bool) {
    open.push(Open { case, nesting: 0 });
    *depth += 1;
}

/// Drops the nesting counted in the innermost bracket or CASE.
fn forget(open: &mut [Open], depth: &mut u32) {
    if let Some(last) = open.last_mut() {
        *depth -= std::mem::take(&mut last.nesting);
    }
}

/// Leaves the innermost bracket or CASE.
fn leave(open: &mut Vec<Open>, depth: &mut u32) {
    forget(open, depth);
    open.pop();
    *depth -= 1;
}

/// Leaves the innermost bracket, and every unfinished CASE in it.
fn close(open: &mut Vec<Open>, depth: &mut u32) {
    let Some(bracket) = open.iter().rposition(|it| !it.case).filter(|place| *place > 0) else { return };
    while open.len() > bracket {
        leave(open, depth);
    }
    // A bracket may be an operand: `a[1][1]` nests to the left.
    if let Some(last) = open.last_mut() {
        last.nesting += 1;
        *depth += 1;
    }
}

/// The depth of a text's syntax tree, computed without recursion. Common table expressions are counted as if each reads
/// the previous one.
///
/// # Errors
/// A refusal if it exceeds [`DEEPEST`].
pub(super) fn of_tree(root: &SyntaxNode) -> Result<u32> {
    let (mut depth, mut deepest, mut ctes) = (0u32, 0u32, 0u32);
    let mut node = Some(root.clone());
    while let Some(here) = node {
        if here.kind() == SyntaxKind::CTE_NAME {
            ctes = ctes.saturating_add(CTE);
        }
        node = here.first_child();
        if node.is_some() {
            depth += 1;
            deepest = deepest.max(depth);
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
    let deepest = deepest.saturating_add(ctes);
    if deepest > DEEPEST { Err(too_deep()) } else { Ok(deepest) }
}

fn too_deep() -> Failure {
    Failure::not_modelled(format!("text nested deeper than {DEEPEST} levels (fewer operators in a row help)"))
}
