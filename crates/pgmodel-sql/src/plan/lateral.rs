//! LATERAL references: which earlier FROM items an item references. Only an item with such references is recomputed for
//! each of their rows (manual, 7.2.1.5).

use super::survey::{self, Met};
use super::{Core, Expr, Join, Lateral, Query, Slot};
use crate::ast::SetOperation;

/// The items that reference other items of their level.
pub(crate) fn laterals(slots: &[Slot]) -> Vec<Lateral> {
    let mut found = Vec::new();
    for (slot, item) in slots.iter().enumerate() {
        let kept = match item {
            Slot::Query { query, lateral: true } if query.correlated => is_fenced(query),
            Slot::Function { call, .. } if !call.args.is_empty() => true,
            _ => continue,
        };
        let mut names = Vec::new();
        survey::slot(item, 0, &mut |met, depth| {
            if let Met::Expr(Expr::Column { up, slot, column }) = met
                && *up == depth
                && !names.contains(&(*slot, *column))
            {
                names.push((*slot, *column));
            }
        });
        if !names.is_empty() {
            found.push(Lateral { slot, names, kept });
        }
    }
    found
}

/// Whether the server's planner keeps the subquery as a scan of its own and reuses its row. Other subqueries are pulled
/// up into the surrounding query and recomputed (is_simple_subquery in src/backend/optimizer/prep/prepjointree.c).
fn is_fenced(query: &Query) -> bool {
    let fences = match &query.core {
        Core::Select(select) => select.grouping.is_some() || select.is_distinct() || !select.sets.is_empty(),
        Core::Set { operation, all, .. } => !(*operation == SetOperation::Union && *all),
        Core::Values(_) | Core::Insert(_) | Core::Update(_) | Core::Delete(_) => false,
    };
    fences
        || query.limit.is_some()
        || query.offset.is_some()
        || !query.order.is_empty()
        || !query.ctes.is_empty()
}

/// Whether any item on the right references a slot on the left.
pub fn depends(right: &Join, left: &Join, laterals: &[Lateral]) -> bool {
    laterals
        .iter()
        .any(|lateral| has(right, lateral.slot) && lateral.names.iter().any(|(slot, _)| has(left, *slot)))
}

fn has(tree: &Join, wanted: usize) -> bool {
    match tree {
        Join::Slot(slot) => *slot == wanted,
        Join::Pair { left, right, .. } => has(left, wanted) || has(right, wanted),
    }
}
