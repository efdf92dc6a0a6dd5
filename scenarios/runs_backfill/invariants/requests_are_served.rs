//! No request of any release fails because the schema is not the one that its code expects: no INSERT and no verifier
//! query returns a schema error. A pod of the new release serves requests once the columns that it writes exist.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;

pub(super) struct Invariant;

/// SQLSTATE undefined_column, undefined_table, datatype_mismatch.
const SCHEMA: [&str; 3] = ["42703", "42P01", "42804"];

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let (trace, mut exercised) = (&evidence.run.trace, 0);
        for (index, event) in trace.events.iter().enumerate() {
            let EventKind::Ran(statement) = &event.kind else { continue };
            let column = match statement.label {
                "add" => "action_input",
                "verify" => "agent_id",
                _ => continue,
            };
            match &statement.result {
                Err(error) if SCHEMA.contains(&&*error.code) => {
                    let who = trace.name(event.actor);
                    let sentence = format!("{who} could not serve a request: {error}");
                    let anomaly = if column == "agent_id" {
                        Anomaly::FalseReport
                    } else {
                        Anomaly::LostAcknowledgement
                    };
                    return Finding::broken(anomaly, sentence).at(index).on("runs", column, None);
                }
                _ => exercised += 1,
            }
        }
        Finding::Holds { exercised }
    }
}
