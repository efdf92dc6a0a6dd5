//! Prints expressions fully parenthesized, so that tests can check how they were parsed. Different expressions print
//! differently.

use crate::ast::{Expr, With};

/// An expression, fully parenthesized.
pub(super) fn shown(expr: &Expr) -> String {
    let no = |negated: &bool| if *negated { "not " } else { "" };
    let list = |exprs: &[Expr]| exprs.iter().map(shown).collect::<Vec<_>>().join(", ");
    let joined = |exprs: &[Expr], word: &str| exprs.iter().map(shown).collect::<Vec<_>>().join(word);
    match expr {
        Expr::Null => "null".to_owned(),
        Expr::Bool(value) => value.to_string(),
        Expr::Integer(text) | Expr::Decimal(text) => text.clone(),
        Expr::String(text) => format!("'{text}'"),
        Expr::Param(number) => format!("${number}"),
        Expr::Column { table: None, name } => name.clone(),
        Expr::Column { table: Some(table), name } => format!("{table}.{name}"),
        Expr::Default => "default".to_owned(),
        Expr::Unary { operator, operand } => format!("({operator} {})", shown(operand)),
        Expr::Binary { operator, left, right } => format!("({} {operator} {})", shown(left), shown(right)),
        Expr::And(parts) => format!("({})", joined(parts, " and ")),
        Expr::Or(parts) => format!("({})", joined(parts, " or ")),
        Expr::Not(operand) => format!("(not {})", shown(operand)),
        Expr::IsNull { operand, negated } => format!("({} is {}null)", shown(operand), no(negated)),
        Expr::IsBool { operand, value, negated } => {
            format!("({} is {}{value:?})", shown(operand), no(negated))
        }
        Expr::IsDistinct { left, right, negated } => {
            format!("({} is {}distinct from {})", shown(left), no(negated), shown(right))
        }
        Expr::Between { operand, low, high, negated } => {
            format!("({} {}between {} to {})", shown(operand), no(negated), shown(low), shown(high))
        }
        Expr::InList { operand, list: items, negated } => {
            format!("({} {}in [{}])", shown(operand), no(negated), list(items))
        }
        Expr::InQuery { operand, query, negated } => {
            format!("({} {}in {})", shown(operand), no(negated), query_shown(query))
        }
        Expr::AnyArray { operand, operator, array, all } => {
            format!("({} {operator} {} {})", shown(operand), if *all { "all" } else { "any" }, shown(array))
        }
        Expr::AnyQuery { operand, operator, query, all } => {
            let word = if *all { "all" } else { "any" };
            format!("({} {operator} {word} {})", shown(operand), query_shown(query))
        }
        Expr::Exists(query) => format!("exists {}", query_shown(query)),
        Expr::Scalar(query) => query_shown(query),
        Expr::Case { operand, arms, otherwise } => {
            let arms = arms.iter().map(|(when, then)| format!("{}: {}", shown(when), shown(then)));
            let arms = arms.collect::<Vec<_>>().join(", ");
            let of = operand.as_deref().map(shown).unwrap_or_default();
            let otherwise = otherwise.as_deref().map(shown).unwrap_or_default();
            format!("case {of}({arms}) else ({otherwise})")
        }
        Expr::Cast { operand, to } => format!("{}::{to:?}", shown(operand)),
        Expr::Subscript { array, index } => format!("{}[{}]", shown(array), shown(index)),
        Expr::Slice { array, lower, upper } => {
            let bound = |bound: &Option<Box<Expr>>| bound.as_deref().map(shown).unwrap_or_default();
            format!("{}[{}:{}]", shown(array), bound(lower), bound(upper))
        }
        Expr::ArrayQuery(query) => format!("array{}", query_shown(query)),
        Expr::Call { name, args, star, distinct, order, filter } => {
            let order = order.iter().map(|key| format!(" order by {}", shown(&key.expr))).collect::<String>();
            let star = if *star { "*" } else { "" };
            let distinct = if *distinct { "distinct " } else { "" };
            let filter = filter.as_deref().map(|f| format!(" filter {}", shown(f))).unwrap_or_default();
            format!("{name}({distinct}{star}{}{order}){filter}", list(args))
        }
        Expr::Array(items) => format!("array[{}]", list(items)),
        Expr::Row(items) => format!("row({})", list(items)),
    }
}

/// A placeholder for a query inside an expression, which other tests cover.
fn query_shown(query: &With) -> String {
    format!("{{{} with}}", query.ctes.len())
}
