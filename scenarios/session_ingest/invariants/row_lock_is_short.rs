//! A consumer holds its row locks for at most three round trips, and for at most 40 ms of virtual time.
//!
//! Three round trips are a write, another write and the commit after the statement that took the locks; 40 ms are
//! those three at two milliseconds each, with room for what a timed trial delays each. Time spent waiting
//! for somebody else's lock meanwhile is not counted. Durations are judged in timed trials only.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::What;

use super::super::{Workload, history};

pub(super) struct Invariant;

const MOST_ROUND_TRIPS: usize = 3;

const MOST_TIME: Duration = Duration::from_millis(40);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let events = &evidence.run.trace.events;
        let mut exercised = 0;
        for (index, event) in events.iter().enumerate() {
            let name = evidence.run.trace.name(event.actor);
            let What::Released(held) = event.what else { continue };
            if !history::is_consumer(name) {
                continue;
            }
            exercised += 1;
            let since = event.at - held;
            let meanwhile = events[..index].iter().rev().take_while(|earlier| earlier.at > since);
            let own: Vec<_> = meanwhile.filter(|earlier| earlier.actor == event.actor).collect();
            let round_trips = own.iter().filter(|earlier| matches!(earlier.what, What::Ran(_))).count();
            if round_trips > MOST_ROUND_TRIPS {
                let sentence = format!("{name} held a row lock over {round_trips} round trips");
                return Finding::broken(Anomaly::LongLockHold, sentence).at(index);
            }
            let waited: Duration = own.iter().map(|earlier| waited(&earlier.what)).sum();
            if evidence.is_timed() && held.saturating_sub(waited) > MOST_TIME {
                let sentence = format!("{name} held a row lock for {} ms", held.as_millis());
                return Finding::broken(Anomaly::LongLockHold, sentence).at(index);
            }
        }
        Finding::Holds { exercised }
    }
}

fn waited(what: &What) -> Duration {
    match what {
        What::Resumed { waited, .. } => *waited,
        _ => Duration::ZERO,
    }
}
