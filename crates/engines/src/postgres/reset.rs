//! Restores the initial state: the schema is created once, and each trial truncates its tables and refills them from
//! copies. If a trial has changed the schema, which a fingerprint of the catalog detects, it is created again.

use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_engine::error::Error;
use retrial_engine::{InitialState, Row};

use super::catalog::Catalog;
use super::changes;
use super::convert::Plain;
use super::scratch_database::ScratchDatabase;
use super::wire_format;

/// An initial state as it exists in the database.
pub(super) struct Image {
    initial_state: Rc<InitialState>,
    pub(super) catalog: Catalog,
    /// The initial rows of each table.
    pub(super) rows: BTreeMap<String, Vec<Row>>,
    /// The SQL that restores the rows.
    reset: String,
    fingerprint: String,
    trials: u32,
}

/// Number of trials after which the log of changes is truncated, which takes longer than deleting its rows.
const EMPTY_LOG: u32 = 64;

/// A fingerprint that changes with any DDL. It uses `xmin` of the catalogs' rows, except for `pg_class`, to which
/// TRUNCATE writes.
const FINGERPRINT: &str = "
SELECT md5(string_agg(entry, ' ' ORDER BY entry)) FROM (
    SELECT 'n' || oid || ':' || xmin AS entry FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT 'c' || oid || ':' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'a' || attrelid || ':' || attnum || ':' || a.xmin FROM pg_attribute a JOIN pg_class c
        ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'd' || d.oid || ':' || d.xmin FROM pg_attrdef d WHERE d.oid >= 16384
    UNION ALL SELECT 'i' || indexrelid || ':' || i.xmin FROM pg_index i WHERE indexrelid >= 16384
    UNION ALL SELECT 'k' || k.oid || ':' || k.xmin FROM pg_constraint k WHERE k.oid >= 16384
    UNION ALL SELECT 't' || t.oid || ':' || t.xmin FROM pg_trigger t WHERE t.oid >= 16384
    UNION ALL SELECT 'y' || y.oid || ':' || y.xmin FROM pg_type y WHERE y.oid >= 16384
    UNION ALL SELECT 'p' || p.oid || ':' || p.xmin FROM pg_proc p WHERE p.oid >= 16384
) entries";

impl Image {
    /// Creates the initial state in the database, replacing its contents.
    pub(super) fn make(scratch: &ScratchDatabase, initial_state: &Rc<InitialState>) -> Result<Image, Error> {
        let others =
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
        for row in scratch.read(others.to_owned())? {
            if let Some(Some(name)) = row.first() {
                scratch.run(format!("DROP SCHEMA {} CASCADE", wire_format::identifier(name)))?;
            }
        }
        scratch.run("CREATE SCHEMA public".to_owned())?;
        let wrong = |what: &str, error: Error| match error.is_machine() {
            true => error,
            false => Error::scenario(format!("the {what} of the initial state: {error}")),
        };
        scratch.run(initial_state.schema.clone().into_owned()).map_err(|error| wrong("schema", error))?;
        scratch.run(inserts(initial_state)).map_err(|error| wrong("rows", error))?;
        let catalog = Catalog::read(scratch)?;
        let rows = read_rows(scratch, &catalog)?;
        scratch.run(format!("{}; {}", changes::MAKE, copies(&catalog)))?;
        let reset = reset(scratch, &catalog)?;
        let fingerprint = fingerprint(scratch)?;
        Ok(Image { initial_state: initial_state.clone(), catalog, rows, reset, fingerprint, trials: 0 })
    }

    /// Whether this image is of the given initial state.
    pub(super) fn is_of(&self, initial_state: &Rc<InitialState>) -> bool {
        Rc::ptr_eq(&self.initial_state, initial_state)
            || (self.initial_state.schema == initial_state.schema
                && self.initial_state.rows == initial_state.rows)
    }

