//! Conversion between the kernel's values and the model's: numbers, texts, bytes, booleans and timestamps are converted
//! directly; types that the kernel has no value for become the text that the server would print.

use std::rc::Rc;

use retrial_engine::footprint::{Footprint, Item, Touch, Use, part};
use retrial_engine::{Answer, Row, RowChange, Table, Value};
use retrial_pgmodel::footprint::{self, Object};
use retrial_pgmodel::{Change, Column, Outcome, TableDef, TableId, Tuple, Type, Value as ModelValue};

use crate::row_key::row_key;

/// Converts a statement parameter.
pub(super) fn param(value: &Value) -> ModelValue {
    match value {
        Value::Null => ModelValue::Null,
        Value::Integer(number) => ModelValue::Int(*number),
        Value::Text(text) => ModelValue::Text(text.clone()),
        Value::Blob(bytes) => ModelValue::Bytes(bytes.clone()),
        Value::Bool(truth) => ModelValue::Bool(*truth),
        Value::Timestamp(time) => ModelValue::Timestamptz(*time),
        Value::Array(items) => ModelValue::Array(items.iter().map(param).collect()),
    }
}

fn result(value: &ModelValue, ty: &Type) -> Value {
    match value {
        ModelValue::Null | ModelValue::Void => Value::Null,
        ModelValue::Int(number) => Value::Integer(*number),
        ModelValue::Text(text) => Value::Text(text.clone()),
        ModelValue::Bytes(bytes) => Value::Blob(bytes.clone()),
        ModelValue::Bool(truth) => Value::Bool(*truth),
        ModelValue::Timestamptz(time) => Value::Timestamp(*time),
        other => Value::Text(other.output(ty).into()),
    }
}

/// Converts a statement's result.
pub(super) fn answer(outcome: &Outcome) -> Answer {
    let row = |tuple: &Tuple| -> Row {
        tuple.iter().zip(outcome.columns.iter()).map(|(value, column)| result(value, &column.ty)).collect()
    };
    Answer { rows: outcome.rows.iter().map(row).collect(), changed: changed(outcome) }
}

/// Drivers report zero changed rows for a query.
fn changed(outcome: &Outcome) -> u64 {
    if matches!(outcome.tag, "INSERT" | "UPDATE" | "DELETE") { outcome.affected } else { 0 }
}

/// Converts a row of a table, leaving out dropped columns.
pub(super) fn row(table: &TableDef, tuple: &Tuple) -> Row {
    let all = table.columns.iter().zip(tuple.iter());
    let shown = |(column, value): (&Column, &ModelValue)| result(value, &column.ty);
    if table.columns.iter().any(|column| column.dropped) {
        return all.filter(|(column, _)| !column.dropped).map(shown).collect();
    }
    // An iterator of known length is collected without an intermediate vector.
    all.map(shown).collect()
}

/// Converts a statement's footprint to the kernel's representation. The order of commits matters only to long-lived
/// snapshots.
pub(super) fn footprint(used: &footprint::Footprint) -> Footprint {
    let touch = |(object, how): &(Object, footprint::Use)| {
        let (part, item) = match object {
            Object::Table(table) => (table_part(*table), None),
            Object::TableLock(table) => (part("table locks", ""), Some(Item::Other(u64::from(table.0)))),
            Object::Key(table, key) => (table_part(*table), Some(Item::Rows(*key))),
            Object::Advisory(key) => (part("advisory lock", ""), Some(Item::Other(*key as u64))),
            Object::Sequence(name) => (part("sequence", ""), Some(Item::Other(*name))),
            Object::Commit => (part("commits", ""), None),
            Object::Tail(table) => (part("table ends", ""), Some(Item::Other(u64::from(table.0)))),
            Object::Waits => (part("waits", ""), None),
            Object::Serializable => (part("serializable", ""), None),
            Object::Definitions => (part("definitions", ""), None),
        };
        let how = if *how == footprint::Use::Read { Use::Read } else { Use::Write };
        Touch { part, item, how }
    };
    Footprint { touched: used.touched.iter().map(touch).collect() }
}

fn table_part(table: TableId) -> u64 {
    part("table", "").wrapping_add(2 * u64::from(table.0))
}

/// Table definitions in the kernel's form, built once per definition.
#[derive(Default)]
pub(super) struct Tables {
    known: Vec<(Rc<TableDef>, Rc<Table>)>,
}

impl Tables {
    pub(super) fn table(&mut self, def: &Rc<TableDef>) -> Rc<Table> {
        if let Some((_, table)) = self.known.iter().find(|(known, _)| Rc::ptr_eq(known, def)) {
            return table.clone();
        }
        let kept = def.columns.iter().filter(|column| !column.dropped);
        let columns = kept.map(|column| column.name.clone()).collect();
        let table = Rc::new(Table { name: def.name.clone(), columns });
        // Bounds the cache: definitions that trials create and drop would accumulate.
        if self.known.len() >= 64 {
            self.known.clear();
        }
        self.known.push((def.clone(), table.clone()));
        table
    }

    pub(super) fn change(&mut self, change: &Change) -> RowChange {
        let def = &change.table;
        let of = |tuple: &Tuple| row(def, tuple);
        let (before, after) = (change.before.as_ref().map(of), change.after.as_ref().map(of));
        let primary = def.indexes.iter().find(|index| index.primary);
        let whole = change.after.as_ref().or(change.before.as_ref());
        let key = match (primary, whole) {
            (Some(primary), Some(tuple)) => {
                let value = |column: usize| result(&tuple[column], &def.columns[column].ty);
                let mut columns = primary.plain_columns();
                match (columns.next(), columns.next()) {
                    (Some(only), None) => row_key(&[value(only)]),
                    _ => row_key(&primary.plain_columns().map(value).collect::<Vec<_>>()),
                }
            }
            (None, Some(tuple)) => row_key(&of(tuple)),
            (_, None) => 0,
        };
        RowChange { table: self.table(def), key, before, after }
    }
}
