//! An oracle for the lock: it follows the trace of a trial, simulates every heartbeat one by one, and derives what each
//! point must have found and how a refused actor goes on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use retrial_sim::engine::Value;
use retrial_sim::fault::{Fault, STALL};
use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind, Request};
use retrial_sim::trial::Run;

use super::SETTINGS;
use retrial_soundness::{Tally, ensure};

mod removals;

/// One acquisition, according to the trace.
struct Taking {
    actor: ActorId,
    process: &'static str,
    since: Duration,
    last_beat: Duration,
    beats: bool,
    compromised: bool,
    /// Its process has ended it, by releasing this acquisition or an earlier one.
    ended: bool,
    /// Its holder is alive and has not released it.
    held: bool,
    /// Why another actor may hold the lock at the same time.
    excuse: Option<&'static str>,
}

/// The next event that the lock requires of an actor.
#[derive(Debug, PartialEq)]
enum Next {
    Waits(ActorId),
    Resumes(Duration, bool),
    BacksOff(Duration),
    /// Another attempt, not before that time.
    Tries(Duration),
    /// The actor has seen this acquisition stale and removes whatever directory exists.
    Removes(i64, Duration),
    Creates,
    Releases(Duration),
    Notes(&'static str, i64, i64),
}

#[derive(Default)]
struct Hand {
    next: VecDeque<Next>,
    /// Since when it waits, and how often it has tried again.
    waits: Option<(Duration, u32)>,
}

struct Oracle<'r> {
    run: &'r Run,
    takings: Vec<Taking>,
    /// The directory's token and time.
    there: Option<(i64, Duration)>,
    listed: BTreeMap<&'static str, i64>,
    /// The stalls of a process in its present life, each with start and end.
    stalls: BTreeMap<&'static str, Vec<(Duration, Duration)>>,
    stopping: BTreeMap<&'static str, bool>,
    hands: BTreeMap<u16, Hand>,
    seen: Vec<&'static str>,
}

/// Checks that a trial of one lock violates no rule.
pub(super) fn judge(run: &Run, tally: &mut Tally) -> Result<(), String> {
    let mut oracle = Oracle {
        run,
        takings: Vec::new(),
        there: None,
        listed: BTreeMap::new(),
        stalls: BTreeMap::new(),
        stopping: BTreeMap::new(),
        hands: BTreeMap::new(),
        seen: Vec::new(),
    };
    for (index, event) in run.trace.events.iter().enumerate() {
        oracle.beat(event.at);
        oracle.event(event).map_err(|why| format!("event {index}: {why}"))?;
    }
    oracle.seen.into_iter().for_each(|what| *tally.entry(what).or_default() += 1);
    Ok(())
}

