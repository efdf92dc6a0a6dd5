//! BEGIN .. EXCEPTION .. END: a subtransaction that is rolled back with its locks if one of its statements fails
//! (manual, 43.6.8). An uncaught error rolls it back too, and propagates.

use retrial_pgmodel_sql::ast::{Body, SelectCore};
use retrial_pgmodel_sql::error::{Failure, PgError, Result};
use retrial_pgmodel_sql::value::Value;

use super::condition;
use super::execute::{Activation, Flow};
use super::inner::Sql;
use super::program::{Block, Handler};

impl Activation<'_> {
    /// Runs a block: initializes its variables, then runs its statements, in a subtransaction if it has handlers.
    pub(super) async fn block(&self, block: &Block) -> Result<Flow> {
        for (slot, value) in &block.declared {
            self.begin(*slot)?;
            if let Some(value) = value {
                let given = self.given(value).await?;
                self.assign(&super::program::Target::Variable(*slot), given)?;
            }
        }
        let Some(handlers) = &block.handlers else { return self.statements(&block.body).await };
        self.server.begin_block(self.session);
        let done = self.statements(&block.body).await;
        let error = match done {
            Ok(flow) => {
                self.server.end_block(self.session);
                return Ok(flow);
            }
            Err(Failure::Sql(error)) => error,
            Err(other) => return Err(other),
        };
        self.server.fail_block(self.session);
        match handlers.iter().find(|handler| catches(handler, &error)) {
            Some(handler) => self.handle(block, handler, *error).await,
            None => Err(Failure::Sql(error)),
        }
    }

    async fn handle(&self, block: &Block, handler: &Handler, error: PgError) -> Result<Flow> {
        if let Some((state, message)) = block.caught {
            self.frame.set(state, Value::Text(error.code.into()));
            self.frame.set(message, Value::Text(error.message.as_str().into()));
        }
        let around = self.frame.caught.replace(Some(error));
        let flow = self.statements(&handler.body).await;
        *self.frame.caught.borrow_mut() = around;
        flow
    }
}

fn catches(handler: &Handler, error: &PgError) -> bool {
    handler.states.iter().any(|state| match state {
        Some(state) => condition::catches(state, error.code),
        None => !condition::is_beyond_others(error.code),
    })
}

/// Whether a query locks rows, so that the number of rows visited matters. Conservative for WITH and set operations.
pub(super) fn locks(query: &Sql) -> Result<bool> {
    let with = query.with()?;
    let locks = match &with.body {
        Body::Select(select) => !select.locking.is_empty() || matches!(select.core, SelectCore::Set { .. }),
        _ => false,
    };
    Ok(locks || !with.ctes.is_empty())
}
