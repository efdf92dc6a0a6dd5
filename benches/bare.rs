//! The bare loop: sends the statements of a trial over connections like those of the engine, with nothing around them.
//! To be as fast as possible, it uses everything that the engine uses: a file in memory, locks inside the process,
//! prepared statements, and the same way of restoring the initial rows.

use std::rc::Rc;

use retrial_sim::engine::{InitialState, Row, Table, Value};
use retrial_sim::trace::{EventKind, Trace};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use tempfile::TempDir;

/// Size of the statement cache, so that each text is prepared once, as on the engine's connections.
const PREPARED_STATEMENTS: usize = 64;

/// The schema cookie of the image, which is reset so that no connection prepares its statements again after a restore.
const COOKIE: i64 = 1_000;

/// A statement to send.
pub(crate) struct Sent {
    /// Index of the connection; each process of a trial has its own.
    connection: usize,
    sql: String,
    params: Vec<SqlValue>,
}

/// The statements of a trial in order. Where a process crashed inside a transaction, the driver's ROLLBACK is inserted.
pub(crate) fn statements(trace: &Trace) -> Vec<Sent> {
    let mut sent: Vec<Sent> = Vec::new();
    let mut processes: Vec<(&str, bool)> = Vec::new();
    for event in &trace.events {
        let process = trace.process(event.actor);
        let connection = processes.iter().position(|(known, _)| *known == process).unwrap_or_else(|| {
            processes.push((process, false));
            processes.len() - 1
        });
        let open = &mut processes[connection].1;
        match &event.kind {
            EventKind::Ran(statement) => {
                assert!(statement.result.is_ok(), "in this environment a statement does not fail");
                let sql = statement.sql.clone().into_owned();
                *open = *open && sql != "COMMIT" || sql.starts_with("BEGIN");
                let params = statement.params.iter().map(sql_value).collect();
                sent.push(Sent { connection, sql, params });
            }
            EventKind::Crashed if *open => {
                *open = false;
                sent.push(Sent { connection, sql: "ROLLBACK".to_owned(), params: Vec::new() });
            }
            _ => {}
        }
    }
    sent
}

fn sql_value(value: &Value) -> SqlValue {
    match value {
        Value::Null => SqlValue::Null,
        Value::Integer(number) => SqlValue::Integer(*number),
        Value::Text(text) => SqlValue::Text(text.to_string()),
        Value::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
        Value::Bool(truth) => SqlValue::Integer(i64::from(*truth)),
        Value::Timestamp(_) | Value::Array(_) => panic!("SQLite has no such value"),
    }
}

/// A database and its connections.
pub(crate) struct Bare {
    connections: Vec<Connection>,
    /// Reads the final rows.
    reader: Connection,
    /// Restores the initial rows.
    house: Connection,
    image: Connection,
    tables: Vec<String>,
    _folder: TempDir,
}

impl Bare {
    pub(crate) fn new(initial_state: &InitialState) -> Bare {
        let folder = tempfile::Builder::new().prefix("retrial-bare-").tempdir_in("/dev/shm");
        let folder = folder.expect("a folder in memory");
        let path = folder.path().join("trial.db");
        let make = || -> rusqlite::Result<Bare> {
            let open = || {
                let connection =
                    Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), c"unix-excl")?;
                connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
                connection.pragma_update(None, "journal_mode", "wal")?;
                connection.pragma_update(None, "synchronous", "normal")?;
                Ok(connection)
            };
            let house = open()?;
            // The server's connection and one for each of the two readers.
            let connections = (0..3).map(|_| open()).collect::<rusqlite::Result<_>>()?;
            let image = Connection::open_in_memory()?;
            image.execute_batch(&initial_state.schema)?;
            for (table, row) in &initial_state.rows {
                let marks = vec!["?"; row.len()].join(", ");
                let sql = format!("INSERT INTO {table} VALUES ({marks})");
                image.prepare_cached(&sql)?.execute(params_from_iter(row.iter().map(sql_value)))?;
            }
            Ok(Bare { connections, reader: open()?, house, image, tables: Vec::new(), _folder: folder })
        };
        make().expect("the database is made")
    }

    /// Restores the initial rows and sends all statements.
    pub(crate) fn run_trial(&mut self, sent: &[Sent]) {
        let copied = Backup::new(&self.image, &mut self.house).and_then(|backup| backup.step(-1));
        assert_eq!(copied.expect("the rows are put back"), StepResult::Done, "the database is not locked");
        self.house.pragma_update(None, "schema_version", COOKIE).expect("the cookie is put back");
        for Sent { connection, sql, params } in sent {
            send(&self.connections[*connection], sql, params).expect("the trial's statements run");
        }
    }

    /// The final rows of these tables, which [`Bare::read_tables`] reads from then on.
    pub(crate) fn tables<'t>(&mut self, names: impl Iterator<Item = &'t str>) -> Vec<(Rc<Table>, Vec<Row>)> {
        let select = |name: &str| format!("SELECT * FROM \"{name}\" ORDER BY rowid");
        self.tables = names.map(|name| name.to_owned()).collect();
        let selects = self.tables.iter().map(|name| select(name));
        let read = |(name, sql): (&String, String)| {
            let statement = self.reader.prepare(&sql).expect("the table is there");
            let columns = statement.column_names().map(str::to_owned).collect();
            let table = Rc::new(Table { name: name.clone(), columns });
            (table, send(&self.reader, &sql, &[]).expect("its rows are read"))
        };
        let tables = self.tables.iter().zip(selects).map(read).collect();
        self.tables = self.tables.iter().map(|name| select(name)).collect();
        tables
    }

    pub(crate) fn read_tables(&self) {
        for sql in &self.tables {
            send(&self.reader, sql, &[]).expect("the rows are read");
        }
    }
}

/// Sends one statement and reads all its rows.
fn send(connection: &Connection, sql: &str, params: &[SqlValue]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query(params_from_iter(params))?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Text(text) => String::from_utf8_lossy(text).as_ref().into(),
                _ => Value::Null,
            })
        });
        read.push(values.collect::<rusqlite::Result<_>>()?);
    }
    Ok(read)
}
