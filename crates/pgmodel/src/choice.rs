//! What the server's planner decides by its statistics, and here whoever drives the database: whether a subquery that
//! locks rows, or can be seen to be run, is run once, or again for each row of the table beside it.
//!
//! The server makes a join of `id IN (SELECT … LIMIT 1 FOR UPDATE SKIP LOCKED)`. A nested loop with the subquery
//! inside runs it for each row, and each time it locks another row, since those that the statement has updated are
//! passed over; a hash join, or a loop with the subquery outside, runs it once. Nothing in the text says which.

use std::rc::Rc;

use crate::ast::Statement;
use crate::backend::Backend;
use crate::error::{Failure, Result};
use crate::lock::SessionNo;
use crate::parse::Parsed;
use crate::server::Server;
use crate::statement;

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

/// What has been chosen for a statement that leaves it open.
///
/// # Errors
/// A refusal where nobody has chosen, and one of a choice that there is not.
pub(crate) fn chosen(backend: &Backend) -> Result<Rerun> {
    match backend.settings.others.get(PARAMETER).map(String::as_str) {
        Some("once") => Ok(Rerun::Once),
        Some("per_row") => Ok(Rerun::PerRow),
        Some(other) => {
            Err(Failure::not_modelled(format!("{PARAMETER} = '{other}', which is once or per_row")))
        }
        None => backend.rerun.ok_or_else(|| {
            Failure::not_modelled(format!(
                "a subquery with an effect that the server's planner may run once or for each row \
                 (choose with SET {PARAMETER} = 'once' or 'per_row')"
            ))
        }),
    }
}

/// Whether a text is one statement that leaves the choice open, and the session has not made it by a parameter.
pub(crate) fn is_open(server: &Rc<Server>, session: SessionNo, parsed: &[Parsed]) -> bool {
    let [parsed] = parsed else { return false };
    let Statement::Query(with) = &parsed.statement else { return false };
    statement::reruns(server, session, parsed, with)
        && !server.backend(session).settings.others.contains_key(PARAMETER)
}
