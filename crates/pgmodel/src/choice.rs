//! Plan choices that the server makes by its statistics, and that here the driver of the database makes: whether a
//! subquery that locks rows, or whose runs are observable, runs once or for each row of the table beside it.
//!
//! The server turns `id IN (SELECT … LIMIT 1 FOR UPDATE SKIP LOCKED)` into a join. A nested loop with the subquery on
//! the inside runs it for each row, and each run locks another row, because rows that the statement has updated are
//! skipped. A hash join, or a loop with the subquery on the outside, runs it once. The statement does not determine
//! which.

use retrial_pgmodel_sql::error::{Failure, Result};

use crate::backend::Wait;
use crate::lock::SessionNo;
use crate::server::Server;

/// The session parameter that makes the choice; the server treats it as a custom parameter without meaning.
pub(crate) const PARAMETER: &str = "retrial.subquery_plan";

/// How often a subquery runs when the plan decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// Once.
    Once,
    /// For each row of the table beside it.
    PerRow,
}

/// The choice for a statement whose plan is open: by the parameter, or by a driver that answers.
///
/// # Errors
/// A refusal if neither makes a choice, or if the parameter's value is unknown.
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
