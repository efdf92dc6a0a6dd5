//! Trials of worlds with parts outside the engine: many seeds under every policy, each judged and replayed from its
//! tape; and single trials without random choices.

use std::collections::BTreeMap;

use retrial_sim::choice::{Pace, RecordedTape};
use retrial_sim::engine::Value;
use retrial_sim::fault::{Environment, Fault};
use retrial_sim::scheduler::{Policy, Replay};
use retrial_sim::seed::Seed;
use retrial_sim::trace::Request;
use retrial_sim::trial::{Ending, Run};
use retrial_sim::world::World;

use crate::trial::run_trial;

/// How often each notable situation was seen.
pub type Tally = BTreeMap<&'static str, u32>;

/// Returns an error with the reason if the condition does not hold: what a judge of [`sweep`] is made of.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}

/// Runs trials under every policy. Each must finish, pass the judge, and replay to the same digest. Every fault rule of
/// the environment must have been injected, and everything `wanted` must have been seen.
///
/// # Panics
/// One of these does not hold; the message has the policy, the seed and the trace.
pub fn sweep(
    environment: &Environment,
    seeds: u64,
    wanted: &[&'static str],
    stage: impl Fn(&World),
    mut judge: impl FnMut(&Run, &mut Tally) -> Result<(), String>,
) {
    let (mut tally, mut injected) = (Tally::new(), BTreeMap::<(Fault, &str), u32>::new());
    for policy in Policy::PORTFOLIO {
        let mut scheduler = policy.scheduler();
        for seed in 0..seeds {
            let run = run_trial(&mut *scheduler, seed, environment, &stage).expect("nothing is refused");
            let judged = judge(&run, &mut tally);
            let place = || format!("{policy}, seed {seed}, {:?}\n{}", run.ending, run.trace);
            judged.unwrap_or_else(|why| panic!("{why}: {}", place()));
            assert_eq!(run.ending, Ending::Quiescent, "it does not finish: {}", place());
            let again = run_trial(&mut Replay::new(run.tape.recorded()), seed, environment, &stage);
            let again = again.unwrap_or_else(|error| panic!("{error}: {}", place()));
            assert_eq!((run.digest, run.steps), (again.digest, again.steps), "{}", place());
            run.injected.iter().for_each(|strike| *injected.entry(*strike).or_default() += 1);
        }
    }
    for fault_rule in environment.fault_rules {
        let fault = fault_rule.fault;
        assert!(injected.keys().any(|(it, _)| *it == fault), "{fault} was never injected");
        for label in fault_rule.labels {
            assert!(
                injected.contains_key(&(fault_rule.fault, label)),
                "{} never injected at {label}",
                fault_rule.fault
            );
        }
    }
    for what in wanted {
        assert!(tally.contains_key(what), "{what} was never seen: {tally:?}");
    }
}

/// Runs one trial with the default choices, except for those in these lines of a tape.
///
/// # Panics
/// A line is not one of a tape, or its choice does not come up.
pub fn directed(pace: Pace, environment: &Environment, choices: &[&str], stage: impl FnOnce(&World)) -> Run {
    let choices = choices.iter().map(|line| line.parse().expect("a line of a tape")).collect();
    let tape = RecordedTape { pace, ambient: Seed(0), choices };
    run_trial(&mut Replay::new(tape), 0, environment, stage).unwrap_or_else(|error| panic!("{error}"))
}

/// A whole number among the fields of a request.
///
/// # Panics
/// There is none of that name.
pub fn number(request: &Request, name: &str) -> i64 {
    match request.field(name) {
        Some(Value::Integer(number)) => *number,
        other => panic!("{name} of {request:?} is {other:?}"),
    }
}
