//! Finds a live server: the one at a URL, or else a throwaway cluster from the binaries on this machine. On a server
//! that is not ours, only databases that were created here are touched, and they are dropped at the end.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use retrial_engine::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::cluster::Cluster;
use super::databases;
use super::driver::Driver;
use super::health::{self, Health};
use super::{clean_up, environment};
use crate::leftovers;

/// How long a new server may take until it accepts connections.
const START: Duration = Duration::from_secs(30);

/// The oldest version whose functions are used here (`pg_terminate_backend` with a timeout).
const OLDEST: i32 = 140_000;

/// A live server, shared by all engines and consoles of a process. It is found once, outside any trial.
pub struct Server {
    options: PgConnectOptions,
    driver: Driver,
    health: Arc<Health>,
    version: i32,
    /// The throwaway cluster's folder, if there is one.
    folder: Option<PathBuf>,
    /// The databases that were created here and not yet dropped.
    databases: Mutex<Vec<String>>,
    /// Declared last, so that it stops after all connections are closed.
    cluster: Mutex<Option<Cluster>>,
}

impl Server {
    /// Finds the server at the URL if one is given; otherwise starts a throwaway cluster, which takes a second or two.
    ///
    /// # Errors
    /// If there is neither, in one line that says how to get one; if the server is older than version 14; if the role
    /// is not a superuser.
    pub fn find(url: Option<&str>) -> Result<Arc<Server>, Error> {
        Server::find_within(url, health::ANSWER)
    }

    /// As [`Server::find`], but gives the server up once it has not answered for this long.
    ///
    /// # Errors
    /// As [`Server::find`].
    pub fn find_within(url: Option<&str>, answer: Duration) -> Result<Arc<Server>, Error> {
        if leftovers::is_ending() {
            return Err(leftovers::ending());
        }
        environment::forget_options();
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
        // The server's messages must not depend on its configured language.
        let options = options.disable_statement_logging().application_name("retrial");
        let options = options.options([("lc_messages", "C")]);
        let driver = Driver::start()?;
        let health = Arc::new(Health::new(options.clone(), answer));
        let Greeting { version, superuser, connections } =
            first_words(&driver, &health, &options, cluster.as_mut())?;
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
        health.has_room_for(connections);
        let folder = cluster.as_ref().map(|cluster| cluster.socket().to_owned());
        let is_ours = folder.is_some();
        let (databases, cluster) = (Mutex::default(), Mutex::new(cluster));
        let server = Arc::new(Server { options, driver, health, version, folder, databases, cluster });
        clean_up::enter(&server);
        if !is_ours {
            server.maintain(databases::drop_abandoned)?;
        }
        Ok(server)
    }

    /// The server's version number: 150018 for 15.18.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// The throwaway cluster's folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The process ID of the throwaway cluster's server, if there is one.
    pub fn process(&self) -> Option<u32> {
        lock(&self.cluster).as_ref().map(Cluster::process)
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(super) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Creates a scratch database; returns the options to connect to it.
    pub(super) fn make_database(&self) -> Result<PgConnectOptions, Error> {
        if leftovers::is_ending() {
            return Err(leftovers::ending());
        }
        let name = databases::new_name()?;
        lock(&self.databases).push(name.clone());
        let sql =
            format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
        self.maintain(async move |connection| {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
        })?;
        Ok(self.options.clone().database(&name))
    }

    /// Drops a database that was created here, even with clients connected.
    pub(super) fn drop_database(&self, name: &str) -> Result<(), Error> {
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let dropped = self.maintain(async move |connection| {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
        });
        lock(&self.databases).retain(|known| known != name);
        dropped
    }

    /// Drops everything that was created here, and stops the server if it is a throwaway cluster.
    pub(super) fn clean_up(&self) {
        let cluster = lock(&self.cluster).take();
        let databases = std::mem::take(&mut *lock(&self.databases));
        if cluster.is_none() {
            for name in databases {
                // A later run removes one that cannot be dropped.
                let _ = self.drop_database(&name);
            }
        }
        drop(cluster);
    }

    fn maintain(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<(), sqlx::Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (options, health) = (self.options.clone(), self.health.clone());
        self.driver.ask(move || async move {
            let mut connection = health.connect(&options).await?;
            health.within(work(&mut connection)).await?;
            health.within(connection.close()).await
        })?
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The contents are only replaced as a whole, so a panic elsewhere leaves them consistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The server's facts that the engine checks at start.
struct Greeting {
    version: i32,
    superuser: bool,
    connections: u32,
}

/// Queries the version and the role's rights as soon as the server accepts connections.
fn first_words(
    driver: &Driver,
    health: &Arc<Health>,
    options: &PgConnectOptions,
    mut cluster: Option<&mut Cluster>,
) -> Result<Greeting, Error> {
    let nap = Duration::from_millis(20);
    let mut tries_left = START.as_millis() / nap.as_millis();
    loop {
        let (to, with) = (options.clone(), health.clone());
        let said = driver.ask(move || async move {
            let said = greet(&with, &to).await;
            if said.is_err() {
                tokio::time::sleep(nap).await;
            }
            said
        })?;
        let error = match said {
            Ok(said) => return Ok(said),
            Err(error) => error,
        };
        // Only a server that was just started is waited for.
        let Some(cluster) = cluster.as_deref_mut() else {
            return Err(Error::machine(format!(
                "the server at RETRIAL_POSTGRES_URL cannot be used: {error}"
            )));
        };
        if let Some(why) = cluster.obituary() {
            return Err(Error::machine(format!("the throwaway cluster did not start, {why}")));
        }
        if tries_left == 0 || health.is_silent() {
            return Err(Error::machine(format!("the throwaway cluster takes no connections: {error}")));
        }
        tries_left -= 1;
    }
}

async fn greet(health: &Health, options: &PgConnectOptions) -> Result<Greeting, Error> {
    let mut connection = health.connect(options).await?;
    let sql = "SELECT current_setting('server_version_num')::int4, rolsuper, \
               current_setting('max_connections')::int4 FROM pg_roles WHERE rolname = current_user";
    let asked = sqlx::query_as(sql).fetch_one(&mut connection);
    let (version, superuser, connections): (i32, bool, i32) = health.within(asked).await?;
    health.within(connection.close()).await?;
    Ok(Greeting { version, superuser, connections: connections.unsigned_abs() })
}
