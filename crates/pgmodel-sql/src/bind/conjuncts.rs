//! The evaluation order of the conjuncts of a WHERE of which one locks or counts: the cheapest first, like the server's
//! `order_qual_clauses`, and among equals those last that the server derives from equalities. If it is unknown which is
//! cheaper, the statement is refused. The order of conjuncts without side effects is not observable.

use crate::error::{Failure, Result};
use crate::plan::{Comparison, Core, Expr, Query, Slot, SubKind, System};
use crate::value::Type;

use super::walk;

/// The cost of evaluating an expression, in halves of an operator call: minimum and maximum.
type Cost = (u32, u32);

/// The condition with its conjuncts in the server's order.
pub(super) fn ordered(filter: Expr, slots: &[Slot]) -> Result<Expr> {
    let mut filter = filter;
    fold(&mut filter);
    let mut parts = Vec::new();
    flatten(filter, &mut parts);
    let mut parts: Vec<Part> = parts.into_iter().map(|part| Part::new(part, slots)).collect();
    if parts.len() > 1 && parts.iter().any(|part| part.volatile || part.calls) {
        // Conditions without columns are evaluated once, before any row; equalities are set aside and put back at the
        // end.
        parts.sort_by_key(|part| (!part.gates, part.equality));
        for (place, part) in parts.iter().enumerate() {
            let others = parts.iter().skip(place + 1).filter(|other| part.volatile || other.volatile);
            if !part.gates && others.into_iter().any(|other| !part.is_comparable(other)) {
                let what = "conditions of which one locks or counts and another may be as cheap";
                return Err(Failure::not_modelled(what));
            }
        }
        parts.sort_by_key(|part| (!part.gates, part.cost));
    }
    let mut parts: Vec<Expr> = parts.into_iter().map(|part| part.expr).collect();
    Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
}

fn flatten(filter: Expr, parts: &mut Vec<Expr>) {
    match filter {
        Expr::And(inner) => inner.into_iter().for_each(|part| flatten(part, parts)),
        part => parts.push(part),
    }
}

/// Moves constant operands to the front of each AND and OR: the server folds them before it reads any row, and drops
/// what they decide.
fn fold(expr: &mut Expr) {
    let visited = walk::children(expr, &mut |child| {
        fold(child);
        Ok(())
    });
    if let (Ok(()), Expr::And(parts) | Expr::Or(parts)) = (visited, expr) {
        let hangs = |expr: &Expr| {
            is_variable(expr)
                || matches!(
                    expr,
                    Expr::Param(_) | Expr::Sub { .. } | Expr::System { .. } | Expr::Routine { .. }
                )
        };
        parts.sort_by_cached_key(|part| holds(&mut part.clone(), hangs));
    }
}

struct Part {
    expr: Expr,
    volatile: bool,
    /// Whether it calls a user-defined function.
    calls: bool,
    /// Whether it references no column and has no side effects.
    gates: bool,
    /// Whether it is an equality that the server keeps in an equivalence class.
    equality: bool,
    cost: Cost,
}

impl Part {
    fn new(mut expr: Expr, slots: &[Slot]) -> Part {
        let (volatile, columns) = (holds(&mut expr, is_volatile), holds(&mut expr, is_variable));
        let calls = holds(&mut expr, |expr| matches!(expr, Expr::Routine { .. }));
        let equality = match &expr {
            Expr::Compare { comparison, .. } => *comparison == Comparison::Equal && !volatile,
            Expr::InList { list, .. } => list.len() == 1 && !volatile,
            _ => false,
        };
        let cost = Costs(slots).of(&expr);
        Part { expr, volatile, calls, gates: !volatile && !calls && !columns, equality, cost }
    }

    /// Whether it is known which of the two is evaluated first.
    fn is_comparable(&self, behind: &Part) -> bool {
        let exact = |cost: Cost| cost.0 == cost.1;
        let (one, other) = (self.cost, behind.cost);
        (exact(one) && exact(other)) || one.1 < other.0 || other.1 < one.0
    }
}

fn holds(expr: &mut Expr, is: impl Fn(&Expr) -> bool + Copy) -> bool {
    let mut found = is(expr);
    let visited = walk::children(expr, &mut |child| {
        found |= holds(child, is);
        Ok(())
    });
    found || visited.is_err()
}

fn is_volatile(expr: &Expr) -> bool {
    let Expr::System { call, .. } = expr else { return false };
    !matches!(
        call,
        System::Now
            | System::StatementTimestamp
            | System::BackendPid
            | System::CurrentSetting
            | System::TransactionId
    )
}