impl Oracle<'_> {
    /// Performs all heartbeats that are due by then, in order.
    fn beat(&mut self, until: Duration) {
        loop {
            let due = |(index, taking): (usize, &Taking)| (self.due(taking), index);
            let beating = self.takings.iter().enumerate().filter(|(_, taking)| taking.beats);
            let Some((due, index)) = beating.map(due).min().filter(|(due, _)| *due <= until) else { return };
            let taking = &mut self.takings[index];
            let late = due > taking.last_beat + SETTINGS.update;
            match &mut self.there {
                Some((token, mtime)) if *token == index as i64 + 1 => {
                    if late && due - *mtime > SETTINGS.stale {
                        self.seen.push("a stale lock is renewed");
                    }
                    *mtime = due;
                    taking.last_beat = due;
                }
                _ => {
                    taking.beats = false;
                    taking.compromised = true;
                    if self.listed.get(taking.process) == Some(&(index as i64 + 1)) {
                        self.listed.remove(taking.process);
                    }
                }
            }
        }
    }

    fn due(&self, taking: &Taking) -> Duration {
        let mut due = taking.last_beat + SETTINGS.update;
        let stalls = self.stalls.get(taking.process).map_or(&[][..], Vec::as_slice);
        while let Some((_, end)) = stalls.iter().find(|(began, end)| *began < due && due < *end) {
            due = *end;
        }
        due
    }

    fn event(&mut self, event: &Event) -> Result<(), String> {
        let (process, at) = (self.run.trace.process(event.actor), event.at);
        match &event.kind {
            EventKind::Requested(request) if request.label == "exit" => self.exit(event, request),
            EventKind::Requested(request) => match request.label {
                "remove-stale" => self.remove(event, request),
                "unlock" => self.release(event, request),
                _ => self.attempt(event, request),
            },
            EventKind::Waits { holders, resource } => {
                ensure!(*resource == "the file lock", "waits for {resource}");
                self.meets(event, &Next::Waits(holders[0]))
            }
            EventKind::Resumed { waited, timed_out } => {
                self.meets(event, &Next::Resumes(*waited, *timed_out))
            }
            EventKind::Released(held) => self.meets(event, &Next::Releases(*held)),
            EventKind::Sleeps("backoff", pause) => self.backs_off(event, *pause),
            EventKind::Annotated("compromised", token, told) => {
                self.meets_nothing(event)?;
                let taking = &self.takings[*token as usize - 1];
                ensure!(taking.compromised == (*told == 1), "the holder of {token} is told {told}");
                Ok(())
            }
            EventKind::Annotated("forgets", token, _) => {
                self.takings[*token as usize - 1].excuse = Some("forgotten");
                self.meets_nothing(event)
            }
            EventKind::Annotated(key, one, other) => self.meets(event, &Next::Notes(key, *one, *other)),
            EventKind::Sleeps(..) | EventKind::Stepped(_) | EventKind::Finished => self.meets_nothing(event),
            EventKind::Injected(Fault::Stall) => {
                self.stalls.entry(process).or_default().push((at, at + STALL));
                let mine = self.takings.iter_mut().filter(|taking| taking.process == process && taking.held);
                mine.for_each(|taking| taking.excuse = Some("stalled"));
                Ok(())
            }
            EventKind::Injected(Fault::Shutdown) => {
                self.stopping.insert(process, true);
                Ok(())
            }
            EventKind::Crashed => {
                self.ends(process);
                self.listed.remove(process);
                Ok(())
            }
            EventKind::Exited => {
                let has_listed = self.listed.contains_key(process);
                self.ends(process);
                if has_listed {
                    self.seen.push("an exit with a lock");
                }
                Ok(())
            }
            EventKind::Started(_) => {
                ensure!(!self.listed.contains_key(process), "a process has exited and left its lock");
                Ok(())
            }
            EventKind::Injected(_) | EventKind::FaultsStopped => Ok(()),
            other => Err(format!("{other:?} has no place here")),
        }
    }

    /// Checks that this is what the actor must do next.
    fn meets(&mut self, event: &Event, what: &Next) -> Result<(), String> {
        let expected = self.hand(event).next.pop_front();
        ensure!(expected.as_ref() == Some(what), "{what:?} comes instead of {expected:?}");
        Ok(())
    }

    fn meets_nothing(&mut self, event: &Event) -> Result<(), String> {
        let next = self.hand(event).next.front();
        ensure!(next.is_none(), "{:?} comes before {next:?}", event.kind);
        Ok(())
    }

    fn hand(&mut self, event: &Event) -> &mut Hand {
        self.hands.entry(event.actor.0).or_default()
    }

    fn backs_off(&mut self, event: &Event, pause: Duration) -> Result<(), String> {
        let stopping = self.stopping.get(self.run.trace.process(event.actor)) == Some(&true);
        let hand = self.hand(event);
        if let Some(Next::Tries(not_before)) = hand.next.front() {
            ensure!(stopping && event.at + pause == *not_before, "backs off twice");
            self.seen.push("a request to stop within a pause");
            return Ok(());
        }
        self.meets(event, &Next::BacksOff(pause))?;
        self.hand(event).next.push_front(Next::Tries(event.at + pause));
        Ok(())
    }

    fn attempt(&mut self, event: &Event, request: &Request) -> Result<(), String> {
        let (process, at) = (self.run.trace.process(event.actor), event.at);
        let creates = request.label == "create";
        match self.hand(event).next.pop_front() {
            None if !creates => {}
            Some(Next::Creates) if creates => {}
            Some(Next::Tries(not_before)) if !creates => ensure!(at >= not_before, "tries too early"),
            next => return Err(format!("an attempt comes instead of {next:?}")),
        }
        let expected = match self.there {
            None => "free",
            Some((_, mtime)) if !creates && at > mtime + SETTINGS.stale => "stale",
            Some(_) => "held",
        };
        let found = request.field("found").and_then(Value::text).expect("a text");
        ensure!(found == expected, "finds it {found} where it is {expected}");
        self.seen.push(expected);
        let own = |(token, _): (i64, Duration)| {
            let taking = &self.takings[token as usize - 1];
            taking.process == process && taking.beats
        };
        let own = self.there.is_some_and(own);
        ensure!(request.field("own") == Some(&Value::Bool(own)), "own is not {own}");
        if own {
            self.seen.push("its own process has it");
        }
        let made = if found == "free" { Value::Integer(self.takings.len() as i64 + 1) } else { Value::Null };
        ensure!(request.field("token") == Some(&made), "the token is not {made:?}");
        match found {
            "free" => self.takes(event),
            "stale" => {
                let (token, _) = self.there.expect("it is stale");
                let dead = !self.takings[token as usize - 1].beats;
                self.seen.push(if dead { "a dead one's is stale" } else { "a living one's is stale" });
                self.hand(event).next.push_back(Next::Removes(token, at));
                Ok(())
            }
            _ => self.refuses(event, creates),
        }
    }

    /// The directory was created. Any other holder must have a known excuse for having lost the lock.
    fn takes(&mut self, event: &Event) -> Result<(), String> {
        let (process, at) = (self.run.trace.process(event.actor), event.at);
        for (index, other) in self.takings.iter().enumerate().filter(|(_, taking)| taking.held) {
            let Some(excuse) = other.excuse else { return Err(format!("{} holds it as well", index + 1)) };
            self.seen.push(if excuse == "robbed" {
                "two hold it, none has stood still"
            } else {
                "two hold it"
            });
        }
        let token = self.takings.len() as i64 + 1;
        self.there = Some((token, at));
        self.listed.insert(process, token);
        // Another actor of its process was stalled, and that stalls the timers of the process.
        let stalls = self.stalls.get(process).is_some_and(|stalls| stalls.iter().any(|(_, end)| at < *end));
        self.takings.push(Taking {
            actor: event.actor,
            process,
            since: at,
            last_beat: at,
            beats: true,
            compromised: false,
            ended: false,
            held: true,
            excuse: stalls.then_some("stalled"),
        });
        let hand = self.hand(event);
        if let Some((since, _)) = hand.waits.take() {
            hand.next.push_back(Next::Resumes(at - since, false));
        }
        hand.next.push_back(Next::Notes("has", token, 0));
        Ok(())
    }

    fn refuses(&mut self, event: &Event, creates: bool) -> Result<(), String> {
        let (token, _) = self.there.expect("it is held");
        let holder = self.takings[token as usize - 1].actor;
        if creates {
            self.seen.push("another was faster");
        }
        let hand = self.hand(event);
        if hand.waits.is_none() {
            hand.next.push_back(Next::Waits(holder));
        }
        let (since, retry) = hand.waits.unwrap_or((event.at, 0));
        // The pauses that follow from the settings: one second, two, then always three.
        let pauses = [1, 2, 3, 3];
        match pauses.get(retry as usize) {
            Some(pause) => {
                hand.next.push_back(Next::BacksOff(Duration::from_secs(*pause)));
                hand.waits = Some((since, retry + 1));
            }
            None => {
                hand.next.push_back(Next::Resumes(event.at - since, true));
                hand.next.push_back(Next::Notes("locked", 0, 0));
                hand.waits = None;
                self.seen.push("gives up");
            }
        }
        Ok(())
    }

    /// The process has ended, and what its actors were about to do is dropped.
    fn ends(&mut self, process: &'static str) {
        for taking in self.takings.iter_mut().filter(|taking| taking.process == process) {
            (taking.beats, taking.held) = (false, false);
        }
        for (id, hand) in &mut self.hands {
            if self.run.trace.process(ActorId(*id)) == process {
                *hand = Hand::default();
            }
        }
        self.stalls.remove(process);
        self.stopping.remove(process);
    }
}
