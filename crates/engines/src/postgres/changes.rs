//! The log of committed row changes. Triggers write each change into a log table in the transaction that makes it; the
//! engine reads it from there after the commit. Changes are attributed to the server process that made them. The log
//! lacks what triggers do not see: TRUNCATE, and tables created during a trial.

use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_engine::error::Error;
use retrial_engine::{Row, RowChange, Value};

use crate::row_key::row_key;

use super::catalog::{Catalog, Relation};
use super::scratch_database::{ScratchDatabase, TextRow};
use super::{convert, wire_format};

/// Creates the log table and the trigger function. The order within a session is counted in a custom setting, because a
/// sequence would change the application's `lastval()`.
pub(super) const MAKE: &str = "
CREATE SCHEMA retrial;
CREATE TABLE retrial.changes (pid int4, number int8, relation text, before text, after text);
CREATE FUNCTION retrial.note() RETURNS trigger LANGUAGE plpgsql
    SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
DECLARE
    number int8 := coalesce(nullif(current_setting('retrial.number', true), ''), '0')::int8 + 1;
BEGIN
    PERFORM set_config('retrial.number', number::text, false);
    INSERT INTO retrial.changes VALUES (pg_backend_pid(), number, TG_ARGV[0], OLD::text, NEW::text);
    RETURN NULL;
END $$;";

/// The trigger of a table. Its name sorts after others, so that it fires last.
pub(super) fn trigger(relation: &Relation) -> String {
    format!(
        "CREATE TRIGGER \"~retrial\" AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW \
         EXECUTE FUNCTION retrial.note({});",
        relation.path(),
        wire_format::quoted(&relation.table.name)
    )
}

/// The contents of each table according to the log.
#[derive(Default)]
pub(super) struct Account {
    /// The number of copies of each row, by table.
    tables: BTreeMap<String, BTreeMap<Row, i64>>,
}

impl Account {
    /// Starts again from the initial rows.
    pub(super) fn start(&mut self, initial_state: &BTreeMap<String, Vec<Row>>) {
        self.tables.clear();
        for (table, rows) in initial_state {
            let count = self.tables.entry(table.clone()).or_default();
            rows.iter().for_each(|row| *count.entry(row.clone()).or_default() += 1);
        }
    }

    /// Applies the changes of a committed transaction.
    pub(super) fn apply(&mut self, committed: &[RowChange]) {
        for change in committed {
            let rows = self.tables.entry(change.table.name.clone()).or_default();
            for (row, by) in [(&change.before, -1), (&change.after, 1)] {
                let Some(row) = row else { continue };
                let count = rows.entry(row.clone()).or_default();
                *count += by;
                if *count == 0 {
                    rows.remove(row);
                }
            }
        }
    }

    /// Compares the log's contents of a table with its actual rows.
    pub(super) fn reconcile(&self, table: &str, rows: &[Row]) -> Result<(), Error> {
        let mut found: BTreeMap<Row, i64> = BTreeMap::new();
        rows.iter().for_each(|row| *found.entry(row.clone()).or_default() += 1);
        let told = self.tables.get(table);
        if told.map_or(found.is_empty(), |told| *told == found) {
            return Ok(());
        }
        Err(Error::refused(format!("the rows of {table} are not what the committed changes come to")))
    }
}

/// Takes the changes that a server process has committed since the last call, in the order in which they were made.
/// `catalogs` are those of this trial, latest first: a row may have been written before its table got another column.
pub(super) fn take(
    scratch: &ScratchDatabase,
    catalogs: &[&Catalog],
    pid: i32,
) -> Result<Vec<RowChange>, Error> {
    let sql =
        format!("DELETE FROM retrial.changes WHERE pid = {pid} RETURNING number, relation, before, after");
    let mut noted: Vec<(i64, TextRow)> = Vec::new();
    for row in scratch.read(sql)? {
        let number = row.first().and_then(Option::as_deref).and_then(|text| text.parse().ok());
        noted.push((number.ok_or_else(|| garbled("a number"))?, row));
    }
    noted.sort_by_key(|(number, _)| *number);
    noted.into_iter().map(|(_, row)| change(catalogs, row)).collect()
}

fn garbled(what: &str) -> Error {
    Error::refused(format!("the log of changes lacks {what}"))
}

fn change(catalogs: &[&Catalog], noted: TextRow) -> Result<RowChange, Error> {
    let [_, Some(name), before, after] = &noted[..] else { return Err(garbled("a column")) };
    let fields = |text: &Option<String>| {
        let fields =
            text.as_deref().map(|text| wire_format::row_fields(text).ok_or_else(|| garbled("a bracket")));
        fields.transpose()
    };
    let (before, after) = (fields(before)?, fields(after)?);
    let relation = relation(catalogs, name, [&before, &after])?;
    let row = |fields: Option<Vec<Option<String>>>| {
        fields.map(|fields| values(&relation.types, &fields)).transpose()
    };
    let (before, after) = (row(before)?, row(after)?);
    let key = after.as_ref().or(before.as_ref()).map_or(0, |row| key(relation, row));
    Ok(RowChange { table: relation.table.clone(), key, before, after })
}

/// The table's definition when rows with this number of fields were written.
fn relation<'c>(
    catalogs: &[&'c Catalog],
    name: &str,
    rows: [&Option<Vec<Option<String>>>; 2],
) -> Result<&'c Relation, Error> {
    let known = catalogs.iter().filter_map(|catalog| catalog.relation(name).ok());
    let fits =
        |relation: &&Relation| rows.iter().copied().flatten().all(|row| row.len() == relation.types.len());
    let mut fitting = known.filter(fits);
    let changed = || format!("{name} changed its columns in the transaction that changed its rows");
    let found = fitting.next().ok_or_else(|| Error::refused(changed()))?;
    match fitting.all(|other| other == found) {
        true => Ok(found),
        false => Err(Error::refused(format!("{name} had other columns before, as many as now"))),
    }
}

/// Parses the texts that the server printed.
pub(super) fn values(types: &[u32], texts: &[Option<String>]) -> Result<Row, Error> {
    let value = |(oid, text): (&u32, &Option<String>)| match text {
        None => Ok(Value::Null),
        Some(text) => convert::from_text(*oid, text),
    };
    Ok(Rc::from(types.iter().zip(texts).map(value).collect::<Result<Vec<_>, _>>()?))
}

fn key(relation: &Relation, row: &Row) -> i64 {
    let columns: Vec<Value> = relation.key.iter().filter_map(|index| row.get(*index).cloned()).collect();
    row_key(if columns.is_empty() { row } else { &columns })
}
