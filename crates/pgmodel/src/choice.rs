//! What the server's planner decides by its statistics, and here whoever drives the database: whether a subquery that
//! locks rows, or can be seen to be run, is run once, or again for each row of the table beside it.
//!
//! The server makes a join of `id IN (SELECT … LIMIT 1 FOR UPDATE SKIP LOCKED)`. A nested loop with the subquery
//! inside runs it for each row, and each time it locks another row, since those that the statement has updated are
//! passed over; a hash join, or a loop with the subquery outside, runs it once. Nothing in the text says which.

use crate::backend::Wait;
use crate::error::{Failure, Result};
use crate::lock::SessionNo;
use crate::server::Server;

/// The parameter by which a session chooses; to the server it is an application's own, without a meaning.
pub(crate) const PARAMETER: &str = "retrial.subquery_plan";

/// How often a subquery is run that may be run once or again for each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// Once.
    Once,
    /// For each row of the table beside it.
    PerRow,
}

/// What is chosen for a statement that leaves it open: by the parameter, or by a driver that answers.
///
/// # Errors
/// A refusal where nobody chooses, and one of a choice that there is not.
pub(crate) async fn made(server: &Server, session: SessionNo) -> Result<Rerun> {
    let said = server.backend(session).settings.others.get(PARAMETER).cloned();
    match said.as_deref() {
        Some("once") => return Ok(Rerun::Once),
        Some("per_row") => return Ok(Rerun::PerRow),
        Some(other) => {
            return Err(Failure::not_modelled(format!("{PARAMETER} = '{other}', which is once or per_row")));
        }
        None if server.backend(session).answers => server.backend(session).wait = Wait::Choice,
        None => {
            return Err(Failure::not_modelled(format!(
                "a subquery with an effect that the server's planner may run once or for each row \
                 (choose with SET {PARAMETER} = 'once' or 'per_row')"
            )));
        }
    }
    server.waited(session).await?;
    Ok(server.backend(session).rerun.take().unwrap_or(Rerun::Once))
}
