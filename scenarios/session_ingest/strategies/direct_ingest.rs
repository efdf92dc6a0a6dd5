//! No queue: the request that brings a message calls the object, responds, and writes to Postgres afterwards.
//!
//! What Kilo-Org shipped after pull request 4322, which was not merged: `handleDirectIngestRequest` and
//! `runMetadataProjection` in services/session-ingest/src/ingest/direct-ingest.ts at 0918d015, with
//! `applyMetadataChanges` in ingest/metadata.ts at 06635dd6. The transaction is the release's, but it locks the row
//! first even if there is no status. A title is written only while the row has none, so a user's title is never
//! overwritten. The write is not awaited; a failure is logged and not retried.
//!
//! A reviewer would ask: the object returns a change once; who writes it when that write fails?

use retrial_sim::actor::Task;
use retrial_sim::engine::Value;
use retrial_sim::scenario::KnownFailure;

use super::super::{Emission, Errors, Failure, Persistence, Session, known_failures};
use super::long_transaction::write_and_commit;

pub(super) struct Strategy;

impl Persistence for Strategy {
    fn errors(&self) -> Errors {
        Errors::OfWritesAreLogged
    }

    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>> {
        Box::pin(apply(session, emission))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::NOTHING_LEFT_TO_TELL,
    known_failures::LEFT_IN_THE_OBJECT,
    known_failures::STANDS_STILL_WITH_THE_ROW,
    known_failures::STAMPS_THE_SAME_STATUS,
    known_failures::EACH_OTHERS_PARENT,
    known_failures::WRITTEN_IN_THE_OTHER_ORDER,
    known_failures::DIES_BEFORE_IT_NOTIFIES,
];

async fn apply(session: &Session<'_>, emission: &Emission) -> Result<(), Failure> {
    let mut fields = emission.fields.params();
    let transaction = session.begin().await?;
    let current = transaction.execute("lock", CURRENT, [session.id()]).await?;
    let Some(current) = current.rows.first() else {
        transaction.commit("commit").await?;
        return Ok(());
    };
    let (title, status) = (current[0].clone(), current[1].clone());
    if fields[0] != Value::Null && title != Value::Null {
        session.keep_title();
        fields[0] = Value::Null;
    }
    write_and_commit(session, transaction, fields, status).await
}

const CURRENT: &str = "
    SELECT title, status, parent_session_id FROM cli_sessions_v2 WHERE session_id = $1 LIMIT 1 FOR UPDATE";
