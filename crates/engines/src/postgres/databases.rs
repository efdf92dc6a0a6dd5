//! The databases that are made on a server: their names, and how those of a killed run are told and removed.
//!
//! Whoever has made a database stays connected to it, and a server drops none to which somebody is connected. So that
//! connection is the lock of a live owner, which the server itself looks at: it cannot be forgotten, and it falls
//! however the owner ends. An advisory lock would be one of the database from which it was taken, and two runs may have
//! come by different ones. Between its making and the first connection a database may be taken for abandoned; then its
//! maker makes another.

use std::fs::File;
use std::io::Read;

use retrial_sim::error::Error;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

/// Databases of our name that are this role's and that nobody is connected to.
const ABANDONED: &str = "
SELECT datname::text FROM pg_database d
WHERE datname ~ '^retrial_scratch_[0-9a-f]{16}$' AND pg_get_userbyid(datdba) = current_user
  AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datid = d.oid AND backend_type = 'client backend')";

/// A name that no other run has. A process id would not do: in a container the same one comes back.
pub(super) fn new_name() -> Result<String, Error> {
    let mut random = [0; 8];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .map_err(|error| Error::machine(format!("/dev/urandom cannot be read: {error}")))?;
    Ok(format!("retrial_scratch_{:016x}", u64::from_ne_bytes(random)))
}

/// Drops what killed runs have left on the server.
pub(super) async fn drop_abandoned(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(ABANDONED).fetch_all(&mut *connection).await?;
    for name in names {
        // Without force: where somebody has connected in the meantime the server refuses, and that is right.
        let sql = format!("DROP DATABASE IF EXISTS {name}");
        match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await {
            Err(sqlx::Error::Database(_)) | Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
