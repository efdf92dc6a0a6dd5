//! The virtual clock: when the next timer is due (a timeout, a deadlock check, the end of a sleep) and what it does. A
//! timer fires at most once per wait.

use retrial_pgmodel_sql::error::Failure;

use crate::backend::Wait;
use crate::lock::SessionNo;
use crate::server::Server;

impl Server {
    /// When the next timer is due, and for which session.
    pub(crate) fn next_timer(&self) -> Option<(u64, SessionNo)> {
        let (backends, waiting) = (self.backends.borrow(), self.waiting.borrow());
        let timers = waiting.iter().filter_map(|session| {
            let backend = &backends[session.0 as usize];
            let waits = match &backend.wait {
                Wait::Lock { deadlock_check, lock_deadline, .. } => [*deadlock_check, *lock_deadline],
                Wait::Sleep { until } => [Some(*until), None],
                Wait::Snapshot => [None, None],
                _ => return None,
            };
            let due = waits.into_iter().chain([backend.statement_deadline]).flatten().min()?;
            Some((due, *session))
        });
        timers.min()
    }

    /// Moves the clock to `to` and fires the timers due on the way.
    pub(crate) fn advance(&self, to: u64) {
        while let Some((due, session)) = self.next_timer().filter(|(due, _)| *due <= to) {
            self.now.set(self.now.get().max(due));
            self.ring(session, due);
        }
        self.now.set(self.now.get().max(to));
    }

    /// Advances the clock by the minimum duration of a statement.
    pub(crate) fn tick(&self) {
        let takes = self.statement_takes.get();
        if takes > 0 {
            self.advance(self.now.get() + takes);
        }
    }

    fn ring(&self, session: SessionNo, due: u64) {
        let (wait, statement) = {
            let backend = self.backend(session);
            (backend.wait.clone(), backend.statement_deadline)
        };
        match wait {
            Wait::Lock { lock_deadline: Some(deadline), .. }
                if deadline == due && statement.is_none_or(|statement| statement >= deadline) =>
            {
                self.interrupt(session, Failure::sql("55P03", "canceling statement due to lock timeout"));
            }
            _ if statement == Some(due) => {
                self.backend(session).statement_deadline = None;
                self.interrupt(
                    session,
                    Failure::sql("57014", "canceling statement due to statement timeout"),
                );
            }
            Wait::Lock { .. } => self.check_deadlock(session),
            Wait::Sleep { .. } => self.end_wait(session, Wait::Over),
            _ => {}
        }
    }
}
