//! Generated names of constraints, indexes and sequences (makeObjectName and ChooseRelationName in
//! src/backend/commands/indexcmds.c, ChooseConstraintName in src/backend/catalog/pg_constraint.c), and checks whether a
//! name is taken.

use std::collections::BTreeSet;
use std::rc::Rc;

use retrial_pgmodel_sql::catalog::{IndexDef, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::parse::NAME_MAX;

use super::Define;

impl Define<'_> {
    /// A free relation name: `table_part_label`, with a number appended if necessary. An index that belongs to a
    /// constraint must not have the name of another constraint, either.
    pub(super) fn relation_name(
        &self,
        table: &TableDef,
        part: Option<&str>,
        label: &str,
        constraint: bool,
    ) -> String {
        let schema = self.server.schema.borrow();
        let sequences = schema.sequences().visible(self.session);
        let mut taken: BTreeSet<&str> = sequences.map(|sequence| sequence.name.as_str()).collect();
        for other in schema.visible(self.session).map(|other| &**other).chain([table]) {
            taken.insert(&other.name);
            taken.extend(other.indexes.iter().map(|index| index.name.as_str()));
            if constraint {
                taken.extend(constraints(other));
            }
        }
        free(&table.name, part, label, &taken)
    }

    /// A constraint name that no constraint of any table has.
    pub(super) fn constraint_name(&self, table: &TableDef, part: Option<&str>, label: &str) -> String {
        let schema = self.server.schema.borrow();
        let all = schema.visible(self.session).map(|other| &**other).chain([table]);
        free(&table.name, part, label, &all.flat_map(constraints).collect())
    }

    /// Whether any relation visible to the session has that name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        let schema = self.server.schema.borrow();
        let is_there =
            |table: &TableDef| table.name == name || table.indexes.iter().any(|index| index.name == name);
        schema.visible(self.session).any(|table| is_there(table))
            || schema.sequences().find(name, self.session).is_some()
    }

    /// 42P07 if a relation has that name already.
    pub(super) fn demand_free(&self, name: &str) -> Result<()> {
        let schema = self.server.schema.borrow();
        let sequences = schema.sequences();
        if schema.is_being_made(name, self.session)
            || schema.is_index_being_made(name, self.session)
            || sequences.is_being_made(name, self.session)
        {
            return Err(Failure::not_modelled(format!("two transactions that create {name} at once")));
        }
        drop(schema);
        if self.is_taken(name) {
            return Err(Failure::sql("42P07", format!("relation \"{name}\" already exists")));
        }
        Ok(())
    }
}

/// 42710 if the table has a constraint of that name already.
pub(super) fn demand_new_constraint(table: &TableDef, name: &str) -> Result<()> {
    if constraints(table).any(|known| known == name) {
        let relation = &table.name;
        let message = format!("constraint \"{name}\" for relation \"{relation}\" already exists");
        return Err(Failure::sql("42710", message));
    }
    Ok(())
}

/// 42809 if a relation has the wrong kind for the command.
pub(super) fn wrong_kind(name: &str, wanted: &str) -> Failure {
    Failure::sql("42809", format!("\"{name}\" is not {wanted}"))
}

/// 2BP01 if something to be dropped is needed by something that stays; if several are dropped, the message names none.
pub(super) fn needed(what: &str, of: usize) -> Failure {
    let message = if of == 1 {
        format!("cannot drop {what} because other objects depend on it")
    } else {
        "cannot drop desired object(s) because other objects depend on them".to_owned()
    };
    Failure::sql("2BP01", message)
}

/// Column names joined as the middle part of a generated name; stops once the result is longer than a name.
pub(super) fn joined<'n>(columns: impl Iterator<Item = &'n str>) -> String {
    let mut joined = String::new();
    for column in columns {
        if !joined.is_empty() {
            joined.push('_');
        }
        joined.push_str(column);
        if joined.len() > NAME_MAX {
            break;
        }
    }
    joined
}

/// The names of an index's columns, made unique by appending numbers to repeated names (ChooseIndexColumnNames).
pub(super) fn distinct(columns: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for column in columns {
        let numbered = |number: u32| {
            let digits = number.to_string();
            format!("{}{digits}", clipped(&column, NAME_MAX - digits.len()))
        };
        let mut name = column.clone();
        let mut number = 0;
        while distinct.contains(&name) {
            number += 1;
            name = numbered(number);
        }
        distinct.push(name);
    }
    distinct
}

fn constraints(table: &TableDef) -> impl Iterator<Item = &str> {
    let owned = |index: &&Rc<IndexDef>| index.constraint;
    let indexes = table.indexes.iter().filter(owned).map(|index| index.name.as_str());
    let checks = table.checks.iter().map(|check| check.name.as_str());
    indexes.chain(checks).chain(table.foreign_keys.iter().map(|key| key.name.as_str()))
}

/// The first free name of `table_part_label`, `table_part_label1`, …
fn free(table: &str, part: Option<&str>, label: &str, taken: &BTreeSet<&str>) -> String {
    let plain = object_name(table, part, label);
    if !taken.contains(plain.as_str()) {
        return plain;
    }
    // If nothing is cut off, the numbered names are adjacent in the set, so one pass finds the used numbers.
    const ROOM: usize = 10;
    let skipped = if plain.len() + ROOM <= NAME_MAX { first_free(&plain, taken) } else { 1 };
    let mut number = skipped;
    loop {
        let name = object_name(table, part, &format!("{label}{number}"));
        if !taken.contains(name.as_str()) {
            return name;
        }
        number += 1;
    }
}

/// The smallest number that makes the name free when appended.
fn first_free(name: &str, taken: &BTreeSet<&str>) -> usize {
    let rests = taken.range(name..).map_while(|taken| taken.strip_prefix(name));
    let numbers: BTreeSet<usize> =
        rests.filter(|rest| !rest.starts_with(['0', '+'])).filter_map(|rest| rest.parse().ok()).collect();
    let mut free = 1;
    for number in numbers {
        if number != free {
            break;
        }
        free += 1;
    }
    free
}

/// `table_part_label`, shortened to the maximum length of a name by cutting the longer of the first two parts.
fn object_name(table: &str, part: Option<&str>, label: &str) -> String {
    let overhead = 1 + label.len() + usize::from(part.is_some());
    let room = NAME_MAX.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), part.map_or(0, str::len));
    while first + second > room {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let table = clipped(table, first);
    match part {
        Some(part) => format!("{table}_{}_{label}", clipped(part, second)),
        None => format!("{table}_{label}"),
    }
}

/// The first `bytes` bytes of a name, without splitting a character.
fn clipped(name: &str, bytes: usize) -> &str {
    &name[..name.floor_char_boundary(bytes.min(name.len()))]
}
