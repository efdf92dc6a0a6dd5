//! Going back to the opening rows: the schema is made once, and each trial empties its tables and fills them
//! from copies. Where a trial has changed the schema it is made anew; a catalogue's fingerprint tells.

use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_sim::engine::{Opening, Row};
use retrial_sim::error::Error;

use super::catalog::Catalog;
use super::changes;
use super::convert::Plain;
use super::forms;
use super::room::Room;

/// An opening as the database holds it.
pub(super) struct Image {
    opening: Rc<Opening>,
    pub(super) catalog: Catalog,
    /// Each table's rows.
    pub(super) rows: BTreeMap<String, Vec<Row>>,
    /// What puts the rows back.
    reset: String,
    fingerprint: String,
    trials: u32,
}

/// After so many trials the log of changes is made anew, which takes longer than deleting its rows.
const EMPTY_LOG: u32 = 64;

/// What stays the same while nobody defines anything. The number of the transaction that last wrote a
/// catalogue's row is not looked at in `pg_class`, where emptying a table writes.
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
    /// Makes the opening in the database, in place of whatever is there.
    pub(super) fn make(room: &Room, opening: &Rc<Opening>) -> Result<Image, Error> {
        let others =
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";
        for row in room.read(others.to_owned())? {
            if let Some(Some(name)) = row.first() {
                room.run(format!("DROP SCHEMA {} CASCADE", forms::identifier(name)))?;
            }
        }
        room.run("CREATE SCHEMA public".to_owned())?;
        let wrong = |what: &str, error: Error| match error.is_machine() {
            true => error,
            false => Error::scenario(format!("the {what} of the initial state: {error}")),
        };
        room.run(opening.schema.clone().into_owned()).map_err(|error| wrong("schema", error))?;
        room.run(inserts(opening)).map_err(|error| wrong("rows", error))?;
        let catalog = Catalog::read(room)?;
        let rows = read_rows(room, &catalog)?;
        room.run(format!("{}; {}", changes::MAKE, copies(&catalog)))?;
        let reset = reset(room, &catalog)?;
        let fingerprint = fingerprint(room)?;
        Ok(Image { opening: opening.clone(), catalog, rows, reset, fingerprint, trials: 0 })
    }

    /// Whether this is that opening.
    pub(super) fn is_of(&self, opening: &Rc<Opening>) -> bool {
        Rc::ptr_eq(&self.opening, opening)
            || (self.opening.schema == opening.schema && self.opening.rows == opening.rows)
    }

    /// Puts the rows back, unless the schema is not the opening's any more; tells whether it did. Where
    /// nothing can have changed the schema it is not looked at.
    pub(super) fn restore(&mut self, room: &Room, defined: bool) -> Result<bool, Error> {
        if (defined || self.catalog.functions) && fingerprint(room)? != self.fingerprint {
            return Ok(false);
        }
        self.trials += 1;
        // What is deleted from the log leaves a little behind each time, which a scan passes over.
        let log = if self.trials.is_multiple_of(EMPTY_LOG) { "TRUNCATE" } else { "DELETE FROM" };
        room.run(format!("{log} retrial.changes; {}", self.reset))?;
        Ok(true)
    }
}

fn fingerprint(room: &Room) -> Result<String, Error> {
    let found = room.read(FINGERPRINT.to_owned())?;
    let print = found.into_iter().next().and_then(|row| row.into_iter().next().flatten());
    print.ok_or_else(|| Error::refused("the server's catalogue has no fingerprint"))
}

/// The opening rows, those of neighbouring entries of one table in one statement.
fn inserts(opening: &Opening) -> String {
    let mut sql = String::new();
    let mut last = None;
    for (table, row) in &opening.rows {
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

/// Copies of all tables, and the triggers that write down what changes in them.
fn copies(catalog: &Catalog) -> String {
    let mut sql = "CREATE SCHEMA retrial_opening;".to_owned();
    for relation in catalog.relations() {
        let (path, name) = (relation.path(), forms::identifier(&relation.table.name));
        sql.push_str(&format!("CREATE TABLE retrial_opening.{name} AS SELECT * FROM {path};"));
        sql.push_str(&changes::trigger(relation));
    }
    sql
}

/// One text is one transaction. It runs without triggers and foreign keys, which have had their say when the
/// rows were first put in.
fn reset(room: &Room, catalog: &Catalog) -> Result<String, Error> {
    let mut sql = "SET LOCAL session_replication_role = replica;".to_owned();
    let paths: Vec<String> = catalog.relations().map(|relation| relation.path()).collect();
    if !paths.is_empty() {
        sql.push_str(&format!("TRUNCATE {} RESTART IDENTITY;", paths.join(", ")));
    }
    for relation in catalog.relations() {
        let (columns, name) = (relation.given(), forms::identifier(&relation.table.name));
        sql.push_str(&format!(
            "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM retrial_opening.{name} \
             ORDER BY ctid;",
            relation.path()
        ));
    }
    for row in room.read("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'".to_owned())? {
        let Some(Some(name)) = row.first() else { continue };
        let path = format!("public.{}", forms::identifier(name));
        let at = room.read(format!("SELECT last_value, is_called FROM {path}"))?;
        if let Some([Some(value), Some(called)]) = at.first().map(|row| &row[..]) {
            let path = forms::quoted(&path);
            sql.push_str(&format!("SELECT setval({path}, {value}, '{called}');"));
        }
    }
    Ok(sql)
}

fn read_rows(room: &Room, catalog: &Catalog) -> Result<BTreeMap<String, Vec<Row>>, Error> {
    let mut found = BTreeMap::new();
    for relation in catalog.relations() {
        let rows = room.read(format!("SELECT * FROM {}", relation.path()))?;
        let rows = rows.iter().map(|row| changes::values(&relation.types, row)).collect::<Result<_, _>>()?;
        found.insert(relation.table.name.clone(), rows);
    }
    Ok(found)
}
