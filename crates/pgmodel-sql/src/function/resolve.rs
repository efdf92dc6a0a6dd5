//! Overload resolution of operators and functions (manual, 10.2 and 10.3), following the steps of the server's
//! `parse_func.c` and `parse_oper.c`. A choice that the server calls ambiguous is ambiguous here, too.

use super::signature::{Entry, Kind, category};
use super::{
    Chosen, array, cast, comparison, decimal, digest, format, integer, json, json_build, json_change,
};
use super::{pattern, text, text_part, time, unify, unsupported};
use crate::error::{Failure, Result};
use crate::value::Type;

/// An argument type as resolution sees it: without length and precision.
type Known = Type;

/// The operator with that symbol.
pub(super) fn operator(symbol: &str, left: Option<&Type>, right: &Type) -> Result<Chosen> {
    let symbol = if symbol == "!=" { "<>" } else { symbol };
    let args: Vec<Known> = left.into_iter().chain([right]).map(Type::base).collect();
    let entries = operators(symbol);
    let of_arity: Vec<Entry> = entries.into_iter().filter(|entry| entry.args.len() == args.len()).collect();
    let shown = match left {
        Some(left) => format!("{} {symbol} {}", left.name(), right.name()),
        None => format!("{symbol} {}", right.name()),
    };
    match choose_operator(&of_arity, &args) {
        Found::One(entry) => chosen(&entry, &args, &format!("operator {shown}")),
        Found::Many => Err(Failure::sql("42725", format!("operator is not unique: {shown}"))),
        Found::None if unsupported::operator(symbol, args.len()) => {
            Err(Failure::not_modelled(format!("operator {shown}")))
        }
        Found::None => Err(Failure::sql("42883", format!("operator does not exist: {shown}"))),
    }
}

/// The plain function of that name.
pub(super) fn function(name: &str, args: &[Type]) -> Result<Chosen> {
    let args: Vec<Known> = args.iter().map(Type::base).collect();
    let types: Vec<String> = args.iter().map(Type::name).collect();
    let shown = format!("{name}({})", types.join(", "));
    match choose(&expanded(name, args.len()), &args) {
        Found::One(entry) => chosen(&entry, &args, &format!("function {shown}")),
        Found::Many => Err(Failure::sql("42725", format!("function {shown} is not unique"))),
        Found::None if unsupported::function(name) => Err(Failure::not_modelled(format!("function {name}"))),
        Found::None => Err(Failure::sql("42883", format!("function {shown} does not exist"))),
    }
}

/// Whether the server has a built-in function of that name, with any arguments.
pub(super) fn is_known(name: &str) -> bool {
    let counts = 0..8;
    unsupported::function(name)
        || super::set::is_set(name)
        || counts.clone().any(|count| !expanded(name, count).is_empty())
        || counts.into_iter().any(|count| super::session::system(name, count).is_some())
}

/// Resolves a set-returning function among the entries of one name, with its types filled in.
pub(super) fn set(name: &str, entries: Vec<Entry>, args: &[Type]) -> Result<(Entry, Vec<Type>, Type)> {
    let args: Vec<Known> = args.iter().map(Type::base).collect();
    let types: Vec<String> = args.iter().map(Type::name).collect();
    let shown = format!("function {name}({})", types.join(", "));
    match choose(&entries, &args) {
        Found::One(entry) => filled(&entry, &args, &shown).map(|(args, result)| (entry, args, result)),
        Found::Many => Err(Failure::sql("42725", format!("{shown} is not unique"))),
        Found::None => Err(Failure::sql("42883", format!("{shown} does not exist"))),
    }
}

fn operators(symbol: &str) -> Vec<Entry> {
    let tables =
        [integer::OPERATORS, decimal::OPERATORS, text::OPERATORS, pattern::OPERATORS, time::OPERATORS];
    let more = [json::OPERATORS, json_change::OPERATORS, array::OPERATORS, time::civil::OPERATORS];
    let listed =
        tables.iter().chain(&more).flat_map(|table| table.iter()).filter(|entry| entry.name == symbol);
    let mut entries: Vec<Entry> = listed.copied().collect();
    entries.extend(comparison::operators(symbol));
    entries.extend(integer::operators(symbol));
    entries
}

/// The functions of that name that accept `count` arguments.
fn expanded(name: &str, count: usize) -> Vec<Entry> {
    let tables =
        [integer::FUNCTIONS, decimal::FUNCTIONS, text::FUNCTIONS, text_part::FUNCTIONS, time::FUNCTIONS];
    let more = [
        json::FUNCTIONS,
        json_build::FUNCTIONS,
        json_change::FUNCTIONS,
        array::FUNCTIONS,
        digest::FUNCTIONS,
        format::FUNCTIONS,
        time::civil::FUNCTIONS,
    ];
    let fits = |entry: &&Entry| match entry.args.split_last() {
        Some((Kind::Rest, fixed)) => count > fixed.len(),
        _ => entry.args.len() == count,
    };
    let all = tables.iter().chain(&more).flat_map(|table| table.iter());
    all.filter(|entry| entry.name == name).filter(fits).copied().collect()
}

