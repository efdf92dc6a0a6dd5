//! The engine of a world that sends no SQL. It opens an empty initial state and refuses everything else by name.

use std::rc::Rc;

use crate::engine::{Done, Engine, InitialState, Reply, Row, SessionId, Table, Value};
use crate::error::Error;
use crate::footprint::Footprint;
use crate::seed::Seed;

pub(crate) struct NoEngine;

fn refuse<T>() -> Result<T, Error> {
    Err(Error::refused("this world has no engine: run the trial on a host that has one"))
}

impl Engine for NoEngine {
    fn name(&self) -> &'static str {
        "none"
    }

    fn open(&mut self, initial_state: &Rc<InitialState>, _: Seed) -> Result<(), Error> {
        initial_state.without_settings(self.name())?;
        if initial_state.schema.is_empty() && initial_state.rows.is_empty() { Ok(()) } else { refuse() }
    }

    fn connect(&mut self) -> Result<SessionId, Error> {
        refuse()
    }

    fn submit(&mut self, _: SessionId, _: &str, _: &[Value]) -> Result<Reply, Error> {
        refuse()
    }

    fn resume(&mut self, _: SessionId) -> Result<Reply, Error> {
        refuse()
    }

    fn expire(&mut self, _: SessionId) -> Result<Done, Error> {
        refuse()
    }

    fn fail(&mut self, _: SessionId, _: &str) -> Result<Done, Error> {
        refuse()
    }

    fn settle(&mut self, _: SessionId) -> Result<Reply, Error> {
        refuse()
    }

    fn rollback(&mut self, _: SessionId) {}

    fn wake(&mut self, _: &mut Vec<SessionId>) {}

    fn take_footprint(&mut self, _used: &mut Footprint) {}

    fn close(&mut self, _: SessionId) {}

    fn rows(&mut self, _: &str) -> Result<(Rc<Table>, Vec<Row>), Error> {
        refuse()
    }
}
