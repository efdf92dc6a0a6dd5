//! Finding a live server: the one at a URL, or else a throwaway cluster from the binaries on this machine. On
//! a server that is not ours nothing is touched but databases that were made here and are dropped at the end.

use std::fmt;
use std::process;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use retrial_sim::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::cluster::Cluster;
use super::driver::Driver;

/// How long a server may take before it takes connections.
const START: Duration = Duration::from_secs(30);

/// The oldest version whose functions are used here (`pg_terminate_backend` with a timeout).
const OLDEST: i32 = 140_000;

/// Numbers the databases of this process.
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A live server, shared by all engines and consoles of a process. It is found once, outside any trial.
pub struct Server {
    options: PgConnectOptions,
    driver: Driver,
    version: i32,
    /// Declared last, so that it stops when nothing is connected any more.
    cluster: Option<Cluster>,
}

impl Server {
    /// The server at the URL if there is one, or else a throwaway cluster, which takes a second or two to
    /// start.
    ///
    /// # Errors
    /// Where there is neither, in one line that says how to get one; where the server is older than 14, or
    /// the role is not a superuser's.
    pub fn find(url: Option<&str>) -> Result<Arc<Server>, Error> {
        let (options, mut cluster) = match url {
            Some(url) => {
                let options = PgConnectOptions::from_str(url).map_err(|error| {
                    Error::refused(format!("RETRIAL_POSTGRES_URL cannot be read: {error}"))
                })?;
                (options, None)
            }
            None => {
                let binaries = Cluster::binaries().ok_or_else(|| {
                    Error::refused(
                        "no Postgres server was found, so nothing was run on one: set RETRIAL_POSTGRES_URL, \
                         or install one (Debian: apt-get install postgresql)",
                    )
                })?;
                let cluster = Cluster::start(binaries.as_deref())?;
                let options = PgConnectOptions::new_without_pgpass()
                    .socket(cluster.socket())
                    .port(5432)
                    .username("postgres")
                    .database("postgres")
                    .ssl_mode(PgSslMode::Disable);
                (options, Some(cluster))
            }
        };
        let options = options.disable_statement_logging();
        let driver = Driver::start()?;
        let (version, superuser) = first_words(&driver, &options, cluster.as_mut())?;
        if version < OLDEST {
            return Err(Error::refused(format!(
                "the server is too old: {version}, and 14 is the oldest that will do"
            )));
        }
        if !superuser {
            return Err(Error::refused(format!(
                "the role {} is no superuser, which setting deadlock_timeout and restoring rows need",
                options.get_username()
            )));
        }
        Ok(Arc::new(Server { options, driver, version, cluster }))
    }

    /// The server's version as it numbers it: 150018 for 15.18.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// The folder of the throwaway cluster, if it is one.
    pub fn folder(&self) -> Option<&std::path::Path> {
        self.cluster.as_ref().map(Cluster::socket)
    }

    /// The process of the throwaway cluster's server, if it is one.
    pub fn process(&self) -> Option<u32> {
        self.cluster.as_ref().map(Cluster::process)
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Makes a database of our own; tells how to connect to it.
    pub(super) fn make_database(&self) -> Result<PgConnectOptions, Error> {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("retrial_{}_{number}", process::id());
        let sql =
            format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
        self.maintain(sql)?;
        Ok(self.options.clone().database(&name))
    }

    /// Drops a database that was made here, whoever is still connected to it.
    pub(super) fn drop_database(&self, name: &str) -> Result<(), Error> {
        self.maintain(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    }

    fn maintain(&self, sql: String) -> Result<(), Error> {
        let options = self.options.clone();
        self.driver.ask(move || async move {
            let mut connection = PgConnection::connect_with(&options).await.map_err(unreachable)?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map_err(unreachable)?;
            connection.close().await.map_err(unreachable)
        })?
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("version", &self.version).finish_non_exhaustive()
    }
}

/// What the server did not answer, in one line.
pub(super) fn unreachable(error: sqlx::Error) -> Error {
    Error::refused(format!("the live server: {error}"))
}

/// Asks for the version and the role's rights, as soon as the server takes connections.
fn first_words(
    driver: &Driver,
    options: &PgConnectOptions,
    mut cluster: Option<&mut Cluster>,
) -> Result<(i32, bool), Error> {
    let nap = Duration::from_millis(20);
    let mut tries_left = START.as_millis() / nap.as_millis();
    loop {
        let to = options.clone();
        let said = driver.ask(move || async move {
            let said = greet(&to).await;
            if said.is_err() {
                tokio::time::sleep(nap).await;
            }
            said
        })?;
        let error = match said {
            Ok(said) => return Ok(said),
            Err(error) => error,
        };
        // Only a server that was started just now is waited for.
        let Some(cluster) = cluster.as_deref_mut() else {
            return Err(Error::refused(format!(
                "the server at RETRIAL_POSTGRES_URL cannot be used: {error}"
            )));
        };
        if let Some(why) = cluster.obituary() {
            return Err(Error::refused(format!("the throwaway cluster did not start, {why}")));
        }
        if tries_left == 0 {
            return Err(Error::refused(format!("the throwaway cluster takes no connections: {error}")));
        }
        tries_left -= 1;
    }
}

async fn greet(options: &PgConnectOptions) -> Result<(i32, bool), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    let sql = "SELECT current_setting('server_version_num')::int4, rolsuper FROM pg_roles \
               WHERE rolname = current_user";
    let said: (i32, bool) = sqlx::query_as(sql).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(said)
}
