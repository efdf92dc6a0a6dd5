//! A stand: one workload under one strategy on one rung, ready to be tried any number of times, and judged.

use std::rc::Rc;

use serde_json::Value;

use crate::anomaly::{Anomaly, Kind};
use crate::case::Case;
use crate::choice::{Choice, Pace, RecordedTape};
use crate::engine::Opening;
use crate::error::Error;
use crate::explore::NEVER_PANICS;
use crate::fault::Rung;
use crate::invariant::{Breach, Evidence, Finding};
use crate::scenario::{Scenario, Workload};
use crate::scheduler::{Replay, Scheduler};
use crate::seed::Seed;
use crate::trace::What;
use crate::trial::{Ending, Run, Setup, TestBed};
use crate::verdict::{Size, Witness};

/// A workload under a strategy on a rung, ready to be tried any number of times.
pub(crate) struct Stand<'a, W: 'static, S: ?Sized + 'static> {
    pub(crate) scenario: &'a Scenario<W, S>,
    pub(crate) strategy: usize,
    pub(crate) rung: &'a Rung,
    pub(crate) engine: &'static str,
    pub(crate) workload: Rc<W>,
    /// The workload's text.
    pub(crate) json: String,
    opening: Rc<Opening>,
    weight: Weight,
}

/// What a workload adds to the size of a witness.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    values: usize,
    numbers: u64,
}

impl Weight {
    /// An absent value and an untrue one weigh nothing.
    fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(false) => return,
            Value::Bool(true) | Value::String(_) => {}
            Value::Number(number) => {
                let number = number.as_i64().map(i64::unsigned_abs).or(number.as_u64()).unwrap_or_default();
                self.numbers = self.numbers.saturating_add(number);
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(members) => members.values().for_each(|member| self.add(member)),
        }
        self.values += 1;
    }
}

