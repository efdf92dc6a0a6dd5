//! A value that the API writer has committed stays until another operation intends to change that column: no consumer
//! carries another value along over it. A consumer intends a value if the session's client has sent it more often than
//! consumers have written it.

use retrial_sim::checks::operation;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::TABLE;
use super::super::{Workload, history, operations};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let trace = &evidence.run.trace;
        let operations = operations::of(evidence.run);
        let is_api = |operation: &operation::Operation| !history::is_consumer(trace.name(operation.actor));
        let (exercised, losses) =
            operation::losses(trace, TABLE, &operations, &|operation, _| is_api(operation));
        let Some(lost) = losses.into_iter().min_by_key(|lost| lost.event) else {
            return Finding::Holds { exercised };
        };
        let session = operations[lost.operation].row.clone();
        let (who, column, from) = (trace.name(lost.actor), lost.column, &lost.value);
        let id = session.text().unwrap_or_default();
        let to = lost.stands.unwrap_or(Value::Null);
        let sentence =
            format!("{who} overwrote {column} of {id} ({from}, committed by the API writer) with {to}");
        Finding::broken(lost.anomaly, sentence).at(lost.event).on(TABLE, column, session)
    }
}
