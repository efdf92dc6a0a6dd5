//! Parity of the model and a live server in trials, statement by statement and in the same order: what a counterexample
//! shows on one must happen on the other.

use retrial_engines::model::Model;
use retrial_engines::postgres::Postgres;
use retrial_sim::engine::Engine;

use crate::postgres::server;
use crate::script;

mod deadlock;
mod locks;
mod trial;

/// The engines with Postgres semantics.
pub(crate) fn servers() -> Vec<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(Model::new())];
    if cfg!(live_postgres) {
        let server = server();
        engines.push(Box::new(Postgres::new(&server).expect("the server makes a database")));
    }
    engines
}

/// Shown where the tests that compare engines run on the model alone.
#[cfg(not(live_postgres))]
#[test]
#[ignore = "needs a PostgreSQL server: apt-get install postgresql; scripts and trials ran on the model only"]
fn the_live_server_agrees() {}

/// How many times a script is run on the live server before a difference counts. On a busy machine a session's deadlock
/// check may be so late that the next session is already waiting; the wrong session is then the victim.
const TRIES: usize = 3;

/// The transcript of a script, on which all engines with Postgres semantics agree.
pub(crate) fn said_by_servers(text: &str) -> String {
    let mut engines = servers().into_iter();
    let model = script::run(&mut *engines.next().expect("the model is always there"), text);
    if let Some(mut server) = engines.next() {
        let mut live = String::new();
        let agrees = (0..TRIES).any(|_| {
            live = script::run(&mut *server, text);
            model == live
        });
        assert!(agrees, "the model\n{model}\nthe live server\n{live}");
    }
    model
}