enum Found {
    One(Entry),
    Many,
    None,
}

/// The kind that the entry expects at a position; `Rest` accepts any type.
fn wanted(entry: &Entry, index: usize) -> Kind {
    entry.args.get(index).or(entry.args.last()).copied().unwrap_or(Kind::Rest)
}

fn is_exact(kind: Kind, ty: &Known) -> bool {
    kind.ty().is_some_and(|kind| kind == *ty)
}

/// An operator whose types match exactly comes first; a literal then gets the type of the other operand.
fn choose_operator(entries: &[Entry], args: &[Known]) -> Found {
    let known = args.iter().find(|ty| **ty != Type::Unknown);
    if let Some(known) = known {
        let same: Vec<&Known> = args.iter().map(|ty| if *ty == Type::Unknown { known } else { ty }).collect();
        let exact = entries.iter().find(|entry| (0..same.len()).all(|i| is_exact(wanted(entry, i), same[i])));
        if let Some(entry) = exact {
            return Found::One(*entry);
        }
    }
    choose(entries, args)
}

fn choose(entries: &[Entry], args: &[Known]) -> Found {
    let exact = entries.iter().find(|entry| (0..args.len()).all(|i| is_exact(wanted(entry, i), &args[i])));
    if let Some(entry) = exact {
        return Found::One(*entry);
    }
    let mut candidates: Vec<Entry> = entries.iter().filter(|entry| accepts(entry, args)).copied().collect();
    if candidates.is_empty() {
        return Found::None;
    }
    keep_best(&mut candidates, args, is_exact);
    keep_best(&mut candidates, args, |kind, ty| {
        is_exact(kind, ty) || (kind.is_preferred() && kind.category() == category(ty))
    });
    if candidates.len() > 1 && args.contains(&Type::Unknown) {
        keep_category(&mut candidates, args);
        if candidates.len() > 1 {
            keep_alike(&mut candidates, args);
        }
    }
    match candidates.as_slice() {
        [] => Found::None,
        [one] => Found::One(*one),
        _ => Found::Many,
    }
}

/// Keeps the candidates with the most matching arguments; literals do not count.
fn keep_best(candidates: &mut Vec<Entry>, args: &[Known], matches: impl Fn(Kind, &Known) -> bool) {
    let score = |entry: &Entry| {
        let known = |i: &usize| args[*i] != Type::Unknown;
        (0..args.len()).filter(known).filter(|i| matches(wanted(entry, *i), &args[*i])).count()
    };
    if candidates.len() > 1 {
        let best = candidates.iter().map(score).max().unwrap_or(0);
        candidates.retain(|entry| score(entry) == best);
    }
}

/// If all candidates agree on the category of a literal, or one of them takes a string, keeps the candidates of that
/// category, and among them those with the preferred type.
fn keep_category(candidates: &mut Vec<Entry>, args: &[Known]) {
    let mut slots = Vec::new();
    for index in (0..args.len()).filter(|index| args[*index] == Type::Unknown) {
        let kinds: Vec<Kind> = candidates.iter().map(|entry| wanted(entry, index)).collect();
        let is_string = kinds.iter().any(|kind| kind.category() == 'S');
        let first = kinds[0].category();
        if !is_string && kinds.iter().any(|kind| kind.category() != first) {
            return;
        }
        let slot = if is_string { 'S' } else { first };
        slots.push((index, slot, kinds.iter().any(|kind| kind.category() == slot && kind.is_preferred())));
    }
    let fits = |entry: &Entry| {
        slots.iter().all(|(index, slot, preferred)| {
            let kind = wanted(entry, *index);
            kind.category() == *slot && (!preferred || kind.is_preferred())
        })
    };
    if candidates.iter().any(fits) {
        candidates.retain(fits);
    }
}

/// If all known arguments have one type, keeps the only candidate that accepts it at every position.
fn keep_alike(candidates: &mut Vec<Entry>, args: &[Known]) {
    let mut known = args.iter().filter(|ty| **ty != Type::Unknown);
    let Some(first) = known.next() else { return };
    if known.any(|ty| ty != first) {
        return;
    }
    let alike = vec![first.clone(); args.len()];
    let mut takers = candidates.iter().filter(|entry| accepts(entry, &alike));
    if let (Some(one), None) = (takers.next().copied(), takers.next()) {
        *candidates = vec![one];
    }
}

