//! A walk over the children of a syntax node. Every child except white space and comments has to be consumed; at the
//! end an unconsumed child is refused by name.

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

use crate::error::{Failure, Result};

/// The remaining children of a node.
pub(super) struct Cursor {
    of: SyntaxKind,
    children: Vec<SyntaxElement>,
    at: usize,
}

impl Cursor {
    /// Starts at the first child of a node.
    pub(super) fn new(node: &SyntaxNode) -> Cursor {
        let trivia = |kind| matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT);
        let children = node.children_with_tokens().filter(|child| !trivia(child.kind())).collect();
        Cursor { of: node.kind(), children, at: 0 }
    }

    /// The kind of the next child.
    pub(super) fn kind(&self) -> Option<SyntaxKind> {
        self.children.get(self.at).map(SyntaxElement::kind)
    }

    /// The next child of any kind.
    pub(super) fn next(&mut self) -> Option<SyntaxElement> {
        let child = self.children.get(self.at).cloned();
        self.at += usize::from(child.is_some());
        child
    }

    /// Skips the next child if it is of this kind.
    pub(super) fn eat(&mut self, kind: SyntaxKind) -> bool {
        let found = self.kind() == Some(kind);
        self.at += usize::from(found);
        found
    }

    /// Skips each of these in turn if present.
    pub(super) fn skip(&mut self, kinds: &[SyntaxKind]) {
        for kind in kinds {
            self.eat(*kind);
        }
    }

    /// Skips a child that must be present.
    pub(super) fn expect(&mut self, kind: SyntaxKind) -> Result<()> {
        if self.eat(kind) { Ok(()) } else { Err(self.refusal()) }
    }

    /// Takes the next child if it is a node of this kind.
    pub(super) fn take(&mut self, kind: SyntaxKind) -> Option<SyntaxNode> {
        let node = self.children.get(self.at)?.as_node().filter(|node| node.kind() == kind)?.clone();
        self.at += 1;
        Some(node)
    }

    /// Takes the next child, which must be a node of this kind.
    pub(super) fn need(&mut self, kind: SyntaxKind) -> Result<SyntaxNode> {
        self.take(kind).ok_or_else(|| self.refusal())
    }

    /// Takes the next child, which must be a node, with the [`headless`] siblings that continue its expression.
    pub(super) fn node(&mut self) -> Result<SyntaxNode> {
        let node = self.children.get(self.at).and_then(SyntaxElement::as_node).cloned();
        let node = node.ok_or_else(|| self.refusal())?;
        self.at += 1;
        if self.children.get(self.at).and_then(SyntaxElement::as_node).is_some_and(headless) {
            self.at += 1;
        }
        Ok(node)
    }

    /// Takes the next child if it is a node.
    pub(super) fn node_if_any(&mut self) -> Option<SyntaxNode> {
        let node = self.children.get(self.at)?.as_node()?.clone();
        self.at += 1;
        Some(node)
    }

    /// Ends the walk; all children must have been consumed.
    pub(super) fn finish(self) -> Result<()> {
        if self.at == self.children.len() { Ok(()) } else { Err(self.refusal()) }
    }

    /// Ends the walk over a statement, with an optional semicolon.
    pub(super) fn end_of_statement(mut self) -> Result<()> {
        self.eat(SyntaxKind::SEMICOLON);
        self.finish()
    }

    /// A refusal of the next child, or of the node itself if there is none.
    pub(super) fn refusal(&self) -> Failure {
        let Some(kind) = self.kind() else {
            return Failure::not_modelled(format!("this form of {}", title(self.of)));
        };
        if self.children[self.at].as_node().is_some() {
            Failure::not_modelled(title(kind))
        } else {
            Failure::not_modelled(format!("{} in {}", title(kind), title(self.of)))
        }
    }
}

/// Whether a node continues an expression that begins before it: after `x::t` the grammar library puts BETWEEN into a
/// sibling node. A parser of expressions must read this sibling too.
pub(super) fn headless(node: &SyntaxNode) -> bool {
    let mut cursor = Cursor::new(node);
    match node.kind() {
        SyntaxKind::BETWEEN_EXPR => {
            matches!(cursor.kind(), Some(SyntaxKind::NOT_KW | SyntaxKind::BETWEEN_KW))
        }
        SyntaxKind::BIN_EXPR | SyntaxKind::POSTFIX_EXPR => {
            cursor.node_if_any().is_some_and(|first| headless(&first))
        }
        _ => false,
    }
}

/// The items of a list, with or without parentheses.
pub(super) fn listed<T>(node: &SyntaxNode, item: impl Fn(&SyntaxNode) -> Result<T>) -> Result<Vec<T>> {
    let mut cursor = Cursor::new(node);
    let opened = cursor.eat(SyntaxKind::L_PAREN);
    let items = separated(&mut cursor, item)?;
    if opened {
        cursor.expect(SyntaxKind::R_PAREN)?;
    }
    cursor.finish()?;
    Ok(items)
}

/// One or more items separated by commas.
pub(super) fn separated<T>(cursor: &mut Cursor, item: impl Fn(&SyntaxNode) -> Result<T>) -> Result<Vec<T>> {
    let mut items = Vec::new();
    loop {
        items.push(item(&cursor.node()?)?);
        if !cursor.eat(SyntaxKind::COMMA) {
            return Ok(items);
        }
    }
}

/// The common name of a syntax kind: `WINDOW_CLAUSE` is the `WINDOW clause`.
pub(super) fn title(kind: SyntaxKind) -> String {
    let known = match kind {
        SyntaxKind::OP_CLASS_REF => "operator classes",
        SyntaxKind::TABLE_RENAME_TO => "RENAME TO",
        SyntaxKind::WITHIN_CLAUSE => "WITHIN GROUP",
        SyntaxKind::GROUPING_ROLLUP => "ROLLUP",
        SyntaxKind::GROUPING_CUBE => "CUBE",
        SyntaxKind::INDEX_INCLUDE_CLAUSE | SyntaxKind::CONSTRAINT_INCLUDE_CLAUSE => "INCLUDE",
        SyntaxKind::DECLARE => "DECLARE CURSOR",
        SyntaxKind::EXCLUDE_CONSTRAINT => "EXCLUDE",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let named = format!("{kind:?}");
    if let Some(word) = named.strip_suffix("_KW") {
        return word.to_owned();
    }
    let named = named.replace('_', " ");
    match named.strip_suffix(" CLAUSE") {
        Some(clause) => format!("{clause} clause"),
        None => named.to_owned(),
    }
}
