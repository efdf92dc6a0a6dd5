//! Runs a schedule on both sides in lock step: after every statement the same sessions must wait and the messages must
//! be equal. The model goes first, because it shows what the server's outcome may depend on: if one event wakes several
//! sessions, the server's outcome is a race, and the schedule ends there. Races are never compared, and a schedule ends
//! early for nothing else that the server determines.

use std::time::Duration;

use retrial_engines::console::{Console, Message, Progress};
use retrial_engines::model::ModelConsole;
use retrial_sim::engine::SessionId;

use super::compare::{same, told};
use super::live::{Live, deadlock_timeout};
use super::schedule::{SESSIONS, Say, Schedule, Step};
use super::tally::Tally;

/// How a schedule ended.
#[derive(Debug)]
pub(super) enum Ended {
    Agreed,
    /// Several sessions were woken at once.
    Race,
    /// The model refused a statement.
    Refused(String),
    /// The sides differ; a readable log of the schedule so far.
    Differs(String),
}

struct Both<'a> {
    model: ModelConsole,
    live: &'a mut Live,
    /// Each session's last statement.
    last: [String; SESSIONS],
    waits: [bool; SESSIONS],
    open: [bool; SESSIONS],
    /// The messages of a waiting session so far, on the model and on the server. The results of a text of several
    /// statements arrive together, but notices do not.
    said: [(Vec<Message>, Vec<Message>); SESSIONS],
    account: String,
    tally: Tally,
}

/// How often the server is checked again before a difference in which sessions wait counts.
const LOOKS: u32 = 40;

/// Runs a schedule on both sides.
pub(super) fn run(schedule: &Schedule, live: &mut Live) -> (Ended, Tally) {
    live.empty();
    let mut model = ModelConsole::new();
    for session in 0..SESSIONS {
        let id = model.connect(&format!("s{}", session + 1)).expect("a model has sessions");
        model.send(id, deadlock_timeout(session)).expect("the model knows the setting");
        model.messages(id);
    }
    let mut both = Both {
        model,
        live,
        last: Default::default(),
        waits: [false; SESSIONS],
        open: [true; SESSIONS],
        said: Default::default(),
        account: String::new(),
        tally: Tally { schedules: 1, ..Tally::default() },
    };
    let ended = both.all(schedule).err().unwrap_or(Ended::Agreed);
    let mut tally = both.tally;
    tally.kinds.insert(schedule.kind, (1, u64::from(matches!(ended, Ended::Agreed))));
    match &ended {
        Ended::Race => tally.races += 1,
        Ended::Refused(what) => *tally.refusals.entry(what.clone()).or_default() += 1,
        Ended::Agreed | Ended::Differs(_) => {}
    }
    (ended, tally)
}

