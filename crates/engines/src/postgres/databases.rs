//! The scratch databases on a server: their names, and how those of killed runs are recognized and dropped.
//!
//! The owner of a database stays connected to it, and the server refuses to drop a database that has connections. The
//! connection thus acts as the owner's lock: the server itself checks it, and it is released however the owner ends. An
//! advisory lock would not do: it belongs to the database in which it is taken, and two runs may connect through
//! different ones. Between its creation and the first connection a database may be taken for abandoned; its owner then
//! creates another.

use std::fs::File;
use std::io::Read;

use retrial_engine::error::Error;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

/// Databases with our name pattern that belong to this role and have no connections.
const ABANDONED: &str = "
SELECT datname::text FROM pg_database d
WHERE datname ~ '^retrial_scratch_[0-9a-f]{16}$' AND pg_get_userbyid(datdba) = current_user
  AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datid = d.oid AND backend_type = 'client backend')";

/// A unique name. A process ID would not do, because containers reuse the same ones.
pub(super) fn new_name() -> Result<String, Error> {
    let mut random = [0; 8];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .map_err(|error| Error::machine(format!("/dev/urandom cannot be read: {error}")))?;
    Ok(format!("retrial_scratch_{:016x}", u64::from_ne_bytes(random)))
}

/// Drops the databases that killed runs have left on the server.
pub(super) async fn drop_abandoned(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(ABANDONED).fetch_all(&mut *connection).await?;
    for name in names {
        // Without FORCE: if a client has connected in the meantime, the server refuses, which is what we want.
        let sql = format!("DROP DATABASE IF EXISTS {name}");
        match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await {
            Err(sqlx::Error::Database(_)) | Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