    /// Restores the rows, unless the schema has changed; returns whether it did. The schema is checked only if
    /// something may have changed it.
    pub(super) fn restore(&mut self, scratch: &ScratchDatabase, defined: bool) -> Result<bool, Error> {
        if (defined || self.catalog.functions) && fingerprint(scratch)? != self.fingerprint {
            return Ok(false);
        }
        self.trials += 1;
        // Deleted log rows leave dead tuples, which each scan has to skip.
        let log = if self.trials.is_multiple_of(EMPTY_LOG) { "TRUNCATE" } else { "DELETE FROM" };
        scratch.run(format!("{log} retrial.changes; {}", self.reset))?;
        Ok(true)
    }
}

fn fingerprint(scratch: &ScratchDatabase) -> Result<String, Error> {
    let found = scratch.read(FINGERPRINT.to_owned())?;
    let print = found.into_iter().next().and_then(|row| row.into_iter().next().flatten());
    print.ok_or_else(|| Error::refused("the server's catalogue has no fingerprint"))
}

/// INSERT statements for the initial rows, one for each run of consecutive rows of the same table.
fn inserts(initial_state: &InitialState) -> String {
    let mut sql = String::new();
    let mut last = None;
    for (table, row) in &initial_state.rows {
        let values: Vec<String> = row.iter().map(|value| Plain::from(value).literal()).collect();
        let values = format!("({})", values.join(", "));
        if last == Some(*table) {
            sql.push_str(&format!(", {values}"));
        } else {
            sql.push_str(&format!("; INSERT INTO {table} VALUES {values}"));
            last = Some(*table);
        }
    }
    sql.trim_start_matches("; ").to_owned()
}

/// Creates copies of all tables, and the triggers that log changes.
fn copies(catalog: &Catalog) -> String {
    let mut sql = "CREATE SCHEMA retrial_opening;".to_owned();
    for relation in catalog.relations() {
        let (path, name) = (relation.path(), wire_format::identifier(&relation.table.name));
        sql.push_str(&format!("CREATE TABLE retrial_opening.{name} AS SELECT * FROM {path};"));
        sql.push_str(&changes::trigger(relation));
    }
    sql
}

/// The SQL that restores the rows. It is one text and thus one transaction. Triggers and foreign keys are off; they
/// were applied when the rows were first inserted.
fn reset(scratch: &ScratchDatabase, catalog: &Catalog) -> Result<String, Error> {
    let mut sql = "SET LOCAL session_replication_role = replica;".to_owned();
    let paths: Vec<String> = catalog.relations().map(|relation| relation.path()).collect();
    if !paths.is_empty() {
        sql.push_str(&format!("TRUNCATE {} RESTART IDENTITY;", paths.join(", ")));
    }
    for relation in catalog.relations() {
        let (columns, name) = (relation.given(), wire_format::identifier(&relation.table.name));
        sql.push_str(&format!(
            "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM retrial_opening.{name} \
             ORDER BY ctid;",
            relation.path()
        ));
    }
    for row in scratch.read("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'".to_owned())? {
        let Some(Some(name)) = row.first() else { continue };
        let path = format!("public.{}", wire_format::identifier(name));
        let at = scratch.read(format!("SELECT last_value, is_called FROM {path}"))?;
        if let Some([Some(value), Some(called)]) = at.first().map(|row| &row[..]) {
            let path = wire_format::quoted(&path);
            sql.push_str(&format!("SELECT setval({path}, {value}, '{called}');"));
        }
    }
    Ok(sql)
}

fn read_rows(scratch: &ScratchDatabase, catalog: &Catalog) -> Result<BTreeMap<String, Vec<Row>>, Error> {
    let mut found = BTreeMap::new();
    for relation in catalog.relations() {
        let rows = scratch.read(format!("SELECT * FROM {}", relation.path()))?;
        let rows = rows.iter().map(|row| changes::values(&relation.types, row)).collect::<Result<_, _>>()?;
        found.insert(relation.table.name.clone(), rows);
    }
    Ok(found)
}
