//! The database file: its location, and how it is restored to the initial rows between trials.
//!
//! The rows are inserted once, into an in-memory database. Each trial copies that image over the file with SQLite's
//! backup API (<https://www.sqlite.org/backup.html>), which works while connections are open. The copy would increase
//! the schema cookie and make every connection prepare its statements again, so the cookie is reset.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use retrial_engine::error::Error;
use retrial_engine::{InitialState, Row, Table};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::session::refused;
use super::statement::{self, Failure};
use super::{Journal, ambient, clock};

/// The schema cookie at the start of every trial: equal for equal schemas and different for different ones, so that
/// connections do not mistake one cached schema for another.
fn cookie(schema: &str) -> u32 {
    // 31 bits of FNV-1a. The lowest bits are left to schema changes during a trial, which count up from here.
    let hash =
        schema.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 1 & !0xff) + 1
}

pub(super) struct Database {
    path: PathBuf,
    /// The connection that restores the rows; each restore makes SQLite discard its cached schema.
    house: Connection,
    /// The connection that reads final rows, with cached prepared statements. No actor uses either connection.
    reader: Connection,
    image: Option<Image>,
    schema_changed: bool,
}

/// Rows with their rowids, in rowid order.
pub(super) type Keyed = Vec<(i64, Row)>;

struct Image {
    initial_state: Rc<InitialState>,
    rows: Connection,
}

impl Database {
    pub(super) fn create(folder: &Path, journal: Journal) -> Result<Database, Error> {
        ambient::configure_once();
        clock::install_once();
        let mode = match journal {
            Journal::Wal => "wal",
            Journal::Rollback => "delete",
        };
        let path = folder.join(format!("trial-{mode}.db"));
        let house = open(&path).map_err(refused)?;
        house.pragma_update(None, "journal_mode", mode).map_err(refused)?;
        let reader = open(&path).map_err(refused)?;
        Ok(Database { path, house, reader, image: None, schema_changed: false })
    }

    pub(super) fn connect(&self) -> Result<Connection, Error> {
        let connection = open(&self.path).map_err(refused)?;
        read_schema(&connection)?;
        Ok(connection)
    }

    /// Records that a trial is about to change the schema, so that the next trial does not rely on the connections'
    /// caches.
    pub(super) fn schema_changes(&mut self) {
        self.schema_changed = true;
    }

    /// Whether this trial has changed the schema.
    pub(super) fn has_changed(&self) -> bool {
        self.schema_changed
    }

    /// Restores the initial rows; returns whether the schema or the rows differ from what connections have cached.
    pub(super) fn restore(&mut self, initial_state: &Rc<InitialState>) -> Result<bool, Error> {
        let same = self.image.as_ref().is_some_and(|image| Rc::ptr_eq(&image.initial_state, initial_state));
        if !same {
            self.image = Some(Image { initial_state: initial_state.clone(), rows: image(initial_state)? });
        }
        let image = &self.image.as_ref().expect("just made").rows;
        let copied =
            Backup::new(image, &mut self.house).and_then(|backup| backup.step(-1)).map_err(refused)?;
        if copied != StepResult::Done {
            return Err(Error::refused("the database could not be restored: a connection still holds it"));
        }
        self.house.pragma_update(None, "schema_version", cookie(&initial_state.schema)).map_err(refused)?;
        let renewed = !same || self.schema_changed;
        self.schema_changed = false;
        if renewed {
            self.reader.flush_prepared_statement_cache();
            read_schema(&self.reader)?;
        }
        Ok(renewed)
    }

    /// The names of the tables.
    pub(super) fn tables(&self) -> Result<Vec<String>, Error> {
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut names = self.reader.prepare(sql).map_err(refused)?;
        let names = names.query_map([], |row| row.get(0)).map_err(refused)?;
        names.collect::<Result<_, _>>().map_err(refused)
    }

    /// A table's definition and its rows, each with its rowid, in rowid order.
    pub(super) fn rows(&self, name: &str) -> Result<(Rc<Table>, Keyed), Error> {
        let sql = format!("SELECT rowid, * FROM \"{name}\" ORDER BY rowid");
        let mut select = match self.reader.prepare_cached(&sql) {
            Ok(select) => select,
            Err(_) if !self.tables()?.iter().any(|table| table == name) => {
                return Err(Error::scenario(format!("there is no table `{name}`, which `tables` names")));
            }
            Err(error) => return Err(refused(error)),
        };
        let columns: Vec<String> = select.column_names().skip(1).map(str::to_owned).collect();
        let end = columns.len() + 1;
        let mut found = Vec::new();
        let mut rows = select.query([]).map_err(refused)?;
        while let Some(row) = rows.next().map_err(refused)? {
            let key = row.get(0).map_err(refused)?;
            let values = statement::read(row, 1, end).map_err(|failure| match failure {
                Failure::Sql(error) => refused(error),
                Failure::Refused(error) => error,
            })?;
            found.push((key, values));
        }
        Ok((Rc::new(Table { name: name.to_owned(), columns }), found))
    }
}

/// Opens a connection with the VFS that keeps SQLite's locks inside the process (<https://www.sqlite.org/vfs.html>,
/// `unix-excl`): connections of one process see the same locks, without a system call for each.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), clock::VFS)?;
    // Nothing here may wait on the wall clock, as rusqlite's default timeout would.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

/// A table's definition, as seen by the connection.
pub(super) fn definition(connection: &Connection, name: &str) -> Result<Rc<Table>, Error> {
    let select = connection.prepare(&format!("SELECT * FROM \"{name}\" LIMIT 0")).map_err(refused)?;
    let columns = select.column_names().map(str::to_owned).collect();
    Ok(Rc::new(Table { name: name.to_owned(), columns }))
}

/// Makes the connection read the schema, so that no statement of a trial has to detect that it changed. If a writer is
/// in the way, the first statement reads the schema instead, and waits if necessary.
pub(super) fn read_schema(connection: &Connection) -> Result<(), Error> {
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        read => read.map_err(refused),
    }
}

fn image(initial_state: &InitialState) -> Result<Connection, Error> {
    let wrong = |what: &str, error: rusqlite::Error| match refused(error) {
        error if error.is_machine() => error,
        error => Error::scenario(format!("the {what} of the initial state: {error}")),
    };
    let flags = OpenFlags::default();
    let mut image = Connection::open_in_memory_with_flags_and_vfs(flags, clock::VFS).map_err(refused)?;
    image.execute_batch(&initial_state.schema).map_err(|error| wrong("schema", error))?;
    let filling = image.transaction().map_err(refused)?;
    for (table, row) in &initial_state.rows {
        let marks = vec!["?"; row.len()].join(", ");
        let mut insert = filling
            .prepare_cached(&format!("INSERT INTO {table} VALUES ({marks})"))
            .map_err(|error| wrong("rows", error))?;
        let row: Vec<_> = row.iter().map(statement::parameter).collect::<Result<_, _>>()?;
        insert.execute(rusqlite::params_from_iter(row)).map_err(|error| wrong("rows", error))?;
    }
    filling.commit().map_err(refused)?;
    Ok(image)
}
