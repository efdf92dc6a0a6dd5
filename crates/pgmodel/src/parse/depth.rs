//! How deep a text nests. What reads a text follows its nesting call by call, and a stack that overflows would take
//! the whole run with it: a text that nests too deep must never get that far.

use squawk_lexer::{TokenKind, tokenize};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::error::{Failure, Result};
use crate::stack::{DEEPEST, TOKENS_MAX};

/// What a common table expression adds: one that reads another is run inside of it, wherever the two stand.
const CTE: u32 = 8;

/// A bracket or a CASE that is open: whether it is a CASE, and the tokens in it so far that may each nest what
/// follows them.
#[derive(Default)]
struct Open {
    case: bool,
    nesting: u32,
}

/// A bound on how deep the grammar library will follow a text, found without following it.
///
/// # Errors
/// A refusal where that is deeper than [`TOKENS_MAX`].
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
            // What stands on both sides of a comma is not nested, and a semicolon ends it all.
            TokenKind::Comma => forget(&mut open, &mut depth),
            TokenKind::Semi => {
                while open.last().is_some_and(|last| last.case) && open.len() > 1 {
                    leave(&mut open, &mut depth);
                }
                forget(&mut open, &mut depth);
            }
            // Statements in a body follow semicolons, and a body may stand in a body.
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

/// Forgets what the innermost bracket or CASE holds so far.
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

/// Leaves the innermost bracket, and every CASE in it that has not ended.
fn close(open: &mut Vec<Open>, depth: &mut u32) {
    let Some(bracket) = open.iter().rposition(|it| !it.case).filter(|place| *place > 0) else { return };
    while open.len() > bracket {
        leave(open, depth);
    }
    // What is in brackets may be an operand: `a[1][1]` nests to the left.
    if let Some(last) = open.last_mut() {
        last.nesting += 1;
        *depth += 1;
    }
}

/// How deep the tree of a text is, its common table expressions counted as if each read the one before; found
/// without following it.
///
/// # Errors
/// A refusal where that is deeper than [`DEEPEST`].
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