impl<'a, W: Workload, S: ?Sized> Stand<'a, W, S> {
    pub(crate) fn new(
        scenario: &'a Scenario<W, S>,
        strategy: usize,
        rung: &'a Rung,
        engine: &'static str,
        workload: Rc<W>,
    ) -> Stand<'a, W, S> {
        let json = serde_json::to_string(&*workload).expect("a workload has string keys only");
        let opening = Rc::new((scenario.opening)(scenario.strategies[strategy].it, &workload));
        let mut weight = Weight::default();
        weight.add(&serde_json::to_value(&*workload).expect("it has just been written"));
        Stand { scenario, strategy, rung, engine, workload, json, opening, weight }
    }

    /// The stand of a case, and the index of its invariant.
    ///
    /// # Errors
    /// Where the case names what does not exist.
    pub(crate) fn of(scenario: &'a Scenario<W, S>, case: &Case) -> Result<(Stand<'a, W, S>, usize), Error> {
        let unknown =
            |what: &str, name: &str| Error::unreadable(format!("{} has no {what} `{name}`", scenario.name));
        let rung = scenario.ladder.iter().find(|rung| rung.name == case.rung);
        let rung = rung.ok_or_else(|| unknown("rung", &case.rung))?;
        let strategy = scenario.strategies.iter().position(|strategy| strategy.name == case.strategy);
        let strategy = strategy.ok_or_else(|| unknown("strategy", &case.strategy))?;
        let names = scenario.invariants.iter().map(|item| item.name).chain([NEVER_PANICS]);
        let invariant = names.into_iter().position(|name| name == case.invariant);
        let invariant = invariant.ok_or_else(|| unknown("invariant", &case.invariant))?;
        let workload = workload(&case.workload).map_err(|why| {
            Error::unreadable(format!("the case's workload is not one of {}: {why}", scenario.name))
        })?;
        (scenario.check)(&workload)
            .map_err(|why| Error::unreadable(format!("the case's workload is out of range: {why}")))?;
        let engine = scenario.engines.iter().find(|engine| **engine == case.engine).copied().unwrap_or("");
        Ok((Stand::new(scenario, strategy, rung, engine, Rc::new(workload)), invariant))
    }

    pub(crate) fn hold(
        &self,
        bed: &mut TestBed,
        scheduler: &mut dyn Scheduler,
        seed: Seed,
        ambient: Seed,
    ) -> Result<Run, Error> {
        let setup = Setup {
            rung: self.rung,
            cost: self.scenario.cost,
            limits: (self.scenario.limits)(&self.workload),
            opening: Some(&self.opening),
            tables: self.scenario.tables,
        };
        let strategy = self.scenario.strategies[self.strategy].it;
        let stage = |world: &_| (self.scenario.stage)(world, strategy, self.rung, &self.workload);
        bed.hold(scheduler, seed, ambient, &setup, stage)
    }

    pub(crate) fn again(&self, bed: &mut TestBed, tape: RecordedTape) -> Result<Run, Error> {
        let ambient = tape.ambient;
        self.hold(bed, &mut Replay::new(tape), Seed(0), ambient)
    }

    /// What each invariant finds, the kernel's own last.
    pub(crate) fn judge(&self, run: &Run) -> Vec<Finding> {
        (0..=self.scenario.invariants.len()).map(|index| self.finding(run, index)).collect()
    }

    /// What the invariant of that index finds.
    pub(crate) fn finding(&self, run: &Run, index: usize) -> Finding {
        match (&run.ending, self.scenario.invariants.get(index)) {
            // Half a trial says nothing about the others.
            (Ending::Panicked { .. }, Some(_)) => Finding::Holds { exercised: 0 },
            (Ending::Panicked { actor, message }, None) => {
                Finding::broken(Anomaly::Panic, format!("{} {message}", run.trace.name(*actor)))
            }
            (_, Some(item)) => item.it.check(&Evidence { workload: &*self.workload, rung: self.rung, run }),
            (_, None) => Finding::Holds { exercised: 1 },
        }
    }

    /// What a breach of the invariant of that index in that trial is kept as.
    pub(crate) fn witness(&self, run: &Run, index: usize, breach: Breach) -> Witness {
        Witness {
            case: self.case(run, self.invariant(index), Some(breach.kind())),
            kind: breach.kind(),
            sentence: breach.sentence,
            steps: run.steps,
            faults: run.strikes.len(),
            preemptions: run.preemptions,
            messages: run
                .trace
                .events
                .iter()
                .filter(|event| matches!(event.what, What::Exchanged(_)))
                .count(),
            shrinking: None,
            size: self.size(run),
        }
    }

    /// See [`Witness::size`].
    pub(crate) fn size(&self, run: &Run) -> Size {
        let entries = run.tape.entries.iter().filter(|(_, choice)| *choice != Choice::Pick(0));
        let reach = |choice: &Choice| match choice {
            Choice::Next(_) | Choice::Fault(_) => 0,
            Choice::Delay(exponent) => u64::from(*exponent),
            Choice::Pick(index) => *index as u64,
        };
        Size {
            faults: run.strikes.len(),
            severity: run.strikes.iter().map(|(fault, _)| fault.severity()).sum(),
            is_timed: run.tape.pace == Pace::Timed,
            workload: self.weight.values,
            choices: entries.clone().count(),
            preemptions: run.preemptions,
            reach: entries.map(|(point, choice)| u64::from(point.nth) + reach(choice)).sum(),
            numbers: self.weight.numbers,
            steps: run.steps,
        }
    }

    pub(crate) fn invariant(&self, index: usize) -> &'static str {
        self.scenario.invariants.get(index).map_or(NEVER_PANICS, |item| item.name)
    }

    /// Holds the trial again from its tape; tells how the two differ, if they do.
    pub(crate) fn disagrees(&self, bed: &mut TestBed, run: &Run) -> Option<String> {
        let again = match self.again(bed, run.tape.recorded()) {
            Ok(again) => again,
            Err(error) => return Some(format!("held again from its own tape, the trial {error}")),
        };
        if again.digest == run.digest && again.steps == run.steps {
            bed.recycle(again);
            return None;
        }
        let mut lines = run.trace.to_string().lines().map(str::to_owned).collect::<Vec<_>>().into_iter();
        let differing = again.trace.to_string().lines().find_map(|second| {
            let first = lines.next().unwrap_or_default();
            (first != second).then(|| format!("`{}` became `{}`", first.trim(), second.trim()))
        });
        let differing = differing.unwrap_or_else(|| "the final rows differ".to_owned());
        Some(format!("held again from its own tape, the trial differed: {differing}"))
    }

    pub(crate) fn case(&self, run: &Run, invariant: &str, shows: Option<Kind>) -> Case {
        Case {
            scenario: self.scenario.name.to_owned(),
            strategy: self.scenario.strategies[self.strategy].name.to_owned(),
            rung: self.rung.name.to_owned(),
            engine: self.engine.to_owned(),
            invariant: invariant.to_owned(),
            shows: shows.map(|kind| kind.to_string()),
            digest: run.digest,
            workload: self.json.clone(),
            tape: run.tape.recorded(),
        }
    }
}

/// The workload of a text. A field that nobody reads is a slip in an edited case: the trial would not be the one meant.
fn workload<W: Workload>(text: &str) -> Result<W, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut unread = None;
    let workload = serde_ignored::deserialize(&mut json, |path| {
        unread.get_or_insert(path.to_string());
    });
    let workload =
        workload.and_then(|workload| json.end().map(|()| workload)).map_err(|error| error.to_string())?;
    match unread {
        Some(field) => Err(format!("it has no field `{field}`")),
        None => Ok(workload),
    }
}