/// Whether every argument can be cast implicitly.
fn accepts(entry: &Entry, args: &[Known]) -> bool {
    let each = args.iter().enumerate().all(|(index, ty)| match wanted(entry, index) {
        Kind::AnyArray | Kind::CompatArray => matches!(ty, Type::Array(_) | Type::Unknown),
        Kind::AnyNonArray => !matches!(ty, Type::Array(_)),
        Kind::AnyElement | Kind::Compat | Kind::Rest => true,
        Kind::Float8 => category(ty) == 'N' || *ty == Type::Unknown,
        Kind::Json => *ty == Type::Unknown,
        kind => kind.ty().is_some_and(|to| unify::is_implicit(ty, &to)),
    });
    each && polymorphic(entry, args).is_ok()
}

/// The types that the polymorphic kinds of a call resolve to.
struct Polymorphic {
    /// The element type of the `any…` family.
    any: Option<Known>,
    /// The element type of the `anycompatible…` family.
    compat: Option<Known>,
}

/// Resolves the polymorphic kinds; an error if the arguments disagree.
fn polymorphic(entry: &Entry, args: &[Known]) -> std::result::Result<Polymorphic, ()> {
    let mut any: Option<Known> = None;
    let mut compat = Vec::new();
    for (index, ty) in args.iter().enumerate().filter(|(_, ty)| **ty != Type::Unknown) {
        let kind = wanted(entry, index);
        let element = match (kind, ty) {
            (Kind::AnyArray | Kind::CompatArray, Type::Array(element)) => element.as_ref(),
            (Kind::AnyElement | Kind::AnyNonArray | Kind::Compat, ty) => ty,
            _ => continue,
        };
        if matches!(kind, Kind::Compat | Kind::CompatArray) {
            compat.push(element.clone());
        } else if any.as_ref().is_some_and(|any| any != element) {
            return Err(());
        } else {
            any = Some(element.clone());
        }
    }
    let compat = match compat.as_slice() {
        [] => None,
        types => Some(unify::common(types).ok_or(())?),
    };
    // There is no type for an array of arrays.
    let has_array = entry.args.iter().any(|kind| matches!(kind, Kind::CompatArray));
    if has_array && matches!(compat, Some(Type::Array(_))) {
        Err(())
    } else {
        Ok(Polymorphic { any, compat })
    }
}

/// The entry with its types filled in.
fn chosen(entry: &Entry, args: &[Known], shown: &str) -> Result<Chosen> {
    let Some(apply) = entry.apply else { return Err(Failure::not_modelled(shown)) };
    let (args, result) = filled(entry, args, shown)?;
    let immutable = is_immutable(entry, &args);
    Ok(Chosen { apply, strict: entry.strict, immutable, args, result })
}

/// The types of an entry's arguments and of its result.
fn filled(entry: &Entry, args: &[Known], shown: &str) -> Result<(Vec<Type>, Type)> {
    let poly = polymorphic(entry, args).map_err(|()| Failure::not_modelled(shown))?;
    let undetermined =
        || Failure::sql("42804", "could not determine polymorphic type because input has type unknown");
    let array = |element: Type| Type::Array(Box::new(element));
    let compat = || poly.compat.clone().unwrap_or(Type::Text);
    let any = || poly.any.clone().ok_or_else(undetermined);
    let fill = |kind: Kind, given: Option<&Known>| -> Result<Type> {
        Ok(match (kind, given) {
            (Kind::AnyArray, _) => array(any()?),
            (Kind::AnyElement | Kind::AnyNonArray, _) => any()?,
            (Kind::CompatArray, _) => array(compat()),
            (Kind::Compat, _) => compat(),
            (Kind::Rest, Some(Type::Unknown)) => Type::Text,
            (Kind::Rest, Some(given)) => given.clone(),
            // An integer or a numeric is kept exact where the server would convert it to binary floating point.
            (Kind::Float8, Some(given)) if *given != Type::Unknown => Type::Numeric(None),
            (kind, _) => kind.ty().ok_or_else(|| Failure::not_modelled(shown))?,
        })
    };
    let filled = args.iter().enumerate().map(|(index, ty)| fill(wanted(entry, index), Some(ty)));
    Ok((filled.collect::<Result<Vec<Type>>>()?, fill(entry.result, None)?))
}

/// Whether the result does not depend on settings: not on the time zone, nor on the text form of an arbitrary type.
fn is_immutable(entry: &Entry, args: &[Type]) -> bool {
    let takes = |kind: Kind| entry.args.contains(&kind);
    match entry.name {
        "to_jsonb" | "jsonb_build_object" | "jsonb_build_array" | "concat" | "concat_ws"
        | "array_to_string" => false,
        // This is a cast to text followed by an operator on texts.
        "||" if takes(Kind::AnyNonArray) => args.iter().all(|ty| cast::is_immutable(ty, &Type::Text)),
        "=" | "<>" | "<" | "<=" | ">" | ">=" | "-"
            if entry.args == [Kind::Timestamptz, Kind::Timestamptz] =>
        {
            true
        }
        _ => !takes(Kind::Timestamptz),
    }
}
