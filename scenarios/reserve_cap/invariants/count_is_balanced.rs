//! The counter equals the pool's number of reserved connections at every step, except for runs that still wait for
//! their answer, and both are zero when everything is idle.
//!
//! The exception: a strategy that counts before `await sql.reserve()` counts connections that the pool has yet to give.
//! So the counter may exceed the number of reserved connections by the number of waiting runs, and is never below it.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;

use super::super::history::{Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut gauges = [Gauge::default(); 2];
        // No actor sees the middle of a step. Per pod: the step of the last change, and the index of its event.
        let mut changed: [Option<(u32, usize)>; 2] = [None; 2];
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(pod) = history::pod(run, event.actor) else { continue };
            if let Some((step, at)) = changed[pod]
                && step != event.step
            {
                if let Some(broken) = unbalanced(&gauges[pod], at) {
                    return broken;
                }
                changed[pod] = None;
                exercised += u64::from(gauges[pod].cap.is_some());
            }
            match gauges[pod].take(event) {
                Some(Fact::Started) => changed[pod] = None,
                Some(Fact::Counted | Fact::Reserved | Fact::Answered { .. }) => {
                    changed[pod] = Some((event.step, index));
                }
                _ => {}
            }
        }
        let last = run.trace.events.len().saturating_sub(1);
        let at_rest = gauges.iter().filter(|_| history::is_quiescent(run));
        let left = |gauge: &Gauge| unbalanced(gauge, last).or_else(|| left_over(gauge, last));
        if let Some(broken) = at_rest.into_iter().find_map(left) {
            return broken;
        }
        Finding::Holds { exercised }
    }
}

fn unbalanced(gauge: &Gauge, at: usize) -> Option<Finding> {
    // A strategy without a counter has nothing to balance.
    gauge.cap?;
    if gauge.is_balanced() {
        return None;
    }
    let Gauge { count, reserved, asking, .. } = gauge;
    let asking = if *asking > 0 { format!(", and {asking} more under way") } else { String::new() };
    let connections = counted(*reserved, "connection");
    let sentence = format!("the counter says {count}, with {connections} reserved{asking}");
    Some(Finding::broken(Anomaly::FalseReport, sentence).at(at).on("pool", "count", None))
}

/// A violation if connections are still reserved, and counted, when everything is idle.
fn left_over(gauge: &Gauge, at: usize) -> Option<Finding> {
    gauge.cap?;
    let Gauge { count, reserved, .. } = gauge;
    if (*count, *reserved) == (0, 0) {
        return None;
    }
    let connections = counted(*reserved, "connection");
    let sentence = format!("everything is idle, the counter says {count}, with {connections} reserved");
    Some(Finding::broken(Anomaly::FalseReport, sentence).at(at).on("pool", "count", None))
}
