//! What the API writer has committed to a column is never put back: no consumer gives the column a value again that the
//! row had before the API writer's, unless the session's client has said it anew. A value that the row has never had is
//! a client's new one, and meant; so is an old one that clients have said more often than consumers have written it.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Run;

use super::super::history::{Column, TABLE, Write};
use super::super::workload::SESSIONS;
use super::super::{Workload, history};

pub(super) struct Invariant;

/// A column of a session's row as it has been: all that it was before the API writer's, whether that still stands, and
/// what consumers have written.
#[derive(Default)]
struct Past<'r> {
    had: Vec<&'r Value>,
    before_edit: Option<usize>,
    written: Vec<&'r Value>,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let writes: Vec<_> = history::writes(run).collect();
        let mut exercised = 0;
        for session in SESSIONS {
            if !writes.iter().any(|write| write.session == session && !write.is_by_consumer()) {
                continue;
            }
            for column in history::FIELDS {
                let mut past = Past::default();
                for write in writes.iter().filter(|write| write.session == session) {
                    exercised += u64::from(past.before_edit.is_some() && write.is_by_consumer());
                    if past.is_put_back(run, write, column) {
                        return broken(write, column);
                    }
                    past.take_in(write, column);
                }
            }
        }
        Finding::Holds { exercised }
    }
}

impl<'r> Past<'r> {
    /// Whether that write brings a value back from before the API writer's, which stands until then.
    fn is_put_back(&self, run: &Run, write: &Write<'_>, column: Column) -> bool {
        let Some(earlier) = self.before_edit else { return false };
        let value = write.after(column);
        if !write.is_by_consumer() || !write.moves(column) || !self.had[..earlier].contains(&value) {
            return false;
        }
        let written = self.written.iter().filter(|written| **written == value).count();
        times_said(run, write, column) <= written
    }

    fn take_in(&mut self, write: &Write<'r>, column: Column) {
        if self.had.is_empty() {
            self.had.push(write.before(column));
        }
        if !write.moves(column) {
            return;
        }
        if write.is_by_consumer() {
            // A client's new value: the API writer's stands no longer.
            self.before_edit = None;
            self.written.push(write.after(column));
        } else {
            self.before_edit = Some(self.had.len());
        }
        self.had.push(write.after(column));
    }
}

/// How often the session's client has said by then what that write brings.
fn times_said(run: &Run, write: &Write<'_>, column: Column) -> usize {
    let by_then = run.trace.exchanges("send").take_while(|(event, _)| *event < write.event);
    let sent = by_then.map(|(_, exchange)| history::Sent { exchange });
    let of_session = sent.filter(|sent| sent.session() == write.session && !sent.is_poison());
    of_session.filter(|sent| sent.field(column) == Some(write.after(column))).count()
}

fn broken(write: &Write<'_>, column: Column) -> Finding {
    let Write { actor, session, .. } = write;
    let (from, to) = (write.before(column), write.after(column));
    let sentence = format!(
        "{actor} put {column} of {session} back from {from}, which the API writer had committed, to {to}"
    );
    let broken = Finding::broken(Anomaly::StaleOverwrite, sentence).at(write.event);
    broken.on(TABLE, column.name(), Value::from(*session))
}