impl Both<'_> {
    fn all(&mut self, schedule: &Schedule) -> Result<(), Ended> {
        self.step(&Step::sql(0, schedule.initial_state()))?;
        let mut left: Vec<&Step> = schedule.steps.iter().collect();
        loop {
            left.retain(|step| self.open[step.session]);
            let next = left.iter().position(|step| !self.waits[step.session] || step.say == Say::Close);
            match next {
                Some(place) => self.step(left.remove(place))?,
                // All wait: for an idle session without further steps, or in a cycle for which no session checks.
                None if !left.is_empty() => self.make_way()?,
                None => break,
            }
        }
        while self.waits.contains(&true) {
            self.make_way()?;
        }
        for session in 0..SESSIONS {
            if self.open[session] {
                self.step(&Step::sql(session, "ROLLBACK"))?;
                self.step(&Step::sql(session, "SELECT pg_advisory_unlock_all()"))?;
            }
        }
        let Some(reader) = (0..SESSIONS).find(|session| self.open[*session]) else { return Ok(()) };
        for table in &schedule.tables {
            // Without ORDER BY: there may be no column left to order by.
            self.step(&Step::sql(reader, format!("SELECT * FROM {table}")))?;
        }
        Ok(())
    }

    /// Rolls back an idle session that may still have locks, or else cancels the first waiting session.
    fn make_way(&mut self) -> Result<(), Ended> {
        let idle = (0..SESSIONS).find(|session| {
            self.open[*session] && !self.waits[*session] && self.last[*session] != "ROLLBACK"
        });
        if let Some(session) = idle {
            return self.step(&Step::sql(session, "ROLLBACK"));
        }
        let session = (0..SESSIONS).find(|session| self.waits[*session]).expect("a session waits");
        self.account.push_str(&format!("s{} is cancelled\n", session + 1));
        self.model.cancel(SessionId(session as u32)).expect("the model cancels");
        let clock = self.settle_model(None)?;
        self.live.cancel(session);
        self.agree(clock)
    }

    fn step(&mut self, step: &Step) -> Result<(), Ended> {
        self.account.push_str(&format!("{step}\n"));
        let session = step.session;
        let id = SessionId(session as u32);
        match &step.say {
            Say::Sql(sql) => {
                self.tally.statements += 1;
                self.last[session].clone_from(sql);
                self.model.send(id, sql).map_err(refused)?;
                let clock = self.settle_model(Some(session))?;
                self.live.send(session, sql);
                self.agree(clock)
            }
            Say::Close => {
                self.open[session] = false;
                self.waits[session] = false;
                self.model.messages(id);
                self.model.close(id);
                let clock = self.settle_model(None)?;
                self.live.close(session);
                self.agree(clock)
            }
        }
    }

    /// Runs the model until it cannot continue; returns whether its clock had to advance past a deadlock check.
    fn settle_model(&mut self, sent: Option<usize>) -> Result<bool, Ended> {
        let mut began = sent == Some(0);
        let mut clock = false;
        loop {
            self.look_at_model()?;
            for batch in self.model.take_woken() {
                if batch.len() > 1 {
                    return Err(Ended::Race);
                }
                began |= batch.contains(&SessionId(0));
            }
            if !(began && self.waits[0]) {
                return Ok(clock);
            }
            began = false;
            clock = true;
            self.model.pass(Duration::from_millis(2)).map_err(refused)?;
        }
    }

    fn look_at_model(&mut self) -> Result<(), Ended> {
        for session in 0..SESSIONS {
            if self.open[session] {
                let progress = self.model.progress(SessionId(session as u32)).map_err(refused)?;
                self.waits[session] = progress != Progress::Finished;
            }
        }
        // A session that was checked early may have resumed since.
        for session in 0..SESSIONS {
            if self.open[session] {
                let progress = self.model.progress(SessionId(session as u32)).map_err(refused)?;
                self.waits[session] = progress != Progress::Finished;
            }
        }
        Ok(())
    }

    /// Compares the two sides after a step.
    fn agree(&mut self, clock: bool) -> Result<(), Ended> {
        if clock {
            self.live.pass();
        }
        let mut waits = self.live.settle();
        for _ in 0..LOOKS {
            if waits == self.waits {
                break;
            }
            self.live.pass();
            waits = self.live.settle();
        }
        let mut differs = waits != self.waits;
        for (session, waiting) in waits.into_iter().enumerate() {
            if !self.open[session] {
                continue;
            }
            let (mut model, mut server) = std::mem::take(&mut self.said[session]);
            model.extend(self.model.messages(SessionId(session as u32)));
            server.extend(self.live.messages(session));
            if waiting && self.waits[session] {
                self.said[session] = (model, server);
                self.tally.waits += 1;
                continue;
            }
            self.await_notifications(session, &model, &mut server);
            let agrees = same(&self.last[session], &model, &server) && waiting == self.waits[session];
            self.tell(session, agrees, &model, &server, waiting);
            self.tally.said(&model);
            self.tally.waits += u64::from(self.waits[session]);
            differs |= !agrees;
        }
        if differs { Err(Ended::Differs(std::mem::take(&mut self.account))) } else { Ok(()) }
    }

    /// Notifications from other sessions arrive asynchronously, so this waits for as many as the model reports.
    fn await_notifications(&mut self, session: usize, model: &[Message], server: &mut Vec<Message>) {
        let count =
            |said: &[Message]| said.iter().filter(|it| matches!(it, Message::Notification { .. })).count();
        for _ in 0..LOOKS {
            if count(server) >= count(model) {
                return;
            }
            self.live.pass();
            server.extend(self.live.messages(session));
        }
    }

    fn tell(&mut self, session: usize, agrees: bool, model: &[Message], server: &[Message], waits: bool) {
        let line = |messages: &[Message], waits: bool| {
            if waits { format!("waits; {}", told(messages)) } else { told(messages) }
        };
        let (model, server) = (line(model, self.waits[session]), line(server, waits));
        let name = session + 1;
        if agrees && model != "nothing" {
            self.account.push_str(&format!("  s{name} both: {model}\n"));
        } else if !agrees {
            self.account.push_str(&format!("  s{name} model:  {model}\n  s{name} server: {server}\n"));
        }
    }
}

fn refused(error: retrial_sim::error::Error) -> Ended {
    Ended::Refused(error.to_string())
}
