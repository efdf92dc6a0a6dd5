//! The pool never has more connections reserved than the cap allows.

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
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(pod) = history::pod(run, event.actor) else { continue };
            let gauge = &mut gauges[pod];
            // With a counter that lags behind, the cap is known only after the connection is reserved.
            if !matches!(gauge.take(event), Some(Fact::Reserved | Fact::Counted)) {
                continue;
            }
            let Some(cap) = gauge.cap else { continue };
            if gauge.reserved > cap {
                let sentence =
                    format!("{} reserved, with a cap of {cap}", counted(gauge.reserved, "connection"));
                return Finding::broken(Anomaly::WriteSkew, sentence).at(index).on("pool", "reserved", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
