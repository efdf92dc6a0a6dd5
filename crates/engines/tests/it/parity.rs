//! What the model and a live server both do in trials, statement by statement, in the same order: what a counterexample shows
//! on one must be there on the other.

use retrial_engines::model::Model;
use retrial_engines::postgres::Postgres;
use retrial_sim::engine::Engine;

use crate::postgres::server;
use crate::script;

mod deadlock;
mod locks;
mod trial;

/// Those that speak Postgres.
pub(crate) fn servers() -> Vec<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(Model::new())];
    if let Some(server) = server() {
        engines.push(Box::new(Postgres::new(&server).expect("the server makes a database")));
    }
    engines
}

/// How often the live server is asked before a difference counts: on a busy machine a session may look for a deadlock
/// only when the next one waits already, and is the victim in its place.
const TRIES: usize = 3;

/// The transcript of a script, which all that speak Postgres agree on.
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