fn is_variable(expr: &Expr) -> bool {
    match expr {
        Expr::Column { .. } => true,
        Expr::Sub { kind, query } => query.correlated || matches!(kind, SubKind::Any { .. }),
        _ => false,
    }
}

fn is_constant(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(_))
}

/// Costs over the rows of these slots.
struct Costs<'a>(&'a [Slot]);

impl Costs<'_> {
    fn of(&self, expr: &Expr) -> Cost {
        match expr {
            Expr::Const(_) | Expr::Param(_) | Expr::Column { .. } | Expr::Group { .. } => (0, 0),
            Expr::Aggregate { .. } | Expr::Output(_) => (0, 0),
            // The server folds it before it reads any row.
            Expr::Apply { args, .. } if args.iter().all(is_constant) => (0, 0),
            // This may be a cast, which is zero, one or two calls.
            Expr::Apply { args, .. } if args.len() == 1 => plus((0, 4), self.all(args)),
            Expr::Apply { args, .. } => plus((2, 2), self.all(args)),
            Expr::System { call, args, .. } => {
                let casts = args.iter().map(|arg| self.cast(*call, args.len(), arg));
                plus(casts.fold((2, 2), plus), self.all(args))
            }
            Expr::Compare { left, right, .. } => plus((2, 2), plus(self.of(left), self.of(right))),
            Expr::Same(left, right) => plus((2, 2), plus(self.of(left), self.of(right))),
            Expr::Not(inner) | Expr::IsNull(inner) | Expr::IsBool(inner, _) => self.of(inner),
            Expr::And(parts) | Expr::Or(parts) | Expr::Coalesce(parts) | Expr::Array(parts) => {
                self.all(parts)
            }
            Expr::Case { arms, otherwise } => {
                let arms = arms.iter().map(|(when, then)| plus(self.of(when), self.of(then)));
                plus(arms.fold((0, 0), plus), self.of(otherwise))
            }
            Expr::InList { operand, list } => plus(plus(self.of(operand), self.all(list)), any_of(list)),
            Expr::AnyArray { operand, array, .. } => {
                let each = if let Expr::Array(items) = &**array { any_of(items) } else { (0, 1000) };
                plus(plus(self.of(operand), self.of(array)), each)
            }
            // A user-defined function costs as much as a hundred operators.
            Expr::Routine { args, .. } => plus((200, 200), self.all(args)),
            // An uncorrelated subquery is evaluated once.
            Expr::Sub { kind, query } if !query.correlated && !matches!(kind, SubKind::Any { .. }) => (0, 0),
            // A subquery that reads a table costs at least one page.
            Expr::Sub { query, .. } => (if reads_table(query) { 800 } else { 0 }, u32::MAX),
            Expr::Extreme { .. } | Expr::Elements { .. } | Expr::Set(_) => (0, u32::MAX),
        }
    }

    fn all(&self, exprs: &[Expr]) -> Cost {
        exprs.iter().map(|expr| self.of(expr)).fold((0, 0), plus)
    }

    /// The cost of the server's cast of an argument where the model needs none, because it represents 4-byte and 8-byte
    /// integers alike.
    fn cast(&self, call: System, args: usize, arg: &Expr) -> Cost {
        let narrow = args > 1 || !matches!(call, System::AdvisoryLock { .. } | System::AdvisoryUnlock { .. });
        match arg {
            Expr::Const(_) => (0, 0),
            Expr::Column { up: 0, slot, column } if !narrow => match self.0.get(*slot) {
                Some(Slot::Table(table)) => match table.columns.get(*column).map(|column| &column.ty) {
                    Some(Type::Int8) => (0, 0),
                    Some(_) => (2, 2),
                    None => (0, 2),
                },
                _ => (0, 2),
            },
            _ => (0, 2),
        }
    }
}

fn reads_table(query: &Query) -> bool {
    matches!(&query.core, Core::Select(select) if select.slots.iter().any(|slot| matches!(slot, Slot::Table(_))))
}

/// Half an operator for each item; a long list is looked up by hash.
fn any_of(list: &[Expr]) -> Cost {
    match list.len() as u32 {
        1 => (2, 2),
        many if many <= 8 => (many, many),
        many => (0, many),
    }
}

fn plus(one: Cost, other: Cost) -> Cost {
    (one.0.saturating_add(other.0), one.1.saturating_add(other.1))
}
